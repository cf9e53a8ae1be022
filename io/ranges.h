/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A list of ranges of sectors.
 */
#ifndef _XC_RANGES_H
#define _XC_RANGES_H

#include "../dm-xcrypt.h"

/* The most ranges in a list. */
#define XC_RANGES_MAX 224

/**
 * struct xc_range - a range of sectors
 * @start: its first sector, counted from the start of the mapping
 * @end: the first sector after it
 */
struct xc_range {
	sector_t start;
	sector_t end;
};

/**
 * struct xc_ranges - a list of ranges
 * @count: their number
 * @ranges: sorted; no two of them overlap or touch
 */
struct xc_ranges {
	unsigned int count;
	struct xc_range ranges[XC_RANGES_MAX];
};

bool xc_ranges_overlap(const struct xc_ranges *list, sector_t start,
		       sector_t end);
int xc_ranges_add(struct xc_ranges *list, sector_t start, sector_t end);
int xc_ranges_remove(struct xc_ranges *list, sector_t start, sector_t end);
u64 xc_ranges_total(const struct xc_ranges *list);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which sectors may be skipped because they cannot be read.
 */
#ifndef _XC_SKIP_H
#define _XC_SKIP_H

#include "../io/ranges.h"

/*
 * What one message allows, in 512-byte sectors: a device that is gone shall not cost the
 * volume.
 */
#define XC_SKIP_SECTORS 2048

struct dm_target;
struct xc_disk;

/**
 * struct xc_skip - which sectors may be skipped
 * @ti: the target
 * @data: where the sectors are; the first that may not be skipped is noted
 * @left: so many may be, besides those on @list
 * @list: the list that the next commit is to record
 */
struct xc_skip {
	struct dm_target *ti;
	const struct xc_disk *data;
	unsigned int left;
	struct xc_ranges list;
};

int xc_skip_add(struct xc_skip *skip, const struct xc_range *range);
void xc_skip_report(const struct xc_skip *skip);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which sectors may be skipped because they cannot be read, and what is said about it.
 */
#include "skip.h"

#include <linux/device-mapper.h>

#include "disk.h"

/**
 * xc_skip_add() - skip sectors, if they may be
 * @skip: its list gets the sectors
 * @range: the sectors; those that are on the list already may be skipped
 *
 * Context: Process context.
 * Return: 0; -EIO if they may not be; -ENOSPC if the list is full.
 */
int xc_skip_add(struct xc_skip *skip, const struct xc_range *range)
{
	const char *name = dm_table_device_name(skip->ti->table);
	unsigned long long start = range->start, end = range->end;
	u64 before = xc_ranges_total(&skip->list), new;

	if (xc_ranges_add(&skip->list, range->start, range->end)) {
		DMERR("%s: rekey: sector %llu cannot be read, and the list of skipped ones is full",
		      name, start);
		return -ENOSPC;
	}
	new = xc_ranges_total(&skip->list) - before;
	if (new > skip->left) {
		DMERR("%s: rekey: sector %llu cannot be read (\"rekey resume skip\" skips it)",
		      name, start);
		xc_disk_note_error(skip->data, REQ_OP_READ,
				   skip->data->start + start, -EIO);
		return -EIO;
	}
	skip->left -= new;
	if (new)
		DMWARN("%s: rekey: sectors %llu to %llu cannot be read, and are skipped",
		       name, start, end - 1);
	return 0;
}

/**
 * xc_skip_report() - say which sectors are lost for good
 * @skip: has the list
 *
 * Context: Process context.
 */
void xc_skip_report(const struct xc_skip *skip)
{
	const char *name = dm_table_device_name(skip->ti->table);
	const struct xc_range *range = skip->list.ranges;
	unsigned int i;

	DMWARN("%s: rekey: %llu skipped sectors were not written since, and are zeros now:",
	       name, (unsigned long long)xc_ranges_total(&skip->list));
	for (i = 0; i < skip->list.count; i++, range++)
		DMWARN("%s: rekey: lost: sectors %llu to %llu", name,
		       (unsigned long long)range->start,
		       (unsigned long long)range->end - 1);
}

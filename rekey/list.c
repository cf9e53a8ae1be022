// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of sectors that were skipped, because they could not be read.
 *
 * It lies behind a superblock, which has its length and checksum.  Nothing here
 * does I/O.
 */
#include "list.h"

#include <linux/crc32.h>
#include <linux/string.h>

#include "super.h"

static_assert(XC_SKIPPED_RANGES == XC_RANGES_MAX);

static u32 list_checksum(const struct xc_slot *slot, unsigned int count)
{
	return ~crc32_le(~0U, (const u8 *)slot->skipped,
			 count * sizeof(slot->skipped[0]));
}

/**
 * xc_list_record() - record a list
 * @slot: gets the list, and zeros behind it
 * @super: gets its length and checksum
 * @list: the list
 *
 * Context: Any context.
 */
void xc_list_record(struct xc_slot *slot, struct xc_superblock *super,
		    const struct xc_ranges *list)
{
	const struct xc_range *range = list->ranges;
	unsigned int i;

	memset(slot->skipped, 0, sizeof(slot->skipped));
	for (i = 0; i < list->count; i++, range++)
		slot->skipped[i] = (struct xc_range_record) {
			.start = cpu_to_le64(range->start),
			.sectors = cpu_to_le64(range->end - range->start),
		};
	super->skipped = cpu_to_le32(list->count);
	super->skipped_check = cpu_to_le32(list_checksum(slot, list->count));
}

/* Whole units that were read, or were to be, in ranges that do not touch. */
static bool is_sane(const struct xc_slot *slot,
		    const struct xc_superblock *super)
{
	const struct xc_range_record *record = slot->skipped;
	u64 limit = le64_to_cpu(super->frontier) +
		    le32_to_cpu(super->batch_sectors);
	u32 mask = (xc_super_unit_size(super) >> SECTOR_SHIFT) - 1;
	u32 i, count = le32_to_cpu(super->skipped);
	u64 start, sectors, last = 0;

	if (count > XC_SKIPPED_RANGES || (count && super->done) ||
	    list_checksum(slot, count) != le32_to_cpu(super->skipped_check))
		return false;
	for (i = 0; i < count; i++, record++) {
		start = le64_to_cpu(record->start);
		sectors = le64_to_cpu(record->sectors);
		if ((i && start <= last) || start >= limit || !sectors ||
		    sectors > limit - start || ((start | sectors) & mask))
			return false;
		last = start + sectors;
	}
	return true;
}

/**
 * xc_list_get() - see what a list has
 * @slot: has the list
 * @super: the superblock, valid
 * @list: set to the list
 *
 * Context: Any context.
 * Return: true; or false if it is damaged, with @list unchanged.
 */
bool xc_list_get(const struct xc_slot *slot, const struct xc_superblock *super,
		 struct xc_ranges *list)
{
	const struct xc_range_record *record = slot->skipped;
	struct xc_range *range = list->ranges;
	unsigned int i;

	if (!is_sane(slot, super))
		return false;
	list->count = le32_to_cpu(super->skipped);
	for (i = 0; i < list->count; i++, range++, record++) {
		range->start = le64_to_cpu(record->start);
		range->end = range->start + le64_to_cpu(record->sectors);
	}
	return true;
}

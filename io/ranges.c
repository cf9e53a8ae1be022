// SPDX-License-Identifier: GPL-2.0-only
/*
 * A list of ranges of sectors.  Nothing is allocated: a list may be full.
 */
#include "ranges.h"

#include <linux/minmax.h>
#include <linux/string.h>

/* The index of the first range that ends after a sector. */
static unsigned int find(const struct xc_ranges *list, sector_t sector)
{
	unsigned int low = 0, high = list->count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (list->ranges[middle].end > sector)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Replace ranges @from to @to by @count others. */
static int replace(struct xc_ranges *list, unsigned int from, unsigned int to,
		   const struct xc_range *others, unsigned int count)
{
	unsigned int rest = list->count - to;

	if (from + count + rest > XC_RANGES_MAX)
		return -ENOSPC;
	memmove(&list->ranges[from + count], &list->ranges[to],
		rest * sizeof(list->ranges[0]));
	memcpy(&list->ranges[from], others, count * sizeof(*others));
	list->count = from + count + rest;
	return 0;
}

/**
 * xc_ranges_overlap() - check whether some sectors are on a list
 * @list: the list
 * @start: the first of these sectors
 * @end: the first sector after them
 *
 * Context: Any context.
 * Return: true if at least one is.
 */
bool xc_ranges_overlap(const struct xc_ranges *list, sector_t start,
		       sector_t end)
{
	unsigned int i = find(list, start);

	return i < list->count && list->ranges[i].start < end;
}

/**
 * xc_ranges_add() - put sectors on a list
 * @list: the list; some of the sectors may be there already
 * @start: the first of these sectors
 * @end: the first sector after them; not @start
 *
 * Context: Any context.
 * Return: 0; or -ENOSPC if the list is full, and unchanged.
 */
int xc_ranges_add(struct xc_ranges *list, sector_t start, sector_t end)
{
	struct xc_range range = { start, end };
	unsigned int from, to;

	/* with all ranges that it overlaps or touches, it becomes one */
	from = start ? find(list, start - 1) : 0;
	for (to = from; to < list->count && list->ranges[to].start <= end; to++) {
		range.start = min(range.start, list->ranges[to].start);
		range.end = max(range.end, list->ranges[to].end);
	}
	return replace(list, from, to, &range, 1);
}

/**
 * xc_ranges_remove() - take sectors off a list
 * @list: the list; not all of the sectors need be there
 * @start: the first of these sectors
 * @end: the first sector after them
 *
 * Context: Any context.
 * Return: 0; or -ENOSPC if a range would become two and the list is full: then it is
 * unchanged.
 */
int xc_ranges_remove(struct xc_ranges *list, sector_t start, sector_t end)
{
	unsigned int from = find(list, start), to, count = 0;
	struct xc_range left[2];

	for (to = from; to < list->count && list->ranges[to].start < end; to++) {
		if (list->ranges[to].start < start)
			left[count++] = (struct xc_range) {
				list->ranges[to].start, start
			};
		if (list->ranges[to].end > end)
			left[count++] = (struct xc_range) {
				end, list->ranges[to].end
			};
	}
	return replace(list, from, to, left, count);
}

/**
 * xc_ranges_total() - count the sectors on a list
 * @list: the list
 *
 * Context: Any context.
 * Return: their number.
 */
u64 xc_ranges_total(const struct xc_ranges *list)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < list->count; i++)
		sum += list->ranges[i].end - list->ranges[i].start;
	return sum;
}

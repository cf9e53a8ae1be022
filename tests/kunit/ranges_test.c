// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists of ranges, compared with a bitmap after random steps.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/prandom.h>

#include "../../io/ranges.c"

#define SECTORS 4096
#define STEPS 20000

static bool is_as(const struct xc_ranges *list, const unsigned long *map)
{
	unsigned int i, at = 0;

	for (i = 0; i < list->count; i++) {
		if (find_next_bit(map, SECTORS, at) != list->ranges[i].start)
			return false;
		at = find_next_zero_bit(map, SECTORS, list->ranges[i].start);
		if (at != list->ranges[i].end)
			return false;
	}
	return find_next_bit(map, SECTORS, at) == SECTORS &&
		xc_ranges_total(list) == bitmap_weight(map, SECTORS);
}

static bool overlaps(const unsigned long *map, unsigned int start,
		     unsigned int end)
{
	return find_next_bit(map, end, start) < end;
}

/* Full lists, too: they are refused what they have no room for, and unchanged. */
static void ranges_random_test(struct kunit *test)
{
	struct xc_ranges *list = kunit_kzalloc(test, sizeof(*list), GFP_KERNEL);
	unsigned long *map = bitmap_zalloc(SECTORS, GFP_KERNEL);
	unsigned int i, start, end, most, full = 0;
	struct rnd_state random;
	bool add;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, list);
	KUNIT_ASSERT_NOT_NULL(test, map);
	prandom_seed_state(&random, 1);
	for (i = 0; i < STEPS; i++) {
		/* short ranges fill the list, long ones empty it */
		most = i % 2000 < 1900 ? 2 : 200;
		start = prandom_u32_state(&random) % (SECTORS - most);
		end = start + 1 + prandom_u32_state(&random) % most;
		add = most == 2 && prandom_u32_state(&random) % 4;
		if (xc_ranges_overlap(list, start, end) !=
		    overlaps(map, start, end))
			break;
		err = add ? xc_ranges_add(list, start, end) :
			    xc_ranges_remove(list, start, end);
		if (err && (err != -ENOSPC || list->count != XC_RANGES_MAX))
			break;
		if (err)
			full++;
		else if (add)
			bitmap_set(map, start, end - start);
		else
			bitmap_clear(map, start, end - start);
		if (!is_as(list, map))
			break;
	}
	bitmap_free(map);
	KUNIT_EXPECT_EQ_MSG(test, i, STEPS, "range %u to %u", start, end);
	KUNIT_EXPECT_GT(test, full, 0);
}

static struct kunit_case ranges_cases[] = {
	KUNIT_CASE(ranges_random_test),
	{}
};

static struct kunit_suite ranges_suite = {
	.name = "xcrypt-ranges",
	.test_cases = ranges_cases,
};

kunit_test_suite(ranges_suite);

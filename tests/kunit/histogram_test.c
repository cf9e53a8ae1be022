// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the histograms: the bucket of a time, and the printed output.
 */
#include <kunit/test.h>
#include <linux/percpu.h>

#include "../../stats/histogram.h"

static void bucket_test(struct kunit *test)
{
	static const struct {
		u64 ns;
		unsigned int bucket;
	} cases[] = {
		{ 0, 0 }, { 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 4 }, { 5, 4 },
		{ 6, 5 }, { 7, 5 }, { 8, 6 }, { 11, 6 }, { 12, 7 }, { 15, 7 },
		{ 1023, 19 }, { 1024, 20 }, { 1535, 20 }, { 1536, 21 },
		{ (1ULL << 32) - 1, 63 }, { 1ULL << 32, 64 },
		{ (3ULL << 38) - 1, 78 }, { 3ULL << 38, 79 },
		{ 1ULL << 40, 79 }, { 1ULL << 63, 79 }, { U64_MAX, 79 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, xc_bucket(cases[i].ns),
				    cases[i].bucket, "%llu ns", cases[i].ns);
}

/* Every bucket begins where the one before it ends. */
static void bucket_start_test(struct kunit *test)
{
	unsigned int i;
	u64 start;

	KUNIT_EXPECT_EQ(test, xc_bucket_start(0), 0);
	for (i = 1; i < XC_BUCKETS; i++) {
		start = xc_bucket_start(i);
		KUNIT_EXPECT_EQ(test, xc_bucket(start), i);
		KUNIT_EXPECT_EQ(test, xc_bucket(start - 1), i - 1);
	}
}

static void free_histogram(void *histogram)
{
	free_percpu((struct xc_histogram __percpu __force *)histogram);
}

static void print_test(struct kunit *test)
{
	struct xc_histogram __percpu *histogram;
	char result[64];

	histogram = alloc_percpu(struct xc_histogram);
	KUNIT_ASSERT_TRUE(test, histogram);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_histogram,
							(void __force *)histogram), 0);

	xc_histogram_print(histogram, result, sizeof(result));
	KUNIT_EXPECT_STREQ(test, result, " 0 0");

	xc_histogram_add(histogram, 5);
	xc_histogram_add(histogram, 4);
	xc_histogram_add(histogram, 0);
	xc_histogram_add(histogram, 1600);
	/* counted on any CPU */
	per_cpu_ptr(histogram, cpumask_last(cpu_possible_mask))->buckets[0]++;
	KUNIT_EXPECT_EQ(test, xc_histogram_print(histogram, result,
						 sizeof(result)), 22);
	KUNIT_EXPECT_STREQ(test, result, " 5 1609 0:2 4:2 1536:1");

	/* truncated to the buffer */
	KUNIT_EXPECT_EQ(test, xc_histogram_print(histogram, result, 8), 7);
	KUNIT_EXPECT_STREQ(test, result, " 5 1609");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(bucket_test),
	KUNIT_CASE(bucket_start_test),
	KUNIT_CASE(print_test),
	{}
};

static struct kunit_suite suite = {
	.name = "xcrypt-histogram",
	.test_cases = cases,
};

kunit_test_suite(suite);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histograms of durations: per CPU, without locks and atomic operations, summed
 * up when they are printed.
 */
#include "histogram.h"

#include <linux/log2.h>

/**
 * xc_bucket() - find the bucket of a duration
 * @ns: the duration
 *
 * Buckets 2n and 2n + 1 are the halves of the octave from 2^n to 2^(n+1) - 1.
 *
 * Context: Any context.
 * Return: the bucket, less than %XC_BUCKETS.
 */
unsigned int xc_bucket(u64 ns)
{
	unsigned int octave;

	if (ns < 2)
		return ns;
	octave = ilog2(ns);
	return min_t(unsigned int, 2 * octave + ((ns >> (octave - 1)) & 1),
		     XC_BUCKETS - 1);
}

/**
 * xc_bucket_start() - find the start of a bucket
 * @bucket: the bucket
 *
 * Context: Any context.
 * Return: the shortest duration in it, in ns.
 */
u64 xc_bucket_start(unsigned int bucket)
{
	if (bucket < 2)
		return bucket;
	return (2ULL | (bucket & 1)) << (bucket / 2 - 1);
}

/**
 * xc_histogram_add() - count a duration
 * @histogram: the histogram
 * @ns: the duration
 *
 * Context: Any context.
 */
void xc_histogram_add(struct xc_histogram __percpu *histogram, u64 ns)
{
	this_cpu_add(histogram->sum, ns);
	this_cpu_inc(histogram->buckets[xc_bucket(ns)]);
}

/* The sum over all CPUs. */
static u64 sum_up(u64 __percpu *counter)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(counter, cpu));
	return sum;
}

/**
 * xc_histogram_print() - print a histogram
 * @histogram: the histogram
 * @result: buffer to print to
 * @maxlen: its size in bytes
 *
 * Prints " <n> <sum>", and " <start>:<count>" for each non-empty bucket.
 *
 * Context: Process context.
 * Return: number of bytes printed.
 */
unsigned int xc_histogram_print(struct xc_histogram __percpu *histogram,
				char *result, unsigned int maxlen)
{
	u64 counts[XC_BUCKETS], n = 0;
	unsigned int i, sz = 0;

	/* read once, so that <n> is the sum of the counts printed */
	for (i = 0; i < XC_BUCKETS; i++) {
		counts[i] = sum_up(&histogram->buckets[i]);
		n += counts[i];
	}
	DMEMIT(" %llu %llu", n, sum_up(&histogram->sum));
	for (i = 0; i < XC_BUCKETS; i++)
		if (counts[i])
			DMEMIT(" %llu:%llu", xc_bucket_start(i), counts[i]);
	return sz;
}

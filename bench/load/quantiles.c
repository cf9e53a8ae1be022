// SPDX-License-Identifier: GPL-2.0-only
/*
 * A histogram of times whose buckets grow with the time: each power of two is
 * divided into QUANTILES_STEPS equal parts.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/math64.h>

#include "load.h"

static unsigned int bucket_of(u64 ns)
{
	unsigned int power;

	if (ns < QUANTILES_STEPS)
		return ns;
	power = fls64(ns) - fls(QUANTILES_STEPS);
	return power * QUANTILES_STEPS + (ns >> power);
}

/* The longest time that falls into a bucket. */
static u64 bucket_end(unsigned int bucket)
{
	unsigned int power;

	if (bucket < 2 * QUANTILES_STEPS)
		return bucket;
	power = bucket / QUANTILES_STEPS - 1;
	return ((bucket - power * QUANTILES_STEPS + 1ULL) << power) - 1;
}

/**
 * quantiles_add() - count one time
 * @q: where
 * @ns: the time in ns
 */
void quantiles_add(struct quantiles *q, u64 ns)
{
	q->count[bucket_of(ns)]++;
	q->total++;
	q->max = max(q->max, ns);
}

/**
 * quantiles_get() - the time that so many did not exceed
 * @q: where
 * @per_mille: so many of a thousand
 *
 * Return: ns, too much by less than a hundredth.
 */
u64 quantiles_get(const struct quantiles *q, unsigned int per_mille)
{
	u64 left = div_u64(q->total * per_mille + 999, 1000);
	unsigned int i;

	for (i = 0; i < QUANTILES_BUCKETS; i++) {
		if (q->count[i] >= left)
			return min(bucket_end(i), q->max);
		left -= q->count[i];
	}
	return q->max;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters: per CPU, summed up when they are printed.
 */
#include "stats.h"

/**
 * xc_stats_sum() - sum up counters over all CPUs
 * @stats: the counters
 *
 * Other CPUs may count meanwhile, so the members need not fit each other.
 *
 * Context: Any context.
 * Return: the sums.
 */
struct xc_stats xc_stats_sum(const struct xc_stats __percpu *stats)
{
	struct xc_stats sum = {};
	const struct xc_stats *one;
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		one = per_cpu_ptr(stats, cpu);
		for (i = 0; i < ARRAY_SIZE(sum.bios); i++) {
			sum.bios[i] += READ_ONCE(one->bios[i]);
			sum.sectors[i] += READ_ONCE(one->sectors[i]);
		}
		sum.spread += READ_ONCE(one->spread);
		sum.helped += READ_ONCE(one->helped);
		sum.errors += READ_ONCE(one->errors);
		sum.mismatches += READ_ONCE(one->mismatches);
	}
	return sum;
}

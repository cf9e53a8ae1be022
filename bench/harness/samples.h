/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Durations of the same operation, measured many times on a machine that may have
 * other load: median, minimum and spread.
 */
#ifndef _XC_BENCH_SAMPLES_H
#define _XC_BENCH_SAMPLES_H

#define MAX_SAMPLES	65536

/**
 * struct samples - durations, in nanoseconds
 * @count: how many there are
 * @ns: the durations
 */
struct samples {
	unsigned int count;
	double ns[MAX_SAMPLES];
};

/**
 * struct summary - what many samples amount to, in nanoseconds
 * @min: the shortest
 * @p10: a tenth is shorter
 * @median: half are
 * @p90: nine tenths are
 */
struct summary {
	double min, p10, median, p90;
};

double samples_now(void);
void samples_add(struct samples *samples, double ns);
struct summary samples_summary(struct samples *samples);

#endif

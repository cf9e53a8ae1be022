/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Histograms of durations.
 */
#ifndef _XC_HISTOGRAM_H
#define _XC_HISTOGRAM_H

#include <linux/percpu.h>

#include "../dm-xcrypt.h"

/* Two an octave; the last one holds everything from 3 * 2^38 ns on. */
#define XC_BUCKETS 80

/**
 * struct xc_histogram - durations, one for each CPU
 * @sum: their sum in ns
 * @buckets: their number, by xc_bucket()
 */
struct xc_histogram {
	u64 sum;
	u64 buckets[XC_BUCKETS];
};

unsigned int xc_bucket(u64 ns);
u64 xc_bucket_start(unsigned int bucket);
void xc_histogram_add(struct xc_histogram __percpu *histogram, u64 ns);
unsigned int xc_histogram_print(struct xc_histogram __percpu *histogram,
				char *result, unsigned int maxlen);

#endif

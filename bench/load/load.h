/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xcrypt_load - keeps bios in flight on a block device and measures them
 */
#ifndef XCRYPT_LOAD_H
#define XCRYPT_LOAD_H

#include <linux/blk_types.h>
#include <linux/types.h>

#define LOAD_DEPTH_MAX	64

/* --- quantiles.c: a histogram of times ----------------------------------- */

#define QUANTILES_STEPS		128	/* a power of two is divided into */
#define QUANTILES_BUCKETS	(64 * QUANTILES_STEPS)

/**
 * struct quantiles - how often which times were seen
 * @count: by bucket; a bucket's times differ by less than a hundredth
 * @total: how many
 * @max: longest, in ns
 */
struct quantiles {
	u32 count[QUANTILES_BUCKETS];
	u64 total;
	u64 max;
};

void quantiles_add(struct quantiles *q, u64 ns);
u64 quantiles_get(const struct quantiles *q, unsigned int per_mille);

/* --- what a run is, and what came out ------------------------------------ */

/**
 * struct load - one run
 * @bdev: the device
 * @write: write, else read
 * @size: bytes in a bio
 * @depth: bios in flight
 * @cpu: where they are submitted; -1 is anywhere
 * @folio: a bio's memory is one large folio, not single pages
 * @ms: how long at most, in milliseconds; 0 is without a limit
 * @bios: how many at most; 0 is without a limit
 * @warm: bios sent before the measurement
 * @span: bytes of the device that are gone over, again and again
 * @slice: so many bios at a time are measured; 0 is none
 * @latency: measure every single bio
 * @wake: period in microseconds of a thread that does nothing but wake up
 * @done_bios: how many were measured
 * @errors: how many of them failed
 * @ns: time from the first's submission to the last's completion
 * @slice_times: with @slice, each slice's time divided by its bios
 * @bio_times: with @latency, each bio's time
 * @wake_times: with @wake, how late the thread was
 */
struct load {
	struct block_device *bdev;
	bool write, folio, latency;
	unsigned int size, depth;
	int cpu;
	u64 ms, bios, warm, span, slice, wake;

	u64 done_bios, errors, ns;
	struct quantiles slice_times, bio_times, wake_times;
};

/* --- run.c: the bios ----------------------------------------------------- */

int load_run(struct load *load);

/* --- wake.c: the thread that wants to be in time ------------------------- */

struct task_struct *wake_start(struct load *load);
void wake_stop(struct task_struct *thread);

#endif

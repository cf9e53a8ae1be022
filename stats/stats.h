/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters.
 */
#ifndef _XC_STATS_H
#define _XC_STATS_H

#include <linux/percpu.h>

#include "../dm-xcrypt.h"

/**
 * struct xc_stats - counters of a volume, one set for each CPU
 * @bios: bios mapped, by direction; counted in process context only
 * @sectors: their length in 512-byte sectors, likewise
 * @spread: bios encrypted in a workqueue rather than inline
 * @helped: CPUs that helped with a bio, counted for each bio
 * @errors: bios that ended with an error
 * @mismatches: writes failed by verify_writes
 */
struct xc_stats {
	u64 bios[2];
	u64 sectors[2];
	u64 spread;
	u64 helped;
	u64 errors;
	u64 mismatches;
};

struct xc_stats xc_stats_sum(const struct xc_stats __percpu *stats);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Crashes: every state that the devices may be in after power was cut, or the
 * machine restarted, at any point of a log.
 */
#ifndef _XC_CRASH_CRASH_H
#define _XC_CRASH_CRASH_H

#include "kernel.h"
#include "table/options.h"

/**
 * struct crash_counts - what was tried
 * @images: distinct states of the devices after a power cut
 * @active: those of them with an active batch
 * @cuts: power cuts that a volume was recovered from
 * @restarts: likewise, of the machine with the devices' caches intact
 * @damaged: states that were damaged otherwise, and had to be refused
 */
struct crash_counts {
	u64 images;
	u64 active;
	u64 cuts;
	u64 restarts;
	u64 damaged;
};

extern struct crash_counts crash_counts;

/* Run a conversion of this resilience, or any, and crash it at one point in @share. */
void crash_explore(u64 seed, unsigned int share,
		   enum xc_resilience_choice resilience);
/* Print what led to the present state. */
void crash_print_path(FILE *file);

#endif

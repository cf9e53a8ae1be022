/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The phases of a bio, timed and traced.
 */
#ifndef _XC_PHASE_H
#define _XC_PHASE_H

#include "io.h"
#include "../stats/histogram.h"

/**
 * struct xc_times - durations of the phases of bios, one set for each CPU
 * @random: decides which bios are timed
 * @phases: durations, by direction
 */
struct xc_times {
	u32 random;
	struct xc_histogram phases[2][XC_PHASES];
};

/* One bio in XC_SAMPLED is timed. */
#define XC_SAMPLED 32

void xc_phase_begin(struct xc_io *io);
void xc_phase_enter(struct xc_io *io, enum xc_phase phase);
void xc_phase_queue(struct xc_io *io, const char *queue);
void xc_phase_end(struct xc_io *io, blk_status_t status);

#endif

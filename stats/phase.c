// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bio's way through its phases, traced and timed.
 *
 * Reading the clock is what costs, so one bio in XC_SAMPLED is timed.  Which
 * one is left to chance: what is split into equal parts would else show the
 * same part again and again.
 */
#include <linux/ktime.h>

#include "../dm-xcrypt.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/*
 * A linear congruential generator, that of Press et al., Numerical Recipes;
 * its high bits are good enough for this.
 */
static bool throw_dice(struct xc_times __percpu *times)
{
	struct xc_times *mine = get_cpu_ptr(times);
	u32 dice = mine->dice * 1664525 + 1013904223;

	mine->dice = dice;
	put_cpu_ptr(times);
	return dice < U32_MAX / XC_SAMPLED;
}

/**
 * xc_stats_map() - a bio begins its way
 * @io: the bio on its way
 *
 * Context: Process context.
 */
void xc_stats_map(struct xc_io *io)
{
	io->phase = XC_NOWHERE;
	io->timed = throw_dice(io->vol->times);
	trace_xcrypt_map(io);
}

/* A bio leaves its phase now. */
static void take_time(struct xc_io *io)
{
	struct xc_times __percpu *times = io->vol->times;
	unsigned int dir = bio_data_dir(io->base);
	u64 now = ktime_get_ns();

	if (io->phase != XC_NOWHERE)
		xc_histogram_add(&times->phases[dir][io->phase],
				 now - io->since);
	io->since = now;
}

/**
 * xc_stats_enter() - a bio enters a phase, and leaves the one that it was in
 * @io: the bio on its way
 * @phase: the phase
 *
 * Context: Any context.
 */
void xc_stats_enter(struct xc_io *io, enum xc_phase phase)
{
	enum xc_phase from = io->phase;

	if (from == phase)
		return;
	if (io->timed)
		take_time(io);
	io->phase = phase;

	trace_xcrypt_dequeue(io, from);
	trace_xcrypt_cipher_end(io, from);
	trace_xcrypt_lower_done(io, from);
	trace_xcrypt_cipher_begin(io, phase);
	trace_xcrypt_lower_submit(io, phase);
}

/**
 * xc_stats_queue() - a bio is put on a workqueue
 * @io: the bio on its way
 * @queue: the workqueue's name in the trace
 *
 * Context: Any context.
 */
void xc_stats_queue(struct xc_io *io, const char *queue)
{
	xc_stats_enter(io, XC_WAIT);
	trace_xcrypt_queue(io, queue);
}

/**
 * xc_stats_end() - a bio ends
 * @io: the bio on its way
 * @status: how it ends
 *
 * Context: Any context.
 */
void xc_stats_end(struct xc_io *io, blk_status_t status)
{
	xc_stats_enter(io, XC_NOWHERE);
	trace_xcrypt_end(io, status);
}

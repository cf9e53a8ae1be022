// SPDX-License-Identifier: GPL-2.0-only
/*
 * The phases of a bio, timed and traced.
 *
 * Reading the clock is expensive, so one bio in XC_SAMPLED is timed.  It is
 * chosen at random: if bios are split into equal parts, every n-th would always
 * be the same part.
 */
#include "phase.h"

#include <linux/ktime.h>

#include "device.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/*
 * A linear congruential generator, that of Press et al., Numerical Recipes;
 * its high bits are good enough for this.
 */
static bool sampled(struct xc_times __percpu *times)
{
	struct xc_times *mine = get_cpu_ptr(times);
	u32 random = mine->random * 1664525 + 1013904223;

	mine->random = random;
	put_cpu_ptr(times);
	return random < U32_MAX / XC_SAMPLED;
}

/**
 * xc_phase_begin() - a bio was mapped
 * @io: the bio in flight
 *
 * Context: Process context.
 */
void xc_phase_begin(struct xc_io *io)
{
	io->phase = XC_NOWHERE;
	io->timed = sampled(io->dev->times);
	trace_xcrypt_map(io);
}

/* Count the time that a bio spent in its present phase, which ends. */
static void count_time(struct xc_io *io)
{
	struct xc_times __percpu *times = io->dev->times;
	unsigned int dir = bio_data_dir(io->base);
	u64 now = ktime_get_ns();

	if (io->phase != XC_NOWHERE)
		xc_histogram_add(&times->phases[dir][io->phase],
				 now - io->since);
	io->since = now;
}

/**
 * xc_phase_enter() - a bio enters a phase, and leaves the one before
 * @io: the bio in flight
 * @phase: the phase
 *
 * Context: Any context.
 */
void xc_phase_enter(struct xc_io *io, enum xc_phase phase)
{
	enum xc_phase from = io->phase;

	if (from == phase)
		return;
	if (io->timed)
		count_time(io);
	io->phase = phase;

	trace_xcrypt_dequeue(io, from);
	trace_xcrypt_cipher_end(io, from);
	trace_xcrypt_lower_done(io, from);
	trace_xcrypt_cipher_begin(io, phase);
	trace_xcrypt_lower_submit(io, phase);
}

/**
 * xc_phase_queue() - a bio is put on a workqueue
 * @io: the bio in flight
 * @queue: the workqueue's name in the trace
 *
 * Context: Any context.
 */
void xc_phase_queue(struct xc_io *io, const char *queue)
{
	xc_phase_enter(io, XC_WAIT);
	trace_xcrypt_queue(io, queue);
}

/**
 * xc_phase_end() - a bio ends
 * @io: the bio in flight
 * @status: its status
 *
 * Context: Any context.
 */
void xc_phase_end(struct xc_io *io, blk_status_t status)
{
	xc_phase_enter(io, XC_NOWHERE);
	trace_xcrypt_end(io, status);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bio's run, with one cipher or two: a bio on both sides of a gate's boundary
 * is one bio for the underlying device, and goes through one cipher after the
 * other.
 */
#include "sides.h"

#include "io.h"
#include "parallel.h"

/**
 * xc_sides_init() - prepare the run of a bio, up to the boundary if it has one
 * @io: the bio in flight
 * @encrypt: direction
 * @src: bio that the sectors come from
 * @dst: bio of the same length that they go to; @src for decryption
 *
 * Context: Any context.
 */
void xc_sides_init(struct xc_io *io, bool encrypt, struct bio *src,
		   struct bio *dst)
{
	xc_run_init(&io->run, io->cipher, encrypt, src, dst, io->sector,
		    io->tags);
	if (io->second)
		xc_run_cut(&io->run, io->first_bytes);
}

/**
 * xc_sides_next() - prepare the run of the rest, after the boundary
 * @io: the bio in flight, whose run is done
 *
 * Context: Any context.
 * Return: true if there is a rest to be run; false if there is none, or the
 * first part failed.
 */
bool xc_sides_next(struct xc_io *io)
{
	struct xc_run *run = &io->run;

	if (!io->second || run->cipher == io->second || run->status)
		return false;
	xc_run_init(run, io->second, run->encrypt, run->src, run->dst,
		    io->sector, io->tags);
	xc_run_skip(run, io->first_bytes);
	return true;
}

/**
 * xc_sides_run() - encrypt or decrypt a bio
 * @io: the bio in flight; again after %XC_RUN_AGAIN
 * @may_sleep: the caller may sleep
 *
 * Context: As xc_run_crypt().
 * Return: As xc_run_crypt().  After %XC_RUN_PENDING, the run's ``done`` has to
 * look for a rest with xc_sides_next().
 */
enum xc_result xc_sides_run(struct xc_io *io, bool may_sleep)
{
	enum xc_result result;

	do
		result = xc_run_parallel(io, may_sleep);
	while (result == XC_RUN_DONE && xc_sides_next(io));
	return result;
}

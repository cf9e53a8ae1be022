// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ending a bio.
 */
#include "end.h"

#include "io.h"
#include "phase.h"
#include "tags.h"

/**
 * xc_io_end() - end a bio
 * @io: the bio in flight; freed by this, and its volume may be too
 * @status: its status
 *
 * Context: Any context.
 */
void xc_io_end(struct xc_io *io, blk_status_t status)
{
	struct bio *base = io->base;

	xc_phase_end(io, status);
	xc_tags_put(io);
	base->bi_status = status;
	bio_endio(base);
}

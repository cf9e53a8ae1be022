// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recovery of the active batch after a crash.
 *
 * The area of the batch has a digest of every unit as it was under the old key.
 * A unit that matches its digest is old, and is converted.  Any other unit is
 * new: it was converted, and perhaps written since by a user of the volume.  So
 * recovery may itself be interrupted at any point, and begins again.
 *
 * The commit at the end flushes the data first, also if nothing was written: a
 * unit that was found new may be in the device's cache only.
 */
#include "recover.h"

#include <linux/string.h>

#include "chunk.h"
#include "digests.h"
#include "state.h"

/* Convert a run of old units, and write it. */
static int convert(struct xc_chunk *chunk, unsigned int first,
		   unsigned int count)
{
	if (!count)
		return 0;
	return xc_chunk_convert(chunk, first, count) ?:
		xc_chunk_write(chunk, first, count);
}

static int recover_chunk(struct xc_chunk *chunk, unsigned int units,
			 const u8 *digests)
{
	unsigned int unit, first = 0;
	u8 digest[XC_DIGEST_SIZE];
	int err = xc_chunk_read(chunk);

	for (unit = 0; unit < units && !err; unit++) {
		err = xc_chunk_digest(chunk, unit, digest);
		if (err)
			return err;
		if (!memcmp(digest, digests + unit * XC_DIGEST_SIZE,
			    XC_DIGEST_SIZE))
			continue;
		err = convert(chunk, first, unit - first);
		first = unit + 1;
	}
	return err ?: convert(chunk, first, units - first);
}

static int read_digests(const struct xc_state *state,
			const struct xc_conversion *conv, unsigned int units,
			u8 *digests)
{
	const struct xc_position *at = xc_state_position(state);
	u8 check[XC_DIGEST_SIZE];
	int err;

	err = xc_state_area_read(state, digests, units * XC_DIGEST_SIZE) ?:
		xc_digests_check(conv->digest, at->frontier, digests, units,
				 check);
	if (!err && memcmp(check, at->check, XC_DIGEST_SIZE))
		err = -EUCLEAN;
	return err;
}

/**
 * xc_recover() - finish the active batch
 * @state: the state, just opened, with an active batch
 * @conv: from what, to what
 * @chunk: a chunk to work with
 * @chunk_sectors: its length
 * @digests: memory of %XC_DIGESTS_SIZE bytes
 *
 * Bios of the batch must be held.
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0 if the batch is retired, durably; -EUCLEAN if its area is damaged,
 * and nothing was written; or a negative errno.
 */
int xc_recover(struct xc_state *state, const struct xc_conversion *conv,
	       struct xc_chunk *chunk, unsigned int chunk_sectors, u8 *digests)
{
	struct xc_position at = *xc_state_position(state);
	struct xc_position next = {
		.frontier = at.frontier + at.batch_sectors,
		.area = at.area,
	};
	unsigned int done, sectors;
	int err;

	next.done = next.frontier == xc_state_data(state)->len;
	err = read_digests(state, conv, at.batch_sectors / conv->unit, digests);
	for (done = 0; done < at.batch_sectors && !err; done += sectors) {
		sectors = min(chunk_sectors, at.batch_sectors - done);
		xc_chunk_place(chunk, at.frontier + done, sectors);
		err = recover_chunk(chunk, sectors / conv->unit,
				    digests + done / conv->unit *
				    XC_DIGEST_SIZE);
	}
	return err ?: xc_state_commit(state, &next);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recovery of the active batch after a crash.
 *
 * With a checksum, the area has a digest of every unit as it was under the old
 * key.  A unit that matches its digest is old, and is converted.  Any other unit
 * is new: it was converted, and perhaps written since by a user of the volume.
 *
 * With a journal, the area has the units as they are to be written, and all of
 * them are written: no user has written any of them since.
 *
 * With rekey_sparse, a chunk that is all zeros stays so: nobody relies on what it
 * decrypts to.
 *
 * A unit that was skipped is left as it is, as nobody reads it before a user writes
 * it.  So is one that cannot be read now and may be skipped.
 *
 * So recovery may itself be interrupted at any point, and begins again.
 *
 * The commit at the end flushes the data first, also if nothing was written: a
 * unit that was found new may be in the device's cache only.
 */
#include "recover.h"

#include <linux/string.h>

#include "chunk.h"
#include "digest.h"
#include "skip.h"
#include "state.h"

/**
 * struct recovery - a recovery
 * @state: the state
 * @conv: from what, to what
 * @at: the active batch
 * @area: its area
 * @chunk: a chunk to work with
 * @chunk_sectors: its length
 * @digests: the digests of the batch
 * @skip: which sectors may be skipped, and which were
 */
struct recovery {
	struct xc_state *state;
	const struct xc_conversion *conv;
	struct xc_position at;
	struct xc_disk area;
	struct xc_chunk *chunk;
	unsigned int chunk_sectors;
	u8 *digests;
	struct xc_skip *skip;
};

static unsigned int units(const struct recovery *r, unsigned int sectors)
{
	return sectors / r->conv->unit;
}

/* The digests of units from sector @from of the batch on. */
static u8 *digests(const struct recovery *r, unsigned int from)
{
	return r->digests + units(r, from) * XC_DIGEST_SIZE;
}

typedef int (*step_fn)(const struct recovery *r, unsigned int from,
		       unsigned int sectors);

/* Call a function for each chunk of the batch. */
static int for_all_chunks(const struct recovery *r, step_fn step)
{
	unsigned int from, sectors;
	int err = 0;

	for (from = 0; from < r->at.batch_sectors && !err; from += sectors) {
		sectors = min(r->chunk_sectors, r->at.batch_sectors - from);
		xc_chunk_place(r->chunk, r->at.frontier + from, sectors);
		err = step(r, from, sectors);
	}
	return err;
}

static int check_digests(const struct recovery *r)
{
	u8 check[XC_DIGEST_SIZE];
	int err = xc_digest_check(r->conv->digest, r->at.frontier, r->digests,
				  units(r, r->at.batch_sectors), check);

	if (!err && memcmp(check, r->at.check, XC_DIGEST_SIZE))
		err = -EBADMSG;
	return err;
}

/* ---- checksum ------------------------------------------------------------ */

/* Convert a run of old units, and write it. */
static int convert(struct xc_chunk *chunk, unsigned int first,
		   unsigned int count)
{
	if (!count)
		return 0;
	return xc_chunk_convert(chunk, first, count) ?:
		xc_chunk_write(chunk, first, count);
}

/* Read a chunk; what was skipped, or cannot be read and may be, is bad. */
static int read_chunk(const struct recovery *r)
{
	struct xc_range bad = { .end = 0 };
	int err = xc_chunk_read(r->chunk);

	while (!err && xc_chunk_next_bad(r->chunk, &bad))
		err = xc_skip_add(r->skip, &bad);
	if (!err)
		xc_chunk_set_bad(r->chunk, &r->skip->list);
	return err;
}

static int repair_chunk(const struct recovery *r, unsigned int from,
			unsigned int sectors)
{
	unsigned int unit, first = 0, count = units(r, sectors);
	const u8 *old = digests(r, from);
	u8 digest[XC_DIGEST_SIZE];
	int err = read_chunk(r);

	if (!err && r->conv->sparse && xc_chunk_is_blank(r->chunk))
		return 0;
	for (unit = 0; unit < count && !err; unit++) {
		err = xc_chunk_digest(r->chunk, unit, 1, digest);
		if (err)
			return err;
		if (!xc_chunk_is_bad(r->chunk, unit) &&
		    !memcmp(digest, old + unit * XC_DIGEST_SIZE,
			    XC_DIGEST_SIZE))
			continue;
		err = convert(r->chunk, first, unit - first);
		first = unit + 1;
	}
	return err ?: convert(r->chunk, first, count - first);
}

static int repair(const struct recovery *r)
{
	unsigned int size = units(r, r->at.batch_sectors) * XC_DIGEST_SIZE;

	return xc_state_area_read(r->state, r->digests, size) ?:
		check_digests(r) ?:
		for_all_chunks(r, repair_chunk);
}

/* ---- journal ------------------------------------------------------------- */

static int read_journal(const struct recovery *r, unsigned int from)
{
	struct xc_disk journal = xc_disk_rest(r->area, from);

	return xc_chunk_read_journal(r->chunk, &journal);
}

static int digest_chunk(const struct recovery *r, unsigned int from,
			unsigned int sectors)
{
	return read_journal(r, from) ?:
		xc_chunk_digest(r->chunk, 0, units(r, sectors),
				digests(r, from));
}

/* Is it still what was checked? */
static int check_chunk(const struct recovery *r, unsigned int from,
		       unsigned int sectors)
{
	u8 digest[XC_DIGEST_SIZE];
	unsigned int unit;
	int err = 0;

	for (unit = 0; unit < units(r, sectors) && !err; unit++) {
		err = xc_chunk_digest(r->chunk, unit, 1, digest);
		if (!err && memcmp(digest, digests(r, from) +
				   unit * XC_DIGEST_SIZE, XC_DIGEST_SIZE))
			err = -EBADMSG;
	}
	return err;
}

/*
 * With rekey_sparse, zeros are not written over zeros.  Zeros in the journal do not
 * tell that there are zeros: if the new side has no key, they may be data.  What
 * cannot be read is not zeros, and need not be read.
 */
static int replay_chunk(const struct recovery *r, unsigned int from,
			unsigned int sectors)
{
	bool blank = false;
	int err = 0;

	if (r->conv->sparse) {
		err = xc_chunk_read(r->chunk);
		blank = xc_chunk_is_blank(r->chunk);
	}
	xc_chunk_set_bad(r->chunk, &r->skip->list);
	err = err ?: read_journal(r, from) ?: check_chunk(r, from, sectors);
	if (err || (blank && xc_chunk_is_blank(r->chunk)))
		return err;
	return xc_chunk_write(r->chunk, 0, units(r, sectors));
}

/* Nothing is written before all of the journal is found undamaged. */
static int replay(const struct recovery *r)
{
	return for_all_chunks(r, digest_chunk) ?:
		check_digests(r) ?:
		for_all_chunks(r, replay_chunk);
}

/**
 * xc_recover() - finish the active batch
 * @state: the state, just opened, with an active batch
 * @conv: from what, to what
 * @chunk: a chunk to work with
 * @chunk_sectors: its length
 * @digests: memory of %XC_DIGESTS_SIZE bytes
 * @skip: which sectors may be skipped
 * @repaired: set to true if all of the batch is new, even if it is not retired
 *
 * Bios of the batch must be held.
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0 if the batch is retired, durably; -EBADMSG if its area is damaged; or a
 * negative errno, also of xc_state_commit().
 */
int xc_recover(struct xc_state *state, const struct xc_conversion *conv,
	       struct xc_chunk *chunk, unsigned int chunk_sectors, u8 *digests,
	       struct xc_skip *skip, bool *repaired)
{
	struct recovery r = {
		.state = state,
		.conv = conv,
		.at = *xc_state_position(state),
		.chunk = chunk,
		.chunk_sectors = chunk_sectors,
		.digests = digests,
		.skip = skip,
	};
	struct xc_position next = {
		.frontier = r.at.frontier + r.at.batch_sectors,
		.area = r.at.area,
	};
	bool journal = xc_state_resilience(state) == XC_JOURNAL;
	int err;

	skip->list = *xc_state_skipped(state);
	r.area = xc_state_area(state, r.at.area);
	err = journal ? replay(&r) : repair(&r);
	*repaired = !err;
	next.done = next.frontier == xc_state_data(state)->len &&
		!skip->list.count;
	return err ?: xc_state_commit(state, &next, &skip->list);
}

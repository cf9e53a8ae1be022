// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches: chunks that share a commit.
 *
 * The life of a batch:
 *
 *	xc_batch_start()	its sectors are read, digested and converted in
 *				memory; writes to them are held
 *	xc_batch_prepare()	its digests are written to its area, or its new sectors
 *	xc_state_commit()	it is active: from now on a crash is recovered
 *				with its area
 *	xc_batch_write()	chunk by chunk it is written; bios go on, but with a
 *				journal only reads
 *	xc_state_commit()	it is retired
 */
#include "batch.h"

#include <linux/math.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "digest.h"
#include "recover.h"
#include "state.h"
#include "../debug/inject.h"
#include "../io/gate.h"
#include "../io/ranges.h"

/* The length of a batch: 8 MiB, in 512-byte sectors. */
#define BATCH_SECTORS 16384
/* Chunks in a batch, at least. */
#define CHUNKS_MIN 4
/* Chunks being written at a time.  (The model of the tests has two.) */
#ifndef XC_DEPTH
#define XC_DEPTH 4
#endif

/**
 * struct xc_batch - a batch
 * @conv: from what, to what
 * @sector: its first sector, counted from the start of the mapping
 * @sectors: its length
 * @digests: its digests
 * @chunk_sectors: length of a chunk
 * @chunk_count: number of @chunks
 * @chunks: memory for its sectors
 */
struct xc_batch {
	const struct xc_conversion *conv;
	sector_t sector;
	unsigned int sectors;
	u8 *digests;
	unsigned int chunk_sectors;
	unsigned int chunk_count;
	struct xc_chunk *chunks[] __counted_by(chunk_count);
};

/**
 * xc_batch_create() - allocate a batch
 * @conv: from what, to what; must live as long
 *
 * Context: Process context.  May sleep.
 * Return: the batch, or NULL.
 */
struct xc_batch *xc_batch_create(const struct xc_conversion *conv)
{
	unsigned int total = round_down(xc_inject_batch_sectors(BATCH_SECTORS),
					conv->align);
	/* short batches, of tests, have several chunks too */
	unsigned int sectors = min_t(unsigned int, XC_CHUNK_SECTORS,
				     round_up(total / CHUNKS_MIN, conv->align));
	unsigned int i, count = DIV_ROUND_UP(total, sectors);
	struct xc_batch *batch;

	batch = kzalloc(struct_size(batch, chunks, count), GFP_KERNEL);
	if (!batch)
		return NULL;
	batch->conv = conv;
	batch->chunk_sectors = sectors;
	batch->chunk_count = count;
	batch->digests = kzalloc(XC_DIGESTS_SIZE, GFP_KERNEL);
	if (!batch->digests)
		goto destroy;
	for (i = 0; i < count; i++) {
		batch->chunks[i] = xc_chunk_create(conv, sectors);
		if (!batch->chunks[i])
			goto destroy;
	}
	return batch;

destroy:
	xc_batch_destroy(batch);
	return NULL;
}

/**
 * xc_batch_destroy() - overwrite a batch and free it
 * @batch: the batch, or NULL
 *
 * Context: Process context.  May sleep.
 */
void xc_batch_destroy(struct xc_batch *batch)
{
	unsigned int i;

	if (!batch)
		return;
	for (i = 0; i < batch->chunk_count; i++)
		if (batch->chunks[i])
			xc_chunk_destroy(batch->chunks[i]);
	kfree(batch->digests);
	kfree(batch);
}

static unsigned int chunks_used(const struct xc_batch *batch)
{
	return DIV_ROUND_UP(batch->sectors, batch->chunk_sectors);
}

static unsigned int units(const struct xc_batch *batch)
{
	return batch->sectors / batch->conv->unit;
}

static bool has_journal(const struct xc_state *state)
{
	return xc_state_resilience(state) == XC_JOURNAL;
}

/**
 * xc_batch_max() - find the greatest length that a batch may have
 * @batch: the batch
 * @state: the state, whose areas may be short
 *
 * Context: Any context.
 * Return: the length in 512-byte sectors.
 */
unsigned int xc_batch_max(const struct xc_batch *batch,
			  const struct xc_state *state)
{
	return min(batch->chunk_count * batch->chunk_sectors,
		   xc_state_batch_max(state));
}

/**
 * xc_batch_end() - find the end of a batch
 * @batch: the batch, started
 *
 * Context: Process context.
 * Return: the first sector after it, counted from the start of the mapping.
 */
sector_t xc_batch_end(const struct xc_batch *batch)
{
	return batch->sector + batch->sectors;
}

/**
 * xc_batch_start() - start to read, digest and convert sectors, in memory
 * @batch: the batch
 * @state: the state
 * @sector: first sector, counted from the start of the mapping
 * @sectors: their number; at most xc_batch_max()
 * @skip: go on if some cannot be read; without it that is an error
 *
 * Writes to these sectors must be held.
 *
 * Context: Process context.  May sleep; allocates nothing.
 */
void xc_batch_start(struct xc_batch *batch, const struct xc_state *state,
		    sector_t sector, unsigned int sectors, bool skip)
{
	unsigned int i, from;
	u8 *digests;

	batch->sector = sector;
	batch->sectors = sectors;
	for (i = 0; i < chunks_used(batch); i++) {
		from = i * batch->chunk_sectors;
		digests = batch->digests + from / batch->conv->unit *
			  XC_DIGEST_SIZE;
		xc_chunk_place(batch->chunks[i], sector + from,
			       min(batch->chunk_sectors, sectors - from));
		xc_chunk_start_convert(batch->chunks[i], digests,
				       has_journal(state), skip);
	}
}

/**
 * xc_batch_wait() - wait for what xc_batch_start() started, also after an error
 * @batch: the batch
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno.
 */
int xc_batch_wait(struct xc_batch *batch)
{
	unsigned int i = chunks_used(batch);
	int err = 0, r;

	/* the last one first: there is little to wait for after that */
	while (i--) {
		r = xc_chunk_wait(batch->chunks[i]);
		err = err ?: r;
	}
	return err;
}

/**
 * xc_batch_next_bad() - find sectors that cannot be read
 * @batch: the batch, after xc_batch_wait()
 * @bad: find the next that begin at its end or later; set to them
 *
 * Context: Process context.
 * Return: true if there are some.
 */
bool xc_batch_next_bad(const struct xc_batch *batch, struct xc_range *bad)
{
	unsigned int i;

	for (i = 0; i < chunks_used(batch); i++)
		if (xc_chunk_next_bad(batch->chunks[i], bad))
			return true;
	return false;
}

static int write_journal(struct xc_batch *batch, const struct xc_state *state,
			 unsigned int area)
{
	struct xc_disk whole = xc_state_area(state, area), part;
	unsigned int i;

	for (i = 0; i < chunks_used(batch); i++) {
		part = xc_disk_rest(whole, i * batch->chunk_sectors);
		xc_chunk_start_write_journal(batch->chunks[i], &part);
	}
	return xc_batch_wait(batch);
}

/**
 * xc_batch_write_area() - write what recovers a batch
 * @batch: the batch, with its digests, or with its new sectors for a journal
 * @state: the state
 * @area: index of its area
 *
 * The next commit makes the area durable.
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or a negative errno.
 */
int xc_batch_write_area(struct xc_batch *batch, const struct xc_state *state,
			unsigned int area)
{
	return has_journal(state) ? write_journal(batch, state, area) :
		xc_state_area_write(state, area, batch->digests,
				    units(batch) * XC_DIGEST_SIZE);
}

/**
 * xc_batch_prepare() - finish what xc_batch_start() started; write the area
 * @batch: the batch
 * @state: the state
 * @next: has the index of the area; gets the rest that makes the batch active
 *
 * The next commit makes the area durable.
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or a negative errno.
 */
int xc_batch_prepare(struct xc_batch *batch, const struct xc_state *state,
		     struct xc_position *next)
{
	int err = xc_batch_wait(batch) ?:
		xc_digest_check(batch->conv->digest, batch->sector,
				batch->digests, units(batch), next->check);

	next->batch_sectors = batch->sectors;
	return err ?: xc_batch_write_area(batch, state, next->area);
}

/*
 * A chunk is written: bios go on with the new key.  With a journal, writes wait
 * for the end of the batch: a recovery would overwrite them.
 */
static int finish_chunk(struct xc_chunk *chunk, const struct xc_state *state,
			struct xc_gate *gate)
{
	int err = xc_chunk_wait_write(chunk);

	if (err)
		return err;
	xc_gate_advance(gate, xc_chunk_end(chunk));
	if (!has_journal(state))
		xc_gate_let_write(gate, xc_chunk_end(chunk));
	return 0;
}

/**
 * xc_batch_write() - write a batch, and let bios go on chunk by chunk
 * @batch: the batch, active
 * @state: the state
 * @gate: the gate
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or a negative errno: the gate is where the first error was.
 */
int xc_batch_write(struct xc_batch *batch, const struct xc_state *state,
		   struct xc_gate *gate)
{
	unsigned int started, finished = 0, count = chunks_used(batch);
	int err = 0, r;

	for (started = 0; started < count && !err; started++) {
		xc_gate_hold_reads(gate, xc_chunk_end(batch->chunks[started]));
		xc_chunk_start_write(batch->chunks[started]);
		if (started + 1 >= XC_DEPTH)
			err = finish_chunk(batch->chunks[finished++], state,
					   gate);
	}
	for (; finished < started; finished++) {
		r = err ? xc_chunk_wait(batch->chunks[finished]) :
			  finish_chunk(batch->chunks[finished], state, gate);
		err = err ?: r;
	}
	return err;
}

/**
 * xc_batch_recover() - finish the active batch after a crash
 * @batch: memory to work with
 * @state: the state, just opened, with an active batch
 * @skip: which sectors may be skipped
 * @repaired: set to true if all of the batch is new, even if it is not retired
 *
 * Bios of the active batch must be held.
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: as xc_recover().
 */
int xc_batch_recover(struct xc_batch *batch, struct xc_state *state,
		     struct xc_skip *skip, bool *repaired)
{
	return xc_recover(state, batch->conv, batch->chunks[0],
			  batch->chunk_sectors, batch->digests, skip, repaired);
}

/**
 * xc_batch_write_zeros() - write zeros, encrypted with the new key
 * @batch: memory to work with
 * @range: where to: whole units
 *
 * Bios of these sectors must be held.
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or a negative errno.
 */
int xc_batch_write_zeros(struct xc_batch *batch, const struct xc_range *range)
{
	struct xc_chunk *chunk = batch->chunks[0];
	sector_t sector;
	int err = 0;

	for (sector = range->start; sector < range->end && !err;
	     sector = xc_chunk_end(chunk)) {
		xc_chunk_place(chunk, sector,
			       min_t(sector_t, batch->chunk_sectors,
				     range->end - sector));
		err = xc_chunk_write_zeros(chunk);
	}
	return err;
}

/**
 * xc_batch_erase_areas() - overwrite the areas after the last batch
 * @batch: memory to work with
 * @state: the state, done
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or a negative errno.
 */
int xc_batch_erase_areas(struct xc_batch *batch, const struct xc_state *state)
{
	memset(batch->digests, 0, XC_DIGESTS_SIZE);
	return xc_state_erase_areas(state, batch->digests, XC_DIGESTS_SIZE);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way of a write: the data is enciphered from the pages of the bio that was
 * submitted into pages of our own, which go to the device below.
 *
 * The submitter may still change its pages (O_DIRECT, mmap).  Where that would
 * do harm to more than what changes, a private copy is made first: with a tag or
 * an IV that must fit the data; with a mode that reads the data twice; with
 * verify_writes, which compares; and where an encryption sector crosses a page.
 *
 * On a zoned device writes must arrive in the order they were submitted.  They
 * are enciphered where they are submitted, or, as soon as one of them has to
 * wait, one after the other on memory_wq, which is ordered then.
 */
#include <linux/highmem.h>

#include "../dm-xcrypt.h"

static void free_verify_buffers(struct xc_io *io)
{
	if (io->plain) {
		xc_buffer_put_plaintext(io->vol, io->plain);
		xc_buffer_put_plaintext(io->vol, io->scratch);
	}
}

static void write_endio(struct bio *bio)
{
	struct xc_io *io = bio->bi_private;
	blk_status_t status = bio->bi_status;

	xc_buffer_put(io->vol, bio);
	xc_io_end(io, status);
}

/* Two buffers of one bio: pages may be folded differently, not placed so. */
static bool buffers_equal(struct bio *a, struct bio *b)
{
	struct bvec_iter iter_a = a->bi_iter, iter_b = b->bi_iter;
	struct bio_vec bv_a, bv_b;
	void *map_a, *map_b;
	bool equal = true;

	while (equal && iter_a.bi_size) {
		bv_a = bio_iter_iovec(a, iter_a);
		bv_b = bio_iter_iovec(b, iter_b);
		map_a = bvec_kmap_local(&bv_a);
		map_b = bvec_kmap_local(&bv_b);
		equal = !memcmp(map_a, map_b, bv_a.bv_len);
		kunmap_local(map_b);
		kunmap_local(map_a);
		bio_advance_iter_single(a, &iter_a, bv_a.bv_len);
		bio_advance_iter_single(b, &iter_b, bv_a.bv_len);
	}
	return equal;
}

/* verify_writes: decipher what was enciphered and compare. */
static blk_status_t verify(struct xc_io *io)
{
	struct xc_run *run = &io->run;

	bio_copy_data(io->scratch, io->lower);
	xc_run_init(run, io->vol->cipher, false, io->scratch, io->scratch,
		    io->sector, io->tags);
	xc_stats_enter(io, XC_CIPHER);
	xc_run_sync(run);
	if (!run->status && buffers_equal(io->plain, io->scratch))
		return BLK_STS_OK;

	this_cpu_inc(io->vol->stats->mismatches);
	DMERR_LIMIT("%pg: verify_writes: sectors %llu to %llu do not decipher to what was written",
		    io->base->bi_bdev, (unsigned long long)io->sector,
		    (unsigned long long)io->sector + bio_sectors(io->base) - 1);
	return BLK_STS_IOERR;
}

/* A write is enciphered and, if asked for, verified: down it goes. */
static void finish_write(struct xc_io *io, blk_status_t status)
{
	free_verify_buffers(io);
	if (status) {
		xc_buffer_put_plaintext(io->vol, io->lower);
		xc_io_end(io, status);
		return;
	}
	xc_submit(io);
}

/* A write is enciphered; we may sleep, and wait for an asynchronous driver. */
static void write_enciphered(struct xc_io *io)
{
	blk_status_t status = io->run.status;

	if (!status && io->plain)
		status = verify(io);
	finish_write(io, status);
}

static void enciphered_work(struct work_struct *work)
{
	write_enciphered(container_of(work, struct xc_io, work));
}

static void async_done(struct xc_run *run)
{
	xc_queue_submit(container_of(run, struct xc_io, run), enciphered_work);
}

static void write_run_work(struct work_struct *work)
{
	struct xc_io *io = container_of(work, struct xc_io, work);

	xc_stats_enter(io, XC_CIPHER);
	/* not AGAIN: it may sleep */
	if (xc_run_shared(io, true) == XC_RUN_DONE)
		write_enciphered(io);
}

/* Allocate all that a write needs; false if there is no memory for that. */
static bool prepare_write(struct xc_io *io, gfp_t gfp)
{
	bool verify_writes = xc_opt(&io->vol->opt, XC_VERIFY_WRITES);
	struct bio *bios[3] = {};

	if (!xc_tags_get(io, gfp))
		return false;
	if (xc_buffers_get(io, gfp, bios, verify_writes ? ARRAY_SIZE(bios) : 1))
		return false;
	io->lower = bios[0];
	io->plain = bios[1];
	io->scratch = bios[2];

	if (xc_tags_attach(io, io->lower, gfp)) {
		free_verify_buffers(io);
		xc_buffer_put(io->vol, io->lower);
		return false;
	}
	io->lower->bi_end_io = write_endio;
	return true;
}

/* Where the plaintext is taken from: see the top of this file. */
static struct bio *plaintext(struct xc_io *io)
{
	const struct xc_cipher *cipher = io->vol->cipher;

	if (io->plain) {
		bio_copy_data(io->plain, io->base);
		return io->plain;
	}
	if (cipher->aead || cipher->rereads || io->bounce ||
	    (cipher->iv.ops && cipher->iv.ops->from_data)) {
		bio_copy_data(io->lower, io->base);
		return io->lower;
	}
	return io->base;
}

static void init_write(struct xc_io *io)
{
	xc_run_init(&io->run, io->vol->cipher, true, plaintext(io), io->lower,
		    io->sector, io->tags);
	io->run.done = async_done;
}

/* On memory_wq: what was missing is waited for. */
static void write_memory_work(struct work_struct *work)
{
	struct xc_io *io = container_of(work, struct xc_io, work);

	if (!prepare_write(io, GFP_NOIO)) {
		xc_io_end(io, BLK_STS_RESOURCE);
		return;
	}
	init_write(io);
	write_run_work(work);
}

static void write_crypt_work(struct work_struct *work)
{
	struct xc_io *io = container_of(work, struct xc_io, work);

	if (!prepare_write(io, GFP_NOWAIT)) {
		xc_queue_memory(io, write_memory_work);
		return;
	}
	init_write(io);
	write_run_work(work);
}

/* In the submitter's context: what would have to wait goes elsewhere. */
static void write_inline(struct xc_io *io)
{
	init_write(io);
	xc_stats_enter(io, XC_CIPHER);
	switch (xc_run_shared(io, false)) {
	case XC_RUN_DONE:
		if (io->plain)
			xc_queue_submit(io, enciphered_work);
		else
			finish_write(io, io->run.status);
		break;
	case XC_RUN_AGAIN:
		this_cpu_inc(io->vol->stats->spread);
		xc_queue_submit(io, write_run_work);
		break;
	case XC_RUN_PENDING:
		break;
	}
}

/* On memory_wq, ordered: a write of a zoned device from start to end. */
static void write_ordered_work(struct work_struct *work)
{
	struct xc_io *io = container_of(work, struct xc_io, work);
	struct xc_volume *vol = io->vol;

	if (prepare_write(io, GFP_NOIO)) {
		init_write(io);
		xc_stats_enter(io, XC_CIPHER);
		xc_run_sync(&io->run);
		write_enciphered(io);
	} else {
		xc_io_end(io, BLK_STS_RESOURCE);
	}
	/* on the volume's own queue, which is drained before it goes */
	atomic_dec(&vol->deferred);
}

static void start_ordered(struct xc_io *io)
{
	struct xc_volume *vol = io->vol;

	if (!atomic_read(&vol->deferred) && !vol->cipher->async &&
	    !xc_opt(&vol->opt, XC_VERIFY_WRITES) &&
	    prepare_write(io, GFP_NOWAIT)) {
		write_inline(io);
		return;
	}
	this_cpu_inc(vol->stats->spread);
	atomic_inc(&vol->deferred);
	xc_queue_memory(io, write_ordered_work);
}

/**
 * xc_write_start() - start a write on its way
 * @io: the bio on its way
 *
 * Context: Process context.  Never waits for memory.
 */
void xc_write_start(struct xc_io *io)
{
	struct xc_volume *vol = io->vol;

	if (vol->ordered) {
		start_ordered(io);
	} else if (!xc_runs_inline(vol, io->base)) {
		this_cpu_inc(vol->stats->spread);
		xc_queue_crypt(io, write_crypt_work);
	} else if (prepare_write(io, GFP_NOWAIT)) {
		write_inline(io);
	} else {
		this_cpu_inc(vol->stats->spread);
		xc_queue_memory(io, write_memory_work);
	}
}

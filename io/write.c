// SPDX-License-Identifier: GPL-2.0-only
/*
 * The write path: the data is encrypted from the pages of the submitted bio
 * into a buffer, which goes to the underlying device.
 *
 * The submitter may still change its pages (O_DIRECT, mmap).  A private copy of
 * the plaintext is made first if that would damage more than the changed bytes:
 * with a tag or an IV that must match the data; with a mode that reads the data
 * twice; with verify_writes, which compares; and if an encryption sector
 * crosses a page.
 *
 * On a zoned device, writes must arrive in the order they were submitted.  They
 * are encrypted inline or, as soon as one of them has to wait, one at a time on
 * memory_wq, which is an ordered workqueue for such a device.
 */
#include "write.h"

#include <linux/highmem.h>

#include "buffer.h"
#include "device.h"
#include "end.h"
#include "io.h"
#include "phase.h"
#include "queue.h"
#include "sides.h"
#include "tags.h"
#include "../cipher/cipher.h"
#include "../stats/stats.h"

static void free_verify_buffers(struct xc_io *io)
{
	if (io->plain) {
		xc_buffer_put_plaintext(io->dev, io->plain);
		xc_buffer_put_plaintext(io->dev, io->scratch);
	}
}

static void write_endio(struct bio *bio)
{
	struct xc_io *io = bio->bi_private;
	blk_status_t status = bio->bi_status;

	xc_buffer_put(io->dev, bio);
	xc_io_end(io, status);
}

/* Compare two buffers of equal length, whose folios may differ in size. */
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

/* verify_writes: decrypt the ciphertext and compare. */
static blk_status_t verify(struct xc_io *io)
{
	struct xc_run *run = &io->run;

	bio_copy_data(io->scratch, io->lower);
	xc_sides_init(io, false, io->scratch, io->scratch);
	xc_phase_enter(io, XC_CIPHER);
	do
		xc_run_crypt_sync(run);
	while (xc_sides_next(io));
	if (!run->status && buffers_equal(io->plain, io->scratch))
		return BLK_STS_OK;

	this_cpu_inc(io->dev->stats->mismatches);
	DMERR_LIMIT("%pg: verify_writes: sectors %llu to %llu do not decrypt to what was written",
		    io->base->bi_bdev, (unsigned long long)io->sector,
		    (unsigned long long)io->sector + bio_sectors(io->base) - 1);
	return BLK_STS_IOERR;
}

/* A write is encrypted and, with verify_writes, verified. */
static void finish_write(struct xc_io *io, blk_status_t status)
{
	free_verify_buffers(io);
	if (status) {
		xc_buffer_put_plaintext(io->dev, io->lower);
		xc_io_end(io, status);
		return;
	}
	xc_submit(io);
}

/* A write is encrypted.  May sleep, and wait for an asynchronous driver. */
static void write_encrypted(struct xc_io *io)
{
	blk_status_t status = io->run.status;

	if (!status && io->plain)
		status = verify(io);
	finish_write(io, status);
}

/* May sleep, so XC_RUN_AGAIN does not occur. */
static void run_encryption(struct xc_io *io)
{
	xc_phase_enter(io, XC_CIPHER);
	if (xc_sides_run(io, true) == XC_RUN_DONE)
		write_encrypted(io);
}

/* A run is done.  It may have been that of the first of two parts. */
static void encrypted_work(struct work_struct *work)
{
	struct xc_io *io = xc_dequeue(work);

	if (xc_sides_next(io))
		run_encryption(io);
	else
		write_encrypted(io);
}

static void async_done(struct xc_run *run)
{
	xc_queue_submit(container_of(run, struct xc_io, run), encrypted_work);
}

static void encrypt_again_work(struct work_struct *work)
{
	run_encryption(xc_dequeue(work));
}

/* Allocate everything that a write needs; false if an allocation fails. */
static bool prepare_write(struct xc_io *io, gfp_t gfp)
{
	bool verify_writes = xc_opt(&io->dev->opt, XC_VERIFY_WRITES);
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
		xc_buffer_put(io->dev, io->lower);
		return false;
	}
	io->lower->bi_end_io = write_endio;
	return true;
}

static bool needs_copy(const struct xc_cipher *cipher)
{
	return cipher->aead || cipher->rereads ||
		(cipher->iv.ops && cipher->iv.ops->from_data);
}

/* The bio to encrypt: see the top of this file. */
static struct bio *plaintext(struct xc_io *io)
{
	if (io->plain) {
		bio_copy_data(io->plain, io->base);
		return io->plain;
	}
	if (io->bounce || needs_copy(io->cipher) ||
	    (io->second && needs_copy(io->second))) {
		bio_copy_data(io->lower, io->base);
		return io->lower;
	}
	return io->base;
}

static void init_write(struct xc_io *io)
{
	xc_sides_init(io, true, plaintext(io), io->lower);
	io->run.done = async_done;
}

/* On memory_wq: wait for memory. */
static void write_memory_work(struct work_struct *work)
{
	struct xc_io *io = xc_dequeue(work);

	if (!prepare_write(io, GFP_NOIO)) {
		xc_io_end(io, BLK_STS_RESOURCE);
		return;
	}
	init_write(io);
	run_encryption(io);
}

static void write_crypt_work(struct work_struct *work)
{
	struct xc_io *io = xc_dequeue(work);

	if (!prepare_write(io, GFP_NOWAIT)) {
		xc_queue_memory(io, write_memory_work);
		return;
	}
	init_write(io);
	run_encryption(io);
}

/* In the submitter's context: a run that has to wait is queued. */
static void write_inline(struct xc_io *io)
{
	init_write(io);
	xc_phase_enter(io, XC_CIPHER);
	switch (xc_sides_run(io, false)) {
	case XC_RUN_DONE:
		if (io->plain)
			xc_queue_submit(io, encrypted_work);
		else
			finish_write(io, io->run.status);
		break;
	case XC_RUN_AGAIN:
		this_cpu_inc(io->dev->stats->spread);
		xc_queue_submit(io, encrypt_again_work);
		break;
	case XC_RUN_PENDING:
		break;
	}
}

/* On memory_wq, ordered: a write to a zoned device, from start to end. */
static void write_ordered_work(struct work_struct *work)
{
	struct xc_io *io = xc_dequeue(work);
	struct xc_device *dev = io->dev;

	if (prepare_write(io, GFP_NOIO)) {
		init_write(io);
		xc_phase_enter(io, XC_CIPHER);
		xc_run_crypt_sync(&io->run);
		write_encrypted(io);
	} else {
		xc_io_end(io, BLK_STS_RESOURCE);
	}
	/* the volume is not freed before its queue is drained */
	atomic_dec(&dev->deferred);
}

static void start_ordered(struct xc_io *io)
{
	struct xc_device *dev = io->dev;

	if (!atomic_read(&dev->deferred) && !io->cipher->async &&
	    !xc_opt(&dev->opt, XC_VERIFY_WRITES) &&
	    prepare_write(io, GFP_NOWAIT)) {
		write_inline(io);
		return;
	}
	this_cpu_inc(dev->stats->spread);
	atomic_inc(&dev->deferred);
	xc_queue_memory(io, write_ordered_work);
}

/**
 * xc_write_start() - process a write
 * @io: the bio in flight
 *
 * Context: Process context.  Never waits for memory.
 */
void xc_write_start(struct xc_io *io)
{
	struct xc_device *dev = io->dev;

	if (dev->ordered) {
		start_ordered(io);
	} else if (!xc_runs_inline(io)) {
		this_cpu_inc(dev->stats->spread);
		xc_queue_crypt(io, write_crypt_work);
	} else if (prepare_write(io, GFP_NOWAIT)) {
		write_inline(io);
	} else {
		this_cpu_inc(dev->stats->spread);
		xc_queue_memory(io, write_memory_work);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The read path: the ciphertext is read into the pages of the submitted bio and
 * decrypted there in place.  The bio itself goes to the underlying device,
 * which needs no memory; with tags, a clone that carries them.
 *
 * Two kinds of read are bounced, that is, read into private pages, decrypted
 * there and copied: bios in which an encryption sector crosses a page, and bios
 * in which a tag was wrong.  A wrong tag need not be a fault of the disk.  A
 * caller that reads several blocks into one page, or writes to the page
 * meanwhile, changes the ciphertext between its arrival and its decryption.
 * Only a wrong tag in private pages is an error.
 *
 * No work item waits for a read to complete.
 */
#include "read.h"

#include <linux/audit.h>
#include <linux/blkdev.h>
#include <linux/sched/mm.h>

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

/* ---- decryption ---------------------------------------------------------- */

/* The audit log may sleep, but must not enter reclaim. */
static void report_work(struct work_struct *work)
{
	struct xc_io *io = xc_dequeue(work);
	unsigned int noio = memalloc_noio_save();

	DMERR_LIMIT("%pg: INTEGRITY AEAD ERROR, sector %llu", io->base->bi_bdev,
		    (unsigned long long)io->run.bad_sector);
	dm_audit_log_bio(DM_MSG_PREFIX, "integrity-aead", io->base,
			 io->run.bad_sector, 0);
	memalloc_noio_restore(noio);
	xc_io_end(io, io->run.status);
}

static void bounce_work(struct work_struct *work);

static void free_buffer(struct xc_io *io)
{
	xc_buffer_put_plaintext(io->dev, io->lower);
	io->lower = NULL;
}

/* A bio on memory_wq must not hold memory that other bios there wait for. */
static void handle_bad_tag(struct xc_io *io)
{
	bool again = !io->lower;

	if (!again)
		free_buffer(io);
	if (io->tags_pooled)
		xc_tags_put(io);
	if (again)
		xc_queue_memory(io, bounce_work);
	else
		xc_queue_memory(io, report_work);
}

static void decrypt_done(struct xc_io *io)
{
	blk_status_t status = io->run.status;

	if (io->run.bad_tag) {
		handle_bad_tag(io);
		return;
	}
	if (io->lower) {
		if (!status)
			bio_copy_data(io->base, io->lower);
		free_buffer(io);
	}
	xc_io_end(io, status);
}

static void decrypt_again_work(struct work_struct *work);

static void async_done(struct xc_run *run)
{
	struct xc_io *io = container_of(run, struct xc_io, run);

	if (xc_sides_next(io))
		xc_queue_crypt(io, decrypt_again_work);
	else
		decrypt_done(io);
}

/* A bio that is read again is counted once. */
static void count_spread(struct xc_io *io)
{
	if (io->spread)
		return;
	io->spread = true;
	this_cpu_inc(io->dev->stats->spread);
}

static void run_decryption(struct xc_io *io, bool may_sleep)
{
	xc_phase_enter(io, XC_CIPHER);
	switch (xc_sides_run(io, may_sleep)) {
	case XC_RUN_DONE:
		decrypt_done(io);
		break;
	case XC_RUN_AGAIN:
		count_spread(io);
		xc_queue_crypt(io, decrypt_again_work);
		break;
	case XC_RUN_PENDING:
		break;
	}
}

static void decrypt_again_work(struct work_struct *work)
{
	run_decryption(xc_dequeue(work), true);
}

static void decrypt(struct xc_io *io, bool may_sleep)
{
	struct bio *bio = io->lower ?: io->base;

	xc_sides_init(io, false, bio, bio);
	io->run.done = async_done;
	run_decryption(io, may_sleep);
}

static void decrypt_work(struct work_struct *work)
{
	decrypt(xc_dequeue(work), true);
}

static void decrypt_bh_work(struct work_struct *work)
{
	decrypt(xc_dequeue(work), false);
}

/* The underlying device is done.  This may be hard interrupt context. */
static void lower_done(struct xc_io *io, blk_status_t status)
{
	if (status) {
		if (io->lower)
			xc_buffer_put(io->dev, io->lower);
		xc_io_end(io, status);
	} else if (!xc_runs_inline(io)) {
		count_spread(io);
		xc_queue_crypt(io, decrypt_work);
	} else if (in_hardirq() || irqs_disabled()) {
		xc_queue_bh(io, decrypt_bh_work);
	} else {
		decrypt(io, false);
	}
}

/* ---- the submitted bio, sent to the underlying device -------------------- */

static void base_endio(struct bio *bio)
{
	struct xc_io *io = bio->bi_private;

	bio->bi_end_io = io->end_io;
	bio->bi_iter = io->iter;
	bio->bi_bdev = io->bdev;
	/* these belong to the accounting of the lower queue */
	bio_clear_flag(bio, BIO_QOS_THROTTLED);
	bio_clear_flag(bio, BIO_QOS_MERGED);
	lower_done(io, bio->bi_status);
}

static void send_base(struct xc_io *io)
{
	struct bio *bio = io->base;

	io->end_io = bio->bi_end_io;
	io->iter = bio->bi_iter;
	io->bdev = bio->bi_bdev;
	xc_phase_enter(io, XC_DEVICE);
	bio->bi_end_io = base_endio;
	bio->bi_private = io;
	bio_clear_polled(bio);
	bio_set_dev(bio, io->dev->lower->bdev);
	bio->bi_iter.bi_sector = io->dev->start + io->sector;
	dm_submit_bio_remap(bio, NULL);
}

/* ---- a clone with tags --------------------------------------------------- */

static void clone_endio(struct bio *clone)
{
	struct xc_io *io = clone->bi_private;
	blk_status_t status = clone->bi_status;

	bio_put(clone);
	lower_done(io, status);
}

/* False if the allocation fails. */
static bool send_clone(struct xc_io *io, gfp_t gfp)
{
	struct bio *clone;

	if (!xc_tags_get(io, gfp))
		return false;
	clone = xc_clone(io, gfp);
	if (!clone)
		return false;
	if (xc_tags_attach(io, clone, gfp)) {
		bio_put(clone);
		return false;
	}
	clone->bi_end_io = clone_endio;
	xc_phase_enter(io, XC_DEVICE);
	dm_submit_bio_remap(io->base, clone);
	return true;
}

static void clone_work(struct work_struct *work)
{
	struct xc_io *io = xc_dequeue(work);

	if (!send_clone(io, GFP_NOIO))
		xc_io_end(io, BLK_STS_RESOURCE);
}

/* ---- a buffer: bounced reads --------------------------------------------- */

static void buffer_endio(struct bio *buffer)
{
	struct xc_io *io = buffer->bi_private;

	buffer->bi_iter = io->iter;
	lower_done(io, buffer->bi_status);
}

/* False if the allocation fails. */
static bool send_buffer(struct xc_io *io, gfp_t gfp)
{
	struct bio *buffer;

	if (!xc_tags_get(io, gfp))
		return false;
	if (xc_buffers_get(io, gfp, &buffer, 1))
		return false;
	if (xc_tags_attach(io, buffer, gfp)) {
		xc_buffer_put(io->dev, buffer);
		return false;
	}
	io->lower = buffer;
	io->iter = buffer->bi_iter;
	buffer->bi_end_io = buffer_endio;
	xc_phase_enter(io, XC_DEVICE);
	dm_submit_bio_remap(io->base, buffer);
	return true;
}

static void bounce_work(struct work_struct *work)
{
	struct xc_io *io = xc_dequeue(work);

	if (!send_buffer(io, GFP_NOIO))
		xc_io_end(io, BLK_STS_RESOURCE);
}

/**
 * xc_read_start() - process a read
 * @io: the bio in flight
 *
 * Context: Process context.  Never waits for memory.
 */
void xc_read_start(struct xc_io *io)
{
	if (io->bounce) {
		if (!send_buffer(io, GFP_NOWAIT))
			xc_queue_memory(io, bounce_work);
	} else if (io->cipher->tuple_size) {
		if (!send_clone(io, GFP_NOWAIT))
			xc_queue_memory(io, clone_work);
	} else {
		send_base(io);
	}
}

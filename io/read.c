// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way of a read: the ciphertext is fetched into the pages of the bio that
 * asked, where it is deciphered in place.  The bio itself goes to the device
 * below, which takes no memory; where there are tags, a clone that carries them.
 *
 * Two kinds of read go through private pages instead, from start to end in one
 * work item, which is slow and rare: bios in which an encryption sector crosses
 * a page, and bios in which a tag was wrong.  The latter need not be a fault of
 * the disk: a caller who reads several blocks into one page, or writes to the
 * page meanwhile, changes the ciphertext between arrival and deciphering.  Only
 * what is wrong in private pages is an error.
 */
#include <linux/audit.h>
#include <linux/sched/mm.h>

#include "../dm-xcrypt.h"

static void report_bad_tag(const struct xc_io *io)
{
	struct bio *base = io->base;
	unsigned int noio = memalloc_noio_save();

	DMERR_LIMIT("%pg: INTEGRITY AEAD ERROR, sector %llu", base->bi_bdev,
		    (unsigned long long)io->run.bad_sector);
	dm_audit_log_bio(DM_MSG_PREFIX, "integrity-aead", base,
			 io->run.bad_sector, 0);
	memalloc_noio_restore(noio);
}

static void wake_reader(struct bio *bio)
{
	complete(bio->bi_private);
}

/* Fetch ciphertext into a buffer and wait for it. */
static blk_status_t fetch(struct xc_io *io, struct bio *buffer)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct bvec_iter iter = buffer->bi_iter;

	buffer->bi_private = &done;
	buffer->bi_end_io = wake_reader;
	xc_stats_enter(io, XC_DEVICE);
	dm_submit_bio_remap(io->base, buffer);
	wait_for_completion_io(&done);

	buffer->bi_iter = iter;
	return buffer->bi_status;
}

static blk_status_t read_into(struct xc_io *io, struct bio *buffer)
{
	struct xc_run *run = &io->run;
	blk_status_t status;

	if (xc_tags_attach(io, buffer, GFP_NOIO))
		return BLK_STS_RESOURCE;
	status = fetch(io, buffer);
	if (status)
		return status;

	xc_run_init(run, io->vol->cipher, false, buffer, buffer, io->sector,
		    io->tags);
	xc_stats_enter(io, XC_CIPHER);
	xc_run_sync(run);
	if (run->bad_tag)
		report_bad_tag(io);
	if (!run->status)
		bio_copy_data(io->base, buffer);
	return run->status;
}

static void read_bounced(struct xc_io *io)
{
	struct bio *buffer;
	blk_status_t status;

	if (!xc_tags_get(io, GFP_NOIO) ||
	    xc_buffers_get(io, GFP_NOIO, &buffer, 1)) {
		xc_io_end(io, BLK_STS_RESOURCE);
		return;
	}
	status = read_into(io, buffer);
	xc_buffer_put_plaintext(io->vol, buffer);
	xc_io_end(io, status);
}

static void bounced_work(struct work_struct *work)
{
	read_bounced(container_of(work, struct xc_io, work));
}

static void read_done(struct xc_io *io)
{
	if (!io->run.bad_tag) {
		xc_io_end(io, io->run.status);
		return;
	}
	/* who waits on memory_wq must not hold tags of the pool */
	if (io->tags_pooled)
		xc_tags_put(io);
	xc_queue_memory(io, bounced_work);
}

static void async_done(struct xc_run *run)
{
	read_done(container_of(run, struct xc_io, run));
}

static void read_again_work(struct work_struct *work);

static void read_run(struct xc_io *io, bool may_sleep)
{
	xc_stats_enter(io, XC_CIPHER);
	switch (xc_run_shared(io, may_sleep)) {
	case XC_RUN_DONE:
		read_done(io);
		break;
	case XC_RUN_AGAIN:
		this_cpu_inc(io->vol->stats->spread);
		xc_queue_crypt(io, read_again_work);
		break;
	case XC_RUN_PENDING:
		break;
	}
}

static void read_again_work(struct work_struct *work)
{
	read_run(container_of(work, struct xc_io, work), true);
}

static void decipher(struct xc_io *io, bool may_sleep)
{
	xc_run_init(&io->run, io->vol->cipher, false, io->base, io->base,
		    io->sector, io->tags);
	io->run.done = async_done;
	read_run(io, may_sleep);
}

static void decipher_work(struct work_struct *work)
{
	decipher(container_of(work, struct xc_io, work), true);
}

static void decipher_bh_work(struct work_struct *work)
{
	decipher(container_of(work, struct xc_io, work), false);
}

/* The ciphertext has arrived.  This may be hard interrupt context. */
static void fetched(struct xc_io *io)
{
	struct xc_volume *vol = io->vol;

	if (!xc_runs_inline(vol, io->base)) {
		this_cpu_inc(vol->stats->spread);
		xc_queue_crypt(io, decipher_work);
		return;
	}
	if (in_hardirq() || irqs_disabled())
		xc_queue_bh(io, decipher_bh_work);
	else
		decipher(io, false);
}

static void read_endio(struct bio *bio)
{
	struct xc_io *io = bio->bi_private;

	bio->bi_end_io = io->end_io;
	bio->bi_iter = io->iter;
	bio->bi_bdev = io->bdev;
	/* what the queue below noted is not for the one above to settle */
	bio_clear_flag(bio, BIO_QOS_THROTTLED);
	bio_clear_flag(bio, BIO_QOS_MERGED);
	if (bio->bi_status)
		xc_io_end(io, bio->bi_status);
	else
		fetched(io);
}

static void clone_endio(struct bio *clone)
{
	struct xc_io *io = clone->bi_private;
	blk_status_t status = clone->bi_status;

	bio_put(clone);
	if (status)
		xc_io_end(io, status);
	else
		fetched(io);
}

static void send_read(struct xc_io *io)
{
	struct bio *bio = io->base;

	io->end_io = bio->bi_end_io;
	io->iter = bio->bi_iter;
	io->bdev = bio->bi_bdev;
	xc_stats_enter(io, XC_DEVICE);
	bio->bi_end_io = read_endio;
	bio->bi_private = io;
	bio_clear_polled(bio);
	bio_set_dev(bio, io->vol->dev->bdev);
	bio->bi_iter.bi_sector = io->vol->start + io->sector;
	dm_submit_bio_remap(bio, NULL);
}

/* Send a read down that has tags; false if there is no memory for that. */
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
	xc_stats_enter(io, XC_DEVICE);
	dm_submit_bio_remap(io->base, clone);
	return true;
}

static void send_work(struct work_struct *work)
{
	struct xc_io *io = container_of(work, struct xc_io, work);

	if (!send_clone(io, GFP_NOIO))
		xc_io_end(io, BLK_STS_RESOURCE);
}

/**
 * xc_read_start() - start a read on its way
 * @io: the bio on its way
 *
 * Context: Process context.  Never waits for memory.
 */
void xc_read_start(struct xc_io *io)
{
	if (io->bounce) {
		this_cpu_inc(io->vol->stats->spread);
		xc_queue_memory(io, bounced_work);
	} else if (!io->vol->cipher->tuple_size) {
		send_read(io);
	} else if (!send_clone(io, GFP_NOWAIT)) {
		xc_queue_memory(io, send_work);
	}
}

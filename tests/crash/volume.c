// SPDX-License-Identifier: GPL-2.0-only
/*
 * A volume whose key changes: what dm-xcrypt.c, volume/ and io/ do around
 * rekey/.
 */
#include "volume.h"

#include "disk.h"
#include "random.h"
#include "debug/inject.h"
#include "io/end.h"
#include "io/parallel.h"
#include "io/phase.h"
#include "io/sides.h"

/* ---- in place of files that are not compiled ----------------------------- */

unsigned int xc_inject_batch_sectors(unsigned int sectors)
{
	return BATCH_SECTORS;
}

int xc_get_device(struct dm_target *ti, const char *path, unsigned int mode,
		  struct dm_dev **dev)
{
	static struct dm_dev state = { &disk_devices[STATE], "state" };

	*dev = &state;
	return 0;
}

void xc_phase_queue(struct xc_io *io, const char *queue)
{
}

enum xc_result xc_run_parallel(struct xc_io *io, bool may_sleep)
{
	return xc_run_crypt(&io->run, may_sleep);
}

void xc_io_end(struct xc_io *io, blk_status_t status)
{
	io->base->bi_status = status;
	bio_endio(io->base);
}

/* ---- bios ---------------------------------------------------------------- */

static struct user_bio *user_bio(struct xc_io *io)
{
	return container_of(io, struct user_bio, io);
}

static void end_user_bio(struct bio *base)
{
	struct user_bio *bio = container_of(base, struct user_bio, base);
	struct volume *volume = bio->volume;

	if (xc_gate_leave(volume->gate, &bio->io))
		return;
	if (!--volume->in_flight)
		wake_up(&volume->idle);
	bio->done(bio);
}

static void write_end(struct bio *lower)
{
	struct user_bio *bio = lower->bi_private;

	xc_io_end(&bio->io, lower->bi_status);
}

static void decrypt_work(struct work_struct *work)
{
	struct xc_io *io = container_of(work, struct xc_io, work);
	struct user_bio *bio = user_bio(io);

	xc_sides_init(io, false, &bio->base, &bio->base);
	xc_sides_run(io, true);
	xc_io_end(io, io->run.status);
}

static void read_end(struct bio *lower)
{
	struct user_bio *bio = lower->bi_private;

	if (lower->bi_status) {
		xc_io_end(&bio->io, lower->bi_status);
		return;
	}
	INIT_WORK(&bio->io.work, decrypt_work);
	queue_work(bio->volume->wq, &bio->io.work);
}

/* The bio for the underlying device. */
static void prepare_lower(struct user_bio *bio, void *data,
			  bio_end_io_t *end_io)
{
	struct bio *lower = &bio->lower;

	bio_init(lower, &disk_devices[DATA], &bio->lower_vec, 1,
		 bio->base.bi_opf);
	__bio_add_page(lower, virt_to_page(data), bio->count << SECTOR_SHIFT,
		       offset_in_page(data));
	lower->bi_iter.bi_sector = DATA_START + bio->sector;
	lower->bi_end_io = end_io;
	lower->bi_private = bio;
}

static void start(struct user_bio *bio)
{
	struct xc_io *io = &bio->io;

	switch (bio_op(&bio->base)) {
	case REQ_OP_READ:
		prepare_lower(bio, bio->data, read_end);
		break;
	case REQ_OP_WRITE:
		prepare_lower(bio, bio->encrypted, write_end);
		xc_sides_init(io, true, &bio->base, &bio->lower);
		xc_sides_run(io, true);
		break;
	case REQ_OP_DISCARD:
		prepare_lower(bio, bio->encrypted, write_end);
		break;
	}
	submit_bio(&bio->lower);
}

/* A bio that passed, at once or later. */
static void start_work(struct work_struct *work)
{
	start(user_bio(container_of(work, struct xc_io, work)));
}

static void enter(struct volume *volume, struct user_bio *bio)
{
	bio->io = (struct xc_io) { .base = &bio->base, .sector = bio->sector };
	INIT_WORK(&bio->io.work, start_work);
	switch (xc_gate_enter(volume->gate, &bio->io)) {
	case XC_GATE_PASSED:
		queue_work(volume->wq, &bio->io.work);
		break;
	case XC_GATE_HELD:
		break;
	case XC_GATE_REFUSED:
		xc_io_end(&bio->io, BLK_STS_IOERR);
		break;
	}
}

void volume_submit(struct volume *volume, struct user_bio *bio, blk_opf_t opf)
{
	struct bio *base = &bio->base;

	assert(!volume->frozen);
	bio->volume = volume;
	volume->in_flight++;
	bio_init(base, NULL, &bio->base_vec, 1, opf);
	base->bi_end_io = end_user_bio;
	if (opf & REQ_PREFLUSH) {
		bio->io = (struct xc_io) { .base = base };
		base->bi_bdev = &disk_devices[DATA];
		submit_bio(base);
		return;
	}
	__bio_add_page(base, virt_to_page(bio->data),
		       bio->count << SECTOR_SHIFT, offset_in_page(bio->data));
	base->bi_iter.bi_sector = bio->sector;
	enter(volume, bio);
}

/* ---- tables -------------------------------------------------------------- */

static struct mapped_device mapped_device;

static void forget_old_key(struct dm_target *ti)
{
	toy_wipe(&container_of(ti, struct volume, ti)->old);
}

int volume_create(struct volume **result, const struct geometry *geometry,
		  unsigned int length, bool begin, bool paused)
{
	struct volume *volume = calloc(1, sizeof(*volume));
	struct xc_rekey_setup setup = {
		.old = &volume->old,
		.new = &volume->new,
		.lower = &volume->lower,
		.start = DATA_START,
		.begin = begin,
		.paused = paused,
		.sparse = geometry->sparse == SPARSE_ALWAYS ||
			  (geometry->sparse == SPARSE_SOMETIMES &&
			   random_once(&sched_random, 2)),
		.resilience = geometry->resilience,
		.converted = forget_old_key,
	};
	char *error;

	toy_init(&volume->old, volume->keys[0], geometry->keys[0],
		 geometry->sizes[0]);
	toy_init(&volume->new, volume->keys[1], geometry->keys[1],
		 geometry->sizes[1]);
	volume->unit = geometry_unit(geometry);
	volume->lower.bdev = &disk_devices[DATA];
	volume->table.md = &mapped_device;
	init_waitqueue_head(&volume->table.events);
	init_waitqueue_head(&volume->idle);
	volume->ti.table = &volume->table;
	volume->ti.len = length;
	volume->frozen = true;
	volume->rekey = xc_rekey_create(&volume->ti, &setup, &error);
	if (IS_ERR(volume->rekey)) {
		int err = PTR_ERR(volume->rekey);

		kernel_log("table refused: %s\n", error);
		free(volume);
		return err;
	}
	volume->wq = alloc_workqueue("io", 0);
	volume->gate = xc_rekey_gate(volume->rekey);
	volume->gate->wq = volume->wq;
	*result = volume;
	return 0;
}

void volume_destroy(struct volume *volume)
{
	xc_rekey_destroy(volume->rekey);
	destroy_workqueue(volume->wq);
	free(volume);
}

int volume_resume(struct volume *volume)
{
	char *error;
	int err = xc_rekey_preresume(volume->rekey, &error);

	if (err) {
		kernel_log("not resumed: %s\n", error);
		return err;
	}
	volume->frozen = false;
	xc_rekey_resume(volume->rekey);
	return 0;
}

void volume_suspend(struct volume *volume)
{
	xc_rekey_suspend(volume->rekey);
	volume->frozen = true;
	wait_event(volume->idle, !volume->in_flight);
	xc_rekey_postsuspend(volume->rekey);
}

enum volume_status volume_status(const struct volume *volume)
{
	char line[80];

	xc_rekey_print(volume->rekey, line, sizeof(line));
	if (strstr(line, "done"))
		return VOLUME_DONE;
	if (strstr(line, "failed"))
		return VOLUME_FAILED;
	return strstr(line, "paused") ? VOLUME_PAUSED : VOLUME_RUNNING;
}

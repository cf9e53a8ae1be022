// SPDX-License-Identifier: GPL-2.0-only
/*
 * The devices of a running volume.
 */
#include "disk.h"

#include "log.h"

#define PENDING_MAX 64
/* With faults left, one bio in so many fails. */
#define FAULT_RATE 40

static struct gendisk disks[DEVICES] = { { DATA }, { STATE } };

struct block_device disk_devices[DEVICES] = {
	[DATA] = { .bd_disk = &disks[DATA], .number = DATA },
	[STATE] = { .bd_disk = &disks[STATE], .number = STATE },
};

struct pending {
	struct bio *bio;
	u32 begun;
};

static struct image image;
static u64 written;	/* sectors of the data device, a bit for each */
static u64 bad;		/* likewise: cannot be read */
static unsigned int faults_left;
static struct pending pending[PENDING_MAX];
static unsigned int pending_count;

/* ---- submitting ---------------------------------------------------------- */

static void log_pieces(const struct bio *bio)
{
	struct bvec_iter iter = bio->bi_iter;

	while (iter.bi_size) {
		log_add_piece(bio->bi_bdev->number, iter.bi_sector,
			      block_add(bio_iter_address(bio, &iter)));
		bio_advance_iter(bio, &iter, SECTOR_SIZE);
	}
}

/* A discarded sector reads as zeros. */
static void log_discard(const struct bio *bio)
{
	unsigned int i;

	for (i = 0; i < bio_sectors(bio); i++)
		log_add_piece(bio->bi_bdev->number, bio->bi_iter.bi_sector + i,
			      BLOCK_ZERO);
}

static u32 log_bio(const struct bio *bio)
{
	struct record record = {
		.type = LOG_SUBMIT,
		.device = bio->bi_bdev->number,
		.fua = bio->bi_opf & REQ_FUA,
		.first = log_current->piece_count,
	};

	if (bio_op(bio) == REQ_OP_DISCARD)
		log_discard(bio);
	else if (bio->bi_opf & REQ_PREFLUSH)
		record.type = LOG_FLUSH;
	else
		log_pieces(bio);
	record.count = log_current->piece_count - record.first;
	return log_add(&record);
}

/* Of two writes to a sector at a time, either could be the last. */
static void check_overlap(const struct bio *bio)
{
	const struct bio *other;
	unsigned int i;

	for (i = 0; i < pending_count; i++) {
		other = pending[i].bio;
		if (bio_data_dir(other) == WRITE &&
		    other->bi_bdev == bio->bi_bdev &&
		    other->bi_iter.bi_sector < bio_end_sector(bio) &&
		    bio->bi_iter.bi_sector < bio_end_sector(other))
			fail("two writes to sector %llu at a time",
			     bio->bi_iter.bi_sector);
	}
}

void submit_bio(struct bio *bio)
{
	struct pending *new;

	if (bio_end_sector(bio) > bio->bi_bdev->sectors)
		fail("I/O after the end of a device");
	if (bio_data_dir(bio) == WRITE)
		check_overlap(bio);
	assert(pending_count < PENDING_MAX);
	new = &pending[pending_count++];
	new->bio = bio;
	new->begun = bio_op(bio) == REQ_OP_READ ? 0 : log_bio(bio);
}

static void wake_submitter(struct bio *bio)
{
	complete(bio->bi_private);
}

int submit_bio_wait(struct bio *bio)
{
	struct completion done;

	init_completion(&done);
	bio->bi_private = &done;
	bio->bi_end_io = wake_submitter;
	submit_bio(bio);
	wait_for_completion(&done);
	return blk_status_to_errno(bio->bi_status);
}

/* ---- completing ---------------------------------------------------------- */

static void complete_read(const struct bio *bio)
{
	struct bvec_iter iter = bio->bi_iter;
	block_t block;

	while (iter.bi_size) {
		block = image_block(&image, bio->bi_bdev->number,
				    iter.bi_sector);
		memcpy(bio_iter_address(bio, &iter), block_data(block),
		       SECTOR_SIZE);
		bio_advance_iter(bio, &iter, SECTOR_SIZE);
	}
}

static void complete_write(u32 begun)
{
	const struct record *write = &log_current->records[begun];
	const struct piece *piece = &log_current->pieces[write->first];
	unsigned int i;

	log_add(&(struct record) {
		.type = write->type == LOG_FLUSH ? LOG_FLUSHED : LOG_COMPLETE,
		.device = write->device,
		.fua = write->fua,
		.begun = begun,
	});
	for (i = 0; i < write->count; i++) {
		image.blocks[piece[i].slot] = piece[i].block;
		if (piece[i].slot < DATA_SECTORS_MAX) {
			written |= BIT(piece[i].slot);
			bad &= ~BIT(piece[i].slot);
		}
	}
}

/* It fails; a write is in the cache, or not at all. */
static void fail_write(u32 begun)
{
	struct record *write = &log_current->records[begun];

	write->fua = false;
	if (write->type == LOG_SUBMIT && random_once(&sched_random, 2))
		complete_write(begun);
	else
		log_add(&(struct record) {
			.type = LOG_LOST,
			.device = write->device,
			.begun = begun,
		});
}

static bool is_bad(const struct bio *bio)
{
	sector_t sector = bio->bi_iter.bi_sector;

	if (bio->bi_bdev->number != DATA || bio_op(bio) != REQ_OP_READ)
		return false;
	for (; sector < bio_end_sector(bio); sector++)
		if (bad & BIT(sector))
			return true;
	return false;
}

static bool shall_fail(void)
{
	if (!faults_left || !random_once(&sched_random, FAULT_RATE))
		return false;
	faults_left--;
	return true;
}

static unsigned int ready(void)
{
	return pending_count;
}

static void run(unsigned int index)
{
	struct pending one = pending[index];
	bool read = bio_op(one.bio) == REQ_OP_READ;

	pending[index] = pending[--pending_count];
	one.bio->bi_status = shall_fail() || is_bad(one.bio) ? BLK_STS_IOERR :
							       BLK_STS_OK;
	if (one.bio->bi_status && !read)
		fail_write(one.begun);
	else if (!one.bio->bi_status && read)
		complete_read(one.bio);
	else if (!read)
		complete_write(one.begun);
	bio_endio(one.bio);
}

const struct sched_source disk_source = {
	.ready = ready,
	.run = run,
	.weight = 1,
};

/* ---- power --------------------------------------------------------------- */

void disk_reset(const struct image *new, unsigned int block_size,
		unsigned int faults)
{
	pending_count = 0;
	image = *new;
	written = 0;
	bad = 0;
	faults_left = faults;
	disk_devices[DATA].block_size = block_size;
	disk_devices[STATE].block_size = SECTOR_SIZE;
	disk_devices[STATE].sectors = STATE_SECTORS;
}

void disk_set_length(unsigned int length)
{
	disk_devices[DATA].sectors = DATA_START + length;
}

void disk_set_bad(u64 sectors)
{
	bad = sectors;
}

const struct bio *disk_pending(unsigned int index)
{
	return pending[index].bio;
}

void disk_mend(void)
{
	faults_left = 0;
}

bool disk_has_written(sector_t sector)
{
	return written & BIT(sector);
}

const struct image *disk_image(void)
{
	return &image;
}

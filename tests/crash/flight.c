// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bios in flight, as the model names them.
 */
#include "flight.h"

#include "disk.h"
#include "replay.h"

static bool is_users(const struct bio *bio)
{
	return bio == &replay.writer.bio.lower ||
		bio == &replay.reader.bio.lower ||
		bio == &replay.flusher.bio.base;
}

static bool is_flush(const struct bio *bio, enum device device)
{
	return bio->bi_bdev->number == device && (bio->bi_opf & REQ_PREFLUSH);
}

/* A bio of the converter; @op: of this operation. */
static bool is_converters(const struct bio *bio, enum device device, int op)
{
	return bio->bi_bdev->number == device && bio_op(bio) == op &&
		!(bio->bi_opf & REQ_PREFLUSH) && !is_users(bio);
}

const struct xc_superblock *flight_superblock(const struct bio *bio)
{
	if (!is_converters(bio, STATE, REQ_OP_WRITE) ||
	    bio->bi_iter.bi_sector >= XC_AREAS_START)
		return NULL;
	return bio_iter_address(bio, &bio->bi_iter);
}

unsigned int flight_number(const struct xc_superblock *super)
{
	return max(super->sequence, 2) - 1;
}

/* Has a bio of the data device the sector of the model? */
static bool has_sector(const struct bio *bio, unsigned int sector)
{
	sector_t at = DATA_START + sector * FLIGHT_SCALE;

	return bio->bi_iter.bi_sector <= at && at < bio_end_sector(bio);
}

static bool has_any_sector(const struct bio *bio)
{
	unsigned int sector;

	for (sector = 0; sector < FLIGHT_SECTORS / FLIGHT_SCALE; sector++)
		if (has_sector(bio, sector))
			return true;
	return false;
}

/* The first sector of a bio, counted from the start of its area. */
static unsigned int area_sector(const struct bio *bio)
{
	return (bio->bi_iter.bi_sector - XC_AREAS_START) % BATCH_SECTORS;
}

unsigned int flight_find_flush(enum device device)
{
	unsigned int i, count = disk_source.ready();

	for (i = 0; i < count; i++)
		if (is_flush(disk_pending(i), device) &&
		    !is_users(disk_pending(i)))
			return i;
	return FLIGHT_NONE;
}

unsigned int flight_find_superblock(void)
{
	unsigned int i, count = disk_source.ready();

	for (i = 0; i < count; i++)
		if (flight_superblock(disk_pending(i)))
			return i;
	return FLIGHT_NONE;
}

unsigned int flight_find_area(unsigned int half)
{
	unsigned int i, count = disk_source.ready();

	for (i = 0; i < count; i++)
		if (is_converters(disk_pending(i), STATE, REQ_OP_WRITE) &&
		    !flight_superblock(disk_pending(i)) &&
		    area_sector(disk_pending(i)) == half * FLIGHT_SCALE)
			return i;
	return FLIGHT_NONE;
}

unsigned int flight_find_data(int op, unsigned int sector)
{
	unsigned int i, count = disk_source.ready();

	for (i = 0; i < count; i++)
		if (is_converters(disk_pending(i), DATA, op) &&
		    has_sector(disk_pending(i), sector))
			return i;
	return FLIGHT_NONE;
}

bool flight_complete_users(const struct bio *bio)
{
	unsigned int i, count = disk_source.ready();

	for (i = 0; i < count; i++)
		if (disk_pending(i) == bio) {
			disk_source.run(i);
			return true;
		}
	return false;
}

static bool is_silent(const struct bio *bio)
{
	const struct xc_superblock *super = flight_superblock(bio);

	if (is_users(bio))
		return false;
	if (super)
		return super->sequence == 2;
	if (bio->bi_opf & REQ_PREFLUSH)
		/* the code flushes after the first superblocks, the model before */
		return replay.machine.begins;
	if (bio->bi_bdev->number == STATE)
		return bio_op(bio) == REQ_OP_READ ||
			area_sector(bio) % FLIGHT_SCALE;
	return !has_any_sector(bio) ||
		(replay.machine.recovers && bio_op(bio) == REQ_OP_READ);
}

bool flight_complete_silently(void)
{
	unsigned int i, count = disk_source.ready();

	for (i = 0; i < count; i++)
		if (is_silent(disk_pending(i))) {
			disk_source.run(i);
			return true;
		}
	return false;
}

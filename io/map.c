// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping a bio: the start of the read and write paths.
 */
#include "map.h"

#include <linux/blkdev.h>
#include <linux/module.h>

#include "buffer.h"
#include "device.h"
#include "end.h"
#include "gate.h"
#include "io.h"
#include "parallel.h"
#include "phase.h"
#include "queue.h"
#include "read.h"
#include "tags.h"
#include "write.h"
#include "../cipher/cipher.h"
#include "../stats/stats.h"

/*
 * Longer bios are split, so that several CPUs can work on them and none for too
 * long; less so if several CPUs can work on one bio (io/parallel.c).
 */
#define DEFAULT_MAX_SIZE SZ_128K
#define DEFAULT_MAX_PARALLEL_SIZE SZ_1M

static unsigned int max_read_size;
module_param(max_read_size, uint, 0644);
MODULE_PARM_DESC(max_read_size,
		 "Longest read processed in one piece, in bytes (0: chosen by xcrypt)");

static unsigned int max_write_size;
module_param(max_write_size, uint, 0644);
MODULE_PARM_DESC(max_write_size,
		 "Longest write processed in one piece, in bytes (0: chosen by xcrypt)");

/*
 * The number of bytes at the beginning of a bio, up to @size, in which no
 * encryption sector crosses a page.  Stops at the first sector that does: a
 * long bio is walked again for each of its parts.
 */
static unsigned int bytes_in_pages(const struct bio *bio, unsigned int size,
				   unsigned int sector_size)
{
	unsigned int mask = sector_size - 1, bytes = 0;
	struct bvec_iter iter, part = bio->bi_iter;
	struct bio_vec bv;

	part.bi_size = min(part.bi_size, size);
	__bio_for_each_bvec(bv, bio, iter, part) {
		if ((bv.bv_len & mask) ||
		    ((bv.bv_offset & mask) &&
		     offset_in_page(bv.bv_offset) + bv.bv_len > PAGE_SIZE))
			break;
		bytes += bv.bv_len;
	}
	return bytes;
}

/*
 * True for bios that may not be split: atomic writes, and writes to a zoned
 * mapped device, where the second half would wait on a queue that waits for the
 * first half.  A table that maps only conventional zones is not zoned.
 */
static bool stays_whole(const struct bio *bio)
{
	return (bio->bi_opf & REQ_ATOMIC) ||
		(bdev_is_zoned(bio->bi_bdev) && bio_data_dir(bio) == WRITE);
}

/* The longest bio, in bytes, that the module's parameters allow. */
static unsigned int max_size(const struct xc_device *dev,
			     const struct bio *bio)
{
	bool write = bio_data_dir(bio) == WRITE;
	unsigned int size = READ_ONCE(*(write ? &max_write_size :
						&max_read_size));

	if (stays_whole(bio))
		return UINT_MAX;
	if (size)
		return size;
	return xc_may_run_parallel(dev, dev->cipher, write) ?
		DEFAULT_MAX_PARALLEL_SIZE : DEFAULT_MAX_SIZE;
}

/*
 * The length in bytes of the part of a bio to process in one piece, and whether
 * it is bounced.  A read ends before a sector that crosses a page, so that only
 * this sector and those after it are bounced.
 */
static unsigned int part_size(const struct xc_device *dev,
			      const struct bio *bio, bool *bounce)
{
	unsigned int align = max(bdev_logical_block_size(dev->lower->bdev),
				 dev->unit);
	unsigned int buffer = round_down(xc_max_buffer_size(dev), align);
	unsigned int size = max_size(dev, bio), in_pages;
	bool write = bio_data_dir(bio) == WRITE;

	if (write || dev->cipher->tuple_size)
		size = min(size, buffer);
	size = min(max(round_down(size, align), align), bio->bi_iter.bi_size);

	in_pages = bytes_in_pages(bio, size, dev->unit);
	*bounce = in_pages < size;
	if (!*bounce || write)
		return size;
	in_pages = round_down(in_pages, align);
	*bounce = !in_pages;
	return in_pages ?: min(size, buffer);
}

/*
 * Split a bio: dm core maps the rest again.  The queue limits ensure that bios
 * that may not be split are short enough; older kernels do not apply them to
 * writes to zoned devices.
 */
static bool split_bio(struct bio *bio, unsigned int sectors)
{
	if (stays_whole(bio) &&
	    (XC_DM_LIMITS_ZONE_WRITES || (bio->bi_opf & REQ_ATOMIC)))
		return false;
	dm_accept_partial_bio(bio, sectors);
	return true;
}

static void account(struct xc_device *dev, const struct bio *bio)
{
	unsigned int dir = bio_data_dir(bio);
	struct xc_stats *stats = get_cpu_ptr(dev->stats);

	stats->bios[dir]++;
	stats->sectors[dir] += bio_sectors(bio);
	put_cpu_ptr(dev->stats);
}

static struct xc_io *init_io(struct xc_device *dev, struct bio *bio,
			     sector_t sector, bool bounce)
{
	struct xc_io *io = dm_per_bio_data(bio, dev->io_size);

	memset(io, 0, offsetof(struct xc_io, run));
	io->dev = dev;
	io->cipher = dev->cipher;
	io->base = bio;
	io->sector = sector;
	io->bounce = bounce;
	io->run.own = io + 1;
	return io;
}

static bool has_key(const struct xc_io *io)
{
	return READ_ONCE(io->cipher->key_valid) &&
		(!io->second || READ_ONCE(io->second->key_valid));
}

static void remap(struct xc_device *dev, struct bio *bio, sector_t sector)
{
	bio_set_dev(bio, dev->lower->bdev);
	bio->bi_iter.bi_sector = dev->start + sector;
}

static void start(struct xc_io *io)
{
	account(io->dev, io->base);
	if (bio_data_dir(io->base) == WRITE)
		xc_write_start(io);
	else
		xc_read_start(io);
}

/* A bio that a gate held continues. */
static void held_work(struct work_struct *work)
{
	struct xc_io *io = xc_dequeue(work);

	if (!bio_has_data(io->base)) {
		remap(io->dev, io->base, io->sector);
		dm_submit_bio_remap(io->base, NULL);
	} else if (!has_key(io)) {
		xc_io_end(io, BLK_STS_IOERR);
	} else {
		start(io);
	}
}

/*
 * Let a bio through the gate, if there is one.  DM_MAPIO_REMAPPED: it may go on;
 * else the return value of the map method.
 */
static int enter(struct xc_io *io)
{
	struct xc_gate *gate = io->dev->gate;

	if (!gate)
		return DM_MAPIO_REMAPPED;
	INIT_WORK(&io->work, held_work);
	switch (xc_gate_enter(gate, io)) {
	case XC_GATE_HELD:
		return DM_MAPIO_SUBMITTED;
	case XC_GATE_REFUSED:
		return DM_MAPIO_KILL;
	default:
		return DM_MAPIO_REMAPPED;
	}
}

/* Discards.  They wait at a gate as writes do. */
static int map_discard(struct xc_device *dev, struct bio *bio, sector_t sector)
{
	int result = enter(init_io(dev, bio, sector, false));

	if (result == DM_MAPIO_REMAPPED)
		remap(dev, bio, sector);
	return result;
}

/* Bios without data: flushes (dm core splits those off), discards, zone resets. */
static int map_empty(struct xc_device *dev, struct bio *bio, sector_t sector)
{
	if (dev->gate && bio_sectors(bio))
		return map_discard(dev, bio, sector);
	if (dev->gate)
		init_io(dev, bio, sector, false);
	bio_set_dev(bio, dev->lower->bdev);
	if (!(bio->bi_opf & REQ_PREFLUSH))
		bio->bi_iter.bi_sector = dev->start + sector;
	return DM_MAPIO_REMAPPED;
}

/**
 * xc_map() - process a bio
 * @dev: the I/O side of the volume
 * @bio: the bio
 * @sector: its first sector, counted from the start of the mapping
 *
 * Context: Process context, in the target's map method.  Never waits for
 * memory.
 * Return: the return value of the map method.
 */
int xc_map(struct xc_device *dev, struct bio *bio, sector_t sector)
{
	unsigned int mask = (dev->unit >> SECTOR_SHIFT) - 1;
	unsigned int sectors;
	struct xc_io *io;
	bool bounce;
	int result;

	if (!bio_has_data(bio))
		return map_empty(dev, bio, sector);

	sectors = part_size(dev, bio, &bounce) >> SECTOR_SHIFT;
	if (sectors < bio_sectors(bio) && !split_bio(bio, sectors))
		return DM_MAPIO_KILL;
	/* the queue limits forbid other bios */
	if ((bio->bi_iter.bi_sector & mask) || (bio_sectors(bio) & mask))
		return DM_MAPIO_KILL;

	io = init_io(dev, bio, sector, bounce);
	/* tags from the mempool are for short bios only */
	if (!xc_tags_get(io, GFP_NOWAIT) &&
	    bio_sectors(bio) > dev->tags_sectors &&
	    !split_bio(bio, dev->tags_sectors))
		return DM_MAPIO_KILL;

	xc_phase_begin(io);
	result = enter(io);
	if (result != DM_MAPIO_REMAPPED)
		return result;
	/* a message may wipe the key of a device that is about to be resumed */
	if (unlikely(!has_key(io))) {
		xc_io_end(io, BLK_STS_IOERR);
		return DM_MAPIO_SUBMITTED;
	}
	start(io);
	return DM_MAPIO_SUBMITTED;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a bio's way begins and ends.
 */
#include <linux/module.h>

#include "../dm-xcrypt.h"

/*
 * Bios longer than this are split, so that several CPUs can work on them and none
 * for too long; less so where they are shared out as they are (io/share.c).
 */
#define DEFAULT_MAX_SIZE SZ_128K
#define DEFAULT_MAX_SHARED_SIZE SZ_1M

static unsigned int max_read_size;
module_param(max_read_size, uint, 0644);
MODULE_PARM_DESC(max_read_size,
		 "Longest read handled in one piece, bytes (0: xcrypt's choice)");

static unsigned int max_write_size;
module_param(max_write_size, uint, 0644);
MODULE_PARM_DESC(max_write_size,
		 "Longest write handled in one piece, bytes (0: xcrypt's choice)");

/* Does some encryption sector of a bio cross a page? */
static bool crosses_pages(const struct bio *bio, unsigned int sector_size)
{
	unsigned int mask = sector_size - 1;
	struct bvec_iter iter;
	struct bio_vec bv;

	bio_for_each_bvec(bv, bio, iter)
		if ((bv.bv_len & mask) ||
		    ((bv.bv_offset & mask) &&
		     offset_in_page(bv.bv_offset) + bv.bv_len > PAGE_SIZE))
			return true;
	return false;
}

/**
 * xc_max_buffer_size() - the longest bio that buffers can be had for
 * @vol: the volume, with its options
 *
 * All buffers of a bio must fit the pool at once: one, or three to verify.
 *
 * Context: Any context.
 * Return: that length in bytes.
 */
unsigned int xc_max_buffer_size(const struct xc_volume *vol)
{
	unsigned int buffers = xc_opt(&vol->opt, XC_VERIFY_WRITES) ? 3 : 1;

	return (BIO_MAX_VECS / buffers) << PAGE_SHIFT;
}

/*
 * Bios that are not cut to share them out over CPUs: atomic writes, and writes
 * of zoned devices, whose second half would wait for a queue that waits for the
 * first.
 */
static bool stays_whole(const struct xc_volume *vol, const struct bio *bio)
{
	return (bio->bi_opf & REQ_ATOMIC) ||
		(vol->ordered && bio_data_dir(bio) == WRITE);
}

/* The longest bio that may be handled in one piece, in 512-byte sectors. */
static unsigned int max_sectors(const struct xc_volume *vol,
				const struct bio *bio, bool bounce)
{
	unsigned int align = max(bdev_logical_block_size(vol->dev->bdev),
				 vol->opt.sector_size);
	bool write = bio_data_dir(bio) == WRITE;
	unsigned int size = UINT_MAX;

	if (!stays_whole(vol, bio)) {
		size = READ_ONCE(*(write ? &max_write_size : &max_read_size));
		if (!size)
			size = xc_may_share(vol, write) ?
				DEFAULT_MAX_SHARED_SIZE : DEFAULT_MAX_SIZE;
	}
	if (write || bounce || vol->cipher->tuple_size)
		size = min(size, xc_max_buffer_size(vol));

	return max(round_down(size, align), align) >> SECTOR_SHIFT;
}

/**
 * xc_io_end() - end a bio
 * @io: the bio on its way; gone afterwards, and maybe its volume
 * @status: how it ended
 *
 * Context: Any context.
 */
void xc_io_end(struct xc_io *io, blk_status_t status)
{
	struct bio *base = io->base;

	xc_stats_end(io, status);
	xc_tags_put(io);
	base->bi_status = status;
	bio_endio(base);
}

/*
 * Take the first part of a bio; dm core sends the rest again.  The queue limits
 * see to it that what stays whole need not be cut; older kernels do not hold
 * zone writes to them.
 */
static bool take_part(const struct xc_volume *vol, struct bio *bio,
		      unsigned int sectors)
{
	if (stays_whole(vol, bio) &&
	    (XC_DM_LIMITS_ZONE_WRITES || (bio->bi_opf & REQ_ATOMIC)))
		return false;
	dm_accept_partial_bio(bio, sectors);
	return true;
}

static void account(struct xc_volume *vol, const struct bio *bio)
{
	unsigned int dir = bio_data_dir(bio);
	struct xc_stats *stats = get_cpu_ptr(vol->stats);

	stats->bios[dir]++;
	stats->sectors[dir] += bio_sectors(bio);
	put_cpu_ptr(vol->stats);
}

/**
 * xc_map() - start a bio with data on its way
 * @vol: the volume
 * @bio: the bio
 * @sector: its first sector, counted from the start of the mapping
 *
 * Context: Process context, in the target's map method.  Never waits for
 * memory.
 * Return: what the map method is to return.
 */
int xc_map(struct xc_volume *vol, struct bio *bio, sector_t sector)
{
	unsigned int mask = (vol->opt.sector_size >> SECTOR_SHIFT) - 1;
	bool bounce = crosses_pages(bio, vol->opt.sector_size);
	unsigned int max = max_sectors(vol, bio, bounce);
	struct xc_io *io;

	if (bio_sectors(bio) > max && !take_part(vol, bio, max))
		return DM_MAPIO_KILL;
	/* only what the queue limits forbid */
	if ((bio->bi_iter.bi_sector & mask) || (bio_sectors(bio) & mask))
		return DM_MAPIO_KILL;

	io = dm_per_bio_data(bio, vol->io_size);
	memset(io, 0, offsetof(struct xc_io, run));
	io->vol = vol;
	io->base = bio;
	io->sector = sector;
	io->bounce = bounce;
	io->run.own = io + 1;

	/* a bio whose tags are the pool's must not be longer than they are */
	if (!xc_tags_get(io, GFP_NOWAIT) &&
	    bio_sectors(bio) > vol->tags_sectors &&
	    !take_part(vol, bio, vol->tags_sectors))
		return DM_MAPIO_KILL;

	account(vol, bio);
	xc_stats_map(io);
	if (bio_data_dir(bio) == WRITE)
		xc_write_start(io);
	else
		xc_read_start(io);
	return DM_MAPIO_SUBMITTED;
}

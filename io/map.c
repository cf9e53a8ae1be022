// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a bio's way begins and ends.
 */
#include <linux/module.h>

#include "../dm-xcrypt.h"

/* Bios longer than this are split, so that several CPUs can work on them. */
#define DEFAULT_MAX_SIZE SZ_128K

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
	struct bvec_iter iter;
	struct bio_vec bv;

	bio_for_each_segment(bv, bio, iter)
		if (bv.bv_len & (sector_size - 1))
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

/* The longest bio that may be handled in one piece, in 512-byte sectors. */
static unsigned int max_sectors(const struct xc_volume *vol,
				const struct bio *bio, bool bounce,
				bool may_split)
{
	unsigned int align = max(bdev_logical_block_size(vol->dev->bdev),
				 vol->opt.sector_size);
	bool write = bio_data_dir(bio) == WRITE;
	unsigned int size = UINT_MAX;

	if (may_split) {
		size = READ_ONCE(*(write ? &max_write_size : &max_read_size));
		size = size ?: DEFAULT_MAX_SIZE;
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

	if (status)
		this_cpu_inc(io->vol->stats->errors);
	xc_tags_put(io);
	base->bi_status = status;
	bio_endio(base);
}

/**
 * xc_io_size() - bytes of private data that each bio needs
 * @vol: the volume, with its cipher
 *
 * Context: Any context.
 * Return: that number.
 */
unsigned int xc_io_size(const struct xc_volume *vol)
{
	const struct xc_cipher *cipher = vol->cipher;

	return ALIGN(sizeof(struct xc_io) +
		     cipher->engine->request_size(cipher), ARCH_DMA_MINALIGN);
}

static void account(struct xc_volume *vol, const struct bio *bio)
{
	unsigned int dir = bio_data_dir(bio);

	this_cpu_inc(vol->stats->bios[dir]);
	this_cpu_add(vol->stats->sectors[dir], bio_sectors(bio));
}

/**
 * xc_map() - start a bio with data on its way
 * @vol: the volume
 * @bio: the bio
 * @sector: its first sector, counted from the start of the mapping
 * @may_split: part of it may be taken and the rest be sent again
 *
 * Context: Process context, in the target's map method.  Never waits for
 * memory.
 * Return: what the map method is to return.
 */
int xc_map(struct xc_volume *vol, struct bio *bio, sector_t sector,
	   bool may_split)
{
	unsigned int mask = (vol->opt.sector_size >> SECTOR_SHIFT) - 1;
	bool bounce = crosses_pages(bio, vol->opt.sector_size);
	unsigned int max = max_sectors(vol, bio, bounce, may_split);
	struct xc_io *io;

	if (bio_sectors(bio) > max) {
		if (!may_split)
			return DM_MAPIO_KILL;
		dm_accept_partial_bio(bio, max);
	}
	/* only what the queue limits forbid */
	if ((bio->bi_iter.bi_sector & mask) || (bio_sectors(bio) & mask))
		return DM_MAPIO_KILL;

	io = dm_per_bio_data(bio, xc_io_size(vol));
	memset(io, 0, offsetof(struct xc_io, run));
	io->vol = vol;
	io->base = bio;
	io->sector = sector;
	io->bounce = bounce;
	io->run.own = io + 1;

	/* a bio whose tags are the pool's must not be longer than they are */
	if (!xc_tags_get(io, GFP_NOWAIT) &&
	    bio_sectors(bio) > vol->tags_sectors) {
		if (!may_split)
			return DM_MAPIO_KILL;
		dm_accept_partial_bio(bio, vol->tags_sectors);
	}

	account(vol, bio);
	if (bio_data_dir(bio) == WRITE)
		xc_write_start(io);
	else
		xc_read_start(io);
	return DM_MAPIO_SUBMITTED;
}

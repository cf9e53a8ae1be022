// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading, writing and flushing a device, and waiting for it.  Nothing is
 * allocated.
 */
#include "disk.h"

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>

/* One bio; @data is in the kernel's linear mapping. */
static int submit(const struct xc_disk *disk, sector_t sector, void *data,
		  unsigned int sectors, blk_opf_t opf)
{
	unsigned int bytes = sectors << SECTOR_SHIFT;
	struct bio_vec vec;
	struct bio bio;
	int err;

	bio_init(&bio, disk->bdev, &vec, 1, opf);
	bio.bi_iter.bi_sector = disk->start + sector;
	__bio_add_page(&bio, virt_to_page(data), bytes, offset_in_page(data));
	err = submit_bio_wait(&bio);
	bio_uninit(&bio);
	xc_disk_note_error(disk, opf, disk->start + sector, err);
	return err;
}

/**
 * xc_disk_read() - read sectors
 * @disk: where from
 * @sector: first sector, counted from the start of @disk
 * @data: set to their contents; from kmalloc()
 * @sectors: their number
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or the negative errno of the device.
 */
int xc_disk_read(const struct xc_disk *disk, sector_t sector, void *data,
		 unsigned int sectors)
{
	return submit(disk, sector, data, sectors, REQ_OP_READ | REQ_SYNC);
}

/**
 * xc_disk_write() - write sectors
 * @disk: where to
 * @sector: first sector, counted from the start of @disk
 * @data: their contents; from kmalloc()
 * @sectors: their number
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or the negative errno of the device.
 */
int xc_disk_write(const struct xc_disk *disk, sector_t sector,
		  const void *data, unsigned int sectors)
{
	return submit(disk, sector, (void *)data, sectors,
		      REQ_OP_WRITE | REQ_SYNC);
}

/**
 * xc_disk_write_fua() - write sectors, which are durable then
 * @disk: where to
 * @sector: first sector, counted from the start of @disk
 * @data: their contents; from kmalloc()
 * @sectors: their number
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or the negative errno of the device.
 */
int xc_disk_write_fua(const struct xc_disk *disk, sector_t sector,
		      const void *data, unsigned int sectors)
{
	return submit(disk, sector, (void *)data, sectors,
		      REQ_OP_WRITE | REQ_SYNC | REQ_FUA);
}

/**
 * xc_disk_flush() - make everything durable that was written
 * @disk: the part of a device; all of the device is flushed
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or the negative errno of the device.
 */
int xc_disk_flush(const struct xc_disk *disk)
{
	struct bio bio;
	int err;

	bio_init(&bio, disk->bdev, NULL, 0,
		 REQ_OP_WRITE | REQ_SYNC | REQ_PREFLUSH);
	err = submit_bio_wait(&bio);
	bio_uninit(&bio);
	xc_disk_note_error(disk, REQ_PREFLUSH, 0, err);
	return err;
}

static void end_flush(struct bio *bio)
{
	complete(bio->bi_private);
}

/**
 * xc_disk_flush_both() - flush two devices at the same time
 * @a: a part of one
 * @b: a part of the other; may be the same device
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or the negative errno of a device.
 */
int xc_disk_flush_both(const struct xc_disk *a, const struct xc_disk *b)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct bio bio;
	int err, r;

	bio_init(&bio, a->bdev, NULL, 0,
		 REQ_OP_WRITE | REQ_SYNC | REQ_PREFLUSH);
	bio.bi_private = &done;
	bio.bi_end_io = end_flush;
	submit_bio(&bio);
	err = xc_disk_flush(b);
	wait_for_completion_io(&done);
	r = blk_status_to_errno(bio.bi_status);
	bio_uninit(&bio);
	xc_disk_note_error(a, REQ_PREFLUSH, 0, r);
	return err ?: r;
}

/**
 * xc_disk_note_error() - note the result of an operation, if it failed
 * @disk: the disk; the first error since its record was cleared counts
 * @opf: what was done; %REQ_PREFLUSH: a flush
 * @sector: where, in 512-byte sectors from the start of the device
 * @err: 0, or a negative errno
 *
 * Context: Any context.
 */
void xc_disk_note_error(const struct xc_disk *disk, blk_opf_t opf,
			sector_t sector, int err)
{
	struct xc_disk_error *error = disk->error;

	if (!err || !error || cmpxchg(&error->err, 0, err))
		return;
	error->disk = disk->name;
	error->bdev = disk->bdev;
	error->opf = opf;
	error->sector = sector;
}

/**
 * xc_disk_print_error() - print what failed, for a message
 * @error: the error; its operation and all others have ended
 * @text: buffer to print to
 * @size: its size in bytes
 *
 * Context: Any context.
 * Return: @text.
 */
const char *xc_disk_print_error(const struct xc_disk_error *error, char *text,
				unsigned int size)
{
	if (error->opf & REQ_PREFLUSH)
		scnprintf(text, size, "%s %pg: flush", error->disk,
			  error->bdev);
	else
		scnprintf(text, size, "%s %pg: %s of sector %llu",
			  error->disk, error->bdev,
			  op_is_write(error->opf) ? "write" : "read",
			  (unsigned long long)error->sector);
	return text;
}

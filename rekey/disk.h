/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading, writing and flushing a device.
 *
 * The protocol (state.c, recover.c) reaches devices by these functions only: the
 * tests compile it for user space, with a disk that loses what was not flushed.
 */
#ifndef _XC_DISK_H
#define _XC_DISK_H

#include <linux/blk_types.h>

#include "../dm-xcrypt.h"

struct block_device;

/**
 * struct xc_disk_error - the first error of some disks
 * @err: the errno, negative; 0: there was none
 * @disk: what the disk is to a conversion
 * @bdev: its device
 * @opf: what failed
 * @sector: where, in 512-byte sectors from the start of the device
 */
struct xc_disk_error {
	int err;
	const char *disk;
	const struct block_device *bdev;
	blk_opf_t opf;
	sector_t sector;
};

/**
 * struct xc_disk - a part of a device
 * @bdev: the device
 * @start: its first sector, in 512-byte sectors
 * @len: its length, likewise
 * @name: what it is to a conversion, for messages
 * @error: its first error is noted here, unless NULL
 */
struct xc_disk {
	struct block_device *bdev;
	sector_t start;
	sector_t len;
	const char *name;
	struct xc_disk_error *error;
};

/**
 * xc_disk_rest() - leave out the beginning of a part of a device
 * @disk: the part
 * @from: the first sector that stays, counted from the start of @disk
 *
 * Context: Any context.
 * Return: the rest.
 */
static inline struct xc_disk xc_disk_rest(struct xc_disk disk, sector_t from)
{
	disk.start += from;
	disk.len -= from;
	return disk;
}

int xc_disk_read(const struct xc_disk *disk, sector_t sector, void *data,
		 unsigned int sectors);
int xc_disk_write(const struct xc_disk *disk, sector_t sector,
		  const void *data, unsigned int sectors);
int xc_disk_write_fua(const struct xc_disk *disk, sector_t sector,
		      const void *data, unsigned int sectors);
int xc_disk_flush(const struct xc_disk *disk);
int xc_disk_flush_both(const struct xc_disk *a, const struct xc_disk *b);

void xc_disk_note_error(const struct xc_disk *disk, blk_opf_t opf,
			sector_t sector, int err);
const char *xc_disk_print_error(const struct xc_disk_error *error, char *text,
				unsigned int size);

#endif

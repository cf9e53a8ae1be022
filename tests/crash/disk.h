/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The devices of a running volume: bios complete in any order, into a cache that
 * log.h records.
 */
#ifndef _XC_CRASH_DISK_H
#define _XC_CRASH_DISK_H

#include "image.h"
#include "sched.h"

extern struct block_device disk_devices[DEVICES];
extern const struct sched_source disk_source;

/* Power on: what the devices hold, their logical block, and bios that may fail. */
void disk_reset(const struct image *image, unsigned int block_size,
		unsigned int faults);
/* The data device ends where a volume of this length does. */
void disk_set_length(unsigned int length);
/* These sectors of the data device, a bit for each, cannot be read until written. */
void disk_set_bad(u64 sectors);
/* A bio in flight; disk_source completes it by the same index. */
const struct bio *disk_pending(unsigned int index);
/* No bio fails any more. */
void disk_mend(void);
/* Was this sector of the data device written since power on, if only with zeros? */
bool disk_has_written(sector_t sector);
/* What the devices hold, caches included. */
const struct image *disk_image(void);

#endif

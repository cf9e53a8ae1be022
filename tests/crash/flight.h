/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bios in flight, as the model names them.
 *
 *	model			code
 *	a sector		FLIGHT_SCALE sectors, two chunks of a unit each; users
 *				use the first
 *	two sectors of an area	one sector; with a journal, as those of the data
 *	superblock 1		superblocks 1 and 2
 *	superblock N		superblock N + 1
 *
 * What the model does not have is silent: it completes at once.
 */
#ifndef _XC_CRASH_FLIGHT_H
#define _XC_CRASH_FLIGHT_H

#include "image.h"
#include "volume.h"
#include "rekey/format.h"

#define FLIGHT_SCALE (BATCH_SECTORS / 2)
#define FLIGHT_UNIT (FLIGHT_SCALE / 2)
#define FLIGHT_SECTORS (3 * BATCH_SECTORS)

/* These return an index for disk.h. */
#define FLIGHT_NONE UINT_MAX
unsigned int flight_find_flush(enum device device);
unsigned int flight_find_superblock(void);
/* @half: first sector of the area, or second */
unsigned int flight_find_area(unsigned int half);
unsigned int flight_find_data(int op, unsigned int sector);

/* The superblock that is being written, NULL if it is another bio. */
const struct xc_superblock *flight_superblock(const struct bio *bio);
/* The model's number of a superblock. */
unsigned int flight_number(const struct xc_superblock *super);

/* These return false if there is none. */
bool flight_complete_users(const struct bio *bio);
bool flight_complete_silently(void);

#endif

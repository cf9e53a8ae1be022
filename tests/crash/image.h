/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Images: what both devices hold, sector by sector.
 *
 * All sectors of the data device are kept, and those of the state device that
 * were ever written with something else than zeros.  Such a sector has a slot.
 */
#ifndef _XC_CRASH_IMAGE_H
#define _XC_CRASH_IMAGE_H

#include "blocks.h"

#define DATA_SECTORS_MAX 64
/* Where the volume begins on the data device. */
#define DATA_START 4
/* The greatest length of the volume. */
#define LENGTH_MAX (DATA_SECTORS_MAX - DATA_START)
#define STATE_SLOTS_MAX 22
#define SLOTS (DATA_SECTORS_MAX + STATE_SLOTS_MAX)

/* The least size that a state device may have. */
#define STATE_SECTORS 2048

enum device {
	DATA,
	STATE,
	DEVICES,
};

struct image {
	block_t blocks[SLOTS];
};

/* The slot of a sector, -1 if it has none and needs none for this block. */
int image_slot(enum device device, sector_t sector, block_t block);
/* The block of a sector. */
block_t image_block(const struct image *image, enum device device,
		    sector_t sector);
u64 image_hash(const struct image *image);
/* The newest superblock that is intact, NULL if there is none. */
const struct xc_superblock *image_superblock(const struct image *image);
bool image_has_batch(const struct image *image);
/* The length of the volume that is recorded, 0 if there is none. */
unsigned int image_length(const struct image *image);
/* The least length that it may get: all that is or may be converted. */
unsigned int image_least_length(const struct image *image);
/* True if the state device has nothing but superblocks. */
bool image_areas_are_erased(const struct image *image);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images.
 */
#include "image.h"

#include "random.h"
#include "rekey/format.h"

static sector_t state_sectors[STATE_SLOTS_MAX];
static unsigned int state_slots;

int image_slot(enum device device, sector_t sector, block_t block)
{
	unsigned int i;

	if (device == DATA) {
		if (sector >= DATA_SECTORS_MAX)
			fail("I/O after the end of the data device");
		return sector;
	}
	if (sector >= STATE_SECTORS)
		fail("I/O after the end of the state device");
	for (i = 0; i < state_slots; i++)
		if (state_sectors[i] == sector)
			return DATA_SECTORS_MAX + i;
	if (block == BLOCK_ZERO)
		return -1;
	if (state_slots == STATE_SLOTS_MAX)
		fail("a write to sector %llu of the state device", sector);
	state_sectors[state_slots] = sector;
	return DATA_SECTORS_MAX + state_slots++;
}

block_t image_block(const struct image *image, enum device device,
		    sector_t sector)
{
	int slot = image_slot(device, sector, BLOCK_ZERO);

	return slot < 0 ? BLOCK_ZERO : image->blocks[slot];
}

u64 image_hash(const struct image *image)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		sum += mix(block_hash(image->blocks[i]) + i);
	return sum;
}

const struct xc_superblock *image_superblock(const struct image *image)
{
	const struct xc_superblock *super, *newest = NULL;
	unsigned int i;

	for (i = 0; i < XC_SLOTS; i++) {
		super = block_data(image_block(image, STATE,
					       i * XC_SLOT_SECTORS));
		if (super->sequence &&
		    (!newest || super->sequence > newest->sequence))
			newest = super;
	}
	return newest;
}

bool image_has_batch(const struct image *image)
{
	const struct xc_superblock *super = image_superblock(image);

	return super && super->batch_sectors;
}

unsigned int image_length(const struct image *image)
{
	const struct xc_superblock *super = image_superblock(image);

	return super ? super->length : 0;
}

unsigned int image_least_length(const struct image *image)
{
	const struct xc_superblock *super = image_superblock(image);

	return super ? super->frontier + super->batch_sectors : 0;
}

bool image_areas_are_erased(const struct image *image)
{
	unsigned int i;

	for (i = 0; i < state_slots; i++)
		if (state_sectors[i] >= XC_AREAS_START &&
		    image->blocks[DATA_SECTORS_MAX + i] != BLOCK_ZERO)
			return false;
	return true;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of sectors.
 */
#include "blocks.h"

#include "random.h"

#define BLOCKS_MAX 32768
#define WORDS (SECTOR_SIZE / sizeof(u64))

static u64 blocks[BLOCKS_MAX][WORDS];
static u64 hashes[BLOCKS_MAX];
static block_t count = 1;

static u64 compute_hash(const u64 *words)
{
	u64 sums[4] = { 1, 2, 3, 4 };
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		sums[i % 4] = (sums[i % 4] ^ words[i]) * 0x9fb21c651e98df25ULL +
			      (sums[i % 4] >> 29);
	return mix(sums[0] + mix(sums[1] + mix(sums[2] + mix(sums[3]))));
}

block_t block_add(const void *data)
{
	block_t block = count;

	if (!memchr_inv(data, 0, SECTOR_SIZE))
		return BLOCK_ZERO;
	assert(block < BLOCKS_MAX);
	memcpy(blocks[block], data, SECTOR_SIZE);
	hashes[block] = compute_hash(blocks[block]);
	count++;
	return block;
}

const void *block_data(block_t block)
{
	return blocks[block];
}

u64 block_hash(block_t block)
{
	return hashes[block];
}

block_t block_mark(void)
{
	return count;
}

void block_release(block_t mark)
{
	count = mark;
}

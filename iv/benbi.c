// SPDX-License-Identifier: GPL-2.0-only
/*
 * benbi: the number of the sector's first cipher block, counted from 1, 64
 * bits, big-endian, at the end of the IV.  Made for LRW mode.
 *
 * Source: IEEE P1619/D5 (2006), LRW-AES, the "logical position" of a block.
 */
#include "generators.h"

#include <linux/log2.h>

static int benbi_create(struct xc_iv *iv, const struct xc_key_layout *layout,
			char **error)
{
	if (!is_power_of_2(iv->block_size) || iv->block_size > SECTOR_SIZE) {
		*error = "cipher: IV benbi needs a cipher whose block size divides 512";
		return -EINVAL;
	}
	return 0;
}

static int benbi_generate(const struct xc_iv *iv, u8 *out,
			  const struct xc_iv_call *call)
{
	unsigned int shift = SECTOR_SHIFT - ilog2(iv->block_size);

	memset(out, 0, iv->size);
	put_unaligned_be64((call->sector << shift) + 1,
			   out + iv->size - sizeof(u64));
	return 0;
}

static void benbi_fill(const struct xc_iv *iv, u8 *out, u64 sector,
		       unsigned int step, unsigned int shift, unsigned int count)
{
	unsigned int blocks = SECTOR_SIZE / iv->block_size;

	for (; count--; sector += step, out += XC_XTS_IV_SIZE) {
		put_unaligned_be64(0, out);
		put_unaligned_be64((sector >> shift) * blocks + 1, out + 8);
	}
}

const struct xc_iv_ops xc_iv_benbi = {
	.name = "benbi",
	.create = benbi_create,
	.generate = benbi_generate,
	.fill = benbi_fill,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * plain: the sector number, 32 bits, little-endian; repeats every 2 TiB.
 */
#include "generators.h"

static int plain_generate(const struct xc_iv *iv, u8 *out,
			  const struct xc_iv_call *call)
{
	memset(out, 0, iv->size);
	put_unaligned_le32(lower_32_bits(call->sector), out);
	return 0;
}

static void plain_fill(const struct xc_iv *iv, u8 *out, u64 sector,
		       unsigned int step, unsigned int shift, unsigned int count)
{
	for (; count--; sector += step, out += XC_XTS_IV_SIZE) {
		put_unaligned_le64(lower_32_bits(sector >> shift), out);
		put_unaligned_le64(0, out + 8);
	}
}

const struct xc_iv_ops xc_iv_plain = {
	.name = "plain",
	.generate = plain_generate,
	.fill = plain_fill,
};

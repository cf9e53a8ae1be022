// SPDX-License-Identifier: GPL-2.0-only
/*
 * plain64be: the sector number, 64 bits, big-endian, at the end of the IV.
 */
#include "generators.h"

static int plain64be_generate(const struct xc_iv *iv, u8 *out,
			      const struct xc_iv_call *call)
{
	memset(out, 0, iv->size);
	put_unaligned_be64(call->sector, out + iv->size - sizeof(u64));
	return 0;
}

static void plain64be_fill(const struct xc_iv *iv, u8 *out, u64 sector,
			   unsigned int step, unsigned int shift, unsigned int count)
{
	for (; count--; sector += step, out += XC_XTS_IV_SIZE) {
		put_unaligned_be64(0, out);
		put_unaligned_be64(sector >> shift, out + 8);
	}
}

const struct xc_iv_ops xc_iv_plain64be = {
	.name = "plain64be",
	.generate = plain64be_generate,
	.fill = plain64be_fill,
};

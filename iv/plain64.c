// SPDX-License-Identifier: GPL-2.0-only
/*
 * plain64: the sector number, 64 bits, little-endian.
 */
#include "generators.h"

static int plain64_generate(const struct xc_iv *iv, u8 *out,
			    const struct xc_iv_call *call)
{
	memset(out, 0, iv->size);
	put_unaligned_le64(call->sector, out);
	return 0;
}

static void plain64_fill(const struct xc_iv *iv, u8 *out, u64 sector,
			 unsigned int step, unsigned int shift, unsigned int count)
{
	for (; count--; sector += step, out += XC_XTS_IV_SIZE) {
		put_unaligned_le64(sector >> shift, out);
		put_unaligned_le64(0, out + 8);
	}
}

const struct xc_iv_ops xc_iv_plain64 = {
	.name = "plain64",
	.generate = plain64_generate,
	.fill = plain64_fill,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * null: zero for every sector.  Equal sectors give equal ciphertext; for
 * existing volumes only.
 */
#include "generators.h"

static int null_generate(const struct xc_iv *iv, u8 *out,
			 const struct xc_iv_call *call)
{
	memset(out, 0, iv->size);
	return 0;
}

static void null_fill(const struct xc_iv *iv, u8 *out, u64 sector,
		      unsigned int step, unsigned int shift, unsigned int count)
{
	memset(out, 0, count * XC_XTS_IV_SIZE);
}

const struct xc_iv_ops xc_iv_null = {
	.name = "null",
	.generate = null_generate,
	.fill = null_fill,
};

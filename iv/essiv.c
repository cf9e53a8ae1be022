// SPDX-License-Identifier: GPL-2.0-only
/*
 * essiv: the sector number, encrypted with a hash of the key.
 *
 * The crypto API's essiv template, which cipher/handles.c wraps around the
 * cipher's name, does the encryption.  It takes the plain number.
 *
 * Source: C. Fruhwirth, New Methods in Hard Disk Encryption, 2005, section 4.2.
 */
#include "generators.h"

static int essiv_generate(const struct xc_iv *iv, u8 *out,
			  const struct xc_iv_call *call)
{
	memset(out, 0, iv->size);
	put_unaligned_le64(call->sector, out);
	return 0;
}

const struct xc_iv_ops xc_iv_essiv = {
	.name = "essiv",
	.generate = essiv_generate,
};

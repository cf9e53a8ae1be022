/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The IVs of eboiv, for elephant too.
 */
#ifndef _XC_EBOIV_H
#define _XC_EBOIV_H

#include "iv.h"

struct crypto_sync_skcipher;

int xc_eboiv_create(struct xc_iv *iv, struct crypto_sync_skcipher **tfm,
		    char **error);
int xc_eboiv_generate(const struct xc_iv *iv, struct crypto_sync_skcipher *tfm,
		      u8 *out, u64 sector);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A keyed pseudo-random function: HMAC-SHA-256 (RFC 2104, FIPS 180-4).
 */
#ifndef _XC_PRF_H
#define _XC_PRF_H

#include <linux/types.h>

struct crypto_shash;

/* Bytes of output used in digests and check values: 128 bits. */
#define XC_DIGEST_SIZE 16
/* Bytes of output, all of them. */
#define XC_PRF_SIZE 32

/**
 * struct xc_prf - a function with its key
 * @tfm: handle of the crypto API
 */
struct xc_prf {
	struct crypto_shash *tfm;
};

int xc_prf_init(struct xc_prf *prf);
void xc_prf_exit(struct xc_prf *prf);
int xc_prf_set_key(struct xc_prf *prf, const u8 *key, unsigned int size);
int xc_prf_compute(const struct xc_prf *prf, u64 number, const void *data,
		   unsigned int size, u8 *out, unsigned int out_size);

#endif

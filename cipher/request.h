/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * engine:api: the request for one sector.
 */
#ifndef _XC_REQUEST_H
#define _XC_REQUEST_H

#include <linux/align.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "../iv/iv.h"

struct aead_request;
struct xc_run;

/**
 * struct xc_request - one sector in the crypto API
 * @run: its run
 * @tuple: the sector's metadata on the underlying device, or NULL
 * @call: the sector as the IV generator sees it
 * @aad_sector: the sector's number as authenticated, little-endian
 * @src: the request's source; only data, or number, IV, data and tag
 * @dst: the request's destination, likewise
 * @iv: the IV, which the cipher overwrites
 * @org_iv: the IV as generated, which is authenticated
 *
 * A struct skcipher_request or aead_request of the cipher's size follows.
 */
struct xc_request {
	struct xc_run *run;
	u8 *tuple;
	struct xc_iv_call call;
	__le64 aad_sector;
	struct scatterlist src[4];
	struct scatterlist dst[4];
	u8 iv[XC_MAX_IV_SIZE] __aligned(8);
	u8 org_iv[XC_MAX_IV_SIZE] __aligned(8);
};

/**
 * xc_crypto_request() - find the crypto API's request
 * @req: our request
 *
 * Context: Any context.
 * Return: the request that follows ours, aligned as the crypto API requires.
 */
static inline void *xc_crypto_request(struct xc_request *req)
{
	return PTR_ALIGN((void *)(req + 1), ARCH_KMALLOC_MINALIGN);
}

struct scatterlist *xc_request_init(struct xc_request *req,
				    struct xc_run *run);
int xc_request_make_iv(struct xc_request *req);
int xc_aead_start(struct xc_request *req, struct aead_request *areq);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Digests of units, and the check value of a batch's digests.
 */
#ifndef _XC_DIGEST_H
#define _XC_DIGEST_H

#include "format.h"
#include "prf.h"

struct bio;
struct crypto_sync_skcipher;
struct xc_cipher;
struct xc_run;

/* Bytes of memory for the digests of a batch. */
#define XC_DIGESTS_SIZE (XC_BATCH_UNITS * XC_DIGEST_SIZE)

/* Bytes of memory to work with: fit a CPU's first cache, with as much to read. */
#define XC_DIGEST_SCRATCH 16384

/**
 * struct xc_digest - the keyed functions of a conversion
 * @xts: encrypts units
 * @aes: encrypts the sum of a unit's blocks
 * @check: computes check values
 */
struct xc_digest {
	struct xc_cipher *xts;
	struct crypto_sync_skcipher *aes;
	struct xc_prf check;
};

/**
 * struct xc_digest_key - keys for digests
 * @xts: for XTS, both halves
 * @aes: for the sums
 * @check: for check values
 */
struct xc_digest_key {
	u8 xts[2 * XC_PRF_SIZE];
	u8 aes[XC_PRF_SIZE];
	u8 check[XC_PRF_SIZE];
};

int xc_digest_init(struct xc_digest *digest, char **error);
void xc_digest_exit(struct xc_digest *digest);
int xc_digest_set_key(struct xc_digest *digest,
		      const struct xc_digest_key *key);
void xc_digest_wipe(struct xc_digest *digest);

unsigned int xc_digest_request_size(const struct xc_digest *digest);
int xc_digest_units(const struct xc_digest *digest, struct xc_run *run,
		    void *scratch, struct bio *src, sector_t sector,
		    unsigned int unit_size, u8 *out);
int xc_digest_check(const struct xc_digest *digest, sector_t sector,
		    const u8 *digests, unsigned int units, u8 *check);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IV generators.
 */
#ifndef _XC_IV_H
#define _XC_IV_H

#include <linux/scatterlist.h>

#include "../dm-xcrypt.h"
#include "../key/layout.h"

/* Longer than any IV of the kernel's ciphers (Adiantum and HCTR2 have 32). */
#define XC_MAX_IV_SIZE 64
/* The IV of XTS: one AES block. */
#define XC_XTS_IV_SIZE 16

struct xc_iv;

/**
 * struct xc_iv_call - one sector, as an IV generator sees it
 * @sector: the number that the IV is made from
 * @src: the sector before the cipher, in one page
 * @dst: the sector after the cipher, in one page; may be @src
 * @encrypt: direction
 */
struct xc_iv_call {
	u64 sector;
	struct scatterlist *src;
	struct scatterlist *dst;
	bool encrypt;
};

/**
 * struct xc_iv_ops - an IV generator
 * @name: as in a table line
 * @preprocess: before encryption, generate() fills ``dst`` from ``src``, and
 *	the cipher then works in place on ``dst``
 * @from_data: IVs are made from the plaintext, which must not change between
 *	generate() and the cipher
 * @stored: IVs cannot be computed again and are stored with the tag
 * @layout: (optional) claim a part of the key; may sleep
 * @create: (optional) check that the generator fits the cipher, and allocate;
 *	may sleep.  Leaves nothing to destroy() on failure.
 * @destroy: (optional) undo create(), wiping the key material; may sleep
 * @set_key: (optional) take this generator's part of the key; may sleep
 * @wipe: (optional) forget it; may sleep
 * @generate: write the IV of a sector; any context but hard interrupt
 * @post: (optional) process a sector after the cipher; any context but hard
 *	interrupt
 * @fill: (optional) write ``count`` IVs of 16 bytes, for numbers that are
 *	``step`` apart and then shifted right by ``shift``; any context.  For
 *	generators that need only the number.
 */
struct xc_iv_ops {
	const char *name;
	bool preprocess;
	bool from_data;
	bool stored;
	int (*layout)(struct xc_iv *iv, struct xc_key_layout *layout,
		      char **error);
	int (*create)(struct xc_iv *iv, const struct xc_key_layout *layout,
		      char **error);
	void (*destroy)(struct xc_iv *iv);
	int (*set_key)(struct xc_iv *iv, const u8 *key,
		       const struct xc_key_layout *layout);
	void (*wipe)(struct xc_iv *iv);
	int (*generate)(const struct xc_iv *iv, u8 *out,
			const struct xc_iv_call *call);
	void (*post)(const struct xc_iv *iv, u8 *out,
		     const struct xc_iv_call *call);
	void (*fill)(const struct xc_iv *iv, u8 *out, u64 sector,
		     unsigned int step, unsigned int shift, unsigned int count);
};

/**
 * struct xc_iv - an IV generator bound to a cipher
 * @ops: the generator; NULL if the cipher takes no IV or none was named: all
 *	IVs are zero
 * @alg: name of the cipher's algorithm in the crypto API
 * @size: bytes in an IV; at least 8 unless there is none
 * @block_size: bytes in a block of the cipher
 * @sector_size: bytes in an encryption sector
 * @aead: the cipher is an AEAD
 * @priv: private data of the generator
 */
struct xc_iv {
	const struct xc_iv_ops *ops;
	const char *alg;
	unsigned int size;
	unsigned int block_size;
	unsigned int sector_size;
	bool aead;
	void *priv;
};

#endif

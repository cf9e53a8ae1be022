/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cipher of a volume.
 */
#ifndef _XC_CIPHER_H
#define _XC_CIPHER_H

#include "../iv/iv.h"
#include "../key/key.h"
#include "../key/layout.h"

struct crypto_aead;
struct crypto_skcipher;
struct xc_engine;

/**
 * struct xc_cipher - a cipher with its key, IV generator and engine
 * @spec: the cipher specification, as in the table
 * @engine: how sectors reach the crypto API or the CPU's instructions
 * @engine_data: private data of @engine
 * @skcipher: one handle per key; NULL with an AEAD
 * @aead: the handle of an AEAD, else NULL
 * @async: requests may complete later
 * @rereads: the cipher may read plaintext more than once, so that it must not
 *	change meanwhile
 * @iv: the IV generator
 * @iv_offset: added to sector numbers for the IV, in 512-byte sectors
 * @large_iv: count IVs in encryption sectors, not in 512 bytes
 * @sector_size: bytes in an encryption sector
 * @sector_shift: binary logarithm of the encryption sector in 512-byte sectors
 * @layout: layout of @key
 * @key: the key; all zero before the first
 * @key_valid: the handles have the key
 * @authenc_key: buffer for the key in the format of authenc(), or NULL
 * @auth_size: bytes of authentication tag per sector
 * @iv_stored: bytes of IV stored with the tag
 * @tuple_size: bytes of metadata per sector on the underlying device; 0: none
 *
 * Independent of devices and bios in flight: a volume may have two.
 */
struct xc_cipher {
	char *spec;
	const struct xc_engine *engine;
	void *engine_data;
	struct crypto_skcipher **skcipher;
	struct crypto_aead *aead;
	bool async;
	bool rereads;
	struct xc_iv iv;
	u64 iv_offset;
	bool large_iv;
	unsigned int sector_size;
	unsigned int sector_shift;
	struct xc_key_layout layout;
	struct xc_key key;
	bool key_valid;
	void *authenc_key;
	unsigned int auth_size;
	unsigned int iv_stored;
	unsigned int tuple_size;
};

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The self-check of the batch engine when the module is loaded: published
 * vectors, and the kernel's own cipher on random keys, IVs and data.
 */
#include "batch_check.h"

#include <linux/random.h>
#include <linux/slab.h>
#include <crypto/skcipher.h>

#include "../dm-xcrypt.h"
#include "../iv/iv.h"
#include "simd.h"
#include "xts.h"

#define MAX_KEY 64
/* Longer than any group of blocks or sectors processed at a time. */
#define DATA_SIZE SZ_16K
#define MAX_SECTORS (DATA_SIZE / SECTOR_SIZE)
#define ROUNDS 16

/**
 * struct check - the state of a self-check
 * @impl: the implementation under test
 * @tfm: the kernel's own cipher
 * @key: the round keys
 * @bytes: the key
 * @ivs: an IV for each sector
 * @plain: plaintext
 * @ours: output of @impl
 * @theirs: output of @tfm
 */
struct check {
	const struct xc_xts_impl *impl;
	struct crypto_skcipher *tfm;
	struct xc_xts_key key;
	u8 bytes[MAX_KEY];
	u8 ivs[MAX_SECTORS][XC_XTS_IV_SIZE];
	u8 plain[DATA_SIZE];
	u8 ours[DATA_SIZE];
	u8 theirs[DATA_SIZE];
};

/* IEEE Std 1619-2007, vectors 4 and 10: first and last block of 512 bytes. */
static const struct {
	unsigned int key_size;
	u8 key[MAX_KEY];
	u8 iv;
	u8 first[XC_XTS_BLOCK];
	u8 last[XC_XTS_BLOCK];
} vectors[] = {
	{
		.key_size = 32,
		.key = "\x27\x18\x28\x18\x28\x45\x90\x45\x23\x53\x60\x28\x74\x71\x35\x26"
		       "\x31\x41\x59\x26\x53\x58\x97\x93\x23\x84\x62\x64\x33\x83\x27\x95",
		.iv = 0,
		.first = { 0x27, 0xa7, 0x47, 0x9b, 0xef, 0xa1, 0xd4, 0x76,
			   0x48, 0x9f, 0x30, 0x8c, 0xd4, 0xcf, 0xa6, 0xe2 },
		.last = { 0x0a, 0x28, 0x2d, 0xf9, 0x20, 0x14, 0x7b, 0xea,
			  0xbe, 0x42, 0x1e, 0xe5, 0x31, 0x9d, 0x05, 0x68 },
	}, {
		.key_size = 64,
		.key = "\x27\x18\x28\x18\x28\x45\x90\x45\x23\x53\x60\x28\x74\x71\x35\x26"
		       "\x62\x49\x77\x57\x24\x70\x93\x69\x99\x59\x57\x49\x66\x96\x76\x27"
		       "\x31\x41\x59\x26\x53\x58\x97\x93\x23\x84\x62\x64\x33\x83\x27\x95"
		       "\x02\x88\x41\x97\x16\x93\x99\x37\x51\x05\x82\x09\x74\x94\x45\x92",
		.iv = 0xff,
		.first = { 0x1c, 0x3b, 0x3a, 0x10, 0x2f, 0x77, 0x03, 0x86,
			   0xe4, 0x83, 0x6c, 0x99, 0xe3, 0x70, 0xcf, 0x9b },
		.last = { 0xc4, 0xf3, 0x6f, 0xfd, 0xa9, 0xfc, 0xea, 0x70,
			  0xb9, 0xc6, 0xe6, 0x93, 0xe1, 0x48, 0xc1, 0x51 },
	},
};

static void set_key(struct check *c, unsigned int size)
{
	xc_simd_begin();
	c->impl->set_key(&c->key, c->bytes, size);
	xc_simd_end();
}

/* In two segments; the first is empty if there are few sectors. */
static void crypt(struct check *c, u8 *dst, const u8 *src,
		  unsigned int sector_size, unsigned int count, bool encrypt)
{
	unsigned int first = count / 3, at = first * sector_size;
	const struct xc_xts_segment segments[] = {
		{ .dst = dst, .src = src, .sectors = first },
		{ .dst = dst + at, .src = src + at, .sectors = count - first },
	};

	xc_simd_begin();
	c->impl->crypt(&c->key, segments, ARRAY_SIZE(segments), sector_size,
		       c->ivs[0], encrypt);
	xc_simd_end();
}

static bool check_vectors(struct check *c)
{
	const unsigned int last = SECTOR_SIZE - XC_XTS_BLOCK;
	unsigned int i;

	for (i = 0; i < SECTOR_SIZE; i++)
		c->plain[i] = i;
	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		memcpy(c->bytes, vectors[i].key, vectors[i].key_size);
		set_key(c, vectors[i].key_size);
		memset(c->ivs[0], 0, XC_XTS_IV_SIZE);
		c->ivs[0][0] = vectors[i].iv;

		crypt(c, c->ours, c->plain, SECTOR_SIZE, 1, true);
		if (memcmp(c->ours, vectors[i].first, XC_XTS_BLOCK) ||
		    memcmp(c->ours + last, vectors[i].last, XC_XTS_BLOCK))
			return false;
		crypt(c, c->ours, c->ours, SECTOR_SIZE, 1, false);
		if (memcmp(c->ours, c->plain, SECTOR_SIZE))
			return false;
	}
	return true;
}

/* The kernel's own cipher, from plain to theirs. */
static int encrypt_theirs(struct check *c, struct skcipher_request *req,
			  unsigned int sector_size, unsigned int count)
{
	DECLARE_CRYPTO_WAIT(wait);
	struct scatterlist src, dst;
	u8 iv[XC_XTS_IV_SIZE];
	unsigned int i, at;
	int err = 0;

	for (i = 0, at = 0; i < count && !err; i++, at += sector_size) {
		sg_init_one(&src, c->plain + at, sector_size);
		sg_init_one(&dst, c->theirs + at, sector_size);
		memcpy(iv, c->ivs[i], sizeof(iv));
		skcipher_request_set_callback(req, CRYPTO_TFM_REQ_MAY_BACKLOG,
					      crypto_req_done, &wait);
		skcipher_request_set_crypt(req, &src, &dst, sector_size, iv);
		err = crypto_wait_req(crypto_skcipher_encrypt(req), &wait);
	}
	return err;
}

/*
 * One key, one sector size, both directions; a random number of sectors, in the
 * first rounds the largest.  -EBADMSG if the results differ, another errno if
 * they could not be compared.
 */
static int check_round(struct check *c, struct skcipher_request *req,
		       unsigned int round)
{
	unsigned int key_size = 32 + round % 3 * 16;
	unsigned int sector_size = SECTOR_SIZE << round % 4;
	unsigned int most = DATA_SIZE / sector_size;
	unsigned int count = round < 4 ? most : 1 + get_random_u32() % most;
	unsigned int size = count * sector_size;
	int err;

	get_random_bytes(c->bytes, key_size);
	get_random_bytes(c->ivs, sizeof(c->ivs));
	get_random_bytes(c->plain, size);
	err = crypto_skcipher_setkey(c->tfm, c->bytes, key_size);
	if (!err)
		err = encrypt_theirs(c, req, sector_size, count);
	if (err)
		return err;

	set_key(c, key_size);
	crypt(c, c->ours, c->plain, sector_size, count, true);
	if (memcmp(c->ours, c->theirs, size))
		return -EBADMSG;
	crypt(c, c->ours, c->ours, sector_size, count, false);
	return memcmp(c->ours, c->plain, size) ? -EBADMSG : 0;
}

static int check_random(struct check *c)
{
	struct skcipher_request *req;
	unsigned int i;
	int err = 0;

	req = skcipher_request_alloc(c->tfm, GFP_KERNEL);
	if (!req)
		return -ENOMEM;
	for (i = 0; i < ROUNDS && !err; i++)
		err = check_round(c, req, i);
	skcipher_request_free(req);
	return err;
}

/**
 * xc_batch_check() - check an implementation of AES-XTS
 * @impl: the implementation
 *
 * Logs a failure.
 *
 * Context: Process context.  May sleep.
 * Return: true if it may be used.
 */
bool xc_batch_check(const struct xc_xts_impl *impl)
{
	struct check *c = kzalloc(sizeof(*c), GFP_KERNEL);
	int err;

	if (!c)
		return false;
	c->impl = impl;
	c->tfm = crypto_alloc_skcipher("xts(aes)", 0, 0);
	if (IS_ERR(c->tfm)) {
		err = PTR_ERR(c->tfm);
		goto free;
	}
	err = check_vectors(c) ? check_random(c) : -EBADMSG;
	crypto_free_skcipher(c->tfm);
free:
	kfree_sensitive(c);
	if (err == -EBADMSG)
		DMERR("engine: batch (%s) FAILED ITS SELF-CHECK, not used; please report",
		      impl->name);
	else if (err)
		DMWARN("engine: batch (%s) is disabled: no xts(aes) to check it against (%d)",
		       impl->name, err);
	return !err;
}

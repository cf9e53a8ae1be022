// SPDX-License-Identifier: GPL-2.0-only
/*
 * Digests of units, by a message authentication code that is as fast as the
 * cipher of the volume.
 *
 * The code is PMAC (Black and Rogaway, "A Block-Cipher Mode of Operation for
 * Parallelizable Message Authentication", EUROCRYPT 2002) with the offsets of XTS
 * (IEEE 1619): AES-256-XTS encrypts a unit at the numbers of its sectors, the
 * blocks of the result are added up by XOR, and AES-256 under another key encrypts
 * the sum.  An offset that XTS also adds after encryption changes the sum of all
 * units of a place in the same way.
 *
 * XTS is what processors and drivers are best at, and the engines of cipher/ are
 * at hand: HMAC-SHA-256 takes several times as long.
 */
#include "digest.h"

#include <linux/bio.h>
#include <linux/err.h>
#include <linux/scatterlist.h>
#include <crypto/skcipher.h>

#include "../cipher/cipher.h"
#include "../cipher/create.h"
#include "../cipher/keys.h"
#include "../cipher/run.h"

/**
 * xc_digest_init() - allocate the functions
 * @digest: all zero; gets the functions, without keys yet
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set; call xc_digest_exit() in both
 * cases.
 */
int xc_digest_init(struct xc_digest *digest, char **error)
{
	static const struct xc_options options = { .sector_size = SECTOR_SIZE };
	struct crypto_sync_skcipher *aes;
	struct xc_cipher *xts;

	xts = xc_cipher_create("aes-xts-plain64",
			       sizeof_field(struct xc_digest_key, xts), 0,
			       &options, error);
	if (IS_ERR(xts)) {
		*error = "rekey_state: the kernel has no xts(aes)";
		return PTR_ERR(xts);
	}
	digest->xts = xts;
	aes = crypto_alloc_sync_skcipher("ecb(aes)", 0, 0);
	if (IS_ERR(aes)) {
		*error = "rekey_state: the kernel has no ecb(aes)";
		return PTR_ERR(aes);
	}
	digest->aes = aes;
	*error = "rekey_state: the kernel has no hmac(sha256)";
	return xc_prf_init(&digest->check);
}

/**
 * xc_digest_exit() - undo xc_digest_init(), and overwrite the keys
 * @digest: the functions; may be all zero
 *
 * Context: Process context.  May sleep.
 */
void xc_digest_exit(struct xc_digest *digest)
{
	if (digest->xts)
		xc_cipher_destroy(digest->xts);
	if (digest->aes)
		crypto_free_sync_skcipher(digest->aes);
	xc_prf_exit(&digest->check);
}

/**
 * xc_digest_set_key() - give the functions their keys
 * @digest: the functions, not in use
 * @key: the keys
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno.
 */
int xc_digest_set_key(struct xc_digest *digest, const struct xc_digest_key *key)
{
	char *error;

	memcpy(digest->xts->key.bytes, key->xts, sizeof(key->xts));
	return xc_cipher_set_key(digest->xts, &error) ?:
		crypto_sync_skcipher_setkey(digest->aes, key->aes,
					    sizeof(key->aes)) ?:
		xc_prf_set_key(&digest->check, key->check, sizeof(key->check));
}

/**
 * xc_digest_wipe() - overwrite the keys
 * @digest: the functions, not in use
 *
 * Context: Process context.  May sleep.
 */
void xc_digest_wipe(struct xc_digest *digest)
{
	static const u8 nothing[XC_PRF_SIZE];

	xc_cipher_wipe_key(digest->xts);
	crypto_sync_skcipher_setkey(digest->aes, nothing, sizeof(nothing));
	xc_prf_set_key(&digest->check, nothing, sizeof(nothing));
}

/**
 * xc_digest_request_size() - find how much memory a run needs
 * @digest: the functions
 *
 * Context: Any context.
 * Return: bytes at xc_run.own for xc_digest_units().
 */
unsigned int xc_digest_request_size(const struct xc_digest *digest)
{
	return digest->xts->engine->request_size(digest->xts);
}

/* The sum of the blocks of a unit. */
static void add_up(const u64 *blocks, unsigned int size, u64 sum[2])
{
	unsigned int i;

	sum[0] = 0;
	sum[1] = 0;
	for (i = 0; i < size / sizeof(*blocks); i += 2) {
		sum[0] ^= blocks[i];
		sum[1] ^= blocks[i + 1];
	}
}

static int encrypt_sums(const struct xc_digest *digest, void *sums,
			unsigned int size)
{
	SYNC_SKCIPHER_REQUEST_ON_STACK(request, digest->aes);
	struct scatterlist sg;
	int err;

	sg_init_one(&sg, sums, size);
	skcipher_request_set_sync_tfm(request, digest->aes);
	skcipher_request_set_callback(request, 0, NULL, NULL);
	skcipher_request_set_crypt(request, &sg, &sg, size, NULL);
	err = crypto_skcipher_encrypt(request);
	skcipher_request_zero(request);
	return err;
}

/* Digests of encrypted units, in the place of the first of them. */
static int finish(const struct xc_digest *digest, void *units,
		  unsigned int unit_size, unsigned int count)
{
	u64 sum[XC_DIGEST_SIZE / sizeof(u64)];
	unsigned int i;

	for (i = 0; i < count; i++) {
		add_up(units + i * unit_size, unit_size, sum);
		memcpy(units + i * XC_DIGEST_SIZE, sum, XC_DIGEST_SIZE);
	}
	return encrypt_sums(digest, units, count * XC_DIGEST_SIZE);
}

/**
 * xc_digest_units() - compute the digests of units
 * @digest: the functions, with their keys
 * @run: a run to work with, with xc_run.own
 * @scratch: %XC_DIGEST_SCRATCH bytes to work with, from kmalloc()
 * @src: has the units, whole
 * @sector: their first sector, counted from the start of the mapping
 * @unit_size: bytes in a unit; a divisor of %XC_DIGEST_SCRATCH
 * @out: set to %XC_DIGEST_SIZE bytes for each
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or a negative errno.
 */
int xc_digest_units(const struct xc_digest *digest, struct xc_run *run,
		    void *scratch, struct bio *src, sector_t sector,
		    unsigned int unit_size, u8 *out)
{
	struct bvec_iter rest = src->bi_iter;
	unsigned int size, count;
	struct bio_vec vec;
	struct bio dst;
	int err = 0;

	bvec_set_page(&vec, virt_to_page(scratch), XC_DIGEST_SCRATCH,
		      offset_in_page(scratch));
	bio_init(&dst, NULL, &vec, 1, 0);
	for (; rest.bi_size && !err; sector += size >> SECTOR_SHIFT) {
		size = min_t(unsigned int, rest.bi_size, XC_DIGEST_SCRATCH);
		count = size / unit_size;
		dst.bi_iter = (struct bvec_iter) { .bi_size = size };

		src->bi_iter = rest;
		xc_run_init(run, digest->xts, true, src, &dst, sector, NULL);
		xc_run_cut(run, size);
		xc_run_crypt_sync(run);
		err = blk_status_to_errno(run->status) ?:
			finish(digest, scratch, unit_size, count);
		memcpy(out, scratch, count * XC_DIGEST_SIZE);

		out += count * XC_DIGEST_SIZE;
		bio_advance_iter(src, &rest, size);
	}
	bio_uninit(&dst);
	return err;
}

/**
 * xc_digest_check() - compute the check value of a batch's digests
 * @digest: the functions, with their keys
 * @sector: first sector of the batch, counted from the start of the mapping
 * @digests: the digests
 * @units: their number
 * @check: set to %XC_DIGEST_SIZE bytes
 *
 * Context: Process context.
 * Return: 0, or a negative errno.
 */
int xc_digest_check(const struct xc_digest *digest, sector_t sector,
		    const u8 *digests, unsigned int units, u8 *check)
{
	return xc_prf_compute(&digest->check, sector, digests,
			      units * XC_DIGEST_SIZE, check, XC_DIGEST_SIZE);
}

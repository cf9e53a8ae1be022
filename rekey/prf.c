// SPDX-License-Identifier: GPL-2.0-only
/*
 * A keyed pseudo-random function: HMAC-SHA-256 of the crypto API.
 */
#include "prf.h"

#include <linux/err.h>
#include <linux/string.h>
#include <crypto/hash.h>

/**
 * xc_prf_init() - allocate the function
 * @prf: the function, without a key yet
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno; call xc_prf_exit() in both cases.
 */
int xc_prf_init(struct xc_prf *prf)
{
	struct crypto_shash *tfm = crypto_alloc_shash("hmac(sha256)", 0, 0);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	prf->tfm = tfm;
	return 0;
}

/**
 * xc_prf_exit() - undo xc_prf_init(), and overwrite the key
 * @prf: the function; may be all zero
 *
 * Context: Process context.  May sleep.
 */
void xc_prf_exit(struct xc_prf *prf)
{
	if (prf->tfm)
		crypto_free_shash(prf->tfm);
}

/**
 * xc_prf_set_key() - give the function a key
 * @prf: the function
 * @key: the key
 * @size: its size in bytes
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno.
 */
int xc_prf_set_key(struct xc_prf *prf, const u8 *key, unsigned int size)
{
	return crypto_shash_setkey(prf->tfm, key, size);
}

/**
 * xc_prf_compute() - compute the function
 * @prf: the function, with its key
 * @number: first part of the message, as 8 bytes, little-endian
 * @data: the rest of the message
 * @size: bytes in @data
 * @out: set to the result
 * @out_size: bytes of it that are wanted, at most %XC_PRF_SIZE
 *
 * Context: Process context.
 * Return: 0, or a negative errno.
 */
int xc_prf_compute(const struct xc_prf *prf, u64 number, const void *data,
		   unsigned int size, u8 *out, unsigned int out_size)
{
	SHASH_DESC_ON_STACK(desc, prf->tfm);
	__le64 prefix = cpu_to_le64(number);
	u8 full[XC_PRF_SIZE];
	int err;

	desc->tfm = prf->tfm;
	err = crypto_shash_init(desc) ?:
		crypto_shash_update(desc, (u8 *)&prefix, sizeof(prefix)) ?:
		crypto_shash_finup(desc, data, size, full);
	if (!err)
		memcpy(out, full, out_size);
	memzero_explicit(full, sizeof(full));
	shash_desc_zero(desc);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib/crypto's MD5 for kernels that have MD5 only in the crypto API.
 */
#include "md5.h"

#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/string.h>

#ifdef XC_COMPAT_MD5
static DEFINE_MUTEX(md5_lock);
static struct crypto_shash *md5_tfm;
static unsigned int md5_users;

/**
 * xc_md5_get() - make MD5 available
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno; call xc_md5_put() only after success.
 */
int xc_md5_get(void)
{
	struct crypto_shash *tfm;
	int err = 0;

	mutex_lock(&md5_lock);
	if (!md5_users) {
		tfm = crypto_alloc_shash("md5", 0, CRYPTO_ALG_ALLOCATES_MEMORY);
		err = PTR_ERR_OR_ZERO(tfm);
		if (!err && (crypto_shash_descsize(tfm) > HASH_MAX_DESCSIZE ||
			     crypto_shash_statesize(tfm) > sizeof(struct md5_state))) {
			crypto_free_shash(tfm);
			err = -EINVAL;
		}
		if (!err)
			md5_tfm = tfm;
	}
	if (!err)
		md5_users++;
	mutex_unlock(&md5_lock);
	return err;
}

/**
 * xc_md5_put() - undo xc_md5_get()
 *
 * Context: Process context.  May sleep.
 */
void xc_md5_put(void)
{
	mutex_lock(&md5_lock);
	if (!--md5_users) {
		crypto_free_shash(md5_tfm);
		md5_tfm = NULL;
	}
	mutex_unlock(&md5_lock);
}

/**
 * md5_init() - begin a digest
 * @ctx: the digest
 *
 * Context: Any context, between xc_md5_get() and xc_md5_put().
 */
void md5_init(struct md5_ctx *ctx)
{
	ctx->desc.tfm = md5_tfm;
	/* the kernel's MD5 is plain C and does not fail */
	WARN_ON_ONCE(crypto_shash_init(&ctx->desc));
}

/**
 * md5_update() - add data to a digest
 * @ctx: the digest
 * @data: the data
 * @len: its length in bytes
 *
 * Context: Any context.
 */
void md5_update(struct md5_ctx *ctx, const u8 *data, size_t len)
{
	struct md5_state state;

	WARN_ON_ONCE(crypto_shash_update(&ctx->desc, data, len));
	WARN_ON_ONCE(crypto_shash_export(&ctx->desc, &state));
	memcpy(ctx->state.h, state.hash, sizeof(ctx->state.h));
	memzero_explicit(&state, sizeof(state));
}
#endif

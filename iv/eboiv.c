// SPDX-License-Identifier: GPL-2.0-only
/*
 * eboiv: the sector's byte offset, 64 bits, little-endian, encrypted with the
 * volume's own key and cipher.  Used by BitLocker in CBC mode.
 *
 * The cipher encrypts a block of zeros with this number as IV, which in CBC
 * mode is that encryption.  A synchronous handle of the volume's algorithm does
 * it; it needs no memory and does not sleep.
 *
 * Source: N. Ferguson, AES-CBC + Elephant diffuser, Microsoft 2006,
 * section 4.2.
 */
#include "eboiv.h"

#include <linux/mm.h>
#include <linux/random.h>
#include <crypto/skcipher.h>

#include "generators.h"

/**
 * xc_eboiv_create() - allocate a handle for the encryption of IVs
 * @iv: the generator, with all but ``ops`` and ``priv`` set
 * @tfm: set to the handle
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set.
 */
int xc_eboiv_create(struct xc_iv *iv, struct crypto_sync_skcipher **tfm,
		    char **error)
{
	struct crypto_sync_skcipher *sync;

	if (iv->aead) {
		*error = "cipher: IVs eboiv and elephant cannot be used with an AEAD";
		return -EINVAL;
	}
	if (iv->block_size != iv->size) {
		*error = "cipher: IVs eboiv and elephant need a cipher whose IV is one block";
		return -EINVAL;
	}
	sync = crypto_alloc_sync_skcipher(iv->alg, 0,
					  CRYPTO_ALG_ALLOCATES_MEMORY);
	if (IS_ERR(sync)) {
		*error = "cipher: no synchronous driver, which IVs eboiv and elephant need";
		return PTR_ERR(sync);
	}
	*tfm = sync;
	return 0;
}

/**
 * xc_eboiv_generate() - encrypt a sector's byte offset
 * @iv: the generator
 * @tfm: the handle from xc_eboiv_create()
 * @out: set to the IV
 * @sector: the number that the IV is made from
 *
 * Context: Any context but hard interrupt.
 * Return: 0, or an error of the cipher.
 */
int xc_eboiv_generate(const struct xc_iv *iv, struct crypto_sync_skcipher *tfm,
		      u8 *out, u64 sector)
{
	SYNC_SKCIPHER_REQUEST_ON_STACK(req, tfm);
	u8 number[XC_MAX_IV_SIZE] = {};
	struct scatterlist zero, sg;
	int err;

	put_unaligned_le64(sector * iv->sector_size, number);
	sg_init_table(&zero, 1);
	sg_set_page(&zero, ZERO_PAGE(0), iv->size, 0);
	sg_init_one(&sg, out, iv->size);

	skcipher_request_set_sync_tfm(req, tfm);
	skcipher_request_set_callback(req, 0, NULL, NULL);
	skcipher_request_set_crypt(req, &zero, &sg, iv->size, number);
	err = crypto_skcipher_encrypt(req);
	skcipher_request_zero(req);
	return err;
}

static int eboiv_create(struct xc_iv *iv, const struct xc_key_layout *layout,
			char **error)
{
	return xc_eboiv_create(iv, (struct crypto_sync_skcipher **)&iv->priv,
			       error);
}

static void eboiv_destroy(struct xc_iv *iv)
{
	crypto_free_sync_skcipher(iv->priv);
	iv->priv = NULL;
}

static int eboiv_set_key(struct xc_iv *iv, const u8 *key,
			 const struct xc_key_layout *layout)
{
	return crypto_sync_skcipher_setkey(iv->priv, key,
					   xc_subkey_size(layout));
}

static int eboiv_generate(const struct xc_iv *iv, u8 *out,
			  const struct xc_iv_call *call)
{
	return xc_eboiv_generate(iv, iv->priv, out, call->sector);
}

const struct xc_iv_ops xc_iv_eboiv = {
	.name = "eboiv",
	.create = eboiv_create,
	.destroy = eboiv_destroy,
	.set_key = eboiv_set_key,
	.generate = eboiv_generate,
};

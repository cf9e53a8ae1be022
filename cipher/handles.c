// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cipher's handles in the crypto API: one per key, or one for an AEAD.
 */
#include "handles.h"

#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <crypto/aead.h>
#include <crypto/authenc.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>

#include "cipher.h"
#include "../table/options.h"
#include "../table/spec.h"

/* The cipher's name in the crypto API, with ESSIV's template if it is used. */
static int api_name(const struct xc_spec *spec, char *name, char **error)
{
	int len;

	if (xc_spec_iv_is(spec, "essiv"))
		len = snprintf(name, CRYPTO_MAX_ALG_NAME, "essiv(%s,%s)",
			       spec->name, spec->iv_opts);
	else
		len = snprintf(name, CRYPTO_MAX_ALG_NAME, "%s", spec->name);
	if (len >= CRYPTO_MAX_ALG_NAME) {
		*error = "cipher: name too long";
		return -EINVAL;
	}
	return 0;
}

static int no_handle(int err, char **error)
{
	*error = err == -ENOMEM ? "cipher: out of memory" :
				  "cipher: not available in this kernel";
	return err;
}

/*
 * Check for a short key, although the cipher refuses it later: by then there
 * may be hundreds of thousands of handles.
 */
static bool enough_key(const struct xc_cipher *cipher,
		       struct crypto_skcipher *tfm)
{
	const struct xc_key_layout *layout = &cipher->layout;

	return layout->tfms == 1 || layout->size / layout->tfms >=
		crypto_skcipher_min_keysize(tfm);
}

/*
 * True for modes that are known to read each block of a sector only once.  A
 * wide-block mode reads it again (a hash of the sector, then a stream cipher
 * over it): if one block changes meanwhile, the others are destroyed.
 */
static bool reads_once(const char *alg)
{
	static const char * const modes[] = {
		"xts(", "cbc(", "ctr(", "ecb(", "lrw(",
	};
	unsigned int i;

	if (strstarts(alg, "essiv("))
		alg += strlen("essiv(");
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (strstarts(alg, modes[i]))
			return true;
	return false;
}

static int alloc_skciphers(struct xc_cipher *cipher, const char *name,
			   char **error)
{
	struct crypto_skcipher *tfm;
	unsigned int i;

	/* no warning splat for an absurd count, which a user can give */
	cipher->skcipher = kcalloc(cipher->layout.tfms, sizeof(tfm),
				   GFP_KERNEL | __GFP_NOWARN);
	if (!cipher->skcipher)
		return no_handle(-ENOMEM, error);

	for (i = 0; i < cipher->layout.tfms; i++) {
		tfm = crypto_alloc_skcipher(name, 0,
					    CRYPTO_ALG_ALLOCATES_MEMORY);
		if (IS_ERR(tfm))
			return no_handle(PTR_ERR(tfm), error);
		cipher->skcipher[i] = tfm;
		if (!enough_key(cipher, tfm)) {
			*error = "key: too short for the key count of the cipher";
			return -EINVAL;
		}
		/* a better driver may appear between two handles */
		if (crypto_skcipher_alg(tfm)->base.cra_flags & CRYPTO_ALG_ASYNC)
			cipher->async = true;
	}

	tfm = cipher->skcipher[0];
	cipher->iv.alg = crypto_tfm_alg_name(crypto_skcipher_tfm(tfm));
	cipher->rereads = !reads_once(cipher->iv.alg);
	cipher->iv.size = crypto_skcipher_ivsize(tfm);
	cipher->iv.block_size = crypto_skcipher_blocksize(tfm);
	DMDEBUG("%s is %s", name, crypto_skcipher_alg(tfm)->base.cra_driver_name);
	return 0;
}

static int alloc_aead(struct xc_cipher *cipher, const char *name, char **error)
{
	struct crypto_aead *tfm;

	tfm = crypto_alloc_aead(name, 0, CRYPTO_ALG_ALLOCATES_MEMORY);
	if (IS_ERR(tfm))
		return no_handle(PTR_ERR(tfm), error);

	cipher->aead = tfm;
	cipher->async = crypto_aead_alg(tfm)->base.cra_flags &
			CRYPTO_ALG_ASYNC;
	cipher->iv.alg = crypto_tfm_alg_name(crypto_aead_tfm(tfm));
	cipher->iv.size = crypto_aead_ivsize(tfm);
	cipher->iv.block_size = crypto_aead_blocksize(tfm);
	DMDEBUG("%s is %s", name, crypto_aead_alg(tfm)->base.cra_driver_name);
	return 0;
}

/*
 * authenc(<hash>,<cipher>) takes two keys.  The volume's key ends with the one
 * for the hash, which is as long as the digest unless integrity_key_size: is
 * given.
 */
static int find_mac_size(struct xc_cipher *cipher, const char *name,
			 unsigned int given, char **error)
{
	char hash[CRYPTO_MAX_ALG_NAME];
	struct crypto_ahash *tfm;
	const char *comma;

	if (!strstarts(name, "authenc(")) {
		cipher->layout.mac = given;
		return 0;
	}
	name += strlen("authenc(");
	comma = strchr(name, ',');
	if (!comma) {
		*error = "cipher: authenc needs a hash and a cipher: authenc(<hash>,<cipher>)";
		return -EINVAL;
	}
	strscpy(hash, name, min_t(size_t, comma - name + 1, sizeof(hash)));

	tfm = crypto_alloc_ahash(hash, 0, CRYPTO_ALG_ALLOCATES_MEMORY);
	if (IS_ERR(tfm)) {
		*error = "cipher: the hash in authenc is not available in this kernel";
		return PTR_ERR(tfm);
	}
	cipher->layout.mac = given ?: crypto_ahash_digestsize(tfm);
	crypto_free_ahash(tfm);

	/* allocated now: wiping the key must not fail */
	cipher->authenc_key = kzalloc(RTA_SPACE(sizeof(struct crypto_authenc_key_param)) +
				      cipher->layout.size, GFP_KERNEL | __GFP_NOWARN);
	if (!cipher->authenc_key) {
		*error = "key: out of memory";
		return -ENOMEM;
	}
	return 0;
}

/**
 * xc_handles_alloc() - allocate the handles of a cipher
 * @cipher: the cipher, with its layout
 * @spec: its specification
 * @opt: the options of the table line
 * @error: set to a message on failure
 *
 * Sets the members of @cipher that depend on the algorithm, and layout.mac.
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set; call xc_handles_free() in
 * both cases.
 */
int xc_handles_alloc(struct xc_cipher *cipher, const struct xc_spec *spec,
		     const struct xc_options *opt, char **error)
{
	char name[CRYPTO_MAX_ALG_NAME];
	int err;

	err = api_name(spec, name, error);
	if (err)
		return err;

	if (opt->aead) {
		err = find_mac_size(cipher, spec->name, opt->mac_key_size,
				    error);
		if (err)
			return err;
		err = alloc_aead(cipher, name, error);
	} else {
		cipher->layout.mac = opt->mac_key_size;
		err = alloc_skciphers(cipher, name, error);
	}
	if (err)
		return err;
	if (cipher->iv.size > XC_MAX_IV_SIZE) {
		*error = "cipher: its IV is longer than supported";
		return -EINVAL;
	}
	return 0;
}

/**
 * xc_handles_free() - undo xc_handles_alloc()
 * @cipher: the cipher
 *
 * Context: Process context.  May sleep.
 */
void xc_handles_free(struct xc_cipher *cipher)
{
	unsigned int i;

	if (cipher->skcipher)
		for (i = 0; i < cipher->layout.tfms; i++)
			crypto_free_skcipher(cipher->skcipher[i]);
	kfree(cipher->skcipher);
	crypto_free_aead(cipher->aead);
	kfree_sensitive(cipher->authenc_key);
}

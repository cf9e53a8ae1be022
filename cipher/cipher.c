// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cipher of a volume: its handles in the crypto API, its IV generator, its
 * key.
 */
#include <linux/log2.h>
#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <crypto/aead.h>
#include <crypto/authenc.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>

#include "../dm-xcrypt.h"

/* The name asked of the crypto API, with ESSIV's template where it is used. */
static int api_name(const struct xc_spec *spec, char *name, char **error)
{
	int len;

	if (xc_spec_iv_is(spec, "essiv"))
		len = snprintf(name, CRYPTO_MAX_ALG_NAME, "essiv(%s,%s)",
			       spec->name, spec->iv_opts);
	else
		len = snprintf(name, CRYPTO_MAX_ALG_NAME, "%s", spec->name);
	if (len >= CRYPTO_MAX_ALG_NAME) {
		*error = "cipher: name is too long";
		return -EINVAL;
	}
	return 0;
}

static int no_handle(int err, char **error)
{
	*error = err == -ENOMEM ? "cipher: no memory for its handles" :
				  "cipher: not available in this kernel";
	return err;
}

/*
 * Is the key long enough to be shared out?  If not it will be refused, but then
 * there may be handles by the hundred thousand.
 */
static bool enough_key(const struct xc_cipher *cipher,
		       struct crypto_skcipher *tfm)
{
	const struct xc_key_layout *layout = &cipher->layout;

	return layout->tfms == 1 || layout->size / layout->tfms >=
		crypto_skcipher_min_keysize(tfm);
}

/*
 * Does a mode read each block of a sector once?  One that reads it again, as the
 * wide-block modes do (a hash of the sector, then a stream over it), makes
 * garbage of blocks that nobody touched if others change in between.  These are
 * known not to.
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

	/* the count is the user's: one that is absurd gets no warning splat */
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
			*error = "key: too short for as many ciphers as the key count says";
			return -EINVAL;
		}
		/* not all need be of one driver: a better one may just arrive */
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
 * An authenc(<hash>,<cipher>) takes two keys.  Ours ends with the hash's, as
 * long as the digest unless integrity_key_size: says otherwise.
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
		*error = "cipher: authenc needs a hash and a cipher, authenc(<hash>,<cipher>)";
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

	/* now, so that wiping the key later cannot fail */
	cipher->authenc_key = kzalloc(RTA_SPACE(sizeof(struct crypto_authenc_key_param)) +
				      cipher->layout.size, GFP_KERNEL | __GFP_NOWARN);
	if (!cipher->authenc_key) {
		*error = "key: no memory for it";
		return -ENOMEM;
	}
	return 0;
}

static int init_tfms(struct xc_cipher *cipher, const struct xc_spec *spec,
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
		*error = "cipher: its IV is longer than any known one";
		return -EINVAL;
	}
	return 0;
}

static int init_iv(struct xc_cipher *cipher, const struct xc_spec *spec,
		   char **error)
{
	const struct xc_iv_ops *ops;
	struct xc_iv *iv = &cipher->iv;
	int err;

	iv->sector_size = cipher->sector_size;
	iv->aead = cipher->aead;
	if (!iv->size) {
		if (spec->iv)
			DMWARN("cipher: %s takes no IV, the one given is ignored",
			       spec->name);
		return 0;
	}
	/* a 64-bit sector number must fit, whatever the cipher takes of it */
	iv->size = max_t(unsigned int, iv->size, sizeof(u64));
	if (!spec->iv)
		return 0;

	ops = xc_iv_find(spec->iv);
	if (!ops) {
		*error = "cipher: unknown IV generator";
		return -EINVAL;
	}
	if (spec->iv_opts && !xc_spec_iv_is(spec, "essiv"))
		DMWARN("cipher: IV %s takes no options, what is given is ignored",
		       spec->iv);
	if (ops->layout) {
		err = ops->layout(iv, &cipher->layout, error);
		if (err)
			return err;
	}
	if (ops->create) {
		err = ops->create(iv, &cipher->layout, error);
		if (err)
			return err;
	}
	iv->ops = ops;
	if (ops->stored)
		cipher->iv_stored = iv->size;
	return 0;
}

/* As dm-crypt takes it, so do we: what a table line gives and nothing uses. */
static void warn_unused(const struct xc_cipher *cipher,
			const struct xc_options *opt)
{
	const struct xc_key_layout *layout = &cipher->layout;
	unsigned int rest = (layout->size - layout->extra) % layout->tfms;

	if (rest)
		DMWARN("key: %u bytes are left over when it is shared out, and not used",
		       rest);
	if (opt->tag_size && !cipher->aead && !cipher->iv_stored)
		DMWARN("integrity: neither a tag nor an IV is to be stored, it is ignored");
	if (opt->mac_key_size && !cipher->authenc_key)
		DMWARN("integrity_key_size: the cipher takes no key for a hash, it is ignored");
}

/* The engine that the table line asks for, or the best. */
static int init_engine(struct xc_cipher *cipher, const struct xc_spec *spec,
		       const struct xc_options *opt, char **error)
{
	const char *hindrance = xc_batch_hindrance(cipher, spec);

	if (opt->engine == XC_ENGINE_BATCH && hindrance) {
		*error = (char *)hindrance;
		return -EINVAL;
	}
	cipher->engine = !hindrance && opt->engine != XC_ENGINE_API ?
		&xc_batch_engine : &xc_api_engine;
	*error = "no memory for the engine";
	return cipher->engine->create(cipher);
}

/**
 * xc_cipher_create() - make what a table line's cipher and key describe
 * @table: the line
 * @error: where to put what is wrong
 *
 * Context: Process context.  May sleep.
 * Return: the cipher, to be given to xc_cipher_destroy(), or an ERR_PTR() with
 * @error set.
 */
struct xc_cipher *xc_cipher_create(const struct xc_table *table, char **error)
{
	const struct xc_options *opt = &table->opt;
	struct xc_cipher *cipher;
	struct xc_spec spec;
	int err;

	err = xc_spec_parse(&spec, table->cipher, opt->aead, error);
	if (err)
		return ERR_PTR(err);
	err = xc_key_size(table->key, error);
	if (err < 0)
		return ERR_PTR(err);

	cipher = kzalloc(sizeof(*cipher), GFP_KERNEL);
	if (!cipher) {
		*error = "no memory for the cipher";
		return ERR_PTR(-ENOMEM);
	}
	cipher->layout.size = err;
	cipher->layout.tfms = spec.keys;
	cipher->layout.parts = spec.keys;
	cipher->iv_offset = table->iv_offset;
	cipher->large_iv = xc_opt(opt, XC_IV_LARGE_SECTORS);
	cipher->sector_size = opt->sector_size;
	cipher->sector_shift = ilog2(opt->sector_size) - SECTOR_SHIFT;

	err = -ENOMEM;
	*error = "key: no memory for it";
	if (xc_key_init(&cipher->key, cipher->layout.size))
		goto destroy;
	*error = "cipher: no memory for the specification";
	cipher->spec = kstrdup(table->cipher, GFP_KERNEL);
	if (!cipher->spec)
		goto destroy;

	err = init_tfms(cipher, &spec, opt, error);
	if (err)
		goto destroy;
	err = init_iv(cipher, &spec, error);
	if (err)
		goto destroy;
	warn_unused(cipher, opt);
	err = init_engine(cipher, &spec, opt, error);
	if (err)
		goto destroy;
	err = xc_key_load(&cipher->key, table->key, error);
	if (!err)
		err = xc_cipher_set_key(cipher, error);
	if (err)
		goto destroy;
	return cipher;

destroy:
	xc_cipher_destroy(cipher);
	return ERR_PTR(err);
}

/**
 * xc_cipher_destroy() - undo xc_cipher_create(), leaving no key behind
 * @cipher: the cipher; no run of it may be left
 *
 * Context: Process context.  May sleep.
 */
void xc_cipher_destroy(struct xc_cipher *cipher)
{
	unsigned int i;

	if (cipher->engine)
		cipher->engine->destroy(cipher);
	if (cipher->iv.ops && cipher->iv.ops->destroy)
		cipher->iv.ops->destroy(&cipher->iv);
	if (cipher->skcipher)
		for (i = 0; i < cipher->layout.tfms; i++)
			crypto_free_skcipher(cipher->skcipher[i]);
	kfree(cipher->skcipher);
	crypto_free_aead(cipher->aead);
	xc_key_exit(&cipher->key);
	kfree_sensitive(cipher->authenc_key);
	kfree(cipher->spec);
	kfree_sensitive(cipher);
}

/* The form in which authenc() takes its two keys, see crypto/authenc.c. */
static int set_authenc_key(struct xc_cipher *cipher, const u8 *key)
{
	unsigned int size = xc_subkey_size(&cipher->layout);
	unsigned int mac = cipher->layout.mac;
	struct crypto_authenc_key_param *param;
	struct rtattr *rta = cipher->authenc_key;
	unsigned int total = RTA_SPACE(sizeof(*param)) + size;
	int err;
	u8 *p;

	if (size < mac)
		return -EINVAL;

	rta->rta_type = CRYPTO_AUTHENC_KEYA_PARAM;
	rta->rta_len = RTA_LENGTH(sizeof(*param));
	param = RTA_DATA(rta);
	param->enckeylen = cpu_to_be32(size - mac);
	p = (u8 *)rta + RTA_SPACE(sizeof(*param));
	memcpy(p, key + size - mac, mac);
	memcpy(p + mac, key, size - mac);

	err = crypto_aead_setkey(cipher->aead, (u8 *)rta, total);
	memzero_explicit(rta, total);
	return err;
}

static int set_tfm_keys(struct xc_cipher *cipher, const u8 *key)
{
	const struct xc_key_layout *layout = &cipher->layout;
	unsigned int size = xc_subkey_size(layout);
	unsigned int i;
	int err = 0, r;

	if (cipher->aead)
		return cipher->authenc_key ? set_authenc_key(cipher, key) :
			crypto_aead_setkey(cipher->aead, key, size);

	/* go on after an error, so that no handle keeps an older key */
	for (i = 0; i < layout->tfms; i++) {
		r = crypto_skcipher_setkey(cipher->skcipher[i],
					   key + i * size, size);
		err = err ?: r;
	}
	return err;
}

static int hand_out_key(struct xc_cipher *cipher)
{
	struct xc_iv *iv = &cipher->iv;
	int err, r = 0;

	err = set_tfm_keys(cipher, cipher->key.bytes);
	if (iv->ops && iv->ops->set_key)
		r = iv->ops->set_key(iv, cipher->key.bytes, &cipher->layout);
	/* an engine is only given what the crypto API has found good */
	if (!err && cipher->engine->set_key)
		cipher->engine->set_key(cipher, cipher->key.bytes);
	else if (cipher->engine->wipe)
		cipher->engine->wipe(cipher);
	return err ?: r;
}

/**
 * xc_cipher_set_key() - take the key that was put in place
 * @cipher: the cipher, with its key; no run of it may be on its way
 * @error: where to put what is wrong
 *
 * A key from the keyring is not kept here beside the cipher's own copy.
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set: the cipher does not take this
 * key, and has none now.
 */
int xc_cipher_set_key(struct xc_cipher *cipher, char **error)
{
	int err;

	err = hand_out_key(cipher);
	if (err) {
		*error = "key: refused by the cipher: see its size, or the hash of essiv";
		xc_cipher_wipe_key(cipher);
		return err;
	}
	WRITE_ONCE(cipher->key_valid, true);
	if (cipher->key.keyring)
		memzero_explicit(cipher->key.bytes, cipher->key.size);
	return 0;
}

/**
 * xc_cipher_wipe_key() - overwrite the key everywhere the cipher has it
 * @cipher: the cipher; no run of it may be on its way
 *
 * Context: Process context.  May sleep.
 * Return: 0, or what the cipher said to the random key it was given instead.
 */
int xc_cipher_wipe_key(struct xc_cipher *cipher)
{
	struct xc_iv *iv = &cipher->iv;
	int err;

	WRITE_ONCE(cipher->key_valid, false);
	get_random_bytes(cipher->key.bytes, cipher->key.size);
	err = hand_out_key(cipher);
	if (iv->ops && iv->ops->wipe)
		iv->ops->wipe(iv);
	if (cipher->engine->wipe)
		cipher->engine->wipe(cipher);
	xc_key_wipe(&cipher->key);
	return err;
}

/**
 * xc_cipher_set_tuple() - fit tag and IV into the metadata of the device below
 * @cipher: a cipher that stores metadata with each sector
 * @tuple_size: bytes of metadata that the device has for a sector
 * @tag_size: bytes of it that the table line gives to tag and IV
 * @error: where to put what is wrong
 *
 * Context: Process context.  May sleep.
 * Return: 0, or -EINVAL with @error set.
 */
int xc_cipher_set_tuple(struct xc_cipher *cipher, unsigned int tuple_size,
			unsigned int tag_size, char **error)
{
	if (tag_size > tuple_size) {
		*error = "integrity: the device below has no room for a tag of that size";
		return -EINVAL;
	}
	if (cipher->aead) {
		if (tag_size < cipher->iv_stored) {
			*error = "integrity: tag is too small for the IV kept in it";
			return -EINVAL;
		}
		cipher->auth_size = tag_size - cipher->iv_stored;
		if (crypto_aead_setauthsize(cipher->aead, cipher->auth_size)) {
			*error = "integrity: the cipher makes no tag of that size";
			return -EINVAL;
		}
	}
	if (cipher->auth_size + cipher->iv_stored > tuple_size) {
		*error = "integrity: the device below has no room for tag and IV";
		return -EINVAL;
	}
	cipher->tuple_size = tuple_size;
	return 0;
}

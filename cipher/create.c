// SPDX-License-Identifier: GPL-2.0-only
/*
 * Creating a cipher: the specification, its handles, its IV generator, its
 * engine.
 */
#include "create.h"

#include <linux/log2.h>
#include <linux/slab.h>
#include <crypto/aead.h>

#include "cipher.h"
#include "find.h"
#include "handles.h"
#include "../iv/find.h"
#include "../table/spec.h"

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
			DMWARN("cipher: %s takes no IV, ignoring the one given",
			       spec->name);
		return 0;
	}
	/* a 64-bit sector number must fit, even if the cipher uses less */
	iv->size = max_t(unsigned int, iv->size, sizeof(u64));
	if (!spec->iv)
		return 0;

	ops = xc_iv_find(spec->iv);
	if (!ops) {
		*error = "cipher: unknown IV generator";
		return -EINVAL;
	}
	if (spec->iv_opts && !xc_spec_iv_is(spec, "essiv"))
		DMWARN("cipher: IV %s takes no options, ignoring those given",
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

/* As in dm-crypt, unused arguments are no error. */
static void warn_unused(const struct xc_cipher *cipher,
			const struct xc_options *opt)
{
	const struct xc_key_layout *layout = &cipher->layout;
	unsigned int rest = (layout->size - layout->extra) % layout->tfms;

	if (rest)
		DMWARN("key: %u bytes at its end are not used",
		       rest);
	if (opt->tag_size && !cipher->aead && !cipher->iv_stored)
		DMWARN("integrity: ignored, neither a tag nor an IV is to be stored");
	if (opt->mac_key_size && !cipher->authenc_key)
		DMWARN("integrity_key_size: ignored, the cipher takes no key for a hash");
}

static struct xc_cipher *alloc_cipher(const struct xc_spec *spec,
				      unsigned int key_size, u64 iv_offset,
				      const struct xc_options *opt)
{
	struct xc_cipher *cipher = kzalloc(sizeof(*cipher), GFP_KERNEL);

	if (!cipher)
		return NULL;
	cipher->layout.size = key_size;
	cipher->layout.tfms = spec->keys;
	cipher->layout.parts = spec->keys;
	cipher->iv_offset = iv_offset;
	cipher->large_iv = xc_opt(opt, XC_IV_LARGE_SECTORS);
	cipher->sector_size = opt->sector_size;
	cipher->sector_shift = ilog2(opt->sector_size) - SECTOR_SHIFT;
	return cipher;
}

static int init_engine(struct xc_cipher *cipher, const struct xc_spec *spec,
		       enum xc_engine_choice choice, char **error)
{
	cipher->engine = xc_engine_find(cipher, spec, choice, error);
	if (!cipher->engine)
		return -EINVAL;
	*error = "engine: out of memory";
	return cipher->engine->create(cipher);
}

/**
 * xc_cipher_create() - create a cipher, without a key yet
 * @string: the cipher specification
 * @key_size: bytes in the key
 * @iv_offset: added to sector numbers for the IV, in 512-byte sectors
 * @opt: the options of the table line
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: the cipher, to be freed with xc_cipher_destroy(), or an ERR_PTR()
 * with @error set.
 */
struct xc_cipher *xc_cipher_create(const char *string, unsigned int key_size,
				   u64 iv_offset, const struct xc_options *opt,
				   char **error)
{
	struct xc_cipher *cipher;
	struct xc_spec spec;
	int err;

	err = xc_spec_parse(&spec, string, opt->aead, error);
	if (err)
		return ERR_PTR(err);

	*error = "cipher: out of memory";
	cipher = alloc_cipher(&spec, key_size, iv_offset, opt);
	if (!cipher)
		return ERR_PTR(-ENOMEM);
	err = -ENOMEM;
	cipher->spec = kstrdup(string, GFP_KERNEL);
	if (!cipher->spec)
		goto destroy;
	*error = "key: out of memory";
	if (xc_key_init(&cipher->key, key_size))
		goto destroy;

	err = xc_handles_alloc(cipher, &spec, opt, error);
	if (err)
		goto destroy;
	err = init_iv(cipher, &spec, error);
	if (err)
		goto destroy;
	warn_unused(cipher, opt);
	err = init_engine(cipher, &spec, opt->engine, error);
	if (err)
		goto destroy;
	return cipher;

destroy:
	xc_cipher_destroy(cipher);
	return ERR_PTR(err);
}

/**
 * xc_cipher_destroy() - undo xc_cipher_create(), and overwrite the key
 * @cipher: the cipher; no run of it may be left
 *
 * Context: Process context.  May sleep.
 */
void xc_cipher_destroy(struct xc_cipher *cipher)
{
	if (cipher->engine)
		cipher->engine->destroy(cipher);
	if (cipher->iv.ops && cipher->iv.ops->destroy)
		cipher->iv.ops->destroy(&cipher->iv);
	xc_handles_free(cipher);
	xc_key_exit(&cipher->key);
	kfree(cipher->spec);
	kfree_sensitive(cipher);
}

/**
 * xc_cipher_set_tuple() - fit tag and IV into the metadata of a sector
 * @cipher: a cipher that stores metadata with each sector
 * @tuple_size: bytes of metadata per sector on the underlying device
 * @tag_size: bytes for tag and IV, from the table line
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: 0, or -EINVAL with @error set.
 */
int xc_cipher_set_tuple(struct xc_cipher *cipher, unsigned int tuple_size,
			unsigned int tag_size, char **error)
{
	if (tag_size > tuple_size) {
		*error = "integrity: tag size exceeds the metadata of the underlying device";
		return -EINVAL;
	}
	if (cipher->aead) {
		if (tag_size < cipher->iv_stored) {
			*error = "integrity: tag size too small for the IV stored in it";
			return -EINVAL;
		}
		cipher->auth_size = tag_size - cipher->iv_stored;
		if (crypto_aead_setauthsize(cipher->aead, cipher->auth_size)) {
			*error = "integrity: tag size not supported by the cipher";
			return -EINVAL;
		}
	}
	if (cipher->auth_size + cipher->iv_stored > tuple_size) {
		*error = "integrity: tag and IV exceed the metadata of the underlying device";
		return -EINVAL;
	}
	cipher->tuple_size = tuple_size;
	return 0;
}

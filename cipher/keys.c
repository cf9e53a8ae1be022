// SPDX-License-Identifier: GPL-2.0-only
/*
 * Setting and wiping the key of a cipher: the handles, the IV generator and the
 * engine each have a part or a copy of it.
 */
#include "keys.h"

#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/string.h>
#include <crypto/aead.h>
#include <crypto/authenc.h>
#include <crypto/skcipher.h>

#include "cipher.h"
#include "engine.h"

/* authenc() takes its two keys in this format, see crypto/authenc.c. */
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

	/* continue after an error: no handle may keep an older key */
	for (i = 0; i < layout->tfms; i++) {
		r = crypto_skcipher_setkey(cipher->skcipher[i],
					   key + i * size, size);
		err = err ?: r;
	}
	return err;
}

static int distribute_key(struct xc_cipher *cipher)
{
	struct xc_iv *iv = &cipher->iv;
	int err, r = 0;

	err = set_tfm_keys(cipher, cipher->key.bytes);
	if (iv->ops && iv->ops->set_key)
		r = iv->ops->set_key(iv, cipher->key.bytes, &cipher->layout);
	/* give the engine only a key that the crypto API accepted */
	if (!err && cipher->engine->set_key)
		cipher->engine->set_key(cipher, cipher->key.bytes);
	else if (cipher->engine->wipe)
		cipher->engine->wipe(cipher);
	return err ?: r;
}

/**
 * xc_cipher_set_key() - use the key in xc_cipher.key
 * @cipher: the cipher, with its key; no run of it may be in flight
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set if the cipher refused the key;
 * it has no key then.
 */
int xc_cipher_set_key(struct xc_cipher *cipher, char **error)
{
	int err;

	err = distribute_key(cipher);
	if (err) {
		*error = "key: refused by the cipher: see its size, or the hash of essiv";
		xc_cipher_wipe_key(cipher);
		return err;
	}
	WRITE_ONCE(cipher->key_valid, true);
	return 0;
}

/**
 * xc_cipher_wipe_key() - overwrite every copy of the key
 * @cipher: the cipher; no run of it may be in flight
 *
 * Context: Process context.  May sleep.
 * Return: 0, or the cipher's error for the random key it got instead.
 */
int xc_cipher_wipe_key(struct xc_cipher *cipher)
{
	struct xc_iv *iv = &cipher->iv;
	int err;

	WRITE_ONCE(cipher->key_valid, false);
	get_random_bytes(cipher->key.bytes, cipher->key.size);
	err = distribute_key(cipher);
	if (iv->ops && iv->ops->wipe)
		iv->ops->wipe(iv);
	if (cipher->engine->wipe)
		cipher->engine->wipe(cipher);
	xc_key_wipe(&cipher->key);
	return err;
}

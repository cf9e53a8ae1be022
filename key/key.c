// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys: hex digits in the table line, or a reference to the kernel's key
 * retention service (Documentation/security/keys/core.rst).
 */
#include <linux/ctype.h>
#include <linux/key-type.h>
#include <linux/key.h>
#include <linux/slab.h>
#include <keys/encrypted-type.h>
#include <keys/trusted-type.h>
#include <keys/user-type.h>

#include "../dm-xcrypt.h"

/* A key of the keyring, as its payload. Called with the key's semaphore held. */
static const void *user_payload(struct key *key, unsigned int *size)
{
	const struct user_key_payload *payload = user_key_payload_locked(key);

	if (!payload)
		return NULL;
	*size = payload->datalen;
	return payload->data;
}

#if IS_REACHABLE(CONFIG_ENCRYPTED_KEYS)
static const void *encrypted_payload(struct key *key, unsigned int *size)
{
	const struct encrypted_key_payload *payload = key->payload.data[0];

	if (!payload)
		return NULL;
	*size = payload->decrypted_datalen;
	return payload->decrypted_data;
}
#endif

#if IS_REACHABLE(CONFIG_TRUSTED_KEYS)
static const void *trusted_payload(struct key *key, unsigned int *size)
{
	const struct trusted_key_payload *payload = key->payload.data[0];

	if (!payload)
		return NULL;
	*size = payload->key_len;
	return payload->key;
}
#endif

static const struct {
	const char *prefix;
	struct key_type *type;
	const void *(*payload)(struct key *key, unsigned int *size);
} key_types[] = {
	{ "logon:", &key_type_logon, user_payload },
	{ "user:", &key_type_user, user_payload },
#if IS_REACHABLE(CONFIG_ENCRYPTED_KEYS)
	{ "encrypted:", &key_type_encrypted, encrypted_payload },
#endif
#if IS_REACHABLE(CONFIG_TRUSTED_KEYS)
	{ "trusted:", &key_type_trusted, trusted_payload },
#endif
};

/* The "<type>:<description>" of ":<size>:<type>:<description>", or NULL. */
static const char *keyring_name(const char *arg)
{
	const char *colon = arg[0] == ':' ? strchr(arg + 1, ':') : NULL;

	return colon ? colon + 1 : NULL;
}

/**
 * xc_key_size() - number of bytes that a key argument stands for
 * @arg: hex digits, "-", or ":<size>:<type>:<description>"
 * @error: where to put what is wrong
 *
 * Context: Any context.
 * Return: bytes (0 for "-"), or -EINVAL with @error set.
 */
int xc_key_size(const char *arg, char **error)
{
	char colon;
	int size;

	if (arg[0] != ':')
		return strlen(arg) / 2;

	if (sscanf(arg + 1, "%u%c", &size, &colon) != 2 || colon != ':' ||
	    size < 0) {
		*error = "key: a keyring key is :<size in bytes>:<type>:<description>";
		return -EINVAL;
	}
	xc_warn_cut("key: size", arg + 1, size);
	return size;
}

/**
 * xc_key_init() - make room for a key
 * @key: the key; to be given to xc_key_exit()
 * @size: its size in bytes
 *
 * Context: Process context.  May sleep.
 * Return: 0 or -ENOMEM.
 */
int xc_key_init(struct xc_key *key, unsigned int size)
{
	key->size = size;
	/* the size is the user's: one that is absurd gets no warning splat */
	key->bytes = kzalloc(size, GFP_KERNEL | __GFP_NOWARN);
	return key->bytes ? 0 : -ENOMEM;
}

static int load_hex(struct xc_key *key, const char *arg, char **error)
{
	u8 *bytes;

	if (!key->size && strcmp(arg, "-")) {
		*error = "key: neither hex digits, nor '-', nor a keyring key";
		return -EINVAL;
	}

	/* decoded aside, so that a slip leaves the key that was there */
	bytes = kmalloc(key->size, GFP_KERNEL);
	if (!bytes) {
		*error = "key: no memory to decode it";
		return -ENOMEM;
	}
	if (hex2bin(bytes, arg, key->size)) {
		*error = "key: not all of it is hex digits";
		kfree_sensitive(bytes);
		return -EINVAL;
	}
	if (key->size && strlen(arg) % 2)
		DMWARN("key: an odd number of hex digits, the last is ignored");

	memcpy(key->bytes, bytes, key->size);
	kfree_sensitive(bytes);
	kfree_sensitive(key->keyring);
	key->keyring = NULL;
	return 0;
}

/* Copy a key's payload if it has the right size. */
static int read_payload(struct xc_key *key, struct key *from,
			const void *(*payload)(struct key *, unsigned int *),
			char **error)
{
	const void *bytes;
	unsigned int size;
	int err = 0;

	down_read(&from->sem);
	bytes = payload(from, &size);
	if (!bytes) {
		*error = "key: the key in the keyring was revoked";
		err = -EKEYREVOKED;
	} else if (size != key->size) {
		*error = "key: the key in the keyring is not of the size given";
		err = -EINVAL;
	} else {
		memcpy(key->bytes, bytes, size);
	}
	up_read(&from->sem);
	return err;
}

/* Why the key service has no such key for us. */
static char *not_found(int err)
{
	switch (err) {
	case -EKEYREVOKED:
		return "key: the key in the keyring was revoked";
	case -EKEYREJECTED:
		return "key: request-key refuses it";
	case -EACCES:
		return "key: the caller may not use the key in the keyring";
	case -ENOMEM:
		return "key: no memory to look for it in the keyrings";
	default:
		return "key: not in a keyring of the calling process, or expired";
	}
}

static int load_keyring(struct xc_key *key, const char *name, char **error)
{
	const char *description;
	unsigned int i;
	struct key *from;
	char *copy, *c;
	int err;

	for (c = (char *)name; *c; c++)
		if (isspace(*c)) {
			*error = "key: white space in the key's description";
			return -EINVAL;
		}

	for (i = 0; i < ARRAY_SIZE(key_types); i++)
		if (strstarts(name, key_types[i].prefix))
			break;
	if (i == ARRAY_SIZE(key_types)) {
		*error = "key: type is not logon, user, encrypted or trusted";
		return -EINVAL;
	}
	description = name + strlen(key_types[i].prefix);
	if (!*description) {
		*error = "key: no description of a keyring key";
		return -EINVAL;
	}

	copy = kstrdup(name, GFP_KERNEL);
	if (!copy) {
		*error = "key: no memory for its description";
		return -ENOMEM;
	}
	from = request_key(key_types[i].type, description, NULL);
	if (IS_ERR(from)) {
		*error = not_found(PTR_ERR(from));
		kfree(copy);
		return PTR_ERR(from);
	}
	err = read_payload(key, from, key_types[i].payload, error);
	key_put(from);
	if (err) {
		kfree(copy);
		return err;
	}

	kfree_sensitive(key->keyring);
	key->keyring = copy;
	return 0;
}

/**
 * xc_key_load() - read a key
 * @key: where to put it; unchanged on failure
 * @arg: key argument that xc_key_size() found to be of this key's size
 * @error: where to put what is wrong
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set: what the keyring said,
 * -EINVAL for an argument that is not a key, -ENOMEM.
 */
int xc_key_load(struct xc_key *key, const char *arg, char **error)
{
	const char *name = keyring_name(arg);

	return name ? load_keyring(key, name, error) :
		      load_hex(key, arg, error);
}

/**
 * xc_key_wipe() - forget a key and where it came from
 * @key: the key
 *
 * Context: Process context.  May sleep.
 */
void xc_key_wipe(struct xc_key *key)
{
	memzero_explicit(key->bytes, key->size);
	kfree_sensitive(key->keyring);
	key->keyring = NULL;
}

/**
 * xc_key_exit() - wipe a key and free it
 * @key: the key; may be all zero
 *
 * Context: Process context.  May sleep.
 */
void xc_key_exit(struct xc_key *key)
{
	kfree_sensitive(key->bytes);
	kfree_sensitive(key->keyring);
}

/**
 * xc_key_clear_arg() - overwrite a key argument
 * @arg: the argument; a reference to the keyring too, which may by a slip be
 *	none, but a key with a colon before it
 *
 * Context: Any context.
 */
void xc_key_clear_arg(char *arg)
{
	memset(arg, '0', strlen(arg));
	barrier_data(arg);
}

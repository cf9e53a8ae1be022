// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys: hex digits in the table line, or a reference to the kernel's key
 * retention service (Documentation/security/keys/core.rst).
 */
#include "key.h"

#include <linux/ctype.h>
#include <linux/key-type.h>
#include <linux/key.h>
#include <linux/slab.h>
#include <keys/encrypted-type.h>
#include <keys/trusted-type.h>
#include <keys/user-type.h>

#include "../table/log.h"

/* The payload of a key in the keyring. */
static const void *user_payload(struct key *key, unsigned int *size)
{
	const struct user_key_payload *payload = user_key_payload_locked(key);

	lockdep_assert_held(&key->sem);
	if (!payload)
		return NULL;
	*size = payload->datalen;
	return payload->data;
}

#if IS_REACHABLE(CONFIG_ENCRYPTED_KEYS)
static const void *encrypted_payload(struct key *key, unsigned int *size)
{
	const struct encrypted_key_payload *payload = key->payload.data[0];

	lockdep_assert_held(&key->sem);
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

	lockdep_assert_held(&key->sem);
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
 * xc_key_is_same() - check for the key argument "="
 * @arg: the key argument
 *
 * Context: Any context.
 * Return: true if it means the key of the table in use.
 */
bool xc_key_is_same(const char *arg)
{
	return !strcmp(arg, "=");
}

/**
 * xc_key_size() - size of the key that a key argument gives
 * @arg: hex digits, "-", or ":<size>:<type>:<description>"
 * @error: set to a message on failure
 *
 * Context: Any context.
 * Return: the size in bytes (0 for "-"), or -EINVAL with @error set.
 */
int xc_key_size(const char *arg, char **error)
{
	char colon;
	int size;

	if (arg[0] != ':')
		return strlen(arg) / 2;

	if (sscanf(arg + 1, "%u%c", &size, &colon) != 2 || colon != ':' ||
	    size < 0) {
		*error = "key: expected :<size in bytes>:<type>:<description>";
		return -EINVAL;
	}
	xc_warn_cut("key: size", arg + 1, size);
	return size;
}

/**
 * xc_key_init() - allocate a key
 * @key: the key; free it with xc_key_exit(), also after a failure
 * @size: its size in bytes
 *
 * Context: Process context.  May sleep.
 * Return: 0 or -ENOMEM.
 */
int xc_key_init(struct xc_key *key, unsigned int size)
{
	key->size = size;
	/* no warning splat for an absurd size, which a user can give */
	key->bytes = kzalloc(size, GFP_KERNEL | __GFP_NOWARN);
	return key->bytes ? 0 : -ENOMEM;
}

static int load_hex(struct xc_key *key, const char *arg, char **error)
{
	u8 *bytes;

	if (!key->size && strcmp(arg, "-")) {
		*error = "key: must be hex digits, '-', or :<size>:<type>:<description>";
		return -EINVAL;
	}

	/* decoded aside: on failure the old key is unchanged */
	bytes = kmalloc(key->size, GFP_KERNEL);
	if (!bytes) {
		*error = "key: out of memory";
		return -ENOMEM;
	}
	if (hex2bin(bytes, arg, key->size)) {
		*error = "key: contains a character that is not a hex digit";
		kfree_sensitive(bytes);
		return -EINVAL;
	}
	if (key->size && strlen(arg) % 2)
		DMWARN("key: odd number of hex digits, ignoring the last");

	memcpy(key->bytes, bytes, key->size);
	kfree_sensitive(bytes);
	kfree_sensitive(key->keyring);
	key->keyring = NULL;
	return 0;
}

/* Copy a key's payload if its size is right. */
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
		*error = "key: the keyring key was revoked";
		err = -EKEYREVOKED;
	} else if (size != key->size) {
		*error = "key: the keyring key has not the size given";
		err = -EINVAL;
	} else {
		memcpy(key->bytes, bytes, size);
	}
	up_read(&from->sem);
	return err;
}

/* The message for an error of request_key(). */
static char *not_found(int err)
{
	switch (err) {
	case -EKEYREVOKED:
		return "key: the keyring key was revoked";
	case -EKEYREJECTED:
		return "key: rejected by the request-key program";
	case -EACCES:
		return "key: no permission to use the keyring key";
	case -ENOMEM:
		return "key: out of memory";
	default:
		return "key: not found in the keyrings of the calling process, or expired";
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
			*error = "key: white space in the description";
			return -EINVAL;
		}

	for (i = 0; i < ARRAY_SIZE(key_types); i++)
		if (strstarts(name, key_types[i].prefix))
			break;
	if (i == ARRAY_SIZE(key_types)) {
		*error = "key: type must be logon, user, encrypted or trusted";
		return -EINVAL;
	}
	description = name + strlen(key_types[i].prefix);
	if (!*description) {
		*error = "key: no description given (:<size>:<type>:<description>)";
		return -EINVAL;
	}

	copy = kstrdup(name, GFP_KERNEL);
	if (!copy) {
		*error = "key: out of memory";
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
 * @key: set to the key; unchanged on failure
 * @arg: key argument; xc_key_size() returned this key's size for it
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set: an error of request_key(),
 * -EINVAL for a malformed argument, -ENOMEM.
 */
int xc_key_load(struct xc_key *key, const char *arg, char **error)
{
	const char *name = keyring_name(arg);

	return name ? load_keyring(key, name, error) :
		      load_hex(key, arg, error);
}

/**
 * xc_key_copy() - copy a key
 * @key: set to the key; unchanged on failure
 * @from: a key of the same size
 *
 * Context: Process context.  May sleep.
 * Return: 0 or -ENOMEM.
 */
int xc_key_copy(struct xc_key *key, const struct xc_key *from)
{
	char *keyring = kstrdup(from->keyring, GFP_KERNEL);

	if (from->keyring && !keyring)
		return -ENOMEM;
	memcpy(key->bytes, from->bytes, key->size);
	kfree_sensitive(key->keyring);
	key->keyring = keyring;
	return 0;
}

/**
 * xc_key_swap() - exchange two keys
 * @a: a key
 * @b: another of the same size
 *
 * The bytes of each stay where they are in memory: a conversion knows the place.
 *
 * Context: Any context.
 */
void xc_key_swap(struct xc_key *a, struct xc_key *b)
{
	unsigned int i;

	for (i = 0; i < a->size; i++)
		swap(a->bytes[i], b->bytes[i]);
	swap(a->keyring, b->keyring);
}

/**
 * xc_key_wipe() - overwrite a key and forget its keyring name
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
 * xc_key_exit() - overwrite a key and free it
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
 * @arg: the argument; also a keyring reference, as it may be a key after a
 *	stray colon
 *
 * Context: Any context.
 */
void xc_key_clear_arg(char *arg)
{
	memset(arg, '0', strlen(arg));
	barrier_data(arg);
}

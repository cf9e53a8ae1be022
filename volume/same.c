// SPDX-License-Identifier: GPL-2.0-only
/*
 * The key "=": that of the volume in use at the same place.
 *
 * Until its table is resumed, a volume follows the one in use: it gets each new
 * key, and is wiped with it.  So it never has a key that was wiped or replaced
 * while it was waiting.
 *
 * A line that continues a conversion has two keys, and each may be "=".  When the
 * conversion in use is done the old key is gone, and the line needs none.
 */
#include "same.h"

#include <linux/bitops.h>
#include <linux/err.h>

#include "place.h"
#include "volume.h"
#include "../cipher/cipher.h"
#include "../cipher/keys.h"
#include "../rekey/rekey.h"

/* Volumes with a key "=" that were not resumed yet. */
static LIST_HEAD(followers);

enum refusal {
	NO_TABLE,
	NO_CONVERSION,
	WIPED,
	OTHER_CIPHER,
	REPLACED,
	NO_MEMORY,
};

static const struct {
	int err;
	char *key;
	char *rekey_key;
} refusals[] = {
	[NO_TABLE] = {
		-ENOKEY,
		"key: = cannot be taken, no xcrypt table in use begins at this sector",
		"rekey_key: = cannot be taken, no xcrypt table in use begins at this sector",
	},
	[NO_CONVERSION] = {
		-EINVAL, NULL,
		"rekey_key: = cannot be taken, the table in use has no conversion",
	},
	[WIPED] = {
		-ENOKEY,
		"key: = cannot be taken, that of the table in use was wiped",
		"rekey_key: = cannot be taken, that of the table in use was wiped",
	},
	[OTHER_CIPHER] = {
		-EINVAL,
		"key: = cannot be taken, the table in use has another cipher",
		"rekey_key: = cannot be taken, the table in use converts to another cipher",
	},
	[REPLACED] = {
		-EINVAL,
		"key: = cannot be taken, the table in use was replaced meanwhile",
		"rekey_key: = cannot be taken, the table in use was replaced meanwhile",
	},
	[NO_MEMORY] = {
		-ENOMEM,
		"key: = cannot be taken, out of memory",
		"rekey_key: = cannot be taken, out of memory",
	},
};

static int refuse(enum xc_same which, enum refusal why, char **error)
{
	*error = which == XC_SAME_NEW ? refusals[why].rekey_key :
					refusals[why].key;
	return refusals[why].err;
}

/* The cipher with this key, or NULL. */
static const struct xc_cipher *cipher_of(const struct xc_volume *from,
					 enum xc_same which)
{
	switch (which) {
	case XC_SAME_OLD:
		return from->dev.cipher;
	case XC_SAME_NEW:
		return from->new_cipher;
	default:
		return xc_volume_cipher(from);
	}
}

/* A conversion that is done forgets its old key. */
static bool is_gone(const struct xc_volume *from, enum xc_same which)
{
	return which == XC_SAME_OLD && from->rekey &&
		xc_rekey_is_done(from->rekey);
}

/* The cipher to take a key from; it has one, unless that is gone. */
static const struct xc_cipher *find_source(const struct xc_volume *from,
					   enum xc_same which, const char *spec,
					   char **error)
{
	const struct xc_cipher *source;

	if (!from)
		return ERR_PTR(refuse(which, NO_TABLE, error));
	source = cipher_of(from, which);
	if (!source)
		return ERR_PTR(refuse(which, NO_CONVERSION, error));
	if (!source->key_valid && !is_gone(from, which))
		return ERR_PTR(refuse(which, WIPED, error));
	if (strcmp(source->spec, spec))
		return ERR_PTR(refuse(which, OTHER_CIPHER, error));
	return source;
}

static int take_key(struct xc_volume *vol, const struct xc_volume *from,
		    enum xc_same which, struct xc_cipher *cipher, char **error)
{
	const struct xc_cipher *source = find_source(from, which, cipher->spec,
						     error);

	if (IS_ERR(source))
		return PTR_ERR(source);
	if (cipher->key.size != source->key.size)
		return refuse(which, REPLACED, error);
	if (!source->key_valid) {
		xc_cipher_wipe_key(cipher);
		vol->old_gone = true;
		return 0;
	}
	if (xc_key_copy(&cipher->key, &source->key))
		return refuse(which, NO_MEMORY, error);
	return xc_cipher_set_key(cipher, error);
}

static struct xc_cipher *follower_cipher(const struct xc_volume *vol,
					 enum xc_same which)
{
	return which == XC_SAME_NEW ? vol->new_cipher : vol->dev.cipher;
}

/* What cannot be taken is wiped. */
static void follow(struct xc_volume *vol, const struct xc_volume *from)
{
	struct xc_cipher *cipher;
	enum xc_same which;
	char *error;
	int err;

	mutex_lock(&vol->key_lock);
	vol->old_gone = false;
	for_each_set_bit(which, &vol->follows, XC_SAME_KEYS) {
		cipher = follower_cipher(vol, which);
		err = take_key(vol, from, which, cipher, &error);
		if (!err)
			continue;
		xc_cipher_wipe_key(cipher);
		/* wiped there, too */
		if (err == -ENOKEY)
			continue;
		DMERR("%s: the loaded table has no key now: %s",
		      dm_table_device_name(vol->ti->table), error);
	}
	mutex_unlock(&vol->key_lock);
}

/**
 * xc_same_key_size() - find a key "="
 * @vol: a volume being constructed; only its target is used
 * @which: the key
 * @spec: the specification of the cipher that is to have it
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: bytes in the key, or a negative errno with @error set: -ENOKEY if no
 * volume is in use at this place, or it has no key; -EINVAL if it has another
 * cipher, or no conversion.
 */
int xc_same_key_size(const struct xc_volume *vol, enum xc_same which,
		     const char *spec, char **error)
{
	unsigned int noio = xc_places_lock();
	const struct xc_cipher *source = find_source(xc_place_find(vol), which,
						     spec, error);
	int size = PTR_ERR_OR_ZERO(source) ?: (int)source->key.size;

	xc_places_unlock(noio);
	return size;
}

/**
 * xc_same_take_key() - give a cipher a key "="
 * @vol: the volume that the cipher is for, being constructed
 * @which: the key
 * @cipher: the cipher, created for a key of this size
 * @error: set to a message on failure
 *
 * Context: Process context, without any key_lock.  May sleep.
 * Return: 0, or a negative errno with @error set: an error of
 * xc_same_key_size() or of the cipher, -ENOMEM.
 */
int xc_same_take_key(struct xc_volume *vol, enum xc_same which,
		     struct xc_cipher *cipher, char **error)
{
	unsigned int noio = xc_places_lock();
	int err = take_key(vol, xc_place_find(vol), which, cipher, error);

	xc_places_unlock(noio);
	if (!err)
		vol->follows |= BIT(which);
	return err;
}

/**
 * xc_same_follow() - let a volume follow the one in use
 * @vol: a volume whose construction is complete
 * @error: set to a message on failure
 *
 * Takes its keys "=" again, as they may have changed meanwhile.  From then on
 * xc_same_pass_on() may change them.
 *
 * Context: Process context, without any key_lock.  May sleep.
 * Return: 0, or an error of xc_same_take_key() with @error set.
 */
int xc_same_follow(struct xc_volume *vol, char **error)
{
	unsigned int noio = xc_places_lock();
	enum xc_same which;
	int err = 0;

	vol->old_gone = false;
	for_each_set_bit(which, &vol->follows, XC_SAME_KEYS)
		err = err ?: take_key(vol, xc_place_find(vol), which,
				      follower_cipher(vol, which), error);
	if (!err && vol->follows)
		list_add(&vol->follower, &followers);
	xc_places_unlock(noio);
	return err;
}

/**
 * xc_same_pass_on() - tell followers of a change of a key
 * @from: a volume of the live table
 *
 * A follower that cannot take a key has none.
 *
 * Context: Process context, under xc_places_lock(), without any key_lock.  May
 * sleep.
 */
void xc_same_pass_on(const struct xc_volume *from)
{
	struct xc_volume *vol;

	xc_places_assert_locked();
	list_for_each_entry(vol, &followers, follower)
		if (vol != from && xc_place_is_same(vol, from))
			follow(vol, from);
}

/**
 * xc_same_leave() - let a volume keep its keys from now on
 * @vol: the volume; it may have no key "="
 *
 * Context: Process context, under xc_places_lock().
 */
void xc_same_leave(struct xc_volume *vol)
{
	xc_places_assert_locked();
	list_del_init(&vol->follower);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The key of a volume.  It may be changed only while the volume is suspended.
 */
#include "key.h"

#include <linux/blkdev.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "place.h"
#include "same.h"
#include "volume.h"
#include "../cipher/cipher.h"
#include "../cipher/keys.h"
#include "../io/trace.h"
#include "../key/key.h"
#include "../rekey/rekey.h"

/**
 * xc_volume_is_alias() - check for a volume that stands in for dm-crypt's
 * @vol: the volume
 *
 * Context: Any context.
 * Return: true if the name in its table line is "crypt".
 */
bool xc_volume_is_alias(const struct xc_volume *vol)
{
	return !strcmp(vol->ti->type->name, "crypt");
}

/* The number of the mapped device. */
static dev_t mapped_dev(const struct xc_volume *vol)
{
	return disk_devt(dm_disk(dm_table_get_md(vol->ti->table)));
}

/* Use a key; @key gets the old one. */
static int swap_key(struct xc_cipher *cipher, struct xc_key *key, char **error)
{
	xc_key_swap(&cipher->key, key);
	return xc_cipher_set_key(cipher, error);
}

static int wipe_keys(struct xc_volume *vol)
{
	int err = xc_cipher_wipe_key(vol->dev.cipher), r = 0;

	if (vol->new_cipher)
		r = xc_cipher_wipe_key(vol->new_cipher);
	return err ?: r;
}

/* Use @key for @cipher, and let it get the old one; without @key wipe all. */
static int change_key(struct xc_volume *vol, struct xc_cipher *cipher,
		      struct xc_key *key, char **error)
{
	unsigned int noio = xc_places_lock();
	int err = -EINVAL;
	bool suspended;

	mutex_lock(&vol->key_lock);
	suspended = vol->suspended;
	if (!suspended)
		*error = "the device must be suspended to change its key (dmsetup suspend)";
	else
		err = key ? swap_key(cipher, key, error) : wipe_keys(vol);
	mutex_unlock(&vol->key_lock);
	if (suspended)
		xc_same_pass_on(vol);
	xc_places_unlock(noio);
	return err;
}

/*
 * dm-crypt forgets its key when it is to take hex digits and one is not, and
 * cryptsetup's tests count on that.
 */
static bool forgets_key(const struct xc_volume *vol, const char *arg, int err)
{
	return xc_volume_is_alias(vol) && vol->dev.cipher->key.size &&
		arg[0] != ':' && err == -EINVAL;
}

/*
 * The key is loaded before the locks are taken: the keyring may ask a program
 * for it, and that program may wait for this device to be resumed.
 */
static int load_and_swap(struct xc_volume *vol, struct xc_cipher *cipher,
			 const char *arg, char **error)
{
	struct xc_key key = {};
	int size, err;

	size = xc_key_size(arg, error);
	if (size < 0)
		return size;
	if (size != cipher->layout.size) {
		*error = "key: its size cannot be changed";
		return -EINVAL;
	}
	err = xc_key_init(&key, size);
	if (err)
		*error = "key: out of memory";
	else
		err = xc_key_load(&key, arg, error);
	if (!err && vol->rekey)
		err = xc_rekey_check_key(vol->rekey, cipher == vol->new_cipher,
					 key.bytes, error);
	if (!err)
		err = change_key(vol, cipher, &key, error);
	else if (forgets_key(vol, arg, err))
		change_key(vol, cipher, NULL, error);
	xc_key_exit(&key);
	return err;
}

/**
 * xc_volume_set_key() - give a volume a key
 * @vol: the volume
 * @arg: the key argument
 * @error: set to a message on failure
 *
 * Context: Process context, without key_lock.  May sleep.
 * Return: 0, or a negative errno with @error set.  If the cipher refused the
 * key, the volume has no key now; after other errors it has the old one, except
 * under the name "crypt" where dm-crypt has none.
 */
int xc_volume_set_key(struct xc_volume *vol, const char *arg, char **error)
{
	int err = load_and_swap(vol, vol->dev.cipher, arg, error);

	trace_xcrypt_key_set(mapped_dev(vol), err);
	return err;
}

/**
 * xc_volume_set_new_key() - give a volume the new key of its conversion
 * @vol: the volume
 * @arg: the key argument
 * @error: set to a message on failure
 *
 * Context: Process context, without key_lock.  May sleep.
 * Return: 0, or a negative errno with @error set.
 */
int xc_volume_set_new_key(struct xc_volume *vol, const char *arg, char **error)
{
	int err = load_and_swap(vol, vol->new_cipher, arg, error);

	trace_xcrypt_key_set(mapped_dev(vol), err);
	return err;
}

/**
 * xc_volume_wipe_key() - overwrite a volume's key, during a conversion both
 * @vol: the volume
 * @error: set to a message on failure
 *
 * Context: Process context, without key_lock.  May sleep.
 * Return: 0, or a negative errno.
 */
int xc_volume_wipe_key(struct xc_volume *vol, char **error)
{
	int err = change_key(vol, NULL, NULL, error);

	trace_xcrypt_key_wipe(mapped_dev(vol), err);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The places of mapped devices, and the key "=".
 *
 * A place is a sector of a mapped device at which a target of its table begins.
 * A constructor cannot reach the live table through dm core, so this file keeps
 * a list of the volumes in use, from the first resume to the destructor.
 *
 * A table line with the key "=" takes the key of the volume in use at its
 * place.  Until that line is resumed, its volume follows the one in use: it gets
 * each new key, and is wiped with it.  So it never has a key that was wiped or
 * replaced while it was waiting.
 */
#include "place.h"

#include <linux/err.h>
#include <linux/sched/mm.h>

#include "volume.h"
#include "../cipher/cipher.h"
#include "../cipher/keys.h"
#include "../rekey/rekey.h"

static DEFINE_MUTEX(lock);

/*
 * Newest first: between resume of a table and destruction of the old one, a
 * place has two volumes.
 */
static LIST_HEAD(in_use);

/* Volumes that took the key "=" and were not resumed yet. */
static LIST_HEAD(followers);

/**
 * xc_places_lock() - lock the lists of volumes, and the keys of those in them
 *
 * The owner may be needed to resume a device that reclaim waits for, so its
 * allocations do no I/O.
 *
 * Context: Process context, without any key_lock.  May sleep.
 * Return: what xc_places_unlock() needs.
 */
unsigned int xc_places_lock(void)
{
	mutex_lock(&lock);
	return memalloc_noio_save();
}

/**
 * xc_places_unlock() - undo xc_places_lock()
 * @noio: what that returned
 *
 * Context: Process context.
 */
void xc_places_unlock(unsigned int noio)
{
	memalloc_noio_restore(noio);
	mutex_unlock(&lock);
}

/*
 * A mapped device exists as long as any of its tables, so its address cannot
 * mean another one.
 */
static bool same_place(const struct xc_volume *a, const struct xc_volume *b)
{
	return dm_table_get_md(a->ti->table) == dm_table_get_md(b->ti->table) &&
		a->ti->begin == b->ti->begin;
}

/* The cipher whose key "=" means at the place of @vol. */
static const struct xc_cipher *find_cipher(const struct xc_volume *vol,
					   char **error)
{
	const struct xc_volume *other;

	lockdep_assert_held(&lock);
	list_for_each_entry(other, &in_use, place) {
		if (!same_place(other, vol))
			continue;
		if (xc_volume_cipher(other)->key_valid)
			return xc_volume_cipher(other);
		*error = "key: = cannot be taken, that of the table in use was wiped";
		return ERR_PTR(-ENOKEY);
	}
	*error = "key: = cannot be taken, no xcrypt table in use begins at this sector";
	return ERR_PTR(-ENOKEY);
}

static int check_spec(const struct xc_cipher *from, const char *spec,
		      char **error)
{
	if (!strcmp(from->spec, spec))
		return 0;
	*error = "key: = cannot be taken, the table in use has another cipher";
	return -EINVAL;
}

static int copy_key(struct xc_cipher *cipher, const struct xc_cipher *from,
		    char **error)
{
	int err = check_spec(from, cipher->spec, error);

	if (err)
		return err;
	if (cipher->key.size != from->key.size) {
		*error = "key: = cannot be taken, the table in use was replaced meanwhile";
		return -EINVAL;
	}
	if (xc_key_copy(&cipher->key, &from->key)) {
		*error = "key: out of memory";
		return -ENOMEM;
	}
	return xc_cipher_set_key(cipher, error);
}

static void follow(struct xc_volume *vol, const struct xc_cipher *from)
{
	struct xc_cipher *cipher = vol->dev.cipher;
	char *error;

	mutex_lock(&vol->key_lock);
	if (!from->key_valid) {
		xc_cipher_wipe_key(cipher);
	} else if (copy_key(cipher, from, &error)) {
		xc_cipher_wipe_key(cipher);
		DMERR("%s: the loaded table has no key now: %s",
		      dm_table_device_name(vol->ti->table), error);
	}
	mutex_unlock(&vol->key_lock);
}

/**
 * xc_place_pass_on() - tell followers of a change of a key
 * @vol: a volume of the live table
 *
 * A follower that cannot take the new key has none.
 *
 * Context: Process context, under xc_places_lock(), without any key_lock.  May
 * sleep.
 */
void xc_place_pass_on(const struct xc_volume *vol)
{
	struct xc_volume *other;

	lockdep_assert_held(&lock);
	list_for_each_entry(other, &followers, place)
		if (other != vol && same_place(other, vol))
			follow(other, xc_volume_cipher(vol));
}

/**
 * xc_place_enter() - take a volume into use
 * @vol: the volume
 *
 * Context: Process context, in the target's resume method, without any
 * key_lock.  May sleep.
 */
void xc_place_enter(struct xc_volume *vol)
{
	unsigned int noio = xc_places_lock();

	list_move(&vol->place, &in_use);
	/* a table that was loaded while this one was being resumed */
	xc_place_pass_on(vol);
	xc_places_unlock(noio);
}

/**
 * xc_place_leave() - forget a volume
 * @vol: the volume
 *
 * Context: Process context, in the target's dtr method.  May sleep.
 */
void xc_place_leave(struct xc_volume *vol)
{
	unsigned int noio = xc_places_lock();

	list_del_init(&vol->place);
	xc_places_unlock(noio);
}

/**
 * xc_place_key_size() - find the key "="
 * @vol: a volume being constructed; only its target is used
 * @spec: its cipher specification
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: bytes in the key, or a negative errno with @error set: -ENOKEY if no
 * volume is in use at this place, or it has no key; -EINVAL if it has another
 * cipher.
 */
int xc_place_key_size(const struct xc_volume *vol, const char *spec,
		      char **error)
{
	unsigned int noio = xc_places_lock();
	const struct xc_cipher *from = find_cipher(vol, error);
	int size = PTR_ERR_OR_ZERO(from) ?: check_spec(from, spec, error) ?:
		(int)from->key.size;

	xc_places_unlock(noio);
	return size;
}

/**
 * xc_place_take_key() - give a volume the key "=", and let it follow
 * @vol: a volume whose construction is complete but for its key
 * @error: set to a message on failure
 *
 * Context: Process context, without any key_lock.  May sleep.
 * Return: 0, or a negative errno with @error set: an error of
 * xc_place_key_size() or of the cipher, -ENOMEM.
 */
int xc_place_take_key(struct xc_volume *vol, char **error)
{
	unsigned int noio = xc_places_lock();
	const struct xc_cipher *from = find_cipher(vol, error);
	int err = PTR_ERR_OR_ZERO(from) ?:
		copy_key(vol->dev.cipher, from, error);

	if (!err)
		list_add(&vol->place, &followers);
	xc_places_unlock(noio);
	return err;
}

/**
 * xc_place_check_rekey() - check that no unfinished conversion would be given up
 * @vol: a volume being constructed, with its underlying device
 * @rekey: its conversion, or NULL
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: 0, or -EBUSY with @error set.
 */
int xc_place_check_rekey(const struct xc_volume *vol,
			 const struct xc_rekey *rekey, char **error)
{
	unsigned int noio = xc_places_lock();
	const struct xc_volume *other;
	int err = 0;

	list_for_each_entry(other, &in_use, place) {
		if (!same_place(other, vol) || !other->rekey ||
		    other->dev.lower->bdev != vol->dev.lower->bdev ||
		    xc_rekey_is_done(other->rekey))
			continue;
		if (rekey && xc_rekey_same_state(rekey, other->rekey))
			continue;
		*error = "rekey_state: must stay until the conversion is done";
		err = -EBUSY;
	}
	xc_places_unlock(noio);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The places of mapped devices.
 *
 * A place is a sector of a mapped device at which a target of its table begins.
 * A constructor cannot reach the live table through dm core, so this file keeps
 * a list of the volumes in use, from the first resume to the destructor.
 */
#include "place.h"

#include <linux/sched/mm.h>

#include "volume.h"
#include "../rekey/rekey.h"

static DEFINE_MUTEX(lock);

/*
 * Newest first: between resume of a table and destruction of the old one, a
 * place has two volumes.
 */
static LIST_HEAD(in_use);

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

/**
 * xc_places_assert_locked() - check that the caller has xc_places_lock()
 *
 * Context: Process context.
 */
void xc_places_assert_locked(void)
{
	lockdep_assert_held(&lock);
}

/**
 * xc_place_is_same() - compare the places of two volumes
 * @a: a volume
 * @b: another
 *
 * A mapped device exists as long as any of its tables, so its address cannot
 * mean another one.
 *
 * Context: Any context.
 * Return: true if they begin at the same sector of the same mapped device.
 */
bool xc_place_is_same(const struct xc_volume *a, const struct xc_volume *b)
{
	return dm_table_get_md(a->ti->table) == dm_table_get_md(b->ti->table) &&
		a->ti->begin == b->ti->begin;
}

/**
 * xc_place_find() - find the volume in use at a place
 * @vol: a volume of this place
 *
 * Context: Process context, under xc_places_lock().
 * Return: the volume resumed last, or NULL.
 */
const struct xc_volume *xc_place_find(const struct xc_volume *vol)
{
	const struct xc_volume *other;

	lockdep_assert_held(&lock);
	list_for_each_entry(other, &in_use, place)
		if (xc_place_is_same(other, vol))
			return other;
	return NULL;
}

/**
 * xc_place_enter() - take a volume into use
 * @vol: the volume
 *
 * Context: Process context, under xc_places_lock().
 */
void xc_place_enter(struct xc_volume *vol)
{
	lockdep_assert_held(&lock);
	list_move(&vol->place, &in_use);
}

/**
 * xc_place_leave() - forget a volume
 * @vol: the volume
 *
 * Context: Process context, under xc_places_lock().
 */
void xc_place_leave(struct xc_volume *vol)
{
	lockdep_assert_held(&lock);
	list_del_init(&vol->place);
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
		if (!xc_place_is_same(other, vol) || !other->rekey ||
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

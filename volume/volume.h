/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A volume: a mapped device, or one segment of it.
 */
#ifndef _XC_VOLUME_H
#define _XC_VOLUME_H

#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>

#include "../cipher/cipher.h"
#include "../io/device.h"
#include "../rekey/rekey.h"

/**
 * struct xc_volume - a volume, the private data of a target
 * @dev: its I/O side
 * @ti: the target
 * @new_cipher: the new side of a conversion, else NULL
 * @rekey: the conversion, else NULL
 * @suspended: no bio is in flight, so that the key may be changed
 * @key_lock: protects @suspended and the keys of the ciphers, and @old_gone.  Keys of
 *	a volume in one of the two lists change only under xc_places_lock() as
 *	well, so that either lock is enough to read them.
 * @place: entry in the list of volumes in use
 * @follower: entry in the list of those with a key "=" that are not yet
 * @follows: bits numbered by enum xc_same; the keys that are "="
 * @old_gone: no old key is needed, as the conversion in use that this volume
 *	continues is done
 */
struct xc_volume {
	struct xc_device dev;
	struct dm_target *ti;
	struct xc_cipher *new_cipher;
	struct xc_rekey *rekey;
	bool suspended;
	struct mutex key_lock;	/* suspended, keys and key_valid of ciphers */
	struct list_head place;
	struct list_head follower;
	unsigned long follows;
	bool old_gone;
};

/**
 * xc_volume_cipher() - find the cipher that a volume goes on with
 * @vol: the volume
 *
 * Context: Any context.
 * Return: the cipher of its table line, or after a conversion the new one.
 */
static inline struct xc_cipher *xc_volume_cipher(const struct xc_volume *vol)
{
	return vol->rekey && xc_rekey_is_done(vol->rekey) ? vol->new_cipher :
							     vol->dev.cipher;
}

/**
 * xc_volume_has_key() - check whether a volume may be resumed
 * @vol: the volume
 *
 * Context: Process context, with key_lock held.
 * Return: true if it has all keys that it needs.
 */
static inline bool xc_volume_has_key(const struct xc_volume *vol)
{
	lockdep_assert_held(&vol->key_lock);
	return (xc_volume_cipher(vol)->key_valid || vol->old_gone) &&
		(!vol->new_cipher || vol->new_cipher->key_valid);
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking a volume into use, and suspending it.
 *
 * A conversion stops before the file system is frozen, and nothing else does:
 * what the file system writes then goes through the gate.
 */
#include "use.h"

#include "place.h"
#include "same.h"
#include "volume.h"
#include "../cipher/keys.h"
#include "../rekey/rekey.h"

/**
 * xc_volume_presuspend() - stop a conversion
 * @vol: the volume
 *
 * Context: Process context, while bios may come.  May sleep.
 */
void xc_volume_presuspend(struct xc_volume *vol)
{
	if (vol->rekey)
		xc_rekey_suspend(vol->rekey);
}

/**
 * xc_volume_presuspend_undo() - continue a conversion, as the volume is not
 * suspended after all
 * @vol: the volume
 *
 * Context: Process context.  May sleep.
 */
void xc_volume_presuspend_undo(struct xc_volume *vol)
{
	if (vol->rekey)
		xc_rekey_resume(vol->rekey);
}

/**
 * xc_volume_postsuspend() - allow changes of the key
 * @vol: the volume; no bio is in flight
 *
 * Context: Process context, without key_lock.  May sleep.
 */
void xc_volume_postsuspend(struct xc_volume *vol)
{
	if (vol->rekey)
		xc_rekey_postsuspend(vol->rekey);
	mutex_lock(&vol->key_lock);
	vol->suspended = true;
	mutex_unlock(&vol->key_lock);
}

/**
 * xc_volume_preresume() - check that a volume may be resumed
 * @vol: the volume
 * @error: set to a message on failure
 *
 * Context: Process context, without key_lock.  May sleep.
 * Return: 0; -EAGAIN without a key; or a negative errno of the conversion; with
 * @error set.
 */
int xc_volume_preresume(struct xc_volume *vol, char **error)
{
	bool valid, new_only;

	mutex_lock(&vol->key_lock);
	valid = xc_volume_has_key(vol);
	new_only = !valid && (vol->dev.cipher->key_valid || vol->old_gone);
	mutex_unlock(&vol->key_lock);
	if (valid)
		return vol->rekey ? xc_rekey_preresume(vol->rekey, error) : 0;
	*error = new_only ?
		"not resumed without a key; set one with \"rekey key set <key>\"" :
		"not resumed without a key; set one with the message \"key set <key>\"";
	return -EAGAIN;
}

/**
 * xc_volume_resume() - take a volume into use, and disallow changes of the key
 * @vol: the volume
 *
 * Context: Process context, without key_lock, before the first bio.  May sleep.
 */
void xc_volume_resume(struct xc_volume *vol)
{
	unsigned int noio;

	mutex_lock(&vol->key_lock);
	vol->suspended = false;
	mutex_unlock(&vol->key_lock);

	noio = xc_places_lock();
	xc_same_leave(vol);
	xc_place_enter(vol);
	/* a table may have been loaded while this one was being resumed */
	xc_same_pass_on(vol);
	xc_places_unlock(noio);
	if (vol->rekey)
		xc_rekey_resume(vol->rekey);
}

/**
 * xc_volume_converted() - forget the old key, as all is converted
 * @ti: the target; no bio uses the old side
 *
 * Context: Process context, without key_lock.  May sleep.
 */
void xc_volume_converted(struct dm_target *ti)
{
	struct xc_volume *vol = ti->private;
	unsigned int noio = xc_places_lock();

	mutex_lock(&vol->key_lock);
	xc_cipher_wipe_key(vol->dev.cipher);
	mutex_unlock(&vol->key_lock);
	xc_same_pass_on(vol);
	xc_places_unlock(noio);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A volume, printed as the table line that creates it, and as IMA measures it.
 */
#include "table.h"

#include <linux/lockdep.h>

#include "volume.h"
#include "../cipher/cipher.h"
#include "../rekey/rekey.h"
#include "../table/print.h"

/**
 * xc_table_print() - print the table line that creates a volume
 * @vol: the volume
 * @result: buffer to print to
 * @maxlen: its size in bytes
 *
 * Context: Process context, with key_lock held.
 */
void xc_table_print(const struct xc_volume *vol, char *result,
		    unsigned int maxlen)
{
	const struct xc_device *dev = &vol->dev;
	const struct xc_key *key = &dev->cipher->key;
	const struct xc_cipher *new = vol->new_cipher;
	struct xc_rekey_words rekey = {};
	unsigned int i, sz = 0;

	lockdep_assert_held(&vol->key_lock);
	DMEMIT("%s ", dev->cipher->spec);
	if (!key->size)
		DMEMIT("-");
	else if (key->keyring)
		DMEMIT(":%u:%s", key->size, key->keyring);
	else
		for (i = 0; i < key->size; i++)
			DMEMIT("%02x", key->bytes[i]);
	DMEMIT(" %llu %s %llu", dev->cipher->iv_offset, dev->lower->name,
	       (unsigned long long)dev->start);
	if (vol->rekey) {
		rekey.state = xc_rekey_state_name(vol->rekey);
		rekey.key_size = new->key.size;
		rekey.keyring = new->key.keyring;
		if (strcmp(new->spec, dev->cipher->spec))
			rekey.cipher = new->spec;
		if (new->sector_size != dev->cipher->sector_size)
			rekey.sector_size = new->sector_size;
		rekey.iv_offset = new->iv_offset;
		rekey.has_iv_offset = new->iv_offset != dev->cipher->iv_offset;
	}
	xc_options_print(&dev->opt, &rekey, result + sz, maxlen - sz);
}

/**
 * xc_ima_print() - print a volume as IMA measures it
 * @vol: the volume
 * @type: the target type of its table line
 * @result: buffer to print to
 * @maxlen: its size in bytes
 *
 * Prints the same words as dm-crypt, and no key.
 *
 * Context: Process context.
 */
void xc_ima_print(const struct xc_volume *vol, const struct target_type *type,
		  char *result, unsigned int maxlen)
{
	const struct xc_cipher *cipher = vol->dev.cipher;
	const struct xc_key_layout *layout = &cipher->layout;
	unsigned int sz = 0;

	DMEMIT_TARGET_NAME_VERSION(type);
	sz += xc_options_print_ima(&vol->dev.opt, result + sz, maxlen - sz);
	DMEMIT(",cipher_string=%s", cipher->spec);
	DMEMIT(",key_size=%u,key_parts=%u,key_extra_size=%u,key_mac_size=%u;",
	       layout->size, layout->parts, layout->extra, layout->mac);
}

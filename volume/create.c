// SPDX-License-Identifier: GPL-2.0-only
/*
 * Creating a volume from a table line.
 */
#include "create.h"

#include <linux/err.h>
#include <linux/slab.h>

#include "key.h"
#include "place.h"
#include "same.h"
#include "use.h"
#include "volume.h"
#include "../cipher/cipher.h"
#include "../cipher/create.h"
#include "../cipher/keys.h"
#include "../io/init.h"
#include "../rekey/rekey.h"
#include "../table/log.h"
#include "../table/table.h"

static char *open_error(int err)
{
	switch (err) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
	case -ENOTBLK:
		return "device: no such block device";
	case -EACCES:
	case -EPERM:
		return "device: permission denied";
	case -EBUSY:
		return "device: in use, mounted or by another driver";
	case -EROFS:
		return "device: read-only, but the mapping is not";
	case -ENOMEM:
		return "device: out of memory";
	default:
		return "device: cannot be opened";
	}
}

static int open_lower(struct xc_volume *vol, const struct xc_table *table)
{
	struct dm_target *ti = vol->ti;
	int err = xc_get_device(ti, table->device,
				dm_table_get_mode(ti->table), &vol->dev.lower);

	if (err)
		ti->error = open_error(err);
	return err;
}

/* ---- ciphers and their keys ---------------------------------------------- */

/**
 * struct side - what a table line says of a cipher
 * @spec: the cipher specification
 * @key: the key argument
 * @same: what the key "=" means
 * @iv_offset: added to sector numbers for the IV, in 512-byte sectors
 * @opt: the options
 */
struct side {
	const char *spec;
	const char *key;
	enum xc_same same;
	u64 iv_offset;
	const struct xc_options *opt;
};

static int load_key(struct xc_cipher *cipher, const char *arg, char **error)
{
	int err = xc_key_load(&cipher->key, arg, error);

	return err ?: xc_cipher_set_key(cipher, error);
}

static struct xc_cipher *create_cipher(struct xc_volume *vol,
				       const struct side *side, char **error)
{
	/* dm-crypt has no such key */
	bool same = xc_key_is_same(side->key) && !xc_volume_is_alias(vol);
	struct xc_cipher *cipher;
	int err, size;

	size = same ? xc_same_key_size(vol, side->same, side->spec, error) :
		      xc_key_size(side->key, error);
	if (size < 0)
		return ERR_PTR(size);
	cipher = xc_cipher_create(side->spec, size, side->iv_offset, side->opt,
				  error);
	if (IS_ERR(cipher))
		return cipher;
	err = same ? xc_same_take_key(vol, side->same, cipher, error) :
		     load_key(cipher, side->key, error);
	if (err) {
		xc_cipher_destroy(cipher);
		return ERR_PTR(err);
	}
	return cipher;
}

/* A line that continues a conversion has the old key of it. */
static struct xc_cipher *create_line_cipher(struct xc_volume *vol,
					    const struct xc_table *table)
{
	const struct side side = {
		.spec = table->cipher,
		.key = table->key,
		.same = table->rekey.state &&
			!xc_opt(&table->opt, XC_REKEY_START) ?
			XC_SAME_OLD : XC_SAME_KEY,
		.iv_offset = table->iv_offset,
		.opt = &table->opt,
	};

	return create_cipher(vol, &side, &vol->ti->error);
}

/* The options of the new side: of the line's, those that a cipher looks at. */
static struct xc_options new_options(const struct xc_table *table)
{
	struct xc_options opt = table->opt;

	if (table->rekey.sector_size)
		opt.sector_size = table->rekey.sector_size;
	if (xc_opt(&opt, XC_REKEY_IV_LARGE_SECTORS))
		opt.flags |= BIT(XC_IV_LARGE_SECTORS);
	return opt;
}

static struct xc_cipher *create_new_cipher(struct xc_volume *vol,
					   const struct xc_table *table)
{
	const struct xc_options opt = new_options(table);
	const struct xc_new_side *new = &table->rekey;
	const struct side side = {
		.spec = new->cipher ?: table->cipher,
		.key = new->key,
		.same = XC_SAME_NEW,
		.iv_offset = new->has_iv_offset ? new->iv_offset :
						  table->iv_offset,
		.opt = &opt,
	};
	char **error = &vol->ti->error;
	struct xc_cipher *cipher = create_cipher(vol, &side, error);

	if (IS_ERR(cipher) && !strstarts(*error, "rekey_key:")) {
		DMERR("%s", *error);
		*error = new->cipher ?
			"rekey_cipher: refused, with rekey_key, for the reason above" :
			"rekey_key: refused for the reason above";
	}
	return cipher;
}

/* ---- a conversion -------------------------------------------------------- */

static int init_rekey(struct xc_volume *vol, const struct xc_table *table)
{
	struct xc_rekey_setup setup = {
		.old = vol->dev.cipher,
		.lower = vol->dev.lower,
		.start = vol->dev.start,
		.state = table->rekey.state,
		.begin = xc_opt(&table->opt, XC_REKEY_START),
		.paused = xc_opt(&table->opt, XC_REKEY_PAUSED),
		.sparse = xc_opt(&table->opt, XC_REKEY_SPARSE),
		.resilience = table->opt.resilience,
		.converted = xc_volume_converted,
	};
	struct dm_target *ti = vol->ti;
	struct xc_rekey *rekey;
	int err;

	setup.new = create_new_cipher(vol, table);
	if (IS_ERR(setup.new))
		return PTR_ERR(setup.new);
	rekey = xc_rekey_create(ti, &setup, &ti->error);
	err = PTR_ERR_OR_ZERO(rekey);
	if (!err) {
		err = xc_place_check_rekey(vol, rekey, &ti->error);
		if (err)
			xc_rekey_destroy(rekey);
	}
	if (err) {
		xc_cipher_destroy(setup.new);
		return err;
	}
	vol->new_cipher = setup.new;
	vol->rekey = rekey;
	vol->dev.gate = xc_rekey_gate(rekey);
	/* a table is printed without the word */
	__clear_bit(XC_REKEY_START, &vol->dev.opt.flags);
	return 0;
}

static void exit_rekey(struct xc_volume *vol)
{
	if (!vol->rekey)
		return;
	xc_rekey_destroy(vol->rekey);
	xc_cipher_destroy(vol->new_cipher);
}

/* ---- the volume ---------------------------------------------------------- */

static int init_volume(struct xc_volume *vol, const struct xc_table *table)
{
	struct dm_target *ti = vol->ti;
	struct xc_cipher *cipher;
	int err;

	if (table->rekey.state && xc_volume_is_alias(vol)) {
		ti->error = "rekey_state: only for a target named xcrypt";
		return -EINVAL;
	}

	cipher = create_line_cipher(vol, table);
	if (IS_ERR(cipher))
		return PTR_ERR(cipher);
	vol->dev.cipher = cipher;
	vol->dev.opt = table->opt;
	vol->dev.start = table->start;
	err = open_lower(vol, table);
	if (err)
		goto destroy_cipher;
	err = table->rekey.state ? init_rekey(vol, table) :
				   xc_place_check_rekey(vol, NULL, &ti->error);
	if (err)
		goto close_lower;
	err = xc_device_init(&vol->dev, dm_table_device_name(ti->table),
			     &ti->error);
	if (err)
		goto exit_rekey;
	/* from then on a message to the live table may change the keys */
	err = xc_same_follow(vol, &ti->error);
	if (err)
		goto exit_device;
	return 0;

exit_device:
	xc_device_exit(&vol->dev);
exit_rekey:
	exit_rekey(vol);
close_lower:
	dm_put_device(ti, vol->dev.lower);
destroy_cipher:
	xc_cipher_destroy(cipher);
	return err;
}

/**
 * xc_volume_create() - create a volume
 * @ti: the target; ``error`` is set to a message on failure
 * @argc: number of words of the table line after the target's name
 * @argv: these words
 *
 * Logs the value of a refused argument, but not the key.
 *
 * Context: Process context, in the target's ctr method.  May sleep.
 * Return: the volume, to be freed with xc_volume_destroy(), or an ERR_PTR().
 */
struct xc_volume *xc_volume_create(struct dm_target *ti, unsigned int argc,
				   char **argv)
{
	struct xc_volume *vol;
	struct xc_table table;
	int err;

	err = xc_table_parse(&table, argc, argv, ti->len, &ti->error);
	if (err)
		return ERR_PTR(err);
	vol = kzalloc(sizeof(*vol), GFP_KERNEL);
	if (!vol) {
		ti->error = "out of memory for the volume";
		return ERR_PTR(-ENOMEM);
	}
	vol->ti = ti;
	/* no bio comes before the first resume */
	vol->suspended = true;
	mutex_init(&vol->key_lock);
	INIT_LIST_HEAD(&vol->place);
	INIT_LIST_HEAD(&vol->follower);
	err = init_volume(vol, &table);
	if (err) {
		xc_log_refused(argc, argv, ti->error);
		kfree(vol);
		return ERR_PTR(err);
	}
	return vol;
}

/**
 * xc_volume_destroy() - undo xc_volume_create()
 * @vol: the volume; no bio may be in flight
 *
 * Context: Process context, in the target's dtr method.  May sleep.
 */
void xc_volume_destroy(struct xc_volume *vol)
{
	unsigned int noio = xc_places_lock();

	xc_same_leave(vol);
	xc_place_leave(vol);
	xc_places_unlock(noio);
	xc_device_exit(&vol->dev);
	exit_rekey(vol);
	dm_put_device(vol->ti, vol->dev.lower);
	xc_cipher_destroy(vol->dev.cipher);
	kfree(vol);
}

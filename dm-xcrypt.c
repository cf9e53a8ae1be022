// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-xcrypt: the device-mapper target, thin.  Registration and the methods
 * that device mapper calls; what they do is in the folders.
 */
#include <linux/audit.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "dm-xcrypt.h"
#include "stats/trace.h"

static bool crypt_alias;
module_param(crypt_alias, bool, 0444);
MODULE_PARM_DESC(crypt_alias, "Also register the target as \"crypt\"");

/* As logged by dm-audit.h, which is not among the installed headers. */
static void audit(struct dm_target *ti, const char *op, bool ok)
{
	dm_audit_log_ti(AUDIT_DM_CTRL, DM_MSG_PREFIX, op, ti, ok);
}

/* Why the device below could not be opened. */
static char *not_opened(int err)
{
	switch (err) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
	case -ENOTBLK:
		return "device: there is no such block device";
	case -EBUSY:
		return "device: in use, mounted or by another driver";
	case -EROFS:
		return "device: read-only, which the mapping is not";
	default:
		return "device: cannot be opened";
	}
}

static int create_volume(struct xc_volume *vol, const struct xc_table *table,
			 struct dm_target *ti)
{
	int err;

	vol->opt = table->opt;
	vol->start = table->start;
	mutex_init(&vol->key_lock);

	vol->cipher = xc_cipher_create(table, &ti->error);
	if (IS_ERR(vol->cipher))
		return PTR_ERR(vol->cipher);

	err = xc_get_device(ti, table->device, dm_table_get_mode(ti->table),
			    &vol->dev);
	if (err) {
		ti->error = not_opened(err);
		goto destroy_cipher;
	}
	err = xc_volume_init(vol, dm_table_device_name(ti->table), &ti->error);
	if (err)
		goto put_device;
	return 0;

put_device:
	dm_put_device(ti, vol->dev);
destroy_cipher:
	xc_cipher_destroy(vol->cipher);
	return err;
}

/* Construct: <cipher> <key> <iv_offset> <device> <offset> [<#opts> <opt>...] */
static int xcrypt_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct xc_volume *vol;
	struct xc_table table;
	int err;

	vol = kzalloc(sizeof(*vol), GFP_KERNEL);
	if (!vol) {
		ti->error = "no memory for the volume";
		err = -ENOMEM;
		goto out;
	}
	err = xc_table_parse(&table, argc, argv, ti->len, &ti->error);
	if (!err) {
		err = create_volume(vol, &table, ti);
		if (err)
			xc_log_refused(argc, argv, ti->error);
	}
	if (err) {
		kfree(vol);
		goto out;
	}

	ti->private = vol;
	ti->per_io_data_size = vol->io_size;
	ti->num_flush_bios = 1;
	ti->num_discard_bios = xc_opt(&vol->opt, XC_ALLOW_DISCARDS);
	ti->limit_swap_bios = true;
	ti->accounts_remapped_io = true;
	/*
	 * Appended writes all carry the start of their zone as sector, of which
	 * no IV can be made: dm core turns them into writes.
	 */
	ti->emulate_zone_append = vol->ordered;
out:
	if (argc > 1)
		xc_key_clear_arg(argv[1]);
	audit(ti, "ctr", !err);
	return err;
}

static void xcrypt_dtr(struct dm_target *ti)
{
	struct xc_volume *vol = ti->private;

	xc_volume_exit(vol);
	dm_put_device(ti, vol->dev);
	xc_cipher_destroy(vol->cipher);
	kfree(vol);
	audit(ti, "dtr", true);
}

static int xcrypt_map(struct dm_target *ti, struct bio *bio)
{
	struct xc_volume *vol = ti->private;
	sector_t sector = dm_target_offset(ti, bio->bi_iter.bi_sector);
	int result = DM_MAPIO_KILL;

	/* no data: flushes (dm core splits those off), discards, zone resets */
	if (!bio_has_data(bio)) {
		bio_set_dev(bio, vol->dev->bdev);
		if (!(bio->bi_opf & REQ_PREFLUSH))
			bio->bi_iter.bi_sector = vol->start + sector;
		return DM_MAPIO_REMAPPED;
	}

	/* a message may take it when the device is as good as resumed */
	if (likely(READ_ONCE(vol->cipher->key_valid)))
		result = xc_map(vol, bio, sector);
	if (unlikely(result == DM_MAPIO_KILL))
		this_cpu_inc(vol->stats->errors);
	return result;
}

/* A bio has ended, with data or without; not one that map refused. */
static int xcrypt_end_io(struct dm_target *ti, struct bio *bio,
			 blk_status_t *error)
{
	struct xc_volume *vol = ti->private;

	if (unlikely(*error))
		this_cpu_inc(vol->stats->errors);
	return DM_ENDIO_DONE;
}

static void xcrypt_status(struct dm_target *ti, status_type_t type,
			  unsigned int flags, char *result, unsigned int maxlen)
{
	struct xc_volume *vol = ti->private;

	mutex_lock(&vol->key_lock);
	switch (type) {
	case STATUSTYPE_INFO:
		xc_status_print(vol, result, maxlen);
		break;
	case STATUSTYPE_TABLE:
		xc_table_print(vol, result, maxlen);
		break;
	case STATUSTYPE_IMA:
		xc_ima_print(vol, ti->type, result, maxlen);
		break;
	}
	mutex_unlock(&vol->key_lock);
}

static void xcrypt_postsuspend(struct dm_target *ti)
{
	struct xc_volume *vol = ti->private;

	mutex_lock(&vol->key_lock);
	vol->suspended = true;
	mutex_unlock(&vol->key_lock);
}

static int xcrypt_preresume(struct dm_target *ti)
{
	struct xc_volume *vol = ti->private;
	bool valid;

	mutex_lock(&vol->key_lock);
	valid = vol->cipher->key_valid;
	mutex_unlock(&vol->key_lock);

	if (!valid) {
		DMERR("%s: not resumed, there is no key; set one with the message \"key set\"",
		      dm_table_device_name(ti->table));
		return -EAGAIN;
	}
	return 0;
}

/* Not before all targets of the table agreed: the device stays suspended else. */
static void xcrypt_resume(struct dm_target *ti)
{
	struct xc_volume *vol = ti->private;

	mutex_lock(&vol->key_lock);
	vol->suspended = false;
	mutex_unlock(&vol->key_lock);
}

/* Give the volume a key, or take its key away (NULL). */
static int change_key(struct xc_volume *vol, struct xc_key *key, char **error)
{
	int err;

	mutex_lock(&vol->key_lock);
	if (!vol->suspended) {
		*error = "the device must be suspended to change its key";
		err = -EINVAL;
	} else if (key) {
		swap(vol->cipher->key, *key);
		err = xc_cipher_set_key(vol->cipher, error);
	} else {
		err = xc_cipher_wipe_key(vol->cipher);
	}
	mutex_unlock(&vol->key_lock);
	return err;
}

/*
 * The keyring may ask a program for the key, which may wait for this very
 * device to be resumed: the key is there before the lock is taken.
 */
static int set_key(struct xc_volume *vol, const char *arg, char **error)
{
	struct xc_key key = {};
	int size, err;

	size = xc_key_size(arg, error);
	if (size < 0)
		return size;
	if (size != vol->cipher->layout.size) {
		*error = "key: its size cannot be changed";
		return -EINVAL;
	}
	err = xc_key_init(&key, size);
	if (err)
		*error = "key: no memory for it";
	else
		err = xc_key_load(&key, arg, error);
	if (!err)
		err = change_key(vol, &key, error);
	xc_key_exit(&key);
	return err;
}

static int key_message(struct dm_target *ti, const struct xc_message *message)
{
	dev_t dev = disk_devt(dm_disk(dm_table_get_md(ti->table)));
	struct xc_volume *vol = ti->private;
	char *error = NULL;
	int err;

	if (message->action == XC_KEY_SET) {
		err = set_key(vol, message->key, &error);
		trace_xcrypt_key_set(dev, err);
	} else {
		err = change_key(vol, NULL, &error);
		trace_xcrypt_key_wipe(dev, err);
	}
	if (error)
		DMERR("message refused: %s", error);
	return err;
}

static int xcrypt_message(struct dm_target *ti, unsigned int argc, char **argv,
			  char *result, unsigned int maxlen)
{
	struct xc_message message;
	unsigned int noio, i;
	char *error;
	int err;

	err = xc_message_parse(&message, argc, argv, &error);
	if (!err && message.action == XC_STATS) {
		/* the answer, which 1 announces, is written over the message */
		xc_times_print(ti->private, result, maxlen);
		return 1;
	}

	if (err) {
		DMERR("message refused: %s", error);
	} else {
		/* a suspended device: to free memory through it would not end */
		noio = memalloc_noio_save();
		err = key_message(ti, &message);
		memalloc_noio_restore(noio);
	}

	/* a key may stand anywhere in a message that is not well formed */
	for (i = 0; i < argc; i++)
		xc_key_clear_arg(argv[i]);
	return err;
}

static int xcrypt_iterate_devices(struct dm_target *ti,
				  iterate_devices_callout_fn fn, void *data)
{
	struct xc_volume *vol = ti->private;

	return fn(ti, vol->dev, vol->start, ti->len, data);
}

static void xcrypt_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	struct xc_volume *vol = ti->private;
	unsigned int whole = xc_max_buffer_size(vol);

	/*
	 * dma_alignment is dm core's: the device's below, but not less than
	 * 512.  What is finer still takes the way through private pages.
	 */
	dm_stack_bs_limits(limits, vol->opt.sector_size);

	/* what cannot be split must fit a buffer, and its tags theirs */
	if (vol->tags_sectors)
		whole = min(whole, vol->tags_sectors << SECTOR_SHIFT);
	if (vol->ordered)
		xc_limit_zone_writes(limits, whole);
	xc_limit_atomic_writes(limits, rounddown_pow_of_two(whole));
}

#ifdef CONFIG_BLK_DEV_ZONED
static int xcrypt_report_zones(struct dm_target *ti,
			       struct dm_report_zones_args *args,
			       unsigned int nr_zones)
{
	struct xc_volume *vol = ti->private;

	return dm_report_zones(vol->dev->bdev, vol->start,
			       vol->start + dm_target_offset(ti, args->next_sector),
			       args, nr_zones);
}
#else
#define xcrypt_report_zones NULL
#endif

#define XCRYPT_METHODS							\
	.module = THIS_MODULE,						\
	.features = DM_TARGET_ZONED_HM | DM_TARGET_ATOMIC_WRITES,	\
	.ctr = xcrypt_ctr,						\
	.dtr = xcrypt_dtr,						\
	.map = xcrypt_map,						\
	.end_io = xcrypt_end_io,					\
	.status = xcrypt_status,					\
	.postsuspend = xcrypt_postsuspend,				\
	.preresume = xcrypt_preresume,					\
	.resume = xcrypt_resume,					\
	.message = xcrypt_message,					\
	.iterate_devices = xcrypt_iterate_devices,			\
	.io_hints = xcrypt_io_hints,					\
	.report_zones = xcrypt_report_zones

static struct target_type xcrypt_target = {
	.name = "xcrypt",
	.version = { 1, 0, 0 },
	XCRYPT_METHODS,
};

/* cryptsetup tells by the version which features it may use. */
static struct target_type crypt_target = {
	.name = "crypt",
	.version = { 1, 29, 0 },
	XCRYPT_METHODS,
};

static int __init xcrypt_init(void)
{
	int err;

	xc_batch_init();
	xc_inject_init();
	err = dm_register_target(&xcrypt_target);
	if (err)
		goto out;
	if (!crypt_alias)
		return 0;

	err = dm_register_target(&crypt_target);
	if (err == -EEXIST || err == -EBUSY) {
		DMERR("crypt_alias: there is a target \"crypt\" already; unload dm_crypt first");
		err = -EBUSY;
	}
	if (!err)
		return 0;
	dm_unregister_target(&xcrypt_target);
out:
	xc_inject_exit();
	return err;
}

static void __exit xcrypt_exit(void)
{
	if (crypt_alias)
		dm_unregister_target(&crypt_target);
	dm_unregister_target(&xcrypt_target);
	xc_inject_exit();
}

module_init(xcrypt_init);
module_exit(xcrypt_exit);

MODULE_DESCRIPTION("device-mapper target for transparent encryption");
MODULE_LICENSE("GPL");

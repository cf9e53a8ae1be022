// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-xcrypt: the device-mapper target.  Registration, and the methods that dm
 * core calls; the folders do the work.
 */
#include "dm-xcrypt.h"

#include <linux/audit.h>
#include <linux/blkdev.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/sched/mm.h>

#include "cipher/batch.h"
#include "debug/inject.h"
#include "io/buffer.h"
#include "io/gate.h"
#include "io/map.h"
#include "key/key.h"
#include "rekey/rekey.h"
#include "rekey/sleep.h"
#include "stats/stats.h"
#include "table/message.h"
#include "volume/create.h"
#include "volume/key.h"
#include "volume/status.h"
#include "volume/table.h"
#include "volume/use.h"
#include "volume/volume.h"

/* The longest discard while a volume is converted: 8 MiB. */
#define GATED_DISCARD_SECTORS 16384U

static bool crypt_alias;
module_param(crypt_alias, bool, 0444);
MODULE_PARM_DESC(crypt_alias, "Also register the target as \"crypt\"");

/* Like dm-audit.h, which is not among the installed headers. */
static void audit(struct dm_target *ti, const char *op, bool ok)
{
	dm_audit_log_ti(AUDIT_DM_CTRL, DM_MSG_PREFIX, op, ti, ok);
}

/* Overwrite the words of a table line that are a key, or may be one. */
static void clear_keys(unsigned int argc, char **argv)
{
	unsigned int i;

	if (argc > 1)
		xc_key_clear_arg(argv[1]);
	for (i = 5; i < argc; i++)
		if (!strncasecmp(argv[i], "rekey_key:", 10))
			xc_key_clear_arg(argv[i] + 10);
}

/* Construct: <cipher> <key> <iv_offset> <device> <offset> [<#opts> <opt>...] */
static int xcrypt_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct xc_volume *vol = xc_volume_create(ti, argc, argv);

	clear_keys(argc, argv);
	audit(ti, "ctr", !IS_ERR(vol));
	if (IS_ERR(vol))
		return PTR_ERR(vol);

	ti->private = vol;
	ti->per_io_data_size = vol->dev.io_size;
	ti->num_flush_bios = 1;
	ti->num_discard_bios = xc_opt(&vol->dev.opt, XC_ALLOW_DISCARDS);
	ti->limit_swap_bios = true;
	ti->accounts_remapped_io = true;
	/*
	 * The sector of a zone append is the start of its zone, which gives no
	 * IV: dm core turns appends into writes.
	 */
	ti->emulate_zone_append = vol->dev.ordered;
	return 0;
}

static void xcrypt_dtr(struct dm_target *ti)
{
	xc_volume_destroy(ti->private);
	audit(ti, "dtr", true);
}

static int xcrypt_map(struct dm_target *ti, struct bio *bio)
{
	struct xc_volume *vol = ti->private;
	sector_t sector = dm_target_offset(ti, bio->bi_iter.bi_sector);
	int result = xc_map(&vol->dev, bio, sector);

	if (unlikely(result == DM_MAPIO_KILL))
		this_cpu_inc(vol->dev.stats->errors);
	return result;
}

/* Not called for a bio that map refused. */
static int xcrypt_end_io(struct dm_target *ti, struct bio *bio,
			 blk_status_t *error)
{
	struct xc_volume *vol = ti->private;

	if (vol->dev.gate &&
	    xc_gate_leave(vol->dev.gate,
			  dm_per_bio_data(bio, vol->dev.io_size)))
		return DM_ENDIO_INCOMPLETE;
	if (unlikely(*error))
		this_cpu_inc(vol->dev.stats->errors);
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

/* Bios still come until all tables of a stack are suspended. */
static void xcrypt_presuspend(struct dm_target *ti)
{
	xc_volume_presuspend(ti->private);
}

static void xcrypt_presuspend_undo(struct dm_target *ti)
{
	xc_volume_presuspend_undo(ti->private);
}

static void xcrypt_postsuspend(struct dm_target *ti)
{
	xc_volume_postsuspend(ti->private);
}

static int xcrypt_preresume(struct dm_target *ti)
{
	char *error;
	int err = xc_volume_preresume(ti->private, &error);

	if (err)
		DMERR("%s: %s", dm_table_device_name(ti->table), error);
	return err;
}

/* Called if preresume of all targets succeeded. */
static void xcrypt_resume(struct dm_target *ti)
{
	xc_volume_resume(ti->private);
}

/* Messages of which an answer is expected go another way. */
static int act(struct xc_volume *vol, const struct xc_message *message,
	       char **error)
{
	if (message->action >= XC_REKEY_KEY_SET && !vol->rekey) {
		*error = "rekey: the table has no conversion (rekey_state)";
		return -EINVAL;
	}
	switch (message->action) {
	case XC_KEY_SET:
		return xc_volume_set_key(vol, message->key, error);
	case XC_KEY_WIPE:
		return xc_volume_wipe_key(vol, error);
	case XC_REKEY_KEY_SET:
		return xc_volume_set_new_key(vol, message->key, error);
	case XC_REKEY_PAUSE:
		xc_rekey_pause(vol->rekey);
		return 0;
	case XC_REKEY_CONTINUE:
		xc_rekey_continue(vol->rekey, false);
		return 0;
	case XC_REKEY_SKIP:
		xc_rekey_continue(vol->rekey, true);
		return 0;
	case XC_REKEY_SPEED:
		xc_rekey_set_speed(vol->rekey, message->speed);
		return 0;
	default:
		return -EINVAL;
	}
}

static int xcrypt_message(struct dm_target *ti, unsigned int argc, char **argv,
			  char *result, unsigned int maxlen)
{
	struct xc_message message;
	unsigned int noio, i;
	char *error = NULL;
	int err;

	err = xc_message_parse(&message, argc, argv, &error);
	if (!err && message.action == XC_STATS) {
		/* 1: the answer is in result, which overlaps argv */
		xc_times_print(ti->private, result, maxlen);
		return 1;
	}

	if (!err) {
		/* reclaim may need this suspended device, and never end */
		noio = memalloc_noio_save();
		err = act(ti->private, &message, &error);
		memalloc_noio_restore(noio);
	}
	if (error)
		DMERR("message refused: %s", error);

	/* any word of a malformed message may be a key */
	for (i = 0; i < argc; i++)
		xc_key_clear_arg(argv[i]);
	return err;
}

static int xcrypt_iterate_devices(struct dm_target *ti,
				  iterate_devices_callout_fn fn, void *data)
{
	struct xc_volume *vol = ti->private;

	return fn(ti, vol->dev.lower, vol->dev.start, ti->len, data);
}

/* A discard waits at a gate until nothing of it is being converted. */
static void limit_discards(struct queue_limits *limits)
{
	limits->max_hw_discard_sectors = min(limits->max_hw_discard_sectors,
					     GATED_DISCARD_SECTORS);
	limits->max_discard_sectors = min(limits->max_discard_sectors,
					  GATED_DISCARD_SECTORS);
}

static void xcrypt_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	const struct xc_device *dev = &((struct xc_volume *)ti->private)->dev;
	unsigned int whole = xc_max_buffer_size(dev);

	/*
	 * dma_alignment is left to dm core: that of the underlying device, but
	 * at least 512.  If an encryption sector still crosses a page, the bio
	 * is bounced.
	 */
	dm_stack_bs_limits(limits, dev->unit);

	/* bios that stay whole must fit a buffer, their tags a pool entry */
	if (dev->tags_sectors)
		whole = min(whole, dev->tags_sectors << SECTOR_SHIFT);
	if (dev->ordered)
		xc_limit_zone_writes(limits, whole);
	if (dev->gate)
		limit_discards(limits);
	xc_limit_atomic_writes(limits, dev->lower->bdev,
			       rounddown_pow_of_two(whole));
}

#ifdef CONFIG_BLK_DEV_ZONED
static int xcrypt_report_zones(struct dm_target *ti,
			       struct dm_report_zones_args *args,
			       unsigned int nr_zones)
{
	struct xc_volume *vol = ti->private;

	return dm_report_zones(vol->dev.lower->bdev, vol->dev.start,
			       vol->dev.start + dm_target_offset(ti, args->next_sector),
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
	.presuspend = xcrypt_presuspend,				\
	.presuspend_undo = xcrypt_presuspend_undo,			\
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

/* cryptsetup decides by the version which features it may use. */
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
	err = xc_sleep_init();
	if (err)
		goto inject;
	err = dm_register_target(&xcrypt_target);
	if (err)
		goto sleep;
	if (!crypt_alias)
		return 0;

	err = dm_register_target(&crypt_target);
	if (err == -EEXIST || err == -EBUSY) {
		DMERR("crypt_alias: target \"crypt\" exists; unload dm_crypt first (modprobe -r)");
		err = -EBUSY;
	}
	if (!err)
		return 0;
	dm_unregister_target(&xcrypt_target);
sleep:
	xc_sleep_exit();
inject:
	xc_inject_exit();
	return err;
}

static void __exit xcrypt_exit(void)
{
	if (crypt_alias)
		dm_unregister_target(&crypt_target);
	dm_unregister_target(&xcrypt_target);
	xc_sleep_exit();
	xc_inject_exit();
}

module_init(xcrypt_init);
module_exit(xcrypt_exit);

MODULE_DESCRIPTION("device-mapper target for transparent encryption");
MODULE_LICENSE("GPL");

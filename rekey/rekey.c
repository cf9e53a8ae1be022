// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changing the key of a volume in use, as the volume sees it: from the table
 * line to the converter, and when that may run.
 */
#include "rekey.h"

#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "convert.h"
#include "state.h"
#include "../cipher/cipher.h"

/* The state devices of all volumes. */
static DEFINE_MUTEX(registry_lock);
static LIST_HEAD(registry);

/* The system goes to sleep, sleeps or wakes up: no conversion runs. */
static bool asleep;

/**
 * struct xc_rekey - a conversion
 * @ti: the target
 * @state_dev: the state device
 * @registered: entry in the registry
 * @lock: protects @begin, @resumed, and starts and stops of @converter
 * @begin: the first superblock is not written yet
 * @resumed: the converter may run
 * @converter: does the work
 */
struct xc_rekey {
	struct dm_target *ti;
	struct dm_dev *state_dev;
	struct list_head registered;
	struct mutex lock;	/* begin, resumed, starting and stopping */
	bool begin;
	bool resumed;
	struct xc_converter converter;
};

/* ---- the state device ---------------------------------------------------- */

static bool same_place(const struct xc_rekey *a, const struct xc_rekey *b)
{
	return dm_table_get_md(a->ti->table) == dm_table_get_md(b->ti->table) &&
		a->ti->begin == b->ti->begin;
}

/**
 * xc_rekey_same_state() - compare state devices
 * @a: a conversion
 * @b: another
 *
 * Context: Any context.
 * Return: true if their state device is the same.
 */
bool xc_rekey_same_state(const struct xc_rekey *a, const struct xc_rekey *b)
{
	return a->state_dev->bdev == b->state_dev->bdev;
}

/* A table that replaces another has the same state at the same place. */
static int enter_registry(struct xc_rekey *rekey, char **error)
{
	struct xc_rekey *other;
	int err = 0;

	mutex_lock(&registry_lock);
	list_for_each_entry(other, &registry, registered)
		if (xc_rekey_same_state(other, rekey) &&
		    !same_place(other, rekey)) {
			*error = "rekey_state: in use by another volume";
			err = -EBUSY;
		}
	if (!err)
		list_add(&rekey->registered, &registry);
	mutex_unlock(&registry_lock);
	return err;
}

static void leave_registry(struct xc_rekey *rekey)
{
	mutex_lock(&registry_lock);
	list_del(&rekey->registered);
	mutex_unlock(&registry_lock);
}

/* Do two parts of devices overlap?  Sees partitions, but not through stacks. */
static bool overlap(const struct xc_disk *a, const struct xc_disk *b)
{
	sector_t a_start = get_start_sect(a->bdev) + a->start;
	sector_t b_start = get_start_sect(b->bdev) + b->start;

	return a->bdev->bd_disk == b->bdev->bd_disk &&
		a_start < b_start + b->len && b_start < a_start + a->len;
}

static char *open_error(int err)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
		return "rekey_state: permission denied";
	case -EBUSY:
		return "rekey_state: in use, mounted or by another driver";
	case -EROFS:
		return "rekey_state: read-only";
	case -ENOMEM:
		return "rekey_state: out of memory";
	default:
		return "rekey_state: no such block device";
	}
}

static struct xc_side_spec side_spec(const struct xc_cipher *cipher)
{
	return (struct xc_side_spec) {
		.spec = cipher->spec,
		.iv_offset = cipher->iv_offset,
		.sector_size = cipher->sector_size,
		.large_iv = cipher->large_iv,
		.key = cipher->key.bytes,
		.key_size = cipher->key.size,
	};
}

static unsigned int unit_size(const struct xc_rekey_setup *setup)
{
	return max(setup->old->sector_size, setup->new->sector_size);
}

/*
 * Checksum assumes that a unit is written whole, which is certain of sectors of
 * 512 bytes only, and that nobody can choose what a digest is of.
 */
static enum xc_resilience choose_resilience(const struct xc_rekey_setup *setup)
{
	if (setup->resilience == XC_RESILIENCE_CHECKSUM)
		return XC_CHECKSUM;
	if (setup->resilience == XC_RESILIENCE_JOURNAL)
		return XC_JOURNAL;
	return unit_size(setup) == SECTOR_SIZE && setup->new->key.size ?
		XC_CHECKSUM : XC_JOURNAL;
}

/* A conversion goes on as it began; auto means that. */
static int check_resilience(const struct xc_state *state,
			    const struct xc_rekey_setup *setup, char **error)
{
	if (setup->begin || setup->resilience < XC_RESILIENCE_CHECKSUM ||
	    choose_resilience(setup) == xc_state_resilience(state))
		return 0;
	*error = "rekey_resilience: not the one that the conversion began with";
	return -EINVAL;
}

static int open_state(struct xc_rekey *rekey,
		      const struct xc_rekey_setup *setup, char **error)
{
	struct block_device *bdev = rekey->state_dev->bdev;
	struct xc_setup all = {
		.sides = { side_spec(setup->old), side_spec(setup->new) },
		.data = {
			.bdev = setup->lower->bdev,
			.start = setup->start,
			.len = rekey->ti->len,
		},
		.state = {
			.bdev = bdev,
			.len = bdev_nr_sectors(bdev),
		},
		.resilience = choose_resilience(setup),
	};
	struct xc_state *state;

	if (overlap(&all.data, &all.state)) {
		*error = "rekey_state: overlaps the data of the volume";
		return -EINVAL;
	}
	state = xc_state_create(&all, error);
	if (IS_ERR(state))
		return PTR_ERR(state);
	rekey->converter.state = state;
	return xc_state_look(state, setup->begin, error) ?:
		check_resilience(state, setup, error);
}

/* ---- creation ------------------------------------------------------------ */

static int check_setup(struct dm_target *ti,
		       const struct xc_rekey_setup *setup, char **error)
{
	if (!(dm_table_get_mode(ti->table) & BLK_OPEN_WRITE)) {
		*error = "rekey_state: the mapping is read-only";
		return -EROFS;
	}
	if (bdev_is_zoned(setup->lower->bdev)) {
		*error = "rekey_state: the key of a zoned device cannot be changed";
		return -EOPNOTSUPP;
	}
	if (setup->old->tuple_size || setup->old->aead || setup->new->aead) {
		*error = "rekey_state: the key of a volume with integrity cannot be changed";
		return -EOPNOTSUPP;
	}
	if (!setup->old->key.size && !setup->new->key.size) {
		*error = "rekey_key: there is no key on either side";
		return -EINVAL;
	}
	if (setup->sparse && !setup->old->key.size) {
		*error = "rekey_sparse: zeros are data where the old side has no key";
		return -EINVAL;
	}
	/* what uses the volume may write less than the new encryption sector */
	if (setup->new->sector_size >
	    max(setup->old->sector_size,
		bdev_logical_block_size(setup->lower->bdev))) {
		*error = "rekey_sector_size: larger than the volume's logical block";
		return -EINVAL;
	}
	if (setup->resilience == XC_RESILIENCE_CHECKSUM &&
	    !setup->new->key.size) {
		*error = "rekey_resilience: must be journal if the new side has no key";
		return -EINVAL;
	}
	return 0;
}

static int init_rekey(struct xc_rekey *rekey,
		      const struct xc_rekey_setup *setup, char **error)
{
	struct xc_converter *c = &rekey->converter;
	int err = enter_registry(rekey, error);

	if (err)
		return err;
	err = open_state(rekey, setup, error);
	if (err)
		goto leave_registry;
	c->ti = rekey->ti;
	c->conv.data = xc_state_data(c->state);
	c->conv.old = setup->old;
	c->conv.new = setup->new;
	c->conv.unit = unit_size(setup) >> SECTOR_SHIFT;
	c->conv.block = max(unit_size(setup),
			    bdev_logical_block_size(setup->lower->bdev)) >>
			SECTOR_SHIFT;
	c->conv.align = max(c->conv.block,
			    bdev_logical_block_size(rekey->state_dev->bdev) >>
			    SECTOR_SHIFT);
	c->conv.sparse = setup->sparse;
	c->paused = setup->paused;
	c->converted = setup->converted;
	xc_gate_init(&c->gate, setup->old, setup->new);
	err = xc_converter_init(c, error);
	if (!err)
		return 0;

	xc_converter_exit(c);
leave_registry:
	leave_registry(rekey);
	return err;
}

/**
 * xc_rekey_create() - prepare a conversion
 * @ti: the target
 * @setup: what its table line says
 * @error: set to a message on failure
 *
 * Writes nothing: another table may be in use.
 *
 * Context: Process context, in the target's ctr method.  May sleep.
 * Return: the conversion, to be freed with xc_rekey_destroy(), or an ERR_PTR()
 * with @error set.
 */
struct xc_rekey *xc_rekey_create(struct dm_target *ti,
				 const struct xc_rekey_setup *setup,
				 char **error)
{
	struct xc_rekey *rekey;
	int err = check_setup(ti, setup, error);

	if (err)
		return ERR_PTR(err);
	rekey = kzalloc(sizeof(*rekey), GFP_KERNEL);
	if (!rekey) {
		*error = "rekey_state: out of memory";
		return ERR_PTR(-ENOMEM);
	}
	rekey->ti = ti;
	rekey->begin = setup->begin;
	mutex_init(&rekey->lock);

	err = xc_get_device(ti, setup->state, BLK_OPEN_READ | BLK_OPEN_WRITE,
			    &rekey->state_dev);
	if (err) {
		*error = open_error(err);
		goto free;
	}
	err = init_rekey(rekey, setup, error);
	if (!err)
		return rekey;

	if (rekey->converter.state)
		xc_state_destroy(rekey->converter.state);
	dm_put_device(ti, rekey->state_dev);
free:
	kfree(rekey);
	return ERR_PTR(err);
}

/**
 * xc_rekey_destroy() - undo xc_rekey_create()
 * @rekey: the conversion; no bio may be in flight
 *
 * Context: Process context, in the target's dtr method.  May sleep.
 */
void xc_rekey_destroy(struct xc_rekey *rekey)
{
	leave_registry(rekey);
	xc_converter_exit(&rekey->converter);
	xc_state_destroy(rekey->converter.state);
	dm_put_device(rekey->ti, rekey->state_dev);
	mutex_destroy(&rekey->lock);
	kfree(rekey);
}

/**
 * xc_rekey_gate() - find the gate of a volume
 * @rekey: the conversion
 *
 * Context: Any context.
 * Return: the gate.
 */
struct xc_gate *xc_rekey_gate(struct xc_rekey *rekey)
{
	return &rekey->converter.gate;
}

/* ---- suspend and resume -------------------------------------------------- */

/* The constructor checked what can fail here but for failing disks. */
static int take_keys(struct xc_rekey *rekey, char **error)
{
	const struct xc_conversion *conv = &rekey->converter.conv;
	struct xc_state *state = rekey->converter.state;
	enum xc_side side = conv->new->key.size ? XC_NEW : XC_OLD;
	const u8 *key = side == XC_NEW ? conv->new->key.bytes :
					 conv->old->key.bytes;
	struct xc_digest_key digest_key;
	int err = xc_state_check_key(state, XC_NEW, conv->new->key.bytes,
				     error);

	/* the old key is forgotten then, and no batch needs a digest */
	if (err || xc_state_position(state)->done)
		return err;
	err = xc_state_check_key(state, XC_OLD, conv->old->key.bytes, error);
	if (err)
		return err;
	*error = "rekey_key: the key for digests cannot be derived";
	err = xc_state_digest_key(state, side, key, &digest_key) ?:
		xc_digest_set_key(&rekey->converter.digest, &digest_key);
	memzero_explicit(&digest_key, sizeof(digest_key));
	return err;
}

/* A new length is recorded after all else was compared with the table line. */
static int continue_state(struct xc_rekey *rekey, char **error)
{
	struct xc_converter *c = &rekey->converter;
	int err = xc_converter_read(c, error) ?:
		take_keys(rekey, error) ?:
		xc_state_resize(c->state, error);

	if (!err)
		xc_converter_open(c);
	return err;
}

static void log_disk_error(const struct xc_rekey *rekey)
{
	const struct xc_disk_error *first = rekey->converter.conv.data->error;
	char text[96];

	if (first->err)
		DMERR("%s: rekey: %s: error %d",
		      dm_table_device_name(rekey->ti->table),
		      xc_disk_print_error(first, text, sizeof(text)),
		      first->err);
}

/**
 * xc_rekey_preresume() - read the state, or begin
 * @rekey: the conversion
 * @error: set to a message on failure
 *
 * From then on, the volume has the length of this table for the conversion too.
 *
 * Context: Process context, in the target's preresume method.  May sleep.
 * Return: 0, or a negative errno with @error set.
 */
int xc_rekey_preresume(struct xc_rekey *rekey, char **error)
{
	int err = 0;

	mutex_lock(&rekey->lock);
	rekey->converter.conv.data->error->err = 0;
	if (rekey->begin)
		err = xc_state_start(rekey->converter.state, error);
	if (!err) {
		rekey->begin = false;
		err = continue_state(rekey, error);
	}
	if (err)
		log_disk_error(rekey);
	mutex_unlock(&rekey->lock);
	return err;
}

/*
 * An image may be written to sectors that wait for recovery, so this is done at any
 * time.
 */
static void start(struct xc_rekey *rekey)
{
	lockdep_assert_held(&rekey->lock);
	if (READ_ONCE(asleep))
		xc_converter_recover(&rekey->converter);
	else
		xc_converter_start(&rekey->converter);
}

/**
 * xc_rekey_resume() - let the converter run
 * @rekey: the conversion
 *
 * Context: Process context, in the target's resume method.  May sleep.
 */
void xc_rekey_resume(struct xc_rekey *rekey)
{
	mutex_lock(&rekey->lock);
	rekey->resumed = true;
	start(rekey);
	mutex_unlock(&rekey->lock);
}

/**
 * xc_rekey_suspend() - stop the converter at a durable point
 * @rekey: the conversion
 *
 * Bios may still come: the gate serves them.
 *
 * Context: Process context, in the target's presuspend method.  May sleep.
 */
void xc_rekey_suspend(struct xc_rekey *rekey)
{
	mutex_lock(&rekey->lock);
	rekey->resumed = false;
	xc_converter_stop(&rekey->converter);
	mutex_unlock(&rekey->lock);
}

/**
 * xc_rekey_postsuspend() - end all work, and forget what is derived from the key
 * @rekey: the conversion, suspended
 *
 * Context: Process context, in the target's postsuspend method.  May sleep.
 */
void xc_rekey_postsuspend(struct xc_rekey *rekey)
{
	flush_work(&rekey->converter.unlist);
	xc_digest_wipe(&rekey->converter.digest);
}

/* ---- sleep of the system ------------------------------------------------- */

/* Those that are not resumed do not run, and will read their state. */
static void act_on_resumed(void (*act)(struct xc_converter *c))
{
	struct xc_rekey *rekey;

	mutex_lock(&registry_lock);
	list_for_each_entry(rekey, &registry, registered) {
		mutex_lock(&rekey->lock);
		if (rekey->resumed)
			act(&rekey->converter);
		mutex_unlock(&rekey->lock);
	}
	mutex_unlock(&registry_lock);
}

/* One that failed or is done has nothing to go on with. */
static void go_on(struct xc_converter *c)
{
	enum xc_rekey_status status = READ_ONCE(c->status);

	if (status != XC_STATUS_FAILED && status != XC_STATUS_DONE)
		xc_converter_start(c);
}

/**
 * xc_rekey_sleep() - stop all converters at a durable point
 *
 * None starts before xc_rekey_wake().  Their gates go on serving.
 *
 * Context: Process context.  May sleep.
 */
void xc_rekey_sleep(void)
{
	WRITE_ONCE(asleep, true);
	act_on_resumed(xc_converter_stop);
}

/**
 * xc_rekey_wake() - undo xc_rekey_sleep()
 *
 * Context: Process context.  May sleep.
 */
void xc_rekey_wake(void)
{
	WRITE_ONCE(asleep, false);
	act_on_resumed(go_on);
}

/**
 * xc_rekey_close() - hold all bios
 *
 * Context: Process context, between xc_rekey_sleep() and xc_rekey_wake().  May
 * sleep; does no I/O.
 */
void xc_rekey_close(void)
{
	act_on_resumed(xc_converter_close);
}

/**
 * xc_rekey_distrust() - hold all bios: the memory is that of an image
 *
 * Context: Process context, between xc_rekey_sleep() and xc_rekey_wake().  May
 * sleep; does no I/O.
 */
void xc_rekey_distrust(void)
{
	act_on_resumed(xc_converter_distrust);
}

/**
 * xc_rekey_reopen() - undo xc_rekey_close() and xc_rekey_distrust()
 *
 * After xc_rekey_distrust() bios go on, or fail, when the state of their volume was
 * compared.
 *
 * Context: Process context.  May sleep; does no I/O.
 */
void xc_rekey_reopen(void)
{
	act_on_resumed(xc_converter_reopen);
}

/* ---- messages ------------------------------------------------------------ */

/**
 * xc_rekey_pause() - stop converting
 * @rekey: the conversion
 *
 * Context: Process context.  May sleep.
 */
void xc_rekey_pause(struct xc_rekey *rekey)
{
	mutex_lock(&rekey->lock);
	rekey->converter.paused = true;
	xc_converter_stop(&rekey->converter);
	xc_converter_set_skip(&rekey->converter, false);
	mutex_unlock(&rekey->lock);
}

/**
 * xc_rekey_continue() - convert, after a pause or an error
 * @rekey: the conversion
 * @skip: skip sectors that cannot be read, up to a limit
 *
 * Context: Process context.  May sleep.
 */
void xc_rekey_continue(struct xc_rekey *rekey, bool skip)
{
	struct xc_converter *c = &rekey->converter;

	mutex_lock(&rekey->lock);
	if (skip || READ_ONCE(c->skip.left)) {
		xc_converter_stop(c);
		xc_converter_set_skip(c, skip);
	}
	c->paused = false;
	if (rekey->resumed)
		start(rekey);
	mutex_unlock(&rekey->lock);
}

/**
 * xc_rekey_set_speed() - limit the speed of a conversion
 * @rekey: the conversion
 * @speed: the limit in KiB/s; 0: none; or %XC_SPEED_AUTO
 *
 * Context: Process context.
 */
void xc_rekey_set_speed(struct xc_rekey *rekey, unsigned int speed)
{
	xc_converter_set_speed(&rekey->converter, speed);
}

/* ---- the rest ------------------------------------------------------------ */

/**
 * xc_rekey_is_done() - check whether a volume has only the new side
 * @rekey: the conversion
 *
 * Context: Any context.
 * Return: true if all is converted, durably.
 */
bool xc_rekey_is_done(const struct xc_rekey *rekey)
{
	return !rekey->begin &&
		READ_ONCE(xc_state_position(rekey->converter.state)->done);
}

/**
 * xc_rekey_check_key() - compare a key with that of the conversion
 * @rekey: the conversion, suspended
 * @new: the new key rather than the old
 * @key: the key, of the size of the other
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: 0, also if the conversion has not begun; -EKEYREJECTED or another
 * negative errno with @error set.
 */
int xc_rekey_check_key(struct xc_rekey *rekey, bool new, const u8 *key,
		       char **error)
{
	int err = 0;

	mutex_lock(&rekey->lock);
	if (!rekey->begin)
		err = xc_state_check_key(rekey->converter.state,
					 new ? XC_NEW : XC_OLD, key, error);
	mutex_unlock(&rekey->lock);
	return err;
}

/**
 * xc_rekey_state_name() - name the state device
 * @rekey: the conversion
 *
 * Context: Any context.
 * Return: its number, as in a table.
 */
const char *xc_rekey_state_name(const struct xc_rekey *rekey)
{
	return rekey->state_dev->name;
}

/**
 * xc_rekey_print() - print the status of a conversion
 * @rekey: the conversion
 * @result: buffer to print to
 * @maxlen: its size in bytes
 *
 * Context: Process context.
 * Return: number of bytes printed.
 */
unsigned int xc_rekey_print(const struct xc_rekey *rekey, char *result,
			    unsigned int maxlen)
{
	static const char *const words[] = {
		[XC_STATUS_PAUSED] = "paused",
		[XC_STATUS_RUNNING] = "running",
		[XC_STATUS_RECOVERING] = "recovering",
		[XC_STATUS_DONE] = "done",
		[XC_STATUS_FAILED] = "failed",
	};
	const struct xc_converter *c = &rekey->converter;
	unsigned int sz = 0;

	DMEMIT(" rekey:%s:%llu/%llu rekey_skipped:%llu",
	       words[READ_ONCE(c->status)],
	       (unsigned long long)READ_ONCE(c->gate.boundary),
	       (unsigned long long)c->conv.data->len,
	       (unsigned long long)READ_ONCE(c->gate.listed_sectors));
	return sz;
}

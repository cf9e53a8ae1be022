// SPDX-License-Identifier: GPL-2.0-only
/*
 * xcrypt-tap - a device-mapper target that logs the bios that pass through it,
 * and fails some of them
 *
 * Table: <start> <len> xcrypt-tap <device> <offset> [unpolled|flushed].  Maps like
 * linear; with "unpolled" makes polled bios complete without a poller, with "flushed"
 * gets flushes even if the device has no cache.  Each bio is one line of debugfs
 * xcrypt_tap/log, oldest first, as it arrived:
 *
 *   <op> <sector> <sectors> flags=<FUA,SYNC,...|-> prio=<class>/<level>
 *
 * where op is R, W, F (an empty flush), D (discard) or ?.  Any write to the
 * file empties it.  Messages:
 *
 *   fail <ops> <first> <count> [landed]	of the bios of these ops from now on,
 *				the first to fail, counted from 1, and how many; 0:
 *				all later ones.  Ops are letters as above, and U:
 *				a write with FUA, which is no W here.  With
 *				"landed", they fail after they were done.
 *   heal			no bio fails
 *
 * The status is the number of bios that failed since the last "fail".
 */
#include <linux/bio.h>
#include <linux/debugfs.h>
#include <linux/device-mapper.h>
#include <linux/ioprio.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define NOTES_MAX 16384

/* What older kernels lack. */
#ifndef REQ_ATOMIC
#define REQ_ATOMIC ((__force blk_opf_t)0)
#endif
#ifndef DM_TARGET_ATOMIC_WRITES
#define DM_TARGET_ATOMIC_WRITES 0
#endif

struct tap {
	struct dm_dev *dev;
	sector_t start;
	bool unpolled;
	spinlock_t lock;	/* protects the rest */
	char ops[8];
	u64 first;
	u64 count;
	bool landed;
	u64 seen;
	u64 failed;
};

struct note {
	u64 sector;
	unsigned int sectors;
	blk_opf_t opf;
	unsigned short prio;
};

static DEFINE_SPINLOCK(notes_lock);	/* protects notes and notes_nr */
static struct note *notes;
static unsigned int notes_nr;
static struct dentry *debug_dir;

static char op_letter(blk_opf_t opf, unsigned int sectors)
{
	switch (opf & REQ_OP_MASK) {
	case REQ_OP_READ:
		return 'R';
	case REQ_OP_WRITE:
		return sectors ? 'W' : 'F';
	case REQ_OP_FLUSH:
		return 'F';
	case REQ_OP_DISCARD:
		return 'D';
	default:
		return '?';
	}
}

/* ---- failures ------------------------------------------------------------- */

static bool shall_fail(struct tap *tap, const struct bio *bio)
{
	char op = op_letter(bio->bi_opf, bio_sectors(bio));
	unsigned long flags;
	bool fail = false;

	if (op == 'W' && (bio->bi_opf & REQ_FUA))
		op = 'U';
	spin_lock_irqsave(&tap->lock, flags);
	if (strchr(tap->ops, op)) {
		tap->seen++;
		fail = tap->seen >= tap->first &&
			(!tap->count || tap->seen < tap->first + tap->count);
		tap->failed += fail;
	}
	spin_unlock_irqrestore(&tap->lock, flags);
	return fail;
}

static int tap_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	bool *fail = dm_per_bio_data(bio, sizeof(*fail));

	if (*fail)
		*error = BLK_STS_IOERR;
	return DM_ENDIO_DONE;
}

static int tap_message(struct dm_target *ti, unsigned int argc, char **argv,
		       char *result, unsigned int maxlen)
{
	struct tap *tap = ti->private;
	const char *ops = "";
	u64 first = 0, count = 0;

	if (argc >= 4 && argc <= 5 && !strcmp(argv[0], "fail")) {
		ops = argv[1];
		if (strlen(ops) >= sizeof(tap->ops) ||
		    kstrtoull(argv[2], 10, &first) ||
		    kstrtoull(argv[3], 10, &count) ||
		    (argc == 5 && strcmp(argv[4], "landed")))
			return -EINVAL;
	} else if (argc != 1 || strcmp(argv[0], "heal")) {
		return -EINVAL;
	}
	spin_lock_irq(&tap->lock);
	strscpy(tap->ops, ops, sizeof(tap->ops));
	tap->first = first;
	tap->count = count;
	tap->landed = argc == 5;
	if (*ops) {
		tap->seen = 0;
		tap->failed = 0;
	}
	spin_unlock_irq(&tap->lock);
	return 0;
}

static void tap_status(struct dm_target *ti, status_type_t type,
		       unsigned int status_flags, char *result, unsigned int maxlen)
{
	struct tap *tap = ti->private;
	unsigned int sz = 0;

	if (type == STATUSTYPE_INFO)
		DMEMIT("%llu", (unsigned long long)READ_ONCE(tap->failed));
	else if (type == STATUSTYPE_TABLE)
		DMEMIT("%s %llu", tap->dev->name, (unsigned long long)tap->start);
}

/* ---- the target ----------------------------------------------------------- */

static int tap_map(struct dm_target *ti, struct bio *bio)
{
	struct tap *tap = ti->private;
	bool *fail = dm_per_bio_data(bio, sizeof(*fail));
	unsigned long flags;
	struct note note = {
		.sector = bio->bi_iter.bi_sector,
		.sectors = bio_sectors(bio),
		.opf = bio->bi_opf,
		.prio = bio->bi_ioprio,
	};

	spin_lock_irqsave(&notes_lock, flags);
	if (notes_nr < NOTES_MAX)
		notes[notes_nr++] = note;
	spin_unlock_irqrestore(&notes_lock, flags);

	*fail = shall_fail(tap, bio);
	if (*fail && !tap->landed)
		return DM_MAPIO_KILL;
	if (tap->unpolled)
		bio_clear_polled(bio);
	bio_set_dev(bio, tap->dev->bdev);
	bio->bi_iter.bi_sector = tap->start +
		dm_target_offset(ti, bio->bi_iter.bi_sector);
	return DM_MAPIO_REMAPPED;
}

static int tap_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	unsigned long long start;
	struct tap *tap;
	int ret;

	if (argc < 2 || argc > 3 || kstrtoull(argv[1], 10, &start) ||
	    (argc == 3 && strcmp(argv[2], "unpolled") &&
	     strcmp(argv[2], "flushed"))) {
		ti->error = "Expected <device> <offset> [unpolled|flushed]";
		return -EINVAL;
	}
	tap = kzalloc(sizeof(*tap), GFP_KERNEL);
	if (!tap)
		return -ENOMEM;
	ret = dm_get_device(ti, argv[0], dm_table_get_mode(ti->table), &tap->dev);
	if (ret) {
		ti->error = "Device lookup failed";
		kfree(tap);
		return ret;
	}
	tap->start = start;
	tap->unpolled = argc == 3 && !strcmp(argv[2], "unpolled");
	/* dm core would not send flushes on for a device that has no cache */
	ti->flush_supported = argc == 3 && !tap->unpolled;
	spin_lock_init(&tap->lock);
	ti->per_io_data_size = sizeof(bool);
	ti->num_flush_bios = 1;
	ti->num_discard_bios = 1;
	ti->private = tap;
	return 0;
}

static void tap_dtr(struct dm_target *ti)
{
	struct tap *tap = ti->private;

	dm_put_device(ti, tap->dev);
	kfree(tap);
}

static int tap_iterate_devices(struct dm_target *ti,
			       iterate_devices_callout_fn fn, void *data)
{
	struct tap *tap = ti->private;

	return fn(ti, tap->dev, tap->start, ti->len, data);
}

static struct target_type tap_target = {
	.name			= "xcrypt-tap",
	.version		= {1, 0, 0},
	.module			= THIS_MODULE,
	.features		= DM_TARGET_ATOMIC_WRITES,
	.ctr			= tap_ctr,
	.dtr			= tap_dtr,
	.map			= tap_map,
	.end_io			= tap_end_io,
	.message		= tap_message,
	.status			= tap_status,
	.iterate_devices	= tap_iterate_devices,
};

static int log_show(struct seq_file *m, void *v)
{
	static const struct {
		const char *name;
		blk_opf_t flag;
	} names[] = {
		{ "FUA", REQ_FUA }, { "PREFLUSH", REQ_PREFLUSH },
		{ "SYNC", REQ_SYNC }, { "META", REQ_META },
		{ "IDLE", REQ_IDLE }, { "RAHEAD", REQ_RAHEAD },
		{ "ATOMIC", REQ_ATOMIC }, { "POLLED", REQ_POLLED },
	};
	unsigned int i, j;

	/* meanwhile notes are only added, not changed */
	for (i = 0; i < READ_ONCE(notes_nr); i++) {
		const struct note *note = &notes[i];
		const char *sep = "";

		seq_printf(m, "%c %llu %u flags=", op_letter(note->opf, note->sectors),
			   note->sector, note->sectors);
		for (j = 0; j < ARRAY_SIZE(names); j++) {
			if (note->opf & names[j].flag) {
				seq_printf(m, "%s%s", sep, names[j].name);
				sep = ",";
			}
		}
		seq_printf(m, "%s prio=%u/%u\n", *sep ? "" : "-",
			   (unsigned int)IOPRIO_PRIO_CLASS(note->prio),
			   (unsigned int)IOPRIO_PRIO_DATA(note->prio));
	}
	return 0;
}

static int log_open(struct inode *inode, struct file *file)
{
	return single_open(file, log_show, NULL);
}

static ssize_t log_write(struct file *file, const char __user *buf, size_t count,
			 loff_t *pos)
{
	spin_lock_irq(&notes_lock);
	notes_nr = 0;
	spin_unlock_irq(&notes_lock);
	return count;
}

static const struct file_operations log_fops = {
	.owner		= THIS_MODULE,
	.open		= log_open,
	.read		= seq_read,
	.write		= log_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int __init xcrypt_tap_init(void)
{
	int ret;

	notes = vmalloc(array_size(NOTES_MAX, sizeof(*notes)));
	if (!notes)
		return -ENOMEM;
	ret = dm_register_target(&tap_target);
	if (ret) {
		vfree(notes);
		return ret;
	}
	debug_dir = debugfs_create_dir("xcrypt_tap", NULL);
	debugfs_create_file("log", 0600, debug_dir, NULL, &log_fops);
	return 0;
}

static void __exit xcrypt_tap_exit(void)
{
	debugfs_remove_recursive(debug_dir);
	dm_unregister_target(&tap_target);
	vfree(notes);
}

module_init(xcrypt_tap_init);
module_exit(xcrypt_tap_exit);
MODULE_DESCRIPTION("Notes the bios that pass, for the tests of dm-xcrypt");
MODULE_LICENSE("GPL");

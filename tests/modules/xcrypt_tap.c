// SPDX-License-Identifier: GPL-2.0-only
/*
 * xcrypt-tap - a device-mapper target that logs the bios that pass through it
 *
 * Table: <start> <len> xcrypt-tap <device> <offset> [unpolled].  Maps like linear, and
 * with "unpolled" makes polled bios complete without a poller.  Each bio is one line of
 * debugfs xcrypt_tap/log, oldest first, as it arrived:
 *
 *   <op> <sector> <sectors> flags=<FUA,SYNC,...|-> prio=<class>/<level>
 *
 * where op is R, W, F (an empty flush), D (discard) or ?.  Any write to the
 * file empties it.
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

static int tap_map(struct dm_target *ti, struct bio *bio)
{
	struct tap *tap = ti->private;
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
	    (argc == 3 && strcmp(argv[2], "unpolled"))) {
		ti->error = "Expected <device> <offset> [unpolled]";
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
	tap->unpolled = argc == 3;
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
	.iterate_devices	= tap_iterate_devices,
};

static char op_letter(const struct note *note)
{
	switch (note->opf & REQ_OP_MASK) {
	case REQ_OP_READ:
		return 'R';
	case REQ_OP_WRITE:
		return note->sectors ? 'W' : 'F';
	case REQ_OP_FLUSH:
		return 'F';
	case REQ_OP_DISCARD:
		return 'D';
	default:
		return '?';
	}
}

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

		seq_printf(m, "%c %llu %u flags=", op_letter(note), note->sector,
			   note->sectors);
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

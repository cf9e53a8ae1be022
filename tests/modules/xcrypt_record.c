// SPDX-License-Identifier: GPL-2.0-only
/*
 * xcrypt-record - a device-mapper target that records what reaches a device
 *
 * Table: <start> <len> xcrypt-record <device> <offset> <number>.  Maps like
 * linear.  Writes with their data, discards and flushes are recorded when they
 * are submitted and when they complete, in one log for all devices, each of
 * which has its number there.
 *
 * Files in debugfs, in the folder xcrypt_record:
 *
 *   log	what was recorded (tests/record/log.h); a write to it forgets it all
 *   mark	a number written to it is recorded
 *
 * dm-log-writes records less: it has one log per device, no order between the
 * submission of one write and the completion of another, and logs the writes
 * that a flush covers when that flush completes, which may be after a later one.
 */
#include <linux/bio.h>
#include <linux/debugfs.h>
#include <linux/device-mapper.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../record/log.h"

struct entry {
	struct list_head list;
	struct record record;
	u8 data[];
};

struct recorder {
	struct dm_dev *dev;
	sector_t start;
	u32 number;
};

/* Of a bio: the entry of its completion, not yet in the log */
struct pending {
	struct entry *done;
};

static LIST_HEAD(log);
static DEFINE_SPINLOCK(lock);	/* protects log and next_id */
static u64 next_id;
static struct dentry *dir;

/* ---- the log ------------------------------------------------------------- */

static void forget(void)
{
	struct entry *entry, *next;
	LIST_HEAD(old);

	spin_lock_irq(&lock);
	list_splice_init(&log, &old);
	spin_unlock_irq(&lock);
	list_for_each_entry_safe(entry, next, &old, list)
		kvfree(entry);
}

/* The entry of a completion has the id of its bio. */
static void append(struct entry *entry, struct entry *done)
{
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	if (done) {
		entry->record.id = next_id++;
		done->record.id = entry->record.id;
	}
	list_add_tail(&entry->list, &log);
	spin_unlock_irqrestore(&lock, flags);
}

/* ---- bios ---------------------------------------------------------------- */

static u32 type_of(const struct bio *bio)
{
	if (bio->bi_opf & REQ_PREFLUSH)
		return RECORD_FLUSH;
	if (bio_op(bio) == REQ_OP_DISCARD)
		return RECORD_DISCARD;
	return bio->bi_opf & REQ_FUA ? RECORD_FUA : RECORD_WRITE;
}

static void copy_data(struct bio *bio, u8 *data)
{
	struct bvec_iter iter;
	struct bio_vec bv;

	bio_for_each_segment(bv, bio, iter) {
		memcpy_from_bvec(data, &bv);
		data += bv.bv_len;
	}
}

static int record(struct recorder *rec, struct bio *bio,
		  struct pending *pending)
{
	u32 bytes = bio_has_data(bio) ? bio->bi_iter.bi_size : 0;
	struct entry *entry;

	entry = kvmalloc(sizeof(*entry) + bytes, GFP_NOIO);
	pending->done = kvzalloc(sizeof(*entry), GFP_NOIO);
	if (!entry || !pending->done) {
		kvfree(entry);
		kvfree(pending->done);
		pending->done = NULL;
		return -ENOMEM;
	}
	entry->record = (struct record) {
		.type = type_of(bio),
		.device = rec->number,
		.sector = bio->bi_iter.bi_sector - rec->start,
		.sectors = bio_sectors(bio),
		.bytes = bytes,
	};
	pending->done->record.device = rec->number;
	if (bytes)
		copy_data(bio, entry->data);
	append(entry, pending->done);
	return 0;
}

static int record_map(struct dm_target *ti, struct bio *bio)
{
	struct pending *pending = dm_per_bio_data(bio, sizeof(*pending));
	struct recorder *rec = ti->private;

	pending->done = NULL;
	bio_set_dev(bio, rec->dev->bdev);
	bio->bi_iter.bi_sector = rec->start +
		dm_target_offset(ti, bio->bi_iter.bi_sector);
	/* device mapper takes a flush and the data of its bio apart */
	if (WARN_ON_ONCE((bio->bi_opf & REQ_PREFLUSH) && bio_sectors(bio)))
		return DM_MAPIO_KILL;
	if (op_is_write(bio_op(bio)) && record(rec, bio, pending))
		return DM_MAPIO_KILL;
	return DM_MAPIO_REMAPPED;
}

static int record_end_io(struct dm_target *ti, struct bio *bio,
			 blk_status_t *error)
{
	struct pending *pending = dm_per_bio_data(bio, sizeof(*pending));
	struct entry *done = pending->done;

	if (done) {
		done->record.type = *error ? RECORD_FAILED : RECORD_DONE;
		append(done, NULL);
	}
	return DM_ENDIO_DONE;
}

/* ---- the target ---------------------------------------------------------- */

static void record_status(struct dm_target *ti, status_type_t type,
			  unsigned int status_flags, char *result,
			  unsigned int maxlen)
{
	struct recorder *rec = ti->private;
	unsigned int sz = 0;

	if (type == STATUSTYPE_TABLE)
		DMEMIT("%s %llu %u", rec->dev->name,
		       (unsigned long long)rec->start, rec->number);
	else
		*result = '\0';
}

static int record_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	unsigned long long start;
	struct recorder *rec;
	u32 number;
	int err;

	if (argc != 3 || kstrtoull(argv[1], 10, &start) ||
	    kstrtou32(argv[2], 10, &number)) {
		ti->error = "Expected <device> <offset> <number>";
		return -EINVAL;
	}
	rec = kzalloc(sizeof(*rec), GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	rec->start = start;
	rec->number = number;
	err = dm_get_device(ti, argv[0], dm_table_get_mode(ti->table),
			    &rec->dev);
	if (err) {
		ti->error = "Device lookup failed";
		kfree(rec);
		return err;
	}
	ti->num_flush_bios = 1;
	/* dm core would not send flushes on for a device that has no cache */
	ti->flush_supported = true;
	ti->num_discard_bios = 1;
	ti->per_io_data_size = sizeof(struct pending);
	ti->private = rec;
	return 0;
}

static void record_dtr(struct dm_target *ti)
{
	struct recorder *rec = ti->private;

	dm_put_device(ti, rec->dev);
	kfree(rec);
}

static int record_iterate_devices(struct dm_target *ti,
				  iterate_devices_callout_fn fn, void *data)
{
	struct recorder *rec = ti->private;

	return fn(ti, rec->dev, rec->start, ti->len, data);
}

static struct target_type record_target = {
	.name			= "xcrypt-record",
	.version		= {1, 0, 0},
	.module			= THIS_MODULE,
	.ctr			= record_ctr,
	.dtr			= record_dtr,
	.map			= record_map,
	.end_io			= record_end_io,
	.status			= record_status,
	.iterate_devices	= record_iterate_devices,
};

/* ---- debugfs ------------------------------------------------------------- */

/*
 * Entries are only added, at the end, or all forgotten, by who reads them: so the one that
 * is shown stays there without the lock.
 */
static void *log_start(struct seq_file *m, loff_t *pos)
{
	void *at;

	spin_lock_irq(&lock);
	at = seq_list_start(&log, *pos);
	spin_unlock_irq(&lock);
	return at;
}

static void *log_next(struct seq_file *m, void *at, loff_t *pos)
{
	spin_lock_irq(&lock);
	at = seq_list_next(at, &log, pos);
	spin_unlock_irq(&lock);
	return at;
}

static void log_stop(struct seq_file *m, void *at)
{
}

static int log_show(struct seq_file *m, void *at)
{
	const struct entry *entry = list_entry(at, struct entry, list);

	/* if there is no room, it is shown again */
	seq_write(m, &entry->record, sizeof(entry->record));
	seq_write(m, entry->data, entry->record.bytes);
	return 0;
}

static const struct seq_operations log_ops = {
	.start	= log_start,
	.next	= log_next,
	.stop	= log_stop,
	.show	= log_show,
};

static int log_open(struct inode *inode, struct file *file)
{
	return seq_open(file, &log_ops);
}

static ssize_t log_write(struct file *file, const char __user *text,
			 size_t size, loff_t *pos)
{
	forget();
	return size;
}

static const struct file_operations log_fops = {
	.owner		= THIS_MODULE,
	.open		= log_open,
	.read		= seq_read,
	.write		= log_write,
	.llseek		= seq_lseek,
	.release	= seq_release,
};

static int mark_set(void *data, u64 number)
{
	struct entry *entry = kvzalloc(sizeof(*entry), GFP_KERNEL);

	if (!entry)
		return -ENOMEM;
	entry->record.type = RECORD_MARK;
	entry->record.id = number;
	append(entry, NULL);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(mark_fops, NULL, mark_set, "%llu\n");

static int __init record_init(void)
{
	int err = dm_register_target(&record_target);

	if (err)
		return err;
	dir = debugfs_create_dir("xcrypt_record", NULL);
	debugfs_create_file("log", 0600, dir, NULL, &log_fops);
	debugfs_create_file_unsafe("mark", 0200, dir, NULL, &mark_fops);
	return 0;
}

static void __exit record_exit(void)
{
	debugfs_remove(dir);
	dm_unregister_target(&record_target);
	forget();
}

module_init(record_init);
module_exit(record_exit);

MODULE_DESCRIPTION("device-mapper target that records writes and flushes");
MODULE_LICENSE("GPL");

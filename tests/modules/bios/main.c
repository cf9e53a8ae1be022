// SPDX-License-Identifier: GPL-2.0-only
/*
 * xcrypt_bios - submits bios of any vector layout to a block device
 *
 * User space cannot create most of the bios of a file system or OpenZFS:
 * vectors that begin and end anywhere in a page, that span pages, that share
 * memory.  This module can.  Words written to debugfs xcrypt_bios/run start a
 * run; the write fails on any error, and the kernel log has the reason.
 * xcrypt_bios/result has the counts of the last run.
 *
 *   dev=PATH        block device
 *   op=             write | read (and compare) | append (zone append)
 *   layout=         see bios_layout_names below
 *   start= sectors= the area, in 512-byte sectors
 *   unit=           bios are multiples of that many bytes (default 512)
 *   max=            maximum bytes per bio (default 65536)
 *   whole=1         every bio has that size; else some are shorter
 *   depth=          bios in flight (default 8)
 *   align=          granularity of a vector (default: the device's)
 *   tail=BYTES      the last unit of a bio is one vector that begins at that
 *                   offset in a page, with any layout
 *   seed= data=     random seeds of the layout and of the content
 *   flags=          fua,preflush,sync,meta,idle,random (random: any of them),
 *                   rahead
 *   prio=1          a random I/O priority on every bio
 *   shuffle=1       in random order
 *   split=1         split every bio at a random place into two chained ones
 *   repeat=1        every unit has the same content (for layout=same, whose
 *                   data is not compared without it)
 *   scribble=1      change the memory while the bio is in flight
 *   hole=1          scribble only in the middle half of each unit, and do not
 *                   compare that
 *   any=1           do not check the content
 *   fail=1          every bio must fail
 *
 * When a bio has completed, all memory of its vectors is checked: the content
 * of a write is unchanged, that of a read is as it was written, the bytes
 * around the vectors are untouched in both.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "bios.h"

const char * const bios_op_names[OPS] = { "write", "read", "append" };

const char * const bios_layout_names[LAYOUTS] = {
	"plain", "sectors", "odd", "tiny", "multi", "adjacent", "mixed",
	"fragments", "same",
};

const struct bios_flag bios_flags[BIO_FLAGS] = {
	{ "fua", REQ_FUA }, { "preflush", REQ_PREFLUSH }, { "sync", REQ_SYNC },
	{ "meta", REQ_META }, { "idle", REQ_IDLE },
};

static struct dentry *debug_dir;
static struct bio_set splits;
static DEFINE_MUTEX(result_lock);
static char result[160];

static int parse_flags(struct job *job, char *value)
{
	char *word;
	unsigned int i;

	while ((word = strsep(&value, ","))) {
		if (!strcmp(word, "random")) {
			job->random_flags = true;
			continue;
		}
		/* never at random: such bios may be refused */
		if (!strcmp(word, "rahead")) {
			job->flags |= REQ_RAHEAD;
			continue;
		}
		for (i = 0; i < ARRAY_SIZE(bios_flags); i++)
			if (!strcmp(word, bios_flags[i].name))
				break;
		if (i == ARRAY_SIZE(bios_flags))
			return -EINVAL;
		job->flags |= bios_flags[i].flag;
	}
	return 0;
}

static int parse_name(const char * const *names, size_t nr, const char *value,
		      int *field)
{
	*field = match_string(names, nr, value);
	return *field < 0 ? -EINVAL : 0;
}

static int parse_word(struct job *job, char *word)
{
	const struct {
		const char *name;
		u64 *field;
	} numbers[] = {
		{ "start", &job->start }, { "sectors", &job->sectors },
		{ "unit", &job->unit }, { "max", &job->max },
		{ "depth", &job->depth }, { "align", &job->align },
		{ "tail", &job->tail }, { "seed", &job->seed },
		{ "data", &job->data }, { "prio", &job->prio },
		{ "shuffle", &job->shuffle }, { "whole", &job->whole },
		{ "split", &job->split }, { "repeat", &job->repeat },
		{ "scribble", &job->scribble }, { "hole", &job->hole },
		{ "any", &job->any }, { "fail", &job->fail },
	};
	char *value = strchr(word, '=');
	unsigned int i;

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(word, numbers[i].name))
			return kstrtou64(value, 0, numbers[i].field);
	if (!strcmp(word, "op"))
		return parse_name(bios_op_names, OPS, value, &job->op);
	if (!strcmp(word, "layout"))
		return parse_name(bios_layout_names, LAYOUTS, value,
				  &job->layout);
	if (!strcmp(word, "flags"))
		return parse_flags(job, value);
	if (!strcmp(word, "dev")) {
		job->dev = value;
		return 0;
	}
	return -EINVAL;
}

/* Maximum bytes in a bio: limits the memory and the number of vectors. */
static u64 max_bytes(const struct job *job)
{
	return job->layout == L_SAME ? job->unit * USHRT_MAX : SZ_8M;
}

static int parse(struct job *job, char *words)
{
	char *word;

	while ((word = strsep(&words, " \t\n"))) {
		if (*word && parse_word(job, word)) {
			pr_err("do not understand \"%s\"\n", word);
			return -EINVAL;
		}
	}
	if (!job->dev || !job->sectors || !job->depth ||
	    job->unit < SECTOR_SIZE || !is_power_of_2(job->unit) ||
	    job->max < job->unit || job->max > max_bytes(job) ||
	    job->tail >= PAGE_SIZE ||
	    (job->sectors << SECTOR_SHIFT) % job->unit) {
		pr_err("dev, sectors, depth, unit, max or tail is missing or wrong\n");
		return -EINVAL;
	}
	job->max = round_down(job->max, job->unit);
	return 0;
}

static void keep_result(const struct job *job)
{
	mutex_lock(&result_lock);
	snprintf(result, sizeof(result),
		 "bios:%llu vectors:%llu bytes:%llu straddling:%llu wrong:%llu align:%llu\n",
		 job->bios, job->vectors, job->bytes, job->straddling,
		 job->wrong, job->align);
	mutex_unlock(&result_lock);
}

static int open_and_run(struct job *job)
{
	struct file *file = filp_open(job->dev, O_RDWR | O_LARGEFILE, 0);
	int ret = -ENOTBLK;

	if (IS_ERR(file)) {
		pr_err("cannot open %s\n", job->dev);
		return PTR_ERR(file);
	}
	if (S_ISBLK(file_inode(file)->i_mode)) {
		job->bdev = I_BDEV(file->f_mapping->host);
		if (!job->align)
			job->align = bdev_dma_alignment(job->bdev) + 1;
		prandom_seed_state(&job->rnd, job->seed);
		ret = bios_run(job, &splits);
		keep_result(job);
	}
	filp_close(file, NULL);
	return ret;
}

static ssize_t run_write(struct file *file, const char __user *buf, size_t count,
			 loff_t *pos)
{
	struct job *job;
	char *words;
	int ret = -ENOMEM;

	words = memdup_user_nul(buf, count);
	if (IS_ERR(words))
		return PTR_ERR(words);
	job = kzalloc(sizeof(*job), GFP_KERNEL);
	if (job) {
		job->unit = SECTOR_SIZE;
		job->max = SZ_64K;
		job->depth = 8;
		spin_lock_init(&job->lock);
		INIT_LIST_HEAD(&job->done);
		init_waitqueue_head(&job->wait);
		ret = parse(job, words);
		if (!ret)
			ret = open_and_run(job);
		kfree(job);
	}
	kfree(words);
	return ret ?: count;
}

static const struct file_operations run_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= run_write,
};

static ssize_t result_read(struct file *file, char __user *buf, size_t count,
			   loff_t *pos)
{
	char copy[sizeof(result)];

	mutex_lock(&result_lock);
	memcpy(copy, result, sizeof(copy));
	mutex_unlock(&result_lock);
	return simple_read_from_buffer(buf, count, pos, copy, strlen(copy));
}

static const struct file_operations result_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= result_read,
};

static int __init xcrypt_bios_init(void)
{
	int ret = bioset_init(&splits, 64, 0, 0);

	if (ret)
		return ret;
	debug_dir = debugfs_create_dir("xcrypt_bios", NULL);
	debugfs_create_file("run", 0200, debug_dir, NULL, &run_fops);
	debugfs_create_file("result", 0400, debug_dir, NULL, &result_fops);
	return 0;
}

static void __exit xcrypt_bios_exit(void)
{
	debugfs_remove_recursive(debug_dir);
	bioset_exit(&splits);
}

module_init(xcrypt_bios_init);
module_exit(xcrypt_bios_exit);
MODULE_DESCRIPTION("Bios of any vector layout, for the tests of dm-xcrypt");
MODULE_LICENSE("GPL");

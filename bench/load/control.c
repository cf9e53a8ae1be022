// SPDX-License-Identifier: GPL-2.0-only
/*
 * xcrypt_load - keeps bios in flight on a block device and measures them
 *
 * In user-mode Linux, where dm-xcrypt is measured, a system call costs more than a
 * bio, so the kernel itself generates the load.  Words written to debugfs
 * xcrypt_load/run start a run; the write returns when it is over, and fails on any
 * error.  xcrypt_load/result then has the result.
 *
 *   dev=PATH        block device; op=write overwrites it
 *   op=             read | write
 *   size=           bytes per bio (default 4096)
 *   depth=          bios in flight (default 1)
 *   cpu=            the submitting CPU (default: any)
 *   pages=          single (pages, scattered; the default) | folio (one large)
 *   ms= bios=       end after that time or number of bios, whichever is first
 *   warm=           bios before the measurement (default 32)
 *   span=           bytes to access in sequence, repeatedly (default: all)
 *   slice=          measure that many bios at a time
 *   latency=1       measure every single bio
 *   wake=           interval in microseconds of a thread that wakes up meanwhile
 *
 * The result is a line of words: bios, errors, us (microseconds per bio), mb_s
 * (10^6 bytes per second), and quantiles in microseconds: us_50 is the median over
 * the slices of microseconds per bio, us_999 is exceeded by one slice in a thousand;
 * lat_50 and so on are the latency of bios, late_50 and so on the wakeup latency of
 * the thread.
 *
 * With one bio in flight, the median of short slices is the time of a bio on an
 * otherwise idle CPU.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "load.h"

#undef pr_fmt
#define pr_fmt(fmt) "xcrypt_load: " fmt

static struct dentry *debug_dir;
static DEFINE_MUTEX(one_at_a_time);	/* a run, or who reads its result */
static char result[512];

static int parse_choice(const char *value, const char *no, const char *yes, bool *field)
{
	*field = !strcmp(value, yes);
	return *field || !strcmp(value, no) ? 0 : -EINVAL;
}

static int parse_word(struct load *load, char *word, const char **dev)
{
	const struct {
		const char *name;
		u64 *field;
	} numbers[] = {
		{ "ms", &load->ms }, { "bios", &load->bios }, { "warm", &load->warm },
		{ "span", &load->span }, { "slice", &load->slice }, { "wake", &load->wake },
	};
	char *value = strchr(word, '=');
	unsigned int i;

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(word, numbers[i].name))
			return kstrtou64(value, 0, numbers[i].field);
	if (!strcmp(word, "size"))
		return kstrtouint(value, 0, &load->size);
	if (!strcmp(word, "depth"))
		return kstrtouint(value, 0, &load->depth);
	if (!strcmp(word, "cpu"))
		return kstrtoint(value, 0, &load->cpu);
	if (!strcmp(word, "op"))
		return parse_choice(value, "read", "write", &load->write);
	if (!strcmp(word, "pages"))
		return parse_choice(value, "single", "folio", &load->folio);
	if (!strcmp(word, "latency"))
		return parse_choice(value, "0", "1", &load->latency);
	if (!strcmp(word, "dev")) {
		*dev = value;
		return 0;
	}
	return -EINVAL;
}

static int parse(struct load *load, char *words, const char **dev)
{
	char *word;

	while ((word = strsep(&words, " \t\n"))) {
		if (*word && parse_word(load, word, dev)) {
			pr_err("do not understand \"%s\"\n", word);
			return -EINVAL;
		}
	}
	if (!*dev || (!load->ms && !load->bios) ||
	    !load->depth || load->depth > LOAD_DEPTH_MAX ||
	    !load->size || load->size > BIO_MAX_VECS * PAGE_SIZE ||
	    (load->size > PAGE_SIZE && load->size % PAGE_SIZE) ||
	    load->cpu >= (int)nr_cpu_ids ||
	    (load->cpu >= 0 && !cpu_online(load->cpu))) {
		pr_err("dev, ms, bios, depth, size or cpu is missing or wrong\n");
		return -EINVAL;
	}
	return 0;
}

/* Fits the run to its device. */
static int check_device(struct load *load)
{
	u64 bytes = bdev_nr_bytes(load->bdev);

	if (!load->span || load->span > bytes)
		load->span = bytes;
	load->span -= load->span % load->size;
	if (!load->span || load->size % bdev_logical_block_size(load->bdev)) {
		pr_err("the device is too small, or its blocks too large\n");
		return -EINVAL;
	}
	return 0;
}

static int open_and_run(struct load *load, const char *dev)
{
	struct file *file = filp_open(dev, (load->write ? O_RDWR : O_RDONLY) | O_LARGEFILE, 0);
	int ret = -ENOTBLK;

	if (IS_ERR(file)) {
		pr_err("cannot open %s\n", dev);
		return PTR_ERR(file);
	}
	if (S_ISBLK(file_inode(file)->i_mode)) {
		load->bdev = I_BDEV(file->f_mapping->host);
		ret = check_device(load) ?: load_run(load);
	}
	filp_close(file, NULL);
	return ret;
}

/* Appends a time in ns as microseconds, and returns the length. */
static size_t print_us(char *to, size_t size, const char *name, const char *what, u64 ns)
{
	u32 rest;
	u64 us = div_u64_rem(ns, 1000, &rest);

	return scnprintf(to, size, " %s%s:%llu.%03u", name, what, us, rest);
}

static size_t print_times(char *to, size_t size, const char *name, const struct quantiles *q)
{
	static const struct {
		const char *name;
		unsigned int per_mille;
	} wanted[] = { { "_50", 500 }, { "_90", 900 }, { "_99", 990 }, { "_999", 999 } };
	unsigned int i;
	size_t used = 0;

	for (i = 0; i < ARRAY_SIZE(wanted); i++)
		used += print_us(to + used, size - used, name, wanted[i].name,
				 quantiles_get(q, wanted[i].per_mille));
	return used + print_us(to + used, size - used, name, "_max", q->max);
}

static void print_result(const struct load *load)
{
	size_t size = sizeof(result), used;

	used = scnprintf(result, size, "bios:%llu errors:%llu mb_s:%llu", load->done_bios,
			 load->errors,
			 div64_u64(load->done_bios * load->size * 1000, max(load->ns, 1ULL)));
	used += print_us(result + used, size - used, "us", "",
			 div64_u64(load->ns, max(load->done_bios, 1ULL)));
	if (load->slice_times.total)
		used += print_times(result + used, size - used, "us", &load->slice_times);
	if (load->latency)
		used += print_times(result + used, size - used, "lat", &load->bio_times);
	if (load->wake)
		used += print_times(result + used, size - used, "late", &load->wake_times);
	scnprintf(result + used, size - used, "\n");
}

static int run_words(char *words)
{
	struct load *load = kvzalloc(sizeof(*load), GFP_KERNEL);
	const char *dev = NULL;
	int ret;

	if (!load)
		return -ENOMEM;
	load->size = 4096;
	load->depth = 1;
	load->cpu = -1;
	load->warm = 32;

	mutex_lock(&one_at_a_time);
	result[0] = '\0';
	ret = parse(load, words, &dev);
	if (!ret)
		ret = open_and_run(load, dev);
	if (!ret || ret == -EIO)
		print_result(load);
	mutex_unlock(&one_at_a_time);
	kvfree(load);
	return ret;
}

static ssize_t run_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char *words = memdup_user_nul(buf, count);
	int ret;

	if (IS_ERR(words))
		return PTR_ERR(words);
	ret = run_words(words);
	kfree(words);
	return ret ?: count;
}

static const struct file_operations run_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= run_write,
};

static ssize_t result_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	ssize_t ret;

	mutex_lock(&one_at_a_time);
	ret = simple_read_from_buffer(buf, count, pos, result, strlen(result));
	mutex_unlock(&one_at_a_time);
	return ret;
}

static const struct file_operations result_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= result_read,
};

static int __init xcrypt_load_init(void)
{
	debug_dir = debugfs_create_dir("xcrypt_load", NULL);
	debugfs_create_file("run", 0200, debug_dir, NULL, &run_fops);
	debugfs_create_file("result", 0400, debug_dir, NULL, &result_fops);
	return 0;
}

static void __exit xcrypt_load_exit(void)
{
	debugfs_remove_recursive(debug_dir);
}

module_init(xcrypt_load_init);
module_exit(xcrypt_load_exit);
MODULE_DESCRIPTION("Bios in flight on a block device, to measure dm-xcrypt");
MODULE_LICENSE("GPL");

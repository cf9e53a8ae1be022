// SPDX-License-Identifier: GPL-2.0-only
/*
 * xcrypt_plain - what a conversion must do at least: reads, digests, decrypts,
 * encrypts and writes each sector of a device once, with dm-xcrypt's own chunks
 *
 * Threads take chunks in turn; there is no state, no gate and no order.  Loading
 * the module is the measurement.  Then the parameter us has its duration.
 *
 *   dev=PATH	block device, whose content is lost
 *   threads=	how many (default: one for each CPU)
 */
#include <linux/atomic.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "rekey/chunk.h"
#include "rekey/digest.h"
#include "cipher/batch.h"
#include "cipher/cipher.h"
#include "cipher/create.h"
#include "cipher/keys.h"

#undef pr_fmt
#define pr_fmt(fmt) "xcrypt_plain: " fmt

/* As in rekey/batch.c: 256 KiB. */
#define CHUNK_SECTORS 512
#define KEY_SIZE 64

static char *dev = "";
module_param(dev, charp, 0400);
MODULE_PARM_DESC(dev, "block device, whose content is lost");

static unsigned int threads;
module_param(threads, uint, 0400);
MODULE_PARM_DESC(threads, "number of threads (default: one for each CPU)");

static unsigned long us;
module_param(us, ulong, 0400);
MODULE_PARM_DESC(us, "set to the duration in microseconds");

/**
 * struct plain - the loop
 * @disk: the device
 * @conv: from what, to what
 * @digest: computes digests
 * @next: the next chunk, counted from the start of the device
 * @left: threads that are running
 * @err: the first error
 * @done: completed by the last thread
 */
struct plain {
	struct xc_disk disk;
	struct xc_conversion conv;
	struct xc_digest digest;
	atomic64_t next;
	atomic_t left;
	atomic_t err;
	struct completion done;
};

static int convert(struct xc_chunk *chunk, unsigned int sectors, u8 *digests)
{
	return xc_chunk_read(chunk) ?:
		xc_chunk_digest(chunk, 0, sectors, digests) ?:
		xc_chunk_convert(chunk, 0, sectors) ?:
		xc_chunk_write(chunk, 0, sectors);
}

static int convert_chunks(struct plain *plain)
{
	struct xc_chunk *chunk = xc_chunk_create(&plain->conv, CHUNK_SECTORS);
	u8 *digests = kmalloc(CHUNK_SECTORS * XC_DIGEST_SIZE, GFP_KERNEL);
	int err = chunk && digests ? 0 : -ENOMEM;
	unsigned int sectors;
	sector_t sector;

	while (!err) {
		sector = (atomic64_inc_return(&plain->next) - 1) * CHUNK_SECTORS;
		if (sector >= plain->disk.len)
			break;
		sectors = min_t(sector_t, CHUNK_SECTORS, plain->disk.len - sector);
		xc_chunk_place(chunk, sector, sectors);
		err = convert(chunk, sectors, digests);
		cond_resched();
	}
	kfree(digests);
	if (chunk)
		xc_chunk_destroy(chunk);
	return err;
}

static int thread(void *data)
{
	struct plain *plain = data;
	int err = convert_chunks(plain);

	if (err)
		atomic_cmpxchg(&plain->err, 0, err);
	if (atomic_dec_and_test(&plain->left))
		complete(&plain->done);
	return 0;
}

static void run(struct plain *plain)
{
	struct task_struct *task;
	unsigned int i;
	u64 start = ktime_get_ns();

	/* one more, for who starts them */
	atomic_set(&plain->left, threads + 1);
	init_completion(&plain->done);
	for (i = 0; i < threads; i++) {
		task = kthread_run(thread, plain, "xcrypt_plain/%u", i);
		if (IS_ERR(task)) {
			atomic_cmpxchg(&plain->err, 0, PTR_ERR(task));
			atomic_dec(&plain->left);
		}
	}
	if (!atomic_dec_and_test(&plain->left))
		wait_for_completion(&plain->done);
	us = div_u64(ktime_get_ns() - start, NSEC_PER_USEC);
}

static struct xc_cipher *make_cipher(char **error)
{
	static const struct xc_options options = { .sector_size = 512 };
	struct xc_cipher *cipher = xc_cipher_create("aes-xts-plain64", KEY_SIZE, 0,
						    &options, error);
	int err;

	if (IS_ERR(cipher))
		return cipher;
	get_random_bytes(cipher->key.bytes, KEY_SIZE);
	err = xc_cipher_set_key(cipher, error);
	if (err) {
		xc_cipher_destroy(cipher);
		return ERR_PTR(err);
	}
	return cipher;
}

static int run_with_ciphers(struct plain *plain, char **error)
{
	struct xc_cipher *old, *new;
	int err;

	old = make_cipher(error);
	if (IS_ERR(old))
		return PTR_ERR(old);
	new = make_cipher(error);
	err = PTR_ERR_OR_ZERO(new);
	if (!err) {
		plain->conv = (struct xc_conversion) {
			.data = &plain->disk,
			.old = old,
			.new = new,
			.digest = &plain->digest,
			.unit = 1,
			.align = 1,
		};
		*error = "I/O, or memory";
		run(plain);
		err = atomic_read(&plain->err);
		xc_cipher_destroy(new);
	}
	xc_cipher_destroy(old);
	return err;
}

static int run_on(struct block_device *bdev, char **error)
{
	struct plain plain = { .disk = { .bdev = bdev, .len = bdev_nr_sectors(bdev) } };
	struct xc_digest_key key;
	int err;

	get_random_bytes(&key, sizeof(key));
	err = xc_digest_init(&plain.digest, error) ?:
		xc_digest_set_key(&plain.digest, &key) ?:
		run_with_ciphers(&plain, error);
	xc_digest_exit(&plain.digest);
	return err;
}

static int __init xcrypt_plain_init(void)
{
	struct file *file = filp_open(dev, O_RDWR | O_LARGEFILE, 0);
	char *error = "not a block device";
	int err = -ENOTBLK;

	if (IS_ERR(file)) {
		pr_err("cannot open %s\n", dev);
		return PTR_ERR(file);
	}
	xc_batch_init();
	if (!threads)
		threads = num_online_cpus();
	if (S_ISBLK(file_inode(file)->i_mode))
		err = run_on(I_BDEV(file->f_mapping->host), &error);
	if (err)
		pr_err("%s: %s: error %d\n", dev, error, err);
	filp_close(file, NULL);
	return err;
}

static void __exit xcrypt_plain_exit(void)
{
}

module_init(xcrypt_plain_init);
module_exit(xcrypt_plain_exit);
MODULE_DESCRIPTION("The work of a conversion in a plain loop, to measure dm-xcrypt");
MODULE_LICENSE("GPL");

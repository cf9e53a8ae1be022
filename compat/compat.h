/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replacements for interfaces that older kernels lack.  All other code is
 * written for the newest kernel; only this folder checks the kernel version.
 */
#ifndef _XC_COMPAT_H
#define _XC_COMPAT_H

#include <linux/bio.h>
#include <linux/blk-integrity.h>
#include <linux/blkdev.h>
#include <linux/cred.h>
#include <linux/crypto.h>
#include <linux/device-mapper.h>
#include <linux/sched/task.h>
#include <linux/version.h>
#include <linux/workqueue.h>
#include <crypto/aes.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/hex.h>
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#include <crypto/utils.h>
#else
#include <crypto/algapi.h>
#endif

/* ---- crypto -------------------------------------------------------------- */

/* A completion callback gets the request's data; it used to get the request. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
typedef void *xc_crypto_cb_t;

static inline void *xc_crypto_cb_data(xc_crypto_cb_t data)
{
	return data;
}
#else
typedef struct crypto_async_request *xc_crypto_cb_t;

static inline void *xc_crypto_cb_data(xc_crypto_cb_t req)
{
	return req->data;
}
#endif

/* lib/crypto's key for encryption only. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define aes_enckey crypto_aes_ctx
#define aes_prepareenckey aes_expandkey
#endif

/* ---- workqueues ---------------------------------------------------------- */

/* A workqueue without WQ_UNBOUND used to be per-CPU. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define WQ_PERCPU 0
#endif

/* Workqueues in softirq context; older kernels: high-priority workers. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define XC_WQ_BH (WQ_BH | WQ_PERCPU)
#else
#define XC_WQ_BH (WQ_HIGHPRI | WQ_MEM_RECLAIM)
#endif

/* ---- block --------------------------------------------------------------- */

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define REQ_ATOMIC ((__force blk_opf_t)0)

/* True if the underlying device stores metadata without checking it. */
static inline bool xc_bi_is_opaque(const struct blk_integrity *bi)
{
	return bi->profile &&
		!strcasecmp(bi->profile->name, "DM-DIF-EXT-TAG");
}
#else
static inline bool xc_bi_is_opaque(const struct blk_integrity *bi)
{
	return bi->csum_type == BLK_INTEGRITY_CSUM_NONE;
}
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define xc_bi_metadata_size(bi) ((bi)->metadata_size)
#else
#define xc_bi_metadata_size(bi) ((bi)->tuple_size)
#endif

/* bio_integrity_add_page() counts bytes itself since 6.4. */
static inline void xc_bip_set_size(struct bio_integrity_payload *bip,
				   unsigned int size)
{
	bip->bip_iter.bi_size = size;
}

/* Integrity payloads used to come from a mempool of the bio set. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
static inline int xc_bioset_integrity_create(struct bio_set *bs, int size)
{
	return 0;
}
#else
#define xc_bioset_integrity_create bioset_integrity_create
#endif

/* Hints on the lifetime and placement of data. */
static inline void xc_copy_hints(struct bio *to, const struct bio *from)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	to->bi_write_hint = from->bi_write_hint;
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	to->bi_write_stream = from->bi_write_stream;
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define BLK_OPEN_READ FMODE_READ
#define BLK_OPEN_WRITE FMODE_WRITE
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
static inline bool bdev_rot(struct block_device *bdev)
{
	return !bdev_nonrot(bdev);
}
#endif

/* ---- device mapper ------------------------------------------------------- */

/*
 * dm core opens a table's devices with the kernel's credentials.  Between 6.9,
 * when devices became files, and a fix that some stable series have too, it
 * used those of the caller.  A file keeps the credentials that it was opened
 * with, so the caller's keyrings, and the key in them, lived as long as the
 * volume.
 *
 * The caller's credentials resolve the path, the kernel's open the number.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
static inline int xc_get_device(struct dm_target *ti, const char *path,
				blk_mode_t mode, struct dm_dev **lower)
{
	char number[sizeof("4095:1048575")], dummy;
	unsigned int major, minor;
	const struct cred *caller;
	struct cred *kernel;
	dev_t dev;
	int err;

	if (sscanf(path, "%u:%u%c", &major, &minor, &dummy) != 2) {
		err = lookup_bdev(path, &dev);
		if (err)
			return err;
		snprintf(number, sizeof(number), "%u:%u", MAJOR(dev),
			 MINOR(dev));
		path = number;
	}
	kernel = prepare_kernel_cred(&init_task);
	if (!kernel)
		return -ENOMEM;
	caller = override_creds(kernel);
	err = dm_get_device(ti, path, mode, lower);
	revert_creds(caller);
	put_cred(kernel);
	return err;
}
#else
#define xc_get_device dm_get_device
#endif

#ifndef DM_TARGET_ATOMIC_WRITES
#define DM_TARGET_ATOMIC_WRITES 0

static inline void xc_limit_atomic_writes(struct queue_limits *limits,
					  struct block_device *lower,
					  unsigned int bytes)
{
}
#else
/*
 * Offer atomic writes of up to @bytes.  A larger logical block size makes the block
 * layer compute more than the underlying device accepts: that is the limit too.
 */
static inline void xc_limit_atomic_writes(struct queue_limits *limits,
					  struct block_device *lower,
					  unsigned int bytes)
{
	unsigned int unit = min(bytes, bdev_limits(lower)->atomic_write_unit_max);

	if (limits->atomic_write_hw_unit_min > unit) {
		limits->atomic_write_hw_unit_min = 0;
		unit = 0;
		bytes = 0;
	}
	limits->atomic_write_hw_unit_max =
		min(limits->atomic_write_hw_unit_max, unit);
	limits->atomic_write_hw_max = min(limits->atomic_write_hw_max, bytes);
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
static inline void dm_stack_bs_limits(struct queue_limits *limits,
				      unsigned int bs)
{
	limits->logical_block_size = max(limits->logical_block_size, bs);
	limits->physical_block_size = max(limits->physical_block_size, bs);
	limits->io_min = max(limits->io_min, bs);
}
#endif

/*
 * dm core splits writes to zoned devices at max_hw_sectors before they reach
 * the target.  On kernels where it does not, the target has to split them, but
 * not emulated appends, which have their own limit.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0) || \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 43) && \
	 LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0))
#define XC_DM_LIMITS_ZONE_WRITES 1
#else
#define XC_DM_LIMITS_ZONE_WRITES 0
#endif

static inline void xc_limit_zone_writes(struct queue_limits *limits,
					unsigned int bytes)
{
	limits->max_hw_sectors = min(limits->max_hw_sectors,
				     bytes >> SECTOR_SHIFT);
	if (XC_DM_LIMITS_ZONE_WRITES)
		return;
	limits->max_zone_append_sectors = min(limits->max_zone_append_sectors,
					      bytes >> SECTOR_SHIFT);
}

/* Auditing: dm-mod exports it, but its header is not installed. */
#ifdef CONFIG_DM_AUDIT
void dm_audit_log_ti(int audit_type, const char *dm_msg_prefix, const char *op,
		     struct dm_target *ti, int result);
void dm_audit_log_bio(const char *dm_msg_prefix, const char *op,
		      struct bio *bio, sector_t sector, int result);
#else
static inline void dm_audit_log_ti(int audit_type, const char *dm_msg_prefix,
				   const char *op, struct dm_target *ti,
				   int result)
{
}

static inline void dm_audit_log_bio(const char *dm_msg_prefix, const char *op,
				    struct bio *bio, sector_t sector,
				    int result)
{
}
#endif

#endif

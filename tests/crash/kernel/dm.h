/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-ins for device mapper, and for the crypto API's types.
 */
#ifndef _XC_CRASH_DM_H
#define _XC_CRASH_DM_H

struct mapped_device {
	struct gendisk disk;
};

struct dm_table {
	struct mapped_device *md;
	struct wait_queue_head events;
};

struct dm_target {
	struct dm_table *table;
	sector_t begin;
	sector_t len;
};

struct dm_dev {
	struct block_device *bdev;
	const char *name;
};

#define dm_table_get_md(table)		((table)->md)
#define dm_disk(md)			(&(md)->disk)
#define dm_table_get_mode(table)		((void)(table), BLK_OPEN_READ | BLK_OPEN_WRITE)
#define dm_table_device_name(table)	((void)(table), "volume")
#define dm_table_event(table)		wake_up(&(table)->events)

#define BLK_OPEN_READ			1
#define BLK_OPEN_WRITE			2

int xc_get_device(struct dm_target *ti, const char *path, unsigned int mode,
		  struct dm_dev **dev);
#define dm_put_device(ti, dev)		((void)(dev))

#define DMEMIT(x...) \
	(sz += sz >= maxlen ? 0 : scnprintf(result + sz, maxlen - sz, x))

/* Members of structures that are not used here. */
struct scatterlist;
struct crypto_aead;
struct crypto_skcipher;
struct bio_set { void *pool; };
struct percpu_counter { long count; };
typedef struct { void *elements; } mempool_t;

#endif

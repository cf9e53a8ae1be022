// SPDX-License-Identifier: GPL-2.0-only
/*
 * xcrypt-cache - a device-mapper target with a volatile write cache
 *
 * Table: <start> <len> xcrypt-cache <device> <offset>.  Maps like linear, but
 * keeps written sectors in memory until a flush; FUA writes go to the device
 * too.  Bios are processed one at a time, in order.  Messages:
 *
 *   cut <percent> <seed>	power is lost: of the sectors in memory, this
 *				many, chosen by the seed, reach the device, the
 *				others are lost.  All bios fail from then on.
 *   fail			all bios fail from then on; the memory is kept
 *   heal			bios succeed again
 *
 * The status is "<sectors in memory> <working|failing>".
 */
#include <linux/bio.h>
#include <linux/device-mapper.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

struct cache {
	struct dm_dev *dev;
	sector_t start;
	struct workqueue_struct *wq;
	struct work_struct work;
	spinlock_t lock;	/* protects bios */
	struct bio_list bios;
	struct mutex busy;	/* protects the rest */
	struct xarray sectors;
	unsigned long count;
	bool failing;
};

static u64 mix(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* ---- the device ---------------------------------------------------------- */

static int write_sector(struct cache *cache, sector_t sector, void *data,
			blk_opf_t flags)
{
	struct bio_vec vec;
	struct bio bio;
	int err;

	bio_init(&bio, cache->dev->bdev, &vec, 1, REQ_OP_WRITE | flags);
	bio.bi_iter.bi_sector = cache->start + sector;
	__bio_add_page(&bio, virt_to_page(data), SECTOR_SIZE,
		       offset_in_page(data));
	err = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return err;
}

static int read_below(struct cache *cache, struct bio *bio)
{
	struct bio *clone = bio_alloc_clone(cache->dev->bdev, bio, GFP_NOIO,
					    &fs_bio_set);
	int err;

	clone->bi_iter.bi_sector += cache->start;
	err = submit_bio_wait(clone);
	bio_put(clone);
	return err;
}

/* ---- the memory ---------------------------------------------------------- */

static void drop(struct cache *cache, sector_t sector)
{
	kfree(xa_erase(&cache->sectors, sector));
	cache->count--;
}

/* Write a part of the memory to the device, chosen by the seed; drop the rest. */
static int empty(struct cache *cache, unsigned int percent, u64 seed)
{
	unsigned long sector;
	void *data;
	int err = 0;

	xa_for_each(&cache->sectors, sector, data) {
		if (mix(sector + (seed << 32)) % 100 < percent && !err)
			err = write_sector(cache, sector, data, 0);
		drop(cache, sector);
	}
	return err;
}

static int keep(struct cache *cache, sector_t sector, const void *data)
{
	void *copy = kmemdup(data, SECTOR_SIZE, GFP_NOIO), *old;

	if (!copy)
		return -ENOMEM;
	old = xa_store(&cache->sectors, sector, copy, GFP_NOIO);
	if (xa_is_err(old)) {
		kfree(copy);
		return xa_err(old);
	}
	kfree(old);
	cache->count += !old;
	return 0;
}

/* One sector between a bio and the memory. */
static int exchange(struct cache *cache, struct bio *bio, sector_t sector,
		    void *data)
{
	const void *kept;

	if (bio_data_dir(bio) == WRITE)
		return keep(cache, sector, data);
	kept = xa_load(&cache->sectors, sector);
	if (kept)
		memcpy(data, kept, SECTOR_SIZE);
	return 0;
}

static int exchange_all(struct cache *cache, struct bio *bio)
{
	sector_t sector = bio->bi_iter.bi_sector;
	struct bvec_iter iter;
	struct bio_vec bv;
	unsigned int done;
	void *data;
	int err = 0;

	bio_for_each_segment(bv, bio, iter) {
		data = page_address(bv.bv_page) + bv.bv_offset;
		for (done = 0; done < bv.bv_len && !err; done += SECTOR_SIZE)
			err = exchange(cache, bio, sector++, data + done);
	}
	return err;
}

/* Sectors of a FUA write go on to the device. */
static int force(struct cache *cache, struct bio *bio)
{
	sector_t sector = bio->bi_iter.bi_sector;
	sector_t end = bio_end_sector(bio);
	int err = 0;

	for (; sector < end && !err; sector++) {
		err = write_sector(cache, sector,
				   xa_load(&cache->sectors, sector), REQ_FUA);
		drop(cache, sector);
	}
	return err;
}

/* ---- bios ---------------------------------------------------------------- */

static int process(struct cache *cache, struct bio *bio)
{
	int err = cache->failing ? -EIO : 0;

	if (!err && (bio->bi_opf & REQ_PREFLUSH))
		err = empty(cache, 100, 0);
	if (err || !bio_has_data(bio))
		return err;
	if (bio_data_dir(bio) == READ)
		err = read_below(cache, bio);
	err = err ?: exchange_all(cache, bio);
	if (!err && (bio->bi_opf & REQ_FUA))
		err = force(cache, bio);
	return err;
}

static void cache_work(struct work_struct *work)
{
	struct cache *cache = container_of(work, struct cache, work);
	struct bio *bio;

	while (true) {
		spin_lock_irq(&cache->lock);
		bio = bio_list_pop(&cache->bios);
		spin_unlock_irq(&cache->lock);
		if (!bio)
			return;
		mutex_lock(&cache->busy);
		bio->bi_status = errno_to_blk_status(process(cache, bio));
		mutex_unlock(&cache->busy);
		bio_endio(bio);
	}
}

static int cache_map(struct dm_target *ti, struct bio *bio)
{
	struct cache *cache = ti->private;
	unsigned long flags;

	bio->bi_iter.bi_sector = dm_target_offset(ti, bio->bi_iter.bi_sector);
	spin_lock_irqsave(&cache->lock, flags);
	bio_list_add(&cache->bios, bio);
	spin_unlock_irqrestore(&cache->lock, flags);
	queue_work(cache->wq, &cache->work);
	return DM_MAPIO_SUBMITTED;
}

/* ---- the target ---------------------------------------------------------- */

static int cache_message(struct dm_target *ti, unsigned int argc, char **argv,
			 char *result, unsigned int maxlen)
{
	struct cache *cache = ti->private;
	unsigned int percent;
	int err = 0;
	u64 seed;

	mutex_lock(&cache->busy);
	if (argc == 3 && !strcmp(argv[0], "cut") &&
	    !kstrtouint(argv[1], 10, &percent) &&
	    !kstrtoull(argv[2], 10, &seed)) {
		cache->failing = true;
		err = empty(cache, percent, seed);
	} else if (argc == 1 && !strcmp(argv[0], "fail")) {
		cache->failing = true;
	} else if (argc == 1 && !strcmp(argv[0], "heal")) {
		cache->failing = false;
	} else {
		err = -EINVAL;
	}
	mutex_unlock(&cache->busy);
	return err;
}

static void cache_status(struct dm_target *ti, status_type_t type,
			 unsigned int status_flags, char *result,
			 unsigned int maxlen)
{
	struct cache *cache = ti->private;
	unsigned int sz = 0;

	if (type == STATUSTYPE_INFO)
		DMEMIT("%lu %s", READ_ONCE(cache->count),
		       cache->failing ? "failing" : "working");
	else if (type == STATUSTYPE_TABLE)
		DMEMIT("%s %llu", cache->dev->name,
		       (unsigned long long)cache->start);
}

static int cache_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	unsigned long long start;
	struct cache *cache;
	int err;

	if (argc != 2 || kstrtoull(argv[1], 10, &start)) {
		ti->error = "Expected <device> <offset>";
		return -EINVAL;
	}
	cache = kzalloc(sizeof(*cache), GFP_KERNEL);
	if (!cache)
		return -ENOMEM;
	cache->start = start;
	spin_lock_init(&cache->lock);
	mutex_init(&cache->busy);
	xa_init(&cache->sectors);
	INIT_WORK(&cache->work, cache_work);
	cache->wq = alloc_ordered_workqueue("xcrypt_cache", WQ_MEM_RECLAIM);
	err = -ENOMEM;
	if (!cache->wq)
		goto free;
	err = dm_get_device(ti, argv[0], dm_table_get_mode(ti->table),
			    &cache->dev);
	if (err) {
		ti->error = "Device lookup failed";
		goto destroy;
	}
	ti->num_flush_bios = 1;
	/* dm core would not send flushes on for a device that has no cache */
	ti->flush_supported = true;
	ti->private = cache;
	return 0;

destroy:
	destroy_workqueue(cache->wq);
free:
	kfree(cache);
	return err;
}

static void cache_dtr(struct dm_target *ti)
{
	struct cache *cache = ti->private;

	empty(cache, 100, 0);
	destroy_workqueue(cache->wq);
	dm_put_device(ti, cache->dev);
	kfree(cache);
}

static int cache_iterate_devices(struct dm_target *ti,
				 iterate_devices_callout_fn fn, void *data)
{
	struct cache *cache = ti->private;

	return fn(ti, cache->dev, cache->start, ti->len, data);
}

static struct target_type cache_target = {
	.name			= "xcrypt-cache",
	.version		= {1, 0, 0},
	.module			= THIS_MODULE,
	.ctr			= cache_ctr,
	.dtr			= cache_dtr,
	.map			= cache_map,
	.message		= cache_message,
	.status			= cache_status,
	.iterate_devices	= cache_iterate_devices,
};

static int __init cache_init(void)
{
	return dm_register_target(&cache_target);
}

static void __exit cache_exit(void)
{
	dm_unregister_target(&cache_target);
}

module_init(cache_init);
module_exit(cache_exit);

MODULE_DESCRIPTION("device-mapper target with a volatile write cache");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers, for data that must not be changed in the submitter's pages: the
 * ciphertext of a write, all data of a bounced read.
 *
 * A buffer is a bio with pages of its own.  Large folios are tried first, then
 * single pages, then a mempool that always holds enough for one bio of maximal
 * length.  Two callers that fill bios page by page could each hold half of the
 * pool and wait for the other half; so only the holder of pages_lock may wait.
 *
 * All volumes together use up to 2 % of memory, with an equal quota each.
 * Above its quota a volume uses its mempool only.
 */
#include "buffer.h"

#include <linux/blkdev.h>
#include <linux/highmem.h>
#include <linux/mm.h>

#include "device.h"
#include "io.h"
#include "../debug/inject.h"

#define MEMORY_PERCENT 2
/* The least quota: this many bios of maximal length. */
#define MIN_QUOTA (BIO_MAX_VECS * 16)
/* Larger folios are hard to allocate and gain nothing. */
#define FOLIO_ORDER PAGE_ALLOC_COSTLY_ORDER
#define FOLIO_GFP (GFP_NOWAIT | __GFP_HIGHMEM | __GFP_NOMEMALLOC | \
		   __GFP_NORETRY | __GFP_NOWARN | __GFP_COMP)
#define MIN_BIOS 64

/* The number of volumes, and how many pages each of them may use. */
static DEFINE_SPINLOCK(quota_lock);
static unsigned int volumes;
static unsigned long quota = MIN_QUOTA;

static void count_volumes(int by)
{
	unsigned long pages = totalram_pages() - totalhigh_pages();

	spin_lock(&quota_lock);
	volumes += by;
	pages = mult_frac(pages, MEMORY_PERCENT, 100);
	WRITE_ONCE(quota, max_t(unsigned long, MIN_QUOTA,
				pages / max(volumes, 1U)));
	spin_unlock(&quota_lock);
}

/* May be off by some pages per CPU; this saves a lock. */
static bool exceeds_quota(struct xc_device *dev, unsigned int more)
{
	return xc_inject_failure(GFP_NOWAIT) ||
		percpu_counter_read_positive(&dev->pages_used) + more >
		READ_ONCE(quota);
}

/*
 * For the mempool.  mempool_alloc() sets __GFP_NORETRY, and the quota applies;
 * it does not apply when the pool is filled at first.
 */
static void *pool_alloc(gfp_t gfp, void *data)
{
	struct xc_device *dev = data;
	struct page *page;

	if ((gfp & __GFP_NORETRY) && exceeds_quota(dev, 1))
		return NULL;
	page = alloc_page(gfp);
	if (page)
		percpu_counter_inc(&dev->pages_used);
	return page;
}

static void pool_free(void *page, void *data)
{
	struct xc_device *dev = data;

	__free_page(page);
	percpu_counter_dec(&dev->pages_used);
}

/**
 * xc_max_buffer_size() - find the longest bio that buffers may be allocated for
 * @dev: the I/O side of the volume, with its options
 *
 * All buffers of a bio must fit the mempool together: one, or three to verify.
 *
 * Context: Any context.
 * Return: its length in bytes.
 */
unsigned int xc_max_buffer_size(const struct xc_device *dev)
{
	unsigned int buffers = xc_opt(&dev->opt, XC_VERIFY_WRITES) ? 3 : 1;

	return (BIO_MAX_VECS / buffers) << PAGE_SHIFT;
}

/**
 * xc_buffer_put() - free a buffer
 * @dev: the I/O side of the volume
 * @bio: the buffer, full or not
 *
 * Context: Any context.
 */
void xc_buffer_put(struct xc_device *dev, struct bio *bio)
{
	struct folio_iter fi;
	long pages = 0;

	/* the iterator does not accept a bio without vectors */
	if (bio->bi_vcnt)
		bio_for_each_folio_all(fi, bio) {
			if (folio_test_large(fi.folio)) {
				pages += folio_nr_pages(fi.folio);
				folio_put(fi.folio);
			} else {
				mempool_free(folio_page(fi.folio, 0),
					     &dev->pages);
			}
		}
	if (pages)
		percpu_counter_sub(&dev->pages_used, pages);
	bio_put(bio);
}

/**
 * xc_buffer_put_plaintext() - overwrite a buffer and free it
 * @dev: the I/O side of the volume
 * @bio: the buffer, with its original iterator
 *
 * Context: Any context.
 */
void xc_buffer_put_plaintext(struct xc_device *dev, struct bio *bio)
{
	zero_fill_bio(bio);
	xc_buffer_put(dev, bio);
}

/* A bio for the underlying device, like the submitted one, but empty. */
static struct bio *alloc_bio(struct xc_io *io, gfp_t gfp, unsigned int vecs)
{
	struct xc_device *dev = io->dev;
	struct bio *bio;

	if (xc_inject_failure(gfp))
		return NULL;
	bio = bio_alloc_bioset(dev->lower->bdev, vecs, io->base->bi_opf, gfp,
			       &dev->bios);
	if (!bio)
		return NULL;
	bio_clear_polled(bio);
	bio->bi_ioprio = io->base->bi_ioprio;
	xc_copy_hints(bio, io->base);
	bio->bi_iter.bi_sector = dev->start + io->sector;
	bio->bi_private = io;
	return bio;
}

static struct page *alloc_piece(struct xc_device *dev, gfp_t gfp,
				unsigned int order)
{
	if (gfpflags_allow_blocking(gfp))
		lockdep_assert_held(&dev->pages_lock);
	if (xc_inject_failure(order ? FOLIO_GFP : gfp))
		return NULL;
	return order ? alloc_pages(FOLIO_GFP, order) :
		       mempool_alloc(&dev->pages, gfp | __GFP_HIGHMEM);
}

/*
 * Fill a bio with as few pieces as possible; false if an allocation fails.
 * Single pages belong to the mempool.
 */
static bool add_pieces(struct xc_device *dev, struct bio *bio, gfp_t gfp,
		       unsigned int left, unsigned int max_order)
{
	unsigned int order, size;
	struct page *page;
	long pages = 0;

	for (; left; left -= size) {
		order = min_t(unsigned int, max_order,
			      ilog2(DIV_ROUND_UP(left, PAGE_SIZE)));
		page = alloc_piece(dev, gfp, order);
		if (!page)
			break;
		if (order)
			pages += 1 << order;
		size = min_t(unsigned int, PAGE_SIZE << order, left);
		__bio_add_page(bio, page, size, 0);
	}
	if (pages)
		percpu_counter_add(&dev->pages_used, pages);
	return !left;
}

static struct bio *get_pieces(struct xc_io *io, gfp_t gfp,
			      unsigned int max_order)
{
	unsigned int size = io->base->bi_iter.bi_size;
	struct bio *bio;

	/* as many largest pieces as fit, at most one of each smaller order */
	bio = alloc_bio(io, gfp,
			min_t(unsigned int, DIV_ROUND_UP(size, PAGE_SIZE),
			      size / (PAGE_SIZE << max_order) + max_order + 1));
	if (bio && !add_pieces(io->dev, bio, gfp, size, max_order)) {
		xc_buffer_put(io->dev, bio);
		return NULL;
	}
	return bio;
}

/* A blocking caller has already failed to get folios. */
static struct bio *get_buffer(struct xc_io *io, gfp_t gfp)
{
	unsigned int size = io->base->bi_iter.bi_size;
	struct bio *bio = NULL;

	if (!gfpflags_allow_blocking(gfp) &&
	    !exceeds_quota(io->dev, DIV_ROUND_UP(size, PAGE_SIZE)))
		bio = get_pieces(io, gfp, FOLIO_ORDER);
	return bio ?: get_pieces(io, gfp, 0);
}

static int get_buffers(struct xc_io *io, gfp_t gfp, struct bio **bios,
		       unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		bios[i] = get_buffer(io, gfp);
		if (!bios[i])
			goto put;
	}
	return 0;
put:
	while (i--)
		xc_buffer_put(io->dev, bios[i]);
	return -ENOMEM;
}

/**
 * xc_buffers_get() - allocate buffers as long as a bio
 * @io: the bio in flight; no longer than xc_max_buffer_size()
 * @gfp: %GFP_NOWAIT, or %GFP_NOIO to wait for memory
 * @bios: set to the buffers: bios for the underlying device, with the
 *	operation, flags, priority and place of @io
 * @count: number of buffers
 *
 * Context: Any context with %GFP_NOWAIT.  With %GFP_NOIO process context, on
 * memory_wq; may sleep, takes pages_lock.
 * Return: 0, or -ENOMEM (only with %GFP_NOWAIT).
 */
int xc_buffers_get(struct xc_io *io, gfp_t gfp, struct bio **bios,
		   unsigned int count)
{
	struct xc_device *dev = io->dev;
	int err;

	if (!gfpflags_allow_blocking(gfp))
		return get_buffers(io, gfp | __GFP_NOWARN, bios, count);

	mutex_lock(&dev->pages_lock);
	err = get_buffers(io, gfp, bios, count);
	mutex_unlock(&dev->pages_lock);
	return err;
}

/**
 * xc_clone() - allocate a bio that shares the pages of the submitted one
 * @io: the bio in flight
 * @gfp: %GFP_NOWAIT or %GFP_NOIO
 *
 * Context: Any context with %GFP_NOWAIT.  With %GFP_NOIO process context, on
 * memory_wq; may sleep.
 * Return: the clone, for the underlying device; NULL if the allocation fails.
 */
struct bio *xc_clone(struct xc_io *io, gfp_t gfp)
{
	struct xc_device *dev = io->dev;
	struct bio *clone;

	if (xc_inject_failure(gfp))
		return NULL;
	clone = bio_alloc_clone(dev->lower->bdev, io->base, gfp, &dev->bios);
	if (!clone)
		return NULL;
	bio_clear_polled(clone);
	clone->bi_iter.bi_sector = dev->start + io->sector;
	clone->bi_private = io;
	return clone;
}

/**
 * xc_buffers_init() - set up the memory for buffers
 * @dev: the I/O side of the volume
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set; call xc_buffers_exit() in
 * both cases.
 */
int xc_buffers_init(struct xc_device *dev, char **error)
{
	int err;

	mutex_init(&dev->pages_lock);
	count_volumes(1);
	*error = "out of memory for bios and pages";
	err = percpu_counter_init(&dev->pages_used, 0, GFP_KERNEL);
	if (err)
		return err;
	err = mempool_init(&dev->pages, BIO_MAX_VECS, pool_alloc, pool_free,
			   dev);
	if (err)
		return err;
	return bioset_init(&dev->bios, MIN_BIOS, 0, BIOSET_NEED_BVECS);
}

/**
 * xc_buffers_exit() - undo xc_buffers_init()
 * @dev: the I/O side of the volume
 *
 * Context: Process context.  May sleep.
 */
void xc_buffers_exit(struct xc_device *dev)
{
	bioset_exit(&dev->bios);
	mempool_exit(&dev->pages);
	if (percpu_counter_initialized(&dev->pages_used)) {
		WARN_ON(percpu_counter_sum(&dev->pages_used));
		percpu_counter_destroy(&dev->pages_used);
	}
	count_volumes(-1);
	mutex_destroy(&dev->pages_lock);
}

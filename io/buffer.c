// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for data that must not be changed where it is: the ciphertext of a
 * write, the ciphertext of a read that goes through private pages.
 *
 * A buffer is a bio whose pages are its own.  Large folios are tried first,
 * then single pages, then a pool that always holds enough for one bio of the
 * greatest length.  Two who fill bios from the pool page by page could each
 * hold half of it and wait for the other half; so only the holder of
 * pages_lock may wait.
 *
 * All volumes together use up to 2 % of memory, an equal share each; beyond
 * its share a volume lives on its pool.
 */
#include <linux/highmem.h>
#include <linux/mm.h>

#include "../dm-xcrypt.h"

#define MEMORY_PERCENT 2
/* A share is never less than this many bios of the greatest length. */
#define MIN_SHARE (BIO_MAX_VECS * 16)
/* Larger folios are hard to find and win nothing. */
#define FOLIO_ORDER PAGE_ALLOC_COSTLY_ORDER
#define FOLIO_GFP (GFP_NOWAIT | __GFP_HIGHMEM | __GFP_NOMEMALLOC | \
		   __GFP_NORETRY | __GFP_NOWARN | __GFP_COMP)
#define MIN_BIOS 64

/* How many volumes there are, and how many pages each of them may use. */
static DEFINE_SPINLOCK(share_lock);
static unsigned int sharers;
static unsigned long share = MIN_SHARE;

static void change_sharers(int by)
{
	unsigned long pages = totalram_pages() - totalhigh_pages();

	spin_lock(&share_lock);
	sharers += by;
	pages = mult_frac(pages, MEMORY_PERCENT, 100);
	WRITE_ONCE(share, max_t(unsigned long, MIN_SHARE,
				pages / max(sharers, 1U)));
	spin_unlock(&share_lock);
}

/* May be off by some pages for each CPU, which spares a lock. */
static bool share_used_up(struct xc_volume *vol, unsigned int more)
{
	return xc_inject_failure(GFP_NOWAIT) ||
		percpu_counter_read_positive(&vol->pages_used) + more >
		READ_ONCE(share);
}

/*
 * For the pool.  mempool_alloc() sets __GFP_NORETRY and is held to the share;
 * filling the pool in the first place is not.
 */
static void *pool_alloc(gfp_t gfp, void *data)
{
	struct xc_volume *vol = data;
	struct page *page;

	if ((gfp & __GFP_NORETRY) && share_used_up(vol, 1))
		return NULL;
	page = alloc_page(gfp);
	if (page)
		percpu_counter_inc(&vol->pages_used);
	return page;
}

static void pool_free(void *page, void *data)
{
	struct xc_volume *vol = data;

	__free_page(page);
	percpu_counter_dec(&vol->pages_used);
}

/**
 * xc_buffer_put() - free a buffer
 * @vol: the volume
 * @bio: the buffer, full or not
 *
 * Context: Any context.
 */
void xc_buffer_put(struct xc_volume *vol, struct bio *bio)
{
	struct folio_iter fi;
	long pages = 0;

	/* the iterator does not take a bio without vectors */
	if (bio->bi_vcnt)
		bio_for_each_folio_all(fi, bio) {
			if (folio_test_large(fi.folio)) {
				pages += folio_nr_pages(fi.folio);
				folio_put(fi.folio);
			} else {
				mempool_free(folio_page(fi.folio, 0),
					     &vol->pages);
			}
		}
	if (pages)
		percpu_counter_sub(&vol->pages_used, pages);
	bio_put(bio);
}

/**
 * xc_buffer_put_plaintext() - overwrite a buffer and free it
 * @vol: the volume
 * @bio: the buffer, which has not been submitted, or has its iterator back
 *
 * Context: Any context.
 */
void xc_buffer_put_plaintext(struct xc_volume *vol, struct bio *bio)
{
	zero_fill_bio(bio);
	xc_buffer_put(vol, bio);
}

/* A bio for the device below that is like the one submitted, but empty. */
static struct bio *alloc_bio(struct xc_io *io, gfp_t gfp, unsigned int vecs)
{
	struct xc_volume *vol = io->vol;
	struct bio *bio;

	if (xc_inject_failure(gfp))
		return NULL;
	bio = bio_alloc_bioset(vol->dev->bdev, vecs, io->base->bi_opf, gfp,
			       &vol->bios);
	if (!bio)
		return NULL;
	bio_clear_polled(bio);
	bio->bi_ioprio = io->base->bi_ioprio;
	xc_copy_hints(bio, io->base);
	bio->bi_iter.bi_sector = vol->start + io->sector;
	bio->bi_private = io;
	return bio;
}

static struct page *alloc_piece(struct xc_volume *vol, gfp_t gfp,
				unsigned int order)
{
	if (xc_inject_failure(order ? FOLIO_GFP : gfp))
		return NULL;
	return order ? alloc_pages(FOLIO_GFP, order) :
		       mempool_alloc(&vol->pages, gfp | __GFP_HIGHMEM);
}

/*
 * Fill a bio with the fewest pieces; false if they are not there right now.
 * Single pages are the pool's.
 */
static bool add_pieces(struct xc_volume *vol, struct bio *bio, gfp_t gfp,
		       unsigned int left, unsigned int max_order)
{
	unsigned int order, size;
	struct page *page;
	long pages = 0;

	for (; left; left -= size) {
		order = min_t(unsigned int, max_order,
			      ilog2(DIV_ROUND_UP(left, PAGE_SIZE)));
		page = alloc_piece(vol, gfp, order);
		if (!page)
			break;
		if (order)
			pages += 1 << order;
		size = min_t(unsigned int, PAGE_SIZE << order, left);
		__bio_add_page(bio, page, size, 0);
	}
	if (pages)
		percpu_counter_add(&vol->pages_used, pages);
	return !left;
}

static struct bio *get_pieces(struct xc_io *io, gfp_t gfp,
			      unsigned int max_order)
{
	unsigned int size = io->base->bi_iter.bi_size;
	struct bio *bio;

	/* as many of the largest as fit, and at most one of each other order */
	bio = alloc_bio(io, gfp,
			min_t(unsigned int, DIV_ROUND_UP(size, PAGE_SIZE),
			      size / (PAGE_SIZE << max_order) + max_order + 1));
	if (bio && !add_pieces(io->vol, bio, gfp, size, max_order)) {
		xc_buffer_put(io->vol, bio);
		return NULL;
	}
	return bio;
}

/* Who waits for the pool has no luck with folios. */
static struct bio *get_buffer(struct xc_io *io, gfp_t gfp)
{
	unsigned int size = io->base->bi_iter.bi_size;
	struct bio *bio = NULL;

	if (!gfpflags_allow_blocking(gfp) &&
	    !share_used_up(io->vol, DIV_ROUND_UP(size, PAGE_SIZE)))
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
		xc_buffer_put(io->vol, bios[i]);
	return -ENOMEM;
}

/**
 * xc_buffers_get() - allocate buffers as long as a bio
 * @io: the bio on its way; together no longer than %BIO_MAX_VECS pages
 * @gfp: %GFP_NOWAIT, or %GFP_NOIO to wait until there is memory
 * @bios: where to put the buffers: bios with the operation, flags, priority and
 *	place of @io, for the device below
 * @count: how many of them
 *
 * Context: Any context with %GFP_NOWAIT.  With %GFP_NOIO process context, on
 * memory_wq; may sleep, takes pages_lock.
 * Return: 0, or -ENOMEM, which does not happen with %GFP_NOIO.
 */
int xc_buffers_get(struct xc_io *io, gfp_t gfp, struct bio **bios,
		   unsigned int count)
{
	struct xc_volume *vol = io->vol;
	int err;

	if (!gfpflags_allow_blocking(gfp))
		return get_buffers(io, gfp | __GFP_NOWARN, bios, count);

	mutex_lock(&vol->pages_lock);
	err = get_buffers(io, gfp, bios, count);
	mutex_unlock(&vol->pages_lock);
	return err;
}

/**
 * xc_clone() - allocate a bio that shares the pages of the one submitted
 * @io: the bio on its way
 * @gfp: %GFP_NOWAIT or %GFP_NOIO
 *
 * Context: Any context with %GFP_NOWAIT, else as xc_buffers_get().
 * Return: the clone, for the device below, or NULL.
 */
struct bio *xc_clone(struct xc_io *io, gfp_t gfp)
{
	struct xc_volume *vol = io->vol;
	struct bio *clone;

	if (xc_inject_failure(gfp))
		return NULL;
	clone = bio_alloc_clone(vol->dev->bdev, io->base, gfp, &vol->bios);
	if (!clone)
		return NULL;
	bio_clear_polled(clone);
	clone->bi_iter.bi_sector = vol->start + io->sector;
	clone->bi_private = io;
	return clone;
}

/**
 * xc_buffers_init() - set up what buffers are made of
 * @vol: the volume
 * @error: where to put what is wrong
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set; xc_buffers_exit() is to be
 * called all the same.
 */
int xc_buffers_init(struct xc_volume *vol, char **error)
{
	int err;

	mutex_init(&vol->pages_lock);
	change_sharers(1);
	*error = "no memory for bios and pages";
	err = percpu_counter_init(&vol->pages_used, 0, GFP_KERNEL);
	if (err)
		return err;
	err = mempool_init(&vol->pages, BIO_MAX_VECS, pool_alloc, pool_free,
			   vol);
	if (err)
		return err;
	return bioset_init(&vol->bios, MIN_BIOS, 0, BIOSET_NEED_BVECS);
}

/**
 * xc_buffers_exit() - undo xc_buffers_init()
 * @vol: the volume
 *
 * Context: Process context.  May sleep.
 */
void xc_buffers_exit(struct xc_volume *vol)
{
	bioset_exit(&vol->bios);
	mempool_exit(&vol->pages);
	if (percpu_counter_initialized(&vol->pages_used)) {
		WARN_ON(percpu_counter_sum(&vol->pages_used));
		percpu_counter_destroy(&vol->pages_used);
	}
	change_sharers(-1);
	mutex_destroy(&vol->pages_lock);
}

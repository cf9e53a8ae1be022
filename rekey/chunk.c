// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chunks: memory for sectors that are being converted, with all that is needed
 * to read, convert and write them.
 *
 * One bio describes the pages, on the way to the device and through the
 * ciphers.
 */
#include "chunk.h"

#include <linux/bio.h>
#include <linux/completion.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "prf.h"
#include "../cipher/cipher.h"
#include "../cipher/run.h"

/**
 * struct xc_chunk - a chunk
 * @conv: what all chunks of the volume share
 * @sector: its first sector, counted from the start of the mapping
 * @sectors: its length
 * @digests: where its digests go
 * @work: converts it
 * @done: completed when what was started is done
 * @err: the result of that
 * @bio: describes some of @pages
 * @run: a run through a cipher
 * @page_count: number of @pages
 * @pages: the pages
 */
struct xc_chunk {
	const struct xc_conversion *conv;
	sector_t sector;
	unsigned int sectors;
	u8 *digests;
	struct work_struct work;
	struct completion done;
	int err;
	struct bio bio;
	struct xc_run run;
	unsigned int page_count;
	struct bio_vec pages[] __counted_by(page_count);
};

/* The bio describes @count units from @first on. */
static void describe(struct xc_chunk *chunk, struct block_device *bdev,
		     unsigned int first, unsigned int count, blk_opf_t opf)
{
	unsigned int shift = ilog2(chunk->conv->unit);
	struct bio *bio = &chunk->bio;

	bio_init(bio, bdev, chunk->pages, chunk->page_count, opf);
	bio->bi_vcnt = chunk->page_count;
	bio->bi_iter.bi_size = chunk->sectors << SECTOR_SHIFT;
	bio_advance(bio, first << (shift + SECTOR_SHIFT));
	bio->bi_iter.bi_size = count << (shift + SECTOR_SHIFT);
	bio->bi_iter.bi_sector = chunk->conv->data->start + chunk->sector +
		(first << shift);
	bio->bi_private = chunk;
}

static unsigned int units(const struct xc_chunk *chunk)
{
	return chunk->sectors / chunk->conv->unit;
}

/* ---- some units ---------------------------------------------------------- */

static int submit(struct xc_chunk *chunk, unsigned int first,
		  unsigned int count, blk_opf_t opf)
{
	int err;

	describe(chunk, chunk->conv->data->bdev, first, count, opf);
	err = submit_bio_wait(&chunk->bio);
	bio_uninit(&chunk->bio);
	return err;
}

/**
 * xc_chunk_read() - read a chunk
 * @chunk: the chunk
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or the negative errno of the device.
 */
int xc_chunk_read(struct xc_chunk *chunk)
{
	return submit(chunk, 0, units(chunk), REQ_OP_READ | REQ_SYNC);
}

/**
 * xc_chunk_write() - write units of a chunk
 * @chunk: the chunk
 * @first: first unit
 * @count: number of units
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or the negative errno of the device.
 */
int xc_chunk_write(struct xc_chunk *chunk, unsigned int first,
		   unsigned int count)
{
	return submit(chunk, first, count, REQ_OP_WRITE | REQ_SYNC);
}

/**
 * xc_chunk_digest() - compute the digest of a unit
 * @chunk: the chunk
 * @unit: the unit
 * @out: set to %XC_DIGEST_SIZE bytes
 *
 * Context: Process context.
 * Return: 0, or a negative errno.
 */
int xc_chunk_digest(const struct xc_chunk *chunk, unsigned int unit, u8 *out)
{
	unsigned int size = chunk->conv->unit << SECTOR_SHIFT;
	size_t at = (size_t)unit * size;
	const struct page *page = chunk->pages[at >> PAGE_SHIFT].bv_page;

	return xc_prf_compute(chunk->conv->digest,
			      chunk->sector + unit * chunk->conv->unit,
			      page_address(page) + offset_in_page(at), size,
			      out, XC_DIGEST_SIZE);
}

static int crypt(struct xc_chunk *chunk, const struct xc_cipher *cipher,
		 bool encrypt, unsigned int first, unsigned int count)
{
	void *own = chunk->run.own;

	describe(chunk, NULL, first, count, 0);
	xc_run_init(&chunk->run, cipher, encrypt, &chunk->bio, &chunk->bio,
		    chunk->sector + first * chunk->conv->unit, NULL);
	chunk->run.own = own;
	xc_run_crypt_sync(&chunk->run);
	return blk_status_to_errno(chunk->run.status);
}

/**
 * xc_chunk_convert() - convert units of a chunk
 * @chunk: the chunk
 * @first: first unit
 * @count: number of units
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or a negative errno.
 */
int xc_chunk_convert(struct xc_chunk *chunk, unsigned int first,
		     unsigned int count)
{
	return crypt(chunk, chunk->conv->old, false, first, count) ?:
		crypt(chunk, chunk->conv->new, true, first, count);
}

/* ---- all of it ----------------------------------------------------------- */

static void done(struct xc_chunk *chunk, int err)
{
	chunk->err = err;
	complete(&chunk->done);
}

static void convert_work(struct work_struct *work)
{
	struct xc_chunk *chunk = container_of(work, struct xc_chunk, work);
	unsigned int i;
	int err = 0;

	for (i = 0; i < units(chunk) && !err; i++)
		err = xc_chunk_digest(chunk, i,
				      chunk->digests + i * XC_DIGEST_SIZE);
	done(chunk, err ?: xc_chunk_convert(chunk, 0, units(chunk)));
}

static void read_endio(struct bio *bio)
{
	struct xc_chunk *chunk = bio->bi_private;
	int err = blk_status_to_errno(bio->bi_status);

	bio_uninit(bio);
	if (err)
		done(chunk, err);
	else
		queue_work(chunk->conv->wq, &chunk->work);
}

/**
 * xc_chunk_start_convert() - read a chunk, compute its digests, convert it
 * @chunk: the chunk
 * @digests: set to the digests of its units
 *
 * Context: Process context.  May sleep; allocates nothing.
 */
void xc_chunk_start_convert(struct xc_chunk *chunk, u8 *digests)
{
	chunk->digests = digests;
	describe(chunk, chunk->conv->data->bdev, 0, units(chunk), REQ_OP_READ);
	chunk->bio.bi_end_io = read_endio;
	submit_bio(&chunk->bio);
}

static void write_endio(struct bio *bio)
{
	struct xc_chunk *chunk = bio->bi_private;
	int err = blk_status_to_errno(bio->bi_status);

	bio_uninit(bio);
	done(chunk, err);
}

/**
 * xc_chunk_start_write() - write a chunk
 * @chunk: the chunk
 *
 * Context: Process context.  May sleep; allocates nothing.
 */
void xc_chunk_start_write(struct xc_chunk *chunk)
{
	describe(chunk, chunk->conv->data->bdev, 0, units(chunk),
		 REQ_OP_WRITE | REQ_SYNC);
	chunk->bio.bi_end_io = write_endio;
	submit_bio(&chunk->bio);
}

/**
 * xc_chunk_wait() - wait for what was started
 * @chunk: the chunk
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno.
 */
int xc_chunk_wait(struct xc_chunk *chunk)
{
	wait_for_completion_io(&chunk->done);
	return chunk->err;
}

/* ---- setting up ---------------------------------------------------------- */

static unsigned int request_size(const struct xc_conversion *conv)
{
	return max(conv->old->engine->request_size(conv->old),
		   conv->new->engine->request_size(conv->new));
}

/**
 * xc_chunk_create() - allocate a chunk
 * @conv: what all chunks of the volume share; must live as long
 * @sectors: its greatest length, in 512-byte sectors
 *
 * Context: Process context.  May sleep.
 * Return: the chunk, or NULL.
 */
struct xc_chunk *xc_chunk_create(const struct xc_conversion *conv,
				 unsigned int sectors)
{
	unsigned int i, count = DIV_ROUND_UP(sectors << SECTOR_SHIFT,
					     PAGE_SIZE);
	struct xc_chunk *chunk;
	struct page *page;

	chunk = kzalloc(struct_size(chunk, pages, count), GFP_KERNEL);
	if (!chunk)
		return NULL;
	chunk->page_count = count;
	chunk->conv = conv;
	INIT_WORK(&chunk->work, convert_work);
	init_completion(&chunk->done);
	chunk->run.own = kmalloc(request_size(conv), GFP_KERNEL);
	if (!chunk->run.own)
		goto destroy;
	for (i = 0; i < count; i++) {
		page = alloc_page(GFP_KERNEL);
		if (!page)
			goto destroy;
		bvec_set_page(&chunk->pages[i], page, PAGE_SIZE, 0);
	}
	return chunk;

destroy:
	xc_chunk_destroy(chunk);
	return NULL;
}

/**
 * xc_chunk_destroy() - overwrite a chunk and free it
 * @chunk: the chunk; nothing that was started may be left
 *
 * Context: Process context.  May sleep.
 */
void xc_chunk_destroy(struct xc_chunk *chunk)
{
	unsigned int i;

	for (i = 0; i < chunk->page_count; i++)
		if (chunk->pages[i].bv_page) {
			clear_page(page_address(chunk->pages[i].bv_page));
			__free_page(chunk->pages[i].bv_page);
		}
	kfree_sensitive(chunk->run.own);
	kfree(chunk);
}

/**
 * xc_chunk_place() - choose the sectors that a chunk is for
 * @chunk: the chunk
 * @sector: first sector, counted from the start of the mapping
 * @sectors: their number; at most the length that it was created with
 *
 * Context: Process context.
 */
void xc_chunk_place(struct xc_chunk *chunk, sector_t sector,
		    unsigned int sectors)
{
	chunk->sector = sector;
	chunk->sectors = sectors;
}

/**
 * xc_chunk_end() - find the end of a chunk
 * @chunk: the chunk, placed
 *
 * Context: Process context.
 * Return: the first sector after it, counted from the start of the mapping.
 */
sector_t xc_chunk_end(const struct xc_chunk *chunk)
{
	return chunk->sector + chunk->sectors;
}

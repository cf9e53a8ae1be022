// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chunks: memory for sectors that are being converted, with all that is needed
 * to read, convert and write them.
 *
 * One bio describes the pages, on the way to the device and through the
 * ciphers.
 *
 * Units that cannot be read are bad.  They are taken for zeros: as they are on the
 * device, so that they have a digest, and again as what that decrypts to.
 */
#include "chunk.h"

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "digest.h"
#include "../cipher/cipher.h"
#include "../cipher/run.h"
#include "../io/ranges.h"

/**
 * struct xc_chunk - a chunk
 * @conv: what all chunks of the volume share
 * @sector: its first sector, counted from the start of the mapping
 * @sectors: its length
 * @digests: where its digests go
 * @journal: it is written to a journal first
 * @target: where in that
 * @skip: go on if some of it cannot be read
 * @blank: it is all zeros, and is left so
 * @bad: which units cannot be read
 * @reading: reads it, and converts it if that ends at once
 * @converting: converts it otherwise
 * @read: set by the first of two: its read was submitted, its read has ended
 * @done: completed when what was started is done
 * @err: the result of that
 * @bio: describes some of @pages
 * @run: a run through a cipher
 * @scratch: memory for digests
 * @page_count: number of @pages
 * @pages: the pages
 */
struct xc_chunk {
	const struct xc_conversion *conv;
	sector_t sector;
	unsigned int sectors;
	u8 *digests;
	bool journal;
	struct xc_disk target;
	bool skip;
	bool blank;
	DECLARE_BITMAP(bad, XC_CHUNK_SECTORS);
	struct work_struct reading;
	struct work_struct converting;
	atomic_t read;
	struct completion done;
	int err;
	struct bio bio;
	struct xc_run run;
	void *scratch;
	unsigned int page_count;
	struct bio_vec pages[] __counted_by(page_count);
};

/* The bio describes @sectors sectors of the chunk, from its sector @first on. */
static void describe(struct xc_chunk *chunk, unsigned int first,
		     unsigned int sectors)
{
	struct bio *bio = &chunk->bio;

	bio_init(bio, NULL, chunk->pages, chunk->page_count, 0);
	bio->bi_vcnt = chunk->page_count;
	bio->bi_iter.bi_size = chunk->page_count << PAGE_SHIFT;
	bio_advance(bio, first << SECTOR_SHIFT);
	bio->bi_iter.bi_size = sectors << SECTOR_SHIFT;
	bio->bi_private = chunk;
}

/* Where the data of the chunk are, or of those sectors. */
static void aim(struct xc_chunk *chunk, unsigned int first, blk_opf_t opf)
{
	const struct xc_disk *data = chunk->conv->data;

	bio_set_dev(&chunk->bio, data->bdev);
	chunk->bio.bi_opf = opf;
	chunk->bio.bi_iter.bi_sector = data->start + chunk->sector + first;
}

/* All of the chunk in a journal, up to the end of the last logical block. */
static void aim_at_journal(struct xc_chunk *chunk,
			   const struct xc_disk *journal, blk_opf_t opf)
{
	describe(chunk, 0, round_up(chunk->sectors, chunk->conv->align));
	bio_set_dev(&chunk->bio, journal->bdev);
	chunk->bio.bi_opf = opf;
	chunk->bio.bi_iter.bi_sector = journal->start;
}

static unsigned int units(const struct xc_chunk *chunk)
{
	return chunk->sectors / chunk->conv->unit;
}

/* ---- what cannot be read ------------------------------------------------- */

/**
 * xc_chunk_next_bad() - find a range of bad units
 * @chunk: the chunk
 * @bad: find the next one that begins at its end or later; set to it
 *
 * Context: Process context.
 * Return: true if there is one.
 */
bool xc_chunk_next_bad(const struct xc_chunk *chunk, struct xc_range *bad)
{
	unsigned int unit = chunk->conv->unit, count = units(chunk), from = 0;

	if (bad->end >= xc_chunk_end(chunk))
		return false;
	if (bad->end > chunk->sector)
		from = (unsigned int)(bad->end - chunk->sector) / unit;
	from = find_next_bit(chunk->bad, count, from);
	if (from >= count)
		return false;
	bad->start = chunk->sector + from * unit;
	bad->end = chunk->sector +
		   find_next_zero_bit(chunk->bad, count, from) * unit;
	return true;
}

/**
 * xc_chunk_is_bad() - check a unit
 * @chunk: the chunk
 * @unit: index of the unit
 *
 * Context: Process context.
 * Return: true if it is bad.
 */
bool xc_chunk_is_bad(const struct xc_chunk *chunk, unsigned int unit)
{
	return test_bit(unit, chunk->bad);
}

/* Bad units become zeros. */
static void clear_bad(struct xc_chunk *chunk)
{
	unsigned int size = chunk->conv->unit << SECTOR_SHIFT, i, at;

	/* a unit lies in one page */
	for_each_set_bit(i, chunk->bad, units(chunk)) {
		at = i * size;
		memset(page_address(chunk->pages[at >> PAGE_SHIFT].bv_page) +
		       offset_in_page(at), 0, size);
	}
}

/**
 * xc_chunk_set_bad() - choose which units are bad, and make them zeros
 * @chunk: the chunk
 * @list: units on this list are bad, and no others
 *
 * Context: Process context.
 */
void xc_chunk_set_bad(struct xc_chunk *chunk, const struct xc_ranges *list)
{
	unsigned int unit = chunk->conv->unit, i;
	sector_t sector = chunk->sector;

	bitmap_zero(chunk->bad, XC_CHUNK_SECTORS);
	for (i = 0; i < units(chunk); i++, sector += unit)
		if (xc_ranges_overlap(list, sector, sector + unit))
			__set_bit(i, chunk->bad);
	clear_bad(chunk);
}

/* ---- some units ---------------------------------------------------------- */

static int submit(struct xc_chunk *chunk, const struct xc_disk *disk)
{
	sector_t sector = chunk->bio.bi_iter.bi_sector;
	int err = submit_bio_wait(&chunk->bio);

	xc_disk_note_error(disk, chunk->bio.bi_opf, sector, err);
	bio_uninit(&chunk->bio);
	return err;
}

/* An error need not be noted: it may be skipped. */
static int read_sectors(struct xc_chunk *chunk, unsigned int first,
			unsigned int sectors)
{
	int err;

	describe(chunk, first, sectors);
	aim(chunk, first, REQ_OP_READ | REQ_SYNC);
	err = submit_bio_wait(&chunk->bio);
	bio_uninit(&chunk->bio);
	return err;
}

/* Are the data lost, rather than the way to them? */
static bool is_loss(int err)
{
	return err == -EIO || err == -ENODATA || err == -EILSEQ;
}

/* Read sectors half by half, to find the blocks that cannot be read. */
static int read_by_halves(struct xc_chunk *chunk, unsigned int first,
			  unsigned int sectors)
{
	unsigned int block = chunk->conv->block, unit = chunk->conv->unit;
	int err = read_sectors(chunk, first, sectors);
	const struct xc_disk *data = chunk->conv->data;
	unsigned int half;

	if (!err)
		return 0;
	if (!is_loss(err) || sectors <= block) {
		if (is_loss(err))
			bitmap_set(chunk->bad, first / unit, sectors / unit);
		if (is_loss(err) && chunk->skip)
			return 0;
		xc_disk_note_error(data, REQ_OP_READ,
				   data->start + chunk->sector + first, err);
		return err;
	}
	half = round_up(sectors / 2, block);
	return read_by_halves(chunk, first, half) ?:
		read_by_halves(chunk, first + half, sectors - half);
}

/**
 * xc_chunk_read() - read a chunk, and find which units are bad
 * @chunk: the chunk
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, also if there are bad units, or another negative errno of the device.
 */
int xc_chunk_read(struct xc_chunk *chunk)
{
	chunk->skip = true;
	return read_by_halves(chunk, 0, chunk->sectors);
}

/**
 * xc_chunk_read_journal() - read a chunk as it is to be written
 * @chunk: the chunk
 * @journal: where that is
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or the negative errno of the device.
 */
int xc_chunk_read_journal(struct xc_chunk *chunk, const struct xc_disk *journal)
{
	aim_at_journal(chunk, journal, REQ_OP_READ | REQ_SYNC);
	return submit(chunk, journal);
}

static int write_units(struct xc_chunk *chunk, unsigned int first,
		       unsigned int count)
{
	unsigned int unit = chunk->conv->unit;

	describe(chunk, first * unit, count * unit);
	aim(chunk, first * unit, REQ_OP_WRITE | REQ_SYNC);
	return submit(chunk, chunk->conv->data);
}

/**
 * xc_chunk_write() - write units of a chunk
 * @chunk: the chunk
 * @first: first unit
 * @count: number of units
 *
 * That bad units are written is tried, but no error.
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or the negative errno of the device.
 */
int xc_chunk_write(struct xc_chunk *chunk, unsigned int first,
		   unsigned int count)
{
	unsigned int end = first + count, next;
	int err = write_units(chunk, first, count);
	bool bad;

	if (!err || find_next_bit(chunk->bad, end, first) >= end)
		return err;
	for (err = 0; first < end && !err; first = next) {
		bad = xc_chunk_is_bad(chunk, first);
		next = bad ? find_next_zero_bit(chunk->bad, end, first) :
			     find_next_bit(chunk->bad, end, first);
		err = write_units(chunk, first, next - first);
		if (bad)
			err = 0;
	}
	return err;
}

/**
 * xc_chunk_is_blank() - check whether a chunk is all zeros
 * @chunk: the chunk
 *
 * Context: Process context.
 * Return: true if it is, and no unit is bad.
 */
bool xc_chunk_is_blank(const struct xc_chunk *chunk)
{
	unsigned int i, size, left = chunk->sectors << SECTOR_SHIFT;

	if (!bitmap_empty(chunk->bad, XC_CHUNK_SECTORS))
		return false;
	for (i = 0; left; i++) {
		size = min_t(unsigned int, left, PAGE_SIZE);
		if (memchr_inv(page_address(chunk->pages[i].bv_page), 0, size))
			return false;
		left -= size;
	}
	return true;
}

/**
 * xc_chunk_digest() - compute the digests of a chunk as it is now
 * @chunk: the chunk
 * @first: first unit
 * @count: number of units
 * @out: set to %XC_DIGEST_SIZE bytes for each
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or a negative errno.
 */
int xc_chunk_digest(struct xc_chunk *chunk, unsigned int first,
		    unsigned int count, u8 *out)
{
	unsigned int unit = chunk->conv->unit;

	describe(chunk, first * unit, count * unit);
	return xc_digest_units(chunk->conv->digest, &chunk->run, chunk->scratch,
			       &chunk->bio, chunk->sector + first * unit,
			       unit << SECTOR_SHIFT, out);
}

static int crypt(struct xc_chunk *chunk, const struct xc_cipher *cipher,
		 bool encrypt, unsigned int first, unsigned int count)
{
	unsigned int unit = chunk->conv->unit;
	void *own = chunk->run.own;

	describe(chunk, first * unit, count * unit);
	xc_run_init(&chunk->run, cipher, encrypt, &chunk->bio, &chunk->bio,
		    chunk->sector + first * unit, NULL);
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
	int err = crypt(chunk, chunk->conv->old, false, first, count);

	if (err)
		return err;
	clear_bad(chunk);
	return crypt(chunk, chunk->conv->new, true, first, count);
}

/**
 * xc_chunk_write_zeros() - write zeros to a chunk, encrypted with the new key
 * @chunk: the chunk
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or a negative errno.
 */
int xc_chunk_write_zeros(struct xc_chunk *chunk)
{
	unsigned int i;

	for (i = 0; i < chunk->page_count; i++)
		clear_page(page_address(chunk->pages[i].bv_page));
	return crypt(chunk, chunk->conv->new, true, 0, units(chunk)) ?:
		write_units(chunk, 0, units(chunk));
}

/* ---- all of it ----------------------------------------------------------- */

static void done(struct xc_chunk *chunk, int err)
{
	chunk->err = err;
	complete(&chunk->done);
}

static void note_error(struct xc_chunk *chunk, const struct xc_disk *disk,
		       sector_t sector)
{
	xc_disk_note_error(disk, chunk->bio.bi_opf, sector,
			   blk_status_to_errno(chunk->bio.bi_status));
}

/* All of the chunk was to be read or written. */
static void note_data_error(struct xc_chunk *chunk)
{
	const struct xc_disk *data = chunk->conv->data;

	note_error(chunk, data, data->start + chunk->sector);
}

static void end_write(struct xc_chunk *chunk)
{
	int err = blk_status_to_errno(chunk->bio.bi_status);

	bio_uninit(&chunk->bio);
	done(chunk, err);
}

static void write_endio(struct bio *bio)
{
	note_data_error(bio->bi_private);
	end_write(bio->bi_private);
}

static void journal_endio(struct bio *bio)
{
	struct xc_chunk *chunk = bio->bi_private;

	note_error(chunk, &chunk->target, chunk->target.start);
	end_write(chunk);
}

/* What was never written is zeros, which stay. */
static int convert_unless_blank(struct xc_chunk *chunk)
{
	chunk->blank = chunk->conv->sparse && xc_chunk_is_blank(chunk);
	return chunk->blank ? 0 : xc_chunk_convert(chunk, 0, units(chunk));
}

/* A journal has what is to be written, so its digests are of that. */
static int convert_for_journal(struct xc_chunk *chunk)
{
	return convert_unless_blank(chunk) ?:
		xc_chunk_digest(chunk, 0, units(chunk), chunk->digests);
}

static int convert_for_checksum(struct xc_chunk *chunk)
{
	return xc_chunk_digest(chunk, 0, units(chunk), chunk->digests) ?:
		convert_unless_blank(chunk);
}

static void convert(struct xc_chunk *chunk)
{
	int err = chunk->err;

	if (err)
		err = read_by_halves(chunk, 0, chunk->sectors);
	clear_bad(chunk);
	if (!err)
		err = chunk->journal ? convert_for_journal(chunk) :
				       convert_for_checksum(chunk);
	done(chunk, err);
}

static void convert_work(struct work_struct *work)
{
	convert(container_of(work, struct xc_chunk, converting));
}

static void read_endio(struct bio *bio)
{
	struct xc_chunk *chunk = bio->bi_private;

	chunk->err = blk_status_to_errno(bio->bi_status);
	bio_uninit(bio);
	if (atomic_xchg(&chunk->read, 1))
		queue_work(chunk->conv->wq, &chunk->converting);
}

/* A device that reads at once is read by the CPU that has the data in its cache then. */
static void read_work(struct work_struct *work)
{
	struct xc_chunk *chunk = container_of(work, struct xc_chunk, reading);

	describe(chunk, 0, chunk->sectors);
	aim(chunk, 0, REQ_OP_READ);
	chunk->bio.bi_end_io = read_endio;
	submit_bio(&chunk->bio);
	if (atomic_xchg(&chunk->read, 1))
		convert(chunk);
}

/**
 * xc_chunk_start_convert() - read a chunk, convert it, compute its digests
 * @chunk: the chunk
 * @digests: set to the digests of its units: without @journal as they were, else as
 *	they are now
 * @journal: it is to be written to a journal
 * @skip: go on if units are bad; without it the first of them is an error
 *
 * Context: Process context.  May sleep; allocates nothing.
 */
void xc_chunk_start_convert(struct xc_chunk *chunk, u8 *digests, bool journal,
			    bool skip)
{
	chunk->digests = digests;
	chunk->journal = journal;
	chunk->skip = skip;
	atomic_set(&chunk->read, 0);
	queue_work(chunk->conv->wq, &chunk->reading);
}

/**
 * xc_chunk_start_write_journal() - write a chunk to a journal
 * @chunk: the chunk, converted
 * @journal: where to
 *
 * Context: Process context.  May sleep; allocates nothing.
 */
void xc_chunk_start_write_journal(struct xc_chunk *chunk,
				  const struct xc_disk *journal)
{
	chunk->target = *journal;
	aim_at_journal(chunk, journal, REQ_OP_WRITE | REQ_SYNC);
	chunk->bio.bi_end_io = journal_endio;
	submit_bio(&chunk->bio);
}

/**
 * xc_chunk_start_write() - write a chunk
 * @chunk: the chunk, converted
 *
 * Leaves a blank one as it is.
 *
 * Context: Process context.  May sleep; allocates nothing.
 */
void xc_chunk_start_write(struct xc_chunk *chunk)
{
	if (chunk->blank) {
		done(chunk, 0);
		return;
	}
	describe(chunk, 0, chunk->sectors);
	aim(chunk, 0, REQ_OP_WRITE | REQ_SYNC);
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

/**
 * xc_chunk_wait_write() - wait for xc_chunk_start_write()
 * @chunk: the chunk
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: as xc_chunk_write().
 */
int xc_chunk_wait_write(struct xc_chunk *chunk)
{
	int err = xc_chunk_wait(chunk);

	if (!err || bitmap_empty(chunk->bad, XC_CHUNK_SECTORS))
		return err;
	return xc_chunk_write(chunk, 0, units(chunk));
}

/* ---- setting up ---------------------------------------------------------- */

static unsigned int request_size(const struct xc_conversion *conv)
{
	return max3(conv->old->engine->request_size(conv->old),
		    conv->new->engine->request_size(conv->new),
		    xc_digest_request_size(conv->digest));
}

/**
 * xc_chunk_create() - allocate a chunk
 * @conv: what all chunks of the volume share; must live as long
 * @sectors: its greatest length, in 512-byte sectors; at most %XC_CHUNK_SECTORS
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
	INIT_WORK(&chunk->reading, read_work);
	INIT_WORK(&chunk->converting, convert_work);
	init_completion(&chunk->done);
	chunk->run.own = kmalloc(request_size(conv), GFP_KERNEL);
	chunk->scratch = kmalloc(XC_DIGEST_SCRATCH, GFP_KERNEL);
	if (!chunk->run.own || !chunk->scratch)
		goto destroy;
	for (i = 0; i < count; i++) {
		/* a journal is written up to the end of a block */
		page = alloc_page(GFP_KERNEL | __GFP_ZERO);
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
	kfree_sensitive(chunk->scratch);
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
	bitmap_zero(chunk->bad, XC_CHUNK_SECTORS);
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

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-ins for bios and block devices.
 */
#ifndef _XC_CRASH_BLOCK_H
#define _XC_CRASH_BLOCK_H

typedef u32 blk_opf_t;
typedef u8 blk_status_t;

#define REQ_OP_READ		0
#define REQ_OP_WRITE		1
#define REQ_OP_DISCARD		3
#define REQ_OP_MASK		255
#define REQ_SYNC		0
#define REQ_FUA			0x100
#define REQ_PREFLUSH		0x200
#define REQ_RAHEAD		0x400

#define BLK_STS_OK		0
#define BLK_STS_IOERR		10

struct gendisk {
	dev_t devt;
};

struct block_device {
	struct gendisk *bd_disk;
	sector_t sectors;
	unsigned int number;
	unsigned int block_size;
};

#define get_start_sect(bdev)		((sector_t)0)
#define bdev_nr_sectors(bdev)		((bdev)->sectors)
#define bdev_logical_block_size(bdev)	((bdev)->block_size)
#define bdev_is_zoned(bdev)		false
#define disk_devt(disk)			((disk)->devt)

struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

struct bvec_iter {
	sector_t bi_sector;
	unsigned int bi_size;
	unsigned int bi_idx;
	unsigned int bi_bvec_done;
};

struct bio;
typedef void (bio_end_io_t)(struct bio *bio);

struct bio {
	struct block_device *bi_bdev;
	blk_opf_t bi_opf;
	blk_status_t bi_status;
	struct bvec_iter bi_iter;
	bio_end_io_t *bi_end_io;
	void *bi_private;
	unsigned int bi_vcnt;
	struct bio_vec *bi_io_vec;
};

#define bio_op(bio)		((bio)->bi_opf & REQ_OP_MASK)
#define op_is_write(op)		((op) & 1)
#define bio_data_dir(bio)	(op_is_write(bio_op(bio)) ? WRITE : READ)
#define bio_sectors(bio)	((bio)->bi_iter.bi_size >> SECTOR_SHIFT)
#define bio_end_sector(bio)	((bio)->bi_iter.bi_sector + bio_sectors(bio))
#define blk_status_to_errno(status)	((status) ? -EIO : 0)

static inline void bvec_set_page(struct bio_vec *vec, struct page *page,
				 unsigned int len, unsigned int offset)
{
	*vec = (struct bio_vec) { page, len, offset };
}

static inline void bio_init(struct bio *bio, struct block_device *bdev,
			    struct bio_vec *vecs, unsigned int max_vecs,
			    blk_opf_t opf)
{
	*bio = (struct bio) {
		.bi_bdev = bdev, .bi_opf = opf, .bi_io_vec = vecs,
	};
}

#define bio_uninit(bio)		((void)(bio))

static inline void bio_set_dev(struct bio *bio, struct block_device *bdev)
{
	bio->bi_bdev = bdev;
}

static inline void __bio_add_page(struct bio *bio, struct page *page,
				  unsigned int len, unsigned int offset)
{
	bvec_set_page(&bio->bi_io_vec[bio->bi_vcnt++], page, len, offset);
	bio->bi_iter.bi_size += len;
}

static inline void bio_advance_iter(const struct bio *bio,
				    struct bvec_iter *iter, unsigned int bytes)
{
	iter->bi_sector += bytes >> SECTOR_SHIFT;
	iter->bi_size -= bytes;
	bytes += iter->bi_bvec_done;
	while (bytes && bytes >= bio->bi_io_vec[iter->bi_idx].bv_len)
		bytes -= bio->bi_io_vec[iter->bi_idx++].bv_len;
	iter->bi_bvec_done = bytes;
}

static inline void bio_advance(struct bio *bio, unsigned int bytes)
{
	bio_advance_iter(bio, &bio->bi_iter, bytes);
}

/* The bytes at @iter; a sector lies in one page. */
static inline void *bio_iter_address(const struct bio *bio,
				     const struct bvec_iter *iter)
{
	const struct bio_vec *vec = &bio->bi_io_vec[iter->bi_idx];

	return (char *)page_address(vec->bv_page) + vec->bv_offset +
		iter->bi_bvec_done;
}

static inline void bio_endio(struct bio *bio)
{
	bio->bi_end_io(bio);
}

void submit_bio(struct bio *bio);
int submit_bio_wait(struct bio *bio);

#endif

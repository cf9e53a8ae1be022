/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the parts of the module xcrypt_bios. */
#ifndef XCRYPT_BIOS_H
#define XCRYPT_BIOS_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/prandom.h>
#include <linux/wait.h>

#undef pr_fmt
#define pr_fmt(fmt) "xcrypt_bios: " fmt

enum op { OP_WRITE, OP_READ, OP_APPEND, OPS };

enum layout {
	L_PLAIN,	/* whole pages */
	L_SECTORS,	/* a few 512-byte blocks, at a multiple of 512 */
	L_ODD,		/* 4, 12, 508, 516 bytes and the like, anywhere */
	L_TINY,		/* a few bytes each */
	L_MULTI,	/* many pages in a vector */
	L_ADJACENT,	/* several odd vectors side by side in one page */
	L_MIXED,	/* any of the above for each vector */
	L_FRAGMENTS,	/* as many vectors as a bio can have, of equal length */
	L_SAME,		/* every unit in the same memory */
	LAYOUTS
};

#define BIO_FLAGS	5

/**
 * struct bios_flag - a flag of bios by name
 * @name: the word for it
 * @flag: the flag
 */
struct bios_flag {
	const char *name;
	blk_opf_t flag;
};

extern const char * const bios_op_names[OPS];
extern const char * const bios_layout_names[LAYOUTS];
extern const struct bios_flag bios_flags[BIO_FLAGS];

/* One run: its words, its state, and its counts. */
struct job {
	const char *dev;
	int op, layout;
	u64 start, sectors, unit, max, depth, align, tail, seed, data;
	u64 prio, shuffle, whole, split, repeat, scribble, hole, any, fail;
	blk_opf_t flags;
	bool random_flags;

	struct block_device *bdev;
	struct rnd_state rnd;

	spinlock_t lock;		/* protects done */
	struct list_head done;
	wait_queue_head_t wait;
	unsigned int in_flight;

	u64 bios, vectors, bytes, straddling, wrong;
};

/* Memory in which one or several vectors lie. */
struct piece {
	struct page *page;
	unsigned int order;
	u8 *expect;
};

/* A vector of the bio. */
struct vec {
	unsigned int piece, offset, len;
};

/* A bio, with the memory it lies in. */
struct unit_bio {
	struct job *job;
	struct list_head list;
	sector_t sector, landed;
	unsigned int bytes, nr_pieces, nr_vecs, max_vecs;
	bool done;
	blk_status_t status;
	struct bio_vec *table;		/* if the bio has no room for them */
	struct piece pieces[BIO_MAX_VECS];
	struct vec vecs[];
};

/* The area of a bio. */
struct extent {
	sector_t sector;
	unsigned int bytes;
};

u32 bios_below(struct job *job, u32 n);
struct unit_bio *bios_make(struct job *job, const struct extent *extent);
void bios_free(struct unit_bio *ub);
bool bios_in_hole(const struct job *job, unsigned int at);
void bios_compare(struct unit_bio *ub, bool any);
u8 *bios_memory(struct unit_bio *ub, const struct vec *vec);

int bios_run(struct job *job, struct bio_set *splits);

#endif

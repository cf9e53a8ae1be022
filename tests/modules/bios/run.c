// SPDX-License-Identifier: GPL-2.0-only
/* A run: submits bios, waits for them, and checks them. */
#include <linux/delay.h>
#include <linux/ioprio.h>
#include <linux/slab.h>

#include "bios.h"

#define STALL_SECONDS	60

static void check_bio(struct unit_bio *ub)
{
	struct job *job = ub->job;
	bool any = job->any || (job->scribble && !job->hole) || ub->status ||
		(job->op == OP_READ && job->layout == L_SAME && !job->repeat);

	job->bios++;
	job->vectors += ub->nr_vecs;
	job->bytes += ub->bytes;

	if (!!ub->status != !!job->fail) {
		pr_err("%s of %u bytes at sector %llu, %u vectors: ended with %d\n",
		       bios_op_names[job->op], ub->bytes, (u64)ub->sector,
		       ub->nr_vecs, blk_status_to_errno(ub->status));
		job->wrong++;
	}
	if (job->op == OP_APPEND && !ub->status && ub->landed != ub->sector) {
		pr_err("append to sector %llu landed at %llu\n",
		       (u64)ub->sector, (u64)ub->landed);
		job->wrong++;
	}
	bios_compare(ub, any);
}

static void end_bio(struct bio *bio)
{
	struct unit_bio *ub = bio->bi_private;
	struct job *job = ub->job;
	unsigned long flags;

	ub->status = bio->bi_status;
	ub->landed = bio->bi_iter.bi_sector;
	bio_put(bio);

	spin_lock_irqsave(&job->lock, flags);
	WRITE_ONCE(ub->done, true);
	list_add_tail(&ub->list, &job->done);
	wake_up(&job->wait);
	spin_unlock_irqrestore(&job->lock, flags);
}

static bool some_done(struct job *job)
{
	bool some;

	spin_lock_irq(&job->lock);
	some = !list_empty(&job->done);
	spin_unlock_irq(&job->lock);
	return some;
}

/* Wait for the next bio that completes, and check it. */
static void reap(struct job *job)
{
	struct unit_bio *ub;

	while (!wait_event_timeout(job->wait, some_done(job), STALL_SECONDS * HZ)) {
		pr_err("no bio completed in %u s\n", STALL_SECONDS);
		job->wrong++;
	}
	spin_lock_irq(&job->lock);
	ub = list_first_entry(&job->done, struct unit_bio, list);
	list_del(&ub->list);
	spin_unlock_irq(&job->lock);

	job->in_flight--;
	check_bio(ub);
	bios_free(ub);
}

static blk_opf_t choose_flags(struct job *job)
{
	blk_opf_t opf = job->flags;
	unsigned int i;

	for (i = 0; job->random_flags && i < ARRAY_SIZE(bios_flags); i++)
		if (bios_below(job, 4) == 0)
			opf |= bios_flags[i].flag;
	if (job->op == OP_READ)
		opf &= ~(REQ_FUA | REQ_PREFLUSH);
	return opf;
}

static unsigned int choose_prio(struct job *job)
{
	static const unsigned int classes[] = {
		IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE
	};

	return IOPRIO_PRIO_VALUE(classes[bios_below(job, ARRAY_SIZE(classes))],
				 bios_below(job, IOPRIO_NR_LEVELS));
}

static void scribble(struct unit_bio *ub)
{
	struct job *job = ub->job;
	unsigned int turns = 0, i, at, in_vec;

	while (!READ_ONCE(ub->done)) {
		at = bios_below(job, ub->bytes);
		in_vec = at;
		for (i = 0; in_vec >= ub->vecs[i].len; i++)
			in_vec -= ub->vecs[i].len;
		if (!job->hole || bios_in_hole(job, at))
			bios_memory(ub, &ub->vecs[i])[in_vec] ^= 1 << (turns & 7);
		if (++turns % 64 == 0)
			usleep_range(1, 20);
		else
			cond_resched();
	}
}

/* Add the vectors to a bio, in a table of their own if it has no room. */
static int add_vecs(struct bio *bio, struct unit_bio *ub)
{
	unsigned int i;

	if (ub->nr_vecs <= BIO_MAX_VECS) {
		for (i = 0; i < ub->nr_vecs; i++)
			__bio_add_page(bio, ub->pieces[ub->vecs[i].piece].page,
				       ub->vecs[i].len, ub->vecs[i].offset);
		return 0;
	}

	/* as bio_iov_bvec_set() does, for registered buffers of io_uring */
	ub->table = kvcalloc(ub->nr_vecs, sizeof(*ub->table), GFP_KERNEL);
	if (!ub->table)
		return -ENOMEM;
	for (i = 0; i < ub->nr_vecs; i++) {
		ub->table[i].bv_page = ub->pieces[ub->vecs[i].piece].page;
		ub->table[i].bv_len = ub->vecs[i].len;
		ub->table[i].bv_offset = ub->vecs[i].offset;
	}
	bio->bi_io_vec = ub->table;
	bio->bi_vcnt = ub->nr_vecs;
	bio->bi_iter.bi_size = ub->bytes;
	bio_set_flag(bio, BIO_CLONED);
	return 0;
}

static int submit(struct job *job, const struct extent *extent,
		  struct bio_set *splits)
{
	static const enum req_op ops[] = {
		REQ_OP_WRITE, REQ_OP_READ, REQ_OP_ZONE_APPEND
	};
	struct unit_bio *ub = bios_make(job, extent);
	struct bio *bio, *head;
	unsigned int units;

	if (!ub)
		return -ENOMEM;

	bio = bio_alloc(job->bdev, ub->nr_vecs > BIO_MAX_VECS ? 0 : ub->nr_vecs,
			ops[job->op] | choose_flags(job), GFP_KERNEL);
	if (add_vecs(bio, ub)) {
		bio_put(bio);
		bios_free(ub);
		return -ENOMEM;
	}
	bio->bi_iter.bi_sector = job->op == OP_APPEND ? job->start : ub->sector;
	bio->bi_end_io = end_bio;
	bio->bi_private = ub;
	if (job->prio)
		bio->bi_ioprio = choose_prio(job);

	job->in_flight++;
	units = ub->bytes / job->unit;
	if (job->split && units > 1) {
		head = bio_split(bio, (1 + bios_below(job, units - 1)) *
				 (job->unit >> SECTOR_SHIFT), GFP_NOIO, splits);
		if (!IS_ERR_OR_NULL(head)) {
			bio_chain(head, bio);
			submit_bio(head);
		}
	}
	submit_bio(bio);
	if (job->scribble)
		scribble(ub);
	return 0;
}

/* Cut the area into bios, of random sizes unless job->whole is set. */
static struct extent *cut(struct job *job, unsigned int *nr)
{
	u64 left = job->sectors << SECTOR_SHIFT, i, other;
	sector_t sector = job->start;
	struct extent *extents;

	extents = kvmalloc_array(left / job->unit, sizeof(*extents), GFP_KERNEL);
	if (!extents)
		return NULL;
	for (*nr = 0; left; (*nr)++) {
		unsigned int bytes = job->max;

		if (!job->whole && bios_below(job, 2))
			bytes = job->unit * (1 + bios_below(job, job->max / job->unit));
		bytes = min_t(u64, bytes, left);
		extents[*nr].sector = sector;
		extents[*nr].bytes = bytes;
		sector += bytes >> SECTOR_SHIFT;
		left -= bytes;
	}
	for (i = *nr; job->shuffle && i > 1; i--) {
		other = bios_below(job, i);
		swap(extents[i - 1], extents[other]);
	}
	return extents;
}

/**
 * bios_run() - submit all bios of a run and wait for them
 * @job: the run, with its device open; its counts are updated
 * @splits: bio set for the parts of split bios
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno: -EIO if anything was wrong, which is logged.
 */
int bios_run(struct job *job, struct bio_set *splits)
{
	unsigned int i, nr;
	struct extent *extents = cut(job, &nr);
	int ret = 0;

	if (!extents)
		return -ENOMEM;
	for (i = 0; i < nr && !ret; i++) {
		while (job->in_flight >= job->depth)
			reap(job);
		ret = submit(job, &extents[i], splits);
	}
	while (job->in_flight)
		reap(job);
	kvfree(extents);

	if (job->wrong)
		pr_err("%llu wrong in %llu bios of %s (%s, %s, seed %llu)\n",
		       job->wrong, job->bios, job->dev, bios_op_names[job->op],
		       bios_layout_names[job->layout], job->seed);
	return ret ?: job->wrong ? -EIO : 0;
}

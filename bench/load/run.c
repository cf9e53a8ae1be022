// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bios of a run.  Memory, vectors and bios are allocated before; the run
 * measures submission, the device, and completion.  The clock is read only twice
 * per run, unless slices or latencies are measured.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "load.h"

/**
 * struct slot - a bio that is used again and again
 * @bio: the bio
 * @next: in run's idle or done
 * @run: whose it is
 * @vecs: its vectors; bio_reset() forgets how many, not what is in them
 * @start: when it was submitted, in ns
 * @end: when it was completed
 */
struct slot {
	struct bio bio;
	struct slot *next;
	struct run *run;
	struct bio_vec *vecs;
	u64 start, end;
};

/**
 * struct run - what a run needs while it runs
 * @load: what is asked for
 * @slots: @load->depth of them
 * @vecs_per_slot: vectors, and pages or folios, of each
 * @pages: of all slots, in no order
 * @idle: slots in hand
 * @lock: protects @done; whoever has taken a slot from there under it knows that
 *	its completion no longer needs the run
 * @done: slots that completed meanwhile
 * @wait: for @done
 * @in_flight: not in @idle
 * @sector: next one
 * @result: 0 or an error
 * @finished: for who started the thread
 */
struct run {
	struct load *load;
	struct slot *slots;
	unsigned int vecs_per_slot;
	struct page **pages;
	struct slot *idle;
	spinlock_t lock;	/* protects done */
	struct slot *done;
	wait_queue_head_t wait;
	unsigned int in_flight;
	sector_t sector;
	int result;
	struct completion finished;
};

static void end_bio(struct bio *bio)
{
	struct slot *slot = container_of(bio, struct slot, bio);
	struct run *run = slot->run;
	unsigned long flags;

	if (run->load->latency)
		slot->end = ktime_get_ns();
	spin_lock_irqsave(&run->lock, flags);
	slot->next = run->done;
	run->done = slot;
	/* Who waits looks at done, under the lock, after queueing itself. */
	if (waitqueue_active(&run->wait))
		wake_up(&run->wait);
	spin_unlock_irqrestore(&run->lock, flags);
}

static void submit(struct run *run, struct slot *slot)
{
	struct load *load = run->load;
	struct bio *bio = &slot->bio;

	bio_reset(bio, load->bdev, load->write ? REQ_OP_WRITE : REQ_OP_READ);
	bio->bi_vcnt = run->vecs_per_slot;
	bio->bi_iter.bi_size = load->size;
	bio->bi_iter.bi_sector = run->sector;
	bio->bi_end_io = end_bio;

	run->sector += load->size >> SECTOR_SHIFT;
	if (run->sector >= load->span >> SECTOR_SHIFT)
		run->sector = 0;

	if (load->latency)
		slot->start = ktime_get_ns();
	run->in_flight++;
	submit_bio(bio);
}

static struct slot *take_done(struct run *run)
{
	struct slot *slots;

	spin_lock_irq(&run->lock);
	slots = run->done;
	run->done = NULL;
	spin_unlock_irq(&run->lock);
	return slots;
}

/* Waits for completed bios, and takes them into idle. */
static void collect(struct run *run)
{
	struct load *load = run->load;
	struct slot *slot, *slots;

	wait_event(run->wait, (slots = take_done(run)));
	while ((slot = slots)) {
		slots = slot->next;
		slot->next = run->idle;
		run->idle = slot;

		run->in_flight--;
		load->done_bios++;
		if (slot->bio.bi_status)
			load->errors++;
		if (load->latency)
			quantiles_add(&load->bio_times, slot->end - slot->start);
	}
}

/* Notes the time since the last slice began, and begins another. */
static u64 end_slice(struct load *load, u64 since)
{
	u64 now = ktime_get_ns();

	quantiles_add(&load->slice_times, div64_u64(now - since, load->slice));
	return now;
}

/* Sends so many bios, or for so long, and waits for all of them. */
static void send(struct run *run, u64 bios, u64 ms)
{
	struct load *load = run->load;
	unsigned long end = jiffies + msecs_to_jiffies(ms);
	u64 sent, in_slice = 0, since = ktime_get_ns();
	struct slot *slot;

	for (sent = 0; !bios || sent < bios; sent++) {
		if (ms && time_after_eq(jiffies, end))
			break;
		if (!run->idle)
			collect(run);
		slot = run->idle;
		run->idle = slot->next;
		if (load->slice && in_slice++ == load->slice) {
			since = end_slice(load, since);
			in_slice = 1;
		}
		submit(run, slot);
		cond_resched();
	}
	while (run->in_flight)
		collect(run);
}

static int measure(void *data)
{
	struct run *run = data;
	struct load *load = run->load;
	struct task_struct *waker;
	u64 start;

	if (load->warm)
		send(run, load->warm, 0);
	load->done_bios = 0;
	memset(&load->bio_times, 0, sizeof(load->bio_times));
	memset(&load->slice_times, 0, sizeof(load->slice_times));

	waker = wake_start(load);
	if (IS_ERR(waker)) {
		run->result = PTR_ERR(waker);
	} else {
		start = ktime_get_ns();
		send(run, load->bios, load->ms);
		load->ns = ktime_get_ns() - start;
		wake_stop(waker);
	}
	kthread_complete_and_exit(&run->finished, 0);
}

static unsigned int piece_order(const struct load *load)
{
	return load->folio ? get_order(load->size) : 0;
}

static unsigned int nr_pages(const struct run *run)
{
	return run->load->depth * run->vecs_per_slot;
}

static void free_memory(struct run *run)
{
	unsigned int i;

	for (i = 0; run->pages && i < nr_pages(run); i++)
		if (run->pages[i])
			__free_pages(run->pages[i], piece_order(run->load));
	for (i = 0; run->slots && i < run->load->depth; i++) {
		bio_uninit(&run->slots[i].bio);
		kvfree(run->slots[i].vecs);
	}
	kvfree(run->pages);
	kvfree(run->slots);
}

/*
 * The pages of all slots, mixed: an allocator that was not used much hands out
 * neighbours, one that was for a while does not.
 */
static int get_pages(struct run *run)
{
	unsigned int i, other, order = piece_order(run->load);

	run->pages = kvcalloc(nr_pages(run), sizeof(*run->pages), GFP_KERNEL);
	if (!run->pages)
		return -ENOMEM;
	for (i = 0; i < nr_pages(run); i++) {
		run->pages[i] = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_ZERO, order);
		if (!run->pages[i])
			return -ENOMEM;
	}
	for (i = nr_pages(run); i > 1; i--) {
		other = get_random_u32() % i;
		swap(run->pages[i - 1], run->pages[other]);
	}
	return 0;
}

static int make_slots(struct run *run)
{
	struct load *load = run->load;
	unsigned int i, j, piece = min_t(size_t, load->size, PAGE_SIZE << piece_order(load));
	struct page **page = run->pages;

	run->slots = kvcalloc(load->depth, sizeof(*run->slots), GFP_KERNEL);
	if (!run->slots)
		return -ENOMEM;
	for (i = 0; i < load->depth; i++) {
		struct slot *slot = &run->slots[i];

		slot->run = run;
		slot->vecs = kvcalloc(run->vecs_per_slot, sizeof(*slot->vecs), GFP_KERNEL);
		if (!slot->vecs)
			return -ENOMEM;
		for (j = 0; j < run->vecs_per_slot; j++)
			bvec_set_page(&slot->vecs[j], *page++, piece, 0);
		bio_init(&slot->bio, load->bdev, slot->vecs, run->vecs_per_slot, 0);
		slot->next = run->idle;
		run->idle = slot;
	}
	return 0;
}

/* In a thread of its own, which can be bound to a CPU. */
static int run_thread(struct run *run)
{
	struct task_struct *thread = kthread_create(measure, run, "xcrypt_load");

	if (IS_ERR(thread))
		return PTR_ERR(thread);
	if (run->load->cpu >= 0)
		kthread_bind(thread, run->load->cpu);
	wake_up_process(thread);
	wait_for_completion(&run->finished);
	return run->result;
}

/**
 * load_run() - do a run
 * @load: what to do; the results are left in it
 *
 * Process context, sleeps until the run is over.
 *
 * Return: 0, -EIO if a bio failed, or another error.
 */
int load_run(struct load *load)
{
	struct run run = { .load = load };
	int ret;

	spin_lock_init(&run.lock);
	init_waitqueue_head(&run.wait);
	init_completion(&run.finished);
	run.vecs_per_slot = load->folio ? 1 : DIV_ROUND_UP(load->size, PAGE_SIZE);

	ret = get_pages(&run) ?: make_slots(&run) ?: run_thread(&run);
	free_memory(&run);
	return ret ?: load->errors ? -EIO : 0;
}

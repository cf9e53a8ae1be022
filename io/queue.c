// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where work is done.
 *
 * A volume has three workqueues for that.  They exist apart so that none of them can
 * wait, through the memory of a pool, for work that is queued behind it:
 *
 * crypt_wq	enciphers.  Never waits for a pool; what it cannot have at once
 *		sends the bio on to memory_wq.
 * memory_wq	waits for pools.  What these lend comes back from the device
 *		below, from crypt_wq and from submit_wq, never from memory_wq's
 *		own queue.
 * submit_wq	sends down writes that are done, and goes on with writes whose
 *		asynchronous driver had no room for them.  These hold pages of
 *		the pool and so must not wait for it.
 *
 * A fourth, bh_wq, stands in for softirq context where a read completes with
 * interrupts off, which the crypto API does not allow.
 *
 * What an asynchronous driver holds (&struct xc_request) comes back from the
 * driver alone; all three may wait for that.
 */
#include <linux/idr.h>
#include <linux/list_sort.h>

#include "../dm-xcrypt.h"

/*
 * offload:auto.  Up to these many bytes the cipher takes less time than it
 * takes another CPU to notice that there is work.
 */
#define AUTO_INLINE_READ SZ_4K
#define AUTO_INLINE_WRITE SZ_16K

static DEFINE_IDA(ids);

/**
 * xc_runs_inline() - is a bio enciphered where it arrives?
 * @vol: the volume
 * @bio: the bio, as submitted
 *
 * Context: Any context.
 * Return: true to do it here and now, false to do it in crypt_wq.
 */
bool xc_runs_inline(const struct xc_volume *vol, const struct bio *bio)
{
	bool write = bio_data_dir(bio) == WRITE;

	if (xc_opt(&vol->opt, write ? XC_NO_WRITE_WORKQUEUE :
				      XC_NO_READ_WORKQUEUE))
		return true;

	switch (vol->opt.offload) {
	case XC_OFFLOAD_INLINE:
		return true;
	case XC_OFFLOAD_SPREAD:
		return false;
	default:
		return bio->bi_iter.bi_size <= (write ? AUTO_INLINE_WRITE :
							AUTO_INLINE_READ);
	}
}

static void queue(struct workqueue_struct *wq, struct xc_io *io, work_func_t fn)
{
	INIT_WORK(&io->work, fn);
	queue_work(wq, &io->work);
}

/**
 * xc_queue_crypt() - go on in crypt_wq
 * @io: the bio on its way
 * @fn: what to do there
 *
 * Context: Any context.
 */
void xc_queue_crypt(struct xc_io *io, work_func_t fn)
{
	queue(io->vol->crypt_wq, io, fn);
}

/**
 * xc_queue_memory() - go on in memory_wq
 * @io: the bio on its way
 * @fn: what to do there
 *
 * Context: Any context.
 */
void xc_queue_memory(struct xc_io *io, work_func_t fn)
{
	queue(io->vol->memory_wq, io, fn);
}

/**
 * xc_queue_bh() - go on in bh_wq
 * @io: the bio on its way
 * @fn: what to do there; must not sleep
 *
 * Context: Any context.
 */
void xc_queue_bh(struct xc_io *io, work_func_t fn)
{
	/* Not by queue(): lockdep tells work in softirq context by the line. */
	INIT_WORK(&io->work, fn);
	queue_work(io->vol->bh_wq, &io->work);
}

/**
 * xc_queue_submit() - go on in submit_wq
 * @io: the bio on its way
 * @fn: what to do there
 *
 * Context: Any context.
 */
void xc_queue_submit(struct xc_io *io, work_func_t fn)
{
	queue(io->vol->submit_wq, io, fn);
}

static int by_sector(void *priv, const struct list_head *a,
		     const struct list_head *b)
{
	const struct xc_io *io_a = container_of(a, struct xc_io, sorted);
	const struct xc_io *io_b = container_of(b, struct xc_io, sorted);

	return io_a->sector > io_b->sector ? 1 : -1;
}

/* Send down what has gathered, in the order that a rotating disk likes. */
static void submit_sorted(struct work_struct *work)
{
	struct xc_volume *vol = container_of(work, struct xc_volume,
					     submit_work);
	struct xc_io *io, *next;
	struct blk_plug plug;
	LIST_HEAD(batch);

	llist_for_each_entry_safe(io, next, llist_del_all(&vol->to_submit),
				  node)
		list_add(&io->sorted, &batch);
	list_sort(NULL, &batch, by_sector);

	blk_start_plug(&plug);
	list_for_each_entry_safe(io, next, &batch, sorted) {
		dm_submit_bio_remap(io->base, io->lower);
		cond_resched();
	}
	blk_finish_plug(&plug);
}

/**
 * xc_submit() - send an enciphered write to the device below
 * @io: the bio on its way; not to be touched afterwards
 *
 * Context: Process context.  May sleep.
 */
void xc_submit(struct xc_io *io)
{
	struct xc_volume *vol = io->vol;

	if (!vol->sorted)
		dm_submit_bio_remap(io->base, io->lower);
	else if (llist_add(&io->node, &vol->to_submit))
		queue_work(vol->submit_wq, &vol->submit_work);
}

static struct workqueue_struct *alloc_crypt_wq(const struct xc_volume *vol,
					       const char *name,
					       unsigned int flags)
{
	if (xc_opt(&vol->opt, XC_SAME_CPU_CRYPT))
		return alloc_workqueue("xcrypt-%s-%d", flags |
				       WQ_CPU_INTENSIVE | WQ_PERCPU, 1, name,
				       vol->id);
	return alloc_workqueue("xcrypt-%s-%d", flags | WQ_UNBOUND,
			       num_online_cpus(), name, vol->id);
}

/* One at a time where writes must keep their order, else a few at a time. */
static struct workqueue_struct *alloc_memory_wq(const struct xc_volume *vol,
						const char *name,
						unsigned int flags)
{
	if (vol->ordered)
		return alloc_ordered_workqueue("xcrypt_mem-%s-%d",
					       flags & ~WQ_SYSFS, name,
					       vol->id);
	return alloc_workqueue("xcrypt_mem-%s-%d", flags | WQ_UNBOUND,
			       num_online_cpus(), name, vol->id);
}

/**
 * xc_queues_init() - set up a volume's workqueues
 * @vol: the volume, with its options
 * @name: name of the mapped device, for the queues' names
 * @error: where to put what is wrong
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set; xc_queues_exit() is to be
 * called all the same.
 */
int xc_queues_init(struct xc_volume *vol, const char *name, char **error)
{
	unsigned int flags = WQ_MEM_RECLAIM | WQ_SYSFS;

	if (xc_opt(&vol->opt, XC_HIGH_PRIORITY))
		flags |= WQ_HIGHPRI;
	init_llist_head(&vol->to_submit);
	INIT_WORK(&vol->submit_work, submit_sorted);
	atomic_set(&vol->deferred, 0);

	*error = "no memory for workqueues";
	vol->id = ida_alloc_min(&ids, 1, GFP_KERNEL);
	if (vol->id < 0)
		return vol->id;
	vol->crypt_wq = alloc_crypt_wq(vol, name, flags);
	vol->memory_wq = alloc_memory_wq(vol, name, flags);
	vol->submit_wq = alloc_workqueue("xcrypt_sub-%s-%d", flags | WQ_UNBOUND,
					 num_online_cpus(), name, vol->id);
	vol->bh_wq = alloc_workqueue("xcrypt_bh-%s-%d", XC_WQ_BH, 0, name,
				     vol->id);
	if (!vol->crypt_wq || !vol->memory_wq || !vol->submit_wq || !vol->bh_wq)
		return -ENOMEM;
	return 0;
}

/**
 * xc_queues_exit() - finish what is queued and undo xc_queues_init()
 * @vol: the volume
 *
 * Context: Process context.  May sleep.
 */
void xc_queues_exit(struct xc_volume *vol)
{
	if (vol->crypt_wq)
		destroy_workqueue(vol->crypt_wq);
	if (vol->memory_wq)
		destroy_workqueue(vol->memory_wq);
	if (vol->submit_wq)
		destroy_workqueue(vol->submit_wq);
	if (vol->bh_wq)
		destroy_workqueue(vol->bh_wq);
	if (vol->id > 0)
		ida_free(&ids, vol->id);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A volume's workqueues.
 *
 * There are three, so that none of them waits for a mempool whose memory only
 * its own backlog could free:
 *
 * crypt_wq	encrypts and decrypts.  Never waits for a mempool: if an
 *		allocation fails, the bio goes on to memory_wq.
 * memory_wq	waits for mempools.  Their memory is freed by the underlying
 *		device, crypt_wq and submit_wq, never by memory_wq's own
 *		backlog.
 * submit_wq	submits encrypted writes, and resumes writes that found the
 *		queue of an asynchronous driver full.  These hold pages of the
 *		mempool, so they must not wait for it.
 *
 * A fourth, bh_wq, gives softirq context to reads that complete with interrupts
 * off, where the crypto API must not be called.
 *
 * Only the driver frees the requests of an asynchronous driver (&struct
 * xc_request); all three queues may wait for that.
 */
#include "queue.h"

#include <linux/blkdev.h>
#include <linux/idr.h>
#include <linux/list_sort.h>

#include "device.h"
#include "io.h"
#include "phase.h"
#include "../cipher/cipher.h"

static DEFINE_IDA(ids);

/**
 * xc_runs_inline() - decide whether a bio is encrypted in the present context
 * @io: the bio in flight
 *
 * offload:auto decides by the context, the length of the bio, and the engine's
 * limit for that context.
 *
 * Context: Any context.
 * Return: true for the present context, false for crypt_wq.
 */
bool xc_runs_inline(const struct xc_io *io)
{
	const struct xc_engine *engine = io->cipher->engine;
	const struct xc_options *opt = &io->dev->opt;
	bool write = bio_data_dir(io->base) == WRITE;

	if (xc_opt(opt, write ? XC_NO_WRITE_WORKQUEUE : XC_NO_READ_WORKQUEUE))
		return true;

	switch (opt->offload) {
	case XC_OFFLOAD_INLINE:
		return true;
	case XC_OFFLOAD_SPREAD:
		return false;
	default:
		return io->base->bi_iter.bi_size <=
			(in_task() && !irqs_disabled() ?
			 engine->inline_task : engine->inline_softirq);
	}
}

/*
 * A macro, so that each queue has a lock class of its own: lockdep would take a
 * work item in a softirq and one in a task for the same lock.
 */
#define queue_io(wq, name, io_, fn)			\
do {							\
	struct xc_io *io__ = (io_);			\
							\
	xc_phase_queue(io__, name);			\
	INIT_WORK(&io__->work, fn);			\
	queue_work(wq, &io__->work);			\
} while (0)

/**
 * xc_queue_crypt() - put a bio on crypt_wq
 * @io: the bio in flight
 * @fn: work function; begins with xc_dequeue(), is not used on another queue.
 *	The workqueue core identifies a work item by its address and function;
 *	it would serialise two bios that use the same memory in succession.
 *
 * Context: Any context.
 */
void xc_queue_crypt(struct xc_io *io, work_func_t fn)
{
	queue_io(io->dev->crypt_wq, "crypt", io, fn);
}

/**
 * xc_queue_memory() - put a bio on memory_wq
 * @io: the bio in flight
 * @fn: work function, as for xc_queue_crypt()
 *
 * Context: Any context.
 */
void xc_queue_memory(struct xc_io *io, work_func_t fn)
{
	queue_io(io->dev->memory_wq, "memory", io, fn);
}

/**
 * xc_queue_bh() - put a bio on bh_wq
 * @io: the bio in flight
 * @fn: work function, as for xc_queue_crypt(); must not sleep
 *
 * Context: Any context.
 */
void xc_queue_bh(struct xc_io *io, work_func_t fn)
{
	queue_io(io->dev->bh_wq, "bh", io, fn);
}

/**
 * xc_queue_submit() - put a bio on submit_wq
 * @io: the bio in flight
 * @fn: work function, as for xc_queue_crypt()
 *
 * Context: Any context.
 */
void xc_queue_submit(struct xc_io *io, work_func_t fn)
{
	queue_io(io->dev->submit_wq, "submit", io, fn);
}

/**
 * xc_dequeue() - begin a work function
 * @work: the work item
 *
 * Context: In a work function of xc_queue_crypt() and the like.
 * Return: the bio in flight.
 */
struct xc_io *xc_dequeue(struct work_struct *work)
{
	struct xc_io *io = container_of(work, struct xc_io, work);

	xc_phase_enter(io, XC_NOWHERE);
	return io;
}

static int by_sector(void *priv, const struct list_head *a,
		     const struct list_head *b)
{
	const struct xc_io *io_a = container_of(a, struct xc_io, sorted);
	const struct xc_io *io_b = container_of(b, struct xc_io, sorted);

	return io_a->sector > io_b->sector ? 1 : -1;
}

/* Submit the collected writes, sorted by sector for a rotating disk. */
static void submit_sorted(struct work_struct *work)
{
	struct xc_device *dev = container_of(work, struct xc_device,
					     submit_work);
	struct xc_io *io, *next;
	struct blk_plug plug;
	LIST_HEAD(batch);

	llist_for_each_entry_safe(io, next, llist_del_all(&dev->to_submit),
				  node)
		list_add(&io->sorted, &batch);
	list_sort(NULL, &batch, by_sector);

	blk_start_plug(&plug);
	list_for_each_entry_safe(io, next, &batch, sorted) {
		xc_phase_enter(io, XC_DEVICE);
		dm_submit_bio_remap(io->base, io->lower);
		cond_resched();
	}
	blk_finish_plug(&plug);
}

/**
 * xc_submit() - submit an encrypted write to the underlying device
 * @io: the bio in flight; it may be freed by this
 *
 * Context: Process context.  May sleep.
 */
void xc_submit(struct xc_io *io)
{
	struct xc_device *dev = io->dev;

	if (!dev->sorted) {
		xc_phase_enter(io, XC_DEVICE);
		dm_submit_bio_remap(io->base, io->lower);
		return;
	}
	xc_phase_queue(io, "submit");
	if (llist_add(&io->node, &dev->to_submit))
		queue_work(dev->submit_wq, &dev->submit_work);
}

static struct workqueue_struct *alloc_crypt_wq(const struct xc_device *dev,
					       const char *name,
					       unsigned int flags)
{
	if (xc_opt(&dev->opt, XC_SAME_CPU_CRYPT))
		return alloc_workqueue("xcrypt-%s-%d", flags |
				       WQ_CPU_INTENSIVE | WQ_PERCPU, 1, name,
				       dev->id);
	return alloc_workqueue("xcrypt-%s-%d", flags | WQ_UNBOUND,
			       num_online_cpus(), name, dev->id);
}

/* One bio at a time if writes must keep their order. */
static struct workqueue_struct *alloc_memory_wq(const struct xc_device *dev,
						const char *name,
						unsigned int flags)
{
	if (dev->ordered)
		return alloc_ordered_workqueue("xcrypt_mem-%s-%d",
					       flags & ~WQ_SYSFS, name,
					       dev->id);
	return alloc_workqueue("xcrypt_mem-%s-%d", flags | WQ_UNBOUND,
			       num_online_cpus(), name, dev->id);
}

/**
 * xc_queues_init() - set up a volume's workqueues
 * @dev: the I/O side of the volume, with opt and ordered
 * @name: name of the mapped device, for the queues' names
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set; call xc_queues_exit() in both
 * cases.
 */
int xc_queues_init(struct xc_device *dev, const char *name, char **error)
{
	unsigned int flags = WQ_MEM_RECLAIM | WQ_SYSFS;

	if (xc_opt(&dev->opt, XC_HIGH_PRIORITY))
		flags |= WQ_HIGHPRI;
	init_llist_head(&dev->to_submit);
	INIT_WORK(&dev->submit_work, submit_sorted);
	atomic_set(&dev->deferred, 0);

	*error = "out of memory for workqueues";
	dev->id = ida_alloc_min(&ids, 1, GFP_KERNEL);
	if (dev->id < 0)
		return dev->id;
	dev->crypt_wq = alloc_crypt_wq(dev, name, flags);
	dev->memory_wq = alloc_memory_wq(dev, name, flags);
	dev->submit_wq = alloc_workqueue("xcrypt_sub-%s-%d", flags | WQ_UNBOUND,
					 num_online_cpus(), name, dev->id);
	dev->bh_wq = alloc_workqueue("xcrypt_bh-%s-%d", XC_WQ_BH, 0, name,
				     dev->id);
	if (!dev->crypt_wq || !dev->memory_wq || !dev->submit_wq || !dev->bh_wq)
		return -ENOMEM;
	return 0;
}

/**
 * xc_queues_exit() - drain the workqueues and undo xc_queues_init()
 * @dev: the I/O side of the volume
 *
 * Context: Process context.  May sleep.
 */
void xc_queues_exit(struct xc_device *dev)
{
	if (dev->crypt_wq)
		destroy_workqueue(dev->crypt_wq);
	if (dev->memory_wq)
		destroy_workqueue(dev->memory_wq);
	if (dev->submit_wq)
		destroy_workqueue(dev->submit_wq);
	if (dev->bh_wq)
		destroy_workqueue(dev->bh_wq);
	if (dev->id > 0)
		ida_free(&ids, dev->id);
}

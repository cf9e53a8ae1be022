// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several CPUs for one large bio.
 *
 * The CPU that has the bio, its owner, processes it part by part, and queues
 * work for another CPU to process parts of it too; that helper may queue work
 * for a third.  A CPU waits at most microseconds for another: a helper that is
 * late finds no part left, one that has not begun is cancelled, and the last
 * CPU to finish continues with the bio.  If no CPU is idle, only the queueing
 * is wasted; while a helper of the volume has not begun, no other is queued.
 */
#include "parallel.h"

#include <linux/ktime.h>

#include "device.h"
#include "io.h"
#include "../cipher/cipher.h"
#include "../stats/stats.h"

/* Takes much longer than queueing work or waking up. */
#define PART_SIZE SZ_64K
/* Longer than a part takes. */
#define PATIENCE_NS (20 * NSEC_PER_USEC)
/* Shorter bios do not gain. */
#define PARALLEL_FROM SZ_256K

/*
 * The CPU to queue work on.  The scheduler looks for an idle CPU that shares
 * its cache; our own CPU is busy.
 */
static int nearby_cpu(void)
{
	unsigned int cpu = cpumask_next(raw_smp_processor_id(), cpu_online_mask);

	return cpu < nr_cpu_ids ? cpu : cpumask_first(cpu_online_mask);
}

static unsigned int parts_end(const struct xc_io *io)
{
	return io->run.src_iter.bi_size;
}

static void crypt_parts(struct xc_io *io, bool may_sleep)
{
	/* other CPUs change run.pending meanwhile; the copy is not used */
	struct xc_run rest = data_race(io->run), part;
	unsigned int from, at = 0;

	while (true) {
		from = atomic_fetch_add(PART_SIZE, &io->taken);
		if (from >= parts_end(io))
			return;
		xc_run_skip(&rest, from - at);
		at = from;
		part = rest;
		xc_run_cut(&part, PART_SIZE);
		if (WARN_ON_ONCE(xc_run_crypt(&part, may_sleep) != XC_RUN_DONE))
			WRITE_ONCE(io->run.status, BLK_STS_IOERR);
	}
}

/*
 * A busy helper has at most one part left.  Waiting for it takes less time than
 * a wakeup by the helper.
 */
static void await_helpers(struct xc_io *io)
{
	ktime_t end = ktime_add_ns(ktime_get(), PATIENCE_NS);

	while (atomic_read(&io->run.pending) > 1 &&
	       ktime_before(ktime_get(), end))
		cpu_relax();
}

static bool queue_helper(struct xc_io *io, unsigned int rank);

/* Process parts of a bio.  True on the last CPU to finish. */
static bool join(struct xc_io *io, unsigned int rank, bool may_sleep)
{
	struct xc_device *dev = io->dev;
	bool queued = queue_helper(io, rank);

	crypt_parts(io, may_sleep);
	if (queued && cancel_work(&io->helper[rank].work)) {
		atomic_dec(&dev->helpers);
		atomic_dec(&io->run.pending);
	} else if (queued && !rank) {
		await_helpers(io);
	}
	return atomic_dec_and_test(&io->run.pending);
}

static void help_work(struct work_struct *work)
{
	struct xc_helper *helper = container_of(work, struct xc_helper, work);
	struct xc_io *io = helper->io;

	atomic_dec(&io->dev->helpers);
	if (atomic_read(&io->taken) < parts_end(io))
		this_cpu_inc(io->dev->stats->helped);
	if (join(io, helper - io->helper + 1, true))
		io->run.done(&io->run);
}

static bool queue_helper(struct xc_io *io, unsigned int rank)
{
	struct xc_device *dev = io->dev;
	struct xc_helper *helper = &io->helper[rank];

	if (rank >= XC_HELPERS || atomic_read(&dev->helpers) ||
	    atomic_read(&io->taken) + PART_SIZE >= parts_end(io))
		return false;

	atomic_inc(&dev->helpers);
	atomic_inc(&io->run.pending);
	helper->io = io;
	INIT_WORK(&helper->work, help_work);
	queue_work_on(nearby_cpu(), dev->crypt_wq, &helper->work);
	return true;
}

/**
 * xc_may_run_parallel() - check whether several CPUs may process one bio
 * @dev: the I/O side of the volume
 * @cipher: the cipher of the bio
 * @write: the bio is a write
 *
 * Context: Any context.
 * Return: true if the engine supports it and the table line allows it.
 */
bool xc_may_run_parallel(const struct xc_device *dev,
			 const struct xc_cipher *cipher, bool write)
{
	return cipher->engine->divisible &&
		dev->opt.offload != XC_OFFLOAD_INLINE &&
		!xc_opt(&dev->opt, XC_SAME_CPU_CRYPT) &&
		!xc_opt(&dev->opt, write ? XC_NO_WRITE_WORKQUEUE :
					   XC_NO_READ_WORKQUEUE) &&
		!(write && dev->ordered);
}

/**
 * xc_run_parallel() - encrypt or decrypt a bio's run, also on other CPUs
 * @io: the bio in flight, with its run
 * @may_sleep: the caller may sleep
 *
 * Context: As xc_run_crypt().
 * Return: As xc_run_crypt().  After %XC_RUN_PENDING, a worker of crypt_wq or
 * the driver calls the run's ``done``.
 */
enum xc_result xc_run_parallel(struct xc_io *io, bool may_sleep)
{
	struct xc_run *run = &io->run;

	if (run->src_iter.bi_size < PARALLEL_FROM ||
	    !xc_may_run_parallel(io->dev, run->cipher, run->encrypt) ||
	    !run->cipher->engine->divisible())
		return xc_run_crypt(run, may_sleep);

	atomic_set(&io->taken, 0);
	return join(io, 0, may_sleep) ? XC_RUN_DONE : XC_RUN_PENDING;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * One large bio, several CPUs.
 *
 * Whoever has a large bio to encipher takes it on part by part, and asks
 * another CPU to take parts of it too; that one may ask a third.  Nobody waits
 * for anybody but for moments: a helper that finds nothing left has come too
 * late, one that did not begin at all is called off, and the bio goes on with
 * the one who is last to be done.  So there is nothing to win or lose where no
 * CPU is idle, but the price of asking; and while a helper of the volume has not
 * begun, none is asked.
 */
#include <linux/ktime.h>

#include "../dm-xcrypt.h"

/* Much longer than it takes to ask for help, or to wake up and see. */
#define PART_SIZE SZ_64K
/* Longer than a part takes. */
#define PATIENCE_NS (20 * NSEC_PER_USEC)
/* Bios from here on are worth the price. */
#define SHARED_FROM SZ_256K

/*
 * Where to look for an idle CPU: the scheduler starts from this one, not from
 * ours, which is busy, and takes what it finds idle within the same cache.
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

static void take_parts(struct xc_io *io, bool may_sleep)
{
	/* who comes and goes counts in its pending meanwhile: not ours to use */
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
		if (WARN_ON_ONCE(xc_run(&part, may_sleep) != XC_RUN_DONE))
			WRITE_ONCE(io->run.status, BLK_STS_IOERR);
	}
}

/*
 * Who is still busy has one part left at most.  To wait for that takes less
 * time than to wake the bio's owner from over there.
 */
static void await_helpers(struct xc_io *io)
{
	ktime_t end = ktime_add_ns(ktime_get(), PATIENCE_NS);

	while (atomic_read(&io->run.pending) > 1 &&
	       ktime_before(ktime_get(), end))
		cpu_relax();
}

static bool ask_for_help(struct xc_io *io, unsigned int rank);

/* Have a part in a bio.  True for the last one to be done with it. */
static bool have_a_part(struct xc_io *io, unsigned int rank, bool may_sleep)
{
	struct xc_volume *vol = io->vol;
	bool asked = ask_for_help(io, rank);

	take_parts(io, may_sleep);
	if (asked && cancel_work(&io->helper[rank].work)) {
		atomic_dec(&vol->helpers);
		atomic_dec(&io->run.pending);
	} else if (asked && !rank) {
		await_helpers(io);
	}
	return atomic_dec_and_test(&io->run.pending);
}

static void help_work(struct work_struct *work)
{
	struct xc_helper *helper = container_of(work, struct xc_helper, work);
	struct xc_io *io = helper->io;

	atomic_dec(&io->vol->helpers);
	if (atomic_read(&io->taken) < parts_end(io))
		this_cpu_inc(io->vol->stats->helped);
	if (have_a_part(io, helper - io->helper + 1, true))
		io->run.done(&io->run);
}

static bool ask_for_help(struct xc_io *io, unsigned int rank)
{
	struct xc_volume *vol = io->vol;
	struct xc_helper *helper = &io->helper[rank];

	if (rank >= XC_HELPERS || atomic_read(&vol->helpers) ||
	    atomic_read(&io->taken) + PART_SIZE >= parts_end(io))
		return false;

	atomic_inc(&vol->helpers);
	atomic_inc(&io->run.pending);
	helper->io = io;
	INIT_WORK(&helper->work, help_work);
	queue_work_on(nearby_cpu(), vol->crypt_wq, &helper->work);
	return true;
}

/**
 * xc_may_share() - can one bio of a volume be enciphered on several CPUs?
 * @vol: the volume
 * @write: the bio is a write
 *
 * Context: Any context.
 * Return: true if the engine can, and the table line allows it.
 */
bool xc_may_share(const struct xc_volume *vol, bool write)
{
	return vol->cipher->engine->divisible &&
		vol->opt.offload != XC_OFFLOAD_INLINE &&
		!xc_opt(&vol->opt, XC_SAME_CPU_CRYPT) &&
		!xc_opt(&vol->opt, write ? XC_NO_WRITE_WORKQUEUE :
					   XC_NO_READ_WORKQUEUE) &&
		!(write && vol->ordered);
}

/**
 * xc_run_shared() - take a bio's run as far as it will go, with other CPUs
 * @io: the bio on its way, with its run
 * @may_sleep: the caller may sleep
 *
 * Context: As xc_run().
 * Return: As xc_run(); after %XC_RUN_PENDING the run is ended by its ``done``,
 * in a worker of crypt_wq or by the driver.
 */
enum xc_result xc_run_shared(struct xc_io *io, bool may_sleep)
{
	struct xc_run *run = &io->run;

	if (run->src_iter.bi_size < SHARED_FROM ||
	    !xc_may_share(io->vol, run->encrypt) ||
	    !run->cipher->engine->divisible())
		return xc_run(run, may_sleep);

	atomic_set(&io->taken, 0);
	return have_a_part(io, 0, may_sleep) ? XC_RUN_DONE : XC_RUN_PENDING;
}

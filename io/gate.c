// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate of a volume whose sectors move from one cipher to another.
 *
 *	0       write_start   boundary     read_end      write_end       end
 *	|  new  | reads pass, | nobody     | reads pass, |      old      |
 *	|       | by new      | passes     | by old      |               |
 *
 * Everything before the boundary is converted.  A converter (rekey/) moves the
 * four marks, which only grow:
 *
 * - xc_gate_hold_writes() closes sectors for writes and discards, and waits for
 *   those in flight.  Now the converter may read them.
 * - xc_gate_hold_reads() closes the first of these for reads too, and waits.
 *   Now it may write them.
 * - xc_gate_advance() opens sectors that were written, for reads.
 * - xc_gate_let_write() opens them for writes too, at once or later.
 *
 * A bio is counted in and gets its ciphers under one lock, so that a mark that
 * moves later finds it counted.  Each direction has two counters, used in turn:
 * the converter waits for bios that came before a mark moved, and not for those
 * that came since.
 *
 * A bio that passes may lie on both sides of the boundary; then it has two
 * ciphers (io/sides.c).
 *
 * Some sectors may be on a list because their data are lost.  Reads of these are
 * refused.  A write to them passes, is kept when it is done, and ends when the
 * converter has made durable that its sectors are off the list.
 */
#include "gate.h"

#include <linux/workqueue.h>

#include "end.h"
#include "io.h"
#include "phase.h"

/**
 * xc_gate_init() - set up a gate, with all sectors unconverted
 * @gate: the gate
 * @old: the cipher that sectors have
 * @new: the cipher that they will have
 *
 * Context: Any context.
 */
void xc_gate_init(struct xc_gate *gate, const struct xc_cipher *old,
		  const struct xc_cipher *new)
{
	memset(gate, 0, sizeof(*gate));
	gate->old = old;
	gate->new = new;
	spin_lock_init(&gate->lock);
	init_waitqueue_head(&gate->drained);
	INIT_LIST_HEAD(&gate->held);
	spin_lock_init(&gate->kept_lock);
	INIT_LIST_HEAD(&gate->kept);
}

/* Discards wait as writes do. */
static unsigned int direction(const struct xc_io *io)
{
	return op_is_write(bio_op(io->base)) ? WRITE : READ;
}

static bool is_listed(const struct xc_gate *gate, const struct xc_io *io)
{
	return gate->listed.count &&
		xc_ranges_overlap(&gate->listed, io->sector,
				  io->sector + bio_sectors(io->base));
}

static bool must_wait(const struct xc_gate *gate, const struct xc_io *io)
{
	bool write = direction(io) == WRITE;
	sector_t start = write ? gate->write_start : gate->boundary;
	sector_t end = write ? gate->write_end : gate->read_end;

	lockdep_assert_held(&gate->lock);
	if (gate->filling && write && is_listed(gate, io))
		return true;
	return gate->shut || gate->closed ||
		(io->sector < end && start < end &&
		 io->sector + bio_sectors(io->base) > start);
}

/* Do bios fail that must wait? */
static bool must_fail(const struct xc_gate *gate)
{
	lockdep_assert_held(&gate->lock);
	return gate->shut || (gate->failed && !gate->closed);
}

/* False if it must not: it is a read of something that is lost. */
static bool pass(struct xc_gate *gate, struct xc_io *io)
{
	unsigned int dir = direction(io);
	sector_t end = io->sector + bio_sectors(io->base);

	lockdep_assert_held(&gate->lock);
	if (is_listed(gate, io)) {
		if (dir == READ)
			return false;
		/* a discard leaves nothing that could be read */
		io->listed = bio_op(io->base) == REQ_OP_WRITE;
	}
	gate->passed++;
	io->passed = true;
	io->epoch = gate->epoch[dir];
	atomic_inc(&gate->in_flight[dir][io->epoch]);

	io->cipher = io->sector < gate->boundary ? gate->new : gate->old;
	if (io->sector < gate->boundary && gate->boundary < end) {
		io->second = gate->old;
		io->first_bytes = (gate->boundary - io->sector) << SECTOR_SHIFT;
	}
	return true;
}

/**
 * xc_gate_enter() - let a bio pass, or hold it
 * @gate: the gate
 * @io: the bio, with its sector, and its work function in case it is held
 *
 * Read-ahead is refused rather than held.
 *
 * Context: Process context.
 * Return: see &enum xc_gate_result.  After %XC_GATE_HELD the bio belongs to its
 * work function, which finds that it passed.
 */
enum xc_gate_result xc_gate_enter(struct xc_gate *gate, struct xc_io *io)
{
	enum xc_gate_result result;

	spin_lock(&gate->lock);
	if (!must_wait(gate, io)) {
		result = pass(gate, io) ? XC_GATE_PASSED : XC_GATE_REFUSED;
	} else if (must_fail(gate) || (io->base->bi_opf & REQ_RAHEAD)) {
		result = XC_GATE_REFUSED;
	} else {
		xc_phase_queue(io, "gate");
		list_add_tail(&io->sorted, &gate->held);
		result = XC_GATE_HELD;
	}
	spin_unlock(&gate->lock);
	return result;
}

static void count_out(struct xc_gate *gate, struct xc_io *io)
{
	io->passed = false;
	if (atomic_dec_and_test(&gate->in_flight[direction(io)][io->epoch]))
		wake_up(&gate->drained);
}

/*
 * Once it is seen by the converter, the bio may end, and the volume be gone.  Once it
 * is not counted, the converter must see it.
 */
static void keep(struct xc_gate *gate, struct xc_io *io)
{
	unsigned long flags;

	spin_lock_irqsave(&gate->kept_lock, flags);
	list_add_tail(&io->sorted, &gate->kept);
	gate->keeps(gate);
	count_out(gate, io);
	spin_unlock_irqrestore(&gate->kept_lock, flags);
}

/**
 * xc_gate_leave() - a bio is about to end
 * @gate: the gate
 * @io: the bio, with its status; need not have passed
 *
 * Context: Any context.
 * Return: false if it may end; true if it belongs to the gate again: the converter
 * ends it, and it comes here once more then.
 */
bool xc_gate_leave(struct xc_gate *gate, struct xc_io *io)
{
	if (!io->passed)
		return false;
	if (io->listed && !io->base->bi_status) {
		keep(gate, io);
		return true;
	}
	count_out(gate, io);
	return false;
}

/*
 * Let held bios pass if they may.  Fail the others if the gate has failed, and those
 * that find their sectors listed.
 */
static void release(struct xc_gate *gate)
{
	struct xc_io *io, *next;
	LIST_HEAD(refused);

	spin_lock(&gate->lock);
	list_for_each_entry_safe(io, next, &gate->held, sorted) {
		if (must_wait(gate, io) && !must_fail(gate))
			continue;
		if (must_wait(gate, io) || !pass(gate, io)) {
			list_move_tail(&io->sorted, &refused);
			continue;
		}
		list_del(&io->sorted);
		queue_work(gate->wq, &io->work);
	}
	spin_unlock(&gate->lock);

	list_for_each_entry_safe(io, next, &refused, sorted)
		xc_io_end(io, BLK_STS_IOERR);
}

/* Later bios of this direction are counted apart from those in flight. */
static unsigned int begin_epoch(struct xc_gate *gate, unsigned int dir)
{
	lockdep_assert_held(&gate->lock);
	gate->epoch[dir] ^= 1;
	return gate->epoch[dir] ^ 1;
}

static void drain(struct xc_gate *gate, unsigned int dir, unsigned int epoch)
{
	wait_event(gate->drained, !atomic_read(&gate->in_flight[dir][epoch]));
}

/**
 * xc_gate_place() - place the marks anew
 * @gate: the gate
 * @boundary: first sector that is not converted; may lie before the present one
 * @end: bios between @boundary and here are held
 *
 * Waits for bios in flight.
 *
 * Context: Process context, in the converter, or before the first bio.  May
 * sleep.
 */
void xc_gate_place(struct xc_gate *gate, sector_t boundary, sector_t end)
{
	unsigned int reads, writes;

	spin_lock(&gate->lock);
	gate->boundary = boundary;
	gate->read_end = end;
	gate->write_start = boundary;
	gate->write_end = end;
	gate->failed = false;
	gate->shut = false;
	gate->closed = false;
	reads = begin_epoch(gate, READ);
	writes = begin_epoch(gate, WRITE);
	spin_unlock(&gate->lock);
	drain(gate, READ, reads);
	drain(gate, WRITE, writes);
	release(gate);
}

/**
 * xc_gate_hold_writes() - hold writes and discards before they are read
 * @gate: the gate
 * @end: hold them up to here
 *
 * Waits for those in flight.
 *
 * Context: Process context, in the converter.  May sleep.
 */
void xc_gate_hold_writes(struct xc_gate *gate, sector_t end)
{
	unsigned int epoch;

	spin_lock(&gate->lock);
	gate->write_end = end;
	epoch = begin_epoch(gate, WRITE);
	spin_unlock(&gate->lock);
	drain(gate, WRITE, epoch);
}

/**
 * xc_gate_hold_reads() - hold reads of sectors before they are written
 * @gate: the gate
 * @end: hold them up to here; writes must be held already
 *
 * Waits for those in flight.
 *
 * Context: Process context, in the converter.  May sleep.
 */
void xc_gate_hold_reads(struct xc_gate *gate, sector_t end)
{
	unsigned int epoch;

	spin_lock(&gate->lock);
	WARN_ON_ONCE(end > gate->write_end);
	gate->read_end = end;
	epoch = begin_epoch(gate, READ);
	spin_unlock(&gate->lock);
	drain(gate, READ, epoch);
}

/**
 * xc_gate_advance() - sectors are converted: let reads pass
 * @gate: the gate
 * @boundary: first sector that is not
 *
 * Context: Process context, in the converter.
 */
void xc_gate_advance(struct xc_gate *gate, sector_t boundary)
{
	spin_lock(&gate->lock);
	gate->boundary = boundary;
	gate->read_end = max(gate->read_end, boundary);
	gate->write_end = max(gate->write_end, boundary);
	spin_unlock(&gate->lock);
	release(gate);
}

/**
 * xc_gate_let_write() - let writes and discards pass
 * @gate: the gate
 * @start: first sector of those that are held; not after the boundary
 *
 * Context: Process context, in the converter.
 */
void xc_gate_let_write(struct xc_gate *gate, sector_t start)
{
	spin_lock(&gate->lock);
	gate->write_start = start;
	spin_unlock(&gate->lock);
	release(gate);
}

/**
 * xc_gate_fail() - fail bios where they would be held
 * @gate: the gate
 * @write_end: writes pass from here on; not less than the end for reads
 *
 * Context: Process context, in the converter.
 */
void xc_gate_fail(struct xc_gate *gate, sector_t write_end)
{
	spin_lock(&gate->lock);
	gate->failed = true;
	gate->write_end = max3(write_end, gate->read_end, gate->boundary);
	spin_unlock(&gate->lock);
	release(gate);
}

/**
 * xc_gate_shut() - fail all bios from now on
 * @gate: the gate
 *
 * Context: Process context, in the converter.
 */
void xc_gate_shut(struct xc_gate *gate)
{
	spin_lock(&gate->lock);
	gate->shut = true;
	spin_unlock(&gate->lock);
	release(gate);
}

/**
 * xc_gate_close() - hold all bios from now on
 * @gate: the gate
 *
 * Does not wait for those in flight.
 *
 * Context: Process context.
 */
void xc_gate_close(struct xc_gate *gate)
{
	spin_lock(&gate->lock);
	gate->closed = true;
	spin_unlock(&gate->lock);
}

/**
 * xc_gate_open() - undo xc_gate_close()
 * @gate: the gate
 *
 * Context: Process context.
 */
void xc_gate_open(struct xc_gate *gate)
{
	spin_lock(&gate->lock);
	gate->closed = false;
	spin_unlock(&gate->lock);
	release(gate);
}

/* ---- sectors whose data are lost ----------------------------------------- */

/**
 * xc_gate_list() - choose the sectors whose data are lost
 * @gate: the gate
 * @listed: these sectors
 *
 * Context: Process context, in the converter, or before the first bio.
 */
void xc_gate_list(struct xc_gate *gate, const struct xc_ranges *listed)
{
	spin_lock(&gate->lock);
	gate->listed = *listed;
	WRITE_ONCE(gate->listed_sectors, xc_ranges_total(listed));
	spin_unlock(&gate->lock);
}

/**
 * xc_gate_fill() - hold writes and discards of listed sectors, or let them pass
 * @gate: the gate
 * @filling: hold them, and wait for those in flight; their writes are kept then
 *
 * Context: Process context, in the converter.  May sleep.
 */
void xc_gate_fill(struct xc_gate *gate, bool filling)
{
	unsigned int epoch;

	spin_lock(&gate->lock);
	gate->filling = filling;
	epoch = begin_epoch(gate, WRITE);
	spin_unlock(&gate->lock);
	drain(gate, WRITE, epoch);
	release(gate);
}

/**
 * xc_gate_has_kept() - check for writes that are kept
 * @gate: the gate
 *
 * Context: Process context.
 * Return: true if there are some.
 */
bool xc_gate_has_kept(struct xc_gate *gate)
{
	return !list_empty_careful(&gate->kept);
}

/**
 * xc_gate_take_kept() - take writes that are kept, and their sectors off a list
 * @gate: the gate
 * @kept: gets the writes; end them with xc_gate_end_kept()
 * @listed: a list of sectors, or NULL
 *
 * A write whose sectors cannot be taken off, because the list would become too long,
 * ends with an error.
 *
 * Context: Process context, in the converter.
 */
void xc_gate_take_kept(struct xc_gate *gate, struct list_head *kept,
		       struct xc_ranges *listed)
{
	struct xc_io *io, *next;
	LIST_HEAD(refused);

	spin_lock_irq(&gate->kept_lock);
	list_splice_tail_init(&gate->kept, kept);
	spin_unlock_irq(&gate->kept_lock);

	list_for_each_entry_safe(io, next, kept, sorted)
		if (listed && xc_ranges_remove(listed, io->sector, io->sector +
					       bio_sectors(io->base)))
			list_move_tail(&io->sorted, &refused);
	xc_gate_end_kept(&refused, -ENOSPC);
}

/**
 * xc_gate_end_kept() - end writes that were kept
 * @kept: the writes; freed by this
 * @err: 0, or a negative errno: then they fail
 *
 * Context: Process context.
 */
void xc_gate_end_kept(struct list_head *kept, int err)
{
	struct xc_io *io, *next;

	list_for_each_entry_safe(io, next, kept, sorted) {
		io->base->bi_status = err ? BLK_STS_IOERR : BLK_STS_OK;
		bio_endio(io->base);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The converter: the thread of work that moves a volume to its new side.
 *
 * While a batch is written, the next one is read, digested and converted in
 * memory.  Then one commit retires the first and makes the second active.  A third
 * is read and converted meanwhile, so that no CPU waits for a flush:
 *
 *	batch n		... write        | commit |
 *	batch n + 1	... convert          area | commit | write ...        | commit |
 *	batch n + 2		         | hold, convert ...            area | commit |
 *
 * A durable point is a commit without an active batch: there the gate is open,
 * and nothing needs to be recovered.
 *
 * A commit also ends the writes that the gate keeps: their data are flushed, and
 * their sectors are not on the new list of those that were skipped.
 */
#include "convert.h"

#include <linux/blkdev.h>
#include <linux/ktime.h>

#include "batch.h"
#include "state.h"
#include "../cipher/cipher.h"
#include "../table/options.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static dev_t mapped_dev(const struct xc_converter *c)
{
	return disk_devt(dm_disk(dm_table_get_md(c->ti->table)));
}

static void set_status(struct xc_converter *c, enum xc_rekey_status status)
{
	if (c->status == status)
		return;
	WRITE_ONCE(c->status, status);
	dm_table_event(c->ti->table);
}

/* ---- speed --------------------------------------------------------------- */

static bool must_rest(struct xc_converter *c)
{
	return xc_pace_is_in_use(&c->pace, READ_ONCE(c->gate.passed)) ||
		xc_pace_delay_ms(&c->pace);
}

/* Wait for users, or for the speed limit; false if there is something else to do. */
static bool may_go_on(struct xc_converter *c)
{
	u64 ms;

	while (!READ_ONCE(c->stop) && !xc_gate_has_kept(&c->gate)) {
		ms = xc_pace_delay_ms(&c->pace);
		if (!ms)
			return true;
		/* interruptible, so that a long wait is no hung task */
		wait_event_interruptible_timeout(c->wake, READ_ONCE(c->stop) ||
						 READ_ONCE(c->pace.speed) !=
						 c->pace.counted ||
						 xc_gate_has_kept(&c->gate),
						 msecs_to_jiffies(ms) + 1);
	}
	return false;
}

static unsigned int batch_sectors(const struct xc_converter *c,
				  const struct xc_batch *batch, sector_t left)
{
	unsigned int max = xc_batch_max(batch, c->state);
	u64 sectors = xc_pace_sectors(&c->pace);

	/* so that each message goes on, even if all of it is to be skipped */
	if (c->skip.left)
		max = min(max, XC_SKIP_SECTORS);
	sectors = clamp_t(u64, sectors, 1, min_t(u64, max, left));
	return round_up((u32)sectors, c->conv.block);
}

/* ---- errors -------------------------------------------------------------- */

/* Bios that would be held fail from then on, up to @end; or all. */
static int fail_gate(struct xc_converter *c, sector_t end, int err)
{
	xc_gate_fail(&c->gate, end);
	c->lost = err == -EUCLEAN;
	c->displaced = err == -ESTALE;
	if (c->displaced)
		xc_gate_shut(&c->gate);
	return err;
}

static const char *what_now(const struct xc_converter *c)
{
	if (c->displaced)
		return c->stale ?
			"the state was written during hibernation: all I/O fails" :
			"another host has written the state: all I/O fails";
	if (c->stale)
		return "the state cannot be read: all I/O fails, \"rekey resume\" tries again";
	if (c->lost)
		return "the state was overwritten: \"rekey resume\" writes it anew";
	return "\"rekey resume\" tries again";
}

/* @reason: a message, or NULL; the first error of a device says more */
static void log_failure(const struct xc_converter *c, const char *reason,
			int err)
{
	const struct xc_disk_error *first = c->conv.data->error;
	char text[96];

	if (first->err) {
		reason = xc_disk_print_error(first, text, sizeof(text));
		err = first->err;
	}
	DMERR("%s: rekey: failed at sector %llu: %s%serror %d (%s)",
	      dm_table_device_name(c->ti->table),
	      (unsigned long long)xc_state_position(c->state)->frontier,
	      reason ?: "", reason ? ": " : "", err, what_now(c));
}

/* ---- batches ------------------------------------------------------------- */

/* The area that the active batch does not use. */
static unsigned int free_area(const struct xc_converter *c)
{
	return !xc_state_position(c->state)->area;
}

/* Start the batch after @last, or the first, if there is to be one. */
static struct xc_batch *start_next(struct xc_converter *c,
				   const struct xc_batch *last)
{
	sector_t sector = last ? xc_batch_end(last) :
				 xc_state_position(c->state)->frontier;
	sector_t left = c->conv.data->len - sector;
	struct xc_batch *next = c->batches[c->turn];
	unsigned int sectors;

	if (!left || READ_ONCE(c->stop))
		return NULL;
	/* while it waits, nothing is held */
	if (last ? must_rest(c) : !may_go_on(c))
		return NULL;

	sectors = batch_sectors(c, next, left);
	xc_gate_hold_writes(&c->gate, sector + sectors);
	trace_xcrypt_rekey_hold(mapped_dev(c), sector, sectors, 0);
	xc_batch_start(next, c->state, sector, sectors, c->skip.left);
	c->pace.sectors += sectors;
	c->turn = (c->turn + 1) % XC_BATCHES;
	return next;
}

static int write_batch(struct xc_converter *c, struct xc_batch *batch)
{
	u64 start = ktime_get_ns();
	int err = xc_batch_write(batch, c->state, &c->gate);

	c->pace.write_ns = ktime_get_ns() - start;
	c->pace.written = xc_state_position(c->state)->batch_sectors;
	trace_xcrypt_rekey_write(mapped_dev(c),
				 xc_state_position(c->state)->frontier,
				 xc_state_position(c->state)->batch_sectors,
				 err);
	return err;
}

/*
 * Record a position, and the list of sectors that were skipped, without those that
 * were written since.
 */
static int commit(struct xc_converter *c, const struct xc_position *next)
{
	u64 start = ktime_get_ns();
	LIST_HEAD(kept);
	int err;

	xc_gate_take_kept(&c->gate, &kept, &c->skip.list);
	err = xc_state_commit(c->state, next, &c->skip.list);
	c->pace.commit_ns = ktime_get_ns() - start;
	trace_xcrypt_rekey_commit(mapped_dev(c), next->frontier,
				  next->batch_sectors, err);
	if (!err)
		xc_gate_list(&c->gate, &c->skip.list);
	xc_gate_end_kept(&kept, err);
	return err;
}

/* Skip what cannot be read of a batch, if that is allowed. */
static int skip(struct xc_converter *c, const struct xc_batch *batch)
{
	struct xc_range bad = { .end = 0 };
	int err = 0;

	while (!err && xc_batch_next_bad(batch, &bad))
		err = xc_skip_add(&c->skip, &bad);
	return err;
}

static int prepare(struct xc_converter *c, struct xc_batch *batch,
		   struct xc_position *next)
{
	int err = xc_batch_prepare(batch, c->state, next);
	int r = skip(c, batch);

	err = err ?: r;
	trace_xcrypt_rekey_prepare(mapped_dev(c), next->frontier,
				   next->batch_sectors, err);
	return err;
}

/*
 * Write the active batch while the next is converted, start the one after that, and
 * commit both.
 */
static int advance(struct xc_converter *c, struct xc_batch *next,
		   struct xc_batch **after)
{
	const struct xc_position *at = xc_state_position(c->state);
	struct xc_position to = {
		.frontier = at->frontier + at->batch_sectors,
		.area = free_area(c),
	};
	/* up to where it is not known after an error which side is durable */
	sector_t held = to.frontier;
	int err = 0, r = 0;

	c->skip.list = *xc_state_skipped(c->state);
	if (c->active)
		err = write_batch(c, c->active);
	if (next) {
		if (!err && XC_BATCHES > 2)
			*after = start_next(c, next);
		/* also after an error: its chunks are in use */
		r = prepare(c, next, &to);
	}
	if (r) {
		next = NULL;
		to.batch_sectors = 0;
		c->skip.list = *xc_state_skipped(c->state);
	}
	/* what was written is retired, even if there is no next batch */
	if (!err && (next || c->active)) {
		held += to.batch_sectors;
		to.done = to.frontier == c->conv.data->len &&
			!c->skip.list.count;
		err = commit(c, &to);
	}
	if (!err) {
		c->active = next;
		xc_gate_let_write(&c->gate, to.frontier);
	}
	err = err ?: r;
	if (!err)
		return 0;
	if (*after)
		xc_batch_wait(*after);
	/* which of two positions is durable is not known after a failed commit */
	return fail_gate(c, held, err);
}

static void fail_kept(struct xc_converter *c, int err)
{
	LIST_HEAD(kept);

	xc_gate_take_kept(&c->gate, &kept, NULL);
	xc_gate_end_kept(&kept, err);
}

/* Commit for writes that the gate keeps, where no batch waits for a commit. */
static int unlist(struct xc_converter *c)
{
	bool failed = c->status == XC_STATUS_FAILED;
	struct xc_position at;
	char *error;
	int err = 0;

	if (failed && (c->gate.shut || c->lost)) {
		fail_kept(c, -EIO);
		return -EIO;
	}
	/* what is durable is not known then */
	if (failed)
		err = xc_state_reopen(c->state, &error);
	c->repaired = false;
	at = *xc_state_position(c->state);
	c->skip.list = *xc_state_skipped(c->state);
	if (!err)
		err = commit(c, &at);
	else
		fail_kept(c, err);
	if (err == -ESTALE || (err && !failed))
		fail_gate(c, at.frontier, err);
	return err;
}

/* All is converted: what was skipped, and not written since, becomes zeros. */
static int fill(struct xc_converter *c)
{
	const struct xc_ranges *skipped = xc_state_skipped(c->state);
	struct xc_position end = *xc_state_position(c->state);
	unsigned int i;
	int err = 0;

	end.done = true;
	xc_gate_fill(&c->gate, true);
	if (xc_gate_has_kept(&c->gate))
		err = unlist(c);
	for (i = 0; i < skipped->count && !err; i++)
		err = xc_batch_write_zeros(c->batches[0], &skipped->ranges[i]);
	if (!err) {
		c->skip.list = *skipped;
		xc_skip_report(&c->skip);
		c->skip.list.count = 0;
		err = commit(c, &end);
	}
	if (err)
		fail_gate(c, end.frontier, err);
	xc_gate_fill(&c->gate, false);
	return err;
}

static int convert(struct xc_converter *c)
{
	struct xc_batch *next = NULL, *after;
	/* after a pause, before an area is written */
	int err = xc_state_verify(c->state);

	c->active = NULL;
	if (err)
		return fail_gate(c, xc_state_position(c->state)->frontier, err);
	/* the limit does not make up for a pause */
	c->pace.counted = 0;
	set_status(c, XC_STATUS_RUNNING);
	while (!err) {
		next = next ?: start_next(c, c->active);
		if (!c->active && !next) {
			if (!xc_gate_has_kept(&c->gate))
				break;
			err = unlist(c);
			continue;
		}
		after = NULL;
		err = advance(c, next, &after);
		next = after;
	}
	return err;
}

/* Convert what is left, and end the conversion if that is all. */
static int go_on(struct xc_converter *c)
{
	const struct xc_position *at = xc_state_position(c->state);
	int err = convert(c);

	if (!err && !at->done && at->frontier == c->conv.data->len)
		err = fill(c);
	return err;
}

/* ---- the beginning and the end ------------------------------------------- */

static int recover(struct xc_converter *c)
{
	struct xc_position at = *xc_state_position(c->state);
	int err;

	set_status(c, XC_STATUS_RECOVERING);
	/* its memory is used */
	c->active = NULL;
	err = xc_batch_recover(c->batches[0], c->state, &c->skip,
			       &c->repaired);
	trace_xcrypt_rekey_recover(mapped_dev(c), at.frontier,
				   at.batch_sectors, err);
	if (err) {
		DMERR("%s: rekey: the batch at sector %llu cannot be recovered: error %d",
		      dm_table_device_name(c->ti->table),
		      (unsigned long long)at.frontier, err);
		return fail_gate(c, at.frontier + at.batch_sectors, err);
	}
	xc_gate_list(&c->gate, xc_state_skipped(c->state));
	xc_gate_advance(&c->gate, at.frontier + at.batch_sectors);
	xc_gate_let_write(&c->gate, at.frontier + at.batch_sectors);
	return 0;
}

/* Areas that cannot be erased reveal nothing, and are in nobody's way. */
static void erase_areas(struct xc_converter *c)
{
	const struct xc_disk_error *first = c->conv.data->error;
	char text[96];
	int err = xc_batch_erase_areas(c->batches[0], c->state);

	if (err)
		DMWARN("%s: rekey: done, but the areas are not erased: %s: error %d",
		       dm_table_device_name(c->ti->table),
		       xc_disk_print_error(first, text, sizeof(text)), err);
}

static void finish(struct xc_converter *c, bool erase)
{
	/* wait for bios that use the old side */
	xc_gate_place(&c->gate, c->conv.data->len, c->conv.data->len);
	c->converted(c->ti);
	xc_digest_wipe(&c->digest);
	if (erase)
		erase_areas(c);
}

/* Write a state anew that was destroyed while it was in use. */
static int restore(struct xc_converter *c)
{
	const struct xc_ranges *skipped = xc_state_skipped(c->state);
	struct xc_position at = *xc_state_position(c->state);
	int err = 0;

	if (c->active) {
		err = xc_batch_write_area(c->active, c->state, at.area);
	} else if (c->repaired) {
		/* with what that recovery skipped */
		skipped = &c->skip.list;
		at.frontier += at.batch_sectors;
		at.batch_sectors = 0;
		at.done = at.frontier == c->conv.data->len && !skipped->count;
	}
	err = err ?: xc_state_restore(c->state, &at, skipped);
	c->lost = err;
	return err;
}

static int read_state(struct xc_converter *c,
		      int (*open)(struct xc_state *state, char **error),
		      char **error)
{
	int err = 0;

	*error = "rekey_state: the device cannot be written";
	if (c->lost)
		err = restore(c);
	return err ?: open(c->state, error);
}

static void place_gate(struct xc_converter *c)
{
	const struct xc_position *at = xc_state_position(c->state);

	xc_gate_list(&c->gate, xc_state_skipped(c->state));
	xc_gate_place(&c->gate, at->frontier, at->frontier + at->batch_sectors);
}

static int take_state(struct xc_converter *c, char **error)
{
	int err = read_state(c, xc_state_reopen, error);

	if (err == -ESTALE)
		return fail_gate(c, 0, err);
	if (err) {
		c->lost = c->lost || xc_state_verify(c->state) == -EUCLEAN;
		return err;
	}
	*error = NULL;
	place_gate(c);
	return 0;
}

/* A message may have wiped the keys of a device that was about to be resumed. */
static bool has_keys(const struct xc_converter *c)
{
	return c->conv.new->key_valid && (c->conv.old->key_valid ||
					  xc_state_position(c->state)->done);
}

/*
 * The memory is that of an image.  Had the kernel that read the image converted
 * any of the volume, the gate would choose the wrong side.
 */
static int compare(struct xc_converter *c)
{
	int err = xc_state_verify(c->state);

	if (!err) {
		c->stale = false;
		/* it was shut if the state could not be read at first */
		if (c->gate.shut)
			place_gate(c);
		xc_gate_open(&c->gate);
		return 0;
	}
	/* what a destroyed state said is not known */
	c->displaced = err == -ESTALE || err == -EUCLEAN;
	xc_gate_shut(&c->gate);
	return err;
}

static int run(struct xc_converter *c, char **error)
{
	const struct xc_position *at = xc_state_position(c->state);
	bool was_done;
	int err = 0;

	if (c->stale)
		err = compare(c);
	if (err)
		return err;
	/* another host's conversion is not to be gone on with */
	if (c->displaced)
		return -ESTALE;
	if (!has_keys(c)) {
		xc_gate_fail(&c->gate, at->frontier + at->batch_sectors);
		return -ENOKEY;
	}
	if (c->status == XC_STATUS_FAILED)
		err = take_state(c, error);
	was_done = at->done;
	if (!err && at->batch_sectors)
		err = recover(c);
	if (!err && !at->done && !c->paused)
		err = go_on(c);
	if (!err && at->done)
		/* rekey_paused writes nothing to a state that was clean */
		finish(c, !was_done || !c->paused);
	return err;
}

static void set_failed(struct xc_converter *c, const char *reason, int err)
{
	log_failure(c, reason, err);
	set_status(c, XC_STATUS_FAILED);
}

static void convert_work(struct work_struct *work)
{
	struct xc_converter *c = container_of(work, struct xc_converter, work);
	const struct xc_position *at = xc_state_position(c->state);
	char *error = NULL;
	int err;

	c->conv.data->error->err = 0;
	err = run(c, &error);
	if (err)
		set_failed(c, error, err);
	else
		set_status(c, at->done ? XC_STATUS_DONE : XC_STATUS_PAUSED);
}

static void unlist_work(struct work_struct *work)
{
	struct xc_converter *c = container_of(work, struct xc_converter,
					      unlist);
	int err = 0;

	if (xc_gate_has_kept(&c->gate)) {
		c->conv.data->error->err = 0;
		err = unlist(c);
	}
	if (err && c->status != XC_STATUS_FAILED)
		set_failed(c, NULL, err);
}

/* The gate keeps a write. */
static void gate_keeps(struct xc_gate *gate)
{
	struct xc_converter *c = container_of(gate, struct xc_converter, gate);

	queue_work(c->wq, &c->unlist);
	wake_up(&c->wake);
}

static void check_work(struct work_struct *work)
{
	struct xc_converter *c = container_of(work, struct xc_converter, check);
	int err;

	c->conv.data->error->err = 0;
	err = c->stale ? compare(c) : 0;
	if (err)
		set_failed(c, NULL, err);
}

/* ---- for the volume ------------------------------------------------------ */

/**
 * xc_converter_read() - read the state, to act on it
 * @c: the converter, stopped
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set.
 */
int xc_converter_read(struct xc_converter *c, char **error)
{
	return read_state(c, xc_state_open, error);
}

/**
 * xc_converter_open() - place the gate
 * @c: the converter, stopped, with its state read
 *
 * Context: Process context, before the first bio.  May sleep.
 */
void xc_converter_open(struct xc_converter *c)
{
	place_gate(c);
	c->stale = false;
	if (c->displaced)
		xc_gate_shut(&c->gate);
	c->status = XC_STATUS_PAUSED;
}

/**
 * xc_converter_start() - begin to convert, or at least to recover
 * @c: the converter, opened
 *
 * Context: Process context.
 */
void xc_converter_start(struct xc_converter *c)
{
	WRITE_ONCE(c->stop, false);
	queue_work(c->wq, &c->work);
}

/**
 * xc_converter_recover() - recover, and do not convert
 * @c: the converter, opened
 *
 * Context: Process context.
 */
void xc_converter_recover(struct xc_converter *c)
{
	WRITE_ONCE(c->stop, true);
	queue_work(c->wq, &c->work);
}

/**
 * xc_converter_stop() - stop at a durable point, with the gate open
 * @c: the converter; need not be running
 *
 * Context: Process context.  May sleep.
 */
void xc_converter_stop(struct xc_converter *c)
{
	WRITE_ONCE(c->stop, true);
	wake_up(&c->wake);
	flush_work(&c->work);
	flush_work(&c->check);
}

/**
 * xc_converter_close() - hold all bios
 * @c: the converter, stopped
 *
 * Context: Process context.
 */
void xc_converter_close(struct xc_converter *c)
{
	xc_gate_close(&c->gate);
}

/**
 * xc_converter_distrust() - hold all bios until the state was compared
 * @c: the converter, stopped
 *
 * Context: Process context.
 */
void xc_converter_distrust(struct xc_converter *c)
{
	c->stale = true;
	xc_gate_close(&c->gate);
}

/**
 * xc_converter_reopen() - let bios go on, after the state was compared if need be
 * @c: the converter
 *
 * Does not wait for that.
 *
 * Context: Process context.
 */
void xc_converter_reopen(struct xc_converter *c)
{
	if (c->stale)
		queue_work(c->wq, &c->check);
	else
		xc_gate_open(&c->gate);
}

/**
 * xc_converter_set_skip() - allow to skip sectors that cannot be read
 * @c: the converter, stopped
 * @skip: allow %XC_SKIP_SECTORS of them; or none
 *
 * Context: Process context.
 */
void xc_converter_set_skip(struct xc_converter *c, bool skip)
{
	c->skip.left = skip ? XC_SKIP_SECTORS : 0;
}

/**
 * xc_converter_set_speed() - limit the speed
 * @c: the converter
 * @speed: the limit in KiB/s; 0: none; or %XC_SPEED_AUTO
 *
 * Context: Process context.
 */
void xc_converter_set_speed(struct xc_converter *c, unsigned int speed)
{
	WRITE_ONCE(c->pace.speed, speed);
	wake_up(&c->wake);
}

/**
 * xc_converter_init() - allocate what a converter needs
 * @c: the converter, with ti, conv, state, converted and the ciphers of its gate
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set; call xc_converter_exit() in
 * both cases.
 */
int xc_converter_init(struct xc_converter *c, char **error)
{
	const char *name = dm_table_device_name(c->ti->table);
	unsigned int i;
	int err;

	init_waitqueue_head(&c->wake);
	INIT_WORK(&c->work, convert_work);
	INIT_WORK(&c->unlist, unlist_work);
	c->gate.keeps = gate_keeps;
	c->skip.ti = c->ti;
	c->skip.data = c->conv.data;
	INIT_WORK(&c->check, check_work);
	c->status = XC_STATUS_PAUSED;
	c->pace.speed = XC_SPEED_AUTO;
	c->conv.digest = &c->digest;

	err = xc_digest_init(&c->digest, error);
	if (err)
		return err;
	*error = "rekey_state: out of memory";
	c->wq = alloc_ordered_workqueue("xcrypt_rekey-%s", WQ_MEM_RECLAIM,
					name);
	c->chunk_wq = alloc_workqueue("xcrypt_chunk-%s", WQ_MEM_RECLAIM |
				      WQ_UNBOUND, num_online_cpus(), name);
	c->conv.wq = c->chunk_wq;
	if (!c->wq || !c->chunk_wq)
		return -ENOMEM;
	for (i = 0; i < XC_BATCHES; i++) {
		c->batches[i] = xc_batch_create(&c->conv);
		if (!c->batches[i])
			return -ENOMEM;
	}
	return 0;
}

/**
 * xc_converter_exit() - undo xc_converter_init()
 * @c: the converter, stopped
 *
 * Context: Process context.  May sleep.
 */
void xc_converter_exit(struct xc_converter *c)
{
	unsigned int i;

	if (c->wq)
		destroy_workqueue(c->wq);
	if (c->chunk_wq)
		destroy_workqueue(c->chunk_wq);
	for (i = 0; i < XC_BATCHES; i++)
		xc_batch_destroy(c->batches[i]);
	xc_digest_exit(&c->digest);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The converter: the thread of work that moves a volume to its new side.
 */
#ifndef _XC_CONVERT_H
#define _XC_CONVERT_H

#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "chunk.h"
#include "digest.h"
#include "pace.h"
#include "skip.h"
#include "../io/gate.h"

struct xc_batch;
struct xc_state;

/*
 * Batches in memory: one is written, one is prepared, one is read.  (The model of
 * the tests has two.)
 */
#ifndef XC_BATCHES
#define XC_BATCHES 3
#endif

/**
 * enum xc_rekey_status - what a conversion is doing
 * @XC_STATUS_PAUSED: nothing
 * @XC_STATUS_RUNNING: converting
 * @XC_STATUS_RECOVERING: finishing a batch after a crash
 * @XC_STATUS_DONE: nothing, all is converted
 * @XC_STATUS_FAILED: nothing, after an error
 */
enum xc_rekey_status {
	XC_STATUS_PAUSED,
	XC_STATUS_RUNNING,
	XC_STATUS_RECOVERING,
	XC_STATUS_DONE,
	XC_STATUS_FAILED,
};

/**
 * struct xc_converter - a converter
 * @ti: the target
 * @conv: from what, to what
 * @gate: the gate of the volume
 * @state: the state on disk
 * @digest: computes digests
 * @batches: memory
 * @active: the one that is active, if it is in memory
 * @lost: the state was destroyed on its device
 * @displaced: another host has written the state: all bios fail
 * @skip: which sectors may be skipped
 * @repaired: a recovery has finished the active batch, but could not retire it
 * @turn: which of @batches is next
 * @chunk_wq: where chunks are converted
 * @wq: where @work runs; it waits for @chunk_wq
 * @work: converts until it is done, told to stop, or fails
 * @unlist: commits for writes that the gate keeps, when @work does not
 * @check: compares the state after hibernation; not while @work runs
 * @stale: the state is to be compared
 * @stop: end @work at the next durable point
 * @wake: woken when @stop or the speed changes, or the gate keeps a write
 * @paused: only recover
 * @status: what it is doing
 * @pace: how fast it is, and may be
 * @converted: called when all is converted and durable, and no bio uses the old
 *	side
 */
struct xc_converter {
	struct dm_target *ti;
	struct xc_conversion conv;
	struct xc_gate gate;
	struct xc_state *state;
	struct xc_digest digest;
	struct xc_batch *batches[XC_BATCHES];
	struct xc_batch *active;
	bool lost;
	bool displaced;
	struct xc_skip skip;
	bool repaired;
	unsigned int turn;
	struct workqueue_struct *chunk_wq;
	struct workqueue_struct *wq;
	struct work_struct work;
	struct work_struct unlist;
	struct work_struct check;
	bool stale;
	bool stop;
	wait_queue_head_t wake;
	bool paused;
	enum xc_rekey_status status;
	struct xc_pace pace;
	void (*converted)(struct dm_target *ti);
};

int xc_converter_init(struct xc_converter *c, char **error);
void xc_converter_exit(struct xc_converter *c);
int xc_converter_read(struct xc_converter *c, char **error);
void xc_converter_open(struct xc_converter *c);
void xc_converter_start(struct xc_converter *c);
void xc_converter_recover(struct xc_converter *c);
void xc_converter_stop(struct xc_converter *c);
void xc_converter_set_skip(struct xc_converter *c, bool skip);
void xc_converter_close(struct xc_converter *c);
void xc_converter_distrust(struct xc_converter *c);
void xc_converter_reopen(struct xc_converter *c);
void xc_converter_set_speed(struct xc_converter *c, unsigned int speed);

#endif

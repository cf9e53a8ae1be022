/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate of a volume whose sectors move from one cipher to another.
 */
#ifndef _XC_GATE_H
#define _XC_GATE_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "ranges.h"

struct work_struct;
struct workqueue_struct;
struct xc_cipher;
struct xc_io;

/**
 * struct xc_gate - which cipher a sector has, and which sectors bios wait for
 * @old: the cipher of sectors from @boundary on
 * @new: the cipher of sectors before @boundary
 * @wq: where held bios continue
 * @lock: protects all up to @held but the counters
 * @boundary: first sector that is not converted
 * @read_end: reads of sectors from @boundary to here are held
 * @write_start: writes and discards of sectors from here to @write_end are held; not
 *	more than @boundary
 * @write_end: not less than @read_end
 * @failed: bios are failed where they would be held
 * @shut: all bios are failed
 * @listed: sectors whose data are lost: reads are refused, and writes are kept when
 *	they end
 * @listed_sectors: their number
 * @filling: writes and discards of listed sectors are held
 * @closed: all bios are held, unless @shut
 * @passed: number of bios that passed
 * @epoch: index in @in_flight for new bios, by direction
 * @in_flight: bios that passed, by direction and epoch
 * @drained: woken when one of these counters becomes zero
 * @held: bios that wait, oldest first
 * @kept_lock: protects @kept
 * @kept: writes to listed sectors that are done but have not ended, oldest first
 * @keeps: called when there is one, with @kept_lock held, in any context; must not
 *	sleep
 *
 * Sectors are counted from the start of the mapping.  All of these are multiples
 * of both encryption sectors.
 */
struct xc_gate {
	const struct xc_cipher *old;
	const struct xc_cipher *new;
	struct workqueue_struct *wq;
	spinlock_t lock;	/* all to held, but for in_flight */
	sector_t boundary;
	sector_t read_end;
	sector_t write_start;
	sector_t write_end;
	bool failed;
	bool shut;
	struct xc_ranges listed;
	u64 listed_sectors;
	bool filling;
	bool closed;
	u64 passed;
	unsigned int epoch[2];
	atomic_t in_flight[2][2];
	wait_queue_head_t drained;
	struct list_head held;
	spinlock_t kept_lock;	/* kept */
	struct list_head kept;
	void (*keeps)(struct xc_gate *gate);
};

/**
 * enum xc_gate_result - what happens to a bio at the gate
 * @XC_GATE_PASSED: it has its ciphers, and must leave
 * @XC_GATE_HELD: it continues later, in its work function
 * @XC_GATE_REFUSED: it must fail
 */
enum xc_gate_result {
	XC_GATE_PASSED,
	XC_GATE_HELD,
	XC_GATE_REFUSED,
};

/* for bios */
enum xc_gate_result xc_gate_enter(struct xc_gate *gate, struct xc_io *io);
bool xc_gate_leave(struct xc_gate *gate, struct xc_io *io);

/* for the converter */
void xc_gate_init(struct xc_gate *gate, const struct xc_cipher *old,
		  const struct xc_cipher *new);
void xc_gate_place(struct xc_gate *gate, sector_t boundary, sector_t end);
void xc_gate_hold_writes(struct xc_gate *gate, sector_t end);
void xc_gate_hold_reads(struct xc_gate *gate, sector_t end);
void xc_gate_advance(struct xc_gate *gate, sector_t boundary);
void xc_gate_let_write(struct xc_gate *gate, sector_t start);
void xc_gate_fail(struct xc_gate *gate, sector_t write_end);
void xc_gate_shut(struct xc_gate *gate);
void xc_gate_list(struct xc_gate *gate, const struct xc_ranges *listed);
void xc_gate_fill(struct xc_gate *gate, bool filling);
bool xc_gate_has_kept(struct xc_gate *gate);
void xc_gate_take_kept(struct xc_gate *gate, struct list_head *kept,
		       struct xc_ranges *listed);
void xc_gate_end_kept(struct list_head *kept, int err);
void xc_gate_close(struct xc_gate *gate);
void xc_gate_open(struct xc_gate *gate);

#endif

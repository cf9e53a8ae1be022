/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The replay of a trace: what its parts share.
 */
#ifndef _XC_CRASH_REPLAY_H
#define _XC_CRASH_REPLAY_H

#include "cut.h"
#include "trace.h"
#include "user.h"

/**
 * struct machine - a session, until a crash or the end
 * @volume: the volume, NULL before the resume returns
 * @refused: its table was refused
 * @damaged: the area of the active batch was damaged
 * @begins: the state is to begin, and the resume has not returned
 * @recovers: the active batch is not retired
 * @submitted: the bio of the present step is submitted
 * @free: there are no more steps: everything may happen
 * @over: the session ends here
 * @administrators: tasks that load, pause and resume
 * @superblock: the last one that is in a cache, as the model counts
 * @writes_end: writes may be held to here
 * @reads_end: likewise for reads
 * @changed: woken when one of these changes
 * @ended: woken when there are no more steps in this session
 */
struct machine {
	struct volume *volume;
	bool refused;
	bool damaged;
	bool begins;
	bool recovers;
	bool submitted;
	bool free;
	bool over;
	unsigned int administrators;
	unsigned int superblock;
	sector_t writes_end;
	sector_t reads_end;
	struct wait_queue_head changed;
	struct wait_queue_head ended;
};

/**
 * struct replay - a replay
 * @trace: the trace
 * @refusal: why the code refuses the present step
 * @message: the last message of the module
 * @lost: a cut lost data, which a read will show
 * @log: what the devices did in the present session
 * @cut: what they had at its beginning; after a crash, what they have
 * @writer: the user who writes
 * @reader: the user who reads
 * @flusher: the user who flushes
 * @machine: the present session
 */
struct replay {
	struct trace trace;
	char refusal[200];
	char message[200];
	bool lost;
	struct log log;
	struct cut cut;
	struct user writer;
	struct user reader;
	struct user flusher;
	struct machine machine;
};

extern struct replay replay;

/* In a task of its own, pause the volume, and resume it. */
void replay_pause(void);

/* By the linker's option --wrap, the converter calls these, and they the gate. */
void __wrap_xc_gate_hold_writes(struct xc_gate *gate, sector_t end);
void __wrap_xc_gate_hold_reads(struct xc_gate *gate, sector_t end);
void __real_xc_gate_hold_writes(struct xc_gate *gate, sector_t end);
void __real_xc_gate_hold_reads(struct xc_gate *gate, sector_t end);

#endif

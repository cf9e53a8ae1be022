/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scheduler: one thread, in which tasks, sources of events and timers take
 * turns.  The seed decides whose turn it is.
 */
#ifndef _XC_CRASH_SCHED_H
#define _XC_CRASH_SCHED_H

#include "kernel.h"
#include "random.h"

/**
 * struct sched_source - where events come from
 * @ready: number of events that may happen now
 * @run: let one of them happen; not in a task
 * @weight: how often it is chosen, beside others
 */
struct sched_source {
	unsigned int (*ready)(void);
	void (*run)(unsigned int index);
	unsigned int weight;
};

#define SCHED_SOURCES 4

extern struct random sched_random;

/* Forget everything: tasks that are left never run again. */
void sched_reset(u64 seed);
void sched_add_source(const struct sched_source *source);
/* Run @func, and everything else meanwhile. */
void sched_run(void (*func)(void *arg), void *arg);

void sched_spawn(void (*func)(void *arg), void *arg);
bool sched_in_task(void);
/* Does every task wait? */
bool sched_is_idle(void);
u64 sched_clock(void);

/* For the running task: let others run; wait in a list, perhaps with a limit. */
void sched_yield_task(void);
bool sched_sleep(struct list_head *waiting, u64 deadline);
#define SCHED_FOREVER U64_MAX
/* Let all tasks in the list run again. */
void sched_wake(struct list_head *waiting);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's locks, waits, work items and time, over the scheduler.
 *
 * A task may lose its turn before it takes a lock, as if it were interrupted.
 */
#include "kernel.h"

#include "sched.h"

/* A task is interrupted once in so many locks. */
#define INTERRUPTED 4

static unsigned int locks_held;

/* ---- spinlocks ----------------------------------------------------------- */

void spin_lock_init(spinlock_t *lock)
{
	lock->locked = false;
}

void spin_lock(spinlock_t *lock)
{
	if (sched_in_task() && !locks_held &&
	    random_once(&sched_random, INTERRUPTED))
		sched_yield_task();
	if (lock->locked)
		fail("a spinlock is taken twice");
	lock->locked = true;
	locks_held++;
}

void spin_unlock(spinlock_t *lock)
{
	lock->locked = false;
	locks_held--;
}

/* ---- waits --------------------------------------------------------------- */

u64 ktime_get_ns(void)
{
	return sched_clock();
}

void init_waitqueue_head(struct wait_queue_head *queue)
{
	INIT_LIST_HEAD(&queue->tasks);
}

void wake_up(struct wait_queue_head *queue)
{
	sched_wake(&queue->tasks);
}

bool wait_sleep_until(struct wait_queue_head *queue, u64 deadline)
{
	if (locks_held)
		fail("a wait with a spinlock held");
	return sched_sleep(&queue->tasks, deadline);
}

void wait_sleep(struct wait_queue_head *queue)
{
	wait_sleep_until(queue, SCHED_FOREVER);
}

void init_completion(struct completion *completion)
{
	completion->done = 0;
	init_waitqueue_head(&completion->wait);
}

void complete(struct completion *completion)
{
	completion->done++;
	wake_up(&completion->wait);
}

void wait_for_completion(struct completion *completion)
{
	wait_event(completion->wait, completion->done);
	completion->done--;
}

void mutex_init(struct mutex *lock)
{
	lock->locked = false;
	init_waitqueue_head(&lock->wait);
}

void mutex_lock(struct mutex *lock)
{
	wait_event(lock->wait, !lock->locked);
	lock->locked = true;
}

void mutex_unlock(struct mutex *lock)
{
	lock->locked = false;
	wake_up(&lock->wait);
}

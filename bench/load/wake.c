// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread that wakes up at regular intervals, like an interactive program, and
 * records its wakeup latency.
 */
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/sched.h>

#include "load.h"

static int wake(void *data)
{
	struct load *load = data;
	ktime_t next = ktime_get();

	while (!kthread_should_stop()) {
		next = ktime_add_us(next, load->wake);
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule_hrtimeout(&next, HRTIMER_MODE_ABS);
		quantiles_add(&load->wake_times,
			      max_t(s64, ktime_to_ns(ktime_sub(ktime_get(), next)), 0));
	}
	return 0;
}

/**
 * wake_start() - start the thread, if the run wants one
 * @load: the run
 *
 * Return: the thread, for wake_stop(); NULL without one, or an error pointer.
 */
struct task_struct *wake_start(struct load *load)
{
	if (!load->wake)
		return NULL;
	return kthread_run(wake, load, "xcrypt_wake");
}

/**
 * wake_stop() - end the thread
 * @thread: what wake_start() returned, no error
 */
void wake_stop(struct task_struct *thread)
{
	if (thread)
		kthread_stop(thread);
}

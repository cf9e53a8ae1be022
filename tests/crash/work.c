// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work items: each runs in a task, in any order, but never twice at a time.  Those
 * of an ordered workqueue run one after another.
 */
#include "work.h"

#define RUNNING_MAX 32

struct workqueue_struct {
	bool ordered;
	unsigned int items;
};

struct running {
	struct work_struct *work;
	struct workqueue_struct *wq;
};

static LIST_HEAD(queued);
static unsigned int queued_count;
static struct running running[RUNNING_MAX];
static unsigned int running_count;
static struct wait_queue_head ended = { LIST_HEAD_INIT(ended.tasks) };

static bool is_running(const struct work_struct *work)
{
	unsigned int i;

	for (i = 0; i < running_count; i++)
		if (running[i].work == work)
			return true;
	return false;
}

/* The item may be gone when its function returns. */
static void run_work(void *arg)
{
	struct work_struct *work = arg;
	unsigned int i;

	work->func(work);
	for (i = 0; running[i].work != work; i++)
		;
	running[i].wq->items--;
	running[i] = running[--running_count];
	wake_up(&ended);
}

/* Does another one of its ordered workqueue run, or come first? */
static bool must_follow(const struct work_struct *work)
{
	const struct work_struct *first;
	unsigned int i;

	for (i = 0; i < running_count; i++)
		if (running[i].wq == work->wq)
			return true;
	list_for_each_entry(first, &queued, queued)
		if (first->wq == work->wq)
			break;
	return first != work;
}

static bool may_run(const struct work_struct *work)
{
	return !is_running(work) && !(work->wq->ordered && must_follow(work));
}

static unsigned int ready(void)
{
	struct work_struct *work;
	unsigned int count = 0;

	if (!queued_count)
		return 0;
	list_for_each_entry(work, &queued, queued)
		count += may_run(work);
	return count;
}

static void run(unsigned int index)
{
	struct work_struct *work;

	list_for_each_entry(work, &queued, queued)
		if (may_run(work) && !index--)
			break;
	list_del(&work->queued);
	queued_count--;
	work->pending = false;
	assert(running_count < RUNNING_MAX);
	running[running_count++] = (struct running) { work, work->wq };
	sched_spawn(run_work, work);
}

const struct sched_source work_source = {
	.ready = ready,
	.run = run,
	.weight = 2,
};

void work_reset(void)
{
	INIT_LIST_HEAD(&queued);
	queued_count = 0;
	running_count = 0;
	init_waitqueue_head(&ended);
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	if (work->pending)
		return false;
	work->pending = true;
	work->wq = wq;
	wq->items++;
	list_add_tail(&work->queued, &queued);
	queued_count++;
	return true;
}

void flush_work(struct work_struct *work)
{
	wait_event(ended, !work->pending && !is_running(work));
}

struct workqueue_struct *alloc_workqueue(const char *format, unsigned int flags,
					 ...)
{
	return calloc(1, sizeof(struct workqueue_struct));
}

struct workqueue_struct *alloc_ordered_workqueue(const char *format,
						 unsigned int flags, ...)
{
	struct workqueue_struct *wq = alloc_workqueue(format, flags);

	wq->ordered = true;
	return wq;
}

/* By then everything has ended: the volumes see to that. */
void destroy_workqueue(struct workqueue_struct *wq)
{
	if (wq->items)
		fail("a workqueue is destroyed with work");
	free(wq);
}

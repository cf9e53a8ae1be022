// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scheduler: one thread, in which tasks, sources of events and timers take
 * turns.
 *
 * A task has a stack of its own.  It is entered once with setcontext(), and then
 * with __builtin_longjmp(), which needs no system call, even with the address
 * sanitizer.  Tasks that have ended are used again.
 */
#include "sched.h"

#include <ucontext.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#define STACK_SIZE (256 << 10)
#else
#define STACK_SIZE (64 << 10)
#endif

/* Neither inlined nor analyzed nor instrumented. */
#define UNSEEN __attribute__((noipa, no_sanitize_address))

/* More steps than any run of a volume takes. */
#define STEPS_MAX 1000000

struct task {
	struct list_head entry;		/* in runnable, idle, or a wait queue */
	struct list_head timer;		/* in timers, if @timed */
	bool timed;
	bool woken;
	u64 deadline;
	void (*func)(void *arg);
	void *arg;
	bool entered;
	void *context[5];
	void *fake_stack;
	char *stack;
};

struct random sched_random;

static LIST_HEAD(runnable);
static LIST_HEAD(idle);
static LIST_HEAD(timers);
static unsigned int runnable_count, timer_count;
static struct task *current;
static void *scheduler[5];
static u64 clock_ns;
static struct sched_source sources[SCHED_SOURCES];
static unsigned int source_count;

/* ---- switching ----------------------------------------------------------- */

/* The address sanitizer has to know which stack is in use. */
#ifdef __SANITIZE_ADDRESS__
/* Each session allocates much: use memory again soon. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_stack_use_after_return=0:quarantine_size_mb=8";
}

static const void *scheduler_stack;
static size_t scheduler_stack_size;

static void leave_for(void **fake, const void *stack, size_t size)
{
	__sanitizer_start_switch_fiber(fake, stack, size);
}

static void arrive(void *fake, bool in_task)
{
	__sanitizer_finish_switch_fiber(fake, in_task ? &scheduler_stack : NULL,
					in_task ? &scheduler_stack_size : NULL);
}
#else
#define scheduler_stack NULL
#define scheduler_stack_size 0
#define leave_for(fake, stack, size) ((void)(fake))
#define arrive(fake, in_task) ((void)(fake))
#endif

/* The sanitizer must not see that it does not return. */
static UNSEEN void jump(void **context)
{
	__builtin_longjmp(context, 1);
}

static UNSEEN void switch_to_scheduler(struct task *task)
{
	if (__builtin_setjmp(task->context)) {
		arrive(task->fake_stack, true);
		return;
	}
	leave_for(&task->fake_stack, scheduler_stack, scheduler_stack_size);
	jump(scheduler);
}

static void run_task(void)
{
	struct task *task = current;

	arrive(NULL, true);
	for (;;) {
		task->func(task->arg);
		list_add(&task->entry, &idle);
		switch_to_scheduler(task);
	}
}

static UNSEEN void enter(struct task *task)
{
	ucontext_t context;

	if (task->entered)
		jump(task->context);
	task->entered = true;
	getcontext(&context);
	context.uc_stack.ss_sp = task->stack;
	context.uc_stack.ss_size = STACK_SIZE;
	context.uc_link = NULL;
	makecontext(&context, run_task, 0);
	setcontext(&context);
}

static UNSEEN void switch_to(struct task *task)
{
	static void *fake_stack;

	current = task;
	if (!__builtin_setjmp(scheduler)) {
		leave_for(&fake_stack, task->stack, STACK_SIZE);
		enter(task);
	}
	arrive(fake_stack, false);
	current = NULL;
}

/* ---- tasks --------------------------------------------------------------- */

static struct task *create_task(void)
{
	struct task *task = calloc(1, sizeof(*task));

	task->stack = malloc(STACK_SIZE);
	list_add(&task->entry, &idle);
	return task;
}

static void make_runnable(struct task *task)
{
	list_add_tail(&task->entry, &runnable);
	runnable_count++;
}

void sched_spawn(void (*func)(void *arg), void *arg)
{
	struct task *task;

	if (list_empty(&idle))
		create_task();
	task = list_first_entry(&idle, struct task, entry);
	list_del(&task->entry);
	task->func = func;
	task->arg = arg;
	make_runnable(task);
}

bool sched_in_task(void)
{
	return current;
}

bool sched_is_idle(void)
{
	return !runnable_count;
}

u64 sched_clock(void)
{
	return clock_ns;
}

void sched_yield_task(void)
{
	make_runnable(current);
	switch_to_scheduler(current);
}

static void stop_timer(struct task *task)
{
	if (!task->timed)
		return;
	list_del(&task->timer);
	task->timed = false;
	timer_count--;
}

/* Returns false if the time is over. */
bool sched_sleep(struct list_head *waiting, u64 deadline)
{
	struct task *task = current;

	if (!task)
		fail("a wait outside of tasks");
	list_add_tail(&task->entry, waiting);
	if (deadline != SCHED_FOREVER) {
		task->deadline = deadline;
		task->timed = true;
		list_add_tail(&task->timer, &timers);
		timer_count++;
	}
	task->woken = false;
	switch_to_scheduler(task);
	return task->woken;
}

static void wake_task(struct task *task, bool woken)
{
	task->woken = woken;
	stop_timer(task);
	list_del(&task->entry);
	make_runnable(task);
}

void sched_wake(struct list_head *waiting)
{
	while (!list_empty(waiting))
		wake_task(list_first_entry(waiting, struct task, entry), true);
}

/* ---- turns --------------------------------------------------------------- */

static struct task *nth_runnable(unsigned int n)
{
	struct task *task;

	list_for_each_entry(task, &runnable, entry)
		if (!n--)
			break;
	return task;
}

/* The first timer that ends. */
static void run_timer(void)
{
	struct task *task, *first = NULL;

	list_for_each_entry(task, &timers, timer)
		if (!first || task->deadline < first->deadline)
			first = task;
	clock_ns = max(clock_ns, first->deadline);
	wake_task(first, false);
}

static void step(void)
{
	unsigned int ready[SCHED_SOURCES], total, choice, i;
	struct task *task;

	clock_ns += random_below(&sched_random, 20000);
	total = 2 * runnable_count + !!timer_count;
	for (i = 0; i < source_count; i++) {
		ready[i] = sources[i].ready();
		total += ready[i] * sources[i].weight;
	}
	if (!total)
		fail("every task waits, and nothing is left to happen");
	choice = random_below(&sched_random, total);

	if (choice < 2 * runnable_count) {
		task = nth_runnable(choice / 2);
		list_del(&task->entry);
		runnable_count--;
		switch_to(task);
		return;
	}
	choice -= 2 * runnable_count;
	for (i = 0; i < source_count; i++) {
		if (choice < ready[i] * sources[i].weight) {
			sources[i].run(choice / sources[i].weight);
			return;
		}
		choice -= ready[i] * sources[i].weight;
	}
	run_timer();
}

struct first_task {
	void (*func)(void *arg);
	void *arg;
	bool done;
};

static void run_first(void *arg)
{
	struct first_task *first = arg;

	first->func(first->arg);
	first->done = true;
}

void sched_run(void (*func)(void *arg), void *arg)
{
	struct first_task first = { .func = func, .arg = arg };
	unsigned int steps;

	sched_spawn(run_first, &first);
	for (steps = 0; !first.done; steps++) {
		if (steps == STEPS_MAX)
			fail("the volume does not come to an end");
		step();
	}
	if (runnable_count || timer_count)
		fail("tasks are left");
}

void sched_add_source(const struct sched_source *source)
{
	sources[source_count++] = *source;
}

void sched_reset(u64 seed)
{
	INIT_LIST_HEAD(&runnable);
	INIT_LIST_HEAD(&timers);
	runnable_count = 0;
	timer_count = 0;
	sched_random.state = seed;
	clock_ns = 0;
	source_count = 0;
}

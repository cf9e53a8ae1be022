/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-ins for the kernel's locks, waits, work items and time, on one thread:
 * sync.c implements them over the scheduler.
 */
#ifndef _XC_CRASH_SYNC_H
#define _XC_CRASH_SYNC_H

/* ---- atomic variables and spinlocks: nothing interrupts a task ----------- */

typedef struct {
	int counter;
} atomic_t;

#define atomic_set(v, i)		((void)((v)->counter = (i)))
#define atomic_read(v)			((v)->counter)
#define atomic_inc(v)			((void)(v)->counter++)
#define atomic_xchg(v, new) \
	({ int __old = (v)->counter; (v)->counter = (new); __old; })
#define atomic_dec_and_test(v)		(!--(v)->counter)

#define cmpxchg(p, old, new) \
	({ typeof(*(p)) __was = *(p); *(p) = __was == (old) ? (new) : __was; __was; })

typedef struct {
	bool locked;
} spinlock_t;

void spin_lock_init(spinlock_t *lock);
void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);

#define spin_lock_irq(lock)		spin_lock(lock)
#define spin_unlock_irq(lock)		spin_unlock(lock)
#define spin_lock_irqsave(lock, flags)	((flags) = 0, spin_lock(lock))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), spin_unlock(lock))

#define lockdep_assert_held(lock)	assert((lock)->locked)

/* ---- waits --------------------------------------------------------------- */

struct wait_queue_head {
	struct list_head tasks;
};

typedef struct wait_queue_head wait_queue_head_t;

void init_waitqueue_head(struct wait_queue_head *queue);
void wake_up(struct wait_queue_head *queue);
void wait_sleep(struct wait_queue_head *queue);
bool wait_sleep_until(struct wait_queue_head *queue, u64 deadline);
u64 ktime_get_ns(void);

#define msecs_to_jiffies(ms)	(ms)

#define wait_event(queue, condition)					\
	do {								\
		while (!(condition))					\
			wait_sleep(&(queue));				\
	} while (0)

/* A jiffy is a millisecond. */
#define wait_event_interruptible_timeout(queue, condition, jiffies)	\
	do {								\
		u64 __deadline = ktime_get_ns() +			\
				 (u64)(jiffies) * NSEC_PER_MSEC;	\
		while (!(condition) &&					\
		       wait_sleep_until(&(queue), __deadline))		\
			;						\
	} while (0)

struct completion {
	unsigned int done;
	struct wait_queue_head wait;
};

#define DECLARE_COMPLETION_ONSTACK(name) \
	struct completion name; init_completion(&name)

void init_completion(struct completion *completion);
void complete(struct completion *completion);
void wait_for_completion(struct completion *completion);
#define wait_for_completion_io(completion)	wait_for_completion(completion)

struct mutex {
	bool locked;
	struct wait_queue_head wait;
};

#define DEFINE_MUTEX(name) \
	struct mutex name = { .wait.tasks = LIST_HEAD_INIT(name.wait.tasks) }

void mutex_init(struct mutex *lock);
void mutex_lock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
#define mutex_destroy(lock)	assert(!(lock)->locked)

/* ---- work items ---------------------------------------------------------- */

struct work_struct;
struct workqueue_struct;

typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	work_func_t func;
	bool pending;
	struct workqueue_struct *wq;
	struct list_head queued;
};

#define WQ_MEM_RECLAIM		0
#define WQ_UNBOUND		0
#define num_online_cpus()	4

struct workqueue_struct *alloc_workqueue(const char *format, unsigned int flags,
					 ...);
struct workqueue_struct *alloc_ordered_workqueue(const char *format,
						 unsigned int flags, ...);
void destroy_workqueue(struct workqueue_struct *wq);
#define INIT_WORK(work, function) \
	((void)(*(work) = (struct work_struct) { .func = (function) }))
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
void flush_work(struct work_struct *work);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-ins in user space for the kernel headers that table/, stats/ and the
 * printers of volume/ need.
 *
 * The build replaces every <linux/...> and <crypto/...> header that the
 * module's sources include by a file that includes this one; compat/compat.h is
 * skipped (_XC_COMPAT_H is defined).  Add new requirements of a source here.
 */
#ifndef _XC_HOST_KERNEL_H
#define _XC_HOST_KERNEL_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- types --------------------------------------------------------------- */

typedef uint8_t u8;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef u64 __le64;
typedef u64 sector_t;
typedef unsigned int gfp_t;
typedef u8 blk_status_t;

typedef struct {
	int counter;
} atomic_t;

/* Members of the volume's structures that the printers do not use. */
struct list_head { void *next, *prev; };
struct llist_node { void *next; };
struct llist_head { void *first; };
struct completion { int done; };
struct mutex { int owner; };
struct percpu_counter { long count; };
struct work_struct { void *func; };
struct scatterlist { void *page; };
struct bvec_iter { sector_t bi_sector; };
struct bio_set { void *pool; };
typedef struct { void *elements; } mempool_t;
typedef void (*work_func_t)(struct work_struct *work);

struct bio;
typedef void (bio_end_io_t)(struct bio *bio);
struct workqueue_struct;

#define __aligned(n)		__attribute__((aligned(n)))
#define __percpu
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#define __scanf(a, b)		__attribute__((format(scanf, a, b)))
#define ARCH_KMALLOC_MINALIGN	8
#define PTR_ALIGN(p, a) \
	((__typeof__(p))(((uintptr_t)(p) + (a) - 1) & ~((uintptr_t)(a) - 1)))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define BIT(n)			(1UL << (n))
#define lockdep_assert_held(lock)	((void)(lock))

#define SECTOR_SHIFT		9
#define SECTOR_SIZE		(1 << SECTOR_SHIFT)
#define CRYPTO_MAX_ALG_NAME	128
#define READ			0
#define WRITE			1

/* ---- strings and numbers ------------------------------------------------- */

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline unsigned int hweight_long(unsigned long n)
{
	return __builtin_popcountl(n);
}

static inline int ilog2(u64 n)
{
	return 63 - __builtin_clzll(n);
}

#define min_t(type, a, b)	((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define min(a, b)		min_t(__typeof__(a), a, b)
#define READ_ONCE(x)		(x)

/* The kernel's support only ASCII, and any char, unlike those of <ctype.h>. */
static inline int isdigit(int c)
{
	return c >= '0' && c <= '9';
}

static inline int isxdigit(int c)
{
	return isdigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline int isspace(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (u8)c == 0xa0;
}

static inline bool strstarts(const char *string, const char *prefix)
{
	return !strncmp(string, prefix, strlen(prefix));
}

/* sscanf() of the old or new kernel: an overflow wraps or saturates. */
extern bool kernel_scan_saturates;

long strscpy(char *to, const char *from, size_t size);
int kstrtoull(const char *s, unsigned int base, unsigned long long *value);
int kstrtouint(const char *s, unsigned int base, unsigned int *value);
char *skip_spaces(const char *s);
__printf(3, 4) int scnprintf(char *buf, size_t size, const char *format, ...);
__scanf(2, 3) int kernel_sscanf(const char *string, const char *format, ...);

#define sscanf kernel_sscanf

/* ---- per CPU ------------------------------------------------------------- */

/* The distance between the variables of two CPUs. */
#define PERCPU_SIZE		8192
#define KERNEL_CPUS		4

extern unsigned int kernel_cpu;	/* the running CPU */

#define for_each_possible_cpu(cpu) \
	for ((cpu) = 0; (cpu) < KERNEL_CPUS; (cpu)++)
#define per_cpu_ptr(p, cpu) \
	((__typeof__(p))((uintptr_t)(p) + (cpu) * PERCPU_SIZE))
#define this_cpu_add(v, n)	(*per_cpu_ptr(&(v), kernel_cpu) += (n))
#define this_cpu_inc(v)		this_cpu_add(v, 1)

/* ---- the log ------------------------------------------------------------- */

/* The messages logged since the last kernel_log_clear(). */
extern char kernel_log[1 << 16];

void kernel_log_clear(void);
__printf(1, 2) void kernel_printk(const char *format, ...);

#define DMERR(format, ...) \
	kernel_printk("E " DM_MSG_PREFIX ": " format "\n", ##__VA_ARGS__)
#define DMWARN(format, ...) \
	kernel_printk("W " DM_MSG_PREFIX ": " format "\n", ##__VA_ARGS__)

/* ---- device mapper ------------------------------------------------------- */

/* The kernel has an array of 16 here, "<major>:<minor>"; we print any name. */
struct dm_dev {
	const char *name;
};

struct target_type {
	const char *name;
	unsigned int version[3];
};

struct dm_arg_set {
	unsigned int argc;
	char **argv;
};

struct dm_arg {
	unsigned int min;
	unsigned int max;
	char *error;
};

const char *dm_shift_arg(struct dm_arg_set *args);
int dm_read_arg_group(const struct dm_arg *arg, struct dm_arg_set *args,
		      unsigned int *count, char **error);

#define DMEMIT(x...) \
	(sz += sz >= maxlen ? 0 : scnprintf(result + sz, maxlen - sz, x))
#define DMEMIT_TARGET_NAME_VERSION(type) \
	DMEMIT("target_name=%s,target_version=%u.%u.%u", (type)->name, \
	       (type)->version[0], (type)->version[1], (type)->version[2])

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-ins in user space for the kernel headers that rekey/, io/gate.c,
 * io/sides.c and cipher/run.c need.
 *
 * The build replaces every <linux/...>, <crypto/...> and <trace/...> header that
 * these sources include by a file that includes this one; compat/compat.h is
 * skipped (_XC_COMPAT_H is defined).  Add new requirements of a source here, or
 * in the headers included below.
 */
#ifndef _XC_CRASH_KERNEL_H
#define _XC_CRASH_KERNEL_H

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* ---- types --------------------------------------------------------------- */

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef u32 __le32;
typedef u64 __le64;
typedef u64 sector_t;
typedef unsigned int gfp_t;

#define __aligned(n)		__attribute__((aligned(n)))
#define __counted_by(member)
#define __percpu
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#define READ_ONCE(x)		(x)
#define WRITE_ONCE(x, value)	((x) = (value))

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define struct_size(p, member, n) \
	(sizeof(*(p)) + (n) * sizeof((p)->member[0]))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define BIT(n)			(1UL << (n))

/* ---- bitmaps -------------------------------------------------------------- */

#define BITS_PER_LONG		64
#define DECLARE_BITMAP(name, bits) unsigned long name[DIV_ROUND_UP(bits, BITS_PER_LONG)]
#define bitmap_zero(map, bits)	memset(map, 0, DIV_ROUND_UP(bits, BITS_PER_LONG) * sizeof(*(map)))
#define bitmap_empty(map, bits)	(find_next_bit(map, bits, 0) >= (bits))

static inline bool test_bit(unsigned int n, const unsigned long *map)
{
	return map[n / BITS_PER_LONG] & BIT(n % BITS_PER_LONG);
}

static inline void __set_bit(unsigned int n, unsigned long *map)
{
	map[n / BITS_PER_LONG] |= BIT(n % BITS_PER_LONG);
}

static inline void bitmap_set(unsigned long *map, unsigned int from,
			      unsigned int count)
{
	while (count--)
		__set_bit(from++, map);
}

static inline unsigned int find_next_bit(const unsigned long *map,
					 unsigned int end, unsigned int from)
{
	while (from < end && !test_bit(from, map))
		from++;
	return from;
}

static inline unsigned int find_next_zero_bit(const unsigned long *map,
					      unsigned int end,
					      unsigned int from)
{
	while (from < end && test_bit(from, map))
		from++;
	return from;
}

#define for_each_set_bit(i, map, bits)					\
	for (i = find_next_bit(map, bits, 0); i < (bits);		\
	     i = find_next_bit(map, bits, i + 1))

/* ---- numbers ------------------------------------------------------------- */

#define U64_MAX			ULLONG_MAX
#define SECTOR_SHIFT		9
#define SECTOR_SIZE		(1 << SECTOR_SHIFT)
#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define MSEC_PER_SEC		1000
#define NSEC_PER_MSEC		1000000
#define READ			0
#define WRITE			1

/* The tests run on little-endian machines. */
#define cpu_to_le32(x)		((__le32)(x))
#define cpu_to_le64(x)		((__le64)(x))
#define le32_to_cpu(x)		((u32)(x))
#define le64_to_cpu(x)		((u64)(x))

#define min_t(type, a, b)	((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b)	((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define min(a, b)		min_t(__typeof__((a) + (b)), a, b)
#define max(a, b)		max_t(__typeof__((a) + (b)), a, b)
#define max3(a, b, c)		max(max(a, b), c)
#define clamp(x, low, high)	min(max(x, low), high)
#define clamp_t(type, x, low, high) min_t(type, max_t(type, x, low), high)
#define round_down(x, unit)	((x) - (x) % (unit))
#define round_up(x, unit)	round_down((x) + (unit) - 1, unit)
#define DIV_ROUND_UP(x, n)	(((x) + (n) - 1) / (n))
#define div_u64(x, n)		((u64)(x) / (n))
#define div64_u64(x, n)		div_u64(x, n)

static inline int ilog2(u64 n)
{
	return 63 - __builtin_clzll(n);
}

/* ---- errors -------------------------------------------------------------- */

#define IS_ERR(ptr)		((uintptr_t)(ptr) >= (uintptr_t)-4095)
#define PTR_ERR(ptr)		((long)(ptr))
#define ERR_PTR(err)		((void *)(long)(err))

/* A finding: prints it with the state of the simulation, and exits. */
__printf(1, 2) void __attribute__((noreturn)) fail(const char *format, ...);

#define WARN_ON_ONCE(cond) \
	do { if (cond) fail("%s: %s", __func__, #cond); } while (0)
#define DMWARN(format, ...)	kernel_log("warning: " format, ##__VA_ARGS__)
#define DMERR(format, ...)	kernel_log("error: " format, ##__VA_ARGS__)
#define DMWARN(format, ...)	kernel_log("warning: " format, ##__VA_ARGS__)

__printf(1, 2) void kernel_log(const char *format, ...);

/* ---- memory -------------------------------------------------------------- */

#define GFP_KERNEL		0
#define __GFP_ZERO		1

#define kmalloc(size, gfp)	kernel_malloc(size)
#define kzalloc(size, gfp)	memset(kernel_malloc(size), 0, size)
#define kfree(p)		kernel_free(p)
#define kfree_sensitive(p)	kernel_free(p)
#define memzero_explicit(p, n)	memset(p, 0, n)

void *kernel_malloc(size_t size);
void kernel_free(const void *p);
void *memchr_inv(const void *p, int c, size_t size);
long strscpy_pad(char *to, const char *from, size_t size);
int scnprintf(char *buf, size_t size, const char *format, ...);

/* A page is known by its address, which need not be aligned. */
struct page;

#define alloc_page_bytes(gfp)	((gfp) & __GFP_ZERO ? calloc(1, PAGE_SIZE) : malloc(PAGE_SIZE))
#define alloc_page(gfp)		((struct page *)alloc_page_bytes(gfp))
#define __free_page(page)	free(page)
#define page_address(page)	((void *)(page))
#define clear_page(p)		memset(p, 0, PAGE_SIZE)
#define offset_in_page(p)	((uintptr_t)(p) & (PAGE_SIZE - 1))
#define virt_to_page(p) \
	((struct page *)((uintptr_t)(p) & ~(PAGE_SIZE - 1)))

/* ---- functions of libraries ---------------------------------------------- */

u32 crc32_le(u32 crc, const u8 *p, size_t size);
void get_random_bytes(void *p, size_t size);
#define crypto_memneq(a, b, n)	memcmp(a, b, n)

/* ---- tracepoints --------------------------------------------------------- */

#define TP_PROTO(...)		__VA_ARGS__
#define DECLARE_EVENT_CLASS(...)
#define DEFINE_EVENT(template, name, proto, args) \
	static inline void trace_##name(proto) {} \
	struct trace_##name

#include "list.h"
#include "sync.h"
#include "block.h"
#include "dm.h"

#endif

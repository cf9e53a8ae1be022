// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the module's AES-XTS (cipher/xts_*.c) in user space.
 *
 * Usage: xts IMPLEMENTATION missing
 *	prints the instructions that this CPU lacks for it, if any
 *        xts IMPLEMENTATION GROUP [SEED]
 *	runs a group of tests; "vectors" reads them from standard input: each
 *	line has a name, key, IV or sector number, plaintext and ciphertext,
 *	separated by tabs
 *
 * Prints failed checks, and exits with 1 if there are any.
 */
#include <stdlib.h>
#include <time.h>
#include <ucontext.h>

#include "check.h"
#include "xts-openssl.h"

#define GUARD		64	/* bytes on both sides of a destination */
#define MAX_SECTORS	70
#define UNTOUCHED	0x5a	/* initial content of memory */

static const struct xc_xts_impl *impl;

/* ---- random numbers ------------------------------------------------------ */

static u64 seed;

/* xorshift64* */
static u64 any(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1dULL;
}

/* From @from to @to. */
static unsigned int any_of(unsigned int from, unsigned int to)
{
	return from + (any() >> 32) % (to - from + 1);
}

static void fill(u8 *p, unsigned int size)
{
	while (size--)
		*p++ = any() >> 56;
}

/* ---- one job, done by the module and by OpenSSL -------------------------- */

/* Allocate @misalign + @size bytes, and return the address of the latter. */
static u8 *memory(unsigned int size, unsigned int misalign)
{
	void *p;

	if (posix_memalign(&p, 32, misalign + size))
		abort();
	return (u8 *)p + misalign;
}

static void memory_free(u8 *p, unsigned int misalign)
{
	free(p - misalign);
}

/* The place of each buffer: bytes after a multiple of 32. */
struct place {
	unsigned int src, dst, ivs, key;
	bool in_place;		/* dst is src */
};

static struct place any_place(bool in_place)
{
	return (struct place) {
		.src = any_of(0, 31), .dst = any_of(0, 31), .ivs = any_of(0, 31),
		.key = any_of(0, 7) * _Alignof(struct xc_xts_key),
		.in_place = in_place,
	};
}

static void compare(unsigned int key_size, unsigned int sector_size,
		    unsigned int sectors, bool encrypt, struct place at)
{
	unsigned int size = sectors * sector_size;
	unsigned int dst_size = GUARD + size + GUARD;
	struct xc_xts_key *key = (void *)memory(sizeof(*key), at.key);
	u8 *src = memory(size, at.src), *src_before = malloc(size);
	u8 *dst = memory(dst_size, at.dst), *dst_right = malloc(dst_size);
	u8 *ivs = memory(sectors * XC_XTS_BLOCK, at.ivs);
	struct xts_job job = {
		.key_size = key_size, .src = src, .sector_size = sector_size,
		.sectors = sectors, .segment = any_of(0, sectors), .ivs = ivs,
		.encrypt = encrypt,
	};
	struct xc_xts_segment segments[MAX_SECTORS + 1];
	struct xc_xts_key key_before;
	u8 bytes[64];

	fill(bytes, key_size);
	fill(src, size);
	fill(ivs, sectors * XC_XTS_BLOCK);
	memset(dst, UNTOUCHED, dst_size);
	memset(dst_right, UNTOUCHED, dst_size);
	memset(key, UNTOUCHED, sizeof(*key));
	job.key = bytes;
	xts_openssl(dst_right + GUARD, &job);

	impl->set_key(key, bytes, key_size);
	memcpy(&key_before, key, sizeof(key_before));
	memcpy(src_before, src, size);
	if (at.in_place) {
		memcpy(dst + GUARD, src, size);
		job.src = dst + GUARD;
	}
	impl->crypt(key, segments, xts_segments(segments, dst + GUARD, &job),
		    sector_size, ivs, encrypt);

	check(!memcmp(dst + GUARD, dst_right + GUARD, size),
	      "%s %u sectors of %u bytes, segments of %u, key of %u: wrong (src +%u, dst +%u%s)",
	      encrypt ? "encrypt" : "decrypt", sectors, sector_size,
	      job.segment, key_size, at.src, at.dst,
	      at.in_place ? ", in place" : "");
	memcpy(dst + GUARD, dst_right + GUARD, size);
	check(!memcmp(dst, dst_right, dst_size),
	      "%u sectors of %u bytes: wrote outside of dst", sectors,
	      sector_size);
	check(!memcmp(src, src_before, size) &&
	      !memcmp(key, &key_before, sizeof(key_before)),
	      "%u sectors of %u bytes: wrote to src or the key", sectors,
	      sector_size);

	free(src_before);
	free(dst_right);
	memory_free(ivs, at.ivs);
	memory_free(dst, at.dst);
	memory_free(src, at.src);
	memory_free((void *)key, at.key);
}

/* ---- groups of tests ----------------------------------------------------- */

static const unsigned int key_sizes[] = { 32, 48, 64 };

/* Any number of sectors, with device mapper's sector sizes. */
static void group_counts(void)
{
	unsigned int sectors, size, i, how;

	for (sectors = 0; sectors <= MAX_SECTORS; sectors++)
		for (size = 512; size <= 4096; size *= 2)
			for (i = 0; i < ARRAY_SIZE(key_sizes); i++)
				for (how = 0; how < 4; how++)
					compare(key_sizes[i], size, sectors,
						how & 1, any_place(how & 2));
}

/* All alignments of source and destination. */
static void group_alignments(void)
{
	unsigned int src, dst, how;

	for (src = 0; src < 32; src++)
		for (dst = 0; dst < 32; dst++)
			for (how = 0; how < 4; how++) {
				struct place at = any_place(how & 2);

				at.src = src;
				at.dst = dst;
				compare(key_sizes[any_of(0, 2)], 512, 9,
					how & 1, at);
			}
}

/* All allowed sizes of a data unit. */
static void group_sizes(void)
{
	unsigned int size, i, how;

	for (size = 512; size <= 4096; size += XC_XTS_BLOCK)
		for (i = 0; i < ARRAY_SIZE(key_sizes); i++)
			for (how = 0; how < 4; how++)
				compare(key_sizes[i], size, any_of(1, 10),
					how & 1, any_place(how & 2));
}

/* Decode @hex to at most @max bytes at @p; returns their number. */
static unsigned int unhex(u8 *p, unsigned int max, const char *hex)
{
	unsigned int size = strlen(hex) / 2, i;

	if (size > max)
		abort();
	for (i = 0; i < size; i++)
		p[i] = strtoul((char[]) { hex[2 * i], hex[2 * i + 1], 0 },
			       NULL, 16);
	return size;
}

static void vector(const char *name, const char *key, const char *iv,
		   const char *plain, const char *raw)
{
	u8 bytes[64], ivs[XC_XTS_BLOCK] = {}, text[4096], right[4096], out[4096];
	unsigned int size = unhex(text, sizeof(text), plain), i;
	struct xts_job job = {
		.key = bytes, .key_size = unhex(bytes, sizeof(bytes), key),
		.src = text, .sector_size = size, .sectors = 1, .ivs = ivs,
		.encrypt = true,
	};
	u64 number;

	check(unhex(right, sizeof(right), raw) == size, "%s: two sizes", name);
	if (strlen(iv) == 2 * XC_XTS_BLOCK) {
		unhex(ivs, sizeof(ivs), iv);
	} else {
		number = strtoull(iv, NULL, 10);
		for (i = 0; i < 8; i++)
			ivs[i] = number >> 8 * i;
	}

	xts_module(impl, out, &job);
	check(!memcmp(out, right, size), "%s: encrypted wrongly", name);
	job.src = right;
	job.encrypt = false;
	xts_module(impl, out, &job);
	check(!memcmp(out, text, size), "%s: decrypted wrongly", name);
	printf("%s\n", name);
}

static void group_vectors(void)
{
	char *line = NULL, *rest, *word[5];
	size_t size = 0;
	int i;

	while (getline(&line, &size, stdin) > 0) {
		rest = line;
		line[strcspn(line, "\n")] = '\0';
		for (i = 0; i < 5; i++) {
			word[i] = strsep(&rest, "\t");
			if (!word[i])
				abort();
		}
		vector(word[0], word[1], word[2], word[3], word[4]);
	}
	free(line);
}

/* ---- traces on the stack and in registers -------------------------------- */

#define ALL_REGISTERS	16

static _Alignas(64) u8 stack[1 << 16];
static u8 registers[ALL_REGISTERS][32];
static ucontext_t outside, inside;

static struct xc_xts_key left_key;
static struct xts_job left_job;
static u8 left_dst[9 * 1024];
static struct xc_xts_segment left_segments[10];
static unsigned int left_count;

/* The vector registers after the call. */
#define SAVE(n) \
	"vmovdqu %%ymm" #n ", 32*" #n "(%0)\n"
static __always_inline void save_registers(void)
{
	asm volatile(SAVE(0) SAVE(1) SAVE(2) SAVE(3) SAVE(4) SAVE(5) SAVE(6)
		     SAVE(7) SAVE(8) SAVE(9) SAVE(10) SAVE(11) SAVE(12)
		     SAVE(13) SAVE(14) SAVE(15)
		     : : "r" (registers) : "memory");
}

static void call_set_key(void)
{
	impl->set_key(&left_key, left_job.key, left_job.key_size);
}

static void call_crypt(void)
{
	impl->crypt(&left_key, left_segments, left_count, left_job.sector_size,
		    left_job.ivs, left_job.encrypt);
}

/* Leaves known traces, to check the search. */
static void call_careless(void)
{
	u8 copy[8];

	memcpy(copy, left_key.tweak[3], sizeof(copy));
	asm volatile("" : : "r" (copy) : "memory");
	asm volatile("vmovdqu (%0), %%xmm7" : : "r" (left_key.decrypt[2]));
}

static void (*to_call)(void);

/* Deep enough that code after the call does not overwrite its stack. */
static void call_deep(void)
{
	u8 frame[4096];

	asm volatile("" : : "r" (frame) : "memory");
	to_call();
	save_registers();
}

/* Call a function on a separate stack. */
static void call_apart(void (*function)(void))
{
	memset(stack, UNTOUCHED, sizeof(stack));
	memset(registers, UNTOUCHED, sizeof(registers));
	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = sizeof(stack);
	inside.uc_link = &outside;
	to_call = function;
	makecontext(&inside, call_deep, 0);
	swapcontext(&outside, &inside);
	asm volatile("vzeroall" : : : "memory");
}

/* Is either half of a secret @block on the stack? */
static bool on_stack(const u8 *block)
{
	return memmem(stack, sizeof(stack), block, 8) ||
	       memmem(stack, sizeof(stack), block + 8, 8);
}

/* The number of round keys and pieces of the key on the stack. */
static unsigned int keys_on_stack(void)
{
	unsigned int i, found = 0;

	for (i = 0; i <= left_key.rounds; i++)
		found += on_stack(left_key.encrypt[i]) +
			 on_stack(left_key.decrypt[i]) +
			 on_stack(left_key.tweak[i]);
	for (i = 0; i < left_job.key_size; i += 8)
		found += on_stack(left_job.key + i - i % 16);
	return found;
}

/* The number of tweaks on the stack, of all blocks. */
static unsigned int tweaks_on_stack(void)
{
	unsigned int sector, i, found = 0;
	u8 tweak[XC_XTS_BLOCK];

	for (sector = 0; sector < left_job.sectors; sector++) {
		xts_openssl_tweak(tweak, &left_job, sector);
		for (i = 0; i < left_job.sector_size; i += XC_XTS_BLOCK) {
			found += on_stack(tweak);
			xts_next_tweak(tweak);
		}
	}
	return found;
}

/* The number of registers that are not zero. */
static unsigned int registers_used(void)
{
	static const u8 zero[32];
	unsigned int i, used = 0;

	for (i = 0; i < ALL_REGISTERS; i++)
		used += !!memcmp(registers[i], zero, sizeof(zero));
	return used;
}

static void check_left(const char *what)
{
	check(!keys_on_stack(), "%s, key of %u: leaves keys on the stack",
	      what, left_job.key_size);
	check(!tweaks_on_stack(), "%s, key of %u: leaves tweaks on the stack",
	      what, left_job.key_size);
	check(!registers_used(), "%s, key of %u: leaves vector registers",
	      what, left_job.key_size);
}

/* No keys and tweaks are left on the stack or in registers. */
static void group_left(void)
{
	static u8 bytes[64], src[sizeof(left_dst)], ivs[9 * XC_XTS_BLOCK];
	unsigned int i;

	fill(bytes, sizeof(bytes));
	fill(src, sizeof(src));
	fill(ivs, sizeof(ivs));
	for (i = 0; i < ARRAY_SIZE(key_sizes); i++) {
		left_job = (struct xts_job) {
			.key = bytes, .key_size = key_sizes[i], .src = src,
			.sectors = 9, .segment = 4, .ivs = ivs,
		};
		call_apart(call_set_key);
		check_left("set_key");

		/* the second size is not a multiple of a stride */
		for (left_job.sector_size = 512; left_job.sector_size <= 1008;
		     left_job.sector_size += 496) {
			left_count = xts_segments(left_segments, left_dst,
						  &left_job);
			left_job.encrypt = true;
			call_apart(call_crypt);
			check_left("encrypt");
			left_job.encrypt = false;
			call_apart(call_crypt);
			check_left("decrypt");
		}

		call_apart(call_careless);
		check(keys_on_stack() == 1, "a key on the stack is not found");
		check(registers_used(), "a register in use is not found");
	}
}

/* ---- */

static const struct {
	const char *name;
	void (*run)(void);
} groups[] = {
	{ "vectors", group_vectors },
	{ "counts", group_counts },
	{ "alignments", group_alignments },
	{ "sizes", group_sizes },
	{ "left-behind", group_left },
};

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc < 3)
		return 2;
	impl = xts_impl(argv[1]);
	if (!impl)
		return 2;
	if (!strcmp(argv[2], "missing")) {
		puts(xts_missing(impl) ?: "");
		return 0;
	}

	seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	if (!seed)
		seed = time(NULL);
	printf("seed %llu\n", seed);
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		if (strcmp(argv[2], groups[i].name))
			continue;
		groups[i].run();
		return checks_result(argv[2]);
	}
	return 2;
}

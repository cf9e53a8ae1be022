// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fuzzer (libFuzzer) of volume/status.c: the input is a volume's counters and
 * the size of the buffer.  It aborts if the status is not the documented words
 * with the sums over all CPUs, if the histograms do not have the added values,
 * or if the output in a small buffer is not the beginning of the whole output.
 */
#include <stdlib.h>

#include "cipher/cipher.h"
#include "cipher/engine.h"
#include "io/phase.h"
#include "stats/histogram.h"
#include "stats/stats.h"
#include "volume/status.h"
#include "volume/volume.h"

#undef sscanf	/* use the C library's to read the output */

/* The entry point of libFuzzer. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define ENOUGH (1 << 16)

/* The input, then zeros. */
struct input {
	const u8 *data;
	size_t left;
};

static u64 next(struct input *in, size_t bytes)
{
	u64 value = 0;

	if (bytes > in->left)
		bytes = in->left;
	memcpy(&value, in->data, bytes);
	in->data += bytes;
	in->left -= bytes;
	return value;
}

static void demand(bool good, const char *what, const char *text)
{
	if (good)
		return;
	fprintf(stderr, "%s: \"%s\"\n", what, text);
	abort();
}

typedef void print_fn(const struct xc_volume *vol, char *result,
		      unsigned int maxlen);

/* Print to a buffer of exactly that size. */
static char *print(print_fn *fn, const struct xc_volume *vol, unsigned int room)
{
	char *text = malloc(room);

	text[0] = '\0';
	fn(vol, text, room);
	return text;
}

/* Truncated output is the beginning of the whole, and fills the buffer. */
static void try_room(print_fn *fn, const struct xc_volume *vol,
		     const char *whole, unsigned int room)
{
	char *text = print(fn, vol, room);

	demand(strlen(text) == min(strlen(whole), (size_t)room - 1) &&
	       !strncmp(text, whole, room - 1), "cut off otherwise", text);
	free(text);
}

static void try_rooms(print_fn *fn, const struct xc_volume *vol,
		      const char *whole, unsigned int any)
{
	size_t len = strlen(whole);

	try_room(fn, vol, whole, 1);
	try_room(fn, vol, whole, 1 + any % (len + 1));
	try_room(fn, vol, whole, len + 1);
	try_room(fn, vol, whole, len + 2);
}

/* ---- the status ---------------------------------------------------------- */

static void try_status(struct xc_volume *vol, struct input *in)
{
	static const char *const offloads[] = {
		"auto", "auto", "inline", "spread",
	};
	static const char *const names[] = { "api", "batch" };
	static const struct xc_engine engines[] = {
		{ .choice = XC_ENGINE_API }, { .choice = XC_ENGINE_BATCH },
	};
	unsigned int engine;
	u64 bios[2] = {}, sectors[2] = {}, spread = 0, helped = 0;
	u64 errors = 0, mismatches = 0, all;
	char *text, *right, *more;
	struct xc_stats *one;
	unsigned int cpu, i;

	vol->dev.opt.offload = next(in, 1) % ARRAY_SIZE(offloads);
	vol->dev.opt.flags = next(in, 1);
	engine = next(in, 1) % ARRAY_SIZE(engines);
	vol->dev.cipher->engine = &engines[engine];
	vol->dev.cipher->key_valid = next(in, 1) & 1;
	for (cpu = 0; cpu < KERNEL_CPUS; cpu++) {
		one = per_cpu_ptr(vol->dev.stats, cpu);
		for (i = 0; i < 2; i++) {
			bios[i] += one->bios[i] = next(in, 4);
			sectors[i] += one->sectors[i] = next(in, 8);
		}
		spread += one->spread = next(in, 4);
		helped += one->helped = next(in, 4);
		errors += one->errors = next(in, 8);
		mismatches += one->mismatches = next(in, 8);
	}

	all = bios[READ] + bios[WRITE];
	if (asprintf(&more, " mismatches:%llu", mismatches) < 0 ||
	    asprintf(&right,
		     "engine:%s offload:%s key:%s read:%llu/%llu write:%llu/%llu inline:%llu spread:%llu helped:%llu errors:%llu%s",
		     names[engine], offloads[vol->dev.opt.offload],
		     vol->dev.cipher->key_valid ? "valid" : "wiped", bios[READ],
		     sectors[READ], bios[WRITE], sectors[WRITE],
		     spread < all ? all - spread : 0, spread, helped, errors,
		     vol->dev.opt.flags >> XC_VERIFY_WRITES & 1 ? more : "") < 0)
		abort();
	text = print(xc_status_print, vol, ENOUGH);
	demand(!strcmp(text, right), "wrong status", text);
	try_rooms(xc_status_print, vol, text, next(in, 2));
	free(more);
	free(right);
	free(text);
}

/* ---- the histograms ------------------------------------------------------ */

/* The values added to one histogram. */
struct history {
	u64 count;
	u64 sum;
};

/* "<n> <sum> <start>:<count>..." to the end of the line; returns the rest. */
static const char *try_histogram(const char *line, const struct history *right)
{
	u64 n, sum, start, count, last = 0, counted = 0, least = 0;
	bool first = true;
	int used;

	demand(sscanf(line, "%llu %llu%n", &n, &sum, &used) == 2 &&
	       n == right->count && sum == right->sum, "wrong sums", line);
	line += used;
	while (*line == ' ') {
		demand(sscanf(line, " %llu:%llu%n", &start, &count, &used) == 2 &&
		       count && (first || start > last), "wrong bucket", line);
		line += used;
		counted += count;
		least += count * start;
		last = start;
		first = false;
	}
	demand(*line == '\n' && counted == n && least <= sum,
	       "buckets that do not add up", line);
	return line + 1;
}

static void try_times(struct xc_volume *vol, struct input *in)
{
	static const char *const heads[2][XC_PHASES] = {
		{ "read wait ", "read cipher ", "read device " },
		{ "write wait ", "write cipher ", "write device " },
	};
	struct history right[2][XC_PHASES] = {};
	unsigned int dir, phase, any = next(in, 2);
	const char *at;
	char *text;
	u64 ns;

	while (in->left) {
		kernel_cpu = next(in, 1);
		dir = kernel_cpu / KERNEL_CPUS % 2;
		phase = kernel_cpu / KERNEL_CPUS / 2 % XC_PHASES;
		kernel_cpu %= KERNEL_CPUS;
		/* at most 2^50 ns, 13 days, so that the sum does not wrap */
		ns = next(in, 8) >> 14;
		demand(xc_bucket_start(xc_bucket(ns)) <= ns &&
		       (xc_bucket(ns) == XC_BUCKETS - 1 ||
			ns < xc_bucket_start(xc_bucket(ns) + 1)),
		       "wrong bucket", "");
		xc_histogram_add(&vol->dev.times->phases[dir][phase], ns);
		right[dir][phase].count++;
		right[dir][phase].sum += ns;
	}

	text = print(xc_times_print, vol, ENOUGH);
	at = text;
	demand(!strncmp(at, "sampled:32\n", 11), "wrong head", at);
	at += 11;
	for (dir = 0; dir < 2; dir++)
		for (phase = 0; phase < XC_PHASES; phase++) {
			size_t len = strlen(heads[dir][phase]);

			demand(!strncmp(at, heads[dir][phase], len),
			       "wrong line", at);
			at = try_histogram(at + len, &right[dir][phase]);
		}
	demand(!*at, "surplus", at);
	try_rooms(xc_times_print, vol, text, any);
	free(text);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { .data = data, .left = size };
	struct xc_cipher cipher = {};
	struct xc_volume vol = {
		.dev = {
			.cipher = &cipher,
			.stats = calloc(KERNEL_CPUS, PERCPU_SIZE),
			.times = calloc(KERNEL_CPUS, PERCPU_SIZE),
		},
	};

	_Static_assert(sizeof(*vol.dev.times) <= PERCPU_SIZE, "PERCPU_SIZE");
	try_status(&vol, &in);
	try_times(&vol, &in);
	free(vol.dev.stats);
	free(vol.dev.times);
	return 0;
}

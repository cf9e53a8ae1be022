// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: crash SEED IMAGES SHARE any|checksum|journal
 *
 * Crashes conversions of the seeds SEED, SEED + 1 ..., of this resilience, at one
 * point in SHARE of each, until there were IMAGES distinct images, and prints how
 * many.  Exits
 * with 1 at the first finding; with XC_CRASH_LOG in the environment, the
 * module's messages are printed too.
 */
#include <stdarg.h>
#include <unistd.h>

#include "crash.h"
#include "random.h"
#include "sched.h"

void kernel_log(const char *format, ...)
{
	va_list args;

	if (!getenv("XC_CRASH_LOG"))
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

void fail(const char *format, ...)
{
	va_list args;

	printf("FAILED: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n    ");
	crash_print_path(stdout);
	fflush(stdout);
	_exit(1);
}

void get_random_bytes(void *p, size_t size)
{
	u8 *bytes = p;

	while (size--)
		*bytes++ = random_next(&sched_random);
}

static enum xc_resilience_choice parse_resilience(const char *word)
{
	if (!strcmp(word, "checksum"))
		return XC_RESILIENCE_CHECKSUM;
	return strcmp(word, "journal") ? XC_RESILIENCE_DEFAULT :
					 XC_RESILIENCE_JOURNAL;
}

int main(int argc, char **argv)
{
	const struct crash_counts *counts = &crash_counts;
	u64 seed, first, wanted;

	if (argc != 5) {
		fprintf(stderr, "Usage: crash SEED IMAGES SHARE any|checksum|journal\n");
		return 2;
	}
	first = strtoull(argv[1], NULL, 10);
	wanted = strtoull(argv[2], NULL, 10);
	for (seed = first; counts->images < wanted; seed++)
		crash_explore(seed, strtoul(argv[3], NULL, 10),
			      parse_resilience(argv[4]));
	printf("seeds %llu to %llu: %llu distinct images, %llu of them with an active batch; ",
	       first, seed - 1, counts->images, counts->active);
	printf("%llu power cuts, %llu restarts, %llu damaged states\n",
	       counts->cuts, counts->restarts, counts->damaged);
	return 0;
}

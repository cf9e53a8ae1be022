// SPDX-License-Identifier: GPL-2.0-only
/*
 * swap-load MIB SECONDS SEED: use more anonymous memory than the machine has,
 * and verify its content
 *
 * Two processes, each with half of it, write a pattern into every page, then
 * check and rewrite random pages for that time. Prints the number of checked
 * pages.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE	4096
#define WORDS	(PAGE / sizeof(uint64_t))

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static void fill(uint64_t *page, uint64_t key)
{
	for (size_t i = 0; i < WORDS; i++)
		page[i] = mix(key + i);
}

static void check(const uint64_t *page, uint64_t key, size_t nr)
{
	for (size_t i = 0; i < WORDS; i++)
		if (page[i] != mix(key + i))
			errx(3, "page %zu, word %zu is %016jx, not %016jx", nr, i,
			     (uintmax_t)page[i], (uintmax_t)mix(key + i));
}

static void load(size_t pages, time_t end, uint64_t seed)
{
	uint32_t *version = calloc(pages, sizeof(*version));
	uint64_t *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t checked = 0, turn = seed;

	if (!version || memory == MAP_FAILED)
		err(1, "memory");
	for (size_t i = 0; i < pages; i++)
		fill(memory + i * WORDS, mix(seed + i));
	while (time(NULL) < end) {
		size_t i = mix(turn++) % pages;
		uint64_t *page = memory + i * WORDS;

		check(page, mix(seed + i + ((uint64_t)version[i] << 32)), i);
		version[i]++;
		fill(page, mix(seed + i + ((uint64_t)version[i] << 32)));
		checked++;
	}
	printf("%ju pages checked at random\n", (uintmax_t)checked);
	for (size_t i = 0; i < pages; i++)
		check(memory + i * WORDS,
		      mix(seed + i + ((uint64_t)version[i] << 32)), i);
}

int main(int argc, char **argv)
{
	size_t pages;
	time_t end;
	int status, failed = 0;

	if (argc != 4)
		errx(2, "usage: swap-load MIB SECONDS SEED");
	pages = strtoul(argv[1], NULL, 0) * 256 / 2;
	end = time(NULL) + strtoul(argv[2], NULL, 0);
	for (int i = 0; i < 2; i++) {
		if (!fork()) {
			load(pages, end, strtoull(argv[3], NULL, 0) + i);
			return 0;
		}
	}
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 3 : 0;
}

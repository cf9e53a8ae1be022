// SPDX-License-Identifier: GPL-2.0-only
/*
 * served DEVICE FILE [SEED]: does DEVICE, where it serves, read as FILE, which is as long?
 * Reads it in blocks of 4096 bytes, past the page cache.  With SEED, it writes each block
 * anew instead; what is written is noted in FILE.  A block may fail with EIO, which must
 * leave it as it was.
 *
 * Prints how many blocks are served and how many failed, and the first sector of the
 * first and the last of these, or "- -".  Exits with 1 on a wrong byte or another error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 4096

static void fail(const char *what, off_t at)
{
	fprintf(stderr, "sector %lld: %s: %s\n", (long long)at / 512, what,
		errno ? strerror(errno) : "wrong bytes");
	exit(1);
}

static void invent(uint64_t *block, uint64_t seed)
{
	unsigned int i;

	for (i = 0; i < BLOCK / sizeof(*block); i++) {
		seed += 0x9e3779b97f4a7c15ull;
		block[i] = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9ull;
	}
}

int main(int argc, char **argv)
{
	unsigned long seed = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	unsigned int served = 0, failed = 0;
	off_t at, size, first = 0, last = 0;
	void *block, *want;
	int device, file;
	ssize_t done;

	if (argc < 3 || posix_memalign(&block, BLOCK, BLOCK) ||
	    posix_memalign(&want, BLOCK, BLOCK))
		return 2;
	device = open(argv[1], (argc > 3 ? O_RDWR : O_RDONLY) | O_DIRECT);
	file = open(argv[2], argc > 3 ? O_RDWR : O_RDONLY);
	size = lseek(device, 0, SEEK_END);
	if (device < 0 || file < 0 || size != lseek(file, 0, SEEK_END))
		fail("device and file are not of one length", 0);

	for (at = 0; at < size; at += BLOCK) {
		errno = 0;
		if (argc > 3) {
			invent(want, seed + at);
			done = pwrite(device, want, BLOCK, at);
		} else {
			done = pread(device, block, BLOCK, at);
		}
		if (done < 0 && errno == EIO) {
			first = failed++ ? first : at;
			last = at;
			continue;
		}
		if (done != BLOCK)
			fail("a short transfer", at);
		served++;
		errno = 0;
		if (argc > 3) {
			if (pwrite(file, want, BLOCK, at) != BLOCK)
				fail(argv[2], at);
		} else if (pread(file, want, BLOCK, at) != BLOCK ||
			   memcmp(block, want, BLOCK)) {
			errno = 0;
			fail(argv[1], at);
		}
	}
	printf("%u %u ", served, failed);
	if (failed)
		printf("%lld %lld\n", (long long)first / 512, (long long)last / 512);
	else
		puts("- -");
	return 0;
}

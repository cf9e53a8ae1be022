/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * I/O for hostile.c: a read must return the bytes that were written last.
 */
#ifndef TESTS_HOSTILE_IO_H
#define TESTS_HOSTILE_IO_H

#include <stdint.h>
#include "volumes.h"

#define BLOCK		4096
#define BLOCKS		(SECTORS / (BLOCK / 512))
#define MAX_RUN		16		/* blocks of one read or write */

static int open_node(const struct volume *v)
{
	char *path = text("/dev/mapper/%s", v->name);
	int fd = open(path, O_RDWR | O_DIRECT);

	free(path);
	return fd;
}

static void fill_block(uint64_t *block, unsigned int volume,
		       unsigned int number, unsigned int generation)
{
	uint64_t x = ((uint64_t)volume << 56 | (uint64_t)generation << 24 |
		      number) * 0x9e3779b97f4a7c15ull | 1;
	unsigned int i;

	for (i = 0; i < BLOCK / sizeof(x); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		block[i] = x;
	}
}

/* Expected content of a volume: the generation of each block; 0: unknown */
static unsigned int generations[BLOCKS];
static char *io_buf;

/* True if it succeeded; an error ends the test, except on the victim */
static bool transfer(const struct volume *v, int fd, bool write,
		     unsigned int first, unsigned int blocks)
{
	ssize_t size = blocks * BLOCK, done;

	done = write ? pwrite(fd, io_buf, size, (off_t)first * BLOCK) :
		       pread(fd, io_buf, size, (off_t)first * BLOCK);
	if (done == size)
		return true;
	if (v->kind != VICTIM)
		fail("%s: %s of %u blocks at %u: %s", v->name,
		     write ? "write" : "read", blocks, first,
		     done < 0 ? strerror(errno) : "short");
	count(&shared->volume[v - volumes].errors);
	return false;
}

static bool write_blocks(const struct volume *v, int fd, unsigned int first,
			 unsigned int blocks)
{
	static unsigned int generation;
	unsigned int i;
	bool good;

	generation++;
	for (i = 0; i < blocks; i++)
		fill_block((void *)(io_buf + i * BLOCK), v - volumes, first + i,
			   generation);
	good = transfer(v, fd, true, first, blocks);
	for (i = 0; i < blocks; i++)
		generations[first + i] = good ? generation : 0;
	if (good)
		count(&shared->volume[v - volumes].writes);
	return good;
}

static bool read_blocks(const struct volume *v, int fd, unsigned int first,
			unsigned int blocks)
{
	static uint64_t right[BLOCK / 8];
	unsigned int i;

	if (!transfer(v, fd, false, first, blocks))
		return false;
	for (i = 0; i < blocks; i++) {
		if (!generations[first + i])
			continue;
		fill_block(right, v - volumes, first + i, generations[first + i]);
		if (memcmp(io_buf + i * BLOCK, right, BLOCK))
			fail("%s: wrong data in block %u", v->name, first + i);
	}
	count(&shared->volume[v - volumes].reads);
	return true;
}

static bool touch(const struct volume *v, int fd)
{
	unsigned int first = throw(BLOCKS), blocks = 1 + throw(MAX_RUN);

	if (blocks > BLOCKS - first)
		blocks = BLOCKS - first;
	return percent(50) ? write_blocks(v, fd, first, blocks) :
			     read_blocks(v, fd, first, blocks);
}

/* Opens the victim, which may be gone, repeatedly; keeps others open */
static void verifier(unsigned int number)
{
	const struct volume *v = &volumes[number];
	unsigned int i;
	int fd;

	while (!stopped()) {
		fd = open_node(v);
		if (fd < 0) {
			if (v->kind != VICTIM)
				fail("%s: %s", v->name, strerror(errno));
			usleep(1000);
			continue;
		}
		if (v->kind != VICTIM)
			for (i = 0; i < BLOCKS; i += MAX_RUN)
				write_blocks(v, fd, i, MAX_RUN);
		for (i = 0; !stopped() && (i < 40 || v->kind != VICTIM); i++) {
			if (!touch(v, fd))
				break;
			usleep(throw(3000));	/* let the others run */
		}
		close(fd);
	}
}

#endif

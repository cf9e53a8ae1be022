// SPDX-License-Identifier: GPL-2.0-only
/*
 * flushed write DEVICE FILE SEED: write sectors at random, and flush now and then, until
 * a write fails; FILE gets what each sector may hold then.
 * flushed check DEVICE FILE: check that each sector holds the last version that was
 * flushed, or a later one.
 *
 * FILE may be one of an earlier run, after which the device was checked; a sector that
 * was never written may hold anything.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <unistd.h>

#define SECTOR		512
#define MAX_SECTORS	64
/* A flush after one write in this many. */
#define FLUSH_EVERY	8

/* Versions of a sector: the last that was flushed, completed, begun. */
struct sector {
	uint32_t flushed, completed, begun;
};

static struct sector *sectors;
static uint64_t count, seed;
static uint64_t *buffer;

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static uint64_t pick(uint64_t from)
{
	seed += 0x9e3779b97f4a7c15ULL;
	return mix(seed) % from;
}

static void fill(uint64_t *data, uint64_t nr, uint32_t version)
{
	data[0] = version;
	for (unsigned int i = 1; i < SECTOR / 8; i++)
		data[i] = mix(nr << 32 | version) + i;
}

static int write_some(int fd)
{
	uint64_t len = 1 + pick(MAX_SECTORS), from = pick(count - len), i;

	for (i = 0; i < len; i++)
		fill(buffer + i * SECTOR / 8, from + i,
		     ++sectors[from + i].begun);
	if (pwrite(fd, buffer, len * SECTOR, from * SECTOR) !=
	    (ssize_t)(len * SECTOR))
		return -1;
	for (i = 0; i < len; i++)
		sectors[from + i].completed = sectors[from + i].begun;
	return 0;
}

static int flush(int fd)
{
	uint64_t i;

	if (fdatasync(fd))
		return -1;
	for (i = 0; i < count; i++)
		sectors[i].flushed = sectors[i].completed;
	return 0;
}

static void save(const char *file)
{
	FILE *f = fopen(file, "w");

	if (!f || fwrite(sectors, sizeof(*sectors), count, f) != count ||
	    fclose(f))
		err(1, "%s", file);
}

static void load(const char *file)
{
	FILE *f = fopen(file, "r");

	if (!f)
		return;
	if (fread(sectors, sizeof(*sectors), count, f) != count)
		errx(1, "%s: too short", file);
	fclose(f);
}

/* The version that a sector holds is on the disk, and counts from now on. */
static void check(uint64_t nr, const uint64_t *data)
{
	struct sector *s = &sectors[nr];
	uint64_t expected[SECTOR / 8];
	uint32_t version = data[0];

	if (s->flushed) {
		if (version < s->flushed || version > s->begun)
			errx(1, "sector %llu: version %u, not %u to %u",
			     (unsigned long long)nr, version, s->flushed,
			     s->begun);
		fill(expected, nr, version);
		if (memcmp(expected, data, SECTOR))
			errx(1, "sector %llu: damaged", (unsigned long long)nr);
		s->flushed = version;
	}
	s->completed = s->flushed;
}

static void check_all(int fd)
{
	uint64_t from, len, i;

	for (from = 0; from < count; from += len) {
		len = count - from < MAX_SECTORS ? count - from : MAX_SECTORS;
		if (pread(fd, buffer, len * SECTOR, from * SECTOR) !=
		    (ssize_t)(len * SECTOR))
			err(1, "sector %llu", (unsigned long long)from);
		for (i = 0; i < len; i++)
			check(from + i, buffer + i * SECTOR / 8);
	}
}

int main(int argc, char **argv)
{
	unsigned long writes = 0;
	uint64_t size;
	int fd;

	if (argc < 4)
		errx(2, "usage: flushed write DEVICE FILE SEED | check DEVICE FILE");
	fd = open(argv[2], O_RDWR | O_DIRECT);
	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size))
		err(1, "%s", argv[2]);
	count = size / SECTOR;
	sectors = calloc(count, sizeof(*sectors));
	if (!sectors || posix_memalign((void **)&buffer, 4096,
				       MAX_SECTORS * SECTOR))
		err(1, "memory");
	load(argv[3]);

	if (!strcmp(argv[1], "check")) {
		check_all(fd);
	} else {
		seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
		while (!write_some(fd) && (pick(FLUSH_EVERY) || !flush(fd)))
			writes++;
		printf("writes:%lu\n", writes);
	}
	save(argv[3]);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs-load FOLDER SECONDS SEED: create, extend, truncate, rename and remove
 * files at random, by the seed, and verify their data. Prints the number of
 * verified bytes; the exit status is 3 if any was wrong.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES	96
#define LONGEST	(192 << 10)	/* bytes */

/* The content of a file is a random sequence from its seed. */
static struct {
	uint64_t seed;
	size_t len;
} files[FILES];

static uint64_t turn, verified;
static uint8_t want[LONGEST + 8], buf[LONGEST];

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static uint64_t draw(uint64_t below)
{
	return mix(++turn) % below;
}

static const char *name(int nr)
{
	static char names[2][16];
	static int last;

	last = !last;
	snprintf(names[last], sizeof(names[last]), "d%d/f%d", nr % 4, nr);
	return names[last];
}

static int open_file(int nr, int flags)
{
	int fd = open(name(nr), flags, 0600);

	if (fd < 0)
		err(2, "%s", name(nr));
	return fd;
}

static void make_content(int nr)
{
	for (size_t at = 0; at < files[nr].len; at += 8) {
		uint64_t word = mix(files[nr].seed + at);

		__builtin_memcpy(want + at, &word, 8);
	}
}

static void put(int nr, size_t from, int flags)
{
	int fd = open_file(nr, O_WRONLY | O_CREAT | flags);
	ssize_t len = files[nr].len - from;

	make_content(nr);
	if (pwrite(fd, want + from, len, from) != len)
		err(2, "writing %s", name(nr));
	/* the next reads may then come from the disk */
	if (!draw(4)) {
		if (fdatasync(fd))
			err(2, "syncing %s", name(nr));
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	}
	close(fd);
}

static void check(int nr)
{
	int fd = open_file(nr, O_RDONLY);
	ssize_t len = pread(fd, buf, sizeof(buf), 0);

	if (len < 0)
		err(2, "reading %s", name(nr));
	if ((size_t)len != files[nr].len)
		errx(3, "%s has %zd bytes, not %zu", name(nr), len, files[nr].len);
	make_content(nr);
	for (ssize_t i = 0; i < len; i++)
		if (buf[i] != want[i])
			errx(3, "%s, byte %zd: %02x, not %02x", name(nr), i,
			     buf[i], want[i]);
	verified += len;
	close(fd);
}

static void step(void)
{
	int nr = draw(FILES), other = draw(FILES);
	size_t old = files[nr].len;

	if (!old || !draw(8)) {
		files[nr].seed = mix(++turn);
		files[nr].len = 1 + draw(LONGEST);
		put(nr, 0, O_TRUNC);
		return;
	}
	switch (draw(8)) {
	case 0:
		if (unlink(name(nr)))
			err(2, "removing %s", name(nr));
		files[nr].len = 0;
		break;
	case 1:
		if (nr == other)
			break;
		if (rename(name(nr), name(other)))
			err(2, "renaming %s", name(nr));
		files[other] = files[nr];
		files[nr].len = 0;
		break;
	case 2:
		files[nr].len = 1 + draw(old);
		if (truncate(name(nr), files[nr].len))
			err(2, "truncating %s", name(nr));
		break;
	case 3:
		files[nr].len += draw(LONGEST - old + 1);
		put(nr, old, 0);
		break;
	default:
		check(nr);
	}
}

int main(int argc, char **argv)
{
	time_t end;

	if (argc != 4)
		errx(2, "usage: fs-load FOLDER SECONDS SEED");
	if (chdir(argv[1]))
		err(2, "%s", argv[1]);
	for (int i = 0; i < 4; i++) {
		char dir[] = { 'd', '0' + i, '\0' };

		if (mkdir(dir, 0700))
			err(2, "%s", dir);
	}
	turn = mix(strtoull(argv[3], NULL, 0));
	end = time(NULL) + strtoul(argv[2], NULL, 0);
	while (time(NULL) < end)
		step();
	sync();
	for (int nr = 0; nr < FILES; nr++)
		if (files[nr].len)
			check(nr);
	printf("%ju\n", (uintmax_t)verified);
	return 0;
}

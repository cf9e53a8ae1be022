// SPDX-License-Identifier: GPL-2.0
/*
 * old-or-new DEVICE UNIT OLD NEW: print a letter for each unit of the device,
 * as far as the files OLD and NEW go: o if it is equal to OLD, n to NEW, x to
 * neither, e if it cannot be read. Reads unit by unit, bypassing the page
 * cache.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd < 0)
		err(2, "%s", path);
	return fd;
}

int main(int argc, char **argv)
{
	int device, old, new, unit;
	char *buf, *a, *b;

	if (argc != 5)
		errx(2, "usage: old-or-new DEVICE UNIT OLD NEW");
	device = open_or_die(argv[1], O_RDONLY | O_DIRECT);
	unit = atoi(argv[2]);
	old = open_or_die(argv[3], O_RDONLY);
	new = open_or_die(argv[4], O_RDONLY);
	a = malloc(unit);
	b = malloc(unit);
	if (!a || !b || posix_memalign((void **)&buf, 4096, unit))
		err(2, "memory");

	for (off_t at = 0; read(old, a, unit) == unit; at += unit) {
		if (read(new, b, unit) != unit)
			errx(2, "%s is shorter than %s", argv[4], argv[3]);
		if (pread(device, buf, unit, at) != unit)
			putchar('e');
		else if (!memcmp(buf, a, unit))
			putchar('o');
		else
			putchar(memcmp(buf, b, unit) ? 'x' : 'n');
	}
	putchar('\n');
	return 0;
}

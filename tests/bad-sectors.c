// SPDX-License-Identifier: GPL-2.0
/*
 * bad-sectors DEVICE UNIT: read it unit by unit, bypassing the page cache, and
 * print the 512-byte sector and the error of each unit that cannot be read.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long long at, end;
	void *buf;
	int fd, unit;

	if (argc != 3)
		return 2;
	unit = atoi(argv[2]);
	fd = open(argv[1], O_RDONLY | O_DIRECT);
	if (fd < 0 || posix_memalign(&buf, 4096, unit)) {
		perror(argv[1]);
		return 2;
	}
	end = lseek(fd, 0, SEEK_END);
	for (at = 0; at < end; at += unit)
		if (pread(fd, buf, unit, at) != unit)
			printf("%lld %s\n", at / 512, strerrorname_np(errno));
	return 0;
}

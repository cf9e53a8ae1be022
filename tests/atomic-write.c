// SPDX-License-Identifier: GPL-2.0
/*
 * atomic-write FILE OFFSET BYTES [SHIFT [COUNT]] <DATA: read BYTES from
 * standard input and write them in one atomic write, COUNT times, bypassing
 * the page cache.  The buffer begins SHIFT bytes into a page.  Print
 * "written", or the first error or short write.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_ATOMIC
#define RWF_ATOMIC 0x40
#endif

int main(int argc, char **argv)
{
	struct iovec iov;
	long long at, shift, count;
	ssize_t done;
	void *memory;
	int fd;

	if (argc < 4)
		return 2;
	at = atoll(argv[2]);
	iov.iov_len = atoll(argv[3]);
	shift = argc > 4 ? atoll(argv[4]) : 0;
	count = argc > 5 ? atoll(argv[5]) : 1;

	fd = open(argv[1], O_WRONLY | O_DIRECT);
	if (fd < 0 || posix_memalign(&memory, 4096, iov.iov_len + shift)) {
		perror(argv[1]);
		return 2;
	}
	iov.iov_base = (char *)memory + shift;
	if (fread(iov.iov_base, 1, iov.iov_len, stdin) != iov.iov_len) {
		fprintf(stderr, "standard input is too short\n");
		return 2;
	}
	while (count--) {
		done = pwritev2(fd, &iov, 1, at, RWF_ATOMIC);
		if (done < 0) {
			puts(strerrorname_np(errno));
			return 0;
		}
		if (done != (ssize_t)iov.iov_len) {
			printf("%zd bytes\n", done);
			return 0;
		}
	}
	puts("written");
	return 0;
}

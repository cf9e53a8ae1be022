// SPDX-License-Identifier: GPL-2.0-only
/*
 * log-writes - reads the log of the device-mapper target log-writes
 *
 *   log-writes list LOG             print one entry per line: number, sector,
 *                                   sectors, flags, and a mark's text
 *   log-writes replay LOG N DEVICE  write the first N entries to DEVICE
 *   log-writes find LOG TEXT        count the data sectors that contain TEXT
 *
 * The format: linux/drivers/md/dm-log-writes.c. A superblock in sector 0; each
 * entry is one sector, followed by the data it wrote, if any.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC	0x6a736677736872ULL

enum { FLUSH = 1, FUA = 2, DISCARD = 4, MARK = 8, METADATA = 16 };

struct super {
	uint64_t magic, version, nr_entries;
	uint32_t sectorsize;
};

struct entry {
	uint64_t sector, nr_sectors, flags, data_len;
};

static void get(int fd, void *buf, size_t len, off_t at)
{
	if (pread(fd, buf, len, at) != (ssize_t)len)
		err(1, "reading the log at %jd", (intmax_t)at);
}

static void list(unsigned int i, const struct entry *e, const char *text)
{
	printf("%u %" PRIu64 " %" PRIu64 " %s%s%s%s%s%s", i, e->sector,
	       e->nr_sectors, e->flags ? "" : "-",
	       e->flags & FLUSH ? "FLUSH," : "", e->flags & FUA ? "FUA," : "",
	       e->flags & DISCARD ? "DISCARD," : "",
	       e->flags & MARK ? "MARK," : "",
	       e->flags & METADATA ? "METADATA," : "");
	if (e->flags & MARK)
		printf(" %s", text);
	putchar('\n');
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";
	uint64_t i, last = UINT64_MAX, found = 0;
	int log, out = -1;
	struct super super;
	off_t at;

	if (!strcmp(verb, "replay") && argc == 5) {
		last = strtoull(argv[3], NULL, 0);
		out = open(argv[4], O_WRONLY);
		if (out < 0)
			err(1, "%s", argv[4]);
	} else if (!(!strcmp(verb, "list") && argc == 3) &&
		   !(!strcmp(verb, "find") && argc == 4)) {
		errx(2, "usage: log-writes list LOG | replay LOG N DEVICE | find LOG TEXT");
	}
	log = open(argv[2], O_RDONLY);
	if (log < 0)
		err(1, "%s", argv[2]);
	get(log, &super, sizeof(super), 0);
	if (le64toh(super.magic) != MAGIC)
		errx(1, "%s is no log", argv[2]);
	super.sectorsize = le32toh(super.sectorsize);

	at = super.sectorsize;
	for (i = 0; i < le64toh(super.nr_entries) && i < last; i++) {
		char head[4096] = "";
		struct entry e;
		size_t len;
		char *data;

		get(log, head, super.sectorsize, at);
		memcpy(&e, head, sizeof(e));
		e.sector = le64toh(e.sector);
		e.nr_sectors = le64toh(e.nr_sectors);
		e.flags = le64toh(e.flags);
		at += super.sectorsize;

		if (!strcmp(verb, "list"))
			list(i, &e, head + sizeof(e));
		if (e.flags & DISCARD)
			continue;
		len = e.nr_sectors * super.sectorsize;
		data = malloc(len + 1);
		if (!data)
			errx(1, "no memory");
		get(log, data, len, at);
		at += len;
		if (out >= 0 &&
		    pwrite(out, data, len, e.sector * super.sectorsize) != (ssize_t)len)
			err(1, "%s", argv[4]);
		if (!strcmp(verb, "find"))
			for (size_t s = 0; s < len; s += super.sectorsize)
				found += !!memmem(data + s, super.sectorsize,
						  argv[3], strlen(argv[3]));
		free(data);
	}
	if (out >= 0 && fsync(out))
		err(1, "%s", argv[4]);
	if (!strcmp(verb, "find"))
		printf("%" PRIu64 "\n", found);
	return 0;
}

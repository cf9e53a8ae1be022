// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load for a volume whose devices are recorded (tests/modules/xcrypt_record.c).
 *
 * record-load fill DEVICE: write version 1 of all sectors.
 * record-load run DEVICE FILE MARKS SEED: four processes read, write, discard and flush,
 * until SIGTERM. What is read is checked. When flush number N has completed, N is written
 * to the file MARKS. FILE gets the history (record/history.h). Prints "running" at
 * the beginning, "reads:<number> writes:<number> flushes:<number>" at the end.
 * record-load check DEVICE FILE N: the power was cut when flush number N had completed.
 * Prints "sectors:<number> discarded:<number> later:<number> wrong:<number>", and fails
 * if any is wrong.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <linux/fs.h>
#include <unistd.h>

#include "record/history.h"

/* Processes share the device in turns of so many sectors; a write is not longer. */
#define STRIPE		32

static uint64_t *buffer;
static uint32_t sectors;
static int device;

static uint64_t *in_buffer(uint32_t nr)
{
	return buffer + nr * SECTOR / 8;
}

/* ---- the load ------------------------------------------------------------ */

/* What each sector of this process holds now; 0: was discarded */
static uint32_t *versions;

static void read_and_check(uint32_t from, uint32_t count)
{
	if (pread(device, buffer, count * SECTOR, (off_t)from * SECTOR) !=
	    count * SECTOR)
		err(1, "reading sector %u", from);
	for (uint32_t i = 0; i < count; i++)
		if (versions[from + i] &&
		    !is_version(in_buffer(i), from + i, versions[from + i]))
			errx(1, "sector %u: read as version %ju, or damaged, not %u",
			     from + i, (uintmax_t)*in_buffer(i),
			     versions[from + i]);
	__atomic_add_fetch(&history->reads, 1, __ATOMIC_RELAXED);
}

static void change(unsigned int p, uint32_t from, uint32_t count, bool discard,
		   int flags)
{
	uint32_t nr = history->begun[p], version = nr + 2;
	struct iovec vec = { buffer, count * SECTOR };
	uint64_t range[2] = { (uint64_t)from * SECTOR, count * SECTOR };

	if (nr == MAX_OPS)
		errx(1, "more than %u writes", MAX_OPS);
	history->ops[p][nr] = (struct op) { from, count, discard };
	__atomic_store_n(&history->begun[p], nr + 1, __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < count; i++) {
		fill(in_buffer(i), from + i, version);
		versions[from + i] = discard ? 0 : version;
	}
	if (discard ? ioctl(device, BLKDISCARD, range) :
		      pwritev2(device, &vec, 1, (off_t)from * SECTOR, flags) !=
		      count * SECTOR)
		err(1, "%s sector %u", discard ? "discarding" : "writing", from);
	__atomic_store_n(&history->done[p], nr + 1, __ATOMIC_RELEASE);
}

/* Only one process flushes, so that marks are in order. */
static void flush(int marks)
{
	uint32_t n = history->flushes + 1;
	char text[16];
	int len;

	if (n == MAX_FLUSHES)
		errx(1, "more than %u flushes", MAX_FLUSHES);
	for (unsigned int p = 0; p < PROCESSES; p++)
		history->flushed[n][p] =
			__atomic_load_n(&history->done[p], __ATOMIC_ACQUIRE);
	if (fdatasync(device))
		err(1, "flushing");
	history->flushes = n;
	len = snprintf(text, sizeof(text), "%u", n);
	if (write(marks, text, len) != len)
		err(1, "marking");
}

static void load(unsigned int p, int marks)
{
	uint32_t stripe, from, count;

	for (uint32_t i = 0; i < sectors; i++)
		versions[i] = 1;
	while (!__atomic_load_n(&history->stop, __ATOMIC_RELAXED)) {
		stripe = pick(sectors / STRIPE / PROCESSES) * PROCESSES + p;
		/* a bounded rate, on any machine */
		usleep(pick(2000));
		count = 1 + pick(pick(4) ? 8 : STRIPE);
		from = stripe * STRIPE + pick(STRIPE - count + 1);
		switch (pick(16)) {
		case 0 ... 4:
			read_and_check(from, count);
			break;
		case 5:
			/* (pages, which the underlying device can discard) */
			change(p, stripe * STRIPE + pick(STRIPE / 8) * 8, 8,
			       !pick(4), 0);
			break;
		case 6:
			change(p, from, count, false, RWF_DSYNC);
			break;
		case 7 ... 8:
			if (!p)
				flush(marks);
			break;
		default:
			change(p, from, count, false, 0);
		}
	}
}

static void stop(int signal)
{
	(void)signal;
	history->stop = true;
}

static void run(const char *file, const char *path)
{
	int marks = open(path, O_WRONLY), status, failed = 0;
	uint32_t writes = 0;
	unsigned int p;
	FILE *f;

	if (marks < 0)
		err(1, "%s", path);
	signal(SIGTERM, stop);
	puts("running");
	fflush(stdout);
	for (p = 0; p < PROCESSES; p++) {
		if (fork())
			continue;
		seed += (uint64_t)p << 32;
		load(p, marks);
		exit(0);
	}
	for (p = 0; p < PROCESSES; p++) {
		wait(&status);
		failed |= status;
		/* the others need not go on */
		history->stop |= status;
	}
	for (p = 0; p < PROCESSES; p++)
		writes += history->done[p];
	f = fopen(file, "w");
	if (!f || fwrite(history, sizeof(*history), 1, f) != 1 || fclose(f))
		err(1, "%s", file);
	printf("reads:%u writes:%u flushes:%u\n", history->reads, writes,
	       history->flushes);
	exit(!!failed);
}

/* ---- after a power cut --------------------------------------------------- */

static int check(const char *file, uint32_t flush)
{
	uint32_t wrong, later = 0, any = 0;
	size_t size = (size_t)sectors * SECTOR;

	if (pread(device, buffer, size, 0) != (ssize_t)size)
		err(1, "reading");
	load_history(file);
	wrong = check_history(buffer, sectors, flush, &later, &any);
	printf("sectors:%u discarded:%u later:%u wrong:%u\n", sectors, any,
	       later, wrong);
	return !!wrong;
}

/* ---- all ----------------------------------------------------------------- */

static void fill_all(void)
{
	size_t size = (size_t)sectors * SECTOR;

	for (uint32_t sector = 0; sector < sectors; sector++)
		fill(in_buffer(sector), sector, 1);
	if (pwrite(device, buffer, size, 0) != (ssize_t)size || fsync(device))
		err(1, "writing");
}

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(1, "memory");
	return p;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";
	uint64_t size;

	if (!(argc == 3 && !strcmp(verb, "fill")) &&
	    !(argc == 6 && !strcmp(verb, "run")) &&
	    !(argc == 5 && !strcmp(verb, "check")))
		errx(2, "see the head of record-load.c");
	device = open(argv[2], O_RDWR | O_DIRECT);
	if (device < 0 || ioctl(device, BLKGETSIZE64, &size))
		err(1, "%s", argv[2]);
	sectors = size / SECTOR;
	if (sectors % (STRIPE * PROCESSES))
		errx(1, "%s: not a good size: %u sectors", argv[2], sectors);
	history = shared(sizeof(*history));
	versions = calloc(sectors, sizeof(*versions));
	if (!versions || posix_memalign((void **)&buffer, 4096, size))
		err(1, "memory");

	if (!strcmp(verb, "fill")) {
		fill_all();
	} else if (!strcmp(verb, "run")) {
		seed = strtoull(argv[5], NULL, 10);
		run(argv[3], argv[4]);
	} else {
		return check(argv[3], strtoul(argv[4], NULL, 10));
	}
	return 0;
}

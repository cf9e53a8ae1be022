// SPDX-License-Identifier: GPL-2.0
/*
 * acked DEVICE OPERATIONS SEED [INJECTOR=PERCENT]...
 *
 * Four processes read and write a device at random, bypassing the page cache,
 * while the kernel's fault injectors (folders in debugfs) inject faults with
 * these probabilities.  Then the faults end, and everything is read again.  A
 * sector must hold the data of its last successful write, or of a later failed
 * write.  Fails if it holds anything else, or if an injector has injected
 * nothing.
 *
 * Prints "operations:N failed:N" and INJECTOR:N, the faults injected.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <linux/fs.h>
#include <unistd.h>

#define PROCESSES	4
#define SECTOR		512
#define MAX_SECTORS	1024
#define MANY		1000000

/* A sector that was never written has version 0 and any content. */
struct sector {
	uint32_t acked, last;
};

struct shared {
	unsigned int operations, failed;
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* ---- content: a sector's version, then data from its number and version -- */

static void fill(uint64_t *data, uint64_t nr, uint32_t version)
{
	data[0] = version;
	for (unsigned int i = 1; i < SECTOR / 8; i++)
		data[i] = mix(nr << 32 | version) + i;
}

static void check(const uint64_t *data, uint64_t nr, const struct sector *s)
{
	uint64_t expected[SECTOR / 8];

	if (!s->acked && !s->last)
		return;
	if (!s->acked && data[0] - 1 >= s->last)
		return;
	if (data[0] < s->acked || data[0] > s->last)
		errx(1, "sector %ju holds version %ju, not %u to %u", (uintmax_t)nr,
		     (uintmax_t)data[0], s->acked, s->last);
	fill(expected, nr, data[0]);
	if (memcmp(data, expected, SECTOR))
		errx(1, "sector %ju, version %ju, is damaged", (uintmax_t)nr,
		     (uintmax_t)data[0]);
}

/* ---- one process --------------------------------------------------------- */

static int device;
static uint64_t start, sectors;
static struct sector *state;
static char *buf;

/* Mostly short, now and then up to MAX_SECTORS */
static unsigned int any_length(void)
{
	return 1 + random() % (random() % 4 ? 32 : MAX_SECTORS);
}

static ssize_t transfer(int write, uint64_t nr, unsigned int count)
{
	off_t at = (start + nr) * SECTOR;
	ssize_t size = count * SECTOR;

	return write ? pwrite(device, buf, size, at) : pread(device, buf, size, at);
}

/* The result of the I/O: all of it, nothing, or a part from the beginning */
static unsigned int moved(ssize_t r)
{
	if (r < 0 && errno != EIO && errno != ENOMEM)
		err(1, "neither EIO nor ENOMEM");
	return r < 0 ? 0 : r / SECTOR;
}

static unsigned int do_write(uint64_t nr, unsigned int count, uint32_t version)
{
	unsigned int i, done;

	for (i = 0; i < count; i++) {
		fill((uint64_t *)(buf + i * SECTOR), start + nr + i, version);
		state[nr + i].last = version;
	}
	done = moved(transfer(1, nr, count));
	for (i = 0; i < done; i++)
		state[nr + i].acked = version;
	return done;
}

static unsigned int do_read(uint64_t nr, unsigned int count)
{
	unsigned int i, done = moved(transfer(0, nr, count));

	for (i = 0; i < done; i++)
		check((uint64_t *)(buf + i * SECTOR), start + nr + i, &state[nr + i]);
	return done;
}

static void prepare(const char *path, unsigned int process, unsigned int seed)
{
	uint64_t size;

	device = open(path, O_RDWR | O_DIRECT);
	if (device < 0 || ioctl(device, BLKGETSIZE64, &size))
		err(2, "%s", path);
	sectors = size / SECTOR / PROCESSES;
	if (sectors <= MAX_SECTORS)
		errx(2, "%s: too small", path);
	start = process * sectors;
	srandom(seed + process);
	state = calloc(sectors, sizeof(*state));
	if (!state || posix_memalign((void **)&buf, 4096, MAX_SECTORS * SECTOR))
		err(2, "memory");
	/* allocate it before anything fails */
	memset(state, 0, sectors * sizeof(*state));
	memset(buf, 0, MAX_SECTORS * SECTOR);
}

static void load(struct shared *shared, unsigned int operations)
{
	unsigned int count, done, i;
	uint64_t nr;

	for (i = 1; i <= operations; i++) {
		count = any_length();
		nr = random() % (sectors - count);
		done = random() % 2 ? do_write(nr, count, i) : do_read(nr, count);
		__atomic_add_fetch(&shared->operations, 1, __ATOMIC_RELAXED);
		if (done != count)
			__atomic_add_fetch(&shared->failed, 1, __ATOMIC_RELAXED);
	}
}

static void check_all(void)
{
	unsigned int count;

	for (uint64_t nr = 0; nr < sectors; nr += count) {
		count = sectors - nr < MAX_SECTORS ? sectors - nr : MAX_SECTORS;
		if (do_read(nr, count) != count)
			err(1, "the faults are over, and it cannot be read");
	}
}

/* ---- all together -------------------------------------------------------- */

/* Opened in advance, because opening files may fail under injected faults. */
static struct injector {
	const char *name;
	long percent;
	int probability, times;
} injectors[8];
static int count;

static int open_attribute(const char *injector, const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", injector, name);
	fd = open(path, O_RDWR);
	if (fd < 0)
		err(2, "%s", path);
	return fd;
}

static void set_attribute(int fd, long value)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%ld", value);

	while (write(fd, text, len) < 0)
		if (errno != ENOMEM)
			err(2, "attribute");
}

static long get_attribute(int fd)
{
	char text[32] = "";

	if (read(fd, text, sizeof(text) - 1) < 0)
		err(2, "attribute");
	return atol(text);
}

/* INJECTOR=PERCENT */
static void add_injector(char *word)
{
	struct injector *inj = &injectors[count++];
	char *equal = strchr(word, '=');

	if (!equal || count > 8)
		errx(2, "not an injector: %s", word);
	*equal = 0;
	inj->name = word;
	inj->percent = atol(equal + 1);
	inj->probability = open_attribute(word, "probability");
	inj->times = open_attribute(word, "times");
	set_attribute(inj->times, MANY);
	/* unchanged, but makes the kernel allocate what it needs for writes */
	set_attribute(inj->probability, 0);
}

static void begin_faults(void)
{
	for (int i = 0; i < count; i++)
		set_attribute(injectors[i].probability, injectors[i].percent);
}

static void end_faults(void)
{
	for (int i = 0; i < count; i++)
		set_attribute(injectors[i].probability, 0);
}

/* False if an injector has injected no fault */
static int report_faults(void)
{
	int all = 1;

	for (int i = 0; i < count; i++) {
		long injected = MANY - get_attribute(injectors[i].times);

		printf(" %s:%ld", injectors[i].name, injected);
		all &= injected > 0;
	}
	printf("\n");
	return all;
}

static void end_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		exit(1);
}

int main(int argc, char **argv)
{
	struct shared *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int prepared[2], begin[2], done[2], end[2], p;
	pid_t pids[PROCESSES];
	char c;

	if (argc < 4 || pipe(prepared) || pipe(begin) || pipe(done) || pipe(end))
		errx(2, "see the head of acked.c");
	for (p = 4; p < argc; p++)
		add_injector(argv[p]);

	/*
	 * A stage is over when no process holds the write end of its pipe.  A
	 * process that has exited for any reason holds none.
	 */
	for (p = 0; p < PROCESSES; p++) {
		pids[p] = fork();
		if (pids[p])
			continue;
		close(begin[1]);
		close(end[1]);
		prepare(argv[1], p, atoi(argv[3]));
		close(prepared[1]);
		if (read(begin[0], &c, 1) < 0)
			err(2, "pipe");
		load(shared, atoi(argv[2]));
		close(done[1]);
		if (read(end[0], &c, 1) < 0)
			err(2, "pipe");
		check_all();
		return 0;
	}
	close(prepared[1]);
	close(done[1]);

	if (read(prepared[0], &c, 1) < 0)
		err(2, "pipe");
	begin_faults();
	close(begin[1]);
	if (read(done[0], &c, 1) < 0)
		err(2, "pipe");
	end_faults();
	close(end[1]);
	for (p = 0; p < PROCESSES; p++)
		end_of(pids[p]);

	printf("operations:%u failed:%u", shared->operations, shared->failed);
	return !report_faults();
}

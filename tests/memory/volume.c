// SPDX-License-Identifier: GPL-2.0
/*
 * Creates and uses volumes, and keeps no copy of their keys and data: for the
 * search of a machine's memory. Keys and data are derived from XCRYPT_SEED and
 * LABEL (secrets.h).
 *
 *   volume create NAME TARGET SECTORS LABEL BYTES SOURCE PARAMETERS
 *	create a mapping with a key of BYTES, which replaces @ in PARAMETERS: as hex
 *	digits, as a logon key in a keyring that ends with this program, as =, or, if
 *	SOURCE is slip, as hex digits with an x for the last one.  A second @ is
 *	replaced by the key of LABEL.new, as a logon key or as =
 *   volume load NAME TARGET SECTORS LABEL BYTES SOURCE PARAMETERS
 *	load such a table for an existing mapping
 *   volume set NAME MESSAGE LABEL BYTES SOURCE
 *	set that key while it is suspended, by "key set" or another MESSAGE
 *   volume key LABEL BYTES
 *	write the key to standard output
 *   volume use NAME LABEL SHIFT
 *	write canaries and read them back, bypassing the page cache, in a buffer that
 *	begins SHIFT bytes after the start of a page
 *   volume spoil NAME LOWER
 *	overwrite some of those sectors on the mapping LOWER, without their tags, and
 *	fail to read them
 *   volume hold NAME LABEL
 *	begin to write canaries, wipe them here, then wait for the write
 *
 * The exit status is 1 if the kernel refuses a table, 2 for another failure.
 */
#define _GNU_SOURCE
#include <err.h>
#include <linux/aio_abi.h>
#include <linux/keyctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "../dm.h"
#include "secrets.h"

#define IO_SIZE (1 << 20)
#define STRETCH (128 << 10)
#define HELD_SIZE (64 << 10)

static const char *seed;

static void wipe(void *buf, size_t size)
{
	explicit_bzero(buf, size);
}

/*
 * Copies may also be in vector registers, by libc's string functions, and with
 * those in the kernel's memory of this task. Not zeroes: registers in their
 * initial state are not saved, and the older state would stay.
 */
static void wipe_registers(void)
{
#define FILL(n)									\
	do {									\
		if (__builtin_cpu_supports("avx2"))				\
			asm volatile("vpcmpeqd %ymm" #n ", %ymm" #n ", %ymm" #n); \
		else								\
			asm volatile("pcmpeqd %xmm" #n ", %xmm" #n);		\
	} while (0)

	FILL(0); FILL(1); FILL(2); FILL(3); FILL(4); FILL(5); FILL(6); FILL(7);
	FILL(8); FILL(9); FILL(10); FILL(11); FILL(12); FILL(13); FILL(14); FILL(15);
	usleep(10000);	/* another task runs, ours are saved */
}

/* ---- keys ---------------------------------------------------------------- */

/* The hex digits of a key; @source decides on the last one. */
static void put_hex(char *out, const char *label, unsigned int bytes,
		    const char *source)
{
	struct secret s = secret_start(seed, label, "key");

	while (bytes--) {
		uint8_t byte = secret_next(&s);

		*out++ = "0123456789abcdef"[byte >> 4];
		*out++ = "0123456789abcdef"[byte & 15];
	}
	if (!strcmp(source, "slip"))
		out[-1] = 'x';
	*out = 0;
}

static void put_key(char *out, const char *label, unsigned int bytes)
{
	struct secret s = secret_start(seed, label, "key");

	while (bytes--)
		*out++ = secret_next(&s);
}

/* The key argument of a table line or message; returns its length. */
static size_t put_argument(char *out, const char *label, unsigned int bytes,
			   const char *source)
{
	char key[4096];

	if (!strcmp(source, "same"))
		return stpcpy(out, "=") - out;
	if (strcmp(source, "logon")) {
		put_hex(out, label, bytes, source);
		return 2 * bytes;
	}
	put_key(key, label, bytes);
	sprintf(out, "xcrypt:%s", label);
	if (syscall(SYS_add_key, "logon", out, key, bytes, KEY_SPEC_PROCESS_KEYRING) < 0)
		err(2, "add_key");
	wipe(key, sizeof(key));
	return sprintf(out, ":%u:logon:xcrypt:%s", bytes, label);
}

/*
 * Begin a request that has a key in it. The kernel is not asked to overwrite
 * its copy: the target has to.
 */
static void start_secret(const char *name)
{
	struct dm_ioctl *io = dm_start(name);

	io->flags &= ~DM_SECURE_DATA_FLAG;
}

static void put_parameters(char *out, char **argv)
{
	const char *label = argv[3], *source = argv[5], *rest = argv[6], *at;
	char new_label[256];

	if (!strchr(rest, '@'))
		errx(2, "no @ in %s", rest);
	snprintf(new_label, sizeof(new_label), "%s.new", label);
	while ((at = strchr(rest, '@'))) {
		out = mempcpy(out, rest, at - rest);
		out += put_argument(out, label, atoi(argv[4]), source);
		rest = at + 1;
		label = new_label;
		if (strcmp(source, "same"))
			source = "logon";
	}
	stpcpy(out, rest);
}

static int load(char **argv)
{
	const char *name = argv[0];
	struct dm_place place;
	int r;

	start_secret(name);
	place = dm_targets();
	put_parameters(dm_params(&place), argv);
	dm_target(&place, argv[1], 0, strtoull(argv[2], NULL, 10));
	r = dm(DM_TABLE_LOAD);
	wipe(dm_buf, sizeof(dm_buf));
	if (r)
		fprintf(stderr, "%s: %s\n", name, strerror(-r));
	return !!r;
}

static int create(char **argv)
{
	const char *name = argv[0];
	int r;

	dm_start(name);
	dm_or_die(DM_DEV_CREATE, "DM_DEV_CREATE");
	r = load(argv);
	dm_start(name);
	dm_or_die(r ? DM_DEV_REMOVE : DM_DEV_SUSPEND, "after DM_TABLE_LOAD");
	return r;
}

static int set_key(char **argv)
{
	struct dm_target_msg *msg = (void *)(dm_buf + sizeof(struct dm_ioctl));
	char *p;
	int r;

	start_secret(argv[0]);
	msg->sector = 0;
	p = stpcpy(stpcpy(msg->message, argv[1]), " ");
	put_argument(p, argv[2], atoi(argv[3]), argv[4]);
	r = dm(DM_TARGET_MSG);
	wipe(dm_buf, sizeof(dm_buf));
	if (r)
		fprintf(stderr, "%s: %s\n", argv[0], strerror(-r));
	return !!r;
}

static int print_key(const char *label, unsigned int bytes)
{
	char key[4096];

	put_key(key, label, bytes);
	if (write(STDOUT_FILENO, key, bytes) != bytes)
		err(2, "writing a key");
	wipe(key, sizeof(key));
	return 0;
}

/* ---- data ---------------------------------------------------------------- */

static int open_volume(const char *name)
{
	struct dm_ioctl *io = dm_start(name);
	char path[64];
	int fd;

	dm_or_die(DM_DEV_STATUS, "DM_DEV_STATUS");
	snprintf(path, sizeof(path), "/dev/dm-%u", minor(io->dev));
	fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		err(2, "%s", path);
	return fd;
}

/* Memory that is neither swapped out nor shared with anything that stays. */
static uint8_t *get_buffer(size_t size)
{
	uint8_t *buf = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);

	if (buf == MAP_FAILED)
		err(2, "mmap");
	return buf;
}

static void put_canaries(uint8_t *buf, size_t size, const char *label)
{
	struct secret s = secret_start(seed, label, "canary");
	size_t i;

	for (i = 0; i < CANARY_SIZE; i++)
		buf[i] = secret_next(&s);
	for (; i < size; i++)
		buf[i] = buf[i - CANARY_SIZE];
}

static int are_canaries(const uint8_t *buf, size_t size, const char *label)
{
	struct secret s = secret_start(seed, label, "canary");
	size_t i;
	int same = 1;

	for (i = 0; i < CANARY_SIZE; i++)
		same &= buf[i] == secret_next(&s);
	for (; i < size; i++)
		same &= buf[i] == buf[i - CANARY_SIZE];
	return same;
}

/* In a buffer that begins @shift bytes after the start of a page. */
static int use_volume(const char *name, const char *label, unsigned int shift)
{
	uint8_t *pages = get_buffer(IO_SIZE + shift), *buf = pages + shift;
	int fd = open_volume(name), same;

	put_canaries(buf, IO_SIZE, label);
	if (pwrite(fd, buf, IO_SIZE, 0) != IO_SIZE)
		err(2, "writing");
	memset(buf, 0, IO_SIZE);
	if (pread(fd, buf, IO_SIZE, 0) != IO_SIZE)
		err(2, "reading");
	same = are_canaries(buf, IO_SIZE, label);
	wipe(buf, IO_SIZE);
	munmap(pages, IO_SIZE + shift);
	close(fd);
	if (!same)
		errx(2, "%s: not what was written", name);
	return 0;
}

/* The last sector of each stretch, so that the others are decrypted first. */
static int spoil_volume(const char *name, const char *below)
{
	int fd = open_volume(name), lower = open_volume(below);
	uint8_t *buf = get_buffer(IO_SIZE);
	off_t end;

	for (end = STRETCH; end <= IO_SIZE; end += STRETCH)
		if (pwrite(lower, buf, 512, end - 512) != 512)
			err(2, "%s", below);
	if (pread(fd, buf, IO_SIZE, 0) == IO_SIZE)
		errx(2, "%s: all sectors can be read", name);
	wipe(buf, IO_SIZE);
	munmap(buf, IO_SIZE);
	close(lower);
	close(fd);
	return 0;
}

/* All copies of the data have been made when that many sectors are QUEUED. */
static void wait_for_queued(unsigned int sectors)
{
	unsigned int queued = 0;

	while (queued < sectors) {
		FILE *f = fopen("/sys/module/xcrypt_toy/parameters/queued", "r");

		if (!f || fscanf(f, "%u", &queued) != 1)
			err(2, "xcrypt_toy");
		fclose(f);
		usleep(10000);
	}
}

static int hold_write(const char *name, const char *label)
{
	int fd = open_volume(name);
	uint8_t *buf = get_buffer(HELD_SIZE);
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PWRITE,
		.aio_fildes = fd,
		.aio_buf = (uintptr_t)buf,
		.aio_nbytes = HELD_SIZE,
	}, *cbs = &cb;
	struct io_event event;
	aio_context_t aio = 0;

	put_canaries(buf, HELD_SIZE, label);
	if (syscall(SYS_io_setup, 1, &aio) || syscall(SYS_io_submit, aio, 1, &cbs) != 1)
		err(2, "io_submit");
	wait_for_queued(HELD_SIZE / 512);
	wipe(buf, HELD_SIZE);
	wipe_registers();
	puts("held");
	fflush(stdout);

	if (syscall(SYS_io_getevents, aio, 1, 1, &event, NULL) != 1 || event.res != HELD_SIZE)
		errx(2, "the write that was held failed");
	return 0;
}

int main(int argc, char **argv)
{
	int r;

	seed = getenv("XCRYPT_SEED");
	if (!seed)
		errx(2, "no XCRYPT_SEED");
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		err(2, "mlockall");

	if (argc == 9 && !strcmp(argv[1], "create"))
		r = create(argv + 2);
	else if (argc == 9 && !strcmp(argv[1], "load"))
		r = load(argv + 2);
	else if (argc == 7 && !strcmp(argv[1], "set"))
		r = set_key(argv + 2);
	else if (argc == 4 && !strcmp(argv[1], "key"))
		r = print_key(argv[2], atoi(argv[3]));
	else if (argc == 5 && !strcmp(argv[1], "use"))
		r = use_volume(argv[2], argv[3], atoi(argv[4]));
	else if (argc == 4 && !strcmp(argv[1], "spoil"))
		r = spoil_volume(argv[2], argv[3]);
	else if (argc == 4 && !strcmp(argv[1], "hold"))
		r = hold_write(argv[2], argv[3]);
	else
		errx(2, "usage: see %s", __FILE__);
	wipe_registers();
	return r;
}

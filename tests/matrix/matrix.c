// SPDX-License-Identifier: GPL-2.0
/*
 * Compares two device-mapper targets bit for bit.
 *
 *	matrix [-c] [-f] TARGET DEVICE_A DEVICE_B SEED < lines
 *
 * For each line (see lines.c) maps TARGET over device A and crypt over device
 * B.  Writes the same random data through both, in chunks of many sizes. Then
 * the raw devices must be equal, each mapping must read back what was written,
 * and so must the other target on each device. It is also a failure if one
 * target accepts a line and the other refuses it.
 *
 *	-c  only cross-reading: the IVs are random, so the raw bytes differ
 *	-f  flip a bit of device A after writing, which must be detected
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <unistd.h>
#include <linux/keyctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include "../dm.h"

#define SECTORS		512		/* of a mapping; a multiple of 8 x segments */
#define LEN		(SECTORS * 512)
#define MARGIN		128		/* sectors around it, compared as well */
#define RAW		(LEN + 2 * MARGIN * 512)
#define ENOUGH		20		/* failures, and then no more */

static const char *target;
static int cross_only, flip;

static unsigned char *plain, *got, *raw_a, *raw_b;
static int accepted, refused, failed;
static const char *line;
static int line_nr;

static uint64_t state;

static uint64_t rnd64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dull;
}

static unsigned int rnd(unsigned int below)
{
	return (rnd64() >> 32) % below;
}

static void random_fill(void *buf, size_t len)
{
	uint64_t *p = buf;

	for (len /= 8; len; len--)
		*p++ = rnd64();
}

static void fail(const char *what, long where)
{
	printf("line %d: %s", line_nr, what);
	if (where >= 0)
		printf(", first at byte %ld (sector %ld + %ld)", where,
		       where / 512, where % 512);
	printf("\n\t%s\n", line);
	failed++;
}

static void *buffer(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

/* --- device mapper -------------------------------------------------------- */

struct side {
	const char *name;	/* of the mapping */
	const char *below;
	int raw;		/* the underlying device, open with O_DIRECT */
	int fd;			/* the mapping */
	char node[64];
};

static struct side a = { .name = "xcm-a" }, b = { .name = "xcm-b" };
static void dm_create(struct side *s)
{
	struct dm_ioctl *io = dm_start(s->name);

	dm_or_die(DM_DEV_CREATE, "DM_DEV_CREATE");
	snprintf(s->node, sizeof(s->node), "/tmp/%s.%d", s->name, getpid());
	unlink(s->node);
	if (mknod(s->node, S_IFBLK | 0600,
		  makedev(io->dev >> 8 & 0xfff, io->dev & 0xff))) {
		perror(s->node);
		exit(2);
	}
	s->fd = -1;
}

static void dm_remove(struct side *s)
{
	if (s->fd >= 0)
		close(s->fd);
	unlink(s->node);
	dm_start(s->name);
	dm_or_die(DM_DEV_REMOVE, "DM_DEV_REMOVE");
}

/* --- a line --------------------------------------------------------------- */

/*
 * The key argument of the table, from <form>:<hex>. Keyring keys go into this
 * process's own keyring, where the kernel looks first.
 */
static int key_argument(char *out, size_t room, const char *key)
{
	static int nr;
	const char *hex = strchr(key, ':') + 1;
	unsigned char payload[4096];
	int type_len = hex - key - 1, n, ok;
	char type[16], desc[32];

	if (!strncmp(key, "hex:", 4))
		return snprintf(out, room, "%s", hex);

	snprintf(type, sizeof(type), "%.*s", type_len, key);
	snprintf(desc, sizeof(desc), "xcm:%d", nr++);
	for (n = 0; hex[2 * n]; n++)
		ok = sscanf(hex + 2 * n, "%2hhx", &payload[n]) == 1;
	if (!n || !ok || syscall(SYS_add_key, type, desc, payload, n,
				 KEY_SPEC_PROCESS_KEYRING) < 0) {
		perror("add_key");
		exit(2);
	}
	return snprintf(out, room, ":%d:%s:%s", n, type, desc);
}

/*
 * Target parameters for one segment. Words after the bar are xcrypt's own: not
 * for crypt.
 */
static void parameters(char *out, size_t room, const char *segment, int first,
		       const char *type, const char *below)
{
	char copy[16 << 10], *word, *save, *words[32];
	long start;
	int n = 0, len;

	snprintf(copy, sizeof(copy), "%s", segment);
	for (word = strtok_r(copy, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		if (!strcmp(word, "|")) {
			if (!strcmp(type, "crypt"))
				break;
			continue;
		}
		words[n++] = word;
	}
	if (n < 4) {
		fprintf(stderr, "not a line: %s\n", segment);
		exit(2);
	}
	start = atol(words[3]);
	len = snprintf(out, room, "%s ", words[0]);
	len += key_argument(out + len, room - len, words[1]);
	len += snprintf(out + len, room - len, " %s %s %ld", words[2], below,
			start + first);
	if (n > 4)
		len += snprintf(out + len, room - len, " %d", n - 4);
	for (int i = 4; i < n; i++)
		len += snprintf(out + len, room - len, " %s", words[i]);
}

/* Load the line's table on one side. Returns 0 or the error. */
static int set_table(struct side *s, const char *type)
{
	static char segments[64 << 10];
	char *segment, *next;
	struct dm_place place;
	int count = 1, i, r;

	snprintf(segments, sizeof(segments), "%s", line);
	for (segment = segments; (segment = strstr(segment, " ; ")); segment += 3)
		count++;
	dm_start(s->name);
	place = dm_targets();
	for (i = 0, segment = segments; segment; segment = next, i++) {
		int each = SECTORS / count & ~7;

		next = strstr(segment, " ; ");
		if (next) {
			*next = 0;
			next += 3;
		}
		parameters(dm_params(&place), place.room, segment, i * each,
			   type, s->below);
		dm_target(&place, type, i * each,
			  next ? each : SECTORS - i * each);
	}
	r = dm(DM_TABLE_LOAD);
	syscall(SYS_keyctl, KEYCTL_CLEAR, KEY_SPEC_PROCESS_KEYRING);
	if (r) {
		dm_start(s->name);
		dm(DM_TABLE_CLEAR);
		return r;
	}
	/* Resuming with a new table suspends the old one by itself */
	dm_start(s->name);
	r = dm(DM_DEV_SUSPEND);
	if (!r && s->fd < 0) {
		s->fd = open(s->node, O_RDWR | O_DIRECT);
		if (s->fd < 0) {
			perror(s->node);
			exit(2);
		}
	}
	return r;
}

static int option(const char *name, int otherwise)
{
	const char *at, *from = line;
	int most = otherwise;

	/* of several segments the largest */
	while ((at = strstr(from, name))) {
		from = at + strlen(name);
		if (atoi(from) > most)
			most = atoi(from);
	}
	return most;
}

/* A random run of units, mostly short, sometimes long */
static int chunk(int left)
{
	static const int sizes[] = { 1, 1, 2, 3, 5, 8, 9, 31, 64, 127, 256, 511 };
	int n = sizes[rnd(sizeof(sizes) / sizeof(*sizes))];

	return n < left ? n : left;
}

static int write_both(int offset, int len)
{
	if (pwrite(a.fd, plain + offset, len, offset) != len ||
	    pwrite(b.fd, plain + offset, len, offset) != len) {
		fail(strerror(errno), offset);
		return -1;
	}
	return 0;
}

/* All of it in chunks, from both ends; then some ranges once more */
static int write_all(int unit)
{
	int head = 0, tail = LEN / unit, n, i;

	random_fill(plain, LEN);
	while (head < tail) {
		n = chunk(tail - head);
		if (rnd(2)) {
			if (write_both(head * unit, n * unit))
				return -1;
			head += n;
		} else {
			tail -= n;
			if (write_both(tail * unit, n * unit))
				return -1;
		}
	}
	for (i = 0; i < 4; i++) {
		int at = rnd(LEN / unit);

		n = chunk(LEN / unit - at);
		random_fill(plain + at * unit, n * unit);
		if (write_both(at * unit, n * unit))
			return -1;
	}
	return 0;
}

static long difference(const unsigned char *x, const unsigned char *y, long len)
{
	long i;

	if (!memcmp(x, y, len))
		return -1;
	for (i = 0; x[i] == y[i]; i++)
		;
	return i;
}

/* Read a mapping in chunks of its own and compare with what was written */
static int read_back(struct side *s, int unit, const char *what)
{
	int at, n;
	long where;

	memset(got, 0xee, LEN);
	for (at = 0; at < LEN; at += n) {
		n = chunk((LEN - at) / unit) * unit;
		if (pread(s->fd, got + at, n, at) != n) {
			fail(strerror(errno), at);
			return -1;
		}
	}
	where = difference(plain, got, LEN);
	if (where >= 0) {
		fail(what, where);
		return -1;
	}
	return 0;
}

/* The content of the underlying device, including the margins */
static int compare_raw(void)
{
	long where;

	if (pread(a.raw, raw_a, RAW, 0) != RAW ||
	    pread(b.raw, raw_b, RAW, 0) != RAW) {
		fail("cannot read the raw devices", -1);
		return -1;
	}
	where = difference(raw_a, raw_b, RAW);
	if (where >= 0) {
		fail("the raw devices differ", where);
		return -1;
	}
	return 0;
}

/* Equal contents on both, independent of earlier lines */
static void prepare_raw(void)
{
	random_fill(raw_a, RAW);
	if (pwrite(a.raw, raw_a, RAW, 0) != RAW ||
	    pwrite(b.raw, raw_a, RAW, 0) != RAW) {
		perror("raw device");
		exit(2);
	}
}

static void flip_a_bit(void)
{
	long at = (option(" 64 ", 0) + 8) * 512;

	if (pread(a.raw, raw_a, 4096, at) != 4096)
		exit(2);
	raw_a[rnd(4096)] ^= 1 << rnd(8);
	if (pwrite(a.raw, raw_a, 4096, at) != 4096)
		exit(2);
}

/* Log the line, to attribute a complaint in the kernel's log to it */
static void announce(void)
{
	char text[160];

	snprintf(text, sizeof(text), "matrix line %d: %.*s\n", line_nr,
		 (int)strcspn(line, " "), line);
	dm_log(text);
}

static void run_line(void)
{
	int unit = option("sector_size:", 512), ra, rb;

	announce();
	if (!cross_only)
		prepare_raw();
	ra = set_table(&a, target);
	rb = set_table(&b, "crypt");
	if (!ra != !rb) {
		char why[160];

		snprintf(why, sizeof(why), "%s: %s, but crypt: %s", target,
			 ra ? strerror(-ra) : "accepted",
			 rb ? strerror(-rb) : "accepted");
		fail(why, -1);
		return;
	}
	if (ra) {
		refused++;
		return;
	}
	accepted++;
	if (write_all(unit))
		return;
	if (flip)
		flip_a_bit();
	if (!cross_only && compare_raw())
		return;
	if (read_back(&a, unit, "the target reads something else than was written") ||
	    read_back(&b, unit, "crypt reads something else than was written"))
		return;
	if (set_table(&a, "crypt") || set_table(&b, target)) {
		fail("accepted once, but not again", -1);
		return;
	}
	if (read_back(&a, unit, "crypt does not read what the target wrote"))
		return;
	read_back(&b, unit, "the target does not read what crypt wrote");
}

static void open_side(struct side *s, const char *below)
{
	s->below = below;
	s->raw = open(below, O_RDWR | O_DIRECT);
	if (s->raw < 0) {
		perror(below);
		exit(2);
	}
	dm_create(s);
}

int main(int argc, char **argv)
{
	static char input[64 << 10];
	uint64_t seed;
	int opt;

	while ((opt = getopt(argc, argv, "cf")) != -1) {
		if (opt == 'c')
			cross_only = 1;
		else if (opt == 'f')
			flip = 1;
		else
			return 2;
	}
	if (argc - optind != 4) {
		fprintf(stderr, "matrix [-c] [-f] TARGET DEVICE_A DEVICE_B SEED\n");
		return 2;
	}
	target = argv[optind];
	seed = strtoull(argv[optind + 3], NULL, 10);
	plain = buffer(LEN);
	got = buffer(LEN);
	raw_a = buffer(RAW);
	raw_b = buffer(RAW);
	open_side(&a, argv[optind + 1]);
	open_side(&b, argv[optind + 2]);

	while (failed < ENOUGH && fgets(input, sizeof(input), stdin)) {
		input[strcspn(input, "\n")] = 0;
		line = input;
		line_nr++;
		state = seed * 2654435761u + line_nr * 88172645463325252ull + 1;
		run_line();
	}

	dm_remove(&a);
	dm_remove(&b);
	printf("%d combinations: %d compared, %d refused by both, %d failed\n",
	       line_nr, accepted, refused, failed);
	return failed ? 1 : 0;
}

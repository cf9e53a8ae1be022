// SPDX-License-Identifier: GPL-2.0
/*
 * fail-nth [OPTION]... REQUEST NAME ... < lines
 *
 * Repeats a device-mapper request on the mapping NAME, with its first
 * allocation failing, then the second, and so on until it makes no more
 * (Documentation/fault-injection: fail-nth).  A failed request must return
 * ENOMEM, and leave the mapping unchanged: its table, its state, and its data.
 *
 *   -g GAP	skip allocations at random, so that one in GAP fails
 *   -s SEED	the random seed
 *   -r FILE:DEVICE
 *		write FILE to the beginning of DEVICE before each create; repeatable
 *
 * The requests:
 *
 *   load TARGET SECTORS	load another table; its parameters are read from
 *				standard input
 *   swap TARGET SECTORS	the same, and resume on it
 *   suspend, resume
 *   remove TARGET SECTORS	NAME is created again each time
 *   create TARGET SECTORS	the resume that completes the creation of NAME, which
 *				is removed each time
 *   message		the line read from standard input
 *   wipe			the message "key wipe"; the line read is the key
 *   set			the message "key set"; the lines read are the key
 *				in use and another
 *   rekey-wipe, rekey-set	the messages "key wipe", or "key set" and "rekey key
 *				set", on a volume whose key is being changed; the
 *				lines read are the old key and the new one
 *
 * Prints one line: the request, how often it failed, and how often it succeeded
 * in spite of a failed allocation.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include "dm.h"

#define SAMPLE		(16 << 10)
#define MAX_FAULTS	5000
#define MAX_IMAGES	2

static const char *name, *target;
static unsigned long long sectors;
static char line[16 << 10], other_line[16 << 10];
static char table[64 << 10];
static char *sample, *other_sample, *scratch;
static int fail_nth;
static struct image {
	char *file, *device;
} images[MAX_IMAGES];
static unsigned int image_count;

static unsigned int succeeded, failed, n;

/* ---- requests ------------------------------------------------------------ */

static struct dm_ioctl *reply(void)
{
	return (void *)dm_buf;
}

static void put_table(const char *to)
{
	struct dm_place place;

	dm_start(to);
	place = dm_targets();
	snprintf(dm_params(&place), place.room, "%s", line);
	dm_target(&place, target, 0, sectors);
}

static void put_message(const char *format, const char *words)
{
	struct dm_target_msg *message;
	struct dm_ioctl *io = dm_start(name);

	message = (void *)(dm_buf + io->data_start);
	message->sector = 0;
	snprintf(message->message, sizeof(dm_buf) - io->data_start - 16, format, words);
}

static void put_suspend(bool suspend)
{
	dm_start(name)->flags |= suspend ? DM_SUSPEND_FLAG : 0;
}

static void suspend(void)
{
	put_suspend(true);
	dm_or_die(DM_DEV_SUSPEND, "suspend");
}

static void resume(void)
{
	put_suspend(false);
	dm_or_die(DM_DEV_SUSPEND, "resume");
}

static void set_key(const char *key)
{
	put_message("key set %s", key);
	dm_or_die(DM_TARGET_MSG, "key set");
}

static void set_new_key(const char *key)
{
	put_message("rekey key set %s", key);
	dm_or_die(DM_TARGET_MSG, "rekey key set");
}

/* The table in use (flag) or the status */
static const char *status(int flags)
{
	dm_start(name)->flags |= flags;
	dm_or_die(DM_TABLE_STATUS, "status");
	return dm_buf + reply()->data_start + sizeof(struct dm_target_spec);
}

/* ---- the mapping's state ------------------------------------------------- */

/* All zeros if the tags reveal that the key is wrong. */
static void read_sample(char *to)
{
	char path[DM_NAME_LEN + 16];
	ssize_t got = -1;
	int fd;

	snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	fd = open(path, O_RDONLY | O_DIRECT);
	if (fd >= 0)
		got = pread(fd, to, SAMPLE, 0);
	if (got < 0 && errno == EILSEQ)
		memset(to, 0, SAMPLE);
	else if (got != SAMPLE)
		err(1, "fault %u: %s", n, path);
	close(fd);
}

static bool reads_as(const char *expected)
{
	read_sample(scratch);
	return !memcmp(scratch, expected, SAMPLE);
}

static void check_active(void)
{
	if (strcmp(status(DM_STATUS_TABLE_FLAG), table))
		errx(1, "fault %u: the table is no longer what it was", n);
	if (!(reply()->flags & DM_ACTIVE_PRESENT_FLAG) ||
	    (reply()->flags & (DM_INACTIVE_PRESENT_FLAG | DM_SUSPEND_FLAG)))
		errx(1, "fault %u: flags are %#x", n, reply()->flags);
	if (!reads_as(sample))
		errx(1, "fault %u: it does not read as before", n);
}

/* ---- the underlying devices ----------------------------------------------- */

static void restore_image(const struct image *image)
{
	int from = open(image->file, O_RDONLY);
	int to = open(image->device, O_WRONLY | O_DIRECT);
	ssize_t got;

	if (from < 0 || to < 0)
		err(2, "%s:%s", image->file, image->device);
	while ((got = read(from, scratch, SAMPLE)) > 0)
		if (write(to, scratch, got) != got)
			err(2, "%s", image->device);
	close(to);
	close(from);
}

static void restore_images(void)
{
	for (unsigned int i = 0; i < image_count; i++)
		restore_image(&images[i]);
}

static void add_image(char *pair)
{
	char *colon = strchr(pair, ':');

	if (!colon || image_count == MAX_IMAGES)
		errx(2, "%s: no FILE:DEVICE, or too many", pair);
	*colon = 0;
	images[image_count++] = (struct image){ pair, colon + 1 };
}

/* ---- faults -------------------------------------------------------------- */

static void set_fail_nth(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fail_nth, text, len, 0) != len)
		err(2, "fail-nth");
}

static unsigned int get_fail_nth(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) < 0)
		err(2, "fail-nth");
	return strtoul(text, NULL, 10);
}

/* Carry out a request while its nth allocation fails */
static int faulty(unsigned long cmd, bool *injected)
{
	int r;

	set_fail_nth(n);
	r = dm(cmd);
	*injected = !get_fail_nth();
	set_fail_nth(0);

	if (!*injected && r)
		errx(1, "fault %u did not come, and still: %s", n, strerror(-r));
	if (r) {
		if (r != -ENOMEM)
			errx(1, "fault %u: %s", n, strerror(-r));
		failed++;
	} else if (*injected) {
		succeeded++;
	}
	return r;
}

/* ---- sweeps: each returns true if a fault was injected ------------------- */

static bool sweep_load(void)
{
	bool injected;

	put_table(name);
	if (!faulty(DM_TABLE_LOAD, &injected)) {
		dm_start(name);
		dm_or_die(DM_TABLE_CLEAR, "clear");
	}
	check_active();
	return injected;
}

/* Resume, and once more if that failed */
static bool faulty_resume(void)
{
	bool injected;

	put_suspend(false);
	if (faulty(DM_DEV_SUSPEND, &injected))
		resume();
	check_active();
	return injected;
}

static bool sweep_swap(void)
{
	put_table(name);
	dm_or_die(DM_TABLE_LOAD, "load");
	return faulty_resume();
}

static bool sweep_suspend(void)
{
	bool injected;

	put_suspend(true);
	faulty(DM_DEV_SUSPEND, &injected);
	resume();
	check_active();
	return injected;
}

static bool sweep_resume(void)
{
	suspend();
	return faulty_resume();
}

/* The device anew, with a table that is not resumed */
static void create_loaded(void)
{
	dm_start(name);
	dm_or_die(DM_DEV_CREATE, "create");
	put_table(name);
	dm_or_die(DM_TABLE_LOAD, "load");
}

static bool sweep_remove(void)
{
	bool injected;

	create_loaded();
	resume();
	dm_start(name);
	if (faulty(DM_DEV_REMOVE, &injected)) {
		dm_start(name);
		dm_or_die(DM_DEV_REMOVE, "remove");
	}
	dm_start(name);
	if (dm(DM_DEV_STATUS) != -ENXIO)
		errx(1, "fault %u: it is still there", n);
	return injected;
}

static bool sweep_create(void)
{
	dm_start(name);
	dm_or_die(DM_DEV_REMOVE, "remove");
	restore_images();
	create_loaded();
	return faulty_resume();
}

static bool sweep_message(void)
{
	bool injected;

	put_message("%s", line);
	faulty(DM_TARGET_MSG, &injected);
	check_active();
	return injected;
}

static bool is_wiped(void)
{
	return strstr(status(0), "key:wiped");
}

static void must_not_resume(void)
{
	put_suspend(false);
	if (!dm(DM_DEV_SUSPEND))
		errx(1, "fault %u: resumed without a key", n);
}

/* The key must be wiped, even after an error in the target */
static bool sweep_wipe(void)
{
	bool injected;
	int r;

	suspend();
	put_message("key %s", "wipe");
	r = faulty(DM_TARGET_MSG, &injected);
	if (is_wiped()) {
		must_not_resume();
	} else if (r) {
		/* refused before it reached the target */
		resume();
		check_active();
		suspend();
	} else {
		errx(1, "fault %u: not wiped", n);
	}
	set_key(line);
	resume();
	check_active();
	return injected;
}

/* It has the old key, the new one, or none, and its status says so */
static bool sweep_set(void)
{
	bool injected;
	int r;

	suspend();
	put_message("key set %s", other_line);
	r = faulty(DM_TARGET_MSG, &injected);
	if (strstr(status(0), "key:valid")) {
		resume();
		if (!reads_as(r ? sample : other_sample))
			errx(1, "fault %u: after %s it does not read as with the %s key",
			     n, r ? strerror(-r) : "success", r ? "old" : "new");
		suspend();
	} else {
		if (!r)
			errx(1, "fault %u: success, but there is no key", n);
		must_not_resume();
	}
	set_key(line);
	resume();
	check_active();
	return injected;
}

static void check_refused(void)
{
	if (!is_wiped())
		errx(1, "fault %u: the status says that there is a key", n);
	must_not_resume();
}

static void set_either(bool new)
{
	if (new)
		set_new_key(other_line);
	else
		set_key(line);
}

/* Both keys are wiped, or none: the one that is set first is not enough */
static bool wipe_both(bool new_first)
{
	bool injected;

	suspend();
	put_message("key %s", "wipe");
	if (!faulty(DM_TARGET_MSG, &injected) || is_wiped()) {
		check_refused();
		set_either(new_first);
		check_refused();
		set_either(!new_first);
	}
	resume();
	check_active();
	return injected;
}

static bool sweep_rekey_wipe(void)
{
	bool injected = false;

	/* twice each: the fault may hit a page for the slab instead */
	for (unsigned int i = 0; i < 4; i++)
		injected |= wipe_both(i & 1);
	return injected;
}

/* After an error the key is still missing */
static bool sweep_rekey_set(void)
{
	bool injected, injected_new;

	suspend();
	put_message("key %s", "wipe");
	dm_or_die(DM_TARGET_MSG, "key wipe");

	put_message("key set %s", line);
	if (faulty(DM_TARGET_MSG, &injected)) {
		set_new_key(other_line);
		check_refused();
		set_key(line);
	} else {
		check_refused();
		put_message("rekey key set %s", other_line);
		if (faulty(DM_TARGET_MSG, &injected_new)) {
			check_refused();
			set_new_key(other_line);
		}
		injected |= injected_new;
	}
	resume();
	check_active();
	return injected;
}

static const struct {
	const char *name;
	bool (*sweep)(void);
	bool takes_table, fresh;
	unsigned int lines;
} sweeps[] = {
	{ "load", sweep_load, true, false, 1 },
	{ "swap", sweep_swap, true, false, 1 },
	{ "suspend", sweep_suspend, false, false, 0 },
	{ "resume", sweep_resume, false, false, 0 },
	{ "remove", sweep_remove, true, true, 1 },
	{ "message", sweep_message, false, false, 1 },
	{ "wipe", sweep_wipe, false, false, 1 },
	{ "set", sweep_set, false, false, 2 },
	{ "create", sweep_create, true, false, 1 },
	{ "rekey-wipe", sweep_rekey_wipe, false, false, 2 },
	{ "rekey-set", sweep_rekey_set, false, false, 2 },
	{ }
};

static void read_line(char *to, size_t size)
{
	if (!fgets(to, size, stdin))
		errx(2, "a line is missing");
	to[strcspn(to, "\n")] = 0;
}

static char *aligned(void)
{
	void *p;

	if (posix_memalign(&p, 4096, SAMPLE))
		err(2, "posix_memalign");
	return memset(p, 0, SAMPLE);
}

/* The state of the mapping before anything fails */
static void take_samples(bool two)
{
	snprintf(table, sizeof(table), "%s", status(DM_STATUS_TABLE_FLAG));
	read_sample(sample);
	if (!two)
		return;
	suspend();
	set_key(other_line);
	resume();
	read_sample(other_sample);
	suspend();
	set_key(line);
	resume();
	if (!reads_as(sample) || reads_as(other_sample))
		errx(2, "the first line is not the key in use, or the second is");
}

int main(int argc, char **argv)
{
	unsigned int i = 0, gap = 1;
	int opt;

	while ((opt = getopt(argc, argv, "+g:r:s:")) >= 0) {
		if (opt == 'g')
			gap = atoi(optarg);
		else if (opt == 'r')
			add_image(optarg);
		else if (opt == 's')
			srandom(atoi(optarg));
	}
	argv += optind;
	argc -= optind;
	if (argc > 1)
		for (i = 0; sweeps[i].name && strcmp(argv[0], sweeps[i].name);)
			i++;
	if (argc < 2 || !sweeps[i].name ||
	    argc != (sweeps[i].takes_table ? 4 : 2))
		errx(2, "see the head of fail-nth.c");
	name = argv[1];
	if (sweeps[i].takes_table) {
		target = argv[2];
		sectors = strtoull(argv[3], NULL, 10);
	}
	sample = aligned();
	other_sample = aligned();
	scratch = aligned();
	if (sweeps[i].lines > 0)
		read_line(line, sizeof(line));
	if (sweeps[i].lines > 1)
		read_line(other_line, sizeof(other_line));

	fail_nth = open("/proc/self/fail-nth", O_RDWR);
	if (fail_nth < 0)
		err(2, "/proc/self/fail-nth");
	if (!sweeps[i].fresh)
		take_samples(sweeps[i].sweep == sweep_set);
	for (n = 1; sweeps[i].sweep(); n += 1 + random() % (2 * gap - 1))
		if (n > MAX_FAULTS)
			errx(1, "no end after %u faults", n);
	printf("%s: %u failed, %u succeeded all the same\n", argv[0], failed,
	       succeeded);
	return 0;
}

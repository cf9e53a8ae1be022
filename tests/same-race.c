// SPDX-License-Identifier: GPL-2.0
/*
 * same-race [-a] NAME SECONDS SECTORS CIPHER DEVICE KEY KEY
 *
 * The key "=" in tables of the mapping NAME, which exists and has one of the
 * keys.  For SECONDS, one process loads tables with it, one reads and one clears
 * what is loaded, while the first suspends, wipes or sets a key, resumes, and
 * reads.  Fails if a table is refused for another reason than a wiped key, if
 * it prints another key, if a resume fails, or if data are read with another key
 * than the one set last.
 *
 * With -a, four processes create, load, suspend, change, resume and remove NAME
 * in any order, and no result is wrong: that is for the kernel's own checks.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <sys/wait.h>
#include "dm.h"

#define SAMPLE	4096
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const char *name, *cipher, *device;
static const char *keys[2];
static unsigned long long sectors;

/* ---- requests ------------------------------------------------------------ */

static int load(const char *key)
{
	static const char *const options[] = {
		"0", "1 engine:api", "1 verify_writes", "1 offload:inline",
	};
	struct dm_place place;

	dm_start(name);
	place = dm_targets();
	snprintf(dm_params(&place), place.room, "%s %s 0 %s 0 %s", cipher, key,
		 device, options[random() % COUNT(options)]);
	dm_target(&place, "xcrypt", 0, sectors);
	return dm(DM_TABLE_LOAD);
}

static int message(const char *format, const char *word)
{
	struct dm_ioctl *io = dm_start(name);
	struct dm_target_msg *msg = (void *)(dm_buf + io->data_start);

	msg->sector = 0;
	snprintf(msg->message, sizeof(dm_buf) - io->data_start - 16, format, word);
	return dm(DM_TARGET_MSG);
}

static int request(unsigned long cmd, unsigned int flags)
{
	dm_start(name)->flags |= flags;
	return dm(cmd);
}

static void must(int r, const char *what)
{
	if (r)
		errx(1, "%s: %s", what, strerror(-r));
}

/* ---- the checked race ---------------------------------------------------- */

static void keep_loading(void)
{
	while (true) {
		int r = load("=");

		if (r && r != -ENOKEY)
			must(r, "load");
	}
}

static bool known_key(const char *key)
{
	size_t len = strcspn(key, " ");

	return len == strlen(keys[0]) &&
		(!strncmp(key, keys[0], len) || !strncmp(key, keys[1], len) ||
		 strspn(key, "0") == len);
}

static void keep_looking(void)
{
	struct dm_ioctl *io = (void *)dm_buf;

	while (true) {
		must(request(DM_TABLE_STATUS, DM_STATUS_TABLE_FLAG |
			     DM_QUERY_INACTIVE_TABLE_FLAG), "table");
		if (!io->target_count)
			continue;
		if (!known_key(strchr(dm_buf + io->data_start +
				      sizeof(struct dm_target_spec), ' ') + 1))
			errx(1, "a loaded table has a key of its own");
	}
}

static void keep_clearing(void)
{
	while (true) {
		must(request(DM_TABLE_CLEAR, 0), "clear");
		usleep(random() % 5000);
	}
}

static void read_sample(char *to)
{
	static void *buf;
	char path[64];
	int fd;

	if (!buf && posix_memalign(&buf, SAMPLE, SAMPLE))
		err(1, "memory");
	snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	fd = open(path, O_RDONLY | O_DIRECT);
	if (fd < 0 || pread(fd, buf, SAMPLE, 0) != SAMPLE)
		err(1, "%s", path);
	close(fd);
	memcpy(to, buf, SAMPLE);
}

static void change_key(const char *key, char *sample)
{
	must(request(DM_DEV_SUSPEND, DM_SUSPEND_FLAG), "suspend");
	if (random() % 2)
		must(message("key wipe", ""), "key wipe");
	must(message("key set %s", key), "key set");
	must(request(DM_DEV_SUSPEND, 0), "resume");
	read_sample(sample);
}

static int change_keys(time_t end)
{
	char expected[2][SAMPLE], sample[SAMPLE];
	unsigned long turns = 0;

	change_key(keys[0], expected[0]);
	change_key(keys[1], expected[1]);
	while (time(NULL) < end) {
		unsigned int i = random() % 2;

		change_key(keys[i], sample);
		if (memcmp(sample, expected[i], SAMPLE))
			errx(1, "wrong key, after %lu resumes", turns);
		turns++;
	}
	printf("%lu resumes\n", turns);
	return turns < 5;
}

/* ---- the other one ------------------------------------------------------- */

static void do_anything(void)
{
	while (true) {
		switch (random() % 8) {
		case 0:
			if (!request(DM_DEV_CREATE, 0) && !load(keys[0]))
				request(DM_DEV_SUSPEND, 0);
			break;
		case 1:
			request(DM_DEV_REMOVE, 0);
			break;
		case 2:
			request(DM_DEV_SUSPEND, DM_SUSPEND_FLAG);
			break;
		case 3:
			request(DM_DEV_SUSPEND, 0);
			break;
		case 4:
			message("key wipe", "");
			break;
		case 5:
			message("key set %s", keys[random() % 2]);
			break;
		default:
			load("=");
			load("=");
		}
	}
}

/* ---- main ---------------------------------------------------------------- */

static pid_t start(void (*work)(void))
{
	pid_t child = fork();

	if (child)
		return child;
	dm_control = -1;
	srandom(getpid());
	work();
	return 0;
}

int main(int argc, char **argv)
{
	static void (*const checked[])(void) = {
		keep_loading, keep_looking, keep_clearing,
	};
	bool anything = argc > 1 && !strcmp(argv[1], "-a");
	pid_t children[4];
	unsigned int count = anything ? 4 : COUNT(checked), i;
	int status, failed = 0;
	time_t end;

	argv += anything;
	if (argc - anything != 8)
		return 2;
	name = argv[1];
	end = time(NULL) + atoi(argv[2]);
	sectors = strtoull(argv[3], NULL, 10);
	cipher = argv[4];
	device = argv[5];
	keys[0] = argv[6];
	keys[1] = argv[7];

	for (i = 0; i < count; i++)
		children[i] = start(anything ? do_anything : checked[i]);
	if (anything)
		sleep(end - time(NULL));
	else
		failed = change_keys(end);
	for (i = 0; i < count; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], &status, 0);
		failed |= WIFEXITED(status);
	}
	return failed;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * key-race NAME SECONDS KEY KEY
 *
 * Reads status and table of the suspended mapping NAME for SECONDS, while two
 * other processes set one of two keys from the keyring, or wipe its key.  Fails
 * if it reads any other state, and prints that line.
 */
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <sys/wait.h>
#include "dm.h"

static void message(const char *name, const char *text)
{
	struct dm_ioctl *io = dm_start(name);
	struct dm_target_msg *msg = (void *)(dm_buf + io->data_start);

	msg->sector = 0;
	sprintf(msg->message, "%s", text);
	dm_or_die(DM_TARGET_MSG, text);
}

static pid_t change(const char *name, const char *key)
{
	char set[256];
	pid_t child = fork();

	if (child)
		return child;
	snprintf(set, sizeof(set), "key set %s", key);
	while (true) {
		message(name, set);
		message(name, "key wipe");
	}
}

/* The mapping's line, or its status */
static const char *look(const char *name, unsigned int flags)
{
	dm_start(name)->flags |= flags;
	dm_or_die(DM_TABLE_STATUS, "DM_TABLE_STATUS");
	return dm_buf + ((struct dm_ioctl *)dm_buf)->data_start +
		sizeof(struct dm_target_spec);
}

/* Does the line contain one of the keys, or as many zeros? */
static bool sane(const char *line, char **keys)
{
	const char *key = strchr(line, ' ') + 1;
	size_t len = strcspn(key, " ");
	int i;

	for (i = 0; i < 2; i++)
		if (len == strlen(keys[i]) && !strncmp(key, keys[i], len))
			return true;
	return strspn(key, "0") == len;
}

int main(int argc, char **argv)
{
	unsigned long lines = 0, wiped = 0;
	pid_t a, b;
	time_t end;

	if (argc < 5)
		return 2;
	a = change(argv[1], argv[3]);
	b = change(argv[1], argv[4]);
	for (end = time(NULL) + atoi(argv[2]); time(NULL) < end; lines++) {
		const char *line = look(argv[1], DM_STATUS_TABLE_FLAG);

		if (!sane(line, argv + 3)) {
			printf("%s\n", line);
			break;
		}
		wiped += !!strstr(look(argv[1], 0), "key:wiped");
	}
	kill(a, SIGKILL);
	kill(b, SIGKILL);
	waitpid(a, NULL, 0);
	waitpid(b, NULL, 0);
	printf("%lu lines, %lu times without a key\n", lines, wiped);
	return time(NULL) < end || !wiped || wiped == lines;
}

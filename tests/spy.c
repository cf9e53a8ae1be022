// SPDX-License-Identifier: GPL-2.0
/*
 * spy PLACE... <SECRETS: searches for secrets repeatedly, until SIGTERM
 *
 * Each line of standard input is a secret: text, or bytes in hex after "hex:".
 * Searches the arguments and the environment of every other process, and each
 * PLACE: a block device, or a folder, whose files are read if they have changed
 * since the start.
 *
 * Prints "ready" after the first full round; at the end each finding once, with
 * its place, "seen" for each of the programs cryptsetup, keyctl and dmsetup
 * that it saw, and the number of rounds.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_SECRETS	16
#define MAX_FINDINGS	64
#define BUFFER		(8 << 20)

static struct secret {
	char bytes[256];
	size_t size;
} secrets[MAX_SECRETS];
static unsigned int nr_secrets, nr_findings;
static char *findings[MAX_FINDINGS];
static char *buffer;
static struct timespec start;

/* Is the blocked SIGTERM pending? */
static bool ended(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGTERM);
}

static void add_secret(char *line)
{
	struct secret *s = &secrets[nr_secrets++];
	unsigned int byte;

	if (nr_secrets > MAX_SECRETS)
		errx(1, "too many secrets");
	if (!strncmp(line, "hex:", 4)) {
		for (line += 4; sscanf(line, "%2x", &byte) == 1; line += 2)
			s->bytes[s->size++] = byte;
	} else {
		s->size = strlen(line);
		memcpy(s->bytes, line, s->size);
	}
	if (s->size < 8)
		errx(1, "a secret is too short to be told from anything else");
}

static void report(const char *kind, const char *where)
{
	char *text;
	unsigned int i;

	if (asprintf(&text, "%s %s", kind, where) < 0)
		err(1, "memory");
	for (i = 0; i < nr_findings; i++) {
		if (!strcmp(findings[i], text)) {
			free(text);
			return;
		}
	}
	if (nr_findings == MAX_FINDINGS)
		errx(1, "too many findings");
	findings[nr_findings++] = text;
}

/* Reads up to the end, and returns the number of bytes. */
static ssize_t contents(const char *path, int flags)
{
	ssize_t n, size = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);

	if (fd < 0)
		return 0;
	while (size < BUFFER && (n = read(fd, buffer + size, BUFFER - size)) > 0)
		size += n;
	close(fd);
	return size;
}

static void search(const char *kind, const char *where, ssize_t size)
{
	unsigned int i;

	for (i = 0; i < nr_secrets; i++) {
		if (memmem(buffer, size, secrets[i].bytes, secrets[i].size))
			report(kind, where);
	}
}

static void look_at_process(const char *pid)
{
	static const char * const names[] = { "cryptsetup", "keyctl", "dmsetup" };
	char path[300];
	ssize_t size;
	unsigned int i;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	size = contents(path, 0);
	search("arguments", pid, size);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (size && !strcmp(basename(buffer), names[i]))
			report("seen", names[i]);
	}
	snprintf(path, sizeof(path), "/proc/%s/environ", pid);
	search("environment", pid, contents(path, 0));
}

static void look_at_processes(void)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	if (!proc)
		err(1, "/proc");
	while ((entry = readdir(proc))) {
		if (isdigit(entry->d_name[0]) && atoi(entry->d_name) != getpid())
			look_at_process(entry->d_name);
	}
	closedir(proc);
}

static int look_at_file(const char *path, const struct stat *st, int type,
			struct FTW *ftw)
{
	(void)ftw;
	if (type == FTW_F && S_ISREG(st->st_mode) &&
	    (st->st_mtim.tv_sec > start.tv_sec ||
	     (st->st_mtim.tv_sec == start.tv_sec &&
	      st->st_mtim.tv_nsec >= start.tv_nsec)))
		search("file", path, contents(path, 0));
	return ended();
}

static void look_at(const char *place)
{
	struct stat st;

	if (stat(place, &st))
		err(1, "%s", place);
	if (S_ISBLK(st.st_mode))
		search("device", place, contents(place, O_DIRECT));
	else
		nftw(place, look_at_file, 16, FTW_PHYS | FTW_MOUNT);
}

int main(int argc, char **argv)
{
	char line[600];
	sigset_t term;
	unsigned int rounds, i;
	int place;

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		add_secret(line);
	}
	if (!nr_secrets)
		errx(1, "no secrets");
	memset(line, 0, sizeof(line));
	if (posix_memalign((void **)&buffer, 4096, BUFFER))
		errx(1, "memory");
	clock_gettime(CLOCK_REALTIME_COARSE, &start);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);

	for (rounds = 0; !ended(); rounds++) {
		look_at_processes();
		for (place = 1; place < argc && !ended(); place++) {
			look_at(argv[place]);
			/* more often: processes live shorter than files */
			look_at_processes();
		}
		if (!rounds) {
			puts("ready");
			fflush(stdout);
		}
	}
	for (i = 0; i < nr_findings; i++)
		puts(findings[i]);
	printf("%u rounds\n", rounds);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device mapper's ioctls, for test programs that load many tables: a process
 * for each would take most of the time in an emulated machine.
 */
#ifndef TESTS_DM_H
#define TESTS_DM_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>

static int dm_control = -1;
static char dm_buf[64 << 10];

/* Begin a request about the mapping NAME */
static struct dm_ioctl *dm_start(const char *name)
{
	struct dm_ioctl *io = (void *)dm_buf;

	memset(io, 0, sizeof(*io));
	io->version[0] = DM_VERSION_MAJOR;
	io->data_size = sizeof(dm_buf);
	io->data_start = sizeof(*io);
	io->flags = DM_SECURE_DATA_FLAG;
	snprintf(io->name, sizeof(io->name), "%s", name);
	return io;
}

/* The buffer for the parameters of the next target, and its size */
struct dm_place {
	char *spec;
	size_t room;
};

static inline struct dm_place dm_targets(void)
{
	struct dm_place place = {
		dm_buf + sizeof(struct dm_ioctl),
		sizeof(dm_buf) - sizeof(struct dm_ioctl) - 16,
	};

	return place;
}

static inline char *dm_params(struct dm_place *place)
{
	return place->spec + sizeof(struct dm_target_spec);
}

/* Add the target whose parameters are at dm_params() */
static inline void dm_target(struct dm_place *place, const char *type,
			     unsigned long long start, unsigned long long len)
{
	struct dm_target_spec *t = (void *)place->spec;

	memset(t, 0, sizeof(*t));
	t->sector_start = start;
	t->length = len;
	snprintf(t->target_type, sizeof(t->target_type), "%s", type);
	t->next = (sizeof(*t) + strlen(dm_params(place)) + 1 + 7) & ~7;
	place->spec += t->next;
	place->room -= t->next;
	((struct dm_ioctl *)dm_buf)->target_count++;
}

/* Carry out the request. Returns 0 or a negative error. */
static int dm(unsigned long cmd)
{
	if (dm_control < 0)
		dm_control = open("/dev/mapper/control", O_RDWR);
	return ioctl(dm_control, cmd, dm_buf) ? -errno : 0;
}

static inline void dm_or_die(unsigned long cmd, const char *what)
{
	int r = dm(cmd);

	if (r) {
		fprintf(stderr, "%s: %s\n", what, strerror(-r));
		exit(2);
	}
}

/* A line in the kernel's log */
static inline void dm_log(const char *text)
{
	static int log = -1;

	if (log < 0)
		log = open("/dev/kmsg", O_WRONLY);
	if (write(log, text, strlen(text)) < 0)
		perror("/dev/kmsg");
}

#endif

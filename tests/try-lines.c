// SPDX-License-Identifier: GPL-2.0
/*
 * try-lines TARGET SECTORS [REPEAT] < parameters
 *
 * Creates a mapping with each line of parameters in turn, REPEAT times, after a
 * line "try N." in the kernel's log (N from 0), and prints N and "accepted" or
 * the error.
 */
#include <unistd.h>
#include "dm.h"

#define NAME	"try-lines"

static int try(const char *target, unsigned long long sectors, const char *params)
{
	struct dm_place place;
	int r;

	dm_start(NAME);
	dm_or_die(DM_DEV_CREATE, "DM_DEV_CREATE");

	dm_start(NAME);
	place = dm_targets();
	snprintf(dm_params(&place), place.room, "%s", params);
	dm_target(&place, target, 0, sectors);
	r = dm(DM_TABLE_LOAD);
	if (!r) {
		dm_start(NAME);
		r = dm(DM_DEV_SUSPEND);		/* resumes it */
	}

	dm_start(NAME);
	dm_or_die(DM_DEV_REMOVE, "DM_DEV_REMOVE");
	return r;
}

int main(int argc, char **argv)
{
	static char line[16 << 10];
	char mark[32];
	int nr, i, r = 0;

	if (argc < 3)
		return 2;
	for (nr = 0; fgets(line, sizeof(line), stdin); nr++) {
		line[strcspn(line, "\n")] = 0;
		snprintf(mark, sizeof(mark), "try %d.\n", nr);
		dm_log(mark);
		for (i = argc > 3 ? atoi(argv[3]) : 1; i; i--)
			r = try(argv[1], strtoull(argv[2], NULL, 10), line);
		printf("%d %s\n", nr, r ? strerror(-r) : "accepted");
	}
	return 0;
}

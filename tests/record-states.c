// SPDX-License-Identifier: GPL-2.0-only
/*
 * record-states SEED COUNT UNIT LOG HISTORY DATA-BASE=DATA STATE-BASE=STATE LINE START
 * PLAIN: check crash states of a recorded conversion.
 *
 * COUNT times, the power is cut at a point of the log, chosen by the seed (record/cut.h).
 * Then the volume is created with the table line LINE (arguments of xcrypt, without
 * rekey_start), all of it is read and compared with the history (record/history.h), the
 * conversion goes on to its end, all is read again, and once more by dm-crypt with the line
 * PLAIN. If the conversion had not begun, START begins it.
 *
 * One process, because a process for each step would take most of the time. Prints what
 * the states were like, as "word:number".
 */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "dm.h"
#include "record/cut.h"
#include "record/history.h"

#define NAME		"record-states"
#define RESUME		"rekey resume"
/* Milliseconds that a conversion may take */
#define PATIENCE	120000

/* Of the two superblocks, see docs/rekey-format.md */
#define SLOT_BYTES	4096
#define SEQUENCE	16
#define BATCH_SECTORS	112

static struct counts {
	unsigned int states, lost, torn, active, later, begun;
} counts;

static uint64_t *before, *after;
static char node[32];
static uint64_t current;

static void __attribute__((noreturn)) die(const char *what)
{
	errx(1, "state %ju (seed), at record %u of %u, flush %ju, %u lost, %u kept, %u torn: %s",
	     (uintmax_t)current, cut.at, record_count, (uintmax_t)cut.mark,
	     cut.fates[LOST], cut.fates[KEPT], cut.fates[TORN], what);
}

/* ---- mappings ------------------------------------------------------------ */

static size_t size(void)
{
	return images[0].size;
}

static void must(unsigned long request, const char *what)
{
	if (dm(request))
		die(what);
}

static void destroy(void)
{
	dm_start(NAME);
	must(DM_DEV_REMOVE, "it cannot be removed");
	unlink(node);
}

/* Returns false if the table is refused. */
static bool create(const char *target, const char *line)
{
	struct dm_ioctl *io = dm_start(NAME);
	struct dm_place place;

	must(DM_DEV_CREATE, "no mapping can be created");
	snprintf(node, sizeof(node), "/tmp/" NAME ".%u", minor(io->dev));
	unlink(node);
	if (mknod(node, S_IFBLK | 0600, io->dev))
		err(1, "%s", node);
	dm_start(NAME);
	place = dm_targets();
	snprintf(dm_params(&place), place.room, "%s", line);
	dm_target(&place, target, 0, size() / SECTOR);
	if (!dm(DM_TABLE_LOAD)) {
		dm_start(NAME);
		if (!dm(DM_DEV_SUSPEND))
			return true;
	}
	destroy();
	return false;
}

static void resume_conversion(void)
{
	struct dm_ioctl *io = dm_start(NAME);
	struct dm_target_msg *message = (void *)((char *)io + io->data_start);

	message->sector = 0;
	memcpy(message->message, RESUME, sizeof(RESUME));
	must(DM_TARGET_MSG, RESUME);
}

static bool is_done(void)
{
	struct dm_ioctl *io = dm_start(NAME);
	const char *status;

	must(DM_TABLE_STATUS, "no status");
	status = (char *)io + io->data_start + sizeof(struct dm_target_spec);
	if (strstr(status, "rekey:failed"))
		die("the conversion failed");
	return strstr(status, "rekey:done");
}

static void wait_until_done(void)
{
	unsigned int i;

	for (i = 0; i < PATIENCE / 10; i++) {
		if (is_done())
			return;
		usleep(10000);
	}
	die("the conversion does not end");
}

static void read_all(uint64_t *data)
{
	int fd = open(node, O_RDONLY | O_DIRECT);

	if (fd < 0 || pread(fd, data, size(), 0) != (ssize_t)size())
		die("it cannot be read");
	close(fd);
}

/* ---- states -------------------------------------------------------------- */

static uint64_t in_slot(unsigned int slot, size_t at, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, images[1].data + slot * SLOT_BYTES + at, bytes);
	return value;
}

static bool has_active_batch(void)
{
	unsigned int newest = in_slot(1, SEQUENCE, 8) > in_slot(0, SEQUENCE, 8);

	return in_slot(newest, BATCH_SECTORS, 4);
}

static void open_volume(const char *line, const char *start)
{
	if (create("xcrypt", line))
		return;
	/* the load begins when the conversion has begun */
	if (cut.mark)
		die("its table is refused");
	if (!create("xcrypt", start))
		die("it is refused with and without rekey_start");
	counts.begun++;
}

static void check_state(uint32_t unit, const char *line, const char *start,
			const char *plain)
{
	uint32_t later = 0, any = 0;

	cut_power(current, unit);
	counts.states++;
	counts.lost += !!cut.fates[LOST];
	counts.torn += !!cut.fates[TORN];
	counts.active += has_active_batch();

	open_volume(line, start);
	read_all(before);
	if (check_history(before, size() / SECTOR, cut.mark, &later, &any))
		die("wrong after recovery");
	counts.later += !!later;

	resume_conversion();
	wait_until_done();
	read_all(after);
	if (memcmp(before, after, size()))
		die("the rest of the conversion changed it");
	destroy();
	if (!create("crypt", plain))
		die("dm-crypt refuses it");
	read_all(after);
	if (memcmp(before, after, size()))
		die("dm-crypt reads something else with the new key");
	destroy();
}

int main(int argc, char **argv)
{
	unsigned int i, count;
	uint64_t first;
	char *device;

	if (argc != 11)
		errx(2, "see the head of record-states.c");
	first = strtoull(argv[1], NULL, 10);
	count = strtoul(argv[2], NULL, 10);
	load_log(argv[4]);
	load_history(argv[5]);
	for (i = 6; i < 8; i++) {
		device = strchr(argv[i], '=');
		if (!device)
			errx(2, "not BASE=DEVICE: %s", argv[i]);
		*device++ = 0;
		add_image(argv[i], device);
	}
	if (posix_memalign((void **)&before, 4096, size()) ||
	    posix_memalign((void **)&after, 4096, size()))
		errx(1, "no memory");
	for (i = 0; i < count; i++) {
		current = first + i;
		check_state(strtoul(argv[3], NULL, 10), argv[8], argv[9],
			    argv[10]);
	}
	printf("states:%u lost:%u torn:%u active:%u later:%u begun:%u\n",
	       counts.states, counts.lost, counts.torn, counts.active,
	       counts.later, counts.begun);
	return 0;
}

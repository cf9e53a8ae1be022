// SPDX-License-Identifier: GPL-2.0-only
/*
 * The steps of a trace.
 */
#include "steps.h"

#include <stdarg.h>

#include "disk.h"
#include "flight.h"
#include "replay.h"

/* The sectors of the state device that the model's areas are in. */
static sector_t areas[XC_AREAS];

static struct machine *const machine = &replay.machine;

/* ---- what several steps need --------------------------------------------- */

/* The present step is not possible. */
static void refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(replay.refusal, sizeof(replay.refusal), format, args);
	va_end(args);
}

/* What the code does rather than the present step. */
static const char *instead(void)
{
	struct volume *volume = machine->volume;

	if (machine->damaged && volume &&
	    volume_status(volume) == VOLUME_FAILED)
		return "the active batch cannot be recovered";
	if (flight_find_flush(DATA) != FLIGHT_NONE)
		return "the data device is flushed first";
	if (flight_find_flush(STATE) != FLIGHT_NONE)
		return "the state device is flushed first";
	if (flight_find_superblock() != FLIGHT_NONE)
		return "a superblock is written first";
	if (volume && replay.writer.busy && replay.writer.bio.io.passed)
		return "the converter waits for the write";
	if (volume && replay.reader.busy && replay.reader.bio.io.passed)
		return "the converter waits for the read";
	fail("the code does not come to this step");
}

/* Complete a bio, which must be in flight. */
static bool complete_bio(unsigned int index)
{
	if (index == FLIGHT_NONE)
		refuse("%s", instead());
	else
		disk_source.run(index);
	return true;
}

static bool complete_users(const struct bio *bio)
{
	if (!flight_complete_users(bio))
		fail("the user's bio is not in flight");
	return true;
}

/* ---- steps: each returns false if it has to be called again --------------- */

static bool step_flush_data(void)
{
	return machine->begins || machine->refused ||
		complete_bio(flight_find_flush(DATA));
}

static bool step_flush_state(void)
{
	return machine->begins || machine->refused ||
		complete_bio(flight_find_flush(STATE));
}

static bool step_superblock(void)
{
	unsigned int i = flight_find_superblock();
	unsigned int number, frontier, active;
	const struct xc_superblock *super;

	sscanf(trace_step(&replay.trace),
	       "superblock-write %u frontier %u active %u", &number, &frontier,
	       &active);
	if (i == FLIGHT_NONE && (active || flight_find_flush(DATA) !=
					   FLIGHT_NONE)) {
		refuse("%s", instead());
		return true;
	}
	if (i == FLIGHT_NONE) {
		/* without an area, the model does not flush it */
		complete_bio(flight_find_flush(STATE));
		return false;
	}
	super = flight_superblock(disk_pending(i));
	if (flight_number(super) != number ||
	    super->frontier != frontier * BATCH_SECTORS ||
	    super->batch_sectors != active * BATCH_SECTORS)
		fail("superblock %u is another one", number);
	machine->superblock = number;
	return true;
}

static bool step_commit(void)
{
	machine->recovers = false;
	return complete_bio(flight_find_superblock());
}

static bool step_open(void)
{
	unsigned int frontier, active;

	if (!machine->volume) {
		refuse("%s", instead());
		return true;
	}
	sscanf(trace_step(&replay.trace), "open frontier %u active %u",
	       &frontier, &active);
	if (machine->volume->gate->boundary != frontier * BATCH_SECTORS)
		fail("the boundary is sector %llu",
		     machine->volume->gate->boundary);
	machine->begins = false;
	machine->recovers = active;
	return true;
}

static bool step_forbidden(void)
{
	if (machine->refused)
		refuse("%s", replay.message);
	return true;
}

static bool step_hold_writes(void)
{
	unsigned int batch;

	sscanf(trace_step(&replay.trace), "hold-writes %u", &batch);
	machine->writes_end = max(machine->writes_end,
				  (batch + 1) * BATCH_SECTORS);
	return true;
}

static bool step_hold_reads(void)
{
	unsigned int sector;

	sscanf(trace_step(&replay.trace), "hold-reads %u", &sector);
	machine->reads_end = (sector + 1) * FLIGHT_SCALE;
	/* the code holds writes to the next batch before */
	machine->writes_end = round_up(machine->reads_end, BATCH_SECTORS) +
			     BATCH_SECTORS;
	return true;
}

static bool step_data_read(void)
{
	unsigned int sector;

	sscanf(trace_step(&replay.trace), "data-read %u", &sector);
	return complete_bio(flight_find_data(REQ_OP_READ, sector));
}

static bool step_data_write(void)
{
	unsigned int sector, i;

	sscanf(trace_step(&replay.trace), "data-write %u", &sector);
	i = flight_find_data(REQ_OP_WRITE, sector);
	if (i == FLIGHT_NONE && !machine->recovers && !machine->reads_end) {
		refuse("no batch is active");
		return true;
	}
	return complete_bio(i);
}

static bool step_area_write(void)
{
	unsigned int area, half, i;

	sscanf(trace_step(&replay.trace), "area-write %u %u", &area, &half);
	if (half && !replay.trace.journal)
		return true;
	i = flight_find_area(half);
	if (i != FLIGHT_NONE)
		areas[area] = disk_pending(i)->bi_iter.bi_sector -
			      half * FLIGHT_SCALE;
	return complete_bio(i);
}

static bool step_pause(void)
{
	replay_pause();
	return true;
}

/* A bio was submitted: has it passed, with this key? */
static void check_passed(const struct user *user, const char *key)
{
	const struct xc_io *io = &user->bio.io;
	bool new = io->cipher == &machine->volume->new;

	if (!io->passed)
		refuse("the gate holds it");
	else if (new != !strcmp(key, "new"))
		refuse("it has the %s key", new ? "new" : "old");
}

static bool step_map(struct user *user,
		     void (*begin)(struct user *user, struct volume *volume,
				   blk_opf_t flags))
{
	unsigned int sector;
	char key[8];

	sscanf(trace_step(&replay.trace), "map-%*s %u %7s", &sector, key);
	machine->submitted = !machine->submitted;
	if (!machine->submitted) {
		check_passed(user, key);
		return true;
	}
	user->bio.sector = sector * FLIGHT_SCALE;
	user->bio.count = FLIGHT_UNIT;
	begin(user, machine->volume, 0);
	return false;
}

static bool step_map_write(void)
{
	return step_map(&replay.writer, user_write);
}

static bool step_map_read(void)
{
	return step_map(&replay.reader, user_read);
}

static bool step_user_write(void)
{
	return complete_users(&replay.writer.bio.lower);
}

static bool step_user_read(void)
{
	return complete_users(&replay.reader.bio.lower);
}

static bool step_user_flush(void)
{
	user_flush(&replay.flusher, machine->volume);
	return complete_users(&replay.flusher.bio.base);
}

/* What else can be broken was noticed before. */
static bool step_broken(void)
{
	if (machine->damaged)
		fail("a batch with a damaged area is written");
	if (machine->volume && volume_status(machine->volume) == VOLUME_FAILED)
		fail("the active batch cannot be recovered");
	return true;
}

/* ---- crashes ------------------------------------------------------------- */

static const struct xc_superblock *superblock_in(const struct volatile_piece *piece)
{
	const struct xc_superblock *super = block_data(piece->piece.block);

	return memcmp(super->magic, XC_STATE_MAGIC, sizeof(super->magic)) ?
		NULL : super;
}

/* Is it in a sector of the model's area? */
static bool is_in_area(int slot, unsigned int area, unsigned int half)
{
	sector_t sector = areas[area];
	unsigned int i;

	if (!replay.trace.journal)
		return slot == image_slot(STATE, sector, BLOCK_ZERO);
	sector += half * FLIGHT_SCALE;
	for (i = 0; i < FLIGHT_SCALE; i++)
		if (slot == image_slot(STATE, sector + i, BLOCK_ZERO))
			return true;
	return false;
}

/* Is it in a sector of the model? */
static bool is_in(const struct volatile_piece *piece, const char *device,
		  unsigned int sector)
{
	const struct xc_superblock *super = superblock_in(piece);
	int slot = piece->piece.slot;

	if (slot < DATA_SECTORS_MAX)
		return !strcmp(device, "data") &&
			(slot - DATA_START) / FLIGHT_SCALE == sector;
	if (strcmp(device, "state"))
		return false;
	if (super)
		return flight_number(super) % XC_SLOTS == sector;
	return sector >= XC_SLOTS &&
		is_in_area(slot, sector / 2 - 1, sector % 2);
}

/* In a cache, as the model sees it. */
static bool is_cached(const struct volatile_piece *piece)
{
	const struct xc_superblock *super = superblock_in(piece);

	return piece->complete ||
		(super && flight_number(super) <= machine->superblock);
}

/* Of a unit that tears, the first sector is kept. */
static bool is_lost(const struct volatile_piece *piece, const char *verb)
{
	return strcmp(verb, "torn") ||
		(piece->piece.slot - DATA_START) % FLIGHT_UNIT;
}

/* The steps after a power cut: what is lost, torn and kept. */
static void lose(bool *kept)
{
	unsigned int sector, i;
	char verb[8], device[8];
	bool lost, any;

	while (sscanf(trace_step(&replay.trace), "%7s %7s %u", verb, device,
		      &sector) == 3 &&
	       (!strcmp(verb, "lost") || !strcmp(verb, "torn") ||
		!strcmp(verb, "kept"))) {
		lost = strcmp(verb, "kept");
		any = false;
		for (i = 0; i < replay.cut.count && lost; i++)
			if (is_cached(&replay.cut.pieces[i]) &&
			    is_in(&replay.cut.pieces[i], device, sector) &&
			    is_lost(&replay.cut.pieces[i], verb)) {
				kept[i] = false;
				any = true;
			}
		if (lost && !any) {
			refuse("it is durable");
			return;
		}
		replay.trace.at++;
	}
	replay.lost = !strcmp(trace_step(&replay.trace), "broken");
}

static bool crash(bool warm)
{
	bool kept[VOLATILE_MAX];
	struct image image;
	unsigned int i;

	for (i = 0; i < replay.log.count; i++)
		cut_advance(&replay.cut, &replay.log, i);
	for (i = 0; i < replay.cut.count; i++)
		kept[i] = is_cached(&replay.cut.pieces[i]);
	replay.trace.at++;
	if (warm) {
		cut_restart(&replay.cut, kept);
	} else {
		lose(kept);
		cut_image(&replay.cut, kept, &image);
		cut_init(&replay.cut, &image, &replay.cut.oracle);
		oracle_cut(&replay.cut.oracle);
	}
	machine->over = true;
	return false;
}

static bool step_cut(void)
{
	return crash(false);
}

static bool step_warm_crash(void)
{
	return crash(true);
}

/* ---- the trace ----------------------------------------------------------- */

static const struct {
	const char *name;
	bool (*func)(void);
} steps[] = {
	{ "flush data", step_flush_data },
	{ "flush state", step_flush_state },
	{ "superblock-write ", step_superblock },
	{ "commit ", step_commit },
	{ "open ", step_open },
	{ STEP_AGAIN, step_forbidden },
	{ STEP_OTHER_STATE, step_forbidden },
	{ STEP_DAMAGED, step_forbidden },
	{ STEP_AREA_DAMAGED, step_forbidden },
	{ "hold-writes ", step_hold_writes },
	{ "hold-reads ", step_hold_reads },
	{ "data-read ", step_data_read },
	{ "data-write ", step_data_write },
	{ "area-write ", step_area_write },
	{ "pause", step_pause },
	{ "map-write ", step_map_write },
	{ "map-read ", step_map_read },
	{ "user-write ", step_user_write },
	{ "user-read ", step_user_read },
	{ "user-flush", step_user_flush },
	{ "cut", step_cut },
	{ "warm crash", step_warm_crash },
	{ "broken", step_broken },
};

void steps_next(void)
{
	const char *step = trace_step(&replay.trace);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++)
		if (!strncmp(step, steps[i].name, strlen(steps[i].name)))
			break;
	if (i == ARRAY_SIZE(steps))
		fail("the step cannot be replayed");
	if (steps[i].func() && !*replay.refusal)
		replay.trace.at++;
}

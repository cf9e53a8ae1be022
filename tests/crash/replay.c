// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: replay <TRACE
 *
 * Drives the conversion along a trace of the model (tests/model/run explains the
 * steps), which leads to a broken promise there, without one of the cures.
 *
 * Tasks and work items run until all of them wait; then the next step happens.
 * Most steps are the completion of a bio, which must be in flight.  Two calls
 * of the gate wait for their step, too.
 *
 * Prints how it ends, and exits with
 *
 *	0	all steps were done, or the code refuses one; then the conversion
 *		finishes, and everything reads as it must
 *	1	a promise is broken where the model says so
 *	2	anything else
 */
#include "replay.h"

#include <stdarg.h>
#include <unistd.h>

#include "damage.h"
#include "disk.h"
#include "flight.h"
#include "load.h"
#include "session.h"
#include "steps.h"
#include "work.h"

struct replay replay;

static struct machine *const machine = &replay.machine;

/* ---- what other programs of the simulation have, too --------------------- */

void kernel_log(const char *format, ...)
{
	char *message = replay.message;
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(replay.message), format, args);
	va_end(args);
	message[strcspn(message, "\n")] = '\0';
}

/* A promise is broken. */
void fail(const char *format, ...)
{
	bool predicted = machine->free ? replay.lost :
					 trace_is_broken(&replay.trace);
	va_list args;

	printf(predicted ? "broken, as in the model: " : "FAILED: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	if (!predicted)
		printf("    step %u: %s\n", replay.trace.at + 1,
		       trace_step(&replay.trace));
	fflush(stdout);
	_exit(predicted ? 1 : 2);
}

/* (each time other ones: an instance knows what it wrote by its owner) */
void get_random_bytes(void *p, size_t size)
{
	static u8 calls;

	memset(p, ++calls, size);
}

/* ---- the gate, before it holds bios --------------------------------------- */

void __wrap_xc_gate_hold_writes(struct xc_gate *gate, sector_t end)
{
	wait_event(machine->changed,
		   machine->free || end <= machine->writes_end);
	__real_xc_gate_hold_writes(gate, end);
}

void __wrap_xc_gate_hold_reads(struct xc_gate *gate, sector_t end)
{
	wait_event(machine->changed,
		   machine->free || end <= machine->reads_end);
	__real_xc_gate_hold_reads(gate, end);
}

/* ---- the administrator --------------------------------------------------- */

static void administrate(void (*func)(void *arg))
{
	machine->administrators++;
	sched_spawn(func, NULL);
}

static void administrated(void)
{
	machine->administrators--;
	wake_up(&machine->changed);
}

static bool opens_with(const char *step)
{
	return !machine->free && trace_opens_with(&replay.trace, step);
}

/* The model's, with units that may tear. */
static struct geometry geometry = {
	.sectors = FLIGHT_SECTORS,
	.resilience = XC_RESILIENCE_CHECKSUM,
	.keys = { 1, 2 },
	.sizes = { FLIGHT_UNIT * SECTOR_SIZE, FLIGHT_UNIT * SECTOR_SIZE },
};

static int create(struct volume **volume)
{
	bool again = opens_with(STEP_AGAIN);
	int err = -EEXIST;

	if (again || !oracle_current.started)
		err = volume_create(volume, &geometry, geometry.sectors,
				    true, false);
	if (err == -EEXIST && !again)
		err = volume_create(volume, &geometry, geometry.sectors,
				    false, false);
	return err;
}

static void load_table(void *arg)
{
	struct volume *volume;
	int err = create(&volume) ?: volume_resume(volume);

	if (!err) {
		log_add(&(struct record) { .type = LOG_STARTED });
		machine->volume = volume;
	} else if (opens_with(STEP_AGAIN) || opens_with(STEP_OTHER_STATE) ||
		   opens_with(STEP_DAMAGED)) {
		machine->refused = true;
	} else {
		fail("%s", replay.message);
	}
	administrated();
}

static void pause_and_resume(void *arg)
{
	xc_rekey_pause(machine->volume->rekey);
	xc_rekey_continue(machine->volume->rekey, false);
	administrated();
}

void replay_pause(void)
{
	administrate(pause_and_resume);
}

/* ---- turns --------------------------------------------------------------- */

static bool no_steps_left(void)
{
	return *replay.refusal || !*trace_step(&replay.trace);
}

static unsigned int ready(void)
{
	if (machine->free)
		return disk_source.ready();
	return sched_is_idle() && !work_source.ready() && !machine->over;
}

static void run(unsigned int index)
{
	if (machine->free) {
		disk_source.run(index);
		return;
	}
	if (flight_complete_silently())
		return;
	steps_next();
	machine->over |= (machine->refused || machine->damaged) &&
			 *replay.refusal;
	machine->free = no_steps_left() && !machine->over;
	if (machine->free || machine->over)
		wake_up(&machine->ended);
	/* after a crash, nothing else runs */
	if (!machine->over)
		wake_up(&machine->changed);
}

static const struct sched_source replay_source = {
	.ready = ready,
	.run = run,
	.weight = 1,
};

/* ---- sessions ------------------------------------------------------------ */

static void wake_machine(struct user *user)
{
	wake_up(&machine->changed);
}

/* What the devices hold, and what the trace wants of the state device. */
static void get_image(struct image *image)
{
	const struct xc_superblock *super;
	bool kept[VOLATILE_MAX];
	unsigned int i;

	memset(kept, true, sizeof(kept));
	cut_image(&replay.cut, kept, image);
	super = image_superblock(image);
	if (opens_with(STEP_OTHER_STATE))
		for (i = DATA_SECTORS_MAX; i < SLOTS; i++)
			image->blocks[i] = BLOCK_ZERO;
	if (opens_with(STEP_DAMAGED))
		damage_block(image, (super->sequence - 1) % XC_SLOTS *
			     XC_SLOT_SECTORS,
			     offsetof(struct xc_superblock, owner));
	if (machine->damaged)
		damage_block(image, XC_AREAS_START +
			     super->batch_area * super->area_sectors, 0);
}

static void power_on(void)
{
	struct image image;

	*machine = (struct machine) { .free = no_steps_left() };
	machine->begins = opens_with("superblock-write 1 ");
	machine->damaged = opens_with(STEP_AREA_DAMAGED);
	init_waitqueue_head(&machine->changed);
	init_waitqueue_head(&machine->ended);
	replay.writer = (struct user) { .ended = wake_machine };
	replay.reader = (struct user) { .ended = wake_machine };
	replay.flusher = (struct user) { .ended = wake_machine };
	get_image(&image);
	oracle_current = replay.cut.oracle;
	log_reset(&replay.log);
	sched_reset(1);
	sched_add_source(&work_source);
	sched_add_source(&replay_source);
	work_reset();
	disk_reset(&image, geometry_unit(&geometry) << SECTOR_SHIFT, 0);
	disk_set_length(geometry.sectors);
}

/* After the trace: everything that is in flight ends, and all is converted. */
static void finish(void)
{
	struct volume *volume;

	wait_event(machine->changed, !machine->administrators &&
		   !replay.writer.busy && !replay.reader.busy);
	volume = machine->volume;
	wait_event(volume->table.events,
		   volume_status(volume) == VOLUME_DONE ||
		   volume_status(volume) == VOLUME_FAILED);
	if (volume_status(volume) == VOLUME_FAILED)
		fail("%s", replay.message);
	load_check_all(volume);
	volume_suspend(volume);
	volume_destroy(volume);
}

static void supervise(void *arg)
{
	administrate(load_table);
	wait_event(machine->ended, machine->free || machine->over);
	if (machine->free)
		finish();
}

int main(void)
{
	struct oracle oracle;
	struct image image;

	if (!trace_read(&replay.trace, stdin)) {
		fprintf(stderr, "Usage: replay <TRACE\n");
		return 2;
	}
	if (replay.trace.journal)
		geometry.resilience = XC_RESILIENCE_JOURNAL;
	session_format(&image, &geometry);
	oracle_reset(&oracle, 0);
	cut_init(&replay.cut, &image, &oracle);
	do {
		power_on();
		sched_run(supervise, NULL);
	} while (machine->over);
	if (*replay.refusal)
		printf("refused by the code: %s: %s\n",
		       trace_step(&replay.trace), replay.refusal);
	else
		printf("each step is possible, and no promise is broken\n");
	fflush(stdout);
	/* what crashes have left is no memory leak */
	_exit(0);
}

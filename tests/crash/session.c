// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions: a volume from power on to its end, with an administrator who loads
 * its table, and pauses, suspends and reloads it now and then.
 */
#include "session.h"

#include "disk.h"
#include "load.h"
#include "volume.h"
#include "work.h"

/* The longest wait between two events, in ms. */
#define EVENT_MS 20
#define BIOS_AFTER_FAULTS 10
/* No volume is shorter. */
#define LENGTH_MIN 8

/* The length of the volume, that its next table will have. */
static unsigned int length;

void session_format(struct image *image, const struct geometry *geometry)
{
	u8 key[TOY_KEY_SIZE], data[SECTOR_SIZE];
	struct xc_cipher old;
	unsigned int i;

	memset(image, 0, sizeof(*image));
	toy_init(&old, key, geometry->keys[0], geometry->sizes[0]);
	for (i = 0; i < geometry->sectors; i++) {
		if (geometry->blank & BIT(i))
			continue;
		oracle_fill(data, i, 0);
		toy_encrypt(&old, i, data);
		image->blocks[DATA_START + i] = block_add(data);
	}
}

/* ---- lengths ------------------------------------------------------------- */

unsigned int session_choose_length(struct random *random,
				   const struct image *image,
				   const struct geometry *geometry)
{
	unsigned int least = max(image_least_length(image), LENGTH_MIN);
	unsigned int unit = geometry_unit(geometry), chosen;

	if (!image_length(image))
		return geometry->sectors;
	switch (random_below(random, 12)) {
	case 0:
		return least;
	case 1:
		return round_down(LENGTH_MAX, unit);
	case 2:
		chosen = least + random_below(random, LENGTH_MAX - least + 1);
		return max(round_down(chosen, unit), least);
	default:
		return image_length(image);
	}
}

/* From now on, the volume may have this length. */
static void set_length(unsigned int new)
{
	if (new < length)
		log_add(&(struct record) { .type = LOG_SHRUNK, .first = new });
	length = new;
	disk_set_length(length);
}

/* A length was refused: is that right? */
static void check_refusal(unsigned int refused)
{
	if (refused >= image_least_length(disk_image()))
		fail("the length %u is refused", refused);
}

static void must_not_shrink(const struct session *session)
{
	unsigned int least = image_least_length(disk_image());
	struct volume *volume;
	int err;

	if (!least)
		return;
	least -= geometry_unit(&session->geometry);
	err = volume_create(&volume, &session->geometry, least, false, true);
	if (!err)
		fail("the length %u is accepted, which is too short", least);
	if (err != -EINVAL && err != -EIO && err != -EUCLEAN)
		fail("a short length is refused with error %d", err);
}

/* ---- loading a table ----------------------------------------------------- */

/* A line with rekey_start, for a state that may be there, must be refused. */
static void must_not_load(const struct session *session, bool begin, int reason)
{
	struct volume *volume;
	int err = volume_create(&volume, &session->geometry, length, begin,
				true);

	if (!err)
		fail(begin ? "rekey_start is accepted with a state" :
			     "a line without rekey_start is accepted without a state");
	if (err != reason && err != -EIO)
		fail("a table is refused with error %d, not %d", err, reason);
}

/*
 * If the user was not told that the conversion has begun, either it has or it
 * has not.
 */
static int try_load(const struct session *session, unsigned int new,
		    struct volume **volume)
{
	bool paused = session->recover_only, begun = oracle_current.started;
	int err;

	if (!begun) {
		err = volume_create(volume, &session->geometry, new, true,
				    paused);
		if (err != -EEXIST)
			return err;
		begun = true;
	}
	if (random_once(&sched_random, 8))
		must_not_load(session, true, -EEXIST);
	if (random_once(&sched_random, 8))
		must_not_shrink(session);
	return volume_create(volume, &session->geometry, new, false, paused);
}

/*
 * @busy: another table writes the state meanwhile, which may look damaged, or have
 * converted what would be cut off: then returns NULL.
 */
static struct volume *create(const struct session *session, unsigned int new,
			     bool busy)
{
	struct volume *volume;
	int err;

	do
		err = try_load(session, new, &volume);
	while ((err == -EIO && session->faults) || (err == -EUCLEAN && busy));
	if (err == -EINVAL && busy) {
		check_refusal(new);
		return NULL;
	}
	if (err)
		fail("the table cannot be loaded: error %d", err);
	/* before it is resumed, so that no bio fails because it is not allowed */
	if (session->bad)
		xc_rekey_continue(volume->rekey, true);
	return volume;
}

static struct volume *load_table(const struct session *session)
{
	bool blank = !image_superblock(disk_image());
	struct volume *volume;
	int err;

	if (blank && random_once(&sched_random, 4))
		must_not_load(session, false, -ENODATA);
	do {
		volume = create(session, length, false);
		err = volume_resume(volume);
		if (err)
			volume_destroy(volume);
	} while (err == -EIO && session->faults);
	if (err)
		fail("the table cannot be resumed: error %d", err);
	if (!oracle_current.started)
		log_add(&(struct record) { .type = LOG_STARTED });
	return volume;
}

/* ---- events -------------------------------------------------------------- */

static void pass_time(struct volume *volume)
{
	u64 end = sched_clock() +
		  random_below(&sched_random, EVENT_MS * NSEC_PER_MSEC);

	while (wait_sleep_until(&volume->table.events, end))
		;
}

static void resume(const struct session *session, struct volume *volume)
{
	int err;

	do
		err = volume_resume(volume);
	while (err == -EIO && session->faults);
	if (err)
		fail("the table cannot be resumed: error %d", err);
}

static void suspend_and_resume(const struct session *session,
			       struct volume *volume)
{
	volume_suspend(volume);
	resume(session, volume);
}

/*
 * Load the line again, perhaps of another length, while it converts; suspend, and
 * resume the new one.
 */
static struct volume *reload(const struct session *session,
			     struct volume *volume)
{
	unsigned int was = length;
	unsigned int new = session_choose_length(&sched_random, disk_image(),
						 &session->geometry);
	struct volume *next = create(session, new, true);
	int err;

	if (!next)
		return volume;
	pass_time(volume);
	load_attach(NULL);
	volume_suspend(volume);
	set_length(new);
	err = volume_resume(next);
	if (err) {
		volume_destroy(next);
		if (err == -EINVAL)
			check_refusal(new);
		/* it was converted meanwhile */
		if (new < image_least_length(disk_image()))
			set_length(was);
		next = load_table(session);
	}
	volume_destroy(volume);
	load_attach(next);
	return next;
}

static struct volume *event(const struct session *session,
			    struct volume *volume)
{
	pass_time(volume);
	switch (random_below(&sched_random, 5)) {
	case 0:
		xc_rekey_pause(volume->rekey);
		pass_time(volume);
		xc_rekey_continue(volume->rekey, session->bad);
		break;
	case 1:
		xc_rekey_set_speed(volume->rekey,
				   1 + random_below(&sched_random, 64));
		pass_time(volume);
		break;
	case 2:
		xc_rekey_set_speed(volume->rekey, 0);
		break;
	case 3:
		suspend_and_resume(session, volume);
		break;
	case 4:
		volume = reload(session, volume);
		break;
	}
	return volume;
}

static void finish(struct volume *volume)
{
	xc_rekey_set_speed(volume->rekey, 0);
	wait_event(volume->table.events,
		   volume_status(volume) == VOLUME_DONE ||
		   volume_status(volume) == VOLUME_FAILED);
	if (volume_status(volume) == VOLUME_FAILED)
		fail("the conversion stops with an error");
}

/* After the last error of a device, rekey resume helps, and no bio fails. */
static void mend(struct volume *volume)
{
	disk_mend();
	xc_rekey_pause(volume->rekey);
	xc_rekey_continue(volume->rekey, false);
	while (volume_status(volume) == VOLUME_FAILED)
		pass_time(volume);
	load_continue(BIOS_AFTER_FAULTS);
	load_wait();
}

/* True if this sector, and its chunk, can be read and were never written. */
static bool never_written(unsigned int sector)
{
	unsigned int i = sector < CHUNK_SECTORS ? 0 : sector - CHUNK_SECTORS + 1;

	for (; i < min(sector + CHUNK_SECTORS, LENGTH_MAX); i++)
		if (!(oracle_current.blank & BIT(i)) ||
		    oracle_current.begun[i] || oracle_current.lost[i])
			return false;
	return true;
}

/* With rekey_sparse, the conversion does not write there either. */
static void check_sparse(const struct geometry *geometry)
{
	unsigned int i;

	if (geometry->sparse != SPARSE_ALWAYS)
		return;
	for (i = 0; i < length; i++)
		if (never_written(i) &&
		    disk_has_written(DATA_START + i))
			fail("sector %u was never written by a user, but is by the conversion", i);
}

/* Check the end, after all that the converter had to do. */
static void check_end(const struct session *session,
		      const struct volume *volume)
{
	if (volume_status(volume) != VOLUME_DONE || session->recover_only)
		return;
	if (!image_areas_are_erased(disk_image()))
		fail("the areas are not erased at the end");
	if (volume->old.key_valid)
		fail("the old key is kept after the end");
}

/* The device has bad sectors: whole logical blocks. */
static void set_bad(const struct session *session)
{
	unsigned int i, unit = geometry_unit(&session->geometry);
	u64 bad = 0;

	for (i = 0; i < length; i += unit) {
		if (!(session->bad & BIT(i)))
			continue;
		bad |= (BIT(unit) - 1) << i;
		log_add(&(struct record) {
			.type = LOG_BAD,
			.first = i,
			.count = unit,
		});
	}
	disk_set_bad(bad << DATA_START);
}

static void run(void *arg)
{
	const struct session *session = arg;
	struct volume *volume;
	unsigned int i;

	set_length(session->length);
	set_bad(session);
	volume = load_table(session);
	load_attach(volume);
	if (session->recover_only)
		xc_rekey_pause(volume->rekey);
	for (i = 0; i < session->events; i++)
		volume = event(session, volume);
	load_wait();
	if (session->faults)
		mend(volume);
	if (session->to_the_end)
		finish(volume);
	load_check_all(volume);
	volume_suspend(volume);
	check_sparse(&session->geometry);
	check_end(session, volume);
	volume_destroy(volume);
}

void session_power_on(const struct session *session, const struct image *image,
		      const struct oracle *oracle, struct log *log)
{
	oracle_current = *oracle;
	log_reset(log);
	sched_reset(session->seed);
	work_reset();
	sched_add_source(&work_source);
	sched_add_source(&disk_source);
	if (session->bios)
		sched_add_source(&load_source);
	disk_reset(image, geometry_unit(&session->geometry) << SECTOR_SHIFT,
		   session->faults);
	length = image_length(image) ?: session->length;
	disk_set_length(length);
	load_reset(session->bios, session->faults);
}

void session_run(const struct session *session, const struct image *image,
		 const struct oracle *oracle, struct log *log)
{
	session_power_on(session, image, oracle, log);
	sched_run(run, (void *)session);
}

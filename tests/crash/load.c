// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users of a volume.
 */
#include "load.h"

#include "oracle.h"
#include "user.h"

#define USERS 5

static struct user users[USERS];
static struct volume *attached;
static unsigned int bios_left;
static struct wait_queue_head finished = { LIST_HEAD_INIT(finished.tasks) };

static unsigned int busy_users(void)
{
	unsigned int i, count = 0;

	for (i = 0; i < USERS; i++)
		count += users[i].busy;
	return count;
}

static void ended(struct user *user)
{
	if (!bios_left && !busy_users())
		wake_up(&finished);
}

/* Mostly near the boundary, where the converter is. */
static void choose_place(struct user_bio *bio)
{
	unsigned int sectors = attached->ti.len;
	unsigned int at = random_below(&sched_random, sectors);

	if (random_below(&sched_random, 4))
		at = attached->gate->boundary +
		     random_below(&sched_random, 3 * BATCH_SECTORS);
	bio->count = 1 + random_below(&sched_random, USER_SECTORS_MAX);
	bio->count = round_up(bio->count, attached->unit);
	at = at < bio->count ? 0 : at - bio->count;
	bio->sector = min(round_down(at, attached->unit), sectors - bio->count);
}

/* Of two writes to a sector at a time, either could be the last. */
static bool overlaps_write(const struct user_bio *bio)
{
	const struct user_bio *other;
	unsigned int i;

	for (i = 0; i < USERS; i++) {
		other = &users[i].bio;
		if (users[i].busy && bio_data_dir(&other->base) == WRITE &&
		    other->sector < bio->sector + bio->count &&
		    bio->sector < other->sector + other->count)
			return true;
	}
	return false;
}

static bool flush_in_flight(void)
{
	unsigned int i;

	for (i = 0; i < USERS; i++)
		if (users[i].busy && (users[i].bio.base.bi_opf & REQ_PREFLUSH))
			return true;
	return false;
}

static unsigned int ready(void)
{
	return attached && !attached->frozen && bios_left ?
		USERS - busy_users() : 0;
}

static void run(unsigned int index)
{
	unsigned int choice = random_below(&sched_random, 100);
	struct user *user = users;

	while (user->busy || index--)
		user++;
	bios_left--;
	user->ended = ended;
	choose_place(&user->bio);
	if (choice < 8 && !flush_in_flight())
		user_flush(user, attached);
	else if (choice < 45 || overlaps_write(&user->bio))
		user_read(user, attached, random_once(&sched_random, 8) ?
					  REQ_RAHEAD : 0);
	else if (choice < 50)
		user_discard(user, attached);
	else
		user_write(user, attached, random_once(&sched_random, 6) ?
					   REQ_FUA : 0);
}

const struct sched_source load_source = {
	.ready = ready,
	.run = run,
	.weight = 1,
};

/* ---- for sessions -------------------------------------------------------- */

void load_reset(unsigned int bios, bool may_fail)
{
	bios_left = bios;
	user_allow_failures(may_fail);
	attached = NULL;
}

void load_attach(struct volume *volume)
{
	attached = volume;
}

void load_continue(unsigned int bios)
{
	bios_left += bios;
	user_allow_failures(false);
}

void load_wait(void)
{
	wait_event(finished, !bios_left && !busy_users());
}

static struct completion checked;

static void wake_checker(struct user_bio *bio)
{
	complete(&checked);
}

/* Read sectors, and check them. */
static bool check(struct volume *volume, unsigned int sector, unsigned int count)
{
	static struct user_bio bio;
	unsigned int i;

	init_completion(&checked);
	bio.sector = sector;
	bio.count = count;
	bio.done = wake_checker;
	volume_submit(volume, &bio, REQ_OP_READ);
	wait_for_completion(&checked);
	if (bio.base.bi_status)
		return false;
	for (i = 0; i < count; i++)
		oracle_check(&oracle_current, sector + i,
			     bio.data + i * SECTOR_SIZE,
			     oracle_current.written[sector + i]);
	return true;
}

void load_check_all(struct volume *volume)
{
	unsigned int i;

	if (check(volume, 0, volume->ti.len))
		return;
	for (i = 0; i < volume->ti.len; i += volume->unit)
		if (!check(volume, i, volume->unit) &&
		    !oracle_may_fail(&oracle_current, i,
				     oracle_current.written[i]))
			fail("sector %u cannot be read", i);
}

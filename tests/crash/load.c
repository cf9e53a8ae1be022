// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users of a volume.
 */
#include "load.h"

#include "disk.h"
#include "log.h"
#include "oracle.h"

#define USERS 5
#define SECTORS_MAX 6

/**
 * struct user - a user, who has a bio at a time
 * @busy: it is in flight
 * @begun: record of its beginning
 * @oldest: for a read: the oldest version that each sector may have
 */
struct user {
	struct user_bio bio;
	bool busy;
	u32 begun;
	u16 oldest[SECTORS_MAX];
};

static struct user users[USERS];
static struct volume *attached;
static unsigned int bios_left;
static bool failures_allowed;
static struct wait_queue_head finished = { LIST_HEAD_INIT(finished.tasks) };

static unsigned int busy_users(void)
{
	unsigned int i, count = 0;

	for (i = 0; i < USERS; i++)
		count += users[i].busy;
	return count;
}

/* ---- the end of bios ----------------------------------------------------- */

static void log_end(const struct user *user, enum record_type type)
{
	log_add(&(struct record) {
		.type = type,
		.begun = user->begun,
		.first = user->bio.sector,
		.count = user->bio.count,
	});
}

static void check_read(const struct user *user)
{
	const struct user_bio *bio = &user->bio;
	unsigned int i;

	for (i = 0; i < bio->count; i++)
		oracle_check(&oracle_current, bio->sector + i,
			     bio->data + i * SECTOR_SIZE, user->oldest[i]);
}

static void bio_done(struct user_bio *bio)
{
	struct user *user = container_of(bio, struct user, bio);
	blk_opf_t opf = bio->base.bi_opf;

	user->busy = false;
	if (bio->base.bi_status && !failures_allowed && !(opf & REQ_RAHEAD))
		fail("a bio of sector %llu fails", bio->sector);
	else if (bio->base.bi_status)
		log_end(user, LOG_USER_FAILED);
	else if (opf & REQ_PREFLUSH)
		log_end(user, LOG_USER_FLUSHED);
	else if (!op_is_write(opf & REQ_OP_MASK))
		check_read(user);
	else
		log_end(user, opf & REQ_FUA ? LOG_USER_DURABLE :
					      LOG_USER_WRITTEN);
	if (!bios_left && !busy_users())
		wake_up(&finished);
}

/* ---- the beginning ------------------------------------------------------- */

/* Mostly near the boundary, where the converter is. */
static void choose_place(struct user_bio *bio)
{
	unsigned int sectors = attached->ti.len;
	unsigned int at = random_below(&sched_random, sectors);

	if (random_below(&sched_random, 4))
		at = attached->gate->boundary +
		     random_below(&sched_random, 3 * BATCH_SECTORS);
	bio->count = 1 + random_below(&sched_random, SECTORS_MAX);
	at = at < bio->count ? 0 : at - bio->count;
	bio->sector = min(at, sectors - bio->count);
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

static void begin(struct user *user, enum record_type type, blk_opf_t opf)
{
	user->begun = log_add(&(struct record) {
		.type = type,
		.first = user->bio.sector,
		.count = user->bio.count,
	});
	volume_submit(attached, &user->bio, opf);
}

static void begin_write(struct user *user)
{
	struct user_bio *bio = &user->bio;
	unsigned int i;

	for (i = 0; i < bio->count; i++)
		oracle_fill(bio->data + i * SECTOR_SIZE, bio->sector + i,
			    oracle_current.begun[bio->sector + i] + 1);
	begin(user, LOG_USER_WRITE, random_once(&sched_random, 6) ?
				    REQ_OP_WRITE | REQ_FUA : REQ_OP_WRITE);
}

static void begin_read(struct user *user)
{
	struct user_bio *bio = &user->bio;

	memcpy(user->oldest, &oracle_current.written[bio->sector],
	       bio->count * sizeof(u16));
	volume_submit(attached, bio, random_once(&sched_random, 8) ?
				     REQ_OP_READ | REQ_RAHEAD : REQ_OP_READ);
}

static void begin_flush(struct user *user)
{
	user->bio.sector = 0;
	user->bio.count = 0;
	begin(user, LOG_USER_FLUSH, REQ_OP_WRITE | REQ_PREFLUSH);
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
	user->bio.done = bio_done;
	choose_place(&user->bio);
	user->busy = true;
	user->bio.base.bi_opf = REQ_OP_READ;
	if (choice < 8 && !flush_in_flight())
		begin_flush(user);
	else if (choice < 45 || overlaps_write(&user->bio))
		begin_read(user);
	else if (choice < 50)
		begin(user, LOG_USER_DISCARD, REQ_OP_DISCARD);
	else
		begin_write(user);
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
	failures_allowed = may_fail;
	attached = NULL;
}

void load_attach(struct volume *volume)
{
	attached = volume;
}

void load_continue(unsigned int bios)
{
	bios_left += bios;
	failures_allowed = false;
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

void load_check_all(struct volume *volume)
{
	static struct user_bio bio;
	unsigned int i;

	init_completion(&checked);
	bio.sector = 0;
	bio.count = volume->ti.len;
	bio.done = wake_checker;
	volume_submit(volume, &bio, REQ_OP_READ);
	wait_for_completion(&checked);
	if (bio.base.bi_status)
		fail("the volume cannot be read");
	for (i = 0; i < bio.count; i++)
		oracle_check(&oracle_current, i, bio.data + i * SECTOR_SIZE,
			     oracle_current.written[i]);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user of a volume.
 */
#include "user.h"

#include "log.h"
#include "oracle.h"

static bool failures_allowed;

void user_allow_failures(bool allowed)
{
	failures_allowed = allowed;
}

/* ---- the end of a bio ---------------------------------------------------- */

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

static bool read_may_fail(const struct user *user)
{
	const struct user_bio *bio = &user->bio;
	unsigned int i;

	for (i = 0; i < bio->count; i++)
		if (oracle_may_fail(&oracle_current, bio->sector + i,
				    user->oldest[i]))
			return true;
	return false;
}

static bool may_fail(const struct user *user)
{
	blk_opf_t opf = user->bio.base.bi_opf;

	return failures_allowed || (opf & REQ_RAHEAD) ||
		(!op_is_write(opf & REQ_OP_MASK) && read_may_fail(user));
}

static void end(struct user_bio *bio)
{
	struct user *user = container_of(bio, struct user, bio);
	blk_opf_t opf = bio->base.bi_opf;

	user->busy = false;
	if (bio->base.bi_status && !may_fail(user))
		fail("a bio of sector %llu fails", bio->sector);
	else if (bio->base.bi_status)
		log_end(user, LOG_USER_FAILED);
	else if (opf & REQ_PREFLUSH)
		log_end(user, LOG_USER_FLUSHED);
	else if (!op_is_write(opf & REQ_OP_MASK))
		check_read(user);
	else
		/* a write to a sector that was listed is durable when it ends */
		log_end(user, opf & REQ_FUA || bio->io.listed ?
			LOG_USER_DURABLE : LOG_USER_WRITTEN);
	if (user->ended)
		user->ended(user);
}

/* ---- the beginning ------------------------------------------------------- */

static void submit(struct user *user, struct volume *volume, blk_opf_t opf)
{
	user->busy = true;
	user->bio.done = end;
	volume_submit(volume, &user->bio, opf);
}

static void begin(struct user *user, enum record_type type)
{
	user->begun = log_add(&(struct record) {
		.type = type,
		.first = user->bio.sector,
		.count = user->bio.count,
	});
}

void user_write(struct user *user, struct volume *volume, blk_opf_t flags)
{
	struct user_bio *bio = &user->bio;
	unsigned int i;

	for (i = 0; i < bio->count; i++)
		oracle_fill(bio->data + i * SECTOR_SIZE, bio->sector + i,
			    oracle_current.begun[bio->sector + i] + 1);
	begin(user, LOG_USER_WRITE);
	submit(user, volume, REQ_OP_WRITE | flags);
}

void user_read(struct user *user, struct volume *volume, blk_opf_t flags)
{
	struct user_bio *bio = &user->bio;

	memcpy(user->oldest, &oracle_current.written[bio->sector],
	       bio->count * sizeof(u16));
	submit(user, volume, REQ_OP_READ | flags);
}

void user_discard(struct user *user, struct volume *volume)
{
	begin(user, LOG_USER_DISCARD);
	submit(user, volume, REQ_OP_DISCARD);
}

void user_flush(struct user *user, struct volume *volume)
{
	user->bio.sector = 0;
	user->bio.count = 0;
	begin(user, LOG_USER_FLUSH);
	submit(user, volume, REQ_OP_WRITE | REQ_PREFLUSH);
}

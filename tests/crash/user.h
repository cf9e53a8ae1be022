/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A user of a volume, who has a bio at a time, and checks what is read.
 */
#ifndef _XC_CRASH_USER_H
#define _XC_CRASH_USER_H

#include "volume.h"

/* The length of a bio, at most. */
#define USER_SECTORS_MAX 6

/**
 * struct user - a user
 * @bio: the bio; its sector and count are set before a read, a write or a discard
 * @busy: it is in flight
 * @begun: record of its beginning
 * @oldest: for a read: the oldest version that each sector may have
 * @ended: called when the bio has ended; may be NULL
 */
struct user {
	struct user_bio bio;
	bool busy;
	u32 begun;
	u16 oldest[USER_SECTORS_MAX];
	void (*ended)(struct user *user);
};

/* May bios fail, of all users? */
void user_allow_failures(bool allowed);

/* @flags: of the bio */
void user_read(struct user *user, struct volume *volume, blk_opf_t flags);
void user_write(struct user *user, struct volume *volume, blk_opf_t flags);
void user_discard(struct user *user, struct volume *volume);
void user_flush(struct user *user, struct volume *volume);

#endif

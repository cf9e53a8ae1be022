/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle: what each sector of the volume may read as.
 *
 * Each write of a sector by the user is a version of it.  The content of a
 * version is known; that of some is zeros.  A discard is a version, too: the
 * device's zeros, under either key.  It may be the other one than when it was
 * discarded: recovery takes zeros for old if they were there when the batch was read.
 * A sector that was never written reads likewise.  What a sector holds that was not
 * in the volume for a while is not known.
 *
 * What the data device cannot read may be lost: then reads of it fail until it is
 * written, or find zeros at the end.
 */
#ifndef _XC_CRASH_ORACLE_H
#define _XC_CRASH_ORACLE_H

#include "log.h"

/* Flushes of the user that are in flight. */
#define USER_FLUSHES_MAX 4

/**
 * struct oracle - what is known
 * @started: the user was told that the conversion has begun
 * @blank: sectors whose first version is the device's zeros, a bit for each
 * @unknown: sectors that left the volume, likewise
 * @durable: the newest version of each sector that must survive a power cut
 * @written: the newest version that is written
 * @begun: the newest version
 * @discarded: the newest version that is a discard
 * @lost: 1 more than the newest version that may be lost; 0: none
 * @flushes: records of the user's flushes, with what they make durable
 */
struct oracle {
	bool started;
	u64 blank;
	u64 unknown;
	u16 durable[DATA_SECTORS_MAX];
	u16 written[DATA_SECTORS_MAX];
	u16 begun[DATA_SECTORS_MAX];
	u16 discarded[DATA_SECTORS_MAX];
	u16 lost[DATA_SECTORS_MAX];
	struct {
		bool used;
		u32 record;
		u16 written[DATA_SECTORS_MAX];
	} flushes[USER_FLUSHES_MAX];
};

/* The oracle of the log that is being written. */
extern struct oracle oracle_current;

/* @blank: sectors that were never written */
void oracle_reset(struct oracle *oracle, u64 blank);
/* Power is cut: what is durable is all that is sure. */
void oracle_cut(struct oracle *oracle);
/* The machine restarts: what the devices have is sure as before. */
void oracle_restart(struct oracle *oracle);
void oracle_apply(struct oracle *oracle, const struct log *log, u32 index);
u64 oracle_hash(const struct oracle *oracle);

void oracle_fill(void *data, sector_t sector, unsigned int version);
/* May reads of a sector fail, if @oldest is the oldest version that it may have? */
bool oracle_may_fail(const struct oracle *oracle, sector_t sector,
		     unsigned int oldest);
/* Fails if @data is none of the versions from @oldest on. */
void oracle_check(const struct oracle *oracle, sector_t sector,
		  const void *data, unsigned int oldest);

#endif

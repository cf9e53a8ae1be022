/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Users of a volume: reads, writes, discards and flushes, several at a time.
 */
#ifndef _XC_CRASH_LOAD_H
#define _XC_CRASH_LOAD_H

#include "sched.h"
#include "volume.h"

extern const struct sched_source load_source;

/* How many bios are to come, and whether some may fail. */
void load_reset(unsigned int bios, bool may_fail);
/* The volume that they are for; NULL: none comes now. */
void load_attach(struct volume *volume);
/* From now on, none may fail. */
void load_continue(unsigned int bios);
/* Wait until they have come. */
void load_wait(void);
/* Read the whole volume, and compare. */
void load_check_all(struct volume *volume);

#endif

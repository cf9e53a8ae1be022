/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work items, as a source of events for the scheduler.
 */
#ifndef _XC_CRASH_WORK_H
#define _XC_CRASH_WORK_H

#include "sched.h"

extern const struct sched_source work_source;

/* Power on: forget what is left. */
void work_reset(void);

#endif

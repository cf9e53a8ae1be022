/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps of a trace.
 */
#ifndef _XC_CRASH_STEPS_H
#define _XC_CRASH_STEPS_H

/* Steps that must have been refused. */
#define STEP_AGAIN "rekey_start again"
#define STEP_OTHER_STATE "another state device"
#define STEP_DAMAGED "slot damaged"
#define STEP_AREA_DAMAGED "area damaged"

/* Do the next step; every task waits. */
void steps_next(void);

#endif

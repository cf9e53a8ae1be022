/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traces of the model: what tests/model/run prints, step by step.
 */
#ifndef _XC_CRASH_TRACE_H
#define _XC_CRASH_TRACE_H

#include "kernel.h"

#define TRACE_STEPS_MAX 500
#define TRACE_STEP_SIZE 80

/**
 * struct trace - a trace
 * @journal: the resilience, which its first line has, is journal
 * @count: number of @steps
 * @at: the next step
 * @steps: the steps, without the ends of lines
 */
struct trace {
	bool journal;
	unsigned int count;
	unsigned int at;
	char steps[TRACE_STEPS_MAX][TRACE_STEP_SIZE];
};

/* Returns false if there is none. */
bool trace_read(struct trace *trace, FILE *file);
/* The next step; "" at the end. */
const char *trace_step(const struct trace *trace);
/* Does the opening that begins with the next step have such a step? */
bool trace_opens_with(const struct trace *trace, const char *step);
/* Is the next promise that the trace makes a broken one, after flushes? */
bool trace_is_broken(const struct trace *trace);

#endif

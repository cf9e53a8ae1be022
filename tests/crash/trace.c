// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traces of the model.
 */
#include "trace.h"

static bool begins(const char *step, const char *with)
{
	return !strncmp(step, with, strlen(with));
}

static void swap_steps(char *a, char *b)
{
	char step[TRACE_STEP_SIZE];

	memcpy(step, a, TRACE_STEP_SIZE);
	memcpy(a, b, TRACE_STEP_SIZE);
	memcpy(b, step, TRACE_STEP_SIZE);
}

/*
 * A pause that leaves the next batch alone comes before the commit: there the code
 * decides whether a batch is next, the model only when the one before is written.
 */
static void advance_pause(struct trace *trace, unsigned int pause)
{
	unsigned int commit = pause;

	while (commit && !begins(trace->steps[commit], "commit "))
		if (begins(trace->steps[commit--], "hold-writes "))
			return;
	for (; pause > commit; pause--)
		swap_steps(trace->steps[pause], trace->steps[pause - 1]);
}

bool trace_read(struct trace *trace, FILE *file)
{
	char *step = trace->steps[0];
	unsigned int i;

	while (fgets(step, TRACE_STEP_SIZE, file)) {
		step[strcspn(step, "\n")] = '\0';
		if (begins(step, "resilience ")) {
			trace->journal = !strcmp(step, "resilience journal");
			continue;
		}
		step = trace->steps[++trace->count];
		if (trace->count == TRACE_STEPS_MAX - 1)
			return false;
	}
	*step = '\0';
	for (i = 0; i < trace->count; i++)
		if (begins(trace->steps[i], "pause"))
			advance_pause(trace, i);
	return trace->count;
}

const char *trace_step(const struct trace *trace)
{
	return trace->steps[trace->at];
}

bool trace_opens_with(const struct trace *trace, const char *step)
{
	const char (*at)[TRACE_STEP_SIZE] = &trace->steps[trace->at];

	for (; **at && !begins(*at, "open ") && !begins(*at, "cut") &&
	     !begins(*at, "warm crash"); at++)
		if (begins(*at, step))
			return true;
	return false;
}

bool trace_is_broken(const struct trace *trace)
{
	const char (*at)[TRACE_STEP_SIZE] = &trace->steps[trace->at];

	while (begins(*at, "flush "))
		at++;
	return !strcmp(*at, "broken");
}

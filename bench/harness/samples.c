// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <time.h>

#include "samples.h"

/**
 * samples_now() - the time
 *
 * Return: nanoseconds since some moment.
 */
double samples_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/**
 * samples_add() - one more duration, if there is room
 * @samples: what it is added to
 * @ns: nanoseconds
 */
void samples_add(struct samples *samples, double ns)
{
	if (samples->count < MAX_SAMPLES)
		samples->ns[samples->count++] = ns;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/**
 * samples_summary() - order statistics
 * @samples: at least one; they are sorted
 *
 * Return: the summary.
 */
struct summary samples_summary(struct samples *samples)
{
	unsigned int n = samples->count;

	qsort(samples->ns, n, sizeof(samples->ns[0]), compare);
	return (struct summary) {
		.min = samples->ns[0],
		.p10 = samples->ns[n / 10],
		.median = samples->ns[n / 2],
		.p90 = samples->ns[n - 1 - n / 10],
	};
}

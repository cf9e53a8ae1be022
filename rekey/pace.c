// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pace of a conversion: how long a batch is, and when the next one may begin.
 */
#include "pace.h"

#include <linux/ktime.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "../table/options.h"

/* With a speed limit, a batch is what may be converted in this time. */
#define BATCH_MS 250

/*
 * Without, it is what is written in this time, or in half of that of a commit if
 * that is longer: users of the volume wait for some batches and commits.
 */
#define WRITE_MS 8

/*
 * While the volume is in use, the converter rests for so many times as long as a
 * batch takes, but not for longer than this.
 */
#define RESTS 9
#define REST_MS 500

/* The first batch, and the least, in 512-byte sectors: a chunk. */
#define SECTORS_MIN 512

/**
 * xc_pace_is_in_use() - check whether users have come; then the converter is to rest
 * @pace: the pace
 * @passed: xc_gate.passed
 *
 * Context: Process context, in the converter.
 * Return: true if they have, and the speed is %XC_SPEED_AUTO.
 */
bool xc_pace_is_in_use(struct xc_pace *pace, u64 passed)
{
	if (READ_ONCE(pace->speed) != XC_SPEED_AUTO || passed == pace->passed)
		return false;
	pace->passed = passed;
	pace->rest_until = ktime_get_ns() +
			   min_t(u64, REST_MS * NSEC_PER_MSEC,
				 RESTS * (pace->write_ns + pace->commit_ns));
	return true;
}

/**
 * xc_pace_delay_ms() - find how long to wait
 * @pace: the pace
 *
 * A new limit counts from now.
 *
 * Context: Process context, in the converter.
 * Return: milliseconds until a rest ends, or the limit allows more.
 */
u64 xc_pace_delay_ms(struct xc_pace *pace)
{
	unsigned int speed = READ_ONCE(pace->speed);
	u64 now = ktime_get_ns(), due, spent;

	if (pace->counted != speed) {
		pace->counted = speed;
		pace->since = now;
		pace->sectors = 0;
	}
	if (!speed)
		return 0;
	if (speed == XC_SPEED_AUTO)
		return pace->rest_until <= now ? 0 :
			div_u64(pace->rest_until - now, NSEC_PER_MSEC);
	due = div_u64(pace->sectors * (MSEC_PER_SEC / 2), speed);
	spent = div_u64(now - pace->since, NSEC_PER_MSEC);
	return due > spent ? due - spent : 0;
}

/* As fast as the last batch, not more than twice as long, and whole chunks. */
static u64 paced_sectors(const struct xc_pace *pace)
{
	u64 ns = max_t(u64, pace->commit_ns / 2, WRITE_MS * NSEC_PER_MSEC);
	u64 sectors = div64_u64(pace->written * ns, max(pace->write_ns, 1ULL));

	sectors = min(sectors, 2ULL * pace->written);
	return max(round_down(sectors, SECTORS_MIN), SECTORS_MIN);
}

/**
 * xc_pace_sectors() - find how long the next batch is to be
 * @pace: the pace
 *
 * Context: Process context, in the converter.
 * Return: the length in 512-byte sectors, of any alignment.
 */
u64 xc_pace_sectors(const struct xc_pace *pace)
{
	unsigned int speed = READ_ONCE(pace->speed);
	bool limited = speed && speed != XC_SPEED_AUTO;

	return limited ? (u64)speed * BATCH_MS / (MSEC_PER_SEC / 2) :
			 paced_sectors(pace);
}

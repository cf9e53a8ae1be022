/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pseudo-random numbers (SplitMix64, by Sebastiano Vigna), repeated by a seed.
 */
#ifndef _XC_CRASH_RANDOM_H
#define _XC_CRASH_RANDOM_H

#include "kernel.h"

struct random {
	u64 state;
};

static inline u64 mix(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static inline u64 random_next(struct random *random)
{
	random->state += 0x9e3779b97f4a7c15ULL;
	return mix(random->state);
}

/* A number less than @limit. */
static inline unsigned int random_below(struct random *random,
					unsigned int limit)
{
	return ((random_next(random) >> 32) * limit) >> 32;
}

/* True once in @count times. */
static inline bool random_once(struct random *random, unsigned int count)
{
	return !random_below(random, count);
}

#endif

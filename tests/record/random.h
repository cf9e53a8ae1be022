/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random numbers that a seed determines.
 */
#ifndef TESTS_RECORD_RANDOM_H
#define TESTS_RECORD_RANDOM_H

#include <stdint.h>

static uint64_t seed;

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static inline uint64_t pick(uint64_t from)
{
	seed += 0x9e3779b97f4a7c15ULL;
	return mix(seed) % from;
}

#endif

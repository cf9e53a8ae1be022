/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The secrets to search for in a machine's memory: keys and canaries.  They are
 * derived from a seed and a label, the only data that their creator and the
 * search must share.
 */
#ifndef TESTS_SECRETS_H
#define TESTS_SECRETS_H

#include <stdint.h>

#define CANARY_SIZE 16

struct secret {
	uint64_t state;
};

/* Begin the secret KIND ("key" or "canary") of LABEL. */
static inline struct secret secret_start(const char *seed, const char *label,
					 const char *kind)
{
	const char *const parts[] = { seed, "/", label, "/", kind };
	struct secret s = { 0xcbf29ce484222325 };	/* FNV-1a */

	for (unsigned int i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		for (const char *c = parts[i]; *c; c++)
			s.state = (s.state ^ (unsigned char)*c) * 0x100000001b3;
	return s;
}

/* Its next byte: one byte of each word of splitmix64. */
static inline uint8_t secret_next(struct secret *s)
{
	uint64_t z = s->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) >> 56;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Digests, for the suites of rekey/.
 */
#ifndef _XC_DIGEST_TEST_H
#define _XC_DIGEST_TEST_H

#include <kunit/test.h>

#include "../../rekey/digest.h"

/* As test_key() and test_data() of vectors.py. */
static inline void fill_key(u8 *out, unsigned int size)
{
	unsigned int i;

	for (i = 0; i < size; i++)
		out[i] = i * 5 + i / 256 + 1;
}

static inline void fill_data(u8 *out, unsigned int size)
{
	unsigned int i;

	for (i = 0; i < size; i++)
		out[i] = i * 7 + i / 256 * 13 + 3;
}

void make_digest(struct kunit *test, struct xc_digest *digest,
		 const struct xc_digest_key *key);
void compute_digest(struct kunit *test, const struct xc_digest *digest,
		    sector_t sector, void *units, unsigned int unit_size,
		    u8 *out);

#endif

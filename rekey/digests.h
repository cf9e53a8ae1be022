/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The digests of a batch, as an area has them.
 */
#ifndef _XC_DIGESTS_H
#define _XC_DIGESTS_H

#include "format.h"
#include "prf.h"

/* Bytes of memory for the digests of a batch. */
#define XC_DIGESTS_SIZE (XC_BATCH_UNITS * XC_DIGEST_SIZE)

/**
 * xc_digests_check() - compute the check value of a batch's digests
 * @prf: computes digests
 * @sector: first sector of the batch, counted from the start of the mapping
 * @digests: the digests
 * @units: their number
 * @check: set to %XC_DIGEST_SIZE bytes
 *
 * Context: Process context.
 * Return: 0, or a negative errno.
 */
static inline int xc_digests_check(const struct xc_prf *prf, sector_t sector,
				   const u8 *digests, unsigned int units,
				   u8 *check)
{
	/* no sector has such a number: differs from the digest of any unit */
	return xc_prf_compute(prf, ~(u64)sector, digests,
			      units * XC_DIGEST_SIZE, check, XC_DIGEST_SIZE);
}

#endif

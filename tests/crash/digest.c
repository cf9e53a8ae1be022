// SPDX-License-Identifier: GPL-2.0-only
/*
 * Toy digests, in place of rekey/digest.c: fast, and not secure.
 */
#include "rekey/digest.h"

int xc_digest_init(struct xc_digest *digest, char **error)
{
	return xc_prf_init(&digest->check);
}

void xc_digest_exit(struct xc_digest *digest)
{
	xc_prf_exit(&digest->check);
}

int xc_digest_set_key(struct xc_digest *digest, const struct xc_digest_key *key)
{
	return xc_prf_set_key(&digest->check, key->check, sizeof(key->check));
}

void xc_digest_wipe(struct xc_digest *digest)
{
	static const u8 nothing[XC_PRF_SIZE];

	xc_prf_set_key(&digest->check, nothing, sizeof(nothing));
}

unsigned int xc_digest_request_size(const struct xc_digest *digest)
{
	return 1;
}

int xc_digest_units(const struct xc_digest *digest, struct xc_run *run,
		    void *scratch, struct bio *src, sector_t sector,
		    unsigned int unit_size, u8 *out)
{
	struct bvec_iter rest = src->bi_iter;

	while (rest.bi_size) {
		/* a unit is contiguous: no page ends in one */
		xc_prf_compute(&digest->check, sector, bio_iter_address(src, &rest),
			       unit_size, out, XC_DIGEST_SIZE);
		bio_advance_iter(src, &rest, unit_size);
		sector += unit_size >> SECTOR_SHIFT;
		out += XC_DIGEST_SIZE;
	}
	return 0;
}

int xc_digest_check(const struct xc_digest *digest, sector_t sector,
		    const u8 *digests, unsigned int units, u8 *check)
{
	return xc_prf_compute(&digest->check, ~(u64)sector, digests,
			      units * XC_DIGEST_SIZE, check, XC_DIGEST_SIZE);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recovery of the active batch after a crash.
 */
#ifndef _XC_RECOVER_H
#define _XC_RECOVER_H

#include <linux/types.h>

struct xc_chunk;
struct xc_conversion;
struct xc_skip;
struct xc_state;

int xc_recover(struct xc_state *state, const struct xc_conversion *conv,
	       struct xc_chunk *chunk, unsigned int chunk_sectors, u8 *digests,
	       struct xc_skip *skip, bool *repaired);

#endif

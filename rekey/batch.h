/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Batches: chunks that share a commit.
 */
#ifndef _XC_BATCH_H
#define _XC_BATCH_H

#include "chunk.h"

struct xc_batch;
struct xc_gate;
struct xc_position;
struct xc_range;
struct xc_skip;
struct xc_state;

struct xc_batch *xc_batch_create(const struct xc_conversion *conv);
void xc_batch_destroy(struct xc_batch *batch);
void xc_batch_start(struct xc_batch *batch, const struct xc_state *state,
		    sector_t sector, unsigned int sectors, bool skip);
int xc_batch_wait(struct xc_batch *batch);
int xc_batch_write_area(struct xc_batch *batch, const struct xc_state *state,
			unsigned int area);
int xc_batch_prepare(struct xc_batch *batch, const struct xc_state *state,
		     struct xc_position *next);
int xc_batch_write(struct xc_batch *batch, const struct xc_state *state,
		   struct xc_gate *gate);
int xc_batch_recover(struct xc_batch *batch, struct xc_state *state,
		     struct xc_skip *skip, bool *repaired);
int xc_batch_write_zeros(struct xc_batch *batch, const struct xc_range *range);
int xc_batch_erase_areas(struct xc_batch *batch, const struct xc_state *state);

unsigned int xc_batch_max(const struct xc_batch *batch,
			  const struct xc_state *state);
sector_t xc_batch_end(const struct xc_batch *batch);
bool xc_batch_next_bad(const struct xc_batch *batch, struct xc_range *bad);

#endif

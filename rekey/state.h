/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a conversion on disk.
 */
#ifndef _XC_STATE_H
#define _XC_STATE_H

#include "super.h"

struct xc_digest_key;
struct xc_ranges;
struct xc_state;

struct xc_state *xc_state_create(const struct xc_setup *setup, char **error);
void xc_state_destroy(struct xc_state *state);
int xc_state_look(struct xc_state *state, bool start, char **error);
int xc_state_start(struct xc_state *state, char **error);
int xc_state_open(struct xc_state *state, char **error);
int xc_state_reopen(struct xc_state *state, char **error);
int xc_state_resize(struct xc_state *state, char **error);
int xc_state_commit(struct xc_state *state, const struct xc_position *next,
		    const struct xc_ranges *skipped);
int xc_state_verify(struct xc_state *state);
int xc_state_restore(struct xc_state *state, const struct xc_position *at,
		     const struct xc_ranges *skipped);
int xc_state_erase_areas(const struct xc_state *state, const void *zeros,
			 unsigned int size);

const struct xc_position *xc_state_position(const struct xc_state *state);
const struct xc_ranges *xc_state_skipped(const struct xc_state *state);
const struct xc_disk *xc_state_data(const struct xc_state *state);
enum xc_resilience xc_state_resilience(const struct xc_state *state);
unsigned int xc_state_batch_max(const struct xc_state *state);
struct xc_disk xc_state_area(const struct xc_state *state, unsigned int area);
int xc_state_area_read(const struct xc_state *state, void *data,
		       unsigned int size);
int xc_state_area_write(const struct xc_state *state, unsigned int area,
			const void *data, unsigned int size);
int xc_state_check_key(struct xc_state *state, enum xc_side side, const u8 *key,
		       char **error);
int xc_state_digest_key(struct xc_state *state, enum xc_side side,
			const u8 *key, struct xc_digest_key *out);

#endif

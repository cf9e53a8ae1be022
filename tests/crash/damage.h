/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Damage that no crash does: it must be refused, with nothing written.
 */
#ifndef _XC_CRASH_DAMAGE_H
#define _XC_CRASH_DAMAGE_H

#include "oracle.h"

struct geometry;

/* Change a byte of a sector of the state device. */
void damage_block(struct image *image, sector_t sector, unsigned int at);
/* Damage an image in each way that applies.  Returns the number of ways. */
unsigned int damage_try(const struct image *image, const struct oracle *oracle,
			const struct geometry *geometry, struct log *log);

#endif

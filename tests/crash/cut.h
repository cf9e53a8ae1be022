/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cuts: what is durable at a point of a log, and what is only in a cache or on
 * its way there.
 */
#ifndef _XC_CRASH_CUT_H
#define _XC_CRASH_CUT_H

#include "log.h"
#include "oracle.h"

#define VOLATILE_MAX 512

/**
 * struct volatile_piece - a sector of a write that is not durable
 * @write: which write; those of one write are together
 * @completed: record of its completion, or 0 if it was complete at the start
 * @complete: it is in the cache
 */
struct volatile_piece {
	u32 write;
	u32 completed;
	bool complete;
	struct piece piece;
};

/**
 * struct cut - a point of a log
 * @durable: what survives in any case
 * @oracle: what the user was told
 * @count: number of @pieces
 * @pieces: what may survive; those that are complete come first, in the order of
 *	completion
 */
struct cut {
	struct image durable;
	struct oracle oracle;
	unsigned int count;
	struct volatile_piece pieces[VOLATILE_MAX];
};

void cut_init(struct cut *cut, const struct image *image,
	      const struct oracle *oracle);
/* Go on to the next record.  Returns true if there are other states now. */
bool cut_advance(struct cut *cut, const struct log *log, u32 index);
/* The image with some of the pieces. */
void cut_image(const struct cut *cut, const bool *kept, struct image *image);
/* The machine restarts: some pieces are in the cache, the others are lost. */
void cut_restart(struct cut *cut, const bool *kept);

#endif

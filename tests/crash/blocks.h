/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Contents of sectors, each kept once and known by its number.
 */
#ifndef _XC_CRASH_BLOCKS_H
#define _XC_CRASH_BLOCKS_H

#include "kernel.h"

typedef u32 block_t;

/* The block of zeros. */
#define BLOCK_ZERO 0

block_t block_add(const void *data);
const void *block_data(block_t block);
u64 block_hash(block_t block);

/* Forget what was added since block_mark(). */
block_t block_mark(void);
void block_release(block_t mark);

#endif

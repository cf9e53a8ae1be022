/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of hashes: what was seen already.
 */
#ifndef _XC_CRASH_HASHES_H
#define _XC_CRASH_HASHES_H

#include "kernel.h"

/**
 * struct hashes - a set
 * @table: hashes by their low bits, with gaps of 0
 * @size: entries in @table, a power of two
 * @count: hashes
 */
struct hashes {
	u64 *table;
	size_t size;
	size_t count;
};

/* Returns false if it is there already. */
bool hashes_add(struct hashes *hashes, u64 hash);

#endif

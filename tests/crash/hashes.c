// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of hashes.
 */
#include "hashes.h"

#define SIZE_MIN 65536

static bool insert(u64 *table, size_t size, u64 hash)
{
	size_t i = hash & (size - 1);

	for (; table[i]; i = (i + 1) & (size - 1))
		if (table[i] == hash)
			return false;
	table[i] = hash;
	return true;
}

static void grow(struct hashes *hashes)
{
	size_t i, size = hashes->size ? 2 * hashes->size : SIZE_MIN;
	u64 *table = calloc(size, sizeof(*table));

	for (i = 0; i < hashes->size; i++)
		if (hashes->table[i])
			insert(table, size, hashes->table[i]);
	free(hashes->table);
	hashes->table = table;
	hashes->size = size;
}

bool hashes_add(struct hashes *hashes, u64 hash)
{
	if (2 * hashes->count >= hashes->size)
		grow(hashes);
	if (!insert(hashes->table, hashes->size, hash ?: 1))
		return false;
	hashes->count++;
	return true;
}

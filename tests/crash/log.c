// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of a run.
 */
#include "log.h"

#include "oracle.h"

struct log *log_current;

void log_reset(struct log *log)
{
	log->count = 0;
	log->piece_count = 0;
	log_current = log;
}

u32 log_add(const struct record *record)
{
	struct log *log = log_current;

	assert(log->count < RECORDS_MAX);
	log->records[log->count] = *record;
	oracle_apply(&oracle_current, log, log->count);
	return log->count++;
}

void log_add_piece(enum device device, sector_t sector, block_t block)
{
	struct log *log = log_current;
	int slot = image_slot(device, sector, block);

	if (slot < 0)
		return;
	assert(log->piece_count < PIECES_MAX);
	log->pieces[log->piece_count++] = (struct piece) { slot, block };
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cuts: what is durable at a point of a log, and what is not.
 */
#include "cut.h"

/* Writes from before a restart are told apart from later ones. */
#define RESTART 0x1000000

void cut_init(struct cut *cut, const struct image *image,
	      const struct oracle *oracle)
{
	cut->durable = *image;
	cut->oracle = *oracle;
	cut->count = 0;
}

static void remove_piece(struct cut *cut, unsigned int i)
{
	cut->count--;
	memmove(&cut->pieces[i], &cut->pieces[i + 1],
		(cut->count - i) * sizeof(cut->pieces[0]));
}

static void insert_piece(struct cut *cut, unsigned int i,
			 const struct volatile_piece *piece)
{
	assert(cut->count < VOLATILE_MAX);
	memmove(&cut->pieces[i + 1], &cut->pieces[i],
		(cut->count - i) * sizeof(cut->pieces[0]));
	cut->pieces[i] = *piece;
	cut->count++;
}

static void submit(struct cut *cut, const struct log *log, u32 index)
{
	const struct record *record = &log->records[index];
	unsigned int i;

	for (i = 0; i < record->count; i++)
		insert_piece(cut, cut->count, &(struct volatile_piece) {
			.write = index,
			.piece = log->pieces[record->first + i],
		});
}

static unsigned int complete_count(const struct cut *cut)
{
	unsigned int i;

	for (i = 0; i < cut->count && cut->pieces[i].complete; i++)
		;
	return i;
}

/* What was written to this sector before can no longer appear. */
static void make_durable(struct cut *cut, const struct piece *piece)
{
	unsigned int i = 0;

	cut->durable.blocks[piece->slot] = piece->block;
	while (i < cut->count && cut->pieces[i].complete) {
		if (cut->pieces[i].piece.slot == piece->slot)
			remove_piece(cut, i);
		else
			i++;
	}
}

/* A piece of a write that is not complete, -1 if there is none. */
static int find_flying(const struct cut *cut, u32 write)
{
	unsigned int i;

	for (i = complete_count(cut); i < cut->count; i++)
		if (cut->pieces[i].write == write)
			return i;
	return -1;
}

static void complete_write(struct cut *cut, const struct record *record,
			   u32 index)
{
	struct volatile_piece piece;
	int i;

	while ((i = find_flying(cut, record->begun)) >= 0) {
		piece = cut->pieces[i];
		remove_piece(cut, i);
		if (record->fua) {
			make_durable(cut, &piece.piece);
			continue;
		}
		piece.complete = true;
		piece.completed = index;
		insert_piece(cut, complete_count(cut), &piece);
	}
}

static void lose_write(struct cut *cut, u32 write)
{
	int i;

	while ((i = find_flying(cut, write)) >= 0)
		remove_piece(cut, i);
}

static void flush(struct cut *cut, const struct record *record)
{
	unsigned int i = 0;
	struct volatile_piece piece;

	while (i < cut->count && cut->pieces[i].complete) {
		piece = cut->pieces[i];
		if ((piece.piece.slot < DATA_SECTORS_MAX ? DATA : STATE) !=
		    record->device || piece.completed > record->begun) {
			i++;
			continue;
		}
		cut->durable.blocks[piece.piece.slot] = piece.piece.block;
		remove_piece(cut, i);
	}
}

bool cut_advance(struct cut *cut, const struct log *log, u32 index)
{
	const struct record *record = &log->records[index];

	oracle_apply(&cut->oracle, log, index);
	switch (record->type) {
	case LOG_SUBMIT:
		submit(cut, log, index);
		return true;
	case LOG_COMPLETE:
		complete_write(cut, record, index);
		return record->fua;
	case LOG_LOST:
		lose_write(cut, record->begun);
		return true;
	case LOG_FLUSHED:
		flush(cut, record);
		return true;
	case LOG_STARTED:
	case LOG_USER_DURABLE:
	case LOG_USER_FLUSHED:
		return true;
	default:
		return false;
	}
}

void cut_image(const struct cut *cut, const bool *kept, struct image *image)
{
	unsigned int i;

	*image = cut->durable;
	for (i = 0; i < cut->count; i++)
		if (kept[i])
			image->blocks[cut->pieces[i].piece.slot] =
				cut->pieces[i].piece.block;
}

void cut_restart(struct cut *cut, const bool *kept)
{
	unsigned int i, count = 0;

	for (i = 0; i < cut->count; i++) {
		if (!kept[i])
			continue;
		cut->pieces[count] = cut->pieces[i];
		cut->pieces[count].write += RESTART;
		cut->pieces[count].complete = true;
		cut->pieces[count++].completed = 0;
	}
	cut->count = count;
	oracle_restart(&cut->oracle);
}

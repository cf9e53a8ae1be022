/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The history of a volume, and what its sectors may hold after a power cut: the version
 * that was flushed last, or a later one.
 */
#ifndef TESTS_RECORD_HISTORY_H
#define TESTS_RECORD_HISTORY_H

#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

#define SECTOR		512
#define PROCESSES	4
#define MAX_OPS		20000
#define MAX_FLUSHES	20000

/* A write, or a discard; its version is its number in the history plus 2. */
struct op {
	uint32_t sector;
	uint16_t count;
	bool discard;
};

/*
 * The history. Process p has begun begun[p] of its ops, and completed done[p].
 * flushed[n] has done of when flush number n was submitted.
 */
struct history {
	bool stop;
	uint32_t flushes, reads;
	uint32_t begun[PROCESSES], done[PROCESSES];
	uint32_t flushed[MAX_FLUSHES][PROCESSES];
	struct op ops[PROCESSES][MAX_OPS];
};

static struct history *history;

/* ---- content: a sector's version, then data from its number and version -- */

static void fill(uint64_t *data, uint64_t sector, uint32_t version)
{
	data[0] = version;
	for (unsigned int i = 1; i < SECTOR / 8; i++)
		data[i] = mix(sector << 32 | version) + i;
}

static bool is_version(const uint64_t *data, uint64_t sector, uint32_t version)
{
	uint64_t expected[SECTOR / 8];

	fill(expected, sector, version);
	return !memcmp(expected, data, SECTOR);
}

/* ---- after a power cut --------------------------------------------------- */

/* What a sector may hold: the version that was flushed, or a later one that was begun */
struct allowed {
	uint32_t flushed, begun;
	bool anything;
	unsigned int process;
};

static void load_history(const char *path)
{
	FILE *f = fopen(path, "r");

	history = history ?: malloc(sizeof(*history));
	if (!history || !f || fread(history, sizeof(*history), 1, f) != 1)
		errx(1, "%s: no history", path);
	fclose(f);
}

static struct allowed *allow(uint32_t sectors, uint32_t flush)
{
	struct allowed *allowed = calloc(sectors, sizeof(*allowed));
	uint32_t p, nr, i;

	if (!allowed || flush > history->flushes)
		errx(1, "no memory, or no such flush");
	for (i = 0; i < sectors; i++)
		allowed[i] = (struct allowed) { .flushed = 1, .begun = 1 };
	for (p = 0; p < PROCESSES; p++)
		for (nr = 0; nr < history->begun[p]; nr++) {
			const struct op *op = &history->ops[p][nr];
			bool flushed = nr < history->flushed[flush][p];

			for (i = op->sector; i < op->sector + op->count; i++) {
				allowed[i].process = p;
				allowed[i].begun = nr + 2;
				if (flushed)
					allowed[i].flushed = nr + 2;
				/* a discard, until a write after it is flushed */
				allowed[i].anything = op->discard ||
					(allowed[i].anything && !flushed);
			}
		}
	return allowed;
}

static bool was_written(const struct allowed *allowed, uint32_t sector,
			uint32_t version)
{
	const struct op *op;

	if (version < allowed->flushed || version > allowed->begun)
		return false;
	if (version == 1)
		return true;
	op = &history->ops[allowed->process][version - 2];
	return sector >= op->sector && sector < op->sector + op->count;
}

/*
 * Check the sectors of a volume after the power was cut when flush number @flush had
 * completed. Returns how many are wrong; sets @later to how many have data that were
 * not flushed, and @any to how many may hold anything, because of discards.
 */
static uint32_t check_history(const uint64_t *data, uint32_t sectors,
			      uint32_t flush, uint32_t *later, uint32_t *any)
{
	struct allowed *allowed = allow(sectors, flush);
	uint32_t sector, wrong = 0;

	for (sector = 0; sector < sectors; sector++, data += SECTOR / 8) {
		const struct allowed *a = &allowed[sector];

		if (a->anything) {
			++*any;
		} else if (is_version(data, sector, data[0]) &&
			   was_written(a, sector, data[0])) {
			*later += data[0] > a->flushed;
		} else if (wrong++ < 10) {
			warnx("sector %u: version %ju, or damaged, not %u to %u",
			      sector, (uintmax_t)data[0], a->flushed,
			      a->begun);
		}
	}
	free(allowed);
	return wrong;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Power cuts at points of a log of tests/modules/xcrypt_record.c.
 *
 * What was flushed, or written with FUA, is there. Of the other writes that had been
 * submitted, nothing remains, or all, all but one, one, or a random part; of some of
 * these, a part of their units only.
 */
#ifndef TESTS_RECORD_CUT_H
#define TESTS_RECORD_CUT_H

#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "random.h"

#define SECTOR		512
#define DEVICES		2
#define NEVER		UINT32_MAX
/* One in sixteen cuts is among the first records. */
#define BEGINNING	64

enum fate { KEPT, LOST, TORN, FATES };

/* A write, a discard or a flush: where in the log it begins and ends */
struct request {
	const struct record *record;
	uint32_t submitted, completed;
};

struct image {
	const char *device;
	const char *base;
	char *data;
	size_t size;
};

/* The log, and the recorded devices */
static const struct record **records;
static uint32_t record_count;
static struct image images[DEVICES];
static unsigned int image_count;

/* A cut: where, and what became of writes that were not durable */
static struct cut {
	uint32_t at;
	uint64_t mark;
	unsigned int fates[FATES];
} cut;

static struct request *requests;
static uint32_t request_count;

/* ---- files --------------------------------------------------------------- */

static void *map_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", path);
	*size = st.st_size;
	p = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
	return p;
}

static void load_log(const char *path)
{
	const struct record *record;
	size_t size, at;
	char *log = map_file(path, &size);

	/* at most as many */
	records = calloc(size / sizeof(*record), sizeof(*records));
	requests = calloc(size / sizeof(*record), sizeof(*requests));
	if (!records || !requests)
		errx(1, "no memory");
	for (at = 0; at < size; at += sizeof(*record) + record->bytes) {
		record = (void *)(log + at);
		records[record_count++] = record;
		if (record->type == RECORD_FAILED)
			errx(1, "%s: a request failed", path);
	}
	if (at != size || !record_count)
		errx(1, "%s: damaged, or empty", path);
}

/* Add the next device. The file has what was on it when the log began. */
static void add_image(const char *base, const char *device)
{
	struct image *image = &images[image_count++];

	image->base = map_file(base, &image->size);
	image->device = device;
	image->data = malloc(image->size);
	if (!image->data)
		errx(1, "no memory");
}

static void write_image(const struct image *image)
{
	int fd = open(image->device, O_WRONLY);

	if (fd < 0 || pwrite(fd, image->data, image->size, 0) !=
	    (ssize_t)image->size || fsync(fd) || close(fd))
		err(1, "%s", image->device);
}

/* ---- where --------------------------------------------------------------- */

static bool is_barrier(const struct record *record)
{
	return record->type == RECORD_FUA || record->type == RECORD_FLUSH;
}

/* Half of the cuts are right before or after the beginning of a flush or FUA write. */
static uint32_t choose_cut(void)
{
	uint32_t at = 1 + pick(pick(16) ? record_count : BEGINNING);

	if (pick(2))
		return at;
	while (at < record_count && !is_barrier(records[at - 1]))
		at++;
	return at - pick(2);
}

static uint64_t last_mark(uint32_t at)
{
	while (at--)
		if (records[at]->type == RECORD_MARK)
			return records[at]->id;
	return 0;
}

/* ---- what is durable ----------------------------------------------------- */

/* Ids are consecutive, from that of the first request on. */
static void find_requests(uint32_t at)
{
	const struct record *record;
	uint64_t first = 0;
	uint32_t i;

	request_count = 0;
	for (i = 0; i < at; i++) {
		record = records[i];
		if (record->type == RECORD_MARK)
			continue;
		if (record->type == RECORD_DONE) {
			requests[record->id - first].completed = i;
			continue;
		}
		if (!request_count)
			first = record->id;
		requests[request_count++] = (struct request) {
			.record = record, .submitted = i, .completed = NEVER,
		};
	}
}

/* When the last flush of the device that completed was submitted, or 0. */
static uint32_t last_flush(uint32_t device)
{
	uint32_t i, last = 0;

	for (i = 0; i < request_count; i++)
		if (requests[i].record->type == RECORD_FLUSH &&
		    requests[i].record->device == device &&
		    requests[i].completed != NEVER)
			last = requests[i].submitted;
	return last;
}

static bool is_durable(const struct request *request, const uint32_t *flushes)
{
	return request->completed != NEVER &&
		(request->record->type == RECORD_FUA ||
		 request->completed < flushes[request->record->device]);
}

/* ---- what becomes of the rest -------------------------------------------- */

enum mode { NONE, ALL, ALL_BUT_ONE, ONE, ONE_TORN, SOME, MODES };

static enum fate choose_fate(enum mode mode, bool is_one, unsigned int percent)
{
	switch (mode) {
	case NONE:
		return LOST;
	case ALL_BUT_ONE:
		return is_one ? LOST : KEPT;
	case ONE:
		return is_one ? KEPT : LOST;
	case ONE_TORN:
		return is_one ? TORN : KEPT;
	case SOME:
		if (pick(100) >= percent)
			return LOST;
		return pick(4) ? KEPT : TORN;
	default:
		return KEPT;
	}
}

static void apply(const struct record *record, bool torn, uint32_t unit)
{
	struct image *image = &images[record->device];
	const char *data = (const char *)(record + 1);
	size_t at = record->sector * SECTOR, size = record->sectors * SECTOR;
	size_t step, done;

	if (record->device >= image_count || at + size > image->size)
		errx(1, "a write beyond the end");
	for (done = 0; done < size; done += step) {
		step = unit * SECTOR < size - done ? unit * SECTOR : size - done;
		if (torn && pick(2))
			continue;
		if (record->bytes)
			memcpy(image->data + at + done, data + done, step);
		else
			memset(image->data + at + done, 0, step);
	}
}

/* Those in flight come last: they may replace what has completed. */
static int by_completion(const void *a, const void *b)
{
	const struct request *x = a, *y = b;

	if (x->completed != y->completed)
		return x->completed < y->completed ? -1 : 1;
	return x->submitted < y->submitted ? -1 : 1;
}

static void apply_all(uint32_t unit)
{
	uint32_t flushes[DEVICES] = { last_flush(0), last_flush(1) };
	uint32_t i, one, nr = 0, count = 0;
	unsigned int percent = pick(100);
	enum mode mode = pick(MODES);
	enum fate fate;

	for (i = 0; i < request_count; i++)
		count += requests[i].record->type != RECORD_FLUSH &&
			!is_durable(&requests[i], flushes);
	one = count ? pick(count) : 0;
	qsort(requests, request_count, sizeof(*requests), by_completion);
	for (i = 0; i < request_count; i++) {
		if (requests[i].record->type == RECORD_FLUSH)
			continue;
		fate = KEPT;
		if (!is_durable(&requests[i], flushes)) {
			fate = choose_fate(mode, nr++ == one, percent);
			cut.fates[fate]++;
		}
		if (fate != LOST)
			apply(requests[i].record, fate == TORN, unit);
	}
}

/* Cut the power, and write what remains to the devices. Writes tear between units. */
static void cut_power(uint64_t number, uint32_t unit)
{
	unsigned int i;

	seed = number;
	cut = (struct cut) { .at = choose_cut() };
	cut.mark = last_mark(cut.at);
	for (i = 0; i < image_count; i++)
		memcpy(images[i].data, images[i].base, images[i].size);
	find_requests(cut.at);
	apply_all(unit);
	for (i = 0; i < image_count; i++)
		write_image(&images[i]);
}

#endif

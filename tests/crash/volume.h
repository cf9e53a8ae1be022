/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A volume whose key changes: what dm-xcrypt.c, volume/ and io/ do around
 * rekey/.
 */
#ifndef _XC_CRASH_VOLUME_H
#define _XC_CRASH_VOLUME_H

#include "image.h"
#include "toy.h"
#include "io/gate.h"
#include "io/io.h"
#include "rekey/rekey.h"

/* Length of a batch, in sectors. */
#define BATCH_SECTORS 8

/* Length of a chunk, in sectors. */
#define CHUNK_SECTORS 2

/**
 * enum sparse - which tables have rekey_sparse
 * @SPARSE_NEVER: none
 * @SPARSE_ALWAYS: all
 * @SPARSE_SOMETIMES: some
 */
enum sparse {
	SPARSE_NEVER,
	SPARSE_ALWAYS,
	SPARSE_SOMETIMES,
};

/**
 * struct geometry - what a conversion is
 * @sectors: length of the volume in the beginning
 * @resilience: how it survives a power cut
 * @keys: numbers of the old key and the new one; 0: the side has none
 * @sizes: bytes in an encryption sector of the sides
 * @sparse: which tables have rekey_sparse
 * @blank: sectors that were never written, a bit for each
 */
struct geometry {
	unsigned int sectors;
	enum xc_resilience_choice resilience;
	unsigned int keys[2];
	unsigned int sizes[2];
	enum sparse sparse;
	u64 blank;
};

/* Sectors that are encrypted as a whole. */
static inline unsigned int geometry_unit(const struct geometry *geometry)
{
	return max(geometry->sizes[0], geometry->sizes[1]) >> SECTOR_SHIFT;
}

enum volume_status {
	VOLUME_PAUSED,
	VOLUME_RUNNING,
	VOLUME_DONE,
	VOLUME_FAILED,
};

/**
 * struct volume - a table that is loaded
 * @unit: sectors that are encrypted as a whole
 * @frozen: it is suspended, or will be: no bio may come
 * @in_flight: bios that were submitted
 * @idle: woken when there are none
 */
struct volume {
	struct dm_table table;
	struct dm_target ti;
	struct dm_dev lower;
	struct xc_cipher old;
	struct xc_cipher new;
	u8 keys[2][TOY_KEY_SIZE];
	struct xc_rekey *rekey;
	struct xc_gate *gate;
	struct workqueue_struct *wq;
	unsigned int unit;
	bool frozen;
	unsigned int in_flight;
	struct wait_queue_head idle;
};

/**
 * struct user_bio - a bio for a volume
 * @base: the bio that the volume gets
 * @done: called when it ends
 * @sector: its first sector
 * @count: its length
 * @data: its data
 */
struct user_bio {
	struct volume *volume;
	struct bio base;
	struct bio lower;
	struct bio_vec base_vec;
	struct bio_vec lower_vec;
	struct xc_io io;
	void (*done)(struct user_bio *bio);
	sector_t sector;
	unsigned int count;
	u8 data[DATA_SECTORS_MAX * SECTOR_SIZE] __aligned(SECTOR_SIZE);
	u8 encrypted[DATA_SECTORS_MAX * SECTOR_SIZE] __aligned(SECTOR_SIZE);
};

/* Load a table of this length.  Returns a negative errno if it is refused. */
int volume_create(struct volume **volume, const struct geometry *geometry,
		  unsigned int length, bool begin, bool paused);
void volume_destroy(struct volume *volume);

int volume_resume(struct volume *volume);
void volume_suspend(struct volume *volume);
enum volume_status volume_status(const struct volume *volume);

/* @opf: operation and flags; sector, count, data and done of @bio are set. */
void volume_submit(struct volume *volume, struct user_bio *bio, blk_opf_t opf);

#endif

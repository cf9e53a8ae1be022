/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of a run: everything that happened to the devices, and everything
 * that the volume's users asked for and were told, in one order.
 */
#ifndef _XC_CRASH_LOG_H
#define _XC_CRASH_LOG_H

#include "image.h"

/**
 * enum record_type - what happened
 * @LOG_SUBMIT: a device got a write
 * @LOG_COMPLETE: a write is in the cache, and durable if it has FUA
 * @LOG_LOST: a write failed
 * @LOG_FLUSH: a device got a flush
 * @LOG_FLUSHED: a flush is complete
 * @LOG_STARTED: the user was told that the conversion has begun
 * @LOG_SHRUNK: the volume is about to end at this sector
 * @LOG_BAD: the data device cannot read these sectors of the volume
 * @LOG_USER_WRITE: the user writes sectors
 * @LOG_USER_DISCARD: the user discards sectors
 * @LOG_USER_WRITTEN: the user was told that a write or discard is complete
 * @LOG_USER_DURABLE: likewise, with FUA
 * @LOG_USER_FLUSH: the user flushes the volume
 * @LOG_USER_FLUSHED: the user was told that the flush is complete
 * @LOG_USER_FAILED: the user was told of an error
 */
enum record_type {
	LOG_SUBMIT,
	LOG_COMPLETE,
	LOG_LOST,
	LOG_FLUSH,
	LOG_FLUSHED,
	LOG_STARTED,
	LOG_SHRUNK,
	LOG_BAD,
	LOG_USER_WRITE,
	LOG_USER_DISCARD,
	LOG_USER_WRITTEN,
	LOG_USER_DURABLE,
	LOG_USER_FLUSH,
	LOG_USER_FLUSHED,
	LOG_USER_FAILED,
};

/**
 * struct record - an entry
 * @type: what happened
 * @device: the device
 * @fua: the write has FUA
 * @begun: index of the record of what is complete now
 * @first: first sector of the user's, or index in log.pieces
 * @count: number of sectors, or of pieces
 */
struct record {
	enum record_type type;
	enum device device;
	bool fua;
	u32 begun;
	u32 first;
	u32 count;
};

/* A sector of a write. */
struct piece {
	int slot;
	block_t block;
};

#define RECORDS_MAX 8192
#define PIECES_MAX 16384

struct log {
	unsigned int count;
	unsigned int piece_count;
	struct record records[RECORDS_MAX];
	struct piece pieces[PIECES_MAX];
};

/* The log that is being written. */
extern struct log *log_current;

void log_reset(struct log *log);
u32 log_add(const struct record *record);
void log_add_piece(enum device device, sector_t sector, block_t block);

#endif

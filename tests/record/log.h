/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of tests/modules/xcrypt_record.c: records, each followed by the data of a
 * write, in the byte order of the machine.
 */
#ifndef TESTS_RECORD_LOG_H
#define TESTS_RECORD_LOG_H

#include <linux/types.h>

enum record_type {
	RECORD_WRITE,	/* submitted */
	RECORD_FUA,	/* a write with FUA, submitted */
	RECORD_DISCARD,	/* submitted */
	RECORD_FLUSH,	/* submitted */
	RECORD_DONE,	/* what has the same id has completed */
	RECORD_FAILED,	/* likewise, with an error */
	RECORD_MARK,	/* a number that was written to the file "mark" */
};

/**
 * struct record - a record
 * @type: one of &enum record_type
 * @device: number of the device, from the table line
 * @id: of a bio, or the number of a mark
 * @sector: first sector on the device
 * @sectors: number of sectors
 * @bytes: length of the data that follow
 */
struct record {
	__u32 type;
	__u32 device;
	__u64 id;
	__u64 sector;
	__u32 sectors;
	__u32 bytes;
};

#endif

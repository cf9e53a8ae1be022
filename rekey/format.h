/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a conversion on disk; docs/rekey-format.md explains it.
 *
 * Sectors are 512 bytes; all numbers are little-endian.
 */
#ifndef _XC_FORMAT_H
#define _XC_FORMAT_H

#include <linux/build_bug.h>
#include <linux/types.h>

#include "prf.h"

#define XC_STATE_MAGIC "xc-rekey"
#define XC_STATE_VERSION 1

/* Two superblocks, at these sectors, and then two areas. */
#define XC_SLOTS 2
#define XC_SLOT_SECTORS 8
#define XC_AREAS 2
#define XC_AREAS_START (XC_SLOTS * XC_SLOT_SECTORS)

/* The greatest length of an area, in sectors: 16 MiB. */
#define XC_AREA_MAX_SECTORS 32768

/* The least size of a state device, in sectors. */
#define XC_STATE_MIN_SECTORS 2048

/* The most ranges in the list of sectors that were skipped. */
#define XC_SKIPPED_RANGES 224

/* The most units in a batch. */
#define XC_BATCH_UNITS 16384

#define XC_SPEC_SIZE 96
#define XC_SALT_SIZE 32
#define XC_OWNER_SIZE 16

/**
 * enum xc_direction - where a conversion begins
 * @XC_FORWARD: at sector 0
 * @XC_BACKWARD: at the last sector; not implemented
 */
enum xc_direction {
	XC_FORWARD,
	XC_BACKWARD,
};

/**
 * enum xc_resilience - how a power cut is survived
 * @XC_CHECKSUM: the area has a digest of each old unit of the active batch
 * @XC_JOURNAL: the area has the active batch as it is to be written
 */
enum xc_resilience {
	XC_CHECKSUM,
	XC_JOURNAL,
};

/* How digests are computed; 0 was HMAC-SHA-256, in versions never released. */
#define XC_DIGEST_PMAC 1

/**
 * struct xc_side_record - one of the two sides
 * @spec: the cipher specification, filled up with zeros
 * @iv_offset: added to sector numbers for the IV
 * @sector_size: bytes in an encryption sector
 * @large_iv: 1: IVs count encryption sectors, not 512 bytes
 * @key_size: bytes in the key
 * @reserved: zero
 * @key_check: check value of the key; zero without a key
 */
struct xc_side_record {
	u8 spec[XC_SPEC_SIZE];
	__le64 iv_offset;
	__le32 sector_size;
	__le32 large_iv;
	__le32 key_size;
	__le32 reserved;
	u8 key_check[XC_DIGEST_SIZE];
};

/**
 * struct xc_superblock - the state
 * @magic: %XC_STATE_MAGIC
 * @version: %XC_STATE_VERSION
 * @checksum: CRC-32 (that of Ethernet) of the superblock with zero here
 * @sequence: number of this superblock, from 1; odd ones are in slot 0
 * @salt: random; chosen at the start
 * @owner: random; chosen by each instance, and written with its first superblock
 * @start: first sector of the volume on the underlying device
 * @length: sectors in the volume
 * @shift: zero
 * @frontier: sectors converted, in the direction of the conversion
 * @direction: see &enum xc_direction
 * @resilience: see &enum xc_resilience
 * @done: 1: all is converted
 * @digest: %XC_DIGEST_PMAC
 * @area_sectors: length of an area; a multiple of %XC_SLOT_SECTORS, at most
 *	%XC_AREA_MAX_SECTORS
 * @batch_sectors: length of the active batch, which begins at @frontier; 0: none
 * @batch_area: its area
 * @batch_check: check value of the digests of its units
 * @sides: the old side and the new
 * @skipped: ranges in the list of sectors that were skipped, which follows the
 *	superblock in its slot; at most %XC_SKIPPED_RANGES
 * @skipped_check: CRC-32 of these ranges
 * @reserved: zero
 */
struct xc_superblock {
	u8 magic[8];
	__le32 version;
	__le32 checksum;
	__le64 sequence;
	u8 salt[XC_SALT_SIZE];
	u8 owner[XC_OWNER_SIZE];
	__le64 start;
	__le64 length;
	__le64 shift;
	__le64 frontier;
	u8 direction;
	u8 resilience;
	u8 done;
	u8 digest;
	__le32 area_sectors;
	__le32 batch_sectors;
	__le32 batch_area;
	u8 batch_check[XC_DIGEST_SIZE];
	struct xc_side_record sides[2];
	__le32 skipped;
	__le32 skipped_check;
	u8 reserved[96];
};

static_assert(sizeof(struct xc_superblock) == 512);

/**
 * struct xc_range_record - sectors that were skipped
 * @start: the first of them
 * @sectors: their number
 */
struct xc_range_record {
	__le64 start;
	__le64 sectors;
};

/**
 * struct xc_slot - what a slot holds
 * @super: the superblock
 * @skipped: sectors that were skipped, sorted
 */
struct xc_slot {
	struct xc_superblock super;
	struct xc_range_record skipped[XC_SKIPPED_RANGES];
};

static_assert(sizeof(struct xc_slot) == XC_SLOT_SECTORS * 512);

#endif

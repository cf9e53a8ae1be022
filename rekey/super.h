/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The superblock: a sector that records a conversion.  No I/O.
 */
#ifndef _XC_SUPER_H
#define _XC_SUPER_H

#include "disk.h"
#include "format.h"

/**
 * enum xc_side - the sides of a conversion
 * @XC_OLD: of sectors that are not converted
 * @XC_NEW: of sectors that are
 * @XC_SIDES: number of sides
 */
enum xc_side {
	XC_OLD,
	XC_NEW,
	XC_SIDES,
};

/**
 * struct xc_side_spec - a side, as the table line has it
 * @spec: the cipher specification
 * @iv_offset: added to sector numbers for the IV, in 512-byte sectors
 * @sector_size: bytes in an encryption sector
 * @large_iv: count IVs in encryption sectors, not in 512 bytes
 * @key: the key
 * @key_size: bytes in @key; 0: the cipher has none
 */
struct xc_side_spec {
	const char *spec;
	u64 iv_offset;
	unsigned int sector_size;
	bool large_iv;
	const u8 *key;
	unsigned int key_size;
};

/**
 * struct xc_setup - what a table line says of a conversion
 * @sides: the sides
 * @data: the volume on the underlying device
 * @state: the state device
 * @resilience: how a conversion that begins survives a power cut
 */
struct xc_setup {
	struct xc_side_spec sides[XC_SIDES];
	struct xc_disk data;
	struct xc_disk state;
	enum xc_resilience resilience;
};

/**
 * struct xc_position - how far a conversion is
 * @frontier: sectors converted
 * @batch_sectors: length of the active batch, which begins there; 0: none
 * @area: index of its area
 * @check: check value of the digests of its units
 * @done: all is converted
 */
struct xc_position {
	sector_t frontier;
	unsigned int batch_sectors;
	unsigned int area;
	u8 check[XC_DIGEST_SIZE];
	bool done;
};

void xc_super_init(struct xc_superblock *super, const struct xc_setup *setup);
void xc_super_seal(struct xc_superblock *super);

bool xc_super_has_magic(const struct xc_superblock *super);
int xc_super_choose(const struct xc_superblock *a, const struct xc_superblock *b,
		    struct xc_superblock *newest, char **error);
int xc_super_check(const struct xc_superblock *super,
		   const struct xc_setup *setup, char **error);

unsigned int xc_super_slot(const struct xc_superblock *super);
u32 xc_super_unit_size(const struct xc_superblock *super);
unsigned int xc_super_batch_max(const struct xc_superblock *super);
void xc_super_get_position(const struct xc_superblock *super,
			   struct xc_position *position);
void xc_super_set_position(struct xc_superblock *super,
			   const struct xc_position *position);
bool xc_super_resize(struct xc_superblock *super, u64 length);

#endif

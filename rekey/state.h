/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a conversion on disk.
 */
#ifndef _XC_STATE_H
#define _XC_STATE_H

#include "disk.h"
#include "format.h"

struct xc_state;

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

struct xc_state *xc_state_create(const struct xc_setup *setup, char **error);
void xc_state_destroy(struct xc_state *state);
int xc_state_look(struct xc_state *state, bool start, char **error);
int xc_state_start(struct xc_state *state, char **error);
int xc_state_open(struct xc_state *state, char **error);
int xc_state_commit(struct xc_state *state, const struct xc_position *next);
int xc_state_erase_areas(const struct xc_state *state, const void *zeros,
			 unsigned int size);

const struct xc_position *xc_state_position(const struct xc_state *state);
const struct xc_disk *xc_state_data(const struct xc_state *state);
enum xc_resilience xc_state_resilience(const struct xc_state *state);
unsigned int xc_state_batch_max(const struct xc_state *state);
struct xc_disk xc_state_area(const struct xc_state *state, unsigned int area);
int xc_state_area_read(const struct xc_state *state, void *data,
		       unsigned int size);
int xc_state_area_write(const struct xc_state *state, unsigned int area,
			const void *data, unsigned int size);
int xc_state_check_key(struct xc_state *state, enum xc_side side, const u8 *key,
		       char **error);
int xc_state_digest_key(struct xc_state *state, struct xc_prf *digest,
			enum xc_side side, const u8 *key);

#endif

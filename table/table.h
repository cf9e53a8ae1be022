/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table line, parsed.
 */
#ifndef _XC_TABLE_H
#define _XC_TABLE_H

#include "options.h"

/**
 * struct xc_new_side - the new side of a conversion, where it differs from the line's
 * @state: path or number of the state device; NULL: there is no conversion
 * @key: the key argument; NULL without @state
 * @cipher: the cipher specification; NULL: the line's
 * @sector_size: bytes in an encryption sector; 0: the line's
 * @iv_offset: added to sector numbers for the IV, in 512-byte sectors
 * @has_iv_offset: @iv_offset was given, else it is the line's
 */
struct xc_new_side {
	const char *state;
	char *key;
	char *cipher;
	unsigned int sector_size;
	u64 iv_offset;
	bool has_iv_offset;
};

/**
 * struct xc_table - a table line, parsed
 * @cipher: the cipher specification, as given
 * @key: the key argument, as given
 * @iv_offset: added to sector numbers for the IV, in 512-byte sectors
 * @device: path or number of the underlying device
 * @start: first sector used on the underlying device
 * @opt: the optional parameters
 * @rekey: the conversion
 *
 * The strings are those of the argument vector.
 */
struct xc_table {
	char *cipher;
	char *key;
	u64 iv_offset;
	const char *device;
	sector_t start;
	struct xc_options opt;
	struct xc_new_side rekey;
};

int xc_table_parse(struct xc_table *table, unsigned int argc, char **argv,
		   sector_t len, char **error);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table line, parsed.
 */
#ifndef _XC_TABLE_H
#define _XC_TABLE_H

#include "options.h"

/**
 * struct xc_table - a table line, parsed
 * @cipher: the cipher specification, as given
 * @key: the key argument, as given
 * @iv_offset: added to sector numbers for the IV, in 512-byte sectors
 * @device: path or number of the underlying device
 * @start: first sector used on the underlying device
 * @opt: the optional parameters
 * @rekey_state: path or number of the state device of a conversion; NULL: none
 * @rekey_key: the new key's argument; NULL without @rekey_state
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
	const char *rekey_state;
	char *rekey_key;
};

int xc_table_parse(struct xc_table *table, unsigned int argc, char **argv,
		   sector_t len, char **error);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Printing the options of a table line.
 */
#ifndef _XC_PRINT_H
#define _XC_PRINT_H

#include "options.h"

/**
 * struct xc_rekey_words - a conversion, as a table line names it
 * @state: number of the state device; NULL: there is no conversion
 * @key_size: bytes in the new key; 0: the new side has none
 * @keyring: "<type>:<description>" of the new key; NULL if it was wiped
 * @cipher: the new cipher specification; NULL: the line's
 * @sector_size: bytes in a new encryption sector; 0: as the line's
 * @iv_offset: the new side's, in 512-byte sectors
 * @has_iv_offset: it is not the line's
 */
struct xc_rekey_words {
	const char *state;
	unsigned int key_size;
	const char *keyring;
	const char *cipher;
	unsigned int sector_size;
	u64 iv_offset;
	bool has_iv_offset;
};

unsigned int xc_options_print(const struct xc_options *opt,
			      const struct xc_rekey_words *rekey, char *result,
			      unsigned int maxlen);
unsigned int xc_options_print_ima(const struct xc_options *opt, char *result,
				  unsigned int maxlen);

#endif

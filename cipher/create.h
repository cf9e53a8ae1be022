/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Creating a cipher from the arguments of a table line.
 */
#ifndef _XC_CREATE_H
#define _XC_CREATE_H

#include "../table/options.h"

struct xc_cipher;

struct xc_cipher *xc_cipher_create(const char *spec, unsigned int key_size,
				   u64 iv_offset, const struct xc_options *opt,
				   char **error);
void xc_cipher_destroy(struct xc_cipher *cipher);
int xc_cipher_set_tuple(struct xc_cipher *cipher, unsigned int tuple_size,
			unsigned int tag_size, char **error);

#endif

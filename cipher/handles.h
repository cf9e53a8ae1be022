/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cipher's handles in the crypto API.
 */
#ifndef _XC_HANDLES_H
#define _XC_HANDLES_H

struct xc_cipher;
struct xc_options;
struct xc_spec;

int xc_handles_alloc(struct xc_cipher *cipher, const struct xc_spec *spec,
		     const struct xc_options *opt, char **error);
void xc_handles_free(struct xc_cipher *cipher);

#endif

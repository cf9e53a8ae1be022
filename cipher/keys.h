/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Giving a cipher its key, and taking it away.
 */
#ifndef _XC_KEYS_H
#define _XC_KEYS_H

struct xc_cipher;

int xc_cipher_set_key(struct xc_cipher *cipher, char **error);
int xc_cipher_wipe_key(struct xc_cipher *cipher);

#endif

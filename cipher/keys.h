/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Setting and wiping the key of a cipher.
 */
#ifndef _XC_KEYS_H
#define _XC_KEYS_H

struct xc_cipher;

int xc_cipher_set_key(struct xc_cipher *cipher, char **error);
int xc_cipher_wipe_key(struct xc_cipher *cipher);

#endif

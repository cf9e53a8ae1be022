/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A toy cipher: fast, keyed, invertible, and not secure.
 */
#ifndef _XC_CRASH_TOY_H
#define _XC_CRASH_TOY_H

#include "cipher/cipher.h"

#define TOY_KEY_SIZE 32

extern const struct xc_engine toy_engine;

/* A cipher with the key @number; 0: it has no key. */
void toy_init(struct xc_cipher *cipher, u8 key[TOY_KEY_SIZE],
	      unsigned int number, unsigned int sector_size);
void toy_wipe(struct xc_cipher *cipher);
void toy_encrypt(const struct xc_cipher *cipher, sector_t sector, void *data);

#endif

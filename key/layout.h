/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layout of a key: which bytes belong to which cipher, and to the IV
 * generator.
 */
#ifndef _XC_LAYOUT_H
#define _XC_LAYOUT_H

#include <linux/types.h>

/**
 * struct xc_key_layout - how the bytes of a key are distributed
 * @size: bytes in the whole key
 * @tfms: number of ciphers; a power of two
 * @parts: number of parts that the key consists of, for IMA
 * @extra: bytes at the end that belong to the IV generator
 * @mac: bytes at the end of a cipher's key that are an HMAC key
 */
struct xc_key_layout {
	unsigned int size;
	unsigned int tfms;
	unsigned int parts;
	unsigned int extra;
	unsigned int mac;
};

/**
 * xc_subkey_size() - size of one cipher's key
 * @layout: layout of the whole key
 *
 * Context: Any context.
 * Return: the size in bytes.
 */
static inline unsigned int xc_subkey_size(const struct xc_key_layout *layout)
{
	return (layout->size - layout->extra) / layout->tfms;
}

#endif

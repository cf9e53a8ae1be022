/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AES-XTS (IEEE Std 1619) of many data units at a time, for the batch engine.
 * An implementation is a source file with one &struct xc_xts_impl; it builds in
 * user space too.
 */
#ifndef _XC_XTS_H
#define _XC_XTS_H

#include <linux/types.h>

#define XC_XTS_BLOCK	16	/* bytes in a block, a tweak and an IV */
#define XC_XTS_KEYS	15	/* round keys of AES-256: rounds + 1 */

/**
 * struct xc_xts_key - the round keys of AES-XTS
 * @encrypt: of the cipher that encrypts data, in the order of its rounds
 * @decrypt: of its equivalent inverse (FIPS 197, 5.3.5), which decrypts data
 * @tweak: of the cipher that makes tweaks of IVs
 * @rounds: 10, 12 or 14; the array members past that are not used
 *
 * Need not be aligned for vectors.  The owner wipes it.
 */
struct xc_xts_key {
	u8 encrypt[XC_XTS_KEYS][XC_XTS_BLOCK];
	u8 decrypt[XC_XTS_KEYS][XC_XTS_BLOCK];
	u8 tweak[XC_XTS_KEYS][XC_XTS_BLOCK];
	unsigned int rounds;
};

/**
 * struct xc_xts_segment - data units that are contiguous in memory
 * @dst: destination, of any alignment
 * @src: source, of any alignment; @dst, or without overlap
 * @sectors: number of data units
 */
struct xc_xts_segment {
	u8 *dst;
	const u8 *src;
	unsigned int sectors;
};

/**
 * struct xc_xts_impl - an implementation of AES-XTS for one kind of CPU
 * @name: names the instructions it uses, for messages
 * @set_key: expands the key @bytes, of @size (32, 48 or 64) bytes, to round
 *	keys: the first half for data, the second for tweaks
 * @crypt: encrypts or decrypts @count @segments, one after the other, of data
 *	units of @sector_size bytes (512 to 4096, a multiple of 16), each unit
 *	with the next 16 bytes of @ivs
 *
 * The caller has checked that the CPU has the instructions, and calls these
 * between kernel_fpu_begin() and kernel_fpu_end().  Their time does not depend
 * on keys and data, and they leave no keys and tweaks in vector registers or on
 * the stack.
 */
struct xc_xts_impl {
	const char *name;
	void (*set_key)(struct xc_xts_key *key, const u8 *bytes,
			unsigned int size);
	void (*crypt)(const struct xc_xts_key *key,
		      const struct xc_xts_segment *segments, unsigned int count,
		      unsigned int sector_size, const u8 *ivs, bool encrypt);
};

extern const struct xc_xts_impl xc_xts_aesni;
extern const struct xc_xts_impl xc_xts_vaes;

#endif

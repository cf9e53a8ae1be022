/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AES-XTS (IEEE Std 1619) of many data units at a time: what the batch engine
 * needs of a processor.  An implementation is one more source file with one
 * more &struct xc_xts_impl; it builds in user space as well as in the kernel.
 */
#ifndef _XC_XTS_H
#define _XC_XTS_H

#include <linux/types.h>

#define XC_XTS_BLOCK	16	/* bytes in a block, a tweak and an IV */
#define XC_XTS_KEYS	15	/* round keys of AES-256: one more than rounds */

/**
 * struct xc_xts_key - the round keys of AES-XTS
 * @encrypt: of the cipher that encrypts data, in the order of its rounds
 * @decrypt: of its equivalent inverse (FIPS 197, 5.3.5), which decrypts data
 * @tweak: of the cipher that makes tweaks of IVs
 * @rounds: 10, 12 or 14; the array members past that are not used
 *
 * As from kmalloc(): vectors in it need not be aligned.  Its holder wipes it.
 */
struct xc_xts_key {
	u8 encrypt[XC_XTS_KEYS][XC_XTS_BLOCK];
	u8 decrypt[XC_XTS_KEYS][XC_XTS_BLOCK];
	u8 tweak[XC_XTS_KEYS][XC_XTS_BLOCK];
	unsigned int rounds;
};

/**
 * struct xc_xts_segment - data units that lie together in memory
 * @dst: where they go
 * @src: where they are; the same, or what does not overlap it; of any alignment
 * @sectors: how many they are
 */
struct xc_xts_segment {
	u8 *dst;
	const u8 *src;
	unsigned int sectors;
};

/**
 * struct xc_xts_impl - AES-XTS as one kind of processor does it best
 * @name: names the instructions it takes, for messages and the status
 * @set_key: makes round keys of @bytes, @size of them (32, 48 or 64): the key
 *	for data, and as long the key for tweaks
 * @crypt: encrypts or decrypts @count @segments, one after the other, of data
 *	units of @sector_size bytes (512 to 4096, a multiple of 16), each unit
 *	with the next 16 bytes of @ivs
 *
 * The caller has seen that the processor has the instructions, and calls these
 * between kernel_fpu_begin() and kernel_fpu_end().  They take the same time
 * for all keys and data of a size, and leave nothing of keys and tweaks behind
 * in vector registers or on the stack.
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

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's implementations of AES-XTS in user space, and OpenSSL's as the
 * reference.
 */
#ifndef _XC_HOST_XTS_OPENSSL_H
#define _XC_HOST_XTS_OPENSSL_H

#include "kernel.h"
#include "cipher/xts.h"

/**
 * struct xts_job - arguments of &xc_xts_impl.crypt, except the destination
 * @key: the two halves of the key
 * @key_size: bytes of both
 * @src: data to encrypt or decrypt
 * @sector_size: bytes in a data unit
 * @sectors: number of data units
 * @segment: data units per segment (the last one may be shorter); 0: all in
 *	one.  The segments are in memory in reverse order.
 * @ivs: 16 bytes for each data unit
 * @encrypt: direction
 */
struct xts_job {
	const u8 *key;
	unsigned int key_size;
	const u8 *src;
	unsigned int sector_size;
	unsigned int sectors;
	unsigned int segment;
	const u8 *ivs;
	bool encrypt;
};

const struct xc_xts_impl *xts_impl(const char *name);
const char *xts_missing(const struct xc_xts_impl *impl);
unsigned int xts_segments(struct xc_xts_segment *segments, u8 *dst,
			  const struct xts_job *job);
void xts_module(const struct xc_xts_impl *impl, u8 *dst,
		const struct xts_job *job);
void xts_openssl(u8 *dst, const struct xts_job *job);
void xts_openssl_tweak(u8 *tweak, const struct xts_job *job,
		       unsigned int sector);
void xts_next_tweak(u8 *tweak);

#endif

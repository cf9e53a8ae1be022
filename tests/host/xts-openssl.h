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
 * struct xts_job - what &xc_xts_impl.crypt is to do, but for the destination
 * @key: the two halves of the key
 * @key_size: bytes of both
 * @src: what is to be encrypted or decrypted
 * @sector_size: bytes in a data unit
 * @sectors: how many data units
 * @segment: how many lie together in memory, but for the last segment, which may
 *	be shorter; 0 for all.  They lie the other way round: the last is first.
 * @ivs: 16 bytes for each
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

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/crypto's MD5 (Linux 6.18), in terms of the crypto API on older kernels.
 * Provides only the state after whole blocks, for iv/lmk.c.
 */
#ifndef _XC_COMPAT_MD5_H
#define _XC_COMPAT_MD5_H

#include <linux/version.h>
#include <crypto/md5.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
static inline int xc_md5_get(void)
{
	return 0;
}

static inline void xc_md5_put(void)
{
}
#else
#define XC_COMPAT_MD5

#include <crypto/hash.h>

/**
 * struct md5_ctx - an unfinished digest
 * @state: the chaining value, up to date after each md5_update() of blocks
 * @desc: the crypto API's state
 * @room: memory for the algorithm, behind @desc
 */
struct md5_ctx {
	struct {
		u32 h[MD5_HASH_WORDS];
	} state;
	struct shash_desc desc;
	u8 room[HASH_MAX_DESCSIZE];
};

int xc_md5_get(void);
void xc_md5_put(void);
void md5_init(struct md5_ctx *ctx);
void md5_update(struct md5_ctx *ctx, const u8 *data, size_t len);
#endif

#endif

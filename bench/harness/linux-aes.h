/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions that are used of Linux 6.1's arch/x86/crypto/aesni-intel_asm.S.
 */
#ifndef _XC_BENCH_LINUX_AES_H
#define _XC_BENCH_LINUX_AES_H

#include "kernel.h"

/* Laid out as the assembly wants it. */
struct crypto_aes_ctx {
	u32 key_enc[60];
	u32 key_dec[60];
	u32 key_length;
} __aligned(16);

int aesni_set_key(struct crypto_aes_ctx *ctx, const u8 *key, unsigned int size);
void aesni_enc(const void *ctx, u8 *out, const u8 *in);
void aesni_xts_encrypt(const struct crypto_aes_ctx *ctx, u8 *out, const u8 *in,
		       unsigned int len, u8 *iv);
void aesni_xts_decrypt(const struct crypto_aes_ctx *ctx, u8 *out, const u8 *in,
		       unsigned int len, u8 *iv);

#endif

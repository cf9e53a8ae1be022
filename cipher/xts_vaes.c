// SPDX-License-Identifier: GPL-2.0-only
/*
 * AES-XTS with VAES, VPCLMULQDQ and AVX2: vectors of two blocks.
 */
#define VEC			__m256i
#define VEC_BLOCKS		2

#define vec_load(src)		_mm256_loadu_si256((const VEC *)(src))
#define vec_store(dst, v)	_mm256_storeu_si256((VEC *)(dst), v)
#define vec_zero()		_mm256_setzero_si256()
#define vec_xor(a, b)		_mm256_xor_si256(a, b)
#define vec_shl64(v, n)		_mm256_slli_epi64(v, n)
#define vec_shr64(v, n)		_mm256_srli_epi64(v, n)
#define vec_swap64(v)		_mm256_shuffle_epi32(v, 0x4e)
#define vec_clmul(a, b, which)	_mm256_clmulepi64_epi128(a, b, which)
#define vec_set64(n)		_mm256_set1_epi64x(n)
#define vec_enc(v, k)		_mm256_aesenc_epi128(v, k)
#define vec_enclast(v, k)	_mm256_aesenclast_epi128(v, k)
#define vec_dec(v, k)		_mm256_aesdec_epi128(v, k)
#define vec_declast(v, k)	_mm256_aesdeclast_epi128(v, k)

/* Round key @n for both blocks: one load for all vectors. */
#define vec_key(key, n) \
	_mm256_broadcastsi128_si256(block_load((key) + (n) * XC_XTS_BLOCK))

/* Tweaks of the first two blocks, and back to the first. */
#define vec_first_tweaks(t) ({					\
	__m128i t_ = (t);					\
	_mm256_set_m128i(block_mul_x(t_), t_); })
#define vec_first_block(v)	_mm256_castsi256_si128(v)

#include "xts_x86.h"

const struct xc_xts_impl xc_xts_vaes = {
	.name = "vaes-avx2",
	.set_key = xc_xts_x86_set_key,
	.crypt = xts_crypt,
};

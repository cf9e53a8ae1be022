// SPDX-License-Identifier: GPL-2.0-only
/*
 * AES-XTS with VAES, VPCLMULQDQ and AVX-512: vectors of four blocks.
 */
#define VEC			__m512i
#define VEC_BLOCKS		4

#define vec_load(src)		_mm512_loadu_si512(src)
#define vec_store(dst, v)	_mm512_storeu_si512(dst, v)
#define vec_zero()		_mm512_setzero_si512()
#define vec_xor(a, b)		_mm512_xor_si512(a, b)
#define vec_shl64(v, n)		_mm512_slli_epi64(v, n)
#define vec_shr64(v, n)		_mm512_srli_epi64(v, n)
#define vec_shl_bytes(v, n)	_mm512_bslli_epi128(v, n)
#define vec_shr_bytes(v, n)	_mm512_bsrli_epi128(v, n)
#define vec_clmul(a, b, which)	_mm512_clmulepi64_epi128(a, b, which)
#define vec_poly()		_mm512_set1_epi64(0x87)
#define vec_enc(v, k)		_mm512_aesenc_epi128(v, k)
#define vec_enclast(v, k)	_mm512_aesenclast_epi128(v, k)
#define vec_dec(v, k)		_mm512_aesdec_epi128(v, k)
#define vec_declast(v, k)	_mm512_aesdeclast_epi128(v, k)

/* Round key @n for both blocks: one load for the whole stride. */
#define vec_key(key, n) \
	_mm512_broadcast_i32x4(block_load((key) + (n) * XC_XTS_BLOCK))

/* Tweaks of the first four blocks, and back to the first. */
#define vec_first_tweaks(t) ({						\
	__m128i t0_ = (t), t1_ = block_mul_x(t0_);			\
	__m256i low_ = _mm256_set_m128i(t1_, t0_);			\
	__m128i t2_ = block_mul_x(t1_), t3_ = block_mul_x(t2_);		\
	_mm512_inserti64x4(_mm512_castsi256_si512(low_),		\
			   _mm256_set_m128i(t3_, t2_), 1); })
#define vec_first_block(v)	_mm512_castsi512_si128(v)

#include "xts_x86.h"

const struct xc_xts_impl xc_xts_avx512 = {
	.name = "vaes-avx512",
	.set_key = xc_xts_x86_set_key,
	.crypt = xts_crypt,
};

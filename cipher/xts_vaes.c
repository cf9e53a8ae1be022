// SPDX-License-Identifier: GPL-2.0-only
/*
 * AES-XTS with VAES, VPCLMULQDQ and AVX2: vectors of two blocks.
 */
#include <immintrin.h>

#define VEC			__m256i
#define VEC_BLOCKS		2

#define vec_load(src)		_mm256_loadu_si256((const VEC *)(src))
#define vec_store(dst, v)	_mm256_storeu_si256((VEC *)(dst), v)
#define vec_zero()		_mm256_setzero_si256()
#define vec_xor(a, b)		_mm256_xor_si256(a, b)
#define vec_enc(v, k)		_mm256_aesenc_epi128(v, k)
#define vec_enclast(v, k)	_mm256_aesenclast_epi128(v, k)
#define vec_dec(v, k)		_mm256_aesdec_epi128(v, k)
#define vec_declast(v, k)	_mm256_aesdeclast_epi128(v, k)

/* Round key @n for both blocks: one load for all vectors. */
#define vec_key(key, n) \
	_mm256_broadcastsi128_si256(block_load((key) + (n) * XC_XTS_BLOCK))

/* Tweaks of the first two blocks from the first tweak, and back. */
#define vec_first_tweaks(t) ({					\
	__m128i t_ = (t);					\
	_mm256_set_m128i(block_mul_x(t_), t_); })
#define vec_first_block(v)	_mm256_castsi256_si128(v)

/* The tweaks of vector @i, from those of the first. */
#define vec_tweaks(tweaks, i)	vec_mul_x((tweaks)[0], (i) * VEC_BLOCKS)

/*
 * Each block's product with x to the power of @n, at most 57.  The bits shifted
 * out of each half go to the other half.  Those that go to the lower half count
 * x^7 + x^2 + x + 1 times: the shuffle adds them once, the clmul the rest.
 */
static __always_inline VEC vec_mul_x(VEC v, const int n)
{
	const VEC poly = _mm256_set1_epi64x(0x86);
	VEC carry = _mm256_srli_epi64(v, 64 - n);

	v = _mm256_slli_epi64(v, n);
	v = _mm256_xor_si256(v, _mm256_shuffle_epi32(carry, 0x4e));
	return _mm256_xor_si256(v, _mm256_clmulepi64_epi128(carry, poly, 0x01));
}

#include "xts_x86.h"

const struct xc_xts_impl xc_xts_vaes = {
	.name = "vaes-avx2",
	.set_key = xc_xts_x86_set_key,
	.crypt = xts_crypt,
};

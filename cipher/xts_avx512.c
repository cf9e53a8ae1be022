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
#define vec_clmul(a, b, which)	_mm512_clmulepi64_epi128(a, b, which)
#define vec_poly()		_mm512_set1_epi64(0x87)
#define vec_enc(v, k)		_mm512_aesenc_epi128(v, k)
#define vec_enclast(v, k)	_mm512_aesenclast_epi128(v, k)
#define vec_dec(v, k)		_mm512_aesdec_epi128(v, k)
#define vec_declast(v, k)	_mm512_aesdeclast_epi128(v, k)

/* Round key @n for all blocks. */
#define vec_key(key, n) \
	_mm512_broadcast_i32x4(block_load((key) + (n) * XC_XTS_BLOCK))

/* A block, four times. */
#define vec_spread(b)		_mm512_broadcast_i32x4(b)
/* For shifts of each block by a number of its own. */
#define vec_counts(n0, n1, n2, n3) \
	_mm512_set_epi64(n3, n3, n2, n2, n1, n1, n0, n0)
#define vec_shlv64(v, n)	_mm512_sllv_epi64(v, n)
#define vec_shrv64(v, n)	_mm512_srlv_epi64(v, n)

/* Forget what is in the registers; vzeroall knows the first half of them. */
#define zero_high(n) \
	asm volatile("vpxorq %%zmm" #n ", %%zmm" #n ", %%zmm" #n : : : "xmm" #n)
#define vec_forget() ({							\
	_mm256_zeroall();						\
	zero_high(16); zero_high(17); zero_high(18); zero_high(19);	\
	zero_high(20); zero_high(21); zero_high(22); zero_high(23);	\
	zero_high(24); zero_high(25); zero_high(26); zero_high(27);	\
	zero_high(28); zero_high(29); zero_high(30); zero_high(31); })

#include "xts_x86.h"

const struct xc_xts_impl xc_xts_avx512 = {
	.name = "vaes-avx512",
	.set_key = xc_xts_x86_set_key,
	.crypt = xts_crypt,
};

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
#define vec_shl_bytes(v, n)	_mm256_bslli_epi128(v, n)
#define vec_clmul(a, b, which)	_mm256_clmulepi64_epi128(a, b, which)
#define vec_poly()		_mm256_set1_epi64x(0x87)
#define vec_enc(v, k)		_mm256_aesenc_epi128(v, k)
#define vec_enclast(v, k)	_mm256_aesenclast_epi128(v, k)
#define vec_dec(v, k)		_mm256_aesdec_epi128(v, k)
#define vec_declast(v, k)	_mm256_aesdeclast_epi128(v, k)

/* Round key @n for both blocks. */
#define vec_key(key, n) \
	_mm256_broadcastsi128_si256(block_load((key) + (n) * XC_XTS_BLOCK))

/* A block, twice. */
#define vec_spread(b)		_mm256_broadcastsi128_si256(b)
/* For shifts of each block by a number of its own. */
#define vec_counts(n0, n1, n2, n3) \
	_mm256_set_epi64x(n1, n1, n0, n0)
#define vec_shlv64(v, n)	_mm256_sllv_epi64(v, n)
#define vec_shrv64(v, n)	_mm256_srlv_epi64(v, n)

#define vec_forget()		_mm256_zeroall()

#include "xts_x86.h"

const struct xc_xts_impl xc_xts_vaes = {
	.name = "vaes-avx2",
	.set_key = xc_xts_x86_set_key,
	.crypt = xts_crypt,
};

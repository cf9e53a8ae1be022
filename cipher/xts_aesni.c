// SPDX-License-Identifier: GPL-2.0-only
/*
 * AES-XTS with AES-NI and AVX: vectors of one block.  Also the key expansion,
 * which does not gain from wider vectors.
 */
#define VEC			__m128i
#define VEC_BLOCKS		1

#define vec_load(src)		block_load(src)
#define vec_store(dst, v)	block_store(dst, v)
#define vec_zero()		_mm_setzero_si128()
#define vec_xor(a, b)		_mm_xor_si128(a, b)
#define vec_enc(v, k)		_mm_aesenc_si128(v, k)
#define vec_enclast(v, k)	_mm_aesenclast_si128(v, k)
#define vec_dec(v, k)		_mm_aesdec_si128(v, k)
#define vec_declast(v, k)	_mm_aesdeclast_si128(v, k)

#define vec_key(key, n)		block_load((key) + (n) * XC_XTS_BLOCK)

#define vec_first_tweaks(t)	(t)
#define vec_first_block(v)	(v)

/* The tweak of vector @i, from that of the vector before. */
#define vec_tweaks(tweaks, i)	block_mul_x((tweaks)[(i) - 1])

#include "xts_x86.h"

/*
 * FIPS 197, 5.2: the round keys from @words words of key.  AESKEYGENASSIST
 * yields SubWord() of the second word as its first word, and RotWord() of that
 * as its second.
 */
static void expand_key(u8 *out, const u8 *key, unsigned int words)
{
	unsigned int i, rounds = words + 6;
	u8 rcon = 1;
	__m128i w;

	for (i = 0; i < words; i++)
		_mm_storeu_si32(out + 4 * i, _mm_loadu_si32(key + 4 * i));
	for (; i < 4 * (rounds + 1); i++) {
		w = _mm_loadu_si32(out + 4 * (i - 1));
		if (i % words == 0) {
			w = _mm_aeskeygenassist_si128(_mm_bslli_si128(w, 4), 0);
			w = _mm_bsrli_si128(w, 4);
			w = _mm_xor_si128(w, _mm_cvtsi32_si128(rcon));
			/* times x, see 4.2 */
			rcon = rcon << 1 ^ (rcon >> 7) * 0x1b;
		} else if (words == 8 && i % words == 4) {
			w = _mm_aeskeygenassist_si128(_mm_bslli_si128(w, 4), 0);
		}
		w = _mm_xor_si128(w, _mm_loadu_si32(out + 4 * (i - words)));
		_mm_storeu_si32(out + 4 * i, w);
	}
}

/* FIPS 197, 5.3.5: the round keys of the equivalent inverse cipher. */
static void invert_key(u8 (*out)[XC_XTS_BLOCK], u8 (*in)[XC_XTS_BLOCK],
		       unsigned int rounds)
{
	unsigned int i;

	block_store(out[0], block_load(in[rounds]));
	for (i = 1; i < rounds; i++)
		block_store(out[i],
			    _mm_aesimc_si128(block_load(in[rounds - i])));
	block_store(out[rounds], block_load(in[0]));
}

/**
 * xc_xts_x86_set_key() - &xc_xts_impl.set_key of implementations with AES-NI
 * @key: the round keys to make
 * @bytes: the key for data, then that for tweaks
 * @size: bytes of both together: 32, 48 or 64
 *
 * Context: Between kernel_fpu_begin() and kernel_fpu_end().
 */
void xc_xts_x86_set_key(struct xc_xts_key *key, const u8 *bytes,
			unsigned int size)
{
	unsigned int words = size / 2 / sizeof(u32);

	key->rounds = words + 6;
	expand_key(key->encrypt[0], bytes, words);
	expand_key(key->tweak[0], bytes + size / 2, words);
	invert_key(key->decrypt, key->encrypt, key->rounds);
	_mm256_zeroall();
}

const struct xc_xts_impl xc_xts_aesni = {
	.name = "aesni-avx",
	.set_key = xc_xts_x86_set_key,
	.crypt = xts_crypt,
};

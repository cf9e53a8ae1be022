/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AES-XTS on x86-64, for vectors of any width.
 *
 * xts_aesni.c and xts_vaes.c include this after defining VEC, the type of a
 * vector of VEC_BLOCKS blocks, and the operations on it, vec_...().  They use
 * one function from here, xts_crypt().
 *
 * An AES instruction takes about four cycles, and two may begin in each cycle:
 * eight chains keep the unit busy as long as none has to wait.  So the data of
 * a stride is in eight registers, and its tweaks are in memory.  They are
 * written during the previous stride, even if it belongs to another data unit
 * or segment.
 *
 * Keys and tweaks are only in struct xc_xts_key and in struct memory, which is
 * wiped.  The registers suffice for the rest, so the compiler spills none to
 * the stack.  This requires the unroll pragmas: they dissolve arrays of vectors
 * before the compiler allocates registers.
 */
#ifndef _XC_XTS_X86_H
#define _XC_XTS_X86_H

#include <immintrin.h>

#include "xts.h"

#define VECS		8	/* vectors in flight together: a stride */
#define STRIDE_SIZE	(VECS * sizeof(VEC))
#define IVS		8	/* IVs encrypted together */

void xc_xts_x86_set_key(struct xc_xts_key *key, const u8 *bytes,
			unsigned int size);

/* ---- one block ----------------------------------------------------------- */

static __always_inline __m128i block_load(const u8 *src)
{
	return _mm_loadu_si128((const __m128i *)src);
}

static __always_inline void block_store(u8 *dst, __m128i b)
{
	_mm_storeu_si128((__m128i *)dst, b);
}

/* FIPS 197, 5.1 or 5.3.5. */
static __always_inline __m128i block_aes(__m128i b, const u8 *key,
					 unsigned int rounds, bool encrypt)
{
	const u8 *last = key + rounds * XC_XTS_BLOCK;

	b = _mm_xor_si128(b, block_load(key));
	for (key += XC_XTS_BLOCK; key < last; key += XC_XTS_BLOCK) {
		if (encrypt)
			b = _mm_aesenc_si128(b, block_load(key));
		else
			b = _mm_aesdec_si128(b, block_load(key));
	}
	return encrypt ? _mm_aesenclast_si128(b, block_load(key)) :
			 _mm_aesdeclast_si128(b, block_load(key));
}

/*
 * IEEE 1619, 5.2: the product with x modulo x^128 + x^7 + x^2 + x + 1, where
 * the first byte has the lowest terms.
 */
static __always_inline __m128i block_mul_x(__m128i b)
{
	/* the highest bit of each half, at the lower end of the other */
	__m128i carry = _mm_srai_epi32(_mm_shuffle_epi32(b, 0x13), 31);

	carry = _mm_and_si128(carry, _mm_set_epi64x(1, 0x87));
	return _mm_xor_si128(_mm_add_epi64(b, b), carry);
}

/* ---- a stride ------------------------------------------------------------ */

static __always_inline void make_tweaks(VEC *tweaks)
{
	int i;

	for (i = 1; i < VECS; i++)
		tweaks[i] = vec_tweaks(tweaks, i);
}

/* The round of round key @n. */
static __always_inline void vecs_round(VEC *v, const int vecs, const u8 *key,
				       int n, bool encrypt)
{
	VEC k = vec_key(key, n);
	int i;

#pragma GCC unroll 8
	for (i = 0; i < vecs; i++)
		v[i] = encrypt ? vec_enc(v[i], k) : vec_dec(v[i], k);
}

/* The round of round key @n, and one vector of the next stride's @tweaks. */
static __always_inline void vecs_round_tweak(VEC *v, const int vecs,
					     const u8 *key, int n, bool encrypt,
					     VEC *tweaks)
{
	vecs_round(v, vecs, key, n, encrypt);
	if (tweaks)
		tweaks[n] = vec_tweaks(tweaks, n);
}

/*
 * FIPS 197, 5.1 or 5.3.5: all rounds but the last.  Longer keys have their
 * additional rounds first.
 *
 * If @tweaks is given, the tweaks of the next stride are computed from their
 * first vector between the rounds.  Computed at once, as the compiler arranges
 * a loop, they would delay AES.
 */
static __always_inline void vecs_aes(VEC *v, const int vecs, const u8 *key,
				     unsigned int rounds, bool encrypt,
				     VEC *tweaks)
{
	if (rounds > 12) {
		vecs_round(v, vecs, key, 1, encrypt);
		vecs_round(v, vecs, key, 2, encrypt);
		key += 2 * XC_XTS_BLOCK;
	}
	if (rounds > 10) {
		vecs_round(v, vecs, key, 1, encrypt);
		vecs_round(v, vecs, key, 2, encrypt);
		key += 2 * XC_XTS_BLOCK;
	}
	vecs_round_tweak(v, vecs, key, 1, encrypt, tweaks);
	vecs_round_tweak(v, vecs, key, 2, encrypt, tweaks);
	vecs_round_tweak(v, vecs, key, 3, encrypt, tweaks);
	vecs_round_tweak(v, vecs, key, 4, encrypt, tweaks);
	vecs_round_tweak(v, vecs, key, 5, encrypt, tweaks);
	vecs_round_tweak(v, vecs, key, 6, encrypt, tweaks);
	vecs_round_tweak(v, vecs, key, 7, encrypt, tweaks);
	vecs_round(v, vecs, key, 8, encrypt);
	vecs_round(v, vecs, key, 9, encrypt);
}

/*
 * The XORs with the tweaks are merged with those of the first and the last
 * round key.  The tweaks of the @next stride are computed from their first
 * vector.
 */
static __always_inline void crypt_stride(const u8 *key, unsigned int rounds,
					 u8 *dst, const u8 *src,
					 const VEC *tweaks, VEC *next,
					 bool encrypt)
{
	VEC v[VECS], k = vec_key(key, 0);
	int i;

#pragma GCC unroll 8
	for (i = 0; i < VECS; i++)
		v[i] = vec_xor(vec_xor(vec_load(src + i * sizeof(VEC)), k),
			       tweaks[i]);
	vecs_aes(v, VECS, key, rounds, encrypt, next);
	k = vec_key(key, rounds);
#pragma GCC unroll 8
	for (i = 0; i < VECS; i++) {
		VEC last = vec_xor(k, tweaks[i]);

		vec_store(dst + i * sizeof(VEC),
			  encrypt ? vec_enclast(v[i], last) :
				    vec_declast(v[i], last));
	}
}

/* ---- data units ---------------------------------------------------------- */

/**
 * struct memory - data that does not fit the registers; wiped at the end
 * @ivs: encrypted IVs
 * @tweaks: tweaks of a stride, and those of the next in the making
 */
struct memory {
	u8 ivs[IVS][XC_XTS_BLOCK] __aligned(sizeof(VEC));
	VEC tweaks[2][VECS];
};

/* Encrypt the next IVS IVs, or those that are @left. */
static __always_inline void encrypt_ivs(const struct xc_xts_key *key,
					struct memory *m, const u8 *ivs,
					unsigned int left)
{
	const u8 *tweak_key = key->tweak[0];
	const int vecs = IVS / VEC_BLOCKS;
	VEC v[IVS / VEC_BLOCKS], k;
	int i;

	if (left < IVS) {
		for (i = 0; i < left; i++, ivs += XC_XTS_BLOCK)
			block_store(m->ivs[i],
				    block_aes(block_load(ivs), tweak_key,
					      key->rounds, true));
		return;
	}

	k = vec_key(tweak_key, 0);
#pragma GCC unroll 8
	for (i = 0; i < vecs; i++)
		v[i] = vec_xor(vec_load(ivs + i * sizeof(VEC)), k);
	vecs_aes(v, vecs, tweak_key, key->rounds, true, NULL);
	k = vec_key(tweak_key, key->rounds);
#pragma GCC unroll 8
	for (i = 0; i < vecs; i++)
		vec_store(m->ivs[i * VEC_BLOCKS], vec_enclast(v[i], k));
}

/* The end of a data unit whose size is not a multiple of a stride's. */
static __always_inline void crypt_rest(const u8 *key, unsigned int rounds,
				       u8 *dst, const u8 *src,
				       unsigned int size, __m128i tweak,
				       bool encrypt)
{
	__m128i b;

	for (; size; size -= XC_XTS_BLOCK) {
		b = _mm_xor_si128(block_load(src), tweak);
		b = block_aes(b, key, rounds, encrypt);
		block_store(dst, _mm_xor_si128(b, tweak));
		tweak = block_mul_x(tweak);
		src += XC_XTS_BLOCK;
		dst += XC_XTS_BLOCK;
	}
}

/*
 * The tweaks of the first stride are in tweaks[@turn].  Those of the next data
 * unit, whose encrypted IV is @next_iv, will be in the array whose index is
 * returned.
 */
static __always_inline unsigned int crypt_sector(const u8 *key,
						 unsigned int rounds, u8 *dst,
						 const u8 *src,
						 unsigned int size,
						 struct memory *m,
						 unsigned int turn,
						 const u8 *next_iv,
						 bool encrypt)
{
	VEC *tweaks = m->tweaks[turn], *next;

	while (size >= STRIDE_SIZE) {
		size -= STRIDE_SIZE;
		turn ^= 1;
		next = m->tweaks[turn];
		next[0] = size ? vec_tweaks(tweaks, VECS) :
				 vec_first_tweaks(block_load(next_iv));
		crypt_stride(key, rounds, dst, src, tweaks, next, encrypt);
		tweaks = next;
		src += STRIDE_SIZE;
		dst += STRIDE_SIZE;
	}
	if (size) {
		crypt_rest(key, rounds, dst, src, size,
			   vec_first_block(tweaks[0]), encrypt);
		tweaks[0] = vec_first_tweaks(block_load(next_iv));
		make_tweaks(tweaks);
	}
	return turn;
}

static __always_inline unsigned int
count_sectors(const struct xc_xts_segment *segments, unsigned int count)
{
	unsigned int sectors = 0;

	for (; count; count--, segments++)
		sectors += segments->sectors;
	return sectors;
}

static __always_inline void wipe(struct memory *m)
{
	VEC *v = (VEC *)m;
	int i;

	for (i = 0; i < sizeof(*m) / sizeof(VEC); i++)
		v[i] = vec_zero();
	asm volatile("" : : "r" (m) : "memory");
	_mm256_zeroall();
}

/*
 * IVs are encrypted several at a time, across segments, and used one data unit
 * ahead.  The one after the last data unit is garbage, and is not used.
 */
static __always_inline void crypt(const struct xc_xts_key *key,
				  const struct xc_xts_segment *segments,
				  unsigned int count, unsigned int sector_size,
				  const u8 *ivs, bool encrypt)
{
	const u8 *data_key = encrypt ? key->encrypt[0] : key->decrypt[0];
	unsigned int left = count_sectors(segments, count);
	unsigned int next = 0, turn = 0, i;
	struct memory m;

	encrypt_ivs(key, &m, ivs, left);
	m.tweaks[turn][0] = vec_first_tweaks(block_load(m.ivs[0]));
	make_tweaks(m.tweaks[turn]);
	for (; count; count--, segments++) {
		for (i = 0; i < segments->sectors; i++) {
			left--;
			ivs += XC_XTS_BLOCK;
			next = (next + 1) % IVS;
			if (!next)
				encrypt_ivs(key, &m, ivs, left);
			turn = crypt_sector(data_key, key->rounds,
					    segments->dst + i * sector_size,
					    segments->src + i * sector_size,
					    sector_size, &m, turn, m.ivs[next],
					    encrypt);
		}
	}
	wipe(&m);
}

/* See &xc_xts_impl.crypt.  Each direction has its own code. */
static void xts_crypt(const struct xc_xts_key *key,
		      const struct xc_xts_segment *segments, unsigned int count,
		      unsigned int sector_size, const u8 *ivs, bool encrypt)
{
	if (encrypt)
		crypt(key, segments, count, sector_size, ivs, true);
	else
		crypt(key, segments, count, sector_size, ivs, false);
}

#endif

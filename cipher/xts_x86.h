/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AES-XTS on x86-64, whatever the width of the vectors.
 *
 * xts_aesni.c, xts_vaes.c and xts_avx512.c include this after they have defined VEC, the
 * type of a vector of VEC_BLOCKS blocks, and the operations on it, vec_...().
 * The name of the one function that they take from here is xts_crypt().
 *
 * Keys and tweaks are to be in memory nowhere but in struct xc_xts_key and in
 * the array in crypt(), which is wiped: a stride and its tweaks fit into the
 * registers, so the compiler has no need to spill any onto the stack.
 */
#ifndef _XC_XTS_X86_H
#define _XC_XTS_X86_H

#include <immintrin.h>

#include "xts.h"

/*
 * Four vectors are in flight, a stride.  The processor looks far enough ahead
 * to begin the next one meanwhile.
 */
#define VECS		4
#define STRIDE		(VECS * VEC_BLOCKS)
#define STRIDE_SIZE	(STRIDE * XC_XTS_BLOCK)

#define BATCH		32	/* IVs that are encrypted together */

struct stride {
	VEC v[VECS];
};

void xc_xts_x86_set_key(struct xc_xts_key *key, const u8 *bytes,
			unsigned int size);

/* ---- one block ------------------------------------------------------------ */

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
	const __m128i poly = _mm_cvtsi64_si128(0x87);
	__m128i carry = _mm_srli_epi64(b, 63);

	b = _mm_xor_si128(_mm_slli_epi64(b, 1), _mm_bslli_si128(carry, 8));
	return _mm_xor_si128(b, _mm_clmulepi64_si128(carry, poly, 0x01));
}

/* ---- a stride ------------------------------------------------------------- */

static __always_inline void stride_load(struct stride *s, const u8 *src)
{
	int i;

	for (i = 0; i < VECS; i++)
		s->v[i] = vec_load(src + i * sizeof(VEC));
}

static __always_inline void stride_store(u8 *dst, const struct stride *s)
{
	int i;

	for (i = 0; i < VECS; i++)
		vec_store(dst + i * sizeof(VEC), s->v[i]);
}

static __always_inline void stride_xor(struct stride *s, const struct stride *t)
{
	int i;

	for (i = 0; i < VECS; i++)
		s->v[i] = vec_xor(s->v[i], t->v[i]);
}

/* The round of round key @n. */
static __always_inline void stride_round(struct stride *s, const u8 *key, int n,
					 bool encrypt)
{
	int i;

	for (i = 0; i < VECS; i++) {
		VEC k = vec_key(key, n);

		s->v[i] = encrypt ? vec_enc(s->v[i], k) : vec_dec(s->v[i], k);
	}
}

/* Each block's product with x to the power of @n, at most 57. */
static __always_inline VEC vec_mul_x(VEC v, const int n)
{
	VEC carry = vec_shr64(v, 64 - n);

	v = vec_xor(vec_shl64(v, n), vec_shl_bytes(carry, 8));
	return vec_xor(v, vec_clmul(carry, vec_poly(), 0x01));
}

/*
 * FIPS 197, 5.1 or 5.3.5.  Longer keys have their additional rounds first.
 * Each round waits for the one before; in between there is time to make the
 * @tweaks of a stride, if any, those of the stride that follows it.
 */
static __always_inline void stride_aes(struct stride *s, const u8 *key,
				       unsigned int rounds, bool encrypt,
				       struct stride *tweaks)
{
	int i;

	for (i = 0; i < VECS; i++)
		s->v[i] = vec_xor(s->v[i], vec_key(key, 0));
	if (rounds > 12) {
		stride_round(s, key, 1, encrypt);
		stride_round(s, key, 2, encrypt);
		key += 2 * XC_XTS_BLOCK;
	}
	if (rounds > 10) {
		stride_round(s, key, 1, encrypt);
		stride_round(s, key, 2, encrypt);
		key += 2 * XC_XTS_BLOCK;
	}
	for (i = 1; i < 10; i++) {
		stride_round(s, key, i, encrypt);
		if (tweaks && i <= VECS)
			tweaks->v[i - 1] = vec_mul_x(tweaks->v[i - 1], STRIDE);
	}
	for (i = 0; i < VECS; i++) {
		VEC k = vec_key(key, 10);

		s->v[i] = encrypt ? vec_enclast(s->v[i], k) :
				    vec_declast(s->v[i], k);
	}
}

#if VEC_BLOCKS > 1
/* The tweaks of a data unit's first blocks: x to the power of 0, 1 and so on. */
static __always_inline VEC vec_first_tweaks(__m128i tweak)
{
	VEC v = vec_spread(tweak);
	VEC carry = vec_shrv64(v, vec_counts(64, 63, 62, 61));

	v = vec_xor(vec_shlv64(v, vec_counts(0, 1, 2, 3)),
		    vec_shl_bytes(carry, 8));
	return vec_xor(v, vec_clmul(carry, vec_poly(), 0x01));
}
#endif

/* The tweaks of a data unit's first stride, of the encrypted IV. */
static __always_inline void tweaks_first(struct stride *t, const u8 *tweak)
{
	int i;

	t->v[0] = vec_first_tweaks(block_load(tweak));
	for (i = 1; i < VECS; i++)
		t->v[i] = vec_mul_x(t->v[0], i * VEC_BLOCKS);
}

/* ---- data units ----------------------------------------------------------- */

/*
 * A data unit, whose first stride's tweaks are @first.  What is in flight in
 * its last stride leaves time to make those of the next data unit, of @next.
 */
static __always_inline void crypt_sector(const u8 *key, unsigned int rounds,
					 u8 *dst, const u8 *src,
					 unsigned int size,
					 struct stride *first, const u8 *next,
					 bool encrypt)
{
	struct stride s, tweaks, following = *first;

	for (; size > STRIDE_SIZE; size -= STRIDE_SIZE) {
		tweaks = following;
		stride_load(&s, src);
		stride_xor(&s, &tweaks);
		stride_aes(&s, key, rounds, encrypt, &following);
		stride_xor(&s, &tweaks);
		stride_store(dst, &s);
		src += STRIDE_SIZE;
		dst += STRIDE_SIZE;
	}
	tweaks_first(first, next);
	stride_load(&s, src);
	stride_xor(&s, &following);
	stride_aes(&s, key, rounds, encrypt, NULL);
	stride_xor(&s, &following);
	stride_store(dst, &s);
}

static __always_inline void encrypt_ivs(const struct xc_xts_key *key,
					u8 *tweaks, const u8 *ivs,
					unsigned int count)
{
	struct stride s;

	for (; count >= STRIDE; count -= STRIDE) {
		stride_load(&s, ivs);
		stride_aes(&s, key->tweak[0], key->rounds, true, NULL);
		stride_store(tweaks, &s);
		tweaks += STRIDE_SIZE;
		ivs += STRIDE_SIZE;
	}
	for (; count; count--) {
		block_store(tweaks, block_aes(block_load(ivs), key->tweak[0],
					      key->rounds, true));
		tweaks += XC_XTS_BLOCK;
		ivs += XC_XTS_BLOCK;
	}
}

static __always_inline unsigned int
count_sectors(const struct xc_xts_segment *segments, unsigned int count)
{
	unsigned int sectors = 0;

	for (; count; count--, segments++)
		sectors += segments->sectors;
	return sectors;
}

/* The IVs are encrypted many at a time, whichever segments they belong to. */
static __always_inline void crypt(const struct xc_xts_key *key,
				  const struct xc_xts_segment *segments,
				  unsigned int count, unsigned int sector_size,
				  const u8 *ivs, bool encrypt)
{
	const u8 *data_key = encrypt ? key->encrypt[0] : key->decrypt[0];
	unsigned int left = count_sectors(segments, count), done, i;
	unsigned int next = 0, batch = 0;
	u8 tweaks[BATCH * XC_XTS_BLOCK];
	struct stride first;

	for (; count; count--, segments++) {
		for (done = 0; done < segments->sectors; done++) {
			if (!batch) {
				batch = left < BATCH ? left : BATCH;
				encrypt_ivs(key, tweaks, ivs, batch);
				ivs += batch * XC_XTS_BLOCK;
				left -= batch;
				tweaks_first(&first, tweaks);
			}
			/* after the last of a batch no next is known: any */
			if (++next == batch)
				next = batch = 0;
			crypt_sector(data_key, key->rounds,
				     segments->dst + done * sector_size,
				     segments->src + done * sector_size,
				     sector_size, &first,
				     tweaks + next * XC_XTS_BLOCK, encrypt);
		}
	}

	for (i = 0; i < sizeof(tweaks); i += sizeof(VEC))
		vec_store(tweaks + i, vec_zero());
	asm volatile("" : : "r" (tweaks) : "memory");
	vec_forget();
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

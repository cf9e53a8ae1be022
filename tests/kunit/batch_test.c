// SPDX-License-Identifier: GPL-2.0-only
/*
 * AES-XTS of the batch engine, each implementation that this CPU can run:
 * published vectors, one by one, all in one call, and in segments.
 */
#include <kunit/test.h>
#include <linux/crc32.h>

#include "../../cipher/batch_check.h"
#include "../../iv/generators.h"
/* Its checks of the CPU are static. */
#include "../../cipher/simd_x86.c"

#define SIZE 512

struct xts_vector {
	unsigned int key_size;
	u8 key[64];
	u64 sector;
	bool ramp;
	u8 head[16];
	u8 tail[16];
	u32 crc;
};

#include "xts_vectors.h"

#define SECTORS ARRAY_SIZE(xts_vectors)

/**
 * struct work - the vectors, with buffers
 * @key: round keys
 * @ivs: an IV for each sector
 * @plain: plaintexts
 * @cipher: expected ciphertexts
 * @out: output of the implementation
 */
struct work {
	struct xc_xts_key key;
	u8 ivs[SECTORS][XC_XTS_BLOCK];
	u8 plain[SECTORS][SIZE];
	u8 cipher[SECTORS][SIZE];
	u8 out[SECTORS][SIZE];
};

static const struct xc_xts_impl *impls[2];

static int find_impls(struct kunit_suite *suite)
{
	impls[0] = has_aesni() ? &xc_xts_aesni : NULL;
	impls[1] = has_vaes() ? &xc_xts_vaes : NULL;
	return 0;
}

static const void *next_impl(struct kunit *test, const void *last, char *name)
{
	const struct xc_xts_impl *const *at = last;

	for (at = at ? at + 1 : impls; at < impls + ARRAY_SIZE(impls); at++)
		if (*at) {
			strscpy(name, (*at)->name, KUNIT_PARAM_DESC_SIZE);
			return at;
		}
	return NULL;
}

static const struct xc_xts_impl *impl_of(struct kunit *test)
{
	return *(const struct xc_xts_impl *const *)test->param_value;
}

static void set_key(const struct xc_xts_impl *impl, struct work *work,
		    unsigned int first)
{
	const struct xts_vector *v = &xts_vectors[first];

	xc_simd_begin();
	impl->set_key(&work->key, v->key, v->key_size);
	xc_simd_end();
}

static void crypt(const struct xc_xts_impl *impl, const struct work *work,
		  const struct xc_xts_segment *segments, unsigned int count,
		  unsigned int first, bool encrypt)
{
	xc_simd_begin();
	impl->crypt(&work->key, segments, count, SIZE, work->ivs[first],
		    encrypt);
	xc_simd_end();
}

/* Each vector separately; this verifies the ciphertexts. */
static struct work *published(struct kunit *test)
{
	struct work *work = kunit_kzalloc(test, sizeof(*work), GFP_KERNEL);
	const struct xc_xts_impl *impl = impl_of(test);
	struct xc_xts_segment one = { .sectors = 1 };
	const struct xts_vector *v;
	unsigned int i, k;
	__le64 sector;

	KUNIT_ASSERT_NOT_NULL(test, work);
	for (i = 0; i < SECTORS; i++) {
		v = &xts_vectors[i];
		sector = cpu_to_le64(v->sector);
		memcpy(work->ivs[i], &sector, sizeof(sector));
		for (k = 0; k < SIZE; k++)
			work->plain[i][k] = v->ramp ? k :
				work->cipher[i - 1][k];
		set_key(impl, work, i);
		one.src = work->plain[i];
		one.dst = work->cipher[i];
		crypt(impl, work, &one, 1, i, true);
		KUNIT_ASSERT_MEMEQ(test, work->cipher[i], v->head, 16);
		KUNIT_ASSERT_MEMEQ(test, work->cipher[i] + SIZE - 16, v->tail,
				   16);
		KUNIT_ASSERT_EQ(test, crc32_le(0, work->cipher[i], SIZE),
				v->crc);
	}
	return work;
}

static void xts_vectors_test(struct kunit *test)
{
	const struct xc_xts_impl *impl = impl_of(test);
	struct work *work = published(test);
	struct xc_xts_segment one = { .sectors = 1 };
	unsigned int i;

	for (i = 0; i < SECTORS; i++) {
		set_key(impl, work, i);
		one.src = work->cipher[i];
		one.dst = work->out[i];
		crypt(impl, work, &one, 1, i, false);
		KUNIT_EXPECT_MEMEQ(test, work->out[i], work->plain[i], SIZE);
	}
}

/* The number of successive vectors with the same key, from @first on. */
static unsigned int same_key(unsigned int first)
{
	unsigned int i = first;

	while (i < SECTORS && !memcmp(xts_vectors[i].key,
				      xts_vectors[first].key, 64))
		i++;
	return i - first;
}

/*
 * @count sectors in one call, in segments of @size_of sectors, which are in
 * reverse order at the destination.
 */
static void try_segments(struct kunit *test, struct work *work,
			 unsigned int first, unsigned int count,
			 unsigned int size_of, bool encrypt)
{
	u8 (*src)[SIZE] = encrypt ? work->plain : work->cipher;
	u8 (*right)[SIZE] = encrypt ? work->cipher : work->plain;
	struct xc_xts_segment segments[SECTORS];
	unsigned int i, n = 0, left, at, room = count;

	memset(work->out, 0, sizeof(work->out));
	for (i = 0; i < count; i += left) {
		left = min(size_of, count - i);
		room -= left;
		segments[n++] = (struct xc_xts_segment) {
			.src = src[first + i], .dst = work->out[room],
			.sectors = left,
		};
	}
	crypt(impl_of(test), work, segments, n, first, encrypt);
	for (i = 0; i < n; i++) {
		at = (u8 (*)[SIZE])segments[i].dst - work->out;
		KUNIT_EXPECT_MEMEQ(test, work->out[at],
				   right[first + i * size_of],
				   segments[i].sectors * SIZE);
	}
	/* and no other memory is written */
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(work->out[count], 0,
					     (SECTORS - count) * SIZE), NULL);
}

static void xts_segments_test(struct kunit *test)
{
	unsigned int first, count, size_of;
	struct work *work = published(test);

	for (first = 0; first < SECTORS; first += same_key(first)) {
		set_key(impl_of(test), work, first);
		for (count = 1; count <= same_key(first); count++)
			for (size_of = 1; size_of <= count; size_of++) {
				try_segments(test, work, first, count, size_of,
					     true);
				try_segments(test, work, first, count, size_of,
					     false);
			}
	}
}

static void xts_in_place_test(struct kunit *test)
{
	const struct xc_xts_impl *impl = impl_of(test);
	struct work *work = published(test);
	unsigned int first, count;
	struct xc_xts_segment all;

	for (first = 0; first < SECTORS; first += count) {
		count = same_key(first);
		memcpy(work->out, work->plain, sizeof(work->out));
		all.src = work->out[first];
		all.dst = work->out[first];
		all.sectors = count;
		set_key(impl, work, first);
		crypt(impl, work, &all, 1, first, true);
		KUNIT_EXPECT_MEMEQ(test, work->out[first], work->cipher[first],
				   count * SIZE);
		crypt(impl, work, &all, 1, first, false);
		KUNIT_EXPECT_MEMEQ(test, work->out, work->plain,
				   sizeof(work->out));
	}
}

/* One wrong bit in a long run, as from a faulty CPU. */
static const struct xc_xts_impl *faulty_of;

static void faulty_set_key(struct xc_xts_key *key, const u8 *bytes,
			   unsigned int size)
{
	faulty_of->set_key(key, bytes, size);
}

static void faulty_crypt(const struct xc_xts_key *key,
			 const struct xc_xts_segment *segments,
			 unsigned int count, unsigned int sector_size,
			 const u8 *ivs, bool encrypt)
{
	faulty_of->crypt(key, segments, count, sector_size, ivs, encrypt);
	if (segments[0].sectors > 5)
		segments[0].dst[5 * sector_size + 100] ^= 4;
}

/* The self-check of an implementation when the module is loaded. */
static void xts_check_test(struct kunit *test)
{
	static const struct xc_xts_impl faulty = {
		.name = "faulty, made by xcrypt_kunit",
		.set_key = faulty_set_key,
		.crypt = faulty_crypt,
	};

	KUNIT_EXPECT_TRUE(test, xc_batch_check(impl_of(test)));
	faulty_of = impl_of(test);
	KUNIT_EXPECT_FALSE(test, xc_batch_check(&faulty));
}

static struct kunit_case batch_cases[] = {
	KUNIT_CASE_PARAM(xts_vectors_test, next_impl),
	KUNIT_CASE_PARAM(xts_segments_test, next_impl),
	KUNIT_CASE_PARAM(xts_in_place_test, next_impl),
	KUNIT_CASE_PARAM(xts_check_test, next_impl),
	{}
};

static struct kunit_suite batch_suite = {
	.name = "xcrypt-batch",
	.suite_init = find_impls,
	.test_cases = batch_cases,
};

kunit_test_suite(batch_suite);

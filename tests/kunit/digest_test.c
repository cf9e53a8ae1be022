// SPDX-License-Identifier: GPL-2.0-only
/*
 * Digests of units, against those that vectors.py computed from docs/rekey-format.md.
 * The cipher of the digests is the crypto API's, without the engines.
 */
#include "digest_test.h"

#include <linux/bio.h>
#include <linux/scatterlist.h>

#include "../../cipher/run.c"
#include "../../rekey/digest.c"

struct digest_vector {
	unsigned int unit_size;
	u64 sector;
	u8 digest[XC_DIGEST_SIZE];
};

#include "digest_vectors.h"

/* Units in a call: more than fit the memory to work with. */
#define UNITS 37
#define KEY_SIZE 64

/* ---- in place of cipher/create.c and cipher/keys.c ------------------------- */

struct plain_cipher {
	struct xc_cipher cipher;
	struct crypto_sync_skcipher *tfm;
	u8 key[KEY_SIZE];
};

static struct plain_cipher *plain(const struct xc_cipher *cipher)
{
	return container_of(cipher, struct plain_cipher, cipher);
}

static int encrypt_sector(struct crypto_sync_skcipher *tfm, u64 sector, void *src, void *dst)
{
	SYNC_SKCIPHER_REQUEST_ON_STACK(request, tfm);
	__le64 iv[2] = { cpu_to_le64(sector) };
	struct scatterlist from, to;

	sg_init_one(&from, src, SECTOR_SIZE);
	sg_init_one(&to, dst, SECTOR_SIZE);
	skcipher_request_set_sync_tfm(request, tfm);
	skcipher_request_set_callback(request, 0, NULL, NULL);
	skcipher_request_set_crypt(request, &from, &to, SECTOR_SIZE, iv);
	return crypto_skcipher_encrypt(request);
}

static enum xc_result run_plain(struct xc_run *run, bool may_sleep)
{
	struct bio_vec src, dst;

	for (; run->src_iter.bi_size; run->sector++) {
		src = bio_iter_iovec(run->src, run->src_iter);
		dst = bio_iter_iovec(run->dst, run->dst_iter);
		if (encrypt_sector(plain(run->cipher)->tfm, run->sector, bvec_virt(&src),
				   bvec_virt(&dst)))
			run->status = BLK_STS_IOERR;
		bio_advance_iter(run->src, &run->src_iter, SECTOR_SIZE);
		bio_advance_iter(run->dst, &run->dst_iter, SECTOR_SIZE);
	}
	return XC_RUN_DONE;
}

static unsigned int no_request(const struct xc_cipher *cipher)
{
	return 0;
}

static const struct xc_engine plain_engine = {
	.request_size = no_request,
	.run = run_plain,
};

struct xc_cipher *xc_cipher_create(const char *spec, unsigned int key_size, u64 iv_offset,
				   const struct xc_options *opt, char **error)
{
	struct plain_cipher *new = kzalloc(sizeof(*new), GFP_KERNEL);

	if (!new)
		return ERR_PTR(-ENOMEM);
	new->tfm = crypto_alloc_sync_skcipher("xts(aes)", 0, 0);
	if (IS_ERR(new->tfm)) {
		kfree(new);
		return ERR_PTR(-ENOENT);
	}
	new->cipher.engine = &plain_engine;
	new->cipher.key.bytes = new->key;
	new->cipher.key.size = key_size;
	return &new->cipher;
}

void xc_cipher_destroy(struct xc_cipher *cipher)
{
	crypto_free_sync_skcipher(plain(cipher)->tfm);
	kfree(plain(cipher));
}

int xc_cipher_set_key(struct xc_cipher *cipher, char **error)
{
	return crypto_sync_skcipher_setkey(plain(cipher)->tfm, cipher->key.bytes,
					   cipher->key.size);
}

int xc_cipher_wipe_key(struct xc_cipher *cipher)
{
	return 0;
}

/* ---- for the suites ------------------------------------------------------ */

void make_digest(struct kunit *test, struct xc_digest *digest, const struct xc_digest_key *key)
{
	char *error;

	memset(digest, 0, sizeof(*digest));
	KUNIT_ASSERT_EQ(test, xc_digest_init(digest, &error), 0);
	KUNIT_ASSERT_EQ(test, xc_digest_set_key(digest, key), 0);
}

/* Of any number of units, in pages: those of a chunk are not contiguous either. */
static void compute(struct kunit *test, const struct xc_digest *digest, sector_t sector,
		    u8 *units, unsigned int size, unsigned int unit_size, u8 *out)
{
	unsigned int i, pages = DIV_ROUND_UP(size, PAGE_SIZE);
	void *scratch = kunit_kmalloc(test, XC_DIGEST_SCRATCH, GFP_KERNEL);
	struct bio_vec *vecs = kunit_kcalloc(test, pages, sizeof(*vecs), GFP_KERNEL);
	struct xc_run run = {};
	struct bio bio;

	KUNIT_ASSERT_NOT_NULL(test, scratch);
	KUNIT_ASSERT_NOT_NULL(test, vecs);
	for (i = 0; i < pages; i++)
		bvec_set_page(&vecs[i], virt_to_page(units + i * PAGE_SIZE), PAGE_SIZE, 0);
	bio_init(&bio, NULL, vecs, pages, 0);
	bio.bi_vcnt = pages;
	bio.bi_iter.bi_size = size;
	KUNIT_EXPECT_EQ(test, xc_digest_units(digest, &run, scratch, &bio, sector, unit_size, out),
			0);
}

void compute_digest(struct kunit *test, const struct xc_digest *digest, sector_t sector,
		    void *units, unsigned int unit_size, u8 *out)
{
	compute(test, digest, sector, units, unit_size, unit_size, out);
}

/* ---- tests --------------------------------------------------------------- */

static void take_test_key(struct kunit *test, struct xc_digest *digest)
{
	struct xc_digest_key key = {};

	fill_key(key.xts, sizeof(key.xts));
	fill_data(key.aes, sizeof(key.aes));
	make_digest(test, digest, &key);
}

static void digest_vector_test(struct kunit *test)
{
	const struct digest_vector *vector;
	u8 out[XC_DIGEST_SIZE], *unit;
	struct xc_digest digest;
	unsigned int i;

	unit = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, unit);
	take_test_key(test, &digest);
	fill_data(unit, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(digest_vectors); i++) {
		vector = &digest_vectors[i];
		compute_digest(test, &digest, vector->sector, unit, vector->unit_size, out);
		KUNIT_EXPECT_MEMEQ_MSG(test, out, vector->digest, XC_DIGEST_SIZE,
				       "unit of %u bytes at %llu", vector->unit_size,
				       vector->sector);
	}
	xc_digest_exit(&digest);
}

/* Many units in one call have the digests that they have one by one. */
static void digest_many_test(struct kunit *test)
{
	static const unsigned int sizes[] = { 512, 1024, 2048, 4096 };
	u8 many[UNITS * XC_DIGEST_SIZE], one[XC_DIGEST_SIZE], *units, *unit;
	struct xc_digest digest;
	unsigned int i, j, size;

	units = kunit_kzalloc(test, UNITS * PAGE_SIZE, GFP_KERNEL);
	unit = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, units);
	KUNIT_ASSERT_NOT_NULL(test, unit);
	take_test_key(test, &digest);
	fill_data(units, UNITS * PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size = sizes[i];
		compute(test, &digest, 1000, units, UNITS * size, size, many);
		for (j = 0; j < UNITS; j++) {
			memcpy(unit, units + j * size, size);
			compute_digest(test, &digest, 1000 + j * (size >> SECTOR_SHIFT), unit,
				       size, one);
			KUNIT_EXPECT_MEMEQ_MSG(test, one, many + j * XC_DIGEST_SIZE,
					       XC_DIGEST_SIZE, "unit %u of %u bytes", j, size);
		}
	}
	xc_digest_exit(&digest);
}

static struct kunit_case digest_cases[] = {
	KUNIT_CASE(digest_vector_test),
	KUNIT_CASE(digest_many_test),
	{}
};

static struct kunit_suite digest_suite = {
	.name = "xcrypt-digest",
	.test_cases = digest_cases,
};

kunit_test_suite(digest_suite);

// SPDX-License-Identifier: GPL-2.0-only
/* IV lmk, versions 2 and 3. */
#include "iv_test.h"

struct lmk_vector {
	unsigned int key_size;
	u64 sector;
	u8 iv[16];
};

#include "lmk_vectors.h"

static struct bound *bind_lmk(struct kunit *test, unsigned int key_size)
{
	struct bound model = iv_aes_cbc;

	model.layout.size = key_size;
	model.layout.tfms = 64;
	model.layout.parts = 64;
	return iv_bind(test, &model, &xc_iv_lmk);
}

static void lmk_layout_test(struct kunit *test)
{
	struct bound *bound;

	bound = bind_lmk(test, 64 * 16);
	KUNIT_EXPECT_EQ(test, bound->layout.parts, 64);
	KUNIT_EXPECT_EQ(test, bound->layout.extra, 0);
	KUNIT_EXPECT_EQ(test, xc_subkey_size(&bound->layout), 16);
	iv_unbind(test, bound);

	bound = bind_lmk(test, 65 * 32);
	KUNIT_EXPECT_EQ(test, bound->layout.parts, 65);
	KUNIT_EXPECT_EQ(test, bound->layout.extra, 32);
	KUNIT_EXPECT_EQ(test, xc_subkey_size(&bound->layout), 32);
	iv_unbind(test, bound);
}

/* The IV is a digest of the plaintext, which must not change. */
static void lmk_encrypt_test(struct kunit *test)
{
	u8 *data = iv_sector(test, 512), *same = iv_sector(test, 512);
	u8 out[XC_MAX_IV_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lmk_vectors); i++) {
		const struct lmk_vector *v = &lmk_vectors[i];
		struct bound *bound;

		bound = bind_lmk(test, v->key_size);
		iv_call(test, bound, false, true, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, v->iv, 16);
		iv_call(test, bound, true, true, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, data, same, 512);
		iv_unbind(test, bound);
	}
}

/* Decryption: a zero IV, then a correction of the first block. */
static void lmk_decrypt_test(struct kunit *test)
{
	u8 *plain = iv_sector(test, 512);
	u8 out[XC_MAX_IV_SIZE], zero[16] = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lmk_vectors); i++) {
		const struct lmk_vector *v = &lmk_vectors[i];
		u8 *data = iv_sector(test, 512);
		struct bound *bound;

		bound = bind_lmk(test, v->key_size);
		iv_call(test, bound, false, false, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, zero, 16);
		/* CBC with a zero IV leaves this block XORed with the IV */
		crypto_xor(data, v->iv, 16);
		iv_call(test, bound, true, false, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, data, plain, 512);
		iv_unbind(test, bound);
	}
}

/* After a wipe, the seed is that of a key of zeros. */
static void lmk_wipe_test(struct kunit *test)
{
	u8 with[XC_MAX_IV_SIZE], without[XC_MAX_IV_SIZE], zero[XC_MAX_IV_SIZE];
	u8 *data = iv_sector(test, 512);
	struct bound *bound;

	bound = bind_lmk(test, 65 * 16);
	iv_call(test, bound, false, true, 1, data, data, with);
	xc_iv_lmk.wipe(&bound->iv);
	iv_call(test, bound, false, true, 1, data, data, without);
	KUNIT_EXPECT_MEMNEQ(test, with, without, 16);
	memset(bound->key, 0, bound->layout.size);
	xc_iv_lmk.set_key(&bound->iv, bound->key, &bound->layout);
	iv_call(test, bound, false, true, 1, data, data, zero);
	KUNIT_EXPECT_MEMEQ(test, zero, without, 16);
}

static void lmk_refuses_test(struct kunit *test)
{
	struct bound bound = iv_aes_cbc;

	bound.iv.aead = true;
	iv_refuse(test, bound, &xc_iv_lmk, "cipher: ");
	bound = iv_aes_cbc;
	bound.iv.sector_size = 4096;
	iv_refuse(test, bound, &xc_iv_lmk, "sector_size: ");
	bound = iv_aes_cbc;
	bound.iv.size = 32;
	iv_refuse(test, bound, &xc_iv_lmk, "cipher: ");
}

static struct kunit_case lmk_cases[] = {
	KUNIT_CASE(lmk_layout_test),
	KUNIT_CASE(lmk_encrypt_test),
	KUNIT_CASE(lmk_decrypt_test),
	KUNIT_CASE(lmk_wipe_test),
	KUNIT_CASE(lmk_refuses_test),
	{}
};

static struct kunit_suite lmk_suite = {
	.name = "xcrypt-iv-lmk",
	.test_cases = lmk_cases,
};

kunit_test_suite(lmk_suite);

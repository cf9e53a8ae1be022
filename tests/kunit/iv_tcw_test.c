// SPDX-License-Identifier: GPL-2.0-only
/* IV tcw and its whitening. */
#include "iv_test.h"

/* @mask: every 8 bytes of ciphertext are XORed with it. */
struct tcw_vector {
	unsigned int key_size;
	u64 sector;
	unsigned int iv_size;
	u8 iv[16];
	u8 mask[8];
};

#include "tcw_vectors.h"

static struct bound *bind_tcw(struct kunit *test, unsigned int key_size,
			      unsigned int iv_size)
{
	struct bound model = iv_aes_cbc;

	model.iv.size = iv_size;
	model.layout.size = key_size;
	return iv_bind(test, &model, &xc_iv_tcw);
}

static void whiten(u8 *data, const u8 *mask)
{
	unsigned int i;

	for (i = 0; i < 512; i += 8)
		crypto_xor(data + i, mask, 8);
}

static void tcw_layout_test(struct kunit *test)
{
	struct bound *bound;

	bound = bind_tcw(test, 64, 16);
	KUNIT_EXPECT_EQ(test, bound->layout.parts, 3);
	KUNIT_EXPECT_EQ(test, bound->layout.extra, 32);
	KUNIT_EXPECT_EQ(test, xc_subkey_size(&bound->layout), 32);
}

/* Encryption: post() whitens the ciphertext. */
static void tcw_encrypt_test(struct kunit *test)
{
	u8 *plain = iv_sector(test, 512), *same = iv_sector(test, 512);
	u8 out[XC_MAX_IV_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tcw_vectors); i++) {
		const struct tcw_vector *v = &tcw_vectors[i];
		u8 *data = iv_sector(test, 512);
		struct bound *bound;

		bound = bind_tcw(test, v->key_size, v->iv_size);
		iv_call(test, bound, false, true, v->sector, plain, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, v->iv, v->iv_size);
		KUNIT_EXPECT_MEMEQ(test, data, same, 512);
		iv_call(test, bound, true, true, v->sector, plain, data, out);
		whiten(data, v->mask);
		KUNIT_EXPECT_MEMEQ(test, data, same, 512);
		KUNIT_EXPECT_MEMEQ(test, plain, same, 512);
		iv_unbind(test, bound);
	}
}

/* Decryption: generate() removes the whitening before the cipher. */
static void tcw_decrypt_test(struct kunit *test)
{
	u8 *same = iv_sector(test, 512);
	u8 out[XC_MAX_IV_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tcw_vectors); i++) {
		const struct tcw_vector *v = &tcw_vectors[i];
		u8 *data = iv_sector(test, 512);
		struct bound *bound;

		whiten(data, v->mask);
		bound = bind_tcw(test, v->key_size, v->iv_size);
		iv_call(test, bound, false, false, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, v->iv, v->iv_size);
		KUNIT_EXPECT_MEMEQ(test, data, same, 512);
		iv_call(test, bound, true, false, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, data, same, 512);
		iv_unbind(test, bound);
	}
}

/* After a wipe, the IV is the sector number. */
static void tcw_wipe_test(struct kunit *test)
{
	u8 *data = iv_sector(test, 512), *same = iv_sector(test, 512);
	u8 out[XC_MAX_IV_SIZE], zero[16] = {};
	struct bound *bound;

	bound = bind_tcw(test, 64, 16);
	xc_iv_tcw.wipe(&bound->iv);
	iv_call(test, bound, false, false, 0, data, data, out);
	KUNIT_EXPECT_MEMEQ(test, out, zero, 16);
	/* a CRC of zeros is zero: no whitening either */
	KUNIT_EXPECT_MEMEQ(test, data, same, 512);
}

static void tcw_refuses_test(struct kunit *test)
{
	struct bound bound = iv_aes_cbc;

	iv_refuse(test, bound, &xc_iv_tcw, "key: ");
	bound.layout.size = 33;
	bound.iv.sector_size = 1024;
	iv_refuse(test, bound, &xc_iv_tcw, "sector_size: ");
}

static struct kunit_case tcw_cases[] = {
	KUNIT_CASE(tcw_layout_test),
	KUNIT_CASE(tcw_encrypt_test),
	KUNIT_CASE(tcw_decrypt_test),
	KUNIT_CASE(tcw_wipe_test),
	KUNIT_CASE(tcw_refuses_test),
	{}
};

static struct kunit_suite tcw_suite = {
	.name = "xcrypt-iv-tcw",
	.test_cases = tcw_cases,
};

kunit_test_suite(tcw_suite);

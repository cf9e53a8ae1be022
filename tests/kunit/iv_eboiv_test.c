// SPDX-License-Identifier: GPL-2.0-only
/* IV eboiv, and elephant, which is eboiv with a diffuser. */
#include <linux/crc32.h>

#include "iv_test.h"

struct eboiv_vector {
	unsigned int key_size;
	unsigned int sector_size;
	u64 sector;
	u8 iv[16];
};

/* The diffused plaintext: its first and last bytes, and its CRC. */
struct elephant_vector {
	unsigned int key_size;
	unsigned int sector_size;
	u64 sector;
	u8 iv[16];
	u8 head[16];
	u8 tail[16];
	u32 crc;
};

#include "eboiv_vectors.h"
#include "elephant_vectors.h"

static void eboiv_test(struct kunit *test)
{
	u8 *data = iv_sector(test, 512);
	u8 out[XC_MAX_IV_SIZE];
	unsigned int i;
	bool encrypt;

	for (i = 0; i < ARRAY_SIZE(eboiv_vectors); i++) {
		const struct eboiv_vector *v = &eboiv_vectors[i];
		struct bound model = iv_aes_cbc, *bound;

		model.layout.size = v->key_size;
		model.iv.sector_size = v->sector_size;
		bound = iv_bind(test, &model, &xc_iv_eboiv);
		encrypt = i % 2;
		iv_call(test, bound, false, encrypt, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, v->iv, 16);
		iv_unbind(test, bound);
	}
}

static struct bound *bind_elephant(struct kunit *test,
				   const struct elephant_vector *v)
{
	struct bound model = iv_aes_cbc;

	model.layout.size = v->key_size;
	model.iv.sector_size = v->sector_size;
	return iv_bind(test, &model, &xc_iv_elephant);
}

static void elephant_layout_test(struct kunit *test)
{
	struct bound *bound;

	bound = bind_elephant(test, &elephant_vectors[0]);
	KUNIT_EXPECT_EQ(test, bound->layout.parts, 2);
	KUNIT_EXPECT_EQ(test, bound->layout.extra, 16);
	KUNIT_EXPECT_EQ(test, xc_subkey_size(&bound->layout), 16);
	KUNIT_EXPECT_TRUE(test, xc_iv_elephant.preprocess);
}

static void expect_diffused(struct kunit *test, const u8 *data,
			    const struct elephant_vector *v)
{
	KUNIT_EXPECT_MEMEQ(test, data, v->head, 16);
	KUNIT_EXPECT_MEMEQ(test, data + v->sector_size - 16, v->tail, 16);
	KUNIT_EXPECT_EQ(test, crc32(0, data, v->sector_size), v->crc);
}

/* The plaintext is diffused from src to dst, or in place. */
static void elephant_encrypt_test(struct kunit *test)
{
	u8 out[XC_MAX_IV_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(elephant_vectors); i++) {
		const struct elephant_vector *v = &elephant_vectors[i];
		u8 *plain = iv_sector(test, v->sector_size);
		u8 *same = iv_sector(test, v->sector_size);
		u8 *data = iv_sector(test, v->sector_size);
		struct bound *bound;

		bound = bind_elephant(test, v);
		memset(data, 0, v->sector_size);
		iv_call(test, bound, false, true, v->sector, plain, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, v->iv, 16);
		expect_diffused(test, data, v);
		KUNIT_EXPECT_MEMEQ(test, plain, same, v->sector_size);

		iv_call(test, bound, false, true, v->sector, plain, plain, out);
		KUNIT_EXPECT_MEMEQ(test, out, v->iv, 16);
		expect_diffused(test, plain, v);
		iv_call(test, bound, true, true, v->sector, plain, plain, out);
		expect_diffused(test, plain, v);
		iv_unbind(test, bound);
	}
}

/* The diffusion is reversed after the cipher. */
static void elephant_decrypt_test(struct kunit *test)
{
	u8 out[XC_MAX_IV_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(elephant_vectors); i++) {
		const struct elephant_vector *v = &elephant_vectors[i];
		u8 *data = iv_sector(test, v->sector_size);
		u8 *same = iv_sector(test, v->sector_size);
		struct bound *bound;

		bound = bind_elephant(test, v);
		iv_call(test, bound, false, true, v->sector, data, data, out);
		expect_diffused(test, data, v);
		iv_call(test, bound, false, false, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, v->iv, 16);
		expect_diffused(test, data, v);
		iv_call(test, bound, true, false, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, data, same, v->sector_size);
		iv_unbind(test, bound);
	}
}

static void eboiv_refuses_test(struct kunit *test)
{
	struct bound bound = iv_aes_cbc;

	bound.iv.aead = true;
	iv_refuse(test, bound, &xc_iv_eboiv, "cipher: ");
	iv_refuse(test, bound, &xc_iv_elephant, "cipher: ");
	bound = iv_aes_cbc;
	bound.iv.block_size = 1;
	iv_refuse(test, bound, &xc_iv_eboiv, "cipher: ");
	iv_refuse(test, bound, &xc_iv_elephant, "cipher: ");
	bound = iv_aes_cbc;
	bound.iv.alg = "cbc(no-such-cipher)";
	iv_refuse(test, bound, &xc_iv_eboiv, "cipher: ");
	iv_refuse(test, bound, &xc_iv_elephant, "cipher: ");
	bound = iv_aes_cbc;
	bound.layout.size = 66;
	iv_refuse(test, bound, &xc_iv_elephant, "key: ");
}

/* A half of the key that cannot be an AES key is refused when it is set. */
static void elephant_bad_key_test(struct kunit *test)
{
	static const struct xc_key_layout first = {
		.size = 28, .tfms = 1, .extra = 16,
	}, second = {
		.size = 28, .tfms = 1, .extra = 12,
	};
	struct bound *bound = iv_bind(test, &iv_aes_cbc, &xc_iv_elephant);

	KUNIT_EXPECT_NE(test, xc_iv_elephant.set_key(&bound->iv, bound->key,
						     &first), 0);
	KUNIT_EXPECT_NE(test, xc_iv_elephant.set_key(&bound->iv, bound->key,
						     &second), 0);
}

static struct kunit_case eboiv_cases[] = {
	KUNIT_CASE(eboiv_test),
	KUNIT_CASE(eboiv_refuses_test),
	{}
};

static struct kunit_case elephant_cases[] = {
	KUNIT_CASE(elephant_layout_test),
	KUNIT_CASE(elephant_encrypt_test),
	KUNIT_CASE(elephant_decrypt_test),
	KUNIT_CASE(elephant_bad_key_test),
	{}
};

static struct kunit_suite eboiv_suite = {
	.name = "xcrypt-iv-eboiv",
	.test_cases = eboiv_cases,
};

static struct kunit_suite elephant_suite = {
	.name = "xcrypt-iv-elephant",
	.test_cases = elephant_cases,
};

kunit_test_suites(&eboiv_suite, &elephant_suite);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suites of the IV generators.  What is expected was computed by
 * vectors.py, without any of the module's code.
 */
#include <kunit/test.h>
#include <linux/crc32.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "../../dm-xcrypt.h"

struct lmk_vector {
	unsigned int key_size;
	u64 sector;
	u8 iv[16];
};

/* @mask is what every 8 bytes of ciphertext are xored with. */
struct tcw_vector {
	unsigned int key_size;
	u64 sector;
	unsigned int iv_size;
	u8 iv[16];
	u8 mask[8];
};

struct eboiv_vector {
	unsigned int key_size;
	unsigned int sector_size;
	u64 sector;
	u8 iv[16];
};

/* The plaintext after the diffuser: its ends, and a CRC of all of it. */
struct elephant_vector {
	unsigned int key_size;
	unsigned int sector_size;
	u64 sector;
	u8 iv[16];
	u8 head[16];
	u8 tail[16];
	u32 crc;
};

#include "vectors.h"

/* ---- a generator, ready for use ------------------------------------------- */

/**
 * struct bound - a generator bound to a cipher
 * @iv: the generator
 * @layout: layout of its key
 * @key: the key, that of vectors.py
 * @error: what layout() or create() said
 */
struct bound {
	struct xc_iv iv;
	struct xc_key_layout layout;
	u8 *key;
	char *error;
};

static const struct bound aes_cbc = {
	.iv = {
		.alg = "cbc(aes)",
		.size = 16,
		.block_size = 16,
		.sector_size = 512,
	},
	.layout = { .size = 32, .tfms = 1, .parts = 1 },
};

static void destroy(void *data)
{
	struct bound *bound = data;

	if (bound->iv.ops->destroy)
		bound->iv.ops->destroy(&bound->iv);
}

/* Up to create(), whose result is returned; there is no key yet. */
static int try_bind(struct bound *bound, const struct xc_iv_ops *ops)
{
	int err;

	bound->iv.ops = ops;
	if (ops->layout) {
		err = ops->layout(&bound->iv, &bound->layout, &bound->error);
		if (err)
			return err;
	}
	return ops->create ? ops->create(&bound->iv, &bound->layout,
					 &bound->error) : 0;
}

/*
 * Bound as @model says, with the key set.  It is undone at the end of the
 * test, when this stack is no more, or with unbind().
 */
static struct bound *bind(struct kunit *test, const struct bound *model,
			  const struct xc_iv_ops *ops)
{
	struct bound *bound = kunit_kzalloc(test, sizeof(*bound), GFP_KERNEL);
	unsigned int i, size = model->layout.size;

	KUNIT_ASSERT_NOT_NULL(test, bound);
	*bound = *model;
	KUNIT_ASSERT_EQ(test, try_bind(bound, ops), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, destroy, bound),
			0);
	bound->key = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bound->key);
	for (i = 0; i < size; i++)
		bound->key[i] = i * 5 + i / 256 + 1;
	if (ops->set_key)
		KUNIT_ASSERT_EQ(test, ops->set_key(&bound->iv, bound->key,
						   &bound->layout), 0);
	return bound;
}

static void unbind(struct kunit *test, struct bound *bound)
{
	kunit_release_action(test, destroy, bound);
}

/* What cannot be bound says why, naming the argument, and leaves nothing. */
static void refuse(struct kunit *test, struct bound bound,
		   const struct xc_iv_ops *ops, const char *argument)
{
	KUNIT_EXPECT_NE(test, try_bind(&bound, ops), 0);
	KUNIT_EXPECT_NULL(test, bound.iv.priv);
	KUNIT_ASSERT_NOT_NULL(test, bound.error);
	KUNIT_EXPECT_TRUE_MSG(test, strstarts(bound.error, argument),
			      "%s", bound.error);
}

/* A sector in the middle of a page, filled as by vectors.py. */
static u8 *make_sector(struct kunit *test, unsigned int size)
{
	u8 *page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	u8 *data = size < PAGE_SIZE ? page + 3 * 512 : page;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (i = 0; i < size; i++)
		data[i] = i * 7 + i / 256 * 13 + 3;
	return data;
}

/* One sector through generate(), or post(); @out is the IV. */
static void call(struct kunit *test, const struct bound *bound, bool post,
		 bool encrypt, u64 sector, u8 *src, u8 *dst, u8 *out)
{
	const struct xc_iv *iv = &bound->iv;
	struct scatterlist sg_src, sg_dst;
	struct xc_iv_call call = {
		.sector = sector, .src = &sg_src, .dst = &sg_dst,
		.encrypt = encrypt,
	};

	sg_init_one(&sg_src, src, iv->sector_size);
	sg_init_one(&sg_dst, dst, iv->sector_size);
	if (post) {
		if (iv->ops->post)
			iv->ops->post(iv, out, &call);
		return;
	}
	memset(out, 0xee, XC_MAX_IV_SIZE);
	KUNIT_ASSERT_EQ(test, iv->ops->generate(iv, out, &call), 0);
	/* nothing behind the IV is touched */
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(out + iv->size, 0xee,
					     XC_MAX_IV_SIZE - iv->size), NULL);
}

/* ---- those that count ----------------------------------------------------- */

static void expect_number(struct kunit *test, const struct xc_iv_ops *ops,
			  unsigned int iv_size, u64 sector, const u8 *expected)
{
	u8 *data = make_sector(test, 512);
	struct bound model = aes_cbc, *bound;
	u8 out[XC_MAX_IV_SIZE];
	bool encrypt;

	model.iv.size = iv_size;
	bound = bind(test, &model, ops);
	for (encrypt = false; ; encrypt = true) {
		call(test, bound, false, encrypt, sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, expected, iv_size);
		if (encrypt)
			break;
	}
}

#define SECTOR 0x0123456789abcdefULL

static void plain_test(struct kunit *test)
{
	static const u8 expected[32] = { 0xef, 0xcd, 0xab, 0x89 };

	expect_number(test, &xc_iv_plain, 8, SECTOR, expected);
	expect_number(test, &xc_iv_plain, 16, SECTOR, expected);
	expect_number(test, &xc_iv_plain, 32, SECTOR, expected);
}

static void plain64_test(struct kunit *test)
{
	static const u8 expected[32] = {
		0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,
	};

	expect_number(test, &xc_iv_plain64, 8, SECTOR, expected);
	expect_number(test, &xc_iv_plain64, 16, SECTOR, expected);
	expect_number(test, &xc_iv_plain64, 32, SECTOR, expected);
}

static void plain64be_test(struct kunit *test)
{
	static const u8 expected[32] = {
		[24] = 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	};

	expect_number(test, &xc_iv_plain64be, 8, SECTOR, expected + 24);
	expect_number(test, &xc_iv_plain64be, 16, SECTOR, expected + 16);
	expect_number(test, &xc_iv_plain64be, 32, SECTOR, expected);
}

static void null_test(struct kunit *test)
{
	static const u8 expected[32];

	expect_number(test, &xc_iv_null, 8, SECTOR, expected);
	expect_number(test, &xc_iv_null, 16, SECTOR, expected);
	expect_number(test, &xc_iv_null, 32, SECTOR, expected);
}

/* The number alone; the crypto API's template encrypts it. */
static void essiv_test(struct kunit *test)
{
	static const u8 expected[16] = {
		0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,
	};

	expect_number(test, &xc_iv_essiv, 8, SECTOR, expected);
	expect_number(test, &xc_iv_essiv, 16, SECTOR, expected);
}

static void benbi_test(struct kunit *test)
{
	static const struct {
		unsigned int block_size;
		u64 sector;
		u8 expected[16];
	} cases[] = {
		/* blocks are counted from 1 */
		{ 16, 0, { [15] = 0x01 } },
		{ 8, 0, { [15] = 0x01 } },
		{ 16, 1, { [15] = 0x21 } },
		{ 8, 1, { [15] = 0x41 } },
		{ 1, 1, { [14] = 0x02, 0x01 } },
		{ 512, 1, { [15] = 0x02 } },
		{ 16, 0x123456789, { [11] = 0x24, 0x68, 0xac, 0xf1, 0x21 } },
		{ 8, 0x123456789, { [11] = 0x48, 0xd1, 0x59, 0xe2, 0x41 } },
		/* what does not fit 64 bits is lost */
		{ 16, SECTOR, { [8] = 0x24, 0x68, 0xac, 0xf1, 0x35, 0x79,
				0xbd, 0xe1 } },
	};
	u8 *data = make_sector(test, 512);
	u8 out[XC_MAX_IV_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bound model = aes_cbc, *bound;

		model.iv.block_size = cases[i].block_size;
		bound = bind(test, &model, &xc_iv_benbi);
		call(test, bound, false, true, cases[i].sector, data, data,
		     out);
		KUNIT_EXPECT_MEMEQ(test, out, cases[i].expected, 16);
		unbind(test, bound);
	}
}

static void benbi_refuses_test(struct kunit *test)
{
	struct bound bound = aes_cbc;

	bound.iv.block_size = 1024;
	refuse(test, bound, &xc_iv_benbi, "cipher: ");
	bound.iv.block_size = 12;
	refuse(test, bound, &xc_iv_benbi, "cipher: ");
}

/* Drawn anew every time, all of it, and kept with the tag. */
static void random_test(struct kunit *test)
{
	u8 a[XC_MAX_IV_SIZE], b[XC_MAX_IV_SIZE];
	u8 *data = make_sector(test, 512);
	struct bound *bound = bind(test, &aes_cbc, &xc_iv_random);

	call(test, bound, false, true, 1, data, data, a);
	call(test, bound, false, true, 1, data, data, b);
	KUNIT_EXPECT_MEMNEQ(test, a, b, 8);
	KUNIT_EXPECT_MEMNEQ(test, a + 8, b + 8, 8);
	KUNIT_EXPECT_TRUE(test, xc_iv_random.stored);
}

static void names_test(struct kunit *test)
{
	static const struct {
		const char *name;
		const struct xc_iv_ops *ops;
	} cases[] = {
		{ "benbi", &xc_iv_benbi }, { "eboiv", &xc_iv_eboiv },
		{ "elephant", &xc_iv_elephant }, { "essiv", &xc_iv_essiv },
		{ "lmk", &xc_iv_lmk }, { "null", &xc_iv_null },
		{ "plain", &xc_iv_plain }, { "plain64", &xc_iv_plain64 },
		{ "plain64be", &xc_iv_plain64be },
		{ "random", &xc_iv_random }, { "tcw", &xc_iv_tcw },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_PTR_EQ(test, xc_iv_find(cases[i].name),
				    cases[i].ops);
	KUNIT_EXPECT_NULL(test, xc_iv_find(""));
	KUNIT_EXPECT_NULL(test, xc_iv_find("plain6"));
	KUNIT_EXPECT_NULL(test, xc_iv_find("Plain"));
}

static struct kunit_case count_cases[] = {
	KUNIT_CASE(plain_test),
	KUNIT_CASE(plain64_test),
	KUNIT_CASE(plain64be_test),
	KUNIT_CASE(null_test),
	KUNIT_CASE(essiv_test),
	KUNIT_CASE(benbi_test),
	KUNIT_CASE(benbi_refuses_test),
	KUNIT_CASE(random_test),
	KUNIT_CASE(names_test),
	{}
};

/* ---- lmk ------------------------------------------------------------------ */

static struct bound *bind_lmk(struct kunit *test, unsigned int key_size)
{
	struct bound model = aes_cbc;

	model.layout.size = key_size;
	model.layout.tfms = 64;
	model.layout.parts = 64;
	return bind(test, &model, &xc_iv_lmk);
}

static void lmk_layout_test(struct kunit *test)
{
	struct bound *bound;

	bound = bind_lmk(test, 64 * 16);
	KUNIT_EXPECT_EQ(test, bound->layout.parts, 64);
	KUNIT_EXPECT_EQ(test, bound->layout.extra, 0);
	KUNIT_EXPECT_EQ(test, xc_subkey_size(&bound->layout), 16);
	unbind(test, bound);

	bound = bind_lmk(test, 65 * 32);
	KUNIT_EXPECT_EQ(test, bound->layout.parts, 65);
	KUNIT_EXPECT_EQ(test, bound->layout.extra, 32);
	KUNIT_EXPECT_EQ(test, xc_subkey_size(&bound->layout), 32);
	unbind(test, bound);
}

/* The IV is a digest of what will be written, which stays as it is. */
static void lmk_encrypt_test(struct kunit *test)
{
	u8 *data = make_sector(test, 512), *same = make_sector(test, 512);
	u8 out[XC_MAX_IV_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lmk_vectors); i++) {
		const struct lmk_vector *v = &lmk_vectors[i];
		struct bound *bound;

		bound = bind_lmk(test, v->key_size);
		call(test, bound, false, true, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, v->iv, 16);
		call(test, bound, true, true, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, data, same, 512);
		unbind(test, bound);
	}
}

/* A zero IV, and afterwards the first block is put right. */
static void lmk_decrypt_test(struct kunit *test)
{
	u8 *plain = make_sector(test, 512);
	u8 out[XC_MAX_IV_SIZE], zero[16] = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lmk_vectors); i++) {
		const struct lmk_vector *v = &lmk_vectors[i];
		u8 *data = make_sector(test, 512);
		struct bound *bound;

		bound = bind_lmk(test, v->key_size);
		call(test, bound, false, false, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, zero, 16);
		/* CBC with a zero IV leaves the right one in this block */
		crypto_xor(data, v->iv, 16);
		call(test, bound, true, false, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, data, plain, 512);
		unbind(test, bound);
	}
}

/* With the seed forgotten it is that of a key of zeroes. */
static void lmk_wipe_test(struct kunit *test)
{
	u8 with[XC_MAX_IV_SIZE], without[XC_MAX_IV_SIZE], zero[XC_MAX_IV_SIZE];
	u8 *data = make_sector(test, 512);
	struct bound *bound;

	bound = bind_lmk(test, 65 * 16);
	call(test, bound, false, true, 1, data, data, with);
	xc_iv_lmk.wipe(&bound->iv);
	call(test, bound, false, true, 1, data, data, without);
	KUNIT_EXPECT_MEMNEQ(test, with, without, 16);
	memset(bound->key, 0, bound->layout.size);
	xc_iv_lmk.set_key(&bound->iv, bound->key, &bound->layout);
	call(test, bound, false, true, 1, data, data, zero);
	KUNIT_EXPECT_MEMEQ(test, zero, without, 16);
}

static void lmk_refuses_test(struct kunit *test)
{
	struct bound bound = aes_cbc;

	bound.iv.aead = true;
	refuse(test, bound, &xc_iv_lmk, "cipher: ");
	bound = aes_cbc;
	bound.iv.sector_size = 4096;
	refuse(test, bound, &xc_iv_lmk, "sector_size: ");
	bound = aes_cbc;
	bound.iv.size = 32;
	refuse(test, bound, &xc_iv_lmk, "cipher: ");
}

static struct kunit_case lmk_cases[] = {
	KUNIT_CASE(lmk_layout_test),
	KUNIT_CASE(lmk_encrypt_test),
	KUNIT_CASE(lmk_decrypt_test),
	KUNIT_CASE(lmk_wipe_test),
	KUNIT_CASE(lmk_refuses_test),
	{}
};

/* ---- tcw ------------------------------------------------------------------ */

static struct bound *bind_tcw(struct kunit *test, unsigned int key_size,
			      unsigned int iv_size)
{
	struct bound model = aes_cbc;

	model.iv.size = iv_size;
	model.layout.size = key_size;
	return bind(test, &model, &xc_iv_tcw);
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

/* The ciphertext is whitened when it is there, in post(). */
static void tcw_encrypt_test(struct kunit *test)
{
	u8 *plain = make_sector(test, 512), *same = make_sector(test, 512);
	u8 out[XC_MAX_IV_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tcw_vectors); i++) {
		const struct tcw_vector *v = &tcw_vectors[i];
		u8 *data = make_sector(test, 512);
		struct bound *bound;

		bound = bind_tcw(test, v->key_size, v->iv_size);
		call(test, bound, false, true, v->sector, plain, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, v->iv, v->iv_size);
		KUNIT_EXPECT_MEMEQ(test, data, same, 512);
		call(test, bound, true, true, v->sector, plain, data, out);
		whiten(data, v->mask);
		KUNIT_EXPECT_MEMEQ(test, data, same, 512);
		KUNIT_EXPECT_MEMEQ(test, plain, same, 512);
		unbind(test, bound);
	}
}

/* The whitening is taken off before the cipher sees it. */
static void tcw_decrypt_test(struct kunit *test)
{
	u8 *same = make_sector(test, 512);
	u8 out[XC_MAX_IV_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tcw_vectors); i++) {
		const struct tcw_vector *v = &tcw_vectors[i];
		u8 *data = make_sector(test, 512);
		struct bound *bound;

		whiten(data, v->mask);
		bound = bind_tcw(test, v->key_size, v->iv_size);
		call(test, bound, false, false, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, v->iv, v->iv_size);
		KUNIT_EXPECT_MEMEQ(test, data, same, 512);
		call(test, bound, true, false, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, data, same, 512);
		unbind(test, bound);
	}
}

/* With seed and whitening forgotten only the number is left. */
static void tcw_wipe_test(struct kunit *test)
{
	u8 *data = make_sector(test, 512), *same = make_sector(test, 512);
	u8 out[XC_MAX_IV_SIZE], zero[16] = {};
	struct bound *bound;

	bound = bind_tcw(test, 64, 16);
	xc_iv_tcw.wipe(&bound->iv);
	call(test, bound, false, false, 0, data, data, out);
	KUNIT_EXPECT_MEMEQ(test, out, zero, 16);
	/* a CRC of zeroes is zero, so nothing is whitened either */
	KUNIT_EXPECT_MEMEQ(test, data, same, 512);
}

static void tcw_refuses_test(struct kunit *test)
{
	struct bound bound = aes_cbc;

	refuse(test, bound, &xc_iv_tcw, "key: ");
	bound.layout.size = 33;
	bound.iv.sector_size = 1024;
	refuse(test, bound, &xc_iv_tcw, "sector_size: ");
}

static struct kunit_case tcw_cases[] = {
	KUNIT_CASE(tcw_layout_test),
	KUNIT_CASE(tcw_encrypt_test),
	KUNIT_CASE(tcw_decrypt_test),
	KUNIT_CASE(tcw_wipe_test),
	KUNIT_CASE(tcw_refuses_test),
	{}
};

/* ---- eboiv and elephant --------------------------------------------------- */

static void eboiv_test(struct kunit *test)
{
	u8 *data = make_sector(test, 512);
	u8 out[XC_MAX_IV_SIZE];
	unsigned int i;
	bool encrypt;

	for (i = 0; i < ARRAY_SIZE(eboiv_vectors); i++) {
		const struct eboiv_vector *v = &eboiv_vectors[i];
		struct bound model = aes_cbc, *bound;

		model.layout.size = v->key_size;
		model.iv.sector_size = v->sector_size;
		bound = bind(test, &model, &xc_iv_eboiv);
		encrypt = i % 2;
		call(test, bound, false, encrypt, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, v->iv, 16);
		unbind(test, bound);
	}
}

static struct bound *bind_elephant(struct kunit *test,
				   const struct elephant_vector *v)
{
	struct bound model = aes_cbc;

	model.layout.size = v->key_size;
	model.iv.sector_size = v->sector_size;
	return bind(test, &model, &xc_iv_elephant);
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

/* The plaintext is diffused on its way from src to dst, or in place. */
static void elephant_encrypt_test(struct kunit *test)
{
	u8 out[XC_MAX_IV_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(elephant_vectors); i++) {
		const struct elephant_vector *v = &elephant_vectors[i];
		u8 *plain = make_sector(test, v->sector_size);
		u8 *same = make_sector(test, v->sector_size);
		u8 *data = make_sector(test, v->sector_size);
		struct bound *bound;

		bound = bind_elephant(test, v);
		memset(data, 0, v->sector_size);
		call(test, bound, false, true, v->sector, plain, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, v->iv, 16);
		expect_diffused(test, data, v);
		KUNIT_EXPECT_MEMEQ(test, plain, same, v->sector_size);

		call(test, bound, false, true, v->sector, plain, plain, out);
		KUNIT_EXPECT_MEMEQ(test, out, v->iv, 16);
		expect_diffused(test, plain, v);
		call(test, bound, true, true, v->sector, plain, plain, out);
		expect_diffused(test, plain, v);
		unbind(test, bound);
	}
}

/* What was diffused comes back when the cipher has run. */
static void elephant_decrypt_test(struct kunit *test)
{
	u8 out[XC_MAX_IV_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(elephant_vectors); i++) {
		const struct elephant_vector *v = &elephant_vectors[i];
		u8 *data = make_sector(test, v->sector_size);
		u8 *same = make_sector(test, v->sector_size);
		struct bound *bound;

		bound = bind_elephant(test, v);
		call(test, bound, false, true, v->sector, data, data, out);
		expect_diffused(test, data, v);
		call(test, bound, false, false, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, out, v->iv, 16);
		expect_diffused(test, data, v);
		call(test, bound, true, false, v->sector, data, data, out);
		KUNIT_EXPECT_MEMEQ(test, data, same, v->sector_size);
		unbind(test, bound);
	}
}

static void eboiv_refuses_test(struct kunit *test)
{
	struct bound bound = aes_cbc;

	bound.iv.aead = true;
	refuse(test, bound, &xc_iv_eboiv, "cipher: ");
	refuse(test, bound, &xc_iv_elephant, "cipher: ");
	bound = aes_cbc;
	bound.iv.block_size = 1;
	refuse(test, bound, &xc_iv_eboiv, "cipher: ");
	refuse(test, bound, &xc_iv_elephant, "cipher: ");
	bound = aes_cbc;
	bound.iv.alg = "cbc(no-such-cipher)";
	refuse(test, bound, &xc_iv_eboiv, "cipher: ");
	refuse(test, bound, &xc_iv_elephant, "cipher: ");
	bound = aes_cbc;
	bound.layout.size = 66;
	refuse(test, bound, &xc_iv_elephant, "key: ");
}

/* A half of the key that is no AES key is refused when it is set. */
static void elephant_bad_key_test(struct kunit *test)
{
	static const struct xc_key_layout first = {
		.size = 28, .tfms = 1, .extra = 16,
	}, second = {
		.size = 28, .tfms = 1, .extra = 12,
	};
	struct bound *bound = bind(test, &aes_cbc, &xc_iv_elephant);

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

static struct kunit_suite suites[] = {
	{ .name = "xcrypt-iv-count", .test_cases = count_cases },
	{ .name = "xcrypt-iv-lmk", .test_cases = lmk_cases },
	{ .name = "xcrypt-iv-tcw", .test_cases = tcw_cases },
	{ .name = "xcrypt-iv-eboiv", .test_cases = eboiv_cases },
	{ .name = "xcrypt-iv-elephant", .test_cases = elephant_cases },
};

kunit_test_suites(&suites[0], &suites[1], &suites[2], &suites[3], &suites[4]);

MODULE_DESCRIPTION("KUnit suites of dm-xcrypt");
MODULE_LICENSE("GPL");

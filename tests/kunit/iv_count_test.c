// SPDX-License-Identifier: GPL-2.0-only
/* The generators that count sectors. */
#include "iv_test.h"

static void expect_number(struct kunit *test, const struct xc_iv_ops *ops,
			  unsigned int iv_size, u64 sector, const u8 *expected)
{
	u8 *data = iv_sector(test, 512);
	struct bound model = iv_aes_cbc, *bound;
	u8 out[XC_MAX_IV_SIZE];
	bool encrypt;

	model.iv.size = iv_size;
	bound = iv_bind(test, &model, ops);
	for (encrypt = false; ; encrypt = true) {
		iv_call(test, bound, false, encrypt, sector, data, data, out);
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

/* Only the number; the crypto API's template encrypts it. */
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
		/* bits above 64 are lost */
		{ 16, SECTOR, { [8] = 0x24, 0x68, 0xac, 0xf1, 0x35, 0x79,
				0xbd, 0xe1 } },
	};
	u8 *data = iv_sector(test, 512);
	u8 out[XC_MAX_IV_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bound model = iv_aes_cbc, *bound;

		model.iv.block_size = cases[i].block_size;
		bound = iv_bind(test, &model, &xc_iv_benbi);
		iv_call(test, bound, false, true, cases[i].sector, data, data,
			out);
		KUNIT_EXPECT_MEMEQ(test, out, cases[i].expected, 16);
		iv_unbind(test, bound);
	}
}

static void benbi_refuses_test(struct kunit *test)
{
	struct bound bound = iv_aes_cbc;

	bound.iv.block_size = 1024;
	iv_refuse(test, bound, &xc_iv_benbi, "cipher: ");
	bound.iv.block_size = 12;
	iv_refuse(test, bound, &xc_iv_benbi, "cipher: ");
}

/* All bytes are new each time, and stored with the tag. */
static void random_test(struct kunit *test)
{
	u8 a[XC_MAX_IV_SIZE], b[XC_MAX_IV_SIZE];
	u8 *data = iv_sector(test, 512);
	struct bound *bound = iv_bind(test, &iv_aes_cbc, &xc_iv_random);

	iv_call(test, bound, false, true, 1, data, data, a);
	iv_call(test, bound, false, true, 1, data, data, b);
	KUNIT_EXPECT_MEMNEQ(test, a, b, 8);
	KUNIT_EXPECT_MEMNEQ(test, a + 8, b + 8, 8);
	KUNIT_EXPECT_TRUE(test, xc_iv_random.stored);
}

#define FILLED 40

/* IVs @step apart, shifted by @shift, all at once and one by one. */
static void expect_filled(struct kunit *test, const struct xc_iv_ops *ops,
			  u64 sector, unsigned int step, unsigned int shift)
{
	struct bound *bound = iv_bind(test, &iv_aes_cbc, ops);
	u8 *all = kunit_kzalloc(test, (FILLED + 1) * XC_XTS_IV_SIZE, GFP_KERNEL);
	u8 *data = iv_sector(test, 512);
	u8 one[XC_MAX_IV_SIZE];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, all);
	ops->fill(&bound->iv, all, sector, step, shift, FILLED);
	for (i = 0; i < FILLED; i++, sector += step) {
		iv_call(test, bound, false, true, sector >> shift, data, data,
			one);
		KUNIT_EXPECT_MEMEQ(test, all + i * XC_XTS_IV_SIZE, one,
				   XC_XTS_IV_SIZE);
	}
	/* and no byte more */
	memset(one, 0, sizeof(one));
	KUNIT_EXPECT_MEMEQ(test, all + FILLED * XC_XTS_IV_SIZE, one,
			   XC_XTS_IV_SIZE);
	iv_unbind(test, bound);
}

static void fill_test(struct kunit *test)
{
	static const struct xc_iv_ops *const ops[] = {
		&xc_iv_benbi, &xc_iv_null, &xc_iv_plain, &xc_iv_plain64,
		&xc_iv_plain64be,
	};
	/* numbers that cross 2^32 and 2^64; those wrap, then shift */
	static const u64 sectors[] = { 0, SECTOR & ~7, 0xfffffff8, -64ULL };
	unsigned int i, k, shift;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		for (k = 0; k < ARRAY_SIZE(sectors); k++)
			for (shift = 0; shift < 4; shift++) {
				expect_filled(test, ops[i], sectors[k],
					      1 << shift, 0);
				expect_filled(test, ops[i], sectors[k],
					      1 << shift, shift);
			}
	/* only these: others need more than the number */
	KUNIT_EXPECT_NULL(test, xc_iv_essiv.fill);
	KUNIT_EXPECT_NULL(test, xc_iv_eboiv.fill);
	KUNIT_EXPECT_NULL(test, xc_iv_random.fill);
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
	KUNIT_CASE(fill_test),
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

static struct kunit_suite count_suite = {
	.name = "xcrypt-iv-count",
	.test_cases = count_cases,
};

kunit_test_suite(count_suite);

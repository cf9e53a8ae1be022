// SPDX-License-Identifier: GPL-2.0-only
/* Binds, calls and frees a generator, for the IV suites. */
#include <linux/module.h>
#include <linux/slab.h>

#include "iv_test.h"

const struct bound iv_aes_cbc = {
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

/* Call layout() and create(); set no key. */
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

/**
 * iv_bind() - bind a generator to a cipher and set its key
 * @test: the running test; fails if a step does
 * @model: cipher, sector size and size of the key
 * @ops: the generator
 *
 * Context: Process context.  May sleep.
 * Return: the generator, ready for use.  It is unbound after the test, when the
 * test's stack is gone, or by iv_unbind().
 */
struct bound *iv_bind(struct kunit *test, const struct bound *model,
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

/**
 * iv_unbind() - undo iv_bind() before the end of the test
 * @test: the running test
 * @bound: the generator, from iv_bind()
 *
 * Context: Process context.  May sleep.
 */
void iv_unbind(struct kunit *test, struct bound *bound)
{
	kunit_release_action(test, destroy, bound);
}

/**
 * iv_refuse() - check that a generator refuses a cipher or key
 * @test: the running test; fails if it is accepted, if something is left
 *	behind, or if the error does not begin with @argument
 * @bound: the cipher, and the size of the key
 * @ops: the generator
 * @argument: the argument of the table line that the error must name
 *
 * Context: Process context.  May sleep.
 */
void iv_refuse(struct kunit *test, struct bound bound,
	       const struct xc_iv_ops *ops, const char *argument)
{
	KUNIT_EXPECT_NE(test, try_bind(&bound, ops), 0);
	KUNIT_EXPECT_NULL(test, bound.iv.priv);
	KUNIT_ASSERT_NOT_NULL(test, bound.error);
	KUNIT_EXPECT_TRUE_MSG(test, strstarts(bound.error, argument),
			      "%s", bound.error);
}

/**
 * iv_sector() - create a sector in the middle of a page, as vectors.py does
 * @test: the running test, at whose end the memory is freed
 * @size: its size in bytes
 *
 * Context: Process context.  May sleep.
 * Return: the sector.
 */
u8 *iv_sector(struct kunit *test, unsigned int size)
{
	u8 *page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	u8 *data = size < PAGE_SIZE ? page + 3 * 512 : page;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (i = 0; i < size; i++)
		data[i] = i * 7 + i / 256 * 13 + 3;
	return data;
}

/**
 * iv_call() - call generate() or post() for one sector
 * @test: the running test; fails if the call does, or if memory after the IV
 *	was written
 * @bound: the generator
 * @post: call post() instead of generate()
 * @encrypt: for a write
 * @sector: the number for the IV
 * @src: the sector before the cipher
 * @dst: the sector after it; may be @src
 * @out: the IV, of XC_MAX_IV_SIZE bytes
 *
 * Context: Process context.
 */
void iv_call(struct kunit *test, const struct bound *bound, bool post,
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
	/* no memory after the IV is written */
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(out + iv->size, 0xee,
					     XC_MAX_IV_SIZE - iv->size), NULL);
}

MODULE_DESCRIPTION("KUnit suites of dm-xcrypt");
MODULE_LICENSE("GPL");

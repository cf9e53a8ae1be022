// SPDX-License-Identifier: GPL-2.0-only
/*
 * hmac(sha256) with SHA-NI, of a higher priority than the kernel's.
 *
 * As in the kernel's own, a key is two hash states: after the block of the inner
 * padding, and after that of the outer.
 */
#include <crypto/internal/hash.h>
#include <crypto/sha2.h>
#include <linux/cpufeature.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#define BLOCK SHA256_BLOCK_SIZE

asmlinkage void sha256_ni_transform(u32 *state, const u8 *data, int blocks);

/**
 * struct hmac_key - a key
 * @inner: state after its inner padding
 * @outer: state after its outer padding
 */
struct hmac_key {
	u32 inner[SHA256_STATE_WORDS];
	u32 outer[SHA256_STATE_WORDS];
};

/**
 * struct hmac_ctx - a message on its way
 * @state: state after all complete blocks
 * @bytes: bytes so far, including the padding of the key
 * @buf: the incomplete block
 */
struct hmac_ctx {
	u32 state[SHA256_STATE_WORDS];
	u64 bytes;
	u8 buf[BLOCK];
};

static void start(struct hmac_ctx *ctx, const u32 *state)
{
	memcpy(ctx->state, state, sizeof(ctx->state));
	ctx->bytes = BLOCK;
}

static void add(struct hmac_ctx *ctx, const u8 *data, unsigned int size)
{
	unsigned int have = ctx->bytes % BLOCK, part;

	ctx->bytes += size;
	if (have) {
		part = min(size, BLOCK - have);
		memcpy(ctx->buf + have, data, part);
		if (have + part < BLOCK)
			return;
		sha256_ni_transform(ctx->state, ctx->buf, 1);
		data += part;
		size -= part;
	}
	if (size >= BLOCK)
		sha256_ni_transform(ctx->state, data, size / BLOCK);
	memcpy(ctx->buf, data + size / BLOCK * BLOCK, size % BLOCK);
}

static void end(struct hmac_ctx *ctx, u8 *out)
{
	unsigned int i, have = ctx->bytes % BLOCK;

	ctx->buf[have++] = 0x80;
	if (have > BLOCK - sizeof(u64)) {
		memset(ctx->buf + have, 0, BLOCK - have);
		sha256_ni_transform(ctx->state, ctx->buf, 1);
		have = 0;
	}
	memset(ctx->buf + have, 0, BLOCK - sizeof(u64) - have);
	put_unaligned_be64(ctx->bytes * 8, ctx->buf + BLOCK - sizeof(u64));
	sha256_ni_transform(ctx->state, ctx->buf, 1);
	for (i = 0; i < SHA256_STATE_WORDS; i++)
		put_unaligned_be32(ctx->state[i], out + i * sizeof(u32));
}

static void pad_key(u32 *state, const u8 *key, u8 with)
{
	struct crypto_sha256_state first;
	u8 block[BLOCK];
	unsigned int i;

	sha256_block_init(&first);
	memcpy(state, first.state, sizeof(first.state));
	for (i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ with;
	sha256_ni_transform(state, block, 1);
	memzero_explicit(block, sizeof(block));
}

static int hmac_setkey(struct crypto_shash *tfm, const u8 *bytes, unsigned int size)
{
	struct hmac_key *key = crypto_shash_ctx(tfm);
	u8 padded[BLOCK] = {};

	if (size > BLOCK)
		sha256(bytes, size, padded);
	else
		memcpy(padded, bytes, size);
	pad_key(key->inner, padded, 0x36);
	pad_key(key->outer, padded, 0x5c);
	memzero_explicit(padded, sizeof(padded));
	return 0;
}

static int hmac_init(struct shash_desc *desc)
{
	struct hmac_key *key = crypto_shash_ctx(desc->tfm);

	start(shash_desc_ctx(desc), key->inner);
	return 0;
}

static int hmac_update(struct shash_desc *desc, const u8 *data, unsigned int size)
{
	add(shash_desc_ctx(desc), data, size);
	return 0;
}

static int hmac_final(struct shash_desc *desc, u8 *out)
{
	struct hmac_key *key = crypto_shash_ctx(desc->tfm);
	struct hmac_ctx *ctx = shash_desc_ctx(desc);

	end(ctx, out);
	start(ctx, key->outer);
	add(ctx, out, SHA256_DIGEST_SIZE);
	end(ctx, out);
	return 0;
}

static struct shash_alg hmac = {
	.init		= hmac_init,
	.update		= hmac_update,
	.final		= hmac_final,
	.setkey		= hmac_setkey,
	.descsize	= sizeof(struct hmac_ctx),
	.digestsize	= SHA256_DIGEST_SIZE,
	.base = {
		.cra_name		= "hmac(sha256)",
		.cra_driver_name	= "hmac-sha256-ni",
		.cra_priority		= 1000,
		.cra_blocksize		= BLOCK,
		.cra_ctxsize		= sizeof(struct hmac_key),
		.cra_module		= THIS_MODULE,
	},
};

/* The result must be that of the kernel's own, for a message in two parts. */
static int __init check(struct crypto_shash *tfm)
{
	SHASH_DESC_ON_STACK(desc, tfm);
	static u8 data[10 * BLOCK] __initdata;
	u8 key[SHA256_DIGEST_SIZE], result[SHA256_DIGEST_SIZE], expected[SHA256_DIGEST_SIZE];
	unsigned int size;
	int err;

	get_random_bytes(key, sizeof(key));
	get_random_bytes(data, sizeof(data));
	desc->tfm = tfm;
	err = crypto_shash_setkey(tfm, key, sizeof(key));
	for (size = 8; size <= sizeof(data) && !err; size++) {
		hmac_sha256_usingrawkey(key, sizeof(key), data, size, expected);
		err = crypto_shash_init(desc) ?: crypto_shash_update(desc, data, 8) ?:
			crypto_shash_finup(desc, data + 8, size - 8, result);
		if (!err && memcmp(result, expected, sizeof(result)))
			err = -EILSEQ;
	}
	return err;
}

static int __init sha_ni_init(void)
{
	struct crypto_shash *tfm;
	int err;

	if (!boot_cpu_has(X86_FEATURE_SHA_NI))
		return -ENODEV;
	err = crypto_register_shash(&hmac);
	if (err)
		return err;
	tfm = crypto_alloc_shash(hmac.base.cra_driver_name, 0, 0);
	err = PTR_ERR_OR_ZERO(tfm);
	if (!err) {
		err = check(tfm);
		crypto_free_shash(tfm);
	}
	if (err)
		crypto_unregister_shash(&hmac);
	return err;
}

static void __exit sha_ni_exit(void)
{
	crypto_unregister_shash(&hmac);
}

module_init(sha_ni_init);
module_exit(sha_ni_exit);
MODULE_DESCRIPTION("HMAC-SHA-256 with SHA-NI, to measure dm-xcrypt");
MODULE_LICENSE("GPL");

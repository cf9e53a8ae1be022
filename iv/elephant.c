// SPDX-License-Identifier: GPL-2.0-only
/*
 * elephant: eboiv, and the Elephant diffuser over the plaintext.  Used by
 * BitLocker in CBC mode before Windows 8.  The second half of the key is the
 * AES key of the sector key.
 *
 * Source: N. Ferguson, AES-CBC + Elephant diffuser, Microsoft 2006, section 4.
 */
#include "generators.h"

#include <linux/slab.h>
#include <crypto/aes.h>
#include <crypto/skcipher.h>

#include "eboiv.h"
#include "sector.h"

#define ELEPHANT_SECTOR_KEY_SIZE 32

struct elephant {
	struct crypto_sync_skcipher *eboiv;
	struct aes_enckey key;
};

static int elephant_layout(struct xc_iv *iv, struct xc_key_layout *layout,
			   char **error)
{
	layout->parts = 2;
	layout->extra = layout->size / 2;
	if (layout->extra > AES_MAX_KEY_SIZE) {
		*error = "key: too long for IV elephant, whose half is an AES key";
		return -EINVAL;
	}
	return 0;
}

static int elephant_create(struct xc_iv *iv, const struct xc_key_layout *layout,
			   char **error)
{
	struct elephant *elephant = kzalloc(sizeof(*elephant), GFP_KERNEL);
	int err;

	if (!elephant) {
		*error = "cipher: out of memory";
		return -ENOMEM;
	}
	err = xc_eboiv_create(iv, &elephant->eboiv, error);
	if (err) {
		kfree(elephant);
		return err;
	}
	iv->priv = elephant;
	return 0;
}

static void elephant_destroy(struct xc_iv *iv)
{
	struct elephant *elephant = iv->priv;

	crypto_free_sync_skcipher(elephant->eboiv);
	kfree_sensitive(elephant);
	iv->priv = NULL;
}

static int elephant_set_key(struct xc_iv *iv, const u8 *key,
			    const struct xc_key_layout *layout)
{
	struct elephant *elephant = iv->priv;
	int err;

	err = crypto_sync_skcipher_setkey(elephant->eboiv, key,
					  xc_subkey_size(layout));
	if (err)
		return err;
	return aes_prepareenckey(&elephant->key,
				 key + layout->size - layout->extra,
				 layout->extra);
}

static void elephant_wipe(struct xc_iv *iv)
{
	struct elephant *elephant = iv->priv;

	memzero_explicit(&elephant->key, sizeof(elephant->key));
}

/*
 * The diffusers work on words in the CPU's byte order: "word i is mixed with
 * words i + a and i + b, one of them rotated".  The tables hold the rotation
 * for i modulo 4.  Encryption counts indices down, so that each of its steps
 * undoes the decryption step of the same index.
 */
struct diffuser {
	unsigned int cycles;
	int a, b;
	u8 rotate[4];
};

static const struct diffuser diffuser_a = {
	.cycles = 5, .a = -2, .b = -5, .rotate = { 9, 0, 13, 0 },
};

static const struct diffuser diffuser_b = {
	.cycles = 3, .a = 2, .b = 5, .rotate = { 0, 10, 0, 25 },
};

static u32 diffuse(const struct diffuser *df, const u32 *d, unsigned int n,
		   unsigned int i)
{
	/* n is a power of two: the mask wraps negative indices too */
	return d[(i + df->a) & (n - 1)] ^
		rol32(d[(i + df->b) & (n - 1)], df->rotate[i % 4]);
}

static void diffuser_decrypt(const struct diffuser *df, u32 *d, unsigned int n)
{
	unsigned int cycle, i;

	for (cycle = 0; cycle < df->cycles; cycle++)
		for (i = 0; i < n; i++)
			d[i] += diffuse(df, d, n, i);
}

static void diffuser_encrypt(const struct diffuser *df, u32 *d, unsigned int n)
{
	unsigned int cycle, i;

	for (cycle = 0; cycle < df->cycles; cycle++)
		for (i = n; i-- > 0;)
			d[i] -= diffuse(df, d, n, i);
}

/* E(Ks, e(s)) and E(Ks, e'(s)): the byte offset, without and with a flag. */
static void sector_key(const struct xc_iv *iv, u8 *out, u64 sector)
{
	const struct elephant *elephant = iv->priv;
	u8 block[AES_BLOCK_SIZE] = {};

	put_unaligned_le64(sector * iv->sector_size, block);
	aes_encrypt(&elephant->key, out, block);
	block[AES_BLOCK_SIZE - 1] = 0x80;
	aes_encrypt(&elephant->key, out + AES_BLOCK_SIZE, block);
}

static void xor_sector_key(const struct xc_iv *iv, u8 *data, u64 sector)
{
	u8 key[ELEPHANT_SECTOR_KEY_SIZE];
	unsigned int i;

	sector_key(iv, key, sector);
	for (i = 0; i < iv->sector_size; i += sizeof(key))
		crypto_xor(data + i, key, sizeof(key));
	memzero_explicit(key, sizeof(key));
}

static int elephant_generate(const struct xc_iv *iv, u8 *out,
			     const struct xc_iv_call *call)
{
	const struct elephant *elephant = iv->priv;
	unsigned int words = iv->sector_size / sizeof(u32);
	void *src, *dst;

	if (call->encrypt) {
		dst = xc_sector_map(call->dst);
		src = xc_sector_map(call->src);
		if (dst != src)
			memcpy(dst, src, iv->sector_size);
		kunmap_local(src);

		xor_sector_key(iv, dst, call->sector);
		le32_to_cpu_array(dst, words);
		diffuser_encrypt(&diffuser_a, dst, words);
		diffuser_encrypt(&diffuser_b, dst, words);
		cpu_to_le32_array(dst, words);
		kunmap_local(dst);
	}
	return xc_eboiv_generate(iv, elephant->eboiv, out, call->sector);
}

static void elephant_post(const struct xc_iv *iv, u8 *out,
			  const struct xc_iv_call *call)
{
	unsigned int words = iv->sector_size / sizeof(u32);
	void *dst;

	if (call->encrypt)
		return;
	dst = xc_sector_map(call->dst);
	le32_to_cpu_array(dst, words);
	diffuser_decrypt(&diffuser_b, dst, words);
	diffuser_decrypt(&diffuser_a, dst, words);
	cpu_to_le32_array(dst, words);
	xor_sector_key(iv, dst, call->sector);
	kunmap_local(dst);
}

const struct xc_iv_ops xc_iv_elephant = {
	.name = "elephant",
	.preprocess = true,
	.layout = elephant_layout,
	.create = elephant_create,
	.destroy = elephant_destroy,
	.set_key = elephant_set_key,
	.wipe = elephant_wipe,
	.generate = elephant_generate,
	.post = elephant_post,
};

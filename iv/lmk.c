// SPDX-License-Identifier: GPL-2.0-only
/*
 * lmk: loop-AES with 64 keys (version 2), or 64 keys and a seed (version 3).
 *
 * The IV is the state of MD5 after the seed, blocks 1 to 31 of the sector's
 * plaintext and the sector number, without MD5's padding.  Decryption must know
 * blocks 1 to 31 first, so CBC runs with a zero IV and the first block is
 * corrected afterwards.
 *
 * Source: loop-AES, http://loop-aes.sourceforge.net/, multi-key-v3 mode.
 */
#include "generators.h"

#include <linux/fips.h>
#include <linux/slab.h>

#include "sector.h"
#include "../compat/md5.h"

#define LMK_SEED_SIZE 64	/* one MD5 block: the seed, then zeros */

/*
 * A key that cannot be divided evenly among the ciphers has one part more, the
 * seed, of the same size as the others.
 */
static int lmk_layout(struct xc_iv *iv, struct xc_key_layout *layout,
		      char **error)
{
	if (layout->size % layout->parts) {
		layout->parts++;
		layout->extra = layout->size / layout->parts;
	}
	return 0;
}

static int lmk_create(struct xc_iv *iv, const struct xc_key_layout *layout,
		      char **error)
{
	if (iv->aead) {
		*error = "cipher: IV lmk cannot be used with an AEAD";
		return -EINVAL;
	}
	if (iv->sector_size != SECTOR_SIZE) {
		*error = "sector_size: IV lmk needs 512-byte sectors";
		return -EINVAL;
	}
	if (iv->size > MD5_DIGEST_SIZE) {
		*error = "cipher: IV lmk needs a cipher whose IV has up to 16 bytes";
		return -EINVAL;
	}
	if (fips_enabled) {
		*error = "cipher: IV lmk uses MD5, which FIPS mode forbids";
		return -EINVAL;
	}
	if (xc_md5_get()) {
		*error = "cipher: IV lmk needs MD5, which this kernel lacks";
		return -ENOENT;
	}
	if (layout->parts == layout->tfms)
		return 0;

	iv->priv = kzalloc(LMK_SEED_SIZE, GFP_KERNEL);
	if (!iv->priv) {
		xc_md5_put();
		*error = "cipher: out of memory";
		return -ENOMEM;
	}
	return 0;
}

static void lmk_destroy(struct xc_iv *iv)
{
	kfree_sensitive(iv->priv);
	iv->priv = NULL;
	xc_md5_put();
}

static int lmk_set_key(struct xc_iv *iv, const u8 *key,
		       const struct xc_key_layout *layout)
{
	unsigned int part = layout->size / layout->parts;

	if (iv->priv)
		memcpy(iv->priv, key + layout->tfms * part,
		       min_t(unsigned int, MD5_DIGEST_SIZE,
			     layout->size - layout->tfms * part));
	return 0;
}

static void lmk_wipe(struct xc_iv *iv)
{
	if (iv->priv)
		memzero_explicit(iv->priv, LMK_SEED_SIZE);
}

static void lmk_digest(const struct xc_iv *iv, u8 *out, u64 sector,
		       const u8 *data)
{
	/* the number is cut to 56 bits; 4024 = 503 * 8 bits are hashed */
	__le32 tail[4] = {
		cpu_to_le32(lower_32_bits(sector)),
		cpu_to_le32((upper_32_bits(sector) & 0xffffff) | 0x80000000),
		cpu_to_le32(4024),
		0,
	};
	struct md5_ctx md5;

	md5_init(&md5);
	if (iv->priv)
		md5_update(&md5, iv->priv, LMK_SEED_SIZE);
	md5_update(&md5, data + 16, SECTOR_SIZE - 16);
	md5_update(&md5, (const u8 *)tail, sizeof(tail));

	cpu_to_le32_array(md5.state.h, ARRAY_SIZE(md5.state.h));
	memcpy(out, md5.state.h, iv->size);
	memzero_explicit(&md5, sizeof(md5));
}

static int lmk_generate(const struct xc_iv *iv, u8 *out,
			const struct xc_iv_call *call)
{
	u8 *data;

	if (!call->encrypt) {
		memset(out, 0, iv->size);
		return 0;
	}
	data = xc_sector_map(call->src);
	lmk_digest(iv, out, call->sector, data);
	kunmap_local(data);
	return 0;
}

static void lmk_post(const struct xc_iv *iv, u8 *out,
		     const struct xc_iv_call *call)
{
	u8 *data;

	if (call->encrypt)
		return;
	data = xc_sector_map(call->dst);
	lmk_digest(iv, out, call->sector, data);
	crypto_xor(data, out, iv->size);
	kunmap_local(data);
}

const struct xc_iv_ops xc_iv_lmk = {
	.name = "lmk",
	.from_data = true,
	.layout = lmk_layout,
	.create = lmk_create,
	.destroy = lmk_destroy,
	.set_key = lmk_set_key,
	.wipe = lmk_wipe,
	.generate = lmk_generate,
	.post = lmk_post,
};

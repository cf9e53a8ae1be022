// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcw: TrueCrypt before version 4.1.  The IV of CBC is made from a seed and the
 * sector number, and every sector's ciphertext is whitened with a value made
 * from both.  The key ends with the seed (of the IV's size) and 16 bytes for
 * the whitening.  It can be watermarked; for existing volumes only.
 *
 * Source: https://gitlab.com/cryptsetup/cryptsetup/wikis/TrueCryptOnDiskFormat
 */
#include "generators.h"

#include <linux/crc32.h>
#include <linux/slab.h>

#include "sector.h"

#define TCW_WHITENING_SIZE 16

struct tcw {
	u8 whitening[TCW_WHITENING_SIZE];
	u8 seed[];
};

static int tcw_layout(struct xc_iv *iv, struct xc_key_layout *layout,
		      char **error)
{
	if (layout->size <= iv->size + TCW_WHITENING_SIZE) {
		*error = "key: too short for IV tcw, which uses part of it";
		return -EINVAL;
	}
	layout->parts += 2;
	layout->extra = iv->size + TCW_WHITENING_SIZE;
	return 0;
}

static int tcw_create(struct xc_iv *iv, const struct xc_key_layout *layout,
		      char **error)
{
	struct tcw *tcw;

	if (iv->sector_size != SECTOR_SIZE) {
		*error = "sector_size: IV tcw needs 512-byte sectors";
		return -EINVAL;
	}
	iv->priv = kzalloc(struct_size(tcw, seed, iv->size), GFP_KERNEL);
	if (!iv->priv) {
		*error = "cipher: out of memory";
		return -ENOMEM;
	}
	return 0;
}

static void tcw_destroy(struct xc_iv *iv)
{
	kfree_sensitive(iv->priv);
	iv->priv = NULL;
}

static int tcw_set_key(struct xc_iv *iv, const u8 *key,
		       const struct xc_key_layout *layout)
{
	const u8 *extra = key + layout->size - layout->extra;
	struct tcw *tcw = iv->priv;

	memcpy(tcw->seed, extra, iv->size);
	memcpy(tcw->whitening, extra + iv->size, TCW_WHITENING_SIZE);
	return 0;
}

static void tcw_wipe(struct xc_iv *iv)
{
	struct tcw *tcw = iv->priv;

	memzero_explicit(tcw, struct_size(tcw, seed, iv->size));
}

/* XOR every 8 bytes of a sector with the same value; its own inverse. */
static void tcw_whiten(const struct tcw *tcw, u64 sector,
		       struct scatterlist *sg)
{
	__le64 number = cpu_to_le64(sector);
	u8 buf[TCW_WHITENING_SIZE];
	unsigned int i;
	u8 *data;

	crypto_xor_cpy(buf, tcw->whitening, (u8 *)&number, 8);
	crypto_xor_cpy(buf + 8, tcw->whitening + 8, (u8 *)&number, 8);

	/* 128 bits to 64: a CRC of each word, then outer with inner words */
	for (i = 0; i < sizeof(buf); i += 4)
		put_unaligned_le32(crc32(0, buf + i, 4), buf + i);
	crypto_xor(buf, buf + 12, 4);
	crypto_xor(buf + 4, buf + 8, 4);

	data = xc_sector_map(sg);
	for (i = 0; i < SECTOR_SIZE; i += 8)
		crypto_xor(data + i, buf, 8);
	kunmap_local(data);
	memzero_explicit(buf, sizeof(buf));
}

static int tcw_generate(const struct xc_iv *iv, u8 *out,
			const struct xc_iv_call *call)
{
	const struct tcw *tcw = iv->priv;
	__le64 number = cpu_to_le64(call->sector);
	unsigned int i;

	if (!call->encrypt)
		tcw_whiten(tcw, call->sector, call->src);

	for (i = 0; i < iv->size; i++)
		out[i] = tcw->seed[i] ^ ((u8 *)&number)[i % sizeof(number)];
	return 0;
}

static void tcw_post(const struct xc_iv *iv, u8 *out,
		     const struct xc_iv_call *call)
{
	if (call->encrypt)
		tcw_whiten(iv->priv, call->sector, call->dst);
}

const struct xc_iv_ops xc_iv_tcw = {
	.name = "tcw",
	.layout = tcw_layout,
	.create = tcw_create,
	.destroy = tcw_destroy,
	.set_key = tcw_set_key,
	.wipe = tcw_wipe,
	.generate = tcw_generate,
	.post = tcw_post,
};

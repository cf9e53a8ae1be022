// SPDX-License-Identifier: GPL-2.0-only
/*
 * engine:api: the request for one sector, with vectors and IV, for AEADs too.
 */
#include "request.h"

#include <crypto/aead.h>

#include "cipher.h"
#include "run.h"

/* Index of the data among the parts of an authenticated sector. */
#define AEAD_DATA 2

/**
 * xc_request_init() - prepare the request for the next sector of a run
 * @req: the request
 * @run: the run
 *
 * Context: Any context.
 * Return: the source for the cipher: ``src``, or ``dst`` if the IV generator
 * puts the data there first.
 */
struct scatterlist *xc_request_init(struct xc_request *req, struct xc_run *run)
{
	const struct xc_cipher *cipher = run->cipher;
	struct bio_vec in = bio_iter_iovec(run->src, run->src_iter);
	struct bio_vec out = bio_iter_iovec(run->dst, run->dst_iter);
	unsigned int data = cipher->aead ? AEAD_DATA : 0;
	unsigned int parts = cipher->aead ? ARRAY_SIZE(req->src) : 1;
	const struct xc_iv_ops *ops = cipher->iv.ops;
	unsigned int used = cipher->auth_size + cipher->iv_stored;

	/* no stale memory in the unused part of the metadata */
	if (run->tuple && run->encrypt)
		memset(run->tuple + used, 0, cipher->tuple_size - used);

	req->run = run;
	req->tuple = run->tuple;
	req->aad_sector = cpu_to_le64(run->sector);

	sg_init_table(req->src, parts);
	sg_set_page(&req->src[data], in.bv_page, cipher->sector_size,
		    in.bv_offset);
	sg_init_table(req->dst, parts);
	sg_set_page(&req->dst[data], out.bv_page, cipher->sector_size,
		    out.bv_offset);

	req->call.sector = run->sector + cipher->iv_offset;
	if (cipher->large_iv)
		req->call.sector >>= cipher->sector_shift;
	req->call.encrypt = run->encrypt;
	req->call.src = &req->src[data];
	req->call.dst = &req->dst[data];

	return ops && ops->preprocess && run->encrypt ? req->dst : req->src;
}

/**
 * xc_request_make_iv() - generate the IV of a sector, or take the stored one
 * @req: the request, prepared
 *
 * Context: Any context but hard interrupt.
 * Return: 0, or an error of the generator.
 */
int xc_request_make_iv(struct xc_request *req)
{
	const struct xc_cipher *cipher = req->run->cipher;
	const struct xc_iv *iv = &cipher->iv;
	u8 *stored = req->tuple + cipher->auth_size;
	int err;

	if (!iv->ops) {
		memset(req->org_iv, 0, iv->size);
	} else if (iv->ops->stored && !req->run->encrypt) {
		memcpy(req->org_iv, stored, iv->size);
	} else {
		err = iv->ops->generate(iv, req->org_iv, &req->call);
		if (err)
			return err;
		if (iv->ops->stored)
			memcpy(stored, req->org_iv, iv->size);
	}
	memcpy(req->iv, req->org_iv, iv->size);
	return 0;
}

static void add_parts(struct xc_request *req, struct scatterlist *sg)
{
	const struct xc_cipher *cipher = req->run->cipher;

	sg_set_buf(&sg[0], &req->aad_sector, sizeof(req->aad_sector));
	sg_set_buf(&sg[1], req->org_iv, cipher->iv.size);
	sg_set_buf(&sg[3], req->tuple, cipher->auth_size);
}

/**
 * xc_aead_start() - encrypt or decrypt a sector with its tag
 * @req: the request, with its IV
 * @areq: the crypto API's request, with its handle and callback
 *
 * The tag authenticates the sector's number, counted from the start of the
 * mapping, and its IV, which are associated data, and the sector:
 * number | IV | sector | tag.
 *
 * Context: Any context but hard interrupt.
 * Return: as crypto_aead_encrypt() and crypto_aead_decrypt().
 */
int xc_aead_start(struct xc_request *req, struct aead_request *areq)
{
	const struct xc_cipher *cipher = req->run->cipher;

	add_parts(req, req->src);
	add_parts(req, req->dst);
	aead_request_set_ad(areq, sizeof(req->aad_sector) + cipher->iv.size);

	if (!req->run->encrypt) {
		aead_request_set_crypt(areq, req->src, req->dst,
				       cipher->sector_size + cipher->auth_size,
				       req->iv);
		return crypto_aead_decrypt(areq);
	}
	aead_request_set_crypt(areq, req->src, req->dst, cipher->sector_size,
			       req->iv);
	return crypto_aead_encrypt(areq);
}

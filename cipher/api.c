// SPDX-License-Identifier: GPL-2.0-only
/*
 * engine:api: one crypto API request per sector.  Fits every cipher, IV and
 * driver, asynchronous ones too.
 */
#include "api.h"

#include <linux/mempool.h>
#include <crypto/aead.h>
#include <crypto/skcipher.h>

#include "cipher.h"
#include "request.h"
#include "run.h"
#include "../debug/inject.h"

/* Requests of an asynchronous driver that need no allocation. */
#define MIN_REQUESTS 64

static unsigned int api_request_size(const struct xc_cipher *cipher)
{
	unsigned int size = sizeof(struct xc_request) + ARCH_KMALLOC_MINALIGN;
	unsigned int i, largest = 0;

	if (cipher->aead)
		return size + sizeof(struct aead_request) +
			crypto_aead_reqsize(cipher->aead);

	/* drivers differ if a better one appeared between two handles */
	for (i = 0; i < cipher->layout.tfms; i++)
		largest = max(largest,
			      crypto_skcipher_reqsize(cipher->skcipher[i]));
	return size + sizeof(struct skcipher_request) + largest;
}

/*
 * The cipher has processed a sector.  Sectors of a run may finish on several
 * CPUs at once; any of their errors may be the one kept.
 */
static void finish_sector(struct xc_request *req, int err)
{
	const struct xc_iv *iv = &req->run->cipher->iv;
	struct xc_run *run = req->run;

	if (!err) {
		if (iv->ops && iv->ops->post)
			iv->ops->post(iv, req->org_iv, &req->call);
	} else if (err == -EBADMSG) {
		WRITE_ONCE(run->bad_sector, le64_to_cpu(req->aad_sector));
		WRITE_ONCE(run->bad_tag, true);
		WRITE_ONCE(run->status, BLK_STS_PROTECTION);
	} else {
		WRITE_ONCE(run->status, BLK_STS_IOERR);
	}
}

static void *alloc_request(struct xc_run *run, bool may_sleep)
{
	gfp_t gfp = may_sleep ? GFP_NOIO : GFP_NOWAIT;

	return xc_inject_failure(gfp) ? NULL :
		mempool_alloc(run->cipher->engine_data, gfp);
}

/* Wiped: some ciphers leave the first or last bytes of a sector in there. */
static void free_request(struct xc_run *run, void *req)
{
	if (!req)
		return;
	memzero_explicit(req, api_request_size(run->cipher));
	if (req != run->own)
		mempool_free(req, run->cipher->engine_data);
}

/* The driver's callback: a request left the backlog, or is done. */
static void api_complete(xc_crypto_cb_t data, int err)
{
	struct xc_request *req = xc_crypto_cb_data(data);
	struct xc_run *run = req->run;

	if (err == -EINPROGRESS) {
		complete(&run->restart);
		return;
	}
	finish_sector(req, err);
	free_request(run, req);
	if (atomic_dec_and_test(&run->pending))
		run->done(run);
}

static int start_skcipher(struct xc_request *req, struct skcipher_request *sreq,
			  struct scatterlist *src)
{
	struct xc_run *run = req->run;
	const struct xc_cipher *cipher = run->cipher;
	unsigned int i;

	/* the number that the IV is made from selects the key */
	i = (run->sector + cipher->iv_offset) & (cipher->layout.tfms - 1);
	skcipher_request_set_tfm(sreq, cipher->skcipher[i]);
	skcipher_request_set_callback(sreq, CRYPTO_TFM_REQ_MAY_BACKLOG,
				      api_complete, req);
	skcipher_request_set_crypt(sreq, src, req->dst, cipher->sector_size,
				   req->iv);
	return run->encrypt ? crypto_skcipher_encrypt(sreq) :
			      crypto_skcipher_decrypt(sreq);
}

static int start_aead(struct xc_request *req, struct aead_request *areq)
{
	aead_request_set_tfm(areq, req->run->cipher->aead);
	aead_request_set_callback(areq, CRYPTO_TFM_REQ_MAY_BACKLOG,
				  api_complete, req);
	return xc_aead_start(req, areq);
}

/* Give the next sector of a run to the crypto API. */
static int start_sector(struct xc_request *req, struct xc_run *run)
{
	struct scatterlist *src = xc_request_init(req, run);
	int err;

	err = xc_request_make_iv(req);
	if (err)
		return err;
	if (run->cipher->aead)
		return start_aead(req, xc_crypto_request(req));
	return start_skcipher(req, xc_crypto_request(req), src);
}

static void advance(struct xc_run *run)
{
	const struct xc_cipher *cipher = run->cipher;

	bio_advance_iter(run->src, &run->src_iter, cipher->sector_size);
	bio_advance_iter(run->dst, &run->dst_iter, cipher->sector_size);
	run->sector += 1 << cipher->sector_shift;
	if (run->tuple)
		run->tuple += cipher->tuple_size;
}

/* The driver's queue was full: true once the next request may start. */
static bool leave_backlog(struct xc_run *run, bool may_sleep)
{
	if (may_sleep)
		wait_for_completion(&run->restart);
	else if (!try_wait_for_completion(&run->restart))
		return false;
	run->backlogged = false;
	return true;
}

static enum xc_result api_run(struct xc_run *run, bool may_sleep)
{
	const struct xc_cipher *cipher = run->cipher;
	int err;

	while (run->src_iter.bi_size && !READ_ONCE(run->status)) {
		if (run->backlogged && !leave_backlog(run, may_sleep))
			return XC_RUN_AGAIN;
		if (!run->request)
			run->request = alloc_request(run, may_sleep);
		if (!run->request)
			return XC_RUN_AGAIN;

		/* count first: it may complete before start_sector() returns */
		if (cipher->async)
			atomic_inc(&run->pending);
		err = start_sector(run->request, run);
		if (err == -EINPROGRESS || err == -EBUSY) {
			run->backlogged = err == -EBUSY;
			run->request = NULL;
		} else {
			if (cipher->async)
				atomic_dec(&run->pending);
			finish_sector(run->request, err);
		}
		advance(run);
		if (may_sleep)
			cond_resched();
	}
	/* a backlogged request has two callbacks: consume the first here */
	if (run->backlogged && !leave_backlog(run, may_sleep))
		return XC_RUN_AGAIN;

	free_request(run, run->request);
	run->request = NULL;
	return atomic_dec_and_test(&run->pending) ? XC_RUN_DONE :
						    XC_RUN_PENDING;
}

static bool api_fits(const struct xc_cipher *cipher, const struct xc_spec *spec,
		     char **error)
{
	return true;
}

static int api_create(struct xc_cipher *cipher)
{
	cipher->engine_data = mempool_create_kmalloc_pool(MIN_REQUESTS,
							  api_request_size(cipher));
	return cipher->engine_data ? 0 : -ENOMEM;
}

static void api_destroy(struct xc_cipher *cipher)
{
	mempool_destroy(cipher->engine_data);
}

const struct xc_engine xc_api_engine = {
	.choice = XC_ENGINE_API,
	/* takes less time than waking another CPU */
	.inline_softirq = SZ_4K,
	.inline_task = SZ_16K,
	.fits = api_fits,
	.create = api_create,
	.destroy = api_destroy,
	.request_size = api_request_size,
	.run = api_run,
};

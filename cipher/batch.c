// SPDX-License-Identifier: GPL-2.0-only
/*
 * engine:batch: whole vectors of a bio in one pass through AES-XTS.
 *
 * With 512-byte sectors, the crypto API's overhead per sector (a request, a
 * scatterlist, a tweak, an indirect call) costs as much as the cipher.  Here
 * the IVs of many sectors are written at once, and an implementation for this
 * CPU (cipher/xts.h) processes them together with the data.  The crypto API's
 * handle is still needed, to validate the key.
 *
 * A run in a context that may not use SIMD is continued in another context.
 */
#include "batch.h"

#include <linux/fips.h>
#include <linux/slab.h>

#include "batch_check.h"
#include "cipher.h"
#include "run.h"
#include "simd.h"
#include "xts.h"
#include "../table/spec.h"

/*
 * Bytes between two points of preemption: some microseconds, far below the 50
 * that a desktop or an audio device would notice.
 */
#define STINT SZ_16K

/* Segments of a stint: its pages, and some that are cut. */
#define SEGMENTS 8

/* Set when the module is loaded: an implementation, or why none is used. */
static const struct xc_xts_impl *xts __ro_after_init;
static char *hindrance __ro_after_init;

/**
 * xc_batch_init() - choose the implementation for this CPU
 *
 * An implementation that disagrees with the kernel's own cipher is not used.
 *
 * Context: Process context, in the module's init.  May sleep.
 */
void __init xc_batch_init(void)
{
	const struct xc_xts_impl *impl = xc_simd_xts();

	if (!impl)
		hindrance = "engine: batch needs a CPU with AES-NI and AVX";
	else if (fips_enabled)
		hindrance = "engine: batch is not available in FIPS mode";
	else if (!xc_batch_check(impl))
		hindrance = "engine: batch failed its self-check when the module was loaded";
	else
		xts = impl;
}

/* A specification that names a driver gets that driver, from engine:api. */
static bool batch_fits(const struct xc_cipher *cipher,
		       const struct xc_spec *spec, char **error)
{
	if (hindrance)
		*error = hindrance;
	else if (strcmp(spec->name, "xts(aes)"))
		*error = "engine: batch only supports aes-xts, and no driver by name";
	else if (cipher->layout.tfms != 1)
		*error = "engine: batch only supports a key count of 1";
	else if (!cipher->iv.ops || !cipher->iv.ops->fill)
		*error = "engine: batch only supports IVs plain, plain64, plain64be, benbi, null";
	else
		return true;
	return false;
}

static int batch_create(struct xc_cipher *cipher)
{
	struct xc_xts_key *key = kzalloc(sizeof(*key), GFP_KERNEL);

	cipher->engine_data = key;
	return key ? 0 : -ENOMEM;
}

static void batch_destroy(struct xc_cipher *cipher)
{
	kfree_sensitive(cipher->engine_data);
}

static void batch_set_key(struct xc_cipher *cipher, const u8 *key)
{
	xc_simd_begin();
	xts->set_key(cipher->engine_data, key, cipher->layout.size);
	xc_simd_end();
}

static void batch_wipe(struct xc_cipher *cipher)
{
	memzero_explicit(cipher->engine_data, sizeof(struct xc_xts_key));
}

/* The next contiguous piece of source and destination, up to @most bytes. */
static unsigned int next_segment(struct xc_run *run,
				 struct xc_xts_segment *segment,
				 unsigned int most)
{
	struct bio_vec in = mp_bvec_iter_bvec(run->src->bi_io_vec,
					      run->src_iter);
	struct bio_vec out = mp_bvec_iter_bvec(run->dst->bi_io_vec,
					       run->dst_iter);
	unsigned int size = min3(in.bv_len, out.bv_len, most);

	segment->src = bvec_virt(&in);
	segment->dst = bvec_virt(&out);
	segment->sectors = size / run->cipher->sector_size;
	bio_advance_iter(run->src, &run->src_iter, size);
	bio_advance_iter(run->dst, &run->dst_iter, size);
	return size;
}

static void crypt_stint(struct xc_run *run)
{
	const struct xc_cipher *cipher = run->cipher;
	struct xc_xts_segment segments[SEGMENTS];
	u8 ivs[STINT / SECTOR_SIZE * XC_XTS_IV_SIZE];
	unsigned int count = 0, size = 0;

	while (run->src_iter.bi_size && size < STINT && count < SEGMENTS)
		size += next_segment(run, &segments[count++], STINT - size);
	cipher->iv.ops->fill(&cipher->iv, ivs, run->sector + cipher->iv_offset,
			     1 << cipher->sector_shift,
			     cipher->large_iv ? cipher->sector_shift : 0,
			     size / cipher->sector_size);
	run->sector += size >> SECTOR_SHIFT;

	xc_simd_begin();
	xts->crypt(cipher->engine_data, segments, count, cipher->sector_size, ivs,
		   run->encrypt);
	xc_simd_end();
}

static enum xc_result batch_run(struct xc_run *run, bool may_sleep)
{
	while (run->src_iter.bi_size) {
		if (!xc_simd_usable())
			return XC_RUN_AGAIN;
		crypt_stint(run);
		if (may_sleep)
			cond_resched();
	}
	return XC_RUN_DONE;
}

static unsigned int batch_request_size(const struct xc_cipher *cipher)
{
	return 0;
}

const struct xc_engine xc_batch_engine = {
	.choice = XC_ENGINE_BATCH,
	/* some ten microseconds with AES instructions */
	.inline_softirq = SZ_64K,
	.inline_task = UINT_MAX,
	.fits = batch_fits,
	.create = batch_create,
	.destroy = batch_destroy,
	.set_key = batch_set_key,
	.wipe = batch_wipe,
	.request_size = batch_request_size,
	.run = batch_run,
	.divisible = xc_simd_usable,
};

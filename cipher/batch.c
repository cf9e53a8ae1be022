// SPDX-License-Identifier: GPL-2.0-only
/*
 * engine:batch, whole vectors of a bio in one pass through AES-XTS.
 *
 * What the crypto API asks for each sector (a request, a scatterlist, a tweak
 * of its own, an indirect call) costs as much as the cipher itself when sectors
 * have 512 bytes.  Here the IVs of many sectors are written at once, and an
 * implementation for this processor (cipher/xts.h) takes them together with the
 * data.  The crypto API's handle remains beside it, to judge the key.
 *
 * Where the SIMD unit may not be used, a run has to wait for a context where it
 * may.
 */
#include <linux/fips.h>
#include <linux/slab.h>

#include "../dm-xcrypt.h"
#include "simd.h"
#include "xts.h"

/*
 * Bytes between two chances for others to run: some microseconds, far below the
 * 50 that a desktop or an audio device would notice.
 */
#define STINT SZ_16K

/* Segments between them: its pages, and some that are cut. */
#define SEGMENTS 8

/* Chosen once, when the module is loaded; NULL if there is none, and why. */
static const struct xc_xts_impl *xts __ro_after_init;
static const char *hindrance __ro_after_init;

/**
 * xc_batch_init() - choose the implementation for this processor
 *
 * One that does not give what the kernel's own cipher gives is not used.
 *
 * Context: Process context, in the module's init.  May sleep.
 */
void __init xc_batch_init(void)
{
	const struct xc_xts_impl *impl = xc_simd_xts();

	if (!impl)
		hindrance = "engine: batch wants a CPU with AES-NI and AVX";
	else if (fips_enabled)
		hindrance = "engine: batch is not for FIPS mode";
	else if (!xc_batch_check(impl))
		hindrance = "engine: batch failed its check when the module was loaded";
	else
		xts = impl;
}

/**
 * xc_batch_hindrance() - what keeps the batch engine from taking a cipher?
 * @cipher: the cipher, with its IV generator
 * @spec: its specification.  One that names a driver gets that driver.
 *
 * Context: Any context.
 * Return: what a table line that asks for the engine is answered; NULL if
 * nothing does.
 */
const char *xc_batch_hindrance(const struct xc_cipher *cipher,
			       const struct xc_spec *spec)
{
	if (hindrance)
		return hindrance;
	if (strcmp(spec->name, "xts(aes)"))
		return "engine: batch takes aes-xts alone, and no driver by name";
	if (cipher->layout.tfms != 1)
		return "engine: batch takes one key alone";
	if (!cipher->iv.ops || !cipher->iv.ops->fill)
		return "engine: batch takes the IVs plain, plain64, plain64be, benbi, null alone";
	return NULL;
}

static int batch_create(struct xc_cipher *cipher)
{
	cipher->xts = kzalloc(sizeof(*cipher->xts), GFP_KERNEL);
	return cipher->xts ? 0 : -ENOMEM;
}

static void batch_destroy(struct xc_cipher *cipher)
{
	kfree_sensitive(cipher->xts);
}

static void batch_set_key(struct xc_cipher *cipher, const u8 *key)
{
	xc_simd_begin();
	xts->set_key(cipher->xts, key, cipher->layout.size);
	xc_simd_end();
}

static void batch_wipe(struct xc_cipher *cipher)
{
	memzero_explicit(cipher->xts, sizeof(*cipher->xts));
}

/* What lies together in memory at both ends, up to @most bytes; how many. */
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
	xts->crypt(cipher->xts, segments, count, cipher->sector_size, ivs,
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
	.name = "batch",
	/* with AES instructions, some ten microseconds */
	.inline_softirq = SZ_64K,
	.inline_task = UINT_MAX,
	.create = batch_create,
	.destroy = batch_destroy,
	.set_key = batch_set_key,
	.wipe = batch_wipe,
	.request_size = batch_request_size,
	.run = batch_run,
	.divisible = xc_simd_usable,
};

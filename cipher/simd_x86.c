// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86-64: AES-NI and VAES.
 */
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/simd.h>

#include "simd.h"
#include "xts.h"

/* Are vector registers kept for whoever is interrupted? */
static bool keeps_vectors(void)
{
#ifdef CONFIG_UML
	return true;	/* by the host */
#else
	return cpu_has_xfeatures(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM, NULL);
#endif
}

static bool has_aesni(void)
{
	return boot_cpu_has(X86_FEATURE_AES) &&
		boot_cpu_has(X86_FEATURE_AVX) &&
		keeps_vectors();
}

static bool has_vaes(void)
{
	return has_aesni() && boot_cpu_has(X86_FEATURE_AVX2) &&
		boot_cpu_has(X86_FEATURE_VAES) &&
		boot_cpu_has(X86_FEATURE_VPCLMULQDQ);
}

/**
 * xc_simd_xts() - the best implementation for this processor
 *
 * Context: Any context.
 * Return: it, or NULL if the processor has no AES instructions.
 */
const struct xc_xts_impl *xc_simd_xts(void)
{
	if (has_vaes())
		return &xc_xts_vaes;
	return has_aesni() ? &xc_xts_aesni : NULL;
}

/**
 * xc_simd_usable() - may vector registers be used here and now?
 *
 * Context: Any context.
 * Return: true if they may; always so in process context.
 */
bool xc_simd_usable(void)
{
	return may_use_simd();
}

/**
 * xc_simd_begin() - begin to use vector registers
 *
 * Context: Where xc_simd_usable(); until xc_simd_end() the CPU is not given to
 * others.
 */
void xc_simd_begin(void)
{
	kernel_fpu_begin();
}

/**
 * xc_simd_end() - be done with vector registers
 *
 * Context: After xc_simd_begin().
 */
void xc_simd_end(void)
{
	kernel_fpu_end();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86-64: AES-NI and VAES.
 */
#include "simd.h"

#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/simd.h>

#include "xts.h"

/* True if vector registers are saved and restored. */
static bool saves_vectors(void)
{
#ifdef CONFIG_UML
	return true;	/* the host does */
#else
	return cpu_has_xfeatures(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM, NULL);
#endif
}

static bool has_aesni(void)
{
	return boot_cpu_has(X86_FEATURE_AES) &&
		boot_cpu_has(X86_FEATURE_AVX) &&
		saves_vectors();
}

static bool has_vaes(void)
{
	return has_aesni() && boot_cpu_has(X86_FEATURE_AVX2) &&
		boot_cpu_has(X86_FEATURE_VAES) &&
		boot_cpu_has(X86_FEATURE_VPCLMULQDQ);
}

/**
 * xc_simd_xts() - find the best implementation for this CPU
 *
 * Context: Any context.
 * Return: the implementation, or NULL if the CPU has no AES instructions.
 */
const struct xc_xts_impl *xc_simd_xts(void)
{
	if (has_vaes())
		return &xc_xts_vaes;
	return has_aesni() ? &xc_xts_aesni : NULL;
}

/**
 * xc_simd_usable() - check whether vector registers may be used now
 *
 * Context: Any context.
 * Return: true if they may; always in process context.
 */
bool xc_simd_usable(void)
{
	return may_use_simd();
}

/**
 * xc_simd_begin() - begin to use vector registers
 *
 * Context: If xc_simd_usable().  Disables preemption until xc_simd_end().
 */
void xc_simd_begin(void)
{
	kernel_fpu_begin();
}

/**
 * xc_simd_end() - stop using vector registers
 *
 * Context: After xc_simd_begin().
 */
void xc_simd_end(void)
{
	kernel_fpu_end();
}

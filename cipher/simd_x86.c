// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86-64: AES-NI and VAES.
 */
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/simd.h>

#include "simd.h"
#include "xts.h"

/**
 * xc_simd_xts() - the best implementation for this processor
 *
 * Context: Any context.
 * Return: it, or NULL if the processor has no AES instructions.
 */
const struct xc_xts_impl *xc_simd_xts(void)
{
	if (!boot_cpu_has(X86_FEATURE_AES) || !boot_cpu_has(X86_FEATURE_AVX))
		return NULL;
	if (boot_cpu_has(X86_FEATURE_VAES) &&
	    boot_cpu_has(X86_FEATURE_VPCLMULQDQ) &&
	    boot_cpu_has(X86_FEATURE_AVX2))
		return &xc_xts_vaes;
	return &xc_xts_aesni;
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

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The batch engine's interface to an architecture: its SIMD unit, and the
 * implementations that this CPU supports.  Each architecture has its own
 * simd_<architecture>.c.
 */
#ifndef _XC_SIMD_H
#define _XC_SIMD_H

#include <linux/types.h>

struct xc_xts_impl;

#ifdef CONFIG_X86_64
const struct xc_xts_impl *xc_simd_xts(void);
bool xc_simd_usable(void);
void xc_simd_begin(void);
void xc_simd_end(void);
#else
static inline const struct xc_xts_impl *xc_simd_xts(void)
{
	return NULL;
}

static inline bool xc_simd_usable(void)
{
	return false;
}

static inline void xc_simd_begin(void)
{
}

static inline void xc_simd_end(void)
{
}
#endif

#endif

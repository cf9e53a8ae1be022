/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All IV generators, one per file.
 */
#ifndef _XC_GENERATORS_H
#define _XC_GENERATORS_H

#include "iv.h"

extern const struct xc_iv_ops xc_iv_benbi;
extern const struct xc_iv_ops xc_iv_eboiv;
extern const struct xc_iv_ops xc_iv_elephant;
extern const struct xc_iv_ops xc_iv_essiv;
extern const struct xc_iv_ops xc_iv_lmk;
extern const struct xc_iv_ops xc_iv_null;
extern const struct xc_iv_ops xc_iv_plain;
extern const struct xc_iv_ops xc_iv_plain64;
extern const struct xc_iv_ops xc_iv_plain64be;
extern const struct xc_iv_ops xc_iv_random;
extern const struct xc_iv_ops xc_iv_tcw;

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The self-check of the batch engine.
 */
#ifndef _XC_BATCH_CHECK_H
#define _XC_BATCH_CHECK_H

#include <linux/types.h>

struct xc_xts_impl;

bool xc_batch_check(const struct xc_xts_impl *impl);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finding an IV generator.
 */
#ifndef _XC_IV_FIND_H
#define _XC_IV_FIND_H

#include "iv.h"

const struct xc_iv_ops *xc_iv_find(const char *name);

#endif

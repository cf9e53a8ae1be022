/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * engine:batch.
 */
#ifndef _XC_BATCH_H
#define _XC_BATCH_H

#include "engine.h"

extern const struct xc_engine xc_batch_engine;

void xc_batch_init(void);

#endif

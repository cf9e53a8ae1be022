/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * engine:api.
 */
#ifndef _XC_API_H
#define _XC_API_H

#include "engine.h"

extern const struct xc_engine xc_api_engine;

#endif

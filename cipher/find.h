/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finding an engine.
 */
#ifndef _XC_ENGINE_FIND_H
#define _XC_ENGINE_FIND_H

#include "engine.h"

const struct xc_engine *xc_engine_find(const struct xc_cipher *cipher,
				       const struct xc_spec *spec,
				       enum xc_engine_choice choice,
				       char **error);

#endif

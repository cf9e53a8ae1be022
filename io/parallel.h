/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several CPUs for one large bio.
 */
#ifndef _XC_PARALLEL_H
#define _XC_PARALLEL_H

#include "../cipher/engine.h"

struct xc_cipher;
struct xc_device;
struct xc_io;

bool xc_may_run_parallel(const struct xc_device *dev,
			 const struct xc_cipher *cipher, bool write);
enum xc_result xc_run_parallel(struct xc_io *io, bool may_sleep);

#endif

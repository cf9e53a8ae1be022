/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bio's run, with one cipher or two.
 */
#ifndef _XC_SIDES_H
#define _XC_SIDES_H

#include <linux/types.h>

#include "../cipher/engine.h"

struct bio;
struct xc_io;

void xc_sides_init(struct xc_io *io, bool encrypt, struct bio *src,
		   struct bio *dst);
bool xc_sides_next(struct xc_io *io);
enum xc_result xc_sides_run(struct xc_io *io, bool may_sleep);

#endif

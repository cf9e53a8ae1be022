/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ending a bio.
 */
#ifndef _XC_END_H
#define _XC_END_H

#include <linux/blk_types.h>

struct xc_io;

void xc_io_end(struct xc_io *io, blk_status_t status);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The read path.
 */
#ifndef _XC_READ_H
#define _XC_READ_H

struct xc_io;

void xc_read_start(struct xc_io *io);

#endif

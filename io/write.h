/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The write path.
 */
#ifndef _XC_WRITE_H
#define _XC_WRITE_H

struct xc_io;

void xc_write_start(struct xc_io *io);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers: bios with pages of their own.
 */
#ifndef _XC_BUFFER_H
#define _XC_BUFFER_H

#include <linux/gfp.h>

struct bio;
struct xc_device;
struct xc_io;

int xc_buffers_init(struct xc_device *dev, char **error);
void xc_buffers_exit(struct xc_device *dev);
unsigned int xc_max_buffer_size(const struct xc_device *dev);
int xc_buffers_get(struct xc_io *io, gfp_t gfp, struct bio **bios,
		   unsigned int count);
void xc_buffer_put(struct xc_device *dev, struct bio *bio);
void xc_buffer_put_plaintext(struct xc_device *dev, struct bio *bio);
struct bio *xc_clone(struct xc_io *io, gfp_t gfp);

#endif

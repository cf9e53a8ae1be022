/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tags: metadata of sectors.
 */
#ifndef _XC_TAGS_H
#define _XC_TAGS_H

#include <linux/gfp.h>
#include <linux/types.h>

struct bio;
struct xc_device;
struct xc_io;

int xc_tags_init(struct xc_device *dev, char **error);
void xc_tags_exit(struct xc_device *dev);
bool xc_tags_get(struct xc_io *io, gfp_t gfp);
void xc_tags_put(struct xc_io *io);
int xc_tags_attach(struct xc_io *io, struct bio *bio, gfp_t gfp);

#endif

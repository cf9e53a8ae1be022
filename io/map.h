/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mapping a bio.
 */
#ifndef _XC_MAP_H
#define _XC_MAP_H

#include <linux/types.h>

struct bio;
struct xc_device;

int xc_map(struct xc_device *dev, struct bio *bio, sector_t sector);

#endif

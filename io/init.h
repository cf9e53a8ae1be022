/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Setting up and tearing down the I/O side of a volume.
 */
#ifndef _XC_INIT_H
#define _XC_INIT_H

struct xc_device;

int xc_device_init(struct xc_device *dev, const char *name, char **error);
void xc_device_exit(struct xc_device *dev);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Creating a volume from a table line.
 */
#ifndef _XC_VOLUME_CREATE_H
#define _XC_VOLUME_CREATE_H

struct dm_target;
struct xc_volume;

struct xc_volume *xc_volume_create(struct dm_target *ti, unsigned int argc,
				   char **argv);
void xc_volume_destroy(struct xc_volume *vol);

#endif

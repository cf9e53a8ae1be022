/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Taking a volume into use, and suspending it.
 */
#ifndef _XC_USE_H
#define _XC_USE_H

struct dm_target;
struct xc_volume;

void xc_volume_presuspend(struct xc_volume *vol);
void xc_volume_presuspend_undo(struct xc_volume *vol);
void xc_volume_postsuspend(struct xc_volume *vol);
int xc_volume_preresume(struct xc_volume *vol, char **error);
void xc_volume_resume(struct xc_volume *vol);
void xc_volume_converted(struct dm_target *ti);

#endif

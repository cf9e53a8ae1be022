/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The key of a volume.
 */
#ifndef _XC_VOLUME_KEY_H
#define _XC_VOLUME_KEY_H

#include <linux/types.h>

struct xc_volume;

bool xc_volume_is_alias(const struct xc_volume *vol);
int xc_volume_set_key(struct xc_volume *vol, const char *arg, char **error);
int xc_volume_wipe_key(struct xc_volume *vol, char **error);
int xc_volume_set_new_key(struct xc_volume *vol, const char *arg, char **error);

#endif

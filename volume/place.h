/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The places of mapped devices.
 */
#ifndef _XC_PLACE_H
#define _XC_PLACE_H

#include <linux/types.h>

struct xc_rekey;
struct xc_volume;

unsigned int xc_places_lock(void);
void xc_places_unlock(unsigned int noio);
void xc_places_assert_locked(void);
bool xc_place_is_same(const struct xc_volume *a, const struct xc_volume *b);
const struct xc_volume *xc_place_find(const struct xc_volume *vol);
void xc_place_enter(struct xc_volume *vol);
void xc_place_leave(struct xc_volume *vol);
int xc_place_check_rekey(const struct xc_volume *vol,
			 const struct xc_rekey *rekey, char **error);

#endif

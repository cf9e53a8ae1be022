/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The places of mapped devices, and the key "=".
 */
#ifndef _XC_PLACE_H
#define _XC_PLACE_H

struct xc_rekey;
struct xc_volume;

unsigned int xc_places_lock(void);
void xc_places_unlock(unsigned int noio);
void xc_place_enter(struct xc_volume *vol);
void xc_place_leave(struct xc_volume *vol);
int xc_place_key_size(const struct xc_volume *vol, const char *spec,
		      char **error);
int xc_place_take_key(struct xc_volume *vol, char **error);
void xc_place_pass_on(const struct xc_volume *vol);
int xc_place_check_rekey(const struct xc_volume *vol,
			 const struct xc_rekey *rekey, char **error);

#endif

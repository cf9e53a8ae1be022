/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The key "=".
 */
#ifndef _XC_SAME_H
#define _XC_SAME_H

struct xc_cipher;
struct xc_volume;

/**
 * enum xc_same - the keys of a table in use that "=" may mean
 * @XC_SAME_KEY: the one that it goes on with, after a conversion the new one
 * @XC_SAME_OLD: the old one of its conversion
 * @XC_SAME_NEW: the new one of its conversion
 * @XC_SAME_KEYS: number of meanings
 */
enum xc_same {
	XC_SAME_KEY,
	XC_SAME_OLD,
	XC_SAME_NEW,
	XC_SAME_KEYS,
};

int xc_same_key_size(const struct xc_volume *vol, enum xc_same which,
		     const char *spec, char **error);
int xc_same_take_key(struct xc_volume *vol, enum xc_same which,
		     struct xc_cipher *cipher, char **error);
int xc_same_follow(struct xc_volume *vol, char **error);
void xc_same_pass_on(const struct xc_volume *from);
void xc_same_leave(struct xc_volume *vol);

#endif

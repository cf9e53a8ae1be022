/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keys: from the key argument to bytes.
 */
#ifndef _XC_KEY_H
#define _XC_KEY_H

#include "../dm-xcrypt.h"

/**
 * struct xc_key - the key of a volume
 * @size: bytes in @bytes; never changes
 * @keyring: "<type>:<description>" of a key that came from the keyring, else NULL
 * @bytes: the key; zero if it was wiped
 */
struct xc_key {
	unsigned int size;
	char *keyring;
	u8 *bytes;
};

bool xc_key_is_same(const char *arg);
int xc_key_size(const char *arg, char **error);
int xc_key_init(struct xc_key *key, unsigned int size);
int xc_key_load(struct xc_key *key, const char *arg, char **error);
int xc_key_copy(struct xc_key *key, const struct xc_key *from);
void xc_key_swap(struct xc_key *a, struct xc_key *b);
void xc_key_wipe(struct xc_key *key);
void xc_key_exit(struct xc_key *key);
void xc_key_clear_arg(char *arg);

#endif

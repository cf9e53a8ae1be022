/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the KUnit suites of the IV generators.  vectors.py computed the
 * expected values without the module's code.
 */
#ifndef XCRYPT_IV_TEST_H
#define XCRYPT_IV_TEST_H

#include <kunit/test.h>

#include "../../iv/find.h"
#include "../../iv/generators.h"

/**
 * struct bound - a generator bound to a cipher
 * @iv: the generator
 * @layout: layout of its key
 * @key: the key, that of vectors.py
 * @error: message of layout() or create()
 */
struct bound {
	struct xc_iv iv;
	struct xc_key_layout layout;
	u8 *key;
	char *error;
};

/* A model for iv_bind(): AES-256 in CBC mode, 512-byte sectors, one key. */
extern const struct bound iv_aes_cbc;

struct bound *iv_bind(struct kunit *test, const struct bound *model,
		      const struct xc_iv_ops *ops);
void iv_unbind(struct kunit *test, struct bound *bound);
void iv_refuse(struct kunit *test, struct bound bound,
	       const struct xc_iv_ops *ops, const char *argument);
u8 *iv_sector(struct kunit *test, unsigned int size);
void iv_call(struct kunit *test, const struct bound *bound, bool post,
	     bool encrypt, u64 sector, u8 *src, u8 *dst, u8 *out);

#endif

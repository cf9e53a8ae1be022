/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cipher specification, parsed.
 */
#ifndef _XC_SPEC_H
#define _XC_SPEC_H

#include <linux/crypto.h>
#include <linux/string.h>

#include "../dm-xcrypt.h"

/**
 * struct xc_spec - a cipher specification, parsed
 * @name: name in the crypto API, without ESSIV's template
 * @iv: name of the IV generator; NULL: not given
 * @iv_opts: options of the IV generator; NULL: not given
 * @keys: number of keys, which sectors use in turn
 * @buf: a copy of the specification, which @iv and @iv_opts point into
 */
struct xc_spec {
	char name[CRYPTO_MAX_ALG_NAME];
	const char *iv;
	const char *iv_opts;
	unsigned int keys;
	char buf[256];
};

/**
 * xc_spec_iv_is() - check whether a specification names an IV generator
 * @spec: the specification
 * @name: the generator's name
 *
 * Context: Any context.
 * Return: true if it names that one.
 */
static inline bool xc_spec_iv_is(const struct xc_spec *spec, const char *name)
{
	return spec->iv && !strcmp(spec->iv, name);
}

int xc_spec_parse(struct xc_spec *spec, const char *string, bool aead,
		  char **error);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding an IV generator by name.
 */
#include "find.h"

#include <linux/string.h>

#include "generators.h"

static const struct xc_iv_ops *const generators[] = {
	&xc_iv_benbi,
	&xc_iv_eboiv,
	&xc_iv_elephant,
	&xc_iv_essiv,
	&xc_iv_lmk,
	&xc_iv_null,
	&xc_iv_plain,
	&xc_iv_plain64,
	&xc_iv_plain64be,
	&xc_iv_random,
	&xc_iv_tcw,
};

/**
 * xc_iv_find() - find an IV generator
 * @name: its name in a table line
 *
 * Context: Any context.
 * Return: the generator, or NULL if no generator has that name.
 */
const struct xc_iv_ops *xc_iv_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(generators); i++)
		if (!strcmp(generators[i]->name, name))
			return generators[i];
	return NULL;
}

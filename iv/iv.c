// SPDX-License-Identifier: GPL-2.0-only
/*
 * IV generators: finding one by name, and what several of them share.
 */
#include <linux/highmem.h>

#include "../dm-xcrypt.h"

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
 * @name: its name as in a table line
 *
 * Context: Any context.
 * Return: the generator, or NULL if there is none of that name.
 */
const struct xc_iv_ops *xc_iv_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(generators); i++)
		if (!strcmp(generators[i]->name, name))
			return generators[i];
	return NULL;
}

/**
 * xc_iv_map() - map a sector for the CPU
 * @sg: a sector that lies in one page
 *
 * Context: Any context.  Undo with kunmap_local(), in reverse order.
 * Return: address of the sector's first byte.
 */
void *xc_iv_map(struct scatterlist *sg)
{
	return kmap_local_page(sg_page(sg)) + sg->offset;
}

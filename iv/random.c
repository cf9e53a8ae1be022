// SPDX-License-Identifier: GPL-2.0-only
/*
 * random: a new random number for every write, stored beside the sector's tag.
 */
#include "generators.h"

#include <linux/random.h>

static int random_generate(const struct xc_iv *iv, u8 *out,
			   const struct xc_iv_call *call)
{
	get_random_bytes(out, iv->size);
	return 0;
}

const struct xc_iv_ops xc_iv_random = {
	.name = "random",
	.stored = true,
	.generate = random_generate,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding an engine for a cipher.
 */
#include "find.h"

#include "api.h"
#include "batch.h"

/* The fastest first; the last fits every cipher. */
static const struct xc_engine *const engines[] = {
	&xc_batch_engine,
	&xc_api_engine,
};

/**
 * xc_engine_find() - find the engine for a cipher
 * @cipher: the cipher, with its IV generator
 * @spec: the specification that the cipher was made from
 * @choice: the engine requested in the table line
 * @error: set to a message on failure
 *
 * Context: Any context.
 * Return: the engine, or NULL with @error set if the one requested is unfit.
 */
const struct xc_engine *xc_engine_find(const struct xc_cipher *cipher,
				       const struct xc_spec *spec,
				       enum xc_engine_choice choice,
				       char **error)
{
	bool any = choice == XC_ENGINE_DEFAULT || choice == XC_ENGINE_AUTO;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(engines); i++)
		if ((any || engines[i]->choice == choice) &&
		    engines[i]->fits(cipher, spec, error))
			return engines[i];
	return NULL;
}

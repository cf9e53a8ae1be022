// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parsing a cipher specification, in its two forms:
 *
 *	cipher[:keycount]-mode-iv[:ivopts]
 *	capi:crypto_api_name[-iv[:ivopts]]
 */
#include "spec.h"

#include <linux/log2.h>

#include "log.h"

static int spec_parse_capi(struct xc_spec *spec, char **error)
{
	char *name = spec->buf + strlen("capi:");
	char *iv, *opts;

	/* from the right: a hash's name in the options may contain '-' */
	opts = strrchr(name, ':');
	if (opts)
		*opts++ = '\0';
	iv = strrchr(name, '-');
	if (iv)
		*iv++ = '\0';

	spec->iv = iv;
	spec->iv_opts = opts;
	spec->keys = xc_spec_iv_is(spec, "lmk") ? 64 : 1;

	if (strscpy(spec->name, name, sizeof(spec->name)) < 0) {
		*error = "cipher: name too long";
		return -EINVAL;
	}
	return 0;
}

static int spec_parse_classic(struct xc_spec *spec, bool aead, char **error)
{
	char *rest = spec->buf;
	char *keys, *cipher, *mode;
	const char *iv;
	char dummy;
	int len;

	if (strchr(rest, '(')) {
		*error = "cipher: a crypto API name must be given as capi:<name>-<iv>";
		return -EINVAL;
	}
	if (aead) {
		*error = "cipher: with integrity:<bytes>:aead it must be given as capi:<name>-<iv>";
		return -EINVAL;
	}

	keys = strsep(&rest, "-");
	cipher = strsep(&keys, ":");
	mode = strsep(&rest, "-");
	iv = strsep(&rest, ":");
	spec->iv_opts = rest;

	if (!keys) {
		spec->keys = 1;
	} else if (sscanf(keys, "%u%c", &spec->keys, &dummy) != 1 ||
		   !is_power_of_2(spec->keys)) {
		*error = "cipher: key count is not a power of 2";
		return -EINVAL;
	}
	if (keys)
		xc_warn_cut("cipher: key count", keys, spec->keys);

	/* the first version of dm-crypt had only cbc and plain */
	if (!mode || (!strcmp(mode, "plain") && !iv)) {
		mode = "cbc";
		iv = "plain";
	}
	if (!iv && strcmp(mode, "ecb")) {
		*error = "cipher: no IV generator given (<cipher>-<mode>-<iv>)";
		return -EINVAL;
	}
	spec->iv = iv;

	len = snprintf(spec->name, sizeof(spec->name), "%s(%s)", mode, cipher);
	if (len >= sizeof(spec->name)) {
		*error = "cipher: name too long";
		return -EINVAL;
	}
	return 0;
}

/**
 * xc_spec_parse() - parse a cipher specification
 * @spec: set to its parts
 * @string: the specification
 * @aead: an AEAD is expected
 * @error: set to a message on failure
 *
 * Context: Any context.
 * Return: 0, or -EINVAL with @error set.
 */
int xc_spec_parse(struct xc_spec *spec, const char *string, bool aead,
		  char **error)
{
	int err;

	if (strscpy(spec->buf, string, sizeof(spec->buf)) < 0) {
		*error = "cipher: specification too long";
		return -EINVAL;
	}

	if (strstarts(string, "capi:"))
		err = spec_parse_capi(spec, error);
	else
		err = spec_parse_classic(spec, aead, error);
	if (err)
		return err;

	if (xc_spec_iv_is(spec, "essiv") && !spec->iv_opts) {
		*error = "cipher: IV essiv needs a hash (essiv:<hash>)";
		return -EINVAL;
	}
	if (xc_spec_iv_is(spec, "lmk") && aead) {
		*error = "cipher: IV lmk cannot be used with an AEAD";
		return -EINVAL;
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of the cipher specification, run by table.c. */
#include "check.h"
#include "line.h"
#include "table/spec.h"
#include "spec.h"

static bool same_string(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/** test_specs() - specifications are parsed into their parts */
void test_specs(void)
{
	static const struct {
		const char *spec, *name, *iv, *opts;
		unsigned int keys;
		bool aead;
	} cases[] = {
		{ "aes", "cbc(aes)", "plain", NULL, 1 },
		{ "aes-plain", "cbc(aes)", "plain", NULL, 1 },
		{ "aes:4", "cbc(aes)", "plain", NULL, 4 },
		{ "aes-cbc-plain", "cbc(aes)", "plain", NULL, 1 },
		{ "aes-xts-plain64", "xts(aes)", "plain64", NULL, 1 },
		{ "aes-xts-plain64be", "xts(aes)", "plain64be", NULL, 1 },
		{ "serpent-lrw-benbi", "lrw(serpent)", "benbi", NULL, 1 },
		{ "aes-cbc-essiv:sha256", "cbc(aes)", "essiv", "sha256", 1 },
		{ "aes-cbc-essiv:", "cbc(aes)", "essiv", "", 1 },
		{ "aes-cbc-essiv:a:b", "cbc(aes)", "essiv", "a:b", 1 },
		{ "aes-cbc-essiv:sha3-256", "cbc(aes)", "essiv", "sha3-256", 1 },
		{ "aes-xts-plain64:x", "xts(aes)", "plain64", "x", 1 },
		{ "aes:64-cbc-lmk", "cbc(aes)", "lmk", NULL, 64 },
		{ "aes:1-cbc-lmk", "cbc(aes)", "lmk", NULL, 1 },
		{ "aes:2-xts-plain64", "xts(aes)", "plain64", NULL, 2 },
		{ "twofish-cbc-tcw", "cbc(twofish)", "tcw", NULL, 1 },
		{ "aes-cbc-elephant", "cbc(aes)", "elephant", NULL, 1 },
		{ "aes-cbc-eboiv", "cbc(aes)", "eboiv", NULL, 1 },
		{ "aes-ecb", "ecb(aes)", NULL, NULL, 1 },
		{ "cipher_null-ecb", "ecb(cipher_null)", NULL, NULL, 1 },
		{ "aes-ecb-null", "ecb(aes)", "null", NULL, 1 },
		/* an empty name is not a missing one */
		{ "aes-ecb-", "ecb(aes)", "", NULL, 1 },
		{ "aes-cbc-", "cbc(aes)", "", NULL, 1 },
		{ "aes-cbc-:x", "cbc(aes)", "", "x", 1 },
		{ "capi:cbc(aes)-", "cbc(aes)", "", NULL, 1 },
		{ "aes-cbc-plain-x", "cbc(aes)", "plain-x", NULL, 1 },
		/* dm-crypt's sscanf() takes the low 32 bits */
		{ "aes:4294967298-cbc-plain", "cbc(aes)", "plain", NULL, 2 },
		{ "aes:2147483648-cbc-plain", "cbc(aes)", "plain", NULL,
		  2147483648 },
		{ "capi:xts(aes)-plain64", "xts(aes)", "plain64", NULL, 1 },
		{ "capi:cbc(aes)", "cbc(aes)", NULL, NULL, 1 },
		{ "capi:cbc(aes)-essiv:sha256", "cbc(aes)", "essiv", "sha256",
		  1 },
		{ "capi:cbc(aes)-essiv:sha3-256", "cbc(aes)", "essiv",
		  "sha3-256", 1 },
		{ "capi:cbc(aes)-lmk", "cbc(aes)", "lmk", NULL, 64 },
		{ "capi:xts(ecb(aes-generic))-plain64",
		  "xts(ecb(aes-generic))", "plain64", NULL, 1 },
		/* from the right: there is no other rule for '-' in a name */
		{ "capi:ecb(aes-generic)", "ecb(aes", "generic)", NULL, 1 },
		{ "capi:gcm(aes)-random", "gcm(aes)", "random", NULL, 1, true },
		{ "capi:authenc(hmac(sha256),xts(aes))-random",
		  "authenc(hmac(sha256),xts(aes))", "random", NULL, 1, true },
		{ "capi:rfc7539(chacha20,poly1305)-random",
		  "rfc7539(chacha20,poly1305)", "random", NULL, 1, true },
		{ "capi:authenc(hmac(sha256),cbc(aes))-essiv:sha256",
		  "authenc(hmac(sha256),cbc(aes))", "essiv", "sha256", 1, true },
	};
	const char *complaint;
	struct xc_spec spec;
	unsigned int i;
	char *error;
	int err;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		complaint = spec_complaint(cases[i].spec, cases[i].aead);
		check(!complaint, "%s: %s", cases[i].spec, complaint);

		error = NULL;
		err = xc_spec_parse(&spec, cases[i].spec, cases[i].aead, &error);
		if (err) {
			check(false, "%s: refused: %s", cases[i].spec, error);
			continue;
		}
		check(!strcmp(spec.name, cases[i].name) &&
		      same_string(spec.iv, cases[i].iv) &&
		      same_string(spec.iv_opts, cases[i].opts) &&
		      spec.keys == cases[i].keys,
		      "%s: name %s, IV %s, its options %s, %u keys",
		      cases[i].spec, spec.name,
		      spec.iv ?: "(none)", spec.iv_opts ?: "(none)", spec.keys);
	}
}

/* A refused specification; @why is part of the message. */
static void refuse_spec(const char *text, bool aead, const char *why)
{
	const char *complaint = spec_complaint(text, aead);
	struct xc_spec spec;
	char *error = NULL;
	int err;

	check(!complaint, "%s: %s", text, complaint);
	err = xc_spec_parse(&spec, text, aead, &error);
	check(err == -EINVAL && error && strstr(error, why),
	      "%s should be refused with \"...%s...\", but %d: %s", text, why,
	      err, error ?: "(no error)");
}

/** test_spec_refusals() - wrong specifications are refused with the reason */
void test_spec_refusals(void)
{
	char text[600];
	unsigned int i;

	refuse_spec("xts(aes)-plain64", false, "capi:");
	refuse_spec("aes-cbc(x)-plain", false, "capi:");
	refuse_spec("aes-xts-plain64", true, "capi:");
	refuse_spec("aes:3-cbc-plain", false, "key count");
	refuse_spec("aes:0-cbc-plain", false, "key count");
	refuse_spec("aes:-cbc-plain", false, "key count");
	refuse_spec("aes:2x-cbc-plain", false, "key count");
	refuse_spec("aes:-2-cbc-plain", false, "key count");
	refuse_spec("aes:2:4-cbc-plain", false, "key count");
	refuse_spec("CAPI:x-cbc-plain", false, "key count");
	refuse_spec("aes-xts", false, "no IV generator given");
	refuse_spec("aes-", false, "no IV generator given");
	refuse_spec("aes-cbc-essiv", false, "essiv");
	refuse_spec("capi:cbc(aes)-essiv", false, "essiv");
	refuse_spec("capi:gcm(aes)-lmk", true, "lmk");

	/* names of any length, around every limit */
	for (i = 1; i < sizeof(text) - 20; i++) {
		memset(text, 'a', i);
		snprintf(text + i, 20, "-cbc-plain");
		if (i + strlen("cbc()") >= CRYPTO_MAX_ALG_NAME)
			refuse_spec(text, false, "too long");
		else
			check(!spec_complaint(text, false), "%u bytes", i);

		memset(text, 'a', i);
		memcpy(text, "capi:", 5);
		snprintf(text + i, 20, "-plain");
		if (i >= CRYPTO_MAX_ALG_NAME + 5)
			refuse_spec(text, false, "too long");
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Key arguments: hex digits, "-", and keys of a keyring that the suite creates.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/key.h>
#include <linux/slab.h>

#include "../../key/key.h"

#define PERM (KEY_POS_ALL | KEY_USR_ALL)

static const u8 ramp[16] = {
	0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
	0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
};

#define RAMP_HEX "00112233445566778899aAbBCcdDeeFF"

static void key_size_test(struct kunit *test)
{
	static const struct {
		const char *arg;
		int size;
	} cases[] = {
		{ "-", 0 }, { "", 0 }, { "0", 0 }, { "00", 1 }, { "000", 1 },
		{ RAMP_HEX, 16 },
		{ ":32:logon:d", 32 }, { ":0:logon:d", 0 }, { ":1::", 1 },
		{ ":", -EINVAL }, { "::", -EINVAL }, { ":32", -EINVAL },
		{ ":x:logon:d", -EINVAL }, { ":-32:logon:d", -EINVAL },
		{ ":32x:logon:d", -EINVAL }, { ":4294967295:user:d", -EINVAL },
		{ ":2147483648:user:d", -EINVAL },
		{ ":2147483647:user:d", INT_MAX },
	};
	unsigned int i;
	char *error;
	int size;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		error = NULL;
		size = xc_key_size(cases[i].arg, &error);
		KUNIT_EXPECT_EQ_MSG(test, size, cases[i].size, "%s",
				    cases[i].arg);
		if (cases[i].size >= 0)
			continue;
		KUNIT_ASSERT_NOT_NULL(test, error);
		KUNIT_EXPECT_TRUE(test, strstarts(error, "key: "));
	}
}

/* A key that holds the ramp, and must still hold it after a refusal. */
static void refuse(struct kunit *test, const char *arg, unsigned int size,
		   int expected)
{
	struct xc_key key = {};
	char *error = NULL;
	int err;

	KUNIT_ASSERT_EQ(test, xc_key_init(&key, size), 0);
	memcpy(key.bytes, ramp, size);
	err = xc_key_load(&key, arg, &error);
	KUNIT_EXPECT_EQ_MSG(test, err, expected, "%s", arg);
	KUNIT_EXPECT_MEMEQ(test, key.bytes, ramp, size);
	KUNIT_EXPECT_NULL(test, key.keyring);
	KUNIT_EXPECT_NOT_NULL_MSG(test, error, "%s", arg);
	if (error)
		KUNIT_EXPECT_TRUE(test, strstarts(error, "key: "));
	xc_key_exit(&key);
}

static void key_hex_test(struct kunit *test)
{
	struct xc_key key = {};
	char *error = NULL;

	KUNIT_ASSERT_EQ(test, xc_key_init(&key, 16), 0);
	KUNIT_EXPECT_EQ(test, xc_key_load(&key, RAMP_HEX, &error), 0);
	KUNIT_EXPECT_MEMEQ(test, key.bytes, ramp, 16);
	KUNIT_EXPECT_NULL(test, key.keyring);
	/* an odd digit at the end is ignored */
	KUNIT_EXPECT_EQ(test, xc_key_load(&key, RAMP_HEX "f", &error), 0);
	KUNIT_EXPECT_MEMEQ(test, key.bytes, ramp, 16);
	xc_key_wipe(&key);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(key.bytes, 0, 16), NULL);
	xc_key_exit(&key);

	refuse(test, "00112233445566778899aabbccddeefg", 16, -EINVAL);
	refuse(test, "0x112233445566778899aabbccddeeff", 16, -EINVAL);
	refuse(test, " 0112233445566778899aabbccddeeff", 16, -EINVAL);
	refuse(test, "g0", 1, -EINVAL);
}

static void key_none_test(struct kunit *test)
{
	struct xc_key key = {};
	char *error = NULL;

	KUNIT_ASSERT_EQ(test, xc_key_init(&key, 0), 0);
	KUNIT_EXPECT_EQ(test, xc_key_load(&key, "-", &error), 0);
	xc_key_exit(&key);

	refuse(test, "", 0, -EINVAL);
	refuse(test, "0", 0, -EINVAL);
	refuse(test, "x", 0, -EINVAL);
}

static void key_clear_test(struct kunit *test)
{
	char hex[] = RAMP_HEX, ref[] = ":32:logon:d", none[] = "";

	xc_key_clear_arg(hex);
	KUNIT_EXPECT_STREQ(test, hex, "00000000000000000000000000000000");
	xc_key_clear_arg(ref);
	KUNIT_EXPECT_STREQ(test, ref, "00000000000");
	xc_key_clear_arg(none);
	KUNIT_EXPECT_STREQ(test, none, "");
}

/* A copy replaces all of a key. */
static void key_copy_test(struct kunit *test)
{
	struct xc_key from = {}, key = {};
	char *error = NULL;

	KUNIT_ASSERT_EQ(test, xc_key_init(&from, 16), 0);
	KUNIT_ASSERT_EQ(test, xc_key_init(&key, 16), 0);
	KUNIT_ASSERT_EQ(test, xc_key_load(&from, RAMP_HEX, &error), 0);
	key.keyring = kstrdup("logon:old", GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, xc_key_copy(&key, &from), 0);
	KUNIT_EXPECT_MEMEQ(test, key.bytes, ramp, 16);
	KUNIT_EXPECT_NULL(test, key.keyring);

	from.keyring = kstrdup("logon:new", GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, xc_key_copy(&key, &from), 0);
	KUNIT_EXPECT_STREQ(test, key.keyring, "logon:new");
	KUNIT_EXPECT_PTR_NE(test, key.keyring, from.keyring);
	xc_key_exit(&from);
	xc_key_exit(&key);
}

static void key_same_test(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, xc_key_is_same("="));
	KUNIT_EXPECT_FALSE(test, xc_key_is_same("=="));
	KUNIT_EXPECT_FALSE(test, xc_key_is_same("-"));
	KUNIT_EXPECT_FALSE(test, xc_key_is_same(""));
	/* not a key to be read */
	refuse(test, "=", 0, -EINVAL);
}

/* ---- keyring ------------------------------------------------------------- */

static struct key *add(struct kunit *test, struct key *keyring,
		       const char *type, const char *description)
{
	key_ref_t ref = key_create_or_update(make_key_ref(keyring, true), type,
					     description, ramp, sizeof(ramp),
					     PERM, KEY_ALLOC_NOT_IN_QUOTA);

	KUNIT_ASSERT_FALSE(test, IS_ERR(ref));
	return key_ref_to_ptr(ref);
}

static void accept(struct kunit *test, const char *arg, const char *name)
{
	struct xc_key key = {};
	char *error = NULL;

	KUNIT_ASSERT_EQ(test, xc_key_init(&key, 16), 0);
	KUNIT_EXPECT_EQ_MSG(test, xc_key_load(&key, arg, &error), 0, "%s: %s",
			    arg, error);
	KUNIT_EXPECT_MEMEQ(test, key.bytes, ramp, 16);
	KUNIT_EXPECT_STREQ(test, key.keyring, name);
	/* hex digits replace it */
	KUNIT_EXPECT_EQ(test, xc_key_load(&key, RAMP_HEX, &error), 0);
	KUNIT_EXPECT_NULL(test, key.keyring);
	xc_key_exit(&key);
}

/* Runs with the credentials that own the keyring. */
static void try_keyring(struct kunit *test, struct key *keyring)
{
	struct key *user = add(test, keyring, "user", "xcrypt:kunit");

	key_put(add(test, keyring, "logon", "xcrypt:kunit"));
	accept(test, ":16:user:xcrypt:kunit", "user:xcrypt:kunit");
	accept(test, ":16:logon:xcrypt:kunit", "logon:xcrypt:kunit");

	/* wrong size, type, name */
	refuse(test, ":15:user:xcrypt:kunit", 15, -EINVAL);
	refuse(test, ":16:nosuch:xcrypt:kunit", 16, -EINVAL);
	refuse(test, ":16:user", 16, -EINVAL);
	refuse(test, ":16:user:", 16, -EINVAL);
	refuse(test, ":16:", 16, -EINVAL);
	refuse(test, ":16:keyring:xcrypt-kunit", 16, -EINVAL);
	refuse(test, ":16:user:xcrypt: kunit", 16, -EINVAL);
	refuse(test, ":16:user:xcrypt:kunit\t", 16, -EINVAL);
	refuse(test, ":16:user:xcrypt:absent", 16, -ENOKEY);
	refuse(test, ":16:logon:xcrypt:absent", 16, -ENOKEY);

	key_revoke(user);
	refuse(test, ":16:user:xcrypt:kunit", 16, -ENOKEY);
	key_put(user);
}

static void key_keyring_test(struct kunit *test)
{
	struct cred *cred = prepare_creds();
	const struct cred *old;
	struct key *keyring;

	KUNIT_ASSERT_NOT_NULL(test, cred);
	keyring = keyring_alloc("xcrypt-kunit", GLOBAL_ROOT_UID,
				GLOBAL_ROOT_GID, cred, PERM,
				KEY_ALLOC_NOT_IN_QUOTA, NULL, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(keyring));
	key_put(cred->thread_keyring);
	cred->thread_keyring = key_get(keyring);
	old = override_creds(cred);
	try_keyring(test, keyring);
	revert_creds(old);
	put_cred(cred);
	key_put(keyring);
}

static struct kunit_case key_cases[] = {
	KUNIT_CASE(key_size_test),
	KUNIT_CASE(key_hex_test),
	KUNIT_CASE(key_none_test),
	KUNIT_CASE(key_clear_test),
	KUNIT_CASE(key_copy_test),
	KUNIT_CASE(key_same_test),
	KUNIT_CASE(key_keyring_test),
	{}
};

static struct kunit_suite key_suite = {
	.name = "xcrypt-key",
	.test_cases = key_cases,
};

kunit_test_suite(key_suite);

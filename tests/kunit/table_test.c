// SPDX-License-Identifier: GPL-2.0-only
/*
 * Table lines, parsed, printed and parsed again, and messages, with the
 * kernel's own sscanf(); tests/host runs many more in user space.
 */
#include <kunit/test.h>
#include <linux/ctype.h>
#include <linux/slab.h>

#include "../../cipher/cipher.h"
#include "../../table/message.h"
#include "../../table/table.h"
#include "../../volume/table.h"
#include "../../volume/volume.h"

#define KEY "000102030405060708090a0b0c0d0e0f"
#define FLAGS "allow_discards same_cpu_crypt high_priority " \
	"submit_from_crypt_cpus no_read_workqueue no_write_workqueue"
#define SIZES "integrity:28:aead sector_size:1024 iv_large_sectors " \
	"integrity_key_size:16"
#define OWN "offload:spread engine:batch verify_writes"
#define LENGTH 2048
#define MAX_WORDS 32
#define ROOM 1024

/* A parsed line, and the memory of its words. */
struct line {
	char *words[MAX_WORDS];
	unsigned int count;
	struct xc_table table;
	char *error;
	int err;
	char text[ROOM];
};

/* Split like device mapper: a backslash quotes the next character. */
static void split(struct line *line, const char *text)
{
	char *out = line->text;

	while (*text) {
		if (isspace(*text)) {
			text++;
			continue;
		}
		line->words[line->count++] = out;
		while (*text && !isspace(*text)) {
			if (*text == '\\' && text[1])
				text++;
			*out++ = *text++;
		}
		*out++ = '\0';
	}
}

static struct line *parse(struct kunit *test, const char *text)
{
	struct line *line = kunit_kzalloc(test, sizeof(*line), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, line);
	split(line, text);
	line->err = xc_table_parse(&line->table, line->count, line->words,
				   LENGTH, &line->error);
	return line;
}

/* The line that a volume with this table prints. */
static char *print(struct kunit *test, const struct xc_table *table)
{
	struct xc_volume *vol = kunit_kzalloc(test, sizeof(*vol), GFP_KERNEL);
	char *text = kunit_kzalloc(test, ROOM, GFP_KERNEL), *error = NULL;
	struct xc_cipher cipher = {
		.spec = table->cipher, .iv_offset = table->iv_offset,
	};
	struct dm_dev lower = {};
	int size;

	KUNIT_ASSERT_NOT_NULL(test, vol);
	KUNIT_ASSERT_NOT_NULL(test, text);
	size = xc_key_size(table->key, &error);
	KUNIT_ASSERT_GE(test, size, 0);
	KUNIT_ASSERT_EQ(test, xc_key_init(&cipher.key, size), 0);
	if (table->key[0] == ':')	/* not in any keyring */
		cipher.key.keyring = kstrdup(strchr(table->key + 1, ':') + 1,
					     GFP_KERNEL);
	else
		KUNIT_EXPECT_EQ(test, xc_key_load(&cipher.key, table->key,
						  &error), 0);
	strscpy(lower.name, table->device, sizeof(lower.name));
	mutex_init(&vol->key_lock);
	vol->dev.cipher = &cipher;
	vol->dev.lower = &lower;
	vol->dev.start = table->start;
	vol->dev.opt = table->opt;
	mutex_lock(&vol->key_lock);
	xc_table_print(vol, text, ROOM);
	mutex_unlock(&vol->key_lock);
	xc_key_exit(&cipher.key);
	return text;
}

/* Lines in printed form are unchanged by parsing and printing. */
static void table_round_trip_test(struct kunit *test)
{
	static const char *const lines[] = {
		"aes " KEY " 0 8:0 0",
		"aes-xts-plain64 " KEY KEY " 0 8:0 0",
		"aes-cbc-essiv:sha256 " KEY " 8 253:0 16",
		"aes:64-cbc-lmk " KEY " 0 8:0 0",
		"cipher_null-ecb - 0 8:0 0",
		"aes-ecb " KEY " 18446744073709551615 8:0 4294967296",
		"capi:xts(aes)-plain64 :32:logon:a:b:c 0 8:0 0",
		"aes-xts-plain64 :64:user:d 0 8:0 0 1 allow_discards",
		"aes-xts-plain64 " KEY KEY " 8 8:0 8 2 sector_size:4096 iv_large_sectors",
		"capi:gcm(aes)-random " KEY " 0 8:0 0 1 integrity:28:aead",
		"aes-xts-plain64 " KEY KEY " 0 8:0 0 1 integrity:480:none",
		"capi:authenc(hmac(sha256),xts(aes))-random " KEY KEY KEY
		" 0 8:0 0 2 integrity:48:aead integrity_key_size:32",
		"aes-xts-plain64 " KEY KEY " 0 8:0 0 2 offload:auto engine:auto",
		"aes-xts-plain64 " KEY KEY " 0 8:0 0 2 offload:inline engine:api",
		"capi:gcm(aes)-random " KEY " 0 8:0 0 13 " FLAGS " " SIZES " " OWN,
	};
	struct line *line;
	unsigned int i;
	char *once;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		line = parse(test, lines[i]);
		KUNIT_ASSERT_EQ_MSG(test, line->err, 0, "%s: %s", lines[i],
				    line->error);
		once = print(test, &line->table);
		KUNIT_EXPECT_STREQ(test, once, lines[i]);
		line = parse(test, once);
		KUNIT_ASSERT_EQ_MSG(test, line->err, 0, "%s", once);
		KUNIT_EXPECT_STREQ(test, print(test, &line->table), once);
	}
}

/* Other lines are printed in normalized form. */
static void table_spelling_test(struct kunit *test)
{
	static const struct {
		const char *line, *printed;
	} cases[] = {
		{ "aes-ecb 000102030405060708090A0B0C0D0E0F 00 8:0 007",
		  "aes-ecb " KEY " 0 8:0 7" },
		{ "aes-ecb - 0 8:0 0 0", "aes-ecb - 0 8:0 0" },
		{ "aes-ecb - 0 8:0 0 4 Verify_Writes sector_size:512 ALLOW_DISCARDS allow_discards",
		  "aes-ecb - 0 8:0 0 2 allow_discards verify_writes" },
		{ "aes-ecb - 0 8:0 0 1 Offload:Spread surplus",
		  "aes-ecb - 0 8:0 0 1 offload:spread" },
		/* quoted: a word with a space, another with a backslash */
		{ "aes-ecb :8:user:a\\\\b 0 8\\ 0 0",
		  "aes-ecb :8:user:a\\b 0 8 0 0" },
	};
	struct line *line;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		line = parse(test, cases[i].line);
		KUNIT_ASSERT_EQ_MSG(test, line->err, 0, "%s: %s",
				    cases[i].line, line->error);
		KUNIT_EXPECT_STREQ(test, print(test, &line->table),
				   cases[i].printed);
	}
}

static void table_refusals_test(struct kunit *test)
{
	static const struct {
		const char *line, *argument;
	} cases[] = {
		{ "", "too few arguments: " },
		{ "aes-ecb - 0 8:0", "too few arguments: " },
		{ "aes-ecb - -1 8:0 0", "iv_offset: " },
		{ "aes-ecb - 1x 8:0 0", "iv_offset: " },
		{ "aes-ecb - 1 8:0 0 1 sector_size:1024", "iv_offset: " },
		{ "aes-ecb - 0 8:0 eight", "offset: " },
		{ "aes-ecb - 0 8:0 0 2 allow_discards", "#opts: " },
		{ "aes-ecb - 0 8:0 0 -1", "#opts: " },
		{ "aes-ecb - 0 8:0 0 33", "#opts: " },
		{ "aes-ecb - 0 8:0 0 1 nosuch", "option: " },
		{ "aes-ecb - 0 8:0 0 1 sector_size:513", "sector_size: " },
		{ "aes-ecb - 0 8:0 0 1 sector_size:8192", "sector_size: " },
		{ "aes-ecb - 0 8:0 0 1 integrity:0:none", "integrity: " },
		{ "aes-ecb - 0 8:0 0 1 integrity:28:", "integrity: " },
		{ "aes-ecb - 0 8:0 0 1 integrity_key_size:",
		  "integrity_key_size: " },
		{ "aes-ecb - 0 8:0 0 1 offload:never", "offload: " },
		{ "aes-ecb - 0 8:0 0 1 engine:steam", "engine: " },
	};
	struct line *line;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		line = parse(test, cases[i].line);
		KUNIT_EXPECT_EQ_MSG(test, line->err, -EINVAL, "%s",
				    cases[i].line);
		KUNIT_ASSERT_NOT_NULL(test, line->error);
		KUNIT_EXPECT_TRUE_MSG(test, strstarts(line->error,
						      cases[i].argument),
				      "%s: %s", cases[i].line, line->error);
	}
}

/* Output is truncated to the buffer, and no memory after it is written. */
static void table_room_test(struct kunit *test)
{
	struct xc_cipher cipher = { .spec = "aes-ecb" };
	struct dm_dev lower = { .name = "253:0" };
	struct xc_volume vol = {
		.dev = {
			.cipher = &cipher, .lower = &lower,
			.opt = {
				.flags = BIT(XC_ALLOW_DISCARDS),
				.sector_size = 512,
			},
		},
	};
	static const char whole[] = "aes-ecb - 0 253:0 0 1 allow_discards";
	char text[64];
	unsigned int room;

	mutex_init(&vol.key_lock);
	mutex_lock(&vol.key_lock);
	for (room = 1; room < sizeof(text); room++) {
		memset(text, '#', sizeof(text));
		xc_table_print(&vol, text, room);
		KUNIT_EXPECT_EQ(test, strlen(text),
				min_t(size_t, room - 1, strlen(whole)));
		KUNIT_EXPECT_EQ(test, strncmp(text, whole, strlen(text)), 0);
		KUNIT_EXPECT_PTR_EQ(test, memchr_inv(text + room, '#',
						     sizeof(text) - room),
				    NULL);
	}
	mutex_unlock(&vol.key_lock);
}

static void message_test(struct kunit *test)
{
	static const struct {
		const char *text;
		int meaning;
	} cases[] = {
		{ "stats", XC_STATS }, { "STATS", XC_STATS },
		{ "key wipe", XC_KEY_WIPE }, { "Key Wipe", XC_KEY_WIPE },
		{ "key set -", XC_KEY_SET }, { "key set \\ ", XC_KEY_SET },
		{ "", -EINVAL }, { "key", -EINVAL }, { "key set", -EINVAL },
		{ "key wipe now", -EINVAL }, { "key set a b", -EINVAL },
		{ "stats now", -EINVAL }, { "key\\ wipe", -EINVAL },
	};
	struct xc_message message;
	struct line *line;
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		line = kunit_kzalloc(test, sizeof(*line), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, line);
		split(line, cases[i].text);
		err = xc_message_parse(&message, line->count, line->words,
				       &line->error);
		KUNIT_EXPECT_EQ_MSG(test, err ?: (int)message.action,
				    cases[i].meaning, "%s", cases[i].text);
		if (!err && message.action == XC_KEY_SET)
			KUNIT_EXPECT_PTR_EQ(test, message.key,
					    (const char *)line->words[2]);
	}
}

static struct kunit_case table_cases[] = {
	KUNIT_CASE(table_round_trip_test),
	KUNIT_CASE(table_spelling_test),
	KUNIT_CASE(table_refusals_test),
	KUNIT_CASE(table_room_test),
	KUNIT_CASE(message_test),
	{}
};

static struct kunit_suite table_suite = {
	.name = "xcrypt-table",
	.test_cases = table_cases,
};

kunit_test_suite(table_suite);

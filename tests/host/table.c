// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of table/: accepted lines and their meaning, refused lines and the
 * reason, log messages, printed lines.  Those of the cipher specification are
 * in spec.c.
 *
 * Usage: table GROUP
 *
 * Prints failed checks, and exits with 1 if there are any.
 */
#include <stdlib.h>

#include "check.h"
#include "line.h"
#include "table/log.h"
#include "table/words.h"
#include "spec.h"

#define HEX32 "00112233445566778899aabbccddeeff"
#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
/* dm-crypt's flags but one, in the order in which it prints them. */
#define FLAGS_1 "allow_discards same_cpu_crypt high_priority"
#define FLAGS_2 "submit_from_crypt_cpus no_read_workqueue no_write_workqueue"
#define FLAGS FLAGS_1 " " FLAGS_2
#define FLAGS_PARSED \
	"discards same_cpu priority submit_from_cpus no_read_wq no_write_wq"
/* A line of which only the last arguments matter. */
#define LINE(words) "0 2048 xcrypt aes-xts-plain64 " KEY " " words

/* The error of @line names @argument; the log has its value, but no key. */
static void check_refusal(const char *text, const struct line *line,
			  const char *argument)
{
	size_t len = strlen(argument);

	check(line->err == -EINVAL && line->error &&
	      !strncmp(line->error, argument, len) &&
	      !strncmp(line->error + len, ": ", 2),
	      "%s\n    should be refused for %s, but %d: %s", text, argument,
	      line->err, line->error ?: "(no error)");
	check(!strstr(kernel_log, "0011223344"), "%s\n    key in the log: %s",
	      text, kernel_log);
}

static void refuse(const char *text, const char *argument)
{
	const char *complaint = line_complaint(text);
	struct line line;

	check(!complaint, "%s\n    %s", text, complaint);
	line_parse(&line, text);
	check_refusal(text, &line, argument);
	line_free(&line);
}

/* @text is accepted with these options; a warning is logged or not. */
static void accept(const char *text, const char *options, bool warns)
{
	const char *complaint = line_complaint(text);
	struct line line;
	char *got;

	check(!complaint, "%s\n    %s", text, complaint);
	line_parse(&line, text);
	check(!line.err, "%s\n    should be accepted, but: %s", text,
	      line.error ?: "(no error)");
	if (!line.err) {
		got = line_options(&line.table.opt);
		check(!strcmp(got, options),
		      "%s\n    options are \"%s\" instead of \"%s\"", text,
		      got, options);
		free(got);
		check(!strncmp(kernel_log, "W ", 2) == warns,
		      "%s\n    log: \"%s\"", text, kernel_log);
		check(!strstr(kernel_log, "\nE "), "%s\n    log: \"%s\"", text,
		      kernel_log);
	}
	line_free(&line);
}

/* ---- accepted lines ------------------------------------------------------ */

static void test_arguments(void)
{
	struct line line;

	line_parse(&line, "0 8 crypt serpent-cbc-essiv:sha256 - 7 8:16 4096");
	check(!line.err, "refused: %s", line.error ?: "");
	check(!strcmp(line.table.cipher, "serpent-cbc-essiv:sha256"), "cipher");
	check(!strcmp(line.table.key, "-"), "key");
	check(line.table.iv_offset == 7, "iv_offset");
	check(!strcmp(line.table.device, "8:16"), "device");
	check(line.table.start == 4096, "offset");
	check(line.table.opt.sector_size == 512, "sector_size");
	/* the strings are in the argument vector, which is zeroed later */
	check(line.table.key == line.argv[1], "key is a copy");
	check(!*kernel_log, "log: %s", kernel_log);
	line_free(&line);
}

/* Each option of dm-crypt separately. */
static void test_options(void)
{
	static const struct {
		const char *words, *options;
	} cases[] = {
		{ "", "" },
		{ "0", "" },
		{ "1 allow_discards", "discards" },
		{ "1 same_cpu_crypt", "same_cpu" },
		{ "1 high_priority", "priority" },
		{ "1 submit_from_crypt_cpus", "submit_from_cpus" },
		{ "1 no_read_workqueue", "no_read_wq" },
		{ "1 no_write_workqueue", "no_write_wq" },
		{ "1 iv_large_sectors", "large_iv" },
		{ "1 sector_size:512", "" },
		{ "1 sector_size:1024", "sector=1024" },
		{ "1 sector_size:2048", "sector=2048" },
		{ "1 sector_size:4096", "sector=4096" },
		{ "1 integrity:1:none", "tag=1" },
		{ "1 integrity:480:none", "tag=480" },
		{ "1 integrity:28:aead", "tag=28 aead" },
		{ "1 integrity_key_size:32", "mac=32" },
		{ "1 integrity_key_size:4294967295", "mac=4294967295" },
		/* flags and values in any case, names before a colon not */
		{ "1 Allow_DISCARDS", "discards" },
		{ "1 integrity:28:AEAD", "tag=28 aead" },
		{ "1 integrity:28:None", "tag=28" },
		/* repeated */
		{ "2 sector_size:1024 sector_size:1024", "sector=1024" },
		{ "2 high_priority high_priority", "priority" },
		/* accepted by dm-crypt's sscanf() */
		{ "1 integrity:28x:aead", "tag=28 aead" },
		{ "1 sector_size:\\ 4096", "sector=4096" },
		{ "1 sector_size:0004096", "sector=4096" },
		/* all nine options of dm-crypt */
		{ "9 iv_large_sectors integrity:28:aead sector_size:4096 " FLAGS,
		  FLAGS_PARSED " large_iv tag=28 aead sector=4096" },
	};
	char text[1024];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), LINE("0 /dev/sda 0 %s"),
			 cases[i].words);
		accept(text, cases[i].options, false);
	}
}

/* xcrypt's own options. */
static void test_own_options(void)
{
	accept(LINE("0 /dev/sda 0 1 offload:auto"), "offload=auto", false);
	accept(LINE("0 /dev/sda 0 1 offload:inline"), "offload=inline", false);
	accept(LINE("0 /dev/sda 0 1 offload:spread"), "offload=spread", false);
	accept(LINE("0 /dev/sda 0 1 OFFLOAD:Spread"), "offload=spread", false);
	accept(LINE("0 /dev/sda 0 1 engine:auto"), "engine=auto", false);
	accept(LINE("0 /dev/sda 0 1 engine:api"), "engine=api", false);
	accept(LINE("0 /dev/sda 0 1 Engine:API"), "engine=api", false);
	accept(LINE("0 /dev/sda 0 1 engine:batch"), "engine=batch", false);
	accept(LINE("0 /dev/sda 0 1 verify_writes"), "verify", false);
	accept(LINE("0 /dev/sda 0 3 engine:api verify_writes offload:spread"),
	       "verify offload=spread engine=api", false);
	refuse(LINE("0 /dev/sda 0 1 offload:"), "offload");
	refuse(LINE("0 /dev/sda 0 1 offload:none"), "offload");
	refuse(LINE("0 /dev/sda 0 1 offload:autox"), "offload");
	refuse(LINE("0 /dev/sda 0 1 engine:"), "engine");
	refuse(LINE("0 /dev/sda 0 1 engine:fast"), "engine");
	refuse(LINE("0 /dev/sda 0 1 verify_writes:1"), "option");
}

/* The words of a conversion. */
static void test_rekey(void)
{
	struct line line;

	accept(LINE("0 /dev/sda 0 2 rekey_state:/dev/sdb rekey_key::64:logon:n"),
	       "", false);
	accept(LINE("0 /dev/sda 0 3 rekey_start rekey_state:8:16 REKEY_key::64:user:n"),
	       "rekey_start", false);
	accept(LINE("0 8:0 0 3 rekey_state:8:1 rekey_key::8:user:n rekey_paused"),
	       "rekey_paused", false);
	accept(LINE("0 8:0 0 3 rekey_state:8:1 rekey_key::8:user:n REKEY_sparse"),
	       "rekey_sparse", false);
	accept(LINE("0 8:0 0 3 rekey_state:8:1 rekey_key::8:user:n rekey_resilience:checksum"),
	       "resilience=checksum", false);
	accept(LINE("0 /dev/sda 0 3 rekey_state:8:16 rekey_key::64:user:n rekey_resilience:auto"),
	       "resilience=auto", false);
	accept(LINE("0 /dev/sda 0 2 rekey_state:8:16 rekey_key:="), "", false);
	accept(LINE("0 /dev/sda 0 3 rekey_key:= rekey_paused rekey_state:8:16"),
	       "rekey_paused", false);

	line_parse(&line, LINE("0 /dev/sda 0 2 rekey_key::64:logon:a:b rekey_state:8:16"));
	check(!strcmp(line.table.rekey.state, "8:16"), "rekey_state");
	check(!strcmp(line.table.rekey.key, ":64:logon:a:b"), "rekey_key");
	/* in the argument vector, where it is overwritten */
	check(line.table.rekey.key == line.argv[6] + strlen("rekey_key:"),
	      "rekey_key is a copy");
	line_free(&line);

	refuse(LINE("0 /dev/sda 0 1 rekey_state:8:16"), "rekey_key");
	refuse(LINE("0 /dev/sda 0 1 rekey_key::64:logon:n"), "rekey_state");
	refuse(LINE("0 /dev/sda 0 1 rekey_start"), "rekey_state");
	refuse(LINE("0 /dev/sda 0 1 rekey_paused"), "rekey_state");
	refuse(LINE("0 /dev/sda 0 1 rekey_sparse"), "rekey_state");
	refuse(LINE("0 /dev/sda 0 3 rekey_state:8:16 rekey_key::64:logon:n rekey_sparse:1"),
	       "option");
	refuse(LINE("0 /dev/sda 0 1 rekey_resilience:checksum"), "rekey_state");
	refuse(LINE("0 /dev/sda 0 3 rekey_state:8:16 rekey_key::64:logon:n rekey_resilience:none"),
	       "rekey_resilience");
	/* no key but one in the keyring, and none in the log */
	refuse(LINE("0 /dev/sda 0 2 rekey_state:8:16 rekey_key:" KEY),
	       "rekey_key");
	refuse(LINE("0 /dev/sda 0 2 rekey_state:8:16 rekey_key:short"),
	       "rekey_key");
	check(!strstr(kernel_log, "short"), "in the log: %s", kernel_log);
	refuse(LINE("0 /dev/sda 0 2 rekey_state:8:16 rekey_key:"), "rekey_key");
	/* the key in use is that of a conversion, and the only one of the word */
	refuse(LINE("0 /dev/sda 0 2 rekey_state:8:16 rekey_key:=="), "rekey_key");
	refuse(LINE("0 /dev/sda 0 2 rekey_state:8:16 rekey_key:=" KEY),
	       "rekey_key");
	refuse(LINE("0 /dev/sda 0 3 rekey_state:8:16 rekey_key:= rekey_start"),
	       "rekey_key");
	refuse(LINE("0 /dev/sda 0 3 rekey_start rekey_key:= rekey_state:8:16"),
	       "rekey_key");
	refuse(LINE("0 /dev/sda 0 1 rekey_key:="), "rekey_state");
	refuse(LINE("0 /dev/sda 0 2 rekey_state:8:16 rekey_shift:8"), "option");
}

/* A line with those two words of a conversion that are always needed, and others. */
#define REKEY(count, words) \
	LINE("0 8:0 0 " #count " rekey_state:8:1 rekey_key::8:user:n " words)

/* The new side of a conversion, where it differs from the line. */
static void test_new_side(void)
{
	struct line line;

	accept(LINE("0 /dev/sda 0 3 rekey_state:8:16 rekey_key:- rekey_cipher:cipher_null-ecb"),
	       "", false);
	accept(REKEY(4, "REKEY_sector_size:4096 rekey_iv_large_sectors"),
	       "rekey_iv_large_sectors", false);
	accept(REKEY(3, "rekey_sector_size:512"), "", false);
	accept(REKEY(3, "rekey_iv_offset:0"), "", false);
	accept(REKEY(4, "rekey_iv_offset:0 rekey_resilience:journal"), "resilience=journal", false);

	line_parse(&line, REKEY(4, "rekey_cipher:capi:x-y rekey_iv_offset:16"));
	check(!line.err && !strcmp(line.table.rekey.cipher, "capi:x-y") &&
	      line.table.rekey.has_iv_offset && line.table.rekey.iv_offset == 16 &&
	      !line.table.rekey.sector_size, "the new side");
	line_free(&line);

	refuse(REKEY(3, "rekey_sector_size:513"), "rekey_sector_size");
	refuse(REKEY(3, "rekey_sector_size:8192"), "rekey_sector_size");
	refuse(REKEY(3, "rekey_sector_size:66048"), "rekey_sector_size");
	refuse(REKEY(3, "rekey_iv_offset:-1"), "rekey_iv_offset");
	refuse(REKEY(3, "rekey_iv_offset:"), "rekey_iv_offset");
	refuse(LINE("1 8:0 0 3 rekey_state:8:1 rekey_key::8:user:n rekey_sector_size:1024"),
	       "iv_offset");
	refuse(REKEY(4, "rekey_sector_size:1024 rekey_iv_offset:1"), "rekey_iv_offset");
	refuse(LINE("0 /dev/sda 0 1 rekey_cipher:aes-xts-plain64"), "rekey_state");
	refuse(LINE("0 /dev/sda 0 1 rekey_sector_size:512"), "rekey_state");
	refuse(LINE("0 /dev/sda 0 1 rekey_iv_offset:0"), "rekey_state");
	refuse(LINE("0 /dev/sda 0 1 rekey_iv_large_sectors"), "rekey_state");
}

/* Numbers of sectors, with both kernels' handling of an overflow. */
static void test_numbers(void)
{
	static const struct {
		const char *word;
		u64 wraps, saturates;
		bool warns;
	} cases[] = {
		{ "0", 0, 0 },
		{ "4096", 4096, 4096 },
		{ "00010", 10, 10 },
		{ "18446744073709551615", ULLONG_MAX, ULLONG_MAX },
		{ "18446744073709551616", 0, ULLONG_MAX, true },
		{ "18446744073709551624", 8, ULLONG_MAX, true },
		{ "100000000000000000000", 7766279631452241920ULL, ULLONG_MAX,
		  true },
	};
	struct line line;
	char text[1024];
	unsigned int i, pass;
	u64 expected;

	for (pass = 0; pass < 2; pass++) {
		kernel_scan_saturates = pass;
		for (i = 0; i < ARRAY_SIZE(cases); i++) {
			expected = cases[i].wraps;
			if (pass)
				expected = cases[i].saturates;
			snprintf(text, sizeof(text), LINE("%s /dev/sda 0"),
				 cases[i].word);
			accept(text, "", cases[i].warns);
			line_parse(&line, text);
			check(line.table.iv_offset == expected,
			      "iv_offset %s is %llu", cases[i].word,
			      line.table.iv_offset);
			line_free(&line);

			snprintf(text, sizeof(text), LINE("0 /dev/sda %s"),
				 cases[i].word);
			accept(text, "", cases[i].warns);
			line_parse(&line, text);
			check(line.table.start == expected,
			      "offset %s is %llu", cases[i].word,
			      line.table.start);
			line_free(&line);
		}
	}
	kernel_scan_saturates = false;
}

/* Mistakes that dm-crypt accepts: accepted with a warning. */
static void test_slips(void)
{
	accept(LINE("0 /dev/sda 0 0 surplus"), "", true);
	accept(LINE("0 /dev/sda 0 1 high_priority same_cpu_crypt"),
	       "priority", true);
	accept(LINE("0 /dev/sda 7 1 sector_size:4096"), "sector=4096", true);
	accept(LINE("0 /dev/sda 8 1 sector_size:4096"), "sector=4096", false);
	accept(LINE("0 /dev/sda 7"), "", false);
	/* sscanf() takes the low bits of these */
	accept(LINE("0 /dev/sda 0 1 sector_size:69632"), "sector=4096", true);
	accept(LINE("0 /dev/sda 0 1 integrity:4294967312:none"), "tag=16", true);
	accept(LINE("0 /dev/sda 0 1 integrity_key_size:4294967328"), "mac=32",
	       true);
	accept(LINE("0 /dev/sda 0 4294967297 high_priority"), "priority", true);
	accept(LINE("0 /dev/sda 0 4294967296"), "", true);
	accept(LINE("0 /dev/sda 0 0000000001 high_priority"), "priority", false);
	accept(LINE("0 /dev/sda 0 000"), "", false);
	check(!line_complaint(LINE("0 /dev/sda 0 0 " HEX32)), "surplus key");
	/* the last value is in effect; all others cause a warning */
	accept(LINE("0 /dev/sda 0 2 sector_size:4096 sector_size:1024"),
	       "sector=1024", true);
	accept(LINE("0 /dev/sda 0 2 integrity:16:none integrity:32:aead"),
	       "tag=32 aead", true);
	accept(LINE("0 /dev/sda 0 2 offload:spread Offload:Inline"),
	       "offload=inline", true);
	accept(LINE("0 /dev/sda 0 2 sector_size:1024 integrity:16:none"),
	       "tag=16 sector=1024", false);
}

/* ---- refused lines ------------------------------------------------------- */

static void test_refusals(void)
{
	static const struct {
		const char *words, *argument;
	} cases[] = {
		{ "x /dev/sda 0", "iv_offset" },
		{ "-1 /dev/sda 0", "iv_offset" },
		{ "+1 /dev/sda 0", "iv_offset" },
		{ "0x10 /dev/sda 0", "iv_offset" },
		{ "1.5 /dev/sda 0", "iv_offset" },
		{ "8k /dev/sda 0", "iv_offset" },
		{ "8\\  /dev/sda 0", "iv_offset" },
		{ "0 /dev/sda x", "offset" },
		{ "0 /dev/sda -8", "offset" },
		{ "0 /dev/sda 8s", "offset" },
		{ "1 /dev/sda 0 1 sector_size:1024", "iv_offset" },
		{ "4 /dev/sda 0 1 sector_size:4096", "iv_offset" },
		{ "0 /dev/sda 0 x", "#opts" },
		{ "0 /dev/sda 0 allow_discards", "#opts" },
		{ "0 /dev/sda 0 -1", "#opts" },
		{ "0 /dev/sda 0 1x allow_discards", "#opts" },
		{ "0 /dev/sda 0 1", "#opts" },
		{ "0 /dev/sda 0 2 allow_discards", "#opts" },
		{ "0 /dev/sda 0 1 allow_discard", "option" },
		{ "0 /dev/sda 0 1 allow_discards_", "option" },
		{ "0 /dev/sda 0 1 sector_size", "option" },
		{ "0 /dev/sda 0 1 journal", "option" },
		{ "0 /dev/sda 0 1 SECTOR_SIZE:4096", "option" },
		{ "0 /dev/sda 0 1 Integrity:28:aead", "option" },
		{ "0 /dev/sda 0 1 sector_size:", "sector_size" },
		{ "0 /dev/sda 0 1 sector_size:0", "sector_size" },
		{ "0 /dev/sda 0 1 sector_size:256", "sector_size" },
		{ "0 /dev/sda 0 1 sector_size:513", "sector_size" },
		{ "0 /dev/sda 0 1 sector_size:1536", "sector_size" },
		{ "0 /dev/sda 0 1 sector_size:8192", "sector_size" },
		{ "0 /dev/sda 0 1 sector_size:32768", "sector_size" },
		{ "0 /dev/sda 0 1 sector_size:65536", "sector_size" },
		{ "0 /dev/sda 0 1 sector_size:-512", "sector_size" },
		{ "0 /dev/sda 0 1 sector_size:4096k", "sector_size" },
		{ "0 /dev/sda 0 1 integrity:", "integrity" },
		{ "0 /dev/sda 0 1 integrity:aead", "integrity" },
		{ "0 /dev/sda 0 1 integrity:0:aead", "integrity" },
		{ "0 /dev/sda 0 1 integrity:481:none", "integrity" },
		{ "0 /dev/sda 0 1 integrity:28:hmac", "integrity" },
		{ "0 /dev/sda 0 1 integrity:28:", "integrity" },
		{ "0 /dev/sda 0 1 integrity:28:none:x", "integrity" },
		/* without the second colon dm-crypt crashes */
		{ "0 /dev/sda 0 1 integrity:28", "integrity" },
		{ "0 /dev/sda 0 1 integrity_key_size:", "integrity_key_size" },
		{ "0 /dev/sda 0 1 integrity_key_size:0", "integrity_key_size" },
		{ "0 /dev/sda 0 1 integrity_key_size:8b", "integrity_key_size" },
		{ "0 /dev/sda 0 1 integrity_key_size:4294967296",
		  "integrity_key_size" },
		/* a wrong option is found in any position */
		{ "0 /dev/sda 0 3 high_priority sector_size:1 same_cpu_crypt",
		  "sector_size" },
	};
	char text[1024];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), LINE("%s"), cases[i].words);
		refuse(text, cases[i].argument);
	}
}

static void test_too_few(void)
{
	char text[1024] = "0 2048 xcrypt";
	static const char *const words[] = {
		"aes-xts-plain64", KEY, "0", "/dev/sda",
	};
	unsigned int i;

	refuse(text, "too few arguments");
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		strcat(strcat(text, " "), words[i]);
		refuse(text, "too few arguments");
	}
}

/* sector_size: and the length of the device; at most 32 words. */
static void test_limits(void)
{
	char text[1024];
	unsigned int i, n;

	for (i = 1; i <= 16; i++) {
		snprintf(text, sizeof(text), "0 %u xcrypt aes - 0 8:0 0 1 sector_size:2048",
			 i);
		if (i % 4)
			refuse(text, "sector_size");
		else
			accept(text, "sector=2048", false);
	}
	for (n = 32; n <= 33; n++) {
		snprintf(text, sizeof(text), "0 8 xcrypt aes - 0 8:0 0 %u", n);
		for (i = 0; i < n; i++)
			strcat(text, " high_priority");
		if (n == 32)
			accept(text, "priority", false);
		else
			refuse(text, "#opts");
	}
}

/* ---- log messages -------------------------------------------------------- */

/* A key in place of any word, alone or after another word's name. */
static void test_keys_in_the_log(void)
{
	static const char *const words[] = {
		"aes-xts-plain64", KEY, "0", "/dev/sda", "0", "2",
		"sector_size:4096", "integrity:28:aead",
	};
	static const char *const keys[] = {
		KEY, HEX32, "x" HEX32, HEX32 "x", "sector_size:" KEY,
		"/dev/sda" KEY, "/" HEX32,
		"integrity:1:" KEY, "integrity_key_size:" KEY, "offload:" KEY,
		"engine:" KEY, "integrity:" HEX32, "1" HEX32 ":", "-" HEX32,
		"0011223344556677-8899aabbccddeeff-" HEX32,
		"00112233445566778899AABBCCDDEEFF",
	};
	unsigned int place, i, k;
	const char *complaint;
	struct line line;
	char text[4096];

	for (place = 0; place < ARRAY_SIZE(words); place++)
		for (k = 0; k < ARRAY_SIZE(keys); k++) {
			snprintf(text, sizeof(text), "0 2048 xcrypt");
			for (i = 0; i < ARRAY_SIZE(words); i++)
				strcat(strcat(text, " "),
				       i == place ? keys[k] : words[i]);
			complaint = line_complaint(text);
			check(!complaint, "%s\n    %s", text, complaint);
			line_parse(&line, text);
			check(!strstr(kernel_log, "0011223344"),
			      "%s\n    key in the log: %s", text, kernel_log);
			line_free(&line);
		}
}

static void test_log_value(void)
{
	char value[1024];

	kernel_log_clear();
	xc_log_value("offset", "12x");
	check(!strcmp(kernel_log, "E xcrypt: offset: \"12x\"\n"), "%s",
	      kernel_log);

	/* 64 bits of hex digits are not shown, nor is a number of 32 digits */
	kernel_log_clear();
	xc_log_value("option", "x:0123456789abcde");
	check(strstr(kernel_log, "cde"), "%s", kernel_log);
	kernel_log_clear();
	xc_log_value("option", "x:0123456789ABCDEF");
	check(*kernel_log && !strstr(kernel_log, "0123"), "%s", kernel_log);
	kernel_log_clear();
	xc_log_value("option", "0123456789012345678901234567890");
	check(strstr(kernel_log, "890"), "%s", kernel_log);
	kernel_log_clear();
	xc_log_value("option", "01234567890123456789012345678901");
	check(*kernel_log && !strstr(kernel_log, "0123"), "%s", kernel_log);

	/* except in the name of a disk */
	kernel_log_clear();
	xc_log_value("device", "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4");
	check(strstr(kernel_log, "c3d4"), "%s", kernel_log);

	/* a long word is truncated in the log, but checked to its end */
	memset(value, 'x', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	kernel_log_clear();
	xc_log_value("option", value);
	check(strlen(kernel_log) < 200, "%zu bytes", strlen(kernel_log));
	memcpy(value + 120, HEX32, sizeof(HEX32));
	kernel_log_clear();
	xc_log_value("option", value);
	check(!strstr(kernel_log, "0011"), "%s", kernel_log);
}

/* ---- printed lines ------------------------------------------------------- */

static void check_printed(const char *words, const char *expected)
{
	struct line line;
	char text[1024];
	char *printed;

	snprintf(text, sizeof(text), "0 2048 xcrypt %s", words);
	line_parse(&line, text);
	check(!line.err, "%s: %s", text, line.error ?: "");
	printed = line_print(&line.table);
	check(!strcmp(printed, expected), "printed: %s\nwanted:  %s", printed,
	      expected);
	free(printed);
	line_free(&line);
}

#define SECTORS "sector_size:4096 iv_large_sectors"

/* The same bytes as dm-crypt's; cryptsetup reads them. */
static void test_print(void)
{
	check_printed("aes - 0 8:0 0", "aes - 0 8:0 0");
	check_printed("aes - 0 8:0 0 0", "aes - 0 8:0 0");
	check_printed("aes-cbc-essiv:sha256 00FfA0 0018446744073709551615 8:0 9",
		      "aes-cbc-essiv:sha256 00ffa0 18446744073709551615 8:0 9");
	check_printed("capi:xts(aes)-plain64 :64:logon:cryptsetup:x-d0 8 8:0 16",
		      "capi:xts(aes)-plain64 :64:logon:cryptsetup:x-d0 8 8:0 16");
	check_printed("aes - 0 8:0 0 1 sector_size:512", "aes - 0 8:0 0");
	check_printed("aes - 0 8:0 0 10 iv_large_sectors integrity_key_size:32 "
		      FLAGS_2 " sector_size:4096 integrity:28:AEAD " FLAGS_1,
		      "aes - 0 8:0 0 10 " FLAGS " integrity:28:aead "
		      SECTORS " integrity_key_size:32");
	check_printed("aes - 0 8:0 0 1 offload:auto",
		      "aes - 0 8:0 0 1 offload:auto");
	check_printed("aes - 0 8:0 0 2 verify_writes engine:api",
		      "aes - 0 8:0 0 2 engine:api verify_writes");
}

static void check_ima(const char *words, const char *expected)
{
	struct line line;
	char text[1024];
	char *printed;

	snprintf(text, sizeof(text), "0 2048 xcrypt %s", words);
	line_parse(&line, text);
	printed = line_print_ima(&line.table);
	check(!strcmp(printed, expected), "printed: %s\nwanted:  %s", printed,
	      expected);
	free(printed);
	line_free(&line);
}

/* The parts of the IMA measurement; it has every flag, as y or n. */
#define IMA(discards, no_write, large_iv) \
	"target_name=xcrypt,target_version=1.2.3,allow_discards=" discards "," \
	"same_cpu_crypt=n,high_priority=n,submit_from_crypt_cpus=n," \
	"no_read_workqueue=n,no_write_workqueue=" no_write "," \
	"iv_large_sectors=" large_iv
#define IMA_GCM "sector_size=4096,cipher_string=capi:gcm(aes)-random,"
#define IMA_KEY "key_size=32,key_parts=1,key_extra_size=0,"

static void test_print_ima(void)
{
	check_ima("aes-xts-plain64 " KEY " 0 8:0 0",
		  IMA("n", "n", "n") ",cipher_string=aes-xts-plain64,"
		  IMA_KEY "key_mac_size=0;");
	check_ima("capi:gcm(aes)-random :32:user:x 0 8:0 0 4 " SECTORS
		  " integrity:28:aead integrity_key_size:16",
		  IMA("n", "n", "y") ",integrity_tag_size=28,cipher_auth=aead,"
		  IMA_GCM IMA_KEY "key_mac_size=16;");
	check_ima("aes-xts-plain64 " KEY " 0 8:0 0 2 allow_discards no_write_workqueue",
		  IMA("y", "y", "n") ",cipher_string=aes-xts-plain64,"
		  IMA_KEY "key_mac_size=0;");
}

/* One of @count choices, from the number of a combination. */
static unsigned int choose(unsigned int *number, unsigned int count)
{
	unsigned int choice = *number % count;

	*number /= count;
	return choice;
}

/*
 * Every combination of options, through the parser, the printer and the
 * parser again; line_complaint() compares.
 */
static void test_round_trip(void)
{
	static const char *const offload[] = {
		"", " offload:auto", " offload:inline", " offload:spread",
	};
	static const char *const engine[] = {
		"", " engine:auto", " engine:api", " engine:batch"
	};
	static const char *const integrity[] = {
		"", " integrity:16:none", " integrity:28:aead",
	};
	static const char *const mac[] = { "", " integrity_key_size:20" };
	static const char *const key[] = { "-", KEY, ":32:logon:a:b" };
	/* the number of words and the words */
	static const char *const rekey[] = {
		"0", "2 rekey_state:8:1 rekey_key::64:user:c:d",
		"4 rekey_paused rekey_key::32:logon:e rekey_state:8:2 rekey_resilience:checksum",
		"4 rekey_sparse rekey_key::32:logon:e rekey_state:8:2 rekey_iv_large_sectors",
		"4 rekey_start rekey_key::32:logon:e rekey_state:8:2 rekey_resilience:auto",
	};
	unsigned int n, rest, flags, o, e, i, m, s, f, r, count;
	const char *complaint;
	char words[1024];
	char text[2048];

	for (n = 0; ; n++) {
		rest = n;
		o = choose(&rest, ARRAY_SIZE(offload));
		e = choose(&rest, ARRAY_SIZE(engine));
		i = choose(&rest, ARRAY_SIZE(integrity));
		m = choose(&rest, ARRAY_SIZE(mac));
		s = 512 << choose(&rest, 4);
		flags = choose(&rest, 1 << XC_REKEY_START);
		if (rest)
			break;

		r = n / 5 % ARRAY_SIZE(rekey);
		snprintf(words, sizeof(words), "%s", rekey[r] + 1);
		for (f = 0; f < XC_REKEY_START; f++)
			if (flags & BIT(f))
				strcat(strcat(words, " "), xc_flag_words[f]);
		count = __builtin_popcount(flags) + !!o + !!e + !!i + !!m + 1 +
			*rekey[r] - '0';
		snprintf(text, sizeof(text),
			 "0 2048 xcrypt aes-xts-plain64 %s %u 8:0 %u %u%s%s%s%s%s sector_size:%u",
			 key[n % ARRAY_SIZE(key)], n * 8, n * 16, count, words,
			 offload[o], engine[e], integrity[i], mac[m], s);
		complaint = line_complaint(text);
		check(!complaint, "%s\n    %s", text, complaint);
	}
	check(n == 4 * 4 * 3 * 2 * 4 << XC_REKEY_START, "%u combinations", n);
}

/* ---- the stand-ins ------------------------------------------------------- */

/* The other tests depend on kernel.c behaving like the kernel. */
static void test_stand_ins(void)
{
	unsigned long long ll;
	unsigned short h;
	unsigned int u;
	char c, buf[4];

	check(sscanf("12", "%u%c", &u, &c) == 1 && u == 12, "12");
	check(sscanf("12x", "%u%c", &u, &c) == 2 && c == 'x', "12x");
	check(sscanf(" 12", "%u%c", &u, &c) == 1 && u == 12, "blank");
	check(sscanf("12 ", "%u%c", &u, &c) == 2 && c == ' ', "blank after");
	check(sscanf("+12", "%u%c", &u, &c) == 0, "plus");
	check(sscanf("-12", "%u%c", &u, &c) == 0, "minus");
	check(sscanf("", "%u%c", &u, &c) == 0, "nothing");
	check(sscanf("0x12", "%u%c", &u, &c) == 2 && !u, "hex");
	check(sscanf("65537", "%hu%c", &h, &c) == 1 && h == 1, "short");
	check(sscanf("4294967297", "%u%c", &u, &c) == 1 && u == 1, "int");
	check(sscanf("a:7:b", "a:%u:", &u) == 1 && u == 7, "literal");
	check(sscanf("a:7", "a:%u:", &u) == 1 && u == 7, "literal at the end");
	check(sscanf("b:7", "a:%u:", &u) == 0, "other literal");
	kernel_scan_saturates = true;
	check(sscanf("18446744073709551617", "%llu", &ll) == 1 && !~ll,
	      "saturates");
	kernel_scan_saturates = false;
	check(sscanf("18446744073709551617", "%llu", &ll) == 1 && ll == 1,
	      "wraps");
	check(kstrtoull("18446744073709551616", 10, &ll) == -ERANGE, "range");
	check(kstrtoull("12 ", 10, &ll) == -EINVAL, "kstrtoull blank");
	check(kstrtoull("+12", 10, &ll) == 0 && ll == 12, "kstrtoull plus");
	check(strscpy(buf, "abc", 4) == 3 && !strcmp(buf, "abc"), "strscpy");
	check(strscpy(buf, "abcd", 4) == -E2BIG && !strcmp(buf, "abc"),
	      "strscpy too long");
	check(scnprintf(buf, 4, "%s", "abcd") == 3 && !strcmp(buf, "abc"),
	      "scnprintf");
}

static const struct {
	const char *name;
	void (*test)(void);
} groups[] = {
	{ "arguments", test_arguments },
	{ "options", test_options },
	{ "own-options", test_own_options },
	{ "rekey", test_rekey },
	{ "new-side", test_new_side },
	{ "numbers", test_numbers },
	{ "slips", test_slips },
	{ "refusals", test_refusals },
	{ "too-few", test_too_few },
	{ "limits", test_limits },
	{ "keys-in-the-log", test_keys_in_the_log },
	{ "log-value", test_log_value },
	{ "print", test_print },
	{ "print-ima", test_print_ima },
	{ "round-trip", test_round_trip },
	{ "specs", test_specs },
	{ "spec-refusals", test_spec_refusals },
	{ "stand-ins", test_stand_ins },
};

int main(int argc, char **argv)
{
	unsigned int i;

	for (i = 0; argc == 2 && i < ARRAY_SIZE(groups); i++)
		if (!strcmp(argv[1], groups[i].name)) {
			groups[i].test();
			return checks_result(argv[1]);
		}
	fprintf(stderr, "Usage: %s GROUP\n", argv[0]);
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		fprintf(stderr, "    %s\n", groups[i].name);
	return 2;
}

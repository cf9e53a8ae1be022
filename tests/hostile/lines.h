/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Table lines and messages that are valid, nearly valid and invalid, for
 * hostile.c.  All depend only on the seed.
 *
 * Every key in them consists of KEY_MARK, to detect a key in the kernel's log.
 */
#ifndef TESTS_HOSTILE_LINES_H
#define TESTS_HOSTILE_LINES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MARK	"c0ffee5ec2e7c0de"
#define MAX_WORDS	64
#define MAX_LINE	(12 << 10)
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* ---- dice ---------------------------------------------------------------- */

static uint64_t dice;

static inline void dice_init(uint64_t seed, const char *label)
{
	dice = seed * 0x9e3779b97f4a7c15ull + 0xcbf29ce484222325ull;
	for (; *label; label++)
		dice = (dice ^ (unsigned char)*label) * 0x100000001b3ull;
	dice |= 1;
}

/* 0 to BELOW - 1 */
static inline unsigned int throw(unsigned int below)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (dice * 0x2545f4914f6cdd1dull >> 33) % below;
}

static inline int percent(unsigned int p)
{
	return throw(100) < p;
}

#define PICK(array) ((array)[throw(COUNT(array))])

/* ---- words --------------------------------------------------------------- */

struct words {
	unsigned int count;
	char *word[MAX_WORDS];
};

static inline void add_word(struct words *words, char *word)
{
	if (words->count < MAX_WORDS)
		words->word[words->count++] = word;
	else
		free(word);
}

static inline void free_words(struct words *words)
{
	while (words->count)
		free(words->word[--words->count]);
}

__attribute__((format(printf, 1, 2)))
static inline char *text(const char *format, ...)
{
	__builtin_va_list args;
	char *result;

	__builtin_va_start(args, format);
	if (vasprintf(&result, format, args) < 0)
		abort();
	__builtin_va_end(args);
	return result;
}

/* One character, repeated */
static inline char *long_word(char c, unsigned int length)
{
	char *word = malloc(length + 1);

	memset(word, c, length);
	word[length] = '\0';
	return word;
}

/* DIGITS hex digits of a key */
static inline char *key_word(unsigned int digits)
{
	char *word = malloc(digits + 1);
	unsigned int i;

	for (i = 0; i < digits; i++)
		word[i] = KEY_MARK[i % strlen(KEY_MARK)];
	word[digits] = '\0';
	return word;
}

/* ---- one bad word for each place ----------------------------------------- */

/* Nested templates, up to the longest name, and deeper */
static inline char *nested_spec(void)
{
	static const char *const templates[] = {
		"cbc(", "ecb(", "xts(", "lrw(", "cts(", "ctr(", "essiv(",
		"authenc(", "hmac(", "cryptd(", "gcm(", "rfc4543(",
	};
	const char *template = PICK(templates);
	unsigned int depth = 1 + throw(40), i;
	char *spec = calloc(1, MAX_LINE);

	strcat(spec, "capi:");
	for (i = 0; i < depth; i++)
		strcat(spec, percent(90) ? template : PICK(templates));
	strcat(spec, "aes");
	for (i = 0; i < depth; i++)
		strcat(spec, ")");
	return strcat(spec, "-plain64");
}

static inline char *bad_spec(void)
{
	static const char *const specs[] = {
		"aes", "aes-", "-", "aes-xts", "aes-cbc-essiv", "aes:3-cbc-plain",
		"aes:0-cbc-plain64", "aes:64-cbc-lmk", "aes:64-cbc-lmk:3",
		"aes:1024-cbc-plain64", "aes:4096-ecb", "aes-cbc-nosuch",
		"aes:65536-cbc-plain64", "aes:2147483648-cbc-plain64",
		"aes-cbc-essiv:nosuch", "aes-cbc-essiv:sha256:x",
		"aes-cbc-benbi", "aes-xts-benbi", "cipher_null-ecb",
		"cipher_null-ecb-null", "cipher_null:8-ecb-plain",
		"nosuch-cbc-plain", "aes-nosuch-plain64", "aes-cbc-tcw",
		"aes-cbc-elephant", "aes-cbc-eboiv", "aes-xts-eboiv",
		"aes-xts-random", "aes-cts-plain64", "aes-ctr-plain64",
		"aes-lrw-benbi", "xts(aes)-plain64", "capi:", "capi:-",
		"capi:xts(aes)", "capi:xts(aes)-", "capi:(((", "capi:xts()",
		"capi:xts(aes)-plain64-plain64", "capi:xts(aes))-plain64",
		"capi:xts(aes,aes)-plain64", "capi:sha256-plain64",
		"capi:hmac(sha256)-plain64", "capi:aes-plain64",
		"capi:gcm(aes)-random", "capi:ccm(aes)-random",
		"capi:rfc7539(chacha20,poly1305)-random",
		"capi:authenc(hmac(sha256),xts(aes))-random",
		"capi:authenc(,)-random", "capi:authenc(-random",
		"capi:authenc(hmac(sha256))-random",
		"capi:adiantum(xchacha12,aes)-plain64",
		"capi:hctr2(aes)-plain64", "capi:cryptd(xts(aes))-plain64",
		"capi:pcrypt(gcm(aes))-random", "capi:cts(cbc(aes))-plain64",
		"capi:essiv(cbc(aes),sha256)-plain64",
		"capi:rfc3686(ctr(aes))-plain64", "capi:ecb(cipher_null)-null",
		"capi:xts(ecb(aes-generic))-plain64",
		"capi:cbc(aes)-essiv:essiv(cbc(aes),sha256)",
	};
	char *hash, *spec;

	switch (throw(8)) {
	case 0:
		return nested_spec();
	case 1:
		return long_word('a', 1 + throw(600));
	case 2:
		hash = long_word('s', 1 + throw(200));
		spec = text("aes-cbc-essiv:%s", hash);
		free(hash);
		return spec;
	default:
		return strdup(PICK(specs));
	}
}

static inline char *bad_key(void)
{
	static const char *const keys[] = {
		"-", ":", "::", ":32", ":32:", ":32:logon", ":32:logon:",
		":32:nosuch:x", ":32:logon:hostile:absent", ":0:logon:hostile",
		":32:logon:hostile", ":31:logon:hostile", ":-32:logon:hostile",
		":64:user:hostile\\ key", ":64:logon:\\ ", ":32:trusted:absent",
		":32:encrypted:absent", ":4294967296:logon:hostile",
		":99999999999999999999:logon:x", ":2147483647:logon:hostile",
		":64x:logon:hostile", ": 64:logon:hostile", "g", "0x00", "\\ ",
		"=", "==", "\\=",
	};
	char *word;

	switch (throw(6)) {
	case 0:
		return key_word(throw(160));
	case 1:
		return key_word(64 + throw(8000));
	case 2:
		word = key_word(64 << throw(2));
		word[throw(strlen(word))] = "gz:-.\x80"[throw(6)];
		return word;
	case 3:
		word = key_word(64 << throw(2));
		memcpy(word + 2 * throw(30), "\\ ", 2);
		return word;
	default:
		return strdup(PICK(keys));
	}
}

static inline char *bad_number(void)
{
	static const char *const numbers[] = {
		"-1", "+1", "1", "3", "7", "0x10", "", "\\ 8", "8\\ ", "eight",
		"8.", "8,8", "2147483648", "4294967295", "4294967296",
		"9223372036854775807", "9223372036854775808",
		"18446744073709551608", "18446744073709551615",
		"18446744073709551616", "99999999999999999999999999",
	};

	return percent(5) ? long_word('9', throw(5000)) : strdup(PICK(numbers));
}

static inline char *bad_device(void)
{
	static const char *const devices[] = {
		"/dev/nosuch", "/dev/null", "/dev", "/", ".", "0", "0:0", "999:999",
		"4294967296:0", "-1:-1", "1:", ":1", "253:4095", "/dev/mapper/control",
		"/dev/mapper/../ram0", "\\ /dev/ram0", "/dev/ram0\\ ", "/dev/ram0/",
	};

	return percent(5) ? long_word('/', throw(6000)) : strdup(PICK(devices));
}

static inline char *odd_option(void)
{
	static const char *const options[] = {
		"allow_discards", "same_cpu_crypt", "high_priority",
		"submit_from_crypt_cpus", "no_read_workqueue",
		"no_write_workqueue", "iv_large_sectors", "verify_writes",
		"ALLOW_DISCARDS", "allow_discards:1", "offload:inline",
		"offload:spread", "offload:auto", "offload:", "offload:nosuch",
		"engine:api", "engine:batch", "engine:auto", "engine:",
		"engine:batch:1", "sector_size:512", "sector_size:4096",
		"sector_size:1024", "sector_size:513", "sector_size:8192",
		"sector_size:0", "sector_size:-512", "sector_size:66048",
		"sector_size:", "sector_size:4096x", "integrity:28:aead",
		"integrity:16:none", "integrity:0:none", "integrity:481:aead",
		"integrity:28", "integrity::aead", "integrity:28:aead:x",
		"integrity_key_size:32", "integrity_key_size:0",
		"integrity_key_size:4294967295", "nosuch", "", ":", "\\ ",
		"rekey_state:/dev/ram0", "rekey_state:", "rekey_start",
		"rekey_key::64:logon:hostile", "rekey_key:-", "rekey_key:=",
		"rekey_paused",
		"rekey_resilience:checksum", "rekey_resilience:none",
		"rekey_resilience:journal", "rekey_cipher:aes-cbc-essiv:sha256",
		"rekey_cipher:cipher_null-ecb", "rekey_cipher:", "rekey_iv_offset:8",
		"rekey_iv_offset:x", "rekey_sector_size:4096",
		"rekey_sector_size:0", "rekey_iv_large_sectors", "rekey_sparse",
		"rekey_shift:8", "rekey_resilience:auto", "rekey_start:1",
		"rekey_state:/dev/nosuch", "rekey_state:/dev/null",
		"rekey_key::64:logon:hostile:0", "rekey_key:x", "rekey_:",
	};

	return percent(2) ? long_word('o', throw(6000)) : strdup(PICK(options));
}

/* ---- lines --------------------------------------------------------------- */

/* Positions of the arguments; the number of options and the options follow */
enum { SPEC, KEY, IV_OFFSET, DEVICE, OFFSET, OPTS };

static inline void recount_options(struct words *words)
{
	if (words->count <= OPTS)
		return;
	free(words->word[OPTS]);
	words->word[OPTS] = text("%u", words->count - OPTS - 1);
}

static inline void replace(struct words *words, unsigned int at, char *word)
{
	if (at >= words->count) {
		free(word);
		return;
	}
	free(words->word[at]);
	words->word[at] = word;
}

static inline void add_option(struct words *words)
{
	if (words->count == OPTS)
		add_word(words, strdup("0"));
	if (words->count < OPTS)
		return;
	add_word(words, odd_option());
	if (percent(90))
		recount_options(words);
}

/* A typing error between two words */
static inline void join_words(struct words *words)
{
	static const char *const between[] = { "", "-", ":", "\\ " };
	unsigned int at = throw(words->count);

	if (at + 1 == words->count)
		return;
	replace(words, at, text("%s%s%s", words->word[at], PICK(between),
				words->word[at + 1]));
	free(words->word[at + 1]);
	words->count--;
	memmove(words->word + at + 1, words->word + at + 2,
		(words->count - at - 1) * sizeof(words->word[0]));
}

static inline void mutate(struct words *words)
{
	unsigned int at, other;
	char *word;

	if (!words->count)
		return;
	at = throw(words->count);
	other = throw(words->count);

	switch (throw(14)) {
	case 0:
	case 1:
		replace(words, SPEC, bad_spec());
		break;
	case 2:
	case 3:
		replace(words, KEY, bad_key());
		break;
	case 4:
		replace(words, IV_OFFSET, bad_number());
		break;
	case 5:
		replace(words, DEVICE, bad_device());
		break;
	case 6:
		replace(words, OFFSET, bad_number());
		break;
	case 7:
	case 8:
		add_option(words);
		break;
	case 9:
		replace(words, OPTS, bad_number());
		break;
	case 10:
		word = words->word[at];
		words->word[at] = words->word[other];
		words->word[other] = word;
		break;
	case 11:
		free(words->word[--words->count]);
		break;
	case 12:
		join_words(words);
		break;
	default:
		word = words->word[at];
		if (*word)
			word[throw(strlen(word))] = 1 + throw(255);
	}
}

/* The words of a line, as a table has them; no more than MAX_LINE bytes */
static inline void print_words(const struct words *words, char *line)
{
	size_t used = 0, len;
	unsigned int i;

	line[0] = '\0';
	for (i = 0; i < words->count; i++) {
		len = strlen(words->word[i]);
		if (used + len + 2 > MAX_LINE)
			break;
		used += sprintf(line + used, "%s%s", i ? " " : "",
				words->word[i]);
	}
}

/* ---- messages ------------------------------------------------------------ */

/* KEY: a valid key of the volume */
static inline void hostile_message(char *message, const char *key)
{
	static const char *const others[] = {
		"stats", "STATS", "stats now", "key", "key set", "key wipe",
		"KEY WIPE", "key wipe now", "key\\ wipe", "wipe", "set", "\\ ",
		"rekey pause", "rekey resume", "rekey speed 1", "rekey speed x",
		"rekey pause", "rekey resume", "rekey speed 0", "rekey speed auto",
		"rekey resume skip", "rekey resume now", "rekey speed",
		"rekey speed -1", "rekey speed 4294967296", "rekey pause pause",
		"rekey", "rekey key set", "rekey key set :64:logon:hostile",
		"rekey key set :64:logon:hostile:0", "rekey key set =",
		"rekey key wipe", "REKEY PAUSE", "rekey\\ pause",
		"key set -", "key set :", "key set \\ ", "@",
		"@nosuch", "key set :64:logon:hostile:absent",
		"key set :64:nosuch:x", "key set :1:logon:hostile", " ",
	};
	struct words words = {};

	if (percent(40)) {
		add_word(&words, strdup(PICK(others)));
	} else {
		add_word(&words, strdup("key"));
		add_word(&words, strdup("set"));
		add_word(&words, percent(50) ? strdup(key) : bad_key());
		if (percent(10))
			add_word(&words, key_word(64));
		if (percent(20))
			join_words(&words);
		if (percent(10))
			free(words.word[--words.count]);
	}
	print_words(&words, message);
	free_words(&words);
}

#endif

// SPDX-License-Identifier: GPL-2.0
/*
 * Searches a dump of a machine's memory for secrets (secrets.h).
 *
 *   search DUMP SEED LABEL:BYTES...
 *
 * Prints for each LABEL, whose key has BYTES, how often it finds
 *   key		16 bytes of the key
 *   hex		16 digits of it, as in a table line
 *   schedule	a round key of AES that follows from it, of the cipher or of its
 *		equivalent inverse (FIPS 197, 5.2 and 5.3.5)
 *   canary	a canary
 * and with SEARCH_VERBOSE=1 in the environment their physical addresses.
 *
 *   search --check
 *
 * checks that it finds all of these, and that round keys are those of the
 * standard.
 *
 * Any 16, 24 or 32 bytes of a key may be an AES key, for instance a half of
 * XTS's.  Whatever the layout in memory (the kernel's struct crypto_aes_ctx,
 * AES-NI's, our own), a schedule consists of round keys of 16 bytes each; the
 * search is for any one of them.
 */
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secrets.h"

#define NEEDLE 16
#define MAX_KEY 2048
#define MAX_LABELS 256

/* ---- AES ----------------------------------------------------------------- */

#define MAX_ROUNDS 14

static uint8_t sbox[256];

/* FIPS 197, 4.2.1 */
static uint8_t xtime(uint8_t b)
{
	return b << 1 ^ (b >> 7) * 0x1b;
}

static uint8_t gf_mul(uint8_t a, uint8_t b)
{
	uint8_t product = 0;

	for (; b; b >>= 1, a = xtime(a))
		product ^= (b & 1) * a;
	return product;
}

/* FIPS 197, 5.1.1: the inverse, which is the 254th power, and an affine map. */
static void make_sbox(void)
{
	for (unsigned int i = 0; i < 256; i++) {
		uint8_t inverse = 1;

		for (unsigned int n = 0; n < 254; n++)
			inverse = gf_mul(inverse, i);
		sbox[i] = 0x63;
		for (unsigned int n = 0; n < 5; n++)
			sbox[i] ^= inverse << n | inverse >> (8 - n);
	}
}

/* FIPS 197, 5.2. Returns the number of rounds. */
static unsigned int expand_key(uint8_t (*out)[16], const uint8_t *key,
			       unsigned int size)
{
	unsigned int words = size / 4, rounds = words + 6;
	uint8_t *w = out[0], t[4], first, rcon = 1;

	memcpy(w, key, size);
	for (unsigned int i = words; i < 4 * (rounds + 1); i++) {
		memcpy(t, w + 4 * (i - 1), 4);
		if (i % words == 0) {
			first = t[0];
			t[0] = sbox[t[1]] ^ rcon;
			t[1] = sbox[t[2]];
			t[2] = sbox[t[3]];
			t[3] = sbox[first];
			rcon = xtime(rcon);
		} else if (words == 8 && i % words == 4) {
			for (unsigned int n = 0; n < 4; n++)
				t[n] = sbox[t[n]];
		}
		for (unsigned int n = 0; n < 4; n++)
			w[4 * i + n] = w[4 * (i - words) + n] ^ t[n];
	}
	return rounds;
}

/* FIPS 197, 5.3.3 */
static void inv_mix_columns(uint8_t *out, const uint8_t *in)
{
	for (unsigned int i = 0; i < 16; i++) {
		const uint8_t *column = in + (i & ~3);

		out[i] = gf_mul(column[i & 3], 14) ^ gf_mul(column[(i + 1) & 3], 11) ^
			 gf_mul(column[(i + 2) & 3], 13) ^ gf_mul(column[(i + 3) & 3], 9);
	}
}

/* ---- needles ------------------------------------------------------------- */

enum kind { KEY, HEX, SCHEDULE, CANARY, KINDS };

static const char *const kinds[] = { "key", "hex", "schedule", "canary" };

struct needle {
	uint8_t bytes[NEEDLE];
	uint16_t label;
	uint8_t kind;
	uint8_t used;
};

#define TABLE_BITS 19
#define FILTER_BITS 23

/* A hash table, and a bit for each hash of the first half of a needle. */
static struct needle table[1 << TABLE_BITS];
static uint64_t filter[1 << (FILTER_BITS - 6)];
static unsigned int needles;

static uint32_t hash(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word * 0x9e3779b97f4a7c15 >> (64 - FILTER_BITS);
}

static struct needle *find_needle(const uint8_t *bytes)
{
	uint32_t i = hash(bytes) >> (FILTER_BITS - TABLE_BITS);

	while (table[i].used && memcmp(table[i].bytes, bytes, NEEDLE))
		i = (i + 1) % (1 << TABLE_BITS);
	return table + i;
}

/* An existing needle is kept: keys are part of their schedules. */
static void add_needle(const uint8_t *bytes, unsigned int label, enum kind kind)
{
	struct needle *n = find_needle(bytes);
	uint32_t h = hash(bytes);

	if (n->used)
		return;
	if (++needles > sizeof(table) / sizeof(*table) / 2)
		errx(2, "too many needles");
	memcpy(n->bytes, bytes, NEEDLE);
	n->label = label;
	n->kind = kind;
	n->used = 1;
	filter[h / 64] |= 1ULL << h % 64;
}

static void add_schedule(const uint8_t *key, unsigned int size, unsigned int label)
{
	uint8_t keys[MAX_ROUNDS + 1][16], inverse[16];
	unsigned int i, rounds = expand_key(keys, key, size);

	for (i = 1; i <= rounds; i++) {
		add_needle(keys[i], label, SCHEDULE);
		if (i == rounds)
			break;
		inv_mix_columns(inverse, keys[i]);
		add_needle(inverse, label, SCHEDULE);
	}
}

static void add_secrets(const char *seed, const char *name, unsigned int bytes,
			unsigned int label)
{
	struct secret s = secret_start(seed, name, "key");
	uint8_t key[MAX_KEY], canary[CANARY_SIZE];
	char hex[2 * MAX_KEY + 1];
	unsigned int at, size;

	if (bytes > MAX_KEY || bytes % 8)
		errx(2, "%s: no key of %u bytes", name, bytes);
	for (at = 0; at < bytes; at++) {
		key[at] = secret_next(&s);
		sprintf(hex + 2 * at, "%02x", key[at]);
	}
	for (at = 0; at + NEEDLE <= bytes; at += 8)
		add_needle(key + at, label, KEY);
	for (at = 0; at + NEEDLE <= 2 * bytes; at += NEEDLE)
		add_needle((uint8_t *)hex + at, label, HEX);
	for (size = 16; size <= 32; size += 8)
		for (at = 0; at + size <= bytes; at += 8)
			add_schedule(key + at, size, label);

	s = secret_start(seed, name, "canary");
	for (at = 0; at < CANARY_SIZE; at++)
		canary[at] = secret_next(&s);
	add_needle(canary, label, CANARY);
}

/* ---- the search ---------------------------------------------------------- */

static unsigned long found[MAX_LABELS][KINDS];

/* Physical address of a position in the dump, an ELF file; 0 if not memory. */
static uint64_t physical(const uint8_t *dump, size_t at)
{
	const Elf64_Ehdr *elf = (const void *)dump;
	const Elf64_Phdr *p = (const void *)(dump + elf->e_phoff);

	for (unsigned int i = 0; i < elf->e_phnum; i++)
		if (p[i].p_type == PT_LOAD && at - p[i].p_offset < p[i].p_filesz)
			return p[i].p_paddr + (at - p[i].p_offset);
	return 0;
}

/* At any place, aligned or not. */
static void search(const uint8_t *dump, size_t size, char *const *names)
{
	const struct needle *n;
	uint32_t h;

	for (size_t at = 0; at + NEEDLE <= size; at++) {
		h = hash(dump + at);
		if (!(filter[h / 64] >> h % 64 & 1))
			continue;
		n = find_needle(dump + at);
		if (!n->used)
			continue;
		found[n->label][n->kind]++;
		if (names && found[n->label][n->kind] <= 20)
			fprintf(stderr, "%s: %s at %#lx\n", names[n->label], kinds[n->kind],
				physical(dump, at));
	}
}

/* ---- self-check ---------------------------------------------------------- */

static void check_bytes(const char *what, const uint8_t *bytes, const char *hex)
{
	char ours[33];

	for (unsigned int i = 0; i < 16; i++)
		sprintf(ours + 2 * i, "%02x", bytes[i]);
	if (strcmp(ours, hex))
		errx(1, "%s: %s, not %s", what, ours, hex);
}

/* FIPS 197: last round keys of appendix A; C.1's second one of the inverse. */
static void check_aes(void)
{
	static const uint8_t key128[] = {
		0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
		0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c,
	};
	static const uint8_t key192[] = {
		0x8e, 0x73, 0xb0, 0xf7, 0xda, 0x0e, 0x64, 0x52,
		0xc8, 0x10, 0xf3, 0x2b, 0x80, 0x90, 0x79, 0xe5,
		0x62, 0xf8, 0xea, 0xd2, 0x52, 0x2c, 0x6b, 0x7b,
	};
	static const uint8_t key256[] = {
		0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe,
		0x2b, 0x73, 0xae, 0xf0, 0x85, 0x7d, 0x77, 0x81,
		0x1f, 0x35, 0x2c, 0x07, 0x3b, 0x61, 0x08, 0xd7,
		0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14, 0xdf, 0xf4,
	};
	uint8_t keys[MAX_ROUNDS + 1][16], inverse[16], ramp[16];

	expand_key(keys, key128, sizeof(key128));
	check_bytes("A.1", keys[10], "d014f9a8c9ee2589e13f0cc8b6630ca6");
	expand_key(keys, key192, sizeof(key192));
	check_bytes("A.2", keys[12], "e98ba06f448c773c8ecc720401002202");
	expand_key(keys, key256, sizeof(key256));
	check_bytes("A.3", keys[14], "fe4890d1e6188d0b046df344706c631e");

	for (unsigned int i = 0; i < sizeof(ramp); i++)
		ramp[i] = i;
	expand_key(keys, ramp, sizeof(ramp));
	inv_mix_columns(inverse, keys[9]);
	check_bytes("C.1", inverse, "13aa29be9c8faff6f770f58000f7bf03");
}

/* Each needle separately, at an odd address, and at the end of memory. */
static void check_search(void)
{
	static uint8_t memory[4096];
	const size_t places[] = { 0, 1237, sizeof(memory) - NEEDLE };
	unsigned long expected[KINDS] = {};

	add_secrets("seed", "label", 64, 0);
	for (unsigned int i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (!table[i].used)
			continue;
		for (unsigned int p = 0; p < sizeof(places) / sizeof(*places); p++) {
			memcpy(memory + places[p], table[i].bytes, NEEDLE);
			search(memory, sizeof(memory), NULL);
			memset(memory, 0, sizeof(memory));
			expected[table[i].kind]++;
		}
	}
	for (unsigned int k = 0; k < KINDS; k++)
		if (!expected[k] || found[0][k] != expected[k])
			errx(1, "%s: %lu of %lu found", kinds[k], found[0][k], expected[k]);
}

int main(int argc, char **argv)
{
	const uint8_t *dump;
	char **names = argv + 3;
	int count = argc - 3;
	struct stat st;
	int fd, i;

	make_sbox();
	if (argc == 2 && !strcmp(argv[1], "--check")) {
		check_aes();
		check_search();
		return 0;
	}
	if (count < 1 || count > MAX_LABELS)
		errx(2, "usage: search DUMP SEED LABEL:BYTES...");

	for (i = 0; i < count; i++) {
		char *colon = strrchr(names[i], ':');

		if (!colon)
			errx(2, "%s: not LABEL:BYTES", names[i]);
		*colon = 0;
		add_secrets(argv[2], names[i], atoi(colon + 1), i);
	}

	fd = open(argv[1], O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		err(2, "%s", argv[1]);
	dump = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (dump == MAP_FAILED || st.st_size < (off_t)sizeof(Elf64_Ehdr) ||
	    memcmp(dump, ELFMAG, SELFMAG))
		errx(2, "%s: no dump", argv[1]);
	search(dump, st.st_size, getenv("SEARCH_VERBOSE") ? names : NULL);

	for (i = 0; i < count; i++)
		printf("%s %lu %lu %lu %lu\n", names[i], found[i][KEY], found[i][HEX],
		       found[i][SCHEDULE], found[i][CANARY]);
	return 0;
}

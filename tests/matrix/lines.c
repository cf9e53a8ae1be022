// SPDX-License-Identifier: GPL-2.0
/*
 * Prints table lines that cover the features of dm-crypt, one per line:
 *
 *	<cipher> <form>:<hex key> <iv_offset> <start> [<opt>...] [| <opt>...]
 *
 * form is hex, logon or user; options after the bar are xcrypt's own. Two or
 * more segments of one device are joined by " ; ".
 *
 *	lines SEED		pairwise, and every IV with every sector size
 *				and key size
 *	lines SEED long		cipher x IV x key size x key count x
 *				sector_size x iv_large_sectors x iv_offset in full
 *	lines SEED random SIZE TAG
 *				random IVs of TAG bytes, for an integrity device
 *				with that tag and sectors of SIZE bytes
 *	lines SEED odd		combinations at the limits, most of which must be
 *				refused
 *	lines SEED segments	several segments, each with its own key
 */
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_SIZE(array)	((int)(sizeof(array) / sizeof((array)[0])))

/* A cipher in a mode, with the sizes of its keys, IV and block */
static const struct alg {
	const char *old;	/* cipher-mode, or null: only as capi: */
	const char *capi;
	int key[3];
	int iv, block;
	int essiv_key;		/* longest digest that is a key of the cipher */
} algs[] = {
	{ "aes-xts", "xts(aes)", { 32, 48, 64 }, 16, 16, 32 },
	{ "aes-cbc", "cbc(aes)", { 16, 24, 32 }, 16, 16, 32 },
	{ "aes-ctr", "ctr(aes)", { 16, 24, 32 }, 16, 1, 32 },
	{ "aes-lrw", "lrw(aes)", { 32, 40, 48 }, 16, 16, 32 },
	{ "aes-ecb", "ecb(aes)", { 16, 24, 32 }, 0, 16, 0 },
	{ "serpent-xts", "xts(serpent)", { 32, 48, 64 }, 16, 16, 32 },
	{ "serpent-cbc", "cbc(serpent)", { 16, 24, 32 }, 16, 16, 32 },
	{ "serpent-lrw", "lrw(serpent)", { 32, 40, 48 }, 16, 16, 32 },
	{ "twofish-xts", "xts(twofish)", { 32, 48, 64 }, 16, 16, 32 },
	{ "twofish-cbc", "cbc(twofish)", { 16, 24, 32 }, 16, 16, 32 },
	{ "camellia-xts", "xts(camellia)", { 32, 48, 64 }, 16, 16, 32 },
	{ "camellia-cbc", "cbc(camellia)", { 16, 24, 32 }, 16, 16, 32 },
	{ "blowfish-cbc", "cbc(blowfish)", { 16, 32, 56 }, 8, 8, 32 },
	{ "cast5-cbc", "cbc(cast5)", { 5, 10, 16 }, 8, 8, 16 },
	{ "des3_ede-cbc", "cbc(des3_ede)", { 24, 24, 24 }, 8, 8, 0 },
	{ "cipher_null-ecb", "ecb(cipher_null)", { 0, 0, 0 }, 0, 1, 0 },
	{ NULL, "adiantum(xchacha12,aes)", { 32, 32, 32 }, 32, 1, 0 },
	{ NULL, "adiantum(xchacha20,aes)", { 32, 32, 32 }, 32, 1, 0 },
	{ NULL, "essiv(cbc(aes),sha256)", { 16, 24, 32 }, 16, 16, 0 },
	{ NULL, "cts(cbc(aes))", { 16, 24, 32 }, 16, 16, 0 },
	{ NULL, "xchacha20", { 32, 32, 32 }, 32, 1, 0 },
	/* asynchronous */
	{ NULL, "cryptd(cbc(aes-generic))", { 16, 24, 32 }, 16, 16, 0 },
	{ NULL, "cryptd(xts(ecb(aes-generic)))", { 32, 48, 64 }, 16, 16, 0 },
};

enum {
	NOIV, NUL, PLAIN, PLAIN64, PLAIN64BE, ESSIV_MD5, ESSIV_SHA256, BENBI,
	LMK2, LMK3, TCW, EBOIV, ELEPHANT, IVS
};

static const char *const iv_name[IVS] = {
	"", "null", "plain", "plain64", "plain64be", "essiv:md5", "essiv:sha256",
	"benbi", "lmk", "lmk", "tcw", "eboiv", "elephant",
};

static const int keycounts[] = { 1, 2, 4, 64 };
static const int sectors[] = { 512, 1024, 2048, 4096 };
static const char *const offsets[] = {
	"0", "8", "7",			/* 7: only with 512-byte sectors */
	"4294967288",			/* "plain" wraps within the device */
	"4294967296", "1125899906842624",
	"18446744073709551608",		/* wraps altogether */
};

#define ODD_OFFSET	2

static const char *const starts[] = { "0", "8", "64" };
static const char *const forms[] = { "hex", "logon", "user" };
static const char *const flags[] = {
	"", "allow_discards", "same_cpu_crypt", "submit_from_crypt_cpus",
	"no_read_workqueue", "no_write_workqueue",
	"no_read_workqueue no_write_workqueue",
	"same_cpu_crypt submit_from_crypt_cpus allow_discards",
};

static const char *const extras[] = {
	"", "offload:auto", "offload:inline", "offload:spread", "engine:api",
	"engine:auto offload:spread", "verify_writes",
	"verify_writes offload:inline", "verify_writes offload:spread",
};

/* The factors of a line: an index for each */
enum {
	ALG, IV, KEY, KEYCOUNT, SECTOR, LARGE, OFFSET, START, FORM, FLAGS, EXTRA,
	FACTORS
};

#define SCHEME	(SECTOR + 1)	/* the factors before it must fit each other */

static const int values[FACTORS] = {
	ARRAY_SIZE(algs), IVS, 3, ARRAY_SIZE(keycounts), ARRAY_SIZE(sectors), 2,
	ARRAY_SIZE(offsets), ARRAY_SIZE(starts), ARRAY_SIZE(forms),
	ARRAY_SIZE(flags), ARRAY_SIZE(extras),
};

#define MOST	32		/* no factor has more values */

static uint64_t state;

static unsigned int rnd(unsigned int below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state * 0x2545f4914f6cdd1dull >> 32) % below;
}

/* lmk works only with cbc: its IV depends on all blocks but the first */
static int lmk_without_cbc(const int *v)
{
	return (v[IV] == LMK2 || v[IV] == LMK3) &&
	       strncmp(algs[v[ALG]].capi, "cbc(", 4);
}

/* Accepted by dm-crypt, but even dm-crypt cannot read back its own writes */
static int senseless(const int *v)
{
	return lmk_without_cbc(v) || (v[IV] == NOIV && algs[v[ALG]].iv);
}

/* Bytes of key for a line, or -1 to skip the line */
static int key_bytes(const int *v)
{
	const struct alg *a = &algs[v[ALG]];
	int n = keycounts[v[KEYCOUNT]], key = a->key[v[KEY]];
	int lmk = v[IV] == LMK2 || v[IV] == LMK3;

	/* The same key size thrice is one size */
	if (v[KEY] && key == a->key[0])
		return -1;
	/* capi: has no syntax for a key count */
	if (!a->old && n > 1 && !lmk)
		return -1;
	if (lmk ? n != 64 : n == 64)
		return -1;
	/* cipher_null takes no keys */
	if (!key && n > 1)
		return -1;
	if (!a->iv)
		return v[IV] == NOIV || v[IV] == NUL || v[IV] == PLAIN64 ?
			key * n : -1;

	switch (v[IV]) {
	case NOIV:
		return -1;
	case ESSIV_MD5:
	case ESSIV_SHA256:
		if ((v[IV] == ESSIV_MD5 ? 16 : 32) > a->essiv_key)
			return -1;
		return key * n;
	case LMK2:
	case LMK3:
		if (v[SECTOR] || key < 16 || lmk_without_cbc(v))
			return -1;
		return key * (n + (v[IV] == LMK3));
	case TCW:
		if (v[SECTOR] || a->iv > 16)
			return -1;
		return key * n + a->iv + 16;
	case EBOIV:
		return a->block == a->iv ? key * n : -1;
	case ELEPHANT:
		/* half of it is a separate AES key */
		if (a->block != 16 || key * n > 32 || key * n < 16)
			return -1;
		return 2 * key * n;
	default:
		return key * n;
	}
}

static int fits(const int *v)
{
	return key_bytes(v) >= 0 && !(v[SECTOR] && v[OFFSET] == ODD_OFFSET);
}

/* --- printing ------------------------------------------------------------ */

static void print_key(const char *form, int bytes)
{
	if (!bytes) {
		printf("hex:-");
		return;
	}
	printf("%s:", form);
	while (bytes--)
		printf("%02x", rnd(256));
}

static void print_cipher(const int *v)
{
	const struct alg *a = &algs[v[ALG]];
	const char *iv = iv_name[v[IV]];
	int n = keycounts[v[KEYCOUNT]];
	int capi = !a->old || ((n == 1 || n == 64) && rnd(4) == 0);

	/* lmk means 64 keys by itself when the cipher is given as capi: */
	if (capi)
		printf("capi:%s", a->capi);
	else if (n == 1)
		printf("%s", a->old);
	else
		printf("%.*s:%d%s", (int)strcspn(a->old, "-"), a->old, n,
		       strchr(a->old, '-'));
	if (*iv)
		printf("-%s", iv);
}

static void print_segment(const int *v, int bytes)
{
	print_cipher(v);
	putchar(' ');
	print_key(forms[v[FORM]], bytes);
	printf(" %s %s", offsets[v[OFFSET]], starts[v[START]]);
	if (v[SECTOR])
		printf(" sector_size:%d", sectors[v[SECTOR]]);
	if (v[LARGE])
		printf(" iv_large_sectors");
	if (*flags[v[FLAGS]])
		printf(" %s", flags[v[FLAGS]]);
	if (*extras[v[EXTRA]])
		printf(" | %s", extras[v[EXTRA]]);
}

static void print_line(const int *v)
{
	print_segment(v, key_bytes(v));
	putchar('\n');
}

static void random_rest(int *v)
{
	int f;

	for (f = SCHEME; f < FACTORS; f++)
		v[f] = rnd(values[f]);
	while (v[SECTOR] && v[OFFSET] == ODD_OFFSET)
		v[OFFSET] = rnd(values[OFFSET]);
}

/* --- pairwise ------------------------------------------------------------ */

static int (*schemes)[FACTORS];
static int nr_schemes;

/* Not yet covered: pairs of values, and IV x sector size x key */
static unsigned char pair[FACTORS][MOST][FACTORS][MOST];
static unsigned char triple[IVS][4][3];
static int left;

static void list_schemes(void)
{
	int v[FACTORS] = { 0 }, room = 1, f;

	for (f = 0; f < SCHEME; f++)
		room *= values[f];
	schemes = calloc(room, sizeof(*schemes));
	if (!schemes)
		exit(2);
	for (;;) {
		if (fits(v))
			memcpy(schemes[nr_schemes++], v, sizeof(v));
		for (f = 0; f < SCHEME && ++v[f] == values[f]; f++)
			v[f] = 0;
		if (f == SCHEME)
			return;
	}
}

static void want(unsigned char *what)
{
	left += !*what;
	*what = 1;
}

/* All that any line could cover */
static void want_all(void)
{
	int v[FACTORS], s, f, g, i, j;

	for (s = 0; s < nr_schemes; s++) {
		memcpy(v, schemes[s], sizeof(v));
		want(&triple[v[IV]][v[SECTOR]][v[KEY]]);
		for (f = 0; f < SCHEME; f++) {
			for (g = f + 1; g < SCHEME; g++)
				want(&pair[f][v[f]][g][v[g]]);
			for (g = SCHEME; g < FACTORS; g++)
				for (j = 0; j < values[g]; j++)
					if (!(f == SECTOR && v[f] &&
					      g == OFFSET && j == ODD_OFFSET))
						want(&pair[f][v[f]][g][j]);
		}
	}
	for (f = SCHEME; f < FACTORS; f++)
		for (g = f + 1; g < FACTORS; g++)
			for (i = 0; i < values[f]; i++)
				for (j = 0; j < values[g]; j++)
					want(&pair[f][i][g][j]);
}

/* The number of new items that a line covers; mark them covered if asked. */
static int covers(const int *v, int tick)
{
	unsigned char *t = &triple[v[IV]][v[SECTOR]][v[KEY]], *p;
	int n = *t, f, g;

	if (tick)
		*t = 0;
	for (f = 0; f < FACTORS; f++)
		for (g = f + 1; g < FACTORS; g++) {
			p = &pair[f][v[f]][g][v[g]];
			n += *p;
			if (tick)
				*p = 0;
		}
	return n;
}

/* Greedy: of many random lines, choose the one that covers most */
static void pairwise(void)
{
	int v[FACTORS], best[FACTORS], score, most, try;

	list_schemes();
	want_all();
	while (left) {
		for (most = 0, try = 0; !most || try < 200; try++) {
			memcpy(v, schemes[rnd(nr_schemes)], sizeof(v));
			random_rest(v);
			score = covers(v, 0);
			if (score > most) {
				most = score;
				memcpy(best, v, sizeof(v));
			}
		}
		left -= covers(best, 1);
		print_line(best);
	}
}

/* --- the other runs ------------------------------------------------------ */

static void in_full(void)
{
	int v[FACTORS], s;

	list_schemes();
	for (s = 0; s < nr_schemes; s++) {
		int large, offset;

		for (large = 0; large < 2; large++)
			for (offset = 0; offset < values[OFFSET]; offset++) {
				memcpy(v, schemes[s], sizeof(v));
				random_rest(v);
				v[LARGE] = large;
				v[OFFSET] = offset;
				if (fits(v))
					print_line(v);
			}
	}
}

/*
 * Random IVs are stored beside the sector, in a tag of the IV's size. One line
 * for each cipher, with key sizes and key counts by turns.
 */
static void random_ivs(int size, int tag)
{
	int v[FACTORS] = { 0 }, turn = rnd(3);

	for (v[ALG] = 0; v[ALG] < values[ALG]; v[ALG]++) {
		const struct alg *a = &algs[v[ALG]];
		int i = 0;

		if (a->iv != tag)
			continue;
		while (sectors[i] != size)
			if (++i == ARRAY_SIZE(sectors))
				exit(2);
		v[SECTOR] = i;
		v[IV] = PLAIN64;	/* takes keys of the same sizes */
		v[KEY] = turn++ % 3;
		v[KEYCOUNT] = a->old ? rnd(3) : 0;
		if (key_bytes(v) < 0)
			v[KEY] = 0;
		random_rest(v);
		/* the integrity device is full to the last sector */
		v[START] = 0;
		if (a->old)
			printf("%.*s:%d%s-random ", (int)strcspn(a->old, "-"),
			       a->old, keycounts[v[KEYCOUNT]],
			       strchr(a->old, '-'));
		else
			printf("capi:%s-random ", a->capi);
		print_key(forms[v[FORM]],
			  a->key[v[KEY]] * keycounts[v[KEYCOUNT]]);
		printf(" %s 0 integrity:%d:none sector_size:%d%s%s%s%s\n",
		       offsets[v[OFFSET]], tag, size,
		       v[LARGE] ? " iv_large_sectors " : " ", flags[v[FLAGS]],
		       *extras[v[EXTRA]] ? " | " : "", extras[v[EXTRA]]);
	}
}

/* Any values together, keys of about the right size */
static void odd(int lines)
{
	int v[FACTORS], bytes, f;

	while (lines--) {
		do {
			for (f = 0; f < FACTORS; f++)
				v[f] = rnd(values[f]);
		} while (senseless(v));
		bytes = key_bytes(v);
		if (bytes < 0)
			bytes = algs[v[ALG]].key[v[KEY]] * keycounts[v[KEYCOUNT]];
		if (rnd(3) == 0)
			bytes += (int)rnd(4) * 8 - 8;
		print_segment(v, bytes < 0 ? 0 : bytes);
		putchar('\n');
	}
}

static void segments(int lines)
{
	int v[FACTORS], start, n;

	list_schemes();
	while (lines--) {
		start = rnd(values[START]);
		for (n = 2 + rnd(3); n; n--) {
			memcpy(v, schemes[rnd(nr_schemes)], sizeof(v));
			random_rest(v);
			/* or they would overlap below */
			v[START] = start;
			print_segment(v, key_bytes(v));
			printf("%s", n > 1 ? " ; " : "\n");
		}
	}
}

int main(int argc, char **argv)
{
	const char *run = argc > 2 ? argv[2] : "pairwise";

	if (argc < 2)
		return 2;
	state = strtoull(argv[1], NULL, 10) * 2654435761u + 88172645463325252ull;
	if (!strcmp(run, "pairwise"))
		pairwise();
	else if (!strcmp(run, "long"))
		in_full();
	else if (!strcmp(run, "random") && argc > 4)
		random_ivs(atoi(argv[3]), atoi(argv[4]));
	else if (!strcmp(run, "odd"))
		odd(150);
	else if (!strcmp(run, "segments"))
		segments(20);
	else
		return 2;
	return 0;
}

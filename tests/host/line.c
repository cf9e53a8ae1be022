// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table line in user space.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "line.h"

#include "cipher/cipher.h"
#include "table/log.h"
#include "table/message.h"
#include "table/spec.h"
#include "table/words.h"
#include "volume/table.h"
#include "volume/volume.h"

/* "<start> <length> <target>" */
#define WORDS_BEFORE 3

/* ---- from text to table -------------------------------------------------- */

/* The next word; a backslash quotes the next character. */
static char *next_word(const char **text)
{
	const char *s = *text;
	char *word, *out;

	while (isspace(*s))
		s++;
	if (!*s)
		return NULL;
	word = malloc(strlen(s) + 1);
	out = word;
	while (*s && !isspace(*s)) {
		if (*s == '\\' && s[1])
			s++;
		*out++ = *s++;
	}
	*out++ = '\0';
	*text = s;
	return realloc(word, out - word);
}

/**
 * words_split() - split a text into words, like device mapper
 * @text: the text
 * @argc: set to the number of words
 *
 * Return: the words, to be freed with words_free(); each has its own memory, so
 * that a sanitizer detects accesses past its end.
 */
char **words_split(const char *text, unsigned int *argc)
{
	char **argv = NULL, *word;

	*argc = 0;
	while ((word = next_word(&text))) {
		argv = realloc(argv, (*argc + 1) * sizeof(word));
		argv[(*argc)++] = word;
	}
	return argv;
}

/**
 * words_free() - free what words_split() allocated
 * @argc: number of words
 * @argv: the words
 */
void words_free(unsigned int argc, char **argv)
{
	while (argc)
		free(argv[--argc]);
	free(argv);
}

/**
 * line_parse() - parse a table line
 * @line: set to the result, to be freed with line_free()
 * @text: the line
 *
 * kernel_log has the messages.
 */
void line_parse(struct line *line, const char *text)
{
	char *word;
	int i;

	memset(line, 0, sizeof(*line));
	for (i = 0; i < WORDS_BEFORE; i++) {
		word = next_word(&text);
		if (word && i == 1)
			line->len = strtoull(word, NULL, 10);
		free(word);
	}
	line->argv = words_split(text, &line->argc);
	kernel_log_clear();
	line->err = xc_table_parse(&line->table, line->argc, line->argv,
				   line->len, &line->error);
}

/**
 * line_free() - free what line_parse() allocated
 * @line: the line
 */
void line_free(struct line *line)
{
	words_free(line->argc, line->argv);
}

/* ---- from table to text -------------------------------------------------- */

/* A conversion that only has a state device. */
struct xc_rekey {
	const char *state;
};

const char *xc_rekey_state_name(const struct xc_rekey *rekey)
{
	return rekey->state;
}

unsigned int xc_rekey_print(const struct xc_rekey *rekey, char *result,
			    unsigned int maxlen)
{
	return 0;
}

bool xc_rekey_is_done(const struct xc_rekey *rekey)
{
	return false;
}

/* The volume of a table, with the members that volume/table.c reads. */
struct printable {
	struct xc_volume vol;
	struct xc_cipher cipher, new_cipher;
	struct xc_rekey rekey;
	struct dm_dev lower;
	u8 key[256];
};

static int nibble(char c)
{
	return isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

static bool take_keyring_key(struct xc_key *key, char *arg)
{
	char colon;

	if (sscanf(arg + 1, "%u%c", &key->size, &colon) != 2 ||
	    colon != ':' || !key->size) {
		key->size = 0;
		return false;
	}
	key->keyring = strchr(arg + 1, ':') + 1;
	return true;
}

/*
 * Load the key like key/; false if key/ would refuse it.  It is printed as '-'
 * then.
 */
static bool take_key(struct printable *p, char *arg)
{
	struct xc_key *key = &p->cipher.key;
	size_t i, digits = strlen(arg);

	if (!strcmp(arg, "-"))
		return true;
	if (*arg == ':')
		return take_keyring_key(key, arg);
	if (digits % 2 || digits / 2 > sizeof(p->key) ||
	    strspn(arg, "0123456789abcdefABCDEF") != digits)
		return false;
	for (i = 0; i < digits; i++)
		p->key[i / 2] = p->key[i / 2] << 4 | nibble(arg[i]);
	key->bytes = p->key;
	key->size = digits / 2;
	return true;
}

static bool make_printable(struct printable *p, const struct xc_table *table)
{
	memset(p, 0, sizeof(*p));
	p->lower.name = table->device;
	p->vol.dev.lower = &p->lower;
	p->vol.dev.start = table->start;
	p->vol.dev.opt = table->opt;
	p->vol.dev.cipher = &p->cipher;
	p->cipher.spec = table->cipher;
	p->cipher.iv_offset = table->iv_offset;
	p->cipher.sector_size = table->opt.sector_size;
	if (table->rekey.state) {
		p->rekey.state = table->rekey.state;
		p->vol.rekey = &p->rekey;
		p->vol.new_cipher = &p->new_cipher;
		p->vol.dev.opt.flags &= ~BIT(XC_REKEY_START);
		p->new_cipher.spec = table->rekey.cipher ?: table->cipher;
		p->new_cipher.sector_size = table->rekey.sector_size ?:
					    table->opt.sector_size;
		p->new_cipher.iv_offset = table->rekey.has_iv_offset ?
			table->rekey.iv_offset : table->iv_offset;
		/* the key "=" is in no line */
		if (!strcmp(table->rekey.key, "=") ||
		    (*table->rekey.key == ':' &&
		     !take_keyring_key(&p->new_cipher.key, table->rekey.key)))
			return false;
	}
	return take_key(p, table->key);
}

static const struct target_type target = {
	.name = "xcrypt",
	.version = { 1, 2, 3 },
};

static char *print(const struct printable *p, bool ima, unsigned int room)
{
	char *text = malloc(room);	/* exact size, to detect an overflow */

	text[0] = '\0';
	if (ima)
		xc_ima_print(&p->vol, &target, text, room);
	else
		xc_table_print(&p->vol, text, room);
	return text;
}

/**
 * line_print() - print STATUSTYPE_TABLE of a volume with this table
 * @table: the table
 *
 * Return: the output, to be freed.
 */
char *line_print(const struct xc_table *table)
{
	struct printable p;

	make_printable(&p, table);
	return print(&p, false, 1 << 16);
}

/**
 * line_print_ima() - print STATUSTYPE_IMA of a volume with this table
 * @table: the table
 *
 * Return: the output, to be freed.
 */
char *line_print_ima(const struct xc_table *table)
{
	struct printable p;

	make_printable(&p, table);
	p.cipher.layout = (struct xc_key_layout) {
		.size = p.cipher.key.size, .tfms = 1, .parts = 1, .extra = 0,
		.mac = table->opt.mac_key_size,
	};
	return print(&p, true, 1 << 16);
}

/**
 * line_options() - print the options of a table without the module's code
 * @opt: the options
 *
 * Return: the options that are not the default, as a string to be freed.
 */
char *line_options(const struct xc_options *opt)
{
	static const struct {
		enum xc_flag flag;
		const char *word;
	} flags[] = {
		{ XC_ALLOW_DISCARDS, "discards" },
		{ XC_SAME_CPU_CRYPT, "same_cpu" },
		{ XC_HIGH_PRIORITY, "priority" },
		{ XC_SUBMIT_FROM_CRYPT_CPUS, "submit_from_cpus" },
		{ XC_NO_READ_WORKQUEUE, "no_read_wq" },
		{ XC_NO_WRITE_WORKQUEUE, "no_write_wq" },
		{ XC_IV_LARGE_SECTORS, "large_iv" },
		{ XC_VERIFY_WRITES, "verify" },
		{ XC_REKEY_START, "rekey_start" },
		{ XC_REKEY_PAUSED, "rekey_paused" },
		{ XC_REKEY_IV_LARGE_SECTORS, "rekey_iv_large_sectors" },
		{ XC_REKEY_SPARSE, "rekey_sparse" },
	};
	static const char *const offload[] = {
		[XC_OFFLOAD_AUTO] = "offload=auto",
		[XC_OFFLOAD_INLINE] = "offload=inline",
		[XC_OFFLOAD_SPREAD] = "offload=spread",
	};
	static const char *const engine[] = {
		[XC_ENGINE_AUTO] = "engine=auto",
		[XC_ENGINE_API] = "engine=api",
		[XC_ENGINE_BATCH] = "engine=batch",
	};
	static const char *const resilience[] = {
		[XC_RESILIENCE_AUTO] = "resilience=auto",
		[XC_RESILIENCE_CHECKSUM] = "resilience=checksum",
		[XC_RESILIENCE_JOURNAL] = "resilience=journal",
	};
	char *text = calloc(1, 1024);
	unsigned long known = 0;
	size_t used = 0, i;

#define ADD(...) \
	(used += snprintf(text + used, 1024 - used, __VA_ARGS__))
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		known |= BIT(flags[i].flag);
		if (opt->flags & BIT(flags[i].flag))
			ADD("%s ", flags[i].word);
	}
	if (opt->flags & ~known)
		ADD("flags=%lx ", opt->flags & ~known);
	if (opt->tag_size)
		ADD("tag=%u ", opt->tag_size);
	if (opt->aead)
		ADD("aead ");
	if (opt->sector_size != 512)
		ADD("sector=%u ", opt->sector_size);
	if (opt->mac_key_size)
		ADD("mac=%u ", opt->mac_key_size);
	if (opt->offload)
		ADD("%s ", offload[opt->offload]);
	if (opt->engine)
		ADD("%s ", engine[opt->engine]);
	if (opt->resilience)
		ADD("%s ", resilience[opt->resilience]);
#undef ADD
	if (used)
		text[used - 1] = '\0';
	return text;
}

/* ---- invariants of all lines --------------------------------------------- */

static const char *complain(const char *format, ...)
{
	static char complaint[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(complaint, sizeof(complaint), format, args);
	va_end(args);
	return complaint;
}

/* There is a message if and only if parsing failed; it names an argument. */
static const char *error_complaint(int err, const char *error)
{
	const char *colon;

	if (!err)
		return error ? complain("error without refusal: %s", error) :
			NULL;
	if (err != -EINVAL)
		return complain("refused with %d", err);
	if (!error)
		return "refused without an error";
	colon = strstr(error, ": ");
	if (!colon || !colon[2])
		return complain("error that names no argument: %s", error);
	return NULL;
}

static const char *log_complaint(void)
{
	unsigned int run = 0;
	const char *c;

	for (c = kernel_log; *c; c++) {
		run = isxdigit(*c) ? run + 1 : 0;
		if (run == 32)
			return complain("a key in the log: %s", kernel_log);
	}
	return NULL;
}

static const char *range_complaint(const struct xc_table *table, u64 len)
{
	const struct xc_options *opt = &table->opt;
	unsigned int sectors = opt->sector_size / 512;

	if (opt->sector_size != 512 && opt->sector_size != 1024 &&
	    opt->sector_size != 2048 && opt->sector_size != 4096)
		return complain("sector_size %u", opt->sector_size);
	if (table->iv_offset % sectors || len % sectors)
		return complain("not aligned to sector_size %u: %llu or %llu",
				opt->sector_size, table->iv_offset, len);
	if (opt->tag_size > 480 || (opt->aead && !opt->tag_size))
		return complain("tag_size %u, aead %d", opt->tag_size,
				opt->aead);
	if (opt->flags >> XC_FLAGS)
		return complain("unknown flags %lx", opt->flags);
	return NULL;
}

/* With any buffer size, the output is the beginning of the whole. */
static const char *room_complaint(const struct printable *p, bool ima,
				  const char *whole)
{
	unsigned int len = strlen(whole);
	unsigned int rooms[] = { 1, 2, len / 2 + 1, len ? len : 1, len + 1 };
	const char *complaint = NULL;
	char *text;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rooms) && !complaint; i++) {
		text = print(p, ima, rooms[i]);
		if (strlen(text) != rooms[i] - 1 ||
		    strncmp(text, whole, rooms[i] - 1))
			complaint = complain("in room of %u: \"%s\"", rooms[i],
					     text);
		free(text);
	}
	return complaint;
}

static bool printable_word(const char *word)
{
	for (; *word; word++)
		if (isspace(*word) || *word == '\\')
			return false;
	return true;
}

/* A conversion is printed without the word that begins it. */
static char *printed_options(const struct xc_table *table)
{
	struct xc_options opt = table->opt;

	opt.flags &= ~BIT(XC_REKEY_START);
	return line_options(&opt);
}

static bool same_string(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* From the second colon on: the size is printed without leading zeros. */
static const char *after_size(const char *key)
{
	return key && *key == ':' ? strchr(key + 1, ':') : key;
}

/* What is as in the line is not printed. */
static bool same_new_side(const struct xc_table *a, const struct xc_table *b,
			  bool same_key)
{
	const struct xc_new_side *x = &a->rekey, *y = &b->rekey;

	if (!x->state || !y->state)
		return x->state == y->state;
	return !strcmp(x->state, y->state) &&
		(!same_key || same_string(after_size(x->key),
					  after_size(y->key))) &&
		!strcmp(x->cipher ?: a->cipher, y->cipher ?: b->cipher) &&
		(x->sector_size ?: a->opt.sector_size) ==
		(y->sector_size ?: b->opt.sector_size) &&
		(x->has_iv_offset ? x->iv_offset : a->iv_offset) ==
		(y->has_iv_offset ? y->iv_offset : b->iv_offset);
}

static bool same_table(const struct xc_table *a, const struct xc_table *b,
		       bool same_key)
{
	char *opt_a = printed_options(a), *opt_b = printed_options(b);
	bool same = same_new_side(a, b, same_key) &&
		    !strcmp(a->cipher, b->cipher) &&
		    a->iv_offset == b->iv_offset &&
		    !strcmp(a->device, b->device) && a->start == b->start &&
		    !strcmp(opt_a, opt_b);

	/* prints hex digits in lower case, the size without leading zeros */
	if (same_key)
		same = same && (*a->key == ':' ?
				!strcmp(strchr(a->key + 1, ':'),
					strchr(b->key + 1, ':')) :
				!strcasecmp(a->key, b->key));
	free(opt_a);
	free(opt_b);
	return same;
}

/* An accepted line is printed as a line that creates the same volume. */
static const char *print_complaint(const struct xc_table *table, u64 len)
{
	const char *complaint;
	struct printable p;
	struct line again;
	char *printed, *ima, *text;
	bool good_key;

	good_key = make_printable(&p, table);
	printed = line_print(table);
	complaint = room_complaint(&p, false, printed);
	ima = print(&p, true, 1 << 16);
	if (!complaint)
		complaint = room_complaint(&p, true, ima);
	free(ima);

	/* device mapper does not restore the backslashes that it removed */
	if (!complaint && printable_word(table->cipher) &&
	    printable_word(table->key) && printable_word(table->device) &&
	    (!table->rekey.state || printable_word(table->rekey.state)) &&
	    (!table->rekey.key || printable_word(table->rekey.key)) &&
	    (!table->rekey.cipher || printable_word(table->rekey.cipher))) {
		if (asprintf(&text, "0 %llu xcrypt %s", len, printed) < 0)
			abort();
		line_parse(&again, text);
		if (again.err)
			complaint = complain("printed, but refused: \"%s\": %s",
					     text, again.error);
		else if (!same_table(table, &again.table, good_key))
			complaint = complain("printed otherwise: \"%s\"", text);
		line_free(&again);
		free(text);
	}
	free(printed);
	return complaint;
}

/**
 * spec_complaint() - check the invariants of a cipher specification
 * @text: the specification
 * @aead: an AEAD is expected
 *
 * Return: NULL, or a message on the violated invariant.
 */
const char *spec_complaint(const char *text, bool aead)
{
	const char *complaint;
	struct xc_spec spec;
	char *error = NULL;
	int err;

	memset(&spec, 0xa5, sizeof(spec));
	kernel_log_clear();
	err = xc_spec_parse(&spec, text, aead, &error);
	complaint = error_complaint(err, error);
	if (complaint)
		return complaint;
	if (err)
		return strncmp(error, "cipher: ", 8) ?
			complain("cipher refused as %s", error) : NULL;

	if (!is_power_of_2(spec.keys))
		return complain("%u keys", spec.keys);
	if (strnlen(spec.name, sizeof(spec.name)) == sizeof(spec.name))
		return "name without an end";
	/* the sanitizer checks that these are strings */
	if ((spec.iv && strlen(spec.iv) >= sizeof(spec.buf)) ||
	    (spec.iv_opts && strlen(spec.iv_opts) >= sizeof(spec.buf)))
		return "IV longer than the specification";
	if (xc_spec_iv_is(&spec, "essiv") && !spec.iv_opts)
		return "essiv without a hash";
	if (aead && xc_spec_iv_is(&spec, "lmk"))
		return "lmk with authentication";
	return NULL;
}

/**
 * line_complaint() - check the invariants of a table line
 * @text: the line
 *
 * Return: NULL, or a message on the violated invariant.
 */
const char *line_complaint(const char *text)
{
	const char *complaint;
	struct line line;

	line_parse(&line, text);
	complaint = error_complaint(line.err, line.error);
	if (!complaint)
		complaint = log_complaint();
	/* what is missing has no value */
	if (!complaint && line.err && line.argc >= 5 && !*kernel_log &&
	    !strstr(line.error, ": missing"))
		complaint = complain("refused without the value in the log: %s",
				     line.error);
	if (!complaint && !line.err) {
		complaint = range_complaint(&line.table, line.len);
		if (!complaint)
			complaint = print_complaint(&line.table, line.len);
	}
	line_free(&line);
	return complaint;
}

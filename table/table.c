// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parsing a table line.  Only the words are checked here; cipher, key and
 * device are looked up later.
 */
#include "table.h"

#include <linux/log2.h>
#include <linux/string.h>

#include "log.h"
#include "words.h"

/* More than the number of options: repeating one is no error. */
#define MAX_OPTIONS 32
/* dm-crypt's limit for metadata of a sector. */
#define MAX_TAG_SIZE 480
#define MAX_SECTOR_SIZE 4096

static bool parse_flag(struct xc_options *opt, const char *word)
{
	unsigned int i;

	for (i = 0; i < XC_FLAGS; i++)
		if (!strcasecmp(word, xc_flag_words[i])) {
			opt->flags |= BIT(i);
			return true;
		}
	return false;
}

/* The value of a "name:value" word; NULL if the word has another name. */
static char *option_value(char *word, const char *name)
{
	size_t len = strlen(name);

	return strncasecmp(word, name, len) ? NULL : word + len;
}

static int parse_integrity(struct xc_options *opt, const char *word,
			   char **error)
{
	const char *value = word + strlen("integrity:");
	unsigned int size;
	const char *profile;

	if (sscanf(word, "integrity:%u:", &size) != 1) {
		*error = "integrity: expected integrity:<bytes>:<aead|none>";
		return -EINVAL;
	}
	if (!size || size > MAX_TAG_SIZE) {
		*error = "integrity: tag size must be 1 to 480 bytes";
		return -EINVAL;
	}
	profile = strchr(value, ':');
	if (profile && !strcasecmp(profile + 1, "aead")) {
		opt->aead = true;
	} else if (!profile || strcasecmp(profile + 1, "none")) {
		*error = "integrity: profile must be aead or none";
		return -EINVAL;
	}
	xc_warn_cut("integrity", value, size);
	opt->tag_size = size;
	return 0;
}

static int parse_mac_key_size(struct xc_options *opt, const char *word,
			      char **error)
{
	char dummy;

	if (sscanf(word, "integrity_key_size:%u%c", &opt->mac_key_size,
		   &dummy) != 1 || !opt->mac_key_size) {
		*error = "integrity_key_size: must be a number of bytes above 0";
		return -EINVAL;
	}
	xc_warn_cut("integrity_key_size", word + strlen("integrity_key_size:"),
		    opt->mac_key_size);
	return 0;
}

static int parse_sector_size(struct xc_options *opt, const char *word,
			     sector_t len, char **error)
{
	unsigned short size;	/* cut to 16 bits, as in dm-crypt */
	char dummy;

	if (sscanf(word, "sector_size:%hu%c", &size, &dummy) != 1 ||
	    size < SECTOR_SIZE || size > MAX_SECTOR_SIZE ||
	    !is_power_of_2(size)) {
		*error = "sector_size: must be 512, 1024, 2048 or 4096";
		return -EINVAL;
	}
	if (len & ((size >> SECTOR_SHIFT) - 1)) {
		*error = "sector_size: length of the mapping is not a multiple of it";
		return -EINVAL;
	}
	xc_warn_cut("sector_size", word + strlen("sector_size:"), size);
	opt->sector_size = size;
	return 0;
}

/*
 * A number of sectors.  As in dm-crypt, it wraps if it does not fit 64 bits; a
 * warning is logged, because that must be a mistake.
 */
static int parse_sectors(const char *argument, const char *word, u64 *value)
{
	unsigned long long sectors;
	char dummy;

	if (sscanf(word, "%llu%c", &sectors, &dummy) != 1) {
		xc_log_value(argument, word);
		return -EINVAL;
	}
	*value = sectors;
	if (kstrtoull(skip_spaces(word), 10, &sectors))
		DMWARN("%s: number does not fit 64 bits, using %llu",
		       argument, *value);
	return 0;
}

/* Index of a value in @words, from @first to @last; negative if none. */
static int find_word(const char *value, const char *const *words,
		     unsigned int first, unsigned int last)
{
	unsigned int i;

	for (i = first; i <= last; i++)
		if (!strcasecmp(value, words[i]))
			return i;
	return -EINVAL;
}

static int parse_offload(struct xc_options *opt, const char *value,
			 char **error)
{
	int found = find_word(value, xc_offload_words, XC_OFFLOAD_AUTO,
			      XC_OFFLOAD_SPREAD);

	if (found < 0) {
		*error = "offload: must be auto, inline or spread";
		return found;
	}
	opt->offload = found;
	return 0;
}

static int parse_engine(struct xc_options *opt, const char *value,
			char **error)
{
	int found = find_word(value, xc_engine_words, XC_ENGINE_AUTO,
			      XC_ENGINE_BATCH);

	if (found < 0) {
		*error = "engine: must be auto, api or batch";
		return found;
	}
	opt->engine = found;
	return 0;
}

static int parse_resilience(struct xc_options *opt, const char *value,
			    char **error)
{
	int found = find_word(value, xc_resilience_words, XC_RESILIENCE_AUTO,
			      XC_RESILIENCE_JOURNAL);

	if (found < 0) {
		*error = "rekey_resilience: must be auto, checksum or journal";
		return found;
	}
	opt->resilience = found;
	return 0;
}

/* ---- the words of a conversion ------------------------------------------- */

/*
 * The keyring, or the table in use: a hex key in this place would be shown to
 * all of root.
 */
static int parse_rekey_key(struct xc_new_side *side, char *value, char **error)
{
	if (*value != ':' && strcmp(value, "-") && strcmp(value, "=")) {
		*error = "rekey_key: must be in the keyring, :<size>:<type>:<description>, or =";
		return -EINVAL;
	}
	side->key = value;
	return 0;
}

static int parse_rekey_sector_size(struct xc_new_side *side, const char *value,
				   sector_t len, char **error)
{
	unsigned int size;

	if (kstrtouint(value, 10, &size) || size < SECTOR_SIZE ||
	    size > MAX_SECTOR_SIZE || !is_power_of_2(size)) {
		*error = "rekey_sector_size: must be 512, 1024, 2048 or 4096";
		return -EINVAL;
	}
	if (len & ((size >> SECTOR_SHIFT) - 1)) {
		*error = "rekey_sector_size: length of the mapping is not a multiple of it";
		return -EINVAL;
	}
	side->sector_size = size;
	return 0;
}

static int parse_rekey_iv_offset(struct xc_new_side *side, const char *value,
				 char **error)
{
	unsigned long long sectors;

	if (kstrtoull(value, 10, &sectors)) {
		*error = "rekey_iv_offset: must be a number of 512-byte sectors";
		return -EINVAL;
	}
	side->iv_offset = sectors;
	side->has_iv_offset = true;
	return 0;
}

/* A word with a value; -ENOENT for another word. */
static int parse_new_side(struct xc_table *table, char *word, sector_t len,
			  char **error)
{
	struct xc_new_side *side = &table->rekey;
	char *value = option_value(word, "rekey_state:");

	if (value) {
		side->state = value;
		return 0;
	}
	value = option_value(word, "rekey_key:");
	if (value)
		return parse_rekey_key(side, value, error);
	value = option_value(word, "rekey_cipher:");
	if (value) {
		side->cipher = value;
		return 0;
	}
	value = option_value(word, "rekey_sector_size:");
	if (value)
		return parse_rekey_sector_size(side, value, len, error);
	value = option_value(word, "rekey_iv_offset:");
	if (value)
		return parse_rekey_iv_offset(side, value, error);
	value = option_value(word, "rekey_resilience:");
	if (value)
		return parse_resilience(&table->opt, value, error);
	return -ENOENT;
}

/* Two words of a conversion are needed, or none. */
static int check_rekey(const struct xc_table *table, char **error)
{
	static const unsigned long flags = BIT(XC_REKEY_START) |
		BIT(XC_REKEY_PAUSED) | BIT(XC_REKEY_IV_LARGE_SECTORS) |
		BIT(XC_REKEY_SPARSE);
	const struct xc_new_side *side = &table->rekey;

	if (!side->state && (side->key || side->cipher || side->sector_size ||
			     side->has_iv_offset || table->opt.resilience ||
			     table->opt.flags & flags)) {
		*error = "rekey_state: missing, every conversion needs it";
		return -EINVAL;
	}
	if (!side->state)
		return 0;
	if (!side->key) {
		*error = "rekey_key: missing, every conversion needs it";
		return -EINVAL;
	}
	if (!strcmp(side->key, "=") && xc_opt(&table->opt, XC_REKEY_START)) {
		*error = "rekey_key: = only continues a conversion, not with rekey_start";
		xc_log_value("rekey_key", side->key);
		return -EINVAL;
	}
	return 0;
}

static int check_new_iv_offset(const struct xc_table *table, char **error)
{
	const struct xc_new_side *side = &table->rekey;
	unsigned int size = side->sector_size ?: table->opt.sector_size;
	u64 sectors = side->has_iv_offset ? side->iv_offset : table->iv_offset;

	if (!(sectors & ((size >> SECTOR_SHIFT) - 1)))
		return 0;
	*error = side->has_iv_offset ?
		"rekey_iv_offset: must be a multiple of the new sector_size" :
		"iv_offset: must be a multiple of rekey_sector_size";
	return -EINVAL;
}

/* ---- the options --------------------------------------------------------- */

static int parse_option(struct xc_table *table, char *word, sector_t len,
			char **error)
{
	struct xc_options *opt = &table->opt;
	char *value;
	int err;

	if (parse_flag(opt, word))
		return 0;
	if (strstarts(word, "integrity:"))
		return parse_integrity(opt, word, error);
	if (strstarts(word, "integrity_key_size:"))
		return parse_mac_key_size(opt, word, error);
	if (strstarts(word, "sector_size:"))
		return parse_sector_size(opt, word, len, error);
	value = option_value(word, "offload:");
	if (value)
		return parse_offload(opt, value, error);
	value = option_value(word, "engine:");
	if (value)
		return parse_engine(opt, value, error);

	err = parse_new_side(table, word, len, error);
	if (err == -ENOENT) {
		*error = "option: unknown optional parameter";
		err = -EINVAL;
	}
	return err;
}

/* Several options of one name: the last one is in effect. */
static void warn_repeated(const char *word, const struct dm_arg_set *after,
			  unsigned int count)
{
	const char *colon = strchr(word, ':');
	unsigned int i;

	for (i = 0; colon && i < count; i++)
		if (!strncasecmp(word, after->argv[i], colon + 1 - word) &&
		    strcasecmp(word, after->argv[i]))
			DMWARN("option: %s has no effect, another of that name follows",
			       word);
}

static int parse_options(struct xc_table *table, unsigned int argc,
			 char **argv, sector_t len, char **error)
{
	static const struct dm_arg count_arg = {
		0, MAX_OPTIONS, "#opts: must be the number of optional parameters that follow"
	};
	struct dm_arg_set args = { .argc = argc, .argv = argv };
	unsigned int count;
	char *word;
	int err;

	err = dm_read_arg_group(&count_arg, &args, &count, error);
	if (err) {
		xc_log_value("#opts", argv[0]);
		return err;
	}
	xc_warn_cut("#opts", argv[0], count);

	while (count--) {
		word = (char *)dm_shift_arg(&args);
		err = parse_option(table, word, len, error);
		if (err) {
			xc_log_value("option", word);
			return err;
		}
		warn_repeated(word, &args, count);
	}
	if (args.argc)
		DMWARN("%u surplus words at the end of the table line are ignored",
		       args.argc);
	return 0;
}

/**
 * xc_table_parse() - parse a table line
 * @table: set to its parts
 * @argc: number of words after the target's name
 * @argv: these words
 * @len: length of the target in 512-byte sectors
 * @error: set to a message on failure, which begins with the argument's name
 *
 * Logs the value of a refused argument, but not the key.
 *
 * Context: Process context.
 * Return: 0, or -EINVAL with @error set.
 */
int xc_table_parse(struct xc_table *table, unsigned int argc, char **argv,
		   sector_t len, char **error)
{
	unsigned int mask;
	u64 start;
	int err;

	memset(table, 0, sizeof(*table));
	table->opt.sector_size = SECTOR_SIZE;

	if (argc < 5) {
		*error = "too few arguments: expected <cipher> <key> <iv_offset> <device> <offset>";
		return -EINVAL;
	}
	table->cipher = argv[0];
	table->key = argv[1];
	table->device = argv[3];

	if (argc > 5) {
		err = parse_options(table, argc - 5, argv + 5, len, error) ?:
			check_rekey(table, error);
		if (err)
			return err;
	}
	mask = (table->opt.sector_size >> SECTOR_SHIFT) - 1;

	if (parse_sectors("iv_offset", argv[2], &table->iv_offset)) {
		*error = "iv_offset: must be a number of 512-byte sectors";
		return -EINVAL;
	}
	if (table->iv_offset & mask) {
		*error = "iv_offset: must be a multiple of sector_size";
		xc_log_value("iv_offset", argv[2]);
		return -EINVAL;
	}

	if (parse_sectors("offset", argv[4], &start) ||
	    start != (sector_t)start) {
		*error = "offset: must be a number of 512-byte sectors";
		return -EINVAL;
	}
	table->start = start;
	if (table->start & mask)
		DMWARN("offset: %llu is not a multiple of sector_size",
		       start);

	err = check_new_iv_offset(table, error);
	if (err)
		xc_log_refused(argc, argv, *error);
	return err;
}

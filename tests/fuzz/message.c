// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fuzzer (libFuzzer) of table/message.c: the input is a message.  It aborts
 * if the message is parsed wrongly, or if anything is logged: any word may be a
 * key.
 */
#include <stdlib.h>

#include "line.h"
#include "table/message.h"

/* The entry point of libFuzzer. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* The words, each followed by a space, for output and comparison. */
static char *join(unsigned int argc, char **argv)
{
	size_t used = 0, room = 1;
	unsigned int i;
	char *text;

	for (i = 0; i < argc; i++)
		room += strlen(argv[i]) + 1;
	text = malloc(room);
	for (i = 0; i < argc; i++)
		used += sprintf(text + used, "%s ", argv[i]);
	text[used] = '\0';
	return text;
}

/* "auto", or digits, perhaps after a plus, of a number of 32 bits but the greatest. */
static bool is_speed(const char *word)
{
	const char *digits = word + (*word == '+');

	if (!strcasecmp(word, "auto"))
		return true;
	return *digits && strspn(digits, "0123456789") == strlen(digits) &&
		strtod(digits, NULL) < UINT_MAX;
}

/* The action of a message according to the documentation. */
static int meaning(unsigned int argc, char **argv)
{
	static const struct {
		int action;
		unsigned int argc;
		const char *words[3];
	} all[] = {
		{ XC_STATS, 1, { "stats" } },
		{ XC_KEY_WIPE, 2, { "key", "wipe" } },
		{ XC_KEY_SET, 3, { "key", "set" } },
		{ XC_REKEY_KEY_SET, 4, { "rekey", "key", "set" } },
		{ XC_REKEY_PAUSE, 2, { "rekey", "pause" } },
		{ XC_REKEY_CONTINUE, 2, { "rekey", "resume" } },
		{ XC_REKEY_SKIP, 3, { "rekey", "resume", "skip" } },
	};
	unsigned int i, word;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i].argc != argc)
			continue;
		for (word = 0; word < 3 && all[i].words[word]; word++)
			if (strcasecmp(argv[word], all[i].words[word]))
				break;
		if (word == 3 || !all[i].words[word])
			return all[i].action;
	}
	if (argc == 3 && !strcasecmp(argv[0], "rekey") &&
	    !strcasecmp(argv[1], "speed") && is_speed(argv[2]))
		return XC_REKEY_SPEED;
	return -EINVAL;
}

static void demand(bool good, const char *what, const char *text)
{
	if (good)
		return;
	fprintf(stderr, "%s: \"%s\"\n", what, text);
	abort();
}

static void try(unsigned int argc, char **argv)
{
	char *before = join(argc, argv), *error = NULL, *after;
	int is = meaning(argc, argv), err;
	struct xc_message message;

	memset(&message, 0xa5, sizeof(message));
	kernel_log_clear();
	err = xc_message_parse(&message, argc, argv, &error);
	demand(!*kernel_log, "logged", before);
	demand(err == 0 || err == -EINVAL, "neither taken nor refused", before);
	demand(!err == !error, "error without refusal, or the reverse", before);
	demand((err ?: (int)message.action) == is, "misunderstood", before);
	if (!err)
		demand(message.key == (is == XC_KEY_SET ? argv[2] :
				       is == XC_REKEY_KEY_SET ? argv[3] : NULL),
		       "wrong key", before);
	after = join(argc, argv);
	demand(!strcmp(before, after), "changed", before);
	free(before);
	free(after);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *text = malloc(size + 1);
	unsigned int argc;
	char **argv;

	memcpy(text, data, size);
	text[size] = '\0';
	argv = words_split(text, &argc);
	try(argc, argv);
	words_free(argc, argv);
	free(text);
	return 0;
}

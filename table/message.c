// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parsing a message:
 *
 *	stats
 *	key set <key>
 *	key wipe
 *	rekey key set <key>
 *	rekey pause
 *	rekey resume
 *	rekey resume skip
 *	rekey speed <KiB/s>|auto
 */
#include "message.h"

#include <linux/string.h>

static bool is(const char *word, const char *expected)
{
	return !strcasecmp(word, expected);
}

static int parse_key(struct xc_message *message, unsigned int argc,
		     char **argv, char **error)
{
	if (argc == 2 && is(argv[0], "set")) {
		message->action = XC_KEY_SET;
		message->key = argv[1];
	} else if (argc == 1 && is(argv[0], "wipe")) {
		message->action = XC_KEY_WIPE;
	} else {
		*error = "key: not \"key set <key>\" or \"key wipe\"";
		return -EINVAL;
	}
	return 0;
}

static int parse_speed(const char *word, unsigned int *speed)
{
	if (is(word, "auto"))
		*speed = XC_SPEED_AUTO;
	else if (kstrtouint(word, 10, speed) || *speed == XC_SPEED_AUTO)
		return -EINVAL;
	return 0;
}

static int parse_rekey(struct xc_message *message, unsigned int argc,
		       char **argv, char **error)
{
	if (argc == 1 && is(argv[0], "pause")) {
		message->action = XC_REKEY_PAUSE;
	} else if (argc == 1 && is(argv[0], "resume")) {
		message->action = XC_REKEY_CONTINUE;
	} else if (argc == 2 && is(argv[0], "resume") && is(argv[1], "skip")) {
		message->action = XC_REKEY_SKIP;
	} else if (argc == 2 && is(argv[0], "speed")) {
		message->action = XC_REKEY_SPEED;
		if (parse_speed(argv[1], &message->speed)) {
			*error = "rekey speed: must be a number of KiB/s, 0 for no limit, or auto";
			return -EINVAL;
		}
	} else if (argc == 3 && is(argv[0], "key") && is(argv[1], "set")) {
		message->action = XC_REKEY_KEY_SET;
		message->key = argv[2];
	} else {
		*error = "rekey: not pause, resume [skip], speed <KiB/s>|auto or key set <key>";
		return -EINVAL;
	}
	return 0;
}

/**
 * xc_message_parse() - parse a message
 * @message: set to the parsed message
 * @argc: number of its words
 * @argv: these words; none is logged, as any of them may be a key
 * @error: set to a message on failure
 *
 * Context: Any context.
 * Return: 0, or -EINVAL with @error set.
 */
int xc_message_parse(struct xc_message *message, unsigned int argc,
		     char **argv, char **error)
{
	memset(message, 0, sizeof(*message));
	if (argc == 1 && is(argv[0], "stats")) {
		message->action = XC_STATS;
		return 0;
	}
	if (argc > 1 && is(argv[0], "key"))
		return parse_key(message, argc - 1, argv + 1, error);
	if (argc > 1 && is(argv[0], "rekey"))
		return parse_rekey(message, argc - 1, argv + 1, error);
	*error = "not \"stats\", \"key set <key>\", \"key wipe\" or \"rekey ...\"";
	return -EINVAL;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parsing a message:
 *
 *	stats
 *	key set <key>
 *	key wipe
 */
#include "message.h"

#include <linux/string.h>

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
	bool key = argc > 1 && !strcasecmp(argv[0], "key");

	memset(message, 0, sizeof(*message));
	if (argc == 1 && !strcasecmp(argv[0], "stats")) {
		message->action = XC_STATS;
	} else if (key && argc == 3 && !strcasecmp(argv[1], "set")) {
		message->action = XC_KEY_SET;
		message->key = argv[2];
	} else if (key && argc == 2 && !strcasecmp(argv[1], "wipe")) {
		message->action = XC_KEY_WIPE;
	} else {
		*error = "not \"stats\", \"key set <key>\" or \"key wipe\"";
		return -EINVAL;
	}
	return 0;
}

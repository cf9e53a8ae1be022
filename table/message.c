// SPDX-License-Identifier: GPL-2.0-only
/*
 * A message, from words to what is to be done:
 *
 *	stats
 *	key set <key>
 *	key wipe
 */
#include <linux/string.h>

#include "../dm-xcrypt.h"

/**
 * xc_message_parse() - take a message apart
 * @message: where to put what it asks for
 * @argc: number of its words
 * @argv: these words; none of them is logged, a key may stand anywhere
 * @error: where to put what is wrong
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

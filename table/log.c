// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a table line's words goes to the kernel log: those that were refused,
 * and numbers that were taken for others; never a key.
 */
#include <linux/ctype.h>
#include <linux/string.h>

#include "../dm-xcrypt.h"

/* A key that slipped into another argument's place must not reach the log. */
static bool looks_like_key(const char *value)
{
	unsigned int digits = 0, letters = 0;
	/* 64 bits of hex digits may be in a disk's name, and serial numbers */
	bool path = *value == '/';

	for (; *value; value++) {
		if (!isxdigit(*value)) {
			digits = 0;
			letters = 0;
			continue;
		}
		digits++;
		letters += !isdigit(*value);
		/* 64 bits, if it is no decimal number, or 128 bits */
		if ((digits >= 16 && letters && !path) || digits >= 32)
			return true;
	}
	return false;
}

/**
 * xc_log_value() - put the value of a refused argument in the kernel log
 * @argument: name of the argument; not the key
 * @value: the value
 *
 * Context: Any context.
 */
void xc_log_value(const char *argument, const char *value)
{
	if (looks_like_key(value))
		DMERR("%s: value not shown, it looks like a key", argument);
	else
		DMERR("%s: \"%.128s\"", argument, value);
}

/**
 * xc_log_refused() - log the argument that an error is about
 * @argc: number of words of a table line that xc_table_parse() found good
 * @argv: these words
 * @error: what is wrong all the same; begins with the name of the argument,
 *	which is not logged if it is the key
 *
 * Context: Any context.
 */
void xc_log_refused(unsigned int argc, char **argv, const char *error)
{
	size_t len = strcspn(error, ":") + 1;
	unsigned int i;

	if (strstarts(error, "cipher:"))
		xc_log_value("cipher", argv[0]);
	if (strstarts(error, "device:"))
		xc_log_value("device", argv[3]);
	/* of an option that is given twice the last counts */
	for (i = argc; i-- > 6;)
		if (!strncasecmp(argv[i], error, len)) {
			xc_log_value("option", argv[i]);
			return;
		}
}

/**
 * xc_warn_cut() - say so if a number was too long for its variable
 * @argument: name of the argument
 * @digits: the number as it is in the table line; what follows does not matter
 * @value: what was made of it, as in dm-crypt; that can only be a slip
 *
 * Context: Any context.
 */
void xc_warn_cut(const char *argument, const char *digits, unsigned int value)
{
	char text[sizeof("4294967295")];
	size_t len = snprintf(text, sizeof(text), "%u", value);

	digits = skip_spaces(digits);
	while (digits[0] == '0' && isdigit(digits[1]))
		digits++;
	if (strspn(digits, "0123456789") != len || strncmp(digits, text, len))
		DMWARN("%s: number is too large, %s is used", argument, text);
}

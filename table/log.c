// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words of a table line for the kernel log: arguments that were refused, and
 * numbers that were cut.  A key is never logged.
 */
#include "log.h"

#include <linux/ctype.h>
#include <linux/string.h>

/* A key given in place of another argument must not reach the log. */
static bool looks_like_key(const char *value)
{
	unsigned int digits = 0, letters = 0;
	/* a disk's name or serial number may hold 64 bits of hex digits */
	bool path = *value == '/';

	for (; *value; value++) {
		if (!isxdigit(*value)) {
			digits = 0;
			letters = 0;
			continue;
		}
		digits++;
		letters += !isdigit(*value);
		/* 64 bits if not a decimal number, or 128 bits */
		if ((digits >= 16 && letters && !path) || digits >= 32)
			return true;
	}
	return false;
}

/**
 * xc_log_value() - log the value of a refused argument
 * @argument: name of the argument; not the key
 * @value: the value
 *
 * Context: Any context.
 */
void xc_log_value(const char *argument, const char *value)
{
	if (looks_like_key(value) || !strncasecmp(value, "rekey_key:", 10))
		DMERR("%s: value not shown because it may be a key", argument);
	else
		DMERR("%s: \"%.128s\"", argument, value);
}

/**
 * xc_log_refused() - log the argument that an error is about
 * @argc: number of words of a table line, at least five
 * @argv: these words
 * @error: the error; begins with the name of the argument, whose value is not
 *	logged if it is the key
 *
 * Context: Any context.
 */
void xc_log_refused(unsigned int argc, char **argv, const char *error)
{
	size_t len = strcspn(error, ":") + 1;
	unsigned int i;

	if (strstarts(error, "cipher:"))
		xc_log_value("cipher", argv[0]);
	if (strstarts(error, "iv_offset:"))
		xc_log_value("iv_offset", argv[2]);
	if (strstarts(error, "device:"))
		xc_log_value("device", argv[3]);
	/* the last of several options of one name is in effect */
	for (i = argc; i-- > 6;)
		if (!strncasecmp(argv[i], error, len)) {
			xc_log_value("option", argv[i]);
			return;
		}
}

/**
 * xc_warn_cut() - warn if a number was too large for its variable
 * @argument: name of the argument
 * @digits: the number in the table line, and the text after it
 * @value: the value used, cut as in dm-crypt
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
		DMWARN("%s: number too large, using %s", argument, text);
}

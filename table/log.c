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

	/* the names of disks have long numbers in them */
	if (*value == '/')
		return false;

	for (; *value; value++) {
		if (!isxdigit(*value)) {
			digits = 0;
			letters = 0;
			continue;
		}
		digits++;
		letters += !isdigit(*value);
		/* 64 bits, if it is no decimal number, or 128 bits */
		if ((digits >= 16 && letters) || digits >= 32)
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
 * xc_log_refused() - log the argument of a table line that an error is about
 * @argc: number of words after the target's name
 * @argv: these words
 * @error: what is wrong, beginning with the argument's name and a colon; the
 *	key's is not logged
 *
 * Context: Any context.
 */
void xc_log_refused(unsigned int argc, char **argv, const char *error)
{
	static const char *const names[] = {
		"cipher", NULL, "iv_offset", "device", "offset", "#opts"
	};
	size_t len = strcspn(error, ":");
	unsigned int i;

	for (i = 0; i < argc && i < ARRAY_SIZE(names); i++)
		if (names[i] && strlen(names[i]) == len &&
		    !strncmp(names[i], error, len))
			xc_log_value(names[i], argv[i]);
	/* an option's word begins as the error does */
	for (; i < argc; i++)
		if (error[len] && !strncasecmp(argv[i], error, len + 1))
			xc_log_value("option", argv[i]);
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
	unsigned long long whole;
	char rest;

	if (sscanf(digits, "%llu%c", &whole, &rest) >= 1 && whole != value)
		DMWARN("%s: number is too large, %u is used", argument, value);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counted checks, for programs of unit tests.
 */
#include <stdarg.h>
#include <stdio.h>

#include "check.h"

static unsigned int checks, failures;

/**
 * check() - count a check, and print a message if it failed
 * @good: the check passed
 * @format: the message, as for printf()
 */
void check(bool good, const char *format, ...)
{
	va_list args;

	checks++;
	if (good)
		return;
	failures++;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/**
 * checks_result() - print the number of checks and of failures
 * @name: name of the tested group
 *
 * Return: the program's exit status: 1 if a check failed, or if there was none.
 */
int checks_result(const char *name)
{
	printf("%s: %u checks, %u failed\n", name, checks, failures);
	return failures || !checks;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counted checks, for programs of unit tests.
 */
#include <stdarg.h>
#include <stdio.h>

#include "check.h"

static unsigned int checks, failures;

/**
 * check() - one check; what went wrong is said only if it did
 * @good: did it go well?
 * @format: what is wrong otherwise, as for printf()
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
 * checks_result() - say how many checks there were, and how many went wrong
 * @name: what was checked
 *
 * Return: the program's exit status: 1 if one went wrong, or if there was none.
 */
int checks_result(const char *name)
{
	printf("%s: %u checks, %u failed\n", name, checks, failures);
	return failures || !checks;
}

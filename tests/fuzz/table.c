// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fuzzer (libFuzzer) of table/: the input is a table line.  It aborts if an
 * invariant of all lines is violated, see line_complaint().
 */
#include <stdlib.h>

#include "line.h"

/* The entry point of libFuzzer. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void demand(const char *complaint)
{
	if (!complaint)
		return;
	fprintf(stderr, "%s\n", complaint);
	abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct line line;
	char *text;

	text = malloc(size + 1);
	memcpy(text, data, size);
	text[size] = '\0';

	/* use the sscanf() of either kernel */
	kernel_scan_saturates = size & 1;
	demand(line_complaint(text));

	line_parse(&line, text);
	if (line.argc) {
		demand(spec_complaint(line.argv[0], false));
		demand(spec_complaint(line.argv[0], true));
	}
	line_free(&line);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table line in user space: split as device mapper does, parsed and printed
 * by table/, and checked against the invariants of all lines.
 */
#ifndef _XC_HOST_LINE_H
#define _XC_HOST_LINE_H

#include "table/table.h"

/**
 * struct line - a table line, "<start> <length> <target> <argument>...", parsed
 * @len: the length
 * @argc: number of arguments
 * @argv: the arguments, each in its own memory
 * @err: return value of xc_table_parse()
 * @error: its message; NULL: none
 * @table: the parsed table
 */
struct line {
	u64 len;
	unsigned int argc;
	char **argv;
	int err;
	char *error;
	struct xc_table table;
};

char **words_split(const char *text, unsigned int *argc);
void words_free(unsigned int argc, char **argv);
void line_parse(struct line *line, const char *text);
void line_free(struct line *line);
char *line_options(const struct xc_options *opt);
char *line_print(const struct xc_table *table);
char *line_print_ima(const struct xc_table *table);
const char *line_complaint(const char *text);
const char *spec_complaint(const char *text, bool aead);

#endif

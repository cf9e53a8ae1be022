/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Printing the options of a table line.
 */
#ifndef _XC_PRINT_H
#define _XC_PRINT_H

#include "options.h"

unsigned int xc_options_print(const struct xc_options *opt, char *result,
			      unsigned int maxlen);
unsigned int xc_options_print_ima(const struct xc_options *opt, char *result,
				  unsigned int maxlen);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the unit tests of table/ have in common. */
#ifndef _XC_HOST_CHECK_H
#define _XC_HOST_CHECK_H

#include "dm-xcrypt.h"

void __printf(2, 3) check(bool good, const char *format, ...);

void test_specs(void);
void test_spec_refusals(void);

#endif

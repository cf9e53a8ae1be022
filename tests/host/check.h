/* SPDX-License-Identifier: GPL-2.0-only */
/* Counted checks, for programs of unit tests. */
#ifndef _XC_HOST_CHECK_H
#define _XC_HOST_CHECK_H

#include "kernel.h"

void __printf(2, 3) check(bool good, const char *format, ...);
int checks_result(const char *name);

#endif

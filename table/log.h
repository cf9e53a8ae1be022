/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Logging words of a table line, but never a key.
 */
#ifndef _XC_LOG_H
#define _XC_LOG_H

#include "../dm-xcrypt.h"

void xc_log_value(const char *argument, const char *value);
void xc_log_refused(unsigned int argc, char **argv, const char *error);
void xc_warn_cut(const char *argument, const char *digits, unsigned int value);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The spelling of the options of a table line.
 */
#ifndef _XC_WORDS_H
#define _XC_WORDS_H

#include "options.h"

extern const char *const xc_flag_words[XC_FLAGS];
extern const char *const xc_offload_words[];
extern const char *const xc_engine_words[];
extern const char *const xc_resilience_words[];

#endif

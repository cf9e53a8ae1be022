// SPDX-License-Identifier: GPL-2.0-only
/* Compiled separately, because it shares names with other files. */
#include "../../cipher/batch_check.c"

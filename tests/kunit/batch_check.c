// SPDX-License-Identifier: GPL-2.0-only
/* By itself, for names that it shares with others. */
#include "../../cipher/batch_check.c"

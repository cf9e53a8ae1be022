// SPDX-License-Identifier: GPL-2.0-only
/* By itself, for the compiler's options that it needs. */
#include "../../cipher/xts_vaes.c"

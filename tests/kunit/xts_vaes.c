// SPDX-License-Identifier: GPL-2.0-only
/* Compiled separately, because it needs its own compiler options. */
#include "../../cipher/xts_vaes.c"

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conversions while the system sleeps.
 */
#ifndef _XC_SLEEP_H
#define _XC_SLEEP_H

int xc_sleep_init(void);
void xc_sleep_exit(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The status of a volume, printed.
 */
#ifndef _XC_STATUS_H
#define _XC_STATUS_H

struct xc_volume;

void xc_status_print(const struct xc_volume *vol, char *result,
		     unsigned int maxlen);
void xc_times_print(const struct xc_volume *vol, char *result,
		    unsigned int maxlen);

#endif

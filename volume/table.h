/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A volume, printed as a table line.
 */
#ifndef _XC_VOLUME_TABLE_H
#define _XC_VOLUME_TABLE_H

struct target_type;
struct xc_volume;

void xc_table_print(const struct xc_volume *vol, char *result,
		    unsigned int maxlen);
void xc_ima_print(const struct xc_volume *vol, const struct target_type *type,
		  char *result, unsigned int maxlen);

#endif

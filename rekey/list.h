/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list of sectors that were skipped, in a slot.  No I/O.
 */
#ifndef _XC_LIST_H
#define _XC_LIST_H

#include "format.h"
#include "../io/ranges.h"

void xc_list_record(struct xc_slot *slot, struct xc_superblock *super,
		    const struct xc_ranges *list);
bool xc_list_get(const struct xc_slot *slot, const struct xc_superblock *super,
		 struct xc_ranges *list);

#endif

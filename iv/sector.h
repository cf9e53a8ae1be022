/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The data of a sector, for IV generators that need it.
 */
#ifndef _XC_SECTOR_H
#define _XC_SECTOR_H

#include <linux/highmem.h>
#include <linux/scatterlist.h>

/**
 * xc_sector_map() - map a sector into the kernel's address space
 * @sg: a sector in one page
 *
 * Context: Any context.  Unmap with kunmap_local(), in reverse order.
 * Return: address of the sector's first byte.
 */
static inline void *xc_sector_map(struct scatterlist *sg)
{
	return kmap_local_page(sg_page(sg)) + sg->offset;
}

#endif

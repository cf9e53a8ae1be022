/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults that the tests inject.  Without XC_DEBUG nothing ever fails.
 */
#ifndef _XC_INJECT_H
#define _XC_INJECT_H

#include <linux/types.h>

#ifdef XC_DEBUG
bool xc_inject_failure(gfp_t gfp);
bool xc_inject_tags_failure(void);
unsigned int xc_inject_batch_sectors(unsigned int sectors);
void xc_inject_init(void);
void xc_inject_exit(void);
#else
static inline bool xc_inject_failure(gfp_t gfp)
{
	return false;
}

static inline bool xc_inject_tags_failure(void)
{
	return false;
}

static inline unsigned int xc_inject_batch_sectors(unsigned int sectors)
{
	return sectors;
}

static inline void xc_inject_init(void)
{
}

static inline void xc_inject_exit(void)
{
}
#endif

#endif

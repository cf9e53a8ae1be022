/* SPDX-License-Identifier: GPL-2.0-only */
/* Groups of unit tests that are in spec.c. */
#ifndef _XC_HOST_SPEC_H
#define _XC_HOST_SPEC_H

void test_specs(void);
void test_spec_refusals(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pace of a conversion.
 */
#ifndef _XC_PACE_H
#define _XC_PACE_H

#include "../dm-xcrypt.h"

/**
 * struct xc_pace - how fast a conversion is, and may be
 * @speed: limit in KiB/s; 0: none; or %XC_SPEED_AUTO
 * @counted: the limit that @since and @sectors are for
 * @since: when it began to count, in ns
 * @sectors: sectors converted since
 * @passed: xc_gate.passed when the converter last looked
 * @rest_until: when it goes on, in ns, after users came
 * @written: length of the batch that was last written, in sectors
 * @write_ns: what its writing took
 * @commit_ns: what the last commit took
 */
struct xc_pace {
	unsigned int speed;
	unsigned int counted;
	u64 since;
	u64 sectors;
	u64 passed;
	u64 rest_until;
	unsigned int written;
	u64 write_ns;
	u64 commit_ns;
};

bool xc_pace_is_in_use(struct xc_pace *pace, u64 passed);
u64 xc_pace_delay_ms(struct xc_pace *pace);
u64 xc_pace_sectors(const struct xc_pace *pace);

#endif

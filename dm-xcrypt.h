/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dm-xcrypt: transparent encryption of block devices.  What every file shares.
 *
 * Each file or folder has a header of its own, with what others may use of it.
 * scripts/lint.d/arrows.txt says which folder may include which.
 *
 * Units: sector numbers and lengths of type sector_t are in 512-byte sectors.
 * An encryption sector is what the cipher processes at a time, sector_size bytes
 * (512 to 4096); the XTS standard calls it a data unit.
 */
#ifndef _DM_XCRYPT_H
#define _DM_XCRYPT_H

#include <linux/device-mapper.h>
#include <linux/types.h>

#include "compat/compat.h"

#define DM_MSG_PREFIX "xcrypt"

#endif

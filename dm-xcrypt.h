/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dm-xcrypt: transparent encryption of block devices.  Shared by all files.
 *
 * Each file or folder has its own header, which declares its interface.
 * scripts/lint.d/arrows.txt lists the includes allowed between folders.
 *
 * Units: sector numbers and lengths of type sector_t are in 512-byte sectors.
 * An encryption sector is the unit of the cipher, sector_size bytes (512 to
 * 4096); the XTS standard calls it a data unit.
 */
#ifndef _DM_XCRYPT_H
#define _DM_XCRYPT_H

#include <linux/device-mapper.h>
#include <linux/types.h>

#include "compat/compat.h"

#define DM_MSG_PREFIX "xcrypt"

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A volume: a mapped device, or one segment of it.
 */
#ifndef _XC_VOLUME_H
#define _XC_VOLUME_H

#include <linux/list.h>
#include <linux/mutex.h>

#include "../io/device.h"

/**
 * struct xc_volume - a volume, the private data of a target
 * @dev: its I/O side
 * @ti: the target
 * @suspended: no bio is in flight, so that the key may be changed
 * @key_lock: protects @suspended and the key of dev.cipher.  The key of a volume
 *	with a @place changes only under xc_places_lock() as well, so that
 *	either lock is enough to read it.
 * @place: entry in a list of volume/place.c
 */
struct xc_volume {
	struct xc_device dev;
	struct dm_target *ti;
	bool suspended;
	struct mutex key_lock;	/* suspended, dev.cipher's key and key_valid */
	struct list_head place;
};

#endif

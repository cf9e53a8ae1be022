// SPDX-License-Identifier: GPL-2.0-only
/*
 * Setting up and tearing down the I/O side of a volume.
 */
#include "init.h"

#include <linux/blkdev.h>

#include "buffer.h"
#include "device.h"
#include "gate.h"
#include "io.h"
#include "phase.h"
#include "queue.h"
#include "tags.h"
#include "../cipher/cipher.h"
#include "../stats/stats.h"

static unsigned int unit_size(const struct xc_device *dev)
{
	unsigned int size = dev->cipher->sector_size;

	return dev->gate ? max(size, dev->gate->new->sector_size) : size;
}

static unsigned int request_size(const struct xc_device *dev)
{
	const struct xc_cipher *cipher = dev->cipher;
	unsigned int size = cipher->engine->request_size(cipher);

	if (!dev->gate)
		return size;
	cipher = dev->gate->new;
	return max(size, cipher->engine->request_size(cipher));
}

/**
 * xc_device_init() - set up the I/O side of a volume
 * @dev: the I/O side, with lower, start, opt, cipher and gate; else zero
 * @name: name of the mapped device, for the names of workqueues
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set and nothing left to undo.
 */
int xc_device_init(struct xc_device *dev, const char *name, char **error)
{
	int err;

	dev->unit = unit_size(dev);
	dev->ordered = bdev_is_zoned(dev->lower->bdev);
	dev->sorted = !dev->ordered && bdev_rot(dev->lower->bdev) &&
		!xc_opt(&dev->opt, XC_SUBMIT_FROM_CRYPT_CPUS) &&
		!xc_opt(&dev->opt, XC_NO_WRITE_WORKQUEUE);
	dev->io_size = ALIGN(sizeof(struct xc_io) + request_size(dev),
			     ARCH_DMA_MINALIGN);

	dev->stats = alloc_percpu(struct xc_stats);
	dev->times = alloc_percpu(struct xc_times);
	if (!dev->stats || !dev->times) {
		*error = "out of memory for counters";
		err = -ENOMEM;
		goto counters;
	}
	err = xc_buffers_init(dev, error);
	if (err)
		goto buffers;
	err = xc_tags_init(dev, error);
	if (err)
		goto tags;
	err = xc_queues_init(dev, name, error);
	if (err)
		goto queues;
	if (dev->gate)
		dev->gate->wq = dev->crypt_wq;
	return 0;

queues:
	xc_queues_exit(dev);
tags:
	xc_tags_exit(dev);
buffers:
	xc_buffers_exit(dev);
counters:
	free_percpu(dev->times);
	free_percpu(dev->stats);
	return err;
}

/**
 * xc_device_exit() - undo xc_device_init()
 * @dev: the I/O side; no bio may be in flight
 *
 * Context: Process context.  May sleep.
 */
void xc_device_exit(struct xc_device *dev)
{
	xc_queues_exit(dev);
	xc_tags_exit(dev);
	xc_buffers_exit(dev);
	free_percpu(dev->times);
	free_percpu(dev->stats);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A volume's resources for I/O, together.
 */
#include "../dm-xcrypt.h"

/**
 * xc_volume_init() - set up what a volume needs for I/O
 * @vol: the volume, with device, options and cipher
 * @name: name of the mapped device, for the workqueues' names
 * @error: where to put what is wrong
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set and nothing left to undo.
 */
int xc_volume_init(struct xc_volume *vol, const char *name, char **error)
{
	int err;

	vol->ordered = bdev_is_zoned(vol->dev->bdev);
	vol->sorted = !vol->ordered && bdev_rot(vol->dev->bdev) &&
		!xc_opt(&vol->opt, XC_SUBMIT_FROM_CRYPT_CPUS) &&
		!xc_opt(&vol->opt, XC_NO_WRITE_WORKQUEUE);
	vol->io_size = ALIGN(sizeof(struct xc_io) +
			     vol->cipher->engine->request_size(vol->cipher),
			     ARCH_DMA_MINALIGN);

	vol->stats = alloc_percpu(struct xc_stats);
	vol->times = alloc_percpu(struct xc_times);
	if (!vol->stats || !vol->times) {
		*error = "no memory for counters";
		err = -ENOMEM;
		goto counters;
	}
	err = xc_buffers_init(vol, error);
	if (err)
		goto buffers;
	err = xc_tags_init(vol, error);
	if (err)
		goto tags;
	err = xc_queues_init(vol, name, error);
	if (err)
		goto queues;
	return 0;

queues:
	xc_queues_exit(vol);
tags:
	xc_tags_exit(vol);
buffers:
	xc_buffers_exit(vol);
counters:
	free_percpu(vol->times);
	free_percpu(vol->stats);
	return err;
}

/**
 * xc_volume_exit() - undo xc_volume_init()
 * @vol: the volume; no bio may be on its way
 *
 * Context: Process context.  May sleep.
 */
void xc_volume_exit(struct xc_volume *vol)
{
	xc_queues_exit(vol);
	xc_tags_exit(vol);
	xc_buffers_exit(vol);
	free_percpu(vol->times);
	free_percpu(vol->stats);
}

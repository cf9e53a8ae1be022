/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The I/O side of a volume.
 */
#ifndef _XC_DEVICE_H
#define _XC_DEVICE_H

#include <linux/bio.h>
#include <linux/llist.h>
#include <linux/mempool.h>
#include <linux/mutex.h>
#include <linux/percpu_counter.h>
#include <linux/workqueue.h>

#include "../table/options.h"

struct xc_cipher;
struct xc_gate;
struct xc_stats;
struct xc_times;

/**
 * struct xc_device - the I/O side of a volume
 * @lower: the underlying device
 * @start: first sector used on it
 * @opt: the optional parameters of the table line
 * @cipher: the cipher of the table line
 * @gate: chooses between @cipher and another; NULL: all bios have @cipher
 * @unit: bytes of an encryption sector, with two ciphers of the larger one
 * @ordered: writes must reach the underlying device in the order they arrive
 * @sorted: writes are sorted by sector for a rotating disk
 * @io_size: bytes of private data of each bio
 * @id: makes the names of workqueues unique among tables of one mapped device
 * @crypt_wq: encrypts; its work items never wait for a mempool
 * @memory_wq: its work items may wait for a mempool
 * @submit_wq: submits encrypted writes; its work items never wait for a mempool
 * @bh_wq: for reads that complete with interrupts off; must not sleep
 * @to_submit: writes that @submit_work will submit
 * @submit_work: work item of @submit_wq
 * @deferred: writes on @memory_wq if @ordered
 * @helpers: work items of io/parallel.c that have not begun
 * @bios: bios for the underlying device
 * @tags: buffers for the metadata of a bio, if kmalloc() fails
 * @tags_sectors: sectors whose metadata fits a buffer of @tags; 0: no metadata
 * @pages: pages for encrypted data
 * @pages_used: pages of buffers in use
 * @pages_lock: held by a caller that waits for @pages
 * @stats: counters
 * @times: histograms
 */
struct xc_device {
	struct dm_dev *lower;
	sector_t start;
	struct xc_options opt;
	struct xc_cipher *cipher;
	struct xc_gate *gate;
	unsigned int unit;
	bool ordered;
	bool sorted;
	unsigned int io_size;
	int id;

	struct workqueue_struct *crypt_wq;
	struct workqueue_struct *memory_wq;
	struct workqueue_struct *submit_wq;
	struct workqueue_struct *bh_wq;
	struct llist_head to_submit;
	struct work_struct submit_work;
	atomic_t deferred;
	atomic_t helpers;

	struct bio_set bios;
	mempool_t tags;
	unsigned int tags_sectors;
	mempool_t pages;
	struct percpu_counter pages_used;
	struct mutex pages_lock;	/* only its holder waits for pages */

	struct xc_stats __percpu *stats;
	struct xc_times __percpu *times;
};

#endif

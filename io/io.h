/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bio in flight.
 */
#ifndef _XC_IO_H
#define _XC_IO_H

#include <linux/bio.h>
#include <linux/llist.h>
#include <linux/workqueue.h>

#include "../cipher/run.h"

struct xc_cipher;
struct xc_device;

/**
 * enum xc_phase - phases of a bio
 * @XC_WAIT: on a workqueue, waiting for a CPU
 * @XC_CIPHER: in the cipher, or in its driver
 * @XC_DEVICE: in the underlying device
 * @XC_PHASES: number of phases
 * @XC_NOWHERE: in none of them
 */
enum xc_phase {
	XC_WAIT,
	XC_CIPHER,
	XC_DEVICE,
	XC_PHASES,
	XC_NOWHERE = XC_PHASES,
};

/* CPUs that may help with one bio. */
#define XC_HELPERS 3

/**
 * struct xc_helper - a CPU that may help with a bio
 * @work: on xc_device.crypt_wq
 * @io: the bio in flight
 */
struct xc_helper {
	struct work_struct work;
	struct xc_io *io;
};

/**
 * struct xc_io - a bio in flight
 * @dev: the I/O side of its volume
 * @cipher: its cipher; map sets it
 * @second: the cipher of its rest, on the other side of a gate's boundary; NULL:
 *	it has no such rest
 * @first_bytes: bytes before that rest
 * @passed: counted in by a gate
 * @listed: (writes) a gate keeps it when it is done
 * @epoch: in which of the gate's counters
 * @base: the bio submitted to the volume
 * @lower: (writes, bounced reads) the bio for the underlying device, with pages
 *	of its own
 * @plain: verify_writes: a private copy of the plaintext, else NULL
 * @scratch: verify_writes: buffer to decrypt the ciphertext to
 * @sector: first sector, counted from the start of the mapping
 * @tags: metadata of the bio's sectors; NULL: none
 * @tags_pooled: @tags comes from xc_device.tags
 * @bounce: an encryption sector of @base crosses a page
 * @spread: (reads) counted in xc_stats.spread
 * @end_io: (reads) completion function of @base
 * @iter: (reads) original iterator of the bio for the underlying device
 * @bdev: (reads) the mapped device, while @base is in the underlying one
 * @timed: this bio is sampled for the histograms
 * @phase: present phase, see &enum xc_phase
 * @since: time at which @phase began, in ns (only if @timed)
 * @work: for the workqueue it is on
 * @node: in xc_device.to_submit
 * @sorted: in the sorted list of writes taken from there, or in a list of bios that
 *	a gate holds or keeps
 * @run: its run through the cipher
 * @taken: bytes of @run that a CPU has taken
 * @helper: the CPUs that may help
 *
 * Lies in the private data of @base.  A &struct xc_request follows.
 */
struct xc_io {
	struct xc_device *dev;
	const struct xc_cipher *cipher;
	const struct xc_cipher *second;
	unsigned int first_bytes;
	bool passed;
	bool listed;
	u8 epoch;
	struct bio *base;
	struct bio *lower;
	struct bio *plain;
	struct bio *scratch;
	sector_t sector;
	u8 *tags;
	bool tags_pooled;
	bool bounce;
	bool spread;
	bio_end_io_t *end_io;
	struct bvec_iter iter;
	struct block_device *bdev;
	bool timed;
	u8 phase;
	u64 since;
	struct work_struct work;
	union {
		struct llist_node node;
		struct list_head sorted;
	};
	struct xc_run run;
	atomic_t taken;
	struct xc_helper helper[XC_HELPERS];
};

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs of sectors through a cipher.
 */
#ifndef _XC_RUN_H
#define _XC_RUN_H

#include <linux/bio.h>
#include <linux/completion.h>

#include "engine.h"

/**
 * struct xc_run - a run of encryption sectors on its way through a cipher
 * @cipher: the cipher
 * @src: bio that the sectors come from
 * @dst: bio that they go to; may be @src
 * @src_iter: the rest of @src
 * @dst_iter: the rest of @dst
 * @sector: the next sector, counted from the start of the mapping
 * @tuple: metadata of the next sector; NULL: none
 * @encrypt: direction; decryption is always in place
 * @own: memory for one &struct xc_request, part of the bio's private data
 * @request: a request that is free to be used, or NULL
 * @status: the first error
 * @bad_tag: that error was a wrong authentication tag
 * @bad_sector: the sector with the wrong tag
 * @backlogged: the driver's queue was full, and may still be
 * @pending: sectors that the driver has, or CPUs that help (io/parallel.c), and
 *	one for the submitter
 * @restart: completed when the driver takes requests again
 * @done: called once after xc_run_crypt() returned %XC_RUN_PENDING, when the
 *	last sector is done, in the context of the driver's completion or in a
 *	worker
 *
 * Each sector of @src and @dst must lie in one page.
 */
struct xc_run {
	const struct xc_cipher *cipher;
	struct bio *src;
	struct bio *dst;
	struct bvec_iter src_iter;
	struct bvec_iter dst_iter;
	sector_t sector;
	u8 *tuple;
	bool encrypt;
	void *own;
	void *request;
	blk_status_t status;
	bool bad_tag;
	sector_t bad_sector;
	bool backlogged;
	atomic_t pending;
	struct completion restart;
	void (*done)(struct xc_run *run);
};

void xc_run_init(struct xc_run *run, const struct xc_cipher *cipher,
		 bool encrypt, struct bio *src, struct bio *dst,
		 sector_t sector, u8 *tags);
void xc_run_skip(struct xc_run *run, unsigned int bytes);
void xc_run_cut(struct xc_run *run, unsigned int bytes);
enum xc_result xc_run_crypt(struct xc_run *run, bool may_sleep);
void xc_run_crypt_sync(struct xc_run *run);

#endif

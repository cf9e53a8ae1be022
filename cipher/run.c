// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs: consecutive sectors on their way through a cipher, with any engine.
 */
#include "run.h"

#include "cipher.h"

/**
 * xc_run_init() - prepare a run
 * @run: the run; the caller sets ``own`` and ``done``
 * @cipher: the cipher
 * @encrypt: direction
 * @src: bio that the sectors come from
 * @dst: bio of the same length that they go to; @src for decryption
 * @sector: first sector, counted from the start of the mapping
 * @tags: metadata of the sectors, or NULL
 *
 * Context: Any context.
 */
void xc_run_init(struct xc_run *run, const struct xc_cipher *cipher,
		 bool encrypt, struct bio *src, struct bio *dst,
		 sector_t sector, u8 *tags)
{
	run->cipher = cipher;
	run->encrypt = encrypt;
	run->src = src;
	run->dst = dst;
	run->src_iter = src->bi_iter;
	run->dst_iter = dst->bi_iter;
	run->sector = sector;
	run->tuple = tags;
	run->request = run->own;
	run->status = BLK_STS_OK;
	run->bad_tag = false;
	run->backlogged = false;
	atomic_set(&run->pending, 1);
	init_completion(&run->restart);
}

/**
 * xc_run_skip() - drop the beginning of a run
 * @run: a run that has not begun, of sectors without metadata
 * @bytes: length to drop, at most that of @run
 *
 * Context: Any context.
 */
void xc_run_skip(struct xc_run *run, unsigned int bytes)
{
	bio_advance_iter(run->src, &run->src_iter, bytes);
	bio_advance_iter(run->dst, &run->dst_iter, bytes);
	run->sector += bytes >> SECTOR_SHIFT;
}

/**
 * xc_run_cut() - drop the end of a run
 * @run: a run that has not begun
 * @bytes: length to keep; a shorter run is unchanged
 *
 * Context: Any context.
 */
void xc_run_cut(struct xc_run *run, unsigned int bytes)
{
	run->src_iter.bi_size = min(run->src_iter.bi_size, bytes);
	run->dst_iter.bi_size = run->src_iter.bi_size;
}

/**
 * xc_run_crypt() - encrypt or decrypt a run as far as possible
 * @run: the run; again after %XC_RUN_AGAIN
 * @may_sleep: the caller may sleep
 *
 * Context: Any context but hard interrupt, with interrupts enabled.
 * Return: see &enum xc_result.  After %XC_RUN_PENDING, @run belongs to its
 * ``done``.
 */
enum xc_result xc_run_crypt(struct xc_run *run, bool may_sleep)
{
	return run->cipher->engine->run(run, may_sleep);
}

static void wake_waiter(struct xc_run *run)
{
	complete(&run->restart);
}

/**
 * xc_run_crypt_sync() - encrypt or decrypt a run to its end
 * @run: the run; its ``done`` is replaced
 *
 * Context: Process context.  May sleep.
 */
void xc_run_crypt_sync(struct xc_run *run)
{
	run->done = wake_waiter;
	if (xc_run_crypt(run, true) == XC_RUN_PENDING)
		wait_for_completion(&run->restart);
}

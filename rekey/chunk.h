/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chunks: memory for sectors that are being converted.
 */
#ifndef _XC_CHUNK_H
#define _XC_CHUNK_H

#include "disk.h"

struct workqueue_struct;
struct xc_chunk;
struct xc_cipher;
struct xc_digest;
struct xc_range;
struct xc_ranges;

/* The greatest length of a chunk, in 512-byte sectors: 256 KiB. */
#define XC_CHUNK_SECTORS 512

/**
 * struct xc_conversion - from what, to what
 * @data: the volume on the underlying device
 * @old: cipher of sectors that are not converted
 * @new: cipher of sectors that are
 * @digest: computes digests
 * @unit: the larger encryption sector of the two, in 512-byte sectors
 * @block: what can be read: @unit, or the underlying device's logical block if that is
 *	larger
 * @align: chunks begin at multiples of it in a batch: of @block, and of the state
 *	device's logical block
 * @sparse: chunks that are all zeros are left so
 * @wq: where chunks are converted
 */
struct xc_conversion {
	const struct xc_disk *data;
	const struct xc_cipher *old;
	const struct xc_cipher *new;
	const struct xc_digest *digest;
	unsigned int unit;
	unsigned int block;
	unsigned int align;
	bool sparse;
	struct workqueue_struct *wq;
};

struct xc_chunk *xc_chunk_create(const struct xc_conversion *conv,
				 unsigned int sectors);
void xc_chunk_destroy(struct xc_chunk *chunk);
void xc_chunk_place(struct xc_chunk *chunk, sector_t sector,
		    unsigned int sectors);
sector_t xc_chunk_end(const struct xc_chunk *chunk);
bool xc_chunk_next_bad(const struct xc_chunk *chunk, struct xc_range *bad);
void xc_chunk_set_bad(struct xc_chunk *chunk, const struct xc_ranges *list);
bool xc_chunk_is_bad(const struct xc_chunk *chunk, unsigned int unit);

/* all of it, and meanwhile others */
void xc_chunk_start_convert(struct xc_chunk *chunk, u8 *digests, bool journal,
			    bool skip);
void xc_chunk_start_write_journal(struct xc_chunk *chunk,
				  const struct xc_disk *journal);
void xc_chunk_start_write(struct xc_chunk *chunk);
int xc_chunk_wait(struct xc_chunk *chunk);
int xc_chunk_wait_write(struct xc_chunk *chunk);

/* some units of it */
int xc_chunk_read(struct xc_chunk *chunk);
int xc_chunk_read_journal(struct xc_chunk *chunk,
			  const struct xc_disk *journal);
bool xc_chunk_is_blank(const struct xc_chunk *chunk);
int xc_chunk_digest(struct xc_chunk *chunk, unsigned int first,
		    unsigned int count, u8 *out);
int xc_chunk_convert(struct xc_chunk *chunk, unsigned int first,
		     unsigned int count);
int xc_chunk_write(struct xc_chunk *chunk, unsigned int first,
		   unsigned int count);
int xc_chunk_write_zeros(struct xc_chunk *chunk);

#endif

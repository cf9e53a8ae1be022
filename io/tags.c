// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tags: metadata that the underlying device (dm-integrity) stores with each
 * sector.  The authentication tag and the stored IV of a sector form a tuple;
 * the tuples of a bio are its integrity payload.
 */
#include "tags.h"

#include <linux/blk-integrity.h>
#include <linux/slab.h>

#include "device.h"
#include "io.h"
#include "../cipher/cipher.h"
#include "../cipher/create.h"
#include "../debug/inject.h"

#define MIN_TAGS 64
/* Bytes in a buffer of the mempool; more if a page has more metadata. */
#define POOL_ENTRY_SIZE 512
#define TAGS_GFP (GFP_NOWAIT | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN)

/* Bytes of metadata per sector on the underlying device. */
static int find_tuple_size(struct xc_device *dev, unsigned int *size,
			   char **error)
{
	struct blk_integrity *bi = bdev_get_integrity(dev->lower->bdev);

	if (!bi || !xc_bi_is_opaque(bi)) {
		*error = "device: stores no metadata with sectors, which integrity: needs";
		return -EINVAL;
	}
	if (1 << bi->interval_exp != dev->cipher->sector_size) {
		*error = "sector_size: differs from that of the metadata on the underlying device";
		return -EINVAL;
	}
	*size = xc_bi_metadata_size(bi);
	return 0;
}

/**
 * xc_tags_init() - fit a volume's tags to the underlying device
 * @dev: the I/O side of the volume, with lower, opt, cipher and bios
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set; call xc_tags_exit() in both
 * cases.
 */
int xc_tags_init(struct xc_device *dev, char **error)
{
	struct xc_cipher *cipher = dev->cipher;
	unsigned int tuple_size;
	int err;

	if (!cipher->aead && !cipher->iv_stored)
		return 0;

	err = find_tuple_size(dev, &tuple_size, error);
	if (err)
		return err;
	err = xc_cipher_set_tuple(cipher, tuple_size, dev->opt.tag_size, error);
	if (err)
		return err;

	dev->tags_sectors = max_t(unsigned int, POOL_ENTRY_SIZE / tuple_size,
				  PAGE_SIZE / cipher->sector_size);
	err = mempool_init_kmalloc_pool(&dev->tags, MIN_TAGS,
					dev->tags_sectors * tuple_size);
	dev->tags_sectors <<= cipher->sector_shift;
	if (!err)
		err = xc_bioset_integrity_create(&dev->bios, MIN_TAGS);
	if (err)
		*error = "integrity: out of memory for tags";
	return err;
}

static unsigned int tags_size(const struct xc_io *io)
{
	const struct xc_cipher *cipher = io->cipher;

	return (bio_sectors(io->base) >> cipher->sector_shift) *
		cipher->tuple_size;
}

/**
 * xc_tags_get() - allocate a bio's tags, if it has any
 * @io: the bio in flight
 * @gfp: %GFP_NOWAIT, or %GFP_NOIO to wait for the mempool; xc_map() ensures
 *	that a bio that has no tags then is no longer than tags_sectors
 *
 * Context: Any context with %GFP_NOWAIT.  With %GFP_NOIO process context, on
 * memory_wq; may sleep.
 * Return: false if the allocation fails.
 */
bool xc_tags_get(struct xc_io *io, gfp_t gfp)
{
	struct xc_device *dev = io->dev;

	if (!io->cipher->tuple_size || io->tags)
		return true;

	io->tags_pooled = false;
	if (!xc_inject_failure(TAGS_GFP))
		io->tags = kmalloc(tags_size(io), TAGS_GFP);
	if (!io->tags && gfpflags_allow_blocking(gfp)) {
		if (WARN_ON_ONCE(bio_sectors(io->base) > dev->tags_sectors))
			return false;
		io->tags_pooled = true;
		io->tags = mempool_alloc(&dev->tags, gfp);
	}
	return io->tags;
}

/**
 * xc_tags_put() - free a bio's tags
 * @io: the bio in flight
 *
 * Context: Any context.
 */
void xc_tags_put(struct xc_io *io)
{
	if (io->tags_pooled)
		mempool_free(io->tags, &io->dev->tags);
	else
		kfree(io->tags);
	io->tags = NULL;
	io->tags_pooled = false;
}

/**
 * xc_tags_attach() - attach a bio's tags to the bio for the underlying device
 * @io: the bio in flight
 * @bio: the bio for the underlying device
 * @gfp: %GFP_NOWAIT or %GFP_NOIO
 *
 * Context: As xc_tags_get().
 * Return: 0 or -ENOMEM.
 */
int xc_tags_attach(struct xc_io *io, struct bio *bio, gfp_t gfp)
{
	unsigned int size = tags_size(io);
	struct bio_integrity_payload *bip;

	if (!io->tags)
		return 0;

	if (xc_inject_failure(gfp) || xc_inject_tags_failure())
		return -ENOMEM;
	bip = bio_integrity_alloc(bio, gfp, 1);
	if (IS_ERR(bip))
		return PTR_ERR(bip);
	bip->bip_iter.bi_sector = bio->bi_iter.bi_sector;
	if (bio_integrity_add_page(bio, virt_to_page(io->tags), size,
				   offset_in_page(io->tags)) != size)
		return -ENOMEM;
	xc_bip_set_size(bip, size);
	return 0;
}

/**
 * xc_tags_exit() - undo xc_tags_init()
 * @dev: the I/O side of the volume
 *
 * Context: Process context.  May sleep.
 */
void xc_tags_exit(struct xc_device *dev)
{
	mempool_exit(&dev->tags);
}

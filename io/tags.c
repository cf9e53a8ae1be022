// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metadata of sectors on a device below that keeps some (dm-integrity): tags
 * and stored IVs, one tuple a sector, in a buffer that goes along with the bio
 * as its integrity payload.
 */
#include <linux/blk-integrity.h>
#include <linux/slab.h>

#include "../dm-xcrypt.h"

#define MIN_TAGS 64
/* Bytes in a buffer of the pool; more where a page has more metadata. */
#define POOL_ENTRY_SIZE 512
#define TAGS_GFP (GFP_NOWAIT | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN)

/* Bytes of metadata that the device below keeps for a sector. */
static int find_tuple_size(struct xc_volume *vol, unsigned int *size,
			   char **error)
{
	struct blk_integrity *bi = bdev_get_integrity(vol->dev->bdev);

	if (!bi || !xc_bi_is_opaque(bi)) {
		*error = "device: stores no metadata with sectors, which integrity: needs";
		return -EINVAL;
	}
	if (1 << bi->interval_exp != vol->cipher->sector_size) {
		*error = "sector_size: not that of the metadata on the device below";
		return -EINVAL;
	}
	*size = xc_bi_metadata_size(bi);
	return 0;
}

/**
 * xc_tags_init() - fit a volume's tags to the device below
 * @vol: the volume, with device and cipher
 * @error: where to put what is wrong
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set; xc_tags_exit() is to be
 * called all the same.
 */
int xc_tags_init(struct xc_volume *vol, char **error)
{
	struct xc_cipher *cipher = vol->cipher;
	unsigned int tuple_size;
	int err;

	if (!cipher->aead && !cipher->iv_stored)
		return 0;

	err = find_tuple_size(vol, &tuple_size, error);
	if (err)
		return err;
	err = xc_cipher_set_tuple(cipher, tuple_size, vol->opt.tag_size, error);
	if (err)
		return err;

	vol->tags_sectors = max_t(unsigned int, POOL_ENTRY_SIZE / tuple_size,
				  PAGE_SIZE / cipher->sector_size);
	err = mempool_init_kmalloc_pool(&vol->tags, MIN_TAGS,
					vol->tags_sectors * tuple_size);
	vol->tags_sectors <<= cipher->sector_shift;
	if (!err)
		err = xc_bioset_integrity_create(&vol->bios, MIN_TAGS);
	if (err)
		*error = "integrity: no memory for tags";
	return err;
}

static unsigned int tags_size(const struct xc_io *io)
{
	const struct xc_cipher *cipher = io->vol->cipher;

	return (bio_sectors(io->base) >> cipher->sector_shift) *
		cipher->tuple_size;
}

/**
 * xc_tags_get() - allocate a bio's tags, if it has any
 * @io: the bio on its way
 * @gfp: %GFP_NOWAIT, or %GFP_NOIO to wait for the pool: xc_map() saw to it that
 *	a bio that has no tags by then is no longer than tags_sectors
 *
 * Context: Any context with %GFP_NOWAIT.  With %GFP_NOIO process context, on
 * memory_wq; may sleep.
 * Return: true, or false if there is no memory.
 */
bool xc_tags_get(struct xc_io *io, gfp_t gfp)
{
	struct xc_volume *vol = io->vol;

	if (!vol->cipher->tuple_size || io->tags)
		return true;

	io->tags_pooled = false;
	if (!xc_inject_failure(TAGS_GFP))
		io->tags = kmalloc(tags_size(io), TAGS_GFP);
	if (!io->tags && gfpflags_allow_blocking(gfp)) {
		if (WARN_ON_ONCE(bio_sectors(io->base) > vol->tags_sectors))
			return false;
		io->tags_pooled = true;
		io->tags = mempool_alloc(&vol->tags, gfp);
	}
	return io->tags;
}

/**
 * xc_tags_put() - free a bio's tags
 * @io: the bio on its way
 *
 * Context: Any context.
 */
void xc_tags_put(struct xc_io *io)
{
	if (io->tags_pooled)
		mempool_free(io->tags, &io->vol->tags);
	else
		kfree(io->tags);
	io->tags = NULL;
	io->tags_pooled = false;
}

/**
 * xc_tags_attach() - send a bio's tags along with the bio for the device below
 * @io: the bio on its way
 * @bio: the bio for the device below
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
 * @vol: the volume
 *
 * Context: Process context.  May sleep.
 */
void xc_tags_exit(struct xc_volume *vol)
{
	mempool_exit(&vol->tags);
}

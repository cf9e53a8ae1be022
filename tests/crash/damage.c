// SPDX-License-Identifier: GPL-2.0-only
/*
 * Damage that no crash does.
 */
#include "damage.h"

#include "disk.h"
#include "session.h"
#include "volume.h"
#include "rekey/format.h"

void damage_block(struct image *image, sector_t sector, unsigned int at)
{
	int slot = image_slot(STATE, sector, BLOCK_ZERO);
	u8 data[SECTOR_SIZE];

	memcpy(data, block_data(image->blocks[slot]), SECTOR_SIZE);
	data[at] ^= 1;
	image->blocks[slot] = block_add(data);
}

/* ---- an area ------------------------------------------------------------- */

static void recover_damaged(void *arg)
{
	const struct session *session = arg;
	struct volume *volume;

	if (volume_create(&volume, &session->geometry, session->length, false,
			  true) ||
	    volume_resume(volume))
		fail("a state with a damaged area is refused too early");
	xc_rekey_pause(volume->rekey);
	if (volume_status(volume) != VOLUME_FAILED)
		fail("a damaged area is not noticed");
	volume_suspend(volume);
	volume_destroy(volume);
}

/* ---- a superblock -------------------------------------------------------- */

static void open_damaged(void *arg)
{
	const struct session *session = arg;
	struct volume *volume;
	int err = volume_create(&volume, &session->geometry, session->length,
				false, true);

	if (err != -EUCLEAN)
		fail("a damaged superblock: error %d, not %d", err, -EUCLEAN);
}

/* ---- both ---------------------------------------------------------------- */

static void try_one(void (*func)(void *arg), const struct image *image,
		    const struct oracle *oracle, const struct geometry *geometry,
		    unsigned int length, struct log *log)
{
	struct session session = { .seed = image_hash(image) };

	session.geometry = *geometry;
	session.length = length;
	session_power_on(&session, image, oracle, log);
	sched_run(func, &session);
	if (image_hash(disk_image()) != image_hash(image))
		fail("with a damaged state, something was written");
}

unsigned int damage_try(const struct image *image, const struct oracle *oracle,
			const struct geometry *geometry, struct log *log)
{
	const struct xc_superblock *super = image_superblock(image);
	unsigned int slot, tried = 0;
	struct image damaged;

	if (!super)
		return 0;
	if (super->batch_sectors) {
		damaged = *image;
		damage_block(&damaged, XC_AREAS_START +
			     super->batch_area * super->area_sectors, 0);
		try_one(recover_damaged, &damaged, oracle, geometry,
			super->length, log);
		tried++;
	}
	for (slot = 0; slot < min_t(u64, super->sequence, XC_SLOTS); slot++) {
		damaged = *image;
		damage_block(&damaged, slot * XC_SLOT_SECTORS,
			     offsetof(struct xc_superblock, owner));
		try_one(open_damaged, &damaged, oracle, geometry, super->length,
			log);
		tried++;
	}
	return tried;
}

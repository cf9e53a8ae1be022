// SPDX-License-Identifier: GPL-2.0-only
/*
 * The superblock: a sector that records a conversion.
 *
 * Two of them are written in turn.  Here is decided which one counts, whether it
 * is valid and whether it fits a table line.  Nothing here does I/O.
 */
#include "super.h"

#include <linux/crc32.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/string.h>

/* ---- what makes it valid ------------------------------------------------- */

static u32 checksum(const struct xc_superblock *super)
{
	struct xc_superblock copy = *super;

	copy.checksum = 0;
	return ~crc32_le(~0U, (u8 *)&copy, sizeof(copy));
}

/**
 * xc_super_slot() - find the slot of a superblock
 * @super: the superblock, with its number
 *
 * Context: Any context.
 * Return: the index of the slot.
 */
unsigned int xc_super_slot(const struct xc_superblock *super)
{
	return (le64_to_cpu(super->sequence) - 1) % XC_SLOTS;
}

/**
 * xc_super_has_magic() - check whether this is a superblock
 * @super: what a slot holds
 *
 * Context: Any context.
 * Return: true if it is one, of any version, or a damaged one.
 */
bool xc_super_has_magic(const struct xc_superblock *super)
{
	return !memcmp(super->magic, XC_STATE_MAGIC, sizeof(super->magic));
}

/* True if a slot was never written. */
static bool is_blank(const struct xc_superblock *super)
{
	return !memchr_inv(super, 0, sizeof(*super));
}

static bool is_newer(const struct xc_superblock *super)
{
	return xc_super_has_magic(super) &&
		le32_to_cpu(super->version) > XC_STATE_VERSION;
}

static bool is_valid(const struct xc_superblock *super, unsigned int slot)
{
	return xc_super_has_magic(super) && super->sequence &&
		xc_super_slot(super) == slot &&
		le32_to_cpu(super->checksum) == checksum(super);
}

/**
 * xc_super_seal() - give a superblock the next number, and its checksum
 * @super: the superblock
 *
 * Context: Any context.
 */
void xc_super_seal(struct xc_superblock *super)
{
	super->sequence = cpu_to_le64(le64_to_cpu(super->sequence) + 1);
	super->checksum = cpu_to_le32(checksum(super));
}

/**
 * xc_super_choose() - choose the newest superblock
 * @a: what the first slot holds
 * @b: what the second slot holds
 * @newest: set to the newest
 * @error: set to a message on failure
 *
 * Context: Any context.
 * Return: 0; -ENODATA if there is none, or a negative errno, with @error set.
 */
int xc_super_choose(const struct xc_superblock *a, const struct xc_superblock *b,
		    struct xc_superblock *newest, char **error)
{
	u64 first, second;

	if (is_blank(a) && is_blank(b)) {
		*error = "rekey_state: holds no state (rekey_start begins a conversion)";
		return -ENODATA;
	}
	if (!xc_super_has_magic(a)) {
		*error = "rekey_state: the device holds something else than a state";
		return -EINVAL;
	}
	if (is_newer(a) || is_newer(b)) {
		*error = "rekey_state: the state is of a newer version of xcrypt";
		return -EOPNOTSUPP;
	}

	*error = "rekey_state: the state is damaged";
	if (!is_valid(a, 0))
		return -EUCLEAN;
	first = le64_to_cpu(a->sequence);
	/* only while a conversion begins: when that is done, both are in use */
	if (first == 1 && is_blank(b)) {
		*newest = *a;
		return 0;
	}
	if (!is_valid(b, 1) || memcmp(a->salt, b->salt, XC_SALT_SIZE))
		return -EUCLEAN;
	second = le64_to_cpu(b->sequence);
	if (first + 1 != second && second + 1 != first)
		return -EUCLEAN;
	*newest = first < second ? *b : *a;
	return 0;
}

/* ---- what it must agree with --------------------------------------------- */

static void record_side(struct xc_side_record *record,
			const struct xc_side_spec *side)
{
	memset(record, 0, sizeof(*record));
	strscpy_pad((char *)record->spec, side->spec, XC_SPEC_SIZE);
	record->iv_offset = cpu_to_le64(side->iv_offset);
	record->sector_size = cpu_to_le32(side->sector_size);
	record->large_iv = cpu_to_le32(side->large_iv);
	record->key_size = cpu_to_le32(side->key_size);
}

static int check_side(const struct xc_superblock *super,
		      const struct xc_setup *setup, enum xc_side side,
		      char **error)
{
	struct xc_side_record record;

	record_side(&record, &setup->sides[side]);
	if (memcmp(&record, &super->sides[side],
		   offsetof(struct xc_side_record, key_check))) {
		*error = side == XC_OLD ?
			"rekey_state: of a conversion from another cipher, key size, sector or IV" :
			"rekey_state: of a conversion to another cipher, key size, sector or IV";
		return -EINVAL;
	}
	return 0;
}

static bool areas_are_sane(const struct xc_superblock *super)
{
	u32 sectors = le32_to_cpu(super->area_sectors);

	return sectors && sectors <= XC_AREA_MAX_SECTORS &&
		!(sectors % XC_SLOT_SECTORS);
}

/**
 * xc_super_unit_size() - find the size of a unit
 * @super: the superblock
 *
 * Context: Any context.
 * Return: the larger encryption sector of the two sides, in bytes.
 */
u32 xc_super_unit_size(const struct xc_superblock *super)
{
	return max(le32_to_cpu(super->sides[XC_OLD].sector_size),
		   le32_to_cpu(super->sides[XC_NEW].sector_size));
}

/**
 * xc_super_batch_max() - find the greatest length that a batch may have
 * @super: the superblock
 *
 * Context: Any context.
 * Return: the length in sectors.
 */
unsigned int xc_super_batch_max(const struct xc_superblock *super)
{
	u32 unit = xc_super_unit_size(super);
	u32 area = le32_to_cpu(super->area_sectors) << SECTOR_SHIFT;
	u32 per_unit = super->resilience == XC_JOURNAL ? unit : XC_DIGEST_SIZE;

	return min(area / per_unit, XC_BATCH_UNITS) * (unit >> SECTOR_SHIFT);
}

static bool position_is_sane(const struct xc_superblock *super)
{
	u64 length = le64_to_cpu(super->length);
	u64 frontier = le64_to_cpu(super->frontier);
	u32 sectors = le32_to_cpu(super->batch_sectors);
	u32 mask = (xc_super_unit_size(super) >> SECTOR_SHIFT) - 1;

	return frontier <= length && sectors <= length - frontier &&
		!((length | frontier | sectors) & mask) &&
		sectors <= xc_super_batch_max(super) &&
		le32_to_cpu(super->batch_area) < XC_AREAS &&
		(!super->done || frontier == length);
}

/* Without a key, whoever can write the data can choose its digest. */
static bool resilience_is_sane(const struct xc_superblock *super)
{
	return super->resilience != XC_CHECKSUM ||
		super->sides[XC_NEW].key_size;
}

/* Only what is converted, or may be, cannot be cut off. */
static int check_length(const struct xc_superblock *super, u64 length,
			char **error)
{
	if (length >= le64_to_cpu(super->frontier) +
		      le32_to_cpu(super->batch_sectors))
		return 0;
	*error = super->done ?
		"rekey_state: all is converted of a longer volume (shrink it with a plain line)" :
		"rekey_state: the length is shorter than what is converted";
	return -EINVAL;
}

/**
 * xc_super_check() - compare a superblock with a table line
 * @super: the superblock, the newest
 * @setup: what the table line says
 * @error: set to a message on failure
 *
 * Compares everything but the keys.
 *
 * Context: Any context.
 * Return: 0; -EUCLEAN for a damaged one, or a negative errno, with @error set.
 */
int xc_super_check(const struct xc_superblock *super,
		   const struct xc_setup *setup, char **error)
{
	u64 areas = (u64)XC_AREAS * le32_to_cpu(super->area_sectors);
	int err;

	/* the sides come first: they give the unit */
	err = check_side(super, setup, XC_OLD, error) ?:
		check_side(super, setup, XC_NEW, error);
	if (err)
		return err;
	if (le64_to_cpu(super->start) != setup->data.start) {
		*error = "rekey_state: of a volume with another offset";
		return -EINVAL;
	}
	if (XC_AREAS_START + areas > setup->state.len) {
		*error = "rekey_state: the device is shorter than the state on it";
		return -EINVAL;
	}
	if (super->direction != XC_FORWARD || super->shift ||
	    super->resilience > XC_JOURNAL ||
	    super->digest != XC_DIGEST_PMAC) {
		*error = "rekey_state: the state needs a newer version of xcrypt";
		return -EOPNOTSUPP;
	}
	if (!areas_are_sane(super) || !position_is_sane(super) ||
	    !resilience_is_sane(super)) {
		*error = "rekey_state: the state is damaged";
		return -EUCLEAN;
	}
	return check_length(super, setup->data.len, error);
}

/* ---- what it records ----------------------------------------------------- */

/**
 * xc_super_init() - describe a conversion that begins
 * @super: set to the superblock, but for the salt, check values of keys, the
 *	number and the checksum
 * @setup: what the table line says
 *
 * Context: Any context.
 */
void xc_super_init(struct xc_superblock *super, const struct xc_setup *setup)
{
	unsigned int i, area;

	area = min_t(sector_t, (setup->state.len - XC_AREAS_START) / XC_AREAS,
		     XC_AREA_MAX_SECTORS);
	*super = (struct xc_superblock) {
		.magic = XC_STATE_MAGIC,
		.version = cpu_to_le32(XC_STATE_VERSION),
		.start = cpu_to_le64(setup->data.start),
		.length = cpu_to_le64(setup->data.len),
		.direction = XC_FORWARD,
		.resilience = setup->resilience,
		.digest = XC_DIGEST_PMAC,
		.area_sectors = cpu_to_le32(round_down(area, XC_SLOT_SECTORS)),
	};
	for (i = 0; i < XC_SIDES; i++)
		record_side(&super->sides[i], &setup->sides[i]);
}

/**
 * xc_super_get_position() - see how far a conversion is
 * @super: the superblock
 * @position: set to what it records
 *
 * Context: Any context.
 */
void xc_super_get_position(const struct xc_superblock *super,
			   struct xc_position *position)
{
	position->frontier = le64_to_cpu(super->frontier);
	position->batch_sectors = le32_to_cpu(super->batch_sectors);
	position->area = le32_to_cpu(super->batch_area);
	memcpy(position->check, super->batch_check, XC_DIGEST_SIZE);
	position->done = super->done;
}

/**
 * xc_super_set_position() - record how far a conversion is
 * @super: the superblock
 * @position: the position
 *
 * Context: Any context.
 */
void xc_super_set_position(struct xc_superblock *super,
			   const struct xc_position *position)
{
	super->frontier = cpu_to_le64(position->frontier);
	super->batch_sectors = cpu_to_le32(position->batch_sectors);
	super->batch_area = cpu_to_le32(position->area);
	memcpy(super->batch_check, position->check, XC_DIGEST_SIZE);
	super->done = position->done;
}

/**
 * xc_super_resize() - record another length of the volume
 * @super: the superblock
 * @length: the length in sectors; not shorter than what is converted
 *
 * Sectors that are added are old, but if all is converted they are new.
 *
 * Context: Any context.
 * Return: true if the length differs from what was recorded.
 */
bool xc_super_resize(struct xc_superblock *super, u64 length)
{
	if (le64_to_cpu(super->length) == length)
		return false;
	super->length = cpu_to_le64(length);
	if (super->done)
		super->frontier = super->length;
	else
		super->done = super->frontier == super->length &&
			!super->skipped;
	return true;
}

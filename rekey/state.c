// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a conversion on disk: two superblocks, written in turn, and two
 * areas.
 *
 * A superblock is one sector, so it is written or not.  Nothing that is read is
 * acted upon before both devices are flushed: after a crash that kept the
 * devices' caches, it need not be durable.
 *
 * A list of sectors that were skipped is behind its superblock, and durable before
 * that: it overwrites the list of the last superblock but one.
 */
#include "state.h"

#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/math.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "digest.h"
#include "list.h"

/* What the salt is hashed with; of keys for digests, the first. */
#define NUMBER_KEY_CHECK U64_MAX
#define NUMBER_DIGEST_KEY (U64_MAX - 1)

/* Bytes before the areas. */
#define HEAD_SIZE (XC_AREAS_START * SECTOR_SIZE)

/* A superblock that is being written while it is read is read again. */
#define TRIES 3

/**
 * struct xc_state - the state
 * @setup: what the table line says
 * @prf: for check values of keys
 * @super: the newest superblock
 * @position: its position
 * @skipped: its list of sectors that were skipped
 * @owner: what this instance writes into its superblocks
 * @head: what is before the areas, on its way from the device or to it
 * @block_sectors: sectors in the device's logical block, at most a slot
 * @error: the first error of a device
 */
struct xc_state {
	struct xc_setup setup;
	struct xc_prf prf;
	struct xc_superblock super;
	struct xc_position position;
	struct xc_ranges skipped;
	u8 owner[XC_OWNER_SIZE];
	u8 *head;
	unsigned int block_sectors;
	struct xc_disk_error error;
};

/* ---- reading ------------------------------------------------------------- */

static struct xc_slot *slot(const struct xc_state *state, unsigned int index)
{
	return (struct xc_slot *)state->head + index;
}

static const struct xc_superblock *super_in(const struct xc_state *state,
					    unsigned int index)
{
	return &slot(state, index)->super;
}

static int read_head(struct xc_state *state)
{
	return xc_disk_read(&state->setup.state, 0, state->head,
			    XC_AREAS_START);
}

/* Take a superblock, and the list that is in its slot; false if that is damaged. */
static bool take(struct xc_state *state, const struct xc_superblock *super)
{
	if (!xc_list_get(slot(state, xc_super_slot(super)), super,
			 &state->skipped))
		return false;
	state->super = *super;
	xc_super_get_position(super, &state->position);
	return true;
}

static int read_state(struct xc_state *state, char **error)
{
	struct xc_superblock newest;
	int err;

	*error = "rekey_state: the device cannot be read";
	err = read_head(state) ?:
		xc_super_choose(super_in(state, 0), super_in(state, 1), &newest,
				error) ?:
		xc_super_check(&newest, &state->setup, error);
	if (err || take(state, &newest))
		return err;
	*error = "rekey_state: the list of sectors that were skipped is damaged";
	return -EUCLEAN;
}

/* The first 8 KiB must be zero. */
static int check_blank(struct xc_state *state, char **error)
{
	int err;

	*error = "rekey_state: the device cannot be read";
	err = read_head(state);
	if (err)
		return err;
	if (!memchr_inv(state->head, 0, HEAD_SIZE))
		return 0;
	*error = xc_super_has_magic(super_in(state, 0)) ?
		"rekey_start: there is a state already (omit it to continue)" :
		"rekey_start: the first 8 KiB of rekey_state are not zero";
	return -EEXIST;
}

/* ---- keys ---------------------------------------------------------------- */

/* Compute a value from a key, of which no copy remains. */
static int derive(struct xc_state *state, u64 number, const u8 *salt,
		  const u8 *key, unsigned int size, u8 *out,
		  unsigned int out_size)
{
	int err = xc_prf_set_key(&state->prf, key, size) ?:
		xc_prf_compute(&state->prf, number, salt, XC_SALT_SIZE, out,
			       out_size);

	return xc_prf_set_key(&state->prf, salt, XC_SALT_SIZE) ?: err;
}

static int key_check(struct xc_state *state, const u8 *salt, const u8 *key,
		     unsigned int size, u8 *out)
{
	if (!size) {
		memset(out, 0, XC_DIGEST_SIZE);
		return 0;
	}
	return derive(state, NUMBER_KEY_CHECK, salt, key, size, out,
		      XC_DIGEST_SIZE);
}

/**
 * xc_state_check_key() - compare a key with that of a conversion
 * @state: the state, started or read
 * @side: the key's side
 * @key: the key, of this side's size
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: 0; -EKEYREJECTED for another key, or a negative errno, with @error
 * set.
 */
int xc_state_check_key(struct xc_state *state, enum xc_side side, const u8 *key,
		       char **error)
{
	const struct xc_side_record *record = &state->super.sides[side];
	u8 check[XC_DIGEST_SIZE];
	int err;

	*error = "rekey_state: the check value of a key cannot be computed";
	err = key_check(state, state->super.salt, key,
			le32_to_cpu(record->key_size), check);
	if (err)
		return err;
	if (!crypto_memneq(check, record->key_check, XC_DIGEST_SIZE))
		return 0;
	*error = side == XC_OLD ?
		"key: not the one that the conversion began with" :
		"rekey_key: not the one that the conversion began with";
	return -EKEYREJECTED;
}

/**
 * xc_state_digest_key() - derive the keys for digests
 * @state: the state, started or read
 * @side: the new side, or the old one if the new has no key
 * @key: the key of this side
 * @out: set to the keys
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno.
 */
int xc_state_digest_key(struct xc_state *state, enum xc_side side,
			const u8 *key, struct xc_digest_key *out)
{
	u32 size = le32_to_cpu(state->super.sides[side].key_size);
	u8 *part = (u8 *)out, *end = part + sizeof(*out);
	u64 number = NUMBER_DIGEST_KEY;
	int err = 0;

	for (; part < end && !err; part += XC_PRF_SIZE)
		err = derive(state, number--, state->super.salt, key, size,
			     part, XC_PRF_SIZE);
	return err;
}

/* ---- for the volume ------------------------------------------------------ */

/**
 * xc_state_create() - prepare for the state of a volume
 * @setup: what the table line says; what it points to must live as long as the
 *	state
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep.
 * Return: the state, to be freed with xc_state_destroy(), or an ERR_PTR() with
 * @error set.
 */
struct xc_state *xc_state_create(const struct xc_setup *setup, char **error)
{
	unsigned int size = bdev_logical_block_size(setup->state.bdev);
	struct xc_state *state;
	unsigned int i;
	int err;

	for (i = 0; i < XC_SIDES; i++)
		if (strlen(setup->sides[i].spec) >= XC_SPEC_SIZE) {
			*error = "rekey_state: no room for a cipher of more than 95 characters";
			return ERR_PTR(-EINVAL);
		}
	if (setup->state.len < XC_STATE_MIN_SECTORS) {
		*error = "rekey_state: the device is smaller than 1 MiB";
		return ERR_PTR(-EINVAL);
	}
	if (size > XC_SLOT_SECTORS << SECTOR_SHIFT) {
		*error = "rekey_state: the device has logical blocks of more than 4096 bytes";
		return ERR_PTR(-EINVAL);
	}

	*error = "rekey_state: out of memory";
	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return ERR_PTR(-ENOMEM);
	state->setup = *setup;
	state->setup.data.name = "data device";
	state->setup.data.error = &state->error;
	state->setup.state.name = "state device";
	state->setup.state.error = &state->error;
	state->block_sectors = size >> SECTOR_SHIFT;
	get_random_bytes(state->owner, sizeof(state->owner));
	err = -ENOMEM;
	state->head = kzalloc(HEAD_SIZE, GFP_KERNEL);
	if (!state->head)
		goto destroy;
	err = xc_prf_init(&state->prf);
	if (err) {
		*error = "rekey_state: the kernel has no hmac(sha256)";
		goto destroy;
	}
	return state;

destroy:
	xc_state_destroy(state);
	return ERR_PTR(err);
}

/**
 * xc_state_destroy() - undo xc_state_create()
 * @state: the state
 *
 * Context: Process context.  May sleep.
 */
void xc_state_destroy(struct xc_state *state)
{
	xc_prf_exit(&state->prf);
	kfree(state->head);
	kfree_sensitive(state);
}

/* After the end an old key that was wiped is right, too. */
static bool may_be_wiped(const struct xc_state *state,
			 const struct xc_side_spec *old)
{
	return state->position.done && !memchr_inv(old->key, 0, old->key_size);
}

static int check_keys(struct xc_state *state, char **error)
{
	const struct xc_side_spec *old = &state->setup.sides[XC_OLD];
	const struct xc_side_spec *new = &state->setup.sides[XC_NEW];
	int err = 0;

	if (!may_be_wiped(state, old))
		err = xc_state_check_key(state, XC_OLD, old->key, error);
	return err ?: xc_state_check_key(state, XC_NEW, new->key, error);
}

/**
 * xc_state_look() - check that a conversion can begin or continue
 * @state: the state
 * @start: it is to begin
 * @error: set to a message on failure
 *
 * Another instance may be writing the state meanwhile.  Writes nothing.
 *
 * Context: Process context.  May sleep.
 * Return: 0, or a negative errno with @error set.
 */
int xc_state_look(struct xc_state *state, bool start, char **error)
{
	unsigned int tries = TRIES;
	int err;

	if (start)
		return check_blank(state, error);
	do
		err = read_state(state, error);
	while (err == -EUCLEAN && --tries);
	return err ?: check_keys(state, error);
}

static int flush(const struct xc_state *state)
{
	return xc_disk_flush_both(&state->setup.data, &state->setup.state);
}

/* The superblock in the slot does not count any more, and is written as it was. */
static int write_list(struct xc_state *state, unsigned int index)
{
	return xc_disk_write(&state->setup.state, index * XC_SLOT_SECTORS,
			     slot(state, index), XC_SLOT_SECTORS) ?:
		xc_disk_flush(&state->setup.state);
}

/* Write the next superblock, when its list is durable.  The head was read. */
static int write_super(struct xc_state *state, struct xc_superblock *super,
		       const struct xc_ranges *skipped)
{
	unsigned int index = !xc_super_slot(super);
	int err = 0;

	memcpy(super->owner, state->owner, sizeof(super->owner));
	xc_list_record(slot(state, index), super, skipped);
	xc_super_seal(super);
	if (skipped->count)
		err = write_list(state, index);
	if (err)
		return err;
	slot(state, index)->super = *super;
	err = xc_disk_write_fua(&state->setup.state, index * XC_SLOT_SECTORS,
				slot(state, index), state->block_sectors);
	if (!err)
		take(state, super);
	return err;
}

/*
 * Write the second superblock, if there is only the first.  From then on a blank slot
 * is damage, and cannot be taken for a conversion that only begins.
 */
static int finish_start(struct xc_state *state)
{
	struct xc_superblock super = state->super;

	return super.sequence == cpu_to_le64(1) ?
		write_super(state, &super, &state->skipped) : 0;
}

/* Was the beginning written by this instance, though with an error? */
static bool has_begun(struct xc_state *state)
{
	struct xc_superblock newest;
	char *error;

	return !read_head(state) &&
		!xc_super_choose(super_in(state, 0), super_in(state, 1),
				 &newest, &error) &&
		!memcmp(newest.owner, state->owner, XC_OWNER_SIZE);
}

/**
 * xc_state_start() - begin a conversion
 * @state: the state
 * @error: set to a message on failure
 *
 * When this returns 0, the beginning is there; xc_state_open() makes it durable, in
 * both slots.  After an error it can be called again.
 *
 * Context: Process context, before the first bio.  May sleep.
 * Return: 0, or a negative errno with @error set.
 */
int xc_state_start(struct xc_state *state, char **error)
{
	const struct xc_setup *setup = &state->setup;
	struct xc_superblock super;
	unsigned int i;
	int err;

	if (has_begun(state))
		return 0;
	err = check_blank(state, error);
	if (err)
		return err;
	xc_super_init(&super, setup);
	get_random_bytes(super.salt, sizeof(super.salt));
	for (i = 0; i < XC_SIDES; i++) {
		*error = "rekey_start: the check value of a key cannot be computed";
		err = key_check(state, super.salt, setup->sides[i].key,
				setup->sides[i].key_size,
				super.sides[i].key_check);
		if (err)
			return err;
	}
	*error = "rekey_start: the state device cannot be written";
	return write_super(state, &super, &state->skipped) ?:
		finish_start(state);
}

/* Did this instance write the newest superblock, or has it read that before? */
static bool is_known(const struct xc_state *state,
		     const struct xc_superblock *last)
{
	return !memcmp(state->super.owner, state->owner, XC_OWNER_SIZE) ||
		!memcmp(&state->super, last, sizeof(*last));
}

static int open_state(struct xc_state *state, bool again, char **error)
{
	struct xc_superblock last = state->super;
	int err;

	*error = "rekey_state: the devices cannot be flushed";
	err = flush(state) ?: read_state(state, error);
	if (err)
		return err;
	if (again && !is_known(state, &last)) {
		*error = NULL;
		return -ESTALE;
	}
	*error = "rekey_state: the device cannot be written";
	return finish_start(state);
}

/**
 * xc_state_open() - read the state, to act on it
 * @state: the state
 * @error: set to a message on failure
 *
 * Flushes both devices first.
 *
 * Context: Process context; no other instance may write the state.  May sleep.
 * Return: 0, or a negative errno with @error set.
 */
int xc_state_open(struct xc_state *state, char **error)
{
	return open_state(state, false, error);
}

/**
 * xc_state_reopen() - read the state again, after an error
 * @state: the state, opened
 * @error: set to a message on failure
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: as xc_state_open(), but -ESTALE, with @error set to NULL, if another host
 * has written the state since.
 */
int xc_state_reopen(struct xc_state *state, char **error)
{
	return open_state(state, true, error);
}

/**
 * xc_state_verify() - check that nobody else has written the superblocks
 * @state: the state, started or read
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0; -ESTALE if another host has written the state; -EUCLEAN if the state was
 * destroyed; or another negative errno.
 */
int xc_state_verify(struct xc_state *state)
{
	struct xc_superblock newest;
	int err = read_head(state);
	char *error;

	if (err)
		return err;
	if (xc_super_choose(super_in(state, 0), super_in(state, 1), &newest,
			    &error))
		return -EUCLEAN;
	return memcmp(&newest, &state->super, sizeof(newest)) ? -ESTALE : 0;
}

/**
 * xc_state_resize() - record the length of the volume, if it is another one
 * @state: the state, opened, of a conversion with these keys
 * @error: set to a message on failure
 *
 * The record is durable when this returns 0.
 *
 * Context: Process context, before the first bio.  May sleep.
 * Return: 0, or a negative errno with @error set.
 */
int xc_state_resize(struct xc_state *state, char **error)
{
	struct xc_superblock super = state->super;

	*error = "rekey_state: the new length cannot be written";
	return xc_super_resize(&super, state->setup.data.len) ?
		write_super(state, &super, &state->skipped) : 0;
}

/**
 * xc_state_commit() - record a position
 * @state: the state
 * @next: the position
 * @skipped: the list of sectors that were skipped, before the end of the active batch of
 *	@next; empty if all is converted
 *
 * Everything written to both devices before is durable before the record is
 * written, and the record is durable when this returns 0.  After an error either
 * position may be the one that counts.
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0; -ESTALE if another host has written the state meanwhile; -EUCLEAN if
 * the state was destroyed, see xc_state_restore(); or another negative errno.
 */
int xc_state_commit(struct xc_state *state, const struct xc_position *next,
		    const struct xc_ranges *skipped)
{
	struct xc_superblock super = state->super;

	xc_super_set_position(&super, next);
	return xc_state_verify(state) ?: flush(state) ?:
		write_super(state, &super, skipped);
}

/**
 * xc_state_restore() - write the superblocks anew, from memory
 * @state: the state, destroyed on the device
 * @at: the position; everything written to both devices is durable first
 * @skipped: the list of sectors that were skipped
 *
 * The area of an active batch must be there again.
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or a negative errno.
 */
int xc_state_restore(struct xc_state *state, const struct xc_position *at,
		     const struct xc_ranges *skipped)
{
	struct xc_superblock super = state->super;

	xc_super_set_position(&super, at);
	return flush(state) ?: write_super(state, &super, skipped) ?:
		write_super(state, &super, skipped);
}

/* ---- areas --------------------------------------------------------------- */

static sector_t area_start(const struct xc_state *state, unsigned int area)
{
	return XC_AREAS_START + area * le32_to_cpu(state->super.area_sectors);
}

/**
 * xc_state_batch_max() - find the greatest length that a batch may have
 * @state: the state, started or read
 *
 * Context: Any context.
 * Return: the length in sectors.
 */
unsigned int xc_state_batch_max(const struct xc_state *state)
{
	return xc_super_batch_max(&state->super);
}

/**
 * xc_state_area() - find an area
 * @state: the state, started or read
 * @area: its index
 *
 * Context: Any context.
 * Return: the area.
 */
struct xc_disk xc_state_area(const struct xc_state *state, unsigned int area)
{
	struct xc_disk disk = xc_disk_rest(state->setup.state,
					   area_start(state, area));

	disk.len = le32_to_cpu(state->super.area_sectors);
	return disk;
}

/* Bytes in the device's blocks that hold @size bytes. */
static unsigned int in_blocks(const struct xc_state *state, unsigned int size)
{
	return round_up(size, state->block_sectors << SECTOR_SHIFT);
}

/**
 * xc_state_area_read() - read the area of the active batch
 * @state: the state
 * @data: set to its contents; from kmalloc(), a multiple of 4096 bytes
 * @size: bytes wanted
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or a negative errno.
 */
int xc_state_area_read(const struct xc_state *state, void *data,
		       unsigned int size)
{
	return xc_disk_read(&state->setup.state,
			    area_start(state, state->position.area), data,
			    in_blocks(state, size) >> SECTOR_SHIFT);
}

/**
 * xc_state_area_write() - write an area
 * @state: the state
 * @area: its index; not that of the active batch
 * @data: its contents; from kmalloc(), a multiple of 4096 bytes
 * @size: bytes to write; those after them may be written too
 *
 * The next commit makes it durable.
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or a negative errno.
 */
int xc_state_area_write(const struct xc_state *state, unsigned int area,
			const void *data, unsigned int size)
{
	return xc_disk_write(&state->setup.state, area_start(state, area),
			     data, in_blocks(state, size) >> SECTOR_SHIFT);
}

/**
 * xc_state_erase_areas() - overwrite the areas after the last batch
 * @state: the state, done
 * @zeros: zeros; from kmalloc()
 * @size: bytes in @zeros, a multiple of 4096
 *
 * Context: Process context.  May sleep; allocates nothing.
 * Return: 0, or a negative errno.
 */
int xc_state_erase_areas(const struct xc_state *state, const void *zeros,
			 unsigned int size)
{
	unsigned int sectors = size >> SECTOR_SHIFT;
	sector_t sector = XC_AREAS_START;
	sector_t end = area_start(state, XC_AREAS);
	int err = 0;

	for (; sector < end && !err; sector += sectors)
		err = xc_disk_write(&state->setup.state, sector, zeros,
				    min_t(sector_t, sectors, end - sector));
	return err ?: xc_disk_flush(&state->setup.state);
}

/* ---- the rest ------------------------------------------------------------ */

/**
 * xc_state_position() - see how far a conversion is
 * @state: the state, started or read
 *
 * Context: In the only context that changes it.
 * Return: the position that is durable.
 */
const struct xc_position *xc_state_position(const struct xc_state *state)
{
	return &state->position;
}

/**
 * xc_state_skipped() - see which sectors were skipped
 * @state: the state, started or read
 *
 * Context: In the only context that changes it.
 * Return: the list that is durable.
 */
const struct xc_ranges *xc_state_skipped(const struct xc_state *state)
{
	return &state->skipped;
}

/**
 * xc_state_resilience() - see how a conversion survives a power cut
 * @state: the state, started or read
 *
 * Context: Any context.
 * Return: see &enum xc_resilience.
 */
enum xc_resilience xc_state_resilience(const struct xc_state *state)
{
	return state->super.resilience;
}

/**
 * xc_state_data() - find the data of a volume
 * @state: the state
 *
 * Context: Any context.
 * Return: the volume on the underlying device.
 */
const struct xc_disk *xc_state_data(const struct xc_state *state)
{
	return &state->setup.data;
}

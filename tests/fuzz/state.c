// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fuzzer (libFuzzer) of rekey/state.c and rekey/super.c: the input is what a state
 * device holds. It aborts if something is written before the state is accepted, or if an
 * accepted state has a batch, an area or a list that does not fit. The length of the
 * volume may be another one than the state has.
 *
 * The first byte of the input says what the device holds: a blank state with the
 * input copied into its superblocks, or a valid state of one to four superblocks
 * that the input modifies; whether checksums are made right after that; whether there
 * is a journal, and a new key; and whether sectors were skipped.
 */
#include "kernel.h"

#include "rekey/digest.h"
#include "rekey/format.h"
#include "io/ranges.h"
#include "rekey/state.h"

/* The entry point of libFuzzer. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define VOLUME_SECTORS 100000
#define STATE_SECTORS XC_STATE_MIN_SECTORS
#define HEAD_SIZE (XC_AREAS_START * SECTOR_SIZE)

/* Bits of the first byte. */
#define COMMITS 3
#define VALID 4
#define FIX_CHECKSUMS 8
#define JOURNAL 16
#define NO_NEW_KEY 32
#define SKIPPED 64

/* The first sectors of the state device; the others read as zeros. */
static u8 head[HEAD_SIZE];
static unsigned int writes;
static struct block_device devices[2] = {
	{ .block_size = SECTOR_SIZE },
	{ .block_size = SECTOR_SIZE },
};

/* ---- in place of the kernel, and of rekey/disk.c ------------------------- */

void fail(const char *format, ...)
{
	fprintf(stderr, "%s\n", format);
	abort();
}

void kernel_log(const char *format, ...)
{
}

void get_random_bytes(void *p, size_t size)
{
	memset(p, 1, size);
}

static void check_place(const struct xc_disk *disk, sector_t sector,
			unsigned int sectors)
{
	if (disk->bdev != &devices[1])
		fail("I/O to another device");
	if (!sectors || sector >= disk->len || sectors > disk->len - sector)
		fail("I/O after the end of the state device");
}

int xc_disk_read(const struct xc_disk *disk, sector_t sector, void *data,
		 unsigned int sectors)
{
	check_place(disk, sector, sectors);
	memset(data, 0, sectors << SECTOR_SHIFT);
	if (sector + sectors <= XC_AREAS_START)
		memcpy(data, head + (sector << SECTOR_SHIFT),
		       sectors << SECTOR_SHIFT);
	return 0;
}

int xc_disk_write(const struct xc_disk *disk, sector_t sector,
		  const void *data, unsigned int sectors)
{
	check_place(disk, sector, sectors);
	writes++;
	if (sector + sectors <= XC_AREAS_START)
		memcpy(head + (sector << SECTOR_SHIFT), data,
		       sectors << SECTOR_SHIFT);
	else
		memchr_inv(data, 0, sectors << SECTOR_SHIFT);
	return 0;
}

int xc_disk_write_fua(const struct xc_disk *disk, sector_t sector,
		      const void *data, unsigned int sectors)
{
	return xc_disk_write(disk, sector, data, sectors);
}

int xc_disk_flush(const struct xc_disk *disk)
{
	return 0;
}

int xc_disk_flush_both(const struct xc_disk *a, const struct xc_disk *b)
{
	return xc_disk_flush(a) ?: xc_disk_flush(b);
}

/* ---- what the device holds ----------------------------------------------- */

static void make_valid(struct xc_state *state, unsigned int commits,
		       bool skipped)
{
	struct xc_position next = { .frontier = 0, .batch_sectors = 8 };
	struct xc_ranges list = {};
	char *error;

	if (xc_state_start(state, &error))
		fail("a blank state is refused");
	for (; commits; commits--) {
		if (skipped && xc_ranges_add(&list, next.frontier + 1,
					     next.frontier + 3))
			fail("a list is full");
		if (xc_state_commit(state, &next, &list))
			fail("a commit fails");
		next.frontier += next.batch_sectors;
		next.area = !next.area;
	}
}

/* Three bytes change one: where, in either superblock or its list, and to what. */
static void modify(const u8 *data, size_t size)
{
	unsigned int at;

	for (; size >= 3; size -= 3, data += 3) {
		at = data[0] | data[1] << 8;
		head[at % 512 + (at & 512 ? HEAD_SIZE / XC_SLOTS : 0) +
		     (at & 1024 ? SECTOR_SIZE : 0)] = data[2];
	}
}

static void fill(const u8 *data, size_t size)
{
	size_t first = min_t(size_t, size, SECTOR_SIZE);

	memcpy(head, data, first);
	memcpy(head + HEAD_SIZE / XC_SLOTS, data + first,
	       min_t(size_t, size - first, HEAD_SIZE / XC_SLOTS));
}

static void fix_checksums(void)
{
	struct xc_superblock super;
	unsigned int i;

	for (i = 0; i < XC_SLOTS; i++) {
		u8 *slot = head + i * HEAD_SIZE / XC_SLOTS;

		memcpy(&super, slot, sizeof(super));
		if (memcmp(super.magic, XC_STATE_MAGIC, sizeof(super.magic)))
			continue;
		if (super.skipped <= XC_SKIPPED_RANGES)
			super.skipped_check =
				~crc32_le(~0U, slot + SECTOR_SIZE, super.skipped *
					  sizeof(struct xc_range_record));
		super.checksum = 0;
		super.checksum = ~crc32_le(~0U, (u8 *)&super, sizeof(super));
		memcpy(slot, &super, sizeof(super));
	}
}

/* ---- what must hold ------------------------------------------------------ */

static void check_position(const struct xc_state *state)
{
	const struct xc_position *at = xc_state_position(state);
	struct xc_disk area = xc_state_area(state, at->area);
	unsigned int size = at->batch_sectors * XC_DIGEST_SIZE;

	if (xc_state_resilience(state) == XC_JOURNAL)
		size = at->batch_sectors << SECTOR_SHIFT;

	if (at->frontier > VOLUME_SECTORS ||
	    at->batch_sectors > VOLUME_SECTORS - at->frontier)
		fail("the batch ends after the volume");
	if (at->done && at->frontier < VOLUME_SECTORS)
		fail("done too early");
	if (size > area.len << SECTOR_SHIFT ||
	    at->batch_sectors > XC_BATCH_UNITS)
		fail("the batch does not fit the area");
	if (!area.len || at->batch_sectors > xc_state_batch_max(state))
		fail("an area without a length, or a batch that is too long");
}

static void check_list(const struct xc_state *state)
{
	const struct xc_position *at = xc_state_position(state);
	const struct xc_ranges *list = xc_state_skipped(state);
	const struct xc_range *range = list->ranges;
	unsigned int i;

	if (list->count > XC_RANGES_MAX || (list->count && at->done))
		fail("a list that is too long, or at the end");
	for (i = 0; i < list->count; i++, range++)
		if (range->start >= range->end ||
		    range->end > at->frontier + at->batch_sectors ||
		    (i && range->start <= range[-1].end))
			fail("a list that is not sorted, or too far");
}

static void use(struct xc_state *state)
{
	static u8 memory[XC_DIGESTS_SIZE];
	struct xc_position next = *xc_state_position(state);

	check_position(state);
	check_list(state);
	if (next.batch_sectors && xc_state_resilience(state) == XC_CHECKSUM)
		xc_state_area_read(state, memory,
				   next.batch_sectors * XC_DIGEST_SIZE);
	memset(memory, 0, sizeof(memory));
	next.frontier += next.batch_sectors;
	next.batch_sectors = 0;
	next.done = next.frontier == VOLUME_SECTORS &&
		!xc_state_skipped(state)->count;
	if (xc_state_area_write(state, !next.area, memory, XC_DIGEST_SIZE) ||
	    xc_state_commit(state, &next, xc_state_skipped(state)))
		fail("a commit fails");
	check_position(state);
	xc_state_erase_areas(state, memory, XC_DIGESTS_SIZE);
}

/* Does one of the superblocks have it? */
static bool has_other_length(void)
{
	struct xc_superblock super;
	unsigned int i;

	for (i = 0; i < XC_SLOTS; i++) {
		memcpy(&super, head + i * HEAD_SIZE / XC_SLOTS, sizeof(super));
		if (super.length != VOLUME_SECTORS)
			return true;
	}
	return false;
}

static void record_length(struct xc_state *state)
{
	bool other = has_other_length();
	char *error;

	if (xc_state_resize(state, &error))
		fail("a length cannot be recorded");
	if (writes && !other)
		fail("a length is recorded again");
	if (xc_state_look(state, false, &error))
		fail("what was recorded is refused");
}

static void try_state(struct xc_state *state)
{
	bool blank = !memchr_inv(head, 0, sizeof(head));
	char *error = NULL;
	int err;

	writes = 0;
	if (!xc_state_look(state, true, &error) != blank)
		fail("rekey_start is right for blank states, and no others");
	err = xc_state_look(state, false, &error);
	if (err && (!error || strncmp(error, "rekey_", 6)) &&
	    strncmp(error, "key: ", 5))
		fail("an error without its argument");
	if (!err != !xc_state_open(state, &error) && err != -EKEYREJECTED)
		fail("a state is refused by the constructor only, or not by it");
	if (writes)
		fail("something was written");
	if (err)
		return;
	record_length(state);
	use(state);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u8 keys[2][32] = { "old", "new" };
	struct xc_setup setup = {
		.data = { &devices[0], 0, VOLUME_SECTORS },
		.state = { &devices[1], 0, STATE_SECTORS },
	};
	struct xc_state *state;
	unsigned int i;
	char *error;
	u8 mode;

	if (!size)
		return 0;
	for (i = 0; i < XC_SIDES; i++)
		setup.sides[i] = (struct xc_side_spec) {
			.spec = "aes-xts-plain64", .sector_size = SECTOR_SIZE,
			.key = keys[i], .key_size = sizeof(keys[i]),
		};
	mode = data[0];
	if (mode & JOURNAL)
		setup.resilience = XC_JOURNAL;
	if (mode & JOURNAL && mode & NO_NEW_KEY)
		setup.sides[XC_NEW].key_size = 0;
	state = xc_state_create(&setup, &error);
	memset(head, 0, sizeof(head));

	if (mode & VALID) {
		make_valid(state, mode & COMMITS, mode & SKIPPED);
		modify(data + 1, size - 1);
	} else {
		fill(data + 1, size - 1);
	}
	if (mode & FIX_CHECKSUMS)
		fix_checksums();
	try_state(state);

	xc_state_destroy(state);
	return 0;
}

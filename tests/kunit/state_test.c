// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a conversion on disk: superblocks byte by byte, and which of them are
 * refused.  The state device is memory.  Fields are found by the offsets of
 * docs/rekey-format.md, and vectors.py computed the superblocks from that page.
 */
#include <kunit/test.h>
#include <linux/blkdev.h>
#include <linux/crc32.h>
#include <linux/unaligned.h>

/* The state is opaque, and the disk is replaced. */
#include "../../rekey/state.c"
#include "../../rekey/prf.c"
#include "../../rekey/super.c"
#include "../../rekey/list.c"
#include "digest_test.h"

struct superblock_vector {
	u8 bytes[SECTOR_SIZE];
};

#include "superblock_vectors.h"

/* What vectors.py has, in sectors. */
#define LENGTH 1000000
#define START 2048
#define FRONTIER 4096
#define UNIT 8
#define AREA 2040

#define HEAD_SIZE (XC_AREAS_START * SECTOR_SIZE)
#define SLOT_SIZE (XC_SLOT_SECTORS * SECTOR_SIZE)

/* Where fields are in a superblock, and in the new side. */
#define VERSION 8
#define CHECKSUM 12
#define SEQUENCE 16
#define SALT 24
#define OWNER 56
#define VOLUME_LENGTH 80
#define DIRECTION 104
#define RESILIENCE 105
#define DONE 106
#define DIGEST 107
#define NEW_SIDE 272
#define SKIPPED 408
#define SKIPPED_CHECK 412

/**
 * struct state_device - a state device in memory, and the state on it
 * @head: its beginning; all else reads as zeros
 * @keys: both keys
 * @setup: what the table line says
 * @state: the state
 */
struct state_device {
	u8 head[HEAD_SIZE];
	u8 keys[XC_SIDES][64];
	struct xc_setup setup;
	struct xc_state *state;
};

static struct state_device *device;

/* ---- in place of rekey/disk.c -------------------------------------------- */

int xc_disk_read(const struct xc_disk *disk, sector_t sector, void *data,
		 unsigned int sectors)
{
	memset(data, 0, sectors << SECTOR_SHIFT);
	if (sector + sectors <= XC_AREAS_START)
		memcpy(data, device->head + (sector << SECTOR_SHIFT),
		       sectors << SECTOR_SHIFT);
	return 0;
}

int xc_disk_write(const struct xc_disk *disk, sector_t sector,
		  const void *data, unsigned int sectors)
{
	if (sector + sectors > XC_AREAS_START)
		return -EIO;
	memcpy(device->head + (sector << SECTOR_SHIFT), data,
	       sectors << SECTOR_SHIFT);
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
	return 0;
}

/* ---- each test ----------------------------------------------------------- */

/* A block device with nothing but limits. */
static struct block_device *fake_bdev(struct kunit *test)
{
	struct block_device *bdev = kunit_kzalloc(test, sizeof(*bdev),
						  GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bdev);
	bdev->bd_queue = kunit_kzalloc(test, sizeof(*bdev->bd_queue),
				       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bdev->bd_queue);
	bdev->bd_queue->limits.logical_block_size = SECTOR_SIZE;
	return bdev;
}

static int state_init(struct kunit *test)
{
	char *error;

	device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, device);
	fill_key(device->keys[XC_OLD], 32);
	fill_data(device->keys[XC_NEW], 64);
	device->setup = (struct xc_setup) {
		.sides[XC_OLD] = {
			.spec = "aes-cbc-essiv:sha256", .iv_offset = 5,
			.sector_size = 512,
			.key = device->keys[XC_OLD], .key_size = 32,
		},
		.sides[XC_NEW] = {
			.spec = "aes-xts-plain64", .iv_offset = 0x123456789,
			.sector_size = 4096, .large_iv = true,
			.key = device->keys[XC_NEW], .key_size = 64,
		},
		.data = { .start = START, .len = LENGTH },
		.state = { .bdev = fake_bdev(test), .len = 4096 },
	};
	device->state = xc_state_create(&device->setup, &error);
	KUNIT_ASSERT_FALSE(test, IS_ERR(device->state));
	/* vectors.py knows no random number */
	memset(device->state->owner, 0, sizeof(device->state->owner));
	return 0;
}

static void state_exit(struct kunit *test)
{
	if (device && !IS_ERR_OR_NULL(device->state))
		xc_state_destroy(device->state);
	device = NULL;
}

static u8 *on_disk(unsigned int index)
{
	return device->head + index * SLOT_SIZE;
}

/* The superblock with this sequence number, of vectors.py. */
static const u8 *vector(unsigned int sequence)
{
	return superblock_vectors[sequence - 6].bytes;
}

static void put(unsigned int index, unsigned int sequence)
{
	memcpy(on_disk(index), vector(sequence), SECTOR_SIZE);
}

/* A superblock with an active batch, and the one before. */
static void put_both(void)
{
	put(0, 7);
	put(1, 6);
}

/* After a field was changed. */
static void seal(unsigned int index)
{
	put_unaligned_le32(0, on_disk(index) + CHECKSUM);
	put_unaligned_le32(~crc32_le(~0U, on_disk(index), SECTOR_SIZE),
			   on_disk(index) + CHECKSUM);
}

static void expect_look(struct kunit *test, const char *what, int expected)
{
	char *error = NULL;
	int err = xc_state_look(device->state, false, &error);

	KUNIT_EXPECT_EQ_MSG(test, err, expected, "%s: %s", what, error);
}

/* ---- bytes --------------------------------------------------------------- */

static void state_vector_test(struct kunit *test)
{
	const struct xc_position *at = xc_state_position(device->state);
	struct xc_position next = { .frontier = FRONTIER + 16, .area = 1 };
	char *error = NULL;

	put_both();
	KUNIT_ASSERT_EQ_MSG(test, xc_state_open(device->state, &error), 0, "%s",
			    error);
	KUNIT_EXPECT_EQ(test, at->frontier, FRONTIER);
	KUNIT_EXPECT_EQ(test, at->batch_sectors, 16);
	KUNIT_EXPECT_EQ(test, at->area, 1);
	KUNIT_EXPECT_MEMEQ(test, at->check, vector(7) + 120, XC_DIGEST_SIZE);
	KUNIT_EXPECT_FALSE(test, at->done);
	KUNIT_EXPECT_EQ(test, xc_state_area(device->state, 1).len, AREA);

	/* a commit replaces the older superblock, and nothing else */
	KUNIT_ASSERT_EQ(test, xc_state_commit(device->state, &next,
					      xc_state_skipped(device->state)), 0);
	KUNIT_EXPECT_MEMEQ(test, on_disk(0), vector(7), SECTOR_SIZE);
	KUNIT_EXPECT_MEMEQ(test, on_disk(1), vector(8), SECTOR_SIZE);
	KUNIT_EXPECT_NULL(test, memchr_inv(on_disk(0) + SECTOR_SIZE, 0,
					   SLOT_SIZE - SECTOR_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(on_disk(1) + SECTOR_SIZE, 0,
					   SLOT_SIZE - SECTOR_SIZE));
}

/* The check value in the superblock is that of two units' digests. */
static void state_digests_test(struct kunit *test)
{
	u8 *unit = kunit_kzalloc(test, 4096, GFP_KERNEL);
	u8 digests[2 * XC_DIGEST_SIZE], check[XC_DIGEST_SIZE];
	struct xc_digest_key key;
	struct xc_digest digest;
	char *error;

	KUNIT_ASSERT_NOT_NULL(test, unit);
	put_both();
	KUNIT_ASSERT_EQ(test, xc_state_open(device->state, &error), 0);
	KUNIT_EXPECT_EQ(test, xc_state_digest_key(device->state, XC_NEW,
						  device->keys[XC_NEW], &key),
			0);
	make_digest(test, &digest, &key);
	fill_data(unit, 4096);
	compute_digest(test, &digest, FRONTIER, unit, 4096, digests);
	fill_key(unit, 4096);
	compute_digest(test, &digest, FRONTIER + UNIT, unit, 4096,
		       digests + XC_DIGEST_SIZE);
	KUNIT_EXPECT_EQ(test, xc_digest_check(&digest, FRONTIER, digests, 2,
					      check), 0);
	KUNIT_EXPECT_MEMEQ(test, check, vector(7) + 120, XC_DIGEST_SIZE);
	xc_digest_exit(&digest);
}

/* A beginning: both slots, which differ from a later one in little. */
static void state_start_test(struct kunit *test)
{
	char *error = NULL;
	unsigned int i;

	KUNIT_ASSERT_EQ_MSG(test, xc_state_start(device->state, &error), 0,
			    "%s", error);
	for (i = 0; i < XC_SLOTS; i++) {
		KUNIT_EXPECT_MEMEQ(test, on_disk(i), vector(6), CHECKSUM);
		KUNIT_EXPECT_EQ(test, get_unaligned_le64(on_disk(i) + SEQUENCE),
				i + 1);
		KUNIT_EXPECT_NULL(test, memchr_inv(on_disk(i) + OWNER, 0, 16));
		/* start, length and shift */
		KUNIT_EXPECT_MEMEQ(test, on_disk(i) + 72, vector(6) + 72, 24);
		KUNIT_EXPECT_EQ(test, get_unaligned_le64(on_disk(i) + 96), 0);
		/* direction, done, the active batch */
		KUNIT_EXPECT_EQ(test, on_disk(i)[DIRECTION], 0);
		KUNIT_EXPECT_EQ(test, on_disk(i)[DONE], 0);
		KUNIT_EXPECT_EQ(test, get_unaligned_le32(on_disk(i) + 112), 0);
		/* the new side, but for the key's check value */
		KUNIT_EXPECT_MEMEQ(test, on_disk(i) + NEW_SIDE,
				   vector(6) + NEW_SIDE, 120);
		KUNIT_EXPECT_NULL(test, memchr_inv(on_disk(i) + SKIPPED, 0,
						   SECTOR_SIZE - SKIPPED));
	}
	KUNIT_EXPECT_NOT_NULL(test, memchr_inv(on_disk(0) + SALT, 0,
					       XC_SALT_SIZE));
	KUNIT_EXPECT_MEMEQ(test, on_disk(1) + SALT, on_disk(0) + SALT, XC_SALT_SIZE);
	expect_look(test, "what was begun", 0);
	KUNIT_EXPECT_EQ(test, xc_state_look(device->state, true, &error),
			-EEXIST);
}

/* ---- one of two slots ---------------------------------------------------- */

static u64 newest(struct kunit *test)
{
	char *error = NULL;

	KUNIT_EXPECT_EQ_MSG(test, xc_state_open(device->state, &error), 0, "%s",
			    error);
	return le64_to_cpu(device->state->super.sequence);
}

static void state_newest_test(struct kunit *test)
{
	put(0, 7);
	put(1, 6);
	KUNIT_EXPECT_EQ(test, newest(test), 7);
	put(1, 8);
	KUNIT_EXPECT_EQ(test, newest(test), 8);
}

static void renumber(unsigned int index, u64 sequence)
{
	put_unaligned_le64(sequence, on_disk(index) + SEQUENCE);
	seal(index);
}

static void state_slots_test(struct kunit *test)
{
	expect_look(test, "two blank slots", -ENODATA);

	put(1, 6);
	expect_look(test, "slot 0 blank", -EINVAL);
	put_both();
	on_disk(0)[0] ^= 1;
	seal(0);
	expect_look(test, "slot 0 without the magic", -EINVAL);
	put_both();
	on_disk(0)[VERSION]++;
	seal(0);
	expect_look(test, "a newer version", -EOPNOTSUPP);
	put_both();
	on_disk(1)[VERSION]++;
	seal(1);
	expect_look(test, "a newer version in slot 1", -EOPNOTSUPP);

	put_both();
	memset(on_disk(1), 0, SECTOR_SIZE);
	expect_look(test, "slot 1 blank", -EUCLEAN);
	renumber(0, 1);
	expect_look(test, "slot 1 blank, in the beginning", 0);
	put_both();
	memcpy(on_disk(0) + 256, vector(6) + 256, 256);
	on_disk(0)[SECTOR_SIZE - 1] = 1;
	expect_look(test, "slot 0 torn", -EUCLEAN);
	put_both();
	on_disk(1)[SECTOR_SIZE - 1] = 1;
	expect_look(test, "slot 1 torn", -EUCLEAN);

	put(0, 6);
	put(1, 7);
	expect_look(test, "the slots exchanged", -EUCLEAN);
	put(0, 7);
	put(1, 7);
	expect_look(test, "the same number in both", -EUCLEAN);
	put_both();
	renumber(0, 9);
	expect_look(test, "numbers that do not follow each other", -EUCLEAN);
	renumber(0, 1);
	renumber(1, 0);
	expect_look(test, "number 0", -EUCLEAN);
	put_both();
	on_disk(1)[SALT] ^= 1;
	seal(1);
	expect_look(test, "another conversion's slot 1", -EUCLEAN);
}

/* ---- what must fit ------------------------------------------------------- */

/* The newest superblock, with a number of @size bytes at @at. */
static void expect_field(struct kunit *test, unsigned int at, unsigned int size,
			 u64 value, int expected)
{
	char what[40];
	__le64 bytes = cpu_to_le64(value);

	put_both();
	memcpy(on_disk(0) + at, &bytes, size);
	seal(0);
	scnprintf(what, sizeof(what), "%llu at byte %u", value, at);
	expect_look(test, what, expected);
}

static void state_fit_test(struct kunit *test)
{
	put_both();
	expect_look(test, "what fits", 0);

	expect_field(test, 72, 8, START + 8, -EINVAL);
	expect_field(test, 88, 8, 8, -EOPNOTSUPP);
	expect_field(test, DIRECTION, 1, 1, -EOPNOTSUPP);
	expect_field(test, RESILIENCE, 1, 200, -EOPNOTSUPP);
	expect_field(test, DIGEST, 1, 0, -EOPNOTSUPP);
	expect_field(test, DIGEST, 1, 2, -EOPNOTSUPP);
	/* the old side: specification, IV offset, sizes of sector and key */
	expect_field(test, 136, 1, 'b', -EINVAL);
	expect_field(test, 232, 8, 6, -EINVAL);
	expect_field(test, 240, 4, 1024, -EINVAL);
	expect_field(test, 248, 4, 64, -EINVAL);
	/* the new side: IVs that count encryption sectors */
	expect_field(test, NEW_SIDE + 108, 4, 0, -EINVAL);
	/* check values of keys */
	expect_field(test, 256, 1, 0, -EKEYREJECTED);
	expect_field(test, NEW_SIDE + 120, 1, 0, -EKEYREJECTED);
}

static void state_areas_test(struct kunit *test)
{
	/* also without an active batch */
	put(0, 7);
	put(1, 8);
	put_unaligned_le32(0, on_disk(1) + 108);
	seal(1);
	expect_look(test, "areas without a sector", -EUCLEAN);
	expect_field(test, 108, 4, AREA - 1, -EUCLEAN);
	expect_field(test, 108, 4, AREA - 8, 0);
	expect_field(test, 108, 4, AREA + 8, -EINVAL);
	/* on a device that is long enough */
	device->state->setup.state.len = 1 << 20;
	expect_field(test, 108, 4, XC_AREA_MAX_SECTORS, 0);
	expect_field(test, 108, 4, XC_AREA_MAX_SECTORS + 8, -EUCLEAN);
}

static void expect_position(struct kunit *test, u64 frontier, u32 sectors,
			    u32 area, bool done, int expected)
{
	char what[80];

	put_both();
	put_unaligned_le64(frontier, on_disk(0) + 96);
	put_unaligned_le32(sectors, on_disk(0) + 112);
	put_unaligned_le32(area, on_disk(0) + 116);
	on_disk(0)[DONE] = done;
	seal(0);
	scnprintf(what, sizeof(what), "frontier %llu, batch %u, area %u, done %u",
		  frontier, sectors, area, done);
	expect_look(test, what, expected);
}

static void state_position_test(struct kunit *test)
{
	u32 most = XC_BATCH_UNITS * UNIT;

	expect_position(test, 0, 0, 0, false, 0);
	expect_position(test, LENGTH - UNIT, UNIT, 1, false, 0);
	expect_position(test, LENGTH, 0, 0, true, 0);
	expect_position(test, 0, most, 0, false, 0);

	expect_position(test, LENGTH + UNIT, 0, 0, false, -EUCLEAN);
	expect_position(test, LENGTH + UNIT, 0, 0, true, -EUCLEAN);
	expect_position(test, U64_MAX - 7, 2 * UNIT, 0, false, -EUCLEAN);
	expect_position(test, LENGTH - UNIT, 2 * UNIT, 0, false, -EUCLEAN);
	expect_position(test, UNIT / 2, 0, 0, false, -EUCLEAN);
	expect_position(test, UNIT, UNIT / 2, 0, false, -EUCLEAN);
	expect_position(test, 0, most + UNIT, 0, false, -EUCLEAN);
	expect_position(test, UNIT, UNIT, XC_AREAS, false, -EUCLEAN);
	/* at the end, sectors that were skipped may be left to fill */
	expect_position(test, LENGTH, 0, 0, false, 0);
	expect_position(test, LENGTH - UNIT, 0, 0, true, -EUCLEAN);
}

/* ---- sectors that were skipped ------------------------------------------- */

/* Slot 0, the newest, has a list of two ranges before the frontier. */
static void put_list(u64 first, u64 first_sectors, u64 second,
		     u64 second_sectors)
{
	u8 *list = on_disk(0) + SECTOR_SIZE;

	put_both();
	put_unaligned_le64(first, list);
	put_unaligned_le64(first_sectors, list + 8);
	put_unaligned_le64(second, list + 16);
	put_unaligned_le64(second_sectors, list + 24);
	put_unaligned_le32(2, on_disk(0) + SKIPPED);
	put_unaligned_le32(~crc32_le(~0U, list, 32),
			   on_disk(0) + SKIPPED_CHECK);
	seal(0);
}

static void expect_list(struct kunit *test, u64 first, u64 first_sectors,
			u64 second, u64 second_sectors, int expected)
{
	char what[100];

	put_list(first, first_sectors, second, second_sectors);
	scnprintf(what, sizeof(what), "a list of %llu + %llu, %llu + %llu",
		  first, first_sectors, second, second_sectors);
	expect_look(test, what, expected);
}

static void state_list_test(struct kunit *test)
{
	const struct xc_ranges *list = xc_state_skipped(device->state);
	u64 end;

	put_both();
	end = get_unaligned_le64(on_disk(0) + 96) +
	      get_unaligned_le32(on_disk(0) + 112);

	expect_list(test, 0, UNIT, 2 * UNIT, UNIT, 0);
	KUNIT_EXPECT_EQ(test, list->count, 2);
	KUNIT_EXPECT_EQ(test, list->ranges[1].start, 2 * UNIT);
	KUNIT_EXPECT_EQ(test, list->ranges[1].end, 3 * UNIT);
	/* out of order, touching, empty, a part of a unit, too far */
	expect_list(test, 2 * UNIT, UNIT, 0, UNIT, -EUCLEAN);
	expect_list(test, 0, UNIT, UNIT, UNIT, -EUCLEAN);
	expect_list(test, 0, 0, UNIT, UNIT, -EUCLEAN);
	expect_list(test, 0, UNIT, 2 * UNIT, 1, -EUCLEAN);
	expect_list(test, 0, UNIT, 2 * UNIT + 1, UNIT, -EUCLEAN);
	expect_list(test, 0, UNIT, LENGTH, UNIT, -EUCLEAN);
	expect_list(test, 0, UNIT, 2 * UNIT, U64_MAX - 7, -EUCLEAN);
	expect_list(test, 0, UNIT, 2 * UNIT, end - 2 * UNIT, 0);
	expect_list(test, 0, UNIT, 2 * UNIT, end - UNIT, -EUCLEAN);

	put_list(0, UNIT, 2 * UNIT, UNIT);
	on_disk(0)[SECTOR_SIZE + 8] ^= 1;
	expect_look(test, "a list with another checksum", -EUCLEAN);
	put_list(0, UNIT, 2 * UNIT, UNIT);
	put_unaligned_le32(XC_SKIPPED_RANGES + 1, on_disk(0) + SKIPPED);
	seal(0);
	expect_look(test, "a list that is too long", -EUCLEAN);
}

/* What a commit records is read again, and an older list is left as it was. */
static void state_list_commit_test(struct kunit *test)
{
	struct xc_position next = { .batch_sectors = 4 * UNIT };
	struct xc_ranges *list = kunit_kzalloc(test, sizeof(*list), GFP_KERNEL);
	u8 old[SECTOR_SIZE];
	char *error;

	KUNIT_ASSERT_NOT_NULL(test, list);
	KUNIT_ASSERT_EQ(test, xc_state_start(device->state, &error), 0);
	KUNIT_ASSERT_EQ(test, xc_ranges_add(list, UNIT, 2 * UNIT), 0);
	KUNIT_ASSERT_EQ(test, xc_state_commit(device->state, &next, list), 0);
	memcpy(old, on_disk(0) + SECTOR_SIZE, SECTOR_SIZE);
	KUNIT_ASSERT_EQ(test, xc_ranges_add(list, 3 * UNIT, 4 * UNIT), 0);
	KUNIT_ASSERT_EQ(test, xc_state_commit(device->state, &next, list), 0);
	KUNIT_EXPECT_MEMEQ(test, on_disk(0) + SECTOR_SIZE, old, SECTOR_SIZE);

	KUNIT_ASSERT_EQ(test, xc_state_open(device->state, &error), 0);
	KUNIT_EXPECT_EQ(test, xc_state_skipped(device->state)->count, 2);
	list->count = 0;
	KUNIT_ASSERT_EQ(test, xc_state_commit(device->state, &next, list), 0);
	KUNIT_ASSERT_EQ(test, xc_state_open(device->state, &error), 0);
	KUNIT_EXPECT_EQ(test, xc_state_skipped(device->state)->count, 0);
}

/* When all is converted, the old key may be one that was wiped. */
static void state_wiped_key_test(struct kunit *test)
{
	memset(device->keys[XC_OLD], 0, 32);
	expect_position(test, LENGTH - UNIT, UNIT, 1, false, -EKEYREJECTED);
	expect_position(test, LENGTH, 0, 0, true, 0);
	device->keys[XC_OLD][31] = 1;
	expect_position(test, LENGTH, 0, 0, true, -EKEYREJECTED);
	device->keys[XC_OLD][31] = 0;
	memset(device->keys[XC_NEW], 0, 64);
	expect_position(test, LENGTH, 0, 0, true, -EKEYREJECTED);
}

/* A journal has the batch itself, which must fit the area. */
static void expect_journal(struct kunit *test, u32 sectors, int expected)
{
	put_both();
	on_disk(0)[RESILIENCE] = 1;
	put_unaligned_le32(sectors, on_disk(0) + 112);
	seal(0);
	expect_look(test, "a journal", expected);
}

static void state_journal_test(struct kunit *test)
{
	expect_journal(test, 0, 0);
	expect_journal(test, AREA, 0);
	expect_journal(test, AREA + UNIT, -EUCLEAN);
}

/* ---- another length ------------------------------------------------------ */

/* Of the table line. */
static void expect_length(struct kunit *test, u64 length, int expected)
{
	char what[40];

	device->state->setup.data.len = length;
	scnprintf(what, sizeof(what), "a volume of %llu sectors", length);
	expect_look(test, what, expected);
}

static void state_length_test(struct kunit *test)
{
	/* with an active batch */
	put_both();
	expect_length(test, LENGTH + 8000, 0);
	expect_length(test, FRONTIER + 16, 0);
	expect_length(test, FRONTIER + 8, -EINVAL);
	expect_length(test, 8, -EINVAL);
	expect_length(test, 0, -EINVAL);
	/* and after it */
	put(1, 8);
	expect_length(test, FRONTIER + 16, 0);
	expect_length(test, FRONTIER + 8, -EINVAL);

	/* what was recorded need not be what the line has */
	device->state->setup.data.len = LENGTH;
	expect_field(test, VOLUME_LENGTH, 8, LENGTH - 8, 0);
	expect_field(test, VOLUME_LENGTH, 8, LENGTH + 8, 0);
	expect_field(test, VOLUME_LENGTH, 8, FRONTIER + 16, 0);
	expect_field(test, VOLUME_LENGTH, 8, FRONTIER + 8, -EUCLEAN);
	expect_field(test, VOLUME_LENGTH, 8, LENGTH - 4, -EUCLEAN);
}

/* Open the state with another length, and expect this in the next superblock. */
static void expect_resized(struct kunit *test, u64 length, unsigned int index,
			   u64 frontier, bool done)
{
	const struct xc_position *at = xc_state_position(device->state);
	char *error = NULL;
	u8 *before = kunit_kzalloc(test, HEAD_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, before);
	device->state->setup.data.len = length;
	memcpy(before, device->head, HEAD_SIZE);
	KUNIT_EXPECT_EQ_MSG(test, xc_state_open(device->state, &error), 0, "%s",
			    error);
	KUNIT_EXPECT_MEMEQ(test, device->head, before, HEAD_SIZE);
	KUNIT_EXPECT_EQ(test, xc_state_resize(device->state, &error), 0);
	KUNIT_EXPECT_MEMEQ(test, on_disk(1 - index),
			   before + (1 - index) * SLOT_SIZE, SLOT_SIZE);
	KUNIT_EXPECT_EQ(test,
			get_unaligned_le64(on_disk(index) + VOLUME_LENGTH),
			length);
	KUNIT_EXPECT_EQ(test, at->frontier, frontier);
	KUNIT_EXPECT_EQ(test, at->done, done);

	/* and it is written once */
	memcpy(before, device->head, HEAD_SIZE);
	KUNIT_EXPECT_EQ(test, xc_state_open(device->state, &error), 0);
	KUNIT_EXPECT_EQ(test, xc_state_resize(device->state, &error), 0);
	KUNIT_EXPECT_MEMEQ(test, device->head, before, HEAD_SIZE);
	KUNIT_EXPECT_EQ(test, at->frontier, frontier);
	KUNIT_EXPECT_EQ(test, at->done, done);
}

static void state_resize_test(struct kunit *test)
{
	put_both();
	/* with an active batch, which stays */
	expect_resized(test, FRONTIER + 16, 1, FRONTIER, false);
	KUNIT_EXPECT_MEMEQ(test, on_disk(1) + 96, vector(7) + 96,
			   SECTOR_SIZE - 96);

	put(0, 7);
	put(1, 8);
	expect_resized(test, LENGTH + 8000, 0, FRONTIER + 16, false);
	expect_resized(test, LENGTH - 8000, 1, FRONTIER + 16, false);
	/* nothing is left to convert, also when it grows later */
	expect_resized(test, FRONTIER + 16, 0, FRONTIER + 16, true);
	expect_resized(test, LENGTH, 1, LENGTH, true);
	expect_length(test, LENGTH - 8, -EINVAL);
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE(state_vector_test),
	KUNIT_CASE(state_digests_test),
	KUNIT_CASE(state_start_test),
	KUNIT_CASE(state_newest_test),
	KUNIT_CASE(state_slots_test),
	KUNIT_CASE(state_fit_test),
	KUNIT_CASE(state_areas_test),
	KUNIT_CASE(state_position_test),
	KUNIT_CASE(state_list_test),
	KUNIT_CASE(state_list_commit_test),
	KUNIT_CASE(state_wiped_key_test),
	KUNIT_CASE(state_journal_test),
	KUNIT_CASE(state_length_test),
	KUNIT_CASE(state_resize_test),
	{}
};

static struct kunit_suite state_suite = {
	.name = "xcrypt-state",
	.init = state_init,
	.exit = state_exit,
	.test_cases = state_cases,
};

kunit_test_suite(state_suite);

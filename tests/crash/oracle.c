// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle: what each sector of the volume may read as.
 */
#include "oracle.h"

#include "random.h"
#include "toy.h"

#define MAGIC 0x736563746f720000ULL	/* "sector" */
#define WORDS (SECTOR_SIZE / sizeof(u64))

struct oracle oracle_current;

void oracle_reset(struct oracle *oracle, u64 blank)
{
	memset(oracle, 0, sizeof(*oracle));
	oracle->blank = blank;
}

void oracle_restart(struct oracle *oracle)
{
	unsigned int i;

	for (i = 0; i < USER_FLUSHES_MAX; i++)
		oracle->flushes[i].used = false;
}

void oracle_cut(struct oracle *oracle)
{
	memcpy(oracle->written, oracle->durable, sizeof(oracle->written));
	oracle_restart(oracle);
}

static void begin_flush(struct oracle *oracle, u32 index)
{
	unsigned int i = 0;

	while (oracle->flushes[i].used)
		i++;
	assert(i < USER_FLUSHES_MAX);
	oracle->flushes[i].used = true;
	oracle->flushes[i].record = index;
	memcpy(oracle->flushes[i].written, oracle->written,
	       sizeof(oracle->written));
}

static void end_flush(struct oracle *oracle, u32 begun, bool failed)
{
	unsigned int i = 0, sector;

	while (!oracle->flushes[i].used || oracle->flushes[i].record != begun)
		if (++i == USER_FLUSHES_MAX)
			return;
	oracle->flushes[i].used = false;
	for (sector = 0; sector < DATA_SECTORS_MAX && !failed; sector++)
		oracle->durable[sector] = max(oracle->durable[sector],
					      oracle->flushes[i].written[sector]);
}

static void shrink(struct oracle *oracle, unsigned int length)
{
	for (; length < DATA_SECTORS_MAX; length++) {
		oracle->unknown |= BIT(length);
		oracle->durable[length] = 0;
		oracle->written[length] = 0;
	}
}

/* What is lost stays so. */
static void discard(struct oracle *oracle, sector_t sector)
{
	oracle->discarded[sector] = oracle->begun[sector];
	if (oracle->lost[sector] > oracle->written[sector])
		oracle->lost[sector] = oracle->begun[sector] + 1;
}

void oracle_apply(struct oracle *oracle, const struct log *log, u32 index)
{
	const struct record *record = &log->records[index];
	unsigned int sector;

	switch (record->type) {
	case LOG_STARTED:
		oracle->started = true;
		return;
	case LOG_SHRUNK:
		shrink(oracle, record->first);
		return;
	case LOG_BAD:
		for (sector = record->first;
		     sector < record->first + record->count; sector++)
			oracle->lost[sector] = oracle->begun[sector] + 1;
		return;
	case LOG_USER_FLUSH:
		begin_flush(oracle, index);
		return;
	case LOG_USER_FLUSHED:
	case LOG_USER_FAILED:
		end_flush(oracle, record->begun,
			  record->type == LOG_USER_FAILED);
		return;
	default:
		break;
	}
	if (record->type < LOG_USER_WRITE)
		return;
	for (sector = record->first; sector < record->first + record->count;
	     sector++) {
		if (record->type == LOG_USER_WRITE ||
		    record->type == LOG_USER_DISCARD)
			oracle->begun[sector]++;
		if (record->type == LOG_USER_DISCARD)
			discard(oracle, sector);
		if (record->type == LOG_USER_WRITTEN ||
		    record->type == LOG_USER_DURABLE)
			oracle->written[sector] = oracle->begun[sector];
		if (record->type == LOG_USER_DURABLE)
			oracle->durable[sector] = oracle->begun[sector];
	}
}

u64 oracle_hash(const struct oracle *oracle)
{
	u64 hash = oracle->started;
	unsigned int i;

	for (i = 0; i < DATA_SECTORS_MAX; i++)
		hash = hash * 0x9e3779b97f4a7c15ULL + oracle->durable[i] +
			((u64)oracle->lost[i] << 16);
	return mix(hash);
}

/* Four sectors in a row may be zeros, which without a key are zeros of the device. */
static bool is_zero_version(sector_t sector, unsigned int version)
{
	return (sector / 4 + version) % 4 == 0;
}

void oracle_fill(void *data, sector_t sector, unsigned int version)
{
	u64 *words = data;
	unsigned int i;

	if (is_zero_version(sector, version)) {
		memset(data, 0, SECTOR_SIZE);
		return;
	}
	words[0] = MAGIC + (sector << 48) + version;
	for (i = 1; i < WORDS; i++)
		words[i] = (words[i - 1] ^ i) * 0xd6e8feb86659fd93ULL;
}

/* Is one of these versions zeros? */
static bool may_be_zero(sector_t sector, unsigned int oldest,
			unsigned int newest)
{
	for (; oldest <= newest; oldest++)
		if (is_zero_version(sector, oldest))
			return true;
	return false;
}

/* Does it read as zeros of the device do, under either key or none? */
static bool are_zeros(sector_t sector, const void *data)
{
	u8 key[TOY_KEY_SIZE], encrypted[SECTOR_SIZE];
	struct xc_cipher cipher;
	unsigned int number;

	for (number = 0; number <= 2; number++) {
		toy_init(&cipher, key, number, SECTOR_SIZE);
		memcpy(encrypted, data, SECTOR_SIZE);
		toy_encrypt(&cipher, sector, encrypted);
		if (!memchr_inv(encrypted, 0, SECTOR_SIZE))
			return true;
	}
	return false;
}

bool oracle_may_fail(const struct oracle *oracle, sector_t sector,
		     unsigned int oldest)
{
	return oracle->lost[sector] > oldest;
}

void oracle_check(const struct oracle *oracle, sector_t sector,
		  const void *data, unsigned int oldest)
{
	unsigned int newest = oracle->begun[sector];
	unsigned int version;
	u64 expected[WORDS];
	u64 word;

	if ((oracle->discarded[sector] >= max(oldest, 1) ||
	     (!oldest && oracle->blank & BIT(sector))) &&
	    are_zeros(sector, data))
		return;
	if (!oldest && oracle->unknown & BIT(sector))
		return;
	if (!memchr_inv(data, 0, SECTOR_SIZE) &&
	    (may_be_zero(sector, oldest, newest) ||
	     oracle_may_fail(oracle, sector, oldest)))
		return;
	memcpy(&word, data, sizeof(word));
	version = word & 0xffff;
	oracle_fill(expected, sector, version);
	if (memcmp(data, expected, SECTOR_SIZE))
		fail("sector %llu reads as garbage, expected version %u to %u",
		     sector, oldest, newest);
	if (version < oldest || version > newest)
		fail("sector %llu reads as version %u, expected %u to %u",
		     sector, version, oldest, newest);
}

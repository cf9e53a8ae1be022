// SPDX-License-Identifier: GPL-2.0-only
/*
 * A toy cipher, as an engine of cipher/.
 */
#include "toy.h"

#include "random.h"
#include "cipher/run.h"

#define WORDS (SECTOR_SIZE / sizeof(u64))

/* All zero: without a key, nothing changes. */
struct subkeys {
	u64 add;
	u64 factor;
	u64 inverse;	/* of @factor, modulo 2^64 */
	u64 xor;
};

static void derive(struct subkeys *keys, const struct xc_cipher *cipher,
		   sector_t sector)
{
	u64 words[4], x;
	unsigned int i;

	*keys = (struct subkeys) {};
	if (!cipher->key.size)
		return;
	memcpy(words, cipher->key.bytes, sizeof(words));
	keys->add = mix(words[0] + sector);
	keys->factor = mix(words[1] + sector) | 1;
	keys->xor = mix(words[2] ^ words[3] ^ sector);
	/* Newton's method */
	x = keys->factor;
	for (i = 0; i < 5; i++)
		x *= 2 - keys->factor * x;
	keys->inverse = x;
}

static void encrypt(const struct subkeys *keys, const void *src, void *dst)
{
	const u64 *in = src;
	u64 *out = dst, x;
	unsigned int i;

	if (!keys->factor) {
		memmove(dst, src, SECTOR_SIZE);
		return;
	}
	for (i = 0; i < WORDS; i++) {
		x = (in[i] + keys->add + i) * keys->factor;
		out[i] = (x << 23 | x >> 41) ^ keys->xor;
	}
}

static void decrypt(const struct subkeys *keys, const void *src, void *dst)
{
	const u64 *in = src;
	u64 *out = dst, x;
	unsigned int i;

	if (!keys->factor) {
		memmove(dst, src, SECTOR_SIZE);
		return;
	}
	for (i = 0; i < WORDS; i++) {
		x = in[i] ^ keys->xor;
		out[i] = (x >> 23 | x << 41) * keys->inverse - keys->add - i;
	}
}

static enum xc_result run(struct xc_run *run, bool may_sleep)
{
	struct subkeys keys;
	void *src, *dst;

	if (!run->cipher->key_valid)
		fail("a cipher is used after its key was wiped");
	while (run->src_iter.bi_size) {
		src = bio_iter_address(run->src, &run->src_iter);
		dst = bio_iter_address(run->dst, &run->dst_iter);
		derive(&keys, run->cipher, run->sector++);
		if (run->encrypt)
			encrypt(&keys, src, dst);
		else
			decrypt(&keys, src, dst);
		bio_advance_iter(run->src, &run->src_iter, SECTOR_SIZE);
		bio_advance_iter(run->dst, &run->dst_iter, SECTOR_SIZE);
	}
	return XC_RUN_DONE;
}

static unsigned int request_size(const struct xc_cipher *cipher)
{
	return 1;
}

const struct xc_engine toy_engine = {
	.request_size = request_size,
	.run = run,
};

void toy_init(struct xc_cipher *cipher, u8 key[TOY_KEY_SIZE],
	      unsigned int number, unsigned int sector_size)
{
	unsigned int i;

	for (i = 0; i < TOY_KEY_SIZE; i++)
		key[i] = mix(number * TOY_KEY_SIZE + i);
	*cipher = (struct xc_cipher) {
		.spec = (char *)"toy",
		.engine = &toy_engine,
		.sector_size = sector_size,
		.key = { .size = number ? TOY_KEY_SIZE : 0, .bytes = key },
		.key_valid = true,
	};
}

void toy_wipe(struct xc_cipher *cipher)
{
	memset(cipher->key.bytes, 0, TOY_KEY_SIZE);
	cipher->key_valid = false;
}

void toy_encrypt(const struct xc_cipher *cipher, sector_t sector, void *data)
{
	struct subkeys keys;

	derive(&keys, cipher, sector);
	encrypt(&keys, data, data);
}

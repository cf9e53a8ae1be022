// SPDX-License-Identifier: GPL-2.0-only
/*
 * A toy pseudo-random function, in place of rekey/prf.c: fast, and not secure.
 */
#include "rekey/prf.h"

#include "random.h"

struct crypto_shash {
	u64 key;
};

static u64 absorb(u64 sum, const void *data, unsigned int size)
{
	const char *bytes = data;
	u64 word;

	assert(!(size % sizeof(word)));
	for (; size; size -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		sum = (sum ^ word) * 0x9fb21c651e98df25ULL;
		sum ^= sum >> 32;
	}
	return mix(sum);
}

int xc_prf_init(struct xc_prf *prf)
{
	prf->tfm = calloc(1, sizeof(*prf->tfm));
	return 0;
}

void xc_prf_exit(struct xc_prf *prf)
{
	free(prf->tfm);
}

int xc_prf_set_key(struct xc_prf *prf, const u8 *key, unsigned int size)
{
	prf->tfm->key = absorb(1, key, size);
	return 0;
}

int xc_prf_compute(const struct xc_prf *prf, u64 number, const void *data,
		   unsigned int size, u8 *out, unsigned int out_size)
{
	u64 sum = absorb(mix(prf->tfm->key + number), data, size);
	u64 full[XC_PRF_SIZE / sizeof(u64)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(full); i++)
		full[i] = mix(sum + i);
	memcpy(out, full, out_size);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fuzzer (libFuzzer) of the module's AES-XTS: the input is the operation, the
 * key, the IVs and the data.  It aborts if the result differs from OpenSSL's,
 * or if other memory was written.
 */
#include <stdlib.h>

#include "xts-openssl.h"

/* The entry point of libFuzzer. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define GUARD		32
#define MAX_SECTORS	20
#define MAX_SIZE	(MAX_SECTORS * 4096)

/* The input, repeated with one added to each byte per repetition. */
struct input {
	const u8 *data;
	size_t size, used;
};

static u8 next(struct input *in)
{
	size_t at = in->used++;

	return in->size ? in->data[at % in->size] + at / in->size : at;
}

static u8 *piece(struct input *in, unsigned int size)
{
	u8 *p = malloc(size);
	unsigned int i;

	for (i = 0; i < size; i++)
		p[i] = next(in);
	return p;
}

static void try(const struct xc_xts_impl *impl, const struct xts_job *job,
		const u8 *right, unsigned int misalign, bool in_place)
{
	static u8 dst[GUARD + 32 + MAX_SIZE + GUARD];
	static u8 guard[sizeof(dst)];
	unsigned int size = job->sectors * job->sector_size;
	unsigned int begin = GUARD + misalign, end = begin + size;
	struct xts_job mine = *job;

	memset(dst, 0, sizeof(dst));
	if (in_place) {
		memcpy(dst + begin, job->src, size);
		mine.src = dst + begin;
	}
	xts_module(impl, dst + begin, &mine);
	if (memcmp(dst + begin, right, size) || memcmp(dst, guard, begin) ||
	    memcmp(dst + end, guard, sizeof(dst) - end)) {
		fprintf(stderr, "%s: %u sectors of %u bytes, segments of %u: wrong\n",
			impl->name, job->sectors, job->sector_size,
			job->segment);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct xc_xts_impl *const impls[] = {
		&xc_xts_aesni, &xc_xts_vaes,
	};
	struct input in = { .data = data, .size = size };
	u8 how = next(&in), misalign = next(&in) % 32;
	static u8 right[MAX_SIZE];
	struct xts_job job = {
		.encrypt = how & 1,
		.key_size = 32 + 16 * (how / 4 % 3),
		.sectors = next(&in) % (MAX_SECTORS + 1),
		.sector_size = 512 + 16 * (next(&in) % 225),
		.segment = next(&in) % (MAX_SECTORS + 1),
	};
	u8 *key = piece(&in, job.key_size);
	u8 *ivs = piece(&in, job.sectors * XC_XTS_BLOCK);
	u8 *src = piece(&in, job.sectors * job.sector_size);
	unsigned int i;

	job.key = key;
	job.ivs = ivs;
	job.src = src;
	xts_openssl(right, &job);
	for (i = 0; i < ARRAY_SIZE(impls); i++)
		if (!xts_missing(impls[i]))
			try(impls[i], &job, right, misalign, how & 2);
	free(key);
	free(ivs);
	free(src);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * AES-XTS of many data units by OpenSSL, one at a time.
 */
#include <cpuid.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "xts-openssl.h"

static void must(int ok, const char *what)
{
	if (ok == 1)
		return;
	fprintf(stderr, "OpenSSL: %s failed\n", what);
	abort();
}

/**
 * xts_impl() - find one of the module's implementations
 * @name: its name
 *
 * Return: the implementation, or NULL if there is none of that name.
 */
const struct xc_xts_impl *xts_impl(const char *name)
{
	if (!strcmp(name, xc_xts_aesni.name))
		return &xc_xts_aesni;
	if (!strcmp(name, xc_xts_vaes.name))
		return &xc_xts_vaes;
	return NULL;
}

/**
 * xts_missing() - find the instructions that an implementation needs and this
 * CPU lacks
 * @impl: the implementation
 *
 * Return: the missing instructions, or NULL if there are none.
 */
const char *xts_missing(const struct xc_xts_impl *impl)
{
	unsigned int a, b, c = 0, d;

	if (!__builtin_cpu_supports("avx"))
		return "AVX";
	if (!__builtin_cpu_supports("aes"))
		return "AES-NI";
	if (impl == &xc_xts_aesni)
		return NULL;

	if (!__builtin_cpu_supports("avx2"))
		return "AVX2";
	__get_cpuid_count(7, 0, &a, &b, &c, &d);
	if (!(c & 1 << 9))
		return "VAES";
	if (!(c & 1 << 10))
		return "VPCLMULQDQ";
	return NULL;
}

/* The offset of a data unit in the source or destination. */
static unsigned int place(const struct xts_job *job, unsigned int sector)
{
	unsigned int begin, end;

	if (!job->segment)
		return sector * job->sector_size;
	begin = sector - sector % job->segment;
	end = begin + job->segment;
	if (end > job->sectors)
		end = job->sectors;
	return (job->sectors - end + sector - begin) * job->sector_size;
}

/**
 * xts_segments() - create the segments of a job
 * @segments: set to the segments, up to one more than sectors
 * @dst: destination
 * @job: the job
 *
 * The first segment is empty.
 *
 * Return: their number.
 */
unsigned int xts_segments(struct xc_xts_segment *segments, u8 *dst,
			  const struct xts_job *job)
{
	unsigned int i, left, most = job->segment ?: job->sectors, count = 1;

	segments[0] = (struct xc_xts_segment) { .dst = dst, .src = job->src };
	for (i = 0; i < job->sectors; i += most) {
		left = job->sectors - i;
		segments[count++] = (struct xc_xts_segment) {
			.dst = dst + place(job, i),
			.src = job->src + place(job, i),
			.sectors = left < most ? left : most,
		};
	}
	return count;
}

/**
 * xts_module() - process a job with the module's code
 * @impl: the implementation
 * @dst: destination
 * @job: the job
 */
void xts_module(const struct xc_xts_impl *impl, u8 *dst,
		const struct xts_job *job)
{
	struct xc_xts_segment *segments;
	struct xc_xts_key key;

	segments = malloc((job->sectors + 1) * sizeof(*segments));
	impl->set_key(&key, job->key, job->key_size);
	impl->crypt(&key, segments, xts_segments(segments, dst, job),
		    job->sector_size, job->ivs, job->encrypt);
	free(segments);
}

/* Process @size bytes with AES in ECB mode, with one @half of the key. */
static void ecb(u8 *dst, const u8 *src, unsigned int size,
		const struct xts_job *job, unsigned int half, bool encrypt)
{
	unsigned int key_size = job->key_size / 2;
	const EVP_CIPHER *cipher = key_size == 16 ? EVP_aes_128_ecb() :
				   key_size == 24 ? EVP_aes_192_ecb() :
						    EVP_aes_256_ecb();
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int len;

	must(EVP_CipherInit_ex(context, cipher, NULL,
			       job->key + half * key_size, NULL, encrypt),
	     "EVP_CipherInit_ex");
	must(EVP_CIPHER_CTX_set_padding(context, 0), "set_padding");
	must(EVP_CipherUpdate(context, dst, &len, src, size) &&
	     len == (int)size, "EVP_CipherUpdate");
	EVP_CIPHER_CTX_free(context);
}

/**
 * xts_openssl_tweak() - compute the tweak of a data unit's first block
 * @tweak: set to the tweak
 * @job: the job
 * @sector: number of the data unit
 */
void xts_openssl_tweak(u8 *tweak, const struct xts_job *job,
		       unsigned int sector)
{
	ecb(tweak, job->ivs + sector * XC_XTS_BLOCK, XC_XTS_BLOCK, job, 1,
	    true);
}

/**
 * xts_next_tweak() - compute the tweak of the next block, IEEE 1619, 5.2
 * @tweak: the tweak of a block, which is replaced
 */
void xts_next_tweak(u8 *tweak)
{
	unsigned int carry = 0, i;

	for (i = 0; i < XC_XTS_BLOCK; i++) {
		carry |= tweak[i] << 1;
		tweak[i] = carry;
		carry >>= 8;
	}
	tweak[0] ^= carry ? 0x87 : 0;
}

/* XTS from ECB, for keys that OpenSSL's XTS does not support. */
static void xts_of_ecb(u8 *dst, const u8 *src, const struct xts_job *job,
		       unsigned int sector)
{
	u8 tweaks[4096], tweak[XC_XTS_BLOCK];
	unsigned int i;

	xts_openssl_tweak(tweak, job, sector);
	for (i = 0; i < job->sector_size; i += XC_XTS_BLOCK) {
		memcpy(tweaks + i, tweak, XC_XTS_BLOCK);
		xts_next_tweak(tweak);
	}
	for (i = 0; i < job->sector_size; i++)
		dst[i] = src[i] ^ tweaks[i];
	ecb(dst, dst, job->sector_size, job, 0, job->encrypt);
	for (i = 0; i < job->sector_size; i++)
		dst[i] ^= tweaks[i];
}

/**
 * xts_openssl() - process a job with OpenSSL
 * @dst: destination
 * @job: the job; data units have 4096 bytes at most
 *
 * OpenSSL has no XTS with AES-192, and none with equal halves of the key.
 */
void xts_openssl(u8 *dst, const struct xts_job *job)
{
	const EVP_CIPHER *cipher = job->key_size == 32 ? EVP_aes_128_xts() :
							 EVP_aes_256_xts();
	bool by_hand = job->key_size == 48 ||
		       !memcmp(job->key, job->key + job->key_size / 2,
			       job->key_size / 2);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	unsigned int i, at;
	int len;

	if (!by_hand)
		must(EVP_CipherInit_ex(context, cipher, NULL, job->key, NULL,
				       job->encrypt), "EVP_CipherInit_ex");
	for (i = 0; i < job->sectors; i++) {
		at = place(job, i);
		if (by_hand) {
			xts_of_ecb(dst + at, job->src + at, job, i);
			continue;
		}
		must(EVP_CipherInit_ex(context, NULL, NULL, NULL,
				       job->ivs + i * XC_XTS_BLOCK, -1),
		     "EVP_CipherInit_ex");
		must(EVP_CipherUpdate(context, dst + at, &len, job->src + at,
				      job->sector_size), "EVP_CipherUpdate");
	}
	EVP_CIPHER_CTX_free(context);
}

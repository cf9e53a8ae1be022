// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of AES-256-XTS: nanoseconds for 512 bytes of 128 KiB in the cache,
 * including tweaks, in data units ("sectors") of 512 and of 4096 bytes.
 *
 * Usage: cipher-ns [--rounds N] [--json FILE]
 *
 * Compares the module's loops, each called for 16 KiB in four segments, as for a
 * bio of scattered pages; OpenSSL, called for each sector; and Linux 6.1's
 * assembly, called for each sector as its glue does: aesni_enc for the tweak,
 * then aesni_xts_encrypt.
 * They take turns, pass by pass, so that other load of the machine affects all
 * of them alike.  Then the fastest loop runs on CPUs 0 and 1 concurrently.
 */
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "linux-aes.h"
#include "samples.h"
#include "xts-openssl.h"

#define AREA		(128 * 1024)
#define PAGE		4096	/* in a segment */
#define STINT		(16 * 1024)	/* in a call, as in cipher/batch.c */
#define KEY_SIZE	64
#define PER_512(ns)	((ns) / (AREA / 512))
#define AT_ONCE		200	/* passes of a turn on two CPUs */

/* ---- what is compared ----------------------------------------------------- */

static struct xc_xts_key module_key;
static EVP_CIPHER_CTX *openssl[2];
static struct crypto_aes_ctx linux_data, linux_tweak;
static u8 ivs[AREA / 512 * XC_XTS_BLOCK];

typedef void (*pass_fn)(u8 *area, unsigned int sector_size, bool encrypt);

static void pass_module(const struct xc_xts_impl *impl, u8 *area,
			unsigned int sector_size, bool encrypt)
{
	struct xc_xts_segment segments[STINT / PAGE];
	u8 *end = area + AREA, *iv = ivs;
	unsigned int i;

	while (area < end) {
		for (i = 0; i < ARRAY_SIZE(segments); i++, area += PAGE)
			segments[i] = (struct xc_xts_segment) {
				.dst = area, .src = area,
				.sectors = PAGE / sector_size,
			};
		impl->crypt(&module_key, segments, ARRAY_SIZE(segments),
			    sector_size, iv, encrypt);
		iv += STINT / sector_size * XC_XTS_BLOCK;
	}
}

static void pass_vaes(u8 *area, unsigned int sector_size, bool encrypt)
{
	pass_module(&xc_xts_vaes, area, sector_size, encrypt);
}

static void pass_aesni(u8 *area, unsigned int sector_size, bool encrypt)
{
	pass_module(&xc_xts_aesni, area, sector_size, encrypt);
}

static void pass_openssl(u8 *area, unsigned int sector_size, bool encrypt)
{
	EVP_CIPHER_CTX *context = openssl[encrypt];
	unsigned int i;
	int len;

	for (i = 0; i < AREA / sector_size; i++, area += sector_size)
		if (!EVP_CipherInit_ex(context, NULL, NULL, NULL,
				       ivs + i * XC_XTS_BLOCK, -1) ||
		    !EVP_CipherUpdate(context, area, &len, area, sector_size))
			abort();
}

static void pass_linux(u8 *area, unsigned int sector_size, bool encrypt)
{
	u8 tweak[XC_XTS_BLOCK];
	unsigned int i;

	for (i = 0; i < AREA / sector_size; i++, area += sector_size) {
		aesni_enc(&linux_tweak, tweak, ivs + i * XC_XTS_BLOCK);
		if (encrypt)
			aesni_xts_encrypt(&linux_data, area, area, sector_size,
					  tweak);
		else
			aesni_xts_decrypt(&linux_data, area, area, sector_size,
					  tweak);
	}
}

static void set_keys(void)
{
	u8 key[KEY_SIZE];
	unsigned int i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = 11 * i + 5;
	for (i = 0; i < sizeof(ivs); i += XC_XTS_BLOCK)
		memcpy(ivs + i, &(u32) { i / XC_XTS_BLOCK }, sizeof(u32));

	xc_xts_aesni.set_key(&module_key, key, sizeof(key));
	aesni_set_key(&linux_data, key, sizeof(key) / 2);
	aesni_set_key(&linux_tweak, key + sizeof(key) / 2, sizeof(key) / 2);
	for (i = 0; i < 2; i++) {
		openssl[i] = EVP_CIPHER_CTX_new();
		if (!EVP_CipherInit_ex(openssl[i], EVP_aes_256_xts(), NULL, key,
				       NULL, i))
			abort();
	}
}

/* ---- one after the other -------------------------------------------------- */

static const unsigned int sizes[] = { 512, 4096 };
static const char *const directions[] = { "decrypt", "encrypt" };

static struct contender {
	const char *name;
	pass_fn pass;
	const struct xc_xts_impl *impl;	/* to ask whether it can run; or NULL */
	struct samples samples[ARRAY_SIZE(sizes)][2];
	struct summary summary[ARRAY_SIZE(sizes)][2];
} contenders[] = {
	{ .name = "vaes-avx2", .pass = pass_vaes, .impl = &xc_xts_vaes },
	{ .name = "aesni-avx", .pass = pass_aesni, .impl = &xc_xts_aesni },
	{ .name = "openssl", .pass = pass_openssl },
	{ .name = "linux-6.1", .pass = pass_linux },
};

#define LINUX_6_1	(&contenders[ARRAY_SIZE(contenders) - 1])

static bool runs(const struct contender *c)
{
	return !c->impl || !xts_missing(c->impl);
}

static __aligned(64) u8 areas[2][AREA];

/* All of them must make the same of the same. */
static void check_equal(void)
{
	static u8 first[AREA];
	unsigned int i, s;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		memset(first, 0x33, AREA);
		pass_openssl(first, sizes[s], true);
		for (i = 0; i < ARRAY_SIZE(contenders); i++) {
			if (!runs(&contenders[i]))
				continue;
			memset(areas[0], 0x33, AREA);
			contenders[i].pass(areas[0], sizes[s], true);
			if (memcmp(areas[0], first, AREA)) {
				fprintf(stderr, "%s encrypts wrongly\n",
					contenders[i].name);
				exit(1);
			}
			contenders[i].pass(areas[0], sizes[s], false);
			if (areas[0][0] != 0x33 ||
			    memcmp(areas[0], areas[0] + 1, AREA - 1)) {
				fprintf(stderr, "%s decrypts wrongly\n",
					contenders[i].name);
				exit(1);
			}
		}
	}
}

/* The second of two passes, so that data and code are in the cache. */
static void measure(struct contender *c, unsigned int s, bool encrypt)
{
	double begin;

	c->pass(areas[0], sizes[s], encrypt);
	begin = samples_now();
	c->pass(areas[0], sizes[s], encrypt);
	samples_add(&c->samples[s][encrypt], PER_512(samples_now() - begin));
}

static void measure_all(unsigned int rounds)
{
	unsigned int round, i, s, way;

	for (round = 0; round < rounds; round++)
		for (i = 0; i < ARRAY_SIZE(contenders); i++)
			for (s = 0; s < ARRAY_SIZE(sizes); s++)
				for (way = 0; way < 2; way++)
					if (runs(&contenders[i]))
						measure(&contenders[i], s, way);

	for (i = 0; i < ARRAY_SIZE(contenders); i++)
		for (s = 0; s < ARRAY_SIZE(sizes); s++)
			for (way = 0; way < 2; way++)
				if (runs(&contenders[i]))
					contenders[i].summary[s][way] =
						samples_summary(&contenders[i].samples[s][way]);
}

/* ---- on two CPUs at once -------------------------------------------------- */

static struct {
	pass_fn pass;
	pthread_barrier_t barrier;
	unsigned int rounds;
	bool failed;
	struct samples alone[2], together[2];
	struct summary alone_summary[2], together_summary[2];
	double scaling;		/* of throughput */
} two;

static void passes(unsigned int cpu, struct samples *samples)
{
	unsigned int i;
	double begin;

	for (i = 0; i < AT_ONCE; i++) {
		begin = samples_now();
		two.pass(areas[cpu], 512, true);
		samples_add(samples, PER_512(samples_now() - begin));
	}
}

static void *on_cpu(void *arg)
{
	unsigned int cpu = (uintptr_t)arg, round, turn;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		two.failed = true;
	for (round = 0; round < two.rounds; round++) {
		for (turn = 0; turn < 2; turn++) {
			pthread_barrier_wait(&two.barrier);
			if (turn == cpu)
				passes(cpu, &two.alone[cpu]);
		}
		pthread_barrier_wait(&two.barrier);
		passes(cpu, &two.together[cpu]);
	}
	return NULL;
}

/* Returns false if there are no two CPUs. */
static bool measure_two(unsigned int rounds)
{
	pthread_t thread[2];
	unsigned int i;

	two.pass = runs(&contenders[0]) ? pass_vaes : pass_aesni;
	two.rounds = rounds;
	pthread_barrier_init(&two.barrier, NULL, 2);
	for (i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, on_cpu,
				   (void *)(uintptr_t)i))
			abort();
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < 2; i++) {
		two.alone_summary[i] = samples_summary(&two.alone[i]);
		two.together_summary[i] = samples_summary(&two.together[i]);
	}
	two.scaling = (1 / two.together_summary[0].median +
		       1 / two.together_summary[1].median) /
		      ((1 / two.alone_summary[0].median +
			1 / two.alone_summary[1].median) / 2);
	return !two.failed;
}

/* ---- the report ----------------------------------------------------------- */

static const char *cpu_name(void)
{
	static char line[256];
	char *name;
	FILE *f = fopen("/proc/cpuinfo", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "model name", 10))
			continue;
		name = strchr(line, ':') + 2;
		name[strcspn(name, "\n")] = '\0';
		return name;
	}
	return "unknown";
}

/* To standard output, and to the file of --json. */
static FILE *json;

static void __printf(1, 2) to_json(const char *format, ...)
{
	va_list args;

	if (!json)
		return;
	va_start(args, format);
	vfprintf(json, format, args);
	va_end(args);
}

static void report_head(unsigned int rounds)
{
	double load = 0;

	if (getloadavg(&load, 1) != 1)
		load = -1;
	printf("AES-256-XTS of 128 KiB in cache, ns per 512 bytes with tweaks\n"
	       "CPU: %s, %ld of them, load %.1f\n"
	       "compiler: gcc %s %s\n"
	       "Linux %s, %s\n"
	       "%u rounds\n\n",
	       cpu_name(), sysconf(_SC_NPROCESSORS_ONLN), load, __VERSION__,
	       FLAGS, LINUX_VERSION, OpenSSL_version(OPENSSL_VERSION), rounds);
	to_json("{\n  \"cpu\": \"%s\",\n  \"load\": %.2f,\n"
		"  \"compiler\": \"gcc %s\",\n  \"flags\": \"%s\",\n"
		"  \"linux\": \"%s\",\n  \"openssl\": \"%s\",\n"
		"  \"rounds\": %u,\n  \"unit\": \"ns per 512 bytes\",\n",
		cpu_name(), load, __VERSION__, FLAGS, LINUX_VERSION,
		OpenSSL_version(OPENSSL_VERSION), rounds);
}

static void report_one(const struct contender *c, unsigned int s, bool encrypt,
		       bool last)
{
	const struct summary *sum = &c->summary[s][encrypt];
	double ratio = sum->median / LINUX_6_1->summary[s][encrypt].median;

	printf("%-10s %s %4u %8.1f %8.1f %8.1f %8.1f %8.2f %10.2f\n", c->name,
	       directions[encrypt], sizes[s], sum->min, sum->median, sum->p10,
	       sum->p90, 512 / sum->median, ratio);
	to_json("    { \"name\": \"%s\", \"direction\": \"%s\",\n"
		"      \"sector_size\": %u, \"min\": %.2f, \"median\": %.2f,\n"
		"      \"p10\": %.2f, \"p90\": %.2f, \"to_linux_6_1\": %.3f }%s\n", c->name,
		directions[encrypt], sizes[s], sum->min, sum->median, sum->p10,
		sum->p90, ratio, last ? "" : ",");
}

static void report_all(void)
{
	unsigned int i, s, way;

	printf("%-10s %-7s %4s %8s %8s %8s %8s %8s %10s\n", "", "", "size",
	       "min", "median", "p10", "p90", "GB/s", "to Linux");
	to_json("  \"results\": [\n");
	for (s = 0; s < ARRAY_SIZE(sizes); s++)
		for (way = 2; way--;)
			for (i = 0; i < ARRAY_SIZE(contenders); i++)
				if (runs(&contenders[i]))
					report_one(&contenders[i], s, way,
						   &contenders[i] == LINUX_6_1 &&
						   s + 1 == ARRAY_SIZE(sizes) &&
						   !way);
				else if (!s && way)
					printf("%-10s not run: this CPU has no %s\n",
					       contenders[i].name,
					       xts_missing(contenders[i].impl));
	to_json("  ],\n");
}

static void report_two(bool measured)
{
	if (!measured) {
		printf("\nTwo CPUs at once: not measured, there are no CPUs 0 and 1\n");
		to_json("  \"two_cpus\": null\n}\n");
		return;
	}
	printf("\nOn two CPUs, encrypting sectors of 512, median: alone %.1f and %.1f,\n"
	       "at once %.1f and %.1f: %.2f times the throughput of one\n",
	       two.alone_summary[0].median, two.alone_summary[1].median,
	       two.together_summary[0].median, two.together_summary[1].median,
	       two.scaling);
	to_json("  \"two_cpus\": { \"alone\": [%.2f, %.2f],\n"
		"    \"together\": [%.2f, %.2f], \"scaling\": %.3f }\n}\n",
		two.alone_summary[0].median, two.alone_summary[1].median,
		two.together_summary[0].median, two.together_summary[1].median,
		two.scaling);
}

int main(int argc, char **argv)
{
	unsigned int rounds = 1000;
	int i;

	for (i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--rounds"))
			rounds = strtoul(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--json"))
			json = fopen(argv[i + 1], "w");
		else
			break;
		if (!rounds || rounds > MAX_SAMPLES || errno)
			break;
	}
	if (i < argc) {
		fprintf(stderr, "Usage: %s [--rounds N] [--json FILE]\n", argv[0]);
		return 2;
	}
	if (xts_missing(&xc_xts_aesni)) {
		fprintf(stderr, "this CPU has no %s\n",
			xts_missing(&xc_xts_aesni));
		return 1;
	}

	set_keys();
	check_equal();
	measure_all(rounds);
	report_head(rounds);
	report_all();
	report_two(measure_two(20));
	return 0;
}

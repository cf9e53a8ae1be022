/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The volumes of hostile.c: their properties, valid and invalid lines for them,
 * device-mapper requests on them; and the counters of its processes.
 */
#ifndef TESTS_HOSTILE_VOLUMES_H
#define TESTS_HOSTILE_VOLUMES_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include "../dm.h"
#include "lines.h"

#define FIRST_MINOR	200
#define SECTORS		8192		/* of a volume */

struct volume {
	const char *name;
	const char *spec;
	unsigned int key_bytes;
	const char *options;	/* options of the format on disk */
	const char *device;
	unsigned int start;
	enum { PLAIN, BELOW, VICTIM, SCRATCH } kind;
};

static struct volume volumes[] = {
	{ .name = "hostile-xts", .spec = "aes-xts-plain64", .key_bytes = 64 },
	{ .name = "hostile-essiv", .spec = "aes-cbc-essiv:sha256",
	  .key_bytes = 32, .options = "sector_size:4096 iv_large_sectors" },
	{ .name = "hostile-below", .spec = "aes:2-cbc-plain64",
	  .key_bytes = 64, .kind = BELOW },
	{ .name = "hostile-stack", .spec = "capi:xts(aes)-plain64",
	  .key_bytes = 32, .options = "sector_size:1024",
	  .device = "/dev/mapper/hostile-below" },
	{ .name = "hostile-aead", .spec = "capi:gcm(aes)-random",
	  .key_bytes = 32, .options = "integrity:28:aead" },
	{ .name = "hostile-victim", .spec = "aes-xts-plain", .key_bytes = 64,
	  .kind = VICTIM },
	{ .name = "hostile-0", .spec = "aes-xts-plain64", .key_bytes = 64,
	  .kind = SCRATCH },
	{ .name = "hostile-1", .spec = "aes-cbc-essiv:sha256",
	  .key_bytes = 16, .kind = SCRATCH },
	{ .name = "hostile-2", .spec = "cipher_null-ecb", .kind = SCRATCH },
};

#define SCRATCHES 3

/* Shared by the processes. */
static struct shared {
	bool stop, failed;
	struct {
		pthread_rwlock_t lock;	/* held for writing by a process that may resume it */
		unsigned long reads, writes, errors;
	} volume[COUNT(volumes)];
	unsigned long accepted, refused, logged;
	unsigned long messages, messages_refused;
	unsigned long resumes, wipes, removals, forced, deferred;
	unsigned long scratch_accepted, scratch_refused, scratch_resumes;
	unsigned long conversions;
} *shared;

static bool stopped(void)
{
	return __atomic_load_n(&shared->stop, __ATOMIC_RELAXED);
}

static void count(unsigned long *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static unsigned long value(const unsigned long *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static const char *target;
static const char *state_device;	/* for conversions of scratch volumes */

__attribute__((format(printf, 1, 2), noreturn))
static void fail(const char *format, ...)
{
	__builtin_va_list args;

	__builtin_va_start(args, format);
	vfprintf(stderr, format, args);
	__builtin_va_end(args);
	fputc('\n', stderr);
	shared->failed = true;
	shared->stop = true;
	exit(1);
}

/* ---- device mapper ------------------------------------------------------- */

static struct dm_ioctl *const dm_io = (void *)dm_buf;

static int request(const struct volume *v, unsigned long cmd, unsigned int flags)
{
	dm_start(v->name);
	dm_io->flags |= flags;
	return dm(cmd);
}

static int create(const struct volume *v)
{
	dm_start(v->name);
	dm_io->flags |= DM_PERSISTENT_DEV_FLAG;
	dm_io->dev = FIRST_MINOR + (v - volumes);
	return dm(DM_DEV_CREATE);
}

static int load(const struct volume *v, const char *type, const char *line,
		unsigned int segments, unsigned long long sectors,
		unsigned int flags)
{
	unsigned long long start = 0;
	struct dm_place place;

	dm_start(v->name);
	dm_io->flags |= flags;
	place = dm_targets();
	while (segments--) {
		snprintf(dm_params(&place), place.room -
			 sizeof(struct dm_target_spec), "%s", line);
		dm_target(&place, type, start, sectors);
		/* sometimes there is a gap, or an overlap */
		start += sectors + (percent(20) ? throw(3) * 8 - 8 : 0);
	}
	return dm(DM_TABLE_LOAD);
}

static int message(const struct volume *v, const char *words)
{
	struct dm_target_msg *msg = (void *)(dm_buf + sizeof(*dm_io));

	dm_start(v->name);
	msg->sector = 0;
	memcpy(msg->message, words, strlen(words) + 1);
	return dm(DM_TARGET_MSG);
}

/* The status of a device's first target, to be freed */
static char *status(const struct volume *v, unsigned int flags)
{
	if (request(v, DM_TABLE_STATUS, flags) || !dm_io->target_count)
		return strdup("");
	return strdup(dm_buf + dm_io->data_start + sizeof(struct dm_target_spec));
}

/* ---- lines --------------------------------------------------------------- */

/* Each volume has a key of its own; one of them takes it from the keyring */
static char *key_of(const struct volume *v, bool keyring)
{
	unsigned int number = v - volumes;
	char *key;

	if (!v->key_bytes)
		return strdup("-");
	if (keyring)
		return text(":%u:logon:hostile:%u", v->key_bytes, number);
	key = key_word(2 * v->key_bytes);
	key[0] = '0' + number;
	return key;
}

static void add_key(const struct volume *v)
{
	char *hex = key_of(v, false), *name;
	unsigned char key[64];
	unsigned int i;

	for (i = 0; i < v->key_bytes; i++)
		sscanf(hex + 2 * i, "%2hhx", &key[i]);
	name = text("hostile:%u", (unsigned int)(v - volumes));
	/* -3: the session's keyring, which all the processes share */
	if (v->key_bytes &&
	    syscall(SYS_add_key, "logon", name, key, (size_t)v->key_bytes, -3) < 0)
		fail("no key for %s: %s", v->name, strerror(errno));
	free(name);
	free(hex);
}

static void add_options(struct words *words, const char *options)
{
	char *copy = strdup(options), *word;

	for (word = strtok(copy, " "); word; word = strtok(NULL, " "))
		add_word(words, strdup(word));
	free(copy);
}

/* A line for this volume with @key, and with options that do not change the format */
static void good_line(const struct volume *v, char *key, struct words *words)
{
	static const char *const harmless[] = {
		"allow_discards", "same_cpu_crypt", "high_priority",
		"submit_from_crypt_cpus", "no_read_workqueue",
		"no_write_workqueue", "verify_writes", "offload:inline",
		"offload:spread", "offload:auto", "engine:api", "engine:auto",
	};
	unsigned int more;

	add_word(words, strdup(v->spec));
	add_word(words, key);
	add_word(words, strdup("0"));
	add_word(words, strdup(v->device));
	add_word(words, text("%u", v->start));
	add_word(words, strdup("0"));
	if (v->options)
		add_options(words, v->options);
	for (more = throw(4); more; more--)
		add_options(words, PICK(harmless));
	recount_options(words);
}

static int load_with(const struct volume *v, char *key)
{
	struct words words = {};
	char line[MAX_LINE];
	int r;

	good_line(v, key, &words);
	print_words(&words, line);
	free_words(&words);
	r = load(v, target, line, 1, SECTORS, 0);
	if (r)
		fprintf(stderr, "refused (%s): %s\n", strerror(-r), line);
	return r;
}

static int load_good(const struct volume *v)
{
	return load_with(v, key_of(v, percent(30)));
}

/* With the key of the table in use */
static int load_same(const struct volume *v)
{
	return load_with(v, strdup("="));
}

/* A conversion, to another volume's key; there is a state already, or not */
static void convert_words(struct words *words)
{
	static const char *const more[] = {
		"rekey_start", "rekey_start rekey_paused", "rekey_paused",
		"rekey_start rekey_resilience:journal",
		"rekey_start rekey_sparse", "allow_discards rekey_sparse",
	};

	if (words->count <= OPTS)
		return;
	add_word(words, text("rekey_state:%s", state_device));
	add_word(words, strdup(percent(90) ? "rekey_key::64:logon:hostile:0" :
					     "rekey_key:="));
	if (percent(80))
		add_options(words, PICK(more));
	recount_options(words);
}

/* Forget a state, in use or not */
static void blank_state(void)
{
	static const char zeros[8192];
	int fd = open(state_device, O_WRONLY);

	if (fd < 0 || write(fd, zeros, sizeof(zeros)) < 0)
		fail("%s: %s", state_device, strerror(errno));
	close(fd);
}

/* Sets *@converts if the line is of a conversion */
static int load_hostile(const struct volume *v, bool *converts)
{
	unsigned int mutations = percent(12) ? 0 : 1 + throw(4);
	unsigned int segments = percent(15) ? 2 + throw(3) : 1;
	unsigned long long sectors = SECTORS;
	struct words words = {};
	char line[MAX_LINE];

	*converts = v->kind == SCRATCH && state_device && percent(40);
	good_line(v, percent(10) ? strdup("=") : key_of(v, percent(30)), &words);
	if (*converts)
		convert_words(&words);
	if (*converts && percent(50))
		mutations = 0;
	for (; mutations; mutations--)
		mutate(&words);
	print_words(&words, line);
	free_words(&words);
	if (percent(10))
		sectors = percent(50) ? 1 + throw(2 * SECTORS) :
			1ull << (20 + throw(44));
	return load(v, percent(98) ? target : "nosuch", line, segments, sectors,
		    percent(10) ? DM_READONLY_FLAG : 0);
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile TARGET SEED SECONDS DISK SCRATCH [INTEGRITY]: table lines, messages,
 * reloads, suspends and removals of which many are wrong, from several processes
 * at once, while others write and verify.
 *
 * The volumes on DISK (and on INTEGRITY, a dm-integrity device) are verified: a
 * wrong byte or an error ends the test, except that one of them, the victim, is
 * removed and made again and again, so that I/O to it may fail.  What would take
 * data away from a verified volume by its own right (another key, another
 * cipher) is loaded, but never resumed.  Those on SCRATCH have no such friends:
 * anything is done to them at any time.
 *
 * Prints how often what was done (and takes up to a minute longer if that is
 * too little); exits with 1, and the reason, if something
 * went wrong.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include "dm.h"
#include "hostile-lines.h"

#define FIRST_MINOR	200
#define BLOCK		4096
#define SECTORS		8192		/* of a volume */
#define BLOCKS		(SECTORS / (BLOCK / 512))
#define ENOUGH		1000		/* tables, which a busy machine gets more time for */
#define MAX_RUN		16		/* blocks of one read or write */

struct volume {
	const char *name;
	const char *spec;
	unsigned int key_bytes;
	const char *options;	/* those that belong to the format */
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

/* What the processes have in common. */
static struct shared {
	volatile bool stop;
	bool failed;
	struct {
		pthread_rwlock_t lock;	/* for writing: who may resume it */
		unsigned long reads, writes, errors;
	} volume[COUNT(volumes)];
	unsigned long accepted, refused, logged;
	unsigned long messages, messages_refused;
	unsigned long resumes, wipes, removals, forced, deferred;
	unsigned long scratch_accepted, scratch_refused, scratch_resumes;
} *shared;

#define count(what) __atomic_add_fetch(&shared->what, 1, __ATOMIC_RELAXED)

static const char *target;

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

/* ---- device mapper -------------------------------------------------------- */

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
		/* now and then they leave a gap, or lie over each other */
		start += sectors + (percent(20) ? throw(3) * 8 - 8 : 0);
	}
	return dm(DM_TABLE_LOAD);
}

static int message(const struct volume *v, const char *words)
{
	struct dm_target_msg *msg = (void *)(dm_buf + sizeof(*dm_io));

	dm_start(v->name);
	msg->sector = 0;
	strcpy(msg->message, words);
	return dm(DM_TARGET_MSG);
}

/* What status says of a device's first target; to be freed */
static char *status(const struct volume *v, unsigned int flags)
{
	if (request(v, DM_TABLE_STATUS, flags) || !dm_io->target_count)
		return strdup("");
	return strdup(dm_buf + dm_io->data_start + sizeof(struct dm_target_spec));
}

/* ---- lines ---------------------------------------------------------------- */

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
		fail("add_key: %s", strerror(errno));
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

/* A line that makes this volume, with options that change no byte of it */
static void good_line(const struct volume *v, struct words *words)
{
	static const char *const harmless[] = {
		"allow_discards", "same_cpu_crypt", "high_priority",
		"submit_from_crypt_cpus", "no_read_workqueue",
		"no_write_workqueue", "verify_writes", "offload:inline",
		"offload:spread", "offload:auto", "engine:api", "engine:auto",
	};
	unsigned int more;

	add_word(words, strdup(v->spec));
	add_word(words, key_of(v, percent(30)));
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

static int load_good(const struct volume *v)
{
	struct words words = {};
	char line[MAX_LINE];
	int r;

	good_line(v, &words);
	print_words(&words, line);
	free_words(&words);
	r = load(v, target, line, 1, SECTORS, 0);
	if (r)
		fprintf(stderr, "refused (%s): %s\n", strerror(-r), line);
	return r;
}

static int load_hostile(const struct volume *v)
{
	unsigned int mutations = percent(12) ? 0 : 1 + throw(4);
	unsigned int segments = percent(15) ? 2 + throw(3) : 1;
	unsigned long long sectors = SECTORS;
	struct words words = {};
	char line[MAX_LINE];

	good_line(v, &words);
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

/* ---- verified volumes under attack ---------------------------------------- */

static void must(int r, const struct volume *v, const char *what)
{
	if (r)
		fail("%s: %s: %s", v->name, what, strerror(-r));
}

static int send_hostile(const struct volume *v)
{
	char words[MAX_LINE], *key = key_of(v, percent(30));
	int r;

	hostile_message(words, key);
	free(key);
	r = message(v, words);
	count(messages);
	if (r)
		count(messages_refused);
	return r;
}

/* Others read and write, and do the same; none of it may leave a trace */
static void assault(const struct volume *v)
{
	char *before = status(v, DM_STATUS_TABLE_FLAG), *after;
	int r;

	switch (throw(10)) {
	case 0:
		send_hostile(v);
		break;
	case 1:
		r = request(v, DM_DEV_REMOVE, 0);
		if (r != -EBUSY)
			fail("%s: removed while it is open: %d", v->name, r);
		break;
	case 2:
		free(status(v, 0));
		free(status(v, DM_STATUS_TABLE_FLAG | DM_QUERY_INACTIVE_TABLE_FLAG));
		free(status(v, DM_IMA_MEASUREMENT_FLAG));
		break;
	default:
		if (load_hostile(v)) {
			count(refused);
			break;
		}
		count(accepted);
		free(status(v, DM_STATUS_TABLE_FLAG | DM_QUERY_INACTIVE_TABLE_FLAG));
		must(request(v, DM_TABLE_CLEAR, 0), v, "clear");
	}
	after = status(v, DM_STATUS_TABLE_FLAG);
	if (!*before || strcmp(before, after))
		fail("%s: its table changed", v->name);
	free(before);
	free(after);
}

/* Without its key it is not resumed; it takes it again, and no other */
static void lose_key(const struct volume *v)
{
	must(message(v, "key wipe"), v, "key wipe");
	count(wipes);
	if (request(v, DM_DEV_SUSPEND, 0) != -EAGAIN)
		fail("%s: resumed without its key", v->name);
}

static void give_key(const struct volume *v)
{
	char *key = key_of(v, percent(30)), *words = text("key set %s", key);

	must(message(v, words), v, "key set");
	free(words);
	free(key);
}

/* Suspended, and resumed with the same data under it */
static void maintain(const struct volume *v)
{
	static const unsigned int flags[] = {
		0, DM_NOFLUSH_FLAG, DM_SKIP_LOCKFS_FLAG,
	};
	bool reload = percent(50);
	unsigned int messages;

	if (reload)
		must(load_good(v), v, "a good line");
	must(request(v, DM_DEV_SUSPEND, DM_SUSPEND_FLAG | PICK(flags)), v,
	     "suspend");
	for (messages = throw(6); messages; messages--)
		send_hostile(v);
	if (!reload) {
		if (percent(40))
			lose_key(v);
		give_key(v);
	}
	must(request(v, DM_DEV_SUSPEND, 0), v, "resume");
	count(resumes);
}

static void besieger(unsigned int unused)
{
	(void)unused;
	while (!shared->stop) {
		const struct volume *v = &PICK(volumes);
		pthread_rwlock_t *lock = &shared->volume[v - volumes].lock;

		if (v->kind > BELOW || !v->device)
			continue;
		if (percent(12)) {
			pthread_rwlock_wrlock(lock);
			maintain(v);
		} else {
			pthread_rwlock_rdlock(lock);
			assault(v);
		}
		pthread_rwlock_unlock(lock);
	}
}

/* ---- reading and writing -------------------------------------------------- */

static int open_node(const struct volume *v)
{
	char *path = text("/dev/mapper/%s", v->name);
	int fd = open(path, O_RDWR | O_DIRECT);

	free(path);
	return fd;
}

static void fill_block(uint64_t *block, unsigned int volume,
		       unsigned int number, unsigned int generation)
{
	uint64_t x = ((uint64_t)volume << 56 | (uint64_t)generation << 24 |
		      number) * 0x9e3779b97f4a7c15ull | 1;
	unsigned int i;

	for (i = 0; i < BLOCK / sizeof(x); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		block[i] = x;
	}
}

/* What a volume must hold: the generation of each block; 0: not known */
static unsigned int generations[BLOCKS];
static char *io_buf;

/* Whether it went well; errors end the test but for the victim */
static bool transfer(const struct volume *v, int fd, bool write,
		     unsigned int first, unsigned int blocks)
{
	ssize_t size = blocks * BLOCK, done;

	done = write ? pwrite(fd, io_buf, size, (off_t)first * BLOCK) :
		       pread(fd, io_buf, size, (off_t)first * BLOCK);
	if (done == size)
		return true;
	if (v->kind != VICTIM)
		fail("%s: %s of %u blocks at %u: %s", v->name,
		     write ? "write" : "read", blocks, first,
		     done < 0 ? strerror(errno) : "short");
	count(volume[v - volumes].errors);
	return false;
}

static bool write_blocks(const struct volume *v, int fd, unsigned int first,
			 unsigned int blocks)
{
	static unsigned int generation;
	unsigned int i;
	bool good;

	generation++;
	for (i = 0; i < blocks; i++)
		fill_block((void *)(io_buf + i * BLOCK), v - volumes, first + i,
			   generation);
	good = transfer(v, fd, true, first, blocks);
	for (i = 0; i < blocks; i++)
		generations[first + i] = good ? generation : 0;
	if (good)
		count(volume[v - volumes].writes);
	return good;
}

static bool read_blocks(const struct volume *v, int fd, unsigned int first,
			unsigned int blocks)
{
	static uint64_t right[BLOCK / 8];
	unsigned int i;

	if (!transfer(v, fd, false, first, blocks))
		return false;
	for (i = 0; i < blocks; i++) {
		if (!generations[first + i])
			continue;
		fill_block(right, v - volumes, first + i, generations[first + i]);
		if (memcmp(io_buf + i * BLOCK, right, BLOCK))
			fail("%s: wrong data in block %u", v->name, first + i);
	}
	count(volume[v - volumes].reads);
	return true;
}

static bool touch(const struct volume *v, int fd)
{
	unsigned int first = throw(BLOCKS), blocks = 1 + throw(MAX_RUN);

	if (blocks > BLOCKS - first)
		blocks = BLOCKS - first;
	return percent(50) ? write_blocks(v, fd, first, blocks) :
			     read_blocks(v, fd, first, blocks);
}

/* Opens it again and again where it may be gone, holds it open elsewhere */
static void verifier(unsigned int number)
{
	const struct volume *v = &volumes[number];
	unsigned int i;
	int fd;

	while (!shared->stop) {
		fd = open_node(v);
		if (fd < 0) {
			if (v->kind != VICTIM)
				fail("%s: %s", v->name, strerror(errno));
			usleep(1000);
			continue;
		}
		if (v->kind != VICTIM)
			for (i = 0; i < BLOCKS; i += MAX_RUN)
				write_blocks(v, fd, i, MAX_RUN);
		for (i = 0; !shared->stop && (i < 40 || v->kind != VICTIM); i++) {
			if (!touch(v, fd))
				break;
			usleep(throw(3000));	/* the others want a turn */
		}
		close(fd);
	}
}

/* ---- the victim ----------------------------------------------------------- */

/* As dmsetup remove --force does: errors take the volume's place */
static void force_out(const struct volume *v)
{
	if (!load(v, "error", "", 1, SECTORS, 0) &&
	    !request(v, DM_DEV_SUSPEND, DM_NOFLUSH_FLAG))
		count(forced);
}

/* Until REQUEST_ON it ends with RESULT */
static void insist(const struct volume *v, int (*request_on)(const struct volume *),
		   int result, const char *what)
{
	time_t until = time(NULL) + 60;
	int r;

	while ((r = request_on(v)) != result) {
		if (time(NULL) > until)
			fail("%s: %s: %s", v->name, what, strerror(-r));
		usleep(1000);
	}
}

static int remove_once(const struct volume *v)
{
	return request(v, DM_DEV_REMOVE, 0);
}

static void wait_gone(const struct volume *v)
{
	insist(v, remove_once, -ENXIO, "it would not go");
}

/* Until it has done some more I/O; not for ever, errors are none */
static void watch_work(unsigned int number)
{
	unsigned long enough = shared->volume[number].reads +
		shared->volume[number].writes + 1 + throw(10);
	time_t until = time(NULL) + 5;

	while (shared->volume[number].reads + shared->volume[number].writes <
	       enough && time(NULL) < until && !shared->stop)
		usleep(1000);
}

static void executioner(unsigned int number)
{
	const struct volume *v = &volumes[number];

	while (!shared->stop) {
		/* its number is in use for a little longer than its name */
		insist(v, create, 0, "create");
		must(load_good(v), v, "a good line");
		must(request(v, DM_DEV_SUSPEND, 0), v, "resume");
		watch_work(number);
		switch (throw(3)) {
		case 0:
			if (!request(v, DM_DEV_REMOVE, DM_DEFERRED_REMOVE))
				count(deferred);
			/* messages and tables while it goes, too late or not */
			message(v, "stats");
			load_hostile(v);
			break;
		case 1:
			force_out(v);
			break;
		}
		wait_gone(v);
		count(removals);
	}
}

/* ---- scratch volumes ------------------------------------------------------ */

static void scratch_attacker(unsigned int unused)
{
	static const unsigned int flags[] = {
		0, DM_SUSPEND_FLAG, DM_SUSPEND_FLAG | DM_NOFLUSH_FLAG,
	};

	(void)unused;
	while (!shared->stop) {
		const struct volume *v =
			&volumes[COUNT(volumes) - 1 - throw(SCRATCHES)];

		switch (throw(12)) {
		case 0:
			create(v);
			break;
		case 1:
			request(v, DM_DEV_REMOVE, percent(20) ? DM_DEFERRED_REMOVE : 0);
			break;
		case 2:
			request(v, DM_TABLE_CLEAR, 0);
			break;
		case 3:
		case 4:
			send_hostile(v);
			break;
		case 5:
			free(status(v, percent(50) ? DM_STATUS_TABLE_FLAG : 0));
			break;
		case 6:
		case 7:
			request(v, DM_DEV_SUSPEND, PICK(flags));
			break;
		default:
			if (load_hostile(v)) {
				count(scratch_refused);
				break;
			}
			count(scratch_accepted);
			if (percent(70) && !request(v, DM_DEV_SUSPEND, 0))
				count(scratch_resumes);
		}
	}
}

/* It may get anything; it may also wait for long, for one that is suspended */
static void scratch_user(unsigned int unused)
{
	unsigned int i;
	ssize_t done;
	off_t at;
	int fd;

	(void)unused;
	while (!shared->stop) {
		fd = open_node(&volumes[COUNT(volumes) - 1 - throw(SCRATCHES)]);
		if (fd < 0) {
			usleep(1000);
			continue;
		}
		for (i = throw(8); i && !shared->stop; i--) {
			at = (off_t)throw(SECTORS) * 512;
			done = percent(50) ?
				pwrite(fd, io_buf, 512 << throw(8), at) :
				pread(fd, io_buf, 512 << throw(8), at);
			(void)done;
		}
		close(fd);
	}
}

static void clear_scratch(const struct volume *v)
{
	if (request(v, DM_DEV_STATUS, 0))
		return;
	force_out(v);
	wait_gone(v);
}

/* ---- the kernel's log ----------------------------------------------------- */

#define LOG_END "hostile: the end"

/* "<argument>: <reason>", or what device mapper itself says */
static bool names_argument(const char *error)
{
	static const char gap[] = "Gap in table";
	static const char *const arguments[] = {
		"too few arguments", "cipher", "key", "iv_offset", "device",
		"offset", "#opts", "option", "integrity", "integrity_key_size",
		"sector_size", "offload", "engine",
	};
	unsigned int i;
	size_t len;

	for (i = 0; i < COUNT(arguments); i++) {
		len = strlen(arguments[i]);
		if (!strncmp(error, arguments[i], len) &&
		    !strncmp(error + len, ": ", 2))
			return true;
	}
	return !strncmp(error, gap, strlen(gap));
}

static void look_at(const char *line)
{
	const char *table = strstr(line, "device-mapper: table: "), *error;
	unsigned int minor, end;

	if (strcasestr(line, KEY_MARK))
		fail("a key in the log: %s", line);
	if (!table || sscanf(table, "device-mapper: table: %*u:%u: %n", &minor,
			     &end) != 1)
		return;
	error = table + end;
	if (strstr(error, "preresume failed"))
		return;		/* a resume that was refused */
	minor -= FIRST_MINOR;
	if (minor < COUNT(volumes) && volumes[minor].kind <= BELOW)
		count(logged);
	if (!strncmp(error, target, strlen(target)) &&
	    !strncmp(error + strlen(target), ": ", 2) &&
	    !names_argument(error + strlen(target) + 2))
		fail("an error that names no argument: %s", line);
}

static void watcher(unsigned int log)
{
	static char line[8 << 10];
	ssize_t len;

	do {
		len = read(log, line, sizeof(line) - 1);
		if (len < 0)
			fail("the kernel's log: %s", strerror(errno));
		line[len] = '\0';
		look_at(line);
	} while (!strstr(line, LOG_END));
}

/* ---- all together --------------------------------------------------------- */

static const char *child_names[32];
static pid_t children[32];
static unsigned int child_count;

static void start(const char *name, void (*fn)(unsigned int), unsigned int arg,
		  unsigned long seed)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (!pid) {
		char *label = text("%s %u %u", name, arg, child_count);

		dice_init(seed, label);
		if (posix_memalign((void **)&io_buf, BLOCK, MAX_RUN * BLOCK * 2))
			fail("no memory");
		memset(io_buf, 0, MAX_RUN * BLOCK * 2);
		fn(arg);
		exit(0);
	}
	child_names[child_count] = name;
	children[child_count++] = pid;
}

/* Waits for the children from number FIRST on, and forgets them */
static void end(unsigned int first)
{
	time_t until = time(NULL) + 90;
	int how;

	while (child_count > first) {
		if (waitpid(children[child_count - 1], &how, WNOHANG) > 0) {
			child_count--;
			if (how)
				shared->failed = true;
			continue;
		}
		if (time(NULL) > until)
			fail("%s hangs", child_names[child_count - 1]);
		usleep(10000);
	}
}

static unsigned int dm_major(void)
{
	FILE *file = fopen("/proc/devices", "r");
	unsigned int major = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, " device-mapper"))
			major = strtoul(line, NULL, 10);
	return major;
}

static void set_up(struct volume *v)
{
	pthread_rwlockattr_t attr;
	char *path;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_rwlockattr_setkind_np(&attr,
				      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&shared->volume[v - volumes].lock, &attr);

	add_key(v);
	path = text("/dev/mapper/%s", v->name);
	unlink(path);
	if (mknod(path, S_IFBLK | 0600,
		  makedev(dm_major(), FIRST_MINOR + (v - volumes))))
		fail("%s: %s", path, strerror(errno));
	free(path);
	if (v->kind > BELOW)
		return;
	must(create(v), v, "create");
	must(load_good(v), v, "a good line");
	must(request(v, DM_DEV_SUSPEND, 0), v, "resume");
}

static unsigned long tries(void)
{
	return shared->accepted + shared->refused + shared->scratch_accepted +
		shared->scratch_refused;
}

static void report(void)
{
	unsigned int i;

	printf("tables: %lu accepted, %lu refused, %lu lines in the log\n",
	       shared->accepted, shared->refused, shared->logged);
	printf("messages: %lu, %lu refused\n", shared->messages,
	       shared->messages_refused);
	printf("verified: %lu resumes, %lu wipes, %lu removals (%lu deferred, %lu forced)\n",
	       shared->resumes, shared->wipes, shared->removals,
	       shared->deferred, shared->forced);
	printf("scratch: %lu accepted, %lu refused, %lu resumes\n",
	       shared->scratch_accepted, shared->scratch_refused,
	       shared->scratch_resumes);
	for (i = 0; i < COUNT(volumes); i++)
		if (volumes[i].device && volumes[i].kind != BELOW &&
		    volumes[i].kind != SCRATCH)
			printf("%s: %lu reads, %lu writes, %lu errors\n",
			       volumes[i].name, shared->volume[i].reads,
			       shared->volume[i].writes,
			       shared->volume[i].errors);
}

int main(int argc, char **argv)
{
	unsigned int i, first, log;
	unsigned long seed;
	time_t until;

	if (argc < 6)
		return 2;
	target = argv[1];
	seed = strtoul(argv[2], NULL, 10);
	dice_init(seed, "set-up");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	log = open("/dev/kmsg", O_RDONLY);
	lseek(log, 0, SEEK_END);
	for (i = 0; i < COUNT(volumes); i++) {
		struct volume *v = &volumes[i];

		if (!strcmp(v->name, "hostile-aead")) {
			v->device = argv[6];
			if (!v->device)
				continue;
		} else if (v->kind == SCRATCH) {
			v->device = argv[5];
			v->start = i * SECTORS;
		} else if (!v->device) {
			v->device = argv[4];
			v->start = i * SECTORS;
		}
		set_up(v);
	}

	start("watcher", watcher, log, seed);
	for (i = 0; i < COUNT(volumes); i++) {
		if (!volumes[i].device || volumes[i].kind == BELOW ||
		    volumes[i].kind == SCRATCH)
			continue;
		start("verifier", verifier, i, seed);
		if (volumes[i].kind == VICTIM)
			start("executioner", executioner, i, seed);
	}
	start("scratch user", scratch_user, 0, seed);
	start("scratch user", scratch_user, 1, seed);
	first = child_count;
	for (i = 0; i < 2; i++) {
		start("besieger", besieger, i, seed);
		start("scratch attacker", scratch_attacker, i, seed);
	}

	until = time(NULL) + strtoul(argv[3], NULL, 10);
	while (!shared->stop && (time(NULL) < until || (tries() < ENOUGH &&
							time(NULL) < until + 60)))
		usleep(100000);
	shared->stop = true;
	end(first);
	for (i = COUNT(volumes) - SCRATCHES; i < COUNT(volumes); i++)
		clear_scratch(&volumes[i]);
	end(1);
	for (i = COUNT(volumes) - SCRATCHES; i-- > 0;)
		if (volumes[i].device)
			wait_gone(&volumes[i]);
	dm_log(LOG_END "\n");
	end(0);
	report();
	return shared->failed;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile TARGET SEED SECONDS DISK SCRATCH [INTEGRITY [STATE]]: table lines, messages,
 * reloads, suspends and removals, many of them invalid, from several concurrent
 * processes, while others write and verify.
 *
 * The volumes on DISK (and on INTEGRITY, a dm-integrity device) are verified: a
 * wrong byte or an error ends the test, except that one of them, the victim, is
 * removed and created again and again, so that I/O to it may fail.  A table
 * that legitimately changes the data of a verified volume (another key, another
 * cipher) is loaded, but never resumed.  The volumes on SCRATCH are not
 * verified: anything is done to them at any time.  One at a time is converted,
 * with its state on the device STATE.
 *
 * Prints how often each operation was done (and takes up to a minute longer if
 * that is too little); exits with 1, and the reason, on a failure.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include "hostile/io.h"
#include "hostile/volumes.h"

#define ENOUGH	1000	/* tables; a busy machine gets more time */

/* ---- verified volumes under attack --------------------------------------- */

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
	count(&shared->messages);
	if (r)
		count(&shared->messages_refused);
	return r;
}

/* Runs beside I/O and other assaults; must not change the volume */
static void assault(const struct volume *v)
{
	char *before = status(v, DM_STATUS_TABLE_FLAG), *after;
	bool converts;
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
		if (load_hostile(v, &converts)) {
			count(&shared->refused);
			break;
		}
		count(&shared->accepted);
		free(status(v, DM_STATUS_TABLE_FLAG | DM_QUERY_INACTIVE_TABLE_FLAG));
		must(request(v, DM_TABLE_CLEAR, 0), v, "clear");
	}
	after = status(v, DM_STATUS_TABLE_FLAG);
	if (!*before || strcmp(before, after))
		fail("%s: its table changed", v->name);
	free(before);
	free(after);
}

/* Without its key a volume must not resume */
static void lose_key(const struct volume *v)
{
	must(message(v, "key wipe"), v, "key wipe");
	count(&shared->wipes);
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

/* Suspend the volume, and resume it with the same data */
static void maintain(const struct volume *v)
{
	static const unsigned int flags[] = {
		0, DM_NOFLUSH_FLAG, DM_SKIP_LOCKFS_FLAG,
	};
	bool reload = percent(50), same = percent(30);
	unsigned int messages;

	if (same)
		must(load_same(v), v, "a line with the key in use");
	else if (reload)
		must(load_good(v), v, "a good line");
	must(request(v, DM_DEV_SUSPEND, DM_SUSPEND_FLAG | PICK(flags)), v,
	     "suspend");
	for (messages = throw(6); messages; messages--)
		send_hostile(v);
	if (same || !reload) {
		if (percent(60))
			lose_key(v);
		give_key(v);
	}
	must(request(v, DM_DEV_SUSPEND, 0), v, "resume");
	count(&shared->resumes);
}

static void besieger(unsigned int unused)
{
	(void)unused;
	while (!stopped()) {
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

/* ---- the victim ---------------------------------------------------------- */

/* Like dmsetup remove --force: replace the volume by errors */
static void force_out(const struct volume *v)
{
	load(v, "error", "", 1, SECTORS, 0);
	request(v, DM_DEV_SUSPEND, DM_NOFLUSH_FLAG);
}

/* Repeat a request until it ends with RESULT */
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

static unsigned long transfers(unsigned int number)
{
	return value(&shared->volume[number].reads) +
		value(&shared->volume[number].writes);
}

/* Wait for some more I/O, with a timeout, because failed I/O does not count */
static void watch_work(unsigned int number)
{
	unsigned long enough = transfers(number) + 1 + throw(10);
	time_t until = time(NULL) + 5;

	while (transfers(number) < enough && time(NULL) < until && !stopped())
		usleep(1000);
}

static void executioner(unsigned int number)
{
	const struct volume *v = &volumes[number];
	unsigned int round;
	bool converts;

	for (round = 0; !stopped(); round++) {
		/* its device number is in use a little longer than its name */
		insist(v, create, 0, "create");
		must(load_good(v), v, "a good line");
		must(request(v, DM_DEV_SUSPEND, 0), v, "resume");
		watch_work(number);
		switch (round % 3) {
		case 0:
			if (!request(v, DM_DEV_REMOVE, DM_DEFERRED_REMOVE))
				count(&shared->deferred);
			/* messages and tables during or after removal */
			message(v, "stats");
			load_hostile(v, &converts);
			break;
		case 1:
			force_out(v);
			count(&shared->forced);
			break;
		}
		wait_gone(v);
		count(&shared->removals);
	}
}

/* ---- scratch volumes ----------------------------------------------------- */

static void scratch_attacker(unsigned int unused)
{
	static const unsigned int flags[] = {
		0, DM_SUSPEND_FLAG, DM_SUSPEND_FLAG | DM_NOFLUSH_FLAG,
	};

	bool converts;

	(void)unused;
	while (!stopped()) {
		const struct volume *v =
			&volumes[COUNT(volumes) - 1 - throw(SCRATCHES)];

		switch (throw(14)) {
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
		case 8:
			if (state_device)
				blank_state();
			break;
		default:
			if (load_hostile(v, &converts)) {
				count(&shared->scratch_refused);
				break;
			}
			count(&shared->scratch_accepted);
			if (percent(70) && !request(v, DM_DEV_SUSPEND, 0)) {
				count(&shared->scratch_resumes);
				if (converts)
					count(&shared->conversions);
			}
		}
	}
}

/* Accepts any result of I/O; a suspended volume may delay it for long */
static void scratch_user(unsigned int unused)
{
	unsigned int i;
	ssize_t done;
	off_t at;
	int fd;

	(void)unused;
	while (!stopped()) {
		fd = open_node(&volumes[COUNT(volumes) - 1 - throw(SCRATCHES)]);
		if (fd < 0) {
			usleep(1000);
			continue;
		}
		for (i = throw(8); i && !stopped(); i--) {
			at = (off_t)throw(SECTORS) * 512;
			done = percent(50) ?
				pwrite(fd, io_buf, 512 << throw(8), at) :
				pread(fd, io_buf, 512 << throw(8), at);
			(void)done;
		}
		close(fd);
	}
}

static void clear(const struct volume *v)
{
	if (request(v, DM_DEV_STATUS, 0))
		return;
	force_out(v);
	wait_gone(v);
}

/* ---- the kernel's log ---------------------------------------------------- */

#define LOG_END "hostile: the end"

/* "<argument>: <reason>", or a message of device mapper itself */
static bool names_argument(const char *error)
{
	static const char gap[] = "Gap in table";
	static const char *const arguments[] = {
		"too few arguments", "cipher", "key", "iv_offset", "device",
		"offset", "#opts", "option", "integrity", "integrity_key_size",
		"sector_size", "offload", "engine", "rekey_state",
		"rekey_key", "rekey_start", "rekey_resilience",
		"rekey_cipher", "rekey_sector_size", "rekey_iv_offset",
		"rekey_sparse",
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
		count(&shared->logged);
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

/* ---- all together -------------------------------------------------------- */

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

/*
 * Waits for the children from number FIRST on, and forgets them.  A failed one
 * may have left a lock or a suspended volume, for which others would wait
 * forever.
 */
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
		if (time(NULL) > until) {
			fprintf(stderr, "%s hangs\n", child_names[--child_count]);
			kill(children[child_count], SIGKILL);
			shared->failed = true;
		}
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
	return value(&shared->accepted) + value(&shared->refused) +
		value(&shared->scratch_accepted) +
		value(&shared->scratch_refused);
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
	printf("scratch: %lu accepted, %lu refused, %lu resumes, %lu of conversions\n",
	       shared->scratch_accepted, shared->scratch_refused,
	       shared->scratch_resumes, shared->conversions);
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
	int held[COUNT(volumes)] = {};
	unsigned int i, first, log;
	unsigned long seed;
	time_t until;

	if (argc < 6)
		return 2;
	state_device = argc > 7 ? argv[7] : NULL;
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
		/* keep it open before, during and after the assaults */
		if (volumes[i].kind != VICTIM)
			held[i] = open_node(&volumes[i]);
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
	while (!stopped() && (time(NULL) < until ||
			      (tries() < ENOUGH && time(NULL) < until + 60)))
		usleep(100000);
	shared->stop = true;
	end(first);
	for (i = COUNT(volumes) - SCRATCHES; i < COUNT(volumes); i++)
		clear(&volumes[i]);
	end(1);
	for (i = COUNT(volumes) - SCRATCHES; i-- > 0;) {
		if (held[i])
			close(held[i]);
		if (shared->failed)
			clear(&volumes[i]);
		else if (volumes[i].device)
			wait_gone(&volumes[i]);
	}
	dm_log(LOG_END "\n");
	end(0);
	report();
	return shared->failed;
}

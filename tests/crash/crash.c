// SPDX-License-Identifier: GPL-2.0-only
/*
 * Crashes.
 *
 * A conversion is run, and its log is gone through.  At each point, the power is
 * cut: of what was not durable, nothing survives, or everything, or everything
 * but one write, or one write only, or a torn one, or what the seed selects.  Or
 * the machine restarts, and the devices keep their caches.  Each time, a new
 * session recovers, and its log may be gone through likewise.
 */
#include "crash.h"

#include "cut.h"
#include "damage.h"
#include "hashes.h"
#include "random.h"
#include "session.h"

/* Sessions, each after a crash of the one before. */
#define DEPTH 4
/* One image in so many is damaged, too. */
#define DAMAGED 32

/**
 * struct level - a session and its crashes
 * @log: its log
 * @cut: the point in the log
 * @record: the record at this point
 * @how: how it crashes
 * @which: which of those
 */
struct level {
	struct log log;
	struct cut cut;
	u32 record;
	const char *how;
	unsigned int which;
};

struct crash_counts crash_counts;

static struct level levels[DEPTH];
static unsigned int depth;
static u64 base_seed;
static unsigned int sectors;
static struct hashes images, tried;

void crash_print_path(FILE *file)
{
	unsigned int i;

	fprintf(file, "seed %llu", base_seed);
	for (i = 0; i < depth; i++)
		fprintf(file, ", record %u: %s (%u)", levels[i].record,
			levels[i].how, levels[i].which);
	fprintf(file, "\n");
}

static void explore(const struct session *session, unsigned int share);

/* ---- one crash ----------------------------------------------------------- */

static void count_image(const struct image *image)
{
	if (!hashes_add(&images, image_hash(image)))
		return;
	crash_counts.images++;
	crash_counts.active += image_has_batch(image);
}

static struct session after_crash(struct random *random)
{
	struct session session = {
		.seed = random_next(random),
		.sectors = sectors,
	};

	session.recover_only = random_below(random, 16) < 12;
	if (session.recover_only)
		return session;
	session.to_the_end = true;
	if (random_once(random, 3)) {
		session.bios = 10 + random_below(random, 30);
		session.events = random_below(random, 4);
		session.faults = random_once(random, 8);
	}
	return session;
}

static bool is_new(const struct cut *cut, const struct image *image, bool warm)
{
	u64 hash = image_hash(image);

	if (warm)
		hash = mix(hash + mix(image_hash(&cut->durable)));
	return hashes_add(&tried, hash + oracle_hash(&cut->oracle));
}

/* The power is cut, or only the machine restarts; then a session follows. */
static void crash(const bool *kept, bool warm, const char *how,
		  unsigned int which)
{
	struct level *level = &levels[depth], *next = level + 1;
	struct random random;
	struct session session;
	struct image image;
	block_t mark = block_mark();

	cut_image(&level->cut, kept, &image);
	if (!warm)
		count_image(&image);
	if (!is_new(&level->cut, &image, warm))
		return;
	level->how = how;
	level->which = which;
	random.state = base_seed + image_hash(&image) + level->record;
	depth++;
	if (warm) {
		crash_counts.restarts++;
		next->cut = level->cut;
		cut_restart(&next->cut, kept);
	} else {
		crash_counts.cuts++;
		cut_init(&next->cut, &image, &level->cut.oracle);
		oracle_cut(&next->cut.oracle);
	}
	if (!warm && random_once(&random, DAMAGED))
		crash_counts.damaged += damage_try(&image, &next->cut.oracle,
						   sectors, &next->log);
	session = after_crash(&random);
	explore(&session, warm || random_once(&random, 4 << depth));
	depth--;
	block_release(mark);
}

static void cut_power(const bool *kept, const char *how, unsigned int which)
{
	crash(kept, false, how, which);
}

/* ---- all crashes at a point ---------------------------------------------- */

static void keep(bool *kept, unsigned int from, unsigned int to, bool value)
{
	memset(kept + from, value, to - from);
}

/* The end of the write whose pieces begin at @from. */
static unsigned int write_end(const struct cut *cut, unsigned int from)
{
	unsigned int to = from;

	while (to < cut->count && cut->pieces[to].write == cut->pieces[from].write)
		to++;
	return to;
}

static void keep_some(bool *kept, unsigned int from, unsigned int to,
		      struct random *random)
{
	unsigned int share = 1 + random_below(random, 3);

	for (; from < to; from++)
		kept[from] = random_below(random, 4) < share;
}

static void with_one_write(const struct cut *cut, unsigned int from,
			   struct random *random)
{
	unsigned int to = write_end(cut, from), rest = random_once(random, 2);
	bool kept[VOLATILE_MAX];

	keep(kept, 0, cut->count, true);
	keep(kept, from, to, false);
	cut_power(kept, "all but one write survive", from);
	keep(kept, 0, cut->count, false);
	keep(kept, from, to, true);
	cut_power(kept, "one write survives", from);
	if (to == from + 1)
		return;
	keep(kept, 0, cut->count, rest);
	keep(kept, from, to, true);
	keep(kept, from, from + 1 + random_below(random, to - from - 1), false);
	cut_power(kept, "one write is torn at its beginning", from);
	keep(kept, 0, cut->count, !rest);
	keep(kept, from, to, true);
	keep(kept, to - 1 - random_below(random, to - from - 1), to, false);
	cut_power(kept, "one write is torn at its end", from);
}

static void at_this_point(const struct cut *cut, struct random *random)
{
	bool kept[VOLATILE_MAX];
	unsigned int i;

	keep(kept, 0, cut->count, false);
	cut_power(kept, "nothing survives", 0);
	if (!cut->count)
		return;
	keep(kept, 0, cut->count, true);
	cut_power(kept, "everything survives", 0);
	for (i = 0; i < cut->count; i = write_end(cut, i))
		with_one_write(cut, i, random);
	for (i = 0; i < (depth ? 1 : 4); i++) {
		keep_some(kept, 0, cut->count, random);
		cut_power(kept, "some sectors survive", i);
	}
	if (depth + 2 < DEPTH) {
		/* what is complete is in the cache */
		for (i = 0; i < cut->count && cut->pieces[i].complete; i++)
			kept[i] = true;
		keep_some(kept, i, cut->count, random);
		crash(kept, true, "the cache outlives the machine", 0);
	}
}

/* Run a session, and crash it at one point in @share; 0: at none. */
static void explore(const struct session *session, unsigned int share)
{
	struct level *level = &levels[depth];
	struct random random = { session->seed };
	bool kept[VOLATILE_MAX];
	struct image image;
	u32 i;

	keep(kept, 0, level->cut.count, true);
	cut_image(&level->cut, kept, &image);
	session_run(session, &image, &level->cut.oracle, &level->log);
	if (!share || depth + 1 == DEPTH)
		return;
	for (i = 0; i < level->log.count; i++) {
		level->record = i;
		if (cut_advance(&level->cut, &level->log, i) &&
		    random_once(&random, share))
			at_this_point(&level->cut, &random);
	}
}

void crash_explore(u64 seed, unsigned int share)
{
	struct random random = { seed };
	struct session session = { .seed = random_next(&random) };
	struct oracle oracle;
	struct image image;
	block_t mark = block_mark();

	base_seed = seed;
	sectors = 24 + random_below(&random, DATA_SECTORS_MAX - DATA_START - 24);
	session.sectors = sectors;
	session.to_the_end = random_below(&random, 3);
	session.events = random_below(&random, 10);
	session.bios = 20 + random_below(&random, 100);
	if (random_once(&random, 2))
		session.faults = 1 + random_below(&random, 6);
	session_format(&image, sectors);
	oracle_reset(&oracle);
	cut_init(&levels[0].cut, &image, &oracle);
	explore(&session, share);
	block_release(mark);
}

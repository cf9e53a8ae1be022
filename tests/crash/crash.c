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
/* A session after a crash is crashed at so many times more of its points. */
#define DENSER 8

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
static unsigned int base_share;
static struct geometry geometry;
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

/* With a checksum, a unit is written or not: that is its assumption. */
static void join_units(const struct cut *cut, bool *kept)
{
	const struct volatile_piece *piece, *last;
	unsigned int i, unit = geometry_unit(&geometry);

	for (i = 1; i < cut->count; i++) {
		piece = &cut->pieces[i];
		last = piece - 1;
		if (piece->write == last->write &&
		    piece->piece.slot < DATA_SECTORS_MAX &&
		    piece->piece.slot / unit == last->piece.slot / unit)
			kept[i] = kept[i - 1];
	}
}

/* ---- one crash ----------------------------------------------------------- */

static void count_image(const struct image *image)
{
	if (!hashes_add(&images, image_hash(image)))
		return;
	crash_counts.images++;
	crash_counts.active += image_has_batch(image);
}

/* Some sectors cannot be read. */
static u64 choose_bad(struct random *random)
{
	return random_next(random) & random_next(random) & random_next(random);
}

static struct session after_crash(struct random *random,
				  const struct image *image)
{
	struct session session = {
		.seed = random_next(random),
		.geometry = geometry,
	};

	session.length = session_choose_length(random, image, &geometry);

	session.recover_only = random_below(random, 16) < 12;
	if (session.recover_only)
		return session;
	session.to_the_end = true;
	if (random_once(random, 3)) {
		session.bios = 10 + random_below(random, 30);
		session.events = random_below(random, 4);
		session.faults = random_once(random, 8);
	}
	if (!session.faults && random_once(random, 4))
		session.bad = choose_bad(random);
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
static void crash(bool *kept, bool warm, const char *how,
		  unsigned int which)
{
	struct level *level = &levels[depth], *next = level + 1;
	struct random random;
	struct session session;
	struct image image;
	block_t mark = block_mark();

	if (geometry.resilience == XC_RESILIENCE_CHECKSUM)
		join_units(&level->cut, kept);
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
						   &geometry, &next->log);
	session = after_crash(&random, &image);
	explore(&session, warm || random_once(&random, 4 << depth) ?
			  DIV_ROUND_UP(base_share, DENSER) : 0);
	depth--;
	block_release(mark);
}

static void cut_power(bool *kept, const char *how, unsigned int which)
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

/* Without a new key, there is only the journal. */
static void choose_geometry(struct random *random,
			    enum xc_resilience_choice resilience)
{
	unsigned int i;

	geometry = (struct geometry) {
		.sectors = 24 + random_below(random, LENGTH_MAX - 24),
		.resilience = resilience,
		.keys = { 1, 2 },
	};
	if (!resilience)
		geometry.resilience = random_once(random, 2) ?
			XC_RESILIENCE_CHECKSUM : XC_RESILIENCE_JOURNAL;
	for (i = 0; i < 2; i++)
		geometry.sizes[i] = SECTOR_SIZE << random_once(random, 4);
	geometry.sectors = round_down(geometry.sectors,
				      geometry_unit(&geometry));
	if (random_once(random, 8))
		geometry.keys[0] = 0;
	else if (geometry.resilience == XC_RESILIENCE_JOURNAL &&
		 random_once(random, 4))
		geometry.keys[1] = 0;
}

/* In a part of the volume, and after it, nothing was ever written. */
static void choose_blank(struct random *random)
{
	unsigned int i, run, unit = geometry.sizes[0] >> SECTOR_SHIFT;

	geometry.blank = -1ULL << geometry.sectors;
	/* zeros are data where the old side has no key */
	if (!geometry.keys[0] || random_once(random, 2))
		return;
	geometry.sparse = random_once(random, 4) ? SPARSE_SOMETIMES :
						   SPARSE_ALWAYS;
	for (i = 0; i < geometry.sectors; i += run) {
		run = unit * (1 + random_below(random, 4 * CHUNK_SECTORS));
		if (random_once(random, 2))
			geometry.blank |= (BIT(run) - 1) << i;
	}
}

void crash_explore(u64 seed, unsigned int share,
		   enum xc_resilience_choice resilience)
{
	struct random random = { seed }, blank = { ~seed };
	struct session session = { .seed = random_next(&random) };
	struct oracle oracle;
	struct image image;
	block_t mark = block_mark();

	base_seed = seed;
	base_share = share;
	choose_geometry(&random, resilience);
	choose_blank(&blank);
	session.geometry = geometry;
	session.length = geometry.sectors;
	session.to_the_end = random_below(&random, 3);
	session.events = random_below(&random, 10);
	session.bios = 20 + random_below(&random, 100);
	if (random_once(&random, 2))
		session.faults = 1 + random_below(&random, 6);
	else if (random_once(&random, 2))
		session.bad = choose_bad(&random);
	session_format(&image, &geometry);
	oracle_reset(&oracle, geometry.blank);
	cut_init(&levels[0].cut, &image, &oracle);
	explore(&session, share);
	block_release(mark);
}

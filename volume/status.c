// SPDX-License-Identifier: GPL-2.0-only
/*
 * The status of a volume, and its histograms, printed.
 */
#include "status.h"

#include <linux/lockdep.h>

#include "volume.h"
#include "../cipher/cipher.h"
#include "../cipher/engine.h"
#include "../io/phase.h"
#include "../rekey/rekey.h"
#include "../stats/histogram.h"
#include "../stats/stats.h"
#include "../table/words.h"

/**
 * xc_status_print() - print the status of a volume
 * @vol: the volume
 * @result: buffer to print to
 * @maxlen: its size in bytes
 *
 * Context: Process context, with key_lock held.
 */
void xc_status_print(const struct xc_volume *vol, char *result,
		     unsigned int maxlen)
{
	const struct xc_device *dev = &vol->dev;
	struct xc_stats sum = xc_stats_sum(dev->stats);
	unsigned int sz = 0;
	u64 inlined;

	lockdep_assert_held(&vol->key_lock);
	DMEMIT("engine:%s offload:%s key:%s",
	       xc_engine_words[xc_volume_cipher(vol)->engine->choice],
	       xc_offload_words[dev->opt.offload],
	       xc_volume_has_key(vol) ? "valid" : "wiped");
	DMEMIT(" read:%llu/%llu write:%llu/%llu", sum.bios[READ],
	       sum.sectors[READ], sum.bios[WRITE], sum.sectors[WRITE]);
	/* may be negative by a few, see xc_stats_sum() */
	inlined = sum.bios[READ] + sum.bios[WRITE];
	inlined -= min(inlined, sum.spread);
	DMEMIT(" inline:%llu spread:%llu helped:%llu errors:%llu", inlined,
	       sum.spread, sum.helped, sum.errors);
	if (xc_opt(&dev->opt, XC_VERIFY_WRITES))
		DMEMIT(" mismatches:%llu", sum.mismatches);
	if (vol->rekey)
		sz += xc_rekey_print(vol->rekey, result + sz, maxlen - sz);
}

/**
 * xc_times_print() - print the histograms of a volume
 * @vol: the volume
 * @result: buffer to print to
 * @maxlen: its size in bytes; if it is too small, dm core repeats the message
 *	with a larger one
 *
 * Context: Process context.
 */
void xc_times_print(const struct xc_volume *vol, char *result,
		    unsigned int maxlen)
{
	static const char *const directions[] = { "read", "write" };
	static const char *const phases[] = { "wait", "cipher", "device" };
	struct xc_times __percpu *times = vol->dev.times;
	unsigned int dir, phase, sz = 0;

	DMEMIT("sampled:%u\n", XC_SAMPLED);
	for (dir = 0; dir < ARRAY_SIZE(directions); dir++)
		for (phase = 0; phase < ARRAY_SIZE(phases); phase++) {
			DMEMIT("%s %s", directions[dir], phases[phase]);
			sz += xc_histogram_print(&times->phases[dir][phase],
						 result + sz, maxlen - sz);
			DMEMIT("\n");
		}
}

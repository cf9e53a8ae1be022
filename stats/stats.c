// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be seen of a volume at work.
 */
#include "../dm-xcrypt.h"

static struct xc_stats sum_stats(const struct xc_volume *vol)
{
	struct xc_stats sum = {};
	const struct xc_stats *one;
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		one = per_cpu_ptr(vol->stats, cpu);
		for (i = 0; i < ARRAY_SIZE(sum.bios); i++) {
			sum.bios[i] += READ_ONCE(one->bios[i]);
			sum.sectors[i] += READ_ONCE(one->sectors[i]);
		}
		sum.spread += READ_ONCE(one->spread);
		sum.helped += READ_ONCE(one->helped);
		sum.errors += READ_ONCE(one->errors);
		sum.mismatches += READ_ONCE(one->mismatches);
	}
	return sum;
}

/**
 * xc_status_print() - print the status of a volume
 * @vol: the volume
 * @result: where to print
 * @maxlen: room there, in bytes
 *
 * Context: Process context.
 */
void xc_status_print(const struct xc_volume *vol, char *result,
		     unsigned int maxlen)
{
	struct xc_stats sum = sum_stats(vol);
	unsigned int sz = 0;
	u64 inlined;

	DMEMIT("engine:%s offload:%s key:%s", vol->cipher->engine->name,
	       xc_offload_words[vol->opt.offload],
	       vol->cipher->key_valid ? "valid" : "wiped");
	DMEMIT(" read:%llu/%llu write:%llu/%llu", sum.bios[READ],
	       sum.sectors[READ], sum.bios[WRITE], sum.sectors[WRITE]);
	/* a CPU's counters are read while others count on */
	inlined = sum.bios[READ] + sum.bios[WRITE];
	inlined -= min(inlined, sum.spread);
	DMEMIT(" inline:%llu spread:%llu helped:%llu errors:%llu", inlined,
	       sum.spread, sum.helped, sum.errors);
	if (xc_opt(&vol->opt, XC_VERIFY_WRITES))
		DMEMIT(" mismatches:%llu", sum.mismatches);
}

/**
 * xc_times_print() - print how long bios of a volume took
 * @vol: the volume
 * @result: where to print
 * @maxlen: room there, in bytes; what finds none is cut off, and dm core asks
 *	for more
 *
 * Context: Process context.
 */
void xc_times_print(const struct xc_volume *vol, char *result,
		    unsigned int maxlen)
{
	static const char *const directions[] = { "read", "write" };
	static const char *const phases[] = { "wait", "cipher", "device" };
	unsigned int dir, phase, sz = 0;

	DMEMIT("sampled:%u\n", XC_SAMPLED);
	for (dir = 0; dir < ARRAY_SIZE(directions); dir++)
		for (phase = 0; phase < ARRAY_SIZE(phases); phase++) {
			DMEMIT("%s %s", directions[dir], phases[phase]);
			sz += xc_histogram_print(&vol->times->phases[dir][phase],
						 result + sz, maxlen - sz);
			DMEMIT("\n");
		}
}

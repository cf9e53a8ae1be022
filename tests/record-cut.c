// SPDX-License-Identifier: GPL-2.0-only
/*
 * record-cut LOG SEED UNIT BASE=DEVICE...: cut the power at a point of a log of
 * tests/modules/xcrypt_record.c, chosen by the seed (record/cut.h), and write to each
 * DEVICE what is then on the recorded device with this number: 0 for the first. The file
 * BASE has what was on it when the log began. Writes tear between units of UNIT sectors.
 *
 * Prints "at:<records before> of:<records> mark:<last mark> lost:<writes>
 * kept:<writes> torn:<writes>".
 */
#include "record/cut.h"

int main(int argc, char **argv)
{
	char *device;
	int i;

	if (argc < 5 || argc > 4 + DEVICES)
		errx(2, "usage: record-cut LOG SEED UNIT BASE=DEVICE...");
	load_log(argv[1]);
	for (i = 4; i < argc; i++) {
		device = strchr(argv[i], '=');
		if (!device)
			errx(2, "not BASE=DEVICE: %s", argv[i]);
		*device++ = 0;
		add_image(argv[i], device);
	}
	cut_power(strtoull(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
	printf("at:%u of:%u mark:%ju lost:%u kept:%u torn:%u\n", cut.at,
	       record_count, (uintmax_t)cut.mark, cut.fates[LOST],
	       cut.fates[KEPT], cut.fates[TORN]);
	return 0;
}

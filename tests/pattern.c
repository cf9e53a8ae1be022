// SPDX-License-Identifier: GPL-2.0
/*
 * pattern COUNT LABEL: print COUNT bytes that look random and depend only on
 * LABEL.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	uint64_t state = 0xcbf29ce484222325ull, word;
	unsigned long long left;
	const char *p;

	if (argc != 3)
		return 2;
	for (p = argv[2]; *p; p++)
		state = (state ^ (unsigned char)*p) * 0x100000001b3ull;
	state |= 1;
	for (left = strtoull(argv[1], NULL, 10); left;
	     left -= left < sizeof(word) ? left : sizeof(word)) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		word = state * 0x2545f4914f6cdd1dull;
		if (!fwrite(&word, left < sizeof(word) ? left : sizeof(word), 1,
			    stdout))
			return 1;
	}
	return 0;
}

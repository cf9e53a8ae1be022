// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stand-ins for library functions of the kernel.
 */
#include <stdarg.h>

#include "kernel.h"

/*
 * Large pieces of memory are kept for the next caller: the allocator would map
 * and unmap them each time.
 */
#define LARGE 65536
#define LARGE_MAX 16

static struct {
	void *p;
	size_t size;
	bool used;
} large[LARGE_MAX];

void *kernel_malloc(size_t size)
{
	unsigned int i;

	if (size < LARGE)
		return malloc(size);
	for (i = 0; large[i].p; i++)
		if (!large[i].used && large[i].size == size)
			break;
	assert(i < LARGE_MAX);
	if (!large[i].p)
		large[i].p = malloc(size);
	large[i].size = size;
	large[i].used = true;
	return large[i].p;
}

void kernel_free(const void *p)
{
	unsigned int i;

	for (i = 0; i < LARGE_MAX; i++)
		if (p && large[i].p == p) {
			large[i].used = false;
			return;
		}
	free((void *)p);
}

void *memchr_inv(const void *p, int c, size_t size)
{
	const u8 *bytes = p;
	size_t i;

	if (!size || (bytes[0] == (u8)c && !memcmp(bytes, bytes + 1, size - 1)))
		return NULL;
	for (i = 0; bytes[i] == (u8)c; i++)
		;
	return (void *)(bytes + i);
}

long strscpy_pad(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size - 1);

	memcpy(to, from, len);
	memset(to + len, 0, size - len);
	return from[len] ? -E2BIG : (long)len;
}

int scnprintf(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(buf, size, format, args);
	va_end(args);
	return len < (int)size ? len : (int)size - 1;
}

/* By half bytes. */
u32 crc32_le(u32 crc, const u8 *p, size_t size)
{
	static const u32 table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};

	while (size--) {
		crc ^= *p++;
		crc = (crc >> 4) ^ table[crc & 15];
		crc = (crc >> 4) ^ table[crc & 15];
	}
	return crc;
}

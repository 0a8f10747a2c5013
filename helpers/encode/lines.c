// SPDX-License-Identifier: GPL-2.0-only
/* lines.c: lines for `bpftool batch`; see encode.h. */
#include <stdio.h>
#include <string.h>
#include "encode.h"

static void hex(const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = bytes;
	char text[3 * 128];

	while (n) {
		size_t some = n < 128 ? n : 128;

		for (size_t i = 0; i < some; i++) {
			text[3 * i] = ' ';
			text[3 * i + 1] = digits[b[i] >> 4];
			text[3 * i + 2] = digits[b[i] & 15];
		}
		/* cppcheck-suppress uninitvar; the loop above fills it */
		fwrite(text, 3, some, stdout);
		b += some;
		n -= some;
	}
}

void line_update(const char *map, const void *key, size_t key_size, const void *value,
		 size_t value_size)
{
	fputs("map update ", stdout);
	fputs(map, stdout);
	fputs(" key hex", stdout);
	hex(key, key_size);
	fputs(" value hex", stdout);
	hex(value, value_size);
	putchar('\n');
}

void line_delete(const char *map, const void *key, size_t key_size)
{
	printf("map delete %s key hex", map);
	hex(key, key_size);
	putchar('\n');
}

void line_create(const char *name, unsigned int number, const char *type, size_t key,
		 size_t value, __u32 entries, int flags)
{
	printf("map create " PIN_NEW
	       "%s%u type %s key %zu value %zu entries %u name %s flags %d\n",
	       name, number, type, key, value, entries, name, flags);
}

void line_insert(const char *outer, __u32 index, const char *name, unsigned int number)
{
	printf("map update " PIN_MAPS "%s key hex", outer);
	hex(&index, sizeof(index));
	printf(" value pinned " PIN_NEW "%s%u\n", name, number);
}

void line_hot(const struct hot *h)
{
	__u32 zero = 0;

	line_update(PIN_MAPS "hot", &zero, sizeof(zero), h, sizeof(*h));
}

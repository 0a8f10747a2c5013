/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tap.h: what the unit tests share. Each test is a function that returns true;
 * the last line of main() is `return tap_end();`.
 */
#ifndef TEST_TAP_H
#define TEST_TAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

static int tap_run, tap_failed;
static char tap_said[1024];

/* With this a test function says what it met before it returns false. */
#define say(...) snprintf(tap_said, sizeof(tap_said), __VA_ARGS__)

static inline void tap(bool passed, const char *title)
{
	printf("%sok %d %s\n", passed ? "" : "not ", ++tap_run, title);
	if (!passed && *tap_said)
		printf("# %s\n", tap_said);
	*tap_said = 0;
	tap_failed += !passed;
}

static inline int tap_end(void)
{
	printf("1..%d\n", tap_run);
	return tap_failed != 0;
}

/* xorshift64*: the same numbers in every run. */
static inline uint64_t draw(void)
{
	static uint64_t x = 0x2545f4914f6cdd1dull;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	return x * 0x2545f4914f6cdd1dull;
}

#endif

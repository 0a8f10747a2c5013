/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz.h: run a helper's main() again and again in one process, on input of
 * libFuzzer's. See fuzz.c.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

/* The helper, whose main() has got this name. */
int helper_main(int argc, char **argv);

#define FUZZ_WORDS 24

/* An input: words parted by NUL, and what comes after two bytes of 0xff. */
struct input {
	char *word[FUZZ_WORDS + 1];
	int words;
	const uint8_t *rest;
	size_t rest_size;
};
void input_split(struct input *in, const uint8_t *data, size_t size);

/*
 * Run helper_main() with the words, and `in` on its standard input, as if the process
 * were new. Returns its exit status. What it printed is left in fuzz_out; what it says
 * on stderr goes nowhere.
 */
int helper_run(const struct input *in);
extern char *fuzz_out;
extern size_t fuzz_out_size;

/* Take a number from the end of the rest of the input; 0 when there is no more. */
__u64 take(struct input *in, size_t bytes);

/* bpf(2), answered by the target. */
long fuzz_bpf(int cmd, void *attr);

/* Abort, with a message: what must be true is not. */
#define MUST(what)                                                                     \
	do {                                                                           \
		if (!(what))                                                           \
			fuzz_broken(#what);                                            \
	} while (0)
void fuzz_broken(const char *what) __attribute__((noreturn));

#endif

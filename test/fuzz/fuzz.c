// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz.c: what the fuzz targets share.
 *
 * The Makefile puts the helper's variables into sections of their own, fuzz_data and
 * fuzz_bss, which are put back before each run, and renames what it calls of
 * exit(), syscall() and the allocator, and some more, to fuzz_...: so each run begins as a new process does, and
 * libFuzzer sees what was covered, which it would not of a child. Nothing the helper calls
 * here changes the machine: it has no bpf(2), and the targets keep the rest from it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "fuzz.h"

extern char __start_fuzz_data[], __stop_fuzz_data[];
extern char __start_fuzz_bss[], __stop_fuzz_bss[];

char *fuzz_out;
size_t fuzz_out_size;

/* Not instrumented: from one variable to the next it passes what must not be touched. */
__attribute__((no_sanitize("address", "undefined"), noinline)) static void fuzz_copy(
	void *to, const void *from, size_t size)
{
	volatile __u64 *a = to;
	const volatile __u64 *b = from;

	for (; size >= sizeof(*a); size -= sizeof(*a))
		*a++ = *b++;
	for (size_t i = 0; i < size; i++)
		((volatile char *)a)[i] = ((const volatile char *)b)[i];
}

static jmp_buf end;
static bool running;

/* --- the allocator: what a run leaves is freed after it --- */

#define PLACES (1u << 20)
static void *places[PLACES]; /* open addressing; a freed place is GONE */
#define GONE ((void *)1)
static __u32 used[PLACES], used_count;

static __u32 place_of(const void *p)
{
	__u32 at = ((uintptr_t)p >> 4) * 2654435761u % PLACES;

	while (places[at] && places[at] != p)
		at = (at + 1) % PLACES;
	return at;
}

void *fuzz_calloc(size_t n, size_t size);
void *fuzz_reallocarray(void *p, size_t n, size_t size);
void fuzz_free(void *p);

static void *remember(void *p)
{
	__u32 at = place_of(p);

	if (!p || places[at] == p)
		return p;
	MUST(used_count < PLACES / 2);
	places[at] = p;
	used[used_count++] = at;
	return p;
}

static void forget(const void *p)
{
	__u32 at = place_of(p);

	if (p && places[at] == p)
		places[at] = GONE;
}

void *fuzz_calloc(size_t n, size_t size)
{
	return remember(calloc(n, size));
}

void *fuzz_reallocarray(void *p, size_t n, size_t size)
{
	forget(p);
	return remember(reallocarray(p, n, size));
}

void fuzz_free(void *p)
{
	forget(p);
	free(p);
}

static void free_all(void)
{
	for (__u32 i = 0; i < used_count; i++) {
		if (places[used[i]] != GONE)
			free(places[used[i]]);
		places[used[i]] = NULL;
	}
	used_count = 0;
}

/* --- the process --- */

void fuzz_exit(int status) __attribute__((noreturn));
void fuzz_exit(int status)
{
	MUST(running);
	longjmp(end, status + 1);
}

long fuzz_syscall(long number, ...);
long fuzz_syscall(long number, ...)
{
	va_list args;
	int cmd;
	void *attr;

	va_start(args, number);
	cmd = va_arg(args, int);
	attr = va_arg(args, void *);
	va_end(args);
	MUST(number == SYS_bpf);
	return fuzz_bpf(cmd, attr);
}

void fuzz_broken(const char *what)
{
	dprintf(2, "broken: %s\n", what);
	abort();
}

/* The helper's variables, as they were before it ran. */
static void variables(void)
{
	static char *data, *bss;
	size_t data_size = __stop_fuzz_data - __start_fuzz_data;
	size_t bss_size = __stop_fuzz_bss - __start_fuzz_bss;

	/* byte by byte: the sanitizer's own copy looks at the red zones between them */
	if (!data) {
		data = calloc(1, data_size + 1);
		bss = calloc(1, bss_size + 1);
		fuzz_copy(data, __start_fuzz_data, data_size);
		fuzz_copy(bss, __start_fuzz_bss, bss_size);
	}
	fuzz_copy(__start_fuzz_data, data, data_size);
	fuzz_copy(__start_fuzz_bss, bss, bss_size);
}

void input_split(struct input *in, const uint8_t *data, size_t size)
{
	const uint8_t *mark = memmem(data, size, "\xff\xff", 2);
	size_t len = mark ? (size_t)(mark - data) : size;

	memset(in, 0, sizeof(*in));
	in->rest = mark ? mark + 2 : data + size;
	in->rest_size = data + size - in->rest;
	in->word[in->words++] = strdup("fuzz");
	while (len && in->words < FUZZ_WORDS) {
		size_t n = strnlen((const char *)data, len);

		in->word[in->words++] = strndup((const char *)data, n);
		n += n < len;
		data += n;
		len -= n;
	}
}

__u64 take(struct input *in, size_t bytes)
{
	__u64 n = 0;

	for (; bytes && in->rest_size; bytes--)
		n = n << 8 | in->rest[--in->rest_size];
	return n;
}

static ssize_t printed(void *cookie, const char *bytes, size_t size)
{
	static size_t room;

	(void)cookie;
	if (fuzz_out_size + size > room) {
		room = 2 * (fuzz_out_size + size);
		fuzz_out = realloc(fuzz_out, room);
		MUST(fuzz_out);
	}
	memcpy(fuzz_out + fuzz_out_size, bytes, size);
	fuzz_out_size += size;
	return size;
}

int helper_run(const struct input *in)
{
	FILE *const out = stdout, *const err = stderr, *const from = stdin;
	static FILE *nowhere;
	char *words[FUZZ_WORDS + 1]; /* getopt_long() moves them about */
	int status;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	variables();
	fuzz_out_size = 0;
	stdout = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = printed });
	stdin = fmemopen((void *)(uintptr_t)(in->rest_size ? in->rest
							   : (const uint8_t *)""),
			 in->rest_size ? in->rest_size : 1, "r");
	if (!in->rest_size)
		(void)fgetc(stdin); /* nothing to read */
	stderr = nowhere;
	memcpy(words, in->word, sizeof(words));
	optind = 0;
	running = true;
	status = setjmp(end);
	if (!status)
		status = helper_main(in->words, words) + 1;
	running = false;
	fclose(stdout);
	fclose(stdin);
	stdout = out;
	stderr = err;
	stdin = from;
	free_all();
	for (int i = 0; i < in->words; i++)
		free(in->word[i]);
	return status - 1;
}

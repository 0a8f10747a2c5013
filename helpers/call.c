// SPDX-License-Identifier: GPL-2.0-only
/*
 * call: what there is to know of system calls, and the object for the entry of one.
 *
 *   call list               name, number and arguments of each, one a line
 *   call functions NAME...  the kernel's functions that they are entered by, one a
 *                           line; a kernel may lack some
 *   call object FILE FUNCTION
 *                           the object FILE, built from bpf/syscall.bpf.c, with this
 *                           function and the number of its call, to stdout
 *
 * An object names the function it is attached to in a section's name. That is the
 * only difference between the objects of two calls, and the number of the call; so
 * both are written over what one object was built with, and no compiler is needed
 * where a rule comes to be.
 *
 * Statuses: cotter.h; 2 when there is no such call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "calls.h"

#define PLACEHOLDER "COTTER_FUNCTION_________________________________"

static void list(void)
{
	for (const struct call_info *c = call_table; c->name; c++) {
		const char *comma = "";

		if (call_named(c->name) != c)
			continue;
		if (c->native >= 0)
			printf("%s %d (", c->name, c->native);
		else
			printf("%s i386:%d (", c->name, c->i386);
		/* without the letters */
		for (const char *at = c->arguments; *at;) {
			size_t len = strcspn(at, ",");

			printf("%s%.*s", comma, (int)len - 2, at + 2);
			comma = ", ";
			at += len;
			at += *at ? 2 : 0;
		}
		puts(")");
	}
}

static const struct call_info *must_have(const char *name)
{
	const struct call_info *c = call_named(name);

	if (!c)
		die(EX_USE, "%.40s: no such system call: deny syscall '?' lists them",
		    name);
	return c;
}

static void functions(const char *name)
{
	struct call_function f[CALL_FUNCTIONS];
	int n = call_functions(must_have(name), f);

	for (int i = 0; i < n; i++)
		puts(f[i].name);
}

/* What a program on the entry `f` of the call `c` knows; see CALL_ENTRY_MARK. */
static __u64 entry_of(const struct call_info *c, const struct call_function *f)
{
	__u64 entry = call_number(c) | (__u64)f->same << 24;

	if (!f->i386)
		return entry;
	entry |= 1 << 16;
	for (int n = 0; n < call_arity(c); n++)
		if (call_argument(c, n) == 'l')
			entry |= 1 << (17 + n);
	return entry;
}

/* The entry by its function. Dies when no call has it. */
static __u64 entry_by(const char *function)
{
	struct call_function f[CALL_FUNCTIONS];

	for (const struct call_info *c = call_table; c->name; c++) {
		int n = call_named(c->name) == c ? call_functions(c, f) : 0;

		while (n-- > 0)
			if (!strcmp(f[n].name, function))
				return entry_of(c, &f[n]);
	}
	die(EX_USE, "%.60s: no entry of a system call", function);
}

static char *file_read(const char *name, size_t *size)
{
	FILE *f = fopen(name, "re");
	char *bytes = NULL;
	size_t n;

	*size = 0;
	if (!f)
		die(EX_FAILED, "%s: %s: run make first", name, strerror(errno));
	do {
		bytes = xrealloc(bytes, *size + 65536, 1);
		n = fread(bytes + *size, 1, 65536, f);
		*size += n;
	} while (n);
	if (ferror(f))
		die(EX_FAILED, "%s: %s", name, strerror(errno));
	fclose(f);
	return bytes;
}

/* Put `with` in the place of each `what`. Returns how many there were. */
static int replace(char *bytes, size_t size, const void *what, const void *with,
		   size_t len)
{
	char *at = bytes, *end = bytes + size;
	int n = 0;

	while ((at = memmem(at, end - at, what, len))) {
		memcpy(at, with, len);
		at += len;
		n++;
	}
	return n;
}

/* The instruction that loads 64 bits has them in two halves, four zeros between. */
static void halves(char at[12], __u64 word)
{
	__u32 low = word, high = word >> 32;

	memset(at, 0, 12);
	memcpy(at, &low, sizeof(low));
	memcpy(at + 8, &high, sizeof(high));
}

static void object(const char *file, const char *function)
{
	char name[sizeof(PLACEHOLDER)] = "", mark[12], entry[12];
	size_t size;
	char *bytes;

	halves(entry, entry_by(function));
	halves(mark, CALL_ENTRY_MARK);
	/* Both tables of names, of sections and of types, end a name at the first NUL. */
	strncpy(name, function, sizeof(name) - 1);
	bytes = file_read(file, &size);
	if (!replace(bytes, size, PLACEHOLDER, name, sizeof(name) - 1) ||
	    !replace(bytes, size, mark, entry, sizeof(mark)))
		die(EX_FAILED, "%s: not the object of a system call: run make", file);
	fwrite(bytes, 1, size, stdout);
	free(bytes);
}

int main(int argc, char **argv)
{
	verb = "deny";
	if (argc == 2 && !strcmp(argv[1], "list"))
		list();
	else if (argc > 2 && !strcmp(argv[1], "functions"))
		for (int i = 2; i < argc; i++)
			functions(argv[i]);
	else if (argc == 4 && !strcmp(argv[1], "object"))
		object(argv[2], argv[3]);
	else
		die(EX_USE,
		    "usage: call list | functions NAME... | object FILE FUNCTION");
	if (fflush(stdout) || ferror(stdout))
		die(EX_FAILED, "writing the output failed");
	return EX_DONE;
}

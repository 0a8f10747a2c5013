// SPDX-License-Identifier: GPL-2.0-only
/* calls.c: see calls.h. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include "calls.h"

#if defined(__aarch64__)
#define CALL(name, x86_64, i386, arm64, function, i386_function, same, arguments)      \
	{ #name, arm64, -1, function, "=", arguments, 6 },
#define NATIVE "arm64"
#else
#define CALL(name, x86_64, i386, arm64, function, i386_function, same, arguments)      \
	{ #name, x86_64, i386, function, i386_function, arguments, same },
#define NATIVE "x64"
#endif

const struct call_info call_table[] = {
#include "calls.tbl"
	{},
};

/* Is it of another machine? */
static bool foreign(const struct call_info *c)
{
	return c->native < 0 && (c->i386 < 0 || *c->function);
}

const struct call_info *call_named(const char *name)
{
	for (const struct call_info *c = call_table; c->name; c++)
		if (!foreign(c) && !strcmp(c->name, name))
			return c;
	return NULL;
}

__u32 call_number(const struct call_info *c)
{
	return c->native < 0 ? CALLS / 2 + c->i386 : c->native;
}

const struct call_info *call_numbered(__u32 number)
{
	for (const struct call_info *c = call_table; c->name; c++)
		if (!foreign(c) && call_number(c) == number)
			return c;
	return NULL;
}

char call_argument(const struct call_info *c, int n)
{
	const char *at = c->arguments;

	while (*at && n-- > 0) {
		at = strchr(at, ',');
		if (!at)
			return 0;
		at += 2;
	}
	return *at;
}

int call_arity(const struct call_info *c)
{
	int n = 0;

	while (call_argument(c, n))
		n++;
	return n;
}

int call_width(char letter)
{
	return letter == 'h' ? 16 : strchr("fiu", letter) ? 32 : 64;
}

static void add_function(struct call_function f[CALL_FUNCTIONS], int *n, bool i386,
			 int same, const char *prefix, const char *name)
{
	struct call_function *new = &f[*n];

	new->i386 = i386;
	new->same = same;
	snprintf(new->name, sizeof(new->name), "%s%s", prefix, name);
	for (int i = 0; i < *n; i++)
		if (!strcmp(f[i].name, new->name))
			return;
	++*n;
}

int call_functions(const struct call_info *c, struct call_function f[CALL_FUNCTIONS])
{
	int n = 0;

	if (*c->function)
		add_function(f, &n, false, 7, "__" NATIVE "_sys_", c->function);
#if defined(__aarch64__)
	if (*c->function)
		add_function(f, &n, true, 7, "__arm64_compat_sys_", c->function);
#else
	/* x32 has the 64-bit entry, but where it has one of its own. */
	if (*c->function) {
		add_function(f, &n, false, 7, "__x64_compat_sys_", c->function);
		add_function(f, &n, true, 7, "__ia32_sys_", c->function);
	}
	if (strcmp(c->function_i386, "=") && *c->function_i386)
		add_function(f, &n, true, *c->function ? c->same : 7, "__ia32_",
			     c->function_i386);
#endif
	return n;
}

/* Small numbers as such, flags and addresses in hexadecimal. */
static void print_value(FILE *to, __u64 value, int width, bool is_signed)
{
	__s64 s = width == 32 ? (__s32)value : (__s64)value;

	if (is_signed && s < 0)
		fprintf(to, "%lld", s);
	else
		fprintf(to, value < 0x10000 ? "%llu" : "0x%llx", value);
}

void print_call_test(FILE *to, const struct call_rule *c, int n)
{
	const struct call_info *info = call_numbered(c->call);
	char letter = info ? call_argument(info, n) : 0;
	bool is_signed = letter && strchr("fil", letter);
	int width = c->width[n];
	__u64 all = width == 64 ? ~0ull : (1ull << width) - 1;

	switch (c->test[n]) {
	case CALL_TEST_MASKED:
		if (c->a[n] != all)
			fprintf(to, "&0x%llx", c->a[n]);
		fputc('=', to);
		print_value(to, c->b[n], width, is_signed);
		break;
	case CALL_TEST_BITS: fprintf(to, "&0x%llx", c->a[n]); break;
	case CALL_TEST_RANGE:
		fputc('=', to);
		print_value(to, c->a[n], width, is_signed);
		fputs("..", to);
		print_value(to, (c->a[n] + c->b[n]) & all, width, is_signed);
		break;
	}
}

void print_call(FILE *to, const struct call_rule *c, const char *pattern,
		const char *object, size_t object_len)
{
	const struct call_info *info = call_numbered(c->call);

	if (info)
		fputs(info->name, to);
	else
		fprintf(to, "%u", c->call);
	for (int n = 0; n < CALL_ARGUMENTS; n++)
		if (c->test[n]) {
			fprintf(to, " --arg %d", n);
			print_call_test(to, c, n);
		}
	if (c->fd) {
		fputs(" --fd-of ", to);
		print_quoted(to, object, object_len);
	}
	if (c->path) {
		size_t len = c->pattern_len;
		bool whole = len && !pattern[len - 1];
		char *text = xcalloc(len + 2, 1);

		memcpy(text, pattern, len);
		if (whole)
			len--;
		else
			text[len++] = '*';
		fprintf(to, " --path-arg %d=", c->path - 1);
		print_quoted(to, text, len);
		free(text);
	}
}

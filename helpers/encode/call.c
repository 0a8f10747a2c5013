// SPDX-License-Identifier: GPL-2.0-only
/*
 * call.c: system calls as the operator names them, and what `calls` says of each;
 * see encode.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "encode.h"

/* --- what the operator says --- */

static struct {
	struct {
		int n;
		const char *text; /* behind the index: "=5", "&0x40", "=1..9" */
	} argument[CALL_ARGUMENTS];
	int arguments;
	const char *fd_of;
	int path; /* -1: none */
	const char *pattern;
} said = { .path = -1 };

void call_options_reset(void)
{
	memset(&said, 0, sizeof(said));
	said.path = -1;
}

bool call_said(void)
{
	return said.arguments || said.fd_of || said.path >= 0;
}

/* The index before `=` or `&`. The rest is left in *rest. */
static int parse_index(const char *option, const char *text, const char **rest)
{
	*rest = text + 1;
	if (*text < '0' || *text >= '0' + CALL_ARGUMENTS ||
	    (text[1] != '=' && text[1] != '&'))
		die(EX_USE,
		    "%s %s: want the number of an argument, 0 to %d, and a value",
		    option, shown(text, strlen(text)), CALL_ARGUMENTS - 1);
	return *text - '0';
}

void call_option_arg(const char *text)
{
	const char *rest;
	int n = parse_index("--arg", text, &rest);

	for (int i = 0; i < said.arguments; i++)
		if (said.argument[i].n == n)
			die(EX_USE, "--arg %d: given twice: make two rules", n);
	said.argument[said.arguments].n = n;
	said.argument[said.arguments++].text = rest;
}

void call_option_fd_of(const char *text)
{
	if (said.fd_of)
		die(EX_USE, "--fd-of: given twice: make two rules");
	said.fd_of = text;
}

void call_option_path_arg(const char *text)
{
	const char *rest;

	if (said.path >= 0)
		die(EX_USE, "--path-arg: given twice: make two rules");
	said.path = parse_index("--path-arg", text, &rest);
	if (*rest != '=' || !rest[1])
		die(EX_USE, "--path-arg %s: want N=PATH or N=PREFIX*",
		    shown(text, strlen(text)));
	said.pattern = rest + 1;
}

__u8 parse_signal(const char *text)
{
	const char *name = strncmp(text, "SIG", 3) ? text : text + 3;
	char *end;
	long n;

	for (int i = 1; i < SIGRTMIN; i++)
		if (sigabbrev_np(i) && !strcmp(sigabbrev_np(i), name))
			return i;
	n = strtol(text, &end, 10);
	if (*text < '1' || *text > '9' || *end || n > SIGRTMAX)
		die(EX_USE, "--signal %s: no such signal", shown(text, strlen(text)));
	return n;
}

__u16 parse_errno(const char *text)
{
	char *end;
	long n;

	for (int i = 1; i < 256; i++)
		if (strerrorname_np(i) && !strcmp(strerrorname_np(i), text))
			return i;
	n = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || n < 1 || n > 4095)
		die(EX_USE,
		    "--errno: %s: want a name as EACCES, or a number from 1 to 4095",
		    shown(text, strlen(text)));
	return n;
}

/* --- conditions --- */

static __u64 width_mask(int width)
{
	return width == 64 ? ~0ull : (1ull << width) - 1;
}

/* A number that fits into the argument. Ends where *end is left. */
static __u64 parse_value(int n, const char *text, int width, const char **end)
{
	bool negative = *text == '-';
	const char *digits = text + negative;
	unsigned long long value;
	char *stop;

	errno = 0;
	value = strtoull(digits, &stop, 0);
	*end = stop;
	if (*digits < '0' || *digits > '9' ||
	    (**end && strncmp(*end, "..", 2) && **end != '='))
		die(EX_USE, "--arg %d: %s: want a number", n,
		    shown(text, strlen(text)));
	/* -1 is as much in range of 32 bits as 4294967295 */
	if (errno || (value & ~width_mask(width)) ||
	    (negative && value > (width_mask(width) >> 1) + 1))
		die(EX_USE, "--arg %d: %s: out of range: the argument has %d bits", n,
		    shown(text, strlen(text)), width);
	return (negative ? -value : value) & width_mask(width);
}

/* One --arg. Returns whether it tells any calls apart. */
static bool condition(struct call_rule *c, int n, const char *text)
{
	int width = c->width[n];
	__u64 all = width_mask(width), high;
	const char *end;

	c->a[n] = parse_value(n, text + 1, width, &end);
	if (*text == '&') {
		if (!c->a[n])
			die(EX_USE, "--arg %d&0: no argument has one of no bits", n);
		c->test[n] = CALL_TEST_BITS;
		if (*end == '=') {
			c->test[n] = CALL_TEST_MASKED;
			c->b[n] = parse_value(n, end + 1, width, &end);
			if (c->b[n] & ~c->a[n])
				die(EX_USE,
				    "--arg %d%s: a bit of the value is not in the mask",
				    n, text);
		}
		if (*end)
			die(EX_USE, "--arg %d%s: want N&MASK or N&MASK=VALUE", n, text);
		return true;
	}
	if (!*end) {
		c->test[n] = CALL_TEST_MASKED;
		c->b[n] = c->a[n];
		c->a[n] = all;
		return true;
	}
	if (*end == '=')
		die(EX_USE, "--arg %d%s: want N=VALUE, N=LO..HI or N&MASK", n, text);
	high = parse_value(n, end + 2, width, &end);
	if (*end)
		die(EX_USE, "--arg %d%s: want N=LO..HI", n, text);
	/* -5..5 goes through 0, 5..-5 would go through all the others */
	if (text[1] == '-' ? ((high - c->a[n]) & all) > all >> 1 : high < c->a[n])
		die(EX_USE, "--arg %d%s: the first is the lower", n, text);
	c->test[n] = CALL_TEST_RANGE;
	c->b[n] = (high - c->a[n]) & all;
	return c->b[n] != all;
}

/* The bits that a range leaves alike in each of the two blocks it lies in. */
static __u64 range_mask(__u64 length, __u64 all)
{
	int k = length ? 64 - __builtin_clzll(length) : 0;

	return k == 64 ? 0 : all & ~((1ull << k) - 1);
}

/*
 * Choose the condition that is the rule's key: one that leaves the fewest others.
 * Equality before blocks of a range before single bits; several bits of which any
 * will do are no key, nor is a path.
 */
static void choose_key(struct object *o)
{
	const struct call_rule *c = o->call;
	int best = 0;

	o->kinds = KIND_BIT(KIND_CALL);
	o->dev = CALL_DEV(c->call, 0);
	memset(o->name, 0, sizeof(o->name));
	memset(o->fspath, 0, sizeof(o->fspath));
	for (int n = 0; n < CALL_ARGUMENTS; n++) {
		__u64 mask = 0, low = c->a[n], high = c->a[n] + c->b[n];
		int bits;

		if (c->test[n] == CALL_TEST_MASKED) {
			mask = c->a[n];
			low = high = c->b[n];
		} else if (c->test[n] == CALL_TEST_RANGE) {
			mask = range_mask(c->b[n], width_mask(c->width[n]));
		} else if (c->test[n] == CALL_TEST_BITS && !(c->a[n] & (c->a[n] - 1))) {
			mask = low = high = c->a[n];
		}
		bits = __builtin_popcountll(mask);
		if (bits <= best)
			continue;
		best = bits;
		o->dev = CALL_DEV(c->call, n);
		o->name[0] = mask;
		o->name[1] = low & mask;
		o->fspath[0] = high & mask;
	}
}

static void resolve_pattern(struct object *o, const struct call_info *info)
{
	size_t len = strlen(said.pattern);
	bool prefix = said.pattern[len - 1] == '*';
	struct call_rule *c = o->call;

	if (call_argument(info, said.path) != 's')
		die(EX_USE, "--path-arg %d: argument %d of %s is no path", said.path,
		    said.path, info->name);
	if (len > PATTERN_LIMIT - 1)
		die(EX_USE, "--path-arg %d: longer than %d bytes", said.path,
		    PATTERN_LIMIT - 1);
	c->path = 1 + said.path;
	/* With its NUL, unless it is the beginning only. */
	c->pattern_len = prefix ? len - 1 : len + 1;
	o->pattern = xcalloc(c->pattern_len + 1, 1);
	memcpy(o->pattern, said.pattern, prefix ? len - 1 : len);
}

static bool has_descriptor(const struct call_info *info)
{
	for (int n = 0; n < call_arity(info); n++)
		if (call_argument(info, n) == 'f')
			return true;
	return false;
}

/* Does the rule leave calls of that number alone? Else it is about all of them. */
static bool tells_apart(const struct object *o, bool arguments)
{
	static const char root[] = "/";
	size_t len = o->call->pattern_len;

	if (arguments || o->call->fd)
		return true;
	return o->call->path && len && (len > 1 || memcmp(o->pattern, root, 1));
}

const struct call_info *call_wanted(const char *word)
{
	const struct call_info *info = call_named(word);

	if (!info)
		die(EX_USE, "%s: no such system call: deny syscall '?' lists them",
		    shown(word, strlen(word)));
	return info;
}

const struct call_info *resolve_call(struct object *o, const char *word)
{
	const struct call_info *info = call_wanted(word);
	bool arguments = false;
	struct call_rule *c;
	int arity;

	arity = call_arity(info);
	for (int i = 0; i < said.arguments; i++)
		if (said.argument[i].n >= arity)
			die(EX_USE, "--arg %d: %s has %d arguments, counted from 0",
			    said.argument[i].n, word, arity);
	if (said.path >= arity)
		die(EX_USE, "--path-arg %d: %s has %d arguments, counted from 0",
		    said.path, word, arity);
	if (said.fd_of && !has_descriptor(info))
		die(EX_USE, "--fd-of: %s has no argument that is a descriptor", word);
	if (said.fd_of && said.path >= 0)
		die(EX_USE, "--fd-of and --path-arg: a rule can have one of them");
	memset(o, 0, sizeof(*o));
	if (said.fd_of)
		resolve(o, said.fd_of, false);
	c = o->call = xcalloc(1, sizeof(*c));
	c->call = call_number(info);
	c->fd = !!said.fd_of;
	for (int n = 0; n < arity; n++)
		c->width[n] = call_width(call_argument(info, n));
	for (int i = 0; i < said.arguments; i++)
		arguments |= condition(c, said.argument[i].n, said.argument[i].text);
	if (said.path >= 0)
		resolve_pattern(o, info);
	if (!c->fd) {
		choose_key(o);
		o->text = strdup("");
		if (!o->text)
			die(EX_FAILED, "out of memory");
	}
	o->whole_call = !tells_apart(o, arguments);
	return info;
}

size_t call_text_len(const struct object *o)
{
	return o->call ? sizeof(*o->call) + o->call->pattern_len : 0;
}

char *call_text(const struct object *o, __u32 id)
{
	char *text = xcalloc(call_text_len(o) + 1, 1);

	o->call->id = id;
	memcpy(text, o->call, sizeof(*o->call));
	if (o->call->pattern_len)
		memcpy(text + sizeof(*o->call), o->pattern, o->call->pattern_len);
	return text;
}

char *call_text_read(const struct rule *r)
{
	return text_read(r->id, TEXT_CALL, r->above_len);
}

bool same_call(const struct rule *r, const struct object *o)
{
	char *text, *mine;
	bool same;

	if (!(r->ops & OP_SYSCALL) || r->above_len != call_text_len(o))
		return false;
	text = call_text_read(r);
	mine = call_text(o, r->id);
	same = !memcmp(text, mine, call_text_len(o));
	free(text);
	free(mine);
	return same;
}

void report_call(FILE *to, const struct rule *r, const struct object *o,
		 const char *path, size_t len)
{
	char *text = o ? call_text(o, r->id) : call_text_read(r);

	print_call(to, (const struct call_rule *)text, text + sizeof(struct call_rule),
		   path, len);
	free(text);
}

/* --- the map `calls` --- */

static struct call_state now[CALLS], want[CALLS];
static bool known, touched[CALLS];

static void call_of(const void *key, const void *value, void *arg)
{
	(void)arg;
	memcpy(&now[*(const __u32 *)key], value, sizeof(now[0]));
}

static void calls_load(void)
{
	if (known)
		return;
	known = true;
	map_each(m.calls, sizeof(__u32), sizeof(struct call_state), CALLS, call_of,
		 NULL);
	memcpy(want, now, sizeof(want));
}

/* Find the place of a shape, or a free one. Neither before nor after may have it. */
static struct call_shape *shape(__u32 number, __u32 argument, __u64 mask)
{
	struct call_shape *s = want[number].shape, *free_one = NULL;

	for (int i = 0; i < CALL_SHAPES; i++) {
		if ((s[i].refs || now[number].shape[i].refs) && s[i].mask == mask &&
		    s[i].argument == argument)
			return &s[i];
		if (!free_one && !s[i].refs && !now[number].shape[i].refs)
			free_one = &s[i];
	}
	if (free_one) {
		free_one->mask = mask;
		free_one->argument = argument;
	}
	return free_one;
}

bool calls_count(const struct rule *r, const struct object *o, int by)
{
	struct call_rule *c;
	struct call_shape *s;
	char *text;
	__u32 n;

	if (!(r->ops & OP_SYSCALL))
		return true;
	calls_load();
	text = o ? call_text(o, r->id) : call_text_read(r);
	c = (struct call_rule *)text;
	n = c->call & (CALLS - 1);
	touched[n] = true;
	want[n].fd_refs += c->fd ? by : 0;
	want[n].path_refs += c->path ? by : 0;
	free(text);
	if (!(r->kinds & KIND_BIT(KIND_CALL)))
		return true;
	s = shape(n, r->dev >> 16, r->name[0]);
	if (s)
		s->refs += by;
	return s;
}

void calls_recount(void)
{
	calls_load();
	for (__u32 n = 0; n < CALLS; n++) {
		touched[n] = now[n].shapes || now[n].fd_refs;
		want[n].fd_refs = want[n].path_refs = 0;
		for (int i = 0; i < CALL_SHAPES; i++)
			want[n].shape[i].refs = 0;
	}
}

/* Set what programs look at from the counts. */
static void call_settle(struct call_state *c, __u32 number)
{
	const struct call_info *info = call_numbered(number);
	int fds = 0;

	c->shapes = 0;
	for (int i = 0; i < CALL_SHAPES; i++)
		if (c->shape[i].refs)
			c->shapes = i + 1;
	memset(c->fd, 0, sizeof(c->fd));
	for (int n = 0; c->fd_refs && info && n < call_arity(info); n++)
		if (call_argument(info, n) == 'f' && fds < CALL_FDS)
			c->fd[fds++] = n + 1;
}

void lines_calls(void)
{
	for (__u32 n = 0; n < CALLS; n++) {
		struct call_state during = want[n];

		if (!touched[n])
			continue;
		/* Rules that go are in force until the commit. */
		for (int i = 0; i < CALL_SHAPES; i++)
			if (now[n].shape[i].refs > during.shape[i].refs)
				during.shape[i] = now[n].shape[i];
		if (now[n].fd_refs > during.fd_refs)
			during.fd_refs = now[n].fd_refs;
		call_settle(&during, n);
		if (memcmp(&during, &now[n], sizeof(during)))
			line_update(PIN_MAPS "calls", &n, sizeof(n), &during,
				    sizeof(during));
		now[n] = during;
	}
}

void lines_calls_out(void)
{
	for (__u32 n = 0; n < CALLS; n++) {
		if (!touched[n])
			continue;
		call_settle(&want[n], n);
		if (memcmp(&want[n], &now[n], sizeof(want[n])))
			line_update(PIN_MAPS "calls", &n, sizeof(n), &want[n],
				    sizeof(want[n]));
	}
}

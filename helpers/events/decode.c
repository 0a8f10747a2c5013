// SPDX-License-Identifier: GPL-2.0-only
/*
 * decode.c: see events.h. The bytes may be anything: a record of another version, a
 * map that is none of ours. test/fuzz/events.c gives it such.
 */
#define _GNU_SOURCE
#include <string.h>
#include "events.h"

__s64 tai_offset;

const char *kind_name(const struct event *e)
{
	return e->r->kind == RECORD_RULE ? "rule" : record_kinds[e->r->kind];
}

static const struct {
	__u16 at, room;
} places[RECORD_STRINGS] = {
	[STRING_OBJECT] = { OBJECT_AT, OBJECT_ROOM },
	[STRING_EXE] = { EXE_AT, EXE_ROOM },
	[STRING_CWD] = { CWD_AT, CWD_ROOM },
	[STRING_PARENT] = { PARENT_AT, PARENT_ROOM },
	[STRING_ARGS] = { ARGS_AT, ARGS_ROOM },
};

/*
 * Write a path from its components, the last of which comes first and each of which
 * ends in a NUL. Needs `len` + 1 bytes. Returns the length.
 */
static size_t path_write(char *to, const char *parts, size_t len, bool rooted)
{
	size_t at = 0, end = len;

	while (end > 0) {
		size_t start = end - 1; /* the NUL, or what lacks one */

		while (start > 0 && parts[start - 1])
			start--;
		if (rooted || at)
			to[at++] = '/';
		for (size_t i = start; i < end && parts[i]; i++)
			to[at++] = parts[i];
		end = start;
	}
	if (!at && rooted)
		to[at++] = '/';
	return at;
}

const char *event_decode(struct event *e, const void *bytes, size_t len)
{
	const struct record *r = bytes;
	char *room = e->room;

	if (len != sizeof(*r))
		return "a record of another size";
	if (r->version != RECORD_VERSION)
		return "a record of another version";
	if (r->kind != RECORD_RULE &&
	    (r->kind >= RECORD_KINDS || !record_kinds[r->kind]))
		return "a record of an unknown kind";
	if (r->action > ACTION_KILL || r->backend > BACKEND_OF_OVERRIDE)
		return "an action or a backend that is none";
	e->r = r;
	e->sequence = r->stamp / 2;
	for (int i = 0; i < RECORD_STRINGS; i++) {
		struct string *s = &e->string[i];
		const char *text = r->text + places[i].at;

		if (r->len[i] > places[i].room)
			return "a string longer than its room";
		*s = (struct string){ .has = r->has >> i & 1,
				      .cut = r->cut >> i & 1,
				      .loose = r->loose >> i & 1,
				      .gone = r->gone >> i & 1 };
		if (!s->has)
			continue;
		s->s = i == STRING_ARGS ? text : room;
		if (i == STRING_ARGS)
			s->len = r->len[i];
		else
			s->len =
				path_write(room, text, r->len[i], !s->cut && !s->loose);
		room += i == STRING_ARGS ? 0 : s->len;
	}
	return NULL;
}

bool event_argument(const struct event *e, const char *after, struct string *argument)
{
	const struct string *all = &e->string[STRING_ARGS];
	const char *end, *s = all->s;

	if (!all->has)
		return false;
	end = all->s + all->len;
	if (after)
		s = after + strnlen(after, end - after) + 1;
	if (s >= end)
		return false;
	*argument = (struct string){ .s = s, .len = strnlen(s, end - s), .has = true };
	return true;
}

const char *event_op(const struct event *e)
{
	static char *text;
	static size_t size;
	static __u32 ops;
	FILE *f;

	if (e->r->kind != RECORD_RULE)
		return record_kinds[e->r->kind];
	for (size_t i = 0; i < op_names_count; i++)
		if (op_names[i].ops == e->r->ops)
			return op_names[i].name;
	if (text && ops == e->r->ops)
		return text;
	f = open_memstream(&text, &size);
	if (!f)
		die(EX_FAILED, "out of memory");
	print_ops(f, e->r->ops);
	fclose(f);
	ops = e->r->ops;
	return text;
}

bool event_is_call(const struct event *e)
{
	return e->r->kind == RECORD_RULE && e->r->ops & OP_SYSCALL;
}

const struct call_info *event_call(const struct event *e)
{
	return event_is_call(e) ? call_numbered(e->r->call) : NULL;
}

const char *event_action(const struct event *e)
{
	return e->r->kind == RECORD_RULE ? action_names[e->r->action] : "seen";
}

__u64 event_time(const struct event *e)
{
	return e->r->tai - (__u64)tai_offset * NS;
}

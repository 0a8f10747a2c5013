// SPDX-License-Identifier: GPL-2.0-only
/* show.c: see events.h. A full ring has 65,536 events: numbers are printed by hand. */
#define _GNU_SOURCE
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "events.h"

bool show_colour;

void put_text(FILE *to, const char *s)
{
	fputs_unlocked(s, to);
}

void put_number(FILE *to, __u64 n)
{
	char text[20], *at = text + sizeof(text);

	do
		*--at = '0' + n % 10;
	while (n /= 10);
	fwrite_unlocked(at, 1, text + sizeof(text) - at, to);
}

void put_signed(FILE *to, __s64 n)
{
	if (n < 0)
		putc_unlocked('-', to);
	put_number(to, n < 0 ? -(__u64)n : (__u64)n);
}

void put_json(FILE *to, const char *comma, const char *key, const char *s, size_t len)
{
	put_text(to, comma);
	putc_unlocked('"', to);
	put_text(to, key);
	put_text(to, "\":");
	if (print_json(to, s, len))
		return;
	put_text(to, ",\"");
	put_text(to, key);
	put_text(to, "_hex\":\"");
	for (size_t i = 0; i < len; i++)
		fprintf(to, "%02x", (unsigned char)s[i]);
	putc_unlocked('"', to);
}

/* `digits` of n, with zeros before it. */
static void put_digits(FILE *to, __u32 n, int digits)
{
	char text[10];

	for (int i = digits; i-- > 0; n /= 10)
		text[i] = '0' + n % 10;
	fwrite_unlocked(text, 1, digits, to);
}

void put_time(FILE *to, __u64 ns)
{
	static time_t last = -1;
	static char text[32];
	time_t s = ns / NS;
	struct tm tm;

	if (s != last) {
		gmtime_r(&s, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.", &tm);
		last = s;
	}
	put_text(to, text);
	put_digits(to, ns % NS, 9);
	putc_unlocked('Z', to);
}

/* The time of day where the reader is. */
static void put_local_time(FILE *to, __u64 ns)
{
	static time_t last = -1;
	static char text[32];
	time_t s = ns / NS;
	struct tm tm;

	if (s != last) {
		localtime_r(&s, &tm);
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S.", &tm);
		last = s;
	}
	put_text(to, text);
	put_digits(to, ns % NS / 1000000, 3);
}

/*
 * From /etc/passwd alone: a helper is static, and asking a directory server for
 * each line would be slow. Read once.
 */
const char *user_name(__u32 uid)
{
	static struct user {
		__u32 uid;
		char name[33];
	} * users;
	static size_t count;
	static bool read;
	static char number[16];

	if (!read) {
		FILE *f = fopen("/etc/passwd", "re");
		struct passwd *p;

		read = true;
		while (f && (p = fgetpwent(f))) {
			users = xrealloc(users, count + 1, sizeof(*users));
			users[count].uid = p->pw_uid;
			snprintf(users[count].name, sizeof(users->name), "%s",
				 p->pw_name);
			count++;
		}
		if (f)
			fclose(f);
	}
	for (size_t i = 0; i < count; i++)
		if (users[i].uid == uid)
			return users[i].name;
	snprintf(number, sizeof(number), "%u", uid);
	return number;
}

/* --- for a person --- */

static void put_padded(FILE *to, const char *s, int width)
{
	put_text(to, s);
	for (int n = strlen(s); n < width; n++)
		putc_unlocked(' ', to);
	putc_unlocked(' ', to);
}

static void put_path(FILE *to, const struct string *s)
{
	if (!s->has) {
		putc_unlocked('?', to);
		return;
	}
	if (s->cut)
		put_text(to, ".../");
	if (s->len)
		print_quoted(to, s->s, s->len);
	if (s->gone)
		put_text(to, " (deleted)");
}

/* What the program is called, when its path is not known. */
static void put_program(FILE *to, const struct event *e)
{
	const struct string *exe = &e->string[STRING_EXE];

	if (exe->has)
		put_path(to, exe);
	else
		print_quoted(to, e->r->comm, strnlen(e->r->comm, sizeof(e->r->comm)));
}

static const char *colour_of(const struct event *e)
{
	static const char *const colours[4] = { [ACTION_NONE] = "",
						[ACTION_AUDIT] = "\033[36m",
						[ACTION_DENY] = "\033[33m",
						[ACTION_KILL] = "\033[31m" };

	if (!show_colour)
		return "";
	return e->r->kind == RECORD_RULE ? colours[e->r->action] : "\033[2m";
}

static void put_exit(FILE *to, __s32 status)
{
	if (status & 0x7f) {
		put_text(to, "signal ");
		put_number(to, status & 0x7f);
	} else {
		put_text(to, "status ");
		put_number(to, status >> 8 & 0xff);
	}
}

static void put_call(FILE *to, const struct event *e)
{
	const struct call_info *call = event_call(e);

	if (call) {
		put_text(to, call->name);
	} else {
		put_text(to, "call ");
		put_number(to, e->r->call);
	}
	if (e->r->flags & RECORD_COMPAT)
		put_text(to, " (32-bit)");
}

/*
 * TIME ACTION OP PROGRAM[PID] USER OBJECT ARGUMENTS RULE. Only what comes before
 * the program has columns: paths are of any length.
 */
void show_person(FILE *to, const struct event *e)
{
	const struct record *r = e->r;
	const char *colour = colour_of(e);
	struct string argument = {};
	bool first = true;

	put_local_time(to, event_time(e));
	putc_unlocked(' ', to);
	put_text(to, colour);
	put_padded(to, event_action(e), 5);
	if (*colour)
		put_text(to, "\033[0m");
	put_padded(to, event_op(e), 7);
	put_program(to, e);
	putc_unlocked('[', to);
	put_number(to, r->pid);
	put_text(to, "] ");
	put_text(to, user_name(r->euid));
	if (r->kind == RECORD_EXIT) {
		putc_unlocked(' ', to);
		put_exit(to, r->ret);
	} else if (event_is_call(e)) {
		putc_unlocked(' ', to);
		put_call(to, e);
	} else {
		putc_unlocked(' ', to);
		put_path(to, &e->string[STRING_OBJECT]);
	}
	/* Of an exec: what it was called with, its own name apart. */
	while ((r->kind == RECORD_EXEC || r->ops & OP_EXEC) &&
	       event_argument(e, argument.s, &argument)) {
		if (!first) {
			putc_unlocked(' ', to);
			print_quoted(to, argument.s, argument.len);
		}
		first = false;
	}
	if (e->string[STRING_ARGS].cut && !first)
		put_text(to, " ...");
	if (r->kind == RECORD_RULE) {
		put_text(to, " (rule ");
		put_number(to, r->rule);
		if (r->suppressed) {
			put_text(to, ", ");
			put_number(to, r->suppressed);
			put_text(to, " more before");
		}
		if (r->signal && r->signal_result)
			put_text(to, ", not killed");
		putc_unlocked(')', to);
	}
	putc_unlocked('\n', to);
}

void lost_person(FILE *to, enum cotter_ring ring, __u64 lost, __u64 before)
{
	(void)before;
	fprintf(to, "-- %llu %s lost --\n", lost,
		ring == RING_RULES ? "events" : "observed events");
}

/* --- as JSON --- */

static void put_member(FILE *to, const char *key, __u64 n)
{
	put_text(to, ",\"");
	put_text(to, key);
	put_text(to, "\":");
	put_number(to, n);
}

static void put_member_string(FILE *to, const char *comma, const char *key,
			      const struct string *s)
{
	if (s->has) {
		put_json(to, comma, key, s->s, s->len);
		return;
	}
	put_text(to, comma);
	putc_unlocked('"', to);
	put_text(to, key);
	put_text(to, "\":null");
}

/* The names of the strings that have a flag. */
static void put_flagged(FILE *to, const char *key, __u8 set)
{
	static const char *const names[RECORD_STRINGS] = { [STRING_OBJECT] = "object",
							   [STRING_EXE] = "exe",
							   [STRING_CWD] = "cwd",
							   [STRING_PARENT] = "parent",
							   [STRING_ARGS] = "args" };
	const char *comma = "";

	put_text(to, ",\"");
	put_text(to, key);
	put_text(to, "\":[");
	for (int i = 0; i < RECORD_STRINGS; i++)
		if (set >> i & 1) {
			put_text(to, comma);
			putc_unlocked('"', to);
			put_text(to, names[i]);
			putc_unlocked('"', to);
			comma = ",";
		}
	putc_unlocked(']', to);
}

static void put_head(FILE *to, const char *kind, enum cotter_ring ring)
{
	put_text(to, "{\"version\":");
	put_number(to, RECORD_VERSION);
	put_text(to, ",\"kind\":\"");
	put_text(to, kind);
	put_text(to, "\",\"ring\":\"");
	put_text(to, ring == RING_RULES ? "rules" : "observed");
	putc_unlocked('"', to);
}

static void put_verdict(FILE *to, const struct event *e)
{
	const struct record *r = e->r;

	put_member(to, "rule", r->rule);
	put_text(to, ",\"identity\":\"");
	put_text(to, r->identity < KINDS && identity_names[r->identity]
			     ? identity_names[r->identity]
			     : "unknown");
	put_text(to, "\",\"return\":");
	put_signed(to, r->ret);
	if (r->signal) {
		put_member(to, "signal", r->signal);
		put_text(to, ",\"signal_sent\":");
		put_text(to, r->signal_result ? "false" : "true");
	} else {
		put_text(to, ",\"signal\":null,\"signal_sent\":null");
	}
	put_member(to, "suppressed", r->suppressed);
}

static void put_process(FILE *to, const struct event *e)
{
	const struct record *r = e->r;
	const struct string *args = &e->string[STRING_ARGS];
	const char *comma = "";
	struct string argument = {};
	bool valid = true;

	put_text(to, ",\"process\":{\"pid\":");
	put_number(to, r->pid);
	put_member(to, "tid", r->tid);
	put_member(to, "start_ns", r->start);
	put_member(to, "uid", r->uid);
	put_member(to, "euid", r->euid);
	put_member(to, "gid", r->gid);
	put_member(to, "egid", r->egid);
	if (r->login_uid == NO_ID)
		put_text(to, ",\"login_uid\":null");
	else
		put_member(to, "login_uid", r->login_uid);
	put_json(to, ",", "comm", r->comm, strnlen(r->comm, sizeof(r->comm)));
	put_member_string(to, ",", "exe", &e->string[STRING_EXE]);
	put_member_string(to, ",", "cwd", &e->string[STRING_CWD]);
	put_text(to, ",\"args\":[");
	while (event_argument(e, argument.s, &argument)) {
		put_text(to, comma);
		valid &= print_json(to, argument.s, argument.len);
		comma = ",";
	}
	putc_unlocked(']', to);
	if (!valid) {
		put_text(to, ",\"args_hex\":\"");
		for (size_t i = 0; i < args->len; i++)
			fprintf(to, "%02x", (unsigned char)args->s[i]);
		putc_unlocked('"', to);
	}
	put_text(to, ",\"args_claimed\":");
	put_text(to, r->flags & RECORD_CLAIMED ? "true" : "false");
	put_member(to, "cgroup", r->cgroup);
	put_member(to, "pid_ns", r->pid_ns);
	put_member(to, "mnt_ns", r->mnt_ns);
	put_text(to, ",\"parent\":{\"pid\":");
	put_number(to, r->ppid);
	put_member(to, "start_ns", r->parent_start);
	put_member_string(to, ",", "exe", &e->string[STRING_PARENT]);
	put_text(to, "}}");
}

/* Numbers as the caller's entry has them: of 32-bit code its own. */
static void put_call_json(FILE *to, const struct event *e)
{
	const struct call_info *call = event_call(e);
	int number = !call			   ? -1
		     : e->r->flags & RECORD_COMPAT ? call->i386
						   : call->native;

	put_text(to, ",\"call\":{\"name\":");
	if (call)
		print_json(to, call->name, strlen(call->name));
	else
		put_text(to, "null");
	put_text(to, ",\"number\":");
	if (number >= 0)
		put_number(to, number);
	else
		put_text(to, "null");
}

void show_json(FILE *to, const struct event *e)
{
	static const char *const backends[] = { [BACKEND_OF_LSM] = "lsm",
						[BACKEND_OF_FMOD_RET] = "fmod_ret",
						[BACKEND_OF_KILL] = "kill",
						[BACKEND_OF_OVERRIDE] = "override" };
	const struct record *r = e->r;
	const char *comma = "";

	put_head(to, kind_name(e), e->ring);
	put_member(to, "sequence", e->sequence);
	put_text(to, ",\"time\":\"");
	put_time(to, event_time(e));
	putc_unlocked('"', to);
	put_member(to, "boot_ns", r->boot);
	put_text(to, ",\"op\":[");
	if (r->kind != RECORD_RULE) {
		putc_unlocked('"', to);
		put_text(to, kind_name(e));
		putc_unlocked('"', to);
	}
	for (size_t i = 0; i < op_names_count && r->kind == RECORD_RULE; i++)
		if (r->ops & op_names[i].ops) {
			put_text(to, comma);
			putc_unlocked('"', to);
			put_text(to, op_names[i].name);
			putc_unlocked('"', to);
			comma = ",";
		}
	put_text(to, "],\"action\":\"");
	put_text(to, event_action(e));
	put_text(to, "\",\"backend\":\"");
	put_text(to, backends[r->backend]);
	putc_unlocked('"', to);
	if (r->kind == RECORD_RULE)
		put_verdict(to, e);
	if (r->kind == RECORD_EXIT) {
		put_member(to, "exit_code", r->ret >> 8 & 0xff);
		put_member(to, "exit_signal", r->ret & 0x7f);
	}
	put_process(to, e);
	if (event_is_call(e)) {
		put_call_json(to, e);
		put_text(to, r->flags & RECORD_COMPAT ? ",\"compat\":true}"
						      : ",\"compat\":false}");
	} else if (e->string[STRING_OBJECT].has || r->ino) {
		put_member_string(to, ",\"object\":{", "path",
				  &e->string[STRING_OBJECT]);
		put_text(to, ",\"dev\":\"");
		put_number(to, r->dev >> 20);
		putc_unlocked(':', to);
		put_number(to, r->dev & 0xfffff);
		putc_unlocked('"', to);
		put_member(to, "ino", r->ino);
		put_member(to, "mode", r->mode);
		putc_unlocked('}', to);
	}
	put_flagged(to, "cut", r->cut);
	put_flagged(to, "loose", r->loose);
	put_flagged(to, "gone", r->gone);
	put_text(to, "}\n");
}

void lost_json(FILE *to, enum cotter_ring ring, __u64 lost, __u64 before)
{
	put_head(to, "lost", ring);
	put_member(to, "count", lost);
	put_member(to, "before", before);
	put_text(to, "}\n");
}

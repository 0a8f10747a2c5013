// SPDX-License-Identifier: GPL-2.0-only
/*
 * foreign.c: events in the shapes that other tools' users have scripts for. See events.h.
 *
 * Tetragon: process_exec, process_exit and, for all else, process_lsm (where a
 * security hook acted) or process_kprobe, with process, parent, function_name, args,
 * action. ECS: fields of the Elastic Common Schema 8.11.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "events.h"

static const char *host_name(void)
{
	static char name[256];

	if (!*name && (gethostname(name, sizeof(name) - 1) || !*name))
		strcpy(name, "localhost");
	return name;
}

static void put_key(FILE *to, const char *comma, const char *key)
{
	put_text(to, comma);
	putc_unlocked('"', to);
	put_text(to, key);
	put_text(to, "\":");
}

/* A text without the `_hex` beside it, which these schemas do not have. */
static void put_plain(FILE *to, const char *comma, const char *key, const char *s,
		      size_t len)
{
	put_key(to, comma, key);
	print_json(to, s, len);
}

static void put_word(FILE *to, const char *comma, const char *key, const char *s)
{
	put_plain(to, comma, key, s, strlen(s));
}

static void put_count(FILE *to, const char *comma, const char *key, __u64 n)
{
	put_key(to, comma, key);
	put_number(to, n);
}

static void put_when(FILE *to, const char *comma, const char *key, __u64 ns)
{
	put_key(to, comma, key);
	putc_unlocked('"', to);
	put_time(to, ns);
	putc_unlocked('"', to);
}

/* Wall time of a moment that is known in CLOCK_BOOTTIME: the same in each event. */
static __u64 wall_of(__u64 boot)
{
	static __u64 booted; /* CLOCK_REALTIME, ns */
	struct timespec real, since;

	if (!booted) {
		clock_gettime(CLOCK_REALTIME, &real);
		clock_gettime(CLOCK_BOOTTIME, &since);
		booted = real.tv_sec * NS + real.tv_nsec - since.tv_sec * NS -
			 since.tv_nsec;
	}
	return booted + boot;
}

/* All arguments but the first as one text, as a shell would read them. */
static void put_arguments(FILE *to, const char *comma, const char *key,
			  const struct event *e)
{
	struct string argument = {};
	char *text = NULL;
	size_t size = 0;
	bool first = true;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		die(EX_FAILED, "out of memory");
	for (int n = 0; event_argument(e, argument.s, &argument); n++) {
		if (!n)
			continue;
		if (!first)
			fputc(' ', f);
		first = false;
		/* Tetragon: in double quotes when there is a blank in it. */
		if (memchr(argument.s, ' ', argument.len))
			fprintf(f, "\"%.*s\"", (int)argument.len, argument.s);
		else
			fwrite(argument.s, 1, argument.len, f);
	}
	fclose(f);
	put_plain(to, comma, key, text, size);
	free(text);
}

/* --- Tetragon --- */

static void put_base64(FILE *to, const char *s, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		__u32 n = (unsigned char)s[i] << 16;

		if (i + 1 < len)
			n |= (unsigned char)s[i + 1] << 8;
		if (i + 2 < len)
			n |= (unsigned char)s[i + 2];
		putc_unlocked(digits[n >> 18], to);
		putc_unlocked(digits[n >> 12 & 63], to);
		putc_unlocked(i + 1 < len ? digits[n >> 6 & 63] : '=', to);
		putc_unlocked(i + 2 < len ? digits[n & 63] : '=', to);
	}
}

/* base64 of "node:start:pid": the same for all events of a process. */
static void put_exec_id(FILE *to, const char *comma, const char *key, __u64 start,
			__u32 pid)
{
	char text[320];
	int n = snprintf(text, sizeof(text), "%s:%llu:%u", host_name(), start, pid);

	put_key(to, comma, key);
	putc_unlocked('"', to);
	put_base64(to, text, n);
	putc_unlocked('"', to);
}

static void put_string_or_empty(FILE *to, const char *comma, const char *key,
				const struct string *s)
{
	put_plain(to, comma, key, s->has ? s->s : "", s->has ? s->len : 0);
}

static void put_tetragon_process(FILE *to, const struct event *e)
{
	const struct record *r = e->r;

	put_exec_id(to, "\"process\":{", "exec_id", r->start, r->pid);
	put_count(to, ",", "pid", r->pid);
	put_count(to, ",", "uid", r->euid);
	put_string_or_empty(to, ",", "cwd", &e->string[STRING_CWD]);
	put_string_or_empty(to, ",", "binary", &e->string[STRING_EXE]);
	put_arguments(to, ",", "arguments", e);
	put_word(to, ",", "flags", r->kind == RECORD_EXEC ? "execve clone" : "execve");
	put_when(to, ",", "start_time", wall_of(r->start));
	put_count(to, ",", "auid", r->login_uid);
	put_exec_id(to, ",", "parent_exec_id", r->parent_start, r->ppid);
	put_count(to, ",", "tid", r->tid);
	put_exec_id(to, "},\"parent\":{", "exec_id", r->parent_start, r->ppid);
	put_count(to, ",", "pid", r->ppid);
	put_string_or_empty(to, ",", "binary", &e->string[STRING_PARENT]);
	put_when(to, ",", "start_time", wall_of(r->parent_start));
	putc_unlocked('}', to);
}

/* The kernel's function that a system call was entered by. */
static const char *entry_of(const struct event *e)
{
	static struct call_function f[CALL_FUNCTIONS];
	const struct call_info *call = event_call(e);
	int n = call ? call_functions(call, f) : 0;

	for (int i = 0; i < n; i++)
		if (f[i].i386 == !!(e->r->flags & RECORD_COMPAT))
			return f[i].name;
	return "";
}

/* The hook that stands for an operation: what Tetragon's users filter by. */
static const char *hook_of(const struct event *e)
{
	static const struct {
		__u32 ops;
		const char *hook;
	} hooks[] = {
		{ OP_EXEC, "bprm_check_security" }, { OP_READ, "file_permission" },
		{ OP_WRITE, "file_permission" },    { OP_CREATE, "inode_create" },
		{ OP_DELETE, "inode_unlink" },	    { OP_RENAME, "inode_rename" },
		{ OP_LINK, "inode_link" },	    { OP_SETATTR, "inode_setattr" }
	};
	static const char *const observed[RECORD_KINDS] = {
		[RECORD_OPEN] = "security_file_open",
		[RECORD_CREATE] = "security_inode_create",
		[RECORD_DELETE] = "security_inode_unlink",
		[RECORD_RENAME] = "security_inode_rename"
	};

	if (e->r->kind != RECORD_RULE)
		return observed[e->r->kind] ? observed[e->r->kind] : "";
	if (event_is_call(e))
		return entry_of(e);
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (e->r->ops & hooks[i].ops)
			return hooks[i].hook;
	return "";
}

/* The number as the caller's code has it, and whose. */
static void put_syscall_id(FILE *to, const struct event *e)
{
	const struct call_info *call = event_call(e);
	bool compat = e->r->flags & RECORD_COMPAT;
	int number = !call ? -1 : compat ? call->i386 : call->native;

	put_count(to, "{\"syscall_id\":{", "id",
		  number < 0 ? e->r->call : (__u32)number);
	put_word(to, ",", "abi", compat ? "i386" : "x64");
	put_text(to, "}}");
}

static void put_permission(FILE *to, __u32 mode)
{
	static const char types[16] = "?pc?d?b?-?l?s???";
	char text[11] = "-rwxrwxrwx";

	text[0] = types[mode >> 12 & 15];
	for (int i = 0; i < 9; i++)
		if (!(mode & (0400 >> i)))
			text[1 + i] = '-';
	put_word(to, ",", "permission", text);
}

static void put_tetragon_call(FILE *to, const struct event *e)
{
	static const char *const actions[4] = { [ACTION_AUDIT] = "KPROBE_ACTION_POST",
						[ACTION_DENY] =
							"KPROBE_ACTION_OVERRIDE",
						[ACTION_KILL] =
							"KPROBE_ACTION_SIGKILL" };
	const struct record *r = e->r;
	char policy[32];

	put_word(to, ",", "function_name", hook_of(e));
	put_text(to, ",\"args\":[");
	if (event_is_call(e)) {
		put_syscall_id(to, e);
	} else if (e->string[STRING_OBJECT].has) {
		put_text(to, r->ops & OP_EXEC ? "{\"linux_binprm_arg\":{"
					      : "{\"file_arg\":{");
		put_string_or_empty(to, "", "path", &e->string[STRING_OBJECT]);
		put_permission(to, r->mode);
		put_text(to, "}}");
	}
	put_text(to, "]");
	if (r->kind != RECORD_RULE) {
		put_word(to, ",", "action", "KPROBE_ACTION_POST");
		return;
	}
	put_word(to, ",", "action", actions[r->action] ? actions[r->action] : "");
	snprintf(policy, sizeof(policy), "cotter-rule-%u", r->rule);
	put_word(to, ",", "policy_name", policy);
}

void show_tetragon(FILE *to, const struct event *e)
{
	const struct record *r = e->r;
	const char *type = "process_kprobe";

	if (r->kind == RECORD_EXEC)
		type = "process_exec";
	else if (r->kind == RECORD_EXIT)
		type = "process_exit";
	else if (r->kind == RECORD_RULE && r->backend != BACKEND_OF_KILL)
		type = "process_lsm";
	put_key(to, "{", type);
	putc_unlocked('{', to);
	put_tetragon_process(to, e);
	if (r->kind == RECORD_EXIT) {
		if (r->ret & 0x7f) {
			const char *name = sigabbrev_np(r->ret & 0x7f);
			char signal[32];

			snprintf(signal, sizeof(signal), "SIG%s", name ? name : "");
			put_word(to, ",", "signal", signal);
		} else {
			put_count(to, ",", "status", r->ret >> 8 & 0xff);
		}
		put_when(to, ",", "time", event_time(e));
	} else if (r->kind != RECORD_EXEC) {
		put_tetragon_call(to, e);
	}
	put_word(to, "},", "node_name", host_name());
	put_when(to, ",", "time", event_time(e));
	put_text(to, "}\n");
}

/* --- the Elastic Common Schema --- */

static void put_ecs_event(FILE *to, const struct event *e)
{
	const struct record *r = e->r;
	bool process = r->kind == RECORD_EXEC || r->kind == RECORD_EXIT ||
		       (r->kind == RECORD_RULE && r->ops & OP_EXEC);
	static const char *const types[RECORD_KINDS] = {
		[RECORD_EXEC] = "start",      [RECORD_EXIT] = "end",
		[RECORD_OPEN] = "access",     [RECORD_CREATE] = "creation",
		[RECORD_DELETE] = "deletion", [RECORD_RENAME] = "change",
	};
	bool denied = r->kind == RECORD_RULE && r->action != ACTION_AUDIT;

	put_word(to, ",\"event\":{", "kind", denied ? "alert" : "event");
	put_text(to,
		 process ? ",\"category\":[\"process\"]" : ",\"category\":[\"file\"]");
	put_text(to, ",\"type\":[");
	if (r->kind != RECORD_RULE)
		print_json(to, types[r->kind], strlen(types[r->kind]));
	else
		put_text(to, denied ? "\"denied\"" : "\"allowed\"");
	put_text(to, "]");
	put_word(to, ",", "action", event_op(e));
	put_word(to, ",", "outcome",
		 denied && r->backend != BACKEND_OF_KILL ? "failure" : "success");
	put_word(to, ",", "provider", "cotter");
	put_word(to, ",", "module", "cotter");
	put_count(to, ",", "sequence", e->sequence);
	putc_unlocked('}', to);
}

static void put_ecs_process(FILE *to, const struct event *e)
{
	const struct record *r = e->r;
	const struct string *exe = &e->string[STRING_EXE];
	const char *comma = "";
	struct string argument = {};
	int n = 0;

	put_count(to, ",\"process\":{", "pid", r->pid);
	put_exec_id(to, ",", "entity_id", r->start, r->pid);
	put_count(to, ",\"thread\":{", "id", r->tid);
	putc_unlocked('}', to);
	put_plain(to, ",", "name", r->comm, strnlen(r->comm, sizeof(r->comm)));
	if (exe->has)
		put_plain(to, ",", "executable", exe->s, exe->len);
	if (e->string[STRING_CWD].has)
		put_plain(to, ",", "working_directory", e->string[STRING_CWD].s,
			  e->string[STRING_CWD].len);
	put_text(to, ",\"args\":[");
	for (; event_argument(e, argument.s, &argument); n++) {
		put_text(to, comma);
		print_json(to, argument.s, argument.len);
		comma = ",";
	}
	put_count(to, "],", "args_count", n);
	put_when(to, ",", "start", wall_of(r->start));
	if (r->kind == RECORD_EXIT) {
		/* As a shell has it. */
		put_count(to, ",", "exit_code",
			  r->ret & 0x7f ? 128 + (r->ret & 0x7f) : r->ret >> 8 & 0xff);
		put_when(to, ",", "end", event_time(e));
	}
	put_count(to, ",\"parent\":{", "pid", r->ppid);
	put_exec_id(to, ",", "entity_id", r->parent_start, r->ppid);
	if (e->string[STRING_PARENT].has)
		put_plain(to, ",", "executable", e->string[STRING_PARENT].s,
			  e->string[STRING_PARENT].len);
	put_text(to, "}}");
}

static void put_ecs_file(FILE *to, const struct event *e)
{
	const struct string *path = &e->string[STRING_OBJECT];
	const char *slash = memrchr(path->s, '/', path->len);
	const char *name = slash ? slash + 1 : path->s;
	char text[24];

	put_plain(to, ",\"file\":{", "path", path->s, path->len);
	put_plain(to, ",", "name", name, path->s + path->len - name);
	if (slash)
		put_plain(to, ",", "directory", path->s,
			  slash == path->s ? 1 : slash - path->s);
	snprintf(text, sizeof(text), "%llu", e->r->ino);
	put_word(to, ",", "inode", text);
	snprintf(text, sizeof(text), "%04o", e->r->mode & 07777);
	put_word(to, ",", "mode", text);
	putc_unlocked('}', to);
}

void show_ecs(FILE *to, const struct event *e)
{
	const struct record *r = e->r;
	char text[24];

	put_when(to, "{", "@timestamp", event_time(e));
	put_word(to, ",\"ecs\":{", "version", "8.11.0");
	putc_unlocked('}', to);
	put_word(to, ",\"host\":{", "hostname", host_name());
	putc_unlocked('}', to);
	put_ecs_event(to, e);
	put_ecs_process(to, e);
	snprintf(text, sizeof(text), "%u", r->uid);
	put_word(to, ",\"user\":{", "id", text);
	snprintf(text, sizeof(text), "%u", r->euid);
	put_word(to, ",\"effective\":{", "id", text);
	put_text(to, "}}");
	if (e->string[STRING_OBJECT].has)
		put_ecs_file(to, e);
	if (r->kind == RECORD_RULE) {
		snprintf(text, sizeof(text), "%u", r->rule);
		put_word(to, ",\"rule\":{", "id", text);
		put_word(to, ",", "category", event_action(e));
		putc_unlocked('}', to);
	}
	put_text(to, "}\n");
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain: what would happen, and why. The kernel is asked: the program `explain`
 * runs the decision of the hooks on the maps as they are.
 *
 *   explain [--ops OP,...] [--exe PATH | --pid N] [--uid N] [--json]
 *           [--layer first|second|none] [--backend B] -- OBJECT
 *
 * The subject is a process of user N (this one's, if not said) that counts as the
 * program PATH, or as what the process N counts as, else as none. --layer: which
 * one acts on these operations, as the script found.
 *
 * Status: 0 allowed, 1 denied; 2 usage, 3 not loaded, 4 permission, 5 it cannot
 * be told.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/securebits.h>
#include "encode/encode.h"

struct maps m;
struct state next;
FILE *report;
bool offline;

enum { ALLOWED = 0, DENIED = 1, UNKNOWN = EX_CANNOT };

enum layer { LAYER_FIRST, LAYER_SECOND, LAYER_NONE };

static struct {
	__u32 ops;
	const char *exe, *word, *backend;
	__u32 uid, pid;
	bool json;
	enum layer layer;
} opt = { .ops = OP_EXEC, .uid = NO_ID, .backend = "lsm" };

static void __attribute__((format(printf, 1, 2), noreturn))
unknown(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	die(UNKNOWN, "%s", text);
}

/* A number of /proc/N/status: the `column`th behind `name`. */
static __u32 status_number(__u32 pid, const char *name, int column)
{
	char path[64], line[256];
	__u32 n = NO_ID;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	f = fopen(path, "re");
	if (!f)
		unknown("--pid %u: no such process", pid);
	while (fgets(line, sizeof(line), f)) {
		char *at = line + strlen(name);

		if (strncmp(line, name, strlen(name)) || *at != ':')
			continue;
		at++;
		for (int i = 0; i <= column; i++)
			n = strtoul(at, &at, 10);
		break;
	}
	fclose(f);
	if (n == NO_ID)
		unknown("--pid %u: /proc tells no %s of it", pid, name);
	return n;
}

/*
 * Labels of a process. A task storage map is read by a descriptor of the process,
 * whose thread is the leader: as the hooks do for threads without labels.
 */
static __u64 labels_of_pid(__u32 pid)
{
	int tasks = pin_open("maps/tasks"), fd;
	struct task_labels labels = {};

	if (status_number(pid, "Tgid", 0) != pid)
		unknown("--pid %u: a thread: name its process", pid);
	fd = syscall(SYS_pidfd_open, pid, 0);
	if (tasks < 0 || fd < 0)
		unknown("--pid %u: %s", pid, strerror(errno));
	if (map_lookup(tasks, &fd, &labels) && errno != ENOENT)
		unknown("--pid %u: its labels cannot be read: %s", pid,
			strerror(errno));
	close(fd);
	close(tasks);
	return labels.labels;
}

/*
 * Be that user while the kernel is asked, which looks at the caller's. The
 * capabilities that asking needs are kept.
 */
static void become(__u32 uid)
{
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) ||
	    syscall(SYS_setresuid, -1, uid, -1))
		unknown("--uid %u: %s", uid, strerror(errno));
}

static int program = -1;

static void ask(struct explain *q)
{
	if (program_run(program, q, sizeof(*q)))
		unknown("the kernel did not answer: %s", strerror(errno));
	if (q->error)
		unknown("the kernel did not find the object: %s", strerror(q->error));
}

/* The rule that would act if the question were another one; 0: none. */
static __u32 ask_else(struct explain q, __u32 ops, __u32 flags, __u32 *slot)
{
	q.ops = ops;
	q.flags |= flags;
	ask(&q);
	*slot = q.slot;
	return q.action == ACTION_NONE ? 0 : q.id;
}

static char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *text_of(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		die(EX_FAILED, "out of memory");
	va_end(args);
	return text;
}

static char *ops_text(__u32 ops)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		die(EX_FAILED, "out of memory");
	print_ops(f, ops);
	fclose(f);
	return text;
}

static char *subjects_text(const struct rule *r)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		die(EX_FAILED, "out of memory");
	print_subjects(f, r, labels());
	fclose(f);
	return text;
}

/* Why no rule applies. */
static const char *why_not(const struct explain *q)
{
	__u32 slot, id;

	if (!m.s.rules)
		return "no rule is in force";
	if (!(q->hot_ops & q->ops))
		return text_of("no rule names %s", ops_text(q->ops));
	id = ask_else(*q, q->ops, EXPLAIN_ANYBODY, &slot);
	if (id)
		return text_of("rule %u names it, but is not about this subject: %s",
			       id, subjects_text(rule_at(slot)));
	id = ask_else(*q, q->hot_ops, EXPLAIN_ANYBODY, &slot);
	if (id)
		return text_of("rule %u names it, but only for %s", id,
			       ops_text(rule_at(slot)->ops));
	return "no rule names this object";
}

static const char *const kind_names[KINDS] = {
	[KIND_INODE] = "inode",
	[KIND_NAME] = "name",
	[KIND_TREE] = "tree",
	[KIND_ABOVE] = "directory above a named object",
	[KIND_FSPATH] = "path within its file system",
	[KIND_CLASS] = "class",
};

static const char *layer_text(void)
{
	switch (opt.layer) {
	case LAYER_FIRST: return text_of("first layer (%s)", opt.backend);
	case LAYER_SECOND: return "second layer (kill)";
	default: return "no layer is at work: see status";
	}
}

static int answer(const struct explain *q)
{
	/* What has only the signal kills for `deny` as well. */
	__u32 action = q->action == ACTION_DENY && opt.layer == LAYER_SECOND
			       ? ACTION_KILL
			       : q->action;
	bool denied = action > ACTION_AUDIT && opt.layer != LAYER_NONE;
	static const char *const verdicts[] = { "allowed", "audited", "denied",
						"killed" };
	const char *verdict = verdicts[opt.layer == LAYER_NONE ? 0 : action & 3];
	const char *why = q->action == ACTION_NONE ? why_not(q) : NULL;
	const struct rule *r = why ? NULL : rule_at(q->slot);
	char *object = !r ? NULL : text_read(q->id, TEXT_OBJECT, r->path_len);
	const char *kind = q->kind < KINDS && kind_names[q->kind] ? kind_names[q->kind]
								  : "unknown";

	if (opt.json) {
		printf("{\"object\":");
		print_json(stdout, opt.word, strlen(opt.word));
		printf(",\"op\":\"%s\",\"verdict\":\"%s\",\"why\":", ops_text(opt.ops),
		       verdict);
		if (why)
			print_json(stdout, why, strlen(why));
		else
			printf("null");
		if (r) {
			printf(",\"rule\":{\"id\":%u,\"action\":\"%s\",\"errno\":%u,\"op\":\"%s\",\"object\":",
			       q->id, action_names[q->action & 3], q->rule_error,
			       ops_text(r->ops));
			print_json(stdout, object, r->path_len);
			printf("},\"identity\":\"%s\",\"layer\":%s,\"backend\":\"%s\"}\n",
			       kind,
			       opt.layer == LAYER_FIRST	   ? "\"first\""
			       : opt.layer == LAYER_SECOND ? "\"second\""
							   : "null",
			       opt.layer == LAYER_SECOND ? "kill" : opt.backend);
		} else {
			printf(",\"rule\":null,\"identity\":null,\"layer\":null,\"backend\":null}\n");
		}
	} else if (why) {
		printf("%s: %s\n", verdict, why);
	} else {
		printf("%s: rule %u (%s %s ", verdict, q->id,
		       action_names[q->action & 3], ops_text(r->ops));
		print_quoted(stdout, object, r->path_len);
		printf("), by its %s; %s", kind, layer_text());
		if (q->action > ACTION_AUDIT && opt.layer == LAYER_FIRST)
			printf("; fails with %s", strerrorname_np(q->rule_error));
		putchar('\n');
	}
	return denied ? DENIED : ALLOWED;
}

/* Whom the question is about. */
static void subject(struct explain *q)
{
	q->exe_fd = -1;
	if (opt.exe) {
		q->exe_fd = open(opt.exe, O_PATH | O_CLOEXEC);
		if (q->exe_fd < 0)
			unknown("--exe %s: %s", shown(opt.exe, strlen(opt.exe)),
				strerror(errno));
	}
	if (opt.pid) {
		q->labels = labels_of_pid(opt.pid);
		if (opt.uid == NO_ID)
			opt.uid = status_number(opt.pid, "Uid", 1);
	}
}

static void object(struct explain *q)
{
	struct object o;
	size_t len;

	resolve(&o, opt.word, false);
	q->fd = open(opt.word, O_PATH | O_CLOEXEC);
	if (q->fd >= 0)
		return;
	if (errno != ENOENT)
		unknown("%s: %s", shown(opt.word, strlen(opt.word)), strerror(errno));
	q->fd = deepest(opt.word, &len);
	q->flags |= EXPLAIN_MISSING;
	memcpy(q->name, o.name, sizeof(q->name));
	memcpy(q->fspath, o.fspath, sizeof(q->fspath));
}

static __u32 parse_id(const char *option, const char *text, __u32 min)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < min || n >= NO_ID)
		die(EX_USE, "--%s %s: want a number from %u to %u", option,
		    shown(text, strlen(text)), min, NO_ID - 1);
	return n;
}

static enum layer parse_layer(const char *text)
{
	static const char *const names[] = { "first", "second", "none" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(text, names[i]))
			return i;
	die(EX_USE, "--layer %s: want first, second or none", text);
}

static void options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ops", required_argument, NULL, 'o' },
		{ "exe", required_argument, NULL, 'e' },
		{ "uid", required_argument, NULL, 'u' },
		{ "pid", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{ "layer", required_argument, NULL, 'l' },
		{ "backend", required_argument, NULL, 'b' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'o': opt.ops = parse_ops(optarg); break;
		case 'e': opt.exe = optarg; break;
		case 'u': opt.uid = parse_id("uid", optarg, 0); break;
		case 'p': opt.pid = parse_id("pid", optarg, 1); break;
		case 'j': opt.json = true; break;
		case 'l': opt.layer = parse_layer(optarg); break;
		case 'b': opt.backend = optarg; break;
		default: exit(EX_USE);
		}
	}
	if (optind + 1 != argc)
		die(EX_USE, "want one OBJECT: see explain -h");
	if (opt.exe && opt.pid)
		die(EX_USE, "--exe and --pid: want one of them");
	opt.word = argv[optind];
}

int main(int argc, char **argv)
{
	struct explain q = {};
	int status;

	verb = "explain";
	failure = UNKNOWN;
	argv[0] = (char *)verb;
	options(argc, argv);
	maps_open(&m);
	next = m.s;
	program = pin_open("core/explain");
	if (program < 0)
		die(EX_NOT_LOADED, "what is loaded cannot explain: run scripts/load");
	q.ops = opt.ops;
	object(&q);
	subject(&q);
	if (opt.uid != NO_ID)
		become(opt.uid);
	ask(&q);
	status = answer(&q);
	if (fflush(stdout) || ferror(stdout))
		unknown("writing the output failed");
	return status;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain: what would happen, and why. The kernel is asked: the program `explain`
 * runs the decision of the hooks on the maps as they are.
 *
 *   explain [--ops OP,...] [--exe PATH | --pid N] [--uid N [--groups GID,...]] [--json]
 *           [--layers OP=BACKEND,...] -- OBJECT
 *
 * The subject is the process N: the programs that it and its parent count as, its
 * user, groups, cgroup and namespaces, each as the kernel has it. Without --pid it is
 * one as the caller that counts as the program PATH, else as none. --uid: of that user
 * instead, who has the groups GID, the first of them effective; - for groups that nobody
 * knows. --layers: what acts on an operation, as the script found; where it is not said,
 * nothing does.
 *
 * Status: 0 allowed, 1 denied; 2 usage, 3 not loaded, 4 permission, 5 it cannot
 * be told.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
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

#define GROUPS_MAX 256

static struct {
	__u32 ops;
	const char *exe, *word;
	__u32 uid, pid;
	bool json, groups_unknown;
	gid_t groups[GROUPS_MAX];
	size_t groups_count;
	const char *layer[OP_BITS]; /* backend that acts on it, NULL: none */
} opt = { .ops = OP_EXEC, .uid = NO_ID };

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
static void labels_of_pid(struct explain *q)
{
	int tasks = pin_open("maps/tasks"), fd;
	struct task_labels labels = {};

	if (status_number(opt.pid, "Tgid", 0) != opt.pid)
		unknown("--pid %u: a thread: name its process", opt.pid);
	fd = syscall(SYS_pidfd_open, opt.pid, 0);
	if (tasks < 0 || fd < 0)
		unknown("--pid %u: %s", opt.pid, strerror(errno));
	if (map_lookup(tasks, &fd, &labels) && errno != ENOENT)
		unknown("--pid %u: what programs it counts as is unknown: its labels cannot be read: %s",
			opt.pid, strerror(errno));
	close(fd);
	close(tasks);
	q->labels = labels.labels;
	q->parents = labels.parents;
}

/*
 * Be that user while the kernel is asked, which looks at the caller's. The
 * capabilities that asking needs are kept.
 */
static void become(__u32 uid)
{
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) ||
	    (opt.groups_count && (setgroups(opt.groups_count, opt.groups) ||
				  syscall(SYS_setresgid, -1, opt.groups[0], -1))) ||
	    syscall(SYS_setresuid, -1, uid, -1))
		unknown("--uid %u: %s", uid, strerror(errno));
}

static int program = -1;

static void ask(struct explain *q)
{
	if (program_run(program, q, sizeof(*q)))
		unknown("the kernel did not answer: %s", strerror(errno));
	if (q->error == ESRCH)
		unknown("--pid %u: it has ended, or this kernel does not tell its user, groups and cgroup",
			opt.pid);
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
	return q->classes ? "no rule names such objects" : "no rule names this object";
}

static const char *const kind_names[KINDS] = {
	[KIND_INODE] = "inode",
	[KIND_NAME] = "name",
	[KIND_TREE] = "tree",
	[KIND_ABOVE] = "directory above a named object",
	[KIND_FSPATH] = "path within its file system",
	[KIND_CLASS] = "class",
	[KIND_DIGEST] = "content",
};

/* The backend that acts on what the rule names, or NULL. */
static const char *layer_of(__u32 ops)
{
	for (int bit = 0; bit < OP_BITS; bit++)
		if (ops & 1u << bit && opt.layer[bit])
			return opt.layer[bit];
	return NULL;
}

/* Why a rule only counts, though its action is another. */
enum mode { MODE_ENFORCE, MODE_MONITOR, MODE_PANIC };
static const char *const mode_names[] = { "enforce", "monitor", "panic" };

static enum mode mode_of(const struct explain *q, const struct rule *r)
{
	if (policy_monitors(&next.policy[r->policy & (POLICIES - 1)],
			    clock_ns(CLOCK_BOOTTIME)))
		return MODE_MONITOR;
	return q->panic ? MODE_PANIC : MODE_ENFORCE;
}

/*
 * What the answer depends on that was not said. Nothing when a process was named: of
 * that all is known.
 */
#define ASSUMPTIONS 2
static int assumptions(const struct explain *q, const char *text[ASSUMPTIONS])
{
	int n = 0;

	if (opt.pid)
		return 0;
	if (q->asks & 1u << SORT_PARENT)
		text[n++] = "its parent is no program that rules know";
	if (q->asks & 1u << SORT_PLACE)
		text[n++] = "it is in the cgroup and the namespaces of who asks";
	return n;
}

static void answer_json(const struct explain *q, const struct rule *r,
			const char *verdict, const char *why, const char *kind,
			const char *layer)
{
	const char *assumed[ASSUMPTIONS];
	int n = assumptions(q, assumed);
	char *object;

	printf("{\"object\":");
	print_json(stdout, opt.word, strlen(opt.word));
	printf(",\"op\":\"%s\",\"verdict\":\"%s\",\"why\":", ops_text(opt.ops),
	       verdict);
	if (why)
		print_json(stdout, why, strlen(why));
	else
		printf("null");
	if (r) {
		const char *policy = policy_name(r->policy);

		object = text_read(q->id, TEXT_OBJECT, r->path_len);
		printf(",\"rule\":{\"id\":%u,\"action\":\"%s\",\"errno\":%u,\"op\":\"%s\",\"object\":",
		       q->id, action_names[r->action & 3], q->rule_error,
		       ops_text(r->ops));
		print_json(stdout, object, r->path_len);
		printf(",\"policy\":");
		print_json(stdout, policy, strlen(policy));
		printf(",\"mode\":\"%s\"},\"identity\":\"%s\"",
		       mode_names[mode_of(q, r)], kind);
	} else {
		printf(",\"rule\":null,\"identity\":null");
	}
	if (r && layer)
		printf(",\"layer\":\"%s\",\"backend\":\"%s\"",
		       strcmp(layer, "kill") ? "first" : "second", layer);
	else
		printf(",\"layer\":null,\"backend\":null");
	printf(",\"assumed\":[");
	for (int i = 0; i < n; i++) {
		fputs(i ? "," : "", stdout);
		print_json(stdout, assumed[i], strlen(assumed[i]));
	}
	printf("]}\n");
}

static void answer_text(const struct explain *q, const struct rule *r,
			const char *verdict, const char *why, const char *kind,
			const char *layer)
{
	const char *assumed[ASSUMPTIONS];
	int n = assumptions(q, assumed);
	enum mode mode;

	if (!r) {
		printf("%s: %s", verdict, why);
	} else {
		mode = mode_of(q, r);
		printf("%s: rule %u (%s %s ", verdict, q->id,
		       action_names[r->action & 3], ops_text(r->ops));
		print_quoted(stdout, text_read(q->id, TEXT_OBJECT, r->path_len),
			     r->path_len);
		printf("), by its %s; ", kind);
		if (!layer)
			printf("no layer is at work: see status");
		else if (strcmp(layer, "kill"))
			printf("first layer (%s)", layer);
		else
			printf("second layer (kill)");
		if (q->action > ACTION_AUDIT && layer && strcmp(layer, "kill"))
			printf("; fails with %s", strerrorname_np(q->rule_error));
		if (mode == MODE_PANIC)
			printf("; only counted: panic is on");
		if (mode == MODE_MONITOR) {
			const char *policy = policy_name(r->policy);

			printf("; only counted: policy ");
			print_quoted(stdout, policy, strlen(policy));
			printf(" is in monitor mode");
		}
	}
	for (int i = 0; i < n; i++)
		printf("; if %s", assumed[i]);
	putchar('\n');
}

static int answer(const struct explain *q)
{
	const char *layer = layer_of(q->rule_ops);
	bool second = layer && !strcmp(layer, "kill");
	/* What has only the signal kills for `deny` as well. */
	__u32 action = q->action == ACTION_DENY && second ? ACTION_KILL : q->action;
	static const char *const verdicts[] = { "allowed", "audited", "denied",
						"killed" };
	const char *verdict = verdicts[layer ? action & 3 : 0];
	const char *why = q->action == ACTION_NONE ? why_not(q) : NULL;
	const struct rule *r = why ? NULL : rule_at(q->slot);
	const char *kind = q->kind < KINDS && kind_names[q->kind] ? kind_names[q->kind]
								  : "unknown";

	if (opt.groups_unknown && q->asks & 1u << SORT_GROUP)
		unknown("--uid %u: a rule asks for groups, and no such user is known here, so neither are its groups",
			opt.uid);
	if (opt.json)
		answer_json(q, r, verdict, why, kind, layer);
	else
		answer_text(q, r, verdict, why, kind, layer);
	return layer && action > ACTION_AUDIT ? DENIED : ALLOWED;
}

/* Whom the question is about. */
static void subject(struct explain *q)
{
	if (opt.exe) {
		q->exe_fd = open(opt.exe, O_PATH | O_CLOEXEC);
		if (q->exe_fd < 0)
			unknown("--exe %s: %s", shown(opt.exe, strlen(opt.exe)),
				strerror(errno));
	}
	if (opt.pid) {
		char path[32];

		labels_of_pid(q);
		snprintf(path, sizeof(path), "/proc/%u", opt.pid);
		q->pid_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (q->pid_fd < 0)
			unknown("--pid %u: %s", opt.pid, strerror(errno));
		if (opt.uid == NO_ID)
			opt.uid = status_number(opt.pid, "Uid", 1);
	}
}

/* A class: an object of it, whatever else it is. */
static bool class(struct explain *q)
{
	struct object o;

	if (!class_find(opt.word))
		return false;
	resolve(&o, opt.word, false);
	guard_class(&o, opt.ops);
	q->classes = CLASS_BIT(o.ino);
	if (o.ino == CLASS_MEMFD)
		q->classes |= CLASS_BIT(CLASS_UNLINKED);
	return true;
}

/* What the file holds, where a rule asks for that: only the hook has the kernel measure it. */
static void content(struct explain *q)
{
	unsigned char digest[32];
	char link[64];
	struct stat st;
	int fd;

	if (!(opt.ops & OP_EXEC) || !m.s.kind_rules[0][KIND_DIGEST] ||
	    fstat(q->fd, &st) || !S_ISREG(st.st_mode))
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", q->fd);
	fd = open(link, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !sha256_file(fd, digest))
		unknown("%s: rules are on content, and it cannot be read: %s",
			shown(opt.word, strlen(opt.word)), strerror(errno));
	close(fd);
	memcpy(q->digest, digest, sizeof(q->digest));
	q->flags |= EXPLAIN_DIGEST;
}

static void object(struct explain *q)
{
	struct object o;
	size_t len;

	if (class(q))
		return;
	if (!strchr(opt.word, '/'))
		die(EX_USE, "%s: not a path: write ./NAME or the full path",
		    shown(opt.word, strlen(opt.word)));
	q->fd = open(opt.word, O_PATH | O_CLOEXEC);
	if (q->fd >= 0) {
		content(q);
		return;
	}
	if (errno != ENOENT)
		unknown("%s: %s", shown(opt.word, strlen(opt.word)), strerror(errno));
	resolve(&o, opt.word, false);
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

static void parse_layers(char *text)
{
	for (char *one = strtok(text, ","); one; one = strtok(NULL, ",")) {
		char *backend = strchr(one, '=');
		__u32 ops;

		if (!backend)
			die(EX_USE, "--layers %s: want OP=BACKEND", one);
		*backend++ = '\0';
		ops = 0;
		for (size_t i = 0; i < op_names_count; i++)
			if (!strcmp(op_names[i].name, one))
				ops = op_names[i].ops;
		for (int bit = 0; bit < OP_BITS; bit++)
			if (ops & 1u << bit)
				opt.layer[bit] = backend;
	}
}

static void parse_groups(char *text)
{
	opt.groups_unknown = !strcmp(text, "-");
	if (opt.groups_unknown)
		return;
	for (char *one = strtok(text, ","); one; one = strtok(NULL, ",")) {
		if (opt.groups_count == GROUPS_MAX)
			die(EX_USE, "--groups: at most %d", GROUPS_MAX);
		opt.groups[opt.groups_count++] = parse_id("groups", one, 0);
	}
}

static void options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ops", required_argument, NULL, 'o' },
		{ "exe", required_argument, NULL, 'e' },
		{ "uid", required_argument, NULL, 'u' },
		{ "pid", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{ "groups", required_argument, NULL, 'g' },
		{ "layers", required_argument, NULL, 'l' },
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
		case 'g': parse_groups(optarg); break;
		case 'l': parse_layers(optarg); break;
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
	struct explain q = { .fd = -1, .exe_fd = -1, .pid_fd = -1 };
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

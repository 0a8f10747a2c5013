// SPDX-License-Identifier: GPL-2.0-only
/*
 * encode: turn a wish ("deny these objects", "allow them again") into lines
 * for `bpftool batch`, from what the maps hold now.
 *
 *   encode deny  [--ops OP,...] [--action A] [--errno N] [--reason TEXT]
 *                [SUBJECT...] [--force] [--stdin] [--null] [--own DIR] -- [OBJECT...]
 *   encode deny  --ops syscall [CALL...] [--signal NAME] [...] -- NAME...
 *   encode label [SUBJECT...]
 *   encode allow [--ops OP,...] [--id N] [--all] [--stdin] [--null] -- [OBJECT...]
 *   encode allow --ops syscall [CALL...] -- NAME...
 *   encode refresh     (rules follow their names to new files)
 *   encode init  [--max-rules N]
 *   encode layers [--second-only]
 *   encode recover     (no lines when the last batch was whole)
 *
 *   SUBJECT  --only-exe PATH | --unless-exe PATH | --only-uid N | --unless-uid N
 *            | --sticky | --scripts, of the programs in this command
 *
 *   CALL     --arg N=VALUE | --arg N=LO..HI | --arg N&MASK[=VALUE] | --fd-of PATH
 *            | --path-arg N=PATH | --path-arg N=PREFIX*
 *
 * The batch goes to stdout, a report for the operator to descriptor 3. All
 * input is checked before the first line is written. Nothing is written to
 * any map here: it is a filter, and what it says can be read before it runs.
 *
 * A process that runs already has no labels. So whoever makes a rule about
 * programs runs `label` first, labels what runs if that reports new ones
 * ("labels N" on descriptor 3), and then `deny`, which finds them.
 *
 * Statuses: cotter.h. To be run under the lock of scripts/lib.sh.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "encode/encode.h"

struct maps m;
struct state next;
FILE *report;

static struct {
	struct rule like; /* operations, action, error and subjects of the rules */
	bool force, from_stdin, null, all, second_only;
	const char *own, *reason;
	__u32 max_rules;
	__u32 *ids;
	size_t ids_count;
	/* subjects as given */
	struct subject_option {
		const char *option, *value;
		bool only;
	} * exes;
	size_t exes_count;
	__u32 *uids[2]; /* to be excepted, the only ones */
	size_t uids_count[2];
	__u32 label_flags;
} opt = { .like = { .action = ACTION_KILL, .error = EPERM },
	  .reason = "",
	  .max_rules = SEGMENTS * SEGMENT_RULES };

/* --- rules that name an object --- */

#define MATCHES (3 * OBJECT_RULES)

/*
 * Find the rules that name this object as the operator does: with `ops`, those
 * with just these; with `like`, those of its subjects. Returns their number.
 */
static int rules_find(const struct object *o, __u32 ops, const struct rule *like,
		      __u32 slots[MATCHES])
{
	/* Not by the path in the file system: another name of it is another object. */
	const struct rule named = { .kinds = o->kinds & ~KIND_BIT(KIND_FSPATH),
				    .dev = o->dev,
				    .ino = o->ino,
				    .inode_gen = o->inode_gen,
				    .name = { o->name[0], o->name[1] },
				    .fspath = { o->fspath[0], o->fspath[1] } };
	struct object_key key[RULE_KEYS];
	int keys, n = 0;

	keys = rule_keys(&named, key);
	for (int k = 0; k < keys; k++) {
		const struct object_rules *v = &entry(&key[k])->value;

		for (int i = 0; i < OBJECT_RULES && v->slot[i] != NO_RULE; i++) {
			const struct rule *r = rule_at(v->slot[i]);
			bool same_name = !memcmp(r->name, o->name, sizeof(r->name));
			int j = 0;

			if (!r->born || r->ending || (ops && r->ops != ops))
				continue;
			/* A file is not the calls that have it as an argument. */
			if (o->call ? !same_call(r, o) : r->ops & OP_SYSCALL)
				continue;
			if (like &&
			    (memcmp(r->only, like->only, sizeof(r->only)) ||
			     memcmp(r->except, like->except, sizeof(r->except))))
				continue;
			/* A hard link of a ruled file is an object of its own. */
			if (key[k].kind == KIND_INODE &&
			    r->kinds & o->kinds & KIND_BIT(KIND_NAME) && !same_name)
				continue;
			while (j < n && slots[j] != v->slot[i])
				j++;
			if (j == n)
				slots[n++] = v->slot[i];
		}
	}
	return n;
}

static bool same_inode(const struct rule *r, const struct object *o)
{
	return r->ino == o->ino && r->dev == o->dev && r->inode_gen == o->inode_gen;
}

/* `o`: what the rule is about, NULL when it is in force. */
static void rule_report(const struct rule *r, const struct object *o, const char *text,
			size_t len, const char *what)
{
	if (!report)
		return;
	fprintf(report, "rule %u: %s ", r->id, what);
	print_ops(report, r->ops);
	fputc(' ', report);
	if (r->ops & OP_SYSCALL)
		report_call(report, r, o, text, len);
	else
		print_quoted(report, text, len);
	fputs(" (", report);
	print_kinds(report, r->kinds, ", ");
	fputc(')', report);
	if (rule_has_subjects(r)) {
		fputc(' ', report);
		print_subjects(report, r, labels());
	}
	fputc('\n', report);
}

/* --- commands --- */

/* The words that name objects: arguments, or lines of stdin. */
static char **words;
static size_t words_count;

static void words_read(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	words = argv;
	words_count = argc;
	if (!opt.from_stdin)
		return;
	if (argc)
		die(EX_USE, "--stdin takes no OBJECT beside it");
	words = NULL;
	while ((n = getdelim(&line, &room, opt.null ? 0 : '\n', stdin)) > 0) {
		if (line[n - 1] == (opt.null ? 0 : '\n'))
			line[--n] = 0;
		if (!n)
			continue;
		if (strlen(line) != (size_t)n)
			die(EX_FAILED, "line %zu of the input holds a NUL byte",
			    words_count + 1);
		words = more(words, words_count, sizeof(*words));
		words[words_count++] = line;
		line = NULL;
		room = 0;
	}
	free(line);
	if (ferror(stdin))
		die(EX_FAILED, "reading the input failed: %s", strerror(errno));
}

/* Turn the subjects of the command into labels of `opt.like`. */
static void subjects_find(void)
{
	struct rule *r = &opt.like;

	for (size_t i = 0; i < opt.exes_count; i++) {
		const struct subject_option *s = &opt.exes[i];
		__u64 bit = label_program(s->option, s->value, opt.label_flags);

		*(s->only ? &r->only[SORT_PROGRAM] : &r->except[SORT_PROGRAM]) |= bit;
	}
	for (size_t i = 0; i < opt.uids_count[0]; i++)
		r->except[SORT_USER] |= label_user(opt.uids[0][i]);
	for (size_t i = 0; i < opt.uids_count[1]; i++)
		r->only[SORT_USER] |= label_user(opt.uids[1][i]);
	for (int sort = 0; sort < SUBJECT_SORTS; sort++)
		if (r->only[sort] & r->except[sort])
			die(EX_USE,
			    "the same %s is in --only and --unless: a rule for nobody",
			    sort == SORT_PROGRAM ? "program" : "user");
}

/* Is a rule about programs or users only, and root is not one of them? */
static bool spares_root(void)
{
	for (size_t i = 0; i < opt.uids_count[1]; i++)
		if (!opt.uids[1][i])
			return false;
	return opt.like.only[SORT_PROGRAM] || opt.like.only[SORT_USER];
}

/* Does a rule that acts like those of this command name it already? */
static bool acts_alike(const struct rule *r)
{
	return r->action == opt.like.action && r->error == opt.like.error &&
	       r->signal == opt.like.signal;
}

/* Returns whether a rule was made. */
static bool deny_one(const struct object *o, const char *word)
{
	const __u32 files = KIND_BIT(KIND_INODE) | KIND_BIT(KIND_TREE);
	const char *vital = guard_hit(o);
	struct object_key name = { .kind = KIND_NAME,
				   .a = o->name[0],
				   .b = o->name[1] };
	__u32 slots[MATCHES], oldest = NO_RULE;
	const struct rule *r;
	int n;

	if (vital)
		FAIL(word,
		     "would lock you out of this machine (%s): --force if you mean it",
		     vital);
	n = rules_find(o, opt.like.ops, &opt.like, slots);
	for (int i = 0; i < n; i++) {
		r = rule_at(slots[i]);
		if ((acts_alike(r) && (same_inode(r, o) || !(o->kinds & files))) ||
		    r->born > m.s.gen) {
			rule_report(r, o, o->text, o->len, "already there:");
			return false;
		}
	}
	for (int i = 0; i < n; i++) {
		r = rule_at(slots[i]);
		/* Another action, or the file has come since: replaced. */
		if (!acts_alike(r) || !(r->kinds & files))
			rule_ends(slots[i]);
		/*
		 * Another file has been put in the place of the one the rule knows,
		 * which may live on under another name: both stay.
		 */
		else if (oldest == NO_RULE || r->id < rule_at(oldest)->id)
			oldest = slots[i];
	}
	/* But not for ever: the last room is for the next one. */
	if (oldest != NO_RULE && o->kinds & KIND_BIT(KIND_NAME) &&
	    entry(&name)->value.slot[OBJECT_RULES - 2] != NO_RULE)
		rule_ends(oldest);
	r = rule_comes(&opt.like, o, word, opt.reason);
	rule_report(r, o, o->text, o->len, action_names[r->action]);
	return true;
}

static bool needs_above(__u32 ops)
{
	return ops & (OP_DELETE | OP_RENAME);
}

/* Resolve the name of a system call, unless to deny it would stop the machine. */
static void resolve_denied_call(struct object *o, const char *word, bool harmless)
{
	const struct call_info *info = resolve_call(o, word);

	call_warn(o, info);
	if (harmless || !call_is_vital(word))
		return;
	if (o->whole_call)
		FAIL(word,
		     "nothing would run any more, or nobody could take it back: give an --arg, --only-exe or --only-uid, or --force if you mean it");
	/* deny_one() asks. */
	if (o->call->fd)
		guard_find(opt.own, OP_READ | OP_MODIFY);
}

static void deny(void)
{
	struct object **made = xcalloc(words_count, sizeof(*made));
	bool harmless;
	size_t n = 0;

	if (!words_count && !opt.from_stdin)
		die(EX_USE, "no OBJECT given: see -h");
	subjects_find();
	harmless = opt.force || opt.like.action == ACTION_AUDIT || spares_root();
	if (!harmless)
		guard_find(opt.own, opt.like.ops);
	for (size_t i = 0; i < words_count; i++) {
		struct object *o = xcalloc(1, sizeof(*o));

		if (opt.like.ops & OP_SYSCALL)
			resolve_denied_call(o, words[i], harmless);
		else
			resolve(o, words[i], needs_above(opt.like.ops));
		if (deny_one(o, words[i]))
			made[n++] = o;
	}
	if (opt.like.ops & OP_WRITE && opt.like.action != ACTION_AUDIT)
		guard_mapped(made, n);
	write_batch();
}

static void label(void)
{
	subjects_find();
	if (report)
		fprintf(report, "labels %u\n", labels_fresh);
	write_labels();
}

static void allow_slot(__u32 slot)
{
	const struct rule *r = rule_at(slot);
	char *text = report ? text_read(r->id, TEXT_OBJECT, r->path_len) : NULL;

	if (text)
		rule_report(r, NULL, text, r->path_len, "no longer");
	free(text);
	rule_ends(slot);
}

/* Remove rules by id; `all` removes every one. */
static void allow_scan(void)
{
	size_t found = 0;

	for (__u32 slot = 0; slot < m.s.segments * SEGMENT_RULES; slot++) {
		const struct rule *r = rule_at(slot);
		bool wanted = opt.all;

		if (!rule_in_force(r, m.s.gen))
			continue;
		for (size_t i = 0; i < opt.ids_count && !wanted; i++)
			wanted = r->id == opt.ids[i];
		if (opt.all && opt.like.ops && r->ops != opt.like.ops)
			continue;
		if (!wanted)
			continue;
		found++;
		allow_slot(slot);
	}
	if (!opt.all && found != opt.ids_count)
		die(EX_FAILED, "no rule has that id: nothing was changed: see list");
}

/* Say why an object that no rule names may be denied all the same. */
static void still_denied(const struct object *o)
{
	const struct {
		struct object_key key;
		const char *what;
	} by[] = {
		{ { KIND_INODE, o->dev, o->ino, o->inode_gen }, "inode" },
		{ { KIND_FSPATH, o->fs_dev, o->fspath[0], o->fspath[1] },
		  "path in its file system" },
	};
	__u32 said = NO_RULE;

	for (size_t k = 0; k < ARRAY_SIZE(by); k++) {
		const struct object_rules *v;

		if (!(o->kinds & KIND_BIT(by[k].key.kind)))
			continue;
		v = &entry(&by[k].key)->value;
		for (int i = 0; i < OBJECT_RULES && v->slot[i] != NO_RULE; i++) {
			const struct rule *r = rule_at(v->slot[i]);

			if (!r->ending && r->id != said && !o->call &&
			    (!opt.like.ops || r->ops & opt.like.ops))
				warn("%s: still denied by rule %u, which names the same %s",
				     shown(o->text, o->len), r->id, by[k].what);
			said = r->id;
		}
	}
	if (report && o->call)
		fputs("no rule is about just these calls: see list\n", report);
	else if (report)
		fprintf(report, "no rule names %s\n", shown(o->text, o->len));
}

static void allow(void)
{
	if (!words_count && !opt.from_stdin && !opt.all && !opt.ids_count)
		die(EX_USE, "no OBJECT given: see -h");
	if (opt.all || opt.ids_count)
		allow_scan();
	for (size_t i = 0; i < words_count; i++) {
		__u32 slots[MATCHES];
		struct object o;
		int n;

		if (opt.like.ops & OP_SYSCALL)
			resolve_call(&o, words[i]);
		else
			resolve(&o, words[i], false);
		n = rules_find(&o, opt.like.ops, NULL, slots);
		for (int j = 0; j < n; j++)
			allow_slot(slots[j]);
		if (!n)
			still_denied(&o);
		free(o.text);
	}
	write_batch();
}

/* Have the rules whose names lead to other files now follow them. */
static void refresh(void)
{
	for (__u32 slot = 0; slot < m.s.segments * SEGMENT_RULES; slot++) {
		const struct rule *r = rule_at(slot);
		struct object *o;
		char *path;

		if (!rule_in_force(r, m.s.gen) || !(r->kinds & KIND_BIT(KIND_NAME)))
			continue;
		path = text_read(r->id, TEXT_OBJECT, r->path_len);
		o = xcalloc(1, sizeof(*o));
		/* The path of another mount namespace may lead elsewhere here. */
		if (resolve_again(o, path) && !same_inode(r, o) &&
		    !memcmp(o->name, r->name, sizeof(r->name))) {
			rule_moves(slot, o);
			rule_report(r, NULL, path, r->path_len, "follows its name:");
		}
		free(path);
		free(o->text);
		free(o);
	}
	write_batch();
}

/* Say whether the second layer stands alone. */
static void layers(void)
{
	struct hot h = m.h;

	h.flags = opt.second_only ? HOT_SECOND_ONLY : 0;
	line_hot(&h);
}

/* --- the command line --- */

static __u32 parse_ops(char *list)
{
	__u32 ops = 0;

	for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
		size_t i;

		for (i = 0; i < op_names_count; i++)
			if (!strcmp(word, op_names[i].name))
				break;
		if (i < op_names_count)
			ops |= op_names[i].ops;
		else if (!strcmp(word, MODIFY_NAME))
			ops |= OP_MODIFY;
		else
			die(EX_USE, "%s: unknown operation", shown(word, strlen(word)));
	}
	if (!ops)
		die(EX_USE, "no operation given");
	if (ops & OP_SYSCALL && ops != OP_SYSCALL)
		die(EX_USE,
		    "syscall: a rule of its own, not one with other operations");
	return ops;
}

static __u32 parse_number(const char *text, const char *what, __u32 min, __u32 max)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < min || n > max)
		die(EX_USE, "%s: %s: want a number from %u to %u", what,
		    shown(text, strlen(text)), min, max);
	return n;
}

static __u8 parse_action(const char *text)
{
	for (__u8 i = ACTION_AUDIT; i <= ACTION_KILL; i++)
		if (!strcmp(text, action_names[i]))
			return i;
	die(EX_USE, "--action %s: want audit, deny or kill", shown(text, strlen(text)));
}

static void option_exe(bool only, const char *value)
{
	opt.exes = more(opt.exes, opt.exes_count, sizeof(*opt.exes));
	opt.exes[opt.exes_count++] =
		(struct subject_option){ only ? "--only-exe" : "--unless-exe", value,
					 only };
}

static void option_uid(bool only, const char *value)
{
	__u32 uid = parse_number(value, only ? "--only-uid" : "--unless-uid", 0,
				 UINT32_MAX - 1);

	opt.uids[only] = more(opt.uids[only], opt.uids_count[only], sizeof(uid));
	opt.uids[only][opt.uids_count[only]++] = uid;
}

static void options(int argc, char **argv)
{
	enum {
		ONLY_EXE = 256,
		UNLESS_EXE,
		ONLY_UID,
		UNLESS_UID,
		STICKY,
		SCRIPTS,
		ARG,
		FD_OF,
		PATH_ARG,
		SIGNAL,
	};
	static const struct option longs[] = {
		{ "ops", required_argument, NULL, 'o' },
		{ "action", required_argument, NULL, 'a' },
		{ "errno", required_argument, NULL, 'e' },
		{ "reason", required_argument, NULL, 'r' },
		{ "only-exe", required_argument, NULL, ONLY_EXE },
		{ "unless-exe", required_argument, NULL, UNLESS_EXE },
		{ "only-uid", required_argument, NULL, ONLY_UID },
		{ "unless-uid", required_argument, NULL, UNLESS_UID },
		{ "sticky", no_argument, NULL, STICKY },
		{ "scripts", no_argument, NULL, SCRIPTS },
		{ "arg", required_argument, NULL, ARG },
		{ "fd-of", required_argument, NULL, FD_OF },
		{ "path-arg", required_argument, NULL, PATH_ARG },
		{ "signal", required_argument, NULL, SIGNAL },
		{ "force", no_argument, NULL, 'f' },
		{ "stdin", no_argument, NULL, 's' },
		{ "null", no_argument, NULL, '0' },
		{ "own", required_argument, NULL, 'w' },
		{ "id", required_argument, NULL, 'i' },
		{ "all", no_argument, NULL, 'A' },
		{ "max-rules", required_argument, NULL, 'm' },
		{ "second-only", no_argument, NULL, 'S' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		switch (c) {
		case 'o': opt.like.ops = parse_ops(optarg); break;
		case 'a': opt.like.action = parse_action(optarg); break;
		case 'e': opt.like.error = parse_errno(optarg); break;
		case 'r': opt.reason = optarg; break;
		case ONLY_EXE: option_exe(true, optarg); break;
		case UNLESS_EXE: option_exe(false, optarg); break;
		case ONLY_UID: option_uid(true, optarg); break;
		case UNLESS_UID: option_uid(false, optarg); break;
		case STICKY: opt.label_flags |= LABEL_STICKY; break;
		case SCRIPTS: opt.label_flags |= LABEL_SCRIPTS; break;
		case ARG: call_option_arg(optarg); break;
		case FD_OF: call_option_fd_of(optarg); break;
		case PATH_ARG: call_option_path_arg(optarg); break;
		case SIGNAL: opt.like.signal = parse_signal(optarg); break;
		case 'f': opt.force = true; break;
		case 's': opt.from_stdin = true; break;
		case '0': opt.null = true; break;
		case 'w': opt.own = optarg; break;
		case 'i':
			opt.ids = more(opt.ids, opt.ids_count, sizeof(*opt.ids));
			opt.ids[opt.ids_count++] =
				parse_number(optarg, "--id", 1, UINT32_MAX);
			break;
		case 'A': opt.all = true; break;
		case 'm':
			opt.max_rules = parse_number(optarg, "--max-rules", 1,
						     SEGMENTS * SEGMENT_RULES);
			break;
		case 'S': opt.second_only = true; break;
		default: exit(EX_USE);
		}
	}
	if (strlen(opt.reason) >= REASON_LIMIT)
		die(EX_USE, "--reason is longer than %d bytes", REASON_LIMIT - 1);
	if (opt.like.signal && opt.like.action != ACTION_KILL)
		die(EX_USE, "--signal: only --action kill sends one");
	if ((call_said() || opt.like.signal) && opt.like.ops != OP_SYSCALL)
		die(EX_USE, "--arg, --fd-of, --path-arg and --signal: only of syscall");
	if (opt.label_flags && !opt.exes_count)
		die(EX_USE, "--sticky and --scripts want --only-exe or --unless-exe");
}

/* A command on what is loaded. */
static void run(void)
{
	maps_open(&m);
	snprintf(objects_map, sizeof(objects_map), "id %u", m.objects_id);
	snprintf(texts_map, sizeof(texts_map), "id %u", m.texts_id);
	next = m.s;
	if (!strcmp(verb, "recover")) {
		if (m.h.dirty)
			recover();
	} else if (m.h.dirty) {
		die(EX_FAILED, "an earlier command was cut off: recover first");
	} else if (!strcmp(verb, "deny")) {
		if (!opt.like.ops)
			opt.like.ops = OP_EXEC;
		deny();
	} else if (!strcmp(verb, "label")) {
		verb = "deny";
		label();
	} else if (!strcmp(verb, "allow")) {
		allow();
	} else if (!strcmp(verb, "refresh")) {
		refresh();
	} else if (!strcmp(verb, "layers")) {
		verb = "load";
		layers();
	} else {
		die(EX_USE, "encode: %s: unknown command", verb);
	}
}

int main(int argc, char **argv)
{
	static char big[1 << 20];

	if (argc < 2)
		die(EX_USE,
		    "usage: encode deny|label|allow|refresh|init|layers|recover [OPTION...] -- [OBJECT...]");
	verb = argv[1];
	argv[1] = argv[0]; /* getopt names the program in its messages */
	setvbuf(stdout, big, _IOFBF, sizeof(big));
	if (fcntl(3, F_GETFD) >= 0)
		report = fdopen(3, "w");
	options(argc - 1, argv + 1);
	words_read(argc - optind - 1, argv + optind + 1);
	if (!strcmp(verb, "init")) {
		verb = "load";
		write_init(opt.max_rules);
	} else {
		run();
	}
	if (fflush(stdout) || ferror(stdout))
		die(EX_FAILED, "writing the batch failed");
	return EX_DONE;
}

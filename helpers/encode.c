// SPDX-License-Identifier: GPL-2.0-only
/*
 * encode: turn a wish ("deny these objects", "allow them again") into lines
 * for `bpftool batch`, from what the maps hold now.
 *
 *   encode deny  [--ops OP,...] [--action A] [--errno N] [--reason TEXT]
 *                [SUBJECT...] [--digest] [--force] [--stdin] [--null] [--own DIR] [--check]
 *                -- [OBJECT...]
 *   encode deny  --ops syscall [CALL...] [--signal NAME] [...] -- NAME...
 *   encode deny  --typed [--needs | --ready] [...] -- WORD...
 *   encode label [SUBJECT...]         (or --typed --ready ... -- WORD..., those of deny)
 *   encode apply [--plan | --diff] [--prune] [--remove NAME]... [--monitor | --enforce
 *                [--for TIME]] [--skip] [--saved] [--force] [--own DIR]
 *                [--signal-only] [--no-digest] [--lacking CALL]... [--signalled CALL]...
 *                [--signal-entry FUNCTION]...
 *                (stdin: see apply.c; the last five: what the kernel cannot do. `deny`
 *                takes the first and the last of them as well, for what it says)
 *   encode mapped -- VERB LOW HIGH  (say, as VERB, who has a file mapped that rules of the last
 *                commit deny to write, which are between these slots. `deny` and `apply`
 *                report them with --slots: "slots LOW HIGH", as the last line)
 *   encode check       (the same input; looks at the files of this machine alone)
 *   encode mode  --monitor | --enforce [--for TIME] -- NAME...
 *   encode allow [--ops OP,...] [--id N] [--all] [--digest] [--stdin] [--null] -- [OBJECT...]
 *   encode allow --ops syscall [CALL...] -- NAME...
 *   encode allow --typed [--needs] [...] -- WORD...
 *   encode refresh     (rules follow their names to new files)
 *   encode init  [--max-rules N] [--rate N]
 *   encode records [--records N]
 *   encode layers [--second-only] [--max-rules N] [--rate N]
 *   encode observe [--held] [--records N] [--only-exe PATH]... [--only-uid N]...
 *                  [--only-tree DIR]... -- KIND...
 *   encode unobserve -- KIND...
 *   encode recover -- [VERB]  (for that one; no lines when the last batch was whole)
 *
 *   SUBJECT  --only-SORT | --unless-SORT, SORT one of: exe PATH, parent PATH, uid N,
 *            gid N, cgroup PATH, container (without a value)
 *            | --sticky | --scripts, of the programs in this command
 *
 *   CALL     --arg N=VALUE | --arg N=LO..HI | --arg N&MASK[=VALUE] | --fd-of PATH
 *            | --path-arg N=PATH | --path-arg N=PREFIX*
 *
 * The batch goes to stdout, a report for the operator to descriptor 3. All
 * input is checked before the first line is written. Nothing is written to
 * any map here: it is a filter, and what it says can be read before it runs.
 * With --run the lines go to a `bpftool batch` of its own, and it reports when that has run
 * all of them. --lock FD takes the lock of scripts/lib.sh first, which whoever gave
 * the descriptor has as well, then; what an earlier command, cut off, left is
 * recovered before anything else.
 *
 * A process that runs already has no labels. So whoever makes a rule about
 * programs runs `deny --check` first, which refuses all that `deny` would refuse,
 * writes no batch, and reports how many labels are new ("labels N" on descriptor 3).
 * If there are some: `label`, then the running processes are labelled, then `deny`,
 * which finds them.
 *
 * With --typed the words are what was typed after `deny` or `allow`: options, operations and objects in
 * any order; status 6 when that asks for help. Of deny what needs more than one run, programs that
 * are attached before or labels, is not done: status 7, and --needs prints of what it needs a
 * line each, for scripts/deny.sh: "ops OP...", "calls NAME...", "action A", and of
 * "programs", "digest", "stdin", "dry-run" those that are so. When that is there, --ready. Of allow
 * --needs prints only the last two.
 *
 * Statuses: cotter.h. To be run under the lock of scripts/lib.sh.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>
#include "encode/encode.h"

struct maps m;
struct state next;
FILE *report;
bool offline;

static struct {
	struct rule like; /* operations, action, error and subjects of the rules */
	bool force, from_stdin, null, all, second_only, check;
	const char *own, *reason;
	__u32 max_rules, rate, records;
	__u32 *ids;
	size_t ids_count;
	/* subjects as given */
	struct subject {
		const struct subject_option *option;
		const char *value;
	} * subjects;
	size_t subjects_count;
	bool programs; /* among them are some */
	__u32 label_flags;
	/* of a rule or policy in a file */
	const char *id, *name, *file;
	__u64 ttl, until; /* ns from now; CLOCK_REALTIME */
	bool optional, hex, digest, slots;
	bool typed, needs, ready, dry; /* as an operator typed it */
	bool run, recovers;
	int lock; /* descriptor, or -1 */
	struct apply apply;
} opt = { .like = { .action = ACTION_KILL, .error = EPERM },
	  .reason = "",
	  .rate = NO_ID,
	  .records = RECORDS_DEFAULT,
	  .lock = -1 };

/* The options that name subjects. */
static const struct subject_option {
	const char *name;
	int sort;
	__u32 kind; /* of those that are a number, or KIND_CGROUP */
	bool only;
} subject_options[] = {
	{ "only-exe", SORT_PROGRAM, 0, true },
	{ "unless-exe", SORT_PROGRAM, 0, false },
	{ "only-parent", SORT_PARENT, 0, true },
	{ "unless-parent", SORT_PARENT, 0, false },
	{ "only-uid", SORT_USER, KIND_USER, true },
	{ "unless-uid", SORT_USER, KIND_USER, false },
	{ "only-gid", SORT_GROUP, KIND_GROUP, true },
	{ "unless-gid", SORT_GROUP, KIND_GROUP, false },
	{ "only-cgroup", SORT_PLACE, KIND_CGROUP, true },
	{ "unless-cgroup", SORT_PLACE, KIND_CGROUP, false },
	{ "only-container", SORT_PLACE, KIND_CONTAINER, true },
	{ "unless-container", SORT_PLACE, KIND_CONTAINER, false },
};
#define SUBJECT_OPTION 256 /* what getopt_long() returns for the first */

/* --- rules that name an object --- */

int rules_find(const struct object *o, __u32 ops, const struct rule *like, __u32 policy,
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
			const struct rule *r = rule_named(v->slot[i]);
			int j = 0;

			if (!r || r->ending || r->policy != policy ||
			    (ops && r->ops != ops))
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
			    r->kinds & o->kinds & KIND_BIT(KIND_NAME) &&
			    memcmp(r->name, o->name, sizeof(r->name)))
				continue;
			while (j < n && slots[j] != v->slot[i])
				j++;
			if (j == n)
				slots[n++] = v->slot[i];
		}
	}
	return n;
}

bool same_inode(const struct rule *r, const struct object *o)
{
	return r->ino == o->ino && r->dev == o->dev && r->inode_gen == o->inode_gen;
}

void rule_print(const struct rule *r, const struct object *o, const char *what,
		const char *text, size_t len)
{
	fprintf(report, "%s ", what);
	print_ops(report, r->ops);
	fputc(' ', report);
	if (r->ops & OP_SYSCALL)
		report_call(report, r, o, text, len);
	else
		print_quoted(report, text, len);
	fputs(" (", report);
	print_kinds(report, r->kinds & KINDS_SHOWN, ", ", "");
	fputc(')', report);
	if (rule_has_subjects(r)) {
		fputc(' ', report);
		print_subjects(report, r, labels());
	}
	fputc('\n', report);
}

static unsigned int reported;

/* Of many that are typed in it is said how many they are. */
static bool only_counted(void)
{
	return opt.typed && opt.from_stdin && !opt.dry;
}

/* `o`: what the rule is about, NULL when it is in force. */
static void rule_report(const struct rule *r, const struct object *o, const char *text,
			size_t len, const char *what)
{
	reported++;
	if (!report || opt.check || only_counted())
		return;
	fprintf(report, "%srule %u: ", opt.dry ? "would be " : "", r->id);
	rule_print(r, o, what, text, len);
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

static __u32 parse_account(const char *value, const char *option, const char *path);

/* The bit of a subject as given. */
static __u64 subject_label(const struct subject *s)
{
	char option[32];

	snprintf(option, sizeof(option), "--%s", s->option->name);
	switch (s->option->kind) {
	case KIND_USER:
	case KIND_GROUP:
		return label_number(s->option->kind,
				    parse_account(s->value, option,
						  s->option->kind == KIND_USER
							  ? "/etc/passwd"
							  : "/etc/group"));
	case KIND_CGROUP: return label_cgroup(option, s->value);
	case KIND_CONTAINER:
		/* An exemption must not be had by making a namespace of one's own. */
		return label_number(KIND_CONTAINER, s->option->only
							    ? CONTAINER_ANY
							    : CONTAINER_OF_ROOT);
	default: return label_program(option, s->value, opt.label_flags);
	}
}

/* Turn the subjects of the command into labels of `opt.like`. */
static void subjects_find(void)
{
	static const char *const names[SUBJECT_SORTS] = { "program", "user", "group",
							  "cgroup", "parent" };
	struct rule *r = &opt.like;

	for (size_t i = 0; i < opt.subjects_count; i++) {
		const struct subject *s = &opt.subjects[i];
		__u64 *set = s->option->only ? r->only : r->except;

		set[s->option->sort] |= subject_label(s);
	}
	for (int sort = 0; sort < SUBJECT_SORTS; sort++)
		if (r->only[sort] & r->except[sort])
			die(EX_USE,
			    "the same %s is in --only and --unless: a rule for nobody",
			    names[sort]);
}

/*
 * Is a rule about certain subjects only, and those that could repair a mistake are
 * not among them: root, and who types this?
 */
static bool spares_operator(void)
{
	const struct label *all = labels();
	bool spares = false;

	for (int sort = 0; sort < SUBJECT_SORTS; sort++) {
		bool spared = opt.like.only[sort];

		for (__u64 bits = opt.like.only[sort]; bits; bits &= bits - 1) {
			const struct label *l =
				&all[label_index(sort, __builtin_ctzll(bits))];

			if (sort == SORT_PROGRAM || sort == SORT_PARENT)
				spared &= !guard_program(l->path);
			else if (l->kinds &
				 (KIND_BIT(KIND_USER) | KIND_BIT(KIND_GROUP)))
				spared &= !guard_account(sort == SORT_USER ? KIND_USER
									   : KIND_GROUP,
							 l->number);
			else if (l->kinds & KIND_BIT(KIND_CGROUP))
				spared &= !in_cgroup(l);
		}
		spares |= spared;
	}
	return spares;
}

/* Does a rule do all that those of this command do, and for as long? */
static bool acts_alike(const struct rule *r)
{
	if (r->expires && (!opt.like.expires || r->expires < opt.like.expires))
		return false;
	return r->action == opt.like.action && r->error == opt.like.error &&
	       r->signal == opt.like.signal;
}

/* Refuse what would lock out who types this. */
static void guard(const struct object *o, const char *word)
{
	const char *vital;

	if (guard_call(o, word))
		FAIL(word,
		     "nothing would run any more, or nobody could take it back: give an --arg, --only-exe or --only-uid, or --force if you mean it");
	vital = guard_hit(o, word, opt.like.ops, opt.own);
	if (vital)
		FAIL(word,
		     "would lock you out of this machine (%s): --force if you mean it",
		     vital);
}

static void deny_one(const struct object *o, const char *word)
{
	const __u32 files = KIND_BIT(KIND_INODE) | KIND_BIT(KIND_TREE);
	struct object_key name = { .kind = KIND_NAME,
				   .a = o->name[0],
				   .b = o->name[1] };
	__u32 slots[MATCHES], oldest = NO_RULE;
	const struct rule *r;
	int n;

	n = rules_find(o, opt.like.ops, &opt.like, 0, slots);
	for (int i = 0; i < n; i++) {
		r = rule_at(slots[i]);
		if ((acts_alike(r) && (same_inode(r, o) || !(o->kinds & files))) ||
		    r->born > m.s.gen) {
			rule_report(r, o, o->text, o->len, "already there:");
			return;
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
	r = rule_comes(&opt.like, o, word, opt.reason, "");
	rule_report(r, o, o->text, o->len, action_names[r->action]);
}

static bool needs_above(__u32 ops)
{
	return ops & (OP_DELETE | OP_RENAME);
}

/* As resolve(): with --digest what files hold. */
static void resolve_word(struct object *o, const char *word, bool above)
{
	if (opt.digest)
		resolve_content(o, word);
	else
		resolve(o, word, above);
}

static void deny(void)
{
	bool harmless;

	if (!words_count && !opt.from_stdin)
		die(EX_USE, "no OBJECT given: see -h");
	quiet = opt.check;
	if (opt.apply.signal_only && opt.like.ops != OP_SYSCALL)
		refuse_signal_only(&opt.like, "--");
	rules_expire();
	if (opt.ttl)
		opt.like.expires = clock_ns(CLOCK_BOOTTIME) + opt.ttl;
	subjects_find();
	harmless = opt.force || opt.like.action == ACTION_AUDIT || spares_operator();
	for (size_t i = 0; i < words_count; i++) {
		struct object *o = xcalloc(1, sizeof(*o));
		const struct call_info *info = NULL;

		if (opt.like.ops & OP_SYSCALL)
			info = resolve_call(o, words[i]);
		else
			resolve_word(o, words[i], needs_above(opt.like.ops));
		/* who calls makes ready for it: see scripts/deny */
		if (o->kinds & KIND_BIT(KIND_DIGEST) && !opt.digest)
			FAIL(words[i], "a content: say --digest");
		advise(&opt.like, o, info, &opt.apply);
		guard_class(o, opt.like.ops);
		if (!harmless)
			guard(o, words[i]);
		deny_one(o, words[i]);
	}
	if (opt.check) {
		if (report)
			fprintf(report, "labels %u\n", labels_fresh);
		return;
	}
	if (opt.dry)
		return;
	write_batch();
	if (only_counted() && report)
		fprintf(report, "%u rules\n", reported);
}

static void label(void)
{
	subjects_find();
	write_labels();
}

static void allow_slot(__u32 slot)
{
	const struct rule *r = rule_at(slot);
	char *text = report ? text_read(r->id, TEXT_OBJECT, r->path_len) : NULL;

	if (text)
		rule_report(r, NULL, text, r->path_len, "no longer");
	if (r->policy)
		warn("rule %u: of policy %s, whose next apply brings it back", r->id,
		     policy_name(r->policy));
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

		if (!rule_in_force(r, m.s.gen) || r->ending)
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
			const struct rule *r = rule_named(v->slot[i]);

			if (!r)
				continue;
			if (!r->ending && r->id != said && !o->call &&
			    (!opt.like.ops || r->ops & opt.like.ops))
				warn("%s: still denied by rule %u of policy %s, which names the same %s",
				     shown(o->text, o->len), r->id,
				     policy_name(r->policy), by[k].what);
			said = r->id;
		}
	}
	if (only_counted())
		return;
	if (report && o->call)
		fputs("no rule is about just these calls: see list\n", report);
	else if (report)
		fprintf(report, "no rule names %s\n", shown(o->text, o->len));
}

static void allow(void)
{
	if (!words_count && !opt.from_stdin && !opt.all && !opt.ids_count)
		die(EX_USE, "no OBJECT given: see -h");
	rules_expire();
	if (opt.all || opt.ids_count)
		allow_scan();
	for (size_t i = 0; i < words_count; i++) {
		__u32 slots[MATCHES];
		struct object o;
		int n;

		if (opt.like.ops & OP_SYSCALL)
			resolve_call(&o, words[i]);
		else
			resolve_word(&o, words[i], false);
		n = rules_find(&o, opt.like.ops, NULL, 0, slots);
		for (int j = 0; j < n; j++)
			allow_slot(slots[j]);
		if (!n)
			still_denied(&o);
		free(o.text);
	}
	if (opt.dry)
		return;
	write_batch();
	if (only_counted() && report)
		fprintf(report, "%u rules removed\n", reported);
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

/*
 * Warn of writable mappings of what the rules of the last commit deny to write. Only now can no
 * more of them be made.
 */
static void mapped(void)
{
	struct object **objects = NULL;
	size_t n = 0;
	__u32 slot, high;

	if (words_count != 3 || sscanf(words[1], "%u", &slot) != 1 ||
	    sscanf(words[2], "%u", &high) != 1)
		die(EX_USE, "encode: mapped: want VERB LOW HIGH");
	verb = words[0];
	for (; slot <= high && slot < m.s.segments * SEGMENT_RULES; slot++) {
		const struct rule *r = rule_at(slot);
		struct object *o;

		if (!rule_in_force(r, m.s.gen) || r->born != m.s.gen ||
		    !(r->ops & OP_WRITE) || r->action == ACTION_AUDIT)
			continue;
		o = xcalloc(1, sizeof(*o));
		o->kinds = r->kinds;
		o->dev = r->dev;
		o->ino = r->ino;
		o->len = r->path_len;
		o->text = text_read(r->id, TEXT_OBJECT, r->path_len);
		objects = more(objects, n, sizeof(*objects));
		objects[n++] = o;
	}
	guard_mapped(objects, n);
}

/* Say whether the second layer stands alone, how many rules and how fast records may come. */
static void layers(void)
{
	__u32 zero = 0;
	struct hot h = m.h;

	if (opt.max_rules && opt.max_rules < m.s.rules)
		die(EX_FAILED, "--max-rules %u: %u rules are in force", opt.max_rules,
		    m.s.rules);
	if (opt.max_rules && opt.max_rules != m.s.max_rules) {
		next.max_rules = opt.max_rules;
		lines_state(&h, false);
	}
	h.flags = opt.second_only ? HOT_SECOND_ONLY : 0;
	line_hot(&h);
	if (opt.rate != NO_ID)
		line_update(PIN_MAPS "limits", &zero, sizeof(zero), &opt.rate,
			    sizeof(opt.rate));
}

/* --- the command line --- */

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

/* A time such as 90, 90s, 15m, 12h, 7d, 2w. Returns ns. */
static __u64 parse_time(const char *text, const char *what)
{
	static const struct {
		char unit;
		__u32 seconds;
	} units[] = { { 0, 1 },	     { 's', 1 },     { 'm', 60 },
		      { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (*text >= '0' && *text <= '9' && !errno && n && n < 1000000000 &&
		    *end == units[i].unit && (!*end || !end[1]) &&
		    n * units[i].seconds < 4000000000u)
			return n * units[i].seconds * 1000000000u;
	die(EX_USE, "%s: %s: want a time such as 90s, 15m, 12h, 7d", what,
	    shown(text, strlen(text)));
}

/* A point in time as `save` writes it. Returns ns of CLOCK_REALTIME. */
static __u64 parse_until(const char *text)
{
	struct tm tm = {};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	time_t t = end && !*end ? timegm(&tm) : -1;

	if (t <= 0)
		die(EX_USE, "until: %s: want a time such as 2030-12-31T23:59:59Z",
		    shown(text, strlen(text)));
	return t * 1000000000ull;
}

static __u8 parse_action(const char *text)
{
	for (__u8 i = ACTION_AUDIT; i <= ACTION_KILL; i++)
		if (!strcmp(text, action_names[i]))
			return i;
	die(EX_USE, "--action %s: want audit, deny or kill", shown(text, strlen(text)));
}

/* The number of an account, given as that or by its name in a file like /etc/passwd. */
static __u32 parse_account(const char *value, const char *option, const char *path)
{
	size_t len = strlen(value), room = 0;
	unsigned long long number = 0;
	char *line = NULL, *field;
	bool found = false;
	FILE *f;

	if (*value < 'A') /* not a name, whatever it is */
		return parse_number(value, option, 0, UINT32_MAX - 1);
	f = fopen(path, "re");
	while (f && !found && getline(&line, &room, f) > 0) {
		if (strncmp(line, value, len) || line[len] != ':')
			continue;
		field = strchr(line + len + 1, ':');
		found = field && sscanf(field + 1, "%llu", &number) == 1 &&
			number < UINT32_MAX;
	}
	free(line);
	if (f)
		fclose(f);
	if (!found)
		die(EX_USE, "%s: %s: not in %s: write the number", option,
		    shown(value, len), path);
	return number;
}

static void option_subject(const struct subject_option *option, const char *value)
{
	opt.subjects = more(opt.subjects, opt.subjects_count, sizeof(*opt.subjects));
	opt.subjects[opt.subjects_count++] = (struct subject){ option, value };
	opt.programs |= !option->kind;
}

static void option_name(char ***names, size_t *count, char *name)
{
	*names = more(*names, *count, sizeof(**names));
	(*names)[(*count)++] = name;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? at - digits : -1;
}

/* Turn hexadecimal digits into the bytes they say, which go to `to`. */
static void from_hex(char *to, const char *text)
{
	for (; *text; text += 2) {
		int high = hex_digit(text[0]), low = hex_digit(text[1]);

		if (high < 0 || low < 0 || !(high | low))
			die(EX_USE, "%s: want two hexadecimal digits a byte, not 00",
			    shown(text, strlen(text)));
		*to++ = high << 4 | low;
	}
	*to = 0;
}

/*
 * JSON has no bytes that are no UTF-8: what a file says in digits, `--OPTION-hex=DIGITS`,
 * becomes `--OPTION=BYTES`, where it is.
 */
static void options_from_hex(int argc, char **argv)
{
	static const char suffix[] = "-hex=";
	const size_t len = strlen(suffix);

	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		char *value = strchr(argv[i], '=');

		if (!value || ++value < argv[i] + len ||
		    strncmp(value - len, suffix, len))
			continue;
		value[-(ptrdiff_t)len] = '=';
		from_hex(value - len + 1, value);
	}
}

enum {
	STICKY = SUBJECT_OPTION + ARRAY_SIZE(subject_options),
	SCRIPTS,
	ARG,
	FD_OF,
	PATH_ARG,
	SIGNAL,
	RULE_ID,
	NAME,
	FROM,
	TTL,
	UNTIL,
	OPTIONAL,
	MONITOR,
	ENFORCE,
	FOR,
	PLAN,
	DIFF,
	PRUNE,
	REMOVE,
	SKIP,
	HEX,
	SAVED,
	SIGNAL_ONLY,
	LACKING,
	SIGNALLED,
	SIGNAL_ENTRY,
	DIGEST,
	NO_DIGEST,
	SLOTS,
	RUN,
	LOCK,
	TYPED,
	NEEDS,
	READY
};

static struct option longs[ARRAY_SIZE(subject_options) + 51] = {
	{ "ops", required_argument, NULL, 'o' },
	{ "action", required_argument, NULL, 'a' },
	{ "errno", required_argument, NULL, 'e' },
	{ "reason", required_argument, NULL, 'r' },
	{ "sticky", no_argument, NULL, STICKY },
	{ "scripts", no_argument, NULL, SCRIPTS },
	{ "arg", required_argument, NULL, ARG },
	{ "fd-of", required_argument, NULL, FD_OF },
	{ "path-arg", required_argument, NULL, PATH_ARG },
	{ "signal", required_argument, NULL, SIGNAL },
	{ "force", no_argument, NULL, 'f' },
	{ "stdin", no_argument, NULL, 's' },
	{ "null", no_argument, NULL, '0' },
	{ "check", no_argument, NULL, 'c' },
	{ "own", required_argument, NULL, 'w' },
	{ "id", required_argument, NULL, 'i' },
	{ "all", no_argument, NULL, 'A' },
	{ "max-rules", required_argument, NULL, 'm' },
	{ "records", required_argument, NULL, 'N' },
	{ "rate", required_argument, NULL, 'R' },
	{ "second-only", no_argument, NULL, 'S' },
	{ "rule", required_argument, NULL, RULE_ID },
	{ "name", required_argument, NULL, NAME },
	{ "file", required_argument, NULL, FROM },
	{ "ttl", required_argument, NULL, TTL },
	{ "until", required_argument, NULL, UNTIL },
	{ "optional", no_argument, NULL, OPTIONAL },
	{ "monitor", no_argument, NULL, MONITOR },
	{ "enforce", no_argument, NULL, ENFORCE },
	{ "for", required_argument, NULL, FOR },
	{ "plan", no_argument, NULL, PLAN },
	{ "diff", no_argument, NULL, DIFF },
	{ "prune", no_argument, NULL, PRUNE },
	{ "remove", required_argument, NULL, REMOVE },
	{ "skip", no_argument, NULL, SKIP },
	{ "hex", no_argument, NULL, HEX },
	{ "saved", no_argument, NULL, SAVED },
	{ "signal-only", no_argument, NULL, SIGNAL_ONLY },
	{ "lacking", required_argument, NULL, LACKING },
	{ "signalled", required_argument, NULL, SIGNALLED },
	{ "signal-entry", required_argument, NULL, SIGNAL_ENTRY },
	{ "digest", no_argument, NULL, DIGEST },
	{ "no-digest", no_argument, NULL, NO_DIGEST },
	{ "slots", no_argument, NULL, SLOTS },
	{ "run", no_argument, NULL, RUN },
	{ "lock", required_argument, NULL, LOCK },
	{ "typed", no_argument, NULL, TYPED },
	{ "needs", no_argument, NULL, NEEDS },
	{ "ready", no_argument, NULL, READY },
};

/* Those of subjects come behind. */
static void longs_complete(void)
{
	struct option *to = longs;

	while (to->name)
		to++;
	if (to[-1].val >= SUBJECT_OPTION && to[-1].val < STICKY)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(subject_options); i++) {
		const struct subject_option *s = &subject_options[i];

		*to++ = (struct option){ s->name,
					 s->kind == KIND_CONTAINER ? no_argument
								   : required_argument,
					 NULL, SUBJECT_OPTION + i };
	}
}

/* An option, `c` as in longs, with its value. */
static void option(int c, char *value)
{
	struct apply *a = &opt.apply;

	switch (c) {
	case 'o': opt.like.ops = parse_ops(value); break;
	case 'a': opt.like.action = parse_action(value); break;
	case 'e': opt.like.error = parse_errno(value); break;
	case 'r': opt.reason = value; break;
	case SUBJECT_OPTION ... STICKY - 1:
		option_subject(&subject_options[c - SUBJECT_OPTION], value);
		break;
	case STICKY: opt.label_flags |= LABEL_STICKY; break;
	case SCRIPTS: opt.label_flags |= LABEL_SCRIPTS; break;
	case ARG: call_option_arg(value); break;
	case FD_OF: call_option_fd_of(value); break;
	case PATH_ARG: call_option_path_arg(value); break;
	case SIGNAL: opt.like.signal = parse_signal(value); break;
	case 'f': opt.force = true; break;
	case 'c': opt.check = true; break;
	case 's': opt.from_stdin = true; break;
	case '0': opt.null = true; break;
	case 'w': opt.own = value; break;
	case 'i':
		opt.ids = more(opt.ids, opt.ids_count, sizeof(*opt.ids));
		opt.ids[opt.ids_count++] = parse_number(value, "--id", 1, UINT32_MAX);
		break;
	case 'A': opt.all = true; break;
	case 'm':
		opt.max_rules =
			parse_number(value, "--max-rules", 1, SEGMENTS * SEGMENT_RULES);
		break;
	case 'N':
		opt.records =
			parse_number(value, "--records", RECORDS_MIN, RECORDS_MAX);
		break;
	case 'R': opt.rate = parse_number(value, "--rate", 0, RATE_MAX); break;
	case 'S': opt.second_only = true; break;
	case RULE_ID: opt.id = value; break;
	case NAME: opt.name = value; break;
	case FROM: opt.file = value; break;
	case TTL: opt.ttl = parse_time(value, "--ttl"); break;
	case UNTIL: opt.until = parse_until(value); break;
	case OPTIONAL: opt.optional = true; break;
	case MONITOR: opt.apply.monitor = true; break;
	case ENFORCE: opt.apply.enforce = true; break;
	case FOR: opt.apply.lasts = parse_time(value, "--for"); break;
	case PLAN: opt.apply.plan = true; break;
	case DIFF: opt.apply.diff = true; break;
	case PRUNE: opt.apply.prune = true; break;
	case REMOVE: option_name(&a->removed, &a->removed_count, value); break;
	case SKIP: opt.apply.skip = true; break;
	case HEX: opt.hex = true; break;
	case SAVED: a->saved = true; break;
	case SIGNAL_ONLY: a->signal_only = true; break;
	case LACKING: option_name(&a->lacking, &a->lacking_count, value); break;
	case SIGNALLED: option_name(&a->signalled, &a->signalled_count, value); break;
	case SIGNAL_ENTRY: option_name(&a->entries, &a->entries_count, value); break;
	case DIGEST: opt.digest = true; break;
	case NO_DIGEST: a->no_digest = true; break;
	case SLOTS: opt.slots = true; break;
	case RUN: opt.run = true; break;
	case LOCK: opt.lock = parse_number(value, "--lock", 0, INT_MAX); break;
	case TYPED: opt.typed = true; break;
	case NEEDS: opt.needs = true; break;
	case READY: opt.ready = true; break;
	}
}

/* What options say of each other. */
static void options_check(void)
{
	if (strlen(opt.reason) >= REASON_LIMIT)
		die(EX_USE, "--reason is longer than %d bytes", REASON_LIMIT - 1);
	if (opt.like.signal && opt.like.action != ACTION_KILL)
		die(EX_USE, "--signal: only --action kill sends one");
	if (call_said() && opt.like.ops != OP_SYSCALL)
		die(EX_USE, "--arg, --fd-of and --path-arg: only of syscall");
	if (opt.like.signal == SIGKILL)
		opt.like.signal = 0;
	if (opt.label_flags && !opt.programs)
		die(EX_USE, "--sticky and --scripts want --only-exe or --unless-exe");
}

static void options(int argc, char **argv)
{
	int c;

	longs_complete();
	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		if (c != '?') {
			option(c, optarg);
			continue;
		}
		if (!opterr)
			die(EX_USE, "%s: not known here",
			    shown(argv[optind - 1], strlen(argv[optind - 1])));
		exit(EX_USE);
	}
	if (!opt.typed)
		options_check();
}

/* --- as an operator types it --- */

/* Is it `allow` whose words these are? Else `deny`. */
static bool allows(void)
{
	return !strcmp(verb, "allow");
}

/* The option of that name, of those that the verb has. Not a beginning of it. */
static const struct option *typed_option(const char *name, size_t len)
{
	static const int deny[] = { 'a', 'e', 'r', 'f', TTL, SIGNAL, STICKY, SCRIPTS },
			 allow[] = { 'i', 'A' },
			 both[] = { ARG, FD_OF, PATH_ARG, DIGEST, 's', '0' };
	const int *own = allows() ? allow : deny;
	size_t owned = allows() ? ARRAY_SIZE(allow) : ARRAY_SIZE(deny);

	for (const struct option *o = longs; o->name; o++) {
		bool is = !allows() && o->val >= SUBJECT_OPTION && o->val < STICKY;

		if (strlen(o->name) != len || memcmp(o->name, name, len))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(both); i++)
			is |= both[i] == o->val;
		for (size_t i = 0; i < owned; i++)
			is |= own[i] == o->val;
		return is ? o : NULL;
	}
	return NULL;
}

/* What a program of the system prints, its first line. NULL when that fails. To be freed. */
static char *printed_by(char *argv[])
{
	posix_spawn_file_actions_t actions;
	char *line = NULL;
	size_t room = 0;
	int fds[2], status;
	ssize_t n = -1;
	pid_t pid;
	FILE *f;

	if (pipe2(fds, O_CLOEXEC))
		return NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	status = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	f = status ? NULL : fdopen(fds[0], "r");
	if (f)
		n = getline(&line, &room, f);
	if (f)
		fclose(f);
	else
		close(fds[0]);
	while (!status && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n > 0 && !status)
		return line;
	free(line);
	return NULL;
}

/*
 * The number of a user or group, in digits, as it was typed or as this machine knows it, which may
 * ask a directory on the network: this program, linked statically, cannot.
 */
static char *typed_account(char *value, __u32 kind)
{
	char *id[] = { "id", "-u", "--", value, NULL };
	char *getent[] = { "getent", "group", "--", value, NULL };
	char *line, *digits;

	if (*value && !value[strspn(value, "0123456789")])
		return value;
	line = printed_by(kind == KIND_USER ? id : getent);
	digits = line;
	for (int field = 0; digits && kind == KIND_GROUP && field < 2; field++) {
		digits = strchr(digits, ':');
		digits += digits != NULL;
	}
	if (digits)
		digits[strspn(digits, "0123456789")] = 0;
	if (!digits || !*digits)
		die(EX_FAILED, "%s: no such %s", shown(value, strlen(value)),
		    kind == KIND_USER ? "user" : "group");
	return digits;
}

/* Is the word operations? An object has a slash, or a colon. */
static bool is_operations(const char *word)
{
	const char *at = word;

	while (*at >= 'a' && *at <= 'z') {
		while (*at >= 'a' && *at <= 'z')
			at++;
		if (!*at)
			return true;
		at += *at == ',';
	}
	return false;
}

/* Take the options out of the words. Returns how many are left. */
static int typed_options(int count, char **word)
{
	int n = 0;

	for (int i = 0; i < count; i++) {
		const struct option *o;
		char *at = word[i], *value;

		if (!strcmp(at, "--")) {
			while (++i < count)
				word[n++] = word[i];
			break;
		}
		if (*at != '-') {
			word[n++] = at;
			continue;
		}
		if (!strcmp(at, "-h") || !strcmp(at, "--help"))
			exit(EX_HELP);
		if (!strcmp(at, "--dry-run")) {
			opt.dry = true;
			continue;
		}
		value = strchr(at, '=');
		o = at[1] == '-' ? typed_option(at + 2, strcspn(at + 2, "=")) : NULL;
		if (!o || (value && o->has_arg == no_argument))
			die(EX_USE, "%s: unknown option: see %s -h",
			    shown(at, strlen(at)), verb);
		if (value)
			value++;
		else if (o->has_arg == required_argument && ++i == count)
			die(EX_USE, "%s lacks its value: see %s -h", at, verb);
		else if (o->has_arg == required_argument)
			value = word[i];
		if (o->val >= SUBJECT_OPTION && o->val < STICKY) {
			const struct subject_option *s =
				&subject_options[o->val - SUBJECT_OPTION];

			if (s->kind == KIND_USER || s->kind == KIND_GROUP)
				value = typed_account(value, s->kind);
		}
		option(o->val, value);
	}
	return n;
}

/* Print what is to be there before. */
static void typed_needs(int count, char **word)
{
	if (!report)
		return;
	if (!allows()) {
		fputs("ops", report);
		for (size_t i = 0; i < op_names_count; i++)
			if (op_names[i].ops & opt.like.ops)
				fprintf(report, " %s", op_names[i].name);
		if (opt.like.ops == OP_SYSCALL) {
			fputs("\ncalls", report);
			for (int i = 0; i < count; i++)
				fprintf(report, " %s", word[i]);
		}
		fprintf(report, "\naction %s\n%s%s", action_names[opt.like.action],
			opt.programs ? "programs\n" : "", opt.digest ? "digest\n" : "");
	}
	fprintf(report, "%s%s", opt.from_stdin ? "stdin\n" : "",
		opt.dry ? "dry-run\n" : "");
}

/*
 * The words as they were typed after the verb. Leaves the objects in front; returns how many
 * there are. Does not return when more is needed than one run.
 */
static int typed(int count, char **word)
{
	int n = typed_options(count, word);
	/* without a word on objects there are some */
	bool chosen = opt.from_stdin || opt.all || opt.ids_count;

	/* The first word is operations when it looks so, and is not all there is. */
	if (n && is_operations(word[0]) && (n > 1 || chosen)) {
		opt.like.ops = parse_ops(word[0]);
		memmove(word, word + 1, --n * sizeof(*word));
	}
	if (!n && !chosen)
		die(EX_USE, "no OBJECT: see %s -h", verb);
	if (!opt.like.ops && !allows())
		opt.like.ops = OP_EXEC;
	options_check();
	if (opt.like.ops == OP_SYSCALL && opt.from_stdin)
		die(EX_USE, "syscall: --stdin is for objects that are files");
	for (int i = 0; i < n && opt.like.ops == OP_SYSCALL; i++)
		if (allows() || n > 1 || strcmp(word[i], "?"))
			call_wanted(word[i]);
	if (opt.needs)
		typed_needs(n, word);
	else if (!opt.ready && !allows() &&
		 (opt.like.ops != OP_EXEC || opt.programs || opt.digest))
		exit(EX_MORE);
	return n;
}

/* --- a rule in a file --- */

/*
 * Take out of the words the programs that do not exist. Returns how many words are left;
 * whether those left out were the last of the only ones is in *nobody.
 */
static int words_existing(int argc, char **argv, bool *nobody)
{
	static const char *const programs[] = { "--only-exe=", "--unless-exe=",
						"--only-parent=", "--unless-parent=" };
	bool had[ARRAY_SIZE(programs)] = {}, has[ARRAY_SIZE(programs)] = {};
	int n = 0;

	for (int i = 0; i < argc; i++) {
		bool keep = true;

		for (size_t p = 0; p < ARRAY_SIZE(programs); p++) {
			size_t len = strlen(programs[p]);

			if (strncmp(argv[i], programs[p], len))
				continue;
			had[p] = true;
			keep = !access(argv[i] + len, F_OK) || errno != ENOENT;
			has[p] |= keep;
		}
		if (keep)
			argv[n++] = argv[i];
	}
	argv[n] = NULL;
	*nobody = (had[0] && !has[0]) || (had[2] && !has[2]);
	return n;
}

void words_parse(struct words *w, int argc, char **argv)
{
	static const struct rule like = { .action = ACTION_KILL, .error = EPERM };

	memset(w, 0, sizeof(*w));
	opt.like = like;
	opt.reason = opt.id = opt.name = opt.file = "";
	opt.ttl = opt.until = opt.apply.lasts = 0;
	opt.optional = opt.hex = opt.apply.monitor = false;
	opt.subjects_count = 0;
	opt.programs = false;
	opt.label_flags = 0;
	call_options_reset();
	options_from_hex(argc, argv);
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		w->optional |= !strcmp(argv[i], "--optional");
	if (w->optional)
		argc = words_existing(argc, argv, &w->left_out);
	optind = 0; /* glibc: begin anew */
	opterr = 0;
	options(argc, argv);
	if (!w->left_out)
		subjects_find();
	w->like = opt.like;
	w->reason = opt.reason;
	w->id = opt.id;
	w->object = optind < argc ? argv[optind] : "";
	if (opt.hex && optind < argc)
		from_hex(argv[optind], argv[optind]);
	w->ttl = opt.ttl;
	w->spares = spares_operator();
	w->monitor = opt.apply.monitor;
	w->until = opt.until;
	w->name = opt.name;
	w->file = opt.file;
}

#define CUT_OFF "an earlier command was cut off, and its rest cannot be removed"

static void maps_get(void)
{
	maps_open(&m);
	snprintf(objects_map, sizeof(objects_map), "id %u", m.objects_id);
	snprintf(texts_map, sizeof(texts_map), "id %u", m.texts_id);
	next = m.s;
}

/*
 * Have the lines run, under the lock, which is that of the descriptor and so of who gave it, too.
 * What an earlier command, cut off, left is finished or undone first: by a run of its
 * own, and then this program begins anew.
 */
static void begin(char **argv)
{
	struct hot h = {};
	__u32 zero = 0;
	int fd;

	if (opt.dry)
		return;
	while (opt.lock >= 0 && flock(opt.lock, LOCK_EX))
		if (errno != EINTR)
			die(EX_FAILED, "/sys/fs/bpf: the lock cannot be had: %s",
			    strerror(errno));
	if (!opt.run)
		return;
	lines_run();
	if (opt.recovers)
		return;
	fd = pin_open("maps/hot");
	if (fd < 0)
		return; /* said by run() */
	if (!map_lookup(fd, &zero, &h) && h.dirty) {
		maps_get();
		recover();
		if (!lines_end())
			die(EX_FAILED, CUT_OFF);
		execv("/proc/self/exe", argv);
		die(EX_FAILED, "/proc/self/exe: %s", strerror(errno));
	}
	close(fd);
}

/* A command on what is loaded. */
static void run(void)
{
	maps_get();
	if (opt.recovers) {
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
	} else if (!strcmp(verb, "apply")) {
		apply_policies(&opt.apply);
	} else if (!strcmp(verb, "mode")) {
		verb = "apply";
		policy_modes(&opt.apply, words, words_count);
	} else if (!strcmp(verb, "refresh")) {
		refresh();
	} else if (!strcmp(verb, "mapped")) {
		mapped();
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
	char **again, *said = NULL;
	size_t size = 0;
	__u32 low, high;

	if (argc < 2)
		die(EX_USE,
		    "usage: encode deny|label|apply|check|mode|allow|refresh|init|layers|recover [OPTION...] -- [OBJECT...]");
	again = xcalloc(argc + 1, sizeof(*again));
	memcpy(again, argv, argc * sizeof(*again));
	verb = argv[1];
	argv[1] = argv[0]; /* getopt names the program in its messages */
	setvbuf(stdout, big, _IOFBF, sizeof(big));
	if (fcntl(3, F_GETFD) >= 0)
		report = fdopen(3, "w");
	if (!strcmp(verb, "observe") || !strcmp(verb, "unobserve")) {
		observe(argc - 1, argv + 1, !strcmp(verb, "observe"));
		return lines_end() ? EX_DONE : EX_FAILED;
	}
	options(argc - 1, argv + 1);
	argc -= optind + 1;
	argv += optind + 1;
	opt.recovers = !strcmp(verb, "recover");
	if (opt.recovers && argc == 1)
		verb = argv[0];
	if (opt.typed)
		argc = typed(argc, argv);
	if (opt.needs)
		return EX_DONE;
	begin(again);
	free(again);
	/* What is reported has happened. */
	opt.run &= !opt.dry;
	if (opt.run && report)
		report = open_memstream(&said, &size);
	/* Labels are made before the rules, whose objects are still to be read then. */
	if (strcmp(verb, "label"))
		words_read(argc, argv);
	opt.apply.own = opt.own;
	opt.apply.force = opt.force;
	if (!strcmp(verb, "check")) {
		verb = "apply";
		offline = opt.apply.check = true;
		m.objects = m.texts = -1;
		apply_policies(&opt.apply);
	} else if (!strcmp(verb, "init")) {
		verb = "load";
		write_init(opt.max_rules ? opt.max_rules : SEGMENTS * SEGMENT_RULES,
			   opt.rate == NO_ID ? RATE_DEFAULT : opt.rate);
	} else if (!strcmp(verb, "records")) {
		/* 1 << 10: BPF_F_MMAPABLE */
		line_create("records", 1, "array", sizeof(__u32), sizeof(struct record),
			    opt.records, 1 << 10);
	} else {
		run();
	}
	if (opt.slots && report && coming_range(OP_WRITE, &low, &high))
		fprintf(report, "slots %u %u\n", low, high);
	if (!lines_end()) {
		if (opt.recovers)
			warn(CUT_OFF);
		else if (!opt.run)
			warn("writing the batch failed");
		return EX_FAILED;
	}
	if (opt.run && report) {
		fclose(report);
		report = fdopen(3, "w");
		if (!report || fwrite(said, 1, size, report) != size || fflush(report))
			return EX_FAILED;
	}
	return EX_DONE;
}

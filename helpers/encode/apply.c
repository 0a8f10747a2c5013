// SPDX-License-Identifier: GPL-2.0-only
/*
 * apply.c: policies from files, compared with those of the kernel; see encode.h.
 *
 * Standard input is words that end in a NUL byte, in records that end in an empty
 * word. The first word of a record says what it is; what follows are options as
 * `deny` has them:
 *
 *   policy --file=PATH --name=NAME [--monitor] [--until=TIME] [--reason=TEXT]
 *   rule --rule=ID [--ops=OP,...] [--action=A] [--errno=N] [--signal=S] [--reason=TEXT]
 *        [CALL...] [SUBJECT...] [--ttl=TIME | --until=TIME] [--optional] -- OBJECT
 *                 of the policy before it
 *   error TEXT    something is wrong with a file: nothing is done
 *
 * An option may say its value in hexadecimal digits: --reason-hex=DIGITS.
 *
 * A rule of the kernel's that says the same as one of its policy's file stays as it
 * is, with its number and hits. All others of these policies end, what is missing comes,
 * with the one commit of the batch.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "encode.h"

struct file {
	const char *path; /* as shown in messages */
	__u32 policy;
	bool monitor, changes; /* its mode, and whether that ends some time */
	bool broken;	       /* its rules are left out */
	__u32 rules, kept, fresh;
	__u32 ops; /* of a plan: what its rules name */
};
static struct file *files;
static size_t files_count;

/* A rule of a file. */
struct want {
	struct rule like;
	struct object *object;
	const struct call_info *call; /* NULL: it is none */
	const char *word, *id, *reason;
	char *key; /* what tells its object apart: its path, or the words of a call */
	size_t key_len;
	__u64 ttl;
	size_t file;
	bool kept;	   /* the kernel has it */
	struct want *same; /* one before it of the same object */
};
static struct want **wants; /* which stay where they are */
static size_t wants_count;

static bool *kept;		/* by slot: is in a file as it is */
static size_t problems, broken; /* of them are files */

static size_t digests; /* rules of a plan that are on content */

/* The calls that rules of a plan name, each once. */
static const char **named;
static size_t named_count;

/* --- what is wrong --- */

/* Something that `check` counts and all else dies of. */
#define WRONG(...)                                                                     \
	do {                                                                           \
		if (!offline)                                                          \
			die(EX_FAILED, __VA_ARGS__);                                   \
		warn(__VA_ARGS__);                                                     \
		problems++;                                                            \
	} while (0)

/* Something that only `check` says. */
#define LINT(...)                                                                      \
	do {                                                                           \
		if (offline) {                                                         \
			warn(__VA_ARGS__);                                             \
			problems++;                                                    \
		}                                                                      \
	} while (0)

static char *said_context;

static void context_set(const struct file *f, const char *id)
{
	free(said_context);
	said_context = NULL;
	if (f && asprintf(&said_context, id ? "%s: rule %s" : "%s", f->path,
			  id ? shown(id, strlen(id)) : "") < 0)
		die(EX_FAILED, "out of memory");
	context = said_context;
}

/* Where die() goes instead of ending the command, to look at the next rule. */
static jmp_buf next_rule;

static void go_on(void)
{
	problems++;
	longjmp(next_rule, 1);
}

/* --- rules of the same object --- */

static struct want **table;
static size_t table_size;

static struct want **text_place(const char *text, size_t len)
{
	__u64 h = 0xcbf29ce484222325;
	size_t i;

	for (size_t c = 0; c < len; c++)
		h = (h ^ (unsigned char)text[c]) * 0x100000001b3;
	for (i = h & (table_size - 1); table[i]; i = (i + 1) & (table_size - 1))
		if (table[i]->key_len == len && !memcmp(table[i]->key, text, len))
			break;
	return &table[i];
}

static void table_add(struct want *w)
{
	struct want **place;

	if (2 * wants_count >= table_size) {
		free(table);
		table_size = table_size ? 2 * table_size : 1024;
		table = xcalloc(table_size, sizeof(struct want *));
		/* chains stay, their last ones are found anew */
		for (size_t i = 0; i < wants_count; i++)
			*text_place(wants[i]->key, wants[i]->key_len) = wants[i];
	}
	place = text_place(w->key, w->key_len);
	w->same = *place;
	*place = w;
}

static bool same_subjects(const struct rule *a, const struct rule *b)
{
	return !memcmp(a->only, b->only, sizeof(a->only)) &&
	       !memcmp(a->except, b->except, sizeof(a->except));
}

static const char *rule_place(const struct want *w)
{
	static char *text;

	free(text);
	if (asprintf(&text, "rule %s of %s", shown(w->id, strlen(w->id)),
		     files[w->file].path) < 0)
		die(EX_FAILED, "out of memory");
	return text;
}

/*
 * Is `w` of no effect beside `by`, of the same object or a directory above it? What only
 * counts takes nothing from a rule that acts.
 */
static bool shadowed(const struct want *w, const struct want *by)
{
	const struct file *f = &files[w->file], *g = &files[by->file];

	if (w->file != by->file &&
	    (g->changes || (g->monitor && !f->monitor) || (g->monitor && f->changes)))
		return false;
	return by != w && !(w->like.ops & ~by->like.ops) &&
	       by->like.action >= w->like.action && !by->ttl && !by->like.expires &&
	       (!rule_has_subjects(&by->like) || same_subjects(&by->like, &w->like));
}

/* Compare with the rules before it that name the same object. */
static void compare(const struct want *w)
{
	const char *word = shown(w->word, strlen(w->word));

	for (const struct want *b = w->same; b; b = b->same) {
		const struct rule *x = &w->like, *y = &b->like;

		if (!same_subjects(x, y) || !(x->ops & y->ops))
			continue;
		/* One is tried out beside the other. */
		if (files[w->file].monitor != files[b->file].monitor)
			continue;
		if (x->action != y->action || x->error != y->error ||
		    x->signal != y->signal)
			WRONG("%s: conflicts with %s: the same operations on the same object",
			      word, rule_place(b));
		else if (x->ops == y->ops && x->policy == y->policy)
			WRONG("%s: says the same as %s", word, rule_place(b));
	}
}

/* Look for rules that can never decide, now that all are known. */
static void compare_all(void)
{
	for (size_t i = 0; i < wants_count; i++) {
		const struct want *w = wants[i], *by = NULL;
		const char *text = w->key;
		size_t len = w->key_len;

		context_set(&files[w->file], w->id);
		for (const struct want *b = *text_place(text, len); b && !by;
		     b = b->same)
			if (shadowed(w, b) &&
			    (!same_subjects(&b->like, &w->like) ||
			     b->like.action == w->like.action) &&
			    !(shadowed(b, w) && b > w))
				by = b;
		/* Of calls those of another path are others, or more than words can tell. */
		if (w->object->call)
			len = 0;
		while (!by && len > 1) {
			do
				len--;
			while (len && text[len - 1] != '/');
			for (const struct want *b = *text_place(text, len); b && !by;
			     b = b->same)
				if (shadowed(w, b))
					by = b;
		}
		if (by)
			LINT("%s: never decides: %s does as much",
			     shown(w->word, strlen(w->word)), rule_place(by));
	}
}

/* --- the files --- */

static char *input(size_t *len)
{
	size_t room = 1 << 20;
	char *text = xrealloc(NULL, room, 1);
	ssize_t n;

	*len = 0;
	while ((n = read(STDIN_FILENO, text + *len, room - *len)) > 0) {
		*len += n;
		if (*len == room)
			text = xrealloc(text, room *= 2, 1);
	}
	if (n < 0)
		die(EX_FAILED, "reading the policies failed: %s", strerror(errno));
	if (*len && (*len < 2 || text[*len - 1] || text[*len - 2]))
		die(EX_FAILED, "the policies end within a rule");
	return text;
}

static void file_read(int argc, char **argv, const struct apply *a)
{
	struct words w;
	struct file *f;

	files = more(files, files_count, sizeof(*files));
	f = &files[files_count++];
	memset(f, 0, sizeof(*f));
	if (a->skip) {
		on_death = go_on;
		if (setjmp(next_rule)) {
			on_death = NULL;
			broken++;
			f->broken = true;
			return;
		}
	}
	words_parse(&w, argc, argv);
	f->path = strdup(shown(w.file, strlen(w.file)));
	context_set(f, NULL);
	for (size_t i = 0; i + 1 < files_count; i++)
		if (!strcmp(policy_name(files[i].policy), w.name) && *w.name) {
			WRONG("policy %s is also in %s", w.name, files[i].path);
			break;
		}
	f->policy = policy_make(w.name);
	on_death = NULL;
	if (a->plan)
		return;
	if (a->monitor || a->enforce) {
		w.monitor = a->monitor;
		w.until = a->lasts ? clock_ns(CLOCK_REALTIME) + a->lasts : 0;
	} else if (w.until && w.until <= clock_ns(CLOCK_REALTIME)) {
		w.monitor = !w.monitor; /* that has been in the meantime */
		w.until = 0;
	}
	if (w.until) {
		const struct policy *p = &m.s.policy[f->policy];

		w.until -= boot_to_real();
		/* The same but for the rounding of the file: the same. */
		if (p->until && p->until / 1000000000 + 1 >= w.until / 1000000000 &&
		    p->until / 1000000000 <= w.until / 1000000000 + 1)
			w.until = p->until;
	}
	f->monitor = w.monitor;
	f->changes = w.until;
	policy_set(f->policy, w.monitor, w.until);
	policy_explain(f->policy, w.reason);
}

/* Does nothing of what a rule names exist, so that an optional one is left out? */
static bool missing(const char *word)
{
	return *word && word[strlen(word) - 1] == '/' && access(word, F_OK) &&
	       errno == ENOENT;
}

/* Is the word among those that the caller named for us? */
static bool among(const char *word, char **words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(words[i], word))
			return true;
	return false;
}

/* Die of a rule that this kernel cannot enforce, as the caller found out. */
static void possible(const struct words *p, const struct apply *a)
{
	const bool call = p->like.ops & OP_SYSCALL;

	if (call && among(p->object, a->lacking, a->lacking_count))
		die(EX_CANNOT, "%s: this kernel has no such system call", p->object);
	if (a->no_digest && is_digest(p->object))
		die(EX_CANNOT,
		    "%s: no program here can measure files by SHA-256: see doctor",
		    shown(p->object, strlen(p->object)));
	if (p->like.action == ACTION_DENY && call &&
	    among(p->object, a->signalled, a->signalled_count))
		die(EX_CANNOT,
		    "action deny: this kernel cannot make %s fail, see doctor: use kill, and the call may complete before the process dies",
		    p->object);
	if (!a->signal_only || call)
		return;
	refuse_signal_only(&p->like, "");
}

/* Remember a call of a plan. Dies when there is none of that name. */
static void call_planned(const char *name)
{
	if (!call_named(name))
		die(EX_USE, "%s: no such system call: deny syscall '?' lists them",
		    shown(name, strlen(name)));
	for (size_t i = 0; i < named_count; i++)
		if (!strcmp(named[i], name))
			return;
	named = more(named, named_count, sizeof(*named));
	named[named_count++] = name;
}

/* What tells the object of a rule apart from others. */
static void key_of(struct want *w)
{
	const struct object *o = w->object;
	FILE *f;

	w->key = o->text;
	w->key_len = o->len;
	if (!o->call)
		return;
	f = open_memstream(&w->key, &w->key_len);
	if (!f)
		die(EX_FAILED, "out of memory");
	print_call(f, o->call, o->pattern, o->text, o->len);
	fclose(f);
}

/* Die of a rule that would lock out who applies it. */
static void guard(const struct want *w, const struct words *p, const struct apply *a)
{
	const char *vital;

	if (w->like.action == ACTION_AUDIT || a->force || p->spares)
		return;
	if (guard_call(w->object, w->word))
		die(EX_FAILED,
		    "%s: nothing would run any more, or nobody could take it back: --force if you mean it",
		    shown(w->word, strlen(w->word)));
	vital = guard_hit(w->object, w->word, w->like.ops, a->own);
	if (vital)
		die(EX_FAILED,
		    "%s: would lock you out of this machine (%s): --force if you mean it",
		    shown(w->word, strlen(w->word)), vital);
}

static void rule_read(int argc, char **argv, const struct apply *a)
{
	struct file *f = files_count ? &files[files_count - 1] : NULL;
	struct words p;
	struct want *w;

	if (!f)
		die(EX_FAILED, "a rule without a policy");
	if (f->broken)
		return;
	/* For the messages, before all words are looked at. */
	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], "--rule=", 7))
			context_set(f, argv[i] + 7);
	if (a->skip || offline) {
		on_death = go_on;
		if (setjmp(next_rule)) {
			on_death = NULL;
			return;
		}
	}
	words_parse(&p, argc, argv);
	if (!p.like.ops)
		p.like.ops = OP_EXEC;
	if (p.left_out || (p.optional && missing(p.object)) ||
	    (p.until && p.until <= clock_ns(CLOCK_REALTIME))) {
		if (p.until)
			LINT("it was to end at a time that is past");
		on_death = NULL;
		return;
	}
	possible(&p, a);
	if (!a->plan) {
		w = xcalloc(1, sizeof(*w));
		w->file = files_count - 1;
		w->word = p.object;
		/* rules typed by hand have no ids, so those of their file are not kept */
		w->id = f->policy ? p.id : "";
		w->reason = p.reason;
		w->ttl = p.ttl;
		w->like = p.like;
		w->like.policy = f->policy;
		if (p.ttl)
			w->like.expires = clock_ns(CLOCK_BOOTTIME) + p.ttl;
		else if (p.until)
			w->like.expires = p.until - boot_to_real();
		w->object = xcalloc(1, sizeof(*w->object));
		if (w->like.ops & OP_SYSCALL)
			w->call = resolve_call(w->object, w->word);
		else
			resolve(w->object, w->word,
				w->like.ops & (OP_DELETE | OP_RENAME));
		key_of(w);
		guard_class(w->object, w->like.ops);
		guard(w, &p, a);
		if (offline)
			advise(&w->like, w->object, w->call, a);
		if (w->like.action == ACTION_AUDIT && w->like.error != EPERM)
			LINT("errno: nothing fails when it is only audited");
		/* What was in force together can be again. */
		if (!a->saved)
			table_add(w);
		wants = more(wants, wants_count, sizeof(*wants));
		wants[wants_count++] = w;
		f->rules++;
		if (!a->saved)
			compare(w);
	} else {
		if (p.like.ops & OP_SYSCALL)
			call_planned(p.object);
		digests += is_digest(p.object);
		f->rules++;
		f->ops |= p.like.ops;
	}
	on_death = NULL;
}

static void files_read(const struct apply *a)
{
	static char *argv[1024];
	size_t len, at = 0, errors = 0;
	char *text = input(&len);

	while (at < len) {
		int argc = 0;

		while (at < len && text[at]) {
			if (argc == (int)ARRAY_SIZE(argv) - 1)
				die(EX_FAILED, "more than %zu words for one rule",
				    ARRAY_SIZE(argv));
			argv[argc++] = text + at;
			at += strlen(text + at) + 1;
		}
		at++;
		argv[argc] = NULL;
		if (argc && !strcmp(argv[0], "policy")) {
			file_read(argc, argv, a);
		} else if (argc && !strcmp(argv[0], "rule")) {
			rule_read(argc, argv, a);
		} else if (argc == 2 && !strcmp(argv[0], "error")) {
			context = NULL;
			warn("%s", argv[1]);
			errors++;
		} else {
			die(EX_FAILED,
			    "the policies cannot be read: not words of ours");
		}
	}
	context_set(NULL, NULL);
	if (errors && !offline && !a->skip)
		exit(EX_FAILED);
	if (!offline)
		broken += errors;
	problems += errors;
}

/* --- the kernel --- */

static bool same_text(__u32 rule, __u16 what, size_t len, const char *text)
{
	char *have;
	bool same;

	if (strlen(text) != len)
		return false;
	if (!len)
		return true;
	have = text_read(rule, what, len);
	same = !memcmp(have, text, len);
	free(have);
	return same;
}

/* Does the rule end when the file says? */
static bool same_end(const struct rule *r, const struct want *w)
{
	const __u64 second = 1000000000;
	__u64 had, want;

	if (!r->expires || !w->like.expires)
		return !r->expires && !w->like.expires;
	if (!w->ttl) /* a time of day, in whole seconds */
		return r->expires + second >= w->like.expires &&
		       r->expires <= w->like.expires + second;
	/* A time from its beginning. The clock may have been set a little since. */
	had = r->expires + boot_to_real() - r->created;
	want = w->ttl;
	return had + second + want / 100 >= want && had <= want + second + want / 100;
}

/* Find the rule of the kernel's that is this one; have it follow its name. */
static void match(struct want *w)
{
	const __u32 files_kinds = KIND_BIT(KIND_INODE) | KIND_BIT(KIND_TREE);
	__u32 slots[MATCHES], moves = NO_RULE;
	const struct object *o = w->object;
	int n = rules_find(o, w->like.ops, &w->like, w->like.policy, slots);

	for (int i = 0; i < n && !w->kept; i++) {
		const struct rule *r = rule_at(slots[i]);

		if (kept[slots[i]] || r->action != w->like.action ||
		    r->error != w->like.error || r->signal != w->like.signal ||
		    !same_end(r, w) ||
		    !same_text(r->id, TEXT_REASON, r->reason_len, w->reason) ||
		    !same_text(r->id, TEXT_ID, r->id_len, w->id))
			continue;
		if (o->kinds & files_kinds && !same_inode(r, o)) {
			/* Another file has that name now. */
			if (o->kinds & r->kinds & KIND_BIT(KIND_NAME))
				moves = slots[i];
			continue;
		}
		kept[slots[i]] = w->kept = true;
	}
	if (w->kept || moves == NO_RULE)
		return;
	rule_moves(moves, o);
	kept[moves] = w->kept = true;
}

static void print_change(const struct apply *a, char sign, const struct rule *r,
			 const char *id, const char *text, size_t len)
{
	if (!report || !a->diff)
		return;
	fprintf(report, "%c %s/", sign, policy_name(r->policy));
	if (*id)
		fprintf(report, "%s: ", shown(id, strlen(id)));
	else
		fprintf(report, "%u: ", r->id);
	rule_print(r, NULL, action_names[r->action & 3], text, len);
}

/* End the rules of a policy that are in no file. Returns their number. */
static __u32 rules_end(const struct apply *a, const bool ends[POLICIES],
		       __u32 ended[POLICIES])
{
	__u32 n = 0;

	for (__u32 slot = 0; slot < m.s.segments * SEGMENT_RULES; slot++) {
		const struct rule *r = rule_at(slot);

		if (!rule_in_force(r, m.s.gen) || r->ending || !ends[r->policy] ||
		    kept[slot])
			continue;
		if (report && a->diff) {
			char *text = text_read(r->id, TEXT_OBJECT, r->path_len);
			char *id = text_read(r->id, TEXT_ID, r->id_len);

			print_change(a, '-', r, id, text, r->path_len);
			free(text);
			free(id);
		}
		rule_ends(slot);
		ended[r->policy]++;
		n++;
	}
	return n;
}

static void print_policy(const struct file *f, __u32 ended)
{
	const struct policy *p = &next.policy[f->policy];
	__u64 now = clock_ns(CLOCK_BOOTTIME);

	if (!report)
		return;
	fprintf(report, "policy %s: %s, %u rules: %u new, %u unchanged, %u gone\n",
		policy_name(f->policy), policy_monitors(p, now) ? "monitor" : "enforce",
		f->rules, f->fresh, f->kept, ended);
}

/* What is to be there before the rules: operations, actions, labels. */
static void print_plan(void)
{
	__u32 ops = 0;

	for (size_t i = 0; i < files_count; i++)
		ops |= files[i].ops;
	if (report) {
		fprintf(report, "labels %u\nops ", labels_fresh);
		for (size_t i = 0, any = 0; i < op_names_count; i++)
			if (ops & op_names[i].ops)
				fprintf(report, "%s%s", any++ ? " " : "",
					op_names[i].name);
		fprintf(report, "\nprograms %u\ndigests %zu\ncalls",
			labels_programs_taken(), digests);
		for (size_t i = 0; i < named_count; i++)
			fprintf(report, " %s", named[i]);
		fputc('\n', report);
	}
	write_labels();
}

void apply_policies(const struct apply *args)
{
	const struct apply copy = *args, *a = &copy; /* the words of rules change it */
	bool ends[POLICIES] = {};
	__u32 ended[POLICIES] = {};

	files_read(a);
	if (offline) {
		compare_all();
		context_set(NULL, NULL);
		if (problems)
			die(EX_FAILED, "%zu problems", problems);
		return;
	}
	if (a->plan) {
		print_plan();
		return;
	}
	rules_expire();
	kept = xcalloc(m.s.segments * (size_t)SEGMENT_RULES, sizeof(*kept));
	for (size_t i = 0; i < files_count; i++)
		ends[files[i].policy] |= !files[i].broken;
	for (size_t i = 0; i < a->removed_count; i++) {
		int policy = policy_find(a->removed[i]);

		if (policy < 0)
			die(EX_FAILED, "%s: no such policy: see policies",
			    shown(a->removed[i], strlen(a->removed[i])));
		if (ends[policy])
			die(EX_USE, "--remove %s: a file has it as well",
			    a->removed[i]);
		ends[policy] = true;
		policy_goes(policy);
	}
	if (a->prune && broken)
		warn("a file is broken: policies that are in no other stay as they are");
	for (__u32 i = a->prune && !broken ? 1 : POLICIES; i < POLICIES; i++)
		if (policy_used(i) && !ends[i]) {
			ends[i] = true;
			policy_goes(i);
		}
	for (size_t i = 0; i < wants_count; i++)
		match(wants[i]);
	rules_end(a, ends, ended);
	for (size_t i = 0; i < wants_count; i++) {
		const struct want *w = wants[i];
		const struct rule *r;

		files[w->file].kept += w->kept;
		if (w->kept)
			continue;
		context_set(&files[w->file], w->id);
		advise(&w->like, w->object, w->call, a);
		r = rule_comes(&w->like, w->object, w->word, w->reason, w->id);
		print_change(a, '+', r, w->id, w->object->text, w->object->len);
		files[w->file].fresh++;
	}
	context_set(NULL, NULL);
	for (size_t i = 0; i < files_count; i++) {
		struct file *f = &files[i];

		if (f->broken)
			continue;
		if (f->fresh || ended[f->policy] || policy_changed(f->policy))
			next.policy[f->policy].created = clock_ns(CLOCK_REALTIME);
		print_policy(f, ended[f->policy]);
	}
	for (__u32 i = 0; report && i < POLICIES; i++)
		if (ends[i] && !policy_used(i))
			fprintf(report, "policy %s: removed, %u rules\n",
				policy_name(i), ended[i]);
	write_batch();
	if (problems && report)
		fprintf(report, "left out %zu rules, %zu files\n", problems - broken,
			broken);
}

void policy_modes(const struct apply *a, char **names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int policy = policy_find(names[i]);
		__u64 now = clock_ns(CLOCK_BOOTTIME);

		if (policy < 0)
			die(EX_FAILED, "%s: no such policy: see policies",
			    shown(names[i], strlen(names[i])));
		policy_set(policy, a->monitor, a->lasts ? now + a->lasts : 0);
		if (policy_changed(policy))
			next.policy[policy].created = clock_ns(CLOCK_REALTIME);
		if (report)
			fprintf(report, "policy %s: %s\n", names[i],
				a->monitor ? "monitor" : "enforce");
	}
	rules_expire();
	write_batch();
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * encode.h: what the parts of the helper `encode` share.
 *
 *   lines.c    lines for `bpftool batch`
 *   tables.c   rules, entries and filter as they will be when the batch has run
 *   object.c   objects and programs as the operator names them
 *   policy.c   policies, sets of rules by name
 *   apply.c    policies from files, compared with those of the kernel
 *   subject.c  labels: programs, users and other subjects of rules
 *   call.c     system calls as the operator names them
 *   advice.c   what to know before one is denied
 *   observe.c  what is observed
 *   guard.c    what must not be denied by accident
 *   batch.c    the batch itself, and what removes the rest of one that was cut off
 */
#ifndef HELPERS_ENCODE_H
#define HELPERS_ENCODE_H

#include <sys/types.h>
#include "../cotter.h"
#include "../calls.h"

#define PIN_MAPS "pinned " PIN_ROOT "/maps/"
#define PIN_NEW PIN_ROOT "/new/"
/*
 * Room for the keys of any set of kinds, the second name of a call included; those of
 * chains apart. A rule of ours has four at most, but what is in the map may be anything.
 */
#define RULE_KEYS 8

extern struct maps m;	  /* what is pinned, as it is now */
extern struct state next; /* the state after the commit */
extern FILE *report;	  /* for the operator, NULL when nobody reads it */
extern bool offline;	  /* nothing is loaded, or shall not be looked at: `check` */

/* An object as it is printed in a message. The text lasts for three more calls. */
const char *shown(const char *s, size_t len);

/* Die with "word: message", EX_FAILED. */
void fail_object(const char *word, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));
#define FAIL(word, ...) fail_object(word, __VA_ARGS__)

/* Append one element to an array of `n`; doubles at each power of two. */
void *more(void *array, size_t n, size_t size);

/* --- lines.c --- */

/*
 * Have the lines that follow run by `bpftool batch`, not printed: it is started with the first.
 * First away with the pins of new maps that a run before left; to be called under the lock.
 */
void lines_run(void);

/*
 * There are no more. Returns false when they could not be written, or not be run: why, bpftool
 * has then said, as messages of ours.
 */
bool lines_end(void);

void line_update(const char *map, const void *key, size_t key_size, const void *value,
		 size_t value_size);
void line_delete(const char *map, const void *key, size_t key_size);

/* Make map `name`, pinned as number `number` among what is not yet in its place. */
void line_create(const char *name, unsigned int number, const char *type, size_t key,
		 size_t value, __u32 entries, int flags);

/* The same, pinned at `path`. */
void line_create_at(const char *path, const char *type, size_t key, size_t value,
		    __u32 entries, const char *name, int flags);

/* Put that map into the outer map `outer` at `index`. */
void line_insert(const char *outer, __u32 index, const char *name, unsigned int number);

/* Put `map`, as bpftool names it, there. */
void line_put(const char *outer, __u32 index, const char *map);
void line_hot(const struct hot *h);

/* --- tables.c --- */

/* How bpftool names the inner maps: by id, or by pin when made in this batch. */
extern char objects_map[96], texts_map[96];

struct cached {
	struct segment seg;
	char rules[64], hits[64], rates[64]; /* how bpftool names them */
};
struct cached *segment(__u32 n);
struct rule *rule_at(__u32 slot);
/*
 * The rule that an entry of `objects` names: of this batch or from the map, where it may
 * be any number. NULL: there is none in that slot.
 */
const struct rule *rule_named(__u32 slot);
void line_rule(__u32 slot);

/* An entry of `objects` that this batch looks at. */
struct entry {
	struct object_key key;
	struct object_rules value; /* what it is while the batch commits */
	struct object_rules *left; /* what is left of it then, NULL: the same */
	bool exists;		   /* in the map, before the batch */
	bool changed;		   /* to be written before the commit */
	bool goes;		   /* to be deleted after it */
};
struct entry *entry(const struct object_key *key);
extern size_t entries_count;
struct entry *entry_number(size_t i);

/* Add a rule. Returns false when there is no room. */
bool entry_add(struct entry *e, __u32 slot);

/* Have a rule taken out after the commit. */
void entry_leave(struct entry *e, __u32 slot);

/* Keys of a rule, those of its chains apart. Returns their number. */
int rule_keys(const struct rule *r, struct object_key key[RULE_KEYS]);

/* A directory that lies above objects, and its chain of entries. */
struct dir {
	__u32 dev, inode_gen;
	__u64 ino;
	bool probed;   /* `number` is known, */
	__u32 number;  /*   the entry where room is looked for first */
	bool wrapped;  /*   (again from 0) */
	bool left;     /* some rule leaves it, */
	__u32 highest; /*   the highest-numbered entry of those */
};
struct dir *dir_at(__u32 dev, __u64 ino, __u32 inode_gen);

/* Name a rule in the chain of a directory. Returns false when the chain is full. */
bool chain_add(struct dir *d, __u32 slot, struct above *where);

/* Have a rule taken out of the entry it is in. */
void chain_leave(const struct above *where, __u32 slot);

/*
 * After all entry_leave() and chain_leave(): decide which entries go. Sets
 * entry.goes. Returns their number.
 */
__u32 entries_settle(void);

/* Write the entries that come or grow; take out what is left over. */
void lines_entries(void);
void lines_entries_out(void);

/*
 * Set the bits of a filter hash, and of a directory with all beneath it; write what changed, and
 * at once to the sketch; have the filter forget all.
 */
void filter_set(__u64 h);
void filter_set_tree(__u32 dev, __u64 ino);
void lines_filter(void);
void lines_filter_clear(void);

/* Parts of a text in `texts`. */
static inline __u32 parts(size_t len)
{
	return (len + TEXT_PART - 1) / TEXT_PART;
}
__u32 rule_parts(const struct rule *r);

/* Read a text of a rule. Returns `len` bytes and a NUL, to be freed. */
char *text_read(__u32 id, __u16 what, size_t len);
void lines_text(__u32 id, __u16 what, const void *text, size_t len);
void lines_delete_text(__u32 id, __u16 what, __u32 parts);
void lines_delete_texts(const struct rule *r);

/* --- object.c --- */

/* A place in the tree of directories, with all that is above it, itself included. */
struct place {
	__u64 mount;
	struct dir *dir;
	struct place *parent;
	struct dir **above;
	__u32 count;
};

struct object {
	char *text; /* canonical path, `/` behind a directory; what is listed */
	size_t len;
	__u32 kinds;
	__u32 dev, inode_gen, fs_dev;
	__u64 ino;
	__u64 name[2], fspath[2];
	__u64 leaf[2]; /* filter hashes of the last component: of its path, in its file system */
	const struct place *place; /* the directory it is in, if that was asked for */
	dev_t st_dev;		   /* as stat(2) shows them, */
	ino_t st_ino;		   /*   to compare with programs' */
	__u64 size;		   /* of KIND_DIGEST: of such a file; 0: not known */
	/* of a system call; the rest is the file behind a descriptor, or the key */
	struct call_rule *call;
	char *pattern;	 /* its `pattern_len` bytes */
	bool whole_call; /* no condition leaves calls of that number alone */
};

/*
 * Resolve a word of the operator's to an object; with `above` its directories as
 * well. Dies when it is none.
 */
void resolve(struct object *o, const char *word, bool above);

/*
 * Resolve a word to what a file holds: `sha256:` and 64 digits, maybe `:` and its size, which
 * resolve() takes as well, or the file. Dies when it is neither.
 */
void resolve_content(struct object *o, const char *word);

/* Does the word say a digest, well formed or not? */
bool is_digest(const char *word);

/* The digest of an object of KIND_DIGEST as the kernel's numbers. */
void digest_of(__u64 digest[4], const struct object *o);

/* Ask the kernel who a descriptor is. `sip`: hash of what is beneath it, or NULL. */
void identify(int fd, const struct sip *sip, struct identify *id, const char *word);

/* The deepest directory of `word` that exists; its length there in *len. */
int deepest(const char *word, size_t *len);

/* Have a path of /proc/self/mountinfo be as it is, without escapes. */
void mountinfo_plain(char *text);

/* The operations of a comma-separated list, which is destroyed. Dies of a wrong one. */
__u32 parse_ops(const char *list);

/*
 * Resolve the text of a rule again. Returns false when there is no regular file
 * of that name now.
 */
bool resolve_again(struct object *o, const char *path);

/*
 * Resolve an exempt program, the value of `option`, to a label without refs and
 * flags, and set the filter for it. Dies when it is none.
 */
void resolve_program(struct label *l, const char *option, const char *word);

/*
 * Resolve a cgroup of version 2, by a path within its file system or as
 * /proc/PID/cgroup has it, to such a label. It need not exist. Dies when it is none.
 */
void resolve_cgroup(struct label *l, const char *option, const char *word);

/* Is this process in that cgroup, or beneath it? */
bool in_cgroup(const struct label *l);

/* --- subject.c --- */

/*
 * The bit of a label, which is made when there is none. Dies when all are taken.
 * `labels_fresh` counts those that running processes do not have. Of a number, the
 * kind is KIND_USER, KIND_GROUP or KIND_CONTAINER.
 */
__u64 label_program(const char *option, const char *word, __u32 flags);
__u64 label_number(__u32 kind, __u32 number);
__u64 label_cgroup(const char *option, const char *word);
extern unsigned int labels_fresh;

/* How many labels of programs this command uses. */
unsigned int labels_programs_taken(void);

/* All labels, by label_index(), as they will be. */
const struct label *labels(void);

/* Count a rule's labels in or out. */
void labels_count(const struct rule *r, int by);

/*
 * Lines for what rules need before they come, lines for the rest: `keep` keeps
 * this command's labels though no rule is there yet. Both set the labels of `h`.
 */
void lines_labels(struct hot *h, bool keep);
void lines_labels_out(struct hot *h, bool keep);

/* Begin to count labels anew, in recover. */
void labels_recount(void);

/* --- call.c --- */

/* Options that say which calls are meant. They die when they are none. */
void call_option_arg(const char *text);
void call_option_fd_of(const char *text);
void call_option_path_arg(const char *text);
bool call_said(void);
void call_options_reset(void);
__u8 parse_signal(const char *text);
__u16 parse_errno(const char *text);

/* The system call of that name. Dies when there is none. */
const struct call_info *call_wanted(const char *word);

/* Resolve the name of a system call, with those options. Dies when it is none. */
const struct call_info *resolve_call(struct object *o, const char *word);

/* TEXT_CALL of a rule for `o`, to be freed, and its length; 0: `o` is no call. */
size_t call_text_len(const struct object *o);
char *call_text(const struct object *o, __u32 id);

/* Is the rule about just these calls? */
bool same_call(const struct rule *r, const struct object *o);

/* Print what the rule is about. `o`: NULL when it is in force. */
void report_call(FILE *to, const struct rule *r, const struct object *o,
		 const char *path, size_t len);

/*
 * Count a rule in or out of what `calls` will say. `o`: NULL when it is in force.
 * Returns false when its call has as many kinds of keys as there can be.
 */
bool calls_count(const struct rule *r, const struct object *o, int by);
void calls_recount(void);

/* Lines for what rules need before they come, lines for the rest. */
void lines_calls(void);
void lines_calls_out(void);

/* --- advice.c --- */

/* Does nothing go on, or is the operator cut off, without this call? */
bool call_is_vital(const char *name);

/*
 * Say what a rule on `o` does not reach, and what would do better: once of each call. `info`:
 * of its call, NULL when it is none.
 */
struct apply;
void advise(const struct rule *r, const struct object *o, const struct call_info *info,
	    const struct apply *a);

/* Refuse what backend kill cannot do, of a rule on files, whose words begin with `dashes`. */
void refuse_signal_only(const struct rule *like, const char *dashes);

/* --- policy.c --- */

/* The policy of that name: its index, or -1. */
int policy_find(const char *name);

/* The same, which is made when there is none. Dies when all are taken. */
__u32 policy_make(const char *name);
const char *policy_name(__u32 policy);
bool policy_used(__u32 policy);

/* Set mode and reason; take away all but its rules. */
void policy_set(__u32 policy, bool monitor, __u64 until);
void policy_explain(__u32 policy, const char *reason);
void policy_goes(__u32 policy);

/* Will one, or any, be another than it is? */
bool policy_changed(__u32 policy);
bool policies_changed(void);

/* Parts of texts: of one policy; of those that come; of those that go. */
__u32 policy_parts(const struct policy *p);
__u32 policies_parts_new(void);
__u32 policies_parts_old(void);
void lines_policies(void);
void lines_policies_out(void);

/* --- encode.c: the words of a rule --- */

struct words {
	struct rule like;	 /* as it will be, without its object */
	const char *id, *reason; /* id: in its file */
	const char *object;
	__u64 ttl;	  /* ns that it is to hold, 0: no limit or a fixed end */
	bool optional;	  /* it is left out when what it names does not exist */
	bool left_out;	  /* it is about programs only, and there are none */
	bool spares;	  /* who repairs mistakes is not subject to it */
	bool monitor;	  /* of a policy: its mode, */
	__u64 until;	  /*   until when, 0: for good, */
	const char *name; /*  its name, and where it is from */
	const char *file;
};

/* Parse the words of a rule or policy, of which the first is not looked at. */
void words_parse(struct words *w, int argc, char **argv);

#define MATCHES (3 * OBJECT_RULES)

/*
 * Find the rules of a policy that name this object as the operator does: with `ops`,
 * those with just these; with `like`, those of its subjects. Returns their number.
 */
int rules_find(const struct object *o, __u32 ops, const struct rule *like, __u32 policy,
	       __u32 slots[MATCHES]);
bool same_inode(const struct rule *r, const struct object *o);

/* Print what a rule forbids to `report`, behind what the caller has printed. */
void rule_print(const struct rule *r, const struct object *o, const char *what,
		const char *text, size_t len);

/* --- apply.c --- */

struct apply {
	bool check;	       /* look for all that is wrong, change nothing */
	bool diff;	       /* report each rule */
	bool prune;	       /* policies without a file go */
	bool skip;	       /* leave out rules that fail, instead of failing */
	bool force;	       /* also what would lock out */
	bool plan;	       /* report what is needed before, write labels */
	bool monitor, enforce; /* instead of the mode that the file has */
	__u64 lasts;	       /* ns that mode is to last, 0: for good */
	const char *own;
	bool saved; /* the files are what was in force: no need to compare rules */
	bool signal_only; /* nothing can be made to fail but calls */
	bool no_digest;	  /* files cannot be measured */
	char **removed;	  /* names of policies */
	char **lacking;	  /* calls that this kernel lacks */
	char **signalled; /* calls that it cannot make fail, */
	char **entries; /*   and entries of calls of which there is the signal alone */
	size_t removed_count, lacking_count, signalled_count, entries_count;
};

/* Have the policies read from stdin be what is in force. */
void apply_policies(const struct apply *a);

/* Put policies into a mode. */
void policy_modes(const struct apply *a, char **names, size_t count);

/* --- guard.c --- */

/*
 * Is the program, or user or group, one that this process or what led to it is, or that
 * an operator logs in by?
 */
bool guard_program(const char *path);
bool guard_account(__u32 kind, __u32 number);

/* Die when an object is a class or a content of which these operations are not asked. */
void guard_class(const struct object *o, __u32 ops);

/* Is it a call, whatever its arguments, without which nothing runs? `word` names it. */
bool guard_call(const struct object *o, const char *word);

/*
 * Returns what the object of a rule on `ops` names or contains that may not be denied, or
 * NULL. `word` names it. `own`: our folder or NULL.
 */
const char *guard_hit(const struct object *o, const char *word, __u32 ops,
		      const char *own);

/* Warn of objects that a process has mapped shared and writable. */
void guard_mapped(struct object *const *objects, size_t count);

/* --- observe.c --- */

/* The commands `observe` and `unobserve`, whole; `on`: the first. */
void observe(int argc, char **argv, bool on);

/* --- batch.c --- */

/*
 * Make a rule for `o`, with the operations, action, error, subjects, policy and end of
 * `like`. `reason` and `id` must last until the batch is written.
 */
const struct rule *rule_comes(const struct rule *like, const struct object *o,
			      const char *word, const char *reason, const char *id);

/* Have the rules end whose time has run out. Before any other change. */
void rules_expire(void);

/* Have a rule that is in force end with the commit. */
void rule_ends(__u32 slot);

/*
 * The lowest and the highest slot of the new rules on one of these operations that do
 * more than count. Returns false when there is none.
 */
bool coming_range(__u32 ops, __u32 *low, __u32 *high);

/* Have a rule that is in force follow its name to another file. Keeps all else. */
void rule_moves(__u32 slot, const struct object *o);

/* Write the batch, if there is anything to be done. */
void write_batch(void);

/* The first lines after the maps were made. `rate`: of records. */
void write_init(__u32 max_rules, __u32 rate);

/*
 * Lines that put `next` in the place of the state in force, which `h` names, and `wait`:
 * until nobody decides any more by what was in force.
 */
void lines_state(struct hot *h, bool wait);

/* Lines that make labels known, if there are new ones. */
void write_labels(void);

/* Undo or finish what a batch that was cut off began. */
void recover(void);

#endif

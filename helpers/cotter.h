/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cotter.h: what the helpers share: the pinned maps, read only, and messages.
 *
 * The helpers read maps through bpf(2) themselves, since a rule may be one of
 * a million. They never write one: what is to be written goes to stdout as
 * lines for `bpftool batch`.
 */
#ifndef HELPERS_COTTER_H
#define HELPERS_COTTER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>
#include <linux/types.h>
#include "../bpf/abi.h"
#include "../bpf/lib/hash.h"

#define PIN_ROOT "/sys/fs/bpf/cotter"
/* The generation that an upgrade builds; after it, what was loaded before and has to go. */
#define PIN_NEXT PIN_ROOT "-next"
extern const char *pin_root; /* which of the two pin_open() looks in */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Exit statuses, the same for every command; see the README. */
enum { EX_DONE, EX_FAILED, EX_USE, EX_NOT_LOADED, EX_NO_PERMISSION, EX_CANNOT };
/* And of what an operator typed, said to the script that asks (`encode --typed`): */
enum {
	EX_HELP = EX_CANNOT + 1, /* to be helped is all that it wants */
	EX_MORE			 /* it takes more than this run */
};

/* The command a message is from, e.g. "deny". Set first thing in main(). */
extern const char *verb;

/* warn() says nothing: this run only asks whether another one would be refused. */
extern bool quiet;

/* What die() makes of EX_FAILED, for a command whose own 1 means something else. */
extern int failure;
/* What the command is at, printed behind `verb`, e.g. "FILE: rule ID". Or NULL. */
extern const char *context;

/* Called by die() after the message, when set. Need not return. */
extern void (*on_death)(void);

/* Print "verb: message" to stderr and exit with `status`. */
void die(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);

/*
 * Print bytes for a person: as they are when all are plain, else in quotes or in
 * the shell's $'...' form, so that no name can fake another line or a terminal
 * sequence. The text is valid input for bash.
 */
void print_quoted(FILE *to, const char *s, size_t len);

bool is_utf8(const char *s, size_t len);

/*
 * Print a JSON string. Bytes that are not UTF-8 become U+FFFD.
 * Returns false if there were such bytes.
 */
bool print_json(FILE *to, const char *s, size_t len);

/* Descriptors of what is loaded. */
struct maps {
	int hot, filter, stats; /* the maps themselves */
	int labels, subjects, calls;
	int rules, hits, rates; /* outer maps */
	int state;
	int objects, texts; /* inner maps of the moment */
	__u32 objects_id, texts_id;
	struct hot h;
	struct state s;
	int cpus;
};

/* Open the pinned maps; dies with EX_NOT_LOADED or EX_NO_PERMISSION. */
void maps_open(struct maps *m);

/* Open a pinned map or program. Returns a descriptor, or -1 with errno. */
int pin_open(const char *name);

/* Read one element. Returns 0, or -1 with errno. */
int map_lookup(int fd, const void *key, void *value);

/* Open the inner map at `index`. Returns a descriptor or -1; its id in *id. */
int inner_open(int outer, __u32 index, __u32 *id);

/*
 * Run `each` on every element of a map, in no order. Keys and values have the
 * sizes given. Dies when the map cannot be read.
 */
void map_each(int fd, size_t key_size, size_t value_size, __u32 max,
	      void (*each)(const void *key, const void *value, void *arg), void *arg);

/* One segment of rules, the sums of their hits over all CPUs, their rates of records. */
struct segment {
	struct rule rule[SEGMENT_RULES];
	__u64 hits[SEGMENT_RULES];
	struct rate rate[SEGMENT_RULES];
	__u32 rules_id, hits_id, rates_id;
};

/* Read segment `n`, with `counts` also hits and rates. Dies when it cannot be read. */
void segment_read(const struct maps *m, __u32 n, struct segment *seg, bool counts);

/* Read all labels into an array of LABEL_SORTS * LABELS. A path that cannot be ours is left out. */
void labels_read(const struct maps *m, struct label *labels);

/* Run a pinned program of type syscall on `arg`. Returns 0, or -1 with errno. */
int program_run(int fd, void *arg, size_t size);

/* Nanoseconds of a clock. */
__u64 clock_ns(clockid_t clock);

/* What is to be added to a time of CLOCK_BOOTTIME to have it in CLOCK_REALTIME. */
static inline __u64 boot_to_real(void)
{
	return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
}

/* Is the policy in monitor mode at a time of CLOCK_BOOTTIME? */
static inline bool policy_monitors(const struct policy *p, __u64 boot)
{
	bool monitor = p->flags & POLICY_MONITOR;

	return p->until && boot >= p->until ? !monitor : monitor;
}

/* Is the rule part of generation `gen`? */
static inline bool rule_in_force(const struct rule *r, __u64 gen)
{
	return r->born && r->born <= gen && !(r->ending && r->died <= gen);
}

/* Has its time run out? It may still be part of the generation. */
static inline bool rule_expired(const struct rule *r, __u64 boot)
{
	return r->expires && boot >= r->expires;
}

#define MANUAL "manual" /* the policy of index 0 */

/* One for each operation. */
extern const struct op_name {
	const char *name;
	__u32 ops;
} op_names[];
extern const size_t op_names_count;

/* One for each enum cotter_class. */
extern const struct class_name {
	const char *name; /* as an object of the command line, `memfd:` */
	__u32 number;
	__u32 ops; /* that are ever asked about such an object */
} class_names[CLASSES - 1];

/* Returns the class of that name, or NULL. */
const struct class_name *class_find(const char *name);
extern const char *const action_names[4];
extern const char *const record_kinds[RECORD_KINDS]; /* NULL: no such kind */
extern const char *const identity_names[KINDS];	     /* of KIND_*; NULL: no such kind */

/* --- sha256.c --- */

extern const __u32 sha256_round[64]; /* its constants */

/* SHA-256 as eight numbers. */
void sha256(__u32 h[8], const unsigned char *bytes, size_t size);

/* SHA-256 of a file from where it is read next. Returns false, with errno, when it cannot be. */
bool sha256_file(int fd, unsigned char digest[32]);

#define DIGEST_PREFIX                                                                  \
	"sha256:" /* an object that is a content, with 64 digits behind it */

#define MODIFY_NAME "modify" /* OP_MODIFY, in the command line and for people */

/* Print the set of operations, comma-separated; all of OP_MODIFY as MODIFY_NAME. */
void print_ops(FILE *to, __u32 ops);

/*
 * Print the identities of KIND_BITs with `comma` between them and `quote` around each, the name
 * first: it is what the operator typed.
 */
void print_kinds(FILE *to, __u32 kinds, const char *comma, const char *quote);

/* Those that an operator thinks in; the others come with one of them. */
#define KINDS_SHOWN                                                                    \
	(KIND_BIT(KIND_NAME) | KIND_BIT(KIND_INODE) | KIND_BIT(KIND_TREE) |            \
	 KIND_BIT(KIND_CALL) | KIND_BIT(KIND_CLASS) | KIND_BIT(KIND_DIGEST))

/* Is a rule about certain programs, users or other subjects? */
bool rule_has_subjects(const struct rule *r);

/* The index of a label that a rule's word of this sort names with this bit. */
static inline __u32 label_index(__u32 sort, __u32 bit)
{
	return LABEL_SORT(sort) * LABELS + bit;
}

/*
 * Print a rule's subjects, e.g. "unless /usr/bin/dpkg, uid 0; sticky". `labels` is
 * the whole array, as rule_label_flags() wants it: LABEL_* of the rule's programs.
 */
void print_subjects(FILE *to, const struct rule *r, const struct label *labels);
__u32 rule_label_flags(const struct rule *r, const struct label *labels);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * subject.c: labels, the programs, users and other subjects of rules; see encode.h.
 *
 * The map `subjects` follows from the array `labels` alone: whatever of the two
 * was written last, the next command makes the first anew from the second.
 */
#include <string.h>
#include "encode.h"

#define ALL_LABELS (LABEL_SORTS * LABELS)

static struct label now[ALL_LABELS], want[ALL_LABELS];
static bool taken[ALL_LABELS]; /* by this command */
static bool known;
static __u64 fresh; /* bits of programs that running processes do not have */
unsigned int labels_fresh;

static void labels_load(void)
{
	if (known)
		return;
	known = true;
	if (offline)
		return;
	labels_read(&m, now);
	memcpy(want, now, sizeof(want));
}

const struct label *labels(void)
{
	labels_load();
	return want;
}

/* Two programs of one name are the same, of no name if they are the same file. */
static bool same_file(const struct label *a, const struct label *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->inode_gen == b->inode_gen;
}

static bool same_program(const struct label *a, const struct label *b)
{
	if (!a->kinds || a->flags != b->flags)
		return false;
	if (a->kinds & b->kinds & KIND_BIT(KIND_NAME))
		return !memcmp(a->name, b->name, sizeof(a->name));
	return !((a->kinds | b->kinds) & KIND_BIT(KIND_NAME)) && same_file(a, b);
}

/* A bit nobody has: one that is free, or else reserved and without a rule. */
static __u32 bit_find(__u32 sort)
{
	static const char *const names[LABEL_SORTS] = { "programs", "users",
							"groups and cgroups" };

	for (int reserved = 0; reserved < 2; reserved++)
		for (__u32 i = sort * LABELS; i < (sort + 1) * LABELS; i++)
			if (!taken[i] && !now[i].refs && !want[i].refs &&
			    (reserved || !want[i].kinds))
				return i;
	die(EX_FAILED, "more than %d distinct %s, nothing was changed", LABELS,
	    names[sort]);
}

__u64 label_program(const char *option, const char *word, __u32 flags)
{
	struct label l;
	bool is_fresh = false;
	__u32 i;

	labels_load();
	resolve_program(&l, option, word);
	l.flags = flags;
	for (i = 0; i < LABELS; i++)
		if (same_program(&want[i], &l))
			break;
	if (i == LABELS) {
		i = bit_find(SORT_PROGRAM);
		want[i] = l;
		is_fresh = true;
	} else if (!same_file(&want[i], &l)) {
		/* Replaced since, as by an upgrade: the label follows the name. */
		l.refs = want[i].refs;
		want[i] = l;
		is_fresh = true;
	} else {
		/* Reserved, and cut off before the running processes had it? */
		is_fresh = !want[i].refs && !taken[i];
	}
	if (is_fresh) {
		fresh |= 1ull << i;
		labels_fresh++;
	}
	taken[i] = true;
	return 1ull << i;
}

unsigned int labels_programs_taken(void)
{
	unsigned int n = 0;

	for (__u32 i = 0; i < LABELS; i++)
		n += taken[i];
	return n;
}

/* The bit of a label that one of its words tells apart from others of its sort. */
static __u64 label_simple(const struct label *l)
{
	__u32 sort = LABEL_SORT(l->kinds & KIND_BIT(KIND_USER) ? SORT_USER
							       : SORT_GROUP),
	      i;

	labels_load();
	for (i = sort * LABELS; i < (sort + 1) * LABELS; i++)
		if (want[i].kinds == l->kinds && want[i].number == l->number &&
		    !memcmp(want[i].fspath, l->fspath, sizeof(l->fspath)))
			break;
	if (i == (sort + 1) * LABELS) {
		i = bit_find(sort);
		want[i] = *l;
	}
	taken[i] = true;
	return 1ull << i % LABELS;
}

__u64 label_number(__u32 kind, __u32 number)
{
	const struct label l = { .kinds = KIND_BIT(kind), .number = number };

	return label_simple(&l);
}

__u64 label_cgroup(const char *option, const char *word)
{
	struct label l;

	resolve_cgroup(&l, option, word);
	return label_simple(&l);
}

void labels_count(const struct rule *r, int by)
{
	for (__u32 sort = 0; sort < SUBJECT_SORTS; sort++) {
		__u64 bits = r->only[sort] | r->except[sort];

		if (bits)
			labels_load();
		for (; bits; bits &= bits - 1)
			want[label_index(sort, __builtin_ctzll(bits))].refs += by;
	}
}

void labels_recount(void)
{
	labels_load();
	for (__u32 i = 0; i < ALL_LABELS; i++)
		want[i].refs = 0;
}

/* --- the map `subjects` --- */

struct subject {
	struct object_key key;
	__u64 before; /* in the map */
	__u64 during; /* from before the rules come until the rest is taken out */
	__u64 after;
};
static struct subject subjects[SUBJECTS_MAX + 2 * LABELS * 4];
static size_t subjects_count;

static struct subject *subject(const struct object_key *key)
{
	size_t i;

	for (i = 0; i < subjects_count; i++)
		if (!memcmp(&subjects[i].key, key, sizeof(*key)))
			return &subjects[i];
	subjects[subjects_count++] = (struct subject){ .key = *key };
	return &subjects[i];
}

static void subject_of(const void *key, const void *value, void *arg)
{
	(void)arg;
	memcpy(&subject(key)->before, value, sizeof(__u64));
}

/* The keys of a label. Returns their number. */
static int label_keys(const struct label *l, struct object_key key[RULE_KEYS])
{
	/* Not by its full path, see labels_of_object(). */
	const struct rule like = { .kinds = l->kinds & ~KIND_BIT(KIND_NAME),
				   .dev = l->dev,
				   .inode_gen = l->inode_gen,
				   .ino = l->ino,
				   .fs_dev = l->fs_dev,
				   .fspath = { l->fspath[0], l->fspath[1] } };

	for (__u32 kind = KIND_USER; kind <= KIND_CONTAINER; kind++)
		if (l->kinds & KIND_BIT(kind)) {
			key[0] = (struct object_key){ .kind = kind, .a = l->number };
			if (kind == KIND_CGROUP) {
				key[0].a = l->fspath[0];
				key[0].b = l->fspath[1];
			}
			return 1;
		}
	return rule_keys(&like, key);
}

/*
 * Does the label stay when the batch has run? One without a rule only if this
 * command made it for a rule to come: its bit is clean of what processes have left
 * of it when it is not given to another at once.
 */
static bool stays(__u32 i, bool keep)
{
	return want[i].kinds && (want[i].refs || (keep && taken[i]));
}

static void hot_label(struct hot *h, __u32 i)
{
	__u64 bit = 1ull << i;

	h->labels |= bit;
	h->sticky &= ~bit;
	h->scripts &= ~bit;
	if (want[i].flags & LABEL_STICKY)
		h->sticky |= bit;
	if (want[i].flags & LABEL_SCRIPTS)
		h->scripts |= bit;
}

void lines_labels(struct hot *h, bool keep)
{
	struct object_key key[RULE_KEYS];

	if (!known)
		return;
	map_each(m.subjects, sizeof(struct object_key), sizeof(__u64), SUBJECTS_MAX,
		 subject_of, NULL);
	for (__u32 i = 0; i < ALL_LABELS; i++) {
		/* One that goes is needed by the rules in force until the commit. */
		bool goes = !stays(i, keep);
		const struct label *l = goes ? &now[i] : &want[i];
		__u64 bit = 1ull << i % LABELS;

		if (!goes && memcmp(&now[i], &want[i], sizeof(want[i])))
			line_update(PIN_MAPS "labels", &i, sizeof(i), &want[i],
				    sizeof(want[i]));
		for (int k = label_keys(l, key); k-- > 0;) {
			subject(&key[k])->during |= bit;
			if (!goes)
				subject(&key[k])->after |= bit;
		}
	}
	for (size_t i = 0; i < subjects_count; i++) {
		const struct subject *s = &subjects[i];

		if (s->during && s->during != s->before)
			line_update(PIN_MAPS "subjects", &s->key, sizeof(s->key),
				    &s->during, sizeof(s->during));
		else if (!s->during)
			line_delete(PIN_MAPS "subjects", &s->key, sizeof(s->key));
	}
	for (__u32 i = 0; i < LABELS; i++)
		if (stays(i, keep))
			hot_label(h, i);
	h->fresh = keep ? fresh : 0;
}

void lines_labels_out(struct hot *h, bool keep)
{
	static const struct label none;

	if (!known)
		return;
	for (size_t i = 0; i < subjects_count; i++) {
		const struct subject *s = &subjects[i];

		if (s->during && !s->after)
			line_delete(PIN_MAPS "subjects", &s->key, sizeof(s->key));
		else if (s->during != s->after)
			line_update(PIN_MAPS "subjects", &s->key, sizeof(s->key),
				    &s->after, sizeof(s->after));
	}
	h->labels = h->sticky = h->scripts = 0;
	h->fresh = keep ? fresh : 0;
	for (__u32 i = 0; i < ALL_LABELS; i++) {
		if (stays(i, keep)) {
			if (i < LABELS)
				hot_label(h, i);
		} else if (memcmp(&now[i], &none, sizeof(none))) {
			line_update(PIN_MAPS "labels", &i, sizeof(i), &none,
				    sizeof(none));
		}
	}
}

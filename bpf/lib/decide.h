/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * decide.h: the decision, the only place where a rule is applied.
 *
 *   decide(op, object) -> verdict
 *
 * Looked at in turn: the object's inode, its name, the directories above it.
 * The filter is asked before each, so that what no rule names costs a few
 * instructions and no map lookup. Of all rules that apply the strongest
 * action wins (a later `audit` never weakens an earlier `kill`), of equals the
 * one with the lowest id.
 *
 * What a missed lookup means: no rule names this object, so it is allowed.
 */
#ifndef COTTER_DECIDE_H
#define COTTER_DECIDE_H

#define LOOKUP_TRIES 4

struct verdict {
	__u32 action; /* enum cotter_action */
	__u32 error;
	__u32 id;
	__u32 slot;
	__u32 kind; /* the identity that matched */
};

/* Returns the rule in a slot, or NULL when there is no such segment. */
static __always_inline struct rule *rule_at(__u32 slot)
{
	__u32 segment = slot / SEGMENT_RULES, index = slot % SEGMENT_RULES;
	void *inner = bpf_map_lookup_elem(&rules, &segment);

	return inner ? bpf_map_lookup_elem(inner, &index) : NULL;
}

/* Returns the generation in force. */
static __always_inline __u64 generation(void)
{
	__u32 zero = 0;
	void *inner = bpf_map_lookup_elem(&state, &zero);
	struct state *s = inner ? bpf_map_lookup_elem(inner, &zero) : NULL;

	return s ? s->gen : 0;
}

/*
 * Does the rule name this very key? Its slot may have been given to another
 * rule since the entry that led here was read.
 */
static __always_inline bool rule_names(const struct rule *r,
				       const struct object_key *key)
{
	if (!(r->kinds & KIND_BIT(key->kind)))
		return false;
	if (key->kind == KIND_NAME)
		return r->name[0] == key->a && r->name[1] == key->b;
	return r->ino == key->a && r->dev == key->dev && r->inode_gen == key->b;
}

/* Does the rule hold in this generation, for this operation? */
static __always_inline bool rule_holds(const struct rule *r, __u64 gen, __u32 op)
{
	if (!r->born || r->born > gen || !(r->ops & op))
		return false;
	return !r->ending || r->died > gen;
}

static __always_inline void consider(struct verdict *v, const struct rule *r,
				     __u32 slot, __u32 kind)
{
	if (r->action < v->action || (r->action == v->action && r->id >= v->id))
		return;
	v->action = r->action;
	v->error = r->error;
	v->id = r->id;
	v->slot = slot;
	v->kind = kind;
}

/*
 * Apply all rules that name a key. Not static, so that it is verified once and
 * not again on each path that leads here. A torn entry is looked up again; after
 * LOOKUP_TRIES it is counted and taken for missing (open: an entry is
 * replaced by a command a few times in its life, not four times in a row).
 */
__noinline int apply_key(struct verdict *v, const struct object_key *arg, __u32 op)
{
	struct object_rules *e, copy;
	struct object_key key;
	__u32 zero = 0;
	__u64 gen;
	void *inner;
	int try;

	if (!v || !arg)
		return 0;
	key = *arg; /* 6.1 looks up only what lies on this stack */
	for (try = 0; try < LOOKUP_TRIES; try++) {
		inner = bpf_map_lookup_elem(&objects, &zero);
		e = inner ? bpf_map_lookup_elem(inner, &key) : NULL;
		if (!e)
			return 0;
		copy = *e;
		if (copy.check == object_check(&key))
			break;
	}
	if (try == LOOKUP_TRIES) {
		count_stat(STAT_TORN);
		return 0;
	}
	gen = generation();
	for (int i = 0; i < OBJECT_RULES; i++) {
		struct rule *r;

		if (copy.slot[i] == NO_RULE)
			break;
		r = rule_at(copy.slot[i]);
		if (r && rule_names(r, &key) && rule_holds(r, gen, op))
			consider(v, r, copy.slot[i], key.kind);
	}
	return 0;
}

struct tree_walk {
	struct walk walk;
	struct verdict verdict;
	__u32 op;
};

/* One step of bpf_loop(): a directory above the object. */
static int tree_step(__u32 i, struct tree_walk *w)
{
	struct inode *inode = KREAD(struct dentry, w->walk.dentry, d_inode);
	struct super_block *sb = KREAD(struct inode, inode, i_sb);
	struct object_key key = { .kind = KIND_TREE };

	key.a = KREAD(struct inode, inode, i_ino);
	key.dev = KREAD(struct super_block, sb, s_dev);
	if (filter_has(filter_inode(key.dev, key.a))) {
		key.b = KREAD(struct inode, inode, i_generation);
		apply_key(&w->verdict, &key, w->op);
	}
	return walk_beneath(&w->walk);
}

/*
 * Decide an operation on an object.
 * Returns true and the verdict when a rule applies.
 */
static __always_inline bool decide(__u32 op, const struct object *o, struct verdict *v)
{
	struct object_key key = {};
	struct tree_walk w = {};
	struct hot *h;
	__u32 zero = 0, kinds;

	h = bpf_map_lookup_elem(&hot, &zero);
	if (!h || !(h->ops & op))
		return false;
	kinds = h->kinds[__builtin_ctz(op)];

	if (filter_has(filter_inode(o->dev, o->ino))) {
		key.kind = KIND_INODE;
		key.dev = o->dev;
		key.a = o->ino;
		key.b = o->inode->i_generation;
		apply_key(v, &key, op);
	}
	if (kinds & KIND_BIT(KIND_NAME) && filter_has_name(o->dentry)) {
		key.kind = KIND_NAME;
		key.dev = 0;
		if (object_name(o, h, &key.a))
			apply_key(v, &key, op);
	}
	if (kinds & KIND_BIT(KIND_TREE)) {
		walk_start(&w.walk, o);
		w.verdict = *v;
		w.op = op;
		bpf_loop(WALK_LIMIT, tree_step, &w, 0);
		walk_complete(&w.walk);
		*v = w.verdict;
	}
	return v->action != ACTION_NONE;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * decide.h: the decision, the only place where a rule is applied.
 *
 *   decide(ops, object) -> verdict
 *
 * Looked at in turn: the object's inode, its name, its path within the file
 * system, the directories above it. The filter is asked before each, so that
 * what no rule names costs a few instructions and no map lookup. Of all rules
 * that apply the strongest action wins (a later `audit` never weakens an
 * earlier `kill`), of equals the one with the lowest id.
 *
 * What a missed lookup means: no rule names this object, so it is allowed.
 */
#ifndef COTTER_DECIDE_H
#define COTTER_DECIDE_H

#define LOOKUP_TRIES 4

/*
 * Not the entry of a system call: there is no more to a rule. Else see lib/call.h.
 * There a rule is applied inline: 7.2 looks at each way through the functions of a
 * program, and takes half a minute when these have one more call in them.
 */
#ifdef CALL_ENTRY
#define APPLY_SLOT static __always_inline
#else
#define APPLY_SLOT __noinline
static __always_inline bool call_holds(__u32 id)
{
	return true;
}
#endif

/*
 * Does any rule name one of these operations? Asked before anything is read.
 */
static __always_inline bool asked(__u32 ops)
{
	return hot.ops & ops;
}

/* The kinds of key that rules of these operations use. */
static __always_inline __u32 kinds_of(__u32 ops)
{
	__u32 kinds = 0;

	for (int bit = 0; bit < OP_BITS_USED; bit++)
		if (ops & (1u << bit))
			kinds |= hot.kinds[bit];
	return kinds;
}

#define KINDS_OF_NAMES (KIND_BIT(KIND_NAME) | KIND_BIT(KIND_FSPATH))
#define KINDS_BEYOND                                                                   \
	(KIND_BIT(KIND_TREE) | KIND_BIT(KIND_CLASS)) /* which sketch_has() leaves out */

#define QUICK_STEPS 32 /* directories of a file system, and */
#define QUICK_MOUNTS 8 /* mounts, that are looked at before decide_tree() is asked */

struct tree_walk {
	struct walk walk;
	__u32 ops;
	__u32 dev; /* of the file system the walk is in */
};

static __always_inline void tree_start(struct tree_walk *w, const struct object *o)
{
	struct super_block *sb;

	walk_start(&w->walk, o);
	/* Not the inode's: before 6.5 overlayfs maps a layer's file by the name of its own. */
	sb = KREAD(struct dentry, o->dentry, d_sb);
	w->dev = KREAD(struct super_block, sb, s_dev);
}

/* From the root of a file system to the directory it is mounted on. As walk_beneath(). */
__noinline int tree_cross(struct tree_walk *w)
{
	struct super_block *sb;

	if (!w || walk_beneath(&w->walk))
		return 1;
	sb = KREAD(struct dentry, w->walk.dentry, d_sb);
	w->dev = KREAD(struct super_block, sb, s_dev);
	return 0;
}

/* Does the filter have the directory the walk is at? A function of its own: see name_step(). */
__noinline int tree_asked(struct tree_walk *w)
{
	struct inode *inode;

	if (!w)
		return 1;
	inode = KREAD(struct dentry, w->walk.dentry, d_inode);
	return filter_has(filter_inode(w->dev, KREAD(struct inode, inode, i_ino)));
}

/*
 * See tree_quick(). `typed`: does the verifier know what `d` points to, and so what each read
 * leads to? Else each is a call of a helper.
 */
static __always_inline int tree_climb(struct tree_walk *w, struct dentry *d,
				      __u64 trees, const bool typed)
{
	struct dentry *parent;
	struct inode *inode;
	__u64 device = tree_device(w->dev), hash;

#pragma unroll 8
	for (int i = 0; i < QUICK_STEPS; i++) {
		inode = typed ? d->d_inode : KREAD(struct dentry, d, d_inode);
		hash = tree_hash(device, typed ? inode->i_ino
					       : KREAD(struct inode, inode, i_ino));
		if (has_top_bit(trees, hash) && sketch_has_hash(hash)) {
			w->walk.dentry = d;
			if (tree_asked(w))
				return 1;
		}
		parent = typed ? d->d_parent : KREAD(struct dentry, d, d_parent);
		if (parent == d) {
			w->walk.dentry = d;
			return !d;
		}
		d = parent; /* what cannot be read is NULL, and its own parent */
	}
	return 1;
}

/*
 * From where the walk is to the root of the file system. `trees` is that of struct hot.
 * Returns 1 if there is possibly a rule on one of the directories, or the root is not reached.
 */
__noinline int tree_quick(struct tree_walk *w, __u64 trees)
{
	struct dentry *d;

	if (!w)
		return 1;
	d = w->walk.dentry;
	if (!bpf_rdonly_cast)
		return tree_climb(w, d, trees, false);
	d = bpf_rdonly_cast(d, bpf_core_type_id_kernel(struct dentry));
	return tree_climb(w, d, trees, true);
}

/*
 * Is there possibly a rule on a directory above the object, or on itself? The walk is
 * decide_tree()'s. Here a step is three reads and a look at a word, and at the sketch where
 * that has the directory's bit: every object pays it as soon as there is a tree rule.
 * Returns 0 only when there is certainly none; what cannot be read is decide_tree()'s to count.
 */
__noinline int tree_perhaps(const struct object *o, __u64 trees)
{
	struct tree_walk w = {};

	if (!o)
		return 1;
	tree_start(&w, o);
#pragma nounroll
	for (int i = 0; i < QUICK_MOUNTS; i++) {
		if (tree_quick(&w, trees))
			return 1;
		if (tree_cross(&w))
			return w.walk.result == WALK_UNREADABLE;
	}
	return 1;
}

/*
 * The first look: is there possibly a rule by name or inode number? As quick as it can be, for
 * it is all that most objects cost.
 * Returns false only when there is certainly none.
 */
static __always_inline bool sketch_has(__u32 kinds, __u64 ino, struct dentry *d)
{
	return sketch.bits > SKETCH_MOST || sketch_has_inode(ino) ||
	       (kinds & KINDS_OF_NAMES && sketch_has_name(d));
}

/* The second: perhaps(), when it is known what the first says. */
static __always_inline bool perhaps_still(__u32 kinds, const struct object *o,
					  bool sketched)
{
	if (sketched && filter_has(filter_inode(o->dev, o->ino)))
		return true;
	if (sketched && kinds & KINDS_OF_NAMES && filter_has_name_quick(o->dentry))
		return true;
	/* the last: functions may write to what they are given, whose types are then forgotten */
	if (kinds & KIND_BIT(KIND_TREE) && tree_perhaps(o, hot.trees))
		return true;
	return kinds & KIND_BIT(KIND_CLASS) && classes_of(o);
}

/*
 * Is there possibly a rule for these operations on this object? All that an
 * unrelated object costs, without a call.
 * Returns false only when there is certainly none.
 */
static __always_inline bool perhaps(__u32 ops, const struct object *o)
{
	__u32 kinds = kinds_of(ops);

	return perhaps_still(kinds, o, sketch_has(kinds, o->ino, o->dentry));
}

/* The same of a file, which becomes the object unless that is not needed. */
static __always_inline bool perhaps_file(__u32 ops, struct object *o, struct file *file)
{
	__u32 kinds = kinds_of(ops);
	struct inode *inode = READ(struct file, file, f_inode);
	bool sketched = sketch_has(kinds, READ(struct inode, inode, i_ino),
				   READ(struct file, file, f_path.dentry));

	if (!sketched && !(kinds & KINDS_BEYOND))
		return false;
	object_of_file(o, file);
	return perhaps_still(kinds, o, sketched);
}

/* Returns the rule in a slot, or NULL when there is no such segment. */
static __always_inline struct rule *rule_at(__u32 slot)
{
	__u32 segment = slot / SEGMENT_RULES, index = slot % SEGMENT_RULES;
	void *inner = bpf_map_lookup_elem(&rules, &segment);

	return inner ? bpf_map_lookup_elem(inner, &index) : NULL;
}

/* Returns the state in force, or NULL. It does not change while it is read: see STATES. */
static __always_inline const struct state *state_now(void)
{
	__u32 now = *(const volatile __u32 *)&hot.state;

	return bpf_map_lookup_elem(&state, &now);
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
	if (key->kind == KIND_FSPATH)
		return r->fspath[0] == key->a && r->fspath[1] == key->b &&
		       r->fs_dev == key->dev;
	if (key->kind == KIND_DIGEST)
		return r->name[0] == key->a && r->name[1] == key->b &&
		       (__u32)r->fspath[0] == key->dev;
	/* A rule does not hold its directories: only a slot reused within
	 * nanoseconds could deceive, and then it denies (closed). */
	if (key->kind == KIND_ABOVE)
		return true;
	if (key->kind == KIND_CALL)
		return r->dev == key->dev && r->name[0] == key->a &&
		       (r->name[1] == key->b || r->fspath[0] == key->b);
	return r->ino == key->a && r->dev == key->dev && r->inode_gen == key->b;
}

/* Do the rules of this policy only count? */
static __always_inline bool monitored(const struct policy *p)
{
	__u32 mode = POLICY_MONITOR;

	if (p->until && bpf_ktime_get_boot_ns() >= p->until)
		mode = 0;
	return (p->flags & POLICY_MONITOR) == mode;
}

/*
 * What the rule does about one of these operations, in the state of the moment and the
 * mode of its policy: ACTION_NONE when it does not hold. Without a state there are no
 * rules (open: the maps are being made).
 */
static __always_inline __u8 rule_action(const struct rule *r, __u32 ops)
{
	const struct state *s = state_now();

	if (!s || !r->born || r->born > s->gen || !(r->ops & ops))
		return ACTION_NONE;
	if (r->ending && r->died <= s->gen)
		return ACTION_NONE;
	if (r->expires && bpf_ktime_get_boot_ns() >= r->expires)
		return ACTION_NONE;
	return monitored(&s->policy[r->policy & (POLICIES - 1)]) ? ACTION_AUDIT
								 : r->action;
}

static __always_inline void consider(struct verdict *v, const struct rule *r,
				     __u8 action, __u32 slot, __u32 kind, __u32 ops)
{
	if (action < v->action || (action == v->action && r->id >= v->id))
		return;
	v->action = action;
	v->error = r->error;
	v->signal = r->signal;
	v->id = r->id;
	v->slot = slot;
	v->kind = kind;
	v->ops = r->ops & ops;
}

/*
 * Apply the rule in a slot, if it names the key and holds. Like apply_key() not static: the
 * verifier goes through it once, not once for each slot of an entry. Returns 0: such a
 * function has to return a number.
 */
APPLY_SLOT int apply_slot(struct verdict *v, const struct object_key *key, __u32 slot,
			  __u32 ops)
{
	struct rule *r = rule_at(slot);
	__u8 action;

	if (!v || !key || !r || !rule_names(r, key))
		return 0;
	action = rule_action(r, ops);
	if (action == ACTION_NONE)
		return 0;
	if ((v->knows & ANYBODY || rule_about(r, v)) && call_holds(r->id))
		consider(v, r, action, slot, key->kind, ops);
	return 0;
}

/*
 * Apply all rules that name a key. Not static, so that it is verified once and
 * not again on each path that leads here. A torn entry is looked up again; after
 * LOOKUP_TRIES it is counted and taken for missing (open: an entry is
 * replaced by a command a few times in its life, not four times in a row).
 * Returns 1 if there is such a key.
 */
__noinline int apply_key(struct verdict *v, const struct object_key *arg, __u32 ops)
{
	struct object_rules *e, copy;
	struct object_key key;
	__u32 zero = 0;
	void *inner;
	int try;

	if (!v || !arg)
		return 0;
#ifdef CALL_ENTRY
	/* Nothing else is asked; and a constant needs no place on a stack that is full. */
	if (ops != OP_SYSCALL)
		return 0;
	ops = OP_SYSCALL;
#endif
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
	/*
	 * One call, not seven, here and in what leads here: 7.2 goes through each way that
	 * there is through the functions of a program, a call at a time.
	 */
#pragma nounroll
	for (int i = 0; i < OBJECT_RULES; i++) {
		if (copy.slot[i] == NO_RULE)
			break;
		apply_slot(v, &key, copy.slot[i], ops);
	}
	return 1;
}

/* Apply the rules of the directory the walk is at. */
__noinline int tree_apply(struct tree_walk *w, struct verdict *v, __u64 ino)
{
	struct object_key key = {};
	struct inode *inode;

	if (!w || !v)
		return 0;
	inode = KREAD(struct dentry, w->walk.dentry, d_inode);
	key.kind = KIND_TREE;
	key.dev = w->dev;
	key.a = ino;
	key.b = KREAD(struct inode, inode, i_generation);
	return apply_key(v, &key, w->ops);
}

/* One step of decide_tree(): a directory above the object. Returns 0 to go on. */
static __always_inline int tree_step(struct tree_walk *w, struct verdict *v)
{
	struct dentry *d = w->walk.dentry, *parent;
	struct inode *inode = KREAD(struct dentry, d, d_inode);
	__u64 ino = KREAD(struct inode, inode, i_ino);

	if (filter_has(filter_inode(w->dev, ino)))
		tree_apply(w, v, ino);
	parent = KREAD(struct dentry, d, d_parent);
	if (!parent || parent == d)
		return tree_cross(w);
	w->walk.dentry = parent;
	return 0;
}

/* As name_step(). */
__noinline int tree_deep(struct tree_walk *w, struct verdict *v)
{
	return !w || !v || tree_step(w, v);
}

struct tree_each {
	struct tree_walk *walk;
	struct verdict *verdict;
};

static int tree_each(__u32 i, const struct tree_each *e)
{
	return end_loop(tree_deep(e->walk, e->verdict));
}

/* Decide by the directories above an object. As decide_object(). */
__noinline int decide_tree(__u32 ops, const struct object *o, struct verdict *v)
{
	struct tree_walk w = {};
	struct tree_each each;

	if (!o || !v)
		return 0;
	tree_start(&w, o);
	w.ops = ops;
	each.walk = &w;
	each.verdict = v;
	bpf_loop(WALK_LIMIT, tree_each, &each, 0);
	walk_complete(&w.walk);
	return 0;
}

/* See decide(). */
static __always_inline __u64 batch_of(void)
{
	return *(const volatile __u64 *)&hot.dirty;
}

static __always_inline bool batch_ran(__u64 before)
{
	return (__u32)before || batch_of() != before;
}

/* Apply the rules on class `i`, if it is in `classes`. */
__noinline int apply_class(struct verdict *v, __u32 ops, __u32 classes, __u32 i)
{
	struct object_key key = {};

	if (!v || !(classes & CLASS_BIT(i & 31)))
		return 0;
	key.kind = KIND_CLASS;
	key.a = i;
	return apply_key(v, &key, ops);
}

/* Decide by the classes of an object, a set of CLASS_BIT. As decide(). */
__noinline int decide_classes(__u32 ops, __u32 classes, struct verdict *v)
{
	if (!v)
		return 0;
		/* One call: see apply_key(). */
#pragma nounroll
	for (__u32 i = 1; i < CLASSES; i++)
		apply_class(v, ops, classes, i);
	return v->action != ACTION_NONE;
}

/* The keys of an object, in the order in which decide_object() asks for them. */
enum { TURN_INODE, TURN_FOLLOWED, TURN_NAME, TURN_FSPATH, TURNS };

/*
 * Decide by what names the object itself. Returns 1 when the directories above it are to
 * be asked as well.
 */
__noinline int decide_object(__u32 ops, const struct object *o, struct verdict *v)
{
	struct object_key key = {}, *to;
	bool inode, names;
	struct sip sip;
	__u32 kinds;

	if (!o || !v)
		return 0;
	kinds = kinds_of(ops);
	if (kinds & KIND_BIT(KIND_CLASS))
		decide_classes(ops, classes_of(o), v);
	inode = o->inode && filter_has(filter_inode(o->dev, o->ino));
	names = kinds & KINDS_OF_NAMES && filter_has_name(o->dentry);
	/* One call for all keys: see apply_key(). */
#pragma nounroll
	for (int turn = inode ? TURN_INODE : TURN_NAME; turn < TURNS; turn++) {
		if (turn == TURN_INODE) {
			key.kind = KIND_INODE;
			key.dev = o->dev;
			key.a = o->ino;
			key.b = KREAD(struct inode, o->inode, i_generation);
		} else if (turn == TURN_FOLLOWED) {
			/* The name that the inode came to have, whatever its names are now: follow(). */
			to = bpf_map_lookup_elem(&followed, &key);
			if (!to)
				continue;
			key = *to;
		} else {
			if (!names)
				break;
			sip_init(&sip, hot.key);
			key.kind = turn == TURN_NAME ? KIND_NAME : KIND_FSPATH;
			key.dev = turn == TURN_NAME ? 0 : o->dev;
			if (!(turn == TURN_NAME ? object_name(o, &sip)
						: object_fspath(o, &sip)))
				continue;
			name_end(&sip, key_hash(&key));
		}
		apply_key(v, &key, ops);
	}
	return !!(kinds & KIND_BIT(KIND_TREE));
}

#define DECIDE_TURNS 4 /* without and with what is learnt of the caller, each twice */

/*
 * decide() and decide_key() in one: of an object, or of a key when there is one. Which it is
 * the caller knows when it is compiled.
 */
static __always_inline int decide_turns(__u32 ops, const struct object *o,
					const struct object_key *key, struct verdict *v)
{
	bool again = false; /* because of a batch */

	/* One call of each: see apply_key(). */
#pragma nounroll
	for (int turn = 0; turn < DECIDE_TURNS; turn++) {
		__u64 before = batch_of();

		if (key)
			apply_key(v, key, ops);
		else if (decide_object(ops, o, v))
			decide_tree(ops, o, v);
		if (!again && batch_ran(before)) {
			again = true;
			continue;
		}
		again = false;
		if (!(v->wants & ~v->knows) || !verdict_learn(v))
			break;
	}
	return v->action != ACTION_NONE;
}

/*
 * Decide operations on an object, any of which is about to happen. The verdict
 * may hold another object's already: the stronger stays. Its frame is small, for
 * the deepest chain of calls (6.1: 512 bytes) begins here.
 * Returns 1 when a rule applies, of this object or of the one before.
 *
 * It looks at one key after the other. If rules are exchanged between two of them, it
 * could miss the old one at one key and the new one at the other. The word of `dirty`
 * and `batch` changes around each exchange: if one may have been under way, the
 * decision is made again. Rules are exchanged in one instant, so only one of the
 * two can have had that in its middle.
 */
__noinline int decide(__u32 ops, const struct object *o, struct verdict *v)
{
	if (!o || !v || !asked(ops))
		return 0;
	return decide_turns(ops, o, NULL, v);
}

/*
 * Decide operations on memory that no file holds: only rules on its class are about it.
 * As decide(), also in what it does while rules are exchanged.
 */
__noinline int decide_memory(__u32 ops, struct verdict *v)
{
	__u64 before;

	if (!v)
		return 0;
	if (asked(ops)) {
		before = batch_of();
		decide_classes(ops, CLASS_BIT(CLASS_ANON), v);
		if (batch_ran(before))
			decide_classes(ops, CLASS_BIT(CLASS_ANON), v);
	}
	return v->action != ACTION_NONE;
}

/*
 * Decide an operation by a single key that is no identity of an inode. As decide(), also in
 * what it does while rules are exchanged.
 */
__noinline int decide_key(__u32 ops, const struct object_key *key, struct verdict *v)
{
	if (!key || !v || !asked(ops))
		return 0;
	return decide_turns(ops, NULL, key, v);
}

struct above_walk {
	struct object_key key;
	struct verdict verdict;
	__u32 ops;
};

/* One step of bpf_loop(): an entry of the chain. */
static int above_step(__u32 i, struct above_walk *w)
{
	if (!apply_key(&w->verdict, &w->key, w->ops))
		return 1;
	w->key.b += 1ull << 32;
	return w->verdict.action == ACTION_KILL; /* nothing is stronger */
}

/* As decide_above(), with what is known of the caller. */
__noinline int decide_chain(__u32 ops, const struct object *o, struct verdict *v)
{
	struct above_walk w = {};
	__u64 before;

	if (!o || !v)
		return 0;
	if (o->dir && kinds_of(ops) & KIND_BIT(KIND_ABOVE) &&
	    filter_has(filter_inode(o->dev, o->ino))) {
		w.key.kind = KIND_ABOVE;
		w.key.dev = o->dev;
		w.key.a = o->ino;
		w.key.b = KREAD(struct inode, o->inode, i_generation);
		w.verdict = *v;
		w.ops = ops;
		before = batch_of();
		/* One call, see apply_key(); and again if a batch may have been in its middle. */
#pragma nounroll
		for (int turn = 0; turn < 2; turn++) {
			bpf_loop(ABOVE_LIMIT, above_step, &w, 0);
			if (!batch_ran(before))
				break;
			w.key.b = (__u32)w.key.b;
		}
		*v = w.verdict;
	}
	return v->action != ACTION_NONE;
}

/*
 * Decide for all objects beneath a directory whose names are about to change
 * with it. As decide(), also in what it returns.
 */
__noinline int decide_above(__u32 ops, const struct object *o, struct verdict *v)
{
	if (!o || !v)
		return 0;
	decide_chain(ops, o, v);
	if (v->wants & ~v->knows && verdict_learn(v))
		decide_chain(ops, o, v);
	return v->action != ACTION_NONE;
}

/*
 * A file is about to get a name by a rename or link that is let through. Where rules
 * name that, as in its file system, they are to hold for the file as well: another
 * name may have been made for it before. If the operation fails after all, the file
 * is held all the same (closed); if there is no room, by its name alone (open), and
 * that is counted. Both are on the same file system.
 */
__noinline int follow(const struct object *to, __u64 ino, __u32 inode_gen)
{
	struct object_key key = {}, inode = {};
	__u32 zero = 0, block;
	__u64 *words, hash;
	struct sip sip;
	void *inner;

	if (!to)
		return 0;
	if (!filter_has_name(to->dentry))
		return 0;
	sip_init(&sip, hot.key);
	key.kind = KIND_FSPATH;
	key.dev = to->dev;
	if (!object_fspath(to, &sip))
		return 0;
	name_end(&sip, key_hash(&key));
	inner = bpf_map_lookup_elem(&objects, &zero);
	if (!inner || !bpf_map_lookup_elem(inner, &key))
		return 0;
	inode.kind = KIND_INODE;
	inode.dev = to->dev;
	inode.a = ino;
	inode.b = inode_gen;
	if (bpf_map_update_elem(&followed, &inode, &key, BPF_ANY)) {
		count_stat(STAT_UNFOLLOWED);
		return 0;
	}
	hash = filter_inode(to->dev, ino);
	block = filter_block(hash);
	words = bpf_map_lookup_elem(&filter, &block);
	if (words)
		__sync_fetch_and_or(&words[filter_word(hash)], filter_bits(hash));
	sketch_set(hash);
	return 0;
}

#endif

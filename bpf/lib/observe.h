/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * observe.h: events that are only recorded, and the filters that say which. There is
 * no verdict here: what a missed lookup means is that nothing is recorded.
 */
#ifndef COTTER_OBSERVE_H
#define COTTER_OBSERVE_H

static __always_inline struct observing *observing_of(__u32 kind)
{
	return bpf_map_lookup_elem(&observing, &kind);
}

/* Is the program that a task runs one of the filter's? */
static __always_inline bool runs_one(const struct observing *f, __u64 task)
{
	__u64 mm = KREAD_NUMBER(struct task_struct, task, mm);
	__u64 exe = mm ? KREAD_NUMBER(struct mm_struct, mm, exe_file) : 0;
	__u64 inode = exe ? KREAD_NUMBER(struct file, exe, f_inode) : 0, sb, ino;
	__u32 dev, gen;
	bool one = false;

	if (!inode)
		return false;
	sb = KREAD_NUMBER(struct inode, inode, i_sb);
	ino = KREAD_NUMBER(struct inode, inode, i_ino);
	gen = KREAD(struct inode, inode, i_generation);
	dev = KREAD(struct super_block, sb, s_dev);
#pragma clang loop unroll(full)
	for (__u32 i = 0; i < OBSERVE_FILTERS; i++)
		one |= i < f->exes && f->exe[i].ino == ino && f->exe[i].dev == dev &&
		       f->exe[i].inode_gen == gen;
	return one;
}

/*
 * Does the filter on programs let it through? An exec is one of the program that is
 * executed, and of the program that the parent runs: so a shell's commands are its own.
 */
__noinline int observe_exe(__u32 kind)
{
	const struct observing *f = observing_of(kind);
	__u64 current = bpf_get_current_task();

	if (!f || !f->exes)
		return 1;
	if (runs_one(f, current))
		return 1;
	return kind == RECORD_EXEC &&
	       runs_one(f, KREAD_NUMBER(struct task_struct, current, real_parent));
}

__noinline int observe_uid(__u32 kind)
{
	struct task_struct *task = this_task();
	const struct observing *f = observing_of(kind);
	__u32 uid = task->cred->euid.val;
	bool one = false;

	if (!f || !f->uids)
		return 1;
#pragma clang loop unroll(full)
	for (__u32 i = 0; i < OBSERVE_FILTERS; i++)
		one |= i < f->uids && f->uid[i] == uid;
	return one;
}

struct observe_walk {
	struct walk walk;
	__u32 kind;
	__u32 found;
};

/* One step of observe_tree(): is the walk at one of the filter's directories? */
__noinline int observe_step(struct observe_walk *w)
{
	const struct observing *f;
	__u64 inode, ino, sb;
	__u32 dev, gen;
	bool one = false;

	if (!w)
		return 1;
	f = observing_of(w->kind);
	if (!f)
		return 1;
	inode = KREAD_NUMBER(struct dentry, w->walk.dentry, d_inode);
	sb = KREAD_NUMBER(struct dentry, w->walk.dentry, d_sb);
	ino = inode ? KREAD_NUMBER(struct inode, inode, i_ino) : 0;
	gen = inode ? KREAD(struct inode, inode, i_generation) : 0;
	dev = KREAD(struct super_block, sb, s_dev);
#pragma clang loop unroll(full)
	for (__u32 i = 0; i < OBSERVE_FILTERS; i++)
		one |= i < f->trees && f->tree[i].ino == ino && f->tree[i].dev == dev &&
		       f->tree[i].inode_gen == gen;
	w->found = one;
	return one || walk_beneath(&w->walk);
}

static int observe_each(__u32 i, struct observe_walk *w)
{
	return end_loop(observe_step(w));
}

__noinline int observe_tree(__u32 kind, const struct object *o)
{
	struct observe_walk w = {};
	const struct observing *f = observing_of(kind);

	if (!f || !f->trees)
		return 1;
	if (!o)
		return 0;
	walk_start(&w.walk, o);
	w.kind = kind;
	bpf_loop(WALK_LIMIT, observe_each, &w, 0);
	return w.found;
}

/* Record an event. `ret`: of an exit, the status. Not static: verified once. */
__noinline int record_seen(__u32 kind, const struct object *o, int ret)
{
	struct event e = {};

	e.kind = kind;
	e.ret = ret;
	return record_event(&e, o);
}

/* Is this kind observed? Asked before anything is read. */
static __always_inline bool observed_kind(__u32 kind)
{
	struct observing *f = observing_of(kind);

	return f && f->on;
}

/* Record it if the filters let it through. `o` may be NULL. Returns 0. */
static __always_inline int observe(__u32 kind, const struct object *o, int ret)
{
	if (!observe_uid(kind) || !observe_exe(kind) || !observe_tree(kind, o))
		return 0;
	count_stat(STAT_SEEN);
	record_seen(kind, o, ret);
	return 0;
}

#endif

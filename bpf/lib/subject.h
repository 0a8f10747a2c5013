/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * subject.h: who acts, as far as rules ask: a set of labels of each sort.
 *
 *   programs  a thread is given the labels of a program when it executes it, by
 *             the program's inode or path, never by its own memory; a child has
 *             those of its parent
 *   parents   the programs that its parent counted as when it was forked. So who
 *             is adopted by another process does not become that one's child
 *   users, groups  of its credentials, effective; groups also supplementary
 *   places    its cgroup and all above it, by path; whether it is in a container
 *
 * Groups and places cost much, and are looked for only when a rule that matches
 * all else asks for them: it then sets `wants`, and decide() begins again.
 *
 * What a missing label means: the thread is nobody special, so a rule with `only`
 * does not apply to it (open) and one with `except` does (closed).
 */
#ifndef COTTER_SUBJECT_H
#define COTTER_SUBJECT_H

/* Labels of the key, or none. */
static __always_inline __u64 labels_of_key(const struct object_key *key)
{
	__u64 *labels = bpf_map_lookup_elem(&subjects, key);

	return labels ? *labels : 0;
}

/*
 * Labels of a program by its inode and its path within the file system. Not by
 * its full path: who has a mount namespace can put any file there. The filter has
 * a bit for each, so another program's path is not hashed.
 */
__noinline __u64 labels_of_object(const struct object *o)
{
	struct object_key key = {};
	struct sip sip;
	__u64 labels = 0;

	if (!o)
		return 0;
	if (filter_has(filter_inode(o->dev, o->ino))) {
		key.kind = KIND_INODE;
		key.dev = o->dev;
		key.a = o->ino;
		key.b = KREAD(struct inode, o->inode, i_generation);
		labels |= labels_of_key(&key);
	}
	if (!filter_has_name(o->dentry))
		return labels & hot.labels;
	sip_init(&sip, hot.key);
	key.kind = KIND_FSPATH;
	key.dev = o->dev;
	if (object_fspath(o, &sip) && name_end(&sip, key_hash(&key)))
		labels |= labels_of_key(&key);
	return labels & hot.labels;
}

#define SORT_BIT(sort) (1u << (sort))
#define ANYBODY                                                                        \
	(1u << 7) /* of verdict.knows: leave aside whom rules are about, to explain */

/* What is decided. It lies on the stack more than once, which 6.1 counts. */
struct verdict {
	__u8 action; /* enum cotter_action */
	__u8 kind;   /* the identity that matched */
	__u8 knows;  /* SORT_BITs of the caller's labels that are valid, */
	__u8 wants;  /*   of those that some rule asks for */
	__u16 error;
	__u8 signal; /* that kills, 0: SIGKILL */
	__u8 pad;
	__u32 id;
	__u32 slot;
	__u64 ops;	/* of the operations asked for, those that the rule names */
	__u64 programs; /* labels of the caller, */
	__u64 others;	/*   of groups and places */
#ifdef QUESTIONS
	__u64 parents;
#endif
};

/*
 * Labels of the calling thread. A worker that the kernel made for it (io_uring)
 * was not forked where labels are inherited: it has those of its leader.
 */
static __always_inline struct task_labels *current_labels(void)
{
#ifdef QUESTIONS /* who asks is nobody: the question says whose labels */
	return NULL;
#else
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_labels *t = bpf_task_storage_get(&tasks, task, NULL, 0);

#ifdef EXECUTES /* no such worker executes, and a leader is not trusted where one may sleep */
	return t;
#else
	return t ? t : bpf_task_storage_get(&tasks, task->group_leader, NULL, 0);
#endif
#endif
}

static __always_inline __u64 labels_of_programs(struct verdict *v)
{
	struct task_labels *t;

	if (!(v->knows & SORT_BIT(SORT_PROGRAM))) {
		t = current_labels();
		v->programs = t ? t->labels : 0;
		v->knows |= SORT_BIT(SORT_PROGRAM);
	}
	return v->programs;
}

static __always_inline __u64 labels_of_parents(const struct verdict *v)
{
#ifdef QUESTIONS
	return v->parents;
#else
	struct task_labels *t = current_labels();

	return t ? t->parents : 0;
#endif
}

/* Labels of the user as which the calling thread acts: its effective uid. */
static __always_inline __u64 labels_of_user(void)
{
	struct task_struct *task = this_task();
	struct object_key key = {};

	key.kind = KIND_USER;
	key.a = task->cred->euid.val;
	return labels_of_key(&key);
}

static __always_inline __u64 labels_of_group(__u32 gid)
{
	struct object_key key = {};

	key.kind = KIND_GROUP;
	key.a = gid;
	return labels_of_key(&key);
}

struct groups_walk {
	__u64 gids; /* address */
	__u64 labels;
};

/* One step of labels_of_groups(). Returns 0, 1 to end. */
__noinline int groups_step(struct groups_walk *w, __u32 i)
{
	if (!w)
		return 1;
	w->labels |= labels_of_group(probe_number(w->gids + 4ull * i, 4));
	return 0;
}

static int groups_each(__u32 i, struct groups_walk *w)
{
	return end_loop(groups_step(w, i));
}

#define GROUPS_LIMIT 65536 /* NGROUPS_MAX */

/* Labels of the groups of a thread: effective and supplementary. */
__noinline __u64 labels_of_groups(__u64 address)
{
	struct task_struct *task = (void *)address;
	struct groups_walk w = {};
	struct group_info *groups;
	int n;

	groups = BPF_CORE_READ(task, cred, group_info);
	n = BPF_CORE_READ(groups, ngroups);
	w.labels = labels_of_group(BPF_CORE_READ(task, cred, egid.val));
	w.gids = (__u64)groups + bpf_core_field_offset(struct group_info, gid);
	if (n > 0 && n <= GROUPS_LIMIT)
		bpf_loop(n, groups_each, &w, 0);
	return w.labels;
}

/*
 * Length of a kernel string that is a name, at most 255 bytes.
 * Returns -1 when it cannot be read or is longer.
 */
__noinline int name_length(__u64 name)
{
	char part[NAME_CHUNK + 8];
	int len = 0;

	for (int i = 0; i < NAME_CHUNKS; i++) {
		long n = bpf_probe_read_kernel_str(part, NAME_CHUNK + 1,
						   (void *)(name + i * NAME_CHUNK));

		if (n < 1)
			return -1;
		len += n - 1;
		if (n <= NAME_CHUNK)
			return len;
	}
	return -1;
}

struct cgroup_walk {
	struct sip sip;
	__u64 ancestors; /* address of the array, the root first */
	__u64 labels;
};

/*
 * One step of labels_of_cgroups(): from a cgroup to the one beneath it. The
 * names of cgroups of version 2 never change.
 * Returns 0, 1 to end.
 */
__noinline int cgroup_step(struct cgroup_walk *w, __u32 level)
{
	struct object_key key = {};
	struct kernfs_node *node;
	__u64 name;
	int len;

	if (!w)
		return 1;
	if (level) {
		node = KREAD(struct cgroup,
			     probe_number(w->ancestors + 8ull * level, 8), kn);
		name = KREAD_NUMBER(struct kernfs_node, node, name);
		len = name_length(name);
		if (len < 0 || name_absorb(&w->sip, name, len)) {
			count_stat(STAT_UNREADABLE);
			return 1;
		}
	}
	key.kind = KIND_CGROUP;
	if (name_end(&w->sip, key_hash(&key)))
		w->labels |= labels_of_key(&key);
	return 0;
}

static int cgroup_each(__u32 i, struct cgroup_walk *w)
{
	return end_loop(cgroup_step(w, i));
}

/*
 * Labels of the cgroup (of version 2) that a thread is in, and of all
 * above it. Their path is hashed from the root on, so that one walk gives all.
 */
__noinline __u64 labels_of_cgroups(__u64 address)
{
	struct task_struct *task = (void *)address;
	struct cgroup_walk w = {};
	struct cgroup *cgroup;
	__u32 levels;

	if (!bpf_core_field_exists(struct task_struct, cgroups))
		return 0;
	cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);
	levels = BPF_CORE_READ(cgroup, level) + 1;
	if (levels > CGROUP_DEPTH + 1)
		levels = CGROUP_DEPTH + 1;
	sip_init(&w.sip, hot.key);
	w.ancestors = (__u64)cgroup + bpf_core_field_offset(struct cgroup, ancestors);
	bpf_loop(levels, cgroup_each, &w, 0);
	return w.labels;
}

#define PROC_CGROUP_INIT_INO 0xeffffffbu /* inode of the first cgroup namespace */

/*
 * Labels of containers: a thread is in a pid or cgroup namespace other
 * than the first. Any user can make one, as root of a user namespace; so what root
 * has made is told apart.
 */
__noinline __u64 labels_of_container(__u64 address)
{
	struct task_struct *task = (void *)address;
	bool container = false, of_root = false;
	struct cgroup_namespace *cgroup_ns;
	struct object_key key = {};
	struct pid_namespace *ns;
	struct nsproxy *proxy;
	__u64 labels = 0, at;
	struct pid *pid;

	pid = BPF_CORE_READ(task, thread_pid);
	at = bpf_core_type_size(struct upid) * BPF_CORE_READ(pid, level);
	at += (__u64)pid + bpf_core_field_offset(struct pid, numbers);
	ns = KREAD(struct upid, at, ns);
	if (BPF_CORE_READ(ns, level)) {
		container = true;
		of_root = !BPF_CORE_READ(ns, user_ns, level);
	}
	proxy = BPF_CORE_READ(task, nsproxy); /* none: it is exiting */
	cgroup_ns = NULL;
	if (proxy && bpf_core_field_exists(struct task_struct, cgroups))
		cgroup_ns = BPF_CORE_READ(proxy, cgroup_ns);
	if (cgroup_ns && BPF_CORE_READ(cgroup_ns, ns.inum) != PROC_CGROUP_INIT_INO) {
		container = true;
		of_root |= !BPF_CORE_READ(cgroup_ns, user_ns, level);
	}
	key.kind = KIND_CONTAINER;
	key.a = CONTAINER_ANY;
	if (container)
		labels |= labels_of_key(&key);
	key.a = CONTAINER_OF_ROOT;
	if (of_root)
		labels |= labels_of_key(&key);
	return labels;
}

/*
 * Find out what rules want to know about the caller. Not static: it is called
 * where the stack has room.
 * Returns 1 when more is known now: what was decided is to be decided again.
 */
__noinline int verdict_learn(struct verdict *v)
{
	__u64 task = bpf_get_current_task();
	__u32 lacks;

	if (!v)
		return 0;
	lacks = v->wants & ~v->knows;
	if (lacks & SORT_BIT(SORT_GROUP))
		v->others |= labels_of_groups(task);
	if (lacks & SORT_BIT(SORT_PLACE))
		v->others |= labels_of_cgroups(task) | labels_of_container(task);
	v->knows |= lacks;
	return lacks != 0;
}

/* Does a rule ask for a sort of labels? */
static __always_inline bool rule_asks(const struct rule *r, int sort)
{
	return r->only[sort] | r->except[sort];
}

static __always_inline bool rule_agrees(const struct rule *r, int sort, __u64 labels)
{
	if (r->except[sort] & labels)
		return false;
	return !r->only[sort] || r->only[sort] & labels;
}

/*
 * Is the rule about the caller? Not as long as that has to be found out: then the
 * verdict `wants` it.
 */
static __always_inline bool rule_about(const struct rule *r, struct verdict *v)
{
	__u8 later = 0;

#ifdef QUESTIONS
	/* What the answer depends on. All of it is known beforehand. */
	for (int sort = 0; sort < SUBJECT_SORTS; sort++)
		if (rule_asks(r, sort))
			v->wants |= SORT_BIT(sort);
#endif
	if (rule_asks(r, SORT_PROGRAM) &&
	    !rule_agrees(r, SORT_PROGRAM, labels_of_programs(v)))
		return false;
	if (rule_asks(r, SORT_PARENT) &&
	    !rule_agrees(r, SORT_PARENT, labels_of_parents(v)))
		return false;
	if (rule_asks(r, SORT_USER) && !rule_agrees(r, SORT_USER, labels_of_user()))
		return false;
	if (rule_asks(r, SORT_GROUP))
		later |= SORT_BIT(SORT_GROUP);
	if (rule_asks(r, SORT_PLACE))
		later |= SORT_BIT(SORT_PLACE);
	v->wants |= later;
	if (later & ~v->knows)
		return false;
	return rule_agrees(r, SORT_GROUP, v->others) &&
	       rule_agrees(r, SORT_PLACE, v->others);
}

#endif

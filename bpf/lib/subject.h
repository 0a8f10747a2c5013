/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * subject.h: who acts, as far as rules ask: a set of labels for the programs
 * a thread counts as, one for the user it acts as.
 *
 * A thread is given the labels of a program when it executes it, by the
 * program's inode or path, never by its own memory; a child has those of its
 * parent. What a missing label means: the thread is nobody special, so a rule
 * with `only` does not apply to it (open) and one with `except` does (closed).
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
__noinline __u64 labels_of_object(const struct object *o, const struct hot *h)
{
	struct object_key key = {};
	struct sip sip;
	__u64 labels = 0;

	if (!o || !h)
		return 0;
	if (filter_has(filter_inode(o->dev, o->ino))) {
		key.kind = KIND_INODE;
		key.dev = o->dev;
		key.a = o->ino;
		key.b = KREAD(struct inode, o->inode, i_generation);
		labels |= labels_of_key(&key);
	}
	if (!filter_has_name(o->dentry))
		return labels & h->labels;
	sip_init(&sip, h->key);
	key.kind = KIND_FSPATH;
	key.dev = o->dev;
	if (object_fspath(o, &sip, key_hash(&key)))
		labels |= labels_of_key(&key);
	return labels & h->labels;
}

/*
 * Labels of the calling thread. A worker that the kernel made for it (io_uring)
 * was not forked where labels are inherited: it has those of its leader.
 */
static __always_inline __u64 labels_of_current(void)
{
#ifdef QUESTIONS /* who asks is nobody: the question says whose labels */
	return 0;
#else
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_labels *t = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (!t)
		t = bpf_task_storage_get(&tasks, task->group_leader, NULL, 0);
	return t ? t->labels : 0;
#endif
}

/* Labels of the user as which the calling thread acts: its effective uid. */
static __always_inline __u64 labels_of_user(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct object_key key = {};

	key.kind = KIND_USER;
	key.a = task->cred->euid.val;
	return labels_of_key(&key);
}

/* Is the rule about a subject with these programs' labels, or about anybody? */
static __always_inline bool rule_about(const struct rule *r, __u64 programs)
{
	__u64 users;

	if (r->except[SORT_PROGRAM] & programs)
		return false;
	if (r->only[SORT_PROGRAM] && !(r->only[SORT_PROGRAM] & programs))
		return false;
	if (!(r->only[SORT_USER] | r->except[SORT_USER]))
		return true;
	users = labels_of_user();
	if (r->except[SORT_USER] & users)
		return false;
	return !r->only[SORT_USER] || r->only[SORT_USER] & users;
}

#endif

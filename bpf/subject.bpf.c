// SPDX-License-Identifier: GPL-2.0-only
/*
 * subject: labels of processes (lib/subject.h) where no program is executed.
 *
 * subject_fork  a child counts as the programs its parent counts as, and these are
 *               its parents
 * subject_script  the file that an exec begins with, which may be a script: when the
 *               kernel runs that by its interpreter, the process counts as both. (As
 *               the interpreter only if that was asked for.) A name that leads to a
 *               script can be made to lead elsewhere before the interpreter opens it
 * subject_scan  read its pin: all running processes are given those labels of the
 *               program they run, and of the one their parent runs, that are fresh,
 *               and lose those that are no longer in use
 *
 * Attached while a rule names a program as its subject. What a process executed
 * before it is not known: a child of such a program that runs another has no
 * label. A script that runs already counts as its interpreter, not as itself.
 *
 * Needs: BTF. Not ftrace.
 */
#define TYPED_ARGUMENTS
#include "lib/cotter.h"

SEC("tp_btf/sched_process_fork")
int BPF_PROG(subject_fork, struct task_struct *parent, struct task_struct *child)
{
	struct task_labels *from, *to;
	__u64 labels, parents;

	from = bpf_task_storage_get(&tasks, parent, NULL, 0);
	if (!from)
		return 0;
	/* A thread, or a child made by CLONE_PARENT, has its maker's parent. */
	labels = from->labels & hot.labels;
	parents = child->real_parent == parent ? labels : from->parents & hot.labels;
	if (!(labels | parents))
		return 0;
	to = bpf_task_storage_get(&tasks, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!to) {
		count_stat(STAT_UNLABELLED);
		return 0;
	}
	to->labels = labels;
	to->before = labels;
	to->parents = parents;
	to->exec_id = child->self_exec_id;
	return 0;
}

/* A kprobe on all backends: it forbids nothing. Its arguments have no type. */
SEC("kprobe/security_bprm_check")
int BPF_KPROBE(subject_script, struct linux_binprm *bprm)
{
	struct task_labels *t;
	struct object o = {};
	struct super_block *sb;
	struct file *file;
	__u64 labels;

	if (!hot.labels || KREAD_NUMBER(struct linux_binprm, bprm, interp) !=
				   KREAD_NUMBER(struct linux_binprm, bprm, filename))
		return 0; /* it is an interpreter that comes to its turn */
	file = KREAD(struct linux_binprm, bprm, file);
	o.mnt = KREAD(struct file, file, f_path.mnt);
	o.dentry = KREAD(struct file, file, f_path.dentry);
	o.inode = KREAD(struct file, file, f_inode);
	o.ino = KREAD(struct inode, o.inode, i_ino);
	sb = KREAD(struct inode, o.inode, i_sb);
	o.dev = KREAD(struct super_block, sb, s_dev);
	labels = labels_of_object(&o);
	t = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL,
				 labels ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	if (t) {
		t->script = labels;
		t->bprm = (__u64)bprm;
	} else if (labels) {
		count_stat(STAT_UNLABELLED);
	}
	return 0;
}

/* Fresh labels of what a task runs; none of a kernel thread, or one that exits. */
static __always_inline __u64 labels_fresh(struct task_struct *task)
{
	struct mm_struct *mm = READ(struct task_struct, task, mm);
	struct file *exe = mm ? READ(struct mm_struct, mm, exe_file) : NULL;
	struct object o;

	if (!hot.fresh || !exe)
		return 0;
	object_of_file(&o, exe);
	return labels_of_object(&o) & hot.fresh;
}

SEC("iter/task")
int subject_scan(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task, *parent;
	struct task_labels *t;
	__u64 labels, parents = 0;

	if (!task)
		return 0;
	labels = labels_fresh(task);
	parent = READ(struct task_struct, task, real_parent);
	if (parent)
		parents = labels_fresh(parent);
	t = bpf_task_storage_get(&tasks, task, NULL,
				 labels | parents ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	if (t) {
		t->labels = (t->labels & hot.labels) | labels;
		t->parents = (t->parents & hot.labels) | parents;
		t->exec_id = READ(struct task_struct, task, self_exec_id);
	} else if (labels | parents) {
		count_stat(STAT_UNLABELLED);
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

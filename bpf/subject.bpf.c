// SPDX-License-Identifier: GPL-2.0-only
/*
 * subject: labels of processes (lib/subject.h) where no program is executed.
 *
 * subject_fork  a child counts as the programs its parent counts as
 * subject_scan  read its pin: all running processes are given the labels of the
 *               program they run, and lose labels that are no longer in use
 *
 * Attached while a rule names a program as its subject. What a process executed
 * before it is not known: a child of such a program that runs another has no
 * label. A script that runs already counts as its interpreter.
 *
 * Needs: BTF. Not ftrace.
 */
#define TYPED_ARGUMENTS
#include "lib/cotter.h"

SEC("tp_btf/sched_process_fork")
int BPF_PROG(subject_fork, struct task_struct *parent, struct task_struct *child)
{
	struct task_labels *from, *to;
	struct hot *h;
	__u32 zero = 0;

	h = bpf_map_lookup_elem(&hot, &zero);
	from = bpf_task_storage_get(&tasks, parent, NULL, 0);
	if (!h || !from || !(from->labels & h->labels))
		return 0;
	to = bpf_task_storage_get(&tasks, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!to) {
		count_stat(STAT_UNLABELLED);
		return 0;
	}
	to->labels = from->labels & h->labels;
	to->before = to->labels;
	to->exec_id = child->self_exec_id;
	return 0;
}

SEC("iter/task")
int subject_scan(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct task_labels *t;
	struct object o;
	struct mm_struct *mm;
	struct file *exe;
	struct hot *h;
	__u32 zero = 0;
	__u64 labels;

	h = bpf_map_lookup_elem(&hot, &zero);
	if (!task || !h)
		return 0;
	mm = READ(struct task_struct, task, mm);
	exe = mm ? READ(struct mm_struct, mm, exe_file) : NULL;
	if (!exe)
		return 0; /* a kernel thread, or exiting */
	object_of_file(&o, exe);
	labels = labels_of_object(&o, h);
	t = bpf_task_storage_get(&tasks, task, NULL,
				 labels ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	if (t) {
		t->labels = (t->labels & h->labels) | labels;
		t->exec_id = READ(struct task_struct, task, self_exec_id);
	} else if (labels) {
		count_stat(STAT_UNLABELLED);
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

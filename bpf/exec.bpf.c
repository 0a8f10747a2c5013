// SPDX-License-Identifier: GPL-2.0-only
/*
 * exec: which files may be executed.
 *
 * BACKEND=lsm       lsm/bprm_check_security: no image is loaded, the caller
 *                   gets the rule's error
 * BACKEND=fmod_ret  the same on security_bprm_check(), for a kernel whose list
 *                   of active LSMs lacks bpf
 * BACKEND=kill      sched_process_exec: the image is loaded, the process dies
 *                   before its first instruction
 *
 * The first two are called once for the file and once for each #! interpreter
 * behind it, so a script is an object like a binary. sched_process_exec sees
 * only the last interpreter: `kill` alone cannot name a script.
 *
 * sched_process_exec also gives the process the labels of its new program
 * (lib/subject.h): rules are still decided by those of the program that called.
 *
 * On overlayfs the layer's file, whose code it is, is asked about as well (lib/overlay.h).
 *
 * Needs: BTF; ftrace enabled for lsm and fmod_ret. Fails: open where a hook is
 * not called at all (`status` proves that it is), closed inside a decision.
 * Not covered: code that is loaded without exec (ld.so FILE, dlopen, mmap).
 */
#define TYPED_ARGUMENTS
#include "lib/cotter.h"
#include "lib/overlay.h"

#ifndef BACKEND_KILL

/* The one hook that has two names. */
#ifdef BACKEND_LSM
HOOK(exec_bprm_check, bprm_check_security, struct linux_binprm *bprm)
#else
HOOK(exec_bprm_check, bprm_check, struct linux_binprm *bprm)
#endif
{
	struct verdict v = {};
	struct object o;

	if (EARLIER)
		return EARLIER;
	count_stat(STAT_CALLS + BACKEND);
	if (!asked(OP_EXEC))
		return 0;
	decide_executed(OP_EXEC, bprm->file, &o, &v);
	return act(&v, &o);
}

#else

/*
 * Give the thread the labels of the program it has just executed. May be called
 * by two programs on the same event (while one replaces the other): the second
 * changes nothing.
 * Returns the labels it had before. Not inline, for 6.1 counts the stack.
 */
static __noinline __u64 labels_exec(struct task_struct *task, struct linux_binprm *bprm)
{
	__u64 before, labels, exec_id = task->self_exec_id;
	struct task_labels *t;
	struct object o;

	if (!hot.labels)
		return 0;
	t = bpf_task_storage_get(&tasks, task, NULL, 0);
	before = t ? t->labels : 0;
	if (t && t->exec_id == exec_id)
		return t->before;
	object_of_file(&o, bprm->file);
	labels = labels_of_object(&o);
	/* An interpreter is the program only of what it was started for itself. */
	if (bprm->interp != bprm->filename)
		labels &= hot.scripts;
	/* A script is a program of its own: see subject_script. */
	if (t && t->bprm == (__u64)bprm)
		labels |= t->script & hot.labels;
	labels |= before & hot.sticky;
	if (!t && labels) {
		t = bpf_task_storage_get(&tasks, task, NULL,
					 BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!t)
			count_stat(STAT_UNLABELLED);
	}
	if (t) {
		t->before = before;
		t->labels = labels;
		t->exec_id = exec_id;
	}
	return before;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(exec_sched, struct task_struct *task, int old_pid,
	     struct linux_binprm *bprm)
{
	struct verdict v = {};
	struct object o;

	count_stat(STAT_CALLS + BACKEND);
	v.programs = labels_exec(task, bprm);
	v.knows = SORT_BIT(SORT_PROGRAM);
	if (!asked(OP_EXEC))
		return 0;
	decide_executed(OP_EXEC, bprm->file, &o, &v);
	if (v.action != ACTION_NONE)
		enforce_second(&v, &o);
	return 0;
}

#endif

char LICENSE[] SEC("license") = "GPL";

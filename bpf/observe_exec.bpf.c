// SPDX-License-Identifier: GPL-2.0-only
/*
 * observe_exec: programs that are executed, with their arguments; without a verdict.
 *
 * sched_process_exec  after the exec has succeeded. The object is the program; of a
 *                     script it is the interpreter, and the script is an argument
 *
 * Attached by `observe exec`. Needs: BTF.
 */
#define TYPED_ARGUMENTS
#define OBSERVES
#include "lib/cotter.h"
#include "lib/observe.h"

SEC("tp_btf/sched_process_exec")
int BPF_PROG(observe_exec, struct task_struct *task, int old_pid,
	     struct linux_binprm *bprm)
{
	struct object o;

	if (!observed_kind(RECORD_EXEC))
		return 0;
	object_of_file(&o, bprm->file);
	return observe(RECORD_EXEC, &o, 0);
}

char LICENSE[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * observe_exit: processes that end, with their status; without a verdict.
 *
 * taskstats_exit  called by each thread that exits and told whether it is the last one:
 *                 that is the end of the process. Which one that is cannot be seen later,
 *                 when others are still on their way. Not sched_process_exit: there
 *                 the program is no longer known. The object is the program
 *
 * Attached by `observe exit`. Needs: BTF, kprobes, CONFIG_TASKSTATS.
 */
#define OBSERVES
#include "lib/cotter.h"
#include "lib/observe.h"

#define SIGNAL_GROUP_EXIT 4

SEC("kprobe/taskstats_exit")
int BPF_KPROBE(observe_exit, struct task_struct *exiting, int group_dead)
{
	struct task_struct *task = this_task();
	struct signal_struct *signal = task->signal;
	__u64 current = bpf_get_current_task(), mm, exe;
	struct object o;
	int status;

	if (!group_dead || !observed_kind(RECORD_EXIT))
		return 0;
	mm = KREAD_NUMBER(struct task_struct, current, mm);
	exe = mm ? KREAD_NUMBER(struct mm_struct, mm, exe_file) : 0;
	if (!exe)
		return 0;
	status = signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code
						   : task->group_leader->exit_code;
	object_of_file(&o, (void *)exe);
	return observe(RECORD_EXIT, &o, status);
}

char LICENSE[] SEC("license") = "GPL";

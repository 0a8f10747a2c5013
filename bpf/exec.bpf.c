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
 * Needs: BTF; ftrace enabled for lsm and fmod_ret. Fails: open where a hook is
 * not called at all (`status` proves that it is), closed inside a decision.
 * Not covered: code that is loaded without exec (ld.so FILE, dlopen, mmap).
 */
#include "lib/cotter.h"

#if defined(BACKEND_LSM) || defined(BACKEND_FMOD_RET)

#ifdef BACKEND_LSM
#define BACKEND BACKEND_OF_LSM
SEC("lsm/bprm_check_security")
#else
#define BACKEND BACKEND_OF_FMOD_RET
SEC("fmod_ret/security_bprm_check")
#endif
int BPF_PROG(exec_bprm_check, struct linux_binprm *bprm, int ret)
{
	struct verdict v = {};
	struct object o;

	if (ret)
		return ret;
	count_stat(STAT_CALLS + BACKEND);
	object_of_file(&o, bprm->file);
	if (!decide(OP_EXEC, &o, &v))
		return 0;
	return enforce_first(&v, OP_EXEC);
}

#else

SEC("tp_btf/sched_process_exec")
int BPF_PROG(exec_sched, struct task_struct *task, int old_pid,
	     struct linux_binprm *bprm)
{
	struct verdict v = {};
	struct object o;

	count_stat(STAT_CALLS + BACKEND_OF_KILL);
	object_of_file(&o, bprm->file);
	if (decide(OP_EXEC, &o, &v))
		enforce_second(&v, OP_EXEC);
	return 0;
}

#endif

char LICENSE[] SEC("license") = "GPL";

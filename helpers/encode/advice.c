// SPDX-License-Identifier: GPL-2.0-only
/*
 * advice.c: what an operator should know before a system call is denied; see
 * encode.h.
 */
#include <string.h>
#include "encode.h"

bool call_is_vital(const char *name)
{
	/* Nothing runs without these, or nobody could take the rule back or log in. */
	static const char *const vital[] = {
		/* memory, threads, programs */
		"brk", "mmap", "mmap2", "munmap", "mprotect", "mremap", "madvise",
		"execve", "execveat", "exit", "exit_group", "fork", "vfork", "clone",
		"clone3", "wait4", "waitid", "waitpid", "futex", "set_tid_address",
		"set_robust_list", "rseq", "arch_prctl", "set_thread_area", "prlimit64",
		"getrlimit", "ugetrlimit", "prctl", "getrandom", "sched_yield",
		"sched_getaffinity",
		/* files */
		"read", "write", "readv", "writev", "pread64", "pwrite64", "open",
		"openat", "openat2", "close", "close_range", "lseek", "_llseek", "stat",
		"fstat", "lstat", "newfstatat", "statx", "stat64", "fstat64", "lstat64",
		"fstatat64", "statfs", "fstatfs", "statfs64", "fstatfs64", "access",
		"faccessat", "faccessat2", "readlink", "readlinkat", "getdents",
		"getdents64", "getcwd", "chdir", "fchdir", "umask", "dup", "dup2",
		"dup3", "pipe", "pipe2", "fcntl", "flock", "ioctl", "poll", "ppoll",
		"ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64",
		"epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait",
		"epoll_pwait", "unlink", "unlinkat", "rename", "renameat", "renameat2",
		"mkdir", "mkdirat",
		/* signals and time */
		"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend",
		"rt_sigtimedwait", "sigaction", "sigprocmask", "sigreturn",
		"sigsuspend", "sigaltstack", "restart_syscall", "kill", "tgkill",
		"nanosleep", "clock_nanosleep", "clock_gettime", "gettimeofday", "time",
		"setitimer", "alarm",
		/* who one is, a shell and a login */
		"getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid",
		"getpgrp", "getpgid", "setpgid", "getsid", "setsid", "setuid", "setgid",
		"setreuid", "setregid", "setresuid", "setresgid", "getresuid",
		"getresgid", "getgroups", "setgroups", "setfsuid", "setfsgid", "uname",
		"chroot", "keyctl",
		/* sshd, journald, D-Bus, the resolver */
		"socket", "socketpair", "socketcall", "bind", "listen", "accept",
		"accept4", "connect", "getsockname", "getpeername", "getsockopt",
		"setsockopt", "sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg",
		"recvmmsg", "shutdown",
		/* our own commands */
		"bpf", NULL
	};

	for (const char *const *v = vital; *v; v++)
		if (!strcmp(*v, name))
			return true;
	return false;
}

/*
 * The operation on files that does the same, and asks the kernel's objects instead of
 * the caller's memory; and the other ways to have what the call does.
 */
static const struct advice {
	const char *name, *operation, *others;
} advice[] = {
	{ "open", "read or write", "openat, openat2, creat, io_uring" },
	{ "openat", "read or write", "open, openat2, creat, io_uring" },
	{ "openat2", "read or write", "open, openat, creat, io_uring" },
	{ "creat", "read or write", "open, openat, openat2, io_uring" },
	{ "read", NULL, "readv, pread64, preadv, sendfile, splice, mmap, io_uring" },
	{ "write", NULL,
	  "writev, pwrite64, pwritev, sendfile, splice, mmap, io_uring" },
	{ "unlink", "delete", "unlinkat, rename, io_uring" },
	{ "unlinkat", "delete", "unlink, rmdir, rename, io_uring" },
	{ "rmdir", "delete", "unlinkat, io_uring" },
	{ "rename", "rename", "renameat, renameat2, io_uring" },
	{ "renameat", "rename", "rename, renameat2, io_uring" },
	{ "renameat2", "rename", "rename, renameat, io_uring" },
	{ "mkdir", "create", "mkdirat, io_uring" },
	{ "mkdirat", "create", "mkdir, io_uring" },
	{ "mknod", "create", "mknodat" },
	{ "mknodat", "create", "mknod" },
	{ "link", "link", "linkat, io_uring" },
	{ "linkat", "link", "link, io_uring" },
	{ "symlink", "create", "symlinkat, io_uring" },
	{ "symlinkat", "create", "symlink, io_uring" },
	{ "chmod", "setattr", "fchmod, fchmodat, fchmodat2" },
	{ "fchmod", NULL, "chmod, fchmodat, fchmodat2" },
	{ "fchmodat", "setattr", "chmod, fchmod, fchmodat2" },
	{ "chown", "setattr", "lchown, fchown, fchownat" },
	{ "fchownat", "setattr", "chown, lchown, fchown" },
	{ "truncate", "write", "ftruncate, open with O_TRUNC" },
	{ "ftruncate", NULL, "truncate, fallocate, io_uring" },
	{ "connect", NULL, "socketcall (32-bit), sendto with MSG_FASTOPEN, io_uring" },
	{ "bind", NULL, "socketcall (32-bit), io_uring" },
	{ "listen", NULL, "socketcall (32-bit), io_uring" },
	{ "socket", NULL, "socketcall (32-bit), io_uring" },
	{ "accept", NULL, "accept4, socketcall (32-bit), io_uring" },
	{ "accept4", NULL, "accept, socketcall (32-bit), io_uring" },
	{ "sendto", NULL,
	  "send, sendmsg, sendmmsg, write, socketcall (32-bit), io_uring" },
	{ "sendmsg", NULL, "sendto, sendmmsg, write, socketcall (32-bit), io_uring" },
	{ "execve", "exec", "execveat" },
	{ "execveat", "exec", "execve" },
	{ "init_module", NULL, "finit_module" },
	{ "finit_module", NULL, "init_module" },
	{ "kexec_load", NULL, "kexec_file_load" },
	{ "kexec_file_load", NULL, "kexec_load" },
	{ "fork", NULL, "vfork, clone, clone3" },
	{ "clone", NULL, "fork, vfork, clone3" },
	{ "clone3", NULL, "fork, vfork, clone" },
	{ "mount", NULL, "fsmount and move_mount" },
	{ "kill", NULL, "tkill, tgkill, rt_sigqueueinfo, pidfd_send_signal" },
	{ "setuid", NULL, "setreuid, setresuid" },
	{ "ptrace", NULL, "process_vm_readv, process_vm_writev, /proc/PID/mem" },
	{ "process_vm_readv", NULL, "ptrace, /proc/PID/mem" },
	{ "process_vm_writev", NULL, "ptrace, /proc/PID/mem" },
	{ "mmap", NULL, "mmap2 (32-bit)" },
	{ "stat", NULL, "fstat, newfstatat, statx, stat64 (32-bit)" },
	{ "shmget", NULL, "ipc (32-bit)" },
	{ "shmat", NULL, "ipc (32-bit)" },
	{ "msgsnd", NULL, "ipc (32-bit)" },
	{ "semop", NULL, "semtimedop, ipc (32-bit)" },
	{ "truncate64", "write", NULL },
	{ "uselib", "exec", NULL },
	{ "fchmodat2", "setattr", NULL },
	{ "lchown", "setattr", NULL },
	{ "utime", "setattr", NULL },
	{ "utimes", "setattr", NULL },
	{ "utimensat", "setattr", NULL },
	{ "futimesat", "setattr", NULL },
	{ "setxattr", "setattr", NULL },
	{ "lsetxattr", "setattr", NULL },
	{ "removexattr", "setattr", NULL },
	{ "lremovexattr", "setattr", NULL },
};

static const struct advice *advice_on(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(advice); i++)
		if (!strcmp(advice[i].name, name))
			return &advice[i];
	return NULL;
}

/* What was said of it already. A policy can have many rules on one call. */
enum { SAID_PATH = 1, SAID_OTHERS = 2, SAID_ELSEWHERE = 4, SAID_SIGNAL = 8 };

static bool first_time(const struct call_info *info, unsigned int what)
{
	static struct {
		const struct call_info *info;
		unsigned int said;
	} * calls;
	static size_t count;
	size_t i = 0;

	while (i < count && calls[i].info != info)
		i++;
	if (i == count) {
		calls = more(calls, count, sizeof(*calls));
		calls[count].info = info;
		calls[count++].said = 0;
	}
	if (calls[i].said & what)
		return false;
	calls[i].said |= what;
	return true;
}

/* Which ways into the kernel leave only the signal. */
static void signal_warn(const struct call_info *info, const struct apply *a)
{
	struct call_function f[CALL_FUNCTIONS];
	int n = call_functions(info, f);
	char list[512] = "";
	size_t at = 0;

	for (size_t i = 0; i < a->entries_count; i++)
		for (int j = 0; j < n; j++)
			if (!strcmp(f[j].name, a->entries[i]) &&
			    at + strlen(f[j].name) + 2 < sizeof(list))
				at += sprintf(list + at, "%s%s", at ? " " : "",
					      f[j].name);
	if (at && first_time(info, SAID_SIGNAL))
		warn("%s: cannot be made to fail here: the caller is killed, and the call may complete before it dies",
		     list);
}

static void call_warn(const struct object *o, const struct call_info *info)
{
	const struct call_rule *c = o->call;
	const struct advice *a = advice_on(info->name);
	const char *operation = a ? a->operation : NULL;

	if (c->path && first_time(info, SAID_PATH))
		warn("%s: --path-arg: a path is read from the caller's memory, which a second thread can change before the kernel reads it, and is compared as it is written there, not resolved%s%s%s",
		     info->name, operation ? ": deny " : "", operation ? operation : "",
		     operation ? " FILE does the same without that race" : "");
	if (a && a->others && first_time(info, SAID_OTHERS))
		warn("%s: the same can be done by %s", info->name, a->others);
	for (int n = info->same; n < CALL_ARGUMENTS; n++)
		if (c->test[n] || c->path == n + 1 ||
		    (c->fd && call_argument(info, n) == 'f')) {
			if (!first_time(info, SAID_ELSEWHERE))
				break;
			warn("%s: 32-bit programs pass argument %d otherwise: the rule does not hold for them",
			     info->name, n);
			break;
		}
}

void refuse_signal_only(const struct rule *like, const char *dashes)
{
	if (like->action == ACTION_DENY)
		die(EX_CANNOT,
		    "%saction deny: backend kill has only the signal: use %saction kill",
		    dashes, dashes);
	if (like->signal)
		die(EX_CANNOT,
		    "%ssignal: backend kill has only the signal, and this one can be caught: leave it out",
		    dashes);
}

void advise(const struct rule *r, const struct object *o, const struct call_info *info,
	    const struct apply *a)
{
	/* What is executed has been seen before it runs. */
	const __u32 may_complete = (OP_MODIFY | OP_READ | OP_MAPEXEC) & ~OP_SYSCALL;
	static bool said;

	if (info) {
		call_warn(o, info);
		if (r->action != ACTION_AUDIT)
			signal_warn(info, a);
		return;
	}
	if (a->signal_only && r->action == ACTION_KILL && r->ops & may_complete &&
	    !said) {
		warn("no first layer: an operation may complete before the process dies");
		said = true;
	}
}

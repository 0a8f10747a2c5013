// SPDX-License-Identifier: GPL-2.0-only
/*
 * confine: run a command under what every process may ask for itself, to measure it
 * beside ours.
 *
 *   confine seccomp COMMAND...   a filter that refuses 20 system calls, with EPERM
 *   confine none COMMAND...      nothing: for who is confined by this program's name
 *   confine landlock COMMAND...  nothing is executed but what is beneath /usr, this folder
 *                                and /tmp/measure
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const unsigned int refused[] = {
	SYS_mount,	   SYS_umount2,	    SYS_pivot_root,
	SYS_ptrace,	   SYS_init_module, SYS_finit_module,
	SYS_delete_module, SYS_kexec_load,  SYS_reboot,
	SYS_swapon,	   SYS_swapoff,	    SYS_settimeofday,
	SYS_adjtimex,	   SYS_acct,	    SYS_quotactl,
	SYS_keyctl,	   SYS_add_key,	    SYS_perf_event_open,
	SYS_userfaultfd,   SYS_unshare,
};

#define REFUSED (sizeof(refused) / sizeof(*refused))

static int seccomp(void)
{
	struct sock_filter filter[REFUSED + 3];
	struct sock_fprog prog = { REFUSED + 3, filter };

	filter[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < REFUSED; i++)
		filter[1 + i] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, refused[i], REFUSED - i, 0);
	filter[REFUSED + 1] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[REFUSED + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							   SECCOMP_RET_ERRNO | EPERM);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

static int landlock(const char *own)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs =
						      LANDLOCK_ACCESS_FS_EXECUTE };
	const char *allowed[] = { "/usr", own, "/tmp/measure" };
	int rules = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (rules < 0)
		return -1;
	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++) {
		struct landlock_path_beneath_attr beneath = {
			.allowed_access = LANDLOCK_ACCESS_FS_EXECUTE,
			.parent_fd = open(allowed[i], O_PATH | O_CLOEXEC),
		};

		if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
			    &beneath, 0))
			return -1;
	}
	return syscall(SYS_landlock_restrict_self, rules, 0);
}

static int unprivileged(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int usage(void)
{
	fputs("usage: confine seccomp|landlock|none COMMAND...\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static char own[4096];
	int failed;

	if (readlink("/proc/self/exe", own, sizeof(own) - 1) < 0)
		return 1;
	*strrchr(own, '/') = '\0';
	if (argc > 2 && !strcmp(argv[1], "seccomp"))
		failed = unprivileged() || seccomp();
	else if (argc > 2 && !strcmp(argv[1], "landlock"))
		failed = unprivileged() || landlock(own);
	else if (argc > 2 && !strcmp(argv[1], "none"))
		failed = 0;
	else
		return usage();
	if (failed) {
		perror(argv[1]);
		return 1;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}

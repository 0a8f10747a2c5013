// SPDX-License-Identifier: GPL-2.0-only
/*
 * attack: what no shell can try against a seal, as root.
 *
 *   attack links          get a descriptor of each link there is, by its id
 *   attack maps           one of each map, to write
 *   attack programs       one of each program
 *   attack attach PIN     attach the tracing program that is pinned there
 *   attack kexec          ask for another kernel to be loaded (none: it is unloaded)
 *   attack ptrace PID     seize a process
 *   attack hold PIN FILE  hold a map open until FILE is gone
 *   attack move FROM TO   move a mount, with move_mount(2)
 *
 * The first three print how many they got of how many. Exit status: 0 it worked, 1
 * it was refused, 2 usage.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/mount.h>

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int each(int next, int get)
{
	union bpf_attr attr = {};
	unsigned int got = 0, all = 0;

	while (!bpf(next, &attr)) {
		__u32 id = attr.next_id;
		int fd;

		attr = (union bpf_attr){
			.map_id = id
		}; /* of each sort at the same place */
		fd = bpf(get, &attr);
		all++;
		got += fd >= 0;
		if (fd >= 0)
			close(fd);
		attr = (union bpf_attr){ .start_id = id };
	}
	printf("%u of %u\n", got, all);
	return 0;
}

static int pinned(const char *path)
{
	union bpf_attr attr = {};

	attr.pathname = (uintptr_t)path;
	return bpf(BPF_OBJ_GET, &attr);
}

static int refused(const char *what)
{
	fprintf(stderr, "attack: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	union bpf_attr attr = {};
	int fd;

	if (!strcmp(what, "links"))
		return each(BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID);
	if (!strcmp(what, "maps"))
		return each(BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID);
	if (!strcmp(what, "programs"))
		return each(BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID);
	if (!strcmp(what, "kexec"))
		return syscall(SYS_kexec_load, 0, 0, NULL, 0) ? refused(what) : 0;
	if (argc == 3 && !strcmp(what, "attach")) {
		fd = pinned(argv[2]);
		if (fd < 0)
			return refused(argv[2]);
		attr.raw_tracepoint.prog_fd = fd;
		return bpf(BPF_RAW_TRACEPOINT_OPEN, &attr) < 0 ? refused(what) : 0;
	}
	if (argc == 3 && !strcmp(what, "ptrace"))
		return ptrace(PTRACE_SEIZE, atoi(argv[2]), NULL, NULL) ? refused(what)
								       : 0;
	if (argc == 4 && !strcmp(what, "hold")) {
		fd = pinned(argv[2]);
		if (fd < 0)
			return refused(argv[2]);
		puts("held");
		fflush(stdout);
		while (!access(argv[3], F_OK))
			usleep(10000);
		return 0;
	}
	if (argc == 4 && !strcmp(what, "move")) {
		fd = syscall(SYS_open_tree, AT_FDCWD, argv[2], OPEN_TREE_CLOEXEC);
		if (fd < 0)
			return refused(argv[2]);
		return syscall(SYS_move_mount, fd, "", AT_FDCWD, argv[3],
			       MOVE_MOUNT_F_EMPTY_PATH)
			       ? refused(what)
			       : 0;
	}
	return 2;
}

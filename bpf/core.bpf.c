// SPDX-License-Identifier: GPL-2.0-only
/*
 * core: the shared maps, and the questions that helpers put to the kernel.
 * Enforces nothing.
 *
 *   identify  who the file behind a descriptor is, as the hooks see it: stat(2)
 *             shows another device on btrfs and overlayfs, and no generation
 *
 * Needs: 6.1 or later, BTF.
 */
#include "lib/cotter.h"

#define EBADF 9

SEC("syscall")
int identify(struct identify *arg)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct files_struct *files = task->files;
	struct fdtable *fdt;
	struct file *file = NULL, **fds;
	struct object o = {};
	struct hot *h;
	__u32 zero = 0;

	arg->error = EBADF;
	fdt = BPF_CORE_READ(files, fdt);
	if (arg->fd < 0 || (__u32)arg->fd >= BPF_CORE_READ(fdt, max_fds))
		return 0;
	fds = BPF_CORE_READ(fdt, fd);
	/* The caller is a helper of ours with one thread: no fd closes here. */
	bpf_probe_read_kernel(&file, sizeof(file), &fds[arg->fd]);
	h = bpf_map_lookup_elem(&hot, &zero);
	if (!file || !h)
		return 0;
	o.mnt = BPF_CORE_READ(file, f_path.mnt);
	o.dentry = BPF_CORE_READ(file, f_path.dentry);
	arg->dev = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
	arg->ino = BPF_CORE_READ(file, f_inode, i_ino);
	arg->inode_gen = BPF_CORE_READ(file, f_inode, i_generation);
	arg->named = object_name(&o, h, arg->name);
	arg->error = 0;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

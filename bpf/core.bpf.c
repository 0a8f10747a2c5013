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
	struct name_hash name = {};
	struct object o = {};
	struct sip sip;

	arg->error = EBADF;
	fdt = BPF_CORE_READ(files, fdt);
	if (arg->fd < 0 || (__u32)arg->fd >= BPF_CORE_READ(fdt, max_fds))
		return 0;
	fds = BPF_CORE_READ(fdt, fd);
	/* The caller is a helper of ours with one thread: no fd closes here. */
	bpf_probe_read_kernel(&file, sizeof(file), &fds[arg->fd]);
	if (!file)
		return 0;
	object_of_file(&o, file);
	arg->dev = o.dev;
	arg->ino = o.ino;
	arg->inode_gen = KREAD(struct inode, o.inode, i_generation);
	sip = (struct sip){ arg->sip[0], arg->sip[1], arg->sip[2], arg->sip[3] };
	arg->named = object_name(&o, &sip, &name);
	arg->name[0] = name.half[0];
	arg->name[1] = name.half[1];
	arg->in_fs = object_fspath(&o, &sip, &name);
	arg->fspath[0] = name.half[0];
	arg->fspath[1] = name.half[1];
	arg->error = 0;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * core: the shared maps, and the questions that helpers put to the kernel.
 * Enforces nothing.
 *
 *   explain   what would be decided if a process did something to a file
 *   identify  who the file behind a descriptor is, as the hooks see it: stat(2)
 *             shows another device on btrfs and overlayfs, and no generation
 *   sketch_add  no question: keys of rules that come, for the sketch
 *
 * Needs: 6.1 or later, BTF.
 */
#define QUESTIONS
#include "lib/cotter.h"

#define ESRCH 3
#define EBADF 9
#define PIDTYPE_TGID 1
#define ALL_SORTS ((1u << SUBJECT_SORTS) - 1)

/*
 * The file behind a descriptor of the caller, as a number; 0: none. The caller is a
 * helper of ours with one thread: no descriptor closes here.
 */
static __always_inline struct file *file_of_fd(__s32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct files_struct *files = task->files;
	struct file *file = NULL, **fds;
	struct fdtable *fdt;

	fdt = BPF_CORE_READ(files, fdt);
	if (fd < 0 || (__u32)fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	fds = BPF_CORE_READ(fdt, fd);
	bpf_probe_read_kernel(&file, sizeof(file), &fds[fd]);
	return file;
}

SEC("syscall")
int identify(struct identify *arg)
{
	struct name_hash name = {};
	struct object o = {};
	struct sip sip, start;
	struct file *file;

	arg->error = EBADF;
	file = file_of_fd(arg->fd);
	if (!file)
		return 0;
	object_of_file(&o, file);
	arg->dev = o.dev;
	arg->ino = o.ino;
	arg->inode_gen = KREAD(struct inode, o.inode, i_generation);
	start = (struct sip){ arg->sip[0], arg->sip[1], arg->sip[2], arg->sip[3] };
	sip = start;
	arg->named = object_name(&o, &sip) && name_end(&sip, &name);
	arg->name[0] = name.half[0];
	arg->name[1] = name.half[1];
	sip = start;
	arg->in_fs = object_fspath(&o, &sip) && name_end(&sip, &name);
	arg->fspath[0] = name.half[0];
	arg->fspath[1] = name.half[1];
	arg->error = 0;
	return 0;
}

/* Apply the rules of one key of a missing object. Here for its room on the stack. */
__noinline int explain_key(struct verdict *v, __u32 ops, __u64 kind_dev, __u64 a,
			   __u64 b)
{
	struct object_key key = {};

	key.kind = kind_dev >> 32;
	key.dev = (__u32)kind_dev;
	key.a = a;
	key.b = b;
	return apply_key(v, &key, ops);
}

/* Labels of the program behind a descriptor. */
__noinline __u64 explain_labels(__s32 fd)
{
	struct object o = {};
	struct file *file = file_of_fd(fd);

	if (!file)
		return 0;
	object_of_file(&o, file);
	return labels_of_object(&o);
}

/* The object behind a descriptor. Returns 1 if there is one. */
__noinline int explain_object(struct object *o, __s32 fd)
{
	struct file *file = file_of_fd(fd);

	if (!o || !file)
		return 0;
	object_of_dentry(o, KREAD(struct file, file, f_path.mnt),
			 KREAD(struct file, file, f_path.dentry));
	return 1;
}

/* Operations that some rule names. */
__noinline __u32 explain_ops(void)
{
	return hot.ops;
}

/* The process whose folder in /proc is behind a descriptor. 0: it has ended. */
__noinline __u64 explain_task(__s32 fd)
{
	struct file *file = file_of_fd(fd);
	__u64 inode, pid, link;

	if (!file)
		return 0;
	inode = (__u64)KREAD(struct file, file, f_inode);
	inode -= bpf_core_field_offset(struct proc_inode, vfs_inode);
	pid = KREAD_NUMBER(struct proc_inode, inode, pid);
	if (!pid)
		return 0;
	pid += bpf_core_field_offset(struct pid, tasks);
	link = number_at((void *)(pid + 8ull * PIDTYPE_TGID));
	if (!link)
		return 0;
	return link - bpf_core_field_offset(struct task_struct, pid_links) -
	       (__u64)bpf_core_type_size(struct hlist_node) * PIDTYPE_TGID;
}

/* Decide about what is said to be an object. As decide(). */
static __always_inline int explain_said(const struct explain *arg,
					const struct object *o, struct verdict *v)
{
	if (!arg || !o || !v)
		return 0;
	if (arg->classes)
		return decide_classes(arg->ops, arg->classes, v);
	/* A missing one has its name alone, and the directories it would be beneath. */
	explain_key(v, arg->ops, (__u64)KIND_NAME << 32, arg->name[0], arg->name[1]);
	explain_key(v, arg->ops, (__u64)KIND_FSPATH << 32 | o->dev, arg->fspath[0],
		    arg->fspath[1]);
	return decide_tree(arg->ops, o, v);
}

/* Its parts are functions of their own for the stack, of which 6.1 counts each byte. */
SEC("syscall")
int explain(struct explain *arg)
{
	__u64 task = bpf_get_current_task();
	struct verdict v = {};
	struct object o = {};

	arg->error = EBADF;
	if (!arg->classes && !explain_object(&o, arg->fd))
		return 0;
	arg->error = ESRCH;
	if (arg->pid_fd >= 0)
		task = explain_task(arg->pid_fd);
	if (!task)
		return 0;
	v.knows = ALL_SORTS;
	if (arg->flags & EXPLAIN_ANYBODY)
		v.knows |= ANYBODY;
	v.programs = arg->labels;
	if (arg->exe_fd >= 0)
		v.programs |= explain_labels(arg->exe_fd);
	v.parents = arg->parents;
	v.others = labels_of_groups(task) | labels_of_cgroups(task) |
		   labels_of_container(task);
	if (arg->flags & EXPLAIN_DIGEST)
		explain_key(&v, arg->ops & OP_EXEC,
			    (__u64)KIND_DIGEST << 32 | (__u32)arg->digest[2],
			    arg->digest[0], arg->digest[1]);
	if (arg->classes || arg->flags & EXPLAIN_MISSING) {
		explain_said(arg, &o, &v);
	} else {
		decide(arg->ops, &o, &v);
		decide_above(arg->ops & (OP_DELETE | OP_RENAME), &o, &v);
	}
	arg->hot_ops = explain_ops();
	arg->panic = panicking();
	arg->action = v.action > ACTION_AUDIT && arg->panic ? ACTION_AUDIT : v.action;
	arg->kind = v.kind;
	arg->id = v.id;
	arg->slot = v.slot;
	arg->rule_ops = v.ops;
	arg->rule_error = v.error;
	arg->asks = v.wants;
	arg->error = 0;
	return 0;
}

/* Forget SKETCH_KEYS words of the sketch. */
static long sketch_clear(__u32 i, void *unused)
{
#pragma unroll
	for (__u32 n = 0; n < SKETCH_KEYS; n++)
		sketch.word[(i * SKETCH_KEYS + n) & (SKETCH_WORDS - 1)] = 0;
	return 0;
}

SEC("syscall")
int sketch_add(struct sketch_add *arg)
{
	__u32 count = arg->count;

	barrier_var(count); /* or it is read again, by a pointer that has moved */
	if (arg->clear) {
		bpf_loop(SKETCH_WORDS / SKETCH_KEYS, sketch_clear, NULL, 0);
		sketch.bits = 0;
	}
	/* what is told is read at fixed places only */
#pragma unroll
	for (__u32 i = 0; i < SKETCH_KEYS; i++)
		if (i < count)
			sketch_set(arg->hash[i]);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

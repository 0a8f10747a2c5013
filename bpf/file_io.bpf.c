// SPDX-License-Identifier: GPL-2.0-only
/*
 * file_io: using a file that is open, so that a rule also ends what descriptors
 * opened before it could do.
 *
 * file_permission  read, write and all their kin (pread, sendfile, splice,
 *                  copy_file_range, fallocate, io_uring), getdents
 * mmap_file        mapping it is OP_READ; shared of a file open for writing is
 *                  OP_WRITE, whatever the protection: it can be changed later.
 *                  overlayfs maps a layer's file, which is asked about as well
 * file_mprotect    making an existing mapping so
 * path_truncate    truncate, before 6.2 ftruncate as well
 *
 * Attached while a rule names OP_READ or OP_WRITE. Not covered: a writable
 * shared mapping made before the rule (`deny` names the processes that have one).
 *
 * Needs: BTF; ftrace for lsm and fmod_ret.
 */
#include "lib/cotter.h"
#include "lib/file.h"
#include "lib/overlay.h"

#define MAY_WRITE 2
#define MAY_READ 4

/* Decide operations on an open file, and what it is part of. */
static __always_inline int use(struct file *file, __u32 ops)
{
	struct verdict v;
	struct object o;
	__u64 number;
	bool backing;

	if (!asked(ops))
		return 0;
	backing = is_backing(file);
#ifndef BACKEND_KILL /* see act_on() */
	if (!backing && !perhaps_file(ops, &o, file))
		return 0;
#endif
	/* Memory is told without types: what is a pointer here and a number there is. */
	number = (__u64)file;
	object_of_file(&o, file);
	v = (struct verdict){};
	/* One call, see apply_key(). The second time, of what it is part of. */
#pragma nounroll
	for (int i = 0; i <= backing; i++) {
		if (i)
			object_above(&o, &number);
		decide(ops, &o, &v);
	}
	return act(&v, &o);
}

HOOK(file_permission, file_permission, struct file *file, int mask)
{
	__u32 ops = 0;

	if (EARLIER)
		return EARLIER;
	if (mask & MAY_WRITE)
		ops |= OP_WRITE;
	if (mask & MAY_READ && !executed(file))
		ops |= OP_READ;
	return use(file, ops);
}

#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_SHARED 1 /* also a bit of MAP_SHARED_VALIDATE */
#define VM_SHARED 8

/* The lsm hook is told the protection asked for as well. */
#ifdef BACKEND_LSM
HOOK(file_mmap, mmap_file, struct file *file, unsigned long reqprot, unsigned long prot,
     unsigned long flags)
#else
HOOK(file_mmap, mmap_file, struct file *file, unsigned long prot, unsigned long flags)
#endif
{
	struct verdict v = {};
	struct object o;
	__u32 ops;

	if (EARLIER)
		return EARLIER;
	if (!asked(OP_READ | OP_WRITE) || no_file(file))
		return 0;
	ops = executed(file) ? 0 : OP_READ;
	if (flags & MAP_SHARED && READ(struct file, file, f_mode) & FMODE_WRITE)
		ops |= OP_WRITE;
	if (!asked(ops))
		return 0;
	decide_executed(ops, file, &o, &v);
	return act(&v, &o);
}

HOOK(file_mprotect, file_mprotect, struct vm_area_struct *vma, unsigned long reqprot,
     unsigned long prot)
{
	struct file *file;
	__u32 ops = 0;

	if (EARLIER)
		return EARLIER;
	if (!asked(OP_READ | OP_WRITE))
		return 0;
	file = READ(struct vm_area_struct, vma, vm_file);
	if (!file)
		return 0;
	if (prot & (PROT_READ | PROT_WRITE | PROT_EXEC) && !executed(file))
		ops |= OP_READ;
	if (prot & PROT_WRITE && READ(struct vm_area_struct, vma, vm_flags) & VM_SHARED)
		ops |= OP_WRITE;
	return use(file, ops);
}

HOOK(path_truncate, path_truncate, const struct path *path)
{
	struct object o;

	if (EARLIER)
		return EARLIER;
	if (!asked(OP_WRITE))
		return 0;
	object_of_path(&o, path);
	return act_on(OP_WRITE, &o);
}

char LICENSE[] SEC("license") = "GPL";

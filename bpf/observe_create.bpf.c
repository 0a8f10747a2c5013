// SPDX-License-Identifier: GPL-2.0-only
/*
 * observe_create: names that are made; without a verdict. They may still fail.
 *
 * security_inode_create, _mknod, _mkdir, _symlink, _link
 *
 * Attached by `observe create`. Needs: BTF, kprobes.
 */
#define OBSERVES
#include "lib/cotter.h"
#include "lib/observe.h"

static __always_inline int created(struct dentry *dentry)
{
	struct object o;

	if (!observed_kind(RECORD_CREATE))
		return 0;
	object_of_dentry(&o, NULL, dentry);
	return observe(RECORD_CREATE, &o, 0);
}

HOOK(observe_create, inode_create, struct inode *dir, struct dentry *dentry)
{
	return created(dentry);
}

HOOK(observe_mknod, inode_mknod, struct inode *dir, struct dentry *dentry)
{
	return created(dentry);
}

HOOK(observe_mkdir, inode_mkdir, struct inode *dir, struct dentry *dentry)
{
	return created(dentry);
}

HOOK(observe_symlink, inode_symlink, struct inode *dir, struct dentry *dentry)
{
	return created(dentry);
}

HOOK(observe_link, inode_link, struct dentry *old_dentry, struct inode *dir,
     struct dentry *new_dentry)
{
	return created(new_dentry);
}

char LICENSE[] SEC("license") = "GPL";

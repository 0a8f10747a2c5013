// SPDX-License-Identifier: GPL-2.0-only
/*
 * observe_delete: names that are removed; without a verdict. They may still fail.
 *
 * security_inode_unlink, _rmdir
 *
 * Attached by `observe delete`. Needs: BTF, kprobes.
 */
#define OBSERVES
#include "lib/cotter.h"
#include "lib/observe.h"

static __always_inline int deleted(struct dentry *dentry)
{
	struct object o;

	if (!observed_kind(RECORD_DELETE))
		return 0;
	object_of_dentry(&o, NULL, dentry);
	return observe(RECORD_DELETE, &o, 0);
}

HOOK(observe_unlink, inode_unlink, struct inode *dir, struct dentry *dentry)
{
	return deleted(dentry);
}

HOOK(observe_rmdir, inode_rmdir, struct inode *dir, struct dentry *dentry)
{
	return deleted(dentry);
}

char LICENSE[] SEC("license") = "GPL";

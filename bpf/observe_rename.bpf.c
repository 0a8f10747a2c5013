// SPDX-License-Identifier: GPL-2.0-only
/*
 * observe_rename: names that are changed; without a verdict. The object is the old
 * name. It may still fail.
 *
 * security_inode_rename
 *
 * Attached by `observe rename`. Needs: BTF, kprobes.
 */
#define OBSERVES
#include "lib/cotter.h"
#include "lib/observe.h"

HOOK(observe_rename, inode_rename, struct inode *old_dir, struct dentry *old_dentry)
{
	struct object o;

	if (!observed_kind(RECORD_RENAME))
		return 0;
	object_of_dentry(&o, NULL, old_dentry);
	return observe(RECORD_RENAME, &o, 0);
}

char LICENSE[] SEC("license") = "GPL";

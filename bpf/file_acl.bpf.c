// SPDX-License-Identifier: GPL-2.0-only
/*
 * file_acl: inode_set_acl and inode_remove_acl: POSIX ACLs on 6.2 and later.
 * An object of its own: one hook that is missing fails all of an object.
 *
 * Attached while a rule names OP_SETATTR.
 */
#include "lib/cotter.h"

HOOK(file_set_acl, inode_set_acl, void *idmap, struct dentry *dentry, const char *name,
     void *acl)
{
	return EARLIER ? EARLIER : act_on_dentry(OP_SETATTR, dentry);
}

HOOK(file_rm_acl, inode_remove_acl, void *idmap, struct dentry *dentry,
     const char *name)
{
	return EARLIER ? EARLIER : act_on_dentry(OP_SETATTR, dentry);
}

char LICENSE[] SEC("license") = "GPL";

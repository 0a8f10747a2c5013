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
	const struct hot *h;
	struct object o;

	if (EARLIER)
		return EARLIER;
	h = asked(OP_SETATTR);
	if (!h)
		return 0;
	object_of_dentry(&o, NULL, dentry);
	return act_on(h, OP_SETATTR, &o);
}

HOOK(file_rm_acl, inode_remove_acl, void *idmap, struct dentry *dentry,
     const char *name)
{
	const struct hot *h;
	struct object o;

	if (EARLIER)
		return EARLIER;
	h = asked(OP_SETATTR);
	if (!h)
		return 0;
	object_of_dentry(&o, NULL, dentry);
	return act_on(h, OP_SETATTR, &o);
}

char LICENSE[] SEC("license") = "GPL";

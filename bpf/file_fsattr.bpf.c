// SPDX-License-Identifier: GPL-2.0-only
/*
 * file_fsattr: inode_file_setattr: chattr by system call or ioctl, on 6.17 and later.
 * An object of its own: one hook that is missing fails all of an object.
 *
 * Attached while a rule names OP_SETATTR.
 */
#include "lib/cotter.h"

HOOK(file_fsattr, inode_file_setattr, struct dentry *dentry, void *attr)
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

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
	return EARLIER ? EARLIER : act_on_dentry(OP_SETATTR, dentry);
}

char LICENSE[] SEC("license") = "GPL";

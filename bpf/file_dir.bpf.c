// SPDX-License-Identifier: GPL-2.0-only
/*
 * file_dir: names: making, removing and changing them.
 *
 * inode_create, inode_mknod, inode_mkdir, inode_symlink  OP_CREATE
 * inode_unlink, inode_rmdir  OP_DELETE
 * inode_rename  old name: OP_RENAME. New name: OP_CREATE where there is nothing,
 *               else OP_RENAME or OP_DELETE of what is replaced
 * inode_link    OP_LINK of the file, OP_CREATE of the new name
 * sb_mount, move_mount  OP_RENAME: what the name leads to is another file then
 *
 * Not the path_* hooks: overlayfs, which works on its layers from within the
 * kernel, does not pass them. The inode hooks are not told through which mount a
 * name was reached; see lib/object.h, mount_of_sb().
 *
 * Renaming, removing or mounting over a directory is the same for all objects
 * beneath it. Attached while a rule names one of these operations. Not covered:
 * pivot_root and chroot, which change a process, not a name; umount.
 *
 * Needs: BTF; ftrace for lsm and fmod_ret.
 */
#include "lib/cotter.h"

#define MS_REMOUNT 32
#define MS_BIND 4096
#define MS_PROPAGATION (1 << 17 | 1 << 18 | 1 << 19 | 1 << 20)

/* The name of a directory, and with it those of all that is beneath, goes. */
static __always_inline int act_on_all(__u32 ops, const struct object *o)
{
	struct verdict v = {};

	decide(ops, o, &v);
	decide_above(ops, o, &v);
	return act(&v, o);
}

/* The file of a dentry is about to have the name of `to`, too. */
static __always_inline void follow_dentry(const struct object *to,
					  struct dentry *dentry)
{
	struct inode *inode = READ(struct dentry, dentry, d_inode);

	if (inode)
		follow(to, READ(struct inode, inode, i_ino),
		       READ(struct inode, inode, i_generation));
}

HOOK(file_create, inode_create, struct inode *dir, struct dentry *dentry,
     unsigned short mode)
{
	return EARLIER ? EARLIER : act_on_dentry(OP_CREATE, dentry);
}

HOOK(file_mknod, inode_mknod, struct inode *dir, struct dentry *dentry,
     unsigned short mode, unsigned int dev)
{
	return EARLIER ? EARLIER : act_on_dentry(OP_CREATE, dentry);
}

HOOK(file_mkdir, inode_mkdir, struct inode *dir, struct dentry *dentry,
     unsigned short mode)
{
	return EARLIER ? EARLIER : act_on_dentry(OP_CREATE, dentry);
}

HOOK(file_symlink, inode_symlink, struct inode *dir, struct dentry *dentry,
     const char *target)
{
	return EARLIER ? EARLIER : act_on_dentry(OP_CREATE, dentry);
}

HOOK(file_unlink, inode_unlink, struct inode *dir, struct dentry *dentry)
{
	return EARLIER ? EARLIER : act_on_dentry(OP_DELETE, dentry);
}

HOOK(file_rmdir, inode_rmdir, struct inode *dir, struct dentry *dentry)
{
	struct object o;

	if (EARLIER)
		return EARLIER;
	if (!asked(OP_DELETE))
		return 0;
	object_of_dentry(&o, NULL, dentry);
	return act_on_all(OP_DELETE, &o);
}

/* The lsm hook is not told the flags. They do not matter: an exchange replaces. */
#ifdef BACKEND_LSM
HOOK(file_rename, inode_rename, struct inode *old_dir, struct dentry *old_dentry,
     struct inode *new_dir, struct dentry *new_dentry)
#else
HOOK(file_rename, inode_rename, struct inode *old_dir, struct dentry *old_dentry,
     struct inode *new_dir, struct dentry *new_dentry, unsigned int flags)
#endif
{
	struct verdict v = {};
	struct object o;
	__u32 first;

	if (EARLIER)
		return EARLIER;
	if (!asked(OP_RENAME | OP_CREATE | OP_DELETE))
		return 0;
	object_of_dentry(&o, NULL, old_dentry);
	decide(OP_RENAME, &o, &v);
	decide_above(OP_RENAME, &o, &v);
	first = v.id;
	object_of_dentry(&o, NULL, new_dentry);
	decide(o.inode ? OP_RENAME | OP_DELETE : OP_CREATE, &o, &v);
	if (o.inode)
		decide_above(OP_RENAME | OP_DELETE, &o, &v);
	if (v.action <= ACTION_AUDIT) {
		follow_dentry(&o, old_dentry);
		object_of_dentry(&o, NULL, old_dentry);
		follow_dentry(&o, new_dentry); /* it may be an exchange */
	}
	/* the record tells of what the rule names */
	object_of_dentry(&o, NULL, v.id == first ? old_dentry : new_dentry);
	return act(&v, &o);
}

HOOK(file_link, inode_link, struct dentry *old_dentry, struct inode *dir,
     struct dentry *new_dentry)
{
	struct verdict v = {};
	struct object o;
	__u32 first;

	if (EARLIER)
		return EARLIER;
	if (!asked(OP_LINK | OP_CREATE))
		return 0;
	object_of_dentry(&o, NULL, old_dentry);
	decide(OP_LINK, &o, &v);
	first = v.id;
	object_of_dentry(&o, NULL, new_dentry);
	decide(OP_CREATE, &o, &v);
	if (v.action <= ACTION_AUDIT)
		follow_dentry(&o, old_dentry);
	if (v.id == first)
		object_of_dentry(&o, NULL, old_dentry);
	return act(&v, &o);
}

HOOK(file_mount, sb_mount, const char *dev_name, const struct path *path,
     const char *type, unsigned long flags, void *data)
{
	struct object o;

	if (EARLIER)
		return EARLIER;
	/* In this order mount(2) looks at its flags. */
	if (flags & MS_REMOUNT || (!(flags & MS_BIND) && flags & MS_PROPAGATION))
		return 0;
	if (!asked(OP_RENAME))
		return 0;
	object_of_path(&o, path);
	return act_on_all(OP_RENAME, &o);
}

HOOK(file_move_mount, move_mount, const struct path *from, const struct path *to)
{
	struct object o;

	if (EARLIER)
		return EARLIER;
	if (!asked(OP_RENAME))
		return 0;
	object_of_path(&o, to);
	return act_on_all(OP_RENAME, &o);
}

char LICENSE[] SEC("license") = "GPL";

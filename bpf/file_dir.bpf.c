// SPDX-License-Identifier: GPL-2.0-only
/*
 * file_dir: names: making, removing and changing them.
 *
 * path_mknod, path_mkdir, path_symlink  OP_CREATE (mknod: also open with O_CREAT)
 * path_unlink, path_rmdir               OP_DELETE
 * path_rename  old name: OP_RENAME. New name: OP_CREATE where there is nothing,
 *              else OP_RENAME or OP_DELETE of what is replaced
 * path_link    OP_LINK of the file, OP_CREATE of the new name
 * sb_mount, move_mount  OP_RENAME: what the name leads to is another file then
 *
 * Renaming, removing or mounting over a directory is the same for all objects
 * beneath it. Attached while a rule names one of these operations. Not covered:
 * pivot_root and chroot, which change a process, not a name; umount.
 *
 * Needs: BTF, CONFIG_SECURITY_PATH; ftrace for lsm and fmod_ret.
 */
#include "lib/cotter.h"

#define RENAME_EXCHANGE 2
#define MS_REMOUNT 32
#define MS_PROPAGATION (1 << 17 | 1 << 18 | 1 << 19 | 1 << 20)

/* A new name in a directory. */
static __always_inline int create(const struct path *dir, struct dentry *dentry)
{
	const struct hot *h;
	struct object o;

	h = asked(OP_CREATE);
	if (!h)
		return 0;
	object_of_dentry(&o, READ(struct path, dir, mnt), dentry);
	return act_on(h, OP_CREATE, &o);
}

/* The name of a directory, and with it those of all that is beneath, goes. */
static __always_inline int act_on_all(__u32 ops, const struct object *o)
{
	struct verdict v = {};

	decide(ops, o, &v);
	decide_above(ops, o, &v);
	return act(&v);
}

HOOK(file_mknod, path_mknod, const struct path *dir, struct dentry *dentry,
     unsigned short mode, unsigned int dev)
{
	return EARLIER ? EARLIER : create(dir, dentry);
}

HOOK(file_mkdir, path_mkdir, const struct path *dir, struct dentry *dentry,
     unsigned short mode)
{
	return EARLIER ? EARLIER : create(dir, dentry);
}

HOOK(file_symlink, path_symlink, const struct path *dir, struct dentry *dentry,
     const char *target)
{
	return EARLIER ? EARLIER : create(dir, dentry);
}

HOOK(file_unlink, path_unlink, const struct path *dir, struct dentry *dentry)
{
	const struct hot *h;
	struct object o;

	if (EARLIER)
		return EARLIER;
	h = asked(OP_DELETE);
	if (!h)
		return 0;
	object_of_dentry(&o, READ(struct path, dir, mnt), dentry);
	return act_on(h, OP_DELETE, &o);
}

HOOK(file_rmdir, path_rmdir, const struct path *dir, struct dentry *dentry)
{
	struct object o;

	if (EARLIER)
		return EARLIER;
	if (!asked(OP_DELETE))
		return 0;
	object_of_dentry(&o, READ(struct path, dir, mnt), dentry);
	return act_on_all(OP_DELETE, &o);
}

HOOK(file_rename, path_rename, const struct path *old_dir, struct dentry *old_dentry,
     const struct path *new_dir, struct dentry *new_dentry, unsigned int flags)
{
	struct verdict v = {};
	struct object o;

	if (EARLIER)
		return EARLIER;
	if (!asked(OP_RENAME | OP_CREATE | OP_DELETE))
		return 0;
	object_of_dentry(&o, READ(struct path, old_dir, mnt), old_dentry);
	decide(OP_RENAME, &o, &v);
	decide_above(OP_RENAME, &o, &v);
	object_of_dentry(&o, READ(struct path, new_dir, mnt), new_dentry);
	decide(o.inode ? OP_RENAME | OP_DELETE : OP_CREATE, &o, &v);
	if (o.inode)
		decide_above(OP_RENAME | OP_DELETE, &o, &v);
	return act(&v);
}

HOOK(file_link, path_link, struct dentry *old_dentry, const struct path *new_dir,
     struct dentry *new_dentry)
{
	struct verdict v = {};
	struct vfsmount *mnt;
	struct object o;

	if (EARLIER)
		return EARLIER;
	if (!asked(OP_LINK | OP_CREATE))
		return 0;
	/* Both are on one mount, the kernel has seen to it. */
	mnt = READ(struct path, new_dir, mnt);
	object_of_dentry(&o, mnt, old_dentry);
	decide(OP_LINK, &o, &v);
	object_of_dentry(&o, mnt, new_dentry);
	decide(OP_CREATE, &o, &v);
	return act(&v);
}

HOOK(file_mount, sb_mount, const char *dev_name, const struct path *path,
     const char *type, unsigned long flags, void *data)
{
	struct object o;

	if (EARLIER)
		return EARLIER;
	if (flags & (MS_REMOUNT | MS_PROPAGATION) || !asked(OP_RENAME))
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

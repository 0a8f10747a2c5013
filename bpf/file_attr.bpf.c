// SPDX-License-Identifier: GPL-2.0-only
/*
 * file_attr: what is known about a file, besides its bytes.
 *
 * inode_setattr      mode, owner, times; size (OP_WRITE)
 * inode_setxattr     extended attributes; before 6.2 also ACLs
 * inode_removexattr
 *
 * The inode hooks are not told through which mount the file was reached; its path
 * is then taken to be the one through the first mount of its file system. Attached
 * while a rule names OP_SETATTR or OP_WRITE.
 *
 * Needs: BTF; ftrace for lsm and fmod_ret.
 */
#include "lib/cotter.h"

#define ATTR_MODE (1 << 0)
#define ATTR_UID (1 << 1)
#define ATTR_GID (1 << 2)
#define ATTR_SIZE (1 << 3)
#define ATTR_ATIME (1 << 4)
#define ATTR_MTIME (1 << 5)
#define ATTR_FORCE (1 << 9)
#define ATTR_ANY (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME | ATTR_MTIME)

/*
 * ATTR_SIZE is a truncation: who truncates through an overlay has only the merged file asked
 * about before (path_truncate), the layer's here. An audit of any other counts it twice.
 * ATTR_FORCE is what a write does to a setuid file.
 */
static __always_inline int setattr_valid(struct dentry *dentry, struct iattr *attr)
{
	unsigned int valid = READ(struct iattr, attr, ia_valid);
	__u32 op = OP_SETATTR;

	if (valid & ATTR_SIZE)
		op = OP_WRITE;
	else if (!(valid & ATTR_ANY) || valid & ATTR_FORCE)
		return 0;
	return act_on_dentry(op, dentry);
}

#ifdef BACKEND_LSM
/*
 * The hook is told the mount's id map since 6.9; 6.1, which has no such type,
 * is not. On a kernel between the two this is not verified: an error at load.
 */
SEC("lsm/inode_setattr")
int file_setattr(unsigned long long *ctx)
{
	if (bpf_core_type_exists(struct mnt_idmap)) {
		if ((int)ctx[3])
			return (int)ctx[3];
		return setattr_valid((void *)ctx[1], (void *)ctx[2]);
	}
	if ((int)ctx[2])
		return (int)ctx[2];
	return setattr_valid((void *)ctx[0], (void *)ctx[1]);
}
#else
HOOK(file_setattr, inode_setattr, void *idmap, struct dentry *dentry,
     struct iattr *attr)
{
	return EARLIER ? EARLIER : setattr_valid(dentry, attr);
}
#endif

/* The kprobe cannot see more than five arguments, and needs only two. */
#ifdef BACKEND_KILL
HOOK(file_setxattr, inode_setxattr, void *idmap, struct dentry *dentry)
#else
HOOK(file_setxattr, inode_setxattr, void *idmap, struct dentry *dentry,
     const char *name, const void *value, unsigned long size, int flags)
#endif
{
	return EARLIER ? EARLIER : act_on_dentry(OP_SETATTR, dentry);
}

HOOK(file_rmxattr, inode_removexattr, void *idmap, struct dentry *dentry,
     const char *name)
{
	return EARLIER ? EARLIER : act_on_dentry(OP_SETATTR, dentry);
}

char LICENSE[] SEC("license") = "GPL";

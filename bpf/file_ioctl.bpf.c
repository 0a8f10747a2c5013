// SPDX-License-Identifier: GPL-2.0-only
/*
 * file_ioctl: requests to file systems that change a file.
 *
 * file_ioctl         chattr, fs-verity, and those of ext4 that change a
 *                    generation (OP_SETATTR) or exchange blocks (OP_WRITE)
 * file_ioctl_compat  the same from a 32-bit program
 *
 * Attached while a rule names OP_WRITE or OP_SETATTR. Not covered: what only the
 * caller's memory names, the donor of EXT4_IOC_MOVE_EXT and the subvolume that
 * btrfs is to delete.
 *
 * Needs: BTF; ftrace for lsm and fmod_ret.
 */
#include "lib/cotter.h"

#define FS_IOC_SETFLAGS 0x40086602
#define FS_IOC32_SETFLAGS 0x40046602
#define FS_IOC_FSSETXATTR 0x401c5820
#define FS_IOC_ENABLE_VERITY 0x40806685
/* The generation of an inode is part of its identity. */
#define FS_IOC_SETVERSION 0x40087602
#define FS_IOC32_SETVERSION 0x40047602
#define EXT4_IOC_SETVERSION 0x40086604
#define EXT4_IOC32_SETVERSION 0x40046604
/* Blocks are exchanged with another file's. */
#define EXT4_IOC_MOVE_EXT 0xc028660f
#define EXT4_IOC_SWAP_BOOT 0x6611

static __always_inline __u32 ioctl_ops(unsigned int cmd)
{
	switch (cmd) {
	case FS_IOC_SETFLAGS:
	case FS_IOC32_SETFLAGS:
	case FS_IOC_FSSETXATTR:
	case FS_IOC_ENABLE_VERITY:
	case FS_IOC_SETVERSION:
	case FS_IOC32_SETVERSION:
	case EXT4_IOC_SETVERSION:
	case EXT4_IOC32_SETVERSION: return OP_SETATTR;
	case EXT4_IOC_MOVE_EXT:
	case EXT4_IOC_SWAP_BOOT: return OP_WRITE;
	default: return 0;
	}
}

static __always_inline int ioctl(struct file *file, unsigned int cmd)
{
	__u32 ops = ioctl_ops(cmd);
	struct object o;

	if (!ops)
		return 0;
	if (!asked(ops))
		return 0;
	object_of_file(&o, file);
	return act_on(ops, &o);
}

HOOK(file_ioctl, file_ioctl, struct file *file, unsigned int cmd, unsigned long arg)
{
	return EARLIER ? EARLIER : ioctl(file, cmd);
}

HOOK(file_ioctl32, file_ioctl_compat, struct file *file, unsigned int cmd,
     unsigned long arg)
{
	return EARLIER ? EARLIER : ioctl(file, cmd);
}

char LICENSE[] SEC("license") = "GPL";

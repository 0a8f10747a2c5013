/* SPDX-License-Identifier: GPL-2.0-only */
/* file.h: what an open file may be used for. */
#ifndef COTTER_FILE_H
#define COTTER_FILE_H

#define FMODE_READ 1
#define FMODE_WRITE 2
#define FMODE_BACKING                                                                  \
	(3u << 24) /* the one bit up to 6.13, the other after and in 6.12.y */
#define FMODE_NOACCOUNT (1u << 29)
#define FMODE_EXEC 0x20 /* in f_flags; open(2) does not let it through */
#define O_TRUNC 01000

/*
 * Is a hook told no file, as mmap_file of anonymous memory? From 6.3 on the verifier
 * believes that an lsm hook is always told one, takes a comparison of the pointer
 * out, and the kernel dies of what is then read: a number is compared as well. Later ones
 * know better, and want the pointer to be.
 */
static __always_inline bool no_file(struct file *file)
{
	if (!file)
		return true;
#ifdef BACKEND_LSM
	return !number_of(file);
#else
	return false;
#endif
}

/* Is this the kernel's own use of a program that is being executed? */
static __always_inline bool executed(struct file *file)
{
	return READ(struct file, file, f_flags) & FMODE_EXEC;
}

/* The operations a file has been opened for. */
static __always_inline __u32 file_ops(struct file *file)
{
	__u32 mode = READ(struct file, file, f_mode), ops = 0;

	if (mode & FMODE_WRITE || READ(struct file, file, f_flags) & O_TRUNC)
		ops |= OP_WRITE;
	if (mode & FMODE_READ && !executed(file))
		ops |= OP_READ;
	return ops;
}

/*
 * Is this a layer's file that overlayfs, or another one that is stacked, has opened? The
 * other of the two bits means other things, but not for files that are opened for
 * users. If one of the kernel's own is taken for it, what object_above() finds is in no rule.
 */
static __always_inline bool is_backing(struct file *file)
{
	__u32 mode = READ(struct file, file, f_mode);

	/* few files have the first: it is asked first */
	return mode & FMODE_NOACCOUNT && mode & FMODE_BACKING &&
	       bpf_core_field_exists(struct backing_file, user_path);
}

/*
 * The file of overlayfs whose content a layer's file is, of which alone the kernel
 * tells us when memory is concerned. Of files that are is_backing(); before 6.5 there are
 * none, and the layer's file is known by the name of the other. Returns 1 when it is found.
 */
__noinline int object_above(struct object *o, const __u64 *file)
{
	const void *path;

	/* Not static, so that the offset is not asked for where there is none. */
	if (!o || !file || !bpf_core_field_exists(struct backing_file, user_path))
		return 0;
	path = (const void *)*file +
	       bpf_core_field_offset(struct backing_file, user_path);
	o->mnt = KREAD(struct path, path, mnt);
	o->dentry = KREAD(struct path, path, dentry);
	o->inode = KREAD(struct dentry, o->dentry, d_inode);
	o->ino = KREAD(struct inode, o->inode, i_ino);
	o->dev = KREAD(struct super_block, KREAD(struct inode, o->inode, i_sb), s_dev);
	o->dir = 0;
	return 1;
}

#endif

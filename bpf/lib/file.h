/* SPDX-License-Identifier: GPL-2.0-only */
/* file.h: what an open file may be used for. */
#ifndef COTTER_FILE_H
#define COTTER_FILE_H

#define FMODE_READ 1
#define FMODE_WRITE 2
#define FMODE_EXEC 0x20 /* in f_flags; open(2) does not let it through */
#define O_TRUNC 01000

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

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * overlay.h: the file that is executed or mapped where overlayfs is.
 *
 * Anyone who has a user namespace can mount an overlay of which a forbidden program's
 * directory is a layer. The merged file has another inode and another name; what is executed is the
 * layer's file, which overlayfs has opened beneath it. No hook tells us of that, but a
 * program that looks at opening files, and all that are opened would pay for it: so it is
 * found from the merged file, and only of that.
 */
#ifndef COTTER_OVERLAY_H
#define COTTER_OVERLAY_H

#define OVERLAY_MAGIC 0x794c7630
#define OVERLAYS 2 /* that the kernel lets lie on one another */

static __always_inline bool is_overlay(struct file *file)
{
	struct inode *inode = READ(struct file, file, f_inode);
	struct super_block *sb = READ(struct inode, inode, i_sb);

	return READ(struct super_block, sb, s_magic) == OVERLAY_MAGIC;
}

/* Do two files have the same path? Told where their struct path is. */
static __always_inline bool same_path(__u64 one, __u64 other)
{
	return KREAD(struct path, one, dentry) == KREAD(struct path, other, dentry) &&
	       KREAD(struct path, one, mnt) == KREAD(struct path, other, mnt);
}

/*
 * Was `layer` opened for `file`, beneath `top`, which is executed? It keeps the path of `file`, on later
 * kernels that of `top`: in 6.8 and later apart from its own, before in place of it. Reading
 * what is no file gives no such path.
 */
static __always_inline bool opened_for(__u64 layer, __u64 file, __u64 top)
{
	__u64 own = bpf_core_field_offset(struct file, f_path), kept = layer;

	if (bpf_core_field_exists(struct backing_file, user_path))
		kept += bpf_core_field_offset(struct backing_file, user_path);
	else
		kept += own;
	return layer && layer != file &&
	       (same_path(kept, file + own) || same_path(kept, top + own));
}

/*
 * The layer's file that overlayfs has opened for a file. Where it is noted is known to a module
 * alone, whose types cannot be had before it is loaded: from 6.13 on in the first word of what
 * private_data points to, before in private_data itself. So both are looked at.
 * Returns its address, or 0.
 */
__noinline __u64 layer_file(__u64 file, __u64 top)
{
	__u64 at = KREAD_NUMBER(struct file, file, private_data), layer;

	layer = number_at((const void *)at);
	if (opened_for(layer, file, top))
		return layer;
	return opened_for(at, file, top) ? at : 0;
}

/*
 * A dentry of a layer's file. Before 6.8 its path is that of the file above, and one is
 * taken that the inode has.
 */
__noinline __u64 layer_dentry(__u64 layer)
{
	__u64 inode, alias;

	if (bpf_core_field_exists(struct backing_file, user_path))
		return KREAD_NUMBER(struct file, layer, f_path.dentry);
	inode = KREAD_NUMBER(struct file, layer, f_inode);
	alias = KREAD_NUMBER(struct inode, inode, i_dentry);
	return alias - bpf_core_field_offset(struct dentry, d_u);
}

/*
 * What is beneath a file that is_overlay(), whose address is in o->ino: 6.1 has no stack left for
 * one more. As the mount of a layer is overlayfs's own, the object's is not known. Returns 1 when it
 * is found; if not, that is counted, and only the merged file is asked about (open).
 */
__noinline int object_beneath(struct object *o)
{
	__u64 at, inode, sb;

	if (!o)
		return 0;
	at = o->ino;
	/* one call: see apply_key() */
#pragma nounroll
	for (int i = 0; i < OVERLAYS; i++) {
		at = layer_file(at, o->ino);
		if (!at)
			break;
		inode = KREAD_NUMBER(struct file, at, f_inode);
		sb = KREAD_NUMBER(struct inode, inode, i_sb);
		if (KREAD(struct super_block, sb, s_magic) == OVERLAY_MAGIC)
			continue;
		o->mnt = NULL;
		o->dentry = (void *)layer_dentry(at);
		o->inode = (void *)inode;
		o->ino = KREAD(struct inode, inode, i_ino);
		o->dev = KREAD(struct super_block, sb, s_dev);
		o->dir = 0;
		return 1;
	}
	count_stat(STAT_UNREADABLE);
	return 0;
}

/*
 * Decide an operation on a file that is executed or mapped, and before it on what it is on overlayfs. The
 * verdict may hold another object's already. `o` becomes the file.
 */
static __always_inline void decide_executed(__u32 op, struct file *file,
					    struct object *o, struct verdict *v)
{
	int i = !is_overlay(file);

	object_of_file(o, file);
	if (i && v->action == ACTION_NONE && !perhaps(op, o))
		return;
		/* One call, see apply_key(). */
#pragma nounroll
	for (; i < 2; i++) {
		o->ino = (__u64)file;
		if (i)
			object_of_file(o, file);
		else if (!object_beneath(o))
			continue;
		decide(op, o, v);
	}
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * object.h: what an operation acts on, and its identities.
 *
 * All of it is read from kernel objects. No byte that a caller can change
 * while we look is used.
 */
#ifndef COTTER_OBJECT_H
#define COTTER_OBJECT_H

#define NAME_CHUNK 32 /* bytes of a name read at a time */
#define NAME_CHUNKS 8 /* a component has at most 255 bytes */

struct object {
	struct dentry *dentry;
	struct vfsmount *mnt;
	struct inode *inode;
	__u32 dev;
	__u64 ino;
};

static __always_inline void object_of_file(struct object *o, struct file *file)
{
	o->mnt = file->f_path.mnt;
	o->dentry = file->f_path.dentry;
	o->inode = file->f_inode;
	o->dev = o->inode->i_sb->s_dev;
	o->ino = o->inode->i_ino;
}

/*
 * Is there possibly a key with this filter hash?
 * Returns false only when there is certainly none.
 */
static __always_inline bool filter_has(__u64 h)
{
	__u32 block = filter_block(h);
	__u64 *words = bpf_map_lookup_elem(&filter, &block);

	/* The index is masked: a miss cannot be. True keeps it closed. */
	return !words || words[filter_word(h)] & filter_bit(h);
}

/*
 * Read chunk `i` of a name of `len` bytes into `word`, zeros behind its end.
 * Returns 1, 0 when past the end, -1 when the name cannot be read.
 */
static __always_inline int name_chunk(__u64 word[4], const unsigned char *name,
				      __u32 len, __u32 i)
{
	__u32 left = len - i * NAME_CHUNK;

	if (i * NAME_CHUNK >= len)
		return 0;
	barrier_var(left); /* one register, so that 6.1 sees the bound */
	if (left > NAME_CHUNK)
		left = NAME_CHUNK;
	word[0] = word[1] = word[2] = word[3] = 0;
	if (bpf_probe_read_kernel(word, left, name + i * NAME_CHUNK))
		return -1;
	return 1;
}

/*
 * Is there possibly a name rule for a file whose last component is `d`'s?
 * Returns false only when there is certainly none. For a name that cannot be
 * read it says perhaps, and the full hash counts the failure.
 */
static __always_inline bool filter_has_name(struct dentry *d)
{
	const unsigned char *name = d->d_name.name;
	__u32 len = d->d_name.len;
	__u64 h = filter_name_start(len);
	__u64 word[4];
	int n = 0;

	for (__u32 i = 0; i < NAME_CHUNKS; i++) {
		n = name_chunk(word, name, len, i);
		if (n < 1)
			break;
		h = filter_name_chunk(h, word);
	}
	return n < 0 || filter_has(h);
}

/*
 * Absorb a name into a hash.
 * Returns 0, or -1 when it cannot be read.
 */
static __noinline int name_absorb(struct sip *sip, const unsigned char *name, __u32 len)
{
	struct sip s = *sip;
	__u64 word[4];
	int n = 0;

	sip_word(&s, len);
	for (__u32 i = 0; i < NAME_CHUNKS; i++) {
		n = name_chunk(word, name, len, i);
		if (n < 1)
			break;
		sip_chunk(&s, word);
	}
	*sip = s;
	return n < 0 ? -1 : 0;
}

/*
 * Read a field through a pointer that the verifier knows only as a number.
 * 6.2 and later cast it to its type and load directly, faults give 0; 6.1
 * calls a helper, about 80 instructions more. One of the branches is removed
 * at load.
 */
extern void *bpf_rdonly_cast(const void *ptr, __u32 btf_id) __ksym __weak;
#define KREAD(type, ptr, field)                                                        \
	({                                                                             \
		const void *ptr__ = (ptr);                                             \
		typeof(((type *)0)->field) value__;                                    \
		if (bpf_rdonly_cast)                                                   \
			value__ = ((type *)bpf_rdonly_cast(                            \
					   ptr__, bpf_core_type_id_kernel(type)))      \
					  ->field;                                     \
		else                                                                   \
			value__ = BPF_CORE_READ((type *)ptr__, field);                 \
		value__;                                                               \
	})

/*
 * A walk from a dentry to the root of its mount namespace. The pointers are
 * numbers (KREAD): a step from a vfsmount to the struct mount around it is
 * arithmetic that the verifier allows on nothing else.
 */
struct walk {
	struct dentry *dentry;
	struct mount *mnt;
	struct dentry *mnt_root;
	__u32 result; /* enum walk_result */
};

enum walk_result {
	WALK_DEEP = 0,	 /* not at the root after WALK_LIMIT steps */
	WALK_DONE,	 /* at the root of the mount namespace */
	WALK_DETACHED,	 /* the file has no path (pipe, memfd, ...) */
	WALK_UNREADABLE, /* memory could not be read */
};

static __always_inline void walk_start(struct walk *w, const struct object *o)
{
	w->dentry = o->dentry;
	w->mnt = (void *)o->mnt - bpf_core_field_offset(struct mount, mnt);
	w->mnt_root = KREAD(struct vfsmount, o->mnt, mnt_root);
	w->result = WALK_DEEP;
}

/* From a mount to the directory it is mounted on. As walk_up(). */
static __always_inline int walk_cross(struct walk *w)
{
	struct mount *mnt = w->mnt, *up;

	up = KREAD(struct mount, mnt, mnt_parent);
	if (!up || up == mnt) {
		w->result = up ? WALK_DONE : WALK_UNREADABLE;
		return 1;
	}
	w->dentry = KREAD(struct mount, mnt, mnt_mountpoint);
	w->mnt = up;
	return 0;
}

/*
 * One step along the path: to the parent directory, or from the root of a
 * mount to the directory it is mounted on.
 * Returns 0, or 1 at the end with w->result set.
 */
static __always_inline int walk_up(struct walk *w)
{
	struct dentry *d = w->dentry, *parent;

	if (d == w->mnt_root) {
		if (walk_cross(w))
			return 1;
		w->mnt_root = KREAD(struct mount, w->mnt, mnt.mnt_root);
		return 0;
	}
	parent = KREAD(struct dentry, d, d_parent);
	if (!parent || parent == d) {
		w->result = parent ? WALK_DETACHED : WALK_UNREADABLE;
		return 1;
	}
	w->dentry = parent;
	return 0;
}

/*
 * One step through all directories that a file is beneath: up to the root of
 * its file system even where only a part of that is mounted here (so a bind
 * mount of a sub-directory does not leave the tree), then across the mount.
 * Returns as walk_up().
 */
static __always_inline int walk_beneath(struct walk *w)
{
	struct dentry *d = w->dentry, *parent;

	parent = KREAD(struct dentry, d, d_parent);
	if (parent == d)
		return walk_cross(w);
	w->dentry = parent;
	if (parent)
		return 0;
	w->result = WALK_UNREADABLE;
	return 1;
}

/* Count what ended a walk before the root. Returns true if it got there. */
static __always_inline bool walk_complete(const struct walk *w)
{
	if (w->result == WALK_DEEP)
		count_stat(STAT_DEEP);
	if (w->result == WALK_UNREADABLE)
		count_stat(STAT_UNREADABLE);
	return w->result == WALK_DONE;
}

struct name_walk {
	struct walk walk;
	struct sip sip;
};

/* One step of bpf_loop(). A mount's root has no name of its own. */
static int name_step(__u32 i, struct name_walk *w)
{
	struct dentry *d = w->walk.dentry;
	bool named = d != w->walk.mnt_root;

	if (walk_up(&w->walk))
		return 1;
	if (named && name_absorb(&w->sip, KREAD(struct dentry, d, d_name.name),
				 KREAD(struct dentry, d, d_name.len))) {
		w->walk.result = WALK_UNREADABLE;
		return 1;
	}
	return 0;
}

/*
 * Hash the full path of an object, up to the root of its mount namespace: so
 * a chroot does not change it.
 * Returns true with the two halves of the hash in `name`. False: it has no
 * path (only inode and tree rules can name it), or it could not be read,
 * which is counted; name rules then do not apply (open).
 */
static __always_inline bool object_name(const struct object *o, const struct hot *hot,
					__u64 name[2])
{
	struct name_walk w = {};

	walk_start(&w.walk, o);
	sip_init(&w.sip, hot->key);
	bpf_loop(WALK_LIMIT, name_step, &w, 0);
	if (!walk_complete(&w.walk))
		return false;
	sip_end(&w.sip, name);
	return true;
}

#endif

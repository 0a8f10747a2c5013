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

/*
 * Read two, four or eight bytes as a number, with a helper. Not static, so that
 * callers need no room for it on their stack, which 6.1 counts to the byte.
 * Returns 0 on a fault.
 */
__noinline __u64 probe_number(__u64 at, __u32 size)
{
	__u64 value = 0;

	if (size == 2)
		bpf_probe_read_kernel(&value, 2, (void *)at);
	else if (size == 4)
		bpf_probe_read_kernel(&value, 4, (void *)at);
	else
		bpf_probe_read_kernel(&value, 8, (void *)at);
	return value;
}

extern void *bpf_rdonly_cast(const void *ptr, __u32 btf_id) __ksym __weak;

/*
 * The calling task, to read from. Each field read through the pointer that the helper
 * returns has 6.2 and later look through all names of the kernel's types, four times
 * over, for a list of those that are safe to keep: a fifth of the time that loading takes.
 * Not for helpers that want a task.
 */
static __always_inline struct task_struct *this_task(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (bpf_rdonly_cast)
		task = bpf_rdonly_cast(task,
				       bpf_core_type_id_kernel(struct task_struct));
	return task;
}

/*
 * Read a field through a pointer that the verifier knows only as a number.
 * 6.2 and later cast it to its type and load directly, faults give 0; 6.1
 * calls a helper, about 80 instructions more. One of the branches is removed
 * at load.
 */
#define KREAD(type, ptr, field)                                                        \
	({                                                                             \
		const void *ptr__ = (const void *)(ptr);                               \
		typeof(((type *)0)->field) value__;                                    \
		if (bpf_rdonly_cast)                                                   \
			value__ = ((type *)bpf_rdonly_cast(                            \
					   ptr__, bpf_core_type_id_kernel(type)))      \
					  ->field;                                     \
		else                                                                   \
			value__ = (typeof(value__))probe_number(                       \
				(__u64)ptr__ + bpf_core_field_offset(type, field),     \
				bpf_core_field_size(type, field));                     \
		value__;                                                               \
	})

/*
 * Read eight bytes as a number. A pointer read by its type is none to 7.x: it knows
 * memory that one leads to from other numbers. Returns 0 on a fault.
 */
struct timespec64 {
	__s64 tv_sec;
} KERNEL_TYPE;

static __always_inline __u64 number_at(const void *at)
{
	if (bpf_rdonly_cast)
		return ((struct timespec64 *)bpf_rdonly_cast(
				at, bpf_core_type_id_kernel(struct timespec64)))
			->tv_sec;
	return probe_number((__u64)at, sizeof(__u64));
}
#define KREAD_NUMBER(type, ptr, field)                                                 \
	number_at((const void *)(ptr) + bpf_core_field_offset(type, field))

/*
 * Read a field of a program's argument, or of what one leads to. Its type is
 * known there, and a load is one instruction. A kprobe's arguments have no type.
 */
#if !defined(CALL_ENTRY) && (defined(BACKEND_LSM) || defined(BACKEND_FMOD_RET) ||      \
			     defined(TYPED_ARGUMENTS))
#define READ(type, ptr, field) ((ptr)->field)
#else
#define READ(type, ptr, field) KREAD(type, ptr, field)
#endif

/*
 * What is acted on. Pointers are numbers (KREAD): this is handed to functions
 * that are verified on their own.
 */
struct object {
	struct dentry *dentry;
	struct vfsmount *mnt; /* NULL: not known, the hook has only a dentry */
	struct inode *inode;  /* NULL: it does not exist yet */
	__u64 ino;
	__u32 dev;
	__u32 dir; /* 1: a directory */
};

#define S_IFMT 0170000
#define S_IFDIR 0040000
#define S_IFBLK 0060000
#define S_IFREG 0100000
#define SB_KERNMOUNT (1u << 22) /* of the kernel's own: nobody else has it mounted */

/* A dentry of a mount. It need not have an inode. */
static __always_inline void object_of_dentry(struct object *o, struct vfsmount *mnt,
					     struct dentry *dentry)
{
	struct super_block *sb = READ(struct dentry, dentry, d_sb);

	o->mnt = mnt;
	o->dentry = dentry;
	o->inode = READ(struct dentry, dentry, d_inode);
	o->dev = READ(struct super_block, sb, s_dev);
	o->ino = 0;
	o->dir = 0;
	if (!o->inode)
		return;
	o->ino = READ(struct inode, o->inode, i_ino);
	o->dir = (READ(struct inode, o->inode, i_mode) & S_IFMT) == S_IFDIR;
}

static __always_inline void object_of_path(struct object *o, const struct path *path)
{
	object_of_dentry(o, READ(struct path, path, mnt),
			 READ(struct path, path, dentry));
}

static __always_inline void object_of_file(struct object *o, struct file *file)
{
	struct inode *inode = READ(struct file, file, f_inode);
	struct super_block *sb = READ(struct inode, inode, i_sb);

	o->mnt = READ(struct file, file, f_path.mnt);
	o->dentry = READ(struct file, file, f_path.dentry);
	o->inode = inode;
	o->dev = READ(struct super_block, sb, s_dev);
	o->ino = READ(struct inode, inode, i_ino);
	o->dir = 0; /* a file cannot be renamed: nobody asks */
}

/*
 * The classes of an object that has an inode, a set of CLASS_BIT. Read when it is
 * asked: a file loses its last name while it is open.
 */
__noinline __u32 classes_of(const struct object *o)
{
	struct super_block *sb;
	struct inode *inode;
	__u32 type, classes = 0;

	if (!o || !o->inode)
		return 0;
	inode = o->inode;
	type = KREAD(struct inode, inode, i_mode) & S_IFMT;
	if (type == S_IFBLK)
		return CLASS_BIT(CLASS_BLOCKDEV);
	if (type != S_IFREG)
		return 0;
	sb = KREAD(struct inode, inode, i_sb);
	if (KREAD(struct super_block, sb, s_flags) & SB_KERNMOUNT)
		classes |= CLASS_BIT(CLASS_MEMFD) | CLASS_BIT(CLASS_UNLINKED);
	if (!KREAD(struct inode, inode, i_nlink))
		classes |= CLASS_BIT(CLASS_UNLINKED);
	return classes;
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
	return !words || filter_bits_set(words[filter_word(h)], h);
}

/*
 * Read chunk `i` of a name, which has more than `i` * NAME_CHUNK bytes of its `len`,
 * into `word`, zeros behind its end.
 * Returns 0, or -1 when the name cannot be read.
 */
static __always_inline int name_chunk(__u64 word[4], const unsigned char *name,
				      __u32 len, __u32 i)
{
	__u32 left = len - i * NAME_CHUNK;

	barrier_var(left); /* one register, so that 6.1 sees the bound */
	if (left > NAME_CHUNK)
		left = NAME_CHUNK;
	word[0] = word[1] = word[2] = word[3] = 0;
	return bpf_probe_read_kernel(word, left, name + i * NAME_CHUNK) ? -1 : 0;
}

/*
 * The hash with chunk `i` of a name. A function of its own, like chunk_absorb(): the
 * verifier goes through it once, not once for each chunk of each name.
 * Returns all ones when the name cannot be read.
 */
__noinline __u64 filter_chunk(__u64 h, __u64 name, __u32 len, __u32 i)
{
	__u64 word[4];

	if (i >= NAME_CHUNKS || name_chunk(word, (void *)name, len, i))
		return ~0ull;
	if (len <= NAME_SHORT)
		return filter_short(filter_first(len, word[0]));
	return filter_name_chunk(h, word);
}

/*
 * The filter's hash of a name. Told the name as a number, which is the same for each
 * caller. Returns the hash, or all ones when the name cannot be read.
 */
__noinline __u64 name_filter(__u64 name, __u32 len)
{
	__u64 h = filter_name_start(len);

	/* one call: see apply_key() */
#pragma nounroll
	for (__u32 i = 0; i < NAME_CHUNKS; i++) {
		if (i * NAME_CHUNK >= len)
			break;
		h = filter_chunk(h, name, len, i);
		if (h == ~0ull)
			break;
	}
	return h;
}

/* The first `n` bytes, at least one, of the eight at `at`; the others zero. */
static __always_inline __u64 bytes_at(const void *at, __u32 n)
{
	__u64 word = number_at(at);

	return n < 8 ? word & ((1ull << (8 * n)) - 1) : word;
}

/* Where a dentry holds its own name, if it is short enough. */
static __always_inline const void *name_inside(struct dentry *d)
{
	if (bpf_core_field_exists(struct dentry___next, d_shortname))
		return (void *)d +
		       bpf_core_field_offset(struct dentry___next, d_shortname);
	return (void *)d + bpf_core_field_offset(struct dentry, d_iname);
}

/* The name of a dentry, as a number. */
static __always_inline __u64 name_quick(struct dentry *d)
{
	/* 6.1 has no cast, and does not need one to see a number. */
	if (bpf_rdonly_cast)
		return KREAD_NUMBER(struct dentry, d, d_name.name);
	return (__u64)READ(struct dentry, d, d_name.name);
}

/*
 * Set the bit of a key of the filter. Before its rule is in force; whoever asks in the
 * meantime may see it or not.
 */
static __always_inline void sketch_set(__u64 h)
{
	__u64 *word = &sketch.word[sketch_word(h)], bit = top_bit(h);

	if (!(*word & bit) && !(__sync_fetch_and_or(word, bit) & bit))
		__sync_fetch_and_add(&sketch.bits, 1);
}

/* Does the sketch have the bit of a key of the filter? False: there is certainly no such key. */
static __always_inline bool sketch_has_hash(__u64 h)
{
	return has_top_bit(sketch.word[sketch_word(h)], h);
}

/*
 * That of an inode's number. It is asked before the filter, at the attach point: an
 * unrelated file costs neither a lookup nor the hash of its name.
 */
static __always_inline bool sketch_has_inode(__u64 ino)
{
	return sketch_has_hash(filter_number(ino));
}

/*
 * The same of a name. No name begins with eight zeros: then it could not be read, and
 * there may be one.
 */
static __always_inline bool sketch_has_name(struct dentry *d)
{
	__u32 len = READ(struct dentry, d, d_name.len);
	__u64 word = number_at((const void *)name_quick(d)), h;

	h = filter_first(len, word);
	return !word || sketch_has_hash(h);
}

/*
 * Is there possibly a name rule for a file whose last component is `d`'s?
 * Returns false only when there is certainly none. For a name that cannot be
 * read it says perhaps, and the full hash counts the failure.
 */
static __always_inline bool filter_has_name(struct dentry *d)
{
	__u64 h = name_filter(KREAD_NUMBER(struct dentry, d, d_name.name),
			      KREAD(struct dentry, d, d_name.len));

	return h == ~0ull || filter_has(h);
}

/*
 * The same at the attach point, quicker: there an unrelated file costs most. A name of up to 31 bytes lies in the dentry and is read without a helper.
 */
static __always_inline bool filter_has_name_quick(struct dentry *d)
{
	__u32 len = READ(struct dentry, d, d_name.len);
	const void *at = name_inside(d);
	__u64 name = name_quick(d), word[4] = {}, h;

	if (bpf_rdonly_cast)
		word[0] = number_at((const void *)name);
	if (word[0] && len <= NAME_SHORT)
		return filter_has(filter_short(filter_first(len, word[0])));
	if (!word[0] || name != (__u64)at || len >= NAME_CHUNK) {
		h = name_filter(name, len);
		return h == ~0ull || filter_has(h);
	}
	word[1] = bytes_at(at + 8, len - 8);
	if (len > 16)
		word[2] = bytes_at(at + 16, len - 16);
	if (len > 24)
		word[3] = bytes_at(at + 24, len - 24);
	return filter_has(filter_name_chunk(filter_name_start(len), word));
}

/*
 * Absorb chunk `i` of a name. A function of its own: the verifier goes through it
 * once, not once for each chunk.
 * Returns as name_chunk().
 */
__noinline int chunk_absorb(struct sip *sip, __u64 name, __u32 len, __u32 i)
{
	__u64 word[4];
	struct sip s;

	if (!sip || i >= NAME_CHUNKS || name_chunk(word, (void *)name, len, i))
		return -1;
	s = *sip;
	sip_chunk(&s, word);
	*sip = s;
	return 0;
}

/*
 * Absorb a name into a hash.
 * Returns 0, or -1 when it cannot be read.
 */
__noinline int name_absorb(struct sip *sip, __u64 name, __u32 len)
{
	if (!sip)
		return -1;
	sip_word(sip, len);
	/* one call: see apply_key() */
#pragma nounroll
	for (__u32 i = 0; i < NAME_CHUNKS; i++) {
		if (i * NAME_CHUNK >= len)
			break;
		if (chunk_absorb(sip, name, len, i))
			return -1;
	}
	return 0;
}

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

/*
 * What a callback of bpf_loop() returns: 1 to end the loop, 0 to go on. The
 * verifier takes nothing else and knows nothing of what a global function returns;
 * clang 19 and later do, and would leave the comparison out.
 */
static __always_inline int end_loop(int end)
{
	barrier_var(end);
	return end != 0;
}

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

#define SB_MOUNTS 8 /* mounts of a file system that are looked at */

/*
 * A mount of the whole of a file system, for hooks that are told a dentry and
 * not through which mount it was reached. The first mounted is taken: bind
 * mounts come later. Not static: its loop is then verified once.
 * Returns the address of its struct mount, or 0 when there is none among the
 * first SB_MOUNTS.
 */
__noinline __u64 mount_of_sb(__u64 address)
{
	struct super_block *sb = (void *)address;
	struct dentry *root = KREAD(struct super_block, sb, s_root);
	bool linked =
		bpf_core_field_exists(((struct mount___next *)0)->mnt_next_for_sb);
	__u64 mnt, instance = bpf_core_field_offset(struct mount, mnt_instance);

	if (linked)
		mnt = KREAD_NUMBER(struct super_block___next, sb, s_mounts);
	else
		mnt = KREAD_NUMBER(struct super_block, sb, s_mounts.next) - instance;
	for (int i = 0; i < SB_MOUNTS && mnt; i++) {
		if (KREAD(struct mount, mnt, mnt.mnt_root) == root)
			return mnt;
		if (linked)
			mnt = KREAD_NUMBER(struct mount___next, mnt, mnt_next_for_sb);
		else
			mnt = KREAD_NUMBER(struct mount, mnt, mnt_instance.next) -
			      instance;
	}
	return 0;
}

/* `mnt` may be NULL: not known. */
static __always_inline void walk_from(struct walk *w, struct dentry *dentry,
				      struct vfsmount *mnt)
{
	w->dentry = dentry;
	if (mnt)
		w->mnt = mount_of(mnt);
	else
		w->mnt = (void *)mount_of_sb(KREAD_NUMBER(struct dentry, dentry, d_sb));
	w->mnt_root = w->mnt ? KREAD(struct mount, w->mnt, mnt.mnt_root) : NULL;
	w->result = WALK_DEEP;
}

static __always_inline void walk_start(struct walk *w, const struct object *o)
{
	walk_from(w, o->dentry, o->mnt);
}

/* From a mount to the directory it is mounted on. As walk_up(). */
static __always_inline int walk_cross(struct walk *w)
{
	struct mount *mnt = w->mnt, *up;

	if (!mnt) {
		w->result = WALK_DETACHED;
		return 1;
	}
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

struct name_hash {
	__u64 half[2];
};

/* The part of a key that a hash fills. */
static __always_inline struct name_hash *key_hash(struct object_key *key)
{
	return (struct name_hash *)&key->a;
}

struct name_walk {
	struct walk walk;
	struct sip sip;
};

/* Absorb the name of a component. Returns 0, or 1 with w->walk.result set. */
static __always_inline int name_add(struct name_walk *w, struct dentry *d)
{
	if (!name_absorb(&w->sip, KREAD_NUMBER(struct dentry, d, d_name.name),
			 KREAD(struct dentry, d, d_name.len)))
		return 0;
	w->walk.result = WALK_UNREADABLE;
	return 1;
}

/*
 * One step of object_name(). A mount's root has no name of its own. The steps of
 * walks are not static: the verifier goes through a callback of bpf_loop() many
 * times, so the callback only calls.
 */
__noinline int name_step(struct name_walk *w)
{
	struct dentry *d;
	bool named;

	if (!w)
		return 1;
	d = w->walk.dentry;
	named = d != w->walk.mnt_root;
	if (walk_up(&w->walk))
		return 1;
	return named ? name_add(w, d) : 0;
}

static int name_each(__u32 i, struct name_walk *w)
{
	return end_loop(name_step(w));
}

/* One step of object_fspath(), to the root of the file system and no further. */
__noinline int fspath_step(struct name_walk *w)
{
	struct dentry *d, *parent;

	if (!w)
		return 1;
	d = w->walk.dentry;
	parent = KREAD(struct dentry, d, d_parent);
	if (!parent || parent == d) {
		w->walk.result = parent ? WALK_DONE : WALK_UNREADABLE;
		return 1;
	}
	w->walk.dentry = parent;
	return name_add(w, d);
}

static int fspath_each(__u32 i, struct name_walk *w)
{
	return end_loop(fspath_step(w));
}

/* End a hash. Not static, as name_absorb(). Returns 1. */
__noinline int name_end(const struct sip *sip, struct name_hash *name)
{
	struct sip s;

	if (!sip || !name)
		return 0;
	s = *sip;
	sip_end(&s, name->half);
	return 1;
}

/*
 * Hash the full path of an object, up to the root of its mount namespace: so
 * a chroot does not change it. `sip` is the state to start from.
 * Returns 1 with the hash in `sip`, for name_end(). 0: it has no path (only
 * inode and tree rules can name it), or it could not be read, which is
 * counted; name rules then do not apply (open).
 */
__noinline int object_name(const struct object *o, struct sip *sip)
{
	struct name_walk w = {};

	if (!o || !sip)
		return 0;
	walk_start(&w.walk, o);
	w.sip = *sip;
	bpf_loop(WALK_LIMIT, name_each, &w, 0);
	if (!walk_complete(&w.walk))
		return 0;
	*sip = w.sip;
	return 1;
}

/*
 * Hash the path of an object within its file system: the same through each
 * bind mount and in each mount namespace. Returns as object_name(); 0 also for
 * what is not linked to the root (a file opened by handle).
 */
__noinline int object_fspath(const struct object *o, struct sip *sip)
{
	struct name_walk w = {};
	struct super_block *sb;

	if (!o || !sip)
		return 0;
	w.walk.dentry = o->dentry;
	w.sip = *sip;
	bpf_loop(WALK_LIMIT, fspath_each, &w, 0);
	if (!walk_complete(&w.walk))
		return 0;
	sb = KREAD(struct dentry, o->dentry, d_sb);
	if (w.walk.dentry != KREAD(struct super_block, sb, s_root))
		return 0;
	*sip = w.sip;
	return 1;
}

#endif

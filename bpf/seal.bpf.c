// SPDX-License-Identifier: GPL-2.0-only
/*
 * seal: what is in force stays in force, whoever asks. Attached by `seal`, at work
 * while seal.on is set.
 *
 * bpf_map, bpf_prog   a descriptor to a map of ours to write it, to a program of ours
 * bpf                 one to a link of ours by its id; loading or attaching lsm and
 *                     fmod_ret programs: one that runs before ours and returns a positive
 *                     number has the hook skip ours and go on
 * inode_permission    writing: to a pin's folder, and opening a pin as one opens a link
 * inode_unlink, inode_rmdir, inode_rename  a pin, a folder of ours
 * sb_umount, sb_mount, move_mount  the BPF file system and the mounts on the way to it
 * locked_down         what the kernel's own lockdown forbids for its integrity: unsigned
 *                     modules, kexec, /dev/mem, writing in debugfs (kprobes/enabled)
 * kernel_read_file, kernel_load_data  every module where the kernel knows no signatures
 * file_permission     writing kernel.ftrace_enabled and the switches that start helpers,
 *                     also through a descriptor that was open before
 * ptrace_access_check  a helper of ours
 * seal_unseal         (syscall program) lifts the seal for who has the key
 *
 * Objects are known by the kernel's ids and inodes, in the map `sealed`, which is written
 * before the seal is on. A missed lookup means: not ours, allowed. Every refusal is
 * counted, with who tried (`attempts`).
 *
 * Needs: BTF; ftrace, for a first layer: there is no seal with backend kill. Not covered: see
 * docs/threat-model.md.
 */
#define TYPED_ARGUMENTS
#include "lib/cotter.h"

#define FMODE_WRITE_ 2
#define MAY_WRITE 2
#define MS_MOVE 8192
#define PTRACE_MODE_ATTACH 2
#define PROC_MAGIC 0x9fa0
#define SYSFS_MAGIC 0x62656572
#define DEBUGFS_MAGIC 0x64626720

enum lockdown_reason {
	LOCKDOWN_INTEGRITY_MAX = 100,
};

enum kernel_read_file_id {
	READING_MODULE = 100,
};

enum kernel_load_data_id {
	LOADING_MODULE = 100,
};

struct bpf_map___sealed {
	__u32 id;
} KERNEL_TYPE;

struct bpf_prog_aux {
	__u32 id;
} KERNEL_TYPE;

struct bpf_prog {
	struct bpf_prog_aux *aux;
} KERNEL_TYPE;

#ifndef BACKEND_KILL

/* Returns the seal while it is on, else NULL. */
static __always_inline struct seal *the_seal(void)
{
	__u32 zero = 0;
	struct seal *s = bpf_map_lookup_elem(&seal, &zero);

	return s && s->on ? s : NULL;
}

static __always_inline bool is_sealed(__u32 kind, __u32 dev, __u64 id)
{
	struct sealed key = {};

	key.kind = kind;
	key.dev = dev;
	key.id = id;
	return bpf_map_lookup_elem(&sealed, &key);
}

static __always_inline bool inode_is(__u32 kind, struct inode *inode)
{
	return inode && is_sealed(kind, BPF_CORE_READ(inode, i_sb, s_dev),
				  BPF_CORE_READ(inode, i_ino));
}

static __always_inline void count_attempt(__u32 what)
{
	struct attempt *a = bpf_map_lookup_elem(&attempts, &what);

	if (!a)
		return;
	__sync_fetch_and_add(&a->count, 1);
	a->time = bpf_ktime_get_boot_ns();
	a->pid = bpf_get_current_pid_tgid() >> 32;
	a->uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(a->comm, sizeof(a->comm));
}

/*
 * Count what is refused, but to our own helpers, which find out by trying what they are not
 * let see. Returns what the hook returns.
 */
static __always_inline int refuse(__u32 what)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!inode_is(SEALED_PROGRAM, BPF_CORE_READ(task, mm, exe_file, f_inode)))
		count_attempt(what);
	return -EPERM;
}

HOOK(seal_map, bpf_map, struct bpf_map *map, unsigned int mode)
{
	struct bpf_map___sealed *m = (void *)map;

	if (!(mode & FMODE_WRITE_) || !the_seal() ||
	    !is_sealed(SEALED_MAP, 0, BPF_CORE_READ(m, id)))
		return 0;
	return refuse(ATTEMPT_MAP);
}

HOOK(seal_prog, bpf_prog, struct bpf_prog *prog)
{
	if (!the_seal() || !is_sealed(SEALED_PROG, 0, BPF_CORE_READ(prog, aux, id)))
		return 0;
	return refuse(ATTEMPT_PROGRAM);
}

/* A member of the request, which the kernel has copied. */
#define ASKED(attr, member)                                                            \
	({                                                                             \
		typeof((attr)->member) value__ = 0;                                    \
		bpf_probe_read_kernel(&value__, sizeof(value__), &(attr)->member);     \
		value__;                                                               \
	})

/* Could a program of this sort answer in the place of ours? */
static __always_inline bool answers(__u32 attach_type)
{
	return attach_type == BPF_MODIFY_RETURN || attach_type == BPF_LSM_MAC ||
	       attach_type == BPF_LSM_CGROUP;
}

HOOK(seal_bpf, bpf, int cmd, union bpf_attr *attr, unsigned int size)
{
	if (!the_seal())
		return 0;
	switch (cmd) {
	case BPF_LINK_GET_FD_BY_ID:
		if (is_sealed(SEALED_LINK, 0, ASKED(attr, link_id)))
			return refuse(ATTEMPT_LINK);
		break;
	case BPF_PROG_LOAD:
		if (ASKED(attr, prog_type) == BPF_PROG_TYPE_LSM ||
		    answers(ASKED(attr, expected_attach_type)))
			return refuse(ATTEMPT_ATTACH);
		break;
	/* Loaded before, and attached now. */
	case BPF_LINK_CREATE:
		if (answers(ASKED(attr, link_create.attach_type)))
			return refuse(ATTEMPT_ATTACH);
		break;
	case BPF_PROG_ATTACH:
		if (answers(ASKED(attr, attach_type)))
			return refuse(ATTEMPT_ATTACH);
		break;
	case BPF_RAW_TRACEPOINT_OPEN:
		/* Without a name: what the program itself names, these among it. */
		if (!ASKED(attr, raw_tracepoint.name))
			return refuse(ATTEMPT_ATTACH);
		break;
	}
	return 0;
}

/* For each component of each path: the device of another file system is all it costs. */
HOOK(seal_permission, inode_permission, struct inode *inode, int mask)
{
	struct seal *s;

	if (EARLIER)
		return EARLIER;
	if (!(mask & MAY_WRITE))
		return 0;
	s = the_seal();
	if (!s || inode->i_sb->s_dev != s->dev || !inode_is(SEALED_PIN, inode))
		return 0;
	/* A map's pin to write is the map; said here before it is asked for. */
	return refuse(ATTEMPT_PIN);
}

static __always_inline int keep_pin(struct dentry *dentry)
{
	if (!the_seal() || !inode_is(SEALED_PIN, BPF_CORE_READ(dentry, d_inode)))
		return 0;
	return refuse(ATTEMPT_PIN);
}

HOOK(seal_unlink, inode_unlink, struct inode *dir, struct dentry *dentry)
{
	return EARLIER ? EARLIER : keep_pin(dentry);
}

HOOK(seal_rmdir, inode_rmdir, struct inode *dir, struct dentry *dentry)
{
	return EARLIER ? EARLIER : keep_pin(dentry);
}

#ifdef BACKEND_LSM
HOOK(seal_rename, inode_rename, struct inode *old_dir, struct dentry *old_dentry,
     struct inode *new_dir, struct dentry *new_dentry)
#else
HOOK(seal_rename, inode_rename, struct inode *old_dir, struct dentry *old_dentry,
     struct inode *new_dir, struct dentry *new_dentry, unsigned int flags)
#endif
{
	int kept;

	if (EARLIER)
		return EARLIER;
	kept = keep_pin(old_dentry);
	return kept ? kept : keep_pin(new_dentry);
}

static __always_inline bool mount_is_sealed(struct vfsmount *mnt)
{
	struct mount *m = (void *)mnt - bpf_core_field_offset(struct mount, mnt);

	return is_sealed(SEALED_MOUNT, 0, BPF_CORE_READ(m, mnt_id));
}

HOOK(seal_umount, sb_umount, struct vfsmount *mnt, int flags)
{
	if (EARLIER)
		return EARLIER;
	if (!the_seal() || !mount_is_sealed(mnt))
		return 0;
	return refuse(ATTEMPT_MOUNT);
}

/* Would a mount there, or a change of the one that is there, hide the pins? */
static __always_inline bool on_the_way(const struct seal *s, const struct path *path)
{
	struct dentry *d = READ(struct path, path, dentry);

	return BPF_CORE_READ(d, d_sb, s_dev) == s->dev ||
	       inode_is(SEALED_DIR, BPF_CORE_READ(d, d_inode));
}

HOOK(seal_mount, sb_mount, const char *dev_name, const struct path *path,
     const char *type, unsigned long flags, void *data)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct seal *s;

	if (EARLIER)
		return EARLIER;
	s = the_seal();
	if (!s)
		return 0;
	/* What is to be moved is only a name here: so nothing is, in that namespace. */
	if ((flags & MS_MOVE &&
	     BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum) == s->mnt_ns) ||
	    on_the_way(s, path))
		return refuse(ATTEMPT_MOUNT);
	return 0;
}

HOOK(seal_move_mount, move_mount, const struct path *from, const struct path *to)
{
	struct seal *s;

	if (EARLIER)
		return EARLIER;
	s = the_seal();
	if (!s)
		return 0;
	if (mount_is_sealed(READ(struct path, from, mnt)) || on_the_way(s, to))
		return refuse(ATTEMPT_MOUNT);
	return 0;
}

HOOK(seal_lockdown, locked_down, unsigned int what)
{
	if (EARLIER)
		return EARLIER;
	if (!the_seal() ||
	    what >= bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_INTEGRITY_MAX))
		return 0;
	return refuse(ATTEMPT_KERNEL);
}

HOOK(seal_read_file, kernel_read_file, struct file *file, unsigned int id,
     bool contents)
{
	struct seal *s;

	if (EARLIER)
		return EARLIER;
	s = the_seal();
	if (!s || !(s->flags & SEAL_NO_MODULES) ||
	    id != bpf_core_enum_value(enum kernel_read_file_id, READING_MODULE))
		return 0;
	return refuse(ATTEMPT_KERNEL);
}

HOOK(seal_load_data, kernel_load_data, unsigned int id, bool contents)
{
	struct seal *s;

	if (EARLIER)
		return EARLIER;
	s = the_seal();
	if (!s || !(s->flags & SEAL_NO_MODULES) ||
	    id != bpf_core_enum_value(enum kernel_load_data_id, LOADING_MODULE))
		return 0;
	return refuse(ATTEMPT_KERNEL);
}

/* Is it one of the files that switch hooks off or start helpers? */
static __always_inline bool is_switch(struct dentry *dentry, __u32 magic)
{
	char name[SEAL_NAME_PART] = {};
	struct dentry *parent;
	__u64 h;

	parent = BPF_CORE_READ(dentry, d_parent);
	bpf_probe_read_kernel_str(name, sizeof(name),
				  BPF_CORE_READ(parent, d_name.name));
	h = seal_name(SEAL_NAME_START, name);
	__builtin_memset(name, 0, sizeof(name));
	bpf_probe_read_kernel_str(name, sizeof(name),
				  BPF_CORE_READ(dentry, d_name.name));
	return is_sealed(SEALED_FILE, magic, seal_name(h, name));
}

/* For each read and write: its direction and the sort of file system is all it costs. */
HOOK(seal_write, file_permission, struct file *file, int mask)
{
	unsigned long magic;

	if (EARLIER)
		return EARLIER;
	if (!(mask & MAY_WRITE))
		return 0;
	magic = file->f_inode->i_sb->s_magic;
	if (magic != PROC_MAGIC && magic != SYSFS_MAGIC && magic != DEBUGFS_MAGIC)
		return 0;
	if (!the_seal() || !is_switch(BPF_CORE_READ(file, f_path.dentry), magic))
		return 0;
	return refuse(ATTEMPT_SWITCH);
}

HOOK(seal_ptrace, ptrace_access_check, struct task_struct *child, unsigned int mode)
{
	if (EARLIER)
		return EARLIER;
	if (!(mode & PTRACE_MODE_ATTACH) || !the_seal() ||
	    !inode_is(SEALED_PROGRAM, BPF_CORE_READ(child, mm, exe_file, f_inode)))
		return 0;
	return refuse(ATTEMPT_PTRACE);
}

/* The numbers SHA-256 begins with, and `round` its constants: see FIPS 180-4. */
static __always_inline void sha_begin(__u32 h[8])
{
	h[0] = 0x6a09e667;
	h[1] = 0xbb67ae85;
	h[2] = 0x3c6ef372;
	h[3] = 0xa54ff53a;
	h[4] = 0x510e527f;
	h[5] = 0x9b05688c;
	h[6] = 0x1f83d9ab;
	h[7] = 0x5be0cd19;
}

#define ROTATE(x, n) ((x) >> (n) | (x) << (32 - (n)))

/*
 * Lift the seal for who has what the key in `seal` is the SHA-256 of. So who reads the
 * map cannot open it. The caller shows the SHA-256 of the key file: one block.
 */
SEC("syscall")
int seal_unseal(struct unseal *arg)
{
	__u32 h[8], k[8], zero = 0, differ = 0;
	struct seal *s = bpf_map_lookup_elem(&seal, &zero);

	arg->open = 0;
	if (!s)
		return 0;
	for (int i = 0; i < 8; i++)
		s->w[i] = arg->key[i];
	s->w[8] = 0x80000000;
	for (int i = 9; i < 15; i++)
		s->w[i] = 0;
	s->w[15] = 256;
	for (int i = 16; i < 64; i++) {
		__u32 a = s->w[i - 15], b = s->w[i - 2];

		s->w[i] = s->w[i - 16] + (ROTATE(a, 7) ^ ROTATE(a, 18) ^ a >> 3) +
			  s->w[i - 7] + (ROTATE(b, 17) ^ ROTATE(b, 19) ^ b >> 10);
	}
	sha_begin(k);
	for (int i = 0; i < 8; i++)
		h[i] = k[i];
	for (int i = 0; i < 64; i++) {
		__u32 t1 = h[7] +
			   (ROTATE(h[4], 6) ^ ROTATE(h[4], 11) ^ ROTATE(h[4], 25)) +
			   ((h[4] & h[5]) ^ (~h[4] & h[6])) + s->round[i] + s->w[i];
		__u32 t2 = (ROTATE(h[0], 2) ^ ROTATE(h[0], 13) ^ ROTATE(h[0], 22)) +
			   ((h[0] & h[1]) ^ (h[0] & h[2]) ^ (h[1] & h[2]));

		h[7] = h[6];
		h[6] = h[5];
		h[5] = h[4];
		h[4] = h[3] + t1;
		h[3] = h[2];
		h[2] = h[1];
		h[1] = h[0];
		h[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		differ |= (h[i] + k[i]) ^ s->key[i];
	if (differ || !(s->flags & SEAL_KEYED)) {
		count_attempt(ATTEMPT_KEY);
		return 0;
	}
	s->on = 0;
	arg->open = 1;
	return 0;
}

#endif

char LICENSE[] SEC("license") = "GPL";

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel.h: the few kernel types the programs read, by field name alone.
 *
 * Offsets are not taken from here: preserve_access_index makes clang record
 * each access and libbpf patch it for the kernel it is loaded on (CO-RE). So
 * the build machine needs no BTF and no kernel headers of its own.
 */
#ifndef COTTER_KERNEL_H
#define COTTER_KERNEL_H

#include <linux/types.h>
#include <linux/bpf.h>
/* Registers, for kprobes. The build machine's are of its own architecture. */
#ifdef __TARGET_ARCH_arm64
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};
#else
#include <linux/ptrace.h>
#endif
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#define KERNEL_TYPE __attribute__((preserve_access_index))

struct list_head {
	struct list_head *next;
} KERNEL_TYPE;

struct super_block {
	__u32 s_dev;
	unsigned long s_flags;
	struct dentry *s_root;
	struct list_head s_mounts;
	unsigned long s_magic;
} KERNEL_TYPE;

struct hlist_node {
	struct hlist_node *next, **pprev;
} KERNEL_TYPE;

struct hlist_head {
	struct hlist_node *first;
} KERNEL_TYPE;

struct inode {
	__u16 i_mode;
	unsigned long i_ino;
	unsigned int i_nlink;
	__u32 i_generation;
	long long i_size;
	struct super_block *i_sb;
	struct hlist_head i_dentry;
} KERNEL_TYPE;

struct qstr {
	__u32 len;
	const unsigned char *name;
} KERNEL_TYPE;

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
} KERNEL_TYPE;

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	unsigned char d_iname[32]; /* as long as it needs to be */
	struct super_block *d_sb;
	union {
		struct hlist_node d_alias;
	} d_u;
} KERNEL_TYPE;

/* From 6.14 on the name inside a dentry has another name. */
struct dentry___next {
	union {
		unsigned char string[32];
	} d_shortname;
} KERNEL_TYPE;

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
} KERNEL_TYPE;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct list_head mnt_instance;
	int mnt_id;
} KERNEL_TYPE;

/* From 6.17 on the mounts of a super block are linked without list heads. */
struct super_block___next {
	struct mount *s_mounts;
} KERNEL_TYPE;

struct mount___next {
	struct mount *mnt_next_for_sb;
} KERNEL_TYPE;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} KERNEL_TYPE;

struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_mode;
	unsigned int f_flags;
	void *private_data;
} KERNEL_TYPE;

/* What a file of overlayfs opens beneath itself, on 6.5 and later. */
struct backing_file {
	struct file file;
	struct path user_path;
} KERNEL_TYPE;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} KERNEL_TYPE;

struct files_struct {
	struct fdtable *fdt;
} KERNEL_TYPE;

struct linux_binprm {
	struct file *file;
	const char *filename;
	const char *interp;
} KERNEL_TYPE;

struct vm_area_struct {
	struct file *vm_file;
	unsigned long vm_flags;
	struct anon_vma *anon_vma;
} KERNEL_TYPE;

struct iattr {
	unsigned int ia_valid;
} KERNEL_TYPE;

/* In 6.2 and later. */
struct mnt_idmap {
	int : 32;
} KERNEL_TYPE;

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

struct group_info {
	int ngroups;
	kgid_t gid[];
} KERNEL_TYPE;

struct cred {
	kuid_t uid;
	kuid_t euid;
	kgid_t gid;
	kgid_t egid;
	struct group_info *group_info;
} KERNEL_TYPE;

struct mm_struct {
	struct file *exe_file;
	unsigned long arg_start;
	unsigned long arg_end;
} KERNEL_TYPE;

struct fs_struct {
	struct path pwd;
} KERNEL_TYPE;

struct ns_common {
	unsigned int inum;
} KERNEL_TYPE;

struct mnt_namespace {
	struct ns_common ns;
} KERNEL_TYPE;

struct user_namespace {
	int level;
} KERNEL_TYPE;

struct cgroup_namespace {
	struct ns_common ns;
	struct user_namespace *user_ns;
} KERNEL_TYPE;

struct nsproxy {
	struct mnt_namespace *mnt_ns;
	struct cgroup_namespace *cgroup_ns;
} KERNEL_TYPE;

struct pid_namespace {
	struct ns_common ns;
	unsigned int level;
	struct user_namespace *user_ns;
} KERNEL_TYPE;

struct kernfs_node {
	const char *name;
} KERNEL_TYPE;

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[];
} KERNEL_TYPE;

struct css_set {
	struct cgroup *dfl_cgrp;
} KERNEL_TYPE;

struct upid {
	struct pid_namespace *ns;
} KERNEL_TYPE;

struct pid {
	unsigned int level;
	struct hlist_head tasks[1];
	struct upid numbers[1];
} KERNEL_TYPE;

/* Of a folder /proc/PID. */
struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
} KERNEL_TYPE;

struct signal_struct {
	unsigned int flags;
	int group_exit_code;
} KERNEL_TYPE;

struct thread_info {
	unsigned int status; /* x86: TS_COMPAT */
} KERNEL_TYPE;

/* The registers of x86, as the kernel names them. */
struct pt_regs___x86 {
	unsigned long orig_ax, bx, cx, dx, si, di;
} KERNEL_TYPE;

struct task_struct {
	struct thread_info thread_info;
	struct files_struct *files;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct nsproxy *nsproxy;
	struct pid *thread_pid;
	struct hlist_node pid_links[1]; /* by type */
	/* const there: then so would be what is read of it, and could not be assigned */
	struct cred *cred;
	unsigned int personality;
	struct css_set *cgroups;
	struct signal_struct *signal;
	int exit_code;
	kuid_t loginuid; /* where the kernel has audit */
	int pid;
	int tgid;
	__u64 start_boottime;
	__u64 self_exec_id;
} KERNEL_TYPE;

/* As the kernel names them, not as its headers do for user space. */
struct pt_regs___kernel {
#if defined(__TARGET_ARCH_arm64)
	__u64 regs[31];
#else
	unsigned long bp, bx, r10, r9, r8, cx, dx, si, di;
#endif
} KERNEL_TYPE;

struct bpf_map {
	__u32 max_entries;
} KERNEL_TYPE;

struct bpf_iter__task {
	struct task_struct *task;
} KERNEL_TYPE;

#endif

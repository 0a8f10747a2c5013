/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * record.h: the flight recorder, the only place where a record is written.
 *
 * All but the arguments is read from kernel objects. The arguments of an exec that
 * is about to happen, and those of a process that runs, are in memory that the
 * process can write: a claim of its, and flagged as one.
 *
 * No verdict depends on anything here: it is called when all is decided. Where a
 * record cannot be written that is counted.
 */
#ifndef COTTER_RECORD_H
#define COTTER_RECORD_H

#define SIGKILL 9
#define NO_SIGNAL 1 /* as a signal's result: none was sent */
#define SECOND 1000000000ll
#define PATH_STEPS 256 /* of a path, mounts crossed included: then it is cut */
#define PATH_AT_ONCE 4 /* steps in one call */
#define ARGS_STEPS 64  /* arguments that are read one by one */

/* Records the ring has. */
static __always_inline __u32 ring_size(void)
{
	return ((struct bpf_map *)&RING)->max_entries;
}

static __always_inline struct record *ring_slot(__u32 index)
{
	return bpf_map_lookup_elem(&RING, &index);
}

/* --- paths --- */

/*
 * The walk along one path of a record, and what the walks before it found. It is in the
 * record itself, where the arguments come to be: they are written last. On the stack
 * there is not room for it, and what functions are told of one costs time to load on 7.2.
 */
struct path_walk {
	struct dentry *dentry; /* where it is; set with `mnt` by who begins it */
	struct vfsmount *mnt;  /* NULL: not known */
	struct dentry *root;   /* of that mount */
	struct vfsmount *top;  /* above this one no path has a component */
	struct dentry *top_root;
	struct vfsmount *last; /* crossed first since a component was added; or NULL */
	struct dentry *last_root;
	__u32 at;  /* in record.text, where the next component goes */
	__u32 end; /* where there is no room any more */
	__u32 cut;
	__u32 result; /* enum walk_result */
	/*
	 * On 6.1 each read is a call: there the part of a dentry, and of a mount, that
	 * is of interest is read at once.
	 */
	struct dentry *read; /* the one that is in `of_dentry` */
	__u64 of_dentry[9];
	__u64 of_mount[3];
};

static __always_inline struct path_walk *path_walk(struct record *r)
{
	return (struct path_walk *)(r->text + ARGS_AT);
}

/* Any memory is read as numbers through a type that is many words: see number_at(). */
struct rusage {
	long ru_maxrss;
} KERNEL_TYPE;

#define CAST(type, n)                                                                  \
	((type *)bpf_rdonly_cast((const void *)(n), bpf_core_type_id_kernel(type)))

#define DENTRY_FROM bpf_core_field_offset(struct dentry, d_hash.pprev)
#define MOUNT_FROM bpf_core_field_offset(struct mount, mnt_parent)
#define OF_DENTRY(w, field)                                                            \
	*(__u64 *)((void *)(w)->of_dentry +                                            \
		   bpf_core_field_offset(struct dentry, field) - DENTRY_FROM)
#define OF_MOUNT(w, field)                                                             \
	*(__u64 *)((void *)(w)->of_mount +                                             \
		   bpf_core_field_offset(struct mount, field) - MOUNT_FROM)

static __always_inline __u64 name_inside_offset(void)
{
	return (__u64)name_inside(NULL);
}

/* Read a dentry, where it must be. Returns false where it cannot be. */
static __always_inline bool path_read(struct path_walk *w)
{
	if (bpf_rdonly_cast || w->read == w->dentry)
		return true;
	w->read = w->dentry;
	/* A kernel with locks that are checked has bigger ones: no path is had there. */
	return name_inside_offset() + NAME_CHUNK <=
		       DENTRY_FROM + sizeof(w->of_dentry) &&
	       !bpf_probe_read_kernel(w->of_dentry, sizeof(w->of_dentry),
				      (void *)w->dentry + DENTRY_FROM);
}

/* The root of the mount that the walk is in. */
static __always_inline void path_mount(struct path_walk *w)
{
	const void *mnt = mount_of(w->mnt);

	if (w->mnt == w->top) {
		w->root = w->top_root;
	} else if (bpf_rdonly_cast) {
		w->root = CAST(struct mount, mnt)->mnt.mnt_root;
	} else {
		bpf_probe_read_kernel(w->of_mount, sizeof(w->of_mount),
				      mnt + MOUNT_FROM);
		w->root = (void *)OF_MOUNT(w, mnt.mnt_root);
	}
}

/* From the root of a mount to the directory it is mounted on. As path_step(). */
static __always_inline int path_cross(struct path_walk *w)
{
	__u64 mnt = (__u64)mount_of(w->mnt), up, dentry;

	w->result = WALK_DONE;
	if (w->mnt == w->top)
		return 1;
	if (!w->last) {
		w->last = w->mnt;
		w->last_root = w->root;
	}
	if (bpf_rdonly_cast) {
		up = (__u64)CAST(struct mount, mnt)->mnt_parent;
		dentry = (__u64)CAST(struct mount, mnt)->mnt_mountpoint;
	} else {
		up = OF_MOUNT(w, mnt_parent);
		dentry = OF_MOUNT(w, mnt_mountpoint);
	}
	if (up == mnt) {
		w->top = w->last;
		w->top_root = w->last_root;
		return 1;
	}
	w->result = up ? WALK_DEEP : WALK_UNREADABLE;
	w->dentry = (void *)dentry;
	w->mnt = (void *)up + bpf_core_field_offset(struct mount, mnt);
	path_mount(w);
	return !up;
}

/* Append a name of up to 31 bytes that lies in the dentry, a word at a time. */
static __always_inline void path_add_inside(struct path_walk *w, struct record *r,
					    __u64 d, __u32 at, __u32 len)
{
	__u64 *to = (__u64 *)(r->text + at);
	const __u64 *from;

	/* What is written too much is in the way of nothing: the next string is
	 * written later. */
	if (bpf_rdonly_cast)
		from = (void *)CAST(struct rusage, d + name_inside_offset());
	else
		from = (void *)w->of_dentry + name_inside_offset() - DENTRY_FROM;
	to[0] = from[0];
	if (len > 8)
		to[1] = from[1];
	if (len > 16)
		to[2] = from[2];
	if (len > 24)
		to[3] = from[3];
	r->text[at + len] = 0;
}

/* Append a name; its tail where there is not room for all. */
static __always_inline int path_add(struct path_walk *w, struct record *r, __u64 d,
				    __u64 name, __u32 len)
{
	__u32 at = w->at, room = w->end - at, n;

	if (len < NAME_CHUNK && len < room && at < PARENT_AT + PARENT_ROOM &&
	    name == d + name_inside_offset()) {
		path_add_inside(w, r, d, at, len);
		w->at = at + len + 1;
		return 0;
	}
	if (at >= w->end || at >= PARENT_AT + PARENT_ROOM || room < 2) {
		w->cut = 1;
		return 1;
	}
	n = len < room ? len : room - 1;
	barrier_var(n);
	n &= at < CWD_AT ? 255 : 127; /* for the verifier: it is not longer */
	w->cut = n < len;
	if (bpf_probe_read_kernel(r->text + at, n, (void *)(name + len - n)))
		w->cut = 1;
	at += n;
	barrier_var(at);
	if (at >= RECORD_TEXT)
		return 1;
	r->text[at] = 0;
	w->at = at + 1;
	return w->cut;
}

/* One step of record_path(). Returns 0, or 1 at the end with w->result set. */
static __always_inline int path_step(struct path_walk *w, struct record *r)
{
	__u64 d = (__u64)w->dentry, parent, name;
	__u32 len;

	if (w->dentry == w->root)
		return path_cross(w);
	w->result = WALK_UNREADABLE;
	if (!path_read(w))
		return 1;
	if (bpf_rdonly_cast) {
		parent = (__u64)CAST(struct dentry, d)->d_parent;
		name = KREAD_NUMBER(struct dentry, d, d_name.name);
		len = CAST(struct dentry, d)->d_name.len;
	} else {
		parent = OF_DENTRY(w, d_parent);
		name = OF_DENTRY(w, d_name.name);
		len = OF_DENTRY(w, d_name.len);
	}
	if (!parent)
		return 1;
	w->result = WALK_DEEP;
	w->last = NULL;
	w->dentry = (void *)parent;
	if (path_add(w, r, d, name, len))
		return 1;
	if (parent != d)
		return 0;
	/* What has no path has a name of its own: "memfd:x". */
	w->result = WALK_DETACHED;
	return 1;
}

/* Some steps in one call, for a call costs as much as a step. As name_step() in object.h. */
__noinline int path_deep(__u32 index)
{
	struct record *r = ring_slot(index);

	if (!r)
		return 1;
#pragma nounroll
	for (int i = 0; i < PATH_AT_ONCE; i++)
		if (path_step(path_walk(r), r))
			return 1;
	return 0;
}

static int path_each(__u32 i, const __u32 *index)
{
	return end_loop(path_deep(*index));
}

/* Is it a dentry that has been deleted? */
static __always_inline bool path_gone(struct path_walk *w)
{
	__u64 d = (__u64)w->dentry;

	if (!path_read(w))
		return false;
	if (bpf_rdonly_cast)
		return KREAD_NUMBER(struct dentry, d, d_inode) &&
		       !KREAD_NUMBER(struct dentry, d, d_hash.pprev) &&
		       KREAD_NUMBER(struct dentry, d, d_parent) != d;
	return OF_DENTRY(w, d_inode) && !OF_DENTRY(w, d_hash.pprev) &&
	       OF_DENTRY(w, d_parent) != d;
}

/*
 * Write the path of the walk's dentry and mount into the record: string number `string`, at
 * the lower half of `place`, with room to the upper half.
 */
__noinline int record_path(__u32 index, __u32 string, __u32 place)
{
	struct record *r = ring_slot(index);
	struct path_walk *w;
	__u32 bit = 1u << (string & 7);
	__u16 *len;
	__u64 mnt;

	if (!r || string >= RECORD_STRINGS)
		return 0;
	w = path_walk(r);
	if (!w->dentry)
		return 0;
	len = &r->len[string];
	r->has |= bit;
	if (path_gone(w))
		r->gone |= bit;
	w->root = NULL;
	if (!w->mnt) {
		mnt = mount_of_sb(KREAD_NUMBER(struct dentry, w->dentry, d_sb));
		if (mnt)
			w->mnt = (void *)mnt + bpf_core_field_offset(struct mount, mnt);
	}
	if (w->mnt)
		path_mount(w);
	w->last = NULL;
	w->at = place & 0xffff;
	w->end = place >> 16;
	w->cut = 0;
	w->result = WALK_DEEP;
	bpf_loop(PATH_STEPS / PATH_AT_ONCE, path_each, &index, 0);
	if (w->cut || w->result == WALK_DEEP || w->result == WALK_UNREADABLE)
		r->cut |= bit;
	else if (w->result == WALK_DETACHED)
		r->loose |= bit;
	*len = w->at - (place & 0xffff);
	return 1;
}

#define PLACE(name) (name##_AT | (name##_AT + name##_ROOM) << 16)

/*
 * A pointer as a number, which is all that a function that is not static can be told.
 * The difference of two pointers is one to each verifier.
 */
static __always_inline __u64 number_of(const void *pointer)
{
	__u64 n = (__u64)pointer - (__u64)bpf_get_current_task_btf();

	barrier_var(n);
	return n + bpf_get_current_task();
}

/* The program that a task runs. A kernel thread has none, nor who is exiting. */
static __always_inline void record_program(struct path_walk *w,
					   struct task_struct *task, __u32 index,
					   __u32 string, __u32 place)
{
	struct mm_struct *mm = task->mm;
	struct file *exe = mm ? mm->exe_file : NULL;

	if (!exe)
		return;
	w->dentry = exe->f_path.dentry;
	w->mnt = exe->f_path.mnt;
	record_path(index, string, place);
}

/* --- arguments --- */

/* The registers of a system call, as far as they matter here. */
struct call {
	__u32 number;
	__u32 compat; /* 1: of 32-bit code */
	__u64 argument[3];
};

#if defined(__TARGET_ARCH_x86)
#define TS_COMPAT 2 /* in thread_info.status */

static __always_inline void call_of_task(struct call *c, struct task_struct *task)
{
	struct pt_regs___x86 *regs = (void *)bpf_task_pt_regs(task);

	c->number = regs->orig_ax;
	c->compat = !!(task->thread_info.status & TS_COMPAT);
	c->argument[0] = c->compat ? regs->bx : regs->di;
	c->argument[1] = c->compat ? regs->cx : regs->si;
	c->argument[2] = regs->dx;
}

/* Not by what is entered: of a call without arguments both entries are one function. */
static __always_inline bool called_by_32(struct task_struct *task)
{
	return task->thread_info.status & TS_COMPAT;
}

static __always_inline int argv_number(const struct call *c)
{
	if (c->compat)
		return c->number == 11 ? 1 : c->number == 358 ? 2 : -1;
	return c->number == 59 ? 1 : c->number == 322 ? 2 : -1;
}
#else
/* Elsewhere the arguments of an exec about to happen are left out. */
static __always_inline void call_of_task(struct call *c, struct task_struct *task)
{
}

#ifdef CALL_ENTRY
static __always_inline bool called_by_32(struct task_struct *task)
{
	return CALL_ENTRY_32(call_entry());
}
#endif

static __always_inline int argv_number(const struct call *c)
{
	return -1;
}
#endif

struct args_walk {
	__u64 from; /* where the next pointer is, in the caller's memory */
	__u32 size; /* bytes of a pointer */
	__u32 index;
	__u32 at; /* in the room for arguments */
	__u32 cut;
};

/* Append one argument. Returns 1 after the last. */
__noinline int args_step(struct args_walk *w)
{
	__u64 pointer = 0;
	struct record *r;
	__u32 at, room;
	long n;

	if (!w)
		return 1;
	r = ring_slot(w->index);
	at = w->at;
	if (!r || at >= ARGS_ROOM - 1) {
		w->cut = 1;
		return 1;
	}
	/* Little endian: the lower half is read into its place. */
	if (bpf_probe_read_user(&pointer, w->size == 4 ? 4 : 8, (void *)w->from)) {
		w->cut = 1;
		return 1;
	}
	if (!pointer) {
		w->cut = 0;
		return 1;
	}
	room = ARGS_ROOM - 1 - at;
	barrier_var(room);
	n = bpf_probe_read_user_str(r->text + ARGS_AT + (at & (ARGS_ROOM - 1)),
				    room & (ARGS_ROOM - 1), (void *)pointer);
	if (n <= 0) {
		w->cut = 1;
		return 1;
	}
	w->at = at + n;
	w->from += w->size;
	return 0;
}

static int args_each(__u32 i, struct args_walk *w)
{
	return end_loop(args_step(w));
}

/*
 * The arguments of the exec that the caller asks for: from its memory, for those
 * that the kernel has copied are where no helper reads.
 */
__noinline int record_argv(__u32 index)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct args_walk w = {};
	struct call call = {};
	struct record *r;
	int number;

	call_of_task(&call, task);
	number = argv_number(&call);
	if (number < 0)
		return 0;
	w.from = number == 1 ? call.argument[1] : call.argument[2];
	w.size = call.compat ? 4 : 8;
	w.index = index;
	w.cut = 1;
	bpf_loop(ARGS_STEPS, args_each, &w, 0);
	r = ring_slot(index);
	if (!r)
		return 0;
	r->flags |= RECORD_CLAIMED;
	r->has |= 1u << STRING_ARGS;
	r->cut |= (w.cut & 1) << STRING_ARGS;
	r->len[STRING_ARGS] = w.at;
	return 1;
}

/* The arguments that the process was started with. */
static __always_inline void record_args(struct record *r, struct task_struct *task,
					bool claimed)
{
	__u64 from = task->mm->arg_start, len = task->mm->arg_end - from;
	__u32 n = len < ARGS_ROOM ? len : ARGS_ROOM;

	if (!from || !len)
		return;
	barrier_var(n);
	n &= 2 * ARGS_ROOM - 1;
	if (bpf_probe_read_user(r->text + ARGS_AT, n, (void *)from))
		return;
	r->has |= 1u << STRING_ARGS;
	r->cut |= (len > ARGS_ROOM) << STRING_ARGS;
	r->len[STRING_ARGS] = n;
	if (claimed)
		r->flags |= RECORD_CLAIMED;
}

/* --- a record --- */

/* What the recorder is told; all else it finds out. */
struct event {
	__u64 boot; /* now; 0: to be looked up */
	__s32 signal_result;
	__s32 ret;
	__u32 ops, rule, suppressed;
	__u8 kind, action, identity, signal;
};

static __always_inline __u32 pid_ns_of(struct task_struct *task)
{
	struct pid *pid = task->thread_pid;
	__u32 level = pid->level;
	__u64 upid, ns;

	/* Outside of containers, and for little on 6.1. */
	if (!level)
		return pid->numbers[0].ns->ns.inum;
	upid = (__u64)level * bpf_core_type_size(struct upid) +
	       bpf_core_field_offset(struct pid, numbers) +
	       KREAD_NUMBER(struct task_struct, bpf_get_current_task(), thread_pid);
	ns = KREAD_NUMBER(struct upid, upid, ns);
	return ns ? KREAD(struct pid_namespace, ns, ns.inum) : 0;
}

/* Who: the calling thread, its process and its parent. */
static __always_inline void record_who(struct record *r, struct task_struct *task)
{
	const struct cred *cred = task->cred;

	r->pid = task->tgid;
	r->tid = task->pid;
	r->ppid = task->real_parent->tgid;
	r->start = task->group_leader->start_boottime;
	r->parent_start = task->real_parent->group_leader->start_boottime;
	r->uid = cred->uid.val;
	r->euid = cred->euid.val;
	r->gid = cred->gid.val;
	r->egid = cred->egid.val;
	r->login_uid =
		bpf_core_field_exists(task->loginuid) ? task->loginuid.val : NO_ID;
	r->pid_ns = pid_ns_of(task);
	r->mnt_ns = task->nsproxy->mnt_ns->ns.inum;
	r->cgroup = bpf_get_current_cgroup_id();
	bpf_get_current_comm(r->comm, sizeof(r->comm));
}

static __always_inline void record_object(struct record *r, const struct object *o)
{
	r->dev = o->dev;
	r->ino = o->ino;
	r->mode = o->inode ? KREAD(struct inode, o->inode, i_mode) : 0;
}

/*
 * Take the next number and the slot for it. The slot may still be in the hands of
 * a writer of the last lap that was interrupted, or of the next lap's: this record
 * is left out then, and counted.
 * Returns the record, marked as being written, or NULL.
 */
static __always_inline struct record *record_begin(__u32 *index, __u64 *sequence)
{
	__u32 ring = RING_NUMBER;
	struct recorder *rec = bpf_map_lookup_elem(&recorder, &ring);
	__u64 stamp;
	struct record *r;

	if (!rec)
		return NULL;
	*sequence = __sync_fetch_and_add(&rec->next, 1) + 1;
	*index = *sequence & (ring_size() - 1);
	r = ring_slot(*index);
	if (!r)
		return NULL;
	stamp = *(volatile __u64 *)&r->stamp;
	if (stamp & 1 || stamp > 2 * *sequence ||
	    __sync_val_compare_and_swap(&r->stamp, stamp, 2 * *sequence + 1) != stamp) {
		count_stat(RING_NUMBER == RING_RULES ? STAT_UNRECORDED
						     : STAT_SEEN_LOST);
		return NULL;
	}
	return r;
}

/* Write a record. Returns 1 if there is one. */
static __always_inline int record_event(const struct event *e, const struct object *o)
{
	struct task_struct *task = this_task();
	struct path_walk *w;
	struct fs_struct *fs;
	struct record *r;
	__u64 sequence;
	__u32 index;
	bool asks;

	r = record_begin(&index, &sequence);
	if (!r)
		return 0;
	r->version = RECORD_VERSION;
	r->kind = e->kind;
	r->backend = BACKEND;
	r->action = e->action;
	r->identity = e->identity;
	r->signal = e->signal;
	r->flags = 0;
	r->signal_result = e->signal_result;
	r->ret = e->ret;
	r->ops = e->ops;
	r->rule = e->rule;
	r->suppressed = e->suppressed;
#ifdef CALL_ENTRY
	r->call = CALL_ENTRY_NUMBER(call_entry());
	if (called_by_32(task))
		r->flags |= RECORD_COMPAT;
#else
	r->call = 0;
#endif
	r->dev = r->mode = 0;
	r->ino = 0;
	r->has = r->cut = r->loose = r->gone = 0;
	r->boot = e->boot ? e->boot : bpf_ktime_get_boot_ns();
	r->tai = bpf_ktime_get_tai_ns();
	record_who(r, task);
	w = path_walk(r);
	w->top = NULL;
	w->read = NULL;
	if (o) {
		record_object(r, o);
		w->dentry = o->dentry;
		w->mnt = o->mnt;
		record_path(index, STRING_OBJECT, PLACE(OBJECT));
	}
	/* In the order in which they lie: see path_add_inside(). */
	record_program(w, task, index, STRING_EXE, PLACE(EXE));
	fs = task->fs;
	if (fs) {
		w->dentry = fs->pwd.dentry;
		w->mnt = fs->pwd.mnt;
		record_path(index, STRING_CWD, PLACE(CWD));
	}
	record_program(w, task->real_parent, index, STRING_PARENT, PLACE(PARENT));
	/* No address of the kernel's stays in a record. */
	__builtin_memset(w, 0, sizeof(*w));
	/* An exec that a first layer decides is that of the program to come. */
	asks = BACKEND != BACKEND_OF_KILL && e->ops & OP_EXEC;
	if (asks)
		record_argv(index);
	else
		record_args(r, task, !(e->ops & OP_EXEC) && e->kind != RECORD_EXEC);
	/* An exchange is a barrier: the record is whole before its number is. */
	__sync_lock_test_and_set(&r->stamp, 2 * sequence);
	return 1;
}

/* --- a rule's hits --- */

/*
 * May this hit of a rule be recorded? Returns true with e->suppressed set, or false
 * when it is over the rule's rate, which is counted.
 */
static __always_inline bool rate_allows(const struct verdict *v, struct event *e)
{
	__u32 segment = v->slot / SEGMENT_RULES, index = v->slot % SEGMENT_RULES;
	__u32 zero = 0, *limit = bpf_map_lookup_elem(&limits, &zero);
	void *inner = bpf_map_lookup_elem(&rates, &segment);
	struct rate *rate = inner ? bpf_map_lookup_elem(inner, &index) : NULL;
	__u64 since;
	__s64 past;

	if (!rate || !limit)
		return true;
	since = *(volatile __u64 *)&rate->since;
	/*
	 * Signed: another CPU may have begun the second a moment later than this hit. A
	 * second that begins far ahead is of a clock that was set back.
	 */
	past = e->boot - since;
	if ((past >= SECOND || past < -SECOND) &&
	    __sync_val_compare_and_swap(&rate->since, since, e->boot) == since)
		rate->count = 0;
	if (__sync_fetch_and_add(&rate->count, 1) >= *limit) {
		__sync_fetch_and_add(&rate->suppressed, 1);
		__sync_fetch_and_add(&rate->unreported, 1);
		count_stat(STAT_SUPPRESSED);
		return false;
	}
	e->suppressed = __sync_lock_test_and_set(&rate->unreported, 0);
	return true;
}

/*
 * Record what was done about a verdict: `ret` was returned; `signal_result`: of
 * SIGKILL, or NO_SIGNAL when none was sent. `o` may be NULL. Not static: verified
 * once. Returns 1 if there is a record.
 */
__noinline int record_hit(const struct verdict *v, const struct object *o, __u32 action,
			  int ret, int signal_result)
{
	struct event e = {};

	if (!v)
		return 0;
	e.boot = bpf_ktime_get_boot_ns();
	e.kind = RECORD_RULE;
	e.action = action;
	e.identity = v->kind;
	e.rule = v->id;
	e.ops = v->ops;
	e.ret = ret;
	if (signal_result <= 0) {
		e.signal = v->signal ? v->signal : SIGKILL;
		e.signal_result = signal_result;
	}
	return rate_allows(v, &e) && record_event(&e, o);
}

#endif

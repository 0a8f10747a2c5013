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

struct path_walk {
	struct walk walk;
	__u32 index; /* of the record */
	__u32 at;    /* in record.text, where the next component goes */
	__u32 end;   /* where there is no room any more */
	__u32 cut;
};

/*
 * On 6.1 each read is a call: there a dentry is read whole, as far as it is needed, to
 * a place behind the strings of the record, for the stack is full.
 */
#define DENTRY_READ 96
#define DENTRY_AT (RECORD_TEXT - DENTRY_READ)
#define DENTRY_NUMBER(r, d, field)                                                     \
	dentry_number(r, d, bpf_core_field_offset(struct dentry, field))

static __always_inline __u64 dentry_number(const struct record *r, __u64 d,
					   __u64 offset)
{
	if (bpf_rdonly_cast)
		return number_at((void *)d + offset);
	return *(const __u64 *)(r->text + DENTRY_AT + offset);
}

static __always_inline __u64 name_inside_offset(void)
{
	return (__u64)name_inside(NULL);
}

/* A name of up to 31 bytes that lies in the dentry, a word at a time. */
static __always_inline void path_add_inside(struct record *r, __u64 d, __u32 at,
					    __u32 len)
{
	__u64 *to = (__u64 *)(r->text + at), offset = name_inside_offset();

	to[0] = dentry_number(r, d, offset);
	if (len >= 8)
		to[1] = dentry_number(r, d, offset + 8);
	if (len >= 16)
		to[2] = dentry_number(r, d, offset + 16);
	if (len >= 24)
		to[3] = dentry_number(r, d, offset + 24);
}

/* Append the name of the dentry that was read; its tail where there is not room for all. */
static __always_inline int path_add(struct path_walk *w, struct record *r, __u64 d)
{
	__u64 name = DENTRY_NUMBER(r, d, d_name.name);
	__u32 len = DENTRY_NUMBER(r, d, d_name.len), at = w->at, n, room;

	room = w->end - at;
	if (at >= w->end || at >= PARENT_AT + PARENT_ROOM || room < 2) {
		w->cut = 1;
		return 1;
	}
	if (len < NAME_CHUNK && len < room && name == d + name_inside_offset()) {
		/* What it writes too much is in the way of nothing: the next string
		 * is written later. */
		path_add_inside(r, d, at, len);
		n = len;
	} else {
		n = len < room ? len : room - 1;
		barrier_var(n);
		n &= at < CWD_AT ? 255 : 127; /* for the verifier: it is not longer */
		w->cut = n < len;
		if (bpf_probe_read_kernel(r->text + at, n, (void *)(name + len - n)))
			w->cut = 1;
	}
	at += n;
	barrier_var(at);
	if (at >= RECORD_TEXT)
		return 1;
	r->text[at] = 0;
	w->at = at + 1;
	return w->cut;
}

/* One step of record_path(). Returns 0, or 1 at the end with w->walk.result set. */
static __always_inline int path_step(struct path_walk *w, struct record *r)
{
	__u64 d = (__u64)w->walk.dentry, parent;

	if (w->walk.dentry == w->walk.mnt_root) {
		if (walk_cross(&w->walk))
			return 1;
		w->walk.mnt_root = KREAD(struct mount, w->walk.mnt, mnt.mnt_root);
		return 0;
	}
	/* A kernel with locks that are checked has bigger ones: no path is had there. */
	if (name_inside_offset() + NAME_CHUNK > DENTRY_READ ||
	    (!bpf_rdonly_cast &&
	     bpf_probe_read_kernel(r->text + DENTRY_AT, DENTRY_READ, (void *)d))) {
		w->walk.result = WALK_UNREADABLE;
		return 1;
	}
	parent = DENTRY_NUMBER(r, d, d_parent);
	if (!parent) {
		w->walk.result = WALK_UNREADABLE;
		return 1;
	}
	w->walk.dentry = (void *)parent;
	if (path_add(w, r, d))
		return 1;
	if (parent != d)
		return 0;
	/* What has no path has a name of its own: "memfd:x". */
	w->walk.result = WALK_DETACHED;
	return 1;
}

/* As name_step() in object.h. */
__noinline int path_deep(struct path_walk *w)
{
	struct record *r = w ? ring_slot(w->index) : NULL;

	return !r || path_step(w, r);
}

static int path_each(__u32 i, struct path_walk *w)
{
	return end_loop(path_deep(w));
}

/*
 * Write a path into a record: string number `string`, at the lower half of `place`, with
 * room to the upper half.
 */
__noinline int record_path(__u64 dentry, __u64 mnt, __u32 index, __u32 string,
			   __u32 place)
{
	struct path_walk w = {};
	struct record *r = ring_slot(index);
	__u32 bit = 1u << (string & 7);

	if (!dentry || !r || string >= RECORD_STRINGS)
		return 0;
	walk_from(&w.walk, (void *)dentry, (void *)mnt);
	w.index = index;
	w.at = place & 0xffff;
	w.end = place >> 16;
	bpf_loop(PATH_STEPS, path_each, &w, 0);
	r->has |= bit;
	if (w.cut || w.walk.result == WALK_DEEP || w.walk.result == WALK_UNREADABLE)
		r->cut |= bit;
	else if (w.walk.result == WALK_DETACHED)
		r->loose |= bit;
	if (KREAD_NUMBER(struct dentry, dentry, d_inode) &&
	    !KREAD_NUMBER(struct dentry, dentry, d_hash.pprev) &&
	    KREAD_NUMBER(struct dentry, dentry, d_parent) != dentry)
		r->gone |= bit;
	r->len[string] = w.at - (place & 0xffff);
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
static __always_inline void record_program(struct task_struct *task, __u32 index,
					   __u32 string, __u32 place)
{
	struct mm_struct *mm = task->mm;
	struct file *exe = mm ? mm->exe_file : NULL;

	if (exe)
		record_path(number_of(exe->f_path.dentry), number_of(exe->f_path.mnt),
			    index, string, place);
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
	__u64 upid =
		(__u64)level * bpf_core_type_size(struct upid) +
		bpf_core_field_offset(struct pid, numbers) +
		KREAD_NUMBER(struct task_struct, bpf_get_current_task(), thread_pid);
	__u64 ns = KREAD_NUMBER(struct upid, upid, ns);

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
	/* An exec that a first layer decides is that of the program to come. */
	asks = BACKEND != BACKEND_OF_KILL && e->ops & OP_EXEC;
	if (asks)
		record_argv(index);
	else
		record_args(r, task, !(e->ops & OP_EXEC) && e->kind != RECORD_EXEC);
	if (o) {
		record_object(r, o);
		record_path((__u64)o->dentry, (__u64)o->mnt, index, STRING_OBJECT,
			    PLACE(OBJECT));
	}
	/* In the order in which they lie: see path_add(). */
	record_program(task, index, STRING_EXE, PLACE(EXE));
	fs = task->fs;
	if (fs)
		record_path(number_of(fs->pwd.dentry), number_of(fs->pwd.mnt), index,
			    STRING_CWD, PLACE(CWD));
	record_program(task->real_parent, index, STRING_PARENT, PLACE(PARENT));
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

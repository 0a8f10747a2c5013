/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * abi.h: the only contract between the BPF programs and user space.
 *
 * What is in the pinned maps is the database: rules, their objects and their
 * counters are read from there by every tool. Everything here has a fixed
 * width and explicit padding. A change of any layout raises COTTER_ABI, and
 * `load` then builds the maps anew instead of reading old bytes as new ones.
 *
 * Include <linux/types.h>, or the types of lib/kernel.h, before this file.
 */
#ifndef COTTER_ABI_H
#define COTTER_ABI_H

#define COTTER_ABI 9

/* Operations: one bit each. A rule names a set of them. */
enum cotter_op {
	OP_EXEC = 1u << 0,    /* execute a file, each #! level included */
	OP_READ = 1u << 1,    /* open for reading, read, map; list a directory */
	OP_WRITE = 1u << 2,   /* open for writing, write, truncate, map shared */
	OP_CREATE = 1u << 3,  /* make a file, directory, link or node of that name */
	OP_DELETE = 1u << 4,  /* unlink, rmdir, be replaced by a rename */
	OP_RENAME = 1u << 5,  /* rename away or over, or mount over */
	OP_LINK = 1u << 6,    /* make a hard link to it */
	OP_SETATTR = 1u << 7, /* mode, owner, times, xattr, ACL, inode flags */
	OP_SYSCALL =
		1u << 8, /* a system call: which, and when, says struct call_rule */
	OP_MAPEXEC = 1u << 9, /* map to be executed, not by an exec of it */
};
#define OP_MODIFY (OP_WRITE | OP_CREATE | OP_DELETE | OP_RENAME | OP_LINK | OP_SETATTR)
#define OP_BITS 16	/* there can be */
#define OP_BITS_USED 10 /* there are */

/* What a rule does, weakest first: where several match, the strongest acts. */
enum cotter_action {
	ACTION_NONE = 0,  /* no rule matched */
	ACTION_AUDIT = 1, /* let it happen, count it */
	ACTION_DENY = 2,  /* fail it with rule.error */
	ACTION_KILL = 3,  /* fail it with rule.error and send rule.signal */
};

/* Identities of an object, the kinds of key in the map `objects`. */
enum cotter_kind {
	KIND_INODE = 1, /* dev, a = inode number, b = inode generation */
	KIND_NAME = 2,	/* dev = 0, a:b = keyed 128-bit hash of the full path */
	KIND_TREE = 3,	/* as KIND_INODE, of a directory: all beneath it */
	/*
	 * As KIND_INODE, of a directory above an object: renaming it, removing it or
	 * mounting over it takes the object's name away. Of rules that name OP_DELETE
	 * or OP_RENAME. As many rules may lie beneath as there are, the entries form
	 * a chain: number i has b = inode generation | i << 32, without a gap.
	 */
	KIND_ABOVE = 4,
	KIND_FSPATH = 5, /* dev, a:b = keyed hash of the path within its file system */
	/* Only in `subjects`, numbers as the kernel has them: */
	KIND_USER = 6,	     /* a = effective uid */
	KIND_GROUP = 8,	     /* a = gid, effective or supplementary */
	KIND_CGROUP = 9,     /* a:b = keyed hash of the path, of version 2 */
	KIND_CONTAINER = 10, /* a = enum cotter_container */
	/*
	 * A system call: dev = CALL_DEV(call, argument), a = mask, b = argument & mask.
	 * One condition of the rule is its key, the others are looked at after it was
	 * found; a mask of 0 is that of a rule without one. An interval is the two
	 * aligned blocks that its ends lie in.
	 */
	KIND_CALL = 7,
	KIND_CLASS = 11, /* a = enum cotter_class: all objects of that class */
	/*
	 * Content: a, b, dev = the first 20 bytes of its SHA-256. What has the same 20 and
	 * is another file nobody finds for a given one (2^160).
	 */
	KIND_DIGEST = 12,
};
#define KINDS 16

#define KIND_BIT(kind) (1u << (kind))

/* Classes of objects, the a of KIND_CLASS. An object may be of several. */
enum cotter_class {
	CLASS_MEMFD = 1,    /* a file that never had a name: memfd, shared memory */
	CLASS_UNLINKED = 2, /* a file without a name now; those of CLASS_MEMFD too */
	CLASS_ANON = 3, /* memory to be executed whose content no named file holds */
	CLASS_BLOCKDEV = 4, /* a block device */
	CLASSES = 5,
};
#define CLASS_BIT(class) (1u << (class))
/* Containers, as a subject. */
enum cotter_container {
	/* the process is in a pid or cgroup namespace other than the first */
	CONTAINER_ANY = 1,
	/* and that belongs to the first user namespace: no ordinary user made it */
	CONTAINER_OF_ROOT = 2,
};

/* Bounds. Each is enforced by the tool that would exceed it. */
#define PATH_LIMIT 4096	   /* bytes of a path, with its NUL */
#define REASON_LIMIT 256   /* bytes of a reason, with its NUL */
#define WALK_LIMIT 4096	   /* directories walked towards the root */
#define SEGMENT_RULES 1024 /* rules in one segment, a power of two */
#define SEGMENTS 1024	   /* segments: 1,048,576 rules */
#define OBJECT_RULES 7	   /* rules that can name the same object */
#define FILTER_BLOCK 512   /* bytes of one block of the filter */
#define FILTER_BLOCKS 512  /* 256 KiB: 2^21 bits */
#define SKETCH_WORDS 16384 /* of the sketch, 128 KiB: 2^20 bits */
#define OBJECTS_MIN 4096   /* capacity the hash maps start with */
#define ABOVE_LIMIT 65536  /* entries of one chain of KIND_ABOVE */
#define LABELS 64	   /* subjects of one sort (programs, users) in use at once */
#define LABEL_SORTS 3	   /* words of labels: programs, users, groups and places */
#define SUBJECT_SORTS 5	   /* sorts that a rule names */
#define CGROUP_DEPTH 32	   /* levels beneath the root at which a cgroup can be named */
#define SUBJECTS_MAX 512   /* entries of `subjects` */
#define LABEL_PATH 400	   /* bytes of a program's path, with its NUL */
#define FOLLOWED_MAX 4096  /* entries of `followed` */
#define TEXT_PART 120	   /* bytes of text in one entry of `texts` */
#define TEXT_OBJECT 0	   /* text_key.what: the object as denied */
#define TEXT_REASON 1	   /* text_key.what: the operator's reason */
#define TEXT_ABOVE 2	   /* text_key.what: an array of struct above */
#define TEXT_ID 3	   /* text_key.what: the rule's id in its policy's file */
#define TEXT_POLICY 4	   /* text_key.what: a policy's name and reason, see there */
#define POLICIES 64	   /* policies at once, a power of two; 0 is `manual` */
#define POLICY_NAME 64	   /* bytes of a policy's name, with its NUL */
#define RULE_NAME 128	   /* bytes of a rule's id in its file, with its NUL */
#define TEXT_CALL 5	   /* text_key.what: a struct call_rule and its path pattern */
#define CALLS 1024	   /* numbers of system calls, see struct call_state */
#define CALL_ARGUMENTS 6   /* of a system call */
#define CALL_FDS 2	   /* descriptors among the arguments of one call */
#define CALL_SHAPES 8	   /* different (argument, mask) among the keys of one call */
#define PATTERN_LIMIT 240  /* bytes of a path pattern, two parts of a text */

/*
 * Key of `objects`. The device is the superblock's (s_dev, major << 20 |
 * minor), which on btrfs and overlayfs is not what stat(2) shows.
 */
struct object_key {
	__u32 kind; /* enum cotter_kind */
	__u32 dev;
	__u64 a;
	__u64 b;
};

/*
 * Value of `objects`: the slots of the rules that name this object, packed
 * from the front, NO_RULE after the last. `check` is object_check() of the
 * key: a hash map element may be reused while a program still looks at it,
 * and a program that reads a foreign `check` looks again.
 */
#define NO_RULE 0xffffffffu
struct object_rules {
	__u32 check;
	__u32 slot[OBJECT_RULES];
};

/*
 * One rule. It holds from the moment state.gen reaches `born` until, if
 * `ending` is set, state.gen reaches `died`, and only before `expires`. So any
 * number of rules come and go with one update of `state`. `died` is written
 * before `ending`: a rule is never seen half ended.
 */
struct rule {
	__u64 born;	 /* generation that brought it; 0: the slot is free */
	__u64 died;	 /* generation that ends it, meant if `ending` */
	__u32 id;	 /* number the operator sees, never used twice */
	__u32 ops;	 /* set of enum cotter_op */
	__u8 action;	 /* enum cotter_action */
	__u8 ending;	 /* 1: `died` is valid */
	__u16 error;	 /* errno returned to the caller, positive, 1..4095 */
	__u32 kinds;	 /* set of KIND_BIT: which keys below are in use */
	__u64 created;	 /* CLOCK_REALTIME when it was made, ns */
	__u32 dev;	 /* key of KIND_INODE or KIND_TREE: device, */
	__u32 inode_gen; /*   inode generation, */
	__u64 ino;	 /*   inode number; of KIND_CALL: dev alone */
	__u64 name[2];	 /* key of KIND_NAME; of KIND_CALL: mask, and its value */
	__u64 fspath[2]; /* key of KIND_FSPATH, with fs_dev; of KIND_CALL: the second value */
	/* Of KIND_DIGEST `name` and `fspath` are the digest. */
	__u32 fs_dev;	  /*   device of KIND_FSPATH: also known of a missing file */
	__u16 path_len;	  /* bytes of TEXT_OBJECT */
	__u16 reason_len; /* bytes of TEXT_REASON */
	/*
	 * Subjects, a bit for each label, by SORT_*. Where `only` has bits, the process
	 * must have one of them, of each sort that has any; it must have none of
	 * `except`.
	 */
	__u64 only[SUBJECT_SORTS];
	__u64 except[SUBJECT_SORTS];
	__u16 above_len; /* bytes of TEXT_ABOVE; of a rule with OP_SYSCALL, of TEXT_CALL */
	__u8 signal;	 /* ACTION_KILL: signal sent instead of SIGKILL, 0: SIGKILL */
	__u8 pad0;
	__u16 policy; /* index of state.policy; 0: typed by hand */
	__u8 id_len;  /* bytes of TEXT_ID, 0 where it has none */
	__u8 pad1;
	__u64 expires; /* CLOCK_BOOTTIME from which it holds no more, ns; 0: never */
};

/* One directory above a rule's object, and where its KIND_ABOVE chain names it. */
struct above {
	__u32 dev;
	__u32 inode_gen;
	__u64 ino;
	__u32 number; /* of the entry in the chain */
	__u32 pad;
};
_Static_assert(sizeof(struct object_key) == 24, "abi: object_key");
_Static_assert(sizeof(struct object_rules) == 32, "abi: object_rules");
_Static_assert(sizeof(struct rule) == 192, "abi: rule");
_Static_assert(sizeof(struct above) == 24, "abi: above");

/* How an argument of a system call is looked at, enum of call_rule.test. */
enum call_test {
	CALL_TEST_NONE = 0,
	CALL_TEST_MASKED = 1, /* (argument & a) == b */
	CALL_TEST_RANGE = 2,  /* a <= argument <= a + b, modulo the argument's width */
	CALL_TEST_BITS = 3,   /* argument & a is not 0 */
};

/*
 * When a rule of OP_SYSCALL applies, the first part of TEXT_CALL. All of it must
 * hold. `pattern_len` bytes follow in the next parts, compared with the string
 * that argument `path` - 1 points to: with its NUL, or a prefix without one.
 */
struct call_rule {
	__u32 id;   /* of the rule: an element of `texts` may be reused while read */
	__u16 call; /* number, see struct call_state */
	__u8 path;  /* 1 + the argument that is a path, 0: none */
	__u8 fd;    /* 1: the object is the file behind a descriptor argument */
	__u8 test[CALL_ARGUMENTS];  /* enum call_test */
	__u8 width[CALL_ARGUMENTS]; /* bits of the argument that the kernel looks at */
	__u16 pattern_len;
	__u16 pad;
	__u64 a[CALL_ARGUMENTS];
	__u64 b[CALL_ARGUMENTS];
};
_Static_assert(sizeof(struct call_rule) == TEXT_PART, "abi: call_rule");

/*
 * Value of `calls`, whose index is the number of a system call on this machine;
 * of one that only 32-bit programs can make, 512 + their number. What programs
 * look at before any key: more than rules need while one comes or goes, never less.
 */
struct call_shape {
	__u64 mask;
	__u32 refs; /* rules in force with such a key; 0: the place is free */
	__u32 argument;
};
struct call_state {
	__u8 shapes; /* places of `shape` in use, free ones between them included */
	__u8 fd[CALL_FDS]; /* 1 + an argument that is a descriptor, while `fd_refs`; or 0 */
	__u8 pad0;
	__u32 fd_refs;	 /* rules with an object behind a descriptor */
	__u32 path_refs; /* rules that compare a path, for user space to say so */
	__u32 zero;	 /* 0, which the verifier does not know: see perhaps_call() */
	struct call_shape shape[CALL_SHAPES];
};
_Static_assert(sizeof(struct call_state) == 144, "abi: call");
#define CALL_DEV(call, argument) ((__u32)(call) | (__u32)(argument) << 16)

/*
 * What a program on the entry of a call knows of it; written into the object for
 * CALL_ENTRY_MARK. Bits 0..15 number, 16 arguments are in 32-bit registers,
 * 17..22 those of them that are signed and as wide as a register, 24..26 how many
 * of the first arguments are those of the call of that number.
 */
#define CALL_ENTRY_MARK 0x4c4c41437265744full
#define CALL_ENTRY_NUMBER(e) ((__u32)(e)&0xffff)
#define CALL_ENTRY_32(e) ((int)((e) >> 16) & 1)
#define CALL_ENTRY_SIGNED(e, n) ((int)((e) >> (17 + (n))) & 1)
#define CALL_ENTRY_SAME(e) ((int)((e) >> 24) & 7)

/* Key of `texts`: part number `part` of a text of the rule with this id. */
struct text_key {
	__u32 id;
	__u16 what; /* TEXT_* */
	__u16 part;
};
_Static_assert(sizeof(struct text_key) == 8, "abi: text_key");

/*
 * A policy: rules that came from one file. Index 0 is `manual`, the rules typed
 * by hand; it is always there and may be without text. The text `text` of
 * TEXT_POLICY is the name and then the reason.
 */
struct policy {
	__u32 text;	  /* text_key.id; 0: none */
	__u32 flags;	  /* POLICY_*; without POLICY_USED the others mean nothing */
	__u16 name_len;	  /* bytes of the name, */
	__u16 reason_len; /*   and of the reason behind it */
	__u32 pad;
	__u64 until; /* CLOCK_BOOTTIME at which the mode changes to the other, ns; 0: never */
	__u64 created; /* CLOCK_REALTIME of the command that brought it as it is, ns */
};
#define POLICY_USED (1u << 0)
#define POLICY_MONITOR (1u << 1) /* its rules only count what they would have done */
_Static_assert(sizeof(struct policy) == 32, "abi: policy");

/*
 * The committed state: the one element of the one inner map of `state`. A
 * commit replaces that inner map, so programs see the old state or the new
 * one and nothing between.
 */
struct state {
	__u32 abi;	   /* COTTER_ABI of the tool that wrote it */
	__u32 next_id;	   /* id of the next rule */
	__u64 gen;	   /* generation in force */
	__u32 rules;	   /* rules in force */
	__u32 max_rules;   /* limit set at load, at most SEGMENTS * SEGMENT_RULES */
	__u32 next_slot;   /* where the search for a free slot begins */
	__u32 segments;	   /* segments that exist */
	__u32 objects;	   /* entries in `objects`, ended ones included */
	__u32 objects_max; /* its capacity */
	__u32 texts;	   /* entries in `texts`, and their capacity */
	__u32 texts_max;
	__u32 op_rules[OP_BITS]; /* rules in force for each bit of enum cotter_op */
	/* of those, the ones with a key of each enum cotter_kind */
	__u32 kind_rules[OP_BITS][KINDS];
	struct policy policy[POLICIES];
	__u64 expires; /* no rule in force expires before this, CLOCK_BOOTTIME ns; 0: none does */
	__u32 next_policy; /* text_key.id of the next TEXT_POLICY */
	__u32 pad;
};
_Static_assert(sizeof(struct state) == 3200, "abi: state");

/*
 * What every program reads first. `ops`, `kinds` and the labels may name more
 * than is in force (a rule being added or removed), never less.
 */
struct hot {
	__u32 ops;     /* operations that some rule names */
	__u32 flags;   /* HOT_* */
	__u32 dirty;   /* 1: a command is at its writes, or was cut off there; */
	__u32 batch;   /*   it is the command of this number: one word with `dirty` */
	__u64 key[2];  /* secret of the name hash, drawn at load */
	__u64 labels;  /* programs that are subjects of some rule, as labels */
	__u64 sticky;  /* of those, kept over later execs */
	__u64 scripts; /* of those, also given when it only interprets a script */
	__u64 fresh;   /* of those, the ones running processes are to be given */
	__u64 trees; /* top_bit() of each directory that KIND_TREE rules name, or more */
	__u16 kinds[OP_BITS]; /* for each operation, KIND_BITs its rules use */
	__u32 state; /* which element of the map `state` is in force; to write another commits it */
	__u32 pad;
};
#define HOT_SECOND_ONLY (1u << 0) /* no first layer: the second also audits */
_Static_assert(sizeof(struct hot) == 112, "abi: hot");

/*
 * The state is written to the elements of its map in turn. Who decides may still read one that
 * was in force: of STATES / 2 commits in a row one at least waits until all who
 * decide now have ended, so that none is written to that is read.
 */
#define STATES 16

/*
 * A copy of the filter that is read where it is: a bit for each of its keys, see sketch_has()
 * and, of KIND_TREE, tree_climb().
 * Too large for a line of bpftool, so programs alone write it: sketch_add() for commands, and
 * follow(). Bits only come, and are without meaning while there is no rule.
 */
struct sketch {
	__u64 bits; /* that are set; more than SKETCH_MOST: too many to be of use */
	__u64 word[SKETCH_WORDS];
};
#define SKETCH_MOST (SKETCH_WORDS * 64 / 2)
_Static_assert(sizeof(struct sketch) == 131080, "abi: sketch");

/* What the program `sketch_add` is told. */
#define SKETCH_KEYS 64
struct sketch_add {
	__u32 clear;		 /* 1: forget all before. Only while there is no rule */
	__u32 count;		 /* of `hash` */
	__u64 hash[SKETCH_KEYS]; /* of the filter: filter_inode(), filter_name() and so on */
};
_Static_assert(sizeof(struct sketch_add) == 520, "abi: sketch_add");

/*
 * The switch of `panic`, the one element of the map of that name: while it is set,
 * every rule only counts what it would have done.
 */
struct panic {
	__u64 since; /* CLOCK_REALTIME when it was set, ns; 0: it is not */
};

/*
 * A label: one bit of rule.only or rule.except, the element
 * `LABEL_SORT(sort) * LABELS + bit` of the array `labels`. Programs look only at
 * `subjects`; this is for user space.
 */
#define SORT_PROGRAM 0
#define SORT_USER 1
#define SORT_GROUP 2
#define SORT_PLACE 3  /* cgroup or container. Its labels are parted with groups */
#define SORT_PARENT 4 /* what the parent runs: labels of programs */
#define LABEL_SORT(sort) ((sort) == SORT_PARENT ? 0 : (sort) < SORT_PLACE ? (sort) : 2)
struct label {
	__u32 refs;  /* rules in force that name it; 0: free */
	__u32 flags; /* LABEL_* */
	__u32 kinds; /* KIND_BITs of its keys in `subjects` */
	__u32 dev;   /* keys, as in struct rule */
	__u32 inode_gen;
	__u32 fs_dev;
	__u64 ino;
	__u64 name[2];
	__u64 fspath[2]; /* of KIND_CGROUP its hash */
	__u32 number;	 /* KIND_USER, KIND_GROUP, KIND_CONTAINER: what it is */
	__u16 path_len;	 /* of a program or cgroup */
	__u16 pad0;
	__u64 pad[3];
	char path[LABEL_PATH];
};
#define LABEL_STICKY (1u << 0)	/* see struct hot */
#define LABEL_SCRIPTS (1u << 1) /* see struct hot */
_Static_assert(sizeof(struct label) == 496, "abi: label");

/* Value of `tasks`, one for each thread that has been given labels. */
struct task_labels {
	__u64 labels;  /* programs it counts as */
	__u64 before;  /* the same before its last exec */
	__u64 exec_id; /* task.self_exec_id when they were given */
	__u64 parents; /* programs its parent counted as when it was forked */
	__u64 script;  /* labels of the file that an exec began with, */
	__u64 bprm;    /*   which is that of the kernel's bprm with this address */
};
_Static_assert(sizeof(struct task_labels) == 48, "abi: task_labels");

/* How a program is attached. Each counts its own calls: that proves it works. */
enum cotter_backend {
	BACKEND_OF_LSM = 0,
	BACKEND_OF_FMOD_RET = 1,
	BACKEND_OF_KILL = 2,	 /* the second layer */
	BACKEND_OF_OVERRIDE = 3, /* of a system call only */
};

/* Indices of `stats`, counters per CPU since load. */
enum cotter_stat {
	STAT_CALLS = 0,	      /* + enum cotter_backend: exec decisions made by it */
	STAT_UNSIGNALLED = 3, /* SIGKILL refused by the kernel (PID 1, kthread) */
	STAT_TORN = 4,	      /* an object entry changed 4 times while read: open */
	STAT_DEEP = 5,	      /* deeper than WALK_LIMIT: name and tree not compared */
	STAT_UNREADABLE = 6,  /* a name could not be read: name not compared */
	STAT_UNLABELLED = 7,  /* no memory for a task's labels: it has none */
	STAT_SUPPRESSED = 8,  /* hits without a record: their rule was over its rate */
	STAT_UNRECORDED = 9,  /* ... : the slot was in the hands of another writer */
	STAT_SEEN = 10,	      /* events observed without a verdict, */
	STAT_SEEN_LOST = 11,  /*   of those as STAT_UNRECORDED */
	STAT_UNFOLLOWED = 12, /* `followed` is full: the new file has only its name */
	STAT_CONTENTS = 13, /* executed files that rules on content were asked about */
	STAT_UNMEASURED =
		14, /* those whose SHA-256 could not be had: no such rule holds (open) */
	STAT_OP = 15, /* + 4 * bit of the operation + enum cotter_action */
	STATS = STAT_OP + 4 * 32,
};

/* --- the flight recorder --- */

/*
 * A ring: an array of 2^n records, the one with sequence number s at index
 * s & (2^n - 1). Writers take the numbers from recorder.next and never wait; the
 * newest overwrite the oldest. Rules' hits are in the ring `records`, what is only
 * observed in a ring of its own, so that it cannot wash out evidence.
 */
enum cotter_ring {
	RING_RULES = 0,	   /* the map maps/records */
	RING_OBSERVED = 1, /* the map observe/observed, made by the first `observe` */
	RINGS = 2,
};

/* Element of the array `recorder`, by enum cotter_ring. */
struct recorder {
	__u64 next;    /* records numbered so far: the next has next + 1 */
	__u32 version; /* RECORD_VERSION of the tool that made the ring; 0: no ring */
	__u32 size;    /* sizeof(struct record) there */
};
_Static_assert(sizeof(struct recorder) == 16, "abi: recorder");

#define RECORDS_DEFAULT 4096
#define RECORDS_MIN 64
#define RECORDS_MAX 1048576
#define RATE_DEFAULT 100
#define RATE_MAX 1000000

/*
 * How fast the records of one rule come; beside the rule, in `rates`. In each
 * second from `since` on so many as `limits` says are written, the others counted. Nobody waits:
 * where a second begins, CPUs may write one more each.
 */
struct rate {
	__u64 since;	  /* CLOCK_BOOTTIME, ns: when the second began */
	__u32 count;	  /* hits in it */
	__u32 unreported; /* suppressed since the last record */
	__u64 suppressed; /* in all, exact */
};
_Static_assert(sizeof(struct rate) == 24, "abi: rate");

/* What a record is about. */
enum record_kind {
	RECORD_RULE = 1,   /* a rule acted */
	RECORD_EXEC = 2,   /* observed: a program was executed */
	RECORD_EXIT = 3,   /* observed: a process ended */
	RECORD_OPEN = 4,   /* observed: a file was opened */
	RECORD_CREATE = 5, /* observed: a name was made */
	RECORD_DELETE = 6, /* observed: a name was removed */
	RECORD_RENAME = 7, /* observed: a name was changed; the object is the old one */
	RECORD_KINDS = 8,
};

/* Strings of a record. */
enum record_string {
	STRING_OBJECT = 0, /* path of what is acted on */
	STRING_EXE = 1,	   /* program that acts; of an exec by a rule: before it */
	STRING_CWD = 2,	   /* current directory */
	STRING_PARENT = 3, /* program of the parent */
	STRING_ARGS = 4,   /* each argument ended by a NUL */
	RECORD_STRINGS = 5,
};

/*
 * Where in record.text each begins, and what it has room for. Behind the last is
 * slack, for 6.1 takes the bounds of a place and of a length apart.
 */
#define ARGS_AT 0
#define ARGS_ROOM 512
#define OBJECT_AT (ARGS_AT + ARGS_ROOM)
#define OBJECT_ROOM 288
#define EXE_AT (OBJECT_AT + OBJECT_ROOM)
#define EXE_ROOM 200
#define CWD_AT (EXE_AT + EXE_ROOM)
#define CWD_ROOM 112
#define PARENT_AT (CWD_AT + CWD_ROOM)
#define PARENT_ROOM 112
#define RECORD_TEXT (PARENT_AT + PARENT_ROOM + 128)

#define RECORD_VERSION 1
#define NO_ID 0xffffffffu

/* record.flags */
#define RECORD_CLAIMED                                                                 \
	(1u << 0) /* the arguments are from memory that the process can write */
#define RECORD_COMPAT (1u << 1) /* of a KIND_CALL: made by the 32-bit entry */

/*
 * One event. A path is held as the kernel walks it: its components from the last
 * to the first, each ended by a NUL; the root has none. What `cut` names lacks its
 * head, of the arguments the end. What `loose` names leads to no root of a mount
 * namespace: a memfd, a pipe, a file of a mount that is gone.
 *
 * A writer sets `stamp` to 2 * sequence + 1 before and to 2 * sequence after all
 * else. A reader that finds the same even number before and after has it whole.
 */
struct record {
	__u64 stamp;	     /* see above; 0: never written */
	__u16 version;	     /* RECORD_VERSION */
	__u8 kind;	     /* enum record_kind */
	__u8 backend;	     /* enum cotter_backend of the program that saw it */
	__u8 action;	     /* of a rule: enum cotter_action taken */
	__u8 identity;	     /* of a rule: enum cotter_kind that matched */
	__u8 signal;	     /* sent to the process; 0: none */
	__u8 flags;	     /* RECORD_* */
	__s32 signal_result; /* 0, or why it could not be sent, -errno */
	__s32 ret; /* given to the caller, 0 or -errno; of an exit: its status, as wait(2) */
	__u32 ops;	  /* of a rule: of the operations asked, those that it names */
	__u32 rule;	  /* of a rule: id */
	__u32 suppressed; /* hits of that rule without a record since its last one */
	__u32 pid;	  /* process, in the initial namespace, as all ids */
	__u32 tid;	  /* thread */
	__u32 ppid;	  /* parent */
	__u32 uid, euid;
	__u32 gid, egid;
	__u32 login_uid; /* NO_ID: none */
	__u32 dev;	 /* object's, as in struct object_key */
	__u32 mode;	 /* object's type and permissions; 0: it does not exist yet */
	__u32 pid_ns, mnt_ns; /* inode numbers of the namespaces; 0: none any more */
	__u32 call;	      /* of OP_SYSCALL: index in `calls` of the system call */
	__u64 ino;	      /* object's; 0: it does not exist yet */
	__u64 tai;	      /* CLOCK_TAI, ns: the wall clock and its leap seconds */
	__u64 boot;	      /* CLOCK_BOOTTIME, ns */
	__u64 start;	      /* of the process, CLOCK_BOOTTIME, ns */
	__u64 parent_start;   /* of the parent */
	__u64 cgroup;	      /* id in the unified hierarchy */
	char comm[16];	      /* name of the thread, which it can set itself */
	__u16 len[RECORD_STRINGS];
	__u8 has;   /* set of 1 << enum record_string: what could be had, */
	__u8 cut;   /*   what did not fit, */
	__u8 loose; /*   see above, */
	__u8 gone;  /*   what has been deleted */
	__u16 pad0;
	__u64 pad[2];
	char text[RECORD_TEXT];
};
_Static_assert(sizeof(struct record) == 1536, "abi: record");

/*
 * Element of the array `observing`, by enum record_kind: what is observed, and of that only
 * what all filters in use let through; of one filter one value is enough.
 */
#define OBSERVE_FILTERS 8 /* values of each filter */
#define OBSERVE_TEXT 200
#define OBSERVE_ON 1 /* observed, by pinned programs */
#define OBSERVE_HELD                                                                   \
	2 /* by programs that a process holds. It may be gone: see dump.c */
struct observing {
	__u32 on;		 /* OBSERVE_*; 0: not observed */
	__u32 exes, uids, trees; /* values in use, from the front */
	struct observed_inode {
		__u32 dev, inode_gen;
		__u64 ino;
	} exe[OBSERVE_FILTERS], tree[OBSERVE_FILTERS];
	__u32 uid[OBSERVE_FILTERS]; /* effective */
	char text[OBSERVE_TEXT];    /* the filters for a person, cut where it ends */
};
_Static_assert(sizeof(struct observing) == 504, "abi: observing");

/* Argument of the program `identify`, run by helpers on their own fd. */
struct identify {
	__s32 fd;	 /* in: descriptor of the calling thread, O_PATH will do */
	__u32 dev;	 /* out: superblock's device */
	__u64 ino;	 /* out */
	__u32 inode_gen; /* out */
	__u32 named;	 /* out: 1 if it has a path, whose hash is in `name` */
	/*
	 * in: state to start the hashes from, that of sip_init(), or with the missing
	 * components beneath this directory absorbed, last first
	 */
	__u64 sip[4];
	__u64 name[2];	 /* out: key of KIND_NAME */
	__u64 fspath[2]; /* out: key of KIND_FSPATH */
	__s32 error;	 /* out: 0, or EBADF */
	__u32 in_fs;	 /* out: 1 if `fspath` is valid */
};
_Static_assert(sizeof(struct identify) == 96, "abi: identify");

/*
 * Argument of the program `explain`: what would be decided if a process did these
 * operations on the file behind `fd` now. It decides, and does nothing else. The
 * user is the caller's effective one.
 */
struct explain {
	__s32 fd; /* in: the object, or the deepest directory above one that is missing */
	__s32 exe_fd; /* in: the program that the process counts as; -1: see `labels` */
	__s32 pid_fd; /* in: folder /proc/PID of the process; -1: the caller */
	__u32 classes; /* in: set of CLASS_BIT that the object is of, instead of `fd`; 0 */
	__u32 ops;     /* in: set of enum cotter_op */
	__u32 flags;	 /* in: EXPLAIN_* */
	__u64 labels;	 /* in: labels of the programs that the process counts as, */
	__u64 parents;	 /*   and that its parent counted as when it was forked */
	__u64 name[2];	 /* in: of a missing object, key of KIND_NAME, */
	__u64 fspath[2]; /*   and of KIND_FSPATH in that directory's file system */
	__u64 digest[4]; /* in: SHA-256 of what the object holds, meant if EXPLAIN_DIGEST */
	__s32 error;	 /* out: 0, EBADF of `fd`, ESRCH of `pid_fd` */
	__u32 action;	  /* out: enum cotter_action that would be taken */
	__u32 kind;	  /* out: enum cotter_kind that matched */
	__u32 id, slot;	  /* out: of the rule */
	__u32 rule_ops;	  /* out: of `ops`, those that the rule names */
	__u32 rule_error; /* out: errno that the rule gives */
	__u32 hot_ops;	  /* out: operations that some rule names */
	__u32 asks;  /* out: set of 1 << SORT_*: what rules on the object ask for */
	__u32 panic; /* out: 1: all rules only count, see struct panic */
};
#define EXPLAIN_MISSING (1u << 0) /* the object does not exist */
#define EXPLAIN_ANYBODY (1u << 1) /* leave aside whom rules are about */
#define EXPLAIN_DIGEST (1u << 2) /* the content is known; executing it is asked about */
_Static_assert(sizeof(struct explain) == 144, "abi: explain");

/* --- the seal: see seal.bpf.c --- */

/*
 * The one element of `seal`. User space writes it once; from then on the kernel
 * refuses every write to it, and only the program seal_unseal changes it.
 */
struct seal {
	__u32 on;	 /* 1: sealed */
	__u32 flags;	 /* SEAL_* */
	__u32 dev;	 /* of the BPF file system, as struct object_key has it */
	__u32 mnt_ns;	 /* inode number of the mount namespace it is sealed in */
	__u32 key[8];	 /* SHA-256 of the key; meant if SEAL_KEYED */
	__u32 round[64]; /* constants of SHA-256: programs have no read-only data */
	__u32 w[64];	 /* its message schedule, while it is computed */
};
#define SEAL_KEYED (1u << 0) /* a key opens it; else only a reboot does */
#define SEAL_NO_MODULES                                                                \
	(1u << 1) /* the kernel cannot tell signed modules: none is loaded */
_Static_assert(sizeof(struct seal) == 560, "abi: seal");

/* Key of `sealed`: what the seal is about. The value says nothing. */
struct sealed {
	__u32 kind; /* enum sealed_kind */
	__u32 dev;
	__u64 id;
};
enum sealed_kind {
	SEALED_MAP = 1, /* id: of the kernel's, also for the next two */
	SEALED_PROG = 2,
	SEALED_LINK = 3,
	SEALED_PIN = 4,	    /* dev, id = inode: pins and their folders */
	SEALED_DIR = 5,	    /* dev, id = inode: the way to the BPF file system */
	SEALED_MOUNT = 6,   /* id: of the mounts on that way */
	SEALED_PROGRAM = 7, /* dev, id = inode: our helpers */
	SEALED_FILE = 8,    /* dev = magic of its file system, id = seal_name() of its
			       folder and name: what switches hooks off or starts helpers */
};
#define SEALED_MAX 8192
_Static_assert(sizeof(struct sealed) == 16, "abi: sealed");

/* Elements of `attempts`: what was refused, by what was tried. */
enum seal_attempt {
	ATTEMPT_MAP = 0,     /* a descriptor to a map of ours, to write */
	ATTEMPT_PROGRAM = 1, /* a descriptor to a program of ours */
	ATTEMPT_LINK = 2,    /* a descriptor to a link of ours */
	ATTEMPT_ATTACH = 3,  /* a program that could change a verdict */
	ATTEMPT_PIN = 4,     /* a pin or folder of ours changed, removed, renamed */
	ATTEMPT_MOUNT = 5,   /* the BPF file system unmounted, moved, mounted over */
	ATTEMPT_KERNEL =
		6, /* what lockdown forbids: unsigned modules, kexec, /dev/mem */
	ATTEMPT_SWITCH = 7, /* ftrace, kprobes, or a sysctl that starts helpers */
	ATTEMPT_PTRACE = 8, /* a helper of ours */
	ATTEMPT_KEY = 9,    /* a wrong key */
	ATTEMPTS = 10,
};
struct attempt {
	__u64 count;
	__u64 time; /* of the last, CLOCK_BOOTTIME ns */
	__u32 pid;
	__u32 uid;
	char comm[16]; /* as the process calls itself */
};
_Static_assert(sizeof(struct attempt) == 40, "abi: attempt");

/* Argument of the program seal_unseal. */
struct unseal {
	__u32 key[8]; /* in: SHA-256 of the key file, as eight numbers */
	__u32 open;   /* out: 1 if it is the key: nothing is sealed any more */
};

#define SEAL_NAME_PART 32 /* bytes of a name that seal_name() looks at */

/* Add a name to a hash of names, FNV-1a; begins with SEAL_NAME_START. */
#define SEAL_NAME_START 14695981039346656037ull
static inline __attribute__((always_inline)) __u64 seal_name(
	__u64 h, const char name[SEAL_NAME_PART])
{
	int on = 1;

	for (int i = 0; i < SEAL_NAME_PART; i++) {
		on = on && name[i];
		h = on ? (h ^ (unsigned char)name[i]) * 1099511628211ull : h;
	}
	return h * 31;
}

#endif

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

#define COTTER_ABI 3

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
};
#define OP_MODIFY (OP_WRITE | OP_CREATE | OP_DELETE | OP_RENAME | OP_LINK | OP_SETATTR)
#define OP_BITS 32     /* there can be */
#define OP_BITS_USED 9 /* there are */

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
	KIND_USER = 6, /* only in `subjects`: a = effective uid, as the kernel has it */
	/*
	 * A system call: dev = CALL_DEV(call, argument), a = mask, b = argument & mask.
	 * One condition of the rule is its key, the others are looked at after it was
	 * found; a mask of 0 is that of a rule without one. An interval is the two
	 * aligned blocks that its ends lie in.
	 */
	KIND_CALL = 7,
};
#define KINDS 8

#define KIND_BIT(kind) (1u << (kind))

/* Bounds. Each is enforced by the tool that would exceed it. */
#define PATH_LIMIT 4096	   /* bytes of a path, with its NUL */
#define REASON_LIMIT 256   /* bytes of a reason, with its NUL */
#define WALK_LIMIT 4096	   /* directories walked towards the root */
#define SEGMENT_RULES 1024 /* rules in one segment, a power of two */
#define SEGMENTS 1024	   /* segments: 1,048,576 rules */
#define OBJECT_RULES 7	   /* rules that can name the same object */
#define FILTER_BLOCK 512   /* bytes of one block of the filter */
#define FILTER_BLOCKS 512  /* 256 KiB: 2^21 bits */
#define OBJECTS_MIN 4096   /* capacity the hash maps start with */
#define ABOVE_LIMIT 65536  /* entries of one chain of KIND_ABOVE */
#define LABELS 64	   /* subjects of one sort (programs, users) in use at once */
#define SUBJECT_SORTS 2	   /* words of labels: programs, users */
#define SUBJECTS_MAX 512   /* entries of `subjects` */
#define LABEL_PATH 400	   /* bytes of a program's path, with its NUL */
#define TEXT_PART 120	   /* bytes of text in one entry of `texts` */
#define TEXT_OBJECT 0	   /* text_key.what: the object as denied */
#define TEXT_REASON 1	   /* text_key.what: the operator's reason */
#define TEXT_ABOVE 2	   /* text_key.what: an array of struct above */
#define TEXT_CALL 3	   /* text_key.what: a struct call_rule and its path pattern */
#define CALLS 1024	   /* numbers of system calls, see struct call */
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
 * `ending` is set, state.gen reaches `died`. So any number of rules come and
 * go with one update of `state`. `died` is written before `ending`: a rule
 * is never seen half ended.
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
	__u32 fs_dev;	  /*   device of KIND_FSPATH: also known of a missing file */
	__u16 path_len;	  /* bytes of TEXT_OBJECT */
	__u16 reason_len; /* bytes of TEXT_REASON */
	/*
	 * Subjects, a bit for each label, by sort. Where `only` has bits, the process
	 * must have one of them, of each sort that has any; it must have none of
	 * `except`.
	 */
	__u64 only[SUBJECT_SORTS];
	__u64 except[SUBJECT_SORTS];
	__u16 above_len; /* bytes of TEXT_ABOVE; of a rule with OP_SYSCALL, of TEXT_CALL */
	__u8 signal;	 /* ACTION_KILL: signal sent instead of SIGKILL, 0: SIGKILL */
	__u8 pad0;
	__u32 pad[15];
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
	__u16 call; /* number, see struct call */
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
struct call {
	__u8 shapes; /* places of `shape` in use, free ones between them included */
	__u8 fd[CALL_FDS]; /* 1 + an argument that is a descriptor, while `fd_refs`; or 0 */
	__u8 pad0;
	__u32 fd_refs;	 /* rules with an object behind a descriptor */
	__u32 path_refs; /* rules that compare a path, for user space to say so */
	__u32 pad1;
	struct call_shape shape[CALL_SHAPES];
};
_Static_assert(sizeof(struct call) == 144, "abi: call");
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
};
_Static_assert(sizeof(struct state) == 1200, "abi: state");

/*
 * What every program reads first. `ops`, `kinds` and the labels may name more
 * than is in force (a rule being added or removed), never less.
 */
struct hot {
	__u32 ops;   /* operations that some rule names */
	__u32 flags; /* HOT_* */
	__u32 dirty; /* 1: a command was cut off between its writes */
	__u32 pad;
	__u64 key[2];	     /* secret of the name hash, drawn at load */
	__u64 labels;	     /* programs that are subjects of some rule, as labels */
	__u64 sticky;	     /* of those, kept over later execs */
	__u64 scripts;	     /* of those, also given when it only interprets a script */
	__u8 kinds[OP_BITS]; /* for each operation, KIND_BITs its rules use */
};
#define HOT_SECOND_ONLY (1u << 0) /* no first layer: the second also audits */
_Static_assert(sizeof(struct hot) == 88, "abi: hot");

/*
 * A label: one bit of rule.only or rule.except, the element
 * `sort * LABELS + bit` of the array `labels`. Programs look only at
 * `subjects`; this is for user space.
 */
#define SORT_PROGRAM 0
#define SORT_USER 1
struct label {
	__u32 refs;  /* rules in force that name it; 0: free */
	__u32 flags; /* LABEL_* */
	__u32 kinds; /* KIND_BITs of its keys in `subjects` */
	__u32 dev;   /* keys, as in struct rule */
	__u32 inode_gen;
	__u32 fs_dev;
	__u64 ino;
	__u64 name[2];
	__u64 fspath[2];
	__u32 uid;	/* SORT_USER */
	__u16 path_len; /* SORT_PROGRAM */
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
};
_Static_assert(sizeof(struct task_labels) == 24, "abi: task_labels");

/* How a program is attached. Each counts its own calls: that proves it works. */
enum cotter_backend {
	BACKEND_OF_LSM = 0,
	BACKEND_OF_FMOD_RET = 1,
	BACKEND_OF_KILL = 2, /* the second layer */
};

/* Indices of `stats`, counters per CPU since load. */
enum cotter_stat {
	STAT_CALLS = 0,	      /* + enum cotter_backend: exec decisions made by it */
	STAT_UNSIGNALLED = 3, /* SIGKILL refused by the kernel (PID 1, kthread) */
	STAT_TORN = 4,	      /* an object entry changed 4 times while read: open */
	STAT_DEEP = 5,	      /* deeper than WALK_LIMIT: name and tree not compared */
	STAT_UNREADABLE = 6,  /* a name could not be read: name not compared */
	STAT_UNLABELLED = 7,  /* no memory for a task's labels: it has none */
	STAT_OP = 8,	      /* + 4 * bit of the operation + enum cotter_action */
	STATS = STAT_OP + 4 * 32,
};

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

#endif

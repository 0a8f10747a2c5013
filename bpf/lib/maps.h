/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps.h: the maps all objects share. core.bpf.o creates and pins them at
 * load; every other object is loaded onto those pins.
 *
 * What must grow (objects, texts) is an inner map behind an outer entry; rules
 * and their hits grow by segments, which stay where they are, so that no count is
 * lost. Of the state there are several, of which `hot` names the one in force.
 */
#ifndef COTTER_MAPS_H
#define COTTER_MAPS_H

#define BPF_F_NO_PREALLOC_ (1U << 0)
#define BPF_F_MMAPABLE_ (1U << 10)

/* Inner maps' shapes. pins/core.json names the same for the helpers. */
struct objects_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OBJECTS_MIN);
	__uint(map_flags, BPF_F_NO_PREALLOC_);
	__uint(key_size, sizeof(struct object_key));
	__uint(value_size, sizeof(struct object_rules));
};

struct rules_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SEGMENT_RULES);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct rule));
};

struct hits_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SEGMENT_RULES);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u64));
};

struct rates_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SEGMENT_RULES);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct rate));
};

struct texts_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OBJECTS_MIN);
	__uint(map_flags, BPF_F_NO_PREALLOC_);
	__uint(key_size, sizeof(struct text_key));
	__uint(value_size, TEXT_PART);
};

/*
 * Read where it is, without a lookup, at the begin of each program: so it is not a map
 * that is declared, but a data section, which libbpf makes one of. Its name is then that of
 * the section; its pin has the name `hot` (scripts/load).
 */
struct hot hot SEC(".data.hot");

/* So is this, which no command writes, and which has no place in the object's file. */
struct sketch sketch SEC(".bss.sketch");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FILTER_BLOCKS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, FILTER_BLOCK);
} filter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STATS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u64));
} stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STATES);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct state));
} state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, struct objects_map);
} objects SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SEGMENTS);
	__uint(key_size, sizeof(__u32));
	__array(values, struct rules_map);
} rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SEGMENTS);
	__uint(key_size, sizeof(__u32));
	__array(values, struct hits_map);
} hits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SEGMENTS);
	__uint(key_size, sizeof(__u32));
	__array(values, struct rates_map);
} rates SEC(".maps");

/*
 * The flight recorder's rings: see abi.h. `load` and `observe` make them, of the
 * size asked for; programs take that from the map itself. RING is the one that the
 * programs of this object write.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RECORDS_DEFAULT);
	__uint(map_flags, BPF_F_MMAPABLE_);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct record));
} records SEC(".maps");

#ifdef OBSERVES
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RECORDS_DEFAULT);
	__uint(map_flags, BPF_F_MMAPABLE_);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct record));
} observed SEC(".maps");
#define RING observed
#define RING_NUMBER RING_OBSERVED
#else
#define RING records
#define RING_NUMBER RING_RULES
#endif

/* What is observed. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RECORD_KINDS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct observing));
} observing SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RINGS);
	__uint(map_flags, BPF_F_MMAPABLE_);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct recorder));
} recorder SEC(".maps");

/* Records of each rule in a second, at most. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} limits SEC(".maps");

/* A map of its own, so that it is one write, whatever command is under way. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct panic));
} panic SEC(".maps");

/* Who a rule is about: keys of programs, users and so on, to sets of labels. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SUBJECTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC_);
	__uint(key_size, sizeof(struct object_key));
	__uint(value_size, sizeof(__u64));
} subjects SEC(".maps");

/*
 * Files that were put in the place of a named one: key of KIND_INODE, to the key of
 * KIND_FSPATH that they came to have. Written by programs.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FOLLOWED_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC_);
	__uint(key_size, sizeof(struct object_key));
	__uint(value_size, sizeof(struct object_key));
} followed SEC(".maps");

/* Labels of tasks. Gone with the task. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC_);
	__type(key, int);
	__type(value, struct task_labels);
} tasks SEC(".maps");

/* What rules ask of each system call. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CALLS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct call_state));
} calls SEC(".maps");

/* Only user space reads this one. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LABEL_SORTS *LABELS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct label));
} labels SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, struct texts_map);
} texts SEC(".maps");

/* The seal: what it is about, and what was tried. See seal.bpf.c. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct seal));
} seal SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SEALED_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC_);
	__uint(key_size, sizeof(struct sealed));
	__uint(value_size, sizeof(__u32));
} sealed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ATTEMPTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct attempt));
} attempts SEC(".maps");

/* Add one to a counter of `stats`. Atomic: an lsm program can be preempted inside. */
static __always_inline void count_stat(__u32 index)
{
	__u64 *n = bpf_map_lookup_elem(&stats, &index);

	if (n)
		__sync_fetch_and_add(n, 1);
}

#endif

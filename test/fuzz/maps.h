/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps.h: pinned maps for a helper that is fuzzed. What is read of them comes from the
 * input: sound values for the state, whatever the input holds for all else.
 */
#ifndef FUZZ_MAPS_H
#define FUZZ_MAPS_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include "../../helpers/cotter.h"
#include "fuzz.h"

#define FIRST_FD 100000 /* none of the process's own: it may be closed */

enum map_number {
	MAP_HOT,
	MAP_FILTER,
	MAP_STATS,
	MAP_LABELS,
	MAP_SUBJECTS,
	MAP_CALLS,
	MAP_STATE,
	MAP_RULES,
	MAP_HITS,
	MAP_RATES,
	MAP_OBJECTS,
	MAP_TEXTS,
	MAP_NONE,
};

static struct input *input; /* what the answers are taken from */
static __u32 batches;	    /* calls answered in this run */

static long refused(int error)
{
	errno = error;
	return -1;
}

static void fill(void *to, size_t size)
{
	unsigned char *b = to;

	for (size_t i = 0; i < size; i++)
		b[i] = take(input, 1);
}

static struct state a_state(void)
{
	struct state s = { .abi = COTTER_ABI,
			   .next_id = 5,
			   .gen = 3,
			   .max_rules = SEGMENTS * SEGMENT_RULES,
			   .segments = 1,
			   .objects_max = OBJECTS_MIN,
			   .texts_max = OBJECTS_MIN };

	return s;
}

static size_t value_size(enum map_number map)
{
	switch (map) {
	case MAP_HOT: return sizeof(struct hot);
	case MAP_FILTER: return FILTER_BLOCK;
	case MAP_LABELS: return sizeof(struct label);
	case MAP_SUBJECTS: return sizeof(__u64);
	case MAP_CALLS: return sizeof(struct call_state);
	case MAP_RULES: return sizeof(struct rule);
	case MAP_RATES: return sizeof(struct rate);
	case MAP_STATE: return sizeof(struct state);
	case MAP_OBJECTS: return sizeof(struct object_rules);
	case MAP_TEXTS: return TEXT_PART;
	default: return 0;
	}
}

/* A few elements, then no more. */
static long answer_batch(union bpf_attr *attr)
{
	enum map_number map = attr->batch.map_fd - FIRST_FD;
	size_t value = value_size(map), n = take(input, 1) % 8;
	char *keys = (char *)(uintptr_t)attr->batch.keys;
	char *values = (char *)(uintptr_t)attr->batch.values;

	if (n > attr->batch.count)
		n = attr->batch.count;
	attr->batch.count = n;
	for (size_t i = 0; i < n; i++) {
		struct text_key text = { take(input, 1) % 8, take(input, 1) % 3,
					 take(input, 1) % 40 };
		__u32 index = take(input, 2);

		if (map == MAP_TEXTS) {
			memcpy(keys + i * sizeof(text), &text, sizeof(text));
		} else if (map == MAP_OBJECTS) {
			fill(keys + i * sizeof(struct object_key),
			     sizeof(struct object_key));
		} else {
			index %= map == MAP_LABELS ? LABEL_SORTS * LABELS : 512;
			memcpy(keys + i * sizeof(index), &index, sizeof(index));
		}
		fill(values + i * value, value);
		if (map == MAP_RULES) {
			struct rule *r = (struct rule *)(values + i * value);

			/* of the ids that the texts have, and in force */
			r->id %= 8;
			r->born = r->born % 4;
		}
	}
	return refused(ENOENT);
}

static long answer_lookup(union bpf_attr *attr)
{
	enum map_number map = attr->map_fd - FIRST_FD;
	void *to = (void *)(uintptr_t)attr->value;
	struct state s = a_state();
	bool outer = map > MAP_NONE;
	__u32 id;

	if (outer) {
		id = map - MAP_NONE - 1;
		memcpy(to, &id, sizeof(id));
		return 0;
	}
	if (map == MAP_STATE)
		memcpy(to, &s, sizeof(s));
	else if (map == MAP_OBJECTS || map == MAP_SUBJECTS || map == MAP_TEXTS)
		return take(input, 1) ? refused(ENOENT)
				      : (fill(to, value_size(map)), 0);
	else if (map == MAP_STATS || map == MAP_HITS)
		memset(to, 0, sizeof(__u64)); /* of one processor: see the Makefile */
	else
		fill(to, value_size(map));
	return 0;
}

/* Any file is somebody: by its descriptor. */
static void answer_identify(struct identify *id)
{
	id->error = take(input, 1) == 1 ? EBADF : 0;
	id->dev = 1 << 20;
	id->ino = id->fd;
	id->named = id->in_fs = 1;
	id->name[0] = id->sip[0] ^ id->fd;
	id->fspath[0] = id->sip[1];
}

long fuzz_bpf(int cmd, void *arg)
{
	static const char *const names[] = { "hot",	 "filter", "stats",   "labels",
					     "subjects", "calls",  "state",   "rules",
					     "hits",	 "rates",  "objects", "texts" };
	union bpf_attr *attr = arg;
	const char *pin;

	MUST(batches++ < 100000); /* it ends */
	switch (cmd) {
	case BPF_OBJ_GET:
		pin = (const char *)(uintptr_t)attr->pathname;
		MUST(!strncmp(pin, PIN_ROOT "/", strlen(PIN_ROOT) + 1));
		for (__u32 i = 0; i < ARRAY_SIZE(names); i++) {
			const char *name = strrchr(pin, '/') + 1;

			/* these are behind outer ones, with an id that is their number */
			if (!strcmp(name, names[i]))
				return FIRST_FD + i +
				       (i >= MAP_RULES ? MAP_NONE + 1 : 0);
		}
		if (strstr(pin, "/sketch_add"))
			return FIRST_FD + 98;
		return strstr(pin, "/identify") ? FIRST_FD + 99 : refused(ENOENT);
	case BPF_MAP_GET_FD_BY_ID: return FIRST_FD + attr->map_id;
	case BPF_PROG_TEST_RUN:
		if (attr->test.prog_fd == FIRST_FD + 99)
			answer_identify(
				(struct identify *)(uintptr_t)attr->test.ctx_in);
		return 0;
	case BPF_MAP_LOOKUP_ELEM: return answer_lookup(attr);
	case BPF_MAP_LOOKUP_BATCH: return answer_batch(attr);
	}
	return refused(EINVAL);
}

#endif

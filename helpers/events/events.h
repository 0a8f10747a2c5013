/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * events.h: what the parts of the helper `events` share.
 *
 *   ring.c      the kernel's rings, read without disturbing who writes
 *   decode.c    a record's bytes, checked, as an event
 *   show.c      an event for a person and as JSON of ours
 *   foreign.c   as the JSON of other tools: Tetragon, the Elastic Common Schema
 */
#ifndef HELPERS_EVENTS_H
#define HELPERS_EVENTS_H

#include "../calls.h"

#define NS 1000000000ull

/* A string of a record. Not ended by a NUL. */
struct string {
	const char *s;
	size_t len;
	bool has;   /* it could be had */
	bool cut;   /* a path's head or the end of the arguments is missing */
	bool loose; /* leads to no root */
	bool gone;  /* deleted */
};

/* A record that has been checked. Lasts as long as its bytes: paths lie in `room`. */
struct event {
	const struct record *r;
	enum cotter_ring ring;
	__u64 sequence;
	struct string string[RECORD_STRINGS]; /* STRING_ARGS: see event_argument() */
	char room[RECORD_TEXT + 2 * RECORD_STRINGS];
};

/* --- decode.c --- */

/*
 * Check a record and decode it. Takes any bytes.
 * Returns NULL, or what is wrong.
 */
const char *event_decode(struct event *e, const void *bytes, size_t len);

/*
 * The argument behind `after`, the first for NULL. Returns false after the last.
 */
bool event_argument(const struct event *e, const char *after, struct string *argument);

/* What happened, as --op and people name it: "exec", for several "read,write". */
const char *event_op(const struct event *e);
const char *event_action(const struct event *e);

/* Is it a system call? Then which: NULL for one that this machine does not know. */
bool event_is_call(const struct event *e);
const struct call_info *event_call(const struct event *e);
const char *kind_name(const struct event *e); /* "rule", "exec", ... */

/* CLOCK_REALTIME of the event, ns. `tai_offset`: seconds that TAI is ahead. */
__u64 event_time(const struct event *e);
extern __s64 tai_offset;

/* --- ring.c --- */

struct ring {
	int records; /* descriptor of its map; -1: there is no such ring */
	__u32 size;
	enum cotter_ring number;
	__u64 sequence; /* of the next record to be read */
	__u64 lost;	/* not read since the last that was */
	struct record copy;
	struct event event; /* of `copy`, when `have` */
	bool have;
	__u64 waited; /* polls spent on a record that is being written */
};

/*
 * Open a ring, to be read from its oldest record on. Dies when it is of another
 * version. Leaves `records` -1 when there is none.
 */
void ring_open(struct ring *ring, enum cotter_ring number);

/*
 * Make the next record `ring->event`, if there is one. `patient`: one that is being
 * written is waited for by the caller; else for some milliseconds here.
 * Returns ring->have.
 */
bool ring_next(struct ring *ring, bool patient);

/* Begin with what comes from now on. */
void ring_skip(struct ring *ring);

/* --- show.c --- */

void put_number(FILE *to, __u64 n);
void put_signed(FILE *to, __s64 n);
void put_text(FILE *to, const char *s);

/* `"key":"text"`, and `"key_hex"` where it is not UTF-8. `comma` before it. */
void put_json(FILE *to, const char *comma, const char *key, const char *s, size_t len);

/* "2026-11-25T09:41:27.123456789Z" */
void put_time(FILE *to, __u64 ns);

/* Print an event, or that `lost` were lost before it. */
struct format {
	const char *name;
	void (*event)(FILE *to, const struct event *e);
	void (*lost)(FILE *to, enum cotter_ring ring, __u64 lost, __u64 before);
};
void show_person(FILE *to, const struct event *e);
void lost_person(FILE *to, enum cotter_ring ring, __u64 lost, __u64 before);
void show_json(FILE *to, const struct event *e);
void lost_json(FILE *to, enum cotter_ring ring, __u64 lost, __u64 before);
extern bool show_colour;

/* The name of a user, or the number. Lasts until the next call. */
const char *user_name(__u32 uid);

/* --- foreign.c --- */

void show_tetragon(FILE *to, const struct event *e);
void show_ecs(FILE *to, const struct event *e);

#endif

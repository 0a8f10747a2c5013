// SPDX-License-Identifier: GPL-2.0-only
/*
 * ring.c: see events.h. The rings are only read: who writes notices no reader, and
 * several readers see the same. Not mapped, though the maps allow it: the kernel maps
 * only for who may write, which a seal lets nobody.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/bpf.h>
#include "events.h"

#define TRIES 20       /* to read a record that changes or is being written, */
#define TRY_NS 500000L /*   with a pause of half a millisecond */
#define PATIENCE 3     /* polls of a patient reader until it goes on */

static void map_info(int fd, struct bpf_map_info *info, const char *name)
{
	union bpf_attr attr = {};

	attr.info.bpf_fd = fd;
	attr.info.info = (uintptr_t)info;
	attr.info.info_len = sizeof(*info);
	if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)))
		die(EX_FAILED, PIN_ROOT "/%s: %s", name, strerror(errno));
}

/* Returns a descriptor of the map, and the number of its entries; -1 when there is none. */
static int ring_pin(const char *name, size_t value, __u32 *entries)
{
	struct bpf_map_info info = {};
	int fd = pin_open(name);

	if (fd < 0 && errno == ENOENT)
		return -1;
	if (fd < 0 && (errno == EPERM || errno == EACCES))
		die(EX_NO_PERMISSION, "no permission: run as root");
	if (fd < 0)
		die(EX_FAILED, PIN_ROOT "/%s: %s", name, strerror(errno));
	map_info(fd, &info, name);
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != value)
		die(EX_FAILED,
		    PIN_ROOT "/%s: records of another version (%u bytes, not %zu): "
			     "run scripts/unload, then scripts/load",
		    name, info.value_size, value);
	*entries = info.max_entries;
	return fd;
}

static int recorder_fd = -1;

static struct recorder recorder_read(enum cotter_ring number)
{
	struct recorder r;
	__u32 key = number;

	if (map_lookup(recorder_fd, &key, &r))
		die(EX_FAILED, PIN_ROOT "/maps/recorder: %s", strerror(errno));
	return r;
}

/* The number of the last record. The kernel copies it while it is counted on: asked until
 * it is the same twice, so that no half of it is of another time. */
static __u64 next_of(const struct ring *ring)
{
	__u64 next = recorder_read(ring->number).next, again;

	while ((again = recorder_read(ring->number).next) != next)
		next = again;
	return next;
}

void ring_skip(struct ring *ring)
{
	if (ring->records >= 0)
		ring->sequence = next_of(ring) + 1;
}

/* What is in a slot, as seen from the record that is looked for. */
enum found { FOUND, NOT_YET, OVERWRITTEN };

/* Copy a slot. Returns its stamp, the first word of it. */
static __u64 slot_read(const struct ring *ring, struct record *to)
{
	__u32 slot = ring->sequence & (ring->size - 1);

	if (map_lookup(ring->records, &slot, to))
		die(EX_FAILED, "record %u cannot be read: %s", slot, strerror(errno));
	return to->stamp;
}

void ring_open(struct ring *ring, enum cotter_ring number)
{
	struct recorder r;
	__u32 entries;
	__u64 next;

	*ring = (struct ring){ .number = number, .records = -1 };
	/* All may have been unloaded and loaded again. */
	if (recorder_fd >= 0 && number == RING_RULES) {
		close(recorder_fd);
		recorder_fd = -1;
	}
	if (recorder_fd < 0)
		recorder_fd = ring_pin("maps/recorder", sizeof(r), &entries);
	if (recorder_fd < 0)
		die(EX_NOT_LOADED, "not loaded: run scripts/load first");
	r = recorder_read(number);
	if (!r.version)
		return;
	if (r.version != RECORD_VERSION || r.size != sizeof(struct record))
		die(EX_FAILED,
		    "records of version %u, this is %d: run scripts/unload, then scripts/load",
		    r.version, RECORD_VERSION);
	ring->records =
		ring_pin(number == RING_RULES ? "maps/records" : "observe/observed",
			 sizeof(struct record), &ring->size);
	if (ring->records < 0)
		return;
	next = next_of(ring);
	ring->sequence = next > ring->size ? next - ring->size + 1 : 1;
	/* What was numbered before this ring was made is not in it, and not lost here. */
	while (ring->sequence <= next && !slot_read(ring, &ring->copy))
		ring->sequence++;
}

/* The copy counts that was made between two others with the stamp that is looked for: in
 * which order the kernel copies is not known. */
static enum found look(struct ring *ring)
{
	static struct record other;
	__u64 want = 2 * ring->sequence, stamp = slot_read(ring, &other);

	if (stamp > want + 1)
		return OVERWRITTEN;
	if (stamp != want)
		return NOT_YET;
	slot_read(ring, &ring->copy);
	/* Another stamp: the next lap's writer has begun in the middle. */
	if (slot_read(ring, &other) != want)
		return OVERWRITTEN;
	ring->copy.stamp = want;
	return FOUND;
}

/* Go on with the next record, this one is lost. */
static void lose(struct ring *ring, __u64 next)
{
	__u64 oldest = next > ring->size ? next - ring->size + 1 : 1, to;

	to = ring->sequence + 1 > oldest ? ring->sequence + 1 : oldest;
	ring->lost += to - ring->sequence;
	ring->sequence = to;
	ring->waited = 0;
}

bool ring_next(struct ring *ring, bool patient)
{
	const struct timespec pause = { .tv_nsec = TRY_NS };
	__u64 next;
	int tries = 0;

	ring->have = false;
	if (ring->records < 0)
		return false;
	for (;;) {
		next = next_of(ring);
		if (ring->sequence > next)
			return false;
		switch (look(ring)) {
		case FOUND:
			ring->sequence++;
			ring->waited = 0;
			if (!event_decode(&ring->event, &ring->copy,
					  sizeof(ring->copy))) {
				ring->event.ring = ring->number;
				ring->have = true;
				return true;
			}
			ring->lost++;
			break;
		case OVERWRITTEN: lose(ring, next); break;
		case NOT_YET:
			/* It is being written, or its writer found the slot taken. */
			if (patient && ring->waited++ < PATIENCE)
				return false;
			if (!patient && tries++ < TRIES) {
				nanosleep(&pause, NULL);
				break;
			}
			lose(ring, next);
			tries = 0;
			break;
		}
	}
}

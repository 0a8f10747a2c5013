// SPDX-License-Identifier: GPL-2.0-only
/*
 * ring.c: see events.h. The rings are mapped and only read: who writes notices no
 * reader, and several readers see the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
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

static const void *map_pin(const char *name, size_t value, __u32 *entries)
{
	struct bpf_map_info info = {};
	int fd = pin_open(name);
	const void *at;

	if (fd < 0 && errno == ENOENT)
		return NULL;
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
	at = mmap(NULL, (size_t)info.max_entries * value, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		die(EX_FAILED, PIN_ROOT "/%s: it cannot be mapped: %s", name,
		    strerror(errno));
	close(fd);
	*entries = info.max_entries;
	return at;
}

void ring_open(struct ring *ring, enum cotter_ring number)
{
	static const struct recorder *recorder;
	__u32 entries;
	__u64 next;

	*ring = (struct ring){ .number = number };
	if (!recorder)
		recorder = map_pin("maps/recorder", sizeof(*recorder), &entries);
	if (!recorder)
		die(EX_NOT_LOADED, "not loaded: run scripts/load first");
	if (!recorder[number].version)
		return;
	if (recorder[number].version != RECORD_VERSION ||
	    recorder[number].size != sizeof(struct record))
		die(EX_FAILED,
		    "records of version %u, this is %d: run scripts/unload, then scripts/load",
		    recorder[number].version, RECORD_VERSION);
	ring->recorder = &recorder[number];
	ring->record =
		map_pin(number == RING_RULES ? "maps/records" : "observe/observed",
			sizeof(struct record), &ring->size);
	if (!ring->record)
		return;
	next = __atomic_load_n(&ring->recorder->next, __ATOMIC_ACQUIRE);
	ring->sequence = next > ring->size ? next - ring->size + 1 : 1;
}

void ring_skip(struct ring *ring)
{
	if (ring->record)
		ring->sequence =
			__atomic_load_n(&ring->recorder->next, __ATOMIC_ACQUIRE) + 1;
}

/* What is in a slot, as seen from the record that is looked for. */
enum found { FOUND, NOT_YET, OVERWRITTEN };

static enum found look(struct ring *ring)
{
	const struct record *r = &ring->record[ring->sequence & (ring->size - 1)];
	__u64 want = 2 * ring->sequence, stamp;

	stamp = __atomic_load_n(&r->stamp, __ATOMIC_ACQUIRE);
	if (stamp > want + 1)
		return OVERWRITTEN;
	if (stamp != want)
		return NOT_YET;
	memcpy(&ring->copy, (const void *)r, sizeof(ring->copy));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	/* Another stamp: the next lap's writer has begun in the middle. */
	return __atomic_load_n(&r->stamp, __ATOMIC_RELAXED) == want ? FOUND
								    : OVERWRITTEN;
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
	if (!ring->record)
		return false;
	for (;;) {
		next = __atomic_load_n(&ring->recorder->next, __ATOMIC_ACQUIRE);
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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * events_fuzz: the decoder of the helper `events` on any bytes, and its output: one line,
 * in each format, without a byte that a terminal or a reader of lines would act on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../helpers/events/events.h"
#include "fuzz.h"

long fuzz_bpf(int cmd, void *arg)
{
	(void)cmd;
	(void)arg;
	errno = ENOENT;
	return -1;
}

static void shown_well(const struct event *e,
		       void (*show)(FILE *, const struct event *))
{
	static char text[1 << 17];
	FILE *f = fmemopen(text, sizeof(text), "w");
	size_t len;

	MUST(f);
	show(f, e);
	fclose(f);
	len = strlen(text);
	MUST(len > 1 && len < sizeof(text) - 1 && text[len - 1] == '\n');
	for (size_t i = 0; i + 1 < len; i++)
		MUST((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

/* Half of the inputs are made sound as far as they are checked first. */
static void mend(struct record *r)
{
	static const __u16 rooms[RECORD_STRINGS] = { OBJECT_ROOM, EXE_ROOM, CWD_ROOM,
						     PARENT_ROOM, ARGS_ROOM };

	r->version = RECORD_VERSION;
	r->kind = RECORD_RULE + r->kind % (RECORD_KINDS - RECORD_RULE);
	r->action %= ACTION_KILL + 1;
	r->backend %= BACKEND_OF_KILL + 1;
	for (int i = 0; i < RECORD_STRINGS; i++)
		r->len[i] %= rooms[i] + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record r;
	static struct event e;
	struct string argument = {};
	int arguments = 0;

	if (size != sizeof(r))
		MUST(event_decode(&e, data, size));
	memset(&r, 0, sizeof(r));
	memcpy(&r, data, size < sizeof(r) ? size : sizeof(r));
	if (size && data[0] & 1)
		mend(&r);
	/* A heap copy, so that a read beyond it is seen. */
	struct record *bytes = malloc(sizeof(r));

	MUST(bytes);
	memcpy(bytes, &r, sizeof(r));
	if (event_decode(&e, bytes, sizeof(*bytes))) {
		MUST(!(size && data[0] & 1));
		free(bytes);
		return 0;
	}
	e.ring = RING_RULES;
	for (int i = 0; i < RECORD_STRINGS - 1; i++)
		MUST(!e.string[i].has ||
		     (e.string[i].s >= e.room &&
		      e.string[i].s + e.string[i].len <= e.room + sizeof(e.room)));
	while (event_argument(&e, argument.s, &argument))
		MUST(++arguments <= ARGS_ROOM);
	shown_well(&e, show_person);
	shown_well(&e, show_json);
	shown_well(&e, show_tetragon);
	shown_well(&e, show_ecs);
	free(bytes);
	return 0;
}

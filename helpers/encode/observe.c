// SPDX-License-Identifier: GPL-2.0-only
/* observe.c: what is observed without a verdict; see encode.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "encode.h"

#define MMAPABLE (1 << 10) /* BPF_F_MMAPABLE */

static struct observing want;
static __u32 records = RECORDS_DEFAULT;

/* Append an option as it is shown; what does not fit is left out. */
static void say(const char *option, const char *value)
{
	size_t at = strlen(want.text);
	int n = snprintf(want.text + at, sizeof(want.text) - at, "%s--%s %s",
			 at ? " " : "", option, shown(value, strlen(value)));

	if (n < 0 || at + n >= sizeof(want.text))
		memset(want.text + at, 0, sizeof(want.text) - at);
}

static __u32 number(const char *option, const char *text, __u32 min, __u32 max)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < min || n > max)
		die(EX_USE, "--%s %s: want a number from %u to %u", option,
		    shown(text, strlen(text)), min, max);
	return n;
}

static void room(const char *option, __u32 used)
{
	if (used == OBSERVE_FILTERS)
		die(EX_USE, "--%s: at most %d of them", option, OBSERVE_FILTERS);
}

static void add_inode(const char *option, const char *word, bool directory,
		      struct observed_inode *list, __u32 *used)
{
	int fd = open(word, O_PATH | O_CLOEXEC | (directory ? O_DIRECTORY : 0));
	struct identify id;

	room(option, *used);
	if (fd < 0)
		die(EX_FAILED, "--%s %s: %s", option, shown(word, strlen(word)),
		    strerror(errno));
	identify(fd, NULL, &id, word);
	close(fd);
	list[(*used)++] = (struct observed_inode){ id.dev, id.inode_gen, id.ino };
	say(option, word);
}

static __u32 kind_of(const char *word)
{
	for (__u32 i = 0; i < RECORD_KINDS; i++)
		if (record_kinds[i] && !strcmp(record_kinds[i], word))
			return i;
	die(EX_USE,
	    "%s: it cannot be observed: want exec, exit, open, create, delete or rename",
	    shown(word, strlen(word)));
}

/* The ring, made once and kept, so that what was observed can be read later. */
static void lines_ring(void)
{
	const struct recorder recorder = { .version = RECORD_VERSION,
					   .size = sizeof(struct record) };
	__u32 ring = RING_OBSERVED;
	int fd = pin_open("observe/observed");

	if (fd >= 0) {
		close(fd);
		return;
	}
	line_update(PIN_MAPS "recorder", &ring, sizeof(ring), &recorder,
		    sizeof(recorder));
	line_create_at(PIN_ROOT "/observe/observed", "array", sizeof(__u32),
		       sizeof(struct record), records, "observed", MMAPABLE);
}

void observe(int argc, char **argv, bool on)
{
	static const struct option longs[] = {
		{ "only-exe", required_argument, NULL, 'e' },
		{ "only-uid", required_argument, NULL, 'u' },
		{ "only-tree", required_argument, NULL, 't' },
		{ "records", required_argument, NULL, 'n' },
		{ "held", no_argument, NULL, 'h' },
		{},
	};
	__u32 kind, how = OBSERVE_ON;
	int c;

	verb = "observe";
	argv[0] = (char *)verb;
	maps_open(&m);
	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		switch (c) {
		case 'e':
			add_inode("only-exe", optarg, false, want.exe, &want.exes);
			break;
		case 't':
			add_inode("only-tree", optarg, true, want.tree, &want.trees);
			break;
		case 'u':
			room("only-uid", want.uids);
			want.uid[want.uids++] =
				number("only-uid", optarg, 0, NO_ID - 1);
			say("only-uid", optarg);
			break;
		case 'n':
			records = number("records", optarg, RECORDS_MIN, RECORDS_MAX);
			break;
		case 'h': how = OBSERVE_HELD; break;
		default: exit(EX_USE);
		}
	}
	if (optind == argc)
		die(EX_USE, "nothing to be observed: see -h");
	for (int i = optind; i < argc; i++)
		kind_of(argv[i]);
	want.on = on ? how : 0;
	if (on)
		lines_ring();
	for (int i = optind; i < argc; i++) {
		kind = kind_of(argv[i]);
		line_update(PIN_MAPS "observing", &kind, sizeof(kind), &want,
			    sizeof(want));
	}
}

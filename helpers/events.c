// SPDX-License-Identifier: GPL-2.0-only
/*
 * events: print what the flight recorder holds.
 *
 *   events [--json | --format person|json|tetragon|ecs] [--follow] [--last N]
 *          [--since TIME] [--until TIME] [--rule N]... [--op OP]... [--pid N]...
 *          [--count-by FIELD] [--observed]
 *
 * Options of one name are alternatives, all names must agree. TIME: 30s, 10m, 2h,
 * 3d ago; @SECONDS since 1970; 2026-11-25, 2026-11-25T09:41[:27][Z].
 *
 * --observed: nothing of rules, and only what comes from now on, until `observe off`.
 *
 * Records are read where the kernel writes them (events/ring.c); nothing is
 * written, so any number of readers see the same. Statuses: cotter.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "events/events.h"

#define POLL_MS 40	/* between two looks at the rings */
#define REOPEN_POLLS 25 /* and at the pins: a ring may be replaced */

static const struct format formats[] = {
	{ "person", show_person, lost_person },
	{ "json", show_json, lost_json },
	{ "tetragon", show_tetragon, NULL },
	{ "ecs", show_ecs, NULL },
};

static struct {
	const struct format *format;
	bool follow, json, observed; /* only what is observed, from now on */
	__u64 last;		     /* 0: all */
	__u64 since, until;	     /* CLOCK_REALTIME, ns; 0: no end */
	__u32 *rules, *pids;
	size_t rules_count, pids_count;
	const char **ops;
	size_t ops_count;
	const struct field *count_by;
} opt = { .format = &formats[0] };

/* --- fields that can be counted by --- */

static char field_text[RECORD_TEXT];

static const char *number_text(__u64 n)
{
	snprintf(field_text, sizeof(field_text), "%llu", n);
	return field_text;
}

static const char *string_text(const struct string *s)
{
	if (!s->has)
		return "?";
	snprintf(field_text, sizeof(field_text), "%s%.*s", s->cut ? ".../" : "",
		 (int)s->len, s->s);
	return field_text;
}

static const char *by_rule(const struct event *e)
{
	return e->r->kind == RECORD_RULE ? number_text(e->r->rule) : "-";
}

static const char *by_exe(const struct event *e)
{
	return string_text(&e->string[STRING_EXE]);
}

static const char *by_object(const struct event *e)
{
	return string_text(&e->string[STRING_OBJECT]);
}

static const char *by_parent(const struct event *e)
{
	return string_text(&e->string[STRING_PARENT]);
}

static const char *by_comm(const struct event *e)
{
	snprintf(field_text, sizeof(field_text), "%.*s", (int)sizeof(e->r->comm),
		 e->r->comm);
	return field_text;
}

static const char *by_pid(const struct event *e)
{
	return number_text(e->r->pid);
}

static const char *by_user(const struct event *e)
{
	return user_name(e->r->euid);
}

static const char *by_cgroup(const struct event *e)
{
	return number_text(e->r->cgroup);
}

static const char *by_kind(const struct event *e)
{
	return kind_name(e);
}

static const struct field {
	const char *name;
	const char *(*text)(const struct event *e);
} fields[] = {
	{ "rule", by_rule },	 { "op", event_op },  { "action", event_action },
	{ "object", by_object }, { "exe", by_exe },   { "parent", by_parent },
	{ "comm", by_comm },	 { "pid", by_pid },   { "user", by_user },
	{ "cgroup", by_cgroup }, { "kind", by_kind },
};

/* Values of the field, in a table with open addressing. */
static struct count {
	char *text;
	__u64 n;
} * counts;
static size_t counts_used, counts_size;

static struct count *count_slot(const char *text)
{
	__u64 h = 14695981039346656037ull;
	size_t i;

	for (const char *p = text; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211ull;
	i = h & (counts_size - 1);
	while (counts[i].text && strcmp(counts[i].text, text))
		i = (i + 1) & (counts_size - 1);
	return &counts[i];
}

static void count(const char *text)
{
	struct count *old = counts, *c;
	size_t n = counts_size;

	if (2 * counts_used >= counts_size) {
		counts_size = n ? 2 * n : 64;
		counts = xcalloc(counts_size, sizeof(*counts));
		for (size_t i = 0; i < n; i++)
			if (old[i].text)
				*count_slot(old[i].text) = old[i];
		free(old);
	}
	c = count_slot(text);
	if (!c->text) {
		c->text = strdup(text);
		counts_used++;
	}
	if (!c->text)
		die(EX_FAILED, "out of memory");
	c->n++;
}

static int by_number(const void *a, const void *b)
{
	const struct count *x = a, *y = b;

	if (x->n != y->n)
		return (x->n < y->n) - (x->n > y->n);
	return x->text && y->text ? strcmp(x->text, y->text) : 0;
}

static void print_counts(void)
{
	if (counts_size)
		qsort(counts, counts_size, sizeof(*counts), by_number);
	for (size_t i = 0; i < counts_used; i++) {
		if (opt.json) {
			put_json(stdout, "{", opt.count_by->name, counts[i].text,
				 strlen(counts[i].text));
			printf(",\"count\":%llu}\n", counts[i].n);
		} else {
			printf("%8llu ", counts[i].n);
			print_quoted(stdout, counts[i].text, strlen(counts[i].text));
			putchar('\n');
		}
	}
}

/* --- which events --- */

static bool among(const __u32 *set, size_t n, __u32 value)
{
	for (size_t i = 0; i < n; i++)
		if (set[i] == value)
			return true;
	return n == 0;
}

/* Is one of the operations asked for in this event? */
static bool op_wanted(const struct event *e)
{
	for (size_t i = 0; i < opt.ops_count; i++) {
		const char *op = opt.ops[i];

		if (e->r->kind != RECORD_RULE && !strcmp(op, kind_name(e)))
			return true;
		for (size_t j = 0; j < op_names_count; j++)
			if (e->r->kind == RECORD_RULE &&
			    !strcmp(op, op_names[j].name) &&
			    e->r->ops & op_names[j].ops)
				return true;
	}
	return opt.ops_count == 0;
}

static bool wanted(const struct event *e)
{
	if (opt.observed && e->r->kind == RECORD_RULE)
		return false;
	if (opt.since && event_time(e) < opt.since)
		return false;
	if (opt.until && event_time(e) >= opt.until)
		return false;
	if (opt.rules_count && (e->r->kind != RECORD_RULE ||
				!among(opt.rules, opt.rules_count, e->r->rule)))
		return false;
	return among(opt.pids, opt.pids_count, e->r->pid) && op_wanted(e);
}

/* --- the last N --- */

static struct kept {
	struct record record;
	enum cotter_ring ring;
	__u64 lost;
} * kept;
static __u64 kept_count, kept_room;

static void show(const struct event *e, __u64 lost)
{
	if (lost && opt.format->lost)
		opt.format->lost(stdout, e->ring, lost, e->sequence);
	opt.format->event(stdout, e);
}

static void keep(const struct event *e, __u64 lost)
{
	struct kept *k;

	if (kept_count == kept_room && kept_room < opt.last) {
		kept_room = kept_room ? 2 * kept_room : 64;
		if (kept_room > opt.last)
			kept_room = opt.last;
		kept = xrealloc(kept, kept_room, sizeof(*kept));
	}
	k = &kept[kept_count++ % kept_room];
	k->record = *e->r;
	k->ring = e->ring;
	k->lost = lost;
}

static void show_kept(void)
{
	__u64 n = kept_count < opt.last ? kept_count : opt.last;

	for (__u64 i = kept_count - n; i < kept_count; i++) {
		const struct kept *k = &kept[i % kept_room];
		static struct event e; /* too large for a stack */

		if (event_decode(&e, &k->record, sizeof(k->record)))
			continue;
		e.ring = k->ring;
		show(&e, i == kept_count - n ? 0 : k->lost);
	}
	kept_count = 0;
}

/* --- reading --- */

static struct ring rings[RINGS];

/* The event that comes next of those that are there, or NULL. */
static struct ring *next_ring(bool patient)
{
	struct ring *first = NULL;

	for (int i = 0; i < RINGS; i++) {
		struct ring *ring = &rings[i];

		if (!ring->have && !ring_next(ring, patient))
			continue;
		if (!first || ring->event.r->boot < first->event.r->boot)
			first = ring;
	}
	return first;
}

static void read_all(bool patient)
{
	struct ring *ring;

	while ((ring = next_ring(patient))) {
		const struct event *e = &ring->event;

		ring->have = false;
		if (!wanted(e))
			continue;
		if (opt.count_by)
			count(opt.count_by->text(e));
		else if (opt.last)
			keep(e, ring->lost);
		else
			show(e, ring->lost);
		ring->lost = 0;
	}
}

static ino_t pin_inode(enum cotter_ring number)
{
	struct stat st;

	if (stat(number == RING_RULES ? PIN_ROOT "/maps/records"
				      : PIN_ROOT "/observe/observed",
		 &st))
		return 0;
	return st.st_ino;
}

/* Is nothing observed any more of what is asked for? */
static bool observed_no_longer(void)
{
	int fd = pin_open("maps/observing");
	struct observing o;
	bool on = false;

	for (__u32 kind = 0; kind < RECORD_KINDS; kind++)
		for (size_t i = 0; i < opt.ops_count && record_kinds[kind]; i++)
			if (!strcmp(opt.ops[i], record_kinds[kind]))
				on |= fd < 0 || map_lookup(fd, &kind, &o) || o.on;
	if (fd >= 0)
		close(fd);
	return !on;
}

/* Follow a ring that has been made anew, or made at all. */
static void reopen(void)
{
	static ino_t known[RINGS];

	for (int i = 0; i < RINGS; i++) {
		ino_t now = pin_inode(i);

		if (i == RING_RULES && !now) {
			warn("unloaded: nothing more can come");
			exit(fflush(stdout) ? EX_FAILED : EX_NOT_LOADED);
		}
		if (known[i] && now && now != known[i]) {
			close(rings[i].records);
			ring_open(&rings[i], i);
		} else if (rings[i].records < 0 && now)
			ring_open(&rings[i], i);
		if (now)
			known[i] = now;
	}
}

static void follow(void)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	struct pollfd reader = { .fd = STDOUT_FILENO };

	reopen();
	for (unsigned int polls = 1;; polls++) {
		read_all(true);
		if (fflush(stdout) || ferror(stdout))
			die(EX_FAILED, "writing the output failed");
		if (poll(&reader, 1, 0) > 0 && reader.revents & POLLERR)
			exit(EX_DONE); /* nobody reads any more */
		nanosleep(&pause, NULL);
		if (polls % REOPEN_POLLS)
			continue;
		reopen();
		if (opt.observed && observed_no_longer())
			exit(EX_DONE);
	}
}

/* --- the command line --- */

static __u64 parse_number(const char *option, const char *text, __u64 min, __u64 max)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < min || n > max)
		die(EX_USE, "--%s %s: want a number from %llu to %llu", option, text,
		    min, max);
	return n;
}

static __u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * NS + t.tv_nsec;
}

static __u64 parse_time(const char *option, const char *text)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
					     "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
					     "%Y-%m-%d" };
	static const struct {
		char unit;
		__u64 seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	unsigned long long n;
	char unit, rest;

	if (text[0] == '@' && text[1] >= '0' && text[1] <= '9' &&
	    sscanf(text + 1, "%10llu%c", &n, &rest) == 1)
		return n * NS;
	if (*text >= '0' && *text <= '9' &&
	    sscanf(text, "%9llu%c%c", &n, &unit, &rest) == 2)
		for (size_t i = 0; i < ARRAY_SIZE(units); i++)
			if (units[i].unit == unit) {
				__u64 ago = n * units[i].seconds * NS, t = now();

				return ago < t ? t - ago : 1;
			}
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = { .tm_isdst = -1 };
		char *end = strptime(text, forms[i], &tm);

		if (end && !*end)
			return mktime(&tm) * NS;
		if (end && !strcmp(end, "Z"))
			return timegm(&tm) * NS;
	}
	die(EX_USE, "--%s %s: want 10m, 2h, @SECONDS or 2026-11-25T09:41", option,
	    text);
}

static const struct format *parse_format(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	die(EX_USE, "--format %s: want person, json, tetragon or ecs", name);
}

static const struct field *parse_field(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	die(EX_USE,
	    "--count-by %s: no such field: want rule, op, action, object, exe, parent, comm, pid, user, cgroup or kind",
	    name);
}

static const char *parse_op(const char *name)
{
	for (size_t i = 0; i < op_names_count; i++)
		if (!strcmp(op_names[i].name, name))
			return name;
	for (int i = 0; i < RECORD_KINDS; i++)
		if (record_kinds[i] && !strcmp(record_kinds[i], name))
			return name;
	die(EX_USE, "--op %s: unknown operation", name);
}

static void options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "format", required_argument, NULL, 'F' },
		{ "follow", no_argument, NULL, 'f' },
		{ "observed", no_argument, NULL, 'O' },
		{ "last", required_argument, NULL, 'n' },
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ "rule", required_argument, NULL, 'r' },
		{ "op", required_argument, NULL, 'o' },
		{ "pid", required_argument, NULL, 'p' },
		{ "count-by", required_argument, NULL, 'c' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'j': opt.format = parse_format("json"); break;
		case 'F': opt.format = parse_format(optarg); break;
		case 'f': opt.follow = true; break;
		case 'O': opt.observed = true; break;
		case 'n': opt.last = parse_number("last", optarg, 1, UINT32_MAX); break;
		case 's': opt.since = parse_time("since", optarg); break;
		case 'u': opt.until = parse_time("until", optarg); break;
		case 'r':
			opt.rules = xrealloc(opt.rules, opt.rules_count + 1,
					     sizeof(*opt.rules));
			opt.rules[opt.rules_count++] =
				parse_number("rule", optarg, 1, UINT32_MAX);
			break;
		case 'p':
			opt.pids = xrealloc(opt.pids, opt.pids_count + 1,
					    sizeof(*opt.pids));
			opt.pids[opt.pids_count++] =
				parse_number("pid", optarg, 0, UINT32_MAX);
			break;
		case 'o':
			opt.ops =
				xrealloc(opt.ops, opt.ops_count + 1, sizeof(*opt.ops));
			opt.ops[opt.ops_count++] = parse_op(optarg);
			break;
		case 'c': opt.count_by = parse_field(optarg); break;
		default: exit(EX_USE);
		}
	}
	if (optind < argc)
		die(EX_USE, "%s: unexpected: see events -h", argv[optind]);
	if (opt.count_by && (opt.follow || opt.last))
		die(EX_USE, "--count-by goes with neither --follow nor --last");
	if (opt.until && opt.follow)
		die(EX_USE, "--until goes not with --follow");
	opt.json = !strcmp(opt.format->name, "json");
	if (opt.count_by && !opt.json && opt.format != &formats[0])
		die(EX_USE, "--count-by goes with --json alone");
}

/* Seconds that CLOCK_TAI is ahead of CLOCK_REALTIME: 0 where nobody has set it. */
static __s64 find_tai_offset(void)
{
	struct timespec tai, real;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_TAI, &tai);
	/* The second was read a moment later, also over a second's end. */
	return ((tai.tv_sec - real.tv_sec) * 1000 +
		(tai.tv_nsec - real.tv_nsec) / 1000000 + 500) /
	       1000;
}

int main(int argc, char **argv)
{
	static char big[1 << 18];
	const char *term = getenv("TERM");

	verb = "events";
	argv[0] = (char *)verb;
	setvbuf(stdout, big, _IOFBF, sizeof(big));
	options(argc, argv);
	show_colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && term &&
		      strcmp(term, "dumb") != 0;
	tai_offset = find_tai_offset();
	for (int i = 0; i < RINGS; i++)
		ring_open(&rings[i], i);
	for (int i = 0; opt.observed && i < RINGS; i++)
		ring_skip(&rings[i]);
	read_all(false);
	if (opt.count_by)
		print_counts();
	if (opt.last)
		show_kept();
	opt.last = 0;
	if (opt.follow)
		follow();
	if (fflush(stdout) || ferror(stdout))
		die(EX_FAILED, "writing the output failed");
	return EX_DONE;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * dump: print the rules in force, from the pinned maps.
 *
 *   dump list            aligned table
 *   dump list --json     one JSON array
 *   dump policies [--json]
 *                        the policies, with the numbers and hits of their rules
 *   dump state           one JSON object: counts, capacities, counters, and
 *                        which backends count an exec made now
 *   dump metrics         counters in the text format of Prometheus
 *   dump called          those backends, one a line
 *   dump needs           the operations that rules name, `digest` when contents, `subject` when programs
 *                        are subjects of some, observe_KIND, and the kernel's functions
 *                        that calls which rules name are entered by; one a line
 *   dump observing       what is observed, with its filters, one a line
 *
 * Statuses: cotter.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "calls.h"

struct listed {
	struct rule rule;
	__u64 hits, suppressed;
	char *object, *reason, *name; /* name: its id in its policy's file */
	char *call;		      /* TEXT_CALL, NULL: it is no system call */
};

static __u64 now, real; /* CLOCK_BOOTTIME, and what makes it CLOCK_REALTIME */

static struct {
	struct policy policy;
	char *text;
	__u32 rules;
	__u64 hits;
} policies[POLICIES];

static struct listed *listed;
static size_t listed_count;

static int by_id(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	return (x->rule.id > y->rule.id) - (x->rule.id < y->rule.id);
}

/* Read the rules in force into `listed`, in order of id. */
static void read_rules(const struct maps *m)
{
	struct segment *seg = xcalloc(1, sizeof(*seg));
	size_t room = 0;

	now = clock_ns(CLOCK_BOOTTIME);
	real = boot_to_real();

	for (__u32 n = 0; n < m->s.segments; n++) {
		segment_read(m, n, seg, true);
		for (__u32 i = 0; i < SEGMENT_RULES; i++) {
			const struct rule *r = &seg->rule[i];
			struct listed *l;

			if (!rule_in_force(r, m->s.gen) || rule_expired(r, now))
				continue;
			if (listed_count == room) {
				room = room ? 2 * room : 64;
				listed = xrealloc(listed, room, sizeof(*listed));
			}
			l = &listed[listed_count++];
			*l = (struct listed){ .rule = *r,
					      .hits = seg->hits[i],
					      .suppressed = seg->rate[i].suppressed };
			l->object = xcalloc(1, r->path_len + 1u);
			l->reason = xcalloc(1, r->reason_len + 1u);
			l->name = xcalloc(1, r->id_len + 1u);
			if (r->ops & OP_SYSCALL)
				l->call = xcalloc(1, sizeof(struct call_rule) +
							     PATTERN_LIMIT + 1u);
		}
	}
	free(seg);
	if (listed_count)
		qsort(listed, listed_count, sizeof(*listed), by_id);
}

/* Read what the policies are; their texts come with all others. */
static void read_policies(const struct maps *m)
{
	for (__u32 i = 0; i < POLICIES; i++) {
		struct policy *p = &policies[i].policy;

		*p = m->s.policy[i];
		if (!(p->flags & POLICY_USED) || !p->text)
			p->text = p->name_len = p->reason_len = 0;
		policies[i].text = xcalloc(1, p->name_len + p->reason_len + 1u);
	}
	for (size_t i = 0; i < listed_count; i++) {
		__u32 of = listed[i].rule.policy % POLICIES;

		policies[of].rules++;
		policies[of].hits += listed[i].hits;
	}
}

static bool policy_used(__u32 i)
{
	return !i || policies[i].policy.flags & POLICY_USED;
}

static const char *policy_name(__u32 i, size_t *len)
{
	const struct policy *p = &policies[i % POLICIES].policy;

	*len = p->text ? p->name_len : strlen(MANUAL);
	return p->text ? policies[i % POLICIES].text : MANUAL;
}

static const char *policy_reason(__u32 i, size_t *len)
{
	*len = policies[i].policy.reason_len;
	return policies[i].text + policies[i].policy.name_len;
}

/* Put one part of a text where it belongs; parts come in any order. */
static void place_text(const void *k, const void *v, void *arg)
{
	const struct text_key *key = k;
	struct listed want = { .rule.id = key->id }, *l = NULL;
	size_t at = (size_t)key->part * TEXT_PART, len = 0;
	char *to = NULL;

	(void)arg;
	if (key->what == TEXT_POLICY) {
		for (__u32 i = 0; i < POLICIES; i++)
			if (policies[i].policy.text == key->id) {
				to = policies[i].text;
				len = policies[i].policy.name_len +
				      policies[i].policy.reason_len;
			}
	} else if (listed_count) { /* else there is nothing to search from */
		l = bsearch(&want, listed, listed_count, sizeof(*listed), by_id);
	}
	if (l && key->what == TEXT_OBJECT) {
		to = l->object;
		len = l->rule.path_len;
	} else if (l && key->what == TEXT_REASON) {
		to = l->reason;
		len = l->rule.reason_len;
	} else if (l && l->call && key->what == TEXT_CALL) {
		to = l->call;
		len = l->rule.above_len;
	} else if (l && key->what == TEXT_ID) {
		to = l->name;
		len = l->rule.id_len;
	}
	if (to && at < len)
		memcpy(to + at, v, len - at < TEXT_PART ? len - at : TEXT_PART);
}

static struct label labels[LABEL_SORTS * LABELS];

/* Read the rules in force and what is said of them. */
static void read_all(const struct maps *m)
{
	read_rules(m);
	read_policies(m);
	labels_read(m, labels);
	map_each(m->texts, sizeof(struct text_key), TEXT_PART, m->s.texts_max,
		 place_text, NULL);
}

/* Print the operations or kinds of a rule as JSON strings. */
static void json_ops(__u32 ops)
{
	const char *comma = "";

	for (size_t i = 0; i < op_names_count; i++)
		if (ops & op_names[i].ops) {
			printf("%s\"%s\"", comma, op_names[i].name);
			comma = ",";
		}
}

static void print_hex(const char *s, size_t len)
{
	putchar('"');
	for (size_t i = 0; i < len; i++)
		printf("%02x", (unsigned char)s[i]);
	putchar('"');
}

/* Print `,"name_hex":[...]` of labels by path: null where it is UTF-8. */
static void json_hexes(const char *name, const struct label *const *l, int n)
{
	printf(",\"%s_hex\":[", name);
	for (int i = 0; i < n; i++) {
		fputs(i ? "," : "", stdout);
		if (is_utf8(l[i]->path, l[i]->path_len))
			fputs("null", stdout);
		else
			print_hex(l[i]->path, l[i]->path_len);
	}
	putchar(']');
}

/*
 * Print `"name":{"exe":[...],"uid":[...],"gid":[...],"cgroup":[...],"parent":[...],
 * "container":false}`. Where paths are not UTF-8, `"exe_hex":[...]` follows, with null in the
 * place of those that are.
 */
static void json_subjects(const char *name, const __u64 sets[SUBJECT_SORTS])
{
	static const struct {
		const char *name;
		int sort;
	} lists[] = { { "exe", SORT_PROGRAM },
		      { "uid", SORT_USER },
		      { "gid", SORT_GROUP },
		      { "cgroup", SORT_PLACE },
		      { "parent", SORT_PARENT } };
	bool container = false;

	printf(",\"%s\":{", name);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct label *shown[LABELS];
		const char *comma = "";
		bool valid = true;
		int n = 0;

		printf("%s\"%s\":[", i ? "," : "", lists[i].name);
		for (__u64 bits = sets[lists[i].sort]; bits; bits &= bits - 1) {
			const struct label *l = &labels[label_index(
				lists[i].sort, __builtin_ctzll(bits))];

			if (l->kinds & KIND_BIT(KIND_CONTAINER)) {
				container = true;
				continue;
			}
			fputs(comma, stdout);
			if (l->path_len)
				valid &= print_json(stdout, l->path, l->path_len);
			else
				printf("%u", l->number);
			comma = ",";
			shown[n++] = l;
		}
		putchar(']');
		if (!valid)
			json_hexes(lists[i].name, shown, n);
	}
	printf(",\"container\":%s}", container ? "true" : "false");
}

static void print_json_text(const char *key, const char *s, size_t len)
{
	printf(",\"%s\":", key);
	if (print_json(stdout, s, len))
		return;
	printf(",\"%s_hex\":", key);
	print_hex(s, len);
}

/* The object of a rule, as the operator would name it. It lasts until the next call. */
static const char *object_words(const struct listed *l, size_t *len)
{
	static char *text;
	FILE *f;

	if (!l->call) {
		*len = l->rule.path_len;
		return l->object;
	}
	free(text);
	f = open_memstream(&text, len);
	if (!f)
		die(EX_FAILED, "out of memory");
	print_call(f, (const struct call_rule *)l->call,
		   l->call + sizeof(struct call_rule), l->object, l->rule.path_len);
	fclose(f);
	return text;
}

/* Print `"call":{...}`, what the words say in parts. */
static void json_call(const struct listed *l)
{
	const struct call_rule *c = (const struct call_rule *)l->call;
	const struct call_info *info = call_numbered(c->call);
	const char *pattern = l->call + sizeof(*c), *comma = "";

	printf(",\"call\":{\"name\":\"%s\",\"number\":%d,\"args\":[",
	       info ? info->name : "", info && info->native < 0 ? info->i386 : c->call);
	for (int n = 0; n < CALL_ARGUMENTS; n++) {
		if (!c->test[n])
			continue;
		printf("%s\"%d", comma, n);
		print_call_test(stdout, c, n);
		putchar('"');
		comma = ",";
	}
	putchar(']');
	if (c->fd)
		print_json_text("fd_of", l->object, l->rule.path_len);
	if (c->path) {
		bool whole = c->pattern_len && !pattern[c->pattern_len - 1];

		printf(",\"path_arg\":%d", c->path - 1);
		print_json_text(whole ? "path" : "prefix", pattern,
				c->pattern_len - whole);
	}
	putchar('}');
}

static void print_time(const char *key, __u64 ns)
{
	time_t s = ns / 1000000000u;
	struct tm tm;
	char text[32];

	gmtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf(",\"%s\":\"%s\"", key, text);
}

/* Print when something ends, as time left and as time of day, in whole seconds. */
static void print_end(__u64 boot)
{
	printf(",\"seconds_left\":%llu", (boot - now) / 1000000000u);
	print_time("until", boot + real + 500000000u);
}

static void list_json(void)
{
	putchar('[');
	for (size_t i = 0; i < listed_count; i++) {
		const struct listed *l = &listed[i];
		const struct rule *r = &l->rule;
		__u32 flags = rule_label_flags(r, labels);
		const char *object, *name;
		size_t len;

		printf("%s{\"id\":%u,\"op\":[", i ? ",\n " : "", r->id);
		json_ops(r->ops);
		printf("]");
		object = object_words(l, &len);
		print_json_text("object", object, len);
		if (l->call)
			json_call(l);
		if (l->call || r->signal)
			printf(",\"signal\":%u", r->signal ? r->signal : 9);
		printf(",\"kinds\":[");
		print_kinds(stdout, r->kinds, ",", "\"");
		printf("],\"action\":\"%s\",\"errno\":%u,\"hits\":%llu,\"suppressed\":%llu",
		       action_names[r->action & 3], r->error, l->hits, l->suppressed);
		json_subjects("only", r->only);
		json_subjects("unless", r->except);
		printf(",\"sticky\":%s,\"scripts\":%s",
		       flags & LABEL_STICKY ? "true" : "false",
		       flags & LABEL_SCRIPTS ? "true" : "false");
		print_json_text("reason", l->reason, r->reason_len);
		print_time("created", r->created);
		name = policy_name(r->policy, &len);
		print_json_text("policy", name, len);
		if (r->id_len)
			print_json_text("rule", l->name, r->id_len);
		if (r->expires)
			print_end(r->expires);
		putchar('}');
	}
	puts("]");
}

/* Columns of the table. One is as wide as its longest cell, up to WIDEST. */
enum {
	ID,
	OP,
	ACTION,
	HITS,
	IDENTITY,
	OBJECT,
	SUBJECTS,
	POLICY,
	LEFT,
	REASON,
	COLUMNS
};
#define WIDEST 60

/* Print a duration in its two biggest units, e.g. 6d23h. */
static void print_duration(FILE *f, __u64 ns)
{
	static const struct {
		unsigned int seconds;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	__u64 s = ns / 1000000000u;
	size_t i = 0;

	while (i < 3 && s < units[i].seconds)
		i++;
	fprintf(f, "%llu%c", s / units[i].seconds, units[i].unit);
	s %= units[i].seconds;
	if (i < 3 && s / units[i + 1].seconds)
		fprintf(f, "%llu%c", s / units[i + 1].seconds, units[i + 1].unit);
}

static void print_cell(FILE *f, const struct listed *l, int column)
{
	const struct rule *r = &l->rule;
	const char *name, *text;
	size_t len;

	switch (column) {
	case ID: fprintf(f, "%u", r->id); break;
	case OP: print_ops(f, r->ops); break;
	case ACTION:
		fputs(action_names[r->action & 3], f);
		if (r->signal && sigabbrev_np(r->signal))
			fprintf(f, " %s", sigabbrev_np(r->signal));
		else if (r->signal)
			fprintf(f, " %u", r->signal);
		break;
	case HITS: fprintf(f, "%llu", l->hits); break;
	case IDENTITY: print_kinds(f, r->kinds & KINDS_SHOWN, ",", ""); break;
	case OBJECT:
		text = object_words(l, &len);
		if (l->call)
			fwrite(text, 1, len, f);
		else
			print_quoted(f, text, len);
		break;
	case SUBJECTS: print_subjects(f, r, labels); break;
	case POLICY:
		if (!r->policy)
			break;
		name = policy_name(r->policy, &len);
		fprintf(f, "%.*s/", (int)len, name);
		print_quoted(f, l->name, r->id_len);
		break;
	case LEFT:
		if (r->expires)
			print_duration(f, r->expires - now);
		break;
	case REASON:
		if (r->reason_len)
			print_quoted(f, l->reason, r->reason_len);
		break;
	}
}

/* The text of a cell. It lasts until the next call. */
static const char *cell(const struct listed *l, int column)
{
	static char *text;
	static size_t room;
	static FILE *f;

	if (!f)
		f = open_memstream(&text, &room);
	if (!f)
		die(EX_FAILED, "out of memory");
	rewind(f);
	print_cell(f, l, column);
	fputc(0, f);
	if (fflush(f))
		die(EX_FAILED, "out of memory");
	return text;
}

static bool is_optional(int column)
{
	return column == SUBJECTS || column == POLICY || column == LEFT;
}

static void list_table(void)
{
	static const char *const heads[COLUMNS] = { "ID",	"OP",	    "ACTION",
						    "HITS",	"IDENTITY", "OBJECT",
						    "SUBJECTS", "POLICY",   "LEFT",
						    "REASON" };
	int width[COLUMNS];

	for (int c = 0; c < COLUMNS; c++) {
		width[c] = is_optional(c) ? 0 : strlen(heads[c]);
		for (size_t i = 0; i < listed_count && width[c] < WIDEST; i++) {
			int len = strlen(cell(&listed[i], c));

			if (len > width[c])
				width[c] = len < WIDEST ? len : WIDEST;
		}
	}
	/* No rule has anything to say there: no such column. */
	for (int c = 0; c < COLUMNS; c++)
		if (is_optional(c) && width[c] && width[c] < (int)strlen(heads[c]))
			width[c] = strlen(heads[c]);
	for (size_t i = 0; i <= listed_count; i++) {
		int pad = 0; /* of the cells before: none at a line's end */

		for (int c = 0; c < COLUMNS; c++) {
			const char *text = i ? cell(&listed[i - 1], c) : heads[c];
			int len = strlen(text);

			if (is_optional(c) && !width[c])
				continue;
			if (c == HITS) /* numbers end in line */
				pad += width[c] - len;
			if (len) {
				printf("%*s%s", pad, "", text);
				pad = 0;
			}
			if (c != HITS && width[c] > len)
				pad += width[c] - len;
			pad += 2;
		}
		putchar('\n');
	}
}

/* --- policies --- */

/* When `panic` was set, ns of CLOCK_REALTIME; 0: it is not. */
static __u64 panic_since(void)
{
	struct panic p = {};
	__u32 zero = 0;
	int fd = pin_open("maps/panic");

	if (fd < 0 || map_lookup(fd, &zero, &p))
		die(EX_FAILED, "reading the switch of panic failed");
	close(fd);
	return p.since;
}

/* What is left until the mode changes, in ns; 0 when it is for good. */
static __u64 policy_left(const struct policy *p)
{
	return p->until > now ? p->until - now : 0;
}

static void print_then(bool monitor, __u64 until)
{
	printf(",\"then\":\"%s\"", monitor ? "enforce" : "monitor");
	print_end(until);
}

static void policies_json(void)
{
	const char *sep = "";

	putchar('[');
	for (__u32 i = 0; i < POLICIES; i++) {
		const struct policy *p = &policies[i].policy;
		bool monitor = policy_monitors(p, now);
		const char *text;
		size_t len;

		if (!policy_used(i))
			continue;
		text = policy_name(i, &len);
		printf("%s{\"name\":\"%.*s\",\"mode\":\"%s\"", sep, (int)len, text,
		       monitor ? "monitor" : "enforce");
		if (policy_left(p))
			print_then(monitor, p->until);
		printf(",\"rules\":%u,\"hits\":%llu", policies[i].rules,
		       policies[i].hits);
		text = policy_reason(i, &len);
		print_json_text("reason", text, len);
		if (p->created)
			print_time("changed", p->created);
		putchar('}');
		sep = ",\n ";
	}
	puts("]");
}

/* A cell of the table: the mode, and what is left of it; the age. */
static char *mode_cell(const struct policy *p)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		die(EX_FAILED, "out of memory");
	fputs(policy_monitors(p, now) ? "monitor" : "enforce", f);
	if (policy_left(p)) {
		fputs(" for ", f);
		print_duration(f, policy_left(p));
	}
	fclose(f);
	return text;
}

static char *age_cell(const struct policy *p)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		die(EX_FAILED, "out of memory");
	if (p->created && now + real > p->created)
		print_duration(f, now + real - p->created);
	fclose(f);
	return text;
}

static void policies_table(void)
{
	int width = strlen("POLICY"), mode_width = strlen("enforce");

	if (panic_since())
		puts("panic: all rules only count: panic --off ends that");

	for (__u32 i = 0; i < POLICIES; i++) {
		size_t len;

		policy_name(i, &len);
		if (policy_used(i) && (int)len > width)
			width = len;
		if (policy_used(i) && policy_left(&policies[i].policy))
			mode_width = strlen("enforce for 59m59s");
	}
	printf("%-*s  %-*s  RULES  HITS  %-6s  REASON\n", width, "POLICY", mode_width,
	       "MODE", "AGE");
	for (__u32 i = 0; i < POLICIES; i++) {
		const struct policy *p = &policies[i].policy;
		char *mode = mode_cell(p), *age = age_cell(p);
		const char *name, *reason;
		size_t len, reason_len;

		name = policy_name(i, &len);
		reason = policy_reason(i, &reason_len);
		if (policy_used(i)) {
			printf("%-*.*s  %-*s  %5u  %4llu", width, (int)len, name,
			       mode_width, mode, policies[i].rules, policies[i].hits);
			if (*age || reason_len)
				printf(reason_len ? "  %-6s" : "  %s", age);
			if (reason_len) {
				fputs("  ", stdout);
				print_quoted(stdout, reason, reason_len);
			}
			putchar('\n');
		}
		free(mode);
		free(age);
	}
}

static __u64 stat_sum(const struct maps *m, __u32 index)
{
	__u64 *per_cpu = xcalloc(m->cpus, sizeof(*per_cpu)), sum = 0;

	if (map_lookup(m->stats, &index, per_cpu))
		die(EX_FAILED, "reading the counters failed");
	for (int cpu = 0; cpu < m->cpus; cpu++)
		sum += per_cpu[cpu];
	free(per_cpu);
	return sum;
}

/* A number of a map that its fdinfo tells. */
static __u64 map_number(int fd, const char *name)
{
	size_t len = strlen(name);
	char path[64], line[128];
	__u64 n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && line[len] == ':') {
			n = strtoull(line + len + 1, NULL, 10);
			break;
		}
	if (f)
		fclose(f);
	return n;
}

/* Kernel memory of a map, in bytes. */
static __u64 map_memory(int fd)
{
	return map_number(fd, "memlock");
}

static __u64 segments_memory(int outer, __u32 n)
{
	__u64 bytes = map_memory(outer);
	__u32 id;

	for (__u32 i = 0; i < n; i++) {
		int fd = inner_open(outer, i, &id);

		if (fd < 0)
			continue;
		bytes += map_memory(fd);
		close(fd);
	}
	return bytes;
}

/* Kernel memory of all our maps but the rings of records, whose size was asked for. */
static __u64 memory(const struct maps *m)
{
	const int fds[] = { m->hot,	m->filter, m->stats, m->state,
			    m->objects, m->texts,  m->calls };
	static const char *const others[] = { "maps/objects",  "maps/texts",
					      "maps/subjects", "maps/labels",
					      "maps/tasks",    "maps/followed",
					      "maps/recorder", "maps/sketch" };
	__u64 bytes = segments_memory(m->rules, m->s.segments) +
		      segments_memory(m->hits, m->s.segments) +
		      segments_memory(m->rates, m->s.segments);

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		bytes += map_memory(fds[i]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		int fd = pin_open(others[i]);

		if (fd < 0)
			continue;
		bytes += map_memory(fd);
		close(fd);
	}
	return bytes;
}

static const char *const backends[] = {
	[BACKEND_OF_LSM] = "lsm",
	[BACKEND_OF_FMOD_RET] = "fmod_ret",
	[BACKEND_OF_KILL] = "kill",
};

/*
 * Make an exec and see which backends count it. An inactive LSM and ftrace
 * switched off show in nothing else. Returns whether rules on content were asked, and
 * what the file holds was to be had.
 */
static bool find_called(const struct maps *m, bool called[ARRAY_SIZE(backends)])
{
	char *argv[] = { "dump", "nothing", NULL }, *env[] = { NULL };
	__u64 before[ARRAY_SIZE(backends)], contents = stat_sum(m, STAT_CONTENTS),
					    unmeasured = stat_sum(m, STAT_UNMEASURED);
	pid_t pid;
	int error;

	for (__u32 i = 0; i < ARRAY_SIZE(backends); i++)
		before[i] = stat_sum(m, STAT_CALLS + i);
	error = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, env);
	if (!error)
		waitpid(pid, NULL,
			0); /* a rule may have stopped it: counted all the same */
	for (__u32 i = 0; i < ARRAY_SIZE(backends); i++)
		called[i] = stat_sum(m, STAT_CALLS + i) > before[i];
	return stat_sum(m, STAT_CONTENTS) > contents &&
	       stat_sum(m, STAT_UNMEASURED) == unmeasured;
}

static void print_called(const struct maps *m)
{
	bool called[ARRAY_SIZE(backends)];
	bool measured = find_called(m, called);

	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		if (called[i])
			puts(backends[i]);
	if (measured)
		puts("digest");
}

/* Is it one operation, not a name for several? */
static bool single(const struct op_name *name)
{
	return !(name->ops & (name->ops - 1));
}

static void needed_call(const void *key, const void *value, void *arg)
{
	const struct call_info *info = call_numbered(*(const __u32 *)key);
	struct call_function f[CALL_FUNCTIONS];
	const struct call_state *c = value;
	int n = info && (c->shapes || c->fd_refs) ? call_functions(info, f) : 0;

	(void)arg;
	while (n-- > 0)
		puts(f[n].name);
}

/*
 * Is somebody at work who holds the programs of this kind? He has a lock on the
 * folder of their group, until he ends; to look for it takes it for a moment.
 */
static bool held(__u32 kind)
{
	char path[64];
	bool busy;
	int fd;

	snprintf(path, sizeof(path), PIN_ROOT "/observe_%s", record_kinds[kind]);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	busy = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	if (fd >= 0)
		close(fd);
	return busy;
}

/*
 * How are events of this kind observed? OBSERVE_*, 0: not at all. With which filters is
 * left in `o`, if that is not NULL.
 */
static __u32 observes(__u32 kind, struct observing *o)
{
	static int fd = -1;
	struct observing here;

	if (fd < 0)
		fd = pin_open("maps/observing");
	if (!o)
		o = &here;
	if (!record_kinds[kind])
		return 0;
	if (fd < 0 || map_lookup(fd, &kind, o))
		die(EX_FAILED, "reading what is observed failed");
	return o->on == OBSERVE_HELD && !held(kind) ? 0 : o->on;
}

/* What is observed, and its filters as they were typed. */
static void print_observing(const struct maps *m)
{
	struct observing o;
	__u32 how;

	(void)m;
	for (__u32 kind = 0; kind < RECORD_KINDS; kind++) {
		how = observes(kind, &o);
		if (!how)
			continue;
		printf("%s", record_kinds[kind]);
		if (*o.text)
			printf(" %.*s", OBSERVE_TEXT, o.text);
		puts(how == OBSERVE_HELD ? " --follow" : "");
	}
}

static void observing_json(const char *name, __u32 how)
{
	const char *comma = "";
	struct observing o;

	printf(",\"%s\":{", name);
	for (__u32 kind = 0; kind < RECORD_KINDS; kind++) {
		if (observes(kind, &o) != how)
			continue;
		printf("%s\"%s\":", comma, record_kinds[kind]);
		print_json(stdout, o.text, strnlen(o.text, OBSERVE_TEXT));
		comma = ",";
	}
	putchar('}');
}

/* Like `hot` itself, this may name more than is needed, never less. */
static void print_needs(const struct maps *m)
{
	for (size_t i = 0; i < op_names_count; i++)
		if (single(&op_names[i]) && m->h.ops & op_names[i].ops)
			puts(op_names[i].name);
	if (m->h.labels)
		puts("subject");
	if (m->h.kinds[0] & KIND_BIT(KIND_DIGEST))
		puts("digest");
	for (__u32 kind = 0; kind < RECORD_KINDS; kind++)
		if (observes(kind, NULL) == OBSERVE_ON)
			printf("observe_%s\n", record_kinds[kind]);
	map_each(m->calls, sizeof(__u32), sizeof(struct call_state), CALLS, needed_call,
		 NULL);
}

/* Print a call that rules name, for state_json(). */
static void json_call_state(const void *key, const void *value, void *arg)
{
	const struct call_info *info = call_numbered(*(const __u32 *)key);
	const struct call_state *c = value;
	const char **comma = arg;

	if (!info || (!c->shapes && !c->fd_refs))
		return;
	printf("%s{\"name\":\"%s\",\"by_descriptor\":%u,\"by_path\":%u}", *comma,
	       info->name, c->fd_refs, c->path_refs);
	*comma = ",";
}

/* Subjects of these kinds that are in use. */
static int labels_used(int fd, __u32 kinds)
{
	struct label label;
	int n = 0;

	for (__u32 i = 0; i < LABEL_SORTS * LABELS; i++)
		n += !map_lookup(fd, &i, &label) && label.refs && label.kinds & kinds;
	return n;
}

/* What the flight recorder holds, of one ring. */
struct recorded {
	const char *name;
	__u64 numbered, capacity, overwritten, unwritten, memory;
};

/* Returns false when there is no such ring. */
static bool recorded(const struct maps *m, enum cotter_ring ring, struct recorded *out)
{
	static const struct {
		const char *name, *pin;
		enum cotter_stat unwritten;
	} rings[RINGS] = {
		{ "rules", "maps/records", STAT_UNRECORDED },
		{ "observed", "observe/observed", STAT_SEEN_LOST },
	};
	int fd = pin_open(rings[ring].pin), recorder = pin_open("maps/recorder");
	__u32 index = ring;
	struct recorder r = {};

	*out = (struct recorded){ .name = rings[ring].name };
	if (fd < 0 || recorder < 0 || map_lookup(recorder, &index, &r)) {
		if (fd >= 0)
			close(fd);
		if (recorder >= 0)
			close(recorder);
		return false;
	}
	out->numbered = r.next;
	out->capacity = map_number(fd, "max_entries");
	out->memory = map_memory(fd);
	out->unwritten = stat_sum(m, rings[ring].unwritten);
	if (r.next > out->capacity)
		out->overwritten = r.next - out->capacity;
	close(fd);
	close(recorder);
	return true;
}

static void records_json(const struct maps *m)
{
	int limits = pin_open("maps/limits");
	__u32 rate = 0, zero = 0;
	struct recorded r;

	if (limits < 0 || map_lookup(limits, &zero, &rate))
		die(EX_FAILED, "reading the limits failed");
	close(limits);
	printf(",\"records\":{\"rate\":%u,\"suppressed\":%llu", rate,
	       stat_sum(m, STAT_SUPPRESSED));
	for (int ring = 0; ring < RINGS; ring++)
		if (recorded(m, ring, &r))
			printf(",\"%s\":{\"numbered\":%llu,\"capacity\":%llu,"
			       "\"overwritten\":%llu,\"unwritten\":%llu,\"memory\":%llu}",
			       r.name, r.numbered, r.capacity, r.overwritten,
			       r.unwritten, r.memory);
	putchar('}');
}

static void state_json(const struct maps *m)
{
	const struct state *s = &m->s;
	bool called[ARRAY_SIZE(backends)];
	const char *comma = "";
	int labels = pin_open("maps/labels");
	bool measured = find_called(m, called);

	printf("{\"abi\":%u,\"generation\":%llu,\"panic\":%s,\"interrupted\":%s,"
	       "\"rules\":{\"in_force\":%u,\"by_content\":%u,\"limit\":%u,\"segments\":%u,\"segment_rules\":%d},"
	       "\"objects\":{\"used\":%u,\"capacity\":%u},"
	       "\"texts\":{\"used\":%u,\"capacity\":%u},"
	       "\"subjects\":{\"programs\":%d,\"users\":%d,\"groups\":%d,\"places\":%d,"
	       "\"limit\":%d},"
	       "\"second_layer_alone\":%s,\"called\":{",
	       s->abi, s->gen, panic_since() ? "true" : "false",
	       m->h.dirty ? "true" : "false", s->rules, s->kind_rules[0][KIND_DIGEST],
	       s->max_rules, s->segments, SEGMENT_RULES, s->objects, s->objects_max,
	       s->texts, s->texts_max, labels_used(labels, KIND_BIT(KIND_INODE)),
	       labels_used(labels, KIND_BIT(KIND_USER)),
	       labels_used(labels, KIND_BIT(KIND_GROUP)),
	       labels_used(labels, KIND_BIT(KIND_CGROUP) | KIND_BIT(KIND_CONTAINER)),
	       LABELS, m->h.flags & HOT_SECOND_ONLY ? "true" : "false");
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		printf("%s\"%s\":%s", i ? "," : "", backends[i],
		       called[i] ? "true" : "false");
	printf(",\"digest\":%s},\"counters\":{\"calls\":{",
	       measured ? "true" : "false");
	for (__u32 i = 0; i < ARRAY_SIZE(backends); i++)
		printf("%s\"%s\":%llu", i ? "," : "", backends[i],
		       stat_sum(m, STAT_CALLS + i));
	printf("},\"signal_refused\":%llu,\"torn\":%llu,\"too_deep\":%llu,"
	       "\"unreadable\":%llu,\"unlabelled\":%llu,\"unfollowed\":%llu,"
	       "\"contents\":%llu,\"unmeasured\":%llu},\"memory\":%llu,\"operations\":{",
	       stat_sum(m, STAT_UNSIGNALLED), stat_sum(m, STAT_TORN),
	       stat_sum(m, STAT_DEEP), stat_sum(m, STAT_UNREADABLE),
	       stat_sum(m, STAT_UNLABELLED), stat_sum(m, STAT_UNFOLLOWED),
	       stat_sum(m, STAT_CONTENTS), stat_sum(m, STAT_UNMEASURED), memory(m));
	for (size_t i = 0; i < op_names_count; i++) {
		__u32 bit = __builtin_ctz(op_names[i].ops), at = STAT_OP + 4 * bit;

		if (!single(&op_names[i]))
			continue;
		printf("%s\"%s\":{\"rules\":%u,\"audited\":%llu,\"denied\":%llu,\"killed\":%llu}",
		       comma, op_names[i].name, s->op_rules[bit],
		       stat_sum(m, at + ACTION_AUDIT), stat_sum(m, at + ACTION_DENY),
		       stat_sum(m, at + ACTION_KILL));
		comma = ",";
	}
	putchar('}');
	records_json(m);
	observing_json("observing", OBSERVE_ON);
	observing_json("following", OBSERVE_HELD);
	printf(",\"calls\":[");
	comma = "";
	map_each(m->calls, sizeof(__u32), sizeof(struct call_state), CALLS,
		 json_call_state, &comma);
	puts("]}");
	if (labels >= 0)
		close(labels);
}

/* --- metrics --- */

/* More rules than this: only those that have acted. */
#define METRICS_RULES 1000

static void metric(const char *name, const char *type, const char *help)
{
	printf("# HELP cotter_%s %s\n# TYPE cotter_%s %s\n", name, help, name, type);
}

static void metric_number(const char *name, const char *type, const char *help, __u64 n)
{
	metric(name, type, help);
	printf("cotter_%s %llu\n", name, n);
}

/* The value of a label, in quotes. Bytes that are not UTF-8 become U+FFFD. */
static void print_label(const char *s, size_t len)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		die(EX_FAILED, "out of memory");
	print_json(f, s, len);
	fclose(f);
	/* JSON's \" and \\ are the same here, its \u000a is not. */
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\\' && text[i + 1] == 'u') {
			fputs(strncmp(text + i, "\\u000a", 6) ? "\\\\u" : "\\n",
			      stdout);
			if (strncmp(text + i, "\\u000a", 6))
				fwrite(text + i + 2, 1, 4, stdout);
			i += 5;
		} else if (text[i] == '\\') {
			putchar(text[i]);
			putchar(text[++i]);
		} else {
			putchar(text[i]);
		}
	}
	free(text);
}

static void metrics_rules(void)
{
	metric("rule_hits_total", "counter", "Times a rule in force has acted.");
	for (size_t i = 0; i < listed_count; i++) {
		const struct listed *l = &listed[i];

		if (listed_count > METRICS_RULES && !l->hits)
			continue;
		printf("cotter_rule_hits_total{rule=\"%u\",op=\"", l->rule.id);
		print_ops(stdout, l->rule.ops);
		printf("\",action=\"%s\",object=", action_names[l->rule.action & 3]);
		print_label(l->object, l->rule.path_len);
		printf("} %llu\n", l->hits);
	}
	metric("rule_records_suppressed_total", "counter",
	       "Hits of a rule that made no record: it was over its rate.");
	for (size_t i = 0; i < listed_count; i++)
		if (listed_count <= METRICS_RULES || listed[i].hits)
			printf("cotter_rule_records_suppressed_total{rule=\"%u\"} %llu\n",
			       listed[i].rule.id, listed[i].suppressed);
}

static void metrics_operations(const struct maps *m)
{
	metric("operations_total", "counter", "Operations that a rule acted on.");
	for (size_t i = 0; i < op_names_count; i++) {
		__u32 bit = __builtin_ctz(op_names[i].ops);

		for (__u32 a = ACTION_AUDIT; single(&op_names[i]) && a <= ACTION_KILL;
		     a++)
			printf("cotter_operations_total{op=\"%s\",action=\"%s\"} %llu\n",
			       op_names[i].name, action_names[a],
			       stat_sum(m, STAT_OP + 4 * bit + a));
	}
}

static void metrics_rings(const struct maps *m)
{
	static const struct {
		const char *name, *type, *help;
		size_t at;
	} all[] = {
		{ "records_numbered_total", "counter",
		  "Events that were given a number.",
		  offsetof(struct recorded, numbered) },
		{ "records_overwritten_total", "counter",
		  "Of these, replaced by newer ones.",
		  offsetof(struct recorded, overwritten) },
		{ "records_unwritten_total", "counter",
		  "Of these, not written: the place was in use.",
		  offsetof(struct recorded, unwritten) },
		{ "records_capacity", "gauge", "Events that are kept.",
		  offsetof(struct recorded, capacity) },
		{ "records_memory_bytes", "gauge", "Kernel memory of the events.",
		  offsetof(struct recorded, memory) },
	};
	struct recorded ring[RINGS];
	bool there[RINGS];

	for (int i = 0; i < RINGS; i++)
		there[i] = recorded(m, i, &ring[i]);
	for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
		metric(all[k].name, all[k].type, all[k].help);
		for (int i = 0; i < RINGS; i++)
			if (there[i])
				printf("cotter_%s{ring=\"%s\"} %llu\n", all[k].name,
				       ring[i].name,
				       *(__u64 *)((char *)&ring[i] + all[k].at));
	}
	metric_number("records_suppressed_total", "counter",
		      "Hits of rules that made no record: over the rate.",
		      stat_sum(m, STAT_SUPPRESSED));
}

static void metrics(const struct maps *m)
{
	static const struct {
		const char *name, *help;
		enum cotter_stat stat;
	} faults[] = {
		{ "signals_refused_total", "SIGKILL that the kernel refused to send.",
		  STAT_UNSIGNALLED },
		{ "objects_torn_total",
		  "Entries that changed too often while read: allowed.", STAT_TORN },
		{ "paths_too_deep_total", "Paths too deep to be compared.", STAT_DEEP },
		{ "names_unreadable_total", "Names that could not be read.",
		  STAT_UNREADABLE },
		{ "tasks_unlabelled_total", "Tasks that could not be given labels.",
		  STAT_UNLABELLED },
		{ "files_unmeasured_total",
		  "Executed files that could not be measured: no rule on content held.",
		  STAT_UNMEASURED },
	};
	bool called[ARRAY_SIZE(backends)];

	find_called(m, called);
	metric_number("loaded", "gauge", "1 when rules can be in force.", 1);
	metric_number("rules", "gauge", "Rules in force.", m->s.rules);
	metric_number("rules_limit", "gauge", "Rules that can be in force.",
		      m->s.max_rules);
	metric_number("memory_bytes", "gauge", "Kernel memory, that of events apart.",
		      memory(m));
	metric("layer_called", "gauge", "1 when the kernel has called it just now.");
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		printf("cotter_layer_called{backend=\"%s\"} %d\n", backends[i],
		       called[i]);
	metric("decisions_total", "counter", "Executions that were decided.");
	for (__u32 i = 0; i < ARRAY_SIZE(backends); i++)
		printf("cotter_decisions_total{backend=\"%s\"} %llu\n", backends[i],
		       stat_sum(m, STAT_CALLS + i));
	metrics_operations(m);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		metric_number(faults[i].name, "counter", faults[i].help,
			      stat_sum(m, faults[i].stat));
	metrics_rings(m);
	read_all(m);
	metrics_rules();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(const struct maps *m);
	} reports[] = {
		{ "state", state_json },	  { "metrics", metrics },
		{ "called", print_called },	  { "needs", print_needs },
		{ "observing", print_observing },
	};
	struct maps m;
	bool json = argc == 3 && !strcmp(argv[2], "--json");

	if (argc > 1)
		verb = argv[1];
	if (argc == 2 && !strcmp(argv[1], "nothing")) /* find_called() */
		return EX_DONE;
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(reports); i++)
		if (!strcmp(argv[1], reports[i].name)) {
			maps_open(&m);
			reports[i].print(&m);
			return fflush(stdout) ? EX_FAILED : EX_DONE;
		}
	if (argc < 2 || argc > 3 ||
	    (strcmp(argv[1], "list") && strcmp(argv[1], "policies")) ||
	    (argc == 3 && !json))
		die(EX_USE,
		    "usage: dump list|policies [--json] | state | metrics | called | needs | observing");
	maps_open(&m);
	read_all(&m);
	if (!strcmp(argv[1], "policies"))
		json ? policies_json() : policies_table();
	else
		json ? list_json() : list_table();
	if (fflush(stdout) || ferror(stdout))
		die(EX_FAILED, "writing the output failed");
	return EX_DONE;
}

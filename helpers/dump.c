// SPDX-License-Identifier: GPL-2.0-only
/*
 * dump: print the rules in force, from the pinned maps.
 *
 *   dump list            aligned table
 *   dump list --json     one JSON array
 *   dump state           one JSON object: counts, capacities, counters, and
 *                        which backends count an exec made now
 *   dump called          those backends, one a line
 *   dump needs           the operations that rules name, and `subject` when
 *                        programs are subjects of some, one a line
 *
 * Statuses: cotter.h.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "cotter.h"

struct listed {
	struct rule rule;
	__u64 hits;
	char *object, *reason;
};

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

	for (__u32 n = 0; n < m->s.segments; n++) {
		segment_read(m, n, seg);
		for (__u32 i = 0; i < SEGMENT_RULES; i++) {
			const struct rule *r = &seg->rule[i];
			struct listed *l;

			if (!rule_in_force(r, m->s.gen))
				continue;
			if (listed_count == room) {
				room = room ? 2 * room : 64;
				listed = xrealloc(listed, room, sizeof(*listed));
			}
			l = &listed[listed_count++];
			*l = (struct listed){ .rule = *r, .hits = seg->hits[i] };
			l->object = xcalloc(1, r->path_len + 1u);
			l->reason = xcalloc(1, r->reason_len + 1u);
		}
	}
	free(seg);
	if (listed_count)
		qsort(listed, listed_count, sizeof(*listed), by_id);
}

/* Put one part of a text where it belongs; parts come in any order. */
static void place_text(const void *k, const void *v, void *arg)
{
	const struct text_key *key = k;
	struct listed want = { .rule.id = key->id }, *l;
	size_t at = (size_t)key->part * TEXT_PART, len;
	char *to;

	(void)arg;
	l = bsearch(&want, listed, listed_count, sizeof(*listed), by_id);
	if (!l)
		return;
	to = key->what == TEXT_OBJECT ? l->object : l->reason;
	len = key->what == TEXT_OBJECT ? l->rule.path_len : l->rule.reason_len;
	if (at < len)
		memcpy(to + at, v, len - at < TEXT_PART ? len - at : TEXT_PART);
}

static void print_kinds(FILE *to, __u32 kinds, const char *quote, const char *comma)
{
	static const char *const names[] = {
		[KIND_INODE] = "inode", [KIND_NAME] = "name", [KIND_TREE] = "tree"
	};
	const char *sep = "";

	/* The name first: it is what the operator typed. */
	static const int order[] = { KIND_NAME, KIND_INODE, KIND_TREE };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (kinds & KIND_BIT(order[i])) {
			fprintf(to, "%s%s%s%s", sep, quote, names[order[i]], quote);
			sep = comma;
		}
}

static void print_json_text(const char *key, const char *s, size_t len)
{
	printf(",\"%s\":", key);
	if (print_json(stdout, s, len))
		return;
	printf(",\"%s_hex\":\"", key);
	for (size_t i = 0; i < len; i++)
		printf("%02x", (unsigned char)s[i]);
	putchar('"');
}

static void print_time(__u64 ns)
{
	time_t s = ns / 1000000000u;
	struct tm tm;
	char text[32];

	gmtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf(",\"created\":\"%s\"", text);
}

static void list_json(void)
{
	putchar('[');
	for (size_t i = 0; i < listed_count; i++) {
		const struct listed *l = &listed[i];

		printf("%s{\"id\":%u,\"op\":[\"", i ? ",\n " : "", l->rule.id);
		print_ops(stdout, l->rule.ops);
		printf("\"]");
		print_json_text("object", l->object, l->rule.path_len);
		printf(",\"kinds\":[");
		print_kinds(stdout, l->rule.kinds, "\"", ",");
		printf("],\"action\":\"%s\",\"errno\":%u,\"hits\":%llu",
		       action_names[l->rule.action & 3], l->rule.error, l->hits);
		print_json_text("reason", l->reason, l->rule.reason_len);
		print_time(l->rule.created);
		putchar('}');
	}
	puts("]");
}

/* Quoted text and its length, for the width of a column. */
static char *quoted(const char *s, size_t len)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		die(EX_FAILED, "out of memory");
	print_quoted(f, s, len);
	fclose(f);
	return text;
}

static void list_table(void)
{
	size_t width = strlen("OBJECT"), len;

	for (size_t i = 0; i < listed_count; i++) {
		struct listed *l = &listed[i];
		char *text = quoted(l->object, l->rule.path_len);

		free(l->object);
		l->object = text;
		len = strlen(text);
		if (len > width)
			width = len < 60 ? len : 60;
	}
	printf("%-6s %-6s %-6s %8s  %-11s %-*s %s\n", "ID", "OP", "ACTION", "HITS",
	       "IDENTITY", (int)width, "OBJECT", "REASON");
	for (size_t i = 0; i < listed_count; i++) {
		const struct listed *l = &listed[i];
		char kinds[32] = "", ops[256] = "";
		FILE *k = fmemopen(kinds, sizeof(kinds), "w");
		FILE *o = fmemopen(ops, sizeof(ops), "w");

		if (!k || !o)
			die(EX_FAILED, "out of memory");
		print_kinds(k, l->rule.kinds, "", ",");
		print_ops(o, l->rule.ops);
		fclose(k);
		fclose(o);
		printf("%-6u %-6s %-6s %8llu  %-11s ", l->rule.id, ops,
		       action_names[l->rule.action & 3], l->hits, kinds);
		if (l->rule.reason_len) {
			printf("%-*s ", (int)width, l->object);
			print_quoted(stdout, l->reason, l->rule.reason_len);
			putchar('\n');
		} else {
			puts(l->object);
		}
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

/* Kernel memory of a map in bytes, as its fdinfo says. */
static __u64 map_memory(int fd)
{
	char path[64], line[128];
	__u64 bytes = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	if (f)
		fclose(f);
	return bytes;
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

/* Kernel memory of all our maps. */
static __u64 memory(const struct maps *m)
{
	const int fds[] = {
		m->hot, m->filter, m->stats, m->state, m->objects, m->texts
	};
	static const char *const others[] = { "maps/state",  "maps/objects",
					      "maps/texts",  "maps/subjects",
					      "maps/labels", "maps/tasks" };
	__u64 bytes = segments_memory(m->rules, m->s.segments) +
		      segments_memory(m->hits, m->s.segments);

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
 * switched off show in nothing else.
 */
static void find_called(const struct maps *m, bool called[ARRAY_SIZE(backends)])
{
	char *argv[] = { "dump", "nothing", NULL }, *env[] = { NULL };
	__u64 before[ARRAY_SIZE(backends)];
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
}

static void print_called(const struct maps *m)
{
	bool called[ARRAY_SIZE(backends)];

	find_called(m, called);
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		if (called[i])
			puts(backends[i]);
}

/* Is it one operation, not a name for several? */
static bool single(const struct op_name *name)
{
	return !(name->ops & (name->ops - 1));
}

/* Like `hot` itself, this may name more than is needed, never less. */
static void print_needs(const struct maps *m)
{
	for (size_t i = 0; i < op_names_count; i++)
		if (single(&op_names[i]) && m->h.ops & op_names[i].ops)
			puts(op_names[i].name);
	if (m->h.labels)
		puts("subject");
}

/* Subjects of one sort that are in use. */
static int labels_used(int fd, __u32 sort)
{
	struct label label;
	int n = 0;

	for (__u32 bit = 0; bit < LABELS; bit++) {
		__u32 index = sort * LABELS + bit;

		n += !map_lookup(fd, &index, &label) && label.refs;
	}
	return n;
}

static void state_json(const struct maps *m)
{
	const struct state *s = &m->s;
	bool called[ARRAY_SIZE(backends)];
	const char *comma = "";
	int labels = pin_open("maps/labels");

	find_called(m, called);
	printf("{\"abi\":%u,\"generation\":%llu,\"interrupted\":%s,"
	       "\"rules\":{\"in_force\":%u,\"limit\":%u,\"segments\":%u,\"segment_rules\":%d},"
	       "\"objects\":{\"used\":%u,\"capacity\":%u},"
	       "\"texts\":{\"used\":%u,\"capacity\":%u},"
	       "\"subjects\":{\"programs\":%d,\"users\":%d,\"limit\":%d},"
	       "\"second_layer_alone\":%s,\"called\":{",
	       s->abi, s->gen, m->h.dirty ? "true" : "false", s->rules, s->max_rules,
	       s->segments, SEGMENT_RULES, s->objects, s->objects_max, s->texts,
	       s->texts_max, labels_used(labels, SORT_PROGRAM),
	       labels_used(labels, SORT_USER), LABELS,
	       m->h.flags & HOT_SECOND_ONLY ? "true" : "false");
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		printf("%s\"%s\":%s", i ? "," : "", backends[i],
		       called[i] ? "true" : "false");
	printf("},\"counters\":{\"calls\":{");
	for (__u32 i = 0; i < ARRAY_SIZE(backends); i++)
		printf("%s\"%s\":%llu", i ? "," : "", backends[i],
		       stat_sum(m, STAT_CALLS + i));
	printf("},\"signal_refused\":%llu,\"torn\":%llu,\"too_deep\":%llu,"
	       "\"unreadable\":%llu,\"unlabelled\":%llu},\"memory\":%llu,\"operations\":{",
	       stat_sum(m, STAT_UNSIGNALLED), stat_sum(m, STAT_TORN),
	       stat_sum(m, STAT_DEEP), stat_sum(m, STAT_UNREADABLE),
	       stat_sum(m, STAT_UNLABELLED), memory(m));
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
	puts("}}");
	if (labels >= 0)
		close(labels);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(const struct maps *m);
	} reports[] = {
		{ "state", state_json },
		{ "called", print_called },
		{ "needs", print_needs },
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
	if (argc < 2 || argc > 3 || strcmp(argv[1], "list") || (argc == 3 && !json))
		die(EX_USE, "usage: dump list [--json] | state | called | needs");
	maps_open(&m);
	read_rules(&m);
	map_each(m.texts, sizeof(struct text_key), TEXT_PART, m.s.texts_max, place_text,
		 NULL);
	if (json)
		list_json();
	else
		list_table();
	if (fflush(stdout) || ferror(stdout))
		die(EX_FAILED, "writing the output failed");
	return EX_DONE;
}

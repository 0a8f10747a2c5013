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
	/* no list, no base to search from */
	l = !listed_count
		    ? NULL
		    : bsearch(&want, listed, listed_count, sizeof(*listed), by_id);
	if (!l)
		return;
	if (key->what != TEXT_OBJECT && key->what != TEXT_REASON)
		return;
	to = key->what == TEXT_OBJECT ? l->object : l->reason;
	len = key->what == TEXT_OBJECT ? l->rule.path_len : l->rule.reason_len;
	if (at < len)
		memcpy(to + at, v, len - at < TEXT_PART ? len - at : TEXT_PART);
}

static struct label labels[SUBJECT_SORTS * LABELS];

static void place_label(const void *key, const void *value, void *arg)
{
	(void)arg;
	memcpy(&labels[*(const __u32 *)key], value, sizeof(labels[0]));
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

static void json_kinds(__u32 kinds)
{
	static const char *const names[KINDS] = { [KIND_NAME] = "name",
						  [KIND_INODE] = "inode",
						  [KIND_TREE] = "tree",
						  [KIND_FSPATH] = "fspath",
						  [KIND_ABOVE] = "above" };
	static const int order[] = { KIND_NAME, KIND_INODE, KIND_TREE, KIND_FSPATH,
				     KIND_ABOVE };
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (kinds & KIND_BIT(order[i])) {
			printf("%s\"%s\"", comma, names[order[i]]);
			comma = ",";
		}
}

/* Print `"name":{"exe":[...],"uid":[...]}`. */
static void json_subjects(const char *name, const __u64 sets[SUBJECT_SORTS])
{
	const char *comma = "";

	printf(",\"%s\":{\"exe\":[", name);
	for (__u64 bits = sets[SORT_PROGRAM]; bits; bits &= bits - 1) {
		const struct label *l = &labels[__builtin_ctzll(bits)];

		fputs(comma, stdout);
		print_json(stdout, l->path, l->path_len);
		comma = ",";
	}
	printf("],\"uid\":[");
	comma = "";
	for (__u64 bits = sets[SORT_USER]; bits; bits &= bits - 1) {
		printf("%s%u", comma, labels[LABELS + __builtin_ctzll(bits)].uid);
		comma = ",";
	}
	printf("]}");
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
		const struct rule *r = &l->rule;
		__u32 flags = rule_label_flags(r, labels);

		printf("%s{\"id\":%u,\"op\":[", i ? ",\n " : "", r->id);
		json_ops(r->ops);
		printf("]");
		print_json_text("object", l->object, r->path_len);
		printf(",\"kinds\":[");
		json_kinds(r->kinds);
		printf("],\"action\":\"%s\",\"errno\":%u,\"hits\":%llu",
		       action_names[r->action & 3], r->error, l->hits);
		json_subjects("only", r->only);
		json_subjects("unless", r->except);
		printf(",\"sticky\":%s,\"scripts\":%s",
		       flags & LABEL_STICKY ? "true" : "false",
		       flags & LABEL_SCRIPTS ? "true" : "false");
		print_json_text("reason", l->reason, r->reason_len);
		print_time(r->created);
		putchar('}');
	}
	puts("]");
}

/* Columns of the table. One is as wide as its longest cell, up to WIDEST. */
enum { ID, OP, ACTION, HITS, IDENTITY, OBJECT, SUBJECTS, REASON, COLUMNS };
#define WIDEST 60

static void print_cell(FILE *f, const struct listed *l, int column)
{
	const struct rule *r = &l->rule;

	switch (column) {
	case ID: fprintf(f, "%u", r->id); break;
	case OP: print_ops(f, r->ops); break;
	case ACTION: fputs(action_names[r->action & 3], f); break;
	case HITS: fprintf(f, "%llu", l->hits); break;
	case IDENTITY: print_kinds(f, r->kinds, ","); break;
	case OBJECT: print_quoted(f, l->object, r->path_len); break;
	case SUBJECTS: print_subjects(f, r, labels); break;
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

static void list_table(void)
{
	static const char *const heads[COLUMNS] = { "ID",	"OP",	    "ACTION",
						    "HITS",	"IDENTITY", "OBJECT",
						    "SUBJECTS", "REASON" };
	int width[COLUMNS];

	for (int c = 0; c < COLUMNS; c++) {
		width[c] = c == SUBJECTS ? 0 : strlen(heads[c]);
		for (size_t i = 0; i < listed_count && width[c] < WIDEST; i++) {
			int len = strlen(cell(&listed[i], c));

			if (len > width[c])
				width[c] = len < WIDEST ? len : WIDEST;
		}
	}
	/* No rule is about certain programs or users: no such column. */
	if (width[SUBJECTS] && width[SUBJECTS] < (int)strlen(heads[SUBJECTS]))
		width[SUBJECTS] = strlen(heads[SUBJECTS]);
	for (size_t i = 0; i <= listed_count; i++) {
		int pad = 0; /* of the cells before: none at a line's end */

		for (int c = 0; c < COLUMNS; c++) {
			const char *text = i ? cell(&listed[i - 1], c) : heads[c];
			int len = strlen(text);

			if (c == SUBJECTS && !width[c])
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
	map_each(m.labels, sizeof(__u32), sizeof(struct label), ARRAY_SIZE(labels),
		 place_label, NULL);
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

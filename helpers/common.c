// SPDX-License-Identifier: GPL-2.0-only
/* common.c: see cotter.h. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/bpf.h>
#include "cotter.h"

const char *verb = "cotter";
bool quiet;
int failure = EX_FAILED;
const char *context;
const char *pin_root = PIN_ROOT;
void (*on_death)(void);

const struct op_name op_names[] = {
	{ "exec", OP_EXEC },	   { "read", OP_READ },	      { "write", OP_WRITE },
	{ "create", OP_CREATE },   { "delete", OP_DELETE },   { "rename", OP_RENAME },
	{ "link", OP_LINK },	   { "setattr", OP_SETATTR }, { "syscall", OP_SYSCALL },
	{ "mapexec", OP_MAPEXEC },
};
const size_t op_names_count = ARRAY_SIZE(op_names);

const struct class_name class_names[CLASSES - 1] = {
	{ "memfd:", CLASS_MEMFD, OP_EXEC | OP_MAPEXEC },
	{ "unlinked:", CLASS_UNLINKED, OP_EXEC | OP_MAPEXEC },
	{ "anon:", CLASS_ANON, OP_MAPEXEC },
	{ "blockdev:", CLASS_BLOCKDEV, OP_READ | OP_WRITE },
};

const struct class_name *class_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(class_names); i++)
		if (!strcmp(name, class_names[i].name))
			return &class_names[i];
	return NULL;
}
const char *const action_names[4] = { "none", "audit", "deny", "kill" };
const char *const record_kinds[RECORD_KINDS] = {
	[RECORD_EXEC] = "exec",	    [RECORD_EXIT] = "exit",
	[RECORD_OPEN] = "open",	    [RECORD_CREATE] = "create",
	[RECORD_DELETE] = "delete", [RECORD_RENAME] = "rename",
};
const char *const identity_names[KINDS] = {
	[KIND_INODE] = "inode", [KIND_NAME] = "name",	  [KIND_TREE] = "tree",
	[KIND_ABOVE] = "above", [KIND_FSPATH] = "fspath", [KIND_CALL] = "call",
	[KIND_CLASS] = "class", [KIND_DIGEST] = "digest",
};

static void message(const char *format, va_list args)
{
	fprintf(stderr, "%s: ", verb);
	if (context)
		fprintf(stderr, "%s: ", context);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void die(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(format, args);
	va_end(args);
	if (on_death)
		on_death();
	/* What a file says is no usage of the command. */
	if (context && status == EX_USE)
		status = EX_FAILED;
	exit(status == EX_FAILED ? failure : status);
}

void warn(const char *format, ...)
{
	va_list args;

	if (quiet)
		return;
	va_start(args, format);
	message(format, args);
	va_end(args);
}

void *xrealloc(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n ? n : 1, size);
	if (!p)
		die(EX_FAILED, "out of memory");
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		die(EX_FAILED, "out of memory");
	return p;
}

/* Length of the UTF-8 sequence at s, 0 when it is none. */
static size_t utf8_len(const unsigned char *s, size_t len)
{
	uint32_t c;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || n > len)
		return 0;
	c = s[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if ((n == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
	    (n == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	return n;
}

bool is_utf8(const char *s, size_t len)
{
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = utf8_len((const unsigned char *)s + i, len - i);
		if (!n)
			return false;
	}
	return true;
}

/* Length of the character at s that can be shown as it is, else 0. */
static size_t shown_len(const char *s, size_t len)
{
	unsigned char c = s[0];
	size_t n = utf8_len((const unsigned char *)s, len);

	/*
	 * 0xc2 begins U+0080..U+00BF, the C1 control characters among them;
	 * 0xe2 0x80 and 0x81 begin U+2000..U+207F, the marks that turn the
	 * direction of writing around among them.
	 */
	if (c == 0xe2 && n == 3 && ((unsigned char)s[1] & 0xfe) == 0x80)
		return 0;
	return c < 0x20 || c == 0x7f || c == 0xc2 ? 0 : n;
}

void print_quoted(FILE *to, const char *s, size_t len)
{
	bool bare = len > 0, plain = len > 0;
	size_t n;

	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = shown_len(s + i, len - i);
		bare = bare &&
		       (isalnum((unsigned char)s[i]) || strchr("/._-+:@%,=", s[i]));
		plain = plain && n && s[i] != '\'' && s[i] != '\\';
	}
	if (bare || plain) {
		const char *quote = bare ? "" : "'";

		fputs(quote, to);
		fwrite(s, 1, len, to);
		fputs(quote, to);
		return;
	}
	fputs("$'", to);
	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = shown_len(s + i, len - i);
		if (s[i] == '\'' || s[i] == '\\')
			fprintf(to, "\\%c", s[i]);
		else if (s[i] == '\n')
			fputs("\\n", to);
		else if (!n)
			fprintf(to, "\\x%02x", (unsigned char)s[i]);
		else
			fwrite(s + i, 1, n, to);
	}
	fputc('\'', to);
}

bool print_json(FILE *to, const char *s, size_t len)
{
	bool valid = true;
	size_t plain = 0; /* bytes before s[i] that are printed as they are */

	putc_unlocked('"', to);
	for (size_t i = 0; i < len;) {
		unsigned char c = s[i];
		size_t n;

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			plain++;
			i++;
			continue;
		}
		n = utf8_len((const unsigned char *)s + i, len - i);
		if (n > 1) {
			plain += n;
			i += n;
			continue;
		}
		fwrite_unlocked(s + i - plain, 1, plain, to);
		plain = 0;
		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (n == 1)
			fprintf(to, "\\u%04x", c);
		else
			fputs("\xef\xbf\xbd", to), valid = false;
		i++;
	}
	if (plain)
		fwrite_unlocked(s + len - plain, 1, plain, to);
	putc_unlocked('"', to);
	return valid;
}

void print_ops(FILE *to, __u32 ops)
{
	const char *comma = "";

	for (size_t i = 0; i < op_names_count; i++) {
		const char *name = op_names[i].name;

		if (!(ops & op_names[i].ops))
			continue;
		if ((ops & OP_MODIFY) == OP_MODIFY && op_names[i].ops & OP_MODIFY) {
			/* all of it, at the place of the first */
			if (op_names[i].ops != OP_WRITE)
				continue;
			name = MODIFY_NAME;
		}
		fprintf(to, "%s%s", comma, name);
		comma = ",";
	}
}

void print_kinds(FILE *to, __u32 kinds, const char *comma, const char *quote)
{
	static const __u8 order[] = { KIND_NAME,  KIND_INODE, KIND_TREE,  KIND_FSPATH,
				      KIND_ABOVE, KIND_CALL,  KIND_CLASS, KIND_DIGEST };
	const char *sep = "";

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (kinds & KIND_BIT(order[i])) {
			fprintf(to, "%s%s%s%s", sep, quote, identity_names[order[i]],
				quote);
			sep = comma;
		}
}

bool rule_has_subjects(const struct rule *r)
{
	__u64 any = 0;

	for (int sort = 0; sort < SUBJECT_SORTS; sort++)
		any |= r->only[sort] | r->except[sort];
	return any;
}

__u32 rule_label_flags(const struct rule *r, const struct label *labels)
{
	__u64 bits = r->only[SORT_PROGRAM] | r->except[SORT_PROGRAM] |
		     r->only[SORT_PARENT] | r->except[SORT_PARENT];
	__u32 flags = 0;

	for (; bits; bits &= bits - 1)
		flags |= labels[__builtin_ctzll(bits)].flags;
	return flags;
}

static void print_label_path(FILE *to, const struct label *l)
{
	if (l->path_len)
		print_quoted(to, l->path, l->path_len);
}

static void print_subject_list(FILE *to, const __u64 sets[SUBJECT_SORTS],
			       const struct label *labels)
{
	const char *sep = " ";

	for (int sort = 0; sort < SUBJECT_SORTS; sort++)
		for (__u64 bits = sets[sort]; bits; bits &= bits - 1) {
			const struct label *l =
				&labels[label_index(sort, __builtin_ctzll(bits))];

			fputs(sep, to);
			if (sort == SORT_PARENT)
				fputs("parent ", to);
			if (l->kinds & KIND_BIT(KIND_USER))
				fprintf(to, "uid %u", l->number);
			else if (l->kinds & KIND_BIT(KIND_GROUP))
				fprintf(to, "gid %u", l->number);
			else if (l->kinds & KIND_BIT(KIND_CONTAINER))
				fputs("container", to);
			else if (l->kinds & KIND_BIT(KIND_CGROUP))
				fputs("cgroup ", to);
			print_label_path(to, l);
			sep = ", ";
		}
}

void print_subjects(FILE *to, const struct rule *r, const struct label *labels)
{
	static const __u64 nobody[SUBJECT_SORTS];
	bool only = memcmp(r->only, nobody, sizeof(nobody));
	bool except = memcmp(r->except, nobody, sizeof(nobody));
	__u32 flags = rule_label_flags(r, labels);

	if (only) {
		fputs("only", to);
		print_subject_list(to, r->only, labels);
	}
	if (except) {
		fputs(only ? "; unless" : "unless", to);
		print_subject_list(to, r->except, labels);
	}
	if (flags & LABEL_STICKY)
		fputs("; sticky", to);
	if (flags & LABEL_SCRIPTS)
		fputs("; scripts", to);
}

__u64 clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int bpf(int cmd, union bpf_attr *attr, size_t size)
{
	return syscall(SYS_bpf, cmd, attr, size);
}

int pin_open(const char *name)
{
	union bpf_attr attr = {};
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", pin_root, name);
	attr.pathname = (uintptr_t)path;
	/* To read is all we do with a map, and all that a seal lets us do. */
	attr.file_flags = BPF_F_RDONLY;
	fd = bpf(BPF_OBJ_GET, &attr, sizeof(attr));
	if (fd >= 0 || errno != EINVAL)
		return fd;
	attr.file_flags = 0; /* a link cannot be opened so */
	return bpf(BPF_OBJ_GET, &attr, sizeof(attr));
}

int map_lookup(int fd, const void *key, void *value)
{
	union bpf_attr attr = {
		.map_fd = fd,
		.key = (uintptr_t)key,
		.value = (uintptr_t)value,
	};

	return bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
}

int inner_open(int outer, __u32 index, __u32 *id)
{
	union bpf_attr attr = {};

	if (map_lookup(outer, &index, id))
		return -1;
	attr.map_id = *id;
	attr.open_flags = BPF_F_RDONLY;
	return bpf(BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));
}

int program_run(int fd, void *arg, size_t size)
{
	union bpf_attr attr = {};

	attr.test.prog_fd = fd;
	attr.test.ctx_in = (uintptr_t)arg;
	attr.test.ctx_size_in = size;
	return bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr));
}

#define BATCH 4096

void map_each(int fd, size_t key_size, size_t value_size, __u32 max,
	      void (*each)(const void *key, const void *value, void *arg), void *arg)
{
	__u32 batch = max < BATCH ? max : BATCH;
	char *keys = xcalloc(batch, key_size), *values = xcalloc(batch, value_size);
	__u64 place[4] = {}; /* the kernel's, at least as long as a key */
	bool first = true, last = false;

	while (!last) {
		union bpf_attr attr = {};

		attr.batch.map_fd = fd;
		attr.batch.in_batch = first ? 0 : (uintptr_t)place;
		attr.batch.out_batch = (uintptr_t)place;
		attr.batch.keys = (uintptr_t)keys;
		attr.batch.values = (uintptr_t)values;
		attr.batch.count = batch;
		if (bpf(BPF_MAP_LOOKUP_BATCH, &attr, sizeof(attr))) {
			/* ENOSPC: a hash bucket is longer than the batch */
			if (errno == ENOSPC && batch < (1u << 24)) {
				batch *= 2;
				keys = xrealloc(keys, batch, key_size);
				values = xrealloc(values, batch, value_size);
				continue;
			}
			if (errno != ENOENT)
				die(EX_FAILED, "reading a map failed: %s",
				    strerror(errno));
			last = true;
		}
		for (__u32 i = 0; i < attr.batch.count; i++)
			each(keys + i * key_size, values + i * value_size, arg);
		first = false;
	}
	free(keys);
	free(values);
}

/* Number of CPUs whose counters a per-CPU map has, from "0-3" and the like. */
static int possible_cpus(void)
{
	FILE *f = fopen("/sys/devices/system/cpu/possible", "re");
	int from, to, n, last = -1;

	while (f && (n = fscanf(f, "%d-%d", &from, &to)) > 0) {
		last = n == 2 ? to : from;
		if (fgetc(f) != ',')
			break;
	}
	if (f)
		fclose(f);
	if (last < 0)
		die(EX_FAILED, "/sys/devices/system/cpu/possible cannot be read");
	return last + 1;
}

static int must_open(const char *name)
{
	int fd = pin_open(name);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		die(EX_NOT_LOADED, "not loaded: run scripts/load first");
	if (errno == EPERM || errno == EACCES)
		die(EX_NO_PERMISSION, "no permission: run as root");
	die(EX_FAILED, PIN_ROOT "/%s: %s", name, strerror(errno));
}

static int must_inner(const char *name, __u32 *id)
{
	int outer = must_open(name), inner = inner_open(outer, 0, id);

	if (inner < 0 && errno == ENOENT)
		die(EX_NOT_LOADED, "a load was cut off: run scripts/load again");
	if (inner < 0)
		die(EX_FAILED, PIN_ROOT "/%s: %s", name, strerror(errno));
	close(outer);
	return inner;
}

void maps_open(struct maps *m)
{
	__u32 zero = 0;

	m->state = must_open("maps/state");
	m->hot = must_open("maps/hot");
	if (map_lookup(m->hot, &zero, &m->h) ||
	    map_lookup(m->state, &m->h.state, &m->s))
		die(EX_FAILED, "reading the state failed: %s", strerror(errno));
	if (!m->s.abi)
		die(EX_NOT_LOADED, "a load was cut off: run scripts/load again");
	/* Up to layout 6 it was a map of maps, of which the id of one is all that can be read. */
	if (m->s.abi != COTTER_ABI || !m->s.next_id)
		die(EX_FAILED,
		    "what is loaded has another layout than this, %u: see scripts/load --upgrade",
		    COTTER_ABI);
	m->filter = must_open("maps/filter");
	m->stats = must_open("maps/stats");
	m->labels = must_open("maps/labels");
	m->subjects = must_open("maps/subjects");
	m->calls = must_open("maps/calls");
	m->rules = must_open("maps/rules");
	m->hits = must_open("maps/hits");
	m->rates = must_open("maps/rates");
	m->objects = must_inner("maps/objects", &m->objects_id);
	m->texts = must_inner("maps/texts", &m->texts_id);
	m->cpus = possible_cpus();
}

static void label_place(const void *key, const void *value, void *arg)
{
	struct label *l = (struct label *)arg + *(const __u32 *)key;

	memcpy(l, value, sizeof(*l));
	if (l->path_len >= LABEL_PATH)
		l->path_len = 0;
	l->path[LABEL_PATH - 1] = 0;
}

void labels_read(const struct maps *m, struct label *labels)
{
	map_each(m->labels, sizeof(__u32), sizeof(struct label), LABEL_SORTS * LABELS,
		 label_place, labels);
}

static void segment_rule(const void *key, const void *value, void *arg)
{
	struct segment *seg = arg;

	memcpy(&seg->rule[*(const __u32 *)key], value, sizeof(struct rule));
}

static void segment_rate(const void *key, const void *value, void *arg)
{
	struct segment *seg = arg;

	memcpy(&seg->rate[*(const __u32 *)key], value, sizeof(struct rate));
}

void segment_read(const struct maps *m, __u32 n, struct segment *seg, bool counts)
{
	__u64 *per_cpu = xcalloc(m->cpus, sizeof(*per_cpu));
	int rules = inner_open(m->rules, n, &seg->rules_id);
	int hits = inner_open(m->hits, n, &seg->hits_id);
	int rates = inner_open(m->rates, n, &seg->rates_id);

	if (rules < 0 || hits < 0 || rates < 0)
		die(EX_FAILED, "segment %u of the rules: %s", n, strerror(errno));
	map_each(rules, sizeof(__u32), sizeof(struct rule), SEGMENT_RULES, segment_rule,
		 seg);
	if (counts) {
		map_each(rates, sizeof(__u32), sizeof(struct rate), SEGMENT_RULES,
			 segment_rate, seg);
		memset(seg->hits, 0, sizeof(seg->hits));
	}
	for (__u32 i = 0; counts && i < SEGMENT_RULES; i++) {
		if (!seg->rule[i].born || map_lookup(hits, &i, per_cpu))
			continue;
		for (int cpu = 0; cpu < m->cpus; cpu++)
			seg->hits[i] += per_cpu[cpu];
	}
	close(rules);
	close(hits);
	close(rates);
	free(per_cpu);
}

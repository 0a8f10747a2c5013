// SPDX-License-Identifier: GPL-2.0-only
/*
 * encode: turn a wish ("deny these objects", "allow them again") into lines
 * for `bpftool batch`, from what the maps hold now.
 *
 *   encode deny  [--ops OP,...] [--action A] [--errno N] [--reason TEXT]
 *                [--force] [--stdin] [--null] [--own DIR] -- [OBJECT...]
 *   encode allow [--ops OP,...] [--id N] [--all] [--stdin] [--null] -- [OBJECT...]
 *   encode init  [--max-rules N]
 *   encode layers [--second-only]
 *   encode recover     (no lines when the last batch was whole)
 *
 * The batch goes to stdout, a report for the operator to descriptor 3. All
 * input is checked before the first line is written. Nothing is written to
 * any map here: it is a filter, and what it says can be read before it runs.
 *
 * The lines are in this order, so that a batch that is cut off anywhere leaves
 * the rules that were in force, in force, and no others:
 *   1. hot: more operations and kinds than needed is slow, less would be open
 *   2. room: new segments, bigger maps filled with all there is
 *   3. filter bits, rules born in the next generation, texts, object entries
 *   4. ends of the rules that go
 *   5. state: the commit
 *   6. what is no longer needed is taken out
 *   7. hot, exact again, not dirty
 * After a cut, `recover` comes before any other batch.
 *
 * Statuses: cotter.h. To be run under the lock of scripts/lib.sh.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>
#include "cotter.h"

#define PIN_MAPS "pinned " PIN_ROOT "/maps/"
#define PIN_NEW PIN_ROOT "/new/"

static struct maps m;
static struct state next; /* the state after the commit */
static int identify_fd = -1;
static FILE *report;

/* --- lines of the batch --- */

static void hex(const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = bytes;
	char text[3] = " ";

	for (size_t i = 0; i < n; i++) {
		text[1] = digits[b[i] >> 4];
		text[2] = digits[b[i] & 15];
		fwrite(text, 1, 3, stdout);
	}
}

static void line_update(const char *map, const void *key, size_t key_size,
			const void *value, size_t value_size)
{
	printf("map update %s key hex", map);
	hex(key, key_size);
	fputs(" value hex", stdout);
	hex(value, value_size);
	putchar('\n');
}

static void line_delete(const char *map, const void *key, size_t key_size)
{
	printf("map delete %s key hex", map);
	hex(key, key_size);
	putchar('\n');
}

/* Make a map and pin it in the folder for what is not yet in its place. */
static void line_create(const char *name, unsigned int number, const char *type,
			size_t key, size_t value, __u32 entries, int flags)
{
	printf("map create " PIN_NEW
	       "%s%u type %s key %zu value %zu entries %u name %s flags %d\n",
	       name, number, type, key, value, entries, name, flags);
}

static void line_insert(const char *outer, __u32 index, const char *name,
			unsigned int number)
{
	printf("map update " PIN_MAPS "%s key hex", outer);
	hex(&index, sizeof(index));
	printf(" value pinned " PIN_NEW "%s%u\n", name, number);
}

static void line_hot(const struct hot *h)
{
	__u32 zero = 0;

	line_update(PIN_MAPS "hot", &zero, sizeof(zero), h, sizeof(*h));
}

/* --- maps as they will be when the lines so far have run --- */

/* How bpftool names the inner maps: by id, or by pin when made in this batch. */
static char objects_map[96], texts_map[96];
static unsigned int made; /* numbers the pins of this batch */

struct cached {
	struct segment seg;
	char rules[64], hits[64];
};
static struct cached *segments[SEGMENTS];

static struct cached *segment(__u32 n)
{
	struct cached *c = segments[n];

	if (c)
		return c;
	c = segments[n] = xcalloc(1, sizeof(*c));
	if (n < m.s.segments) {
		segment_read(&m, n, &c->seg);
		snprintf(c->rules, sizeof(c->rules), "id %u", c->seg.rules_id);
		snprintf(c->hits, sizeof(c->hits), "id %u", c->seg.hits_id);
	} /* else lines_room() names what this batch makes */
	return c;
}

static struct rule *rule_at(__u32 slot)
{
	return &segment(slot / SEGMENT_RULES)->seg.rule[slot % SEGMENT_RULES];
}

static void line_rule(__u32 slot)
{
	__u32 index = slot % SEGMENT_RULES;

	line_update(segment(slot / SEGMENT_RULES)->rules, &index, sizeof(index),
		    rule_at(slot), sizeof(struct rule));
}

/* Entries of `objects` that this batch touches, in an open hash table. */
struct entry {
	struct object_key key;
	struct object_rules value;
	bool used, exists, changed;
};
static struct entry *entries;
static size_t entries_size, entries_used;

static struct entry *entry_place(const struct object_key *key)
{
	size_t i = object_check(key) & (entries_size - 1);

	while (entries[i].used && memcmp(&entries[i].key, key, sizeof(*key)))
		i = (i + 1) & (entries_size - 1);
	return &entries[i];
}

static void entries_grow(void)
{
	struct entry *old = entries;
	size_t n = entries_size;

	entries_size = n ? 2 * n : 1024;
	entries = xcalloc(entries_size, sizeof(*entries));
	for (size_t i = 0; i < n; i++)
		if (old[i].used)
			*entry_place(&old[i].key) = old[i];
	free(old);
}

static struct entry *entry(const struct object_key *key)
{
	struct entry *e;

	if (2 * entries_used >= entries_size)
		entries_grow();
	e = entry_place(key);
	if (e->used)
		return e;
	entries_used++;
	e->used = true;
	e->key = *key;
	e->exists = !map_lookup(m.objects, key, &e->value);
	if (!e->exists) {
		memset(&e->value, 0xff, sizeof(e->value));
		e->value.check = object_check(key);
	}
	return e;
}

static bool entry_add(struct entry *e, __u32 slot)
{
	for (int i = 0; i < OBJECT_RULES; i++)
		if (e->value.slot[i] == NO_RULE) {
			e->value.slot[i] = slot;
			e->changed = true;
			return true;
		}
	return false;
}

static void entry_remove(struct entry *e, __u32 slot)
{
	int from, to = 0;

	for (from = 0; from < OBJECT_RULES; from++)
		if (e->value.slot[from] != slot)
			e->value.slot[to++] = e->value.slot[from];
	while (to < OBJECT_RULES) {
		e->value.slot[to++] = NO_RULE;
		e->changed = true;
	}
}

/* Do all rules that an entry names end in this batch? */
static bool entry_goes(const struct entry *e)
{
	for (int i = 0; i < OBJECT_RULES && e->value.slot[i] != NO_RULE; i++)
		if (!rule_at(e->value.slot[i])->ending)
			return false;
	return true;
}

/* Keys of a rule, at most 2. Returns their number. */
static int rule_keys(const struct rule *r, struct object_key key[2])
{
	int n = 0;

	for (__u32 kind = KIND_INODE; kind <= KIND_TREE; kind++) {
		if (!(r->kinds & KIND_BIT(kind)))
			continue;
		memset(&key[n], 0, sizeof(key[n]));
		key[n].kind = kind;
		if (kind == KIND_NAME) {
			key[n].a = r->name[0];
			key[n].b = r->name[1];
		} else {
			key[n].dev = r->dev;
			key[n].a = r->ino;
			key[n].b = r->inode_gen;
		}
		n++;
	}
	return n;
}

/* --- objects as the operator names them --- */

struct object {
	char *text; /* canonical path, `/` behind a directory; what is listed */
	size_t len;
	__u32 kinds;
	__u32 dev, inode_gen;
	__u64 ino;
	__u64 name[2];
	__u64 leaf;   /* filter hash of the last component */
	dev_t st_dev; /* as stat(2) shows them, to compare with programs' */
	ino_t st_ino;
};

/* Hash a path as bpf/lib/object.h does, last component first. */
static void hash_path(const char *path, __u64 name[2], __u64 *leaf)
{
	const char *end = path + strlen(path), *start;
	bool last = true;
	struct sip sip;

	sip_init(&sip, m.h.key);
	for (; end > path; end = start - 1, last = false) {
		for (start = end; start > path && start[-1] != '/'; start--)
			;
		if (start == path)
			break;
		size_t len = end - start;
		__u64 filter = filter_name_start(len), word[4];

		sip_word(&sip, len);
		for (size_t at = 0; at < len; at += sizeof(word)) {
			size_t n = len - at < sizeof(word) ? len - at : sizeof(word);

			memset(word, 0, sizeof(word));
			memcpy(word, start + at, n);
			sip_chunk(&sip, word);
			filter = filter_name_chunk(filter, word);
		}
		if (last)
			*leaf = filter;
	}
	sip_end(&sip, name);
}

/* Print an object in a message. */
static const char *shown(const char *s, size_t len)
{
	static char *text;
	size_t size;
	FILE *f;

	free(text);
	f = open_memstream(&text, &size);
	if (!f)
		die(EX_FAILED, "out of memory");
	print_quoted(f, s, len);
	fclose(f);
	return text;
}

#define FAIL(word, ...) fail_object(word, __VA_ARGS__)
static void fail_object(const char *word, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));
static void fail_object(const char *word, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	die(EX_FAILED, "%s: %s", shown(word, strlen(word)), text);
}

/* Where a descriptor is, as the kernel prints it. NULL when it is too long. */
static char *path_of(int fd)
{
	char link[64], *path = xcalloc(PATH_LIMIT, 1);
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_LIMIT);
	if (n < 0 && errno != ENAMETOOLONG)
		die(EX_FAILED, "/proc/self/fd: %s: is /proc mounted?", strerror(errno));
	if (n < 0 || n >= PATH_LIMIT - 1) {
		free(path);
		return NULL;
	}
	path[n] = 0;
	return path;
}

static void identify(int fd, struct identify *id, const char *word)
{
	*id = (struct identify){ .fd = fd };
	if (identify_fd < 0)
		identify_fd = pin_open("core/identify");
	if (identify_fd < 0 || program_run(identify_fd, id, sizeof(*id)))
		FAIL(word, "the kernel did not identify it: %s", strerror(errno));
	if (id->error)
		FAIL(word, "the kernel did not identify it: %s", strerror(id->error));
}

/*
 * The canonical path of a file that does not exist: that of the deepest
 * directory that does, and the rest as given.
 */
static char *missing_path(const char *word)
{
	char *dir = strdup(word), *rest = NULL, *path, *base, *slash;
	size_t len;
	int fd;

	if (!dir)
		die(EX_FAILED, "out of memory");
	do {
		slash = strrchr(dir, '/');
		/* An absolute path ends at `/`, a relative one at `.`. */
		if (slash)
			slash[slash == dir] = 0;
		fd = open(slash ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && (errno != ENOENT || !slash))
			FAIL(word, "%s", strerror(errno));
	} while (fd < 0);
	rest = strdup(slash ? word + strlen(dir) : word);
	if (!rest)
		die(EX_FAILED, "out of memory");
	base = path_of(fd);
	close(fd);
	if (!base)
		FAIL(word,
		     "its path is longer than %d bytes and there is no file to take the inode of",
		     PATH_LIMIT - 1);
	len = strlen(base) + 1 + strlen(rest) + 1;
	path = xcalloc(len, 1);
	snprintf(path, len, "%s", strcmp(base, "/") ? base : "");
	for (char *part = strtok(rest, "/"); part; part = strtok(NULL, "/")) {
		if (!strcmp(part, "."))
			continue;
		if (!strcmp(part, ".."))
			FAIL(word, "`..` behind a directory that does not exist");
		if (strlen(part) > NAME_MAX)
			FAIL(word, "a component is longer than %d bytes", NAME_MAX);
		strcat(path, "/");
		strcat(path, part);
	}
	if (strlen(path) > PATH_LIMIT - 1)
		FAIL(word,
		     "its path is longer than %d bytes and there is no file to take the inode of",
		     PATH_LIMIT - 1);
	free(base);
	free(rest);
	free(dir);
	return path;
}

/* Resolve a word of the operator's to an object. Dies when it is none. */
static void resolve(struct object *o, const char *word)
{
	bool tree = *word && word[strlen(word) - 1] == '/';
	struct identify id;
	struct stat st;
	char *path;
	int fd;

	memset(o, 0, sizeof(*o));
	if (!strchr(word, '/'))
		FAIL(word, "not a path: write ./NAME or the full path");
	fd = open(word, O_PATH | O_CLOEXEC);
	if (fd < 0 && errno == ENAMETOOLONG)
		FAIL(word,
		     "longer than can be compared: name it from a directory nearer to it");
	if (fd < 0 && errno != ENOENT)
		FAIL(word, "%s",
		     errno == ENOTDIR && tree
			     ? "not a directory: leave out the last `/`"
			     : strerror(errno));
	if (fd < 0) {
		if (tree)
			FAIL(word, "no such directory");
		if (!fstatat(AT_FDCWD, word, &st, AT_SYMLINK_NOFOLLOW))
			FAIL(word,
			     "a symbolic link to nothing: name what it should lead to");
		o->text = missing_path(word);
		o->len = strlen(o->text);
		o->kinds = KIND_BIT(KIND_NAME);
		hash_path(o->text, o->name, &o->leaf);
		return;
	}
	if (fstat(fd, &st))
		FAIL(word, "%s", strerror(errno));
	o->st_dev = st.st_dev;
	o->st_ino = st.st_ino;
	if (S_ISDIR(st.st_mode) && !tree)
		FAIL(word, "a directory: write %s/ for all that is beneath it",
		     shown(word, strlen(word)));
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		FAIL(word, "neither a file nor a directory");
	identify(fd, &id, word);
	o->dev = id.dev;
	o->ino = id.ino;
	o->inode_gen = id.inode_gen;
	path = path_of(fd);
	close(fd);
	if (tree) {
		if (!path)
			path = strdup(word);
		o->text = xcalloc(strlen(path) + 2, 1);
		strcpy(o->text, path);
		if (strcmp(path, "/"))
			strcat(o->text, "/");
		o->len = strlen(o->text);
		o->kinds = KIND_BIT(KIND_TREE);
		free(path);
		return;
	}
	o->kinds = KIND_BIT(KIND_INODE);
	if (path && id.named) {
		o->kinds |= KIND_BIT(KIND_NAME);
		hash_path(path, o->name, &o->leaf);
		/* Under chroot /proc shows less of the path than the kernel walks. */
		memcpy(o->name, id.name, sizeof(o->name));
	} else {
		warn("%s: its path is longer than can be compared: denied by inode alone",
		     shown(word, strlen(word)));
		free(path);
		path = strndup(word, PATH_LIMIT - 1);
	}
	if (!path)
		die(EX_FAILED, "out of memory");
	o->text = path;
	o->len = strlen(path);
}

/* --- what must not be denied by accident --- */

struct program {
	char *path;
	dev_t dev;
	ino_t ino;
};
static struct program *vital;
static size_t vital_count;

static void vital_add(const char *path)
{
	struct stat st;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return;
	vital = xrealloc(vital, vital_count + 1, sizeof(*vital));
	vital[vital_count++] =
		(struct program){ realpath(path, NULL), st.st_dev, st.st_ino };
}

/* The programs without which the operator, or the machine, is locked out. */
static void vital_find(const char *own)
{
	static const char *const dirs[] = { "/bin",	      "/sbin",
					    "/usr/bin",	      "/usr/sbin",
					    "/usr/local/bin", "/usr/local/sbin",
					    "/lib/systemd",   "/usr/lib/systemd" };
	static const char *const names[] = {
		"init", "systemd", "sh", "bash", "dash", "sudo", "su", "login",
		"agetty", "sshd", "bpftool", "jq", "env", "flock", "sshd-session",
		/* what our scripts run */
		"awk", "cat", "dirname", "find", "grep", "mawk", "mkdir", "mktemp",
		"mv", "readlink", "rm", "sed", "stat"
	};
	static const char *const ours[] = { "scripts/load",	 "scripts/unload",
					    "scripts/deny",	 "scripts/allow",
					    "scripts/list",	 "scripts/status",
					    "scripts/doctor",	 "build/helpers/encode",
					    "build/helpers/dump" };
	char path[PATH_MAX];
	pid_t pid = getpid();

	for (size_t d = 0; d < ARRAY_SIZE(dirs); d++)
		for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
			snprintf(path, sizeof(path), "%s/%s", dirs[d], names[n]);
			vital_add(path);
		}
	for (size_t n = 0; own && n < ARRAY_SIZE(ours); n++) {
		snprintf(path, sizeof(path), "%s/%s", own, ours[n]);
		vital_add(path);
	}
	/* This process and all its ancestors: the running shell, sshd, init. */
	while (pid > 0) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/exe", pid);
		vital_add(path);
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		f = fopen(path, "re");
		if (!f || fscanf(f, "%*d (%*[^\n]") < 0)
			pid = 0;
		if (f) {
			char line[512], *after;

			rewind(f);
			after = fgets(line, sizeof(line), f) ? strrchr(line, ')')
							     : NULL;
			if (!after || sscanf(after, ") %*c %d", &pid) != 1)
				pid = 0;
			fclose(f);
		}
	}
}

/* Returns the vital program that the object names or contains, or NULL. */
static const char *vital_hit(const struct object *o)
{
	for (size_t i = 0; i < vital_count; i++) {
		const struct program *p = &vital[i];

		if (o->kinds & KIND_BIT(KIND_TREE)) {
			if (p->path && !strncmp(p->path, o->text, o->len))
				return p->path;
		} else if ((o->st_dev == p->dev && o->st_ino == p->ino) ||
			   (p->path && !strcmp(p->path, o->text))) {
			return p->path;
		}
	}
	return NULL;
}

/* --- the filter --- */

static __u64 filter[FILTER_BLOCKS][FILTER_BLOCK / 8];
static bool filter_changed[FILTER_BLOCKS], filter_known;

static void filter_block_of(const void *key, const void *value, void *arg)
{
	(void)arg;
	memcpy(filter[*(const __u32 *)key], value, FILTER_BLOCK);
}

static void filter_set(__u64 h)
{
	if (!filter_known) {
		map_each(m.filter, sizeof(__u32), FILTER_BLOCK, FILTER_BLOCKS,
			 filter_block_of, NULL);
		filter_known = true;
	}
	if (filter[filter_block(h)][filter_word(h)] & filter_bit(h))
		return;
	filter[filter_block(h)][filter_word(h)] |= filter_bit(h);
	filter_changed[filter_block(h)] = true;
}

static void lines_filter(void)
{
	for (__u32 b = 0; b < FILTER_BLOCKS; b++)
		if (filter_changed[b])
			line_update(PIN_MAPS "filter", &b, sizeof(b), filter[b],
				    FILTER_BLOCK);
}

/* --- rules that come and go in this batch --- */

static __u32 *coming, *going; /* slots */
static size_t coming_count, going_count;
static struct object **coming_object; /* what coming[i] names */
static const char *reason = "";

static __u32 parts(size_t len)
{
	return (len + TEXT_PART - 1) / TEXT_PART;
}

/* Count a rule in or out of the next state. */
static void count_rule(const struct rule *r, int by)
{
	next.rules += by;
	for (int bit = 0; bit < 32; bit++)
		if (r->ops & (1u << bit))
			next.op_rules[bit] += by;
	for (int kind = 0; kind < 8; kind++)
		if (r->kinds & KIND_BIT(kind))
			next.kind_rules[kind] += by;
}

static void rule_ends(__u32 slot)
{
	struct rule *r = rule_at(slot);

	if (r->ending)
		return;
	going = xrealloc(going, going_count + 1, sizeof(*going));
	going[going_count++] = slot;
	r->died = m.s.gen + 1;
	r->ending = 1;
	count_rule(r, -1);
}

/* Find a free slot. Dies when there is none. */
static __u32 slot_find(void)
{
	__u32 slots = next.segments * SEGMENT_RULES, slot;

	if (next.rules >= next.max_rules)
		die(EX_FAILED,
		    "the limit of %u rules is reached, nothing was changed: see load --max-rules",
		    next.max_rules);
	for (__u32 i = 0; i < slots && next.rules < slots; i++) {
		slot = (next.next_slot + i) % slots;
		if (!rule_at(slot)->born) {
			next.next_slot = slot + 1;
			return slot;
		}
	}
	if (next.segments == SEGMENTS)
		die(EX_FAILED, "the limit of %u rules is reached, nothing was changed",
		    SEGMENTS * SEGMENT_RULES);
	slot = next.segments++ * SEGMENT_RULES;
	next.next_slot = slot + 1;
	return slot;
}

/* Find a rule in force for this object and these operations, or NO_RULE. */
static __u32 rule_find(const struct object *o, __u32 ops)
{
	struct rule like = { .kinds = o->kinds,
			     .dev = o->dev,
			     .ino = o->ino,
			     .inode_gen = o->inode_gen,
			     .name = { o->name[0], o->name[1] } };
	struct object_key key[2];
	int n = rule_keys(&like, key);

	for (int k = 0; k < n; k++) {
		struct entry *e = entry(&key[k]);

		for (int i = 0; i < OBJECT_RULES && e->value.slot[i] != NO_RULE; i++) {
			const struct rule *r = rule_at(e->value.slot[i]);
			bool same_name =
				r->name[0] == o->name[0] && r->name[1] == o->name[1];

			if (!r->born || r->ending || (ops && r->ops != ops))
				continue;
			/* A hard link of a ruled file is an object of its own. */
			if (key[k].kind == KIND_INODE &&
			    r->kinds & o->kinds & KIND_BIT(KIND_NAME) && !same_name)
				continue;
			return e->value.slot[i];
		}
	}
	return NO_RULE;
}

static void rule_report(const struct rule *r, const char *text, size_t len,
			const char *what)
{
	if (!report)
		return;
	fprintf(report, "rule %u: %s ", r->id, what);
	print_ops(report, r->ops);
	fputc(' ', report);
	print_quoted(report, text, len);
	fprintf(report, " (%s%s%s%s)\n", r->kinds & KIND_BIT(KIND_NAME) ? "name" : "",
		(r->kinds & KIND_BIT(KIND_NAME)) && (r->kinds & KIND_BIT(KIND_INODE))
			? ", "
			: "",
		r->kinds & KIND_BIT(KIND_INODE) ? "inode" : "",
		r->kinds & KIND_BIT(KIND_TREE) ? "tree" : "");
}

/* --- batches --- */

/* Delete what there is of a rule's texts. */
static void lines_delete_texts(const struct rule *r)
{
	struct text_key key = { .id = r->id };
	char part[TEXT_PART];

	for (key.what = TEXT_OBJECT; key.what <= TEXT_REASON; key.what++) {
		__u32 n = parts(key.what == TEXT_OBJECT ? r->path_len : r->reason_len);

		for (key.part = 0; key.part < n; key.part++)
			if (!map_lookup(m.texts, &key, part))
				line_delete(texts_map, &key, sizeof(key));
	}
}

/* Undo or finish what a batch that was cut off began. */
static void recover(void)
{
	struct hot h = m.h;

	for (__u32 n = 0; n < m.s.segments; n++) {
		for (__u32 i = 0; i < SEGMENT_RULES; i++) {
			struct rule *r = &segment(n)->seg.rule[i];
			struct object_key key[2];
			__u32 slot = n * SEGMENT_RULES + i;

			if (!r->born)
				continue;
			if (rule_in_force(r, m.s.gen)) {
				/* Marked to end by a batch that did not commit. */
				if (r->ending || r->died) {
					r->ending = 0;
					r->died = 0;
					line_rule(slot);
				}
				continue;
			}
			/* Never came, or went and was not taken out. */
			for (int k = rule_keys(r, key); k-- > 0;)
				entry_remove(entry(&key[k]), slot);
			lines_delete_texts(r);
			memset(r, 0, sizeof(*r));
			line_rule(slot);
			line_update(segment(n)->hits, &i, sizeof(i), &(__u64){ 0 },
				    sizeof(__u64));
		}
	}
	for (size_t i = 0; i < entries_size; i++) {
		struct entry *e = &entries[i];

		if (!e->used || !e->exists || !e->changed)
			continue;
		e->changed = false;
		if (e->value.slot[0] != NO_RULE) {
			line_update(objects_map, &e->key, sizeof(e->key), &e->value,
				    sizeof(e->value));
			continue;
		}
		line_delete(objects_map, &e->key, sizeof(e->key));
		e->exists = false;
	}
	h.dirty = 0;
	line_hot(&h);
}

static __u32 power_of_two(__u32 n)
{
	__u32 p = OBJECTS_MIN;

	while (p < n)
		p *= 2;
	return p;
}

struct copied {
	const char *map;
	size_t key_size, value_size;
};

static void line_copy(const void *key, const void *value, void *arg)
{
	const struct copied *c = arg;

	line_update(c->map, key, c->key_size, value, c->value_size);
}

/* Make a bigger map, fill it with what the present one holds, put it in place. */
static void grow(const char *name, int fd, char map[96], __u32 had, __u32 *capacity,
		 __u32 wanted, size_t key_size, size_t value_size)
{
	struct copied copied = { map, key_size, value_size };

	*capacity = power_of_two(wanted);
	line_create(name, ++made, "hash", key_size, value_size, *capacity, 1);
	snprintf(map, 96, "pinned " PIN_NEW "%s%u", name, made);
	map_each(fd, key_size, value_size, had, line_copy, &copied);
	line_insert(name, 0, name, made);
}

static void lines_room(__u32 objects_wanted, __u32 texts_wanted)
{
	for (__u32 n = m.s.segments; n < next.segments; n++) {
		struct cached *c = segment(n);

		line_create("rules", ++made, "array", sizeof(__u32),
			    sizeof(struct rule), SEGMENT_RULES, 0);
		line_insert("rules", n, "rules", made);
		snprintf(c->rules, sizeof(c->rules), "pinned " PIN_NEW "rules%u", made);
		line_create("hits", made, "percpu_array", sizeof(__u32), sizeof(__u64),
			    SEGMENT_RULES, 0);
		line_insert("hits", n, "hits", made);
		snprintf(c->hits, sizeof(c->hits), "pinned " PIN_NEW "hits%u", made);
	}
	if (objects_wanted > m.s.objects_max)
		grow("objects", m.objects, objects_map, m.s.objects_max,
		     &next.objects_max, objects_wanted, sizeof(struct object_key),
		     sizeof(struct object_rules));
	if (texts_wanted > m.s.texts_max)
		grow("texts", m.texts, texts_map, m.s.texts_max, &next.texts_max,
		     texts_wanted, sizeof(struct text_key), TEXT_PART);
}

static void lines_text(__u32 id, __u16 what, const char *text, size_t len)
{
	struct text_key key = { .id = id, .what = what };
	char part[TEXT_PART];

	for (size_t at = 0; at < len; at += TEXT_PART, key.part++) {
		memset(part, 0, sizeof(part));
		memcpy(part, text + at, len - at < TEXT_PART ? len - at : TEXT_PART);
		line_update(texts_map, &key, sizeof(key), part, sizeof(part));
	}
}

static void lines_state(void)
{
	__u32 zero = 0;

	next.gen++;
	line_create("state", ++made, "array", sizeof(zero), sizeof(next), 1, 0);
	printf("map update pinned " PIN_NEW "state%u key hex", made);
	hex(&zero, sizeof(zero));
	fputs(" value hex", stdout);
	hex(&next, sizeof(next));
	putchar('\n');
	line_insert("state", 0, "state", made);
}

/* Take ended rules out: entries, texts, slots. */
static void lines_take_out(void)
{
	struct object_key key[2];

	for (size_t g = 0; g < going_count; g++) {
		struct rule *r = rule_at(going[g]);
		__u32 index = going[g] % SEGMENT_RULES;

		for (int k = rule_keys(r, key); k-- > 0;)
			entry_remove(entry(&key[k]), going[g]);
		lines_delete_texts(r);
		memset(r, 0, sizeof(*r));
		line_rule(going[g]);
		line_update(segment(going[g] / SEGMENT_RULES)->hits, &index,
			    sizeof(index), &(__u64){ 0 }, sizeof(__u64));
	}
	for (size_t i = 0; i < entries_size; i++) {
		struct entry *e = &entries[i];

		if (!e->used || !e->changed)
			continue;
		if (e->value.slot[0] != NO_RULE)
			line_update(objects_map, &e->key, sizeof(e->key), &e->value,
				    sizeof(e->value));
		else if (e->exists)
			line_delete(objects_map, &e->key, sizeof(e->key));
	}
}

/* Write the batch for `coming` and `going`. */
static void write_batch(void)
{
	__u32 objects_wanted, texts_wanted, new_objects = 0, new_texts = 0;
	__u32 gone_objects = 0, gone_texts = 0;
	struct hot h = m.h;
	size_t i;

	for (i = 0; i < coming_count; i++) {
		const struct rule *r = rule_at(coming[i]);

		h.ops |= r->ops;
		h.kinds |= r->kinds;
		new_texts += parts(r->path_len) + parts(r->reason_len);
		if (r->kinds & ~KIND_BIT(KIND_NAME))
			filter_set(filter_inode(r->dev, r->ino));
		if (r->kinds & KIND_BIT(KIND_NAME))
			filter_set(coming_object[i]->leaf);
	}
	for (i = 0; i < entries_size; i++)
		if (entries[i].used && entries[i].changed && !entries[i].exists)
			new_objects++;
	for (i = 0; i < going_count; i++) {
		const struct rule *r = rule_at(going[i]);
		struct object_key key[2];

		gone_texts += parts(r->path_len) + parts(r->reason_len);
		for (int k = rule_keys(r, key); k-- > 0;) {
			struct entry *e = entry(&key[k]);

			/* Each entry once, at the first of its rules. */
			if (e->value.slot[0] == going[i])
				gone_objects += entry_goes(e);
		}
	}
	objects_wanted = m.s.objects + new_objects;
	texts_wanted = m.s.texts + new_texts;
	next.objects = objects_wanted - gone_objects;
	next.texts = texts_wanted - gone_texts;

	h.dirty = 1;
	line_hot(&h);
	lines_room(objects_wanted, texts_wanted);
	lines_filter();
	for (i = 0; i < coming_count; i++) {
		const struct rule *r = rule_at(coming[i]);

		line_rule(coming[i]);
		lines_text(r->id, TEXT_OBJECT, coming_object[i]->text, r->path_len);
		lines_text(r->id, TEXT_REASON, reason, r->reason_len);
	}
	for (i = 0; i < entries_size; i++) {
		struct entry *e = &entries[i];

		if (!e->used || !e->changed)
			continue;
		line_update(objects_map, &e->key, sizeof(e->key), &e->value,
			    sizeof(e->value));
		e->changed = false;
		e->exists = true;
	}
	for (i = 0; i < going_count; i++) {
		/* Two steps: `died` must stand before it is meant. */
		rule_at(going[i])->ending = 0;
		line_rule(going[i]);
		rule_at(going[i])->ending = 1;
		line_rule(going[i]);
	}
	lines_state();
	lines_take_out();
	if (!next.rules && going_count) {
		/* Nothing is left to find: the filter can forget. */
		for (__u32 b = 0; b < FILTER_BLOCKS; b++) {
			__u64 clear[FILTER_BLOCK / 8] = {};

			line_update(PIN_MAPS "filter", &b, sizeof(b), clear,
				    FILTER_BLOCK);
		}
	}
	h.ops = 0;
	for (int bit = 0; bit < 32; bit++)
		if (next.op_rules[bit])
			h.ops |= 1u << bit;
	h.kinds = 0;
	for (int kind = 0; kind < 8; kind++)
		if (next.kind_rules[kind])
			h.kinds |= KIND_BIT(kind);
	h.dirty = 0;
	line_hot(&h);
}

/* --- commands --- */

static __u32 parse_ops(char *list)
{
	__u32 ops = 0;

	for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
		size_t i;

		for (i = 0; i < op_names_count; i++)
			if (!strcmp(word, op_names[i].name))
				break;
		if (i == op_names_count)
			die(EX_USE, "%s: unknown operation", shown(word, strlen(word)));
		ops |= op_names[i].ops;
	}
	if (!ops)
		die(EX_USE, "no operation given");
	return ops;
}

static __u32 parse_number(const char *text, const char *what, __u32 min, __u32 max)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < min || n > max)
		die(EX_USE, "%s: %s: want a number from %u to %u", what,
		    shown(text, strlen(text)), min, max);
	return n;
}

static __u8 parse_action(const char *text)
{
	for (__u8 i = ACTION_AUDIT; i <= ACTION_KILL; i++)
		if (!strcmp(text, action_names[i]))
			return i;
	die(EX_USE, "--action %s: want audit, deny or kill", shown(text, strlen(text)));
}

static struct {
	__u32 ops;
	__u8 action;
	__u16 error;
	bool force, from_stdin, null, all, second_only;
	const char *own;
	__u32 max_rules;
	__u32 *ids;
	size_t ids_count;
} opt = { .action = ACTION_KILL,
	  .error = EPERM,
	  .max_rules = SEGMENTS * SEGMENT_RULES };

/* The words that name objects: arguments, or lines of stdin. */
static char **words;
static size_t words_count;

static void words_read(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	words = argv;
	words_count = argc;
	if (!opt.from_stdin)
		return;
	if (argc)
		die(EX_USE, "--stdin takes no OBJECT beside it");
	words = NULL;
	while ((n = getdelim(&line, &room, opt.null ? 0 : '\n', stdin)) > 0) {
		if (line[n - 1] == (opt.null ? 0 : '\n'))
			line[--n] = 0;
		if (!n)
			continue;
		if (strlen(line) != (size_t)n)
			die(EX_FAILED, "line %zu of the input holds a NUL byte",
			    words_count + 1);
		if (!(words_count & (words_count + 1)) || !words)
			words = xrealloc(words, 2 * words_count + 2, sizeof(*words));
		words[words_count++] = line;
		line = NULL;
		room = 0;
	}
	free(line);
	if (ferror(stdin))
		die(EX_FAILED, "reading the input failed: %s", strerror(errno));
}

static void deny_one(struct object *o, const char *word)
{
	const char *program = vital_hit(o);
	struct object_key key[2];
	struct timespec now;
	struct rule r = {};
	__u32 slot, old;

	if (program)
		FAIL(word,
		     "would lock you out of this machine (%s): --force if you mean it",
		     program);
	old = rule_find(o, opt.ops);
	if (old != NO_RULE) {
		const struct rule *was = rule_at(old);
		bool same = was->action == opt.action && was->error == opt.error;
		bool same_inode = was->ino == o->ino && was->dev == o->dev &&
				  was->inode_gen == o->inode_gen;

		if (same && (same_inode || !(o->kinds & ~KIND_BIT(KIND_NAME)))) {
			rule_report(was, o->text, o->len, "already there:");
			return;
		}
		/*
		 * The same name with a new file behind it: the rule that knows
		 * the old file stays, it may live on under another name.
		 */
		if (!same || !(was->kinds & ~KIND_BIT(KIND_NAME)))
			rule_ends(old);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	r.born = m.s.gen + 1;
	r.id = next.next_id++;
	r.ops = opt.ops;
	r.action = opt.action;
	r.error = opt.error;
	r.kinds = o->kinds;
	r.created = now.tv_sec * 1000000000ull + now.tv_nsec;
	r.dev = o->dev;
	r.ino = o->ino;
	r.inode_gen = o->inode_gen;
	memcpy(r.name, o->name, sizeof(r.name));
	r.path_len = o->len;
	r.reason_len = strlen(reason);
	slot = slot_find();
	for (int k = rule_keys(&r, key); k-- > 0;) {
		if (entry_add(entry(&key[k]), slot))
			continue;
		if (key[k].kind != KIND_INODE || !(r.kinds & KIND_BIT(KIND_NAME)))
			FAIL(word, "%d rules name it already", OBJECT_RULES);
		warn("%s: %d rules name its inode already: denied by name alone",
		     shown(word, strlen(word)), OBJECT_RULES);
		r.kinds &= ~KIND_BIT(KIND_INODE);
	}
	*rule_at(slot) = r;
	count_rule(&r, 1);
	if (!(coming_count & (coming_count + 1)) || !coming) {
		coming = xrealloc(coming, 2 * coming_count + 2, sizeof(*coming));
		coming_object = xrealloc(coming_object, 2 * coming_count + 2,
					 sizeof(*coming_object));
	}
	coming_object[coming_count] = o;
	coming[coming_count++] = slot;
	rule_report(&r, o->text, o->len, action_names[r.action]);
}

static void deny(void)
{
	if (!words_count && !opt.from_stdin)
		die(EX_USE, "no OBJECT given: see -h");
	if (!opt.force && opt.action != ACTION_AUDIT)
		vital_find(opt.own);
	for (size_t i = 0; i < words_count; i++) {
		struct object *o = xcalloc(1, sizeof(*o));

		resolve(o, words[i]);
		deny_one(o, words[i]);
	}
	if (coming_count)
		write_batch();
}

/* The text of a rule, for the report. */
static char *object_text(const struct rule *r)
{
	struct text_key key = { .id = r->id, .what = TEXT_OBJECT };
	char *text = xcalloc(parts(r->path_len) + 1, TEXT_PART);

	for (; key.part < parts(r->path_len); key.part++)
		map_lookup(m.texts, &key, text + key.part * TEXT_PART);
	return text;
}

static void allow_slot(__u32 slot)
{
	struct rule *r = rule_at(slot);
	char *text = report ? object_text(r) : NULL;

	if (text)
		rule_report(r, text, r->path_len, "no longer");
	free(text);
	rule_ends(slot);
}

/* Remove rules by id; `all` removes every one. */
static void allow_scan(void)
{
	size_t found = 0;

	for (__u32 slot = 0; slot < m.s.segments * SEGMENT_RULES; slot++) {
		struct rule *r = rule_at(slot);
		bool wanted = opt.all;

		if (!rule_in_force(r, m.s.gen))
			continue;
		for (size_t i = 0; i < opt.ids_count && !wanted; i++)
			wanted = r->id == opt.ids[i];
		if (opt.all && opt.ops && r->ops != opt.ops)
			continue;
		if (!wanted)
			continue;
		found++;
		allow_slot(slot);
	}
	if (!opt.all && found != opt.ids_count)
		die(EX_FAILED, "no rule has that id: nothing was changed: see list");
}

/* Say why an object that no rule names may be denied all the same. */
static void still_denied(const struct object *o)
{
	struct object_key key = {
		.kind = KIND_INODE, .dev = o->dev, .a = o->ino, .b = o->inode_gen
	};
	const struct object_rules *e = &entry(&key)->value;

	for (int i = 0; i < OBJECT_RULES && e->slot[i] != NO_RULE; i++)
		if (o->kinds & KIND_BIT(KIND_INODE) && !rule_at(e->slot[i])->ending)
			warn("%s: still denied by rule %u, which names the same inode",
			     shown(o->text, o->len), rule_at(e->slot[i])->id);
	if (report)
		fprintf(report, "no rule names %s\n", shown(o->text, o->len));
}

static void allow(void)
{
	if (!words_count && !opt.from_stdin && !opt.all && !opt.ids_count)
		die(EX_USE, "no OBJECT given: see -h");
	if (opt.all || opt.ids_count)
		allow_scan();
	for (size_t i = 0; i < words_count; i++) {
		struct object o;
		__u32 slot;
		bool found = false;

		resolve(&o, words[i]);
		while ((slot = rule_find(&o, opt.ops)) != NO_RULE) {
			allow_slot(slot);
			found = true;
		}
		if (!found)
			still_denied(&o);
		free(o.text);
	}
	if (going_count)
		write_batch();
}

/* First lines after the maps were made: an empty state, the secret, segment 0. */
static void init(void)
{
	memset(&m, 0, sizeof(m));
	if (getrandom(m.h.key, sizeof(m.h.key), 0) != sizeof(m.h.key))
		die(EX_FAILED, "no random numbers: %s", strerror(errno));
	next = (struct state){ .abi = COTTER_ABI,
			       .next_id = 1,
			       .max_rules = opt.max_rules,
			       .segments = 1,
			       .objects_max = OBJECTS_MIN,
			       .texts_max = OBJECTS_MIN };
	line_hot(&m.h);
	line_create("objects", ++made, "hash", sizeof(struct object_key),
		    sizeof(struct object_rules), OBJECTS_MIN, 1);
	line_insert("objects", 0, "objects", made);
	line_create("texts", ++made, "hash", sizeof(struct text_key), TEXT_PART,
		    OBJECTS_MIN, 1);
	line_insert("texts", 0, "texts", made);
	lines_room(0, 0);
	lines_state();
}

/* Say whether the second layer stands alone. */
static void layers(void)
{
	struct hot h = m.h;

	h.flags = opt.second_only ? HOT_SECOND_ONLY : 0;
	line_hot(&h);
}

static void options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ops", required_argument, NULL, 'o' },
		{ "action", required_argument, NULL, 'a' },
		{ "errno", required_argument, NULL, 'e' },
		{ "reason", required_argument, NULL, 'r' },
		{ "force", no_argument, NULL, 'f' },
		{ "stdin", no_argument, NULL, 's' },
		{ "null", no_argument, NULL, '0' },
		{ "own", required_argument, NULL, 'w' },
		{ "id", required_argument, NULL, 'i' },
		{ "all", no_argument, NULL, 'A' },
		{ "max-rules", required_argument, NULL, 'm' },
		{ "second-only", no_argument, NULL, 'S' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		switch (c) {
		case 'o': opt.ops = parse_ops(optarg); break;
		case 'a': opt.action = parse_action(optarg); break;
		case 'e': opt.error = parse_number(optarg, "--errno", 1, 4095); break;
		case 'r': reason = optarg; break;
		case 'f': opt.force = true; break;
		case 's': opt.from_stdin = true; break;
		case '0': opt.null = true; break;
		case 'w': opt.own = optarg; break;
		case 'i':
			opt.ids =
				xrealloc(opt.ids, opt.ids_count + 1, sizeof(*opt.ids));
			opt.ids[opt.ids_count++] =
				parse_number(optarg, "--id", 1, UINT32_MAX);
			break;
		case 'A': opt.all = true; break;
		case 'm':
			opt.max_rules = parse_number(optarg, "--max-rules", 1,
						     SEGMENTS * SEGMENT_RULES);
			break;
		case 'S': opt.second_only = true; break;
		default: exit(EX_USE);
		}
	}
	if (strlen(reason) >= REASON_LIMIT)
		die(EX_USE, "--reason is longer than %d bytes", REASON_LIMIT - 1);
}

int main(int argc, char **argv)
{
	static char big[1 << 20];

	if (argc < 2)
		die(EX_USE,
		    "usage: encode deny|allow|init|recover [OPTION...] -- [OBJECT...]");
	verb = argv[1];
	argv[1] = argv[0]; /* getopt names the program in its messages */
	setvbuf(stdout, big, _IOFBF, sizeof(big));
	if (fcntl(3, F_GETFD) >= 0)
		report = fdopen(3, "w");
	options(argc - 1, argv + 1);
	argc -= optind + 1;
	argv += optind + 1;
	if (!strcmp(verb, "init")) {
		verb = "load";
		init();
	} else {
		words_read(argc, argv);
		maps_open(&m);
		snprintf(objects_map, sizeof(objects_map), "id %u", m.objects_id);
		snprintf(texts_map, sizeof(texts_map), "id %u", m.texts_id);
		next = m.s;
		if (!strcmp(verb, "recover")) {
			if (m.h.dirty)
				recover();
		} else if (m.h.dirty) {
			die(EX_FAILED, "an earlier command was cut off: recover first");
		} else if (!strcmp(verb, "deny")) {
			if (!opt.ops)
				opt.ops = OP_EXEC;
			deny();
		} else if (!strcmp(verb, "allow")) {
			allow();
		} else if (!strcmp(verb, "layers")) {
			verb = "load";
			layers();
		} else {
			die(EX_USE, "encode: %s: unknown command", verb);
		}
	}
	if (fflush(stdout) || ferror(stdout))
		die(EX_FAILED, "writing the batch failed");
	return EX_DONE;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * encode_test: the batches of helpers/encode.c, run on maps that are only
 * pretended: bpf(2) is answered here (the linker wraps syscall()), each command is
 * a child of this process, and its lines change the maps of the parent.
 *
 * Random commands are run on random files. After each one all maps must say the
 * same, to the last count. Each is also cut off between two lines: then all rules
 * of before must still be found, and after `recover` there is either all of what
 * the command was to do or nothing.
 */
#define _GNU_SOURCE
#define main encode_main
#include "../../helpers/encode.c"
#undef main
#include <dirent.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <linux/bpf.h>
#include "tap.h"

/* Rules that lead to themselves are not leaks of interest: the child ends. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* --- maps --- */

struct element {
	bool used;
	_Alignas(8) char bytes[]; /* key, to 24 bytes, and value */
};

struct map {
	char pin[64]; /* where it is pinned, while a batch runs */
	bool hash;
	size_t key, value;
	__u32 entries, count, size;
	struct element **element; /* hash table, or by index */
};

#define FIRST_FD 100000
static struct map maps[400];
static __u32 maps_count;

static void broken(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool failed;
static void broken(const char *format, ...)
{
	va_list args;

	if (failed)
		return;
	failed = true;
	va_start(args, format);
	vsnprintf(tap_said, sizeof(tap_said), format, args);
	va_end(args);
}

static void *value_of(struct element *e)
{
	return e->bytes + 24;
}

/* The place of a key; an index beyond the array has none. */
static struct element **element_place(struct map *map, const void *key)
{
	__u32 i;

	if (!map->hash) {
		i = *(const __u32 *)key;
		return i < map->entries ? &map->element[i] : NULL;
	}
	i = 2166136261u;
	for (size_t b = 0; b < map->key; b++)
		i = (i ^ ((const unsigned char *)key)[b]) * 16777619u;
	/* A deleted element stays, unused: a test is soon over. */
	for (i %= map->size; map->element[i]; i = (i + 1) % map->size)
		if (!memcmp(map->element[i]->bytes, key, map->key))
			break;
	return &map->element[i];
}

static const __u64 none[150];

static void *map_get(struct map *map, const void *key)
{
	struct element **e = element_place(map, key);

	if (e && *e && (*e)->used)
		return value_of(*e);
	/* An array holds zeros at first, but an outer one nothing. */
	return e && !map->hash && map->value != sizeof(__u32) ? (void *)none : NULL;
}

static void map_put(struct map *map, const void *key, const void *value)
{
	struct element **e = element_place(map, key);

	if (!e)
		return broken("%s: no such index", map->pin);
	if (!*e)
		*e = xcalloc(1, sizeof(**e) + 24 + map->value);
	if (!(*e)->used && map->hash && map->count == map->entries)
		return broken("%s: full", map->pin);
	map->count += !(*e)->used;
	(*e)->used = true;
	memcpy((*e)->bytes, key, map->key);
	memcpy(value_of(*e), value, map->value);
}

static __u32 map_make(const char *pin, bool hash, size_t key, size_t value,
		      __u32 entries)
{
	struct map *map = &maps[maps_count];
	*map = (struct map){ .hash = hash,
			     .key = key,
			     .value = value,
			     .entries = entries,
			     .size = hash ? 8 * entries + 1 : entries };
	snprintf(map->pin, sizeof(map->pin), "%s", pin);
	map->element = xcalloc(map->size, sizeof(struct element *));
	return ++maps_count; /* its id */
}

static struct map *map_pinned(const char *pin)
{
	for (__u32 i = maps_count; i-- > 0;)
		if (!strcmp(maps[i].pin, pin))
			return &maps[i];
	return NULL;
}

/* The inner map behind an outer one, NULL when there is none. */
static struct map *map_inner(const char *pin, __u32 index)
{
	const __u32 *id = map_get(map_pinned(pin), &index);

	return id ? &maps[*id - 1] : NULL;
}

/* Run `each` on all elements. */
#define FOR_EACH(map, e)                                                               \
	for (__u32 at_ = 0; at_ < (map)->size; at_++)                                  \
		if ((e = (map)->element[at_]) && e->used)

static struct maps_copy {
	struct map maps[ARRAY_SIZE(maps)];
	__u32 count;
} saved;

/* The programs write the sketch, in the child: it is shared with it. */
static struct {
	struct sketch now, saved;
} * sketches;

static void maps_save(void)
{
	sketches->saved = sketches->now;
	for (__u32 i = 0; i < saved.count; i++) {
		for (__u32 j = 0; j < saved.maps[i].size; j++)
			free(saved.maps[i].element[j]);
		free(saved.maps[i].element);
	}
	memcpy(saved.maps, maps, sizeof(maps));
	saved.count = maps_count;
	for (__u32 i = 0; i < maps_count; i++) {
		struct map *to = &saved.maps[i];

		to->element = xcalloc(to->size, sizeof(struct element *));
		for (__u32 j = 0; j < to->size; j++)
			if (maps[i].element[j]) {
				size_t size = sizeof(struct element) + 24 + to->value;

				to->element[j] = xcalloc(1, size);
				memcpy(to->element[j], maps[i].element[j], size);
			}
	}
}

/* Swap what is with what was saved. */
static void maps_swap(void)
{
	static struct maps_copy now;
	static struct sketch sketch;

	sketch = sketches->now;
	sketches->now = sketches->saved;
	sketches->saved = sketch;
	memcpy(now.maps, maps, sizeof(maps));
	now.count = maps_count;
	memcpy(maps, saved.maps, sizeof(maps));
	maps_count = saved.count;
	saved = now;
}

/* --- bpf(2), in the child --- */

/* As bpf/lib/object.h, from what /proc says. */
static void pretend_identify(struct identify *id)
{
	char link[64], path[PATH_LIMIT] = "";
	struct sip sip = { id->sip[0], id->sip[1], id->sip[2], id->sip[3] };
	struct stat st;
	char *slash;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", id->fd);
	if (fstat(id->fd, &st) || readlink(link, path, sizeof(path) - 1) < 0) {
		id->error = EBADF;
		return;
	}
	id->dev = major(st.st_dev) << 20 | minor(st.st_dev);
	id->ino = st.st_ino;
	id->inode_gen = st.st_ino % 1000;
	while ((slash = strrchr(path, '/')) && (slash[1] || slash != path)) {
		const char *name = slash + 1;
		size_t len = strlen(name);

		sip_word(&sip, len);
		for (size_t at = 0; at < len; at += 32) {
			__u64 word[4] = {};

			memcpy(word, name + at, len - at < 32 ? len - at : 32);
			sip_chunk(&sip, word);
		}
		*slash = 0;
		if (slash == path)
			break;
	}
	sip_end(&sip, id->name);
	sip_word(&sip, 1);
	sip_end(&sip, id->fspath);
	id->named = id->in_fs = 1;
}

/* As in bpf/core.bpf.c and bpf/lib/object.h. */
static void pretend_sketch_add(const struct sketch_add *add)
{
	struct sketch *s = &sketches->now;

	if (add->clear)
		memset(s, 0, sizeof(*s));
	for (__u32 i = 0; i < add->count; i++) {
		__u64 *word = &s->word[sketch_word(add->hash[i])],
		      bit = top_bit(add->hash[i]);

		s->bits += !(*word & bit);
		*word |= bit;
	}
}

static long refused(int error)
{
	errno = error;
	return -1;
}

static long pretend_batch(union bpf_attr *attr, struct map *map)
{
	__u32 at = attr->batch.in_batch ? *(__u32 *)(uintptr_t)attr->batch.in_batch : 0;
	char *keys = (char *)(uintptr_t)attr->batch.keys;
	char *values = (char *)(uintptr_t)attr->batch.values;
	__u32 n = 0;

	for (; at < map->size && n < attr->batch.count; at++) {
		const struct element *e = map->element[at];

		if (!e || !e->used)
			continue;
		memcpy(keys + n * map->key, e->bytes, map->key);
		memcpy(values + n * map->value, e->bytes + 24, map->value);
		n++;
	}
	attr->batch.count = n;
	*(__u32 *)(uintptr_t)attr->batch.out_batch = at;
	return at < map->size ? 0 : refused(ENOENT);
}

long __wrap_syscall(long number, int cmd, union bpf_attr *attr, size_t size);
long __wrap_syscall(long number, int cmd, union bpf_attr *attr, size_t size)
{
	const char *pin;
	struct map *map;
	void *value;

	(void)size;
	if (number != SYS_bpf)
		return refused(ENOSYS);
	switch (cmd) {
	case BPF_OBJ_GET:
		pin = (const char *)(uintptr_t)attr->pathname;
		if (!strcmp(pin, PIN_ROOT "/core/identify"))
			return FIRST_FD - 1;
		if (!strcmp(pin, PIN_ROOT "/core/sketch_add"))
			return FIRST_FD - 2;
		map = map_pinned(pin);
		return map ? FIRST_FD + (map - maps) : refused(ENOENT);
	case BPF_MAP_GET_FD_BY_ID: return FIRST_FD + attr->map_id - 1;
	case BPF_PROG_TEST_RUN:
		value = (void *)(uintptr_t)attr->test.ctx_in;
		if (attr->test.prog_fd == FIRST_FD - 1)
			pretend_identify(value);
		else
			pretend_sketch_add(value);
		return 0;
	case BPF_MAP_LOOKUP_ELEM:
		map = &maps[attr->map_fd - FIRST_FD];
		value = map_get(map, (const void *)(uintptr_t)attr->key);
		if (!value)
			return refused(ENOENT);
		memcpy((void *)(uintptr_t)attr->value, value, map->value);
		return 0;
	case BPF_MAP_LOOKUP_BATCH:
		return pretend_batch(attr, &maps[attr->batch.map_fd - FIRST_FD]);
	}
	return refused(EINVAL);
}

/* --- commands and their lines --- */

static char **lines;
static size_t lines_count;
static char *said_to = "/dev/null"; /* its messages and its report */
static char *batch;

/* Run encode with these words. Returns its status; its batch is in `lines`. */
static int encode(char *const argv[], const char *input)
{
	char out[] = "/tmp/encode_test.XXXXXX";
	int fd = mkstemp(out), status, argc = 0;
	struct stat st;
	pid_t pid;

	unlink(out);
	while (argv[argc])
		argc++;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (!getenv("ENCODE_TEST_SAYS") && !freopen(said_to, "w", stderr))
			_exit(99);
		if (input && !freopen(input, "r", stdin))
			_exit(99);
		dup2(fd, STDOUT_FILENO);
		close(3);
		dup2(STDERR_FILENO, 3);
		optind = 0;
		exit(encode_main(argc, (char **)argv));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 98;
	fstat(fd, &st);
	free(batch);
	free(lines);
	batch = xcalloc(1, st.st_size + 1);
	if (pread(fd, batch, st.st_size, 0) != st.st_size)
		return 97;
	close(fd);
	lines = NULL;
	lines_count = 0;
	for (char *l = strtok(batch, "\n"); l; l = strtok(NULL, "\n")) {
		lines = more(lines, lines_count, sizeof(*lines));
		lines[lines_count++] = l;
	}
	return WEXITSTATUS(status);
}

static const char *hex_bytes(const char *s, char *to)
{
	unsigned int c;
	int n;

	while (sscanf(s, " %2x%n", &c, &n) == 1 && strncmp(s, " va", 3)) {
		*to++ = c;
		s += n;
	}
	return s;
}

/* Do what bpftool would. */
static void apply(const char *line)
{
	_Alignas(8) char key[64] = "", value[sizeof(struct state) + 8] = "";
	char pin[128], type[32];
	unsigned int k, v, entries, id;
	struct map *map = NULL, *to;
	struct element **e;
	int at = 0;

	if (sscanf(line, "map create %127s type %31s key %u value %u entries %u", pin,
		   type, &k, &v, &entries) == 5) {
		map_make(pin, !strcmp(type, "hash"), k, v, entries);
		return;
	}
	if (sscanf(line, "map %31s id %u key hex%n", type, &id, &at) == 2 && at)
		map = &maps[id - 1];
	else if (sscanf(line, "map %31s pinned %127s key hex%n", type, pin, &at) == 2 &&
		 at)
		map = map_pinned(pin);
	if (!map)
		return broken("not understood: %.200s", line);
	line = hex_bytes(line + at, key);
	if (!strcmp(type, "delete")) {
		e = element_place(map, key);
		if (!e || !*e || !(*e)->used)
			return broken("%s: deleted what is not there", map->pin);
		(*e)->used = false;
		map->count--;
	} else if (sscanf(line, " value id %u", &id) == 1) {
		map_put(map, key, &id);
	} else if (sscanf(line, " value pinned %127s", pin) == 1) {
		to = map_pinned(pin);
		if (!to)
			return broken("%s: not there", pin);
		id = to - maps + 1;
		map_put(map, key, &id);
	} else {
		hex_bytes(line + strlen(" value hex"), value);
		map_put(map, key, value);
	}
}

static void apply_lines(size_t from, size_t to)
{
	for (size_t i = from; i < to && !failed; i++)
		apply(lines[i]);
}

static void drop_pins(void)
{
	for (__u32 i = 0; i < maps_count; i++)
		if (!strncmp(maps[i].pin, PIN_NEW, strlen(PIN_NEW)))
			maps[i].pin[0] = 0;
}

/* --- what must be true --- */

static struct map *hot_map, *filter_map, *labels_map, *subjects_map, *objects, *texts;
static const struct state *state;
static const struct hot *hot;
static const __u32 zero;

static void maps_find(void)
{
	hot_map = map_pinned(PIN_ROOT "/maps/hot");
	filter_map = map_pinned(PIN_ROOT "/maps/filter");
	labels_map = map_pinned(PIN_ROOT "/maps/labels");
	subjects_map = map_pinned(PIN_ROOT "/maps/subjects");
	objects = map_inner(PIN_ROOT "/maps/objects", 0);
	texts = map_inner(PIN_ROOT "/maps/texts", 0);
	hot = map_get(hot_map, &zero);
	state = map_get(map_pinned(PIN_ROOT "/maps/state"), &hot->state);
}

static const struct rule *rule_in(__u32 slot)
{
	struct map *rules = map_inner(PIN_ROOT "/maps/rules", slot / SEGMENT_RULES);
	__u32 index = slot % SEGMENT_RULES;

	return rules ? map_get(rules, &index) : NULL;
}

static bool in_filter(__u64 h)
{
	__u32 block = filter_block(h);
	const __u64 *words = map_get(filter_map, &block);

	return filter_bits_set(words[filter_word(h)], h);
}

/* However full it is: a tree is looked for in any case. */
static bool in_sketch(__u64 h)
{
	return has_top_bit(sketches->now.word[sketch_word(h)], h);
}

static bool filtered(__u64 h)
{
	return in_filter(h) && in_sketch(h);
}

static int entry_names(const struct object_key *key, __u32 slot)
{
	const struct object_rules *v = map_get(objects, key);
	int n = 0;

	for (int i = 0; v && i < OBJECT_RULES && v->slot[i] != NO_RULE; i++)
		n += v->slot[i] == slot;
	if (v && v->check != object_check(key))
		broken("an entry has the check of another");
	return n;
}

static char *text_of(__u32 id, __u16 what, size_t len)
{
	struct text_key key = { .id = id, .what = what };
	char *text = xcalloc(parts(len) + 1, TEXT_PART);

	for (; key.part < parts(len); key.part++) {
		const char *part = map_get(texts, &key);

		if (!part)
			broken("rule %u lacks a text of kind %u", id, what);
		else
			memcpy(text + key.part * TEXT_PART, part, TEXT_PART);
	}
	return text;
}

/* Is a rule found by all its keys? Returns how many entries name it. */
static size_t rule_found(const struct rule *r, __u32 slot)
{
	struct object_key key[RULE_KEYS];
	int n = rule_keys(r, key);
	const struct above *above;
	size_t named = n;
	char *text;

	for (int k = 0; k < n; k++)
		if (entry_names(&key[k], slot) != 1)
			broken("rule %u is not found by kind %u", r->id, key[k].kind);
	if (r->kinds & KIND_BIT(KIND_INODE) && !filtered(filter_inode(r->dev, r->ino)))
		broken("rule %u is not in the filter", r->id);
	if (r->kinds & KIND_BIT(KIND_TREE)) {
		__u64 h = tree_hash(tree_device(r->dev), r->ino);

		if (!in_filter(filter_inode(r->dev, r->ino)) || !in_sketch(h) ||
		    !has_top_bit(hot->trees, h))
			broken("rule %u is not in the filter, its sketch and hot",
			       r->id);
	}
	if ((hot->ops & r->ops) != r->ops)
		broken("rule %u has operations that hot lacks", r->id);
	for (int bit = 0; bit < OP_BITS; bit++)
		if (r->ops & 1u << bit && r->kinds & ~hot->kinds[bit])
			broken("rule %u has kinds that hot lacks", r->id);
	text = text_of(r->id, TEXT_OBJECT, r->path_len);
	if (r->kinds & KIND_BIT(KIND_NAME) && !failed) {
		const char *leaf = strrchr(text, '/') + 1;
		__u64 h = filter_name_start(strlen(leaf)), word[4] = {};

		memcpy(word, leaf, strlen(leaf)); /* none here is longer */
		h = filter_name(strlen(leaf), filter_name_chunk(h, word),
				filter_first(strlen(leaf), word[0]));
		if (!filtered(h))
			broken("rule %u: its name is not in the filter", r->id);
	}
	free(text);
	if (!(r->kinds & KIND_BIT(KIND_ABOVE)) != !r->above_len)
		broken("rule %u: directories without the kind or without text", r->id);
	if (needs_above(r->ops) && !r->above_len)
		broken("rule %u lacks the directories above it", r->id);
	text = text_of(r->id, TEXT_ABOVE, r->above_len);
	above = (const struct above *)text;
	for (size_t i = 0; i < r->above_len / sizeof(*above); i++, named++) {
		struct object_key at = { KIND_ABOVE, above[i].dev, above[i].ino,
					 above[i].inode_gen | (__u64)above[i].number
								      << 32 };

		if (entry_names(&at, slot) != 1)
			broken("rule %u is not in its chain", r->id);
		if (!filtered(filter_inode(at.dev, at.a)))
			broken("rule %u: a directory is not in the filter", r->id);
		for (__u32 number = 0; number < above[i].number; number++) {
			at.b = above[i].inode_gen | (__u64)number << 32;
			if (!map_get(objects, &at))
				broken("a chain has a gap before rule %u", r->id);
		}
	}
	free(text);
	return named;
}

/* Labels of a rule: do the programs' and users' keys lead to them? */
static void labels_found(const struct rule *r, __u32 refs[LABEL_SORTS * LABELS])
{
	for (__u32 i = 0; i < LABEL_SORTS * LABELS; i++) {
		__u64 bit = 1ull << i % LABELS, sort = i / LABELS;
		const struct label *l = map_get(labels_map, &i);
		struct object_key number = { .kind = l->kinds ? __builtin_ctz(l->kinds)
							      : 0,
					     .a = l->number };
		struct object_key inode = { KIND_INODE, l->dev, l->ino, l->inode_gen };
		struct object_key path = { sort ? KIND_CGROUP : KIND_FSPATH, l->fs_dev,
					   l->fspath[0], l->fspath[1] };
		const __u64 *set;
		int n = 0;

		for (__u32 of = 0; of < SUBJECT_SORTS; of++)
			n += LABEL_SORT(of) == sort &&
			     (r->only[of] | r->except[of]) & bit;
		if (!n)
			continue;
		refs[i] += n;
		if (number.kind == KIND_CGROUP)
			number = path;
		set = map_get(subjects_map, sort ? &number : &inode);
		if (!set || !(*set & bit))
			broken("label %u of rule %u is not found", i, r->id);
		set = map_get(subjects_map, &path);
		if (!sort && (!set || !(*set & bit) || !(hot->labels & bit)))
			broken("label %u of rule %u is not found by path", i, r->id);
		if (!sort && (!filtered(filter_inode(l->dev, l->ino)) ||
			      !(hot->sticky & bit) != !(l->flags & LABEL_STICKY)))
			broken("label %u of rule %u: filter or flags", i, r->id);
	}
}

/* All rules in force are found: must hold between any two lines. */
static size_t rules_found(__u32 refs[LABEL_SORTS * LABELS])
{
	size_t named = 0;

	maps_find();
	for (__u32 slot = 0; slot < state->segments * SEGMENT_RULES; slot++) {
		const struct rule *r = rule_in(slot);

		if (!rule_in_force(r, state->gen))
			continue;
		named += rule_found(r, slot);
		labels_found(r, refs);
	}
	return named;
}

/* No more is there than what the rules in force need, and all counts are exact. */
static void all_exact(bool reserved)
{
	struct state want = {};
	__u32 refs[LABEL_SORTS * LABELS] = {}, n, used = 0, last = 0;
	__u64 programs = 0, labelled = 0;
	size_t named = rules_found(refs), slots = 0;
	struct element *e;
	struct hot h;

	if (failed)
		return;
	h = *hot;
	h.ops = 0;
	memset(h.kinds, 0, sizeof(h.kinds));
	for (__u32 slot = 0; slot < state->segments * SEGMENT_RULES; slot++) {
		const struct rule *r = rule_in(slot);

		if (!r->born)
			continue;
		if (!rule_in_force(r, state->gen) || r->ending)
			return broken("slot %u was not freed", slot);
		want.rules++;
		want.texts += rule_parts(r);
		if (r->policy && !(state->policy[r->policy].flags & POLICY_USED))
			broken("rule %u is of policy %u, which is not there", r->id,
			       r->policy);
		if (r->expires && (!state->expires || state->expires > r->expires))
			broken("rule %u ends before the state says", r->id);
		free(text_of(r->id, TEXT_ID, r->id_len));
		h.ops |= r->ops;
		for (int bit = 0; bit < OP_BITS; bit++)
			if (r->ops & 1u << bit) {
				want.op_rules[bit]++;
				h.kinds[bit] |= r->kinds;
				for (int kind = 0; kind < KINDS; kind++)
					want.kind_rules[bit][kind] +=
						r->kinds >> kind & 1;
			}
	}
	for (n = 0; n < POLICIES; n++) {
		const struct policy *p = &state->policy[n];

		want.texts += policy_parts(p);
		if (policy_parts(p))
			free(text_of(p->text, TEXT_POLICY,
				     p->name_len + p->reason_len));
	}
	if (want.rules != state->rules || want.texts != state->texts ||
	    texts->count != state->texts || objects->count != state->objects)
		broken("counts: %u rules of %u, %u = %u texts of %u, %u objects of %u",
		       want.rules, state->rules, want.texts, texts->count, state->texts,
		       objects->count, state->objects);
	if (memcmp(want.op_rules, state->op_rules, sizeof(want.op_rules)) ||
	    memcmp(want.kind_rules, state->kind_rules, sizeof(want.kind_rules)))
		broken("the counts of operations and kinds are wrong");
	FOR_EACH(objects, e)
	{
		const struct object_key *key = (void *)e->bytes;
		const struct object_rules *v = value_of(e);
		struct object_key after = *key;

		for (n = 0; n < OBJECT_RULES && v->slot[n] != NO_RULE; n++)
			slots++;
		after.b += 1ull << 32;
		if (!n && (key->kind != KIND_ABOVE || !map_get(objects, &after)))
			broken("an entry of kind %u names no rule", key->kind);
		for (; n < OBJECT_RULES; n++)
			if (v->slot[n] != NO_RULE)
				broken("an entry has a hole");
	}
	if (slots != named)
		broken("entries name %zu rules, not %zu", slots, named);
	for (n = 0; n < LABEL_SORTS * LABELS; n++) {
		const struct label *l = map_get(labels_map, &n);

		if (l->refs != refs[n])
			broken("label %u has %u refs, not %u", n, l->refs, refs[n]);
		if (!l->kinds)
			continue;
		if (!l->refs && !reserved)
			broken("label %u is not freed", n);
		used++;
		last = n;
		if (n < LABELS) {
			programs |= 1ull << n;
			labelled += 2;
		} else {
			labelled += 1;
		}
	}
	n = 0;
	FOR_EACH(subjects_map, e)
	{
		n += __builtin_popcountll(*(__u64 *)value_of(e));
		if (!*(__u64 *)value_of(e))
			broken("a subject has no label");
	}
	if (n != labelled)
		broken("%u keys of labels, not %llu (%u labels, last %u)", n, labelled,
		       used, last);
	h.labels = programs;
	h.sticky &= programs;
	h.scripts &= programs;
	h.dirty = 0;
	h.fresh &= reserved ? programs : 0;
	if (memcmp(&h, hot, sizeof(h)))
		broken("hot is not exact");
}

/* The rules in force, as text. */
static char *rules_text(void)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	maps_find();
	for (__u32 slot = 0; slot < state->segments * SEGMENT_RULES; slot++) {
		const struct rule *r = rule_in(slot);
		char *object;

		if (!rule_in_force(r, state->gen))
			continue;
		object = text_of(r->id, TEXT_OBJECT, r->path_len);
		fprintf(f, "%u %x %u %u %x %llu", r->id, r->ops, r->action, r->error,
			r->kinds, r->ino);
		for (int sort = 0; sort < SUBJECT_SORTS; sort++)
			fprintf(f, " %llx %llx", r->only[sort], r->except[sort]);
		fprintf(f, " %s %u\n", object, r->policy);
		free(object);
	}
	for (__u32 i = 0; i < POLICIES; i++) {
		const struct policy *p = &state->policy[i];
		char *name;

		if (!policy_parts(p))
			continue;
		name = text_of(p->text, TEXT_POLICY, p->name_len + p->reason_len);
		fprintf(f, "%u %x %llu %s\n", i, p->flags, p->created, name);
		free(name);
	}
	fclose(f);
	return text;
}

/* --- tests --- */

static char folder[] = "/tmp/encode_test.XXXXXX";

static void load(void)
{
	static const struct {
		const char *name;
		bool hash;
		size_t key, value;
		__u32 entries;
	} pinned[] = { { "hot", false, 4, sizeof(struct hot), 1 },
		       { "filter", false, 4, FILTER_BLOCK, FILTER_BLOCKS },
		       { "stats", false, 4, 8, STATS },
		       { "labels", false, 4, sizeof(struct label),
			 LABEL_SORTS * LABELS },
		       { "subjects", true, 24, 8, SUBJECTS_MAX },
		       { "state", false, 4, sizeof(struct state), STATES },
		       { "objects", false, 4, 4, 1 },
		       { "texts", false, 4, 4, 1 },
		       { "rules", false, 4, 4, SEGMENTS },
		       { "hits", false, 4, 4, SEGMENTS },
		       { "rates", false, 4, 4, SEGMENTS },
		       { "recorder", false, 4, sizeof(struct recorder), RINGS },
		       { "limits", false, 4, 4, RINGS },
		       { "calls", false, 4, sizeof(struct call_state), CALLS } };
	char pin[128];

	maps_count = 0;
	memset(&sketches->now, 0, sizeof(sketches->now));
	for (size_t i = 0; i < ARRAY_SIZE(pinned); i++) {
		snprintf(pin, sizeof(pin), PIN_ROOT "/maps/%s", pinned[i].name);
		map_make(pin, pinned[i].hash, pinned[i].key, pinned[i].value,
			 pinned[i].entries);
	}
	if (encode((char *[]){ "encode", "init", NULL }, NULL))
		broken("init failed");
	apply_lines(0, lines_count);
	drop_pins();
}

/* Of the maps in load(): all of them, and those that hold maps. */
#define PINNED 14
#define OUTER 6
#define OUTER_END 11

/* Forget maps that nothing leads to: a run makes one for each commit. */
static void maps_sweep(void)
{
	for (__u32 i = PINNED; i < maps_count; i++) {
		bool used = false;

		for (__u32 outer = OUTER; outer < OUTER_END; outer++) {
			struct element *e;

			FOR_EACH(&maps[outer], e)
			used |= *(__u32 *)value_of(e) == i + 1;
		}
		if (used)
			continue;
		for (__u32 j = 0; j < maps[i].size; j++)
			free(maps[i].element[j]);
		free(maps[i].element);
		maps[i].element = NULL;
		maps[i].size = 0;
	}
	while (maps_count > PINNED && !maps[maps_count - 1].size)
		maps_count--;
	if (maps_count < ARRAY_SIZE(maps) - 30)
		return;
	/* Give the ids that are free to the maps at the end. */
	for (__u32 i = PINNED; i < maps_count; i++) {
		__u32 from = maps_count, to = i + 1;

		if (maps[i].size)
			continue;
		maps[i] = maps[from - 1];
		maps[from - 1].size = 0;
		for (__u32 outer = OUTER; outer < OUTER_END; outer++) {
			struct element *e;

			FOR_EACH(&maps[outer], e)
			if (*(__u32 *)value_of(e) == from)
				*(__u32 *)value_of(e) = to;
		}
		while (maps_count > PINNED && !maps[maps_count - 1].size)
			maps_count--;
	}
}

static char *word(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *word(const char *format, ...)
{
	static char text[64][256];
	static int next_text;
	char *to = text[next_text++ % 64];
	va_list args;

	va_start(args, format);
	vsnprintf(to, 256, format, args);
	va_end(args);
	return to;
}

/* A file or directory below the test's folder, which may or may not exist. */
static char *draw_object(void)
{
	static const char *const dirs[] = { "", "a/", "a/b/", "a/b/c/", "d/" };
	const char *dir = dirs[draw() % ARRAY_SIZE(dirs)];

	if (draw() % 5 == 0)
		return word("%s/%s", folder, dirs[1 + draw() % 4]);
	return word("%s/%sf%d", folder, dir, (int)(draw() % 6));
}

/* A file of policies as `encode apply` reads it. */
static char *draw_policies(bool manual)
{
	static char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/words", folder);
	f = fopen(path, "w");
	for (int n = 1 + draw() % 2; f && n-- > 0;) {
		fprintf(f, "policy%c--file=x%c--name=%s%d%c%s%c", 0, 0,
			manual ? "manual" : "p", manual ? 0 : n, 0,
			draw() % 2 ? "--monitor" : "--reason=a reason", 0);
		fprintf(f, "%c", 0);
		for (int id = 0, rules = draw() % 6; id < rules; id++) {
			fprintf(f, "rule%c--rule=%d%c--ops=%s%c", 0, id, 0,
				draw() % 2 ? "exec" : "modify", 0);
			if (draw() % 3 == 0)
				fprintf(f, "--unless-exe=%s/p%d%c", folder,
					(int)(draw() % 40), 0);
			if (draw() % 4 == 0)
				fprintf(f, "--ttl=1h%c", 0);
			if (draw() % 4 == 0)
				fprintf(f, "--reason=other%c", 0);
			fprintf(f, "--%c%s/a/%d%c%c", 0, folder, id, 0, 0);
		}
	}
	if (!f || fclose(f))
		broken("no file of policies");
	return path;
}

/* A command drawn at random, as words. Returns what it reads, or NULL. */
static char *draw_command(char *argv[40])
{
	char *input = NULL;

	static char *const ops[] = { "exec",	    "read",   "write",	    "modify",
				     "read,modify", "delete", "exec,rename" };
	int n = 0;

	argv[n++] = "encode";
	switch (draw() % 15) {
	case 12 ... 13:
		argv[n++] = "apply";
		argv[n++] = "--force";
		if (draw() % 4 == 0)
			argv[n++] = "--prune";
		input = draw_policies(false);
		break;
	case 14:
		argv[n++] = "mode";
		argv[n++] = draw() % 2 ? "--monitor" : "--enforce";
		if (draw() % 2)
			argv[n++] = "--for=1h";
		argv[n++] = "--";
		argv[n++] = "manual";
		break;
	case 0 ... 5:
		argv[n++] = "deny";
		argv[n++] = "--force";
		argv[n++] = "--ops";
		argv[n++] = word("%s", ops[draw() % ARRAY_SIZE(ops)]);
		if (draw() % 3 == 0)
			argv[n++] = "--action=audit";
		if (draw() % 3 == 0)
			argv[n++] = "--reason=because it is so, and a text of more"
				    " than one part has to be as long as this one"
				    " is, which is longer than 120";
		if (draw() % 3 == 0) {
			argv[n++] = draw() % 2 ? "--only-exe" : "--unless-exe";
			argv[n++] = word("%s/p%d", folder, (int)(draw() % 40));
			if (draw() % 2)
				argv[n++] = "--sticky";
		}
		if (draw() % 4 == 0)
			argv[n++] = word("--unless-uid=%d", (int)(draw() % 5));
		if (draw() % 4 == 0)
			argv[n++] = word("--%s-gid=%d", draw() % 2 ? "only" : "unless",
					 (int)(draw() % 5));
		if (draw() % 4 == 0)
			argv[n++] = word("--%s-parent=%s/p%d",
					 draw() % 2 ? "only" : "unless", folder,
					 (int)(draw() % 20));
		if (draw() % 6 == 0)
			argv[n++] =
				draw() % 2 ? "--only-container" : "--unless-container";
		break;
	case 6: argv[n++] = "refresh"; break;
	case 7:
		argv[n++] = "label";
		argv[n++] = "--unless-exe";
		argv[n++] = word("%s/p%d", folder, (int)(draw() % 40));
		break;
	case 8:
		argv[n++] = "allow";
		argv[n++] = draw() % 8 ? "--ops=exec" : "--all";
		break;
	default: argv[n++] = "allow"; break;
	}
	if (!strcmp(argv[1], "deny") || !strcmp(argv[1], "allow")) {
		argv[n++] = "--";
		for (int objects = 1 + draw() % 8; objects-- > 0;)
			argv[n++] = draw_object();
	}
	argv[n] = NULL;
	return input;
}

/* Something happens to a file. */
static void draw_change(void)
{
	char *a = draw_object(), *b = draw_object();

	if (a[strlen(a) - 1] == '/' || b[strlen(b) - 1] == '/')
		return;
	switch (draw() % 3) {
	case 0: close(open(a, O_CREAT | O_WRONLY, 0600)); break;
	case 1: rename(a, b); break;
	case 2: unlink(a); break;
	}
}

/* Apply part of the lines and recover. Returns what then are the rules. */
static char *cut(size_t at)
{
	__u32 refs[LABEL_SORTS * LABELS] = {};

	apply_lines(0, at);
	if (!at) /* not begun */
		return rules_text();
	rules_found(refs);
	drop_pins();
	if (encode((char *[]){ "encode", "recover", NULL }, NULL))
		broken("recover failed");
	/* That may be cut off as well. */
	if (lines_count && draw() % 2) {
		apply_lines(0, draw() % lines_count);
		rules_found(refs);
		drop_pins();
		if (encode((char *[]){ "encode", "recover", NULL }, NULL))
			broken("a second recover failed");
	}
	apply_lines(0, lines_count);
	drop_pins();
	all_exact(true);
	return rules_text();
}

#ifdef __SANITIZE_ADDRESS__
#define COMMANDS 250 /* slow */
#else
#define COMMANDS 700
#endif

static bool random_commands(void)
{
	size_t done = 0, refused_count = 0, cuts = 0;
	char *argv[40] = {}, path[256];

	for (int i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "%s/p%d", folder, i);
		close(open(path, O_CREAT | O_WRONLY, 0700));
	}
	for (const char *const *d =
		     (const char *const[]){ "a", "a/b", "a/b/c", "d", NULL };
	     *d; d++) {
		snprintf(path, sizeof(path), "%s/%s", folder, *d);
		mkdir(path, 0700);
	}
	for (int i = 0; i < 60; i++)
		draw_change();
	load();
	for (int i = 0; i < COMMANDS && !failed; i++) {
		char *before, *after, *got, *input;
		size_t at, old_count;
		int status;

		for (int c = draw() % 4; c > 0; c--)
			draw_change();
		input = draw_command(argv);
		status = encode(argv, input);
		if (status > 1)
			broken("status %d", status);
		refused_count += status == 1;
		if (status || !lines_count)
			continue;
		done++;
		before = rules_text();
		maps_save();
		apply_lines(0, lines_count);
		drop_pins();
		all_exact(true);
		after = rules_text();
		/* And once more, cut off. What it came to stays in half of the cases. */
		maps_swap();
		at = draw() % lines_count;
		old_count = lines_count;
		got = cut(at);
		cuts++;
		/* Rules follow their names one by one. */
		if (!failed && strcmp(got, before) && strcmp(got, after) &&
		    strcmp(argv[1], "refresh"))
			broken("cut off at %zu of %zu: neither as before nor as after",
			       at, old_count);
		if (draw() % 2)
			maps_swap();
		maps_sweep();
		free(before);
		free(after);
		free(got);
		for (int w = 0; failed && argv[w]; w++)
			fprintf(stderr, "# %s\n", argv[w]);
	}
	if (!failed && (done < COMMANDS / 3 || refused_count > COMMANDS / 3))
		broken("%zu commands, %zu refused: too few", done, refused_count);
	return !failed;
}

/* 3,000 rules beneath one directory: maps grow, chains are long; and all go again. */
static bool many_rules(void)
{
	char list[256], path[300], *argv[] = { "encode", "deny",    "--force", "--ops",
					       "modify", "--stdin", NULL,      NULL };
	FILE *f;

	snprintf(list, sizeof(list), "%s/list", folder);
	f = fopen(list, "w");
	for (int i = 0; f && i < 3000; i++)
		fprintf(f, "%s/many/n%d\n", folder, i);
	if (!f || fclose(f))
		return false;
	snprintf(path, sizeof(path), "%s/many", folder);
	mkdir(path, 0700);
	load();
	if (encode(argv, list))
		broken("deny failed");
	apply_lines(0, lines_count);
	drop_pins();
	all_exact(false);
	if (!failed && (state->rules != 3000 || state->objects_max < 6000))
		broken("%u rules", state->rules);
	/* every other one goes, one comes into the room that is left */
	f = fopen(list, "w");
	for (int i = 0; f && i < 3000; i += 2)
		fprintf(f, "%s/many/n%d\n", folder, i);
	if (!f || fclose(f))
		return false;
	if (encode((char *[]){ "encode", "allow", "--stdin", NULL }, list))
		broken("allow failed");
	apply_lines(0, lines_count);
	drop_pins();
	all_exact(false);
	if (!failed && state->rules != 1500)
		broken("%u rules", state->rules);
	if (!failed) {
		__u32 entries = state->objects;

		snprintf(path, sizeof(path), "%s/many/new", folder);
		if (encode((char *[]){ "encode", "deny", "--force", "--ops", "modify",
				       path, NULL },
			   NULL))
			broken("deny failed");
		apply_lines(0, lines_count);
		drop_pins();
		all_exact(false);
		/* its name and path, no entry of a chain */
		if (!failed && state->objects != entries + 2)
			broken("%u entries more", state->objects - entries);
	}
	if (encode((char *[]){ "encode", "allow", "--all", NULL }, NULL))
		broken("allow --all failed");
	apply_lines(0, lines_count);
	drop_pins();
	all_exact(false);
	if (!failed && state->objects + state->texts + state->rules)
		broken("%u objects are left", state->objects);
	return !failed;
}

/* Run a command that must succeed. */
static void must(char *const argv[])
{
	if (encode(argv, NULL))
		broken("%s failed", argv[1]);
	apply_lines(0, lines_count);
	drop_pins();
}

static bool labels_run_out(void)
{
	char program[256], object[256];

	load();
	snprintf(object, sizeof(object), "%s/a/f0", folder);
	for (int i = 0; i < 65 && !failed; i++) {
		char *argv[] = { "encode", "deny", "--force", "--unless-exe",
				 program,  object, NULL,      NULL };

		snprintf(program, sizeof(program), "%s/q%d", folder, i);
		close(open(program, O_CREAT | O_WRONLY, 0700));
		/* a rule for each would be more than one object can have */
		snprintf(object, sizeof(object), "%s/a/g%d", folder, i);
		if (i < 63) {
			must(argv);
			continue;
		}
		/* The last is reserved, and taken when there is no other. */
		if (i == 63)
			must((char *[]){ "encode", "label", "--unless-exe", program,
					 NULL });
		else
			must(argv);
		all_exact(true);
	}
	snprintf(program, sizeof(program), "%s/q63", folder);
	if (encode((char *[]){ "encode", "deny", "--force", "--unless-exe", program,
			       object, NULL },
		   NULL) != 1 ||
	    lines_count)
		broken("a 65th program was not refused");
	must((char *[]){ "encode", "allow", "--all", NULL });
	all_exact(false);
	return !failed;
}

/* A rule follows its name to another file, and keeps its id. */
static bool refresh_follows(void)
{
	char file[256], other[256], *before, *after;
	unsigned long long ino = 0;

	load();
	snprintf(file, sizeof(file), "%s/d/follow", folder);
	snprintf(other, sizeof(other), "%s/d/other", folder);
	close(open(file, O_CREAT | O_WRONLY, 0600));
	close(open(other, O_CREAT | O_WRONLY, 0600));
	must((char *[]){ "encode", "deny", "--force", "--ops", "read", file, NULL });
	must((char *[]){ "encode", "refresh", NULL });
	if (lines_count)
		broken("refreshed what had not changed");
	before = rules_text();
	rename(other, file);
	must((char *[]){ "encode", "refresh", NULL });
	all_exact(false);
	after = rules_text();
	if (!failed &&
	    (!strcmp(before, after) || sscanf(after, "1 2 3 1 %*x %llu", &ino) != 1))
		broken("was %s is %s", before, after);
	free(before);
	free(after);
	return !failed;
}

/* Same object: other subjects are another rule, another action replaces it. */
static bool subjects_tell_apart(void)
{
	char object[256], program[256];

	load();
	snprintf(object, sizeof(object), "%s/a/x", folder);
	snprintf(program, sizeof(program), "%s/p1", folder);
	for (int i = 0; i < 2; i++) {
		must((char *[]){ "encode", "deny", "--force", object, NULL });
		must((char *[]){ "encode", "deny", "--force", "--unless-exe", program,
				 object, NULL });
		must((char *[]){ "encode", "deny", "--force", "--unless-exe", program,
				 "--sticky", object, NULL });
		must((char *[]){ "encode", "deny", "--force", "--only-uid=7", object,
				 NULL });
		all_exact(false);
		if (!failed && state->rules != 4)
			broken("%u rules, not 4", state->rules);
	}
	must((char *[]){ "encode", "deny", "--force", "--only-uid=7", "--action=audit",
			 object, NULL });
	all_exact(false);
	if (!failed && state->rules != 4)
		broken("%u rules, not 4", state->rules);
	must((char *[]){ "encode", "allow", object, NULL });
	all_exact(false);
	if (!failed && state->rules)
		broken("%u rules are left", state->rules);
	return !failed;
}

static bool refusals(void)
{
	static const struct {
		int status;
		char *words[6];
	} wrong[] = { { 2, { "--only-uid=x", "/x" } },
		      { 2, { "--only-uid=4294967295", "/x" } },
		      { 2, { "--unless-uid=-1", "/x" } },
		      { 2, { "--sticky", "/x" } },
		      { 2, { "--ops=fly", "/x" } },
		      { 2, { "--only-uid=1", "--unless-uid=1", "/x" } },
		      { 1, { "--only-exe=/nonesuch", "/x" } },
		      { 1, { "--only-exe=nonesuch", "/x" } },
		      { 1, { "--unless-exe=/proc", "/x" } },
		      { 1, { "--unless-exe=/dev/null", "/x" } },
		      { 1, { "--ops=read", "/etc/passwd" } },
		      { 1, { "--ops=read", "/" } },
		      { 1, { "--ops=modify", "/tmp/" } },
		      { 1, { "--ops=create", "/" } },
		      { 1, { "--ops=modify", "--only-uid=0", "/tmp/" } } };

	load();
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char *argv[10] = { "encode", "deny" };
		int status;

		for (int w = 0; wrong[i].words[w]; w++)
			argv[2 + w] = wrong[i].words[w];
		status = encode(argv, NULL);
		if (status != wrong[i].status || lines_count)
			broken("status %d of %s %s", status, argv[2], argv[3]);
	}
	must((char *[]){ "encode", "deny", "--ops=modify", "--only-uid=7", "/tmp/",
			 "/etc/", NULL });
	must((char *[]){ "encode", "deny", "--ops=modify", "--only-container",
			 "--unless-container", "/tmp/", NULL });
	all_exact(false);
	return !failed;
}

/* What a process can go on writing to is said, of a file and of a tree. */
static bool mappings_are_said(void)
{
	char file[256], said[256], line[1024], want[64];
	char *objects[] = { file, word("%s/a/b/", folder) };
	size_t n = 0;
	void *p;
	int fd;

	load();
	snprintf(file, sizeof(file), "%s/a/b/mapped", folder);
	snprintf(said, sizeof(said), "%s/said", folder);
	snprintf(want, sizeof(want), "process %d (", getpid());
	fd = open(file, O_CREAT | O_RDWR, 0600);
	if (fd < 0 || ftruncate(fd, 4096))
		return false;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	said_to = said;
	for (size_t i = 0; i < 4; i++) {
		FILE *f;

		/* of the last two: only read, and not mapped at all */
		must((char *[]){
			"encode", "deny", i == 2 ? "--ops=read" : "--ops=write",
			i == 3 ? word("%s/d/", folder) : objects[i % 2], NULL });
		/* now that no more of them can be made */
		must((char *[]){ "encode", "mapped", "--", "deny", "0", "1023", NULL });
		f = fopen(said, "r");
		while (f && fgets(line, sizeof(line), f))
			if (strstr(line, want) && !strncmp(line, "deny: ", 6) &&
			    strstr(line, file) &&
			    strstr(line, "has it mapped writable"))
				n += i < 2 ? 1 : 100;
		if (f)
			fclose(f);
	}
	said_to = "/dev/null";
	munmap(p, 4096);
	if (n != 2)
		broken("said %zu times", n);
	return !failed;
}

struct typed_case {
	const char *words[7];
	int status;
	const char *needs; /* lines, a space for the end of each */
};

/* What an operator types after a verb is read as it is meant, or refused with the status that says why. */
static void typed_cases(char *of, const struct typed_case *cases, size_t count)
{
	char said[300] = "";

	snprintf(said, sizeof(said), "%s/typed", folder);
	said_to = said;
	for (size_t i = 0; i < count; i++) {
		char *argv[16] = { "encode", of, "--typed", "--needs", "--" };
		char needs[200] = "";
		size_t n = 5, len;
		FILE *f;
		int status;

		for (size_t w = 0; w < 7 && cases[i].words[w]; w++)
			argv[n++] = (char *)cases[i].words[w];
		status = encode(argv, NULL);
		f = fopen(said, "r");
		len = f ? fread(needs, 1, sizeof(needs) - 1, f) : 0;
		if (f)
			fclose(f);
		for (size_t c = 0; c < len; c++)
			if (needs[c] == '\n')
				needs[c] = ' ';
		if (status != cases[i].status ||
		    (cases[i].needs && strcmp(needs, cases[i].needs)))
			broken("%s, case %zu: status %d, %s", of, i, status, needs);
		/* what takes more than a run is not begun */
		argv[3] = "--typed";
		if (cases[i].needs && strcmp(of, "allow") &&
		    strcmp(cases[i].needs, "ops exec action kill ") &&
		    (!strstr(cases[i].needs, "ops exec") ||
		     strstr(cases[i].needs, "programs") ||
		     strstr(cases[i].needs, "digest")) &&
		    encode(argv, NULL) != (cases[i].status ? cases[i].status : 7))
			broken("case %zu is begun", i);
	}
	said_to = "/dev/null";
}

static bool typed_words(void)
{
	static const struct typed_case deny[] = {
		{ { "/x" }, 0, "ops exec action kill " },
		{ { "/x", "--action", "deny", "--reason", "-h" },
		  0,
		  "ops exec action deny " },
		{ { "read,write", "--action=audit", "/x", "/y" },
		  0,
		  "ops read write action audit " },
		{ { "read" }, 0, "ops exec action kill " }, /* an object, of that name */
		{ { "--stdin", "read" }, 0, "ops read action kill stdin " },
		{ { "--", "read", "--stdin" }, 0, "ops read action kill " },
		{ { "/x", "--only-exe", "/y", "--dry-run" },
		  0,
		  "ops exec action kill programs dry-run " },
		{ { "--only-uid=root", "--unless-gid", "0", "/x" },
		  0,
		  "ops exec action kill " },
		{ { "syscall", "ptrace", "--arg", "0=1" },
		  0,
		  "ops syscall calls ptrace action kill " },
		{ { "syscall", "?" }, 0, "ops syscall calls ? action kill " },
		{ { "--digest", "/x" }, 0, "ops exec action kill digest " },
		{ { "-h" }, 6, "" },
		{ { "/x", "--help", "--frobnicate" }, 6, "" },
		{ { NULL }, 2, NULL },
		{ { "read,write", "--" }, 0, "ops exec action kill " },
		{ { "--reas=x", "/x" }, 2, NULL }, /* no beginnings of options */
		{ { "--run", "/x" }, 2, NULL },	   /* nor those of this program alone */
		{ { "--own=/", "/x" }, 2, NULL },
		{ { "--force=1", "/x" }, 2, NULL },
		{ { "-", "/x" }, 2, NULL },
		{ { "/x", "--reason" }, 2, NULL },
		{ { "--only-uid", "nobody-of-that-name", "/x" }, 1, NULL },
		{ { "--only-uid=", "/x" }, 1, NULL },
		{ { "syscall,read", "/x" }, 2, NULL },
		{ { "syscall", "ptrace\nprograms" }, 2, NULL },
		{ { "syscall", "ptrace", "?" }, 2, NULL },
		{ { "syscall", "--stdin" }, 2, NULL },
		{ { "/x", "--arg", "0=1" }, 2, NULL },
		{ { "--sticky", "/x" }, 2, NULL },
		{ { "--id", "1", "/x" }, 2, NULL },
		{ { "--all" }, 2, NULL },
	};
	static const struct typed_case allow[] = {
		{ { "/x", "--digest" }, 0, "" },
		{ { "--stdin", "--null", "exec" }, 0, "stdin " },
		{ { "read,write", "--id=3", "--id", "4" }, 0, "" },
		{ { "--all", "exec", "--dry-run" }, 0, "dry-run " },
		{ { "syscall", "ptrace", "--arg=0=1" }, 0, "" },
		{ { "--", "--all" }, 0, "" }, /* an object, of that name */
		{ { "/x", "--help" }, 6, "" },
		{ { NULL }, 2, NULL },
		{ { "--dry-run" }, 2, NULL },
		{ { "--id" }, 2, NULL },
		{ { "--id", "0" }, 2, NULL },
		{ { "--all=1" }, 2, NULL },
		{ { "/x", "--force" }, 2, NULL },
		{ { "/x", "--only-uid", "0" }, 2, NULL },
		{ { "/x", "--action", "kill" }, 2, NULL },
		{ { "syscall", "?" }, 2, NULL },
		{ { "/x", "--arg", "0=1" }, 2, NULL },
	};

	typed_cases("deny", deny, ARRAY_SIZE(deny));
	typed_cases("allow", allow, ARRAY_SIZE(allow));
	return !failed;
}

/* An entry may name any slot: one without a rule, one of a segment that never was. */
static bool stray_slots(void)
{
	static const __u32 strays[] = { 7, SEGMENT_RULES + 1, SEGMENTS * SEGMENT_RULES,
					NO_RULE - 1 };
	struct element *e;
	char object[256];

	load();
	snprintf(object, sizeof(object), "%s/a/x", folder);
	must((char *[]){ "encode", "deny", "--force", object, NULL });
	FOR_EACH(objects, e)
	{
		struct object_rules *v = value_of(e);

		memcpy(&v->slot[1], strays, sizeof(strays));
	}
	must((char *[]){ "encode", "deny", "--force", "--action=audit", object, NULL });
	maps_find();
	if (state->rules != 1)
		broken("%u rules, not 1", state->rules);
	must((char *[]){ "encode", "allow", object, NULL });
	/* now it says what is left: nothing */
	must((char *[]){ "encode", "allow", object, NULL });
	maps_find();
	if (state->rules)
		broken("%u rules are left", state->rules);
	return !failed;
}

static void remove_folder(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);

	while (dir && (entry = readdir(dir))) {
		char inner[512];

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(inner, sizeof(inner), "%.200s/%.200s", path, entry->d_name);
		if (unlink(inner))
			remove_folder(inner);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

static void test(bool (*run)(void), const char *title)
{
	failed = false;
	tap(run(), title);
}

int main(void)
{
	sketches = mmap(NULL, sizeof(*sketches), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sketches == MAP_FAILED || !mkdtemp(folder))
		return 1;
	test(random_commands,
	     "random commands, whole and cut off, leave exact maps and all or nothing");
	test(many_rules, "3,000 rules beneath a directory come and go");
	test(labels_run_out, "the 65th program is refused, a reserved label is reused");
	test(refresh_follows, "refresh has a rule follow its name and keep its id");
	test(subjects_tell_apart, "rules of one object differ by their subjects");
	test(stray_slots, "an entry that names no rule is passed over");
	test(mappings_are_said, "processes that have a file mapped writable are named");
	test(typed_words, "the words that are typed after deny and allow");
	test(refusals, "what is wrong or dangerous is refused and writes nothing");
	remove_folder(folder);
	return tap_end();
}

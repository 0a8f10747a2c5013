// SPDX-License-Identifier: GPL-2.0-only
/* tables.c: the maps as they will be when the lines so far have run; see encode.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "encode.h"

char objects_map[96], texts_map[96];

void *more(void *array, size_t n, size_t size)
{
	return n & (n - 1) ? array : xrealloc(array, n ? 2 * n : 1, size);
}

/* --- rules --- */

static struct cached *segments[SEGMENTS];

struct cached *segment(__u32 n)
{
	struct cached *c = segments[n];

	if (c)
		return c;
	c = segments[n] = xcalloc(1, sizeof(*c));
	if (n < m.s.segments) {
		segment_read(&m, n, &c->seg, false);
		snprintf(c->rules, sizeof(c->rules), "id %u", c->seg.rules_id);
		snprintf(c->hits, sizeof(c->hits), "id %u", c->seg.hits_id);
		snprintf(c->rates, sizeof(c->rates), "id %u", c->seg.rates_id);
	} /* else the batch makes it, and names it then */
	return c;
}

struct rule *rule_at(__u32 slot)
{
	return &segment(slot / SEGMENT_RULES)->seg.rule[slot % SEGMENT_RULES];
}

const struct rule *rule_named(__u32 slot)
{
	const struct rule *r = slot < SEGMENTS * SEGMENT_RULES ? rule_at(slot) : NULL;

	return r && r->born ? r : NULL;
}

void line_rule(__u32 slot)
{
	__u32 index = slot % SEGMENT_RULES;

	line_update(segment(slot / SEGMENT_RULES)->rules, &index, sizeof(index),
		    rule_at(slot), sizeof(struct rule));
}

int rule_keys(const struct rule *r, struct object_key key[RULE_KEYS])
{
	static const __u32 kinds[] = { KIND_INODE, KIND_NAME,  KIND_TREE,  KIND_FSPATH,
				       KIND_CALL,  KIND_CLASS, KIND_DIGEST };
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!(r->kinds & KIND_BIT(kinds[i])))
			continue;
		key[n] = (struct object_key){ .kind = kinds[i] };
		if (kinds[i] == KIND_NAME) {
			key[n].a = r->name[0];
			key[n].b = r->name[1];
		} else if (kinds[i] == KIND_FSPATH) {
			key[n].dev = r->fs_dev;
			key[n].a = r->fspath[0];
			key[n].b = r->fspath[1];
		} else if (kinds[i] == KIND_DIGEST) {
			key[n].dev = r->fspath[0];
			key[n].a = r->name[0];
			key[n].b = r->name[1];
		} else if (kinds[i] == KIND_CALL) {
			key[n].dev = r->dev;
			key[n].a = r->name[0];
			key[n].b = r->name[1];
			if (r->fspath[0] != r->name[1]) {
				n++;
				key[n] = key[n - 1];
				key[n].b = r->fspath[0];
			}
		} else {
			key[n].dev = r->dev;
			key[n].a = r->ino;
			key[n].b = r->inode_gen;
		}
		n++;
	}
	return n;
}

/* --- entries of `objects` --- */

/* Entries stay where they are; an open hash table points to them. */
#define POOL 4096
static struct entry **pool, **table;
static size_t table_size;
size_t entries_count;

struct entry *entry_number(size_t i)
{
	return &pool[i / POOL][i % POOL];
}

static struct entry **entry_place(const struct object_key *key)
{
	size_t i = object_check(key) & (table_size - 1);

	while (table[i] && memcmp(&table[i]->key, key, sizeof(*key)))
		i = (i + 1) & (table_size - 1);
	return &table[i];
}

static void table_grow(void)
{
	free(table);
	table_size = table_size ? 2 * table_size : 1024;
	table = xcalloc(table_size, sizeof(*table));
	for (size_t i = 0; i < entries_count; i++)
		*entry_place(&entry_number(i)->key) = entry_number(i);
}

struct entry *entry(const struct object_key *key)
{
	struct entry **place, *e;

	if (2 * entries_count >= table_size)
		table_grow();
	place = entry_place(key);
	e = *place;
	if (e)
		return e;
	if (entries_count % POOL == 0) {
		pool = more(pool, entries_count / POOL, sizeof(*pool));
		pool[entries_count / POOL] = xcalloc(POOL, sizeof(struct entry));
	}
	e = *place = entry_number(entries_count++);
	e->key = *key;
	e->exists = !map_lookup(m.objects, key, &e->value);
	if (!e->exists) {
		memset(&e->value, 0xff, sizeof(e->value));
		e->value.check = object_check(key);
	}
	return e;
}

static bool slot_add(struct object_rules *value, __u32 slot)
{
	for (int i = 0; i < OBJECT_RULES; i++)
		if (value->slot[i] == NO_RULE) {
			value->slot[i] = slot;
			return true;
		}
	return false;
}

bool entry_add(struct entry *e, __u32 slot)
{
	if (!slot_add(&e->value, slot))
		return false;
	e->changed = true;
	return !e->left || slot_add(e->left, slot);
}

void entry_leave(struct entry *e, __u32 slot)
{
	int from, to = 0;

	if (!e->exists && !e->changed)
		return;
	if (!e->left) {
		e->left = xcalloc(1, sizeof(*e->left));
		*e->left = e->value;
	}
	for (from = 0; from < OBJECT_RULES; from++)
		if (e->left->slot[from] != slot)
			e->left->slot[to++] = e->left->slot[from];
	while (to < OBJECT_RULES)
		e->left->slot[to++] = NO_RULE;
}

static bool entry_empty(const struct entry *e)
{
	return (e->left ? e->left : &e->value)->slot[0] == NO_RULE;
}

/* --- chains: the entries of a directory above --- */

static struct dir **dirs;
static size_t dirs_count, dirs_size;

static struct dir **dir_place(__u32 dev, __u64 ino, __u32 inode_gen)
{
	size_t i = filter_inode(dev, ino) & (dirs_size - 1);

	while (dirs[i] && (dirs[i]->ino != ino || dirs[i]->dev != dev ||
			   dirs[i]->inode_gen != inode_gen))
		i = (i + 1) & (dirs_size - 1);
	return &dirs[i];
}

struct dir *dir_at(__u32 dev, __u64 ino, __u32 inode_gen)
{
	struct dir **old = dirs, **place;
	size_t n = dirs_size;

	if (2 * dirs_count >= dirs_size) {
		dirs_size = n ? 2 * n : 64;
		dirs = xcalloc(dirs_size, sizeof(struct dir *));
		for (size_t i = 0; i < n; i++)
			if (old[i])
				*dir_place(old[i]->dev, old[i]->ino,
					   old[i]->inode_gen) = old[i];
		free(old);
	}
	place = dir_place(dev, ino, inode_gen);
	if (!*place) {
		*place = xcalloc(1, sizeof(**place));
		**place =
			(struct dir){ .dev = dev, .ino = ino, .inode_gen = inode_gen };
		dirs_count++;
	}
	return *place;
}

static struct object_key chain_key(const struct dir *d, __u32 number)
{
	return (struct object_key){ .kind = KIND_ABOVE,
				    .dev = d->dev,
				    .a = d->ino,
				    .b = d->inode_gen | (__u64)number << 32 };
}

/* Read an entry of a chain as the map has it. */
static bool chain_read(const struct dir *d, __u32 number, struct object_rules *value)
{
	struct object_key key = chain_key(d, number);

	return number < ABOVE_LIMIT && !map_lookup(m.objects, &key, value);
}

/*
 * Choose where room is looked for first. A chain has no gaps, so its end is found
 * by doubling; but rules that went may have left room before it, which a few
 * guesses find when there is much. So neither a chain nor the time to find room
 * grows with all the rules there ever were.
 */
static void chain_probe(struct dir *d)
{
	struct object_rules value;
	__u32 length = 0, beyond = 1, middle;

	d->probed = true;
	if (!chain_read(d, 0, &value))
		return;
	while (chain_read(d, beyond, &value)) {
		length = beyond;
		beyond *= 2;
	}
	/* entry `length` exists, entry `beyond` does not */
	while (beyond - length > 1) {
		middle = length + (beyond - length) / 2;
		if (chain_read(d, middle, &value))
			length = middle;
		else
			beyond = middle;
	}
	length++;
	d->number = length - 1;
	for (__u32 guess = 0; guess < 16; guess++) {
		__u64 h = filter_inode(guess, m.s.gen);

		if (chain_read(d, h % length, &value) &&
		    value.slot[OBJECT_RULES - 1] == NO_RULE) {
			d->number = h % length;
			return;
		}
	}
}

bool chain_add(struct dir *d, __u32 slot, struct above *where)
{
	if (!d->probed) {
		chain_probe(d);
		filter_set(filter_inode(d->dev, d->ino));
	}
	for (;; d->number++) {
		struct object_key key;

		if (d->number == ABOVE_LIMIT) {
			if (d->wrapped)
				return false;
			d->wrapped = true;
			d->number = 0;
		}
		key = chain_key(d, d->number);
		if (entry_add(entry(&key), slot))
			break;
	}
	*where = (struct above){ .dev = d->dev,
				 .inode_gen = d->inode_gen,
				 .ino = d->ino,
				 .number = d->number };
	return true;
}

void chain_leave(const struct above *where, __u32 slot)
{
	struct dir *d = dir_at(where->dev, where->ino, where->inode_gen);
	struct object_key key = chain_key(d, where->number);

	entry_leave(entry(&key), slot);
	if (!d->left || where->number > d->highest)
		d->highest = where->number;
	d->left = true;
}

/* Entries that go, in the order in which they may. */
static struct entry **out;
static size_t out_count;

static void entry_goes(struct entry *e)
{
	out = more(out, out_count, sizeof(struct entry *));
	out[out_count++] = e;
	e->goes = true;
}

/*
 * Shorten a chain: its last entry always names a rule. Programs stop at the first
 * number that is missing, so the last goes first.
 */
static void chain_settle(const struct dir *d)
{
	struct object_key key = chain_key(d, d->highest + 1);
	struct entry *e = d->highest + 1 < ABOVE_LIMIT ? entry(&key) : NULL;

	if (e && (e->exists || e->changed))
		return;
	for (__u32 number = d->highest + 1; number-- > 0;) {
		key = chain_key(d, number);
		e = entry(&key);
		if (!e->exists && !e->changed)
			continue;
		if (!entry_empty(e))
			return;
		entry_goes(e);
	}
}

__u32 entries_settle(void)
{
	for (size_t i = 0; i < entries_count; i++) {
		struct entry *e = entry_number(i);

		if (e->left && e->key.kind != KIND_ABOVE && entry_empty(e))
			entry_goes(e);
	}
	for (size_t i = 0; i < dirs_size; i++)
		if (dirs[i] && dirs[i]->left)
			chain_settle(dirs[i]);
	return out_count;
}

void lines_entries(void)
{
	for (size_t i = 0; i < entries_count; i++) {
		const struct entry *e = entry_number(i);

		if (e->changed)
			line_update(objects_map, &e->key, sizeof(e->key), &e->value,
				    sizeof(e->value));
	}
}

void lines_entries_out(void)
{
	for (size_t i = 0; i < entries_count; i++) {
		const struct entry *e = entry_number(i);

		if (e->left && !e->goes && memcmp(e->left, &e->value, sizeof(e->value)))
			line_update(objects_map, &e->key, sizeof(e->key), e->left,
				    sizeof(*e->left));
	}
	for (size_t i = 0; i < out_count; i++)
		line_delete(objects_map, &out[i]->key, sizeof(out[i]->key));
}

/* --- the filter, and its sketch --- */

static __u64 filter[FILTER_BLOCKS][FILTER_BLOCK / 8];
static bool filter_changed[FILTER_BLOCKS], filter_known[FILTER_BLOCKS];

/* Of each key one bit in `sketched`, so that what is beneath one directory is said once. */
static __u64 *sketch_keys, sketched[SKETCH_WORDS];
static size_t sketch_keys_n;

static void sketch_set(__u64 h)
{
	__u64 *word = &sketched[sketch_word(h)];

	if (*word & top_bit(h))
		return;
	*word |= top_bit(h);
	sketch_keys = more(sketch_keys, sketch_keys_n, sizeof(*sketch_keys));
	sketch_keys[sketch_keys_n++] = h;
}

/*
 * Now and not by a line, and so before all of them: a bit that is set too early, or for a batch that
 * is never run, costs time alone. Where no rule is in force, what there was is of no use any more.
 */
static void sketch_write(void)
{
	static bool done;
	struct sketch_add add = { .clear = !done && !m.s.rules };
	int program;

	if (offline || !sketch_keys_n)
		return;
	program = pin_open("core/sketch_add");
	for (size_t i = 0; i < sketch_keys_n; i += add.count, add.clear = 0) {
		add.count = sketch_keys_n - i < SKETCH_KEYS ? sketch_keys_n - i
							    : SKETCH_KEYS;
		memcpy(add.hash, sketch_keys + i, add.count * sizeof(*add.hash));
		if (program < 0 || program_run(program, &add, sizeof(add)))
			die(EX_FAILED, "the sketch cannot be written: %s",
			    strerror(errno));
	}
	close(program);
	sketch_keys_n = 0;
	done = true;
}

static void filter_add(__u64 h)
{
	__u32 b = filter_block(h);

	if (!filter_known[b] && !offline && map_lookup(m.filter, &b, filter[b]))
		die(EX_FAILED, "reading the filter failed: %s", strerror(errno));
	filter_known[b] = true;
	if (filter_bits_set(filter[b][filter_word(h)], h))
		return;
	filter[b][filter_word(h)] |= filter_bits(h);
	filter_changed[b] = true;
}

void filter_set(__u64 h)
{
	sketch_set(h);
	filter_add(h);
}

void filter_set_tree(__u32 dev, __u64 ino)
{
	sketch_set(tree_hash(tree_device(dev), ino));
	filter_add(filter_inode(dev, ino));
}

void lines_filter(void)
{
	sketch_write();
	for (__u32 b = 0; b < FILTER_BLOCKS; b++)
		if (filter_changed[b])
			line_update(PIN_MAPS "filter", &b, sizeof(b), filter[b],
				    FILTER_BLOCK);
}

void lines_filter_clear(void)
{
	static const __u64 clear[FILTER_BLOCK / 8];

	for (__u32 b = 0; b < FILTER_BLOCKS; b++)
		line_update(PIN_MAPS "filter", &b, sizeof(b), clear, FILTER_BLOCK);
}

/* --- texts --- */

__u32 rule_parts(const struct rule *r)
{
	return parts(r->path_len) + parts(r->reason_len) + parts(r->above_len) +
	       parts(r->id_len);
}

char *text_read(__u32 id, __u16 what, size_t len)
{
	struct text_key key = { .id = id, .what = what };
	char *text = xcalloc(parts(len) + 1, TEXT_PART);

	for (; key.part < parts(len); key.part++)
		map_lookup(m.texts, &key, text + key.part * TEXT_PART);
	return text;
}

void lines_text(__u32 id, __u16 what, const void *text, size_t len)
{
	struct text_key key = { .id = id, .what = what };
	char part[TEXT_PART];

	for (size_t at = 0; at < len; at += TEXT_PART, key.part++) {
		memset(part, 0, sizeof(part));
		memcpy(part, (const char *)text + at,
		       len - at < TEXT_PART ? len - at : TEXT_PART);
		line_update(texts_map, &key, sizeof(key), part, sizeof(part));
	}
}

void lines_delete_text(__u32 id, __u16 what, __u32 parts)
{
	struct text_key key = { .id = id, .what = what };
	char part[TEXT_PART];

	for (; key.part < parts; key.part++)
		if (!map_lookup(m.texts, &key, part))
			line_delete(texts_map, &key, sizeof(key));
}

void lines_delete_texts(const struct rule *r)
{
	lines_delete_text(r->id, TEXT_OBJECT, parts(r->path_len));
	lines_delete_text(r->id, TEXT_REASON, parts(r->reason_len));
	lines_delete_text(r->id, r->ops & OP_SYSCALL ? TEXT_CALL : TEXT_ABOVE,
			  parts(r->above_len));
	lines_delete_text(r->id, TEXT_ID, parts(r->id_len));
}

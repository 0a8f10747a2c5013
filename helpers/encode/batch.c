// SPDX-License-Identifier: GPL-2.0-only
/*
 * batch.c: the batch; see encode.h.
 *
 * The lines are in this order, so that a batch that is cut off anywhere leaves
 * the rules that were in force, in force, and no others:
 *   1. hot: more operations and kinds than needed is slow, less would be open
 *   2. room: new segments, bigger maps filled with all there is
 *   3. filter bits, labels and their keys
 *   4. rules born in the next generation, their texts, entries that name them
 *   5. ends of the rules that go
 *   6. state, which `hot` then names: the commit
 *   7. what is no longer needed is taken out
 *   8. hot, exact again, not dirty
 * After a cut, `recover` comes before any other batch.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "encode.h"

/* Rules that come and go in this batch. */
struct coming {
	__u32 slot;
	const struct object *object;
	struct above *above;
	const char *reason, *id;
};
static struct coming *coming;
static __u32 *going, *moved; /* slots */
static size_t coming_n, going_n, moved_n;
static unsigned int made; /* numbers the pins of this batch */

/*
 * Count a rule in or out of the next state. `o`: what it is about, NULL when it is in
 * force. Returns false when there is no room for its kind of key.
 */
static bool count_rule(const struct rule *r, const struct object *o, int by)
{
	next.rules += by;
	for (int bit = 0; bit < OP_BITS; bit++) {
		if (!(r->ops & 1u << bit))
			continue;
		next.op_rules[bit] += by;
		for (int kind = 0; kind < KINDS; kind++)
			if (r->kinds & KIND_BIT(kind))
				next.kind_rules[bit][kind] += by;
	}
	labels_count(r, by);
	return calls_count(r, o, by);
}

void rule_ends(__u32 slot)
{
	struct rule *r = rule_at(slot);

	if (r->ending)
		return;
	going = more(going, going_n, sizeof(*going));
	going[going_n++] = slot;
	r->died = m.s.gen + 1;
	r->ending = 1;
	count_rule(r, NULL, -1);
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

/* Name the rule in the entries of its keys; drop keys it can do without. */
static void add_keys(struct rule *r, __u32 slot, const struct object *o,
		     const char *word)
{
	struct object_key key[RULE_KEYS];

	if (r->kinds & KIND_BIT(KIND_INODE))
		filter_set(filter_inode(r->dev, r->ino));
	if (r->kinds & KIND_BIT(KIND_TREE))
		filter_set_tree(r->dev, r->ino);
	if (r->kinds & KIND_BIT(KIND_NAME)) {
		filter_set(o->leaf[0]);
		filter_set(o->leaf[1]);
	}
	if (r->kinds & KIND_BIT(KIND_DIGEST))
		filter_set(filter_size(o->size ? o->size : ANY_SIZE));
	for (int k = rule_keys(r, key); k-- > 0;) {
		__u32 kind = key[k].kind;

		if (kind == KIND_CALL)
			filter_set(filter_call(key[k].dev, key[k].a, key[k].b));

		if (entry_add(entry(&key[k]), slot))
			continue;
		if (kind == KIND_NAME || !(r->kinds & KIND_BIT(KIND_NAME)))
			FAIL(word, "%d rules name it already", OBJECT_RULES);
		warn("%s: %d rules name its %s", shown(word, strlen(word)),
		     OBJECT_RULES,
		     kind == KIND_INODE
			     ? "inode already: denied by name alone"
			     : "path in its file system already: denied without that");
		r->kinds &= ~KIND_BIT(kind);
	}
}

/* Name the rule in the chains of the directories above. Returns where. */
static struct above *add_above(struct rule *r, __u32 slot, const struct place *p,
			       const char *word)
{
	struct above *above;

	if (!p || !p->count)
		return NULL;
	if (p->count * sizeof(*above) > UINT16_MAX)
		FAIL(word, "too deep: %u directories are above it", p->count);
	above = xcalloc(p->count, sizeof(*above));
	for (__u32 i = 0; i < p->count; i++)
		if (!chain_add(p->above[i], slot, &above[i]))
			FAIL(word,
			     "the directories above it are named by as many rules as can be");
	r->kinds |= KIND_BIT(KIND_ABOVE);
	r->above_len = p->count * sizeof(*above);
	return above;
}

/* Have a rule name an object. */
static void rule_sets(struct rule *r, const struct object *o)
{
	r->kinds = o->kinds | (r->kinds & KIND_BIT(KIND_ABOVE));
	r->dev = o->dev;
	r->ino = o->ino;
	r->inode_gen = o->inode_gen;
	r->fs_dev = o->fs_dev;
	memcpy(r->name, o->name, sizeof(r->name));
	memcpy(r->fspath, o->fspath, sizeof(r->fspath));
}

/* Keep next.expires the first time at which a rule's time runs out. */
static void expires_with(const struct rule *r)
{
	if (r->expires && (!next.expires || r->expires < next.expires))
		next.expires = r->expires;
}

void rules_expire(void)
{
	__u64 now = clock_ns(CLOCK_BOOTTIME);

	if (!m.s.expires || now < m.s.expires)
		return;
	next.expires = 0;
	for (__u32 slot = 0; slot < m.s.segments * SEGMENT_RULES; slot++) {
		const struct rule *r = rule_at(slot);

		if (!rule_in_force(r, m.s.gen))
			continue;
		if (rule_expired(r, now))
			rule_ends(slot);
		else
			expires_with(r);
	}
}

const struct rule *rule_comes(const struct rule *like, const struct object *o,
			      const char *word, const char *reason, const char *id)
{
	struct rule *r, new = { .ops = like->ops,
				.action = like->action,
				.error = like->error,
				.signal = like->signal,
				.policy = like->policy,
				.expires = like->expires };
	struct coming *c;
	__u32 slot;

	new.created = clock_ns(CLOCK_REALTIME);
	expires_with(&new);
	new.born = m.s.gen + 1;
	new.id = next.next_id++;
	new.path_len = o->len;
	new.reason_len = strlen(reason);
	new.id_len = strlen(id);
	memcpy(new.only, like->only, sizeof(new.only));
	memcpy(new.except, like->except, sizeof(new.except));
	rule_sets(&new, o);

	slot = slot_find();
	coming = more(coming, coming_n, sizeof(*coming));
	c = &coming[coming_n++];
	*c = (struct coming){ .slot = slot, .object = o, .reason = reason, .id = id };
	add_keys(&new, slot, o, word);
	c->above = add_above(&new, slot, o->place, word);
	if (o->call)
		new.above_len = call_text_len(o);
	r = rule_at(slot);
	*r = new;
	if (!count_rule(r, o, 1))
		FAIL(word,
		     "its rules look at arguments in %d ways already: allow some first",
		     CALL_SHAPES);
	return r;
}

bool coming_range(__u32 ops, __u32 *low, __u32 *high)
{
	bool any = false;

	for (size_t i = 0; i < coming_n; i++) {
		__u32 slot = coming[i].slot;
		const struct rule *r = rule_at(slot);

		if (!(r->ops & ops) || r->action == ACTION_AUDIT)
			continue;
		if (!any || slot < *low)
			*low = slot;
		if (!any || slot > *high)
			*high = slot;
		any = true;
	}
	return any;
}

static bool has_key(const struct rule *r, const struct object_key *key)
{
	struct object_key keys[RULE_KEYS];

	for (int k = rule_keys(r, keys); k-- > 0;)
		if (!memcmp(&keys[k], key, sizeof(*key)))
			return true;
	return false;
}

/*
 * The record is replaced where it is, so id, hits and texts stay. The name does
 * not change: while it is being written, the rule holds by that.
 */
void rule_moves(__u32 slot, const struct object *o)
{
	struct rule *r = rule_at(slot), old = *r;
	struct object_key key[RULE_KEYS];

	count_rule(r, NULL, -1);
	rule_sets(r, o);
	filter_set(filter_inode(r->dev, r->ino));
	filter_set(o->leaf[0]);
	filter_set(o->leaf[1]);
	for (int k = rule_keys(r, key); k-- > 0;)
		if (!has_key(&old, &key[k]) && !entry_add(entry(&key[k]), slot))
			r->kinds &= ~KIND_BIT(key[k].kind);
	for (int k = rule_keys(&old, key); k-- > 0;)
		if (!has_key(r, &key[k]))
			entry_leave(entry(&key[k]), slot);
	count_rule(r, NULL, 1);
	moved = more(moved, moved_n, sizeof(*moved));
	moved[moved_n++] = slot;
}

/* --- room --- */

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
		line_create("rates", made, "array", sizeof(__u32), sizeof(struct rate),
			    SEGMENT_RULES, 0);
		line_insert("rates", n, "rates", made);
		snprintf(c->rates, sizeof(c->rates), "pinned " PIN_NEW "rates%u", made);
	}
	if (objects_wanted > m.s.objects_max)
		grow("objects", m.objects, objects_map, m.s.objects_max,
		     &next.objects_max, objects_wanted, sizeof(struct object_key),
		     sizeof(struct object_rules));
	if (texts_wanted > m.s.texts_max)
		grow("texts", m.texts, texts_map, m.s.texts_max, &next.texts_max,
		     texts_wanted, sizeof(struct text_key), TEXT_PART);
}

/* --- the batch --- */

/*
 * Until nobody decides any more by what was there before the line. The kernel waits so
 * whatever a map of maps is told, even what it has.
 */
static void line_wait(void)
{
	line_put("objects", 0, objects_map);
}

void lines_state(struct hot *h, bool wait)
{
	next.gen++;
	h->state = (h->state + 1) % STATES;
	line_update(PIN_MAPS "state", &h->state, sizeof(h->state), &next, sizeof(next));
	line_hot(h);
	if (wait || next.gen % (STATES / 2) == 0)
		line_wait();
}

/* Have a rule taken out of all entries that name it. */
static void rule_leaves(__u32 slot)
{
	const struct rule *r = rule_at(slot);
	struct object_key key[RULE_KEYS];
	struct above *above;

	for (int k = rule_keys(r, key); k-- > 0;)
		entry_leave(entry(&key[k]), slot);
	if (!(r->kinds & KIND_BIT(KIND_ABOVE)))
		return;
	above = (struct above *)text_read(r->id, TEXT_ABOVE, r->above_len);
	for (size_t i = 0; i < r->above_len / sizeof(*above); i++)
		chain_leave(&above[i], slot);
	free(above);
}

/* Free a slot; the next rule in it counts from 0. */
static void lines_free_slot(__u32 slot)
{
	__u32 index = slot % SEGMENT_RULES;

	memset(rule_at(slot), 0, sizeof(struct rule));
	line_update(segment(slot / SEGMENT_RULES)->hits, &index, sizeof(index),
		    &(__u64){ 0 }, sizeof(__u64));
	line_update(segment(slot / SEGMENT_RULES)->rates, &index, sizeof(index),
		    &(struct rate){}, sizeof(struct rate));
	line_rule(slot);
}

/* Operations, and kinds of each, that the next state's rules use. */
static void hot_exact(struct hot *h)
{
	__u32 trees = 0;

	h->ops = 0;
	memset(h->kinds, 0, sizeof(h->kinds));
	for (int bit = 0; bit < OP_BITS; bit++) {
		if (next.op_rules[bit])
			h->ops |= 1u << bit;
		for (int kind = 0; kind < KINDS; kind++)
			if (next.kind_rules[bit][kind])
				h->kinds[bit] |= KIND_BIT(kind);
		trees |= h->kinds[bit] & KIND_BIT(KIND_TREE);
	}
	/* like the filter: what one of several trees has set is not taken out again */
	if (!trees)
		h->trees = 0;
}

/* What a rule that comes needs is in `hot` before it. */
static void hot_adds(struct hot *h, const struct rule *r)
{
	h->ops |= r->ops;
	for (int bit = 0; bit < OP_BITS; bit++)
		if (r->ops & 1u << bit)
			h->kinds[bit] |= r->kinds;
	if (r->kinds & KIND_BIT(KIND_TREE))
		h->trees |= top_bit(tree_hash(tree_device(r->dev), r->ino));
}

static void line_followed(const void *key, const void *value, void *arg)
{
	(void)value;
	(void)arg;
	line_delete(PIN_MAPS "followed", key, sizeof(struct object_key));
}

static void lines_followed_clear(void)
{
	int fd = pin_open("maps/followed");

	if (fd < 0)
		return;
	map_each(fd, sizeof(struct object_key), sizeof(struct object_key), FOLLOWED_MAX,
		 line_followed, NULL);
	close(fd);
}

void write_batch(void)
{
	__u32 objects_wanted = m.s.objects, texts_wanted = m.s.texts;
	struct hot h = m.h;
	size_t i;

	if (!coming_n && !going_n && !moved_n && !policies_changed())
		return;
	if (h.labels)
		labels(); /* so that those without rules go */
	for (i = 0; i < coming_n; i++) {
		hot_adds(&h, rule_at(coming[i].slot));
		texts_wanted += rule_parts(rule_at(coming[i].slot));
	}
	for (i = 0; i < moved_n; i++)
		hot_adds(&h, rule_at(moved[i]));
	texts_wanted += policies_parts_new();
	next.texts = texts_wanted - policies_parts_old();
	for (i = 0; i < going_n; i++) {
		next.texts -= rule_parts(rule_at(going[i]));
		rule_leaves(going[i]);
	}
	for (i = 0; i < entries_count; i++)
		objects_wanted += entry_number(i)->changed && !entry_number(i)->exists;
	next.objects = objects_wanted - entries_settle();

	h.dirty = 1;
	h.batch++;
	line_hot(&h);
	lines_room(objects_wanted, texts_wanted);
	lines_filter();
	lines_labels(&h, false);
	lines_calls();
	line_hot(&h);
	for (i = 0; i < coming_n; i++) {
		const struct coming *c = &coming[i];
		const struct rule *r = rule_at(c->slot);

		line_rule(c->slot);
		lines_text(r->id, TEXT_OBJECT, c->object->text, r->path_len);
		lines_text(r->id, TEXT_REASON, c->reason, r->reason_len);
		lines_text(r->id, TEXT_ABOVE, c->above,
			   r->kinds & KIND_BIT(KIND_ABOVE) ? r->above_len : 0);
		if (c->object->call)
			lines_text(r->id, TEXT_CALL, call_text(c->object, r->id),
				   r->above_len);
		lines_text(r->id, TEXT_ID, c->id, r->id_len);
	}
	lines_policies();
	lines_entries();
	for (i = 0; i < moved_n; i++)
		line_rule(moved[i]);
	for (i = 0; i < going_n; i++) {
		/* Two steps: `died` must stand before it is meant. */
		rule_at(going[i])->ending = 0;
		line_rule(going[i]);
		rule_at(going[i])->ending = 1;
		line_rule(going[i]);
	}
	/* Before anything is taken out, nobody may decide any more by the state of before. */
	lines_state(&h, going_n || moved_n || policies_changed());

	lines_entries_out();
	lines_policies_out();
	for (i = 0; i < going_n; i++) {
		lines_delete_texts(rule_at(going[i]));
		lines_free_slot(going[i]);
	}
	lines_labels_out(&h, false);
	lines_calls_out();
	if (!next.rules && going_n) {
		/* Nothing is left to find: the filter can forget. */
		lines_filter_clear();
		lines_followed_clear();
	}
	hot_exact(&h);
	h.dirty = 0;
	line_hot(&h);
}

void write_labels(void)
{
	struct hot h = m.h;

	if (!labels_fresh)
		return;
	h.dirty = 1;
	h.batch++;
	line_hot(&h);
	lines_filter();
	lines_labels(&h, true);
	lines_labels_out(&h, true);
	h.dirty = 0;
	line_hot(&h);
}

void write_init(__u32 max_rules, __u32 rate)
{
	const struct recorder recorder = { .version = RECORD_VERSION,
					   .size = sizeof(struct record) };
	__u32 ring = RING_RULES;

	memset(&m, 0, sizeof(m));
	if (getrandom(m.h.key, sizeof(m.h.key), 0) != sizeof(m.h.key))
		die(EX_FAILED, "no random numbers: %s", strerror(errno));
	next = (struct state){ .abi = COTTER_ABI,
			       .next_id = 1,
			       .max_rules = max_rules,
			       .segments = 1,
			       .objects_max = OBJECTS_MIN,
			       .texts_max = OBJECTS_MIN };
	line_hot(&m.h);
	line_update(PIN_MAPS "limits", &(__u32){ 0 }, sizeof(__u32), &rate,
		    sizeof(rate));
	line_update(PIN_MAPS "recorder", &ring, sizeof(ring), &recorder,
		    sizeof(recorder));
	line_create("objects", ++made, "hash", sizeof(struct object_key),
		    sizeof(struct object_rules), OBJECTS_MIN, 1);
	line_insert("objects", 0, "objects", made);
	line_create("texts", ++made, "hash", sizeof(struct text_key), TEXT_PART,
		    OBJECTS_MIN, 1);
	line_insert("texts", 0, "texts", made);
	lines_room(0, 0);
	lines_state(&m.h, false);
}

/* --- after a batch that was cut off --- */

static __u32 *ids; /* of the rules in force, sorted */
static size_t ids_n;

static int by_id(const void *a, const void *b)
{
	const __u32 *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Does a rule in force name this key? Chains: the rule is enough. */
static bool rule_names(__u32 slot, const struct object_key *key)
{
	const struct rule *r = rule_named(slot);

	if (!r || !rule_in_force(r, m.s.gen))
		return false;
	if (key->kind == KIND_ABOVE)
		return r->kinds & KIND_BIT(KIND_ABOVE);
	return has_key(r, key);
}

static void entry_recover_slot(const struct object_key *key, __u32 slot)
{
	struct above where = { .dev = key->dev,
			       .inode_gen = (__u32)key->b,
			       .ino = key->a,
			       .number = key->b >> 32 };

	if (key->kind == KIND_ABOVE)
		chain_leave(&where, slot);
	else
		entry_leave(entry(key), slot);
}

/* Take out of an entry the rules that are not in force. */
static void entry_recover(const void *k, const void *v, void *arg)
{
	const struct object_key *key = k;
	const struct object_rules *value = v;

	++*(__u32 *)arg;
	/* An emptied entry of a chain may be the last only now. */
	if (key->kind == KIND_ABOVE && value->slot[0] == NO_RULE)
		entry_recover_slot(key, NO_RULE);
	for (int i = 0; i < OBJECT_RULES && value->slot[i] != NO_RULE; i++)
		if (!rule_names(value->slot[i], key))
			entry_recover_slot(key, value->slot[i]);
}

static void text_recover(const void *k, const void *v, void *arg)
{
	const struct text_key *key = k;

	(void)v;
	(void)arg;
	if (key->what == TEXT_POLICY) {
		for (__u32 i = 0; i < POLICIES; i++)
			if (policy_parts(&m.s.policy[i]) &&
			    m.s.policy[i].text == key->id)
				return;
		line_delete(texts_map, key, sizeof(*key));
	} else if (!bsearch(&key->id, ids, ids_n, sizeof(*ids), by_id))
		line_delete(texts_map, key, sizeof(*key));
}

/*
 * Where the batch was cut off is not known, and need not be: what is not of a
 * rule in force goes, and the rest is counted. A rule that was to follow its name
 * may have done so: then the counts have changed. They are written where they are,
 * as programs read nothing of the state but its generation.
 */
void recover(void)
{
	__u32 slots = m.s.segments * SEGMENT_RULES, entries_found = 0;
	struct hot h = m.h;

	next = m.s;
	next.rules = next.texts = 0;
	memset(next.op_rules, 0, sizeof(next.op_rules));
	memset(next.kind_rules, 0, sizeof(next.kind_rules));
	ids = xcalloc(m.s.rules, sizeof(*ids));
	labels_recount();
	calls_recount();
	for (__u32 i = 0; i < POLICIES; i++)
		next.texts += policy_parts(&m.s.policy[i]);
	for (__u32 slot = 0; slot < slots; slot++) {
		struct rule *r = rule_at(slot);

		if (!rule_in_force(r, m.s.gen))
			continue;
		if (ids_n < m.s.rules)
			ids[ids_n++] = r->id;
		count_rule(r, NULL, 1);
		next.texts += rule_parts(r);
		if (r->ending || r->died) {
			/* Marked to end by a batch that did not commit. */
			r->ending = 0;
			r->died = 0;
			line_rule(slot);
		}
	}
	qsort(ids, ids_n, sizeof(*ids), by_id);
	map_each(m.objects, sizeof(struct object_key), sizeof(struct object_rules),
		 m.s.objects_max, entry_recover, &entries_found);
	next.objects = entries_found - entries_settle();
	lines_entries_out();
	map_each(m.texts, sizeof(struct text_key), TEXT_PART, m.s.texts_max,
		 text_recover, NULL);
	for (__u32 slot = 0; slot < slots; slot++)
		if (rule_at(slot)->born && !rule_in_force(rule_at(slot), m.s.gen))
			lines_free_slot(slot);
	lines_labels(&h, false);
	lines_labels_out(&h, false);
	lines_calls();
	lines_calls_out();
	if (memcmp(&next, &m.s, sizeof(next)))
		line_update(PIN_MAPS "state", &h.state, sizeof(h.state), &next,
			    sizeof(next));
	hot_exact(&h);
	h.dirty = 0;
	line_hot(&h);
}

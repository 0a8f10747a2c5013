// SPDX-License-Identifier: GPL-2.0-only
/* hash_test: what bpf/lib/hash.h promises of the hash of names and the filter. */
#include <stdlib.h>
#include <string.h>
#include "cotter.h"
#include "tap.h"

#define CHUNK 32 /* bytes in a chunk of four words */

static const __u64 secret[2] = { 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull };

struct name {
	__u64 a, b;
};

/* Put up to CHUNK bytes into words, zeros behind them. */
static void words_of(__u64 word[4], const char *s, size_t len)
{
	memset(word, 0, CHUNK);
	memcpy(word, s, len < CHUNK ? len : CHUNK);
}

/* Absorb one component as the head comment of hash.h says. */
static void absorb(struct sip *sip, const char *s, size_t len)
{
	__u64 word[4];

	sip_word(sip, len);
	for (size_t i = 0; i < len; i += CHUNK) {
		words_of(word, s + i, len - i);
		sip_chunk(sip, word);
	}
}

/* Hash components, the last one first, the end marked by NULL. */
static struct name hash_parts(const __u64 key[2], const char *const *parts)
{
	struct sip sip;
	__u64 out[2];
	size_t n = 0;

	while (parts[n])
		n++;
	sip_init(&sip, key);
	while (n--)
		absorb(&sip, parts[n], strlen(parts[n]));
	sip_end(&sip, out);
	return (struct name){ out[0], out[1] };
}

static bool same(struct name x, struct name y)
{
	return x.a == y.a && x.b == y.b;
}

#define HASH(...) hash_parts(secret, (const char *const[]){ __VA_ARGS__, NULL })

static bool deterministic(void)
{
	return same(HASH("usr", "bin", "id"), HASH("usr", "bin", "id"));
}

static bool keyed(void)
{
	static const __u64 other[2] = { 0x0706050403020101ull, 0x0f0e0d0c0b0a0908ull };
	const char *const parts[] = { "usr", "bin", "id", NULL };

	return !same(hash_parts(secret, parts), hash_parts(other, parts));
}

/* The published vectors are for SipHash-2-4; the rounds are the same function. */
static bool round_is_siphash(void)
{
	struct sip s;

	/* SipHash-2-4, 64 bits, of no bytes: first of the reference's vectors */
	sip_init(&s, secret);
	s.v1 ^= 0xee; /* undo the mark of a 128-bit result */
	s.v3 ^= 0;
	sip_round(&s);
	sip_round(&s);
	s.v0 ^= 0;
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(&s);
	return (s.v0 ^ s.v1 ^ s.v2 ^ s.v3) == 0x726fdb47dd0e0e31ull;
}

static bool split_matters(void)
{
	struct name h[] = {
		HASH("a", "b"), HASH("ab", ""),	    HASH("", "ab"), HASH("ab"),
		HASH("b", "a"), HASH("a", "", "b"), HASH("a"),	    HASH("a", ""),
		HASH(""),	HASH("", ""),
	};

	for (size_t i = 0; i < ARRAY_SIZE(h); i++)
		for (size_t j = 0; j < i; j++)
			if (same(h[i], h[j])) {
				say("%zu and %zu have one hash", i, j);
				return false;
			}
	return true;
}

/* A name that ends where a chunk does, and its neighbours padded by zeros. */
static bool length_matters(void)
{
	struct name h[256];
	char name[256] = "";
	const char *const parts[] = { "x", name, NULL };

	for (size_t len = 0; len < 255; len++) {
		memset(name, 'n', len);
		name[len] = 0;
		h[len] = hash_parts(secret, parts);
		for (size_t j = 0; j < len; j++)
			if (same(h[len], h[j])) {
				say("lengths %zu and %zu have one hash", len, j);
				return false;
			}
	}
	return true;
}

static bool zeros_matter(void)
{
	struct sip x, y;
	__u64 a[2], b[2];

	sip_init(&x, secret);
	sip_init(&y, secret);
	absorb(&x, "name", 4);
	absorb(&y, "name\0\0", 6);
	sip_end(&x, a);
	sip_end(&y, b);
	return a[0] != b[0] && a[1] != b[1];
}

static bool each_byte_matters(void)
{
	char name[256], other[256];
	const char *const parts[] = { name, NULL }, *const others[] = { other, NULL };

	for (size_t i = 0; i < 255; i++)
		name[i] = other[i] = 'a' + draw() % 26;
	name[255] = other[255] = 0;
	for (size_t i = 0; i < 255; i++) {
		other[i] ^= 0x20;
		if (same(hash_parts(secret, parts), hash_parts(secret, others))) {
			say("byte %zu does not matter", i);
			return false;
		}
		other[i] ^= 0x20;
	}
	return true;
}

static int by_name(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct name));
}

static bool no_chance_collision(void)
{
	enum { N = 200000 };
	struct name *h = calloc(N, sizeof(*h));
	char name[32];
	const char *const parts[] = { "tmp", name, NULL };
	bool passed = h != NULL;

	for (int i = 0; passed && i < N; i++) {
		snprintf(name, sizeof(name), "%d", i);
		h[i] = hash_parts(secret, parts);
	}
	if (passed)
		qsort(h, N, sizeof(*h), by_name);
	for (int i = 1; passed && i < N; i++)
		passed = !same(h[i], h[i - 1]);
	free(h);
	return passed;
}

static bool filter_in_range(void)
{
	for (int i = 0; i < 1000000; i++) {
		__u64 h = i < 2 ? (i ? ~0ull : 0) : draw(), bits = filter_bits(h);
		__u64 more = bits & (bits - 1);

		if (filter_block(h) >= FILTER_BLOCKS ||
		    filter_word(h) >= FILTER_BLOCK / sizeof(__u64) || !bits ||
		    more & (more - 1) || !filter_bits_set(bits, h) ||
		    sketch_word(h) >= SKETCH_WORDS || !has_top_bit(top_bit(h), h) ||
		    has_top_bit(~top_bit(h), h)) {
			say("%llx: block %u, word %u, bits %llx, sketch %u %llx", h,
			    filter_block(h), filter_word(h), bits, sketch_word(h),
			    top_bit(h));
			return false;
		}
	}
	return true;
}

/* As commands hash a name: zeros behind its end. */
static __u64 hash_of_name(const char *s, size_t len)
{
	__u64 word[4], h = filter_name_start(len), first = 0;

	memcpy(&first, s, len < sizeof(first) ? len : sizeof(first));
	for (size_t i = 0; i < len; i += CHUNK) {
		words_of(word, s + i, len - i);
		h = filter_name_chunk(h, word);
	}
	return filter_name(len, h, filter_first(len, first));
}

static size_t place_of(__u64 h)
{
	return filter_block(h) * (FILTER_BLOCK / 8) + filter_word(h);
}

/*
 * Set the bits of n keys, then ask for as many others: some are found by chance. Of a word
 * that has the bits of k keys, it finds (2k / 64)^2; k is Poisson's.
 */
static bool spread(int n, __u64 (*key)(int i))
{
	static __u64 set[FILTER_BLOCKS * FILTER_BLOCK / 8];
	const double mean = (double)n / (FILTER_BLOCKS * FILTER_BLOCK / 8);
	const double chance = n * (mean * mean + mean) * 4 / (64 * 64);
	int found = 0;

	memset(set, 0, sizeof(set));
	for (int i = 0; i < n; i++)
		set[place_of(key(i))] |= filter_bits(key(i));
	for (int i = n; i < 2 * n; i++)
		found += filter_bits_set(set[place_of(key(i))], key(i));
	if (found < 2 * chance)
		return true;
	say("of %d keys that are not in the filter it has %d, by chance %.0f", n, found,
	    chance);
	return false;
}

static __u64 key_of_number(int i)
{
	char name[32];
	int len = snprintf(name, sizeof(name), "%d", i);

	return hash_of_name(name, len);
}

static __u64 key_of_inode(int i)
{
	return filter_inode(8 << 20 | 1, 1000 + i);
}

static __u64 key_of_device(int i)
{
	return filter_inode(i, 2); /* anonymous: tmpfs, overlayfs, btrfs */
}

static bool names_spread(void)
{
	return spread(50000, key_of_number);
}

static bool inodes_spread(void)
{
	return spread(50000, key_of_inode);
}

static bool devices_spread(void)
{
	return spread(4096, key_of_device);
}

static struct sketch sketch;

static void sketch_set(__u64 h)
{
	sketch.word[sketch_word(h)] |= top_bit(h);
}

static bool sketch_has(__u64 h)
{
	return has_top_bit(sketch.word[sketch_word(h)], h);
}

/*
 * Names of each length and of any bytes: what programs look for, by the eight bytes that lie
 * where the name does, whatever is behind it, is what commands have set: in the sketch, and in
 * the filter by the lower half.
 */
static bool sketch_never_lacks(void)
{
	char name[264];
	__u64 key = 0;

	for (int i = 0; i < 200000; i++) {
		size_t len = 1 + i % 255;
		__u64 word, chunks = filter_name_start(len), words[4];

		for (size_t n = 0; n < sizeof(name); n++)
			name[n] = draw();
		sketch.word[sketch_word(key)] = 0; /* of before */
		key = hash_of_name(name, len);
		sketch_set(key);
		for (size_t n = len; n < sizeof(name); n++)
			name[n] = draw();
		memcpy(&word, name, sizeof(word));
		for (size_t at = 0; at < len; at += CHUNK) {
			words_of(words, name + at, len - at);
			chunks = filter_name_chunk(chunks, words);
		}
		if (len <= NAME_SHORT)
			chunks = filter_short(filter_first(len, word));
		if (sketch_has(filter_first(len, word)) &&
		    (__u32)key == (__u32)chunks &&
		    filter_block(key) == filter_block(chunks) &&
		    filter_word(key) == filter_word(chunks) &&
		    filter_bits(key) == filter_bits(chunks))
			continue;
		say("a name of %zu bytes is not found", len);
		return false;
	}
	return true;
}

/* By its number alone, of whatever device. */
static bool sketch_never_lacks_inode(void)
{
	for (int i = 0; i < 200000; i++) {
		__u64 ino = draw() >> i % 64;

		sketch_set(filter_inode(draw(), ino));
		if (sketch_has(filter_number(ino))) {
			sketch.word[sketch_word(filter_number(ino))] = 0;
			continue;
		}
		say("inode %llu is not found", ino);
		return false;
	}
	return true;
}

/* Set a name and an inode for each of n rules, ask for others: at most so many of a thousand. */
static bool sketch_spread(int n, int most, __u64 (*name)(int i), __u64 (*inode)(int i))
{
	enum { ASKED = 20000 };
	int bits = 0, found = 0;

	memset(&sketch, 0, sizeof(sketch));
	for (int i = 0; i < n; i++) {
		sketch_set(name(i));
		sketch_set(inode(i));
	}
	for (int i = 0; i < SKETCH_WORDS; i++)
		bits += __builtin_popcountll(sketch.word[i]);
	for (int i = n; i < n + ASKED; i++)
		found += sketch_has(name(i)) || sketch_has(inode(i));
	say("%d rules: %d bits, %d of 1,000 other files are found", n, bits,
	    found * 1000 / ASKED);
	return bits <= SKETCH_MOST && found * 1000 <= most * ASKED;
}

static __u64 key_of_word(int i)
{
	char name[32] = "";
	__u64 h = i * 0x2545f4914f6cdd1dull;
	size_t len = 0;

	for (size_t end = 3 + (h >> 40) % 9; len < end; h = h * 33 + 7)
		name[len++] = 'a' + (h >> 32) % 26;
	return hash_of_name(name, len);
}

static bool check_tells_keys_apart(void)
{
	struct object_key k = {
		.kind = KIND_INODE, .dev = 8 << 20 | 1, .a = 12, .b = 7
	};
	__u32 check = object_check(&k);
	struct object_key kind = k, dev = k, a = k, b = k;

	kind.kind = KIND_TREE;
	dev.dev++;
	a.a++;
	b.b++;
	return object_check(&k) == check && object_check(&kind) != check &&
	       object_check(&dev) != check && object_check(&a) != check &&
	       object_check(&b) != check;
}

int main(void)
{
	tap(deterministic(), "the same path gives the same hash");
	tap(keyed(), "another secret gives another hash");
	tap(round_is_siphash(), "the round and the start are those of SipHash");
	tap(split_matters(), "a path split differently gives another hash");
	tap(length_matters(), "names of every length up to 254 differ");
	tap(zeros_matter(), "zeros at the end of a name are not padding");
	tap(each_byte_matters(), "each byte of a long name matters");
	tap(no_chance_collision(), "200,000 names do not collide");
	tap(filter_in_range(), "block, word and bit of the filter are in range");
	tap(names_spread(), "names spread over the filter");
	tap(inodes_spread(), "inode numbers spread over the filter");
	tap(devices_spread(), "devices spread over the filter");
	tap(sketch_never_lacks(),
	    "the sketch has each name that was set, of any length and bytes");
	tap(sketch_never_lacks_inode(), "and each inode");
	tap(sketch_spread(1000, 5, key_of_word, key_of_inode),
	    "it tells files apart at 1,000 rules");
	tap(sketch_spread(100000, 350, key_of_word, key_of_inode), "and at 100,000");
	tap(sketch_spread(100000, 350, key_of_number, key_of_inode),
	    "and where names are numbers");
	tap(check_tells_keys_apart(), "object_check tells neighbouring keys apart");
	return tap_end();
}

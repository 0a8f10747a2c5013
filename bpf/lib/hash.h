/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hash.h: how names and inodes become keys and filter bits. Included by the
 * BPF programs and by the helpers, so that there is one definition of each.
 *
 * A full path is hashed from its last component to its first, which is the
 * order in which the kernel's dentries are walked. The hash is SipHash-1-3
 * with 128 bits of result under a secret drawn at load: nobody can make a
 * path that collides with a ruled one, and chance does not (2^-128).
 * For each component the length is absorbed, then its bytes in chunks of four
 * little-endian words, the last chunk filled with zeros: no two paths give the
 * same words, and the code has no branch that depends on the name but one.
 */
#ifndef COTTER_HASH_H
#define COTTER_HASH_H

#define HASH_INLINE static inline __attribute__((always_inline))

struct sip {
	__u64 v0, v1, v2, v3;
};

HASH_INLINE __u64 rotl64(__u64 x, int n)
{
	return (x << n) | (x >> (64 - n));
}

HASH_INLINE void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl64(s->v1, 13) ^ s->v0;
	s->v0 = rotl64(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl64(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl64(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl64(s->v1, 17) ^ s->v2;
	s->v2 = rotl64(s->v2, 32);
}

/* Start with the secret of struct hot. */
HASH_INLINE void sip_init(struct sip *s, const __u64 key[2])
{
	s->v0 = 0x736f6d6570736575ull ^ key[0];
	s->v1 = 0x646f72616e646f6dull ^ key[1] ^ 0xee;
	s->v2 = 0x6c7967656e657261ull ^ key[0];
	s->v3 = 0x7465646279746573ull ^ key[1];
}

HASH_INLINE void sip_word(struct sip *s, __u64 word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

HASH_INLINE void sip_chunk(struct sip *s, const __u64 word[4])
{
	sip_word(s, word[0]);
	sip_word(s, word[1]);
	sip_word(s, word[2]);
	sip_word(s, word[3]);
}

HASH_INLINE void sip_end(struct sip *s, __u64 out[2])
{
	s->v2 ^= 0xee;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	out[0] = s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
	s->v1 ^= 0xdd;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	out[1] = s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/*
 * The filter: two bits for each key that exists. It is asked before any map
 * lookup, so an unrelated file costs a few instructions. Set bits may mean
 * another key, a clear bit is certain. It needs no secret: who makes names
 * that collide makes only their own files slower.
 */
#define FILTER_MUL 0x9e3779b97f4a7c15ull

HASH_INLINE __u64 filter_name_start(__u32 len)
{
	return (len + 1) * FILTER_MUL;
}

HASH_INLINE __u64 filter_name_chunk(__u64 h, const __u64 word[4])
{
	h = (h ^ word[0]) * FILTER_MUL;
	h = (h ^ (h >> 32) ^ word[1]) * FILTER_MUL;
	h = (h ^ (h >> 32) ^ word[2]) * FILTER_MUL;
	h = (h ^ (h >> 32) ^ word[3]) * FILTER_MUL;
	return h ^ (h >> 32);
}

/* The upper half of filter_inode(), for the sketch: the device is not in it. */
HASH_INLINE __u64 filter_number(__u64 ino)
{
	return ino * FILTER_MUL;
}

HASH_INLINE __u64 filter_inode(__u32 dev, __u64 ino)
{
	__u64 h = filter_number(ino);

	return h ^ (h >> 32) ^ (dev * 0xd6e8feb86659fd93ull >> 32);
}

/*
 * The upper half of a name's hash, for the sketch: of its length and its first eight
 * bytes, as a number. What lies there behind a shorter name does not matter. A name
 * without bytes has any value; nothing is keyed by it.
 */
HASH_INLINE __u64 filter_first(__u32 len, __u64 word)
{
	if (len < 8)
		word <<= -8 * len & 63;
	return (word ^ len) * FILTER_MUL;
}

/* The lower half, for the filter: of a name that has no more bytes than those, */
#define NAME_SHORT 8
HASH_INLINE __u64 filter_short(__u64 first)
{
	return (first ^ first >> 32) * FILTER_MUL >> 32;
}

/* and of any. */
HASH_INLINE __u64 filter_name(__u32 len, __u64 chunks, __u64 first)
{
	__u64 h = len <= NAME_SHORT ? filter_short(first) : chunks;

	return (__u32)h | first >> 32 << 32;
}

/* Of KIND_CALL: `value` is masked already. */
HASH_INLINE __u64 filter_call(__u32 dev, __u64 mask, __u64 value)
{
	__u64 h = (value ^ mask * 0xd6e8feb86659fd93ull ^ dev) * FILTER_MUL;

	return h ^ (h >> 32);
}

/*
 * Of KIND_DIGEST: the size of a file that a rule is about, so that others need not be read;
 * ANY_SIZE where it is not known.
 */
#define ANY_SIZE (~0ull)
HASH_INLINE __u64 filter_size(__u64 size)
{
	__u64 h = (size ^ 0xd6e8feb86659fd93ull) * FILTER_MUL;

	return h ^ (h >> 32);
}

/* Where the bit of hash h is: block, 64-bit word in it, bit of that. */
HASH_INLINE __u32 filter_block(__u64 h)
{
	return (h >> 12) & (FILTER_BLOCKS - 1);
}

HASH_INLINE __u32 filter_word(__u64 h)
{
	return (h >> 6) & (FILTER_BLOCK / 8 - 1);
}

/* Two bits, of one word, so that the second costs no second look. */
HASH_INLINE __u64 filter_bits(__u64 h)
{
	return 1ull << (h & 63) | 1ull << ((h >> 21) & 63);
}

HASH_INLINE int filter_bits_set(__u64 word, __u64 h)
{
	return word >> (h & 63) & word >> ((h >> 21) & 63) & 1;
}

/*
 * The bit of hash h in a single word, such as struct hot's `trees`, where h is the
 * tree_hash() of a directory. The bit's number counts from the top: shifted up to the
 * sign, a bit is tested in one go.
 */
HASH_INLINE __u64 top_bit(__u64 h)
{
	return 1ull << 63 >> (h >> 58);
}

HASH_INLINE int has_top_bit(__u64 word, __u64 h)
{
	return (__s64)(word << (h >> 58)) < 0;
}

/*
 * Of a directory that a KIND_TREE rule names, for the sketch and struct hot's `trees`: only the
 * upper half counts. Every directory above a file is asked for, so it is a multiplication,
 * and what the device adds is the same for all of a file system. That is in it here: file
 * systems count their inodes from 1, all of them.
 */
HASH_INLINE __u64 tree_device(__u32 dev)
{
	return dev * 0xd6e8feb86659fd93ull;
}

HASH_INLINE __u64 tree_hash(__u64 device, __u64 ino)
{
	return (ino ^ device) * FILTER_MUL;
}

/*
 * The sketch: one bit for each key of the filter, by the upper half of its hash alone, or of
 * its tree_hash(). As there, a clear bit is certain. In which word of struct sketch it is:
 */
HASH_INLINE __u32 sketch_word(__u64 h)
{
	return (h >> 44) & (SKETCH_WORDS - 1);
}

HASH_INLINE __u32 object_check(const struct object_key *k)
{
	__u64 h = (k->a ^ k->b ^ ((__u64)k->kind << 32) ^ k->dev) * FILTER_MUL;

	return h >> 32;
}

#endif

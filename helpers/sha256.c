// SPDX-License-Identifier: GPL-2.0-only
/*
 * sha256.c: SHA-256 (FIPS 180-4), of the key of a seal and of what files hold. A few files
 * at a time: it need not be quick, and it needs no library in a static program.
 */
#include <string.h>
#include <unistd.h>
#include "cotter.h"

const __u32 sha256_round[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static __u32 rotate(__u32 x, int n)
{
	return x >> n | x << (32 - n);
}

static void sha_block(__u32 h[8], const unsigned char *block)
{
	__u32 w[64], v[8];

	for (int i = 0; i < 16; i++)
		w[i] = (__u32)block[4 * i] << 24 | block[4 * i + 1] << 16 |
		       block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] +
		       (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       w[i - 7] +
		       (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(v, h, sizeof(v));
	for (int i = 0; i < 64; i++) {
		__u32 t1 = v[7] +
			   (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
			   ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha256_round[i] + w[i];
		__u32 t2 = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) +
			   ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		h[i] += v[i];
}

struct sha {
	__u32 h[8];
	__u64 size;
	unsigned char rest[64]; /* size % 64 bytes */
};

static void sha_begin(struct sha *s)
{
	static const __u32 first[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memcpy(s->h, first, sizeof(first));
	s->size = 0;
}

static void sha_add(struct sha *s, const unsigned char *bytes, size_t size)
{
	while (size) {
		size_t had = s->size % 64, n = 64 - had < size ? 64 - had : size;

		memcpy(s->rest + had, bytes, n);
		s->size += n;
		bytes += n;
		size -= n;
		if (had + n == 64)
			sha_block(s->h, s->rest);
	}
}

static void sha_end(struct sha *s)
{
	__u64 bits = s->size * 8;
	unsigned char last[72] = { 0x80 };
	size_t zeros = (s->size % 64 < 56 ? 56 : 120) - s->size % 64;

	for (int i = 0; i < 8; i++)
		last[zeros + i] = bits >> (56 - 8 * i);
	sha_add(s, last, zeros + 8);
}

void sha256(__u32 h[8], const unsigned char *bytes, size_t size)
{
	struct sha s;

	sha_begin(&s);
	sha_add(&s, bytes, size);
	sha_end(&s);
	memcpy(h, s.h, sizeof(s.h));
}

bool sha256_file(int fd, unsigned char digest[32])
{
	static unsigned char bytes[1 << 16];
	struct sha s;
	ssize_t n;

	sha_begin(&s);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		sha_add(&s, bytes, n);
	sha_end(&s);
	for (int i = 0; i < 32; i++)
		digest[i] = s.h[i / 4] >> (24 - i % 4 * 8);
	return n == 0;
}

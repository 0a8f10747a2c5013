// SPDX-License-Identifier: GPL-2.0-only
/* common_test: print_quoted and print_json of helpers/common.c. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cotter.h"
#include "tap.h"

#define LONGEST 64

struct text {
	char *s;
	size_t len;
};

/* What one of the two functions prints. */
static struct text printed(bool json, const char *s, size_t len, bool *valid)
{
	struct text t = {};
	FILE *f = open_memstream(&t.s, &t.len);
	bool ok = true;

	if (!f)
		exit(1);
	if (json)
		ok = print_json(f, s, len);
	else
		print_quoted(f, s, len);
	fclose(f);
	if (valid)
		*valid = ok;
	return t;
}

/* Does print_quoted (print_json if `json`) of `s` print `want`? */
static bool prints(bool json, const char *s, size_t len, const char *want)
{
	struct text t = printed(json, s, len, NULL);
	bool passed = t.len == strlen(want) && !memcmp(t.s, want, t.len);

	if (!passed)
		say("printed %s, not %s", t.s, want);
	free(t.s);
	return passed;
}

#define QUOTED(s, want) prints(false, s, sizeof(s) - 1, want)
#define JSON(s, want) prints(true, s, sizeof(s) - 1, want)

/*
 * Bytes as names have them: any but NUL, and often those that break things.
 * Returns the length, at least 1.
 */
static size_t draw_name(char s[LONGEST])
{
	/* clang-format off */
	static const char *const pieces[] = {
		"'", "\"", "\\", "\n", "\r", "\t", "\x1b[31m", "\x7f", "$(id)", "`id`",
		" ", "*", "!", "\\x41", "\\'", "$'", "0", "f", "\xc3\xa9", "\xe2\x82\xac",
		"\xf0\x9f\x98\x80", "\xc2\x85", "\xc2\x9b", "\xc3", "\xff", "\x80",
		"\xed\xa0\x80", "\xe2\x80\xae", "\xf4\x90\x80\x80", "\xc0\xaf", "-", "~",
	};
	/* clang-format on */
	size_t len = 0, want = 1 + draw() % (LONGEST - 8);

	while (len < want) {
		if (draw() % 2) {
			const char *piece = pieces[draw() % ARRAY_SIZE(pieces)];

			memcpy(s + len, piece, strlen(piece));
			len += strlen(piece);
		} else {
			s[len++] = 1 + draw() % 255;
		}
	}
	return len;
}

/*
 * Run `bash -c SCRIPT` and read up to `room` bytes of its output.
 * Returns their number, or -1 when bash failed.
 */
static ssize_t bash(const char *script, char *out, size_t room)
{
	size_t len = 0;
	ssize_t n;
	int fds[2], status;
	pid_t pid;

	if (pipe(fds))
		return -1;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execlp("bash", "bash", "--norc", "-c", script, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	while (pid > 0 && (n = read(fds[0], out + len, room - len)) > 0)
		len += n;
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return -1;
	return len;
}

/* bash reads 50 names at a time, each ended by NUL, and gives the bytes back. */
static bool round_trip(void)
{
	enum { RUNS = 40, NAMES = 50, ROOM = NAMES * LONGEST };
	char *want = malloc(ROOM), *got = malloc(ROOM + 1);
	bool passed = want && got;

	for (int run = 0; passed && run < RUNS; run++) {
		struct text script = {};
		FILE *f = open_memstream(&script.s, &script.len);
		size_t len = 0;
		ssize_t n;

		if (!f)
			exit(1);
		fputs("printf '%s\\0'", f);
		for (int i = 0; i < NAMES; i++) {
			char name[LONGEST];
			size_t size = draw_name(name);

			fputc(' ', f);
			print_quoted(f, name, size);
			memcpy(want + len, name, size);
			len += size;
			want[len++] = 0;
		}
		fclose(f);
		n = bash(script.s, got, ROOM + 1);
		passed = n == (ssize_t)len && !memcmp(want, got, len);
		if (!passed)
			say("run %d: %zd bytes came back of %zu", run, n, len);
		free(script.s);
	}
	free(want);
	free(got);
	return passed;
}

/* Every byte alone, and between two letters that are hex digits. */
static bool each_byte_round_trips(void)
{
	struct text script = {};
	FILE *f = open_memstream(&script.s, &script.len);
	char want[4096], got[4096];
	size_t len = 0;
	ssize_t n;
	bool passed;

	if (!f)
		exit(1);
	fputs("printf '%s\\0'", f);
	for (int c = 1; c < 256; c++) {
		char one[] = { c }, three[] = { 'a', c, 'f' };

		fputc(' ', f);
		print_quoted(f, one, sizeof(one));
		fputc(' ', f);
		print_quoted(f, three, sizeof(three));
		want[len++] = c;
		want[len++] = 0;
		memcpy(want + len, three, sizeof(three));
		len += sizeof(three);
		want[len++] = 0;
	}
	fclose(f);
	n = bash(script.s, got, sizeof(got));
	passed = n == (ssize_t)len && !memcmp(want, got, len);
	free(script.s);
	return passed;
}

/* Length of the valid UTF-8 sequence at s, which mbrtowc need not share. */
static bool valid_utf8(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text, *end = s + len;

	while (s < end) {
		unsigned int more = *s < 0x80 ? 0 : *s < 0xe0 ? 1 : *s < 0xf0 ? 2 : 3;
		unsigned int c = more ? *s & (0x3f >> more) : *s;
		static const unsigned int least[] = { 0, 0x80, 0x800, 0x10000 };

		if ((*s >= 0x80 && *s < 0xc0) || *s > 0xf7 || more >= end - s)
			return false;
		for (unsigned int i = 1; i <= more; i++) {
			if (s[i] >> 6 != 2)
				return false;
			c = c << 6 | (s[i] & 0x3f);
		}
		if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
		s += more + 1;
	}
	return true;
}

/* Neither may let a control byte, C1 included, or a broken sequence through. */
static bool harmless(bool json)
{
	for (int i = 0; i < 100000; i++) {
		char name[LONGEST];
		size_t len = draw_name(name);
		bool valid;
		struct text t = printed(json, name, len, &valid);
		bool bad = !valid_utf8(t.s, t.len);

		for (size_t j = 0; j < t.len; j++) {
			unsigned char c = t.s[j];

			bad |= c < 0x20 || c == 0x7f;
			bad |= !json && c == 0xc2 && (unsigned char)t.s[j + 1] < 0xa0;
		}
		bad |= json && valid != valid_utf8(name, len);
		if (bad)
			say("printed %s", t.s);
		free(t.s);
		if (bad)
			return false;
	}
	return true;
}

static bool quoted_stays_plain(void)
{
	return QUOTED("/usr/bin/id", "/usr/bin/id") &&
	       QUOTED("a-b_c.d:e@f%g,h=i", "a-b_c.d:e@f%g,h=i");
}

static bool quoted_quotes(void)
{
	return QUOTED("a b", "'a b'") && QUOTED("~", "'~'") &&
	       QUOTED("$(id)", "'$(id)'") && QUOTED("caf\xc3\xa9", "'caf\xc3\xa9'");
}

static bool quoted_escapes(void)
{
	return QUOTED("", "$''") && QUOTED("it's", "$'it\\'s'") &&
	       QUOTED("a\\b", "$'a\\\\b'") && QUOTED("a\nb", "$'a\\nb'") &&
	       QUOTED("\x1b[1m", "$'\\x1b[1m'") && QUOTED("\xff", "$'\\xff'") &&
	       QUOTED("\xc2\x9b", "$'\\xc2\\x9b'");
}

static bool json_escapes(void)
{
	return JSON("", "\"\"") && JSON("a\"b\\c", "\"a\\\"b\\\\c\"") &&
	       JSON("\n\x01", "\"\\u000a\\u0001\"") &&
	       JSON("\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

static bool json_replaces(void)
{
	bool valid;

	free(printed(true, "a\xff", 2, &valid).s);
	return !valid && JSON("a\xffz", "\"a\xef\xbf\xbdz\"") &&
	       JSON("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"") && /* overlong */
	       JSON("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"") &&
	       JSON("\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""); /* cut off */
}

/* Of FIPS 180-4. */
static bool sha_known(void)
{
	static const __u32 abc[8] = { 0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
				      0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad };
	static const __u32 none[8] = { 0xe3b0c442, 0x98fc1c14, 0x9afbf4c8, 0x996fb924,
				       0x27ae41e4, 0x649b934c, 0xa495991b, 0x7852b855 };
	static const __u32 long_[8] = { 0xcdc76e5c, 0x9914fb92, 0x81a1c7e2, 0x84d73e67,
					0xf1809a48, 0xa497200e, 0x046d39cc, 0xc7112cd0 };
	static unsigned char a[1000000];
	__u32 h[8];

	memset(a, 'a', sizeof(a));
	sha256(h, a, sizeof(a));
	if (memcmp(h, long_, sizeof(h)))
		return false;
	sha256(h, (const unsigned char *)"", 0);
	if (memcmp(h, none, sizeof(h)))
		return false;
	sha256(h, (const unsigned char *)"abc", 3);
	return !memcmp(h, abc, sizeof(h));
}

/* What sha256sum says of each length around one and two blocks. */
static bool sha_lengths(void)
{
	for (size_t n = 50; n < 135; n++) {
		char text[160] = "", command[256], want[65] = "", have[65];
		unsigned char digest[32];
		FILE *f, *p;

		memset(text, 'x', n);
		snprintf(command, sizeof(command), "printf %s | sha256sum", text);
		p = popen(command, "r");
		f = tmpfile();
		if (!p || !f || fscanf(p, "%64s", want) != 1)
			return false;
		pclose(p);
		fputs(text, f);
		rewind(f);
		if (!sha256_file(fileno(f), digest))
			return false;
		fclose(f);
		for (int i = 0; i < 32; i++)
			sprintf(have + 2 * i, "%02x", digest[i]);
		if (strcmp(have, want))
			return false;
	}
	return true;
}

int main(void)
{
	tap(sha_known(), "sha256 is that of FIPS 180-4");
	tap(sha_lengths(),
	    "sha256_file agrees with sha256sum around the ends of blocks");
	tap(quoted_stays_plain(), "print_quoted leaves a plain name as it is");
	tap(quoted_quotes(), "print_quoted quotes what the shell would act upon");
	tap(quoted_escapes(), "print_quoted escapes what could fake or break a line");
	tap(each_byte_round_trips(), "bash reads every byte back from print_quoted");
	tap(round_trip(), "bash reads 2,000 hostile names back from print_quoted");
	tap(harmless(false),
	    "print_quoted lets no control byte or broken UTF-8 through");
	tap(json_escapes(), "print_json escapes quotes, backslashes and control bytes");
	tap(json_replaces(), "print_json replaces what is not UTF-8 and says so");
	tap(harmless(true), "print_json always prints valid UTF-8");
	return tap_end();
}

// SPDX-License-Identifier: GPL-2.0-only
/* lines.c: lines for `bpftool batch`, printed or run; see encode.h. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "encode.h"

static FILE *batch; /* where lines go, NULL before the first */
static bool running;
static pid_t bpftool;
static int said; /* what bpftool says */

/* Remove the pins of new maps, which are needed only while a batch runs. */
static void unpin_new(void)
{
	DIR *dir = opendir(PIN_NEW);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(dir), e->d_name,
				 0); /* not the folders of programs */
	if (dir)
		closedir(dir);
}

void lines_run(void)
{
	running = true;
	/* A rule may be about mkdir(): not without need. */
	if (access(PIN_NEW, F_OK))
		mkdir(PIN_NEW, 0700);
	signal(SIGPIPE, SIG_IGN); /* why bpftool ends it says itself */
	unpin_new();		  /* what was cut off left some */
}

/* Who dies in the middle lets what is written so far take its effect: see recover(). */
static void lines_abandon(void)
{
	lines_end();
}

static void start(void)
{
	char *argv[] = { "bpftool", "batch", "file", "-", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	int fds[2], says[2], error;

	if (!running) {
		batch = stdout;
		return;
	}
	/* It says a line and ends: a pipe has room for that. */
	if (pipe2(fds, O_CLOEXEC) || pipe2(says, O_CLOEXEC))
		die(EX_FAILED, "bpftool cannot be run: %s", strerror(errno));
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[0], 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, says[1], 2);
	error = posix_spawnp(&bpftool, argv[0], &actions, &attributes, argv, environ);
	if (error)
		die(EX_FAILED, "bpftool: %s", strerror(error));
	atexit(lines_abandon);
	close(fds[0]);
	close(says[1]);
	said = says[0];
	batch = fdopen(fds[1], "w");
	if (!batch)
		die(EX_FAILED, "out of memory");
	setvbuf(batch, NULL, _IOFBF, 1 << 16);
}

/* Where the next line is to be written. */
static FILE *line(void)
{
	if (!batch)
		start();
	return batch;
}

/* What bpftool said, as messages of ours. */
static void relay(void)
{
	FILE *f = fdopen(said, "r");
	char *text = NULL;
	size_t room = 0;

	if (!f)
		return;
	while (getline(&text, &room, f) > 0) {
		text[strcspn(text, "\n")] = 0;
		warn("bpftool: %s", text + (strncmp(text, "Error: ", 7) ? 0 : 7));
	}
	free(text);
	fclose(f);
}

bool lines_end(void)
{
	bool good = true;
	int status;

	if (batch)
		good = !(fflush(batch) | ferror(batch));
	if (!bpftool)
		return good;
	fclose(batch);
	while (waitpid(bpftool, &status, 0) < 0 && errno == EINTR)
		;
	bpftool = 0;
	batch = NULL;
	relay();
	if (WIFSIGNALED(status))
		warn("bpftool was killed: does a rule forbid what it does?");
	unpin_new();
	return good && !status;
}

static void hex(FILE *to, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = bytes;
	char text[3 * 128];

	while (n) {
		size_t some = n < 128 ? n : 128;

		for (size_t i = 0; i < some; i++) {
			text[3 * i] = ' ';
			text[3 * i + 1] = digits[b[i] >> 4];
			text[3 * i + 2] = digits[b[i] & 15];
		}
		/* cppcheck-suppress uninitvar; the loop above fills it */
		fwrite(text, 3, some, to);
		b += some;
		n -= some;
	}
}

void line_update(const char *map, const void *key, size_t key_size, const void *value,
		 size_t value_size)
{
	FILE *to = line();

	fputs("map update ", to);
	fputs(map, to);
	fputs(" key hex", to);
	hex(to, key, key_size);
	fputs(" value hex", to);
	hex(to, value, value_size);
	putc('\n', to);
}

void line_delete(const char *map, const void *key, size_t key_size)
{
	FILE *to = line();

	fprintf(to, "map delete %s key hex", map);
	hex(to, key, key_size);
	putc('\n', to);
}

void line_create_at(const char *path, const char *type, size_t key, size_t value,
		    __u32 entries, const char *name, int flags)
{
	fprintf(line(),
		"map create %s type %s key %zu value %zu entries %u name %s flags %d\n",
		path, type, key, value, entries, name, flags);
}

void line_create(const char *name, unsigned int number, const char *type, size_t key,
		 size_t value, __u32 entries, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), PIN_NEW "%s%u", name, number);
	line_create_at(path, type, key, value, entries, name, flags);
}

void line_put(const char *outer, __u32 index, const char *map)
{
	FILE *to = line();

	fprintf(to, "map update " PIN_MAPS "%s key hex", outer);
	hex(to, &index, sizeof(index));
	fprintf(to, " value %s\n", map);
}

void line_insert(const char *outer, __u32 index, const char *name, unsigned int number)
{
	char map[128];

	snprintf(map, sizeof(map), "pinned " PIN_NEW "%s%u", name, number);
	line_put(outer, index, map);
}

void line_hot(const struct hot *h)
{
	__u32 zero = 0;

	line_update(PIN_MAPS "hot", &zero, sizeof(zero), h, sizeof(*h));
}

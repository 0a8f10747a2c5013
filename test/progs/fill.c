// SPDX-License-Identifier: GPL-2.0-only
/*
 * fill: run a batch as `bpftool batch file -` does, in a fifth of its time, so that the bench can have
 * 100,000 rules soon.
 *
 * Updates and deletions with a key and a value in hex are done here, each other line by bpftool in its
 * turn. Stops at the first that fails, with status 1.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIZE 65536

static struct map {
	char name[128];
	int fd;
	struct bpf_map_info info;
} maps[64];
static size_t maps_count;

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* The map that `pinned PATH` or `id N` names. */
static struct map *map_of(const char *name)
{
	struct map *m = maps;
	union bpf_attr attr = { 0 };

	for (; m < maps + maps_count; m++)
		if (!strcmp(m->name, name))
			return m;
	/* A million rules have 2,000 of them, each for a while. */
	if (maps_count == sizeof(maps) / sizeof(*maps)) {
		while (maps_count)
			close(maps[--maps_count].fd);
		m = maps;
	}
	snprintf(m->name, sizeof(m->name), "%s", name);
	if (!strncmp(name, "id ", 3)) {
		attr.map_id = atoi(name + 3);
		m->fd = bpf(BPF_MAP_GET_FD_BY_ID, &attr);
	} else {
		attr.pathname = (uintptr_t)(name + strlen("pinned "));
		m->fd = bpf(BPF_OBJ_GET, &attr);
	}
	if (m->fd < 0)
		return NULL;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = m->fd;
	attr.info.info_len = sizeof(m->info);
	attr.info.info = (uintptr_t)&m->info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
		return NULL;
	maps_count++;
	return m;
}

static int digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Read bytes as ` 0a 1b`. Returns how many, and moves on behind them. */
static size_t bytes(const char **at, unsigned char *to)
{
	const char *s = *at;
	size_t n = 0;

	while (n < SIZE && s[0] == ' ' && isxdigit(s[1]) && isxdigit(s[2])) {
		to[n++] = digit(s[1]) << 4 | digit(s[2]);
		s += 3;
	}
	*at = s;
	return n;
}

/* Do a line here. Returns false, with `failed` when it was one for here. */
static bool done_here(const char *line, bool *failed)
{
	static unsigned char key[SIZE], value[SIZE];
	bool update = !strncmp(line, "map update ", 11);
	const char *at = strstr(line, " key hex"), *map = line + 11;
	union bpf_attr attr = { 0 };
	char name[128];
	struct map *m;
	size_t k, v = 0;

	*failed = false;
	if ((!update && strncmp(line, "map delete ", 11)) || !at || at - map > 100)
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(at - map), map);
	at += strlen(" key hex");
	k = bytes(&at, key);
	if (update) {
		if (strncmp(at, " value hex", 10))
			return false;
		at += strlen(" value hex");
		v = bytes(&at, value);
	}
	*failed = true;
	m = map_of(name);
	if (!m || *at != '\n' || k != m->info.key_size)
		return false;
	if (m->info.type == BPF_MAP_TYPE_PERCPU_ARRAY) {
		*failed = false; /* a value for each processor */
		return false;
	}
	if (update && v != m->info.value_size)
		return false;
	attr.map_fd = m->fd;
	attr.key = (uintptr_t)key;
	attr.value = update ? (uintptr_t)value : 0;
	return !bpf(update ? BPF_MAP_UPDATE_ELEM : BPF_MAP_DELETE_ELEM, &attr) ||
	       (!update && errno == ENOENT);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	bool failed;
	FILE *f;

	while (getline(&line, &size, stdin) > 0) {
		if (done_here(line, &failed))
			continue;
		f = failed ? NULL : popen("exec bpftool batch file - >/dev/null", "w");
		if (!f || fputs(line, f) < 0 || pclose(f)) {
			fprintf(stderr, "fill: %.100s: failed\n", line);
			return 1;
		}
	}
	return 0;
}

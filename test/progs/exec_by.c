// SPDX-License-Identifier: GPL-2.0-only
/*
 * exec_by: have the code of a file executed in one of many ways (exec_ways.h).
 *
 *   exec_by WAY FILE    do it. With vfork and spawn the parent says "parent lives". Exit
 *                       status: that of what ran, 126 it was not permitted, 125 it failed
 *   exec_by -l          list the ways: name, target in its directory, flags; `-` for none
 *   exec_by -t [-w WAY,...] [-u UID] DIR...   do all ways, or these, as root or from there
 *                       on as that user. DIR holds the targets, and `host`. One line each:
 *                       DIR, WAY, and "ran" (the code did), "killed", "silent" or an errno
 */
#define _GNU_SOURCE
#include "exec_ways.h"
#include <grp.h>
#include <sys/prctl.h>

#define LIMIT 30 /* seconds a way may take */

static void die(const char *what)
{
	fprintf(stderr, "exec_by: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Set what the way works on. */
static void aim(const char *target)
{
	path_of(path, "%s", target);
	path_of(dir, "%s", target);
	*strrchr(dir, '/') = '\0';
	base = path + strlen(dir) + 1;
	path_of(alias, "%s.alias", path);
	path_of(swap, "%s.swap", path);
}

static int is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, name, len) && (!at[len] || at[len] == ','))
			return 1;
	}
	return !list;
}

/* Undo what a way leaves. What is deep stays: it is linked once. */
static void undo(void)
{
	char moved[PATH_MAX];

	rename(path_of(moved, "%s.moved", dir), dir);
	rename(path_of(moved, "%s.moved", path), path);
	unlink(path_of(moved, "%s.exec_by", path));
	rmdir(path_of(moved, "%s.merged", dir));
	unlink(swap);
	if (unlink(alias))
		rmdir(alias);
}

static void be(uid_t uid)
{
	if (!uid)
		return;
	/* dumpable: else /proc/self is root's, and its uid_map cannot be written */
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) ||
	    setresuid(uid, uid, uid) || prctl(PR_SET_DUMPABLE, 1))
		die("setresuid");
}

/* What came of one way, its output in `fd`. */
static const char *outcome(int fd, int status)
{
	char text[4096];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	if (strstr(text, "hello"))
		return "ran";
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGKILL ? "killed"
						   : sigabbrev_np(WTERMSIG(status));
	status = WEXITSTATUS(status);
	if (status == 128 + SIGKILL)
		return "killed";
	return status ? strerrorname_np(status) : "silent";
}

static void one(const char *place, uid_t uid)
{
	char target[PATH_MAX];
	const char *result;
	int fd, status;
	pid_t pid;

	aim(path_of(target, "%s/%s", place, TARGETS[way->target]));
	fd = memfd_create("output", 0);
	pid = fork();
	if (fd < 0 || pid < 0)
		die("fork");
	if (!pid) {
		be(uid);
		dup2(fd, 1);
		close(fd);
		alarm(LIMIT);
		status = way->act();
		_exit(status < 0 ? errno : status);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	result = outcome(fd, status);
	close(fd);
	undo();
	printf("%s %s %s\n", place, way->name, result ? result : "?");
	fflush(stdout);
}

static int single(const char *name, const char *file)
{
	char at[PATH_MAX], target[PATH_MAX];
	int status;

	for (way = WAYS; way < WAYS + WAYS_COUNT; way++)
		if (!strcmp(way->name, name))
			break;
	if (way == WAYS + WAYS_COUNT)
		return -1;
	if (*file == '/' || !getcwd(at, sizeof(at)))
		aim(path_of(target, "%s", file));
	else
		aim(path_of(target, "%.2000s/%.2000s", at, file));
	status = way->act();
	if (status >= 0)
		return status;
	fprintf(stderr, "exec_by: %s\n", strerror(errno));
	return errno == EPERM || errno == EACCES ? 126 : 125;
}

static void list(void)
{
	for (way = WAYS; way < WAYS + WAYS_COUNT; way++)
		printf("%s %s %s\n", way->name, TARGETS[way->target],
		       way->flags & ROOT  ? "root"
		       : way->flags & ANY ? "any"
					  : "-");
}

int main(int argc, char **argv)
{
	const char *only = NULL;
	uid_t uid = 0;
	int status, i;

	if (argc == 2 && !strcmp(argv[1], "-l")) {
		list();
		return 0;
	}
	if (argc == 3 && *argv[1] != '-') {
		status = single(argv[1], argv[2]);
		if (status >= 0)
			return status;
	}
	if (argc < 3 || strcmp(argv[1], "-t")) {
		fputs("exec_by: usage: see its source\n", stderr);
		return 2;
	}
	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "-w") && i + 1 < argc)
			only = argv[++i];
		else if (!strcmp(argv[i], "-u") && i + 1 < argc)
			uid = (uid_t)strtoul(argv[++i], NULL, 10);
		else
			for (way = WAYS; way < WAYS + WAYS_COUNT; way++)
				if (is_listed(only, way->name) &&
				    !(uid && way->flags & ROOT))
					one(argv[i], uid);
	}
	return 0;
}

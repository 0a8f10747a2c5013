// SPDX-License-Identifier: GPL-2.0-only
/*
 * exec_by: execute PATH in a way that no shell has.
 *
 *   exec_by opath PATH   execveat() with AT_EMPTY_PATH on an O_PATH descriptor
 *   exec_by at PATH      execveat() of the last component, by its directory
 *   exec_by procfd PATH  execve() of /proc/self/fd/N
 *   exec_by memfd PATH   execveat() of a copy in memory
 *   exec_by thread PATH  from a thread that is not the leader
 *   exec_by vfork PATH   in a child of vfork(), which shares the memory
 *   exec_by spawn PATH   posix_spawn()
 *
 * With vfork and spawn the parent says "parent lives", and exits with the
 * child's status. A failed exec gives 126.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *path, *args[2];

static int failed(void)
{
	int status = errno == EPERM || errno == EACCES ? 126 : 125;

	fprintf(stderr, "exec_by: %s\n", strerror(errno));
	exit(status);
}

static void execute_fd(int fd, const char *name, int flags)
{
	if (fd >= 0)
		syscall(SYS_execveat, fd, name, args, environ, flags);
	failed();
}

static void by_procfd(void)
{
	char name[32];
	int fd = open(path, O_RDONLY);

	if (fd >= 0) {
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		execve(name, args, environ);
	}
	failed();
}

static void by_memfd(void)
{
	int from = open(path, O_RDONLY), to = memfd_create("copy", MFD_CLOEXEC);
	struct stat st;

	if (from < 0 || to < 0 || fstat(from, &st) ||
	    sendfile(to, from, NULL, st.st_size) != st.st_size)
		failed();
	execute_fd(to, "", AT_EMPTY_PATH);
}

static void *in_thread(void *arg)
{
	(void)arg;
	execve(path, args, environ);
	failed();
	return NULL;
}

static void by_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, in_thread, NULL))
		failed();
	sleep(3);
	puts("leader lives");
}

static int result(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		failed();
	puts("parent lives");
	fflush(stdout);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int by_vfork(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execve(path, args, environ);
		_exit(126);
	}
	return result(pid);
}

static int by_spawn(void)
{
	pid_t pid;
	int error = posix_spawn(&pid, path, NULL, NULL, args, environ);

	if (error) {
		errno = error;
		failed();
	}
	return result(pid);
}

int main(int argc, char **argv)
{
	const char *how = argc == 3 ? argv[1] : "";

	path = argv[argc - 1];
	args[0] = path;
	if (!strcmp(how, "opath"))
		execute_fd(open(path, O_PATH), "", AT_EMPTY_PATH);
	if (!strcmp(how, "at")) {
		char *copy = strdup(path);

		execute_fd(open(dirname(copy), O_PATH | O_DIRECTORY), basename(path),
			   0);
	}
	if (!strcmp(how, "procfd"))
		by_procfd();
	if (!strcmp(how, "memfd"))
		by_memfd();
	if (!strcmp(how, "thread"))
		by_thread();
	if (!strcmp(how, "vfork"))
		return by_vfork();
	if (!strcmp(how, "spawn"))
		return by_spawn();
	fprintf(stderr, "exec_by: usage: see its source\n");
	return 2;
}

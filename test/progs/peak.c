// SPDX-License-Identifier: GPL-2.0-only
/*
 * peak: run a command and say what it took.
 *
 *   peak FILE COMMAND [ARG...]
 *
 * Writes to FILE the nanoseconds of the monotonic clock (under test/vm/run -i: guest
 * instructions) and the most bytes that the largest of its processes had resident.
 * Exits as the command does, 127 when it cannot be run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	long start;
	int status;
	pid_t pid;
	FILE *f;

	if (argc < 3) {
		fputs("usage: peak FILE COMMAND [ARG...]\n", stderr);
		return 2;
	}
	start = now();
	errno = posix_spawnp(&pid, argv[2], NULL, NULL, argv + 2, environ);
	if (errno || waitpid(pid, &status, 0) != pid) {
		perror(argv[2]);
		return 127;
	}
	start = now() - start;
	/* of all that were waited for, also by those that are waited for here */
	getrusage(RUSAGE_CHILDREN, &usage);
	f = fopen(argv[1], "w");
	if (!f || fprintf(f, "%ld %ld\n", start, usage.ru_maxrss * 1024) < 0 ||
	    fclose(f)) {
		perror(argv[1]);
		return 127;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

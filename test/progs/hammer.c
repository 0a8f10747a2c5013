// SPDX-License-Identifier: GPL-2.0-only
/*
 * hammer: execute a program again and again, and say what came of it.
 *
 *   hammer COUNT PATH     that many times
 *   hammer FILE PATH      until FILE (with a slash in it) exists, at least once
 *
 * Prints "ran N killed N failed N": ended by itself, died of SIGKILL, exec
 * failed or died otherwise.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned long ran = 0, killed = 0, failed = 0, count = 0;
	const char *until = NULL;
	int status;

	if (argc != 3)
		return 2;
	if (strchr(argv[1], '/'))
		until = argv[1];
	else
		count = strtoul(argv[1], NULL, 10);
	do {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (!pid) {
			int null = open("/dev/null", O_WRONLY);

			dup2(null, 1);
			execl(argv[2], argv[2], (char *)NULL);
			_exit(126);
		}
		if (waitpid(pid, &status, 0) < 0)
			return 1;
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			killed++;
		else if (WIFEXITED(status) && WEXITSTATUS(status) != 126)
			ran++;
		else
			failed++;
	} while (until ? access(until, F_OK) != 0 : --count > 0);
	printf("ran %lu killed %lu failed %lu\n", ran, killed, failed);
	return 0;
}

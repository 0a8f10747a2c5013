// SPDX-License-Identifier: GPL-2.0-only
/*
 * threads: processes whose threads all end at the same moment.
 *
 *   threads N M   N processes one after the other, each of M threads and its leader.
 *                 The last thread that is ready ends the process, with status 7
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_barrier_t ready;

static void *thread(void *unused)
{
	if (pthread_barrier_wait(&ready) == PTHREAD_BARRIER_SERIAL_THREAD)
		_exit(7);
	for (;;)
		; /* as busy as can be, so that it is hit on another CPU */
	return unused;
}

static void process(int threads)
{
	pthread_t t;

	pthread_barrier_init(&ready, NULL, threads + 1);
	while (threads--)
		if (pthread_create(&t, NULL, thread, NULL))
			_exit(1);
	thread(NULL);
}

int main(int argc, char **argv)
{
	int n = argc == 3 ? atoi(argv[1]) : 0, status;

	if (n < 1 || atoi(argv[2]) < 1) {
		fputs("usage: threads N M\n", stderr);
		return 2;
	}
	while (n--) {
		pid_t pid = fork();

		if (!pid)
			process(atoi(argv[2]));
		if (waitpid(pid, &status, 0) != pid || status != 7 << 8)
			return 1;
	}
	return 0;
}

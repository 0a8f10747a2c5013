// SPDX-License-Identifier: GPL-2.0-only
/*
 * denied: open a file for reading, again and again, by one process for each CPU.
 *
 *   denied count N FILE      N times, by one process
 *   denied seconds N FILE    for N seconds, by two processes, each on its CPU
 *   denied thread FILE       once, by a thread that is not the leader; prints its id
 *
 * Prints "opened N denied N" and of `count` the mean time in ns; under
 * test/vm/run -i that is guest instructions.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 2

struct tally {
	unsigned long opened, denied;
};

static unsigned long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void try_once(const char *file, struct tally *tally)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		tally->opened++;
	} else if (errno == EPERM) {
		tally->denied++;
	} else {
		fprintf(stderr, "denied: %s: %s\n", file, strerror(errno));
		_exit(1);
	}
}

static void hammer(const char *file, int cpu, unsigned long long until,
		   struct tally *tally)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (now() < until)
		for (int i = 0; i < 100; i++)
			try_once(file, tally);
}

static void *threaded(void *file)
{
	static struct tally tally;

	try_once(file, &tally);
	printf("thread %d opened %lu denied %lu\n", gettid(), tally.opened,
	       tally.denied);
	return NULL;
}

int main(int argc, char **argv)
{
	struct tally *tally, sum = {};
	unsigned long long start;
	unsigned long n;
	pthread_t thread;

	if (argc == 3 && !strcmp(argv[1], "thread")) {
		if (pthread_create(&thread, NULL, threaded, argv[2]) ||
		    pthread_join(thread, NULL))
			return 1;
		return 0;
	}
	if (argc != 4)
		return 2;
	n = strtoul(argv[2], NULL, 10);
	tally = mmap(NULL, PROCESSES * sizeof(*tally), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED || !n)
		return 2;
	start = now();
	if (!strcmp(argv[1], "count")) {
		for (unsigned long i = 0; i < n; i++)
			try_once(argv[3], &tally[0]);
		printf("opened %lu denied %lu each %llu\n", tally[0].opened,
		       tally[0].denied, (now() - start) / n);
		return 0;
	}
	for (int i = 0; i < PROCESSES; i++)
		if (!fork()) {
			hammer(argv[3], i, start + n * 1000000000ull, &tally[i]);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < PROCESSES; i++) {
		sum.opened += tally[i].opened;
		sum.denied += tally[i].denied;
	}
	printf("opened %lu denied %lu\n", sum.opened, sum.denied);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * measure: cost of one operation, in nanoseconds of the monotonic clock. Under
 * test/vm/run -i that clock counts guest instructions.
 *
 *   measure WORKLOAD [ROUNDS [COUNT]]
 *
 *   spawn  posix_spawn and wait of this program itself, static
 *   open   open for reading and close /tmp/measure/file
 *   openw  open for writing and close it
 *   write  write one byte to it
 *   read   read 4 KiB of it
 *   stat   stat it
 *   null   getppid
 *   pgid   getpgid(0)
 *
 * Prints the smallest mean of all rounds: timer ticks and other interrupts
 * only ever add to it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *self;

static int spawn(void)
{
	char *argv[] = { self, "exit", NULL }, *envp[] = { NULL };
	int status;
	pid_t pid;

	return posix_spawn(&pid, self, NULL, NULL, argv, envp) ||
	       waitpid(pid, &status, 0) != pid || status;
}

/* Made by the first workload that needs it. */
#define FILE_PATH "/tmp/measure/file"

static int file_open(int flags)
{
	static int made;

	if (!made && (mkdir("/tmp/measure", 0755) == 0 || errno == EEXIST)) {
		static const char page[4096];
		int fd = open(FILE_PATH, O_WRONLY | O_CREAT | O_TRUNC, 0644);

		made = fd >= 0 && write(fd, page, sizeof(page)) == sizeof(page) &&
		       !close(fd);
	}
	return open(FILE_PATH, flags | O_CLOEXEC);
}

static int open_read(void)
{
	int fd = file_open(O_RDONLY);

	return fd < 0 || close(fd);
}

static int open_write(void)
{
	int fd = file_open(O_WRONLY);

	return fd < 0 || close(fd);
}

static int write_byte(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = file_open(O_WRONLY);
	return pwrite(fd, "x", 1, 0) != 1;
}

static int read_page(void)
{
	static int fd = -1;
	static char page[4096];

	if (fd < 0)
		fd = file_open(O_RDONLY);
	return pread(fd, page, sizeof(page), 0) != sizeof(page);
}

static int stat_file(void)
{
	struct stat st;
	int fd;

	if (!stat(FILE_PATH, &st))
		return 0;
	fd = file_open(O_RDONLY);
	return fd < 0 || close(fd) || stat(FILE_PATH, &st);
}

static int null(void)
{
	return syscall(SYS_getppid) < 0;
}

static int pgid(void)
{
	return syscall(SYS_getpgid, 0) < 0;
}

static const struct {
	const char *name;
	int (*run)(void);
	int rounds, count;
} workloads[] = {
	{ "spawn", spawn, 100, 5 },	  { "open", open_read, 40, 500 },
	{ "openw", open_write, 40, 500 }, { "write", write_byte, 40, 500 },
	{ "read", read_page, 40, 500 },	  { "stat", stat_file, 40, 500 },
	{ "null", null, 40, 2000 },	  { "pgid", pgid, 40, 2000 },
};

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

int main(int argc, char **argv)
{
	long best = 0;

	if (argc > 1 && !strcmp(argv[1], "exit"))
		_exit(0);
	self = argv[0];
	for (size_t w = 0; argc > 1 && w < sizeof(workloads) / sizeof(*workloads);
	     w++) {
		int rounds = argc > 2 ? atoi(argv[2]) : workloads[w].rounds;
		int count = argc > 3 ? atoi(argv[3]) : workloads[w].count;

		if (strcmp(argv[1], workloads[w].name))
			continue;
		for (int r = 0; r < rounds; r++) {
			long start = now(), took;

			for (int i = 0; i < count; i++)
				if (workloads[w].run()) {
					perror(argv[1]);
					return 1;
				}
			took = (now() - start) / count;
			if (!best || took < best)
				best = took;
		}
		printf("%ld\n", best);
		return 0;
	}
	fprintf(stderr,
		"usage: measure spawn|open|openw|write|read|stat|null [ROUNDS [COUNT]]\n");
	return 2;
}

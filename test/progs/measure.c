// SPDX-License-Identifier: GPL-2.0-only
/*
 * measure: cost of one operation, in nanoseconds of the monotonic clock. Under
 * test/vm/run -i that clock counts guest instructions.
 *
 *   measure [-q] [-d DIR] WORKLOAD [ROUNDS [COUNT]]
 *
 *   spawn    posix_spawn and wait of this program itself, static
 *   dynamic  the same of /bin/true, which has a dynamic linker
 *   exec     execve of a file that is no program: the decision, without a process
 *   fork     fork and wait, without an exec
 *   script   a shell script of 20 commands
 *   open     open for reading and close a file
 *   openw    open for writing and close it
 *   denied   open one for reading that a rule denies
 *   write    write one byte to it
 *   read     read 4 KiB of it
 *   stat     stat it
 *   unlink   make a file and remove it
 *   rename   rename a file
 *   mmap     map a library to be executed, and unmap it
 *   build    compile 20 C files and link them
 *   tar      unpack the kernel's headers from an archive
 *   null     getppid
 *   pgid     getpgid(0)
 *
 * In DIR, /tmp/measure unless given, which is made; files are opened by their name
 * in it, so that the path to it costs nothing. Prints the smallest mean of all rounds:
 * timer ticks and other interrupts only ever add to it. With -q their lower quartile:
 * of single spawns one in some hundred is cheaper than all others by a percent, as what it
 * takes lies ready, so that the smallest says whether there was one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char self[4096];

/* Run a program and wait for it. Returns 0 when it ended well. */
static int run_program(char **argv, char **envp)
{
	int status;
	pid_t pid;

	return posix_spawn(&pid, argv[0], NULL, NULL, argv, envp) ||
	       waitpid(pid, &status, 0) != pid || status;
}

static int spawn(void)
{
	char *argv[] = { self, "exit", NULL }, *envp[] = { NULL };

	return run_program(argv, envp);
}

static int dynamic(void)
{
	char *argv[] = { "/bin/true", NULL }, *envp[] = { NULL };

	return run_program(argv, envp);
}

static int exec_data(void)
{
	char *argv[] = { "data", NULL }, *envp[] = { NULL };
	static int made;
	int fd;

	if (!made) {
		fd = open("data", O_WRONLY | O_CREAT | O_TRUNC, 0755);
		made = fd >= 0 && write(fd, "no program\n", 11) == 11 && !close(fd);
	}
	return execve(argv[0], argv, envp) != -1 || errno != ENOEXEC;
}

static int fork_only(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(0);
	return pid < 0 || waitpid(pid, &status, 0) != pid || status;
}

static int shell(char *command)
{
	char *argv[] = { "/bin/sh", "-ec", command, NULL };

	return run_program(argv, environ);
}

static int script(void)
{
	char *argv[] = { "/bin/sh", "script", NULL };
	static int made;

	if (!made)
		made = !shell("for i in $(seq 20); do echo /bin/true; done >script");
	return run_program(argv, environ);
}

/* A C program writes its sources: the shell's quotes would be three deep. */
static int write_sources(void)
{
	char name[16];
	FILE *f;

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "f%d.c", i);
		f = fopen(name, "w");
		if (!f)
			return 1;
		fprintf(f,
			"#include <stdio.h>\nint f%d(int x) { return printf(\"%%d\", x); }\n",
			i);
		if (!i)
			fputs("int main(void) { return 0; }\n", f);
		fclose(f);
	}
	return 0;
}

static int build(void)
{
	static int made;

	if (!made)
		made = !write_sources();
	return shell("for i in $(seq 0 19); do gcc -c f$i.c; done; gcc -o prog f*.o");
}

static int unpack(void)
{
	static int made;

	if (!made)
		made = !shell("tar -C /usr/include -cf headers.tar linux");
	return shell("tar -xf headers.tar");
}

/* Made by the first workload that needs it. */
static int file_open(int flags)
{
	static int made;

	if (!made) {
		static const char page[4096];
		int fd = open("file", O_WRONLY | O_CREAT | O_TRUNC, 0644);

		made = fd >= 0 && write(fd, page, sizeof(page)) == sizeof(page) &&
		       !close(fd);
	}
	return open("file", flags | O_CLOEXEC);
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

static int open_denied(void)
{
	return file_open(O_RDONLY) >= 0 || errno != EPERM;
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

	if (!stat("file", &st))
		return 0;
	fd = file_open(O_RDONLY);
	return fd < 0 || close(fd) || stat("file", &st);
}

static int make_unlink(void)
{
	int fd = open("made", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd < 0 || close(fd) || unlink("made");
}

/* To and fro, so that each round begins with the same. */
static int rename_file(void)
{
	static int turn;
	int fd;

	if (!turn) {
		fd = open("name", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0 || close(fd))
			return 1;
	}
	return turn++ & 1 ? rename("other", "name") : rename("name", "other");
}

static int map_library(void)
{
	static int fd = -1;
	void *at;

	if (fd < 0) {
		strcpy(strrchr(self, '/'),
		       "/lib.so"); /* shorter than any name of ours */
		fd = open(self, O_RDONLY | O_CLOEXEC);
	}
	at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	return at == MAP_FAILED || munmap(at, 4096);
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
	{ "spawn", spawn, 100, 5 },	    { "dynamic", dynamic, 20, 5 },
	{ "exec", exec_data, 40, 200 },	    { "fork", fork_only, 100, 5 },
	{ "script", script, 5, 1 },	    { "open", open_read, 40, 500 },
	{ "openw", open_write, 40, 500 },   { "denied", open_denied, 40, 500 },
	{ "write", write_byte, 40, 500 },   { "read", read_page, 40, 500 },
	{ "stat", stat_file, 40, 500 },	    { "unlink", make_unlink, 40, 200 },
	{ "rename", rename_file, 40, 200 }, { "mmap", map_library, 40, 200 },
	{ "build", build, 2, 1 },	    { "tar", unpack, 3, 1 },
	{ "null", null, 40, 2000 },	    { "pgid", pgid, 40, 2000 },
};

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static int usage(void)
{
	fputs("usage: measure [-q] [-d DIR] ", stderr);
	for (size_t w = 0; w < sizeof(workloads) / sizeof(*workloads); w++)
		fprintf(stderr, "%s%s", w ? "|" : "", workloads[w].name);
	fputs(" [ROUNDS [COUNT]]\n", stderr);
	return 2;
}

static int by_size(const void *a, const void *b)
{
	const long *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
	const char *dir = "/tmp/measure";
	int quartile = 0;
	long *took;

	if (argc > 1 && !strcmp(argv[1], "exit"))
		_exit(0);
	if (argc > 1 && !strcmp(argv[1], "-q")) {
		quartile = 1;
		argc--;
		argv++;
	}
	if (argc > 2 && !strcmp(argv[1], "-d")) {
		dir = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (argc < 2)
		return usage();
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 ||
	    (mkdir(dir, 0755) && errno != EEXIST) || chdir(dir)) {
		perror(dir);
		return 1;
	}
	for (size_t w = 0; w < sizeof(workloads) / sizeof(*workloads); w++) {
		int rounds = argc > 2 ? atoi(argv[2]) : workloads[w].rounds;
		int count = argc > 3 ? atoi(argv[3]) : workloads[w].count;

		if (strcmp(argv[1], workloads[w].name))
			continue;
		took = rounds > 0 && count > 0 ? calloc(rounds, sizeof(*took)) : NULL;
		if (!took)
			return usage();
		for (int r = 0; r < rounds; r++) {
			long start = now();

			for (int i = 0; i < count; i++)
				if (workloads[w].run()) {
					perror(argv[1]);
					return 1;
				}
			took[r] = (now() - start) / count;
		}
		qsort(took, rounds, sizeof(*took), by_size);
		printf("%ld\n", took[quartile ? rounds / 4 : 0]);
		free(took);
		return 0;
	}
	return usage();
}

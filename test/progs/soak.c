// SPDX-License-Identifier: GPL-2.0-only
/*
 * soak: use protected and free files at once, for as long as asked.
 *
 *   soak DIR SECONDS WORKERS [kill]
 *
 * Makes DIR/protected/N and DIR/free, opens the protected files, says "ready" and waits for
 * a line on stdin: then they must be protected from all but reading, by action deny, or kill
 * when told so. Prints "free N failed N tried N done N": operations on free files and how
 * many of them failed; tries at protected ones and how many were not stopped. The first of
 * the failed and of the done are said on stderr. Exit status: 0 when there are none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROTECTED 16

struct counts {
	unsigned long free, failed, tried, done;
};
static struct counts *counts; /* of each worker, shared */
static int held[PROTECTED];
static int kills;
static char worker_file[64], worker_other[64], worker_dir[64];

static void die(const char *what)
{
	fprintf(stderr, "soak: %s: %s\n", what, strerrorname_np(errno));
	exit(1);
}

/* Operations on a file that is there. Returns 0 or -1 with errno. */
static int change(int operation, const char *file, const char *other, int fd)
{
	int to;

	switch (operation) {
	case 0:
		to = open(file, O_WRONLY);
		if (to < 0)
			return -1;
		close(to);
		return 0;
	case 1: return pwrite(fd, "X", 1, 0) == 1 ? 0 : -1;
	case 2: return truncate(file, 4);
	case 3: return chmod(file, 0600);
	case 4: return ftruncate(fd, 4);
	case 5: return link(file, other) ? -1 : unlink(other);
	case 6: return rename(file, other) ? -1 : rename(other, file);
	case 7:
		if (unlink(file))
			return -1;
		to = open(file, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (to < 0)
			return -1;
		close(to);
		return 0;
	}
	return 0;
}
#define OPERATIONS 8
#define OPERATIONS_THAT_STAY 5 /* those that leave it where it is */

/* Names that come and go, of this worker alone. */
static int come_and_go(void)
{
	return mkdir(worker_dir, 0755) || rmdir(worker_dir) ||
			       symlink("nowhere", worker_other) || unlink(worker_other)
		       ? -1
		       : 0;
}

static void use_free(struct counts *c, int operation)
{
	int fd = open(worker_file, O_RDWR | O_CREAT, 0644);

	c->free++;
	if (fd < 0 || change(operation, worker_file, worker_other, fd) || come_and_go())
		if (!c->failed++)
			fprintf(stderr, "soak: free: operation %d: %s\n", operation,
				strerrorname_np(errno));
	close(fd);
}

/* Returns what became of it: 0 for done. */
static int attack(int operation, int number)
{
	char file[32], other[80];
	pid_t pid;
	int status;

	snprintf(file, sizeof(file), "protected/%d", number);
	snprintf(other, sizeof(other), "%s.moved", worker_other);
	if (!kills)
		return change(operation, file, other, held[number])
			       ? errno != EPERM ? 0 : 1
			       : 0;
	pid = fork();
	if (!pid) {
		change(operation, file, other, held[number]);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		die("fork");
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void work(int id, time_t end)
{
	struct counts *c = &counts[id];
	unsigned int seed = (unsigned int)id + 1;

	snprintf(worker_file, sizeof(worker_file), "free/file%d", id);
	snprintf(worker_other, sizeof(worker_other), "free/other%d", id);
	snprintf(worker_dir, sizeof(worker_dir), "free/dir%d", id);
	while (time(NULL) < end) {
		int operation = rand_r(&seed) % OPERATIONS;

		use_free(c, operation);
		/* what completes all the same must leave the files there */
		operation = rand_r(&seed) % (kills ? OPERATIONS_THAT_STAY : OPERATIONS);
		c->tried++;
		if (!attack(operation, rand_r(&seed) % PROTECTED) && !c->done++)
			fprintf(stderr,
				"soak: protected: operation %d was not stopped\n",
				operation);
	}
	exit(0);
}

int main(int argc, char **argv)
{
	struct counts all = { 0 };
	int workers, seconds;
	char line[64];

	if (argc < 4 || argc > 5)
		return 2;
	seconds = atoi(argv[2]);
	workers = atoi(argv[3]);
	kills = argc == 5;
	if (seconds < 1 || workers < 1 || workers > 64)
		return 2;
	counts = mmap(NULL, (size_t)workers * sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED || chdir(argv[1]) || mkdir("protected", 0755) ||
	    mkdir("free", 0755))
		die(argv[1]);
	for (int i = 0; i < PROTECTED; i++) {
		snprintf(line, sizeof(line), "protected/%d", i);
		held[i] = open(line, O_RDWR | O_CREAT | O_EXCL, 0644);
		if (held[i] < 0 || dprintf(held[i], "%s as it was\n", line) < 0)
			die(line);
	}
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	for (int i = 0; i < workers; i++)
		if (!fork())
			work(i, time(NULL) + seconds);
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < workers; i++) {
		all.free += counts[i].free;
		all.failed += counts[i].failed;
		all.tried += counts[i].tried;
		all.done += counts[i].done;
	}
	printf("free %lu failed %lu tried %lu done %lu\n", all.free, all.failed,
	       all.tried, all.done);
	return all.failed || all.done ? 1 : 0;
}

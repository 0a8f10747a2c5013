// SPDX-License-Identifier: GPL-2.0-only
/*
 * call_by: make system calls, also in ways the C library does not know.
 *
 *   call_by write FILE            open it, write 1 MiB to it
 *   call_by pwrite FILE           open it, pwrite 4 bytes
 *   call_by unlink FILE | mkdir DIR
 *   call_by connect PORT          a TCP connection to 127.0.0.1
 *   call_by listen PORT FILE      say "ready", then add a byte to FILE for each connection
 *   call_by call NUMBER [ARG...]  by number, arguments as they are
 *   call_by int80 NUMBER [ARG...] as a 32-bit program does: int $0x80
 *   call_by x32 NUMBER [ARG...]   as a program of the x32 ABI does
 *   call_by uring_mkdir DIR       as io_uring does it
 *   call_by race FILE TEXT        openat2() with a path that names FILE.public when it is
 *                                 checked and FILE when the kernel reads it; then write
 *                                 TEXT. A page fault between the two makes it certain
 *
 * An ARG is a number or, with `s:` before it, a string, at an address that fits into 32
 * bits.
 *
 * Exit status: 0 done, 1 the call failed (the name of its errno is said), 2 usage,
 * 3 it could not be tried.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define X32_BIT 0x40000000
#define MIB (1 << 20)

/* What a failed call leads to; a negative number is the kernel's answer. */
static int said(long ret)
{
	int error = ret == -1 ? errno : (int)-ret;

	if (ret >= 0)
		return 0;
	printf("%s\n", strerrorname_np(error) ? strerrorname_np(error) : "?");
	return 1;
}

static void untried(const char *what)
{
	fprintf(stderr, "call_by: %s: %s\n", what, strerror(errno));
	exit(3);
}

static int do_write(const char *file, size_t size)
{
	static char bytes[MIB];
	int fd = open(file, O_WRONLY | O_CREAT, 0600);

	if (fd < 0)
		untried(file);
	memset(bytes, 'x', sizeof(bytes));
	return said(size == MIB ? write(fd, bytes, size) : pwrite(fd, bytes, size, 0));
}

static int do_connect(const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(atoi(port)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		untried("socket");
	return said(connect(fd, (struct sockaddr *)&to, sizeof(to)));
}

static void do_listen(const char *port, const char *file)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(atoi(port)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8))
		untried("listen");
	puts("ready");
	fflush(stdout);
	for (;;) {
		int to = accept(fd, NULL, NULL);
		FILE *f = to < 0 ? NULL : fopen(file, "a");

		if (!f)
			untried("accept");
		fputc('x', f);
		fclose(f);
		close(to);
	}
}

/* Arguments, strings in memory below 4 GiB. */
static void arguments(long a[6], char **argv)
{
	char *low = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (low == MAP_FAILED)
		untried("mmap");
	for (int i = 0; i < 6 && argv[i]; i++) {
		a[i] = strtoul(argv[i], NULL, 0);
		if (!strncmp(argv[i], "s:", 2)) {
			a[i] = (long)low;
			low = stpcpy(low, argv[i] + 2) + 1;
		}
	}
}

#ifdef __x86_64__
static int do_int80(long number, const long a[6])
{
	/* cppcheck-suppress constStatement; it is initialised */
	register long bp __asm__("r12") = a[5];
	long ret;

	__asm__ volatile("push %%rbp\n\tmov %%r12, %%rbp\n\tint $0x80\n\tpop %%rbp"
			 : "=a"(ret)
			 : "a"(number), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]),
			   "D"(a[4]), "r"(bp)
			 : "memory", "r8", "r9", "r10", "r11");
	return said((int)ret);
}
#endif

/* One request of io_uring, with no library. */
static int do_uring_mkdir(const char *dir)
{
	struct io_uring_params p = {};
	int fd = syscall(SYS_io_uring_setup, 1, &p);
	char *sq, *cq;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;

	if (fd < 0)
		untried("io_uring");
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
		  IORING_OFF_CQ_RING);
	sqe = mmap(NULL, p.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || (void *)sqe == MAP_FAILED)
		untried("mmap");
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_MKDIRAT;
	sqe->fd = AT_FDCWD;
	sqe->addr = (uintptr_t)dir;
	sqe->len = 0700;
	*(unsigned int *)(sq + p.sq_off.array) = 0;
	__atomic_store_n((unsigned int *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		untried("io_uring_enter");
	cqe = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	return said(cqe->res);
}

/* --- the race --- */

static struct race {
	int faults;
	char *page; /* that is not there yet: the kernel's next read waits for it */
	char *path;
	const char *file;
} race;

/* When the kernel, past the check, asks for the page, the path is another. */
static void *race_second(void *unused)
{
	struct uffd_msg msg;
	struct uffdio_copy copy = { .dst = (uintptr_t)race.page, .len = 4096 };
	static char content[4096] __attribute__((aligned(4096)));
	struct open_how how = { .flags = O_WRONLY };

	if (read(race.faults, &msg, sizeof(msg)) != sizeof(msg))
		untried("userfaultfd");
	strcpy(race.path, race.file);
	memcpy(content, &how, sizeof(how));
	copy.src = (uintptr_t)content;
	if (ioctl(race.faults, UFFDIO_COPY, &copy))
		untried("UFFDIO_COPY");
	return unused;
}

static int do_race(const char *file, const char *text)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	static char path[4096];
	pthread_t second;
	int fd;

	race.faults = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (race.faults < 0 || ioctl(race.faults, UFFDIO_API, &api))
		untried("userfaultfd");
	race.page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)race.page;
	range.range.len = 4096;
	if (race.page == MAP_FAILED || ioctl(race.faults, UFFDIO_REGISTER, &range))
		untried("UFFDIO_REGISTER");
	race.file = file;
	race.path = path;
	snprintf(path, sizeof(path), "%s.public", file);
	if (pthread_create(&second, NULL, race_second, NULL))
		untried("pthread_create");
	/* The kernel reads the third argument before the second. */
	fd = syscall(SYS_openat2, AT_FDCWD, path, race.page, sizeof(struct open_how));
	if (fd < 0)
		return said(-1);
	return said(write(fd, text, strlen(text)));
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	long a[6] = {}, number = argc > 2 ? strtol(argv[2], NULL, 0) : 0;

	if (!strcmp(what, "write"))
		return do_write(argv[2], MIB);
	if (!strcmp(what, "pwrite"))
		return do_write(argv[2], 4);
	if (!strcmp(what, "unlink"))
		return said(syscall(SYS_unlinkat, AT_FDCWD, argv[2], 0));
	if (!strcmp(what, "mkdir"))
		return said(syscall(SYS_mkdirat, AT_FDCWD, argv[2], 0700));
	if (!strcmp(what, "connect"))
		return do_connect(argv[2]);
	if (!strcmp(what, "listen") && argc == 4)
		do_listen(argv[2], argv[3]);
	if (!strcmp(what, "uring_mkdir"))
		return do_uring_mkdir(argv[2]);
	if (!strcmp(what, "race") && argc == 4)
		return do_race(argv[2], argv[3]);
	if (argc > 2)
		arguments(a, argv + 3);
	if (!strcmp(what, "call"))
		return said(syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]));
#ifdef __x86_64__
	if (!strcmp(what, "int80"))
		return do_int80(number, a);
	if (!strcmp(what, "x32"))
		return said(
			syscall(number | X32_BIT, a[0], a[1], a[2], a[3], a[4], a[5]));
#endif
	return 2;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec_ways.h: ways to have the code of a file executed, for exec_by.c, which alone
 * includes it. A way returns only when it failed, -1 with errno, or with the status of
 * what it started, 128 + N when signal N ended that.
 */
#ifndef EXEC_WAYS_H
#define EXEC_WAYS_H

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include "own_mounts.h"

#define LD_SO "/lib64/ld-linux-x86-64.so.2"
#define STORM 64 /* children at once */
#define RACES 40 /* execs while the names change */

/* What is executed, a file in the directory of the place. */
static const char *const TARGETS[] = { "bad", "dynamic", "raw", "lib.so", "script" };
enum target { BAD, DYNAMIC, RAW, LIBRARY, SCRIPT };

enum {
	ROOT = 1 << 0, /* works for root alone */
	ANY = 1 << 1,  /* executes code of its own, which no file holds */
};

struct way {
	const char *name;
	enum target target;
	unsigned int flags;
	int (*act)(void);
	long arg;
};

static const struct way *way;
static char path[PATH_MAX];  /* the target, absolute */
static char dir[PATH_MAX];   /* the directory of that */
static const char *base;     /* and its last component */
static char alias[PATH_MAX]; /* a free name beside it */
static char swap[PATH_MAX];  /* a file that cannot be executed, made when needed */
static char *args[4];	     /* of what is executed */

/* A path made of others, in a buffer of PATH_MAX bytes. Returns the buffer. */
__attribute__((format(printf, 2, 3))) static char *path_of(char *buffer,
							   const char *format, ...)
{
	va_list list;

	va_start(list, format);
	if (vsnprintf(buffer, PATH_MAX, format, list) >= PATH_MAX) {
		fputs("exec_by: a path is too long\n", stderr);
		exit(2);
	}
	va_end(list);
	return buffer;
}

static int run(const char *file)
{
	args[0] = (char *)file;
	return execve(file, args, environ);
}

static int run_fd(int fd, const char *name, int flags)
{
	if (fd < 0)
		return -1;
	args[0] = path;
	return (int)syscall(SYS_execveat, fd, name, args, environ, flags);
}

static int status_of(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- by other names --- */

static int by_path(void)
{
	return run(path);
}

static int by_relative(void)
{
	char name[PATH_MAX];

	return chdir(dir) ? -1 : run(path_of(name, "./%s", base));
}

static int by_symlink(void)
{
	return symlink(path, alias) ? -1 : run(alias);
}

static int by_hardlink(void)
{
	return link(path, alias) ? -1 : run(alias);
}

static int by_rename(void)
{
	char moved[PATH_MAX];

	path_of(moved, "%s.moved", path);
	return rename(path, moved) ? -1 : run(moved);
}

static int by_rename_dir(void)
{
	char moved[PATH_MAX];

	path_of(moved, "%s.moved", dir);
	return rename(dir, moved) ? -1 : run(path_of(moved, "%s.moved/%s", dir, base));
}

static int by_procroot(void)
{
	char name[PATH_MAX];

	return run(path_of(name, "/proc/self/root%s", path));
}

static int by_procfd(void)
{
	char name[PATH_MAX];
	int fd = open(path, O_RDONLY);

	return fd < 0 ? -1 : run(path_of(name, "/proc/self/fd/%d", fd));
}

static int by_fd(void) /* opened with the flags in arg */
{
	return run_fd(open(path, (int)way->arg), "", AT_EMPTY_PATH);
}

static int by_at(void)
{
	return run_fd(open(dir, O_PATH | O_DIRECTORY), base, 0);
}

static int by_deleted(void)
{
	char saved[PATH_MAX];
	int fd = open(path, O_RDONLY);

	path_of(saved, "%s.moved", path);
	if (fd < 0 || link(path, saved) || unlink(path))
		return -1;
	return run_fd(fd, "", AT_EMPTY_PATH);
}

/* Go down arg directories with names of `length` bytes, and execute a link there. */
static int descend(int count, size_t length)
{
	char name[256] = "";
	int top = open(dir, O_PATH | O_DIRECTORY);

	memset(name, 'd', length);
	if (top < 0 || chdir(dir))
		return -1;
	for (int i = 0; i < count; i++)
		if ((mkdir(name, 0755) && errno != EEXIST) || chdir(name))
			return -1;
	if (linkat(top, base, AT_FDCWD, base, 0) && errno != EEXIST)
		return -1;
	return run(path_of(alias, "./%s", base));
}

static int by_deep(void)
{
	return descend(1000, 1);
}

static int by_long(void)
{
	return descend(20, 255);
}

/* --- by other mounts and roots --- */

static int by_namespace(void)
{
	return own_mounts() ? -1 : run(path);
}

static int by_bind(void)
{
	int fd = open(alias, O_WRONLY | O_CREAT, 0755);

	close(fd);
	if (own_mounts() || mount(path, alias, NULL, MS_BIND, NULL))
		return -1;
	return run(alias);
}

static int by_bind_dir(void)
{
	char name[PATH_MAX];

	if (mkdir(alias, 0755) || own_mounts() ||
	    mount(dir, alias, NULL, MS_BIND, NULL))
		return -1;
	return run(path_of(name, "%s/%s", alias, base));
}

static int by_chroot(void)
{
	char name[PATH_MAX];

	if (own_mounts() || chroot(dir))
		return -1;
	return run(path_of(name, "/%s", base));
}

static int by_pivot_root(void)
{
	char name[PATH_MAX];

	if (own_mounts() || mount(dir, dir, NULL, MS_BIND | MS_REC, NULL) ||
	    chdir(dir) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH))
		return -1;
	return run(path_of(name, "/%s", base));
}

/*
 * Overlays of which the directory with the target is a layer, `n` on one another. The target is
 * the merged file from there on. Returns 0 or -1.
 */
static int overlay(int n)
{
	char merged[PATH_MAX], options[3 * PATH_MAX];

	if (mkdir(path_of(merged, "%s.merged", dir), 0755) || own_mounts())
		return -1;
	snprintf(options, sizeof(options), "lowerdir=%s:%s", dir, merged);
	if (mount("overlay", merged, "overlay", MS_RDONLY, options))
		return -1;
	snprintf(options, sizeof(options), "lowerdir=%s:%s", merged, dir);
	if (n > 1 && mount("overlay", merged, "overlay", MS_RDONLY, options))
		return -1;
	snprintf(options, sizeof(options), "%s", base);
	path_of(path, "%.2000s/%.2000s", merged, options);
	return 0;
}

static int by_overlay(void)
{
	return overlay((int)way->arg) ? -1 : run(path);
}

/* --- by another file with the same bytes --- */

/* Returns `to`, or -1. */
static int filled(int to)
{
	int from = open(path, O_RDONLY);
	struct stat st;

	if (from < 0 || to < 0 || fstat(from, &st) ||
	    sendfile(to, from, NULL, (size_t)st.st_size) != st.st_size)
		return -1;
	close(from);
	return to;
}

/* A file with the bytes of the target, and `more` zeros. Returns a descriptor to read it. */
static int copied(size_t more)
{
	int to = filled(open(alias, O_WRONLY | O_CREAT | O_EXCL, 0755));
	struct stat st;

	if (to < 0 || fstat(to, &st) || ftruncate(to, st.st_size + (off_t)more))
		return -1;
	close(to);
	return open(alias, O_RDONLY | O_CLOEXEC);
}

static int by_copy(void) /* and arg bytes more */
{
	return copied((size_t)way->arg) < 0 ? -1 : run(alias);
}

static int by_memfd(void)
{
	return run_fd(filled(memfd_create("copy", MFD_CLOEXEC)), "", AT_EMPTY_PATH);
}

static int by_unlinked(void)
{
	int fd = copied(0);

	return fd < 0 || unlink(alias) ? -1 : run_fd(fd, "", AT_EMPTY_PATH);
}

static int by_tmpfile(void)
{
	char name[PATH_MAX];
	int to = filled(open(dir, O_TMPFILE | O_RDWR, 0700)), fd;

	if (to < 0)
		return -1;
	fd = open(path_of(name, "/proc/self/fd/%d", to), O_RDONLY);
	close(to); /* nothing that is being written is executed */
	return run_fd(fd, "", AT_EMPTY_PATH);
}

/* --- by other callers --- */

static void *run_in_thread(void *unused)
{
	(void)unused;
	run(path);
	_exit(errno);
}

static int by_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_in_thread, NULL))
		return -1;
	sleep(3);
	return 0;
}

static int result(pid_t pid)
{
	int status = status_of(pid);

	puts("parent lives");
	fflush(stdout);
	return status;
}

static int by_vfork(void)
{
	pid_t pid;

	args[0] = path;
	pid = vfork();
	if (!pid) {
		execve(path, args, environ);
		_exit(126);
	}
	return result(pid);
}

static int by_spawn(void)
{
	pid_t pid;

	args[0] = path;
	errno = posix_spawn(&pid, path, NULL, NULL, args, environ);
	return errno ? -1 : result(pid);
}

static int by_storm(void)
{
	int status = 0, fds[2];
	pid_t pid[STORM];
	char byte;

	if (pipe(fds))
		return -1;
	for (int i = 0; i < STORM; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		close(fds[1]);
		(void)!read(fds[0], &byte, 1); /* until all are there */
		run(path);
		_exit(126);
	}
	close(fds[1]);
	for (int i = 0; i < STORM; i++) {
		int one = status_of(pid[i]);

		if (one)
			status = one;
	}
	return status;
}

/* The system call of a 32-bit program: int $0x80, with pointers that it could have. */
static int by_int80(void)
{
	char *low = mmap(NULL, 3 * PATH_MAX, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	uint32_t *argv = (uint32_t *)(low + 2 * PATH_MAX);
	long ret = 11; /* execve */

	if (low == MAP_FAILED)
		return -1;
	strcpy(low, path);
	argv[0] = (uint32_t)(uintptr_t)low;
	__asm__ volatile("int $0x80"
			 : "+a"(ret)
			 : "b"((uint32_t)(uintptr_t)low),
			   "c"((uint32_t)(uintptr_t)argv),
			   "d"((uint32_t)(uintptr_t)(argv + 1))
			 : "memory", "r8", "r9", "r10", "r11");
	errno = (int)-ret;
	return -1;
}

/* --- races --- */

static volatile int racing;

static void *exchange_names(void *unused)
{
	(void)unused;
	while (racing)
		renameat2(AT_FDCWD, path, AT_FDCWD, swap, RENAME_EXCHANGE);
	return NULL;
}

static void *exchange_links(void *unused)
{
	char next[PATH_MAX];

	(void)unused;
	path_of(next, "%s.next", alias);
	for (int i = 0; racing; i++)
		if (!symlink(i & 1 ? path : swap, next))
			rename(next, alias);
	unlink(next);
	return NULL;
}

/* Execute two names in turn while a thread changes what they lead to. */
static int race(void *(*other)(void *), const char *one, const char *two)
{
	int status = 0, fd = open(swap, O_WRONLY | O_CREAT | O_EXCL, 0755), each;
	pthread_t thread;
	struct stat st;
	pid_t pid;

	if (fd < 0 || write(fd, "not a program\n", 14) != 14)
		return -1;
	close(fd);
	racing = 1;
	if (pthread_create(&thread, NULL, other, NULL))
		return -1;
	for (int i = 0; i < RACES; i++) {
		args[0] = (char *)(i & 1 ? one : two);
		if (posix_spawn(&pid, args[0], NULL, NULL, args, environ))
			continue;
		each = status_of(pid);
		status = each > 128 ? each : status;
	}
	racing = 0;
	pthread_join(thread, NULL);
	if (!stat(path, &st) && st.st_size == 14)
		renameat2(AT_FDCWD, path, AT_FDCWD, swap, RENAME_EXCHANGE);
	return status;
}

static int by_race(void)
{
	return race(exchange_names, path, swap);
}

static int by_link_race(void)
{
	return race(exchange_links, alias, alias);
}

/* --- scripts, and what the kernel starts --- */

static int by_sh(void)
{
	args[1] = path;
	return run("/bin/sh");
}

static int by_chain(void)
{
	char line[PATH_MAX];
	int fd = open(alias, O_WRONLY | O_CREAT | O_EXCL, 0755);

	path_of(line, "#!%s\n", path);
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		return -1;
	close(fd);
	return run(alias);
}

static int by_binfmt(void)
{
	static const char at[] = "/proc/sys/fs/binfmt_misc", entry[] = "exec_by";
	char word[PATH_MAX];
	int fd, status;
	pid_t pid;

	path_of(alias, "%s.%s", path, entry);
	fd = open(alias, O_WRONLY | O_CREAT, 0755);
	if (fd < 0 || write(fd, "data\n", 5) != 5 || own_mounts() ||
	    mount("none", at, "binfmt_misc", 0, NULL) || chdir(at))
		return -1;
	close(fd);
	path_of(word, ":%s:E::%s::%s:", entry, entry, path);
	if (write_word("register", word))
		return -1;
	pid = fork();
	if (!pid) {
		run(alias);
		_exit(errno);
	}
	status = status_of(pid);
	write_word(entry, "-1");
	return status;
}

/* The kernel's helper for core dumps. It has no stdout: it makes the file it is told. */
static int by_core_pattern(void)
{
	static const char at[] = "/proc/sys/kernel/core_pattern";
	char word[PATH_MAX], old[256] = "";
	int fd = open(at, O_RDONLY);
	pid_t pid;

	if (fd < 0 || read(fd, old, sizeof(old) - 1) < 1)
		return -1;
	if (write_word(at, path_of(word, "|%s -m %s", path, alias)))
		return -1;
	pid = fork();
	if (!pid) {
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	/* it ends only when its helper has */
	status_of(pid);
	write_word(at, old);
	if (access(alias, F_OK))
		return -1;
	puts("hello");
	fflush(stdout);
	return 0;
}

/* --- without an exec of it --- */

static int by_ldso(void)
{
	args[1] = path;
	return run(LD_SO);
}

static int by_ldso_copy(void)
{
	char target[PATH_MAX];

	path_of(target, "%s", path);
	path_of(path, "%s", LD_SO);
	if (copied(0) < 0)
		return -1;
	args[1] = target;
	return run(alias);
}

static int by_preload(void)
{
	char name[PATH_MAX];

	setenv("LD_PRELOAD", path, 1);
	return run(path_of(name, "%s/host", dir));
}

static int by_dlopen(void)
{
	char name[PATH_MAX];

	args[1] = path;
	return run(path_of(name, "%s/host", dir));
}

/* How load() gets the code into memory. */
enum {
	BY_MMAP,
	BY_SHARED,
	BY_MPROTECT,
	BY_PERSONALITY,
	BY_MEMORY,
	BY_MEMORY_LATER,
};

static int protection(const Elf64_Phdr *ph)
{
	return (ph->p_flags & PF_R ? PROT_READ : 0) |
	       (ph->p_flags & PF_W ? PROT_WRITE : 0) |
	       (ph->p_flags & PF_X ? PROT_EXEC : 0);
}

/* Put one segment of a program into memory. Returns 0, or -1. */
static int segment(int fd, const Elf64_Phdr *ph, char *to, int how)
{
	size_t head = ph->p_vaddr % 4096, size = head + ph->p_filesz;
	int prot = protection(ph), first = prot;
	char *at = to + ph->p_vaddr - head;

	if (how == BY_MPROTECT || how == BY_PERSONALITY)
		first &= ~PROT_EXEC;
	if (how == BY_MEMORY || how == BY_MEMORY_LATER) {
		first = PROT_READ | PROT_WRITE | (how == BY_MEMORY ? PROT_EXEC : 0);
		if (mmap(at, size, first, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			 0) == MAP_FAILED ||
		    pread(fd, at + head, ph->p_filesz, (off_t)ph->p_offset) !=
			    (ssize_t)ph->p_filesz)
			return -1;
		return how == BY_MEMORY_LATER ? mprotect(at, size, prot) : 0;
	}
	if (mmap(at, size, first,
		 (how == BY_SHARED && !(prot & PROT_WRITE) ? MAP_SHARED : MAP_PRIVATE) |
			 MAP_FIXED,
		 fd, (off_t)(ph->p_offset - head)) == MAP_FAILED)
		return -1;
	return how == BY_MPROTECT ? mprotect(at, size, prot) : 0;
}

/* Load a program that is open, as the kernel would, and jump into it. */
static int load(int fd, int how)
{
	static char bytes[4096];
	const Elf64_Ehdr *eh = (void *)bytes;
	const Elf64_Phdr *ph;
	size_t span = 0;
	char *to;

	if (fd < 0 || pread(fd, bytes, sizeof(bytes), 0) < (ssize_t)sizeof(*eh))
		return -1;
	ph = (void *)(bytes + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD)
			span = ph[i].p_vaddr + ph[i].p_memsz;
	to = mmap(NULL, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (to == MAP_FAILED)
		return -1;
	if (how == BY_PERSONALITY && personality(READ_IMPLIES_EXEC) < 0)
		return -1;
	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && segment(fd, &ph[i], to, how))
			return -1;
	((void (*)(void))(to + eh->e_entry))();
	return -1;
}

static int by_load(void)
{
	return load(open(path, O_RDONLY), (int)way->arg);
}

static int by_load_overlay(void)
{
	return overlay(1) ? -1 : by_load();
}

static int by_load_memfd(void)
{
	return load(filled(memfd_create("copy", MFD_CLOEXEC)), BY_MMAP);
}

/* Code that says hello and ends the process. */
static const unsigned char CODE[] = {
	0x48, 0x8d, 0x35, 0x1a, 0x00, 0x00, 0x00, /* lea the text, %rsi */
	0xbf, 0x01, 0x00, 0x00, 0x00,		  /* mov $1, %edi */
	0xba, 0x06, 0x00, 0x00, 0x00,		  /* mov $6, %edx */
	0xb8, 0x01, 0x00, 0x00, 0x00,		  /* mov $SYS_write, %eax */
	0x0f, 0x05,				  /* syscall */
	0xb8, 0xe7, 0x00, 0x00, 0x00,		  /* mov $SYS_exit_group, %eax */
	0x31, 0xff,				  /* xor %edi, %edi */
	0x0f, 0x05,				  /* syscall */
	'h',  'e',  'l',  'l',	'o',  '\n',
};

static int jump(void *code)
{
	((void (*)(void))code)();
	return -1;
}

/* Memory of a file, or of none, is written and then made executable. */
static int by_modified(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED)
		return -1;
	memcpy(at, CODE, sizeof(CODE));
	return mprotect(at, 4096, PROT_READ | PROT_EXEC) ? -1 : jump(at);
}

static int by_writable(void) /* never changed: writable and executable from the start */
{
	int fd = open("/proc/self/exe", O_RDONLY);
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, fd,
			0);

	if (at == MAP_FAILED)
		return -1;
	memcpy(at, CODE, sizeof(CODE));
	return jump(at);
}

static int by_shared_memory(void)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);

	if (at == MAP_FAILED)
		return -1;
	memcpy(at, CODE, sizeof(CODE));
	return mprotect(at, 4096, PROT_READ | PROT_EXEC) ? -1 : jump(at);
}

static int by_shmat(void)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0700);
	char *at = shmat(id, NULL, 0), *code;

	if (at == (void *)-1)
		return -1;
	memcpy(at, CODE, sizeof(CODE));
	code = shmat(id, NULL, SHM_EXEC | SHM_RDONLY);
	shmctl(id, IPC_RMID, NULL);
	return code == (void *)-1 ? -1 : jump(code);
}

/* Something to be written over. */
__attribute__((noinline, aligned(64))) static int victim(int n)
{
	volatile int sum = 0;

	for (int i = 0; i < n; i++)
		sum += i * i ^ sum;
	for (int i = 0; i < n; i++)
		sum ^= sum * 3 + i;
	return sum;
}

static int by_procmem(void)
{
	int fd = open("/proc/self/mem", O_RDWR);

	if (fd < 0 ||
	    pwrite(fd, CODE, sizeof(CODE), (off_t)(uintptr_t)victim) != sizeof(CODE))
		return -1;
	return victim(1);
}

static int by_ptrace(void)
{
	struct user_regs_struct regs;
	pid_t pid = fork();
	long word;
	int status;

	if (!pid)
		for (;;)
			pause();
	if (ptrace(PTRACE_ATTACH, pid, 0, 0) || waitpid(pid, &status, 0) != pid ||
	    ptrace(PTRACE_GETREGS, pid, 0, &regs)) {
		status = errno;
		kill(pid, SIGKILL);
		errno = status;
		return -1;
	}
	for (size_t at = 0; at < sizeof(CODE); at += sizeof(word)) {
		word = 0;
		memcpy(&word, CODE + at,
		       sizeof(CODE) - at < sizeof(word) ? sizeof(CODE) - at
							: sizeof(word));
		if (ptrace(PTRACE_POKEDATA, pid, (uintptr_t)victim + at, word))
			return -1;
	}
	regs.rip = (uintptr_t)victim;
	regs.orig_rax = (unsigned long long)-1; /* no system call is to be restarted */
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) || ptrace(PTRACE_DETACH, pid, 0, 0))
		return -1;
	return status_of(pid);
}

/* Into another process, where memory is writable and executable. */
static int by_vm_writev(void)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec local = { (void *)CODE, sizeof(CODE) },
		     remote = { at, sizeof(CODE) };
	pid_t pid;

	if (at == MAP_FAILED)
		return -1;
	pid = fork();
	if (!pid) {
		while (!((volatile char *)at)[sizeof(CODE) - 1])
			usleep(1000);
		jump(at);
	}
	if (process_vm_writev(pid, &local, 1, &remote, 1, 0) != sizeof(CODE)) {
		kill(pid, SIGKILL);
		return -1;
	}
	return status_of(pid);
}

static const struct way WAYS[] = {
	{ "path", BAD, 0, by_path, 0 },
	{ "relative", BAD, 0, by_relative, 0 },
	{ "symlink", BAD, 0, by_symlink, 0 },
	{ "hardlink", BAD, 0, by_hardlink, 0 },
	{ "rename", BAD, 0, by_rename, 0 },
	{ "rename_dir", BAD, 0, by_rename_dir, 0 },
	{ "procroot", BAD, 0, by_procroot, 0 },
	{ "procfd", BAD, 0, by_procfd, 0 },
	{ "opath", BAD, 0, by_fd, O_PATH },
	{ "fd", BAD, 0, by_fd, O_RDONLY },
	{ "at", BAD, 0, by_at, 0 },
	{ "deleted", BAD, 0, by_deleted, 0 },
	{ "deep", BAD, 0, by_deep, 0 },
	{ "long", BAD, 0, by_long, 0 },
	{ "namespace", BAD, 0, by_namespace, 0 },
	{ "bind", BAD, 0, by_bind, 0 },
	{ "bind_dir", BAD, 0, by_bind_dir, 0 },
	{ "chroot", BAD, 0, by_chroot, 0 },
	{ "pivot_root", BAD, 0, by_pivot_root, 0 },
	{ "overlay", BAD, 0, by_overlay, 1 },
	{ "overlays", BAD, 0, by_overlay, 2 },
	{ "thread", BAD, 0, by_thread, 0 },
	{ "vfork", BAD, 0, by_vfork, 0 },
	{ "spawn", BAD, 0, by_spawn, 0 },
	{ "storm", BAD, 0, by_storm, 0 },
	{ "int80", BAD, 0, by_int80, 0 },
	{ "race", BAD, 0, by_race, 0 },
	{ "link_race", BAD, 0, by_link_race, 0 },
	{ "core_pattern", BAD, ROOT, by_core_pattern, 0 },
	{ "binfmt", BAD, ROOT, by_binfmt, 0 },
	{ "script", SCRIPT, 0, by_path, 0 },
	{ "chain", SCRIPT, 0, by_chain, 0 },
	{ "sh", SCRIPT, 0, by_sh, 0 },
	{ "copy", BAD, 0, by_copy, 0 },
	{ "memfd", BAD, 0, by_memfd, 0 },
	{ "unlinked", BAD, 0, by_unlinked, 0 },
	{ "tmpfile", BAD, 0, by_tmpfile, 0 },
	{ "longer", BAD, 0, by_copy, 1 },
	{ "ldso", DYNAMIC, 0, by_ldso, 0 },
	{ "ldso_copy", DYNAMIC, 0, by_ldso_copy, 0 },
	{ "preload", LIBRARY, 0, by_preload, 0 },
	{ "dlopen", LIBRARY, 0, by_dlopen, 0 },
	{ "mmap", RAW, 0, by_load, BY_MMAP },
	{ "mmap_shared", RAW, 0, by_load, BY_SHARED },
	{ "mprotect", RAW, 0, by_load, BY_MPROTECT },
	{ "personality", RAW, 0, by_load, BY_PERSONALITY },
	{ "overlay_mmap", RAW, 0, by_load_overlay, BY_MMAP },
	{ "overlay_mprotect", RAW, 0, by_load_overlay, BY_MPROTECT },
	{ "memory", RAW, 0, by_load, BY_MEMORY },
	{ "memory_later", RAW, 0, by_load, BY_MEMORY_LATER },
	{ "mmap_memfd", RAW, 0, by_load_memfd, 0 },
	{ "modified", RAW, ANY, by_modified, 0 },
	{ "writable", RAW, ANY, by_writable, 0 },
	{ "shared_memory", RAW, ANY, by_shared_memory, 0 },
	{ "shmat", RAW, ANY, by_shmat, 0 },
	{ "vm_writev", RAW, ANY, by_vm_writev, 0 },
	{ "procmem", RAW, ANY, by_procmem, 0 },
	{ "ptrace", RAW, ANY, by_ptrace, 0 },
};
#define WAYS_COUNT (sizeof(WAYS) / sizeof(WAYS[0]))

#endif

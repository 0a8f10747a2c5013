/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * file_ways.h: ways to change or read a file, for file_by.c, which alone includes it.
 *
 * A way has two steps. prepare() is done before a rule comes: it opens and maps what the
 * way wants to hold by then. act() is the attack. Both return 0, or -1 with errno.
 */
#ifndef FILE_WAYS_H
#define FILE_WAYS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/aio_abi.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "own_mounts.h"

/* Numbers younger than the headers this must build with. */
#define NR_FCHMODAT2 452
#define NR_SETXATTRAT 463
#define NR_FILE_SETATTR 469
#define URING_FTRUNCATE 55
#define MOUNT_BENEATH 0x200 /* of move_mount */

/* Operations, as `deny` names them, in the order of OP_NAMES. */
enum {
	R = 1 << 0,
	W = 1 << 1,
	C = 1 << 2,
	D = 1 << 3,
	N = 1 << 4,
	L = 1 << 5,
	A = 1 << 6,
};
static const char *const OP_NAMES[] = { "read",	  "write", "create", "delete",
					"rename", "link",  "setattr" };

/* What the way is aimed at, relative to a place of its own. */
enum target {
	VICTIM,	      /* the file "victim" */
	DEEP,	      /* the file "d/victim" */
	MISSING,      /* "missing", which does not exist */
	DEEP_MISSING, /* "d/missing", in a directory that exists */
	NO_PARENT,    /* "new/missing", in one that does not */
	EMPTY,	      /* the empty directory "d" */
	FULL,	      /* the directory "d", with a file "inside" */
};

enum {
	ROOT = 1 << 0,	 /* works for root alone */
	EARLY = 1 << 1,	 /* uses what it opened or mapped before the rule */
	OTHER = 1 << 2,	 /* wants a second file */
	UNSEEN = 1 << 3, /* leaves nothing behind that the outside can see */
	FILES = 1 << 4,	 /* a rule for a tree is not meant to stop it */
	USER = 1 << 5,	 /* for an ordinary user alone */
	TREES = 1 << 6,	 /* does something else there, which another rule may deny */
	/* by a rule on deletion alone it is denied or not, as the hook is told of it */
	MAYBE = 1 << 7,
};

struct way {
	const char *name;
	enum target target;
	unsigned int ops; /* any of them denies it, or is meant to: file.bats, OPEN */
	unsigned int flags;
	int (*prepare)(void);
	int (*act)(void);
	long arg;	  /* for either */
	const char *text; /* for docs/evasion.md */
};

/* The one way of this process, and what it works on. */
static const struct way *way;
static char file[PATH_MAX];    /* its target, absolute */
static char dir[PATH_MAX];     /* the directory of that */
static const char *base;       /* and its last component */
static char other[PATH_MAX];   /* a second file beside it */
static char alias[PATH_MAX];   /* a free name beside it */
static char out[PATH_MAX];     /* a free name elsewhere on the file system */
static int fd = -1;	       /* what prepare() opened */
static char *map = MAP_FAILED; /* what it mapped */

#define CONTENT 16384 /* bytes of a victim, the first of which are: */
#define MARK "victim\n"

static int error(int number)
{
	errno = number;
	return -1;
}

/* Write a file of CONTENT bytes that begin with a word. */
static int make_file(const char *path, const char *word)
{
	static char bytes[CONTENT];
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
	ssize_t n;

	if (to < 0)
		return -1;
	memset(bytes, 'v', sizeof(bytes));
	memcpy(bytes, word, strlen(word));
	n = write(to, bytes, sizeof(bytes));
	close(to);
	return n == CONTENT ? 0 : error(EIO);
}

/* A path made of others, in a buffer of PATH_MAX bytes. Returns the buffer. */
__attribute__((format(printf, 2, 3))) static const char *path_of(char *buffer,
								 const char *format,
								 ...)
{
	va_list args;

	va_start(args, format);
	if (vsnprintf(buffer, PATH_MAX, format, args) >= PATH_MAX) {
		fputs("file_by: a path is too long\n", stderr);
		exit(1);
	}
	va_end(args);
	return buffer;
}

static int poke(int to)
{
	if (to < 0)
		return -1;
	return pwrite(to, "X", 1, 0) == 1 ? 0 : -1;
}

static int saw(const void *bytes, ssize_t n)
{
	if (n < 0)
		return -1;
	return n >= (ssize_t)strlen(MARK) && !memcmp(bytes, MARK, strlen(MARK))
		       ? 0
		       : error(ENODATA);
}

static int see(int from)
{
	char bytes[64];

	return from < 0 ? -1 : saw(bytes, pread(from, bytes, sizeof(bytes), 0));
}

/* --- steps before the rule --- */

static int held(void) /* open the target with the flags in arg */
{
	return (fd = open(file, (int)way->arg)) < 0 ? -1 : 0;
}

static int held_rw(void)
{
	return (fd = open(file, O_RDWR)) < 0 ? -1 : 0;
}

static int held_write(void)
{
	return (fd = open(file, O_WRONLY)) < 0 ? -1 : 0;
}

static int held_read(void)
{
	return (fd = open(file, O_RDONLY)) < 0 ? -1 : 0;
}

static int held_path(void)
{
	return (fd = open(file, O_PATH)) < 0 ? -1 : 0;
}

static int held_dir(void)
{
	return (fd = open(dir, O_RDONLY | O_DIRECTORY)) < 0 ? -1 : 0;
}

static int mapped(void) /* map it shared, with the protection in arg */
{
	if (held_rw())
		return -1;
	map = mmap(NULL, CONTENT, (int)way->arg, MAP_SHARED, fd, 0);
	return map == MAP_FAILED ? -1 : 0;
}

static int linked(void)
{
	return link(file, alias);
}

static int linked_out(void)
{
	return link(file, out);
}

static int linked_symbolically(void)
{
	return symlink(file, alias);
}

static const char *xattr_name(void);
static int given_xattr(void);
static int given_acl(void);

/* --- write: by path --- */

static int open_with(const char *path, int flags)
{
	int to = open(path, flags, 0644);

	if (to < 0)
		return -1;
	return flags & O_TRUNC ? 0 : poke(to);
}

static int by_open(void)
{
	return open_with(file, (int)way->arg);
}

static int by_openat2(void)
{
	struct open_how how = { .flags = O_WRONLY, .resolve = RESOLVE_BENEATH };
	int at = open(dir, O_PATH | O_DIRECTORY);

	return poke((int)syscall(SYS_openat2, at, base, &how, sizeof(how)));
}

static int by_dots(void)
{
	char path[PATH_MAX];

	return open_with(path_of(path, "%s/.//.///%s", dir, base), O_WRONLY);
}

static int by_dotdot(void)
{
	char path[PATH_MAX];
	const char *last = strrchr(dir, '/');

	return open_with(path_of(path, "%s/..%s/%s", dir, last ? last : "", base),
			 O_WRONLY);
}

static int by_relative(void)
{
	return chdir(dir) ? -1 : open_with(base, O_WRONLY);
}

static int by_cwd(void)
{
	char path[PATH_MAX];

	return chdir(dir)
		       ? -1
		       : open_with(path_of(path, "/proc/self/cwd/%s", base), O_WRONLY);
}

static int by_root(void)
{
	char path[PATH_MAX];

	return open_with(path_of(path, "/proc/%d/root%s", getpid(), file), O_WRONLY);
}

static int by_alias(void) /* a link or a symbolic link that was there before */
{
	return open_with(alias, O_WRONLY);
}

static int by_out(void)
{
	return open_with(out, O_WRONLY);
}

static int by_late_symlink(void)
{
	return symlink(file, out) ? -1 : open_with(out, O_WRONLY);
}

static int by_procfd(void) /* whatever it was opened for before */
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open_with(path, O_WRONLY);
}

static int by_dirfd(void)
{
	return poke(openat(fd, base, O_WRONLY));
}

static int by_truncate(void)
{
	return truncate(file, 1);
}

static void *open_in_thread(void *error)
{
	*(int *)error = open_with(file, O_WRONLY) ? errno : 0;
	return NULL;
}

static int by_thread(void)
{
	pthread_t thread;
	int number = 0;

	if (pthread_create(&thread, NULL, open_in_thread, &number) ||
	    pthread_join(thread, NULL))
		return error(EAGAIN);
	return number ? error(number) : 0;
}

/* Returns also the signal that a child died of. */
static int in_child(int (*act)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(act() ? errno : 0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	return WEXITSTATUS(status) ? error(WEXITSTATUS(status)) : 0;
}

static int by_fork(void)
{
	int status = in_child(by_open);

	if (status > 0)
		kill(getpid(), status);
	return status;
}

static int by_chroot(void)
{
	char path[PATH_MAX];

	if (chroot(dir))
		return -1;
	return open_with(path_of(path, "/%s", base), O_WRONLY);
}

static int by_userns(void)
{
	return own_mounts() ? -1 : open_with(file, O_WRONLY);
}

static int by_bind(void)
{
	char path[PATH_MAX];

	if (own_mounts() || mkdir(out, 0755) || mount(dir, out, NULL, MS_BIND, NULL))
		return -1;
	return open_with(path_of(path, "%s/%s", out, base), O_WRONLY);
}

static int by_bound_file(void)
{
	if (own_mounts() || make_file(out, "other\n") ||
	    mount(file, out, NULL, MS_BIND, NULL))
		return -1;
	return open_with(out, O_WRONLY);
}

/* In a namespace of its own its directory is a mount: to mount it there is denied later. */
static int bound(void)
{
	return own_mounts() ? -1 : mount(dir, dir, NULL, MS_BIND | MS_REC, NULL);
}

static int by_pivot_root(void)
{
	char path[PATH_MAX];

	if (chdir(dir) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH))
		return -1;
	return open_with(path_of(path, "/%s", base), O_WRONLY);
}

/* Beneath a mount that is nowhere. */
static int by_open_tree(void)
{
	int tree;

	if (own_mounts())
		return -1;
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, dir, OPEN_TREE_CLONE);
	return tree < 0 ? -1 : poke(openat(tree, base, O_WRONLY));
}

/* Through the root of a process that has another mount over the directory of `out`. */
static int by_other_root(void)
{
	char path[PATH_MAX], go = 0;
	int pipes[2], status;
	pid_t pid;

	if (pipe(pipes) || mkdir(out, 0755))
		return -1;
	pid = fork();
	if (!pid) {
		status = own_mounts() || mount(dir, out, NULL, MS_BIND, NULL) ||
			 prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (status || write(pipes[1], "", 1) != 1)
			_exit(errno);
		pause();
	}
	close(pipes[1]);
	if (pid < 0 || read(pipes[0], &go, 1) != 1)
		return error(EPROTO);
	path_of(path, "/proc/%d/root%.3000s/%.900s", pid, out, base);
	status = open_with(path, O_WRONLY);
	go = (char)errno;
	kill(pid, SIGKILL);
	errno = go;
	return status;
}

/* The kernel opens a file for who watches it, when another does. */
static int by_fanotify(void)
{
	int watch = fanotify_init(FAN_CLASS_NOTIF, O_WRONLY), opened;
	struct fanotify_event_metadata event;

	if (watch < 0 || fanotify_mark(watch, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, file))
		return -1;
	opened = open(file, O_RDONLY);
	if (opened < 0 || close(opened) || read(watch, &event, sizeof(event)) < 0)
		return -1;
	return poke(event.fd);
}

/* The kernel notes the end of a process in it. */
static int nothing(void)
{
	return 0;
}

static int by_acct(void)
{
	struct stat before, after;

	if (stat(file, &before) || acct(file) || in_child(nothing) || acct(NULL) ||
	    stat(file, &after))
		return -1;
	return after.st_size > before.st_size ? 0 : error(ENODATA);
}

/*
 * Two threads: one changes what a name leads to while the other opens it for writing,
 * until it has the target. arg 0: a symbolic link to the target or the other file; 1: the
 * name of the other file, exchanged with the target's.
 */
#define RACES 5000
static atomic_int racing, lost;

static void *change_name(void *unused)
{
	char next[PATH_MAX];

	(void)unused;
	path_of(next, "%.4000s.next", out);
	for (int i = 0; racing; i++) {
		if (way->arg ? syscall(SYS_renameat2, AT_FDCWD, file, AT_FDCWD, other,
				       RENAME_EXCHANGE)
			     : symlink(i % 2 ? file : other, next) ||
				       rename(next, out)) {
			lost = errno;
			break;
		}
	}
	unlink(next);
	return NULL;
}

static int by_race(void)
{
	const char *name = way->arg ? other : out;
	struct stat want, got;
	pthread_t thread;
	int opened, won = 0;

	racing = 1;
	if (stat(file, &want) || (!way->arg && symlink(other, out)) ||
	    pthread_create(&thread, NULL, change_name, NULL))
		return -1;
	for (int i = 0; i < RACES && !won && !lost; i++) {
		opened = open(name, O_WRONLY);
		/* 6.1's btrfs: a link whose inode goes can be read as an empty one */
		if (opened < 0 && errno == EISDIR)
			continue;
		if (opened < 0) {
			lost = errno;
			break;
		}
		if (!fstat(opened, &got) && got.st_ino == want.st_ino)
			won = !poke(opened);
		close(opened);
		if (i % 16 == 0)
			sched_yield();
	}
	racing = 0;
	pthread_join(thread, NULL);
	return lost ? error(lost) : won ? 0 : error(ETIME);
}

static struct {
	struct file_handle head;
	unsigned char bytes[MAX_HANDLE_SZ];
} handle;

static int handled(void)
{
	int mount;

	handle.head.handle_bytes = MAX_HANDLE_SZ;
	if (held_dir())
		return -1;
	return name_to_handle_at(AT_FDCWD, file, &handle.head, &mount, 0);
}

static int by_handle(void)
{
	return poke(open_by_handle_at(fd, &handle.head, O_WRONLY));
}

/*
 * An overlay whose upper directory is the one with the target: what is done to the overlay
 * is done to the target, by the kernel, and with no path of the target's.
 */
static int overlaid(char path[PATH_MAX])
{
	char lower[PATH_MAX], work[PATH_MAX], merged[PATH_MAX], options[4 * PATH_MAX];

	if (own_mounts() || mkdir(out, 0755) ||
	    mkdir(path_of(lower, "%s/lower", out), 0755) ||
	    mkdir(path_of(work, "%s/work", out), 0755) ||
	    mkdir(path_of(merged, "%s/merged", out), 0755))
		return -1;
	snprintf(options, sizeof(options), "%slowerdir=%s,upperdir=%s,workdir=%s",
		 way->flags & USER ? "userxattr," : "", lower, dir, work);
	if (mount("overlay", merged, "overlay", 0, options))
		return -1;
	path_of(path, "%s/%s", merged, base);
	return 0;
}

static int by_overlay_write(void)
{
	char path[PATH_MAX];

	return overlaid(path) ? -1 : open_with(path, O_WRONLY);
}

static int by_overlay_truncate(void)
{
	char path[PATH_MAX];

	return overlaid(path) ? -1 : truncate(path, 1);
}

/* Opened through the overlay before the rule. */
static int held_overlaid(void)
{
	char path[PATH_MAX];

	return overlaid(path) ? -1 : (fd = open(path, O_RDWR)) < 0 ? -1 : 0;
}

static int by_overlay_xattr(void)
{
	char path[PATH_MAX];

	return overlaid(path) ? -1 : setxattr(path, xattr_name(), "value", 5, 0);
}

static int by_overlay_link(void)
{
	char path[PATH_MAX], to[PATH_MAX];

	return overlaid(path) ? -1 : link(path, path_of(to, "%s.linked", path));
}

/* With the target's directory below: a change of its mode has the kernel copy it. */
static int by_copy_up(void)
{
	char merged[PATH_MAX], upper[PATH_MAX], work[PATH_MAX], options[4 * PATH_MAX];

	if (own_mounts() || mkdir(out, 0755) ||
	    mkdir(path_of(upper, "%s/upper", out), 0755) ||
	    mkdir(path_of(work, "%s/work", out), 0755) ||
	    mkdir(path_of(merged, "%s/merged", out), 0755))
		return -1;
	snprintf(options, sizeof(options), "%slowerdir=%s,upperdir=%s,workdir=%s",
		 way->flags & USER ? "userxattr," : "", dir, upper, work);
	if (mount("overlay", merged, "overlay", 0, options) ||
	    chmod(path_of(options, "%.3000s/%.900s", merged, base), 0600))
		return -1;
	return see(open(path_of(options, "%.3000s/%.900s", upper, base), O_RDONLY));
}

static int by_overlay_unlink(void)
{
	char path[PATH_MAX];

	return overlaid(path) ? -1 : unlink(path);
}

static int by_overlay_chmod(void)
{
	char path[PATH_MAX];

	return overlaid(path) ? -1 : chmod(path, 0600);
}

static int by_overlay_create(void)
{
	char path[PATH_MAX];

	return overlaid(path) ? -1 : make_file(path, "other\n");
}

static int by_overlay_rename(void)
{
	char path[PATH_MAX], to[PATH_MAX];

	return overlaid(path) ? -1 : rename(path, path_of(to, "%s.moved", path));
}

static int by_overlay_read(void)
{
	char path[PATH_MAX];

	return overlaid(path) ? -1 : see(open(path, O_RDONLY));
}

/* --- write: by a descriptor or mapping from before --- */

static int by_pwrite(void)
{
	return poke(fd);
}

static int by_append(void)
{
	return write(fd, "X", 1) == 1 ? 0 : -1;
}

static int by_writev(void)
{
	struct iovec iov = { "X", 1 };

	return writev(fd, &iov, 1) == 1 ? 0 : -1;
}

/* --- descriptors that change hands --- */

static int pair[2];

static int sent(int what)
{
	char space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { "X", 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = space,
			      .msg_controllen = sizeof(space) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &what, sizeof(what));
	return sendmsg(pair[0], &msg, 0) == 1 ? 0 : -1;
}

static int received(void)
{
	char byte, space[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = space,
			      .msg_controllen = sizeof(space) };
	struct cmsghdr *head;
	int what;

	if (recvmsg(pair[1], &msg, 0) != 1)
		return -1;
	head = CMSG_FIRSTHDR(&msg);
	if (!head)
		return error(EBADMSG);
	memcpy(&what, CMSG_DATA(head), sizeof(what));
	return what;
}

/* Opened before the rule, and in a socket when it comes. */
static int in_flight(void)
{
	if (held() || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || sent(fd))
		return -1;
	return close(fd);
}

static int by_received(void)
{
	return poke(received());
}

static int by_received_read(void)
{
	return see(received());
}

/* Held before the rule, passed after it to another process, which writes. */
static int by_passed(void)
{
	int status;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || sent(fd) || close(fd))
		return -1;
	status = in_child(by_received);
	if (status > 0)
		kill(getpid(), status);
	return status;
}

/* A process that holds it since before the rule. */
static pid_t holder;

static int held_by_another(void)
{
	if (held())
		return -1;
	holder = fork();
	if (!holder) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	return holder < 0 ? -1 : close(fd);
}

static int taken(void)
{
	int process = (int)syscall(SYS_pidfd_open, holder, 0);

	return process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, fd, 0);
}

static int by_taken(void)
{
	return poke(taken());
}

static int by_taken_read(void)
{
	return see(taken());
}

/* Another thread puts it at the number of a file that this one writes. */
static atomic_int harmless;

static void *change_number(void *unused)
{
	int number = (int)(intptr_t)unused;

	while (racing) {
		dup2(fd, number);
		dup2(harmless, number);
	}
	return NULL;
}

static int by_dup_race(void)
{
	int number, first = 0;
	pthread_t thread;
	char byte = 0;

	harmless = open(out, O_WRONLY | O_CREAT | O_EXCL, 0600);
	number = dup(harmless);
	racing = 1;
	if (number < 0 ||
	    pthread_create(&thread, NULL, change_number, (void *)(intptr_t)number))
		return -1;
	for (int i = 0; i < RACES && !first && byte != 'X'; i++) {
		if (pwrite(number, "X", 1, 0) < 0)
			first = errno;
		if (i % 16 == 0)
			sched_yield();
		if (pread(fd, &byte, 1, 0) < 0)
			first = errno;
	}
	racing = 0;
	pthread_join(thread, NULL);
	return first ? error(first) : byte == 'X' ? 0 : error(ETIME);
}

/* Through the link to a mapping. */
static int by_map_files(void)
{
	char path[128];
	unsigned long at = (unsigned long)map;

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", at, at + CONTENT);
	return way->ops & W ? open_with(path, O_WRONLY) : see(open(path, O_RDONLY));
}

static int by_pwritev2(void)
{
	struct iovec iov = { "X", 1 };

	return pwritev2(fd, &iov, 1, 0, 0) == 1 ? 0 : -1;
}

static int by_sendfile(void)
{
	return sendfile(fd, open(other, O_RDONLY), NULL, 16) == 16 ? 0 : -1;
}

static int by_splice(void)
{
	int pipes[2];
	loff_t at = 0;

	if (pipe(pipes) || write(pipes[1], "XXXX", 4) != 4)
		return -1;
	return splice(pipes[0], NULL, fd, &at, 4, 0) == 4 ? 0 : -1;
}

static int by_copy_file_range(void)
{
	loff_t from = 0, to = 0;

	return copy_file_range(open(other, O_RDONLY), &from, fd, &to, 16, 0) == 16 ? 0
										   : -1;
}

static int by_fallocate(void)
{
	if (way->arg & FALLOC_FL_PUNCH_HOLE)
		return fallocate(fd, (int)way->arg, 0, 4096);
	return fallocate(fd, (int)way->arg, way->arg ? 0 : CONTENT, 4096);
}

static int by_ftruncate(void)
{
	return ftruncate(fd, 1);
}

static int by_clone(void)
{
	return ioctl(fd, FICLONE, open(other, O_RDONLY));
}

static int by_clone_range(void)
{
	struct file_clone_range range = { open(other, O_RDONLY), 0, 4096, 0 };

	return ioctl(fd, FICLONERANGE, &range);
}

/* Share blocks of the same bytes: it succeeds, and tells that they are. */
static int by_dedupe(void)
{
	struct {
		struct file_dedupe_range head;
		struct file_dedupe_range_info info;
	} range = { .head = { .src_length = 4096, .dest_count = 1 } };
	int same = open(out, O_RDWR | O_CREAT | O_EXCL, 0600);
	char bytes[4096];

	memset(bytes, 'v', sizeof(bytes));
	memcpy(bytes, MARK, strlen(MARK));
	if (same < 0 || write(same, bytes, sizeof(bytes)) != sizeof(bytes))
		return -1;
	range.info.dest_fd = fd < 0 ? open(file, O_WRONLY) : fd;
	if (range.info.dest_fd < 0 || ioctl(same, FIDEDUPERANGE, &range))
		return -1;
	if (range.info.status < 0)
		return error(-range.info.status);
	return range.info.status == FILE_DEDUPE_RANGE_SAME ? 0 : error(ENODATA);
}

static int by_aio(void)
{
	struct iocb cb = {
		.aio_lio_opcode = (__u16)way->arg,
		.aio_fildes = (__u32)fd,
	};
	struct iocb *list = &cb;
	struct io_event event;
	aio_context_t context = 0;
	char bytes[16] = "X";

	cb.aio_buf = (__u64)(uintptr_t)bytes;
	cb.aio_nbytes = way->arg == IOCB_CMD_PREAD ? sizeof(bytes) : 1;
	if (syscall(SYS_io_setup, 1, &context))
		return -1;
	if (syscall(SYS_io_submit, context, 1, &list) != 1 ||
	    syscall(SYS_io_getevents, context, 1, 1, &event, NULL) != 1)
		return -1;
	if (event.res < 0)
		return error((int)-event.res);
	return way->arg == IOCB_CMD_PREAD ? saw(bytes, event.res) : 0;
}

static int by_mmap(void)
{
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -1;
	map[0] = 'X';
	return msync(map, 4096, MS_ASYNC);
}

static int by_mprotect(void)
{
	if (mprotect(map, CONTENT, PROT_READ | PROT_WRITE))
		return -1;
	map[0] = 'X';
	return msync(map, CONTENT, MS_ASYNC);
}

/* Mapped for reading after the rule, by a descriptor that may write, then made writable. */
static int by_late_mprotect(void)
{
	map = mmap(NULL, CONTENT, PROT_READ, MAP_SHARED, fd, 0);
	return map == MAP_FAILED ? -1 : by_mprotect();
}

static int by_mapping(void)
{
	map[0] = 'X';
	return msync(map, CONTENT, MS_ASYNC);
}

static int by_madvise(void)
{
	return madvise(map, 4096, MADV_REMOVE);
}

/* Fill a hole of the file through a mapping that may only be read (tmpfs). */
static int holed(void)
{
	return held_rw() ? -1 : ftruncate(fd, CONTENT + 8192);
}

static int by_userfaultfd(void)
{
	static char page[4096] __attribute__((aligned(4096))) = "X";
	int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_copy copy = { .len = sizeof(page) };

	map = mmap(NULL, CONTENT + 8192, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED || faults < 0 || ioctl(faults, UFFDIO_API, &api))
		return -1;
	reg.range.start = (uintptr_t)map;
	reg.range.len = CONTENT + 8192;
	copy.src = (uintptr_t)page;
	copy.dst = (uintptr_t)map + CONTENT;
	return ioctl(faults, UFFDIO_REGISTER, &reg) || ioctl(faults, UFFDIO_COPY, &copy)
		       ? -1
		       : 0;
}

/* ext4: exchange the blocks with those of another file, for defragmentation. */
static int by_move_extents(void)
{
	struct {
		uint32_t reserved, donor;
		uint64_t from, to, length, moved;
	} move = { .donor = (uint32_t)fd, .length = 4 };
	int from = open(other, O_RDWR);

	if (from < 0 || fsync(from) || fsync(fd))
		return -1;
	if (ioctl(from, _IOWR('f', 15, move), &move))
		return -1;
	/* what was read before is still in memory */
	return posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) ? error(EIO) : 0;
}

/* The directory that holds the target's, in a buffer of PATH_MAX bytes. */
static const char *grandparent(char *buffer)
{
	return path_of(buffer, "%.*s", (int)(strrchr(dir, '/') - dir), dir);
}

static int at_grandparent(void)
{
	char path[PATH_MAX];

	return open(grandparent(path), O_RDONLY | O_DIRECTORY);
}

/*
 * btrfs: the directory becomes a subvolume of its own, with the target in it. Numbers begin anew
 * in each, and a rule on the same one in another would be about this: with arg it is the second.
 */
static int in_subvolume(void)
{
	struct btrfs_ioctl_vol_args args = { .name = "subvolume" };
	int at = at_grandparent(), status;

	status = ioctl(at, BTRFS_IOC_SUBVOL_CREATE, &args) || unlink(file) ||
		 rmdir(dir) || renameat(at, args.name, AT_FDCWD, dir) ||
		 (way->arg && make_file(other, "other\n")) || make_file(file, MARK);
	close(at);
	return status ? -1 : 0;
}

static int by_subvolume_delete(void)
{
	struct btrfs_ioctl_vol_args args = { 0 };

	snprintf(args.name, sizeof(args.name), "%s", strrchr(dir, '/') + 1);
	return ioctl(at_grandparent(), BTRFS_IOC_SNAP_DESTROY, &args);
}

static int by_snapshot(void)
{
	struct btrfs_ioctl_vol_args args = { .fd = open(dir, O_RDONLY | O_DIRECTORY),
					     .name = "snapshot" };
	char path[PATH_MAX];
	int at = at_grandparent();

	if (ioctl(at, BTRFS_IOC_SNAP_CREATE, &args))
		return -1;
	return see(openat(at, path_of(path, "snapshot/%s", base), O_RDONLY));
}

/* ext4: exchange the file with the boot loader's. */
static int by_swap_boot(void)
{
	return ioctl(fd, _IO('f', 17));
}

/* --- io_uring, without a library --- */

#define URING_ASYNC (1 << 8)  /* by a worker of the kernel's */
#define URING_POLLED (1 << 9) /* by a thread of the kernel's that polls */
#define URING_FIXED (1 << 10) /* of a registered file */
#define URING_OP 0xff

static struct {
	int fd;
	char *sq, *cq;
	struct io_uring_sqe *sqes;
	struct io_uring_params p;
} ring = { .fd = -1 };

static int ring_made(unsigned int setup)
{
	struct io_uring_params *p = &ring.p;

	p->flags = setup;
	p->sq_thread_idle = 1000;
	ring.fd = (int)syscall(SYS_io_uring_setup, 2, p);
	if (ring.fd < 0)
		return -1;
	ring.sq = mmap(NULL, p->sq_off.array + p->sq_entries * sizeof(unsigned int),
		       PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQ_RING);
	ring.cq =
		mmap(NULL, p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe),
		     PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_CQ_RING);
	ring.sqes = mmap(NULL, p->sq_entries * sizeof(*ring.sqes),
			 PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQES);
	if (ring.sq == MAP_FAILED || ring.cq == MAP_FAILED ||
	    (void *)ring.sqes == MAP_FAILED)
		return -1;
	return 0;
}

/* Do one request and wait for it. Returns its result, or -1 with errno. */
static int uring(const struct io_uring_sqe *request, unsigned int setup)
{
	unsigned int *head, *tail, mask;
	struct io_uring_cqe *cqe;

	if (ring.fd < 0 && ring_made(setup))
		return -1;
	ring.sqes[0] = *request;
	((unsigned int *)(ring.sq + ring.p.sq_off.array))[0] = 0;
	tail = (unsigned int *)(ring.sq + ring.p.sq_off.tail);
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring.fd, 1, 1,
		    IORING_ENTER_GETEVENTS |
			    (setup & IORING_SETUP_SQPOLL ? IORING_ENTER_SQ_WAKEUP : 0),
		    NULL, 0) < 0)
		return -1;
	head = (unsigned int *)(ring.cq + ring.p.cq_off.head);
	tail = (unsigned int *)(ring.cq + ring.p.cq_off.tail);
	mask = *(unsigned int *)(ring.cq + ring.p.cq_off.ring_mask);
	if (*head == __atomic_load_n(tail, __ATOMIC_ACQUIRE))
		return error(ETIME);
	cqe = (struct io_uring_cqe *)(ring.cq + ring.p.cq_off.cqes) + (*head & mask);
	return cqe->res < 0 ? error(-cqe->res) : cqe->res;
}

/* The file is registered with a ring before the rule, and closed. */
static int registered(void)
{
	if (held_write() || ring_made(0) ||
	    syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, &fd, 1))
		return -1;
	close(fd);
	fd = 0;
	return 0;
}

/* Memory for a request to use, which no file is behind: registered for the `fixed` kind. */
static char *ring_bytes;

static int ring_memory(void)
{
	struct iovec iov = { ring_bytes, 4096 };

	if (ring_made(0))
		return -1;
	return (int)syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS,
			    &iov, 1);
}

/* Pages of the file itself are registered as memory, and unmapped; then they are read into. */
static int pages_registered(void)
{
	struct iovec iov = { NULL, 4096 };

	if (mapped() || ring_made(0))
		return -1;
	iov.iov_base = map;
	if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &iov, 1))
		return -1;
	return munmap(map, CONTENT) || close(fd) ? -1 : 0;
}

static int by_pages(void)
{
	struct io_uring_sqe s = { .opcode = IORING_OP_READ_FIXED, .len = 1 };
	int pipes[2];

	if (pipe(pipes) || write(pipes[1], "X", 1) != 1)
		return -1;
	s.fd = pipes[0];
	s.addr = (uintptr_t)map;
	return uring(&s, 0) == 1 ? 0 : -1;
}

static int by_uring(void)
{
	static struct open_how how = { .flags = O_WRONLY };
	static struct iovec iov;
	struct io_uring_sqe s = { .opcode = (__u8)(way->arg & URING_OP) };
	int n, pipes[2];

	ring_bytes = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ring_bytes == MAP_FAILED)
		return -1;
	ring_bytes[0] = 'X';

	/* for those with paths: from the target to a free name; an fd where there is none */
	s.fd = AT_FDCWD;
	s.addr = (uintptr_t)file;
	switch (s.opcode) {
	case IORING_OP_WRITE_FIXED:
	case IORING_OP_READ_FIXED:
		if (ring_memory())
			return -1;
		/* fallthrough */
	case IORING_OP_WRITE:
	case IORING_OP_READ:
		s.fd = fd;
		s.addr = (uintptr_t)ring_bytes;
		s.len = way->ops & R ? 64 : 1;
		break;
	case IORING_OP_WRITEV:
	case IORING_OP_READV:
		iov.iov_base = ring_bytes;
		iov.iov_len = way->ops & R ? 64 : 1;
		s.fd = fd;
		s.addr = (uintptr_t)&iov;
		s.len = 1;
		break;
	case IORING_OP_SPLICE: /* the end of a pipe that is not the file's */
		if (pipe(pipes) || write(pipes[1], "X", 1) != 1)
			return -1;
		s.fd = fd;
		s.addr = (__u64)-1; /* off_in: a pipe has none */
		s.splice_fd_in = pipes[0];
		s.len = 1;
		break;
	case IORING_OP_OPENAT2:
		s.addr2 = (uintptr_t)&how;
		s.len = sizeof(how);
		break;
	case IORING_OP_FALLOCATE: /* mode in len, length in addr */
		s.fd = fd;
		s.off = CONTENT;
		s.addr = 4096;
		break;
	case URING_FTRUNCATE:
		s.fd = fd;
		s.addr = 0;
		s.off = 1;
		break;
	case IORING_OP_OPENAT: s.open_flags = O_WRONLY; break;
	case IORING_OP_UNLINKAT: break;
	case IORING_OP_RENAMEAT:
		s.len = (__u32)AT_FDCWD;
		s.addr2 = (uintptr_t)alias;
		break;
	case IORING_OP_LINKAT:
		s.len = (__u32)AT_FDCWD;
		s.addr2 = (uintptr_t)alias;
		if (way->target == MISSING) {
			s.addr = (uintptr_t)other;
			s.addr2 = (uintptr_t)file;
		}
		break;
	case IORING_OP_MKDIRAT: s.len = 0755; break;
	case IORING_OP_SYMLINKAT:
		s.addr = (uintptr_t) "nowhere";
		s.addr2 = (uintptr_t)file;
		break;
	case IORING_OP_SETXATTR:
	case IORING_OP_FSETXATTR:
		s.fd = fd;
		s.addr = (uintptr_t)xattr_name();
		s.addr2 = (uintptr_t) "value";
		s.addr3 = (uintptr_t)file;
		s.len = 5;
		break;
	}
	if (way->arg & URING_ASYNC)
		s.flags = IOSQE_ASYNC;
	if (way->arg & URING_FIXED)
		s.flags = IOSQE_FIXED_FILE;
	n = uring(&s, way->arg & URING_POLLED ? IORING_SETUP_SQPOLL : 0);
	if (n < 0)
		return -1;
	if (s.opcode == IORING_OP_OPENAT || s.opcode == IORING_OP_OPENAT2)
		return poke(n);
	return way->ops == R ? saw(ring_bytes, n) : 0;
}

/* --- delete --- */

static int by_unlink(void)
{
	return unlink(file);
}

static int by_unlinkat(void)
{
	return unlinkat(fd, base, 0);
}

static int by_rmdir(void)
{
	return rmdir(file);
}

static int by_unlink_inside(void)
{
	char path[PATH_MAX];

	return unlink(path_of(path, "%s/inside", file));
}

static int by_rmdir_parent(void)
{
	return rmdir(dir);
}

/* --- rename and mount --- */

static int by_rename(void)
{
	return rename(file, way->arg ? out : alias);
}

static int by_rename_over(void)
{
	return rename(other, file);
}

/* Made with no name, given one, renamed over the target. */
static int by_tmpfile_over(void)
{
	char path[64];
	int to = open(dir, O_TMPFILE | O_WRONLY, 0644);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", to);
	if (to < 0 || linkat(AT_FDCWD, path, AT_FDCWD, out, AT_SYMLINK_FOLLOW))
		return -1;
	return rename(out, file);
}

static int by_renameat2(void)
{
	const char *to = way->arg & RENAME_EXCHANGE ? other : alias;

	return (int)syscall(SYS_renameat2, AT_FDCWD, file, AT_FDCWD, to, way->arg);
}

/* The same the other way round: the target is the second name. */
static int by_exchange(void)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, other, AT_FDCWD, file,
			    RENAME_EXCHANGE);
}

static int by_rename_parent(void)
{
	char to[PATH_MAX];

	return rename(dir, path_of(to, "%s.moved", dir));
}

static int by_exchange_parent(void)
{
	return mkdir(out, 0755) ? -1
				: (int)syscall(SYS_renameat2, AT_FDCWD, out, AT_FDCWD,
					       dir, RENAME_EXCHANGE);
}

/* With flags that would be another operation, were it not for MS_BIND. */
static int by_mount(void)
{
	return mount(other, file, NULL, MS_BIND | (unsigned long)way->arg, NULL);
}

static int by_mount_parent(void)
{
	return mount("none", dir, "tmpfs", 0, NULL);
}

static int by_mount_full(void)
{
	return mount("none", file, "tmpfs", 0, NULL);
}

static int by_bind_parent(void)
{
	return mkdir(out, 0755) ? -1 : mount(out, dir, NULL, MS_BIND, NULL);
}

static int by_move_mount(void)
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, other, OPEN_TREE_CLONE);

	return tree < 0 ? -1
			: (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, file,
				       MOVE_MOUNT_F_EMPTY_PATH);
}

/* Did what was mounted hide the file? */
static int covered(void)
{
	return access(file, F_OK) ? 0 : error(EEXIST);
}

/* An existing mount moved over the directory, by the old call. */
static int by_mount_move(void)
{
	if (own_mounts() || mkdir(out, 0755) || mount("none", out, "tmpfs", 0, NULL))
		return -1;
	if (mount(out, dir, NULL, MS_MOVE, NULL))
		return -1;
	return covered();
}

/* Returns a descriptor of a mount that is nowhere yet, or -1. */
static int new_tmpfs(void)
{
	int fs = (int)syscall(SYS_fsopen, "tmpfs", 0);

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -1;
	return (int)syscall(SYS_fsmount, fs, 0, 0);
}

static int by_fsmount(void)
{
	int mounted = new_tmpfs();

	return mounted < 0 ? -1
			   : (int)syscall(SYS_move_mount, mounted, "", AT_FDCWD, dir,
					  MOVE_MOUNT_F_EMPTY_PATH);
}

/* Two mounts of the directory that share what is mounted on them. */
static int shared(void)
{
	char parent[PATH_MAX];

	grandparent(parent);
	if (own_mounts() || mkdir(out, 0755) ||
	    mount(parent, parent, NULL, MS_BIND, NULL) ||
	    mount(NULL, parent, NULL, MS_SHARED, NULL))
		return -1;
	return mount(parent, out, NULL, MS_BIND, NULL);
}

static int by_propagation(void)
{
	char there[PATH_MAX];

	path_of(there, "%.3000s%.900s", out, strrchr(dir, '/'));
	if (mount("none", there, "tmpfs", 0, NULL))
		return -1;
	return covered();
}

/* Beneath the mount that is bound(), which then goes. */
static int by_mount_beneath(void)
{
	int mounted = new_tmpfs();

	if (mounted < 0 || syscall(SYS_move_mount, mounted, "", AT_FDCWD, dir,
				   MOVE_MOUNT_F_EMPTY_PATH | MOUNT_BENEATH))
		return -1;
	if (umount2(dir, MNT_DETACH))
		return -1;
	return covered();
}

static int by_overlay_over(void)
{
	char lower[PATH_MAX], work[PATH_MAX], options[4 * PATH_MAX];

	if (mkdir(out, 0755) || mkdir(path_of(lower, "%s/lower", out), 0755) ||
	    mkdir(path_of(work, "%s/work", out), 0755) ||
	    mkdir(path_of(options, "%s/upper", out), 0755))
		return -1;
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s/upper,workdir=%s",
		 lower, out, work);
	return mount("overlay", dir, "overlay", 0, options);
}

/* By the newer calls, and as an ordinary user. */
static int by_move_mount_in_userns(void)
{
	int tree;

	if (own_mounts())
		return -1;
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, other, OPEN_TREE_CLONE);
	if (tree < 0 ||
	    syscall(SYS_move_mount, tree, "", AT_FDCWD, file, MOVE_MOUNT_F_EMPTY_PATH))
		return -1;
	return see(open(file, O_RDONLY)) ? 0 : error(EEXIST);
}

static int by_mount_in_userns(void)
{
	if (own_mounts() || mount(other, file, NULL, MS_BIND, NULL))
		return -1;
	return see(open(file, O_RDONLY)) ? 0 : error(EEXIST);
}

/* --- link --- */

static int by_link(void)
{
	return link(file, way->arg ? out : alias);
}

static int by_linkat_fd(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, AT_FDCWD, alias, AT_SYMLINK_FOLLOW);
}

static int by_linkat_empty(void)
{
	return linkat(fd, "", AT_FDCWD, alias, AT_EMPTY_PATH);
}

/* --- create --- */

static int by_creat(void)
{
	int to = open(file, (int)way->arg, 0644);

	return to < 0 ? -1 : 0;
}

static int by_mkdir(void)
{
	return mkdir(file, 0755);
}

static int by_mknod(void)
{
	return mknod(file, (mode_t)way->arg | 0644, makedev(1, 3));
}

static int by_symlink(void)
{
	return symlink("nowhere", file);
}

static int by_link_to(void)
{
	return link(other, file);
}

static int by_rename_to(void)
{
	return rename(other, file);
}

static int by_rename_in(void)
{
	return make_file(out, "other\n") ? -1 : rename(out, file);
}

static int by_tmpfile(void)
{
	char path[64];
	int to = open(dir, O_TMPFILE | O_WRONLY, 0644);

	if (to < 0 || poke(to))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", to);
	return linkat(AT_FDCWD, path, AT_FDCWD, file, AT_SYMLINK_FOLLOW);
}

static int by_bind_socket(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	if (chdir(dir))
		return -1;
	snprintf(name.sun_path, sizeof(name.sun_path), "%.100s", base);
	return bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name,
		    sizeof(name));
}

static int by_create_inside(void)
{
	char path[PATH_MAX];

	return make_file(path_of(path, "%s/new", file), "other\n");
}

static int by_mkdir_inside(void)
{
	char path[PATH_MAX];

	return mkdir(path_of(path, "%s/new", file), 0755);
}

/* First its directory; which alone would be no harm, so it goes again. */
static int by_mkdir_and_creat(void)
{
	int status = mkdir(dir, 0755) ? -1 : in_child(by_creat), number = errno;

	if (status)
		rmdir(dir);
	errno = number;
	if (status > 0)
		kill(getpid(), status);
	return status;
}

/* Parent and file made elsewhere and put in place together. */
static int by_parent_into_place(void)
{
	char path[PATH_MAX];

	if (mkdir(out, 0755) || make_file(path_of(path, "%s/%s", out, base), "other\n"))
		return -1;
	return rename(out, dir);
}

/* --- attributes --- */

static int by_chmod(void)
{
	return chmod(file, 0600);
}

static int by_fchmod(void)
{
	return fchmod(fd, 0600);
}

static int by_chmod_procfd(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, 0600);
}

static int by_fchmodat2(void)
{
	return (int)syscall(NR_FCHMODAT2, AT_FDCWD, file, 0600, AT_SYMLINK_NOFOLLOW);
}

static int by_chown(void)
{
	return chown(file, 1234, 1234);
}

static int by_lchown(void)
{
	return lchown(file, 1234, 1234);
}

static int by_fchown(void)
{
	return fchown(fd, 1234, 1234);
}

static int by_fchownat(void)
{
	return fchownat(fd, "", 1234, 1234, AT_EMPTY_PATH);
}

static int by_utimensat(void)
{
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };

	return utimensat(AT_FDCWD, file, way->arg ? NULL : times, 0);
}

static int by_futimens(void)
{
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };

	return futimens(fd, times);
}

/* tmpfs has user.* only since 6.6 */
static const char *xattr_name(void)
{
	return geteuid() ? "user.cotter" : "trusted.cotter";
}

static int given_xattr(void)
{
	return setxattr(file, xattr_name(), "before", 6, 0);
}

static int by_setxattr(void)
{
	return setxattr(file, xattr_name(), "value", 5, 0);
}

static int by_lsetxattr(void)
{
	return lsetxattr(file, xattr_name(), "value", 5, XATTR_CREATE);
}

static int by_fsetxattr(void)
{
	return fsetxattr(fd, xattr_name(), "value", 5, 0);
}

static int by_setxattrat(void)
{
	struct {
		uint64_t value;
		uint32_t size, flags;
	} args = { (uintptr_t) "value", 5, 0 };

	return (int)syscall(NR_SETXATTRAT, AT_FDCWD, file, 0, xattr_name(), &args,
			    sizeof(args));
}

static int by_removexattr(void)
{
	return removexattr(file, xattr_name());
}

/* File capabilities: a rule on a program is worth little if it can be given these. */
static int by_setcap(void)
{
	uint32_t caps[5] = { 0x02000001, 1u << 21, 0, 0, 0 };

	return setxattr(file, "security.capability", caps, sizeof(caps), 0);
}

#define ACL "system.posix_acl_access"

/* Version 2; then tag, permissions, id of: owner, user 1234, group, mask, others. */
static const uint16_t acl[] = { 2,	0,	1,    6, 0xffff, 0xffff, 2,    6,
				1234,	0,	4,    4, 0xffff, 0xffff, 0x10, 6,
				0xffff, 0xffff, 0x20, 4, 0xffff, 0xffff };

static int by_acl(void)
{
	return setxattr(file, ACL, acl, sizeof(acl), 0);
}

static int given_acl(void)
{
	return by_acl();
}

static int by_remove_acl(void)
{
	return removexattr(file, ACL);
}

static int by_chattr(void)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return -1;
	flags |= FS_NODUMP_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static int by_fsxattr(void)
{
	struct fsxattr x;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &x))
		return -1;
	x.fsx_xflags |= FS_XFLAG_NODUMP;
	return ioctl(fd, FS_IOC_FSSETXATTR, &x);
}

/* Makes it unchangeable for good. */
static int by_verity(void)
{
	struct fsverity_enable_arg arg = { .version = 1,
					   .hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
					   .block_size = 4096 };

	return ioctl(fd, FS_IOC_ENABLE_VERITY, &arg);
}

static int by_file_setattr(void)
{
	struct {
		uint64_t xflags;
		uint32_t rest[4];
	} attr = { FS_XFLAG_NODUMP, { 0 } };

	return (int)syscall(NR_FILE_SETATTR, AT_FDCWD, file, &attr, sizeof(attr), 0);
}

/* The generation is a part of what a rule knows an inode by. */
static int by_setversion(void)
{
	int version = 12345;

	return ioctl(fd, FS_IOC_SETVERSION, &version);
}

/* --- read --- */

static int by_read(void)
{
	return see(open(file, (int)way->arg));
}

static int by_held_read(void)
{
	return see(fd);
}

static int by_readv(void)
{
	char bytes[64];
	struct iovec iov = { bytes, sizeof(bytes) };

	return saw(bytes, preadv2(fd, &iov, 1, 0, 0));
}

static int by_mmap_read(void)
{
	map = mmap(NULL, 4096, PROT_READ, way->arg ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	return map == MAP_FAILED ? -1 : saw(map, 64);
}

static int by_read_mapping(void)
{
	return saw(map, 64);
}

static int by_read_alias(void)
{
	return see(open(alias, O_RDONLY));
}

static int by_read_procfd(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return see(open(path, O_RDONLY));
}

static int by_read_handle(void)
{
	return see(open_by_handle_at(fd, &handle.head, O_RDONLY));
}

static int by_sendfile_out(void)
{
	char bytes[64];
	int pipes[2];
	off_t at = 0;

	if (pipe(pipes) || sendfile(pipes[1], fd, &at, sizeof(bytes)) < 0)
		return -1;
	return saw(bytes, read(pipes[0], bytes, sizeof(bytes)));
}

static int by_splice_out(void)
{
	char bytes[64];
	int pipes[2];
	loff_t at = 0;

	if (pipe(pipes) || splice(fd, &at, pipes[1], NULL, sizeof(bytes), 0) < 0)
		return -1;
	return saw(bytes, read(pipes[0], bytes, sizeof(bytes)));
}

/* Pages of the file are put into a pipe before the rule. */
static int pipes_before[2];

static int spliced(void)
{
	loff_t at = 0;

	if (held_read() || pipe(pipes_before))
		return -1;
	return splice(fd, &at, pipes_before[1], NULL, 64, 0) == 64 ? 0 : -1;
}

static int by_pipe(void)
{
	char bytes[64];

	return saw(bytes, read(pipes_before[0], bytes, sizeof(bytes)));
}

static int by_copy_out(void)
{
	loff_t from = 0, to = 0;
	int copy = open(out, O_RDWR | O_CREAT | O_EXCL, 0600);

	if (copy < 0 || copy_file_range(fd, &from, copy, &to, 64, 0) < 0)
		return -1;
	return see(copy);
}

static int by_clone_out(void)
{
	int copy = open(out, O_RDWR | O_CREAT | O_EXCL, 0600);

	return copy < 0 || ioctl(copy, FICLONE, fd) ? -1 : see(copy);
}

static int by_getdents(void)
{
	DIR *list = way->flags & EARLY ? fdopendir(fd) : opendir(file);
	struct dirent *entry;

	if (!list)
		return -1;
	errno = 0;
	while ((entry = readdir(list)))
		if (!strcmp(entry->d_name, "inside"))
			return 0;
	return errno ? -1 : error(ENODATA);
}

static int by_read_inside(void)
{
	char path[PATH_MAX];

	return see(open(path_of(path, "%s/inside", file), O_RDONLY));
}

/* --- the table --- */

static const struct way WAYS[] = {
	{ "open_write", VICTIM, W, 0, NULL, by_open, O_WRONLY, "open for writing" },
	{ "open_rdwr", VICTIM, W | R, 0, NULL, by_open, O_RDWR,
	  "open for reading and writing" },
	{ "open_append", VICTIM, W, 0, NULL, by_open, O_WRONLY | O_APPEND,
	  "open with O_APPEND" },
	{ "open_creat", VICTIM, W, 0, NULL, by_open, O_WRONLY | O_CREAT,
	  "open with O_CREAT" },
	{ "open_trunc", VICTIM, W, 0, NULL, by_open, O_WRONLY | O_TRUNC,
	  "open with O_TRUNC" },
	{ "open_rdonly_trunc", VICTIM, W | R, 0, NULL, by_open, O_RDONLY | O_TRUNC,
	  "open for reading, with O_TRUNC" },
	{ "openat2", VICTIM, W, 0, NULL, by_openat2, 0, "openat2 beneath a directory" },
	{ "dots", VICTIM, W, 0, NULL, by_dots, 0, "a path with /./ and //" },
	{ "dotdot", VICTIM, W, 0, NULL, by_dotdot, 0, "a path with .." },
	{ "relative", VICTIM, W, 0, NULL, by_relative, 0, "a relative path" },
	{ "proc_cwd", VICTIM, W, 0, NULL, by_cwd, 0, "/proc/self/cwd" },
	{ "proc_root", VICTIM, W, 0, NULL, by_root, 0, "/proc/PID/root" },
	{ "symlink_before", VICTIM, W, 0, linked_symbolically, by_alias, 0,
	  "a symbolic link from before the rule" },
	{ "symlink_after", VICTIM, W, 0, NULL, by_late_symlink, 0,
	  "a symbolic link made after it" },
	{ "hardlink", VICTIM, W, 0, linked, by_alias, 0,
	  "its other name, in the same directory" },
	{ "hardlink_out", VICTIM, W, FILES, linked_out, by_out, 0,
	  "its other name, in another directory" },
	{ "opath_reopen", VICTIM, W, EARLY, held_path, by_procfd, 0,
	  "O_PATH, opened again through /proc/self/fd" },
	{ "rdonly_reopen", VICTIM, W, EARLY, held_read, by_procfd, 0,
	  "a descriptor for reading, opened again through /proc/self/fd" },
	{ "dirfd", VICTIM, W, EARLY, held_dir, by_dirfd, 0,
	  "openat beneath a directory opened before" },
	{ "thread", VICTIM, W, 0, NULL, by_thread, 0, "another thread" },
	{ "fork", VICTIM, W, 0, NULL, by_fork, O_WRONLY, "a child" },
	{ "chroot", VICTIM, W, ROOT, NULL, by_chroot, 0, "chroot" },
	{ "userns", VICTIM, W, 0, NULL, by_userns, 0,
	  "another user and mount namespace" },
	{ "bind", VICTIM, W, 0, NULL, by_bind, 0, "a bind mount of its directory" },
	{ "bind_file", VICTIM, W, 0, NULL, by_bound_file, 0,
	  "a bind mount of the file" },
	{ "handle", VICTIM, W, ROOT | EARLY, handled, by_handle, 0,
	  "open_by_handle_at" },
	{ "uring_open", VICTIM, W, 0, NULL, by_uring, IORING_OP_OPENAT,
	  "io_uring: openat" },
	{ "uring_open_async", VICTIM, W, 0, NULL, by_uring,
	  IORING_OP_OPENAT | URING_ASYNC, "io_uring: openat, by a worker" },
	{ "uring_openat2", VICTIM, W, 0, NULL, by_uring, IORING_OP_OPENAT2,
	  "io_uring: openat2" },
	{ "truncate", VICTIM, W, 0, NULL, by_truncate, 0, "truncate" },
	{ "overlay_write", VICTIM, W, ROOT, NULL, by_overlay_write, 0,
	  "an overlay with its directory as upper layer" },
	{ "overlay_write_user", VICTIM, W, USER, NULL, by_overlay_write, 0,
	  "the same, mounted by an ordinary user" },
	{ "overlay_truncate", VICTIM, W, ROOT, NULL, by_overlay_truncate, 0,
	  "truncate through an overlay" },
	{ "overlay_truncate_user", VICTIM, W, USER, NULL, by_overlay_truncate, 0,
	  "the same, mounted by an ordinary user" },
	{ "pivot_root", VICTIM, W, EARLY, bound, by_pivot_root, 0, "pivot_root" },
	{ "open_tree", VICTIM, W, 0, NULL, by_open_tree, 0,
	  "beneath a mount that is nowhere (open_tree)" },
	{ "other_root", VICTIM, W, 0, NULL, by_other_root, 0,
	  "/proc/PID/root of a process in another namespace" },
	{ "map_files", VICTIM, W, ROOT | EARLY, mapped, by_map_files, PROT_READ,
	  "/proc/self/map_files, of a mapping to be read" },
	{ "fanotify", VICTIM, W | R, ROOT, NULL, by_fanotify, 0,
	  "opened by the kernel for a listener (fanotify)" },
	{ "acct", VICTIM, W, ROOT, NULL, by_acct, 0, "written by the kernel: acct" },
	{ "race_symlink", VICTIM, W, OTHER, NULL, by_race, 0,
	  "a thread changes a symbolic link to it" },
	{ "race_rename", VICTIM, W | N | D, OTHER | MAYBE, NULL, by_race, 1,
	  "a thread exchanges its name with another" },

	{ "pwrite", VICTIM, W, EARLY, held_write, by_pwrite, 0, "pwrite" },
	{ "passed", VICTIM, W, EARLY, held, by_passed, O_WRONLY,
	  "passed to another process (SCM_RIGHTS)" },
	{ "in_flight", VICTIM, W, EARLY, in_flight, by_received, O_WRONLY,
	  "the same, in the socket when the rule came" },
	{ "pidfd_getfd", VICTIM, W, EARLY, held_by_another, by_taken, O_WRONLY,
	  "taken from another process (pidfd_getfd)" },
	{ "race_dup2", VICTIM, W | R, EARLY, held_rw, by_dup_race, 0,
	  "a thread puts it at the number of another (dup2)" },
	{ "append", VICTIM, W, EARLY, held, by_append, O_WRONLY | O_APPEND,
	  "write at the end" },
	{ "writev", VICTIM, W, EARLY, held_write, by_writev, 0, "writev" },
	{ "pwritev2", VICTIM, W, EARLY, held_write, by_pwritev2, 0, "pwritev2" },
	{ "sendfile", VICTIM, W, EARLY | OTHER, held_write, by_sendfile, 0,
	  "sendfile" },
	{ "splice", VICTIM, W, EARLY, held_write, by_splice, 0, "splice" },
	{ "copy_file_range", VICTIM, W, EARLY | OTHER, held_write, by_copy_file_range,
	  0, "copy_file_range" },
	{ "fallocate", VICTIM, W, EARLY, held_write, by_fallocate, 0, "fallocate" },
	{ "punch_hole", VICTIM, W, EARLY, held_write, by_fallocate,
	  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, "fallocate: a hole" },
	{ "zero_range", VICTIM, W, EARLY, held_write, by_fallocate,
	  FALLOC_FL_ZERO_RANGE, "fallocate: zeros" },
	{ "collapse", VICTIM, W, EARLY, held_write, by_fallocate,
	  FALLOC_FL_COLLAPSE_RANGE, "fallocate: a part taken out" },
	{ "insert", VICTIM, W, EARLY, held_write, by_fallocate, FALLOC_FL_INSERT_RANGE,
	  "fallocate: a part put in" },
	{ "ftruncate", VICTIM, W, EARLY, held_write, by_ftruncate, 0, "ftruncate" },
	{ "clone", VICTIM, W, EARLY | OTHER, held_write, by_clone, 0, "FICLONE" },
	{ "clone_range", VICTIM, W, EARLY | OTHER, held_write, by_clone_range, 0,
	  "FICLONERANGE" },
	{ "dedupe", VICTIM, W, EARLY | UNSEEN, held_write, by_dedupe, 0,
	  "FIDEDUPERANGE" },
	{ "aio", VICTIM, W, EARLY, held_write, by_aio, IOCB_CMD_PWRITE, "io_submit" },
	{ "uring_write", VICTIM, W, EARLY, held_write, by_uring, IORING_OP_WRITE,
	  "io_uring: write" },
	{ "uring_write_async", VICTIM, W, EARLY, held_write, by_uring,
	  IORING_OP_WRITE | URING_ASYNC, "io_uring: write, by a worker" },
	{ "uring_write_polled", VICTIM, W, EARLY, held_write, by_uring,
	  IORING_OP_WRITE | URING_POLLED, "io_uring: write, by a thread that polls" },
	{ "uring_writev", VICTIM, W, EARLY, held_write, by_uring, IORING_OP_WRITEV,
	  "io_uring: writev" },
	{ "uring_write_fixed", VICTIM, W, EARLY, held_write, by_uring,
	  IORING_OP_WRITE_FIXED, "io_uring: write from registered memory" },
	{ "uring_file", VICTIM, W, EARLY, registered, by_uring,
	  IORING_OP_WRITE | URING_FIXED,
	  "io_uring: write to a file registered before" },
	{ "uring_splice", VICTIM, W, EARLY, held_write, by_uring, IORING_OP_SPLICE,
	  "io_uring: splice" },
	{ "uring_fallocate", VICTIM, W, EARLY, held_write, by_uring,
	  IORING_OP_FALLOCATE, "io_uring: fallocate" },
	{ "uring_ftruncate", VICTIM, W, EARLY, held_write, by_uring, URING_FTRUNCATE,
	  "io_uring: ftruncate" },
	{ "mmap", VICTIM, W | R, EARLY, held_rw, by_mmap, 0, "mapped shared" },
	{ "mprotect", VICTIM, W | R, EARLY, mapped, by_mprotect, PROT_READ,
	  "a mapping from before, made writable" },
	{ "mprotect_late", VICTIM, W | R, EARLY, held_rw, by_late_mprotect, 0,
	  "mapped to be read, made writable" },
	{ "madvise", VICTIM, W, EARLY, mapped, by_madvise, PROT_READ | PROT_WRITE,
	  "MADV_REMOVE of a mapping from before" },
	{ "userfaultfd", VICTIM, W | R, EARLY, holed, by_userfaultfd, 0,
	  "a hole filled by userfaultfd" },
	{ "move_extents", VICTIM, W, EARLY | OTHER, held_rw, by_move_extents, 0,
	  "EXT4_IOC_MOVE_EXT, the file as donor" },
	{ "swap_boot", VICTIM, W, ROOT | EARLY, held_rw, by_swap_boot, 0,
	  "EXT4_IOC_SWAP_BOOT" },
	{ "mapping", VICTIM, W, EARLY, mapped, by_mapping, PROT_READ | PROT_WRITE,
	  "a writable shared mapping from before" },
	{ "uring_pages", VICTIM, W, EARLY, pages_registered, by_pages,
	  PROT_READ | PROT_WRITE, "its pages, registered with io_uring before" },
	{ "overlay_pwrite", VICTIM, W, ROOT | EARLY, held_overlaid, by_pwrite, 0,
	  "pwrite, opened through an overlay before" },
	{ "overlay_ftruncate", VICTIM, W, ROOT | EARLY, held_overlaid, by_ftruncate, 0,
	  "ftruncate, the same" },
	{ "overlay_mmap", VICTIM, W | R, ROOT | EARLY, held_overlaid, by_mmap, 0,
	  "mapped shared, the same" },

	{ "unlink", VICTIM, D, 0, NULL, by_unlink, 0, "unlink" },
	{ "unlinkat", VICTIM, D, EARLY, held_dir, by_unlinkat, 0, "unlinkat" },
	{ "uring_unlink", VICTIM, D, 0, NULL, by_uring, IORING_OP_UNLINKAT,
	  "io_uring: unlink" },
	{ "overlay_unlink", VICTIM, D, ROOT, NULL, by_overlay_unlink, 0,
	  "unlink through an overlay" },
	{ "overlay_unlink_user", VICTIM, D, USER, NULL, by_overlay_unlink, 0,
	  "the same, mounted by an ordinary user" },
	{ "rmdir", EMPTY, D, 0, NULL, by_rmdir, 0, "rmdir" },
	{ "unlink_inside", FULL, D, 0, NULL, by_unlink_inside, 0,
	  "unlink in a protected directory" },
	{ "rmdir_parent", DEEP_MISSING, D, 0, NULL, by_rmdir_parent, 0,
	  "rmdir of the directory of a protected name" },
	{ "subvolume_delete", DEEP, D, ROOT, in_subvolume, by_subvolume_delete, 0,
	  "BTRFS_IOC_SNAP_DESTROY of its subvolume" },
	{ "rename_over", VICTIM, D | N, OTHER, NULL, by_rename_over, 0,
	  "rename of another over it" },
	{ "tmpfile_over", VICTIM, D | N, 0, NULL, by_tmpfile_over, 0,
	  "O_TMPFILE, linkat, rename over it" },

	{ "rename", VICTIM, N, 0, NULL, by_rename, 0, "rename" },
	{ "rename_out", VICTIM, N, 0, NULL, by_rename, 1,
	  "rename to another directory" },
	{ "rename_noreplace", VICTIM, N, 0, NULL, by_renameat2, RENAME_NOREPLACE,
	  "RENAME_NOREPLACE" },
	{ "rename_whiteout", VICTIM, N, ROOT, NULL, by_renameat2, RENAME_WHITEOUT,
	  "RENAME_WHITEOUT" },
	{ "rename_exchange", VICTIM, N | D, OTHER | MAYBE, NULL, by_renameat2,
	  RENAME_EXCHANGE, "RENAME_EXCHANGE" },
	{ "exchange_over", VICTIM, N | D, OTHER | MAYBE, NULL, by_exchange, 0,
	  "RENAME_EXCHANGE from the other side" },
	{ "uring_rename", VICTIM, N, 0, NULL, by_uring, IORING_OP_RENAMEAT,
	  "io_uring: rename" },
	{ "overlay_rename", VICTIM, N, ROOT, NULL, by_overlay_rename, 0,
	  "rename through an overlay" },
	{ "rename_dir", FULL, N, 0, NULL, by_rename, 0,
	  "rename of a protected directory" },
	{ "rename_parent", DEEP, N, 0, NULL, by_rename_parent, 0,
	  "rename of its directory" },
	{ "rename_parent_missing", DEEP_MISSING, N, 0, NULL, by_rename_parent, 0,
	  "rename of the directory of a protected name" },
	{ "exchange_parent", DEEP, N | D, MAYBE, NULL, by_exchange_parent, 0,
	  "RENAME_EXCHANGE of its directory" },
	{ "mount", VICTIM, N, ROOT | OTHER, NULL, by_mount, 0,
	  "another bind-mounted over it" },
	{ "mount_private", VICTIM, N, ROOT | OTHER, NULL, by_mount, MS_PRIVATE,
	  "the same with MS_PRIVATE" },
	{ "mount_dir", FULL, N, ROOT, NULL, by_mount_full, 0,
	  "tmpfs over a protected directory" },
	{ "mount_parent", DEEP, N, ROOT, NULL, by_mount_parent, 0,
	  "tmpfs over its directory" },
	{ "bind_parent", DEEP, N, ROOT, NULL, by_bind_parent, 0,
	  "another directory bind-mounted over its own" },
	{ "move_mount", VICTIM, N, ROOT | OTHER, NULL, by_move_mount, 0,
	  "open_tree and move_mount over it" },
	{ "mount_move_parent", DEEP, N, ROOT | UNSEEN, NULL, by_mount_move, 0,
	  "mount --move over its directory" },
	{ "fsmount_parent", DEEP, N, ROOT, NULL, by_fsmount, 0,
	  "fsopen, fsmount, move_mount over its directory" },
	{ "mount_userns", VICTIM, N, USER | OTHER | UNSEEN, NULL, by_mount_in_userns, 0,
	  "another bind-mounted over it by an ordinary user" },
	{ "move_mount_userns", VICTIM, N, USER | OTHER | UNSEEN, NULL,
	  by_move_mount_in_userns, 0, "the same by open_tree and move_mount" },
	{ "mount_propagated", DEEP, N, ROOT | EARLY | UNSEEN, shared, by_propagation, 0,
	  "tmpfs over another mount of its directory, which propagates" },
	{ "mount_beneath", DEEP, N, ROOT | EARLY | UNSEEN, bound, by_mount_beneath, 0,
	  "MOVE_MOUNT_BENEATH a mount of its directory" },
	{ "overlay_over", DEEP, N, ROOT, NULL, by_overlay_over, 0,
	  "an overlay over its directory" },

	{ "link", VICTIM, L, 0, NULL, by_link, 0, "link" },
	{ "link_out", VICTIM, L, 0, NULL, by_link, 1, "link to another directory" },
	{ "link_procfd", VICTIM, L, EARLY, held_read, by_linkat_fd, 0,
	  "link through /proc/self/fd" },
	{ "link_empty_path", VICTIM, L, ROOT | EARLY, held_path, by_linkat_empty, 0,
	  "linkat with AT_EMPTY_PATH" },
	{ "uring_link", VICTIM, L, 0, NULL, by_uring, IORING_OP_LINKAT,
	  "io_uring: link" },
	{ "overlay_link", VICTIM, L, ROOT, NULL, by_overlay_link, 0,
	  "link through an overlay" },

	{ "creat", MISSING, C | W, 0, NULL, by_creat, O_WRONLY | O_CREAT | O_TRUNC,
	  "open with O_CREAT" },
	{ "creat_excl", MISSING, C | R, 0, NULL, by_creat, O_RDONLY | O_CREAT | O_EXCL,
	  "open with O_CREAT and O_EXCL" },
	{ "mkdir", MISSING, C, 0, NULL, by_mkdir, 0, "mkdir" },
	{ "mkfifo", MISSING, C, 0, NULL, by_mknod, S_IFIFO, "mkfifo" },
	{ "mknod", MISSING, C, ROOT, NULL, by_mknod, S_IFCHR, "mknod of a device" },
	{ "mknod_file", MISSING, C, 0, NULL, by_mknod, S_IFREG, "mknod of a file" },
	{ "symlink", MISSING, C, 0, NULL, by_symlink, 0, "symlink" },
	{ "link_to", MISSING, C, OTHER, NULL, by_link_to, 0,
	  "link of another to that name" },
	{ "rename_to", MISSING, C, OTHER, NULL, by_rename_to, 0,
	  "rename of another to that name" },
	{ "rename_in", MISSING, C, 0, NULL, by_rename_in, 0,
	  "rename from another directory" },
	{ "tmpfile", MISSING, C, 0, NULL, by_tmpfile, 0, "O_TMPFILE, then linkat" },
	{ "bind_socket", MISSING, C, 0, NULL, by_bind_socket, 0,
	  "bind of a Unix socket" },
	{ "uring_mkdir", MISSING, C, 0, NULL, by_uring, IORING_OP_MKDIRAT,
	  "io_uring: mkdir" },
	{ "uring_symlink", MISSING, C, 0, NULL, by_uring, IORING_OP_SYMLINKAT,
	  "io_uring: symlink" },
	{ "uring_link_to", MISSING, C, OTHER, NULL, by_uring, IORING_OP_LINKAT,
	  "io_uring: link" },
	{ "overlay_create", MISSING, C | W, ROOT, NULL, by_overlay_create, 0,
	  "made through an overlay" },
	{ "overlay_create_user", MISSING, C | W, USER, NULL, by_overlay_create, 0,
	  "the same, mounted by an ordinary user" },
	{ "creat_inside", FULL, C | W, 0, NULL, by_create_inside, 0,
	  "made in a protected directory" },
	{ "mkdir_inside", FULL, C, 0, NULL, by_mkdir_inside, 0,
	  "mkdir in a protected directory" },
	{ "creat_with_parent", NO_PARENT, C | W, 0, NULL, by_mkdir_and_creat,
	  O_WRONLY | O_CREAT, "made with its directory" },
	{ "parent_into_place", NO_PARENT, C, 0, NULL, by_parent_into_place, 0,
	  "a directory that holds the name is moved to where its own was missing" },

	{ "chmod", VICTIM, A, 0, NULL, by_chmod, 0, "chmod" },
	{ "chmod_dir", FULL, A, 0, NULL, by_chmod, 0,
	  "chmod of a protected directory" },
	{ "fchmod", VICTIM, A, EARLY, held_read, by_fchmod, 0, "fchmod" },
	{ "chmod_procfd", VICTIM, A, EARLY, held_path, by_chmod_procfd, 0,
	  "chmod through /proc/self/fd" },
	{ "fchmodat2", VICTIM, A, 0, NULL, by_fchmodat2, 0, "fchmodat2" },
	{ "chown", VICTIM, A, ROOT, NULL, by_chown, 0, "chown" },
	{ "lchown", VICTIM, A, ROOT, NULL, by_lchown, 0, "lchown" },
	{ "fchown", VICTIM, A, ROOT | EARLY, held_read, by_fchown, 0, "fchown" },
	{ "fchownat", VICTIM, A, ROOT | EARLY, held_path, by_fchownat, 0,
	  "fchownat with AT_EMPTY_PATH" },
	{ "utimensat", VICTIM, A, 0, NULL, by_utimensat, 0, "utimensat" },
	{ "touch", VICTIM, A, 0, NULL, by_utimensat, 1, "utimensat: now" },
	{ "futimens", VICTIM, A, EARLY, held_read, by_futimens, 0, "futimens" },
	{ "setxattr", VICTIM, A, 0, NULL, by_setxattr, 0, "setxattr" },
	{ "lsetxattr", VICTIM, A, 0, NULL, by_lsetxattr, 0, "lsetxattr" },
	{ "fsetxattr", VICTIM, A, EARLY, held_read, by_fsetxattr, 0, "fsetxattr" },
	{ "setxattrat", VICTIM, A, 0, NULL, by_setxattrat, 0, "setxattrat" },
	{ "removexattr", VICTIM, A, 0, given_xattr, by_removexattr, 0, "removexattr" },
	{ "setcap", VICTIM, A, ROOT, NULL, by_setcap, 0, "file capabilities" },
	{ "acl", VICTIM, A, 0, NULL, by_acl, 0, "an ACL" },
	{ "remove_acl", VICTIM, A, 0, given_acl, by_remove_acl, 0,
	  "an ACL taken away" },
	{ "uring_setxattr", VICTIM, A, 0, NULL, by_uring, IORING_OP_SETXATTR,
	  "io_uring: setxattr" },
	{ "uring_fsetxattr", VICTIM, A, EARLY, held_read, by_uring, IORING_OP_FSETXATTR,
	  "io_uring: fsetxattr" },
	{ "chattr", VICTIM, A, EARLY, held_read, by_chattr, 0,
	  "FS_IOC_SETFLAGS (chattr)" },
	{ "fsxattr", VICTIM, A, EARLY, held_read, by_fsxattr, 0, "FS_IOC_FSSETXATTR" },
	{ "file_setattr", VICTIM, A, 0, NULL, by_file_setattr, 0, "file_setattr" },
	{ "setversion", VICTIM, A, EARLY, held_read, by_setversion, 0,
	  "FS_IOC_SETVERSION" },
	{ "verity", VICTIM, A, EARLY, held_read, by_verity, 0, "FS_IOC_ENABLE_VERITY" },
	{ "overlay_chmod", VICTIM, A, ROOT, NULL, by_overlay_chmod, 0,
	  "chmod through an overlay" },
	{ "overlay_setxattr", VICTIM, A, ROOT, NULL, by_overlay_xattr, 0,
	  "setxattr through an overlay" },
	{ "overlay_chattr", VICTIM, A | R, ROOT | EARLY, held_overlaid, by_chattr, 0,
	  "chattr through an overlay" },

	{ "read", VICTIM, R, UNSEEN, NULL, by_read, O_RDONLY, "open for reading" },
	{ "read_rdwr", VICTIM, R | W, UNSEEN, NULL, by_read, O_RDWR,
	  "open for reading and writing, read" },
	{ "read_hardlink", VICTIM, R, UNSEEN, linked, by_read_alias, 0,
	  "its other name" },
	{ "read_symlink", VICTIM, R, UNSEEN, linked_symbolically, by_read_alias, 0,
	  "a symbolic link" },
	{ "read_opath", VICTIM, R, UNSEEN | EARLY, held_path, by_read_procfd, 0,
	  "O_PATH, opened again through /proc/self/fd" },
	{ "read_handle", VICTIM, R, UNSEEN | ROOT | EARLY, handled, by_read_handle, 0,
	  "open_by_handle_at" },
	{ "read_map_files", VICTIM, R, UNSEEN | ROOT | EARLY, mapped, by_map_files,
	  PROT_READ, "/proc/self/map_files" },
	{ "read_in_flight", VICTIM, R, UNSEEN | EARLY, in_flight, by_received_read,
	  O_RDONLY, "in a socket when the rule came (SCM_RIGHTS)" },
	{ "read_pidfd_getfd", VICTIM, R, UNSEEN | EARLY, held_by_another, by_taken_read,
	  O_RDONLY, "taken from another process (pidfd_getfd)" },
	{ "pread", VICTIM, R, UNSEEN | EARLY, held_read, by_held_read, 0, "pread" },
	{ "preadv2", VICTIM, R, UNSEEN | EARLY, held_read, by_readv, 0, "preadv2" },
	{ "mmap_read", VICTIM, R, UNSEEN | EARLY, held_read, by_mmap_read, 0,
	  "mapped" },
	{ "mmap_read_shared", VICTIM, R, UNSEEN | EARLY, held_read, by_mmap_read, 1,
	  "mapped shared" },
	{ "read_mapping", VICTIM, R, UNSEEN | EARLY, mapped, by_read_mapping, PROT_READ,
	  "a mapping from before" },
	{ "read_pipe", VICTIM, R, UNSEEN | EARLY, spliced, by_pipe, 0,
	  "in a pipe since before" },
	{ "dedupe_oracle", VICTIM, R, UNSEEN | TREES, NULL, by_dedupe, 0,
	  "FIDEDUPERANGE, to guess its bytes" },
	{ "snapshot", DEEP, R, UNSEEN | ROOT, in_subvolume, by_snapshot, 1,
	  "a snapshot of its subvolume" },
	{ "sendfile_out", VICTIM, R, UNSEEN | EARLY, held_read, by_sendfile_out, 0,
	  "sendfile" },
	{ "splice_out", VICTIM, R, UNSEEN | EARLY, held_read, by_splice_out, 0,
	  "splice" },
	{ "copy_out", VICTIM, R, UNSEEN | EARLY, held_read, by_copy_out, 0,
	  "copy_file_range" },
	{ "clone_out", VICTIM, R, UNSEEN | EARLY, held_read, by_clone_out, 0,
	  "FICLONE" },
	{ "aio_read", VICTIM, R, UNSEEN | EARLY, held_read, by_aio, IOCB_CMD_PREAD,
	  "io_submit" },
	{ "uring_read", VICTIM, R, UNSEEN | EARLY, held_read, by_uring, IORING_OP_READ,
	  "io_uring: read" },
	{ "uring_read_async", VICTIM, R, UNSEEN | EARLY, held_read, by_uring,
	  IORING_OP_READ | URING_ASYNC, "io_uring: read, by a worker" },
	{ "uring_readv", VICTIM, R, UNSEEN | EARLY, held_read, by_uring,
	  IORING_OP_READV, "io_uring: readv" },
	{ "uring_read_fixed", VICTIM, R, UNSEEN | EARLY, held_read, by_uring,
	  IORING_OP_READ_FIXED, "io_uring: read into registered memory" },
	{ "overlay_read", VICTIM, R, UNSEEN | ROOT | TREES, NULL, by_overlay_read, 0,
	  "an overlay with its directory as upper layer" },
	{ "overlay_copy_up", VICTIM, R, UNSEEN | ROOT | TREES, NULL, by_copy_up, 0,
	  "copied by an overlay above it" },
	{ "overlay_copy_up_user", VICTIM, R, UNSEEN | USER | TREES, NULL, by_copy_up, 0,
	  "the same, mounted by an ordinary user" },
	{ "getdents", FULL, R, UNSEEN, NULL, by_getdents, 0, "a directory listed" },
	{ "getdents_held", FULL, R, UNSEEN | EARLY, held, by_getdents,
	  O_RDONLY | O_DIRECTORY, "a directory listed that was opened before" },
	{ "read_inside", FULL, R, UNSEEN, NULL, by_read_inside, 0,
	  "a file in a protected directory" },
};
#define WAYS_COUNT (sizeof(WAYS) / sizeof(WAYS[0]))

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * guard.c: what must not be denied by accident, and what a denial cannot reach;
 * see encode.h.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "encode.h"

/* A file, or a directory if its path ends in a slash. */
struct vital {
	char *path;
	dev_t dev;
	ino_t ino;
	__u32 ops; /* that would do harm */
	bool read; /* what it holds is known, */
	__u64 digest[4];
};
static struct vital *vital;
static size_t vital_count;
static __u32 guarded; /* operations of guard_find() so far */

/* A directory that something vital is beneath, by whatever path it is reached. */
static struct above_vital {
	char *path;	     /* of the directory */
	const char *beneath; /* what is */
	dev_t dev;
	ino_t ino;
	__u32 ops;
} * dirs;
static size_t dirs_count;

/*
 * Note all directories that a canonical path is beneath, but for those whose path is shorter
 * than `top` bytes: `vital_path` is what they hold.
 */
static void dirs_add(const char *path, size_t top, const char *vital_path, __u32 ops)
{
	char *dir = strdup(path), *slash;
	struct stat st;
	size_t i;

	if (!dir)
		die(EX_FAILED, "out of memory");
	while (*dir && (slash = strrchr(dir, '/')) && (size_t)(slash - dir) >= top) {
		*slash = 0;
		for (i = 0; i < dirs_count && strcmp(dirs[i].path, dir); i++)
			;
		if (i == dirs_count) {
			if (stat(*dir ? dir : "/", &st))
				break;
			dirs = more(dirs, dirs_count, sizeof(*dirs));
			dirs[dirs_count++] =
				(struct above_vital){ strdup(dir), vital_path,
						      st.st_dev, st.st_ino, 0 };
			if (!dirs[i].path)
				die(EX_FAILED, "out of memory");
		}
		dirs[i].ops |= ops;
	}
	free(dir);
}

/* What is mounted: the directory `root` of the file system `dev` at `point`, both without `/` behind. */
static struct mount {
	char *root, *point;
	unsigned int major, minor;
} * mounts;
static size_t mounts_count;

static void mounts_read(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0;

	while (f && getline(&line, &room, f) > 0) {
		struct mount *mount;
		unsigned int major, minor;
		char *root, *point;

		if (sscanf(line, "%*u %*u %u:%u %ms %ms", &major, &minor, &root,
			   &point) != 4)
			continue;
		mountinfo_plain(root);
		mountinfo_plain(point);
		mounts = more(mounts, mounts_count, sizeof(*mounts));
		mount = &mounts[mounts_count++];
		*mount = (struct mount){ root, point, major, minor };
		if (!strcmp(root, "/"))
			*root = 0;
		if (!strcmp(point, "/"))
			*point = 0;
	}
	free(line);
	if (f)
		fclose(f);
}

/* What is behind a directory in a path beneath it, or NULL. */
static const char *behind(const char *dir, const char *path)
{
	size_t len = strlen(dir);

	return !strncmp(dir, path, len) && (path[len] == '/' || !path[len]) ? path + len
									    : NULL;
}

/*
 * Note all directories that something vital is beneath: those of its path, and those above it
 * in its file system, which another mount may show. A tree holds by both.
 */
static void dirs_add_all(const char *path, __u32 ops)
{
	const struct mount *at = NULL;
	struct stat st, other;
	const char *rest;
	char *in_fs, *alias;

	dirs_add(path, 0, path, ops);
	if (!mounts)
		mounts_read();
	/* The last of several mounts on one directory is the one that is seen. */
	for (size_t i = 0; i < mounts_count; i++)
		if (behind(mounts[i].point, path) &&
		    (!at || strlen(mounts[i].point) >= strlen(at->point)))
			at = &mounts[i];
	/* Of a file system whose root is there all is in the path already. */
	if (!at || !*at->root || stat(path, &st))
		return;
	if (asprintf(&in_fs, "%s%s", at->root, behind(at->point, path)) < 0)
		die(EX_FAILED, "out of memory");
	for (size_t i = 0; i < mounts_count; i++) {
		const struct mount *by = &mounts[i];

		rest = behind(by->root, in_fs);
		if (by == at || by->major != at->major || by->minor != at->minor ||
		    !rest)
			continue;
		if (asprintf(&alias, "%s%s", by->point, rest) < 0)
			die(EX_FAILED, "out of memory");
		/* Not beneath another mount that hides it. */
		if (!stat(alias, &other) && other.st_dev == st.st_dev &&
		    other.st_ino == st.st_ino)
			dirs_add(alias, strlen(by->point), path, ops);
		free(alias);
	}
	free(in_fs);
}

/* A folder, and its path without symbolic links, NULL when there is none. */
struct folder {
	char *path, *real;
};

/* The folder of that path, of which `len` bytes count. There are a few: each is looked up once. */
static const struct folder *folder(const char *path, size_t len)
{
	static struct folder *folders;
	static size_t count;

	for (size_t i = 0; i < count; i++)
		if (!strncmp(folders[i].path, path, len) && !folders[i].path[len])
			return &folders[i];
	folders = more(folders, count, sizeof(*folders));
	folders[count].path = strndup(path, len);
	if (!folders[count].path)
		die(EX_FAILED, "out of memory");
	folders[count].real = realpath(folders[count].path, NULL);
	return &folders[count++];
}

/*
 * stat() and realpath() of a path, the latter NULL when it is reached by none, as the deleted
 * program of a process. Returns false when there is no such file.
 */
static bool real_path(const char *path, struct stat *st, char **real)
{
	const char *name = strrchr(path, '/');
	const struct folder *in;

	if (name && name > path && name[1] && strcmp(name, "/.") &&
	    strcmp(name, "/..")) {
		in = folder(path, name - path);
		if (!in->real)
			return false;
		if (asprintf(real, "%s%s", in->real[1] ? in->real : "", name) < 0)
			die(EX_FAILED, "out of memory");
		if (!lstat(*real, st) && !S_ISLNK(st->st_mode))
			return true;
		free(*real);
	}
	if (stat(path, st))
		return false;
	*real = realpath(path, NULL);
	return true;
}

static void vital_add(const char *path, __u32 ops)
{
	struct vital v = { .ops = ops };
	struct stat st;
	char *real;

	if (!real_path(path, &st, &real))
		return;
	v.dev = st.st_dev;
	v.ino = st.st_ino;
	for (size_t i = 0; i < vital_count; i++)
		if (vital[i].dev == v.dev && vital[i].ino == v.ino &&
		    (!real || (vital[i].path && !strcmp(vital[i].path, real)))) {
			vital[i].ops |= ops;
			free(real);
			return;
		}
	v.path = real;
	if (real && real[1] && S_ISDIR(st.st_mode)) {
		if (asprintf(&v.path, "%s/", real) < 0)
			die(EX_FAILED, "out of memory");
		free(real);
	}
	vital = more(vital, vital_count, sizeof(*vital));
	vital[vital_count++] = v;
}

static void vital_glob(const char *pattern, __u32 ops)
{
	glob_t found = {};

	if (!glob(pattern, 0, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc; i++)
			vital_add(found.gl_pathv[i], ops);
	globfree(&found);
}

/* A line of /proc/PID/maps. */
struct mapping {
	char perms[5];
	unsigned int major, minor;
	unsigned long long ino;
	char *path;
};

/*
 * Read the next line that is of a file, into `line`, where `path` then points.
 * Returns false at the end.
 */
static bool mapping_next(FILE *f, char **line, size_t *room, struct mapping *map)
{
	while (getline(line, room, f) > 0) {
		int at = 0;

		if (sscanf(*line, "%*x-%*x %4s %*x %x:%x %llu %n", map->perms,
			   &map->major, &map->minor, &map->ino, &at) != 4 ||
		    !map->ino)
			continue;
		map->path = *line + at;
		map->path[strcspn(map->path, "\n")] = 0;
		return true;
	}
	return false;
}

/* Note the directories above all that is vital. Only trees are compared with them. */
static void dirs_find(void)
{
	static __u32 known;

	for (size_t i = 0; known != guarded && i < vital_count; i++)
		/* The slash at its end makes a directory one of its own. */
		if (vital[i].path)
			dirs_add_all(vital[i].path, vital[i].ops);
	known = guarded;
}

/* What a process runs from: its program, and with `ops` for it all its libraries. */
static void vital_process(pid_t pid, __u32 ops)
{
	char path[64], *line = NULL;
	struct mapping map;
	size_t room = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	vital_add(path, OP_EXEC | OP_READ);
	if (!(ops & OP_READ))
		return;
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	while (f && mapping_next(f, &line, &room, &map))
		if (map.perms[2] == 'x' && map.path[0] == '/')
			vital_add(map.path, OP_READ);
	free(line);
	if (f)
		fclose(f);
}

static pid_t parent(pid_t pid)
{
	char path[64], line[512], *after;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	after = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	if (!after || sscanf(after, ") %*c %d", &pid) != 1)
		pid = 0;
	fclose(f);
	return pid;
}

bool guard_program(const char *path)
{
	static const char *const logins[] = { "init", "systemd",     "sh",
					      "bash", "dash",	     "sudo",
					      "su",   "login",	     "agetty",
					      "sshd", "sshd-session" };
	const char *name = strrchr(path, '/');
	char exe[64];
	struct stat st, own;

	for (size_t i = 0; name && i < ARRAY_SIZE(logins); i++)
		if (!strcmp(name + 1, logins[i]))
			return true;
	if (stat(path, &st))
		return false;
	for (pid_t pid = getpid(); pid > 0; pid = parent(pid)) {
		snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
		if (!stat(exe, &own) && own.st_dev == st.st_dev &&
		    own.st_ino == st.st_ino)
			return true;
	}
	return false;
}

bool guard_account(__u32 kind, __u32 number)
{
	char path[64];
	struct stat st;

	if (!number)
		return true;
	for (pid_t pid = getpid(); pid > 0; pid = parent(pid)) {
		snprintf(path, sizeof(path), "/proc/%d", pid);
		if (!stat(path, &st) &&
		    (kind == KIND_USER ? st.st_uid : st.st_gid) == number)
			return true;
	}
	return false;
}

/* The programs without which the operator, or the machine, is locked out. */
static void vital_programs(const char *own, __u32 ops)
{
	static const char *const dirs[] = { "/bin",	      "/sbin",
					    "/usr/bin",	      "/usr/sbin",
					    "/usr/local/bin", "/usr/local/sbin",
					    "/lib/systemd",   "/usr/lib/systemd" };
	static const char *const names[] = {
		"init", "systemd", "sh", "bash", "dash", "sudo", "su", "login",
		"agetty", "sshd", "bpftool", "jq", "env", "flock", "sshd-session",
		/* what our scripts run */
		"awk", "cat", "dirname", "find", "grep", "mawk", "mkdir", "mktemp",
		"mv", "readlink", "rm", "sed", "stat"
	};
	const char *real[ARRAY_SIZE(dirs)];
	char path[PATH_MAX];

	for (size_t d = 0; d < ARRAY_SIZE(dirs); d++) {
		bool known = false;

		real[d] = folder(dirs[d], strlen(dirs[d]))->real;
		/* Many are one and the same under two names. */
		for (size_t i = 0; i < d; i++)
			known |= real[i] && real[d] && !strcmp(real[i], real[d]);
		for (size_t n = 0; real[d] && !known && n < ARRAY_SIZE(names); n++) {
			snprintf(path, sizeof(path), "%s/%s", dirs[d], names[n]);
			vital_add(path, OP_EXEC | OP_READ);
		}
	}
	if (own) {
		snprintf(path, sizeof(path), "%s/scripts/*", own);
		vital_glob(path, OP_EXEC | OP_READ);
		snprintf(path, sizeof(path), "%s/build/helpers/*", own);
		vital_glob(path, OP_EXEC | OP_READ);
	}
	/* This process and all its ancestors: the running shell, sshd, init. */
	for (pid_t pid = getpid(); pid > 0; pid = parent(pid))
		vital_process(pid, ops);
}

/* Find what may not be denied, for the operations `ops`. `own`: our folder or NULL. */
static void guard_find(const char *own, __u32 ops)
{
	/* Without these to read nobody logs in and no program starts; the first are code, of which each program maps some. */
	enum { CODE_READABLE = 4 };
	static const char *const readable[] = {
		"/lib*/ld-*.so*",
		"/lib*/*/ld-*.so*",
		"/lib*/libc.so*",
		"/lib*/*/libc.so*",
		"/etc/ld.so.cache",
		"/etc/passwd",
		"/etc/shadow",
		"/etc/group",
		"/etc/nsswitch.conf",
		"/etc/pam.d/",
		"/etc/pam.d/*",
		"/etc/pam.conf",
		"/etc/login.defs",
		"/etc/ssh/sshd_config",
		"/dev/",
		"/dev/pts/",
		"/proc/",
		"/sys/",
		"/sys/fs/bpf/",
		"/run/",
	};
	/* Without these to write to the machine stops, or our own commands do. */
	static const char *const writable[] = {
		"/",
		"/dev/",
		"/dev/pts/",
		"/home/",
		"/proc/",
		"/run/",
		"/sys/",
		"/sys/fs/",
		"/sys/fs/bpf/",
		"/sys/fs/bpf/cotter/",
		"/sys/fs/cgroup/",
		"/tmp/",
		"/usr/tmp/",
		"/var/",
		"/var/run/",
		"/var/tmp/",
	};

	guarded |= ops;
	if (ops & (OP_EXEC | OP_READ))
		vital_programs(own, ops);
	if (ops & OP_MAPEXEC)
		for (size_t i = 0; i < CODE_READABLE; i++)
			vital_glob(readable[i], OP_MAPEXEC);
	if (ops & OP_READ)
		for (size_t i = 0; i < ARRAY_SIZE(readable); i++)
			vital_glob(readable[i], OP_READ);
	if (ops & OP_MODIFY)
		for (size_t i = 0; i < ARRAY_SIZE(writable); i++)
			vital_add(writable[i], OP_MODIFY);
}

void guard_class(const struct object *o, __u32 ops)
{
	__u32 asked = OP_EXEC; /* of a content: where the kernel can measure a file */

	if (o->kinds & KIND_BIT(KIND_CLASS))
		asked = class_find(o->text)->ops;
	else if (!(o->kinds & KIND_BIT(KIND_DIGEST)))
		return;
	if (!(ops & ~asked))
		return;
	fprintf(stderr, "%s: %s: ", verb, o->text);
	print_ops(stderr, ops & ~asked);
	fputs(": is never asked about it: want ", stderr);
	print_ops(stderr, asked);
	fputc('\n', stderr);
	exit(EX_USE);
}

bool guard_call(const struct object *o, const char *word)
{
	return o->call && o->whole_call && call_is_vital(word);
}

/* Has a vital program this content? Each is read once, and none of another size. */
static bool vital_holds(struct vital *v, const struct object *o)
{
	unsigned char digest[32];
	__u64 want[4];
	struct stat st;
	int fd;

	if (!v->path || stat(v->path, &st) || !S_ISREG(st.st_mode) ||
	    (o->size && o->size != (__u64)st.st_size))
		return false;
	if (!v->read) {
		fd = open(v->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return false;
		v->read = sha256_file(fd, digest);
		memcpy(v->digest, digest, sizeof(v->digest));
		close(fd);
	}
	digest_of(want, o);
	return v->read && !memcmp(v->digest, want, sizeof(want));
}

const char *guard_hit(const struct object *o, const char *word, __u32 ops,
		      const char *own)
{
	/* Behind a descriptor it is the file that matters, whatever the call does to it. */
	if (o->call)
		ops = o->call->fd && call_is_vital(word) ? OP_READ | OP_MODIFY : 0;
	if (ops & ~guarded)
		guard_find(own, ops & ~guarded);
	if (o->kinds & KIND_BIT(KIND_CLASS))
		return o->ino == CLASS_ANON && guarded & ops & OP_MAPEXEC
			       ? "every program that makes code"
			       : NULL;
	for (size_t i = 0; i < vital_count; i++) {
		struct vital *v = &vital[i];

		if (!(v->ops & ops))
			continue;
		if (o->kinds & KIND_BIT(KIND_DIGEST)) {
			if (vital_holds(v, o))
				return v->path;
			continue;
		}
		if ((o->st_dev == v->dev && o->st_ino == v->ino) ||
		    (v->path && !strcmp(v->path, o->text)))
			return v->path ? v->path : o->text;
		if (o->kinds & KIND_BIT(KIND_TREE) && v->path &&
		    !strncmp(v->path, o->text, o->len))
			return v->path;
	}
	if (!(o->kinds & KIND_BIT(KIND_TREE)))
		return NULL;
	/* A bind mount or a symbolic link of a directory has another path. */
	dirs_find();
	for (size_t i = 0; i < dirs_count; i++)
		if (dirs[i].ops & ops && dirs[i].dev == o->st_dev &&
		    dirs[i].ino == o->st_ino)
			return dirs[i].beneath;
	return NULL;
}

/* --- writable mappings that exist already --- */

#define MAPPED_SHOWN 20 /* messages, then only their number */

static int by_inode(const void *a, const void *b)
{
	const struct object *x = *(struct object *const *)a,
			    *y = *(struct object *const *)b;

	if (x->dev != y->dev)
		return (x->dev > y->dev) - (x->dev < y->dev);
	return (x->ino > y->ino) - (x->ino < y->ino);
}

struct wanted {
	const struct object **files, **trees;
	size_t files_count, trees_count;
	size_t said;
};

/* The object that a mapping is of, or NULL. */
static const struct object *mapped(const struct wanted *w, const struct mapping *map)
{
	const struct object like = { .dev = map->major << 20 | map->minor,
				     .ino = map->ino },
			    *key = &like, **found;

	found = bsearch(&key, w->files, w->files_count, sizeof(*w->files), by_inode);
	if (found)
		return *found;
	for (size_t i = 0; i < w->trees_count; i++)
		if (!strncmp(map->path, w->trees[i]->text, w->trees[i]->len))
			return w->trees[i];
	return NULL;
}

static void mapped_process(struct wanted *w, const char *pid)
{
	char path[300], name[64] = "", *line = NULL, *last = NULL;
	struct mapping map;
	size_t room = 0;
	FILE *f, *comm;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return; /* it is gone */
	while (mapping_next(f, &line, &room, &map)) {
		const struct object *o = NULL;
		const char *text;

		if (map.perms[1] == 'w' && map.perms[3] == 's')
			o = mapped(w, &map);
		/* One file is often mapped in several pieces. */
		if (!o || (last && !strcmp(last, map.path)))
			continue;
		free(last);
		last = strdup(map.path);
		if (w->said++ >= MAPPED_SHOWN)
			continue;
		text = o->kinds & KIND_BIT(KIND_TREE) ? map.path : o->text;
		snprintf(path, sizeof(path), "/proc/%s/comm", pid);
		comm = fopen(path, "re");
		if (comm && fgets(name, sizeof(name), comm))
			name[strcspn(name, "\n")] = 0;
		if (comm)
			fclose(comm);
		fprintf(stderr, "%s: ", verb);
		print_quoted(stderr, text, strlen(text));
		fprintf(stderr, ": process %s (", pid);
		print_quoted(stderr, name, strlen(name));
		fputs(") has it mapped writable since before: its writes through that"
		      " mapping are not stopped\n",
		      stderr);
	}
	free(last);
	free(line);
	fclose(f);
}

void guard_mapped(struct object *const *objects, size_t count)
{
	struct wanted w = {};
	struct dirent *entry;
	DIR *proc;

	w.files = xcalloc(count, sizeof(*w.files));
	w.trees = xcalloc(count, sizeof(*w.trees));
	for (size_t i = 0; i < count; i++) {
		if (objects[i]->kinds & KIND_BIT(KIND_TREE))
			w.trees[w.trees_count++] = objects[i];
		else if (objects[i]->kinds & KIND_BIT(KIND_INODE))
			w.files[w.files_count++] = objects[i];
	}
	qsort(w.files, w.files_count, sizeof(*w.files), by_inode);
	proc = w.files_count + w.trees_count ? opendir("/proc") : NULL;
	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			mapped_process(&w, entry->d_name);
	if (proc)
		closedir(proc);
	if (w.said > MAPPED_SHOWN)
		warn("%zu more writable mappings like that", w.said - MAPPED_SHOWN);
	free(w.files);
	free(w.trees);
}

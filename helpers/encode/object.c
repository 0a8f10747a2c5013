// SPDX-License-Identifier: GPL-2.0-only
/*
 * object.c: objects and programs as the operator names them; see encode.h.
 *
 * All keys come from the kernel, by running `identify` on a descriptor: stat(2)
 * shows another device on btrfs and overlayfs, and under chroot /proc shows less
 * of a path than the hooks see.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "encode.h"

const char *shown(const char *s, size_t len)
{
	static char *texts[4];
	static size_t calls;
	char **text = &texts[calls++ % ARRAY_SIZE(texts)];
	size_t size;
	FILE *f;

	free(*text);
	f = open_memstream(text, &size);
	if (!f)
		die(EX_FAILED, "out of memory");
	print_quoted(f, s, len);
	fclose(f);
	return *text;
}

void fail_object(const char *word, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	die(EX_FAILED, "%s: %s", shown(word, strlen(word)), text);
}

__u32 parse_ops(const char *list)
{
	/* A copy: this program may begin anew with the words that it was given. */
	char *words = strdup(list);
	__u32 ops = 0;

	if (!words)
		die(EX_FAILED, "out of memory");
	for (char *word = strtok(words, ","); word; word = strtok(NULL, ",")) {
		size_t i;

		for (i = 0; i < op_names_count; i++)
			if (!strcmp(word, op_names[i].name))
				break;
		if (i < op_names_count)
			ops |= op_names[i].ops;
		else if (!strcmp(word, MODIFY_NAME))
			ops |= OP_MODIFY;
		else
			die(EX_USE, "%s: unknown operation", shown(word, strlen(word)));
	}
	free(words);
	if (!ops)
		die(EX_USE, "no operation given");
	if (ops & OP_SYSCALL && ops != OP_SYSCALL)
		die(EX_USE,
		    "syscall: a rule of its own, not one with other operations");
	return ops;
}

/* Absorb a component as bpf/lib/object.h does. Returns its filter hash. */
static __u64 absorb(struct sip *sip, const char *name, size_t len)
{
	__u64 filter = filter_name_start(len), first = 0, word[4];

	sip_word(sip, len);
	memcpy(&first, name, len < sizeof(first) ? len : sizeof(first));
	for (size_t at = 0; at < len; at += sizeof(word)) {
		size_t n = len - at < sizeof(word) ? len - at : sizeof(word);

		memset(word, 0, sizeof(word));
		memcpy(word, name + at, n);
		sip_chunk(sip, word);
		filter = filter_name_chunk(filter, word);
	}
	return filter_name(len, filter, filter_first(len, first));
}

/* Filter hash of the last component of a path. */
static __u64 leaf_hash(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct sip unused;

	sip_init(&unused, m.h.key);
	path = slash ? slash + 1 : path;
	return absorb(&unused, path, strlen(path));
}

/* Where a descriptor is, as the kernel prints it. NULL when it is too long. */
static char *path_of(int fd)
{
	char link[64], path[PATH_LIMIT], *copy;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	if (n < 0 && errno != ENAMETOOLONG)
		die(EX_FAILED, "/proc/self/fd: %s: is /proc mounted?", strerror(errno));
	if (n < 0 || n >= PATH_LIMIT - 1)
		return NULL;
	path[n] = 0;
	copy = strdup(path);
	if (!copy)
		die(EX_FAILED, "out of memory");
	return copy;
}

void identify(int fd, const struct sip *sip, struct identify *id, const char *word)
{
	static int program = -1;
	struct sip start;
	struct stat st;

	if (offline) {
		/* Good enough to tell files apart. */
		if (fstat(fd, &st))
			FAIL(word, "%s", strerror(errno));
		*id = (struct identify){ .dev = st.st_dev,
					 .ino = st.st_ino,
					 .named = 1 };
		return;
	}

	sip_init(&start, m.h.key);
	if (sip)
		start = *sip;
	*id = (struct identify){ .fd = fd,
				 .sip = { start.v0, start.v1, start.v2, start.v3 } };
	if (program < 0)
		program = pin_open("core/identify");
	if (program < 0 || program_run(program, id, sizeof(*id)))
		FAIL(word, "the kernel did not identify it: %s", strerror(errno));
	if (id->error)
		FAIL(word, "the kernel did not identify it: %s", strerror(id->error));
}

static void status_of(int fd, struct statx *st, const char *word)
{
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, st))
		FAIL(word, "%s", strerror(errno));
}

/* --- the directories above --- */

/*
 * Places are told apart by mount as well: with bind mounts one directory lies
 * beneath different ones.
 */
static struct place **places;
static size_t places_count, places_size;

static struct place **place_slot(__u64 mount, const struct dir *dir)
{
	size_t i = ((uintptr_t)dir / sizeof(*dir) ^ mount) & (places_size - 1);

	while (places[i] && (places[i]->dir != dir || places[i]->mount != mount))
		i = (i + 1) & (places_size - 1);
	return &places[i];
}

static struct place *place_at(__u64 mount, struct dir *dir)
{
	struct place **old = places, **slot;
	size_t n = places_size;

	if (2 * places_count >= places_size) {
		places_size = n ? 2 * n : 64;
		places = xcalloc(places_size, sizeof(struct place *));
		for (size_t i = 0; i < n; i++)
			if (old[i])
				*place_slot(old[i]->mount, old[i]->dir) = old[i];
		free(old);
	}
	slot = place_slot(mount, dir);
	if (!*slot) {
		*slot = xcalloc(1, sizeof(**slot));
		(*slot)->mount = mount;
		(*slot)->dir = dir;
		places_count++;
	}
	return *slot;
}

/* The directories of a place, each once though a bind mount may repeat it. */
static void place_complete(struct place *p)
{
	__u32 depth = 0;

	for (const struct place *up = p; up; up = up->parent)
		depth++;
	p->above = xcalloc(depth, sizeof(struct dir *));
	for (const struct place *up = p; up; up = up->parent) {
		__u32 i = 0;

		while (i < p->count && p->above[i] != up->dir)
			i++;
		if (i == p->count)
			p->above[p->count++] = up->dir;
	}
}

/* The place of a directory; `fd` is closed. A place that is known is not walked again. */
static const struct place *place_of(int fd, const char *word)
{
	struct place *first = NULL, *below = NULL, *p;
	struct identify id;
	struct statx st;
	int up;

	for (;;) {
		identify(fd, NULL, &id, word);
		status_of(fd, &st, word);
		p = place_at(st.stx_mnt_id, dir_at(id.dev, id.ino, id.inode_gen));
		if (!first)
			first = p;
		if (p == below) /* `..` of the root */
			break;
		if (below)
			below->parent = p;
		if (p->above)
			break;
		below = p;
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up < 0)
			FAIL(word, "the directory above it: %s", strerror(errno));
		close(fd);
		fd = up;
	}
	close(fd);
	if (!first->above)
		place_complete(first);
	return first;
}

/* The place of the directory that a canonical path is in. */
static const struct place *place_of_path(const char *path, const char *word)
{
	static const struct place *last;
	static char *last_dir;
	size_t len = strrchr(path, '/') - path;
	int fd;

	if (last && strlen(last_dir) == len && !memcmp(last_dir, path, len))
		return last;
	free(last_dir);
	last_dir = strndup(path, len);
	if (!last_dir)
		die(EX_FAILED, "out of memory");
	fd = open(len ? last_dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		FAIL(word, "the directory it is in: %s", strerror(errno));
	last = place_of(fd, word);
	return last;
}

/* --- objects --- */

#define TOO_LONG                                                                       \
	"its path is longer than %d bytes and there is no file to take the inode of"

int deepest(const char *word, size_t *len)
{
	char *dir = strdup(word), *slash;
	int fd;

	if (!dir)
		die(EX_FAILED, "out of memory");
	do {
		slash = strrchr(dir, '/');
		/* An absolute path ends at `/`, a relative one at `.`. */
		if (slash)
			slash[slash == dir] = 0;
		fd = open(slash ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && (errno != ENOENT || !slash))
			FAIL(word, "%s", strerror(errno));
	} while (fd < 0);
	*len = slash ? strlen(dir) : 0;
	free(dir);
	return fd;
}

/* Components of `rest`, of which none exists, in `part`. Returns their number. */
static size_t components(char *rest, char ***part, const char *word)
{
	size_t n = 0;

	*part = NULL;
	for (char *p = strtok(rest, "/"); p; p = strtok(NULL, "/")) {
		if (!strcmp(p, "."))
			continue;
		if (!strcmp(p, ".."))
			FAIL(word, "`..` behind a directory that does not exist");
		if (strlen(p) > NAME_MAX)
			FAIL(word, "a component is longer than %d bytes", NAME_MAX);
		*part = more(*part, n, sizeof(char *));
		(*part)[n++] = p;
	}
	return n;
}

/* A file that does not exist: known by its name alone. */
static void resolve_missing(struct object *o, const char *word, bool above)
{
	size_t len, size, n;
	int fd = deepest(word, &len);
	char *rest = strdup(word + len), **part, *base, *end;
	struct identify id;
	struct stat st;
	struct sip sip;

	base = path_of(fd);
	if (!rest)
		die(EX_FAILED, "out of memory");
	if (!base)
		FAIL(word, TOO_LONG, PATH_LIMIT - 1);
	n = components(rest, &part, word);
	if (!n)
		FAIL(word, "%s", strerror(ENOENT));
	if (!fstatat(fd, part[0], &st, AT_SYMLINK_NOFOLLOW))
		FAIL(word, "a symbolic link to nothing: name what it should lead to");

	size = strlen(base) + 1;
	sip_init(&sip, m.h.key);
	for (size_t i = n; i-- > 0;) {
		__u64 filter = absorb(&sip, part[i], strlen(part[i]));

		size += 1 + strlen(part[i]);
		if (i == n - 1)
			o->leaf[0] = o->leaf[1] = filter;
	}
	o->text = xcalloc(size, 1);
	end = stpcpy(o->text, strcmp(base, "/") ? base : "");
	for (size_t i = 0; i < n; i++)
		end = stpcpy(stpcpy(end, "/"), part[i]);
	o->len = end - o->text;
	if (o->len > PATH_LIMIT - 1)
		FAIL(word, TOO_LONG, PATH_LIMIT - 1);

	identify(fd, &sip, &id, word);
	if (!id.named)
		FAIL(word, "the directory it would be in has no path");
	o->kinds = KIND_BIT(KIND_NAME);
	memcpy(o->name, id.name, sizeof(o->name));
	if (id.in_fs) {
		o->kinds |= KIND_BIT(KIND_FSPATH);
		o->fs_dev = id.dev;
		memcpy(o->fspath, id.fspath, sizeof(o->fspath));
	}
	if (above)
		o->place = place_of(fd, word);
	else
		close(fd);
	free(base);
	free(rest);
	free(part);
}

void mountinfo_plain(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		unsigned int c;

		if (*from == '\\' && sscanf(from + 1, "%3o", &c) == 1) {
			*to = c;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = 0;
}

/*
 * Filter hash of the name that a file has in its file system. That is not the
 * last component of its path when it is itself mounted there.
 */
static __u64 root_leaf(__u64 mount, __u64 otherwise)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, *root;
	unsigned long long id;
	size_t room = 0;
	int at;

	while (f && getline(&line, &room, f) > 0) {
		if (sscanf(line, "%llu %*u %*s %n", &id, &at) != 1 || id != mount)
			continue;
		root = line + at;
		root[strcspn(root, " ")] = 0;
		mountinfo_plain(root);
		otherwise = leaf_hash(root);
		break;
	}
	free(line);
	if (f)
		fclose(f);
	return otherwise;
}

/* Filter hashes of a file's name: where it is seen, and in its file system. */
static void leaves_of(__u64 leaf[2], const char *path, const struct statx *st)
{
	leaf[0] = leaf[1] = leaf_hash(path);
	if (st->stx_attributes & STATX_ATTR_MOUNT_ROOT)
		leaf[1] = root_leaf(st->stx_mnt_id, leaf[1]);
}

/* A directory and all beneath it. */
static void resolve_tree(struct object *o, int fd, const char *word, bool above)
{
	char *path = path_of(fd);
	int up;

	if (!path)
		path = strdup(word);
	if (!path)
		die(EX_FAILED, "out of memory");
	o->text = xcalloc(strlen(path) + 2, 1);
	strcpy(o->text, path);
	if (o->text[strlen(path) - 1] != '/')
		strcat(o->text, "/");
	o->len = strlen(o->text);
	o->kinds = KIND_BIT(KIND_TREE);
	free(path);
	/* The root is beneath nothing. */
	if (!above || !strcmp(o->text, "/"))
		return;
	up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (up < 0)
		FAIL(word, "the directory above it: %s", strerror(errno));
	o->place = place_of(up, word);
}

/* A file: by inode, and by its paths where they can be compared. */
static void resolve_file(struct object *o, int fd, const struct identify *id,
			 const struct statx *st, const char *word, bool above)
{
	char *path = path_of(fd);

	o->kinds = KIND_BIT(KIND_INODE);
	if (path && id->named) {
		o->kinds |= KIND_BIT(KIND_NAME);
		memcpy(o->name, id->name, sizeof(o->name));
		leaves_of(o->leaf, path, st);
		if (id->in_fs) {
			o->kinds |= KIND_BIT(KIND_FSPATH);
			o->fs_dev = id->dev;
			memcpy(o->fspath, id->fspath, sizeof(o->fspath));
		}
		if (above)
			o->place = place_of_path(path, word);
	} else {
		warn("%s: its path is longer than can be compared: denied by inode alone",
		     shown(word, strlen(word)));
		free(path);
		path = strndup(word, PATH_LIMIT - 1);
	}
	if (!path)
		die(EX_FAILED, "out of memory");
	o->text = path;
	o->len = strlen(path);
}

/* A class: `memfd:` and the like. Returns false when it is none. */
static bool resolve_class(struct object *o, const char *word)
{
	const struct class_name *class = class_find(word);

	if (!class)
		return false;
	o->kinds = KIND_BIT(KIND_CLASS);
	o->ino = class->number;
	o->text = strdup(class->name);
	if (!o->text)
		die(EX_FAILED, "out of memory");
	o->len = strlen(o->text);
	return true;
}

/* --- what a file holds --- */

void digest_of(__u64 digest[4], const struct object *o)
{
	memcpy(digest, o->name, sizeof(o->name));
	memcpy(digest + 2, o->fspath, sizeof(o->fspath));
}

static void digest_set(struct object *o, const unsigned char digest[32], __u64 size)
{
	char text[2 * 32 + 1], end[32] = "";

	for (int i = 0; i < 32; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
	memcpy(o->name, digest, sizeof(o->name));
	memcpy(o->fspath, digest + sizeof(o->name), sizeof(o->fspath));
	o->kinds = KIND_BIT(KIND_DIGEST);
	o->size = size;
	if (size)
		snprintf(end, sizeof(end), ":%llu", size);
	if (asprintf(&o->text, DIGEST_PREFIX "%s%s", text, end) < 0)
		die(EX_FAILED, "out of memory");
	o->len = strlen(o->text);
}

bool is_digest(const char *word)
{
	return !strncmp(word, DIGEST_PREFIX, strlen(DIGEST_PREFIX));
}

/* `sha256:` and digits, maybe a size. Returns false when it has no such prefix. */
static bool resolve_digest(struct object *o, const char *word)
{
	const char *digits = word + strlen(DIGEST_PREFIX), *end;
	unsigned char digest[32];
	__u64 size = 0;

	if (!is_digest(word))
		return false;
	end = digits + strspn(digits, "0123456789abcdefABCDEF");
	if (end - digits == 2 * sizeof(digest) && *end == ':' && end[1] > '0' &&
	    end[1] <= '9' && strspn(end + 1, "0123456789") == strlen(end + 1) &&
	    strlen(end + 1) <= 18) {
		size = strtoull(end + 1, NULL, 10);
		end = "";
	}
	if (*end || (!size && end - digits != 2 * sizeof(digest)))
		FAIL(word, "want " DIGEST_PREFIX
			   " and 64 hexadecimal digits, maybe : and a size in bytes");
	for (size_t i = 0; i < sizeof(digest); i++)
		sscanf(digits + 2 * i, "%2hhx", &digest[i]);
	digest_set(o, digest, size);
	return true;
}

void resolve_content(struct object *o, const char *word)
{
	unsigned char digest[32];
	struct stat st;
	int fd;

	memset(o, 0, sizeof(*o));
	if (resolve_digest(o, word))
		return;
	if (!strchr(word, '/'))
		FAIL(word, "neither a path nor " DIGEST_PREFIX
			   "...: write ./NAME or the full path");
	/* a FIFO is to be refused, not waited for */
	fd = open(word, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		FAIL(word, "%s", strerror(errno));
	if (fstat(fd, &st))
		FAIL(word, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		FAIL(word, "not a regular file: nothing else has a digest");
	if (!st.st_size)
		FAIL(word, "empty: all empty files are the same");
	if (!sha256_file(fd, digest))
		FAIL(word, "it cannot be read: %s", strerror(errno));
	close(fd);
	digest_set(o, digest, st.st_size);
}

void resolve(struct object *o, const char *word, bool above)
{
	bool tree = *word && word[strlen(word) - 1] == '/';
	struct identify id;
	struct statx st;
	int fd;

	memset(o, 0, sizeof(*o));
	if (resolve_class(o, word) || resolve_digest(o, word))
		return;
	if (!strchr(word, '/'))
		FAIL(word, "not a path: write ./NAME or the full path");
	fd = open(word, O_PATH | O_CLOEXEC);
	if (fd < 0 && errno == ENAMETOOLONG)
		FAIL(word,
		     "longer than can be compared: name it from a directory nearer to it");
	if (fd < 0 && errno != ENOENT)
		FAIL(word, "%s",
		     errno == ENOTDIR && tree
			     ? "not a directory: leave out the last `/`"
			     : strerror(errno));
	if (fd < 0) {
		if (tree)
			FAIL(word, "no such directory");
		resolve_missing(o, word, above);
		return;
	}
	status_of(fd, &st, word);
	o->st_dev = makedev(st.stx_dev_major, st.stx_dev_minor);
	o->st_ino = st.stx_ino;
	if (S_ISDIR(st.stx_mode) && !tree)
		FAIL(word, "a directory: write %s/ for all that is beneath it",
		     shown(word, strlen(word)));
	if (!S_ISDIR(st.stx_mode) && !S_ISREG(st.stx_mode))
		FAIL(word, "neither a file nor a directory");
	identify(fd, NULL, &id, word);
	o->dev = id.dev;
	o->ino = id.ino;
	o->inode_gen = id.inode_gen;
	if (tree)
		resolve_tree(o, fd, word, above);
	else
		resolve_file(o, fd, &id, &st, word, above);
	close(fd);
}

bool resolve_again(struct object *o, const char *path)
{
	struct identify id;
	struct statx st;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	memset(o, 0, sizeof(*o));
	if (fd < 0)
		return false;
	status_of(fd, &st, path);
	if (S_ISREG(st.stx_mode)) {
		identify(fd, NULL, &id, path);
		o->dev = id.dev;
		o->ino = id.ino;
		o->inode_gen = id.inode_gen;
		resolve_file(o, fd, &id, &st, path, false);
	}
	close(fd);
	return o->kinds & KIND_BIT(KIND_NAME);
}

void resolve_program(struct label *l, const char *option, const char *word)
{
	struct identify id;
	struct statx st;
	__u64 leaf[2];
	char *path;
	int fd;

#define FAIL_PROGRAM(why)                                                              \
	die(EX_FAILED, "%s %s: %s", option, shown(word, strlen(word)), why)
	memset(l, 0, sizeof(*l));
	if (!strchr(word, '/'))
		FAIL_PROGRAM("not a path: write ./NAME or the full path");
	fd = open(word, O_PATH | O_CLOEXEC);
	if (fd < 0)
		FAIL_PROGRAM(errno == ENOENT
				     ? "no such file: name a program that exists"
				     : strerror(errno));
	status_of(fd, &st, word);
	if (S_ISDIR(st.stx_mode))
		FAIL_PROGRAM("a directory: name a program");
	if (!S_ISREG(st.stx_mode))
		FAIL_PROGRAM("not a regular file");
	identify(fd, NULL, &id, word);
	path = path_of(fd);
	close(fd);
	if (!path || strlen(path) >= LABEL_PATH)
		FAIL_PROGRAM("its path is too long to be kept");
#undef FAIL_PROGRAM
	l->kinds = KIND_BIT(KIND_INODE);
	l->dev = id.dev;
	l->inode_gen = id.inode_gen;
	l->ino = id.ino;
	if (id.named) {
		l->kinds |= KIND_BIT(KIND_NAME);
		memcpy(l->name, id.name, sizeof(l->name));
	}
	if (id.in_fs) {
		l->kinds |= KIND_BIT(KIND_FSPATH);
		l->fs_dev = id.dev;
		memcpy(l->fspath, id.fspath, sizeof(l->fspath));
	}
	leaves_of(leaf, path, &st);
	filter_set(leaf[0]);
	filter_set(leaf[1]);
	filter_set(filter_inode(id.dev, id.ino));
	l->path_len = strlen(path);
	memcpy(l->path, path, l->path_len);
	free(path);
}

/* --- cgroups --- */

#define CGROUP2_MAGIC 0x63677270
#define CGROUP_INIT_INODE 0xeffffffbu /* of the first namespace */

/*
 * How many levels a directory is beneath the root of the cgroup file system; -1 when
 * it is on another. `fd` is closed.
 */
static int cgroup_levels(int fd, const char *word)
{
	struct statfs fs;
	struct stat st, up;
	int levels = -1, above;

	while (!fstatfs(fd, &fs) && fs.f_type == CGROUP2_MAGIC && !fstat(fd, &st)) {
		levels++;
		above = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (above < 0 || fstat(above, &up))
			FAIL(word, "the directory above it: %s", strerror(errno));
		close(fd);
		fd = above;
		if (st.st_dev == up.st_dev && st.st_ino == up.st_ino)
			break; /* the root of all */
	}
	close(fd);
	return levels;
}

/* The cgroup of version 2 that this process is in, NULL when there are none. */
static char *own_cgroup(void)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char *line = NULL, *path = NULL;
	size_t room = 0;

	while (f && !path && getline(&line, &room, f) > 0)
		if (!strncmp(line, "0::/", 4)) {
			line[strcspn(line, "\n")] = 0;
			path = strdup(line + 3);
		}
	free(line);
	if (f)
		fclose(f);
	return path;
}

/* Said in doubt: where the cgroups are mounted is not known. */
static bool cgroup_exists(const char *path)
{
	char dir[PATH_MAX];
	struct statfs fs;

	snprintf(dir, sizeof(dir), "/sys/fs/cgroup%s", path);
	return statfs("/sys/fs/cgroup", &fs) || fs.f_type != CGROUP2_MAGIC ||
	       !access(dir, F_OK);
}

void resolve_cgroup(struct label *l, const char *option, const char *word)
{
	char *own = own_cgroup(), *rest, *real = NULL, **part;
	int levels, n, fd;
	struct stat st;
	struct sip sip;
	size_t len;

#define FAIL_CGROUP(why)                                                               \
	die(EX_FAILED, "%s %s: %s", option, shown(word, strlen(word)), why)
	memset(l, 0, sizeof(*l));
	if (!own)
		die(EX_CANNOT, "%s: there are no cgroups of version 2 here", option);
	free(own);
	if (stat("/proc/self/ns/cgroup", &st) || st.st_ino != CGROUP_INIT_INODE)
		die(EX_CANNOT,
		    "%s: not from within a cgroup namespace, where paths are others",
		    option);
	if (word[0] != '/')
		FAIL_CGROUP("want a full path");
	fd = open(word, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		len = strlen(word);
	else
		fd = deepest(word, &len);
	real = path_of(fd);
	levels = cgroup_levels(fd, word);
	if (levels < 0 && len == strlen(word) && strcmp(word, "/"))
		FAIL_CGROUP("a directory, but no cgroup of version 2");
	if (levels < 0) {
		/* As in /proc/PID/cgroup. */
		rest = strdup(word);
	} else {
		const char *from = real ? real + strlen(real) : "";

		for (int up = 0; up < levels; up++)
			while (from > real && *--from != '/')
				;
		if (asprintf(&rest, "%s/%s", from, word + len) < 0)
			rest = NULL;
	}
	if (!rest)
		die(EX_FAILED, "out of memory");
	n = components(rest, &part, word);
	if (n > CGROUP_DEPTH)
		FAIL_CGROUP("too deep");
	sip_init(&sip, m.h.key);
	for (int i = 0; i < n; i++) {
		size_t size = strlen(part[i]);

		absorb(&sip, part[i], size);
		if (l->path_len + 1 + size >= LABEL_PATH)
			FAIL_CGROUP("its path is too long to be kept");
		l->path[l->path_len++] = '/';
		memcpy(l->path + l->path_len, part[i], size);
		l->path_len += size;
	}
#undef FAIL_CGROUP
	if (!n)
		l->path[l->path_len++] = '/';
	sip_end(&sip, l->fspath);
	l->kinds = KIND_BIT(KIND_CGROUP);
	if (levels < 0 ? !cgroup_exists(l->path) : word[len])
		warn("%s %s: there is no such cgroup now", option,
		     shown(word, strlen(word)));
	free(part);
	free(rest);
	free(real);
}

bool in_cgroup(const struct label *l)
{
	char *own = own_cgroup();
	size_t len = l->path_len == 1 ? 0 : l->path_len;
	bool in = own && !strncmp(own, l->path, len) && (!own[len] || own[len] == '/');

	free(own);
	return in;
}

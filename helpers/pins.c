// SPDX-License-Identifier: GPL-2.0-only
/*
 * pins: what is pinned under /sys/fs/bpf/cotter. NAME is a path beneath it; with --next
 * in front of the command beneath /sys/fs/bpf/cotter-next, see `load --upgrade`.
 *
 *   pins list              one JSON object a line for each pin
 *   pins foreign           the same for each link that is not ours and could answer in the
 *                          place of one: fmod_ret on any function, lsm on our hooks
 *   pins linked NAME...    status 0 when each is a link: attached
 *   pins place FROM TO...  rename each FROM to TO; what TO was is then at FROM
 *   pins remove NAME...    remove pins and folders, and wait until the kernel
 *                          has let go of every program that is no longer pinned;
 *                          the NAME . is the root, and waits for what is held as well
 *   pins hold NAME... -- COMMAND...
 *                          run COMMAND, which has the links in these folders open instead
 *                          of their pins: they are detached when it ends, however it does
 *   pins exchange          have the two roots change places
 *
 * bpftool looks into every process for each answer; this does not. A rename is
 * atomic, so a reader finds the old pins or the new ones.
 *
 * Statuses: cotter.h. 1 also when something else holds a program for 10 s.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/bpf.h>
#include "cotter.h"

#define WAIT_STEP_MS 10
#define WAIT_LIMIT_MS 10000
#define NAME_SIZE 224 /* of a path beneath the root: pin_open() takes no more */

static int bpf(int cmd, union bpf_attr *attr, size_t size)
{
	return syscall(SYS_bpf, cmd, attr, size);
}

/* Returns 0, or -1 with errno. The kernel's struct may be shorter than ours. */
static int object_info(int fd, void *info, size_t size)
{
	union bpf_attr attr = {};

	attr.info.bpf_fd = fd;
	attr.info.info = (uintptr_t)info;
	attr.info.info_len = size;
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
}

static int program_open(__u32 id)
{
	union bpf_attr attr = {};

	attr.prog_id = id;
	return bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));
}

enum pinned { PINNED_OTHER, PINNED_MAP, PINNED_PROGRAM, PINNED_LINK, PINNED_SEALED };

/* Only the name of its descriptor tells what a pin is. */
static enum pinned pinned_kind(int fd)
{
	char path[64], name[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, name, sizeof(name) - 1);
	name[n < 0 ? 0 : n] = '\0';
	if (strstr(name, "bpf-map"))
		return PINNED_MAP;
	if (strstr(name, "bpf-prog"))
		return PINNED_PROGRAM;
	if (strstr(name, "bpf_link") || strstr(name, "bpf-link"))
		return PINNED_LINK;
	return PINNED_OTHER;
}

/* The id of the program that is pinned, or behind a pinned link; 0: none. */
static __u32 pinned_program(int fd, enum pinned kind)
{
	struct bpf_prog_info prog = {};
	struct bpf_link_info link = {};

	if (kind == PINNED_PROGRAM && !object_info(fd, &prog, sizeof(prog)))
		return prog.id;
	if (kind == PINNED_LINK && !object_info(fd, &link, sizeof(link)))
		return link.prog_id;
	return 0;
}

/*
 * Run `each` on every pin beneath `name` ("" for the root), folders in no order. The
 * descriptor is negative where the seal lets nobody have one.
 * One that goes while we look is passed over.
 */
static void pins_each(const char *name,
		      void (*each)(const char *name, int fd, void *arg), void *arg)
{
	char path[NAME_SIZE + sizeof(PIN_NEXT)];
	struct dirent *d;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", pin_root, name);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		char below[NAME_SIZE];

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if ((size_t)snprintf(below, sizeof(below), "%s%s%s", name,
				     *name ? "/" : "", d->d_name) >= sizeof(below))
			die(EX_FAILED, "%s: the path is too long", below);
		if (d->d_type == DT_DIR) {
			pins_each(below, each, arg);
			continue;
		}
		fd = pin_open(below);
		if (fd < 0 && errno != EPERM)
			continue;
		each(below, fd, arg);
		if (fd >= 0)
			close(fd);
	}
	if (dir)
		closedir(dir);
}

static const char *named(const char *const *names, size_t count, __u32 n)
{
	static char number[16];

	if (n < count && names[n])
		return names[n];
	snprintf(number, sizeof(number), "%u", n);
	return number;
}

/* The names that bpftool uses; what we have no use for is shown as a number. */
static const char *map_type(__u32 n)
{
	static const char *const names[] = {
		[BPF_MAP_TYPE_HASH] = "hash",
		[BPF_MAP_TYPE_ARRAY] = "array",
		[BPF_MAP_TYPE_PERCPU_HASH] = "percpu_hash",
		[BPF_MAP_TYPE_PERCPU_ARRAY] = "percpu_array",
		[BPF_MAP_TYPE_ARRAY_OF_MAPS] = "array_of_maps",
		[BPF_MAP_TYPE_HASH_OF_MAPS] = "hash_of_maps",
		[BPF_MAP_TYPE_TASK_STORAGE] = "task_storage",
	};

	return named(names, ARRAY_SIZE(names), n);
}

static const char *prog_type(__u32 n)
{
	static const char *const names[] = {
		[BPF_PROG_TYPE_KPROBE] = "kprobe",
		[BPF_PROG_TYPE_TRACEPOINT] = "tracepoint",
		[BPF_PROG_TYPE_RAW_TRACEPOINT] = "raw_tracepoint",
		[BPF_PROG_TYPE_TRACING] = "tracing",
		[BPF_PROG_TYPE_LSM] = "lsm",
		[BPF_PROG_TYPE_SYSCALL] = "syscall",
	};

	return named(names, ARRAY_SIZE(names), n);
}

static void list_program(__u32 id)
{
	struct bpf_prog_info info = {};
	int fd = program_open(id);

	if (fd < 0 || object_info(fd, &info, sizeof(info))) {
		printf(",\"prog_id\":%u", id);
	} else {
		printf(",\"prog_id\":%u,\"prog_type\":\"%s\",\"prog_name\":", id,
		       prog_type(info.type));
		print_json(stdout, info.name, strnlen(info.name, sizeof(info.name)));
		printf(",\"recursion_misses\":%llu", info.recursion_misses);
	}
	if (fd >= 0)
		close(fd);
}

static void list_one(const char *name, int fd, void *arg)
{
	enum pinned kind = fd < 0 ? PINNED_SEALED : pinned_kind(fd);
	struct bpf_link_info link = {};
	struct bpf_map_info map = {};
	static const char *const kinds[] = { "other", "map", "program", "link",
					     "sealed" };

	(void)arg;
	fputs("{\"pin\":", stdout);
	print_json(stdout, name, strlen(name));
	printf(",\"kind\":\"%s\"", kinds[kind]);
	if (kind == PINNED_MAP && !object_info(fd, &map, sizeof(map)))
		printf(",\"id\":%u,\"type\":\"%s\",\"key\":%u,\"value\":%u,\"entries\":%u",
		       map.id, map_type(map.type), map.key_size, map.value_size,
		       map.max_entries);
	if (kind == PINNED_LINK && !object_info(fd, &link, sizeof(link)))
		printf(",\"id\":%u", link.id);
	if (kind == PINNED_LINK || kind == PINNED_PROGRAM)
		list_program(pinned_program(fd, kind));
	puts("}");
}

static void path_of(char path[PATH_MAX], const char *name)
{
	if (strstr(name, "..") || strlen(name) >= NAME_SIZE)
		die(EX_USE, "%s: no name of a pin", name);
	if (!strcmp(name, "."))
		strcpy(path, pin_root);
	else
		snprintf(path, PATH_MAX, "%s/%s", pin_root, name);
}

static void linked(const char *name)
{
	char path[PATH_MAX];
	int fd;

	path_of(path, name); /* a name of ours, and not too long */
	fd = pin_open(name);
	if (fd < 0)
		die(EX_FAILED, "%s is missing", name);
	if (pinned_kind(fd) != PINNED_LINK)
		die(EX_FAILED, "%s is not attached", name);
	close(fd);
}

static void place(const char *from, const char *to)
{
	char a[PATH_MAX], b[PATH_MAX];

	path_of(a, from);
	path_of(b, to);
	if (!renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_NOREPLACE) ||
	    (errno == EEXIST && !renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE)))
		return;
	die(EX_FAILED, "%s: it cannot be renamed to %s: %s", a, b, strerror(errno));
}

static void exchange(void)
{
	if (renameat2(AT_FDCWD, PIN_NEXT, AT_FDCWD, PIN_ROOT, RENAME_EXCHANGE))
		die(EX_FAILED,
		    PIN_NEXT ": it cannot be exchanged with " PIN_ROOT ": %s",
		    strerror(errno));
}

static void remove_tree(const char *path)
{
	struct dirent *d;
	DIR *dir;

	if (!unlink(path) || errno == ENOENT)
		return;
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		char below[PATH_MAX];

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", path, d->d_name) < PATH_MAX)
			remove_tree(below);
	}
	if (dir)
		closedir(dir);
	/* While an upgrade is under way the root is a mount, for its commands alone. */
	if (rmdir(path) && errno != ENOENT &&
	    (errno != EBUSY || strcmp(path, pin_root)))
		die(EX_FAILED, "%s: it cannot be removed: %s", path, strerror(errno));
}

/* A set of ids of the kernel's. */
struct ids {
	__u32 *id;
	size_t count, room;
};

static void ids_add(struct ids *set, __u32 id)
{
	if (set->count == set->room) {
		set->room = set->room ? 2 * set->room : 64;
		set->id = xrealloc(set->id, set->room, sizeof(*set->id));
	}
	set->id[set->count++] = id;
}

static bool ids_have(const struct ids *set, __u32 id)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->id[i] == id)
			return true;
	return false;
}

static void add_program(const char *name, int fd, void *arg)
{
	__u32 id = fd < 0 ? 0 : pinned_program(fd, pinned_kind(fd));

	(void)name;
	if (id)
		ids_add(arg, id);
}

static void add_map(const char *name, int fd, void *arg)
{
	struct bpf_map_info info = {};

	(void)name;
	if (fd >= 0 && pinned_kind(fd) == PINNED_MAP &&
	    !object_info(fd, &info, sizeof(info)))
		ids_add(arg, info.id);
}

/* Does the program use one of these maps? Its name and more is left in `info`. */
static bool uses(int fd, const struct ids *maps, struct bpf_prog_info *info)
{
	__u32 used[64];

	memset(info, 0, sizeof(*info));
	info->nr_map_ids = ARRAY_SIZE(used);
	info->map_ids = (uintptr_t)used;
	if (object_info(fd, info, sizeof(*info)))
		return false;
	for (__u32 i = 0; i < info->nr_map_ids && i < ARRAY_SIZE(used); i++)
		if (ids_have(maps, used[i]))
			return true;
	return false;
}

/*
 * Find a program of ours, one that uses our maps, that is not pinned. Returns its id, 0 when
 * there is none, and its name.
 */
static __u32 orphan(const struct ids *maps, const struct ids *pinned,
		    char name[BPF_OBJ_NAME_LEN])
{
	union bpf_attr attr = {};

	while (!bpf(BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr))) {
		__u32 id = attr.next_id;
		struct bpf_prog_info info;
		int fd;

		attr = (union bpf_attr){ .start_id = id };
		if (ids_have(pinned, id))
			continue;
		fd = program_open(id);
		if (fd < 0)
			continue;
		if (uses(fd, maps, &info)) {
			memcpy(name, info.name, BPF_OBJ_NAME_LEN);
			close(fd);
			return id;
		}
		close(fd);
	}
	if (errno != ENOENT)
		die(EX_FAILED, "the list of programs cannot be read: %s",
		    strerror(errno));
	return 0;
}

/* The programs of ours that are not pinned: a `pins hold` has them. */
static void held_programs(const struct ids *maps, struct ids *held)
{
	struct ids known = {};
	char name[BPF_OBJ_NAME_LEN];
	__u32 id;

	pins_each("", add_program, &known);
	while ((id = orphan(maps, &known, name))) {
		ids_add(&known, id);
		ids_add(held, id);
	}
	free(known.id);
}

/*
 * Links and programs go after a grace period of the kernel's. Those in `held` may stay;
 * it is freed.
 */
static void wait_gone(const struct ids *maps, struct ids *held)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_MS * 1000000L };
	struct ids pinned = *held;
	char name[BPF_OBJ_NAME_LEN];
	__u32 id;

	pins_each("", add_program, &pinned);
	for (int ms = 0; (id = orphan(maps, &pinned, name)); ms += WAIT_STEP_MS) {
		if (ms >= WAIT_LIMIT_MS)
			die(EX_FAILED,
			    "program %u (%.*s) is still loaded: something else holds it",
			    id, BPF_OBJ_NAME_LEN, name);
		nanosleep(&step, NULL);
	}
	free(pinned.id);
}

static void remove_pins(int count, char **names)
{
	char path[PATH_MAX];
	struct ids maps = {}, held = {};
	bool root = false;

	for (int i = 0; i < count; i++)
		root |= !strcmp(names[i], ".");
	pins_each("maps", add_map, &maps);
	if (maps.count && !root)
		held_programs(&maps, &held);
	for (int i = 0; i < count; i++) {
		path_of(path, names[i]);
		remove_tree(path);
	}
	if (maps.count)
		wait_gone(&maps, &held);
	free(maps.id);
}

/* Keep the descriptor of a link over the exec. */
static void hold_one(const char *name, int fd, void *arg)
{
	(void)arg;
	if (fd < 0 || pinned_kind(fd) != PINNED_LINK)
		die(EX_FAILED, "%s is not attached", name);
	if (fcntl(fd, F_DUPFD, 3) < 0)
		die(EX_FAILED, "%s: %s", name, strerror(errno));
}

static void hold(char **words)
{
	char path[PATH_MAX], **command = words;

	while (*command && strcmp(*command, "--"))
		command++;
	if (!*command || !command[1] || command == words)
		die(EX_USE, "usage: pins hold NAME... -- COMMAND...");
	for (char **name = words; name < command; name++) {
		path_of(path, *name); /* a name of ours */
		pins_each(*name, hold_one, NULL);
	}
	for (char **name = words; name < command; name++) {
		path_of(path, *name);
		remove_tree(path);
	}
	execv(command[1], command + 1);
	die(EX_FAILED, "%s: %s", command[1], strerror(errno));
}

/* Where a link is attached that can change what a function returns. */
struct target {
	__u32 attach_type, object, type; /* enum bpf_attach_type; ids of BTF */
};
static struct target *targets;
static size_t targets_count;

static bool answers(const struct bpf_link_info *info)
{
	return info->type == BPF_LINK_TYPE_TRACING &&
	       (info->tracing.attach_type == BPF_MODIFY_RETURN ||
		info->tracing.attach_type == BPF_LSM_MAC);
}

static void add_link(const char *name, int fd, void *arg)
{
	struct bpf_link_info info = {};

	(void)name;
	if (fd < 0 || pinned_kind(fd) != PINNED_LINK ||
	    object_info(fd, &info, sizeof(info)))
		return;
	ids_add(arg, info.id);
	if (!answers(&info))
		return;
	targets = xrealloc(targets, targets_count + 1, sizeof(*targets));
	targets[targets_count++] =
		(struct target){ info.tracing.attach_type, info.tracing.target_obj_id,
				 info.tracing.target_btf_id };
}

/* Could it answer in the place of a program of ours? */
static bool on_our_hook(const struct bpf_link_info *info)
{
	/* called before any lsm program, and any function leads to another */
	if (info->tracing.attach_type == BPF_MODIFY_RETURN)
		return true;
	for (size_t i = 0; i < targets_count; i++)
		if (targets[i].attach_type == info->tracing.attach_type &&
		    targets[i].object == info->tracing.target_obj_id &&
		    targets[i].type == info->tracing.target_btf_id)
			return true;
	return false;
}

static void list_foreign(void)
{
	union bpf_attr attr = {};
	struct ids ours = {};

	pins_each("", add_link, &ours);
	pin_root = PIN_NEXT;
	pins_each("", add_link, &ours);
	while (!bpf(BPF_LINK_GET_NEXT_ID, &attr, sizeof(attr))) {
		struct bpf_link_info info = {};
		__u32 id = attr.next_id;
		int fd;

		attr = (union bpf_attr){ .link_id = id };
		fd = ids_have(&ours, id)
			     ? -1
			     : bpf(BPF_LINK_GET_FD_BY_ID, &attr, sizeof(attr));
		attr = (union bpf_attr){ .start_id = id };
		if (fd < 0)
			continue;
		if (!object_info(fd, &info, sizeof(info)) && answers(&info) &&
		    on_our_hook(&info)) {
			printf("{\"id\":%u", id);
			list_program(info.prog_id);
			puts("}");
		}
		close(fd);
	}
	free(ours.id);
	free(targets);
}

int main(int argc, char **argv)
{
	const char *command;

	pin_root = PIN_ROOT;
	if (argc > 1 && !strcmp(argv[1], "--next")) {
		pin_root = PIN_NEXT;
		argc--;
		argv++;
	}
	command = argc > 1 ? argv[1] : "";

	verb = "pins";
	if (argc == 2 && !strcmp(command, "list")) {
		pins_each("", list_one, NULL);
	} else if (argc == 2 && !strcmp(command, "foreign")) {
		list_foreign();
	} else if (argc > 2 && !strcmp(command, "linked")) {
		for (int i = 2; i < argc; i++)
			linked(argv[i]);
	} else if (argc > 2 && argc % 2 == 0 && !strcmp(command, "place")) {
		for (int i = 2; i < argc; i += 2)
			place(argv[i], argv[i + 1]);
	} else if (argc > 2 && !strcmp(command, "remove")) {
		remove_pins(argc - 2, argv + 2);
	} else if (argc > 2 && !strcmp(command, "hold")) {
		hold(argv + 2);
	} else if (argc == 2 && !strcmp(command, "exchange")) {
		exchange();
	} else {
		die(EX_USE,
		    "usage: pins [--next] list | foreign | linked NAME... | place FROM TO... | remove NAME... | hold NAME... -- COMMAND... | exchange");
	}
	if (fflush(stdout) || ferror(stdout))
		die(EX_FAILED, "writing the output failed");
	return EX_DONE;
}

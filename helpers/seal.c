// SPDX-License-Identifier: GPL-2.0-only
/*
 * seal: what `seal`, `unseal` and `status` need of the seal in the kernel.
 *
 *   seal lines [--key FILE] [--no-modules] HELPER...
 *                      lines for `bpftool batch` that say what is sealed, and at last
 *                      that it is; the helpers are programs nobody may trace
 *   seal held          name the processes that hold a descriptor of a map of ours, a
 *                      line each: it would outlive the seal
 *   seal is            status 0 when sealed, 1 when not
 *   seal holds         status 0 when it is and the kernel refuses to break it
 *   seal state         one JSON object
 *   seal unseal FILE   show the kernel the key
 *
 * A key is a file of 16 bytes at least. The kernel keeps the SHA-256 of its SHA-256.
 *
 * Statuses: cotter.h.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>
#include "encode/encode.h"

#define KEY_MIN 16
#define BPFFS "/sys/fs/bpf"

static int bpf(int cmd, union bpf_attr *attr, size_t size)
{
	return syscall(SYS_bpf, cmd, attr, size);
}

/* The SHA-256 of the key file. Dies when it is none. */
static void read_key(const char *path, __u32 key[8])
{
	static unsigned char bytes[1 << 20];
	size_t n = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(EX_FAILED, "%s: the key cannot be read: %s", path, strerror(errno));
	while (n < sizeof(bytes) &&
	       (got = read(fd, bytes + n, sizeof(bytes) - n)) != 0) {
		if (got < 0)
			die(EX_FAILED, "%s: the key cannot be read: %s", path,
			    strerror(errno));
		n += got;
	}
	close(fd);
	if (n < KEY_MIN || n == sizeof(bytes))
		die(EX_FAILED, "%s: no key: want a file of %d bytes to 1 MiB", path,
		    KEY_MIN);
	sha256(key, bytes, n);
}

/* --- what is sealed --- */

static int info_of(int fd, void *info, size_t size)
{
	union bpf_attr attr = {};

	attr.info.bpf_fd = fd;
	attr.info.info = (uintptr_t)info;
	attr.info.info_len = size;
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
}

static void line_sealed(__u32 kind, __u32 dev, __u64 id)
{
	const struct sealed key = { .kind = kind, .dev = dev, .id = id };
	const __u32 one = 1;

	line_update(PIN_MAPS "sealed", &key, sizeof(key), &one, sizeof(one));
}

/* Seal an inode as the kernel's programs see it. Returns its device. */
static __u32 seal_inode(__u32 kind, const char *path)
{
	static int identify = -1;
	struct identify who = {};
	int error;

	if (identify < 0)
		identify = pin_open("core/identify");
	who.fd = open(path, O_PATH | O_CLOEXEC);
	if (who.fd < 0)
		die(EX_FAILED, "%s: %s", path, strerror(errno));
	error = identify < 0 || program_run(identify, &who, sizeof(who)) || who.error;
	close(who.fd);
	if (error)
		die(EX_FAILED, "%s: the kernel cannot say what it is", path);
	line_sealed(kind, who.dev, who.ino);
	return who.dev;
}

static void seal_map(int fd)
{
	struct bpf_map_info info = {};

	if (info_of(fd, &info, sizeof(info)))
		die(EX_FAILED, "a map says nothing of itself: %s", strerror(errno));
	line_sealed(SEALED_MAP, 0, info.id);
	if (info.type != BPF_MAP_TYPE_ARRAY_OF_MAPS)
		return;
	for (__u32 i = 0; i < info.max_entries; i++) {
		__u32 id;

		if (!map_lookup(fd, &i, &id))
			line_sealed(SEALED_MAP, 0, id);
	}
}

/* Seal what is pinned: by what its descriptor is called. */
static void seal_pin(const char *name)
{
	char link[64], what[64] = "";
	struct bpf_prog_info prog = {};
	struct bpf_link_info info = {};
	int fd = pin_open(name);

	if (fd < 0) /* an iterator's pin is no object of its own */
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, what, sizeof(what) - 1) < 0)
		die(EX_FAILED, "%s: %s", link, strerror(errno));
	if (strstr(what, "bpf-map")) {
		seal_map(fd);
	} else if (strstr(what, "bpf-prog")) {
		/* who has the key must be able to show it */
		if (!strstr(name, "seal_unseal") && !info_of(fd, &prog, sizeof(prog)))
			line_sealed(SEALED_PROG, 0, prog.id);
	} else if (!info_of(fd, &info, sizeof(info))) {
		line_sealed(SEALED_LINK, 0, info.id);
		line_sealed(SEALED_PROG, 0, info.prog_id);
	}
	close(fd);
}

/* Seal the folder `name` beneath the root ("" for it), and all that is in it. */
static void seal_pins(const char *name)
{
	char path[512];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), PIN_ROOT "%s%s", *name ? "/" : "", name);
	seal_inode(SEALED_PIN, path);
	dir = opendir(path);
	if (!dir)
		die(EX_FAILED, "%s: %s", path, strerror(errno));
	while ((d = readdir(dir))) {
		char below[256];

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if ((size_t)snprintf(below, sizeof(below), "%s%s%s", name,
				     *name ? "/" : "", d->d_name) >= sizeof(below))
			die(EX_FAILED, "%s: the path is too long", below);
		if (d->d_type == DT_DIR) {
			seal_pins(below);
			continue;
		}
		snprintf(path, sizeof(path), PIN_ROOT "/%s", below);
		seal_inode(SEALED_PIN, path);
		seal_pin(below);
	}
	closedir(dir);
}

/* Seal the mounts from the BPF file system to the root, as mountinfo has them. */
static void seal_mounts(void)
{
	struct {
		int id, parent;
	} *mount = NULL;
	int id = -1, fd = open(BPFFS, O_PATH | O_CLOEXEC);
	char *line = NULL, path[64];
	size_t n = 0, room = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && getline(&line, &room, f) > 0)
		sscanf(line, "mnt_id: %d", &id);
	if (f)
		fclose(f);
	close(fd);
	f = fopen("/proc/self/mountinfo", "re");
	if (!f || id < 0)
		die(EX_FAILED, "/proc: the mounts cannot be read");
	while (getline(&line, &room, f) > 0) {
		mount = xrealloc(mount, n + 1, sizeof(*mount));
		if (sscanf(line, "%d %d", &mount[n].id, &mount[n].parent) == 2)
			n++;
	}
	fclose(f);
	free(line);
	/* no more steps than mounts, should they go in a circle */
	for (size_t step = 0; step <= n; step++) {
		size_t i = 0;

		line_sealed(SEALED_MOUNT, 0, id);
		while (i < n && mount[i].id != id)
			i++;
		if (i == n || mount[i].parent == id)
			break;
		id = mount[i].parent;
	}
	free(mount);
}

static void seal_files(void)
{
	static const struct {
		__u32 magic;
		const char *dir, *name;
	} files[] = {
		{ 0x9fa0, "kernel", "ftrace_enabled" },
		{ 0x9fa0, "kernel", "core_pattern" },
		{ 0x9fa0, "kernel", "modprobe" },
		{ 0x9fa0, "kernel", "hotplug" },
		{ 0x9fa0, "kernel", "poweroff_cmd" },
		{ 0x9fa0, "usermodehelper", "bset" },
		{ 0x9fa0, "usermodehelper", "inheritable" },
		{ 0x62656572, "kernel", "uevent_helper" },
		{ 0x64626720, "kprobes", "enabled" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char dir[SEAL_NAME_PART] = "", name[SEAL_NAME_PART] = "";

		snprintf(dir, sizeof(dir), "%s", files[i].dir);
		snprintf(name, sizeof(name), "%s", files[i].name);
		line_sealed(SEALED_FILE, files[i].magic,
			    seal_name(seal_name(SEAL_NAME_START, dir), name));
	}
}

static void lines(int argc, char **argv)
{
	static const char *const way[] = { "/", "/sys", "/sys/fs", BPFFS };
	struct seal s = { .on = 1 };
	struct stat st;
	__u32 zero = 0, key[8];
	int i;

	for (i = 0; i < argc && !strncmp(argv[i], "--", 2); i++) {
		if (!strcmp(argv[i], "--no-modules")) {
			s.flags |= SEAL_NO_MODULES;
		} else if (!strcmp(argv[i], "--key") && i + 1 < argc) {
			unsigned char bytes[32];

			read_key(argv[++i], key);
			for (int b = 0; b < 32; b++)
				bytes[b] = key[b / 4] >> (24 - b % 4 * 8);
			sha256(s.key, bytes, sizeof(bytes));
			s.flags |= SEAL_KEYED;
		} else {
			die(EX_USE, "%s: unknown option", argv[i]);
		}
	}
	memcpy(s.round, sha256_round, sizeof(s.round));
	for (size_t w = 0; w < ARRAY_SIZE(way); w++)
		s.dev = seal_inode(SEALED_DIR, way[w]);
	if (stat("/proc/self/ns/mnt", &st))
		die(EX_FAILED, "/proc/self/ns/mnt: %s", strerror(errno));
	s.mnt_ns = st.st_ino;
	seal_pins("");
	seal_mounts();
	seal_files();
	for (; i < argc; i++)
		seal_inode(SEALED_PROGRAM, argv[i]);
	/* what comes before is written, or this is not */
	line_update(PIN_MAPS "seal", &zero, sizeof(zero), &s, sizeof(s));
}

/* --- questions --- */

static bool read_seal(struct seal *s)
{
	int fd = pin_open("maps/seal");
	__u32 zero = 0;
	bool got = fd >= 0 && !map_lookup(fd, &zero, s);

	if (fd >= 0)
		close(fd);
	return got;
}

static bool is_on(void)
{
	struct seal s;

	return read_seal(&s) && s.on && !access(PIN_ROOT "/seal", F_OK);
}

/* Does the kernel refuse a descriptor to write our state? */
static bool holds(void)
{
	union bpf_attr attr = {};
	int fd;

	attr.pathname = (uintptr_t)(PIN_ROOT "/maps/state");
	fd = bpf(BPF_OBJ_GET, &attr, sizeof(attr));
	if (fd >= 0)
		close(fd);
	return fd < 0 && (errno == EPERM || errno == EACCES);
}

static void state_json(void)
{
	static const char *const names[ATTEMPTS] = { "map",    "program", "link",
						     "attach", "pin",	  "mount",
						     "kernel", "switch",  "ptrace",
						     "key" };
	struct seal s = {};
	struct attempt a;
	const char *comma = "";
	int fd = pin_open("maps/attempts");

	printf("{\"sealed\":%s", is_on() ? "true" : "false");
	read_seal(&s);
	printf(",\"key\":%s,\"holds\":%s,\"attempts\":{",
	       s.flags & SEAL_KEYED ? "true" : "false", holds() ? "true" : "false");
	for (__u32 i = 0; fd >= 0 && i < ATTEMPTS; i++) {
		if (map_lookup(fd, &i, &a) || !a.count)
			continue;
		printf("%s\"%s\":{\"count\":%llu,\"time\":%llu,\"pid\":%u,\"uid\":%u,\"comm\":",
		       comma, names[i], a.count, a.time, a.pid, a.uid);
		print_json(stdout, a.comm, strnlen(a.comm, sizeof(a.comm)));
		putchar('}');
		comma = ",";
	}
	puts("}}");
}

static void unseal(const char *path)
{
	struct unseal arg = {};
	int fd;

	if (!is_on())
		die(EX_FAILED, "not sealed");
	read_key(path, arg.key);
	fd = pin_open("seal/attached/seal_unseal");
	if (fd < 0 || program_run(fd, &arg, sizeof(arg)))
		die(EX_FAILED, "the kernel cannot be asked: %s", strerror(errno));
	if (!arg.open)
		die(EX_NO_PERMISSION, "%s: it is not the key", path);
}

/* The maps of ours, by id. */
static __u32 *ids;
static size_t ids_count;

static void held_by(const char *pid)
{
	char path[600], *line = NULL;
	struct dirent *d;
	size_t room = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		unsigned int id;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, d->d_name);
		f = *d->d_name == '.' ? NULL : fopen(path, "re");
		while (f && getline(&line, &room, f) > 0)
			for (size_t i = 0;
			     sscanf(line, "map_id: %u", &id) == 1 && i < ids_count; i++)
				if (ids[i] == id)
					printf("%s\n", pid), i = ids_count;
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	free(line);
}

static void held(void)
{
	struct dirent *d;
	DIR *dir = opendir(PIN_ROOT "/maps");

	while (dir && (d = readdir(dir))) {
		char name[300];
		struct bpf_map_info info = {};
		int fd;

		snprintf(name, sizeof(name), "maps/%s", d->d_name);
		fd = *d->d_name == '.' ? -1 : pin_open(name);
		if (fd < 0)
			continue;
		if (!info_of(fd, &info, sizeof(info))) {
			ids = xrealloc(ids, ids_count + 1, sizeof(*ids));
			ids[ids_count++] = info.id;
		}
		close(fd);
	}
	if (dir)
		closedir(dir);
	dir = opendir("/proc");
	while (dir && (d = readdir(dir)))
		if (*d->d_name >= '1' && *d->d_name <= '9')
			held_by(d->d_name);
	if (dir)
		closedir(dir);
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	verb = "seal";
	if (!strcmp(command, "lines"))
		lines(argc - 2, argv + 2);
	else if (argc == 2 && !strcmp(command, "held"))
		held();
	else if (argc == 2 && !strcmp(command, "is"))
		return is_on() ? EX_DONE : EX_FAILED;
	else if (argc == 2 && !strcmp(command, "holds"))
		return is_on() && holds() ? EX_DONE : EX_FAILED;
	else if (argc == 2 && !strcmp(command, "state"))
		state_json();
	else if (argc == 3 && !strcmp(command, "unseal")) {
		verb = "unseal";
		unseal(argv[2]);
	} else
		die(EX_USE,
		    "usage: seal lines [--key FILE] [--no-modules] HELPER... | held | "
		    "is | holds | state | unseal FILE");
	if (fflush(stdout) || ferror(stdout))
		die(EX_FAILED, "writing the output failed");
	return EX_DONE;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * file_by: change or read a file in one of very many ways (file_ways.h).
 *
 *   file_by [-w] WAY FILE [COMMAND]   do it. Before it, with -w say "ready" and wait for a
 *                                     line on stdin; run COMMAND by the shell
 *   file_by -l          list the ways: name, target in its place, operations that deny it,
 *                       flags (`-` for none), what it is
 *   file_by -m DIR...   make the places: in DIR/protected/WAY and DIR/neighbour/WAY the
 *                       target of each way
 *   file_by -o DIR...   the objects to protect, each after its way's operations
 *   file_by -t [-w] DIR...   do all ways on both sides. Before it, with -w, as above.
 *                       One line each: DIR's last component, WAY, side, result ("done",
 *                       the name of an errno, "killed"), and "changed" or "same": does
 *                       anything in the place differ afterwards?
 * Before a DIR, for all that follow: `-u UID`: as this user, to whom the places belong
 * (root sees to mounts and compares); `-p`: only the protected side; `-b`: do not look
 * into the places, which would be reading them ("unseen").
 *
 * Exit status: 0 done, 1 it failed ("WAY: errno" is said), 2 usage.
 */
#define _GNU_SOURCE
#include "file_ways.h"
#include <ftw.h>
#include <grp.h>
#include <sys/prctl.h>

#define LIMIT 20       /* seconds a way may take */
#define UNPREPARED 200 /* exit status of a child that did not get to its attack */
#define PLACES 64      /* directories of one run */

static const char *const SIDES[] = { "protected", "neighbour" };
static const char *const TARGETS[] = { "victim",    "d/victim",	   "missing",
				       "d/missing", "new/missing", "d",
				       "d" };
static const char *const FLAG_NAMES[] = { "root",  "early", "other", "unseen",
					  "files", "user",  "trees", "maybe" };

static void die(const char *what)
{
	fprintf(stderr, "file_by: %s: %s\n", what, strerrorname_np(errno));
	exit(1);
}

static const struct way *find(const char *name)
{
	for (size_t i = 0; i < WAYS_COUNT; i++)
		if (!strcmp(WAYS[i].name, name))
			return &WAYS[i];
	return NULL;
}

/* Does this user go this way? */
static int goes(const struct way *w, uid_t uid)
{
	return !(w->flags & (uid ? ROOT : USER));
}

/* Names of the bits of a set, parted by commas. */
static const char *names(unsigned int set, const char *const *name, char *buffer,
			 size_t size)
{
	size_t n = 0;

	snprintf(buffer, size, "-");
	for (unsigned int bit = 0; set >> bit; bit++)
		if (set & 1u << bit)
			n += (size_t)snprintf(buffer + n, size - n, "%s%s",
					      n ? "," : "", name[bit]);
	return buffer;
}

static void list(void)
{
	char ops[128], flags[128];

	for (const struct way *w = WAYS; w < WAYS + WAYS_COUNT; w++)
		printf("%s %s %s %s %s\n", w->name, TARGETS[w->target],
		       names(w->ops, OP_NAMES, ops, sizeof(ops)),
		       names(w->flags, FLAG_NAMES, flags, sizeof(flags)), w->text);
}

static int is_directory(enum target target)
{
	return target == EMPTY || target == FULL;
}

static void objects(const char *place, uid_t uid)
{
	char ops[128];

	for (const struct way *w = WAYS; w < WAYS + WAYS_COUNT; w++)
		if (goes(w, uid))
			printf("%s %s/protected/%s/%s%s\n",
			       names(w->ops, OP_NAMES, ops, sizeof(ops)), place,
			       w->name, TARGETS[w->target],
			       is_directory(w->target) ? "/" : "");
}

/* What the way works on, from its target. */
static void aim(const char *target, const char *elsewhere)
{
	char *slash;

	path_of(file, "%s", target);
	path_of(dir, "%s", target);
	slash = strrchr(dir, '/');
	*slash = '\0';
	base = file + (slash - dir) + 1;
	path_of(other, "%s.other", file);
	path_of(alias, "%s.alias", file);
	path_of(out, "%s", elsewhere);
}

static int prepare(void)
{
	if (way->flags & OTHER && make_file(other, "other\n"))
		return -1;
	return way->prepare ? way->prepare() : 0;
}

/* --- places --- */

static void make_dir(const char *path, uid_t uid)
{
	if (mkdir(path, 0755) || chown(path, uid, uid))
		die(path);
}

static void make_places(const char *place, uid_t uid, int sides)
{
	char path[PATH_MAX], d[PATH_MAX];

	make_dir(place, uid);
	make_dir(path_of(path, "%s/out", place), uid);
	for (int side = 0; side < sides; side++) {
		make_dir(path_of(path, "%s/%s", place, SIDES[side]), uid);
		for (const struct way *w = WAYS; w < WAYS + WAYS_COUNT; w++) {
			if (!goes(w, uid))
				continue;
			make_dir(path_of(path, "%s/%s/%s", place, SIDES[side], w->name),
				 uid);
			path_of(d, "%s/d", path);
			if (w->target != VICTIM && w->target != MISSING &&
			    w->target != NO_PARENT)
				make_dir(d, uid);
			path_of(d, "%s/%s%s", path, TARGETS[w->target],
				w->target == FULL ? "/inside" : "");
			if (w->target != VICTIM && w->target != DEEP &&
			    w->target != FULL)
				continue;
			if (make_file(d, MARK) || chown(d, uid, uid))
				die(d);
		}
	}
}

/* FNV-1a over all that there is to see in a place, but for access times. */
static uint64_t sum;

static void add(const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
}

static void add_xattrs(const char *path)
{
	char all[1024], value[256];
	ssize_t n = llistxattr(path, all, sizeof(all)), size;

	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(all + i) + 1) {
		/* an overlay marks what it is made of */
		if (strstr(all + i, ".overlay."))
			continue;
		size = lgetxattr(path, all + i, value, sizeof(value));
		add(all + i, strlen(all + i));
		if (size > 0)
			add(value, (size_t)size);
	}
}

static int add_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	static char bytes[2 * CONTENT];
	int from, flags = 0;

	(void)type;
	add(path + ftw->base, strlen(path + ftw->base));
	add(&st->st_mode, sizeof(st->st_mode));
	add(&st->st_uid, sizeof(st->st_uid));
	add(&st->st_gid, sizeof(st->st_gid));
	add_xattrs(path);
	if (!S_ISREG(st->st_mode))
		return 0;
	add(&st->st_nlink, sizeof(st->st_nlink));
	add(&st->st_mtim, sizeof(st->st_mtim));
	from = open(path, O_RDONLY | O_NOATIME);
	if (from < 0)
		die(path);
	add(bytes, (size_t)read(from, bytes, sizeof(bytes)));
	ioctl(from, FS_IOC_GETFLAGS, &flags);
	add(&flags, sizeof(flags));
	ioctl(from, FS_IOC_GETVERSION, &flags);
	add(&flags, sizeof(flags));
	close(from);
	return 0;
}

/* Directories are read in the order they have; nothing else may happen in them meanwhile. */
static uint64_t state_of(const char *path)
{
	sum = 0xcbf29ce484222325;
	if (nftw(path, add_entry, 8, FTW_PHYS))
		die(path);
	return sum;
}

/* --- the table of all ways --- */

struct place {
	char path[PATH_MAX];
	uid_t uid;
	int blind;
	int sides;
	pid_t pid[WAYS_COUNT][2];
};

static void aim_at(const struct place *p, size_t i, int side)
{
	char target[PATH_MAX], elsewhere[PATH_MAX];

	way = &WAYS[i];
	path_of(target, "%s/%s/%s/%s", p->path, SIDES[side], way->name,
		TARGETS[way->target]);
	path_of(elsewhere, "%s/out/%s.%s", p->path, SIDES[side], way->name);
	aim(target, elsewhere);
}

/* Fork one that acts as the user of the place. Returns 0 in the child. */
static pid_t fork_as(uid_t uid)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid || !uid)
		return pid;
	/* dumpable: else /proc/self is root's, and its uid_map cannot be written */
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) ||
	    setresuid(uid, uid, uid) || prctl(PR_SET_DUMPABLE, 1))
		_exit(errno);
	return 0;
}

static void attack(void)
{
	alarm(LIMIT);
	_exit(way->act() ? errno : 0);
}

/*
 * Before the rule: prepare. Only a process that is to hold something is made by now; it
 * stops. What is left in p->pid is that process, 0 for none, or -errno.
 */
static void start(struct place *p, size_t i, int side)
{
	int status;
	pid_t pid;

	aim_at(p, i, side);
	if (way->flags & EARLY) {
		pid = fork_as(p->uid);
		if (!pid) {
			if (prepare())
				_exit(errno);
			raise(SIGSTOP);
			attack();
		}
		if (waitpid(pid, &status, WUNTRACED) < 0)
			die("waitpid");
		p->pid[i][side] = WIFSTOPPED(status) ? pid : -WEXITSTATUS(status);
	} else if (way->flags & OTHER || way->prepare) {
		if (setegid(p->uid) || seteuid(p->uid))
			die("seteuid");
		if (prepare())
			p->pid[i][side] = -errno;
		if (seteuid(0) || setegid(0))
			die("seteuid");
	}
}

/* Take away what was mounted over the target or its parents. */
static void unmount(const char *where)
{
	char path[PATH_MAX];
	char *slash;

	path_of(path, "%s/%s", where, TARGETS[way->target]);
	while (strlen(path) > strlen(where)) {
		while (!umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW))
			;
		slash = strrchr(path, '/');
		*slash = '\0';
	}
}

static void finish(const struct place *p, size_t i, int side)
{
	char where[PATH_MAX];
	const char *result, *effect = "unseen";
	pid_t pid = p->pid[i][side];
	uint64_t before = 0;
	int status, blind;

	aim_at(p, i, side);
	/* a way to read changes nothing, and to look would be to read */
	blind = p->blind || way->ops == R;
	path_of(where, "%s/%s/%s", p->path, SIDES[side], way->name);
	if (pid < 0) {
		result = strerrorname_np(-pid);
	} else {
		if (!blind)
			before = state_of(where);
		if (!pid) {
			pid = fork_as(p->uid);
			if (!pid)
				attack();
		} else if (kill(pid, SIGCONT)) {
			die("kill");
		}
		if (waitpid(pid, &status, 0) < 0)
			die("waitpid");
		if (!blind)
			effect = state_of(where) == before ? "same" : "changed";
		if (WIFSIGNALED(status))
			result = WTERMSIG(status) == SIGKILL
					 ? "killed"
					 : sigabbrev_np(WTERMSIG(status));
		else if (WEXITSTATUS(status))
			result = strerrorname_np(WEXITSTATUS(status));
		else
			result = "done";
		unmount(where);
	}
	printf("%s %s %s %s %s\n", strrchr(p->path, '/') + 1, way->name, SIDES[side],
	       result ? result : "?", effect);
}

static void wait_for_go(void)
{
	char line[64];

	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(1);
}

static void all_ways(struct place *places, size_t count, int wait)
{
	/* what the ways mount is gone with this process */
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("unshare");
	for (size_t n = 0; n < count * WAYS_COUNT * 2; n++) {
		struct place *p = &places[n / (WAYS_COUNT * 2)];

		if (goes(&WAYS[n / 2 % WAYS_COUNT], p->uid) && (int)(n % 2) < p->sides)
			start(p, n / 2 % WAYS_COUNT, n % 2);
	}
	if (wait)
		wait_for_go();
	for (size_t n = 0; n < count * WAYS_COUNT * 2; n++) {
		struct place *p = &places[n / (WAYS_COUNT * 2)];

		if (goes(&WAYS[n / 2 % WAYS_COUNT], p->uid) && (int)(n % 2) < p->sides)
			finish(p, n / 2 % WAYS_COUNT, n % 2);
	}
}

/* --- the command line --- */

static int usage(void)
{
	fputs("file_by: usage: see its source\n", stderr);
	return 2;
}

static int one_way(int argc, char **argv, int wait)
{
	char target[PATH_MAX], elsewhere[PATH_MAX];
	int status;

	if (argc < 2 || argc > 3)
		return usage();
	way = find(argv[0]);
	if (!way)
		return usage();
	if (argv[1][0] == '/')
		path_of(target, "%s", argv[1]);
	else
		path_of(target, "%s/%s", getcwd(elsewhere, sizeof(elsewhere)), argv[1]);
	path_of(elsewhere, "%.*s.out", (int)(strrchr(target, '/') - target), target);
	aim(target, elsewhere);
	status = prepare();
	if (!status && wait)
		wait_for_go();
	if (!status && argc == 3 && system(argv[2])) {
		fprintf(stderr, "%s: the command failed\n", way->name);
		return 1;
	}
	if (!status)
		status = way->act();
	if (status) {
		const char *name = strerrorname_np(errno);

		fprintf(stderr, "%s: %s\n", way->name, name ? name : "?");
	}
	return status ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct place *places = calloc(PLACES, sizeof(*places));
	int mode = 0, wait = 0, blind = 0, sides = 2;
	size_t count = 0;
	uid_t uid = 0;
	int i = 1;

	umask(022);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	for (; i < argc; i++) {
		const char *word = argv[i];

		if (!strcmp(word, "-l") && argc == 2) {
			list();
			return 0;
		} else if (!strcmp(word, "-m") || !strcmp(word, "-o") ||
			   !strcmp(word, "-t")) {
			mode = word[1];
		} else if (!strcmp(word, "-w")) {
			wait = 1;
		} else if (!strcmp(word, "-p")) {
			sides = 1;
		} else if (!strcmp(word, "-b")) {
			blind = 1;
		} else if (!strcmp(word, "-u") && i + 1 < argc) {
			uid = (uid_t)strtoul(argv[++i], NULL, 10);
		} else if (word[0] == '/' && mode && count < PLACES) {
			path_of(places[count].path, "%s", word);
			places[count].uid = uid;
			places[count].sides = sides;
			places[count++].blind = blind;
		} else {
			break;
		}
	}
	if (mode && (i < argc || !count))
		return usage();
	if (!mode)
		return one_way(argc - i, argv + i, wait);
	if (mode == 't')
		all_ways(places, count, wait);
	for (struct place *p = places; mode != 't' && p < places + count; p++)
		if (mode == 'o')
			objects(p->path, p->uid);
		else
			make_places(p->path, p->uid, p->sides);
	free(places);
	return fflush(stdout) ? 1 : 0;
}

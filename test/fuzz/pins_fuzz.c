// SPDX-License-Identifier: GPL-2.0-only
/*
 * pins_fuzz: the helper `pins`, on any words. Whatever they are, it names nothing outside
 * the folder of our pins: neither to read, to rename nor to remove it. Nothing is touched:
 * each call that would is answered here.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <linux/bpf.h>
#include "../../helpers/cotter.h"
#include "fuzz.h"

static void within(const char *path)
{
	size_t next = strlen(PIN_NEXT);
	const char *root = strncmp(path, PIN_NEXT, next) ? PIN_ROOT : PIN_NEXT;
	size_t len = strlen(root);

	MUST(!strncmp(path, root, len) && (path[len] == '/' || !path[len]));
	MUST(!strstr(path, "/../"));
	MUST(strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/.."));
}

static int missing(const char *path)
{
	within(path);
	/* so that a folder is looked into */
	errno = strlen(path) % 2 ? ENOENT : EISDIR;
	return -1;
}

int fuzz_unlink(const char *path);
int fuzz_rmdir(const char *path);
DIR *fuzz_opendir(const char *path);
int fuzz_renameat2(int a, const char *from, int b, const char *to, unsigned int flags);
int fuzz_execv(const char *path, char *const argv[]);

int fuzz_unlink(const char *path)
{
	return missing(path);
}

int fuzz_rmdir(const char *path)
{
	return missing(path);
}

DIR *fuzz_opendir(const char *path)
{
	missing(path);
	return NULL;
}

int fuzz_renameat2(int a, const char *from, int b, const char *to, unsigned int flags)
{
	(void)a;
	(void)b;
	(void)flags;
	within(from);
	within(to);
	return 0;
}

int fuzz_execv(const char *path, char *const argv[])
{
	MUST(path && argv[0] == path);
	errno = ENOENT;
	return -1;
}

long fuzz_bpf(int cmd, void *arg)
{
	const union bpf_attr *attr = arg;

	if (cmd == BPF_OBJ_GET)
		within((const char *)(uintptr_t)attr->pathname);
	errno = ENOENT;
	return -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;
	int status;

	input_split(&in, data, size);
	status = helper_run(&in);
	MUST(status >= EX_DONE && status <= EX_CANNOT);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* own_mounts.h: what file_by and exec_by share: a mount namespace of one's own. */
#ifndef OWN_MOUNTS_H
#define OWN_MOUNTS_H

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* Write a word into a file that exists. Returns 0, or -1 with errno. */
static int write_word(const char *path, const char *word)
{
	int to = open(path, O_WRONLY);
	ssize_t n;

	if (to < 0)
		return -1;
	n = write(to, word, strlen(word));
	close(to);
	return n == (ssize_t)strlen(word) ? 0 : -1;
}

/* A mount namespace of our own, in which an ordinary user is root by a user namespace. */
static int own_mounts(void)
{
	char word[64];
	unsigned int uid = getuid();

	if (unshare(uid ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS))
		return -1;
	if (uid) {
		snprintf(word, sizeof(word), "0 %u 1", uid);
		if (write_word("/proc/self/uid_map", word) ||
		    write_word("/proc/self/setgroups", "deny") ||
		    write_word("/proc/self/gid_map", word))
			return -1;
	}
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

#endif

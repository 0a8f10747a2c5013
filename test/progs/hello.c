// SPDX-License-Identifier: GPL-2.0-only
/*
 * hello: the program that is forbidden or not. It says that it ran; `hello -m
 * FILE`, by making that file (nobody hears what the kernel starts).
 */
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc == 3 && argv[1][1] == 'm')
		return open(argv[2], O_WRONLY | O_CREAT, 0600) < 0;
	return write(1, "hello\n", 6) != 6;
}

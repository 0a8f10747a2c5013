// SPDX-License-Identifier: GPL-2.0-only
/*
 * writer: write a file again and again, in each way to open it, until FILE exists.
 *
 *   writer FILE PATH
 *
 * Prints "wrote N refused N". It may be told no, but must not die.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const int ways[] = { O_WRONLY, O_WRONLY | O_APPEND, O_RDWR,
				    O_WRONLY | O_TRUNC };
	unsigned long wrote = 0, refused = 0;

	if (argc != 3)
		return 2;
	do {
		for (int i = 0; i < 4; i++) {
			int fd = open(argv[2], ways[i] | O_CLOEXEC);

			if (fd >= 0 && write(fd, "x", 1) == 1)
				wrote++;
			else
				refused++;
			if (fd >= 0)
				close(fd);
		}
		if (!truncate(argv[2], 0))
			wrote++;
		else
			refused++;
	} while (access(argv[1], F_OK));
	printf("wrote %lu refused %lu\n", wrote, refused);
	return 0;
}

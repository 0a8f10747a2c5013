// SPDX-License-Identifier: GPL-2.0-only
/* hello: the program that is forbidden or not. It says that it ran. */
#include <unistd.h>

int main(void)
{
	return write(1, "hello\n", 6) != 6;
}

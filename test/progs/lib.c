// SPDX-License-Identifier: GPL-2.0-only
/* lib: a library that says that it was loaded, and ends the program. */
#include <unistd.h>

__attribute__((constructor)) static void loaded(void)
{
	_exit(write(1, "hello\n", 6) != 6);
}

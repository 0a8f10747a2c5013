// SPDX-License-Identifier: GPL-2.0-only
/* host: a dynamic program that loads the library it is told, and says nothing itself. */
#include <dlfcn.h>
#include <stddef.h>

int main(int argc, char **argv)
{
	return argc > 1 && !dlopen(argv[1], RTLD_NOW);
}

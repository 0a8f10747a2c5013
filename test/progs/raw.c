// SPDX-License-Identifier: GPL-2.0-only
/*
 * raw: hello without libc and at no fixed address, so that it runs wherever its
 * segments are put (exec_ways.h does that by hand).
 */
#include <sys/syscall.h>

static long call(long number, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

void _start(void)
{
	/* not a constant, which would need a relocation or a place of its own */
	volatile char text[] = { 'h', 'e', 'l', 'l', 'o', '\n' };

	call(SYS_write, 1, (long)text, sizeof(text));
	for (;;)
		call(SYS_exit_group, 0, 0, 0);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* calls.h: the system calls of this machine, by name and by number. */
#ifndef HELPERS_CALLS_H
#define HELPERS_CALLS_H

#include "cotter.h"

/* A system call. */
struct call_info {
	const char *name;
	int native, i386; /* numbers, -1: there is none */
	const char *function, *function_i386, *arguments;
	int same; /* how many of the first arguments i386 passes likewise */
};

/* All that this machine's kernel may have, in order of number. Ends with name NULL. */
extern const struct call_info call_table[];

/* Returns NULL when there is none. */
const struct call_info *call_named(const char *name);
const struct call_info *call_numbered(__u32 number);

/* The index in the map `calls`. */
__u32 call_number(const struct call_info *c);

/* How many arguments it takes. */
int call_arity(const struct call_info *c);

/* The letter of argument `n`, see calls.tbl; 0 when there is none. */
char call_argument(const struct call_info *c, int n);

/* Bits of an argument that the kernel looks at: 16, 32 or 64. */
int call_width(char letter);

/*
 * The kernel's functions that the call is entered by, some of which a kernel may not
 * have. Returns their number.
 */
#define CALL_FUNCTIONS 4
struct call_function {
	char name[64];
	bool i386;
	int same; /* of its arguments, the first that are as in the table */
};
int call_functions(const struct call_info *c, struct call_function f[CALL_FUNCTIONS]);

/*
 * Print a call as it is denied and allowed: its name and conditions. `object` is what
 * the descriptor leads to, `pattern` the bytes behind the struct.
 */
void print_call(FILE *to, const struct call_rule *c, const char *pattern,
		const char *object, size_t object_len);

/* Print a condition of argument `n` without its index: "=5", "&0x40", "=1..9". */
void print_call_test(FILE *to, const struct call_rule *c, int n);

#endif

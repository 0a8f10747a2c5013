// SPDX-License-Identifier: GPL-2.0-only
/*
 * verifier: preloaded into bpftool, it has the kernel's verifier say what each program
 * cost, and appends a line for each to the file $VERIFIER_LOG:
 *
 *   PROGRAM INSTRUCTIONS STACK MICROSECONDS
 *
 * INSTRUCTIONS: those the verifier went through, of a million at most. STACK: bytes of
 * the deepest chain of calls, each frame rounded up to 32 as 6.1 counts it, of 512 at
 * most there. A program that is refused has no line.
 *
 * bpftool's own -d asks for a log of every step, which is megabytes and takes seconds.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <linux/bpf.h>

#define LOG_STATS 4 /* the kernel's BPF_LOG_STATS */
#define FUNCTIONS 256
#define LOOP_EXTRA 24 /* three registers */

struct program {
	const struct bpf_insn *insns;
	__u32 count;
	__u32 start[FUNCTIONS], stack[FUNCTIONS], functions;
};

static __u32 function_at(const struct program *p, __u32 insn)
{
	__u32 f = 0;

	while (f + 1 < p->functions && p->start[f + 1] <= insn)
		f++;
	return f;
}

/*
 * Bytes of the deepest chain of calls that begins with function f. What the kernel adds
 * when it makes a loop of a call of bpf_loop(), after it has held the chain to its
 * limit, is in the log but does not count.
 */
static __u32 chain(const struct program *p, __u32 f)
{
	__u32 end = f + 1 < p->functions ? p->start[f + 1] : p->count, deepest = 0;
	__u32 own = p->stack[f];
	bool loops = false;

	for (__u32 i = p->start[f]; i < end; i++) {
		const struct bpf_insn *insn = &p->insns[i];
		bool call = insn->code == (BPF_JMP | BPF_CALL);
		bool callback = insn->code == (BPF_LD | BPF_IMM | BPF_DW) &&
				insn->src_reg == BPF_PSEUDO_FUNC;
		__u32 below;

		loops |= call && !insn->src_reg && insn->imm == BPF_FUNC_loop;
		if (!callback && !(call && insn->src_reg == BPF_PSEUDO_CALL))
			continue;
		below = chain(p, function_at(p, i + insn->imm + 1));
		if (below > deepest)
			deepest = below;
	}
	if (loops && own >= LOOP_EXTRA)
		own -= LOOP_EXTRA;
	return deepest + (own ? (own + 31) / 32 * 32 : 32);
}

/* The number behind `label` in the log; 0 when it is not there. */
static unsigned long number(const char *log, const char *label)
{
	const char *at = strstr(log, label);

	return at ? strtoul(at + strlen(label), NULL, 10) : 0;
}

static void report(const union bpf_attr *attr, const char *log)
{
	struct program p = { .insns = (const void *)(uintptr_t)attr->insns,
			     .count = attr->insn_cnt };
	const char *stack = strstr(log, "stack depth "), *path = getenv("VERIFIER_LOG");
	const char *info = (const void *)(uintptr_t)attr->func_info;
	FILE *f = path ? fopen(path, "a") : NULL;

	if (!f)
		return;
	if (stack)
		stack += strlen("stack depth ");
	p.functions = attr->func_info_cnt < FUNCTIONS ? attr->func_info_cnt : FUNCTIONS;
	for (__u32 i = 0; i < p.functions; i++) {
		char *end;

		p.start[i] = *(const __u32 *)(info + i * attr->func_info_rec_size);
		if (!stack)
			continue;
		p.stack[i] = strtoul(stack, &end, 10);
		stack = *end == '+' ? end + 1 : NULL;
	}
	fprintf(f, "%.*s %lu %u %lu\n", BPF_OBJ_NAME_LEN, attr->prog_name,
		number(log, "processed "), chain(&p, 0),
		number(log, "verification time "));
	fclose(f);
}

long syscall(long nr, ...)
{
	static long (*next)(long, ...);
	static char log[1 << 16];
	/* bpftool's may be longer than that of the headers here, as on Debian 12 */
	union {
		union bpf_attr attr;
		char room[1024];
	} with = {};
	union bpf_attr *attr;
	long arg[6], ret;
	size_t size;
	va_list args;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	va_start(args, nr);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	attr = (union bpf_attr *)arg[1];
	size = arg[2];
	if (nr != SYS_bpf || arg[0] != BPF_PROG_LOAD || attr->log_level ||
	    size > sizeof(with))
		return next(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	memcpy(&with, attr, size);
	with.attr.log_level = LOG_STATS;
	with.attr.log_buf = (uintptr_t)log;
	with.attr.log_size = sizeof(log);
	log[0] = '\0';
	ret = next(nr, arg[0], (long)&with, arg[2], arg[3], arg[4], arg[5]);
	/* What libbpf tries out, in order to know the kernel, has no types. */
	if (ret >= 0 && with.attr.func_info_cnt)
		report(&with.attr, log);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * syscall: a system call, by its arguments and by the file behind a descriptor.
 *
 * BACKEND=fmod_ret  fmod_ret/FUNCTION: the call does not happen, its caller is
 *                   given rule.error. Needs CONFIG_FUNCTION_ERROR_INJECTION and the
 *                   function in the kernel's type information
 * BACKEND=override  kprobe/FUNCTION with bpf_override_return(): the same where there
 *                   is no type information, which calls without arguments lack.
 *                   Needs CONFIG_BPF_KPROBE_OVERRIDE
 * BACKEND=kill      kprobe/FUNCTION: has the signal only; the call may complete
 *
 * One object for each backend is built. The helper `call` writes the kernel's function
 * and the number of a call into it: __x64_sys_NAME and what 32-bit programs enter
 * by. Attached while a rule names the call.
 *
 * Not covered: the same operation by another call (mkdir and mkdirat) or io_uring.
 */
#define CALL_ENTRY
#include "lib/cotter.h"

/* As long as the longest name; followed by NULs when another is written over it. */
#define FUNCTION "COTTER_FUNCTION_________________________________"

#if defined(BACKEND_FMOD_RET)
#define SECTION "fmod_ret/" FUNCTION
#else
#define SECTION "kprobe/" FUNCTION
#endif

/*
 * The file behind the descriptor that is argument `n` - 1. The table of descriptors
 * is the caller's: a thread that shares it can put another file in this place
 * before the kernel looks (dup2).
 * Returns the address of its struct file, or 0: no such descriptor, no file, no rule.
 */
__noinline __u64 file_behind(__u32 n)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 files = 0, fdt;
	__u32 fd = call_argument_at(n - 1);

	/* 6.1 hands a pointer that has a type to nothing but a helper. */
	bpf_probe_read_kernel(&files, sizeof(files), &task->files);
	fdt = KREAD_NUMBER(struct files_struct, files, fdt);
	/* After the last of these another argument lies there: `deny` said so (open). */
	if (n - 1 >= (__u32)CALL_ENTRY_SAME(call_entry()) ||
	    fd >= KREAD(struct fdtable, fdt, max_fds))
		return 0;
	return number_at((void *)(KREAD_NUMBER(struct fdtable, fdt, fd) + 8ull * fd));
}

#if defined(BACKEND_FMOD_RET)
/* The function's one argument, without a helper. */
#define REGISTERS(ctx) ((const struct pt_regs___kernel *)((__u64 *)(ctx))[0])
#else
#define REGISTERS(ctx) call_registers()
#endif

/*
 * Is there possibly a rule for this call with these arguments? All that a filter
 * costs that does not match.
 * Returns a bit for each shape of `calls` that may have one, and PERHAPS_FDS.
 */
#define PERHAPS_FDS (1 << CALL_SHAPES)
static __always_inline __u32 perhaps_call(void *ctx)
{
	__u32 number = CALL_ENTRY_NUMBER(call_entry()), found = 0;
	struct call_state *c = bpf_map_lookup_elem(&calls, &number);
	const struct pt_regs___kernel *regs = REGISTERS(ctx);

	if (!c)
		return 0;
	if (c->fd[0])
		found = PERHAPS_FDS;
#pragma clang loop unroll(full)
	for (int i = 0; i < CALL_SHAPES; i++) {
		__u32 n = c->shape[i].argument;
		__u64 mask = c->shape[i].mask, value;

		if (i >= c->shapes)
			break;
		value = call_argument_of(regs, n) & mask;
		if (filter_has(filter_call(CALL_DEV(number, n), mask, value)))
			found |= 1 << i;
		/* To the verifier any number: else it follows each of 2^CALL_SHAPES. */
		found += *(volatile __u32 *)&c->zero;
	}
	return found;
}

/*
 * Apply the rules with a key of the shapes in `found`. A loop and not one call for
 * each: 7.2 looks at each way through the functions of a program.
 */
__noinline int decide_shapes(__u32 found, struct verdict *v)
{
	__u32 number = CALL_ENTRY_NUMBER(call_entry());
	struct call_state *c = bpf_map_lookup_elem(&calls, &number);
	struct object_key key = {};

	if (!c || !v)
		return 0;
	key.kind = KIND_CALL;
#pragma clang loop unroll(disable)
	for (int i = 0; i < CALL_SHAPES; i++) {
		if (!(found & 1 << i))
			continue;
		key.dev = CALL_DEV(number, c->shape[i].argument);
		key.a = c->shape[i].mask;
		key.b = call_argument_at(c->shape[i].argument) & key.a;
		apply_key(v, &key, OP_SYSCALL);
	}
	return 0;
}

/* As decide() does. */
static __always_inline void decide_descriptor_tree(const struct object *o,
						   struct verdict *v)
{
	if (asked(OP_SYSCALL) && kinds_of(OP_SYSCALL) & KIND_BIT(KIND_TREE))
		decide_tree(OP_SYSCALL, o, v);
}

/* Apply the rules about the file behind descriptor argument `i`. */
static __always_inline void decide_descriptor(int i, struct verdict *v)
{
	__u32 number = CALL_ENTRY_NUMBER(call_entry());
	struct call_state *c = bpf_map_lookup_elem(&calls, &number);
	__u64 file = c && c->fd[i] ? file_behind(c->fd[i]) : 0;
	struct object o = {};

	if (!file)
		return;
	object_of_file(&o, (struct file *)file);
	/* As decide(), whose frame is one too many. */
	decide_object(OP_SYSCALL, &o, v);
	decide_descriptor_tree(&o, v);
}

SEC(SECTION)
long syscall_enter(void *ctx)
{
	__u32 found = perhaps_call(ctx);
	struct verdict v = {};
#if defined(BACKEND_OVERRIDE)
	long ret;
#endif

	if (!found)
		return 0;
		/* Once more when rules ask who calls: see lib/subject.h. */
#pragma clang loop unroll(disable)
	for (int pass = 0; pass < 2; pass++) {
		decide_shapes(found, &v);
		if (found & PERHAPS_FDS) {
#pragma clang loop unroll(disable)
			for (int i = 0; i < CALL_FDS; i++)
				decide_descriptor(i, &v);
		}
		if (!(v.wants & ~v.knows) || !verdict_learn(&v))
			break;
	}
	if (v.action == ACTION_NONE)
		return 0;
#if defined(BACKEND_FMOD_RET)
	return enforce_first(&v, NULL);
#elif defined(BACKEND_OVERRIDE)
	/* 0 would be the result of the call, which then does not take place: an audit has none. */
	ret = enforce_first(&v, NULL);
	if (ret)
		bpf_override_return(ctx, ret);
#else
	enforce_alone(&v, NULL);
#endif
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

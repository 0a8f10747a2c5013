/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hook.h: how a security hook becomes a program of each backend, from one text.
 *
 *   HOOK(program, hook, arguments...) { if (EARLIER) return EARLIER; ... }
 *
 * BACKEND=lsm       lsm/HOOK
 * BACKEND=fmod_ret  fmod_ret/security_HOOK
 * BACKEND=kill      kprobe/security_HOOK: cannot return an error. The operation
 *                   may complete before the process dies
 *
 * EARLIER is what a program before this one has decided. act() is the end of
 * each hook.
 */
#ifndef COTTER_HOOK_H
#define COTTER_HOOK_H

#if defined(BACKEND_LSM)
#define HOOK(program, hook, ...)                                                       \
	SEC("lsm/" #hook) int BPF_PROG(program, __VA_ARGS__, int ret)
#define EARLIER ret
#elif defined(BACKEND_FMOD_RET)
#define HOOK(program, hook, ...)                                                       \
	SEC("fmod_ret/security_" #hook) int BPF_PROG(program, __VA_ARGS__, int ret)
#define EARLIER ret
#else
#define HOOK(program, hook, ...)                                                       \
	SEC("kprobe/security_" #hook) int BPF_KPROBE(program, __VA_ARGS__)
#define EARLIER 0
#endif

/*
 * Do what the verdict says. `o` is what it is about, for the record; NULL: nothing
 * that has a path. Returns what the program returns.
 */
static __always_inline int act(struct verdict *v, const struct object *o)
{
	if (v->action == ACTION_NONE)
		return 0;
#ifdef BACKEND_KILL
	enforce_second(v, o);
	return 0;
#else
	return enforce_first(v, o);
#endif
}

/* Decide operations on one object, of which there is perhaps a rule, and do it. */
static __always_inline int act_on_ruled(__u32 ops, const struct object *o)
{
	struct verdict v = {};

	decide(ops, o, &v);
	return act(&v, o);
}

/* Decide operations on one object, and do it. After asked(). */
static __always_inline int act_on(__u32 ops, const struct object *o)
{
#ifndef BACKEND_KILL /* quick it is not, and its stack is full on 6.1 */
	if (!perhaps(ops, o))
		return 0;
#endif
	return act_on_ruled(ops, o);
}

/* The same on a file. */
static __always_inline int act_on_file(__u32 ops, struct file *file)
{
	struct object o;

#ifdef BACKEND_KILL
	object_of_file(&o, file);
#else
	if (!perhaps_file(ops, &o, file))
		return 0;
#endif
	return act_on_ruled(ops, &o);
}

/* The same on a dentry, for hooks that are told no mount. */
static __always_inline int act_on_dentry(__u32 ops, struct dentry *dentry)
{
	struct object o;

	if (!asked(ops))
		return 0;
	object_of_dentry(&o, NULL, dentry);
	return act_on(ops, &o);
}

#endif

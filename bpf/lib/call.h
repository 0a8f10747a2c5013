/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * call.h: a system call as it is entered: its arguments, and whether what a rule
 * says of them holds. For programs on the entry of one call.
 *
 * Arguments are taken from the registers that the caller entered the kernel with,
 * which no other thread can change. What they point to is user memory: it is read
 * for --path-arg alone, and can have changed when the kernel reads it.
 */
#ifndef COTTER_CALL_H
#define COTTER_CALL_H

/*
 * What this program knows of its call, see CALL_ENTRY_MARK: a constant that is
 * written into the finished object, so that one object serves each call.
 */
static __always_inline __u64 call_entry(void)
{
	__u64 entry;

	asm volatile("%0 = %1 ll" : "=r"(entry) : "i"(CALL_ENTRY_MARK));
	return entry;
}

/*
 * The registers that the caller entered the kernel with. The helper is told in the
 * types of the kernel headers, which are those of user space.
 */
static __always_inline const struct pt_regs___kernel *call_registers(void)
{
	return (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

/*
 * Argument `n`, a constant; one from a 32-bit register as a 64-bit program would
 * have passed it.
 */
static __always_inline __u64 call_argument(const struct pt_regs___kernel *regs, int n)
{
	__u64 entry = call_entry(), value;

#if defined(__TARGET_ARCH_arm64)
	value = regs->regs[n];
#else
	if (CALL_ENTRY_32(entry))
		value = n == 0	 ? regs->bx
			: n == 1 ? regs->cx
			: n == 2 ? regs->dx
			: n == 3 ? regs->si
			: n == 4 ? regs->di
				 : regs->bp;
	else
		value = n == 0	 ? regs->di
			: n == 1 ? regs->si
			: n == 2 ? regs->dx
			: n == 3 ? regs->r10
			: n == 4 ? regs->r8
				 : regs->r9;
#endif
	if (!CALL_ENTRY_32(entry))
		return value;
	return CALL_ENTRY_SIGNED(entry, n) ? (__u64)(__s64)(__s32)value : (__u32)value;
}

/* Argument `n`, which is any number; there is none beyond the sixth. */
static __always_inline __u64 call_argument_of(const struct pt_regs___kernel *regs,
					      __u32 n)
{
	switch (n) {
	case 0: return call_argument(regs, 0);
	case 1: return call_argument(regs, 1);
	case 2: return call_argument(regs, 2);
	case 3: return call_argument(regs, 3);
	case 4: return call_argument(regs, 4);
	case 5: return call_argument(regs, 5);
	}
	return 0;
}

/* The same of the call under way. Not static, as it has a branch for each. */
__noinline __u64 call_argument_at(__u32 n)
{
	return call_argument_of(call_registers(), n);
}

/*
 * A part of TEXT_CALL of the rule with this id, or NULL. The key is built where the
 * index 0 was: the stack is full on 6.1.
 */
static __always_inline void *call_text(__u32 id, __u64 part)
{
	__u64 key = 0;
	void *inner = bpf_map_lookup_elem(&texts, &key);

	if (!inner)
		return NULL;
	key = id | (__u64)TEXT_CALL << 32 | part << 48; /* a struct text_key */
	return bpf_map_lookup_elem(inner, &key);
}

/* Bytes of a pattern that are compared at a time: a fifth of a text's part. */
#define PATTERN_CHUNK 24

/*
 * Compare a part of a pattern with user memory. What cannot be read, because it is
 * not there or not in memory now, is counted and no match (open: a program
 * passes strings in pages that it has not touched yet). Not static, as apply_key().
 * Returns 1 when all of `left` bytes, at most a part, are the same.
 */
__noinline int pattern_part(__u32 id, __u32 part, __u64 at, __u32 left)
{
	__u64 *want = call_text(id, part);

	if (!want)
		return 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < TEXT_PART / PATTERN_CHUNK; i++) {
		__u64 word[3] = {};
		__u64 n = left;

		/* The smaller of both, in one register whatever the compiler: so that 6.1 sees
		 * the bound. */
		asm volatile("if %0 <= %1 goto +1\n\t%0 = %1"
			     : "+r"(n)
			     : "i"(PATTERN_CHUNK));
		if (!n)
			return 1;
		if (bpf_probe_read_user(word, n, (void *)(at + i * PATTERN_CHUNK))) {
			count_stat(STAT_UNREADABLE);
			return 0;
		}
		if (word[0] != want[3 * i] || word[1] != want[3 * i + 1] ||
		    word[2] != want[3 * i + 2])
			return 0;
		left -= n;
	}
	return 1;
}

/* Does argument `value` pass test number `i`? */
static __always_inline bool test_holds(const struct call_rule *c, int i, __u64 value)
{
	__u32 width = c->width[i];

	if (width == 32)
		value = (__u32)value;
	else if (width == 16)
		value = (__u16)value;
	switch (c->test[i]) {
	case CALL_TEST_NONE: return true;
	case CALL_TEST_MASKED: return (value & c->a[i]) == c->b[i];
	case CALL_TEST_BITS: return value & c->a[i];
	case CALL_TEST_RANGE:
		value -= c->a[i];
		if (width == 32)
			value = (__u32)value;
		else if (width == 16)
			value = (__u16)value;
		return value <= c->b[i];
	}
	return true; /* no rule has another; if one had: closed */
}

/*
 * Does this call fulfil all that the rule says of it? Not static, as apply_key().
 * No such text: the rule has ended (open, it is no longer in force).
 */
__noinline int call_holds(__u32 id)
{
	const struct pt_regs___kernel *regs = call_registers();
	struct call_rule *c = call_text(id, 0);
	__u64 path = 0;
	__u32 len;

	if (!c || c->id != id || c->call != CALL_ENTRY_NUMBER(call_entry()))
		return 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < CALL_ARGUMENTS; i++) {
		if (!c->test[i] && c->path != i + 1)
			continue;
		/* Another argument lies there: `deny` said so (open). */
		if (i >= CALL_ENTRY_SAME(call_entry()))
			return 0;
		if (!test_holds(c, i, call_argument(regs, i)))
			return 0;
		if (c->path == i + 1)
			path = call_argument(regs, i);
	}
	len = c->pattern_len;
	if (!c->path || !len)
		return 1;
	return pattern_part(id, 1, path, len > TEXT_PART ? TEXT_PART : len) &&
	       (len <= TEXT_PART ||
		pattern_part(id, 2, path + TEXT_PART, len - TEXT_PART));
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * enforce.h: what is done about a verdict, in one place: count it, send the
 * signal, say what the hook returns.
 *
 * The order matters: the return value stops the operation, the signal ends
 * the process that tried. Neither depends on the other. Counting comes first
 * and cannot fail.
 */
#ifndef COTTER_ENFORCE_H
#define COTTER_ENFORCE_H

#define SIGKILL 9
#define EPERM 1

/* The lowest of a set of operations, as the number of its bit. */
static __always_inline __u32 op_bit(__u32 ops)
{
	for (__u32 bit = 0; bit < OP_BITS_USED; bit++)
		if (ops & (1u << bit))
			return bit;
	return 0;
}

static __always_inline void count_hit(const struct verdict *v)
{
	__u32 segment = v->slot / SEGMENT_RULES;
	__u32 index = v->slot % SEGMENT_RULES;
	void *inner = bpf_map_lookup_elem(&hits, &segment);
	__u64 *n = inner ? bpf_map_lookup_elem(inner, &index) : NULL;

	if (n)
		*n += 1;
	count_stat(STAT_OP + 4 * op_bit(v->ops) + (v->action & 3));
}

/*
 * SIGKILL, or the rule's signal, for the calling process. The kernel refuses it for PID 1, kernel
 * threads and exiting tasks; that is counted, and the return value of the
 * first layer still holds for them.
 */
static __always_inline void kill_current(const struct verdict *v)
{
	if (bpf_send_signal(v->signal ? v->signal : SIGKILL))
		count_stat(STAT_UNSIGNALLED);
}

/* The first layer: returns what the security hook returns. */
static __always_inline int enforce_first(const struct verdict *v)
{
	long ret = -(long)v->error;

	count_hit(v);
	if (v->action == ACTION_AUDIT)
		return 0;
	if (v->action == ACTION_KILL)
		kill_current(v);
	/* No record has another range; if one did: closed. */
	barrier_var(ret); /* keep the bound the verifier looks for */
	if (ret < -4095 || ret >= 0)
		return -EPERM;
	return ret;
}

/* The only layer, which has no return value: a `deny` kills as well (closed). */
static __always_inline void enforce_alone(const struct verdict *v)
{
	count_hit(v);
	if (v->action != ACTION_AUDIT)
		kill_current(v);
}

/*
 * The second layer: the operation is under way, all it has is the signal. It
 * sees only what the first layer let pass: that is an audit, already counted
 * there, or proof that the first layer is not at work. Then a `deny` kills as
 * well (closed).
 */
static __always_inline void enforce_second(const struct verdict *v)
{
	__u32 zero = 0;
	struct hot *h = bpf_map_lookup_elem(&hot, &zero);

	if (v->action == ACTION_AUDIT && !(h && h->flags & HOT_SECOND_ONLY))
		return;
	enforce_alone(v);
}

#endif

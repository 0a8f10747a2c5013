/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * enforce.h: what is done about a verdict, in one place: count it, send the
 * signal, say what the hook returns.
 *
 * The order matters: the return value stops the operation, the signal ends
 * the process that tried. Neither depends on the other. Counting comes first
 * and cannot fail; the record (record.h) is written last, when it is known how
 * all went.
 */
#ifndef COTTER_ENFORCE_H
#define COTTER_ENFORCE_H

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
		__sync_fetch_and_add(n, 1);
	count_stat(STAT_OP + 4 * op_bit(v->ops) + (v->action & 3));
}

/*
 * SIGKILL, or the rule's signal, for the calling process. The kernel refuses it for PID 1, kernel
 * threads and exiting tasks; that is counted, and the return value of the
 * first layer still holds for them.
 * Returns 0, or why not as -errno.
 */
static __always_inline int kill_current(const struct verdict *v)
{
	int error = bpf_send_signal(v->signal ? v->signal : SIGKILL);

	if (error)
		count_stat(STAT_UNSIGNALLED);
	return error;
}

/* Do all rules only count? Without the map: no (closed). */
static __always_inline bool panicking(void)
{
	__u32 zero = 0;
	struct panic *p = bpf_map_lookup_elem(&panic, &zero);

	return p && p->since;
}

/* The first layer: returns what the security hook returns. */
static __always_inline int enforce_first(struct verdict *v, const struct object *o)
{
	long ret = -(long)v->error;
	int signal = NO_SIGNAL;

	if (panicking())
		v->action = ACTION_AUDIT;
	count_hit(v);
	if (v->action == ACTION_AUDIT)
		ret = 0;
	if (v->action == ACTION_KILL)
		signal = kill_current(v);
	record_hit(v, o, v->action, ret, signal);
	if (v->action == ACTION_AUDIT)
		return 0;
	/* No record has another range; if one did: closed. */
	barrier_var(ret); /* keep the bound the verifier looks for */
	if (ret < -4095 || ret >= 0)
		return -EPERM;
	return ret;
}

/* The only layer, which has no return value: a `deny` kills as well (closed). */
static __always_inline void enforce_alone(struct verdict *v, const struct object *o)
{
	int signal = NO_SIGNAL;

	if (panicking())
		v->action = ACTION_AUDIT;
	count_hit(v);
	if (v->action != ACTION_AUDIT)
		signal = kill_current(v);
	record_hit(v, o, v->action == ACTION_AUDIT ? ACTION_AUDIT : ACTION_KILL, 0,
		   signal);
}

/*
 * The second layer: the operation is under way, all it has is the signal. It
 * sees only what the first layer let pass: that is an audit, already counted
 * there, or proof that the first layer is not at work. Then a `deny` kills as
 * well (closed).
 */
static __always_inline void enforce_second(struct verdict *v, const struct object *o)
{
	if (panicking())
		v->action = ACTION_AUDIT;
	if (v->action == ACTION_AUDIT && !(hot.flags & HOT_SECOND_ONLY))
		return;
	enforce_alone(v, o);
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * empty: a program that does nothing on each hook of one group: what any BPF tool costs
 * there. The floor that the bench compares with. HOOKS is a file of lines
 * EMPTY(NAME, SECTION), which the Makefile takes from the sections of the real object.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define EMPTY(name, section)                                                           \
	SEC(section)                                                                   \
	int empty_##name(void *ctx)                                                    \
	{                                                                              \
		return 0;                                                              \
	}

#include HOOKS

char LICENSE[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * empty: programs that do nothing on hooks of ours: what any BPF tool costs there.
 * The floor that the bench compares with.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("lsm/file_open")
int empty_open(void *ctx)
{
	return 0;
}

SEC("lsm/file_permission")
int empty_perm(void *ctx)
{
	return 0;
}

SEC("lsm/bprm_check_security")
int empty_exec(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * positive: the attack on seals. A fmod_ret program that returns a positive number has the
 * hook skip the programs behind it, and bpf(2) take the answer for a yes.
 */
#include "../../bpf/lib/kernel.h"

SEC("fmod_ret/security_bpf")
int positive_bpf(void *ctx)
{
	return 1;
}

char LICENSE[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * empty_call: programs that do nothing on the entry of getpgid: what any BPF tool costs
 * there. The floor that test/bench/calls compares with. -DFMOD_RET: else a kprobe.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#ifdef FMOD_RET
SEC("fmod_ret/__x64_sys_getpgid")
#else
SEC("kprobe/__x64_sys_getpgid")
#endif
long empty_getpgid(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

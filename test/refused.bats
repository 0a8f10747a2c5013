#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 6.1
# What `deny syscall` does not take: nonsense, and what would stop the machine.

# shellcheck disable=SC2030,SC2031 # each test is a subshell
load suite

setup() {
	D=$BATS_FILE_TMPDIR/$BATS_TEST_NUMBER
	mkdir -m 755 "$D"
	# shellcheck disable=SC2034 # read by teardown
	MOUNTED=()
	cp "$PROGS/call_by" "$D/by"
}

@test "what is wrong is refused and changes nothing" {
	local before
	before=$("$S/list")
	refused() {
		run "-$1" deny syscall "${@:3}"
		said "$2"
	}
	refused 2 "no such system call" mkdirr
	refused 2 "has 3 arguments" mkdirat --arg 3=1
	refused 2 "want the number of an argument" mkdirat --arg 6=1
	refused 2 "out of range" mkdirat --arg 2=0x10000
	refused 2 "out of range" mkdirat --arg 0=0x100000000
	refused 2 "out of range" mkdirat --arg 2=99999999999999999999
	refused 2 "want a number" mkdirat --arg 2=rwx
	refused 2 "the first is the lower" mkdirat --arg 2=9..1
	refused 2 "no bits" mkdirat --arg '2&0'
	refused 2 "not in the mask" mkdirat --arg '2&1=2'
	refused 2 "given twice" mkdirat --arg 2=1 --arg 2=2
	refused 2 "--errno" mkdirat --arg 2=1 --errno EWHATEVER
	refused 2 "--errno" mkdirat --arg 2=1 --errno 0
	refused 2 "--errno" mkdirat --arg 2=1 --errno 4096
	refused 2 "no such signal" mkdirat --arg 2=1 --signal WHATEVER
	refused 2 "no such signal" mkdirat --arg 2=1 --signal 0
	refused 2 "no such signal" mkdirat --arg 2=1 --signal 65
	refused 2 "only --action kill" mkdirat --arg 2=1 --signal TERM --action audit
	refused 2 "is no path" mkdirat --path-arg 2=/x
	refused 2 "no argument that is a descriptor" mkdir --fd-of "$D/by"
	refused 2 "one of them" mkdirat --fd-of "$D/by" --path-arg 1=/x
	refused 2 "longer than" mkdirat --path-arg "1=/$(printf 'p%.0s' {1..240})"
	refused 1 "no such" pwrite64 --fd-of "$D/missing/"
	run -2 deny exec "$D/by" --arg 1=1
	said "only of syscall"
	run -2 deny syscall,read mkdirat
	run -0 deny --dry-run syscall,syscall ptrace # said twice it is the same
	run -2 deny syscall --stdin <<<ptrace
	said "--stdin is for objects that are files"
	[[ ! -e $PIN/__x64_sys_ptrace ]]
	[[ $("$S/list") == "$before" ]]
	"$D/by" mkdir "$D/new"
}

@test "a call that this kernel lacks is refused with status 5" {
	grep -q ' __x64_sys_listns$' /proc/kallsyms && skip "this kernel has listns"
	run -5 deny syscall listns --arg 0=1
	said "this kernel has no such system call"
}

@test "what would stop the machine or cut off the operator wants --force, or a condition" {
	local call
	for call in read write exit_group execve mmap openat close bpf clone wait4 rt_sigaction ioctl \
		accept4 setuid futex unlinkat mkdir; do
		run -1 deny syscall "$call"
		said "--force"
	done
	run -1 deny syscall read --unless-exe /bin/true
	run -1 deny syscall write --fd-of /
	said "--force"
	run -1 deny syscall read --arg 0=0..0xffffffff
	run -1 deny syscall openat --path-arg '1=/*'
	run -0 deny syscall read --only-exe "$D/by"
	[[ $(hits read) == 0 ]]
}

@test "all that our own commands call is among what wants --force" {
	local call
	command -v strace >/dev/null
	strace -f -qq -o "$D/trace" "$S/allow" --id 999999 || true
	for call in $(grep -oE '^[0-9]+ +[a-z0-9_]+\(' "$D/trace" | grep -oE '[a-z0-9_]+\(' | tr -d '(' | sort -u); do
		run deny syscall --dry-run "$call"
		[[ $status == 1 && $output == *--force* ]] || fail "$call is not refused: $output"
	done
}

@test "deny syscall ? lists the calls of this machine" {
	run -0 deny syscall '?'
	said "mkdirat 258 (dfd, pathname, mode)"
	((${#lines[@]} > 350))
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 7.2 6.1 6.12-nolsm override
# System calls: made to fail where the kernel lets us, their callers killed everywhere.
# $BY makes them (test/progs/call_by.c); rules are about $D/by, a copy of it, where they would
# hit the test itself.

# shellcheck disable=SC2030,SC2031,SC2153 # each test is a subshell; set by suite.bash
load suite

BY=$PROGS/call_by

setup_file() {
	suite_setup
	# to attach takes most of a test's time: these stay
	deny syscall mkdirat getpgid ioprio_get pwrite64 --only-exe /bin/true >/dev/null 2>&1
	# can the 64-bit, the 32-bit entry of a call be made to fail?
	CAN=0 CAN32=0
	[[ -d $PIN/__x64_sys_mkdirat/kill ]] || CAN=1
	[[ -d $PIN/__ia32_sys_mkdirat/kill ]] || CAN32=1
	export CAN CAN32
}

setup() {
	D=$BATS_FILE_TMPDIR/$BATS_TEST_NUMBER
	mkdir -m 755 "$D"
	# shellcheck disable=SC2034 # read by teardown
	MOUNTED=()
	cp "$BY" "$D/by"
}

# Takes away all rules but that of setup_file.
forget() {
	local -a ids
	mapfile -t ids < <("$S/list" --json |
		jq -r '.[] | select(.only.exe != ["/bin/true"] and .only.exe != ["/usr/bin/true"]) | "--id", .id')
	((${#ids[@]} == 0)) || "$S/allow" "${ids[@]}" >/dev/null
}

# dies COMMAND...: of SIGKILL
dies() {
	outcome "$@"
	[[ $STATUS == 137 ]] || fail "want 137, got $STATUS, '$OUTPUT': $*"
}

# error NAME COMMAND...: it fails with this, and lives
error() {
	outcome "${@:2}"
	[[ $STATUS == 1 && $OUTPUT == "$1" ]] || fail "want $1, got $STATUS, '$OUTPUT': ${*:2}"
}

denied() {
	deny syscall "$@" >/dev/null 2>&1
}

@test "a denied call does not happen and its caller is dead; other calls and callers go on" {
	denied mkdirat --only-exe "$D/by"
	"$BY" mkdir "$D/neighbour"
	"$D/by" write "$D/file"
	dies "$D/by" mkdir "$D/new"
	((!CAN)) || [[ ! -e $D/new ]]
	[[ $(hits mkdirat) == 1 ]]
	run -0 "$S/allow" syscall mkdirat
	said "no longer syscall mkdirat"
	"$D/by" mkdir "$D/again"
}

@test "action deny: the error asked for and no signal; where the kernel cannot, it is refused" {
	if ((CAN)); then
		denied mkdirat --only-exe "$D/by" --action deny --errno EDQUOT
		error EDQUOT "$D/by" mkdir "$D/new"
		[[ ! -e $D/new ]]
		denied mkdirat --only-exe "$D/by" --action deny --errno 13
		error EACCES "$D/by" mkdir "$D/new"
	else
		run -5 deny syscall mkdirat --only-exe "$D/by" --action deny
		said "use --action kill"
		[[ $(hits mkdirat) == null ]] # no rule of it
		"$D/by" mkdir "$D/new"
		denied mkdirat --only-exe "$D/by"
		dies "$D/by" mkdir "$D/other"
	fi
}

@test "kill on a kernel without override says that the call may complete" {
	run -0 deny syscall mkdirat --only-exe "$D/by"
	if ((CAN && CAN32)); then
		[[ $output != *"may complete"* ]]
	else
		said "may complete"
		run "$S/status"
		said "may complete"
	fi
}

@test "action audit counts and lets it happen" {
	denied mkdirat --only-exe "$D/by" --action audit
	"$D/by" mkdir "$D/new"
	"$D/by" mkdir "$D/other"
	[[ -d $D/new && $(hits mkdirat) == 2 ]]
}

@test "a call without arguments, which only an override can make fail, and an audit of it" {
	# setsid(2) of who leads a session: EPERM, also while it is only counted
	error EPERM setsid -w "$D/by" call 112
	denied setsid --only-exe "$D/by" --action audit
	error EPERM setsid -w "$D/by" call 112
	[[ $(hits setsid) == 1 ]]
	# the type information of the kernel, which fmod_ret needs, does not name it
	if grep -q ' bpf_override_return$' /proc/kallsyms; then
		[[ -d $PIN/__x64_sys_setsid/override && ! -e $PIN/__ia32_sys_setsid ]]
		denied setsid --only-exe "$D/by" --action deny --errno EDQUOT
		error EDQUOT setsid -w "$D/by" call 112
		"$S/panic" >/dev/null
		error EPERM setsid -w "$D/by" call 112
		"$S/panic" --off >/dev/null
		error EDQUOT setsid -w "$D/by" call 112
	else
		run -5 deny syscall setsid --only-exe "$D/by" --action deny
	fi
	denied setsid --only-exe "$D/by"
	dies setsid -w "$D/by" call 112
	dies setsid -w "$D/by" int80 66
}

@test "--signal sends another one, which may leave the process to its handler" {
	denied mkdirat --only-exe "$D/by" --signal TERM
	outcome "$D/by" mkdir "$D/new"
	[[ $STATUS == 143 ]]
	((!CAN)) || [[ ! -e $D/new ]]
	[[ $("$S/list" --json | jq '.[-1].signal') == 15 ]]
	run -0 "$S/list"
	said "kill TERM"
}

@test "arguments: equal, masked, in a range, any bit, several at once" {
	local -a only=(--only-exe "$D/by")
	# getpgid(pid): 121; the answer is ESRCH for a process that is not there
	denied getpgid --arg 0=1000001 "${only[@]}"
	dies "$D/by" call 121 1000001
	error ESRCH "$D/by" call 121 1000002
	denied getpgid --arg 0=2000000..2000100 "${only[@]}"
	dies "$D/by" call 121 2000000
	dies "$D/by" call 121 2000100
	error ESRCH "$D/by" call 121 1999999
	error ESRCH "$D/by" call 121 2000101
	forget
	denied getpgid --arg '0&0x300000' "${only[@]}"
	dies "$D/by" call 121 0x100001
	dies "$D/by" call 121 0x200000
	error ESRCH "$D/by" call 121 0xfffff
	forget
	denied getpgid --arg '0&0xff000=0x45000' "${only[@]}"
	dies "$D/by" call 121 0x345678
	error ESRCH "$D/by" call 121 0x344678
	forget
	denied getpgid --arg 0=-1 "${only[@]}"
	dies "$D/by" call 121 -1
	forget
	# ioprio_get(which, who): 252
	denied ioprio_get --arg 0=7 --arg 1=9..11 "${only[@]}"
	dies "$D/by" call 252 7 10
	error EINVAL "$D/by" call 252 7 12
	error EINVAL "$D/by" call 252 8 10
}

@test "what the kernel does not look at in an argument does not hide it" {
	# the upper half of a register that holds an int
	denied getpgid --arg 0=1000001 --only-exe "$D/by"
	dies "$D/by" call 121 $((0x7700000000 + 1000001))
	# mode_t has 16 bits
	denied mkdirat --arg 2=0700 --only-exe "$D/by"
	"$D/by" call 258 -100 "s:$D/b" 0600
	dies "$D/by" call 258 -100 "s:$D/c" $((0xff0000 + 0x1c0))
}

@test "a second rule on the same call attaches nothing; the last one detaches" {
	local before
	denied getsid --arg 0=1000001 --only-exe "$D/by"
	before=$("$PROGS/../helpers/pins" list | grep getsid)
	[[ $before == *__x64_sys_getsid* && $before == *__ia32_sys_getsid* ]]
	denied getsid --arg 0=1000002 --only-exe "$D/by"
	[[ $("$PROGS/../helpers/pins" list | grep getsid) == "$before" ]]
	"$S/allow" syscall getsid --arg 0=1000001 >/dev/null
	error ESRCH "$D/by" call 124 1000001
	dies "$D/by" call 124 1000002
	[[ $("$PROGS/../helpers/pins" list | grep getsid) == "$before" ]]
	"$S/allow" syscall getsid --arg 0=1000002 >/dev/null
	error ESRCH "$D/by" call 124 1000002
	[[ ! -e $PIN/__x64_sys_getsid && ! -e $PIN/__ia32_sys_getsid ]]
}

@test "the 32-bit entry is covered" {
	denied mkdirat --only-exe "$D/by" --arg 2=0700
	"$D/by" int80 296 -100 "s:$D/a" 0600
	dies "$D/by" int80 296 -100 "s:$D/b" 0700
	((!CAN32)) || [[ ! -e $D/b ]]
}

@test "x32 is covered, where it shares the 64-bit entry and where it has its own" {
	if [[ $COTTER_KERNEL != override ]]; then
		# 39, getpid
		error ENOSYS "$BY" x32 39
		skip "the stock kernels have no x32"
	fi
	denied mkdirat --only-exe "$D/by" --arg 2=0700
	"$D/by" x32 258 -100 "s:$D/a" 0600
	dies "$D/by" x32 258 -100 "s:$D/b" 0700
	[[ -d $D/a && ! -e $D/b ]]
	# ioctl, 514
	denied ioctl --only-exe "$D/by" --arg 1=0x7701
	error EBADF "$D/by" x32 514 77 0x7700
	error EBADF "$BY" x32 514 77 0x7701
	dies "$D/by" x32 514 77 0x7701
	dies "$D/by" call 16 77 0x7701
}

@test "a call that only 32-bit programs have" {
	# waitpid: 7
	denied waitpid --arg 0=77777 --only-exe "$D/by"
	error ECHILD "$D/by" int80 7 77778 0 0
	dies "$D/by" int80 7 77777 0 0
}

@test "--fd-of: by the file behind the descriptor, whatever its name, and by directory" {
	mkdir "$D/dir"
	touch "$D/secret" "$D/public" "$D/dir/x"
	ln "$D/secret" "$D/link"
	denied pwrite64 --fd-of "$D/secret" --only-exe "$D/by"
	denied pwrite64 --fd-of "$D/dir/" --only-exe "$D/by"
	"$D/by" pwrite "$D/public"
	"$BY" pwrite "$D/secret"
	dies "$D/by" pwrite "$D/secret"
	dies "$D/by" pwrite "$D/link"
	dies "$D/by" pwrite "$D/dir/x"
	if ((CAN)); then
		[[ ! -s $D/dir/x ]]
	fi
	run -0 "$S/list"
	said "pwrite64 --fd-of $D/dir/"
	"$S/allow" syscall pwrite64 --fd-of "$D/dir/" >/dev/null
	"$D/by" pwrite "$D/dir/x"
	dies "$D/by" pwrite "$D/secret"
}

@test "--path-arg: the string, or its beginning" {
	local long
	denied mkdirat --path-arg "1=$D/exact" --only-exe "$D/by"
	denied mkdirat --path-arg "1=$D/begin*" --only-exe "$D/by"
	dies "$D/by" mkdir "$D/exact"
	dies "$D/by" mkdir "$D/beginning"
	"$D/by" mkdir "$D/exactly"
	"$D/by" mkdir "$D/begi"
	# compared as it is written
	"$D/by" mkdir "$D/./begin2"
	# longer than the parts it is compared in
	long=$D/$(printf 'p%.0s' {1..130})
	denied mkdirat --path-arg "1=$long" --only-exe "$D/by"
	dies "$D/by" mkdir "$long"
	"$D/by" mkdir "${long}q"
	"$D/by" mkdir "${long%p}"
}

@test "--path-arg is a race that the caller wins; deny write is none" {
	local kernel_says
	printf before >"$D/secret"
	printf before >"$D/secret.public"
	# nothing loaded for it: it works
	"$D/by" race "$D/secret" won
	[[ $(<"$D/secret") == wonore ]]
	printf before >"$D/secret"
	run -0 deny syscall openat2 --path-arg "1=$D/secret" --only-exe "$D/by"
	said "deny read or write FILE does the same without that race"
	said "second thread"
	# the rule holds for who plays by the rules
	dies "$D/by" call 437 -100 "s:$D/secret" "s:$(printf '%024d' 0)" 24
	"$D/by" race "$D/secret" won
	[[ $(<"$D/secret") == wonore ]]
	kernel_says=$("$S/status") || true
	[[ $kernel_says == *"second thread can change"* ]]
	printf before >"$D/secret"
	deny write "$D/secret"
	dies "$D/by" race "$D/secret" won
	! has_first_layer || [[ $(<"$D/secret") == before ]]
}

@test "the same by another way is not covered, and deny says so" {
	run -0 deny syscall mkdirat --only-exe "$D/by"
	said "the same can be done by mkdir, io_uring"
	"$D/by" call 83 "s:$D/mkdir" 0700
	"$D/by" uring_mkdir "$D/uring" || [[ $? == 3 ]]
	[[ -d $D/mkdir ]]
}

# way WAY SIDE: go one of test/progs/file_ways.h on its file of that side
way() {
	local at=$D/places
	[[ $1 != move_extents ]] || at=$D/ext4/places
	[[ $1 != subvolume_delete ]] || at=$D/btrfs/places
	VICTIM=$at/$2/$1/victim
	[[ -e $VICTIM ]] || VICTIM=$at/$2/$1/d/victim
	BEFORE=$(cksum <"$VICTIM")
	outcome "$PROGS/file_by" "$1" "$VICTIM"
}

# changed: is what the last way() aimed at another, or gone?
changed() {
	[[ $(cksum 2>/dev/null <"$VICTIM") != "$BEFORE" ]]
}

@test "what docs/threat-model.md names against ways that no rule on files stops, stops them" {
	local way fs
	local -A calls=([move_extents]='ioctl --arg 1=0xc028660f' [uring_pages]=io_uring_register
		[subvolume_delete]='ioctl --arg 1=0x5000940f')
	mkdir "$D/ext4" "$D/btrfs"
	modprobe -a loop btrfs || true # or they are built in
	truncate -s 160M "$D/ext4.img" "$D/btrfs.img"
	mke2fs -q -t ext4 -b 4096 "$D/ext4.img"
	mkfs.btrfs -q "$D/btrfs.img"
	for fs in ext4 btrfs; do
		mount -o loop "$D/$fs.img" "$D/$fs"
		MOUNTED+=("$D/$fs")
	done
	"$PROGS/file_by" -m "$D/places" "$D/ext4/places" "$D/btrfs/places"
	for way in "${!calls[@]}"; do
		way "$way" protected
		[[ $STATUS == 0 ]] || fail "$way: $OUTPUT"
		changed || fail "$way changes nothing"
		# shellcheck disable=SC2086 # words
		denied ${calls[$way]}
		way "$way" neighbour
		[[ $STATUS == 137 ]] || fail "$way: want 137, got $STATUS, '$OUTPUT'"
		((!CAN)) || ! changed || fail "$way: it happened"
		# other uses of the call, and of what it is for
		lsattr -d "$D/ext4" "$D/btrfs" >/dev/null
		way uring_write protected
		[[ $STATUS == 0 ]] && changed
		rm -rf "$D/places"
		"$PROGS/file_by" -m "$D/places"
		forget
	done
}

# shellcheck disable=SC2016 # no expansion here
@test "list and allow take the same words, also as JSON" {
	local words
	denied mkdirat --arg '2&0x40' --arg 0=-100 --only-exe "$D/by"
	words=$("$S/list" --json | jq -r '.[-1].object')
	[[ $words == "mkdirat --arg 0=-100 --arg 2&0x40" ]]
	[[ $("$S/list" --json | jq -c '.[-1].call') == '{"name":"mkdirat","number":258,"args":["0=-100","2&0x40"]}' ]]
	# shellcheck disable=SC2086 # words
	run -0 "$S/allow" syscall $words
	said "no longer"
	run -0 "$S/allow" syscall mkdirat --arg 2=5
	said "no rule is about just these calls"
}

@test "eight ways to look at the arguments of a call, not one more" {
	local bit
	# one is that of setup_file
	for bit in 1 2 4 8 16 32 128; do
		denied getpgid --arg "0&$((bit << 20))" --only-exe "$D/by"
	done
	run -1 deny syscall getpgid --arg 0=5 --only-exe "$D/by"
	said "8 ways"
	dies "$D/by" call 121 $((1 << 27))
	"$S/allow" syscall getpgid --arg '0&0x100000' >/dev/null
	denied getpgid --arg 0=1000005 --only-exe "$D/by"
	dies "$D/by" call 121 1000005
	dies "$D/by" call 121 $((1 << 27))
}

@test "load again keeps the rules of calls in force, and repairs what is missing" {
	denied getpgid --arg 0=1000001 --only-exe "$D/by"
	rm -r "$PIN/__ia32_sys_getpgid"
	run -1 "$S/status"
	said "__ia32_sys_getpgid"
	"$S/load" --backend "${COTTER_BACKEND:-auto}" >/dev/null
	dies "$D/by" call 121 1000001
	dies "$D/by" int80 132 1000001
	run "$S/status"
	[[ $output != *"missing"* ]]
}

@test "allow works while mkdir is denied to all" {
	denied mkdirat --force
	denied mkdir --force # the last: to attach, deny makes a folder
	run "$S/load" --backend "${COTTER_BACKEND:-auto}"
	run -0 "$S/allow" syscall mkdir
	run -0 "$S/allow" syscall mkdirat
	"$BY" mkdir "$D/new"
}

@test "doctor says whether calls can be made to fail" {
	run -0 "$S/doctor" --json
	[[ $(jq -r '.checks[] | select(.name == "syscall_override").state' <<<"$output") == "$( ((CAN)) && echo yes || echo no)" ]]
	[[ $(jq -r '.checks[] | select(.name == "syscall_override_32").state' <<<"$output") == "$( ((CAN32)) && echo yes || echo no)" ]]
	((CAN)) || said "the call may complete before the process dies"
}

@test "the table: what happens under nothing, kill, override, and both" {
	"$S/unload" >/dev/null
	run -0 "$ROOT/test/call-table"
	printf '# %s\n' "${lines[@]}"
	[[ ${lines[1]} =~ ^nothing\ +0,\ 1048576\ bytes\ +0,\ yes\ +0,\ yes\ +0,\ yes$ ]]
	# the signal alone: dead, and yet some of it has happened
	[[ ${lines[2]} =~ ^kill\ only\ +137,\ [0-9]+\ bytes\ +137,\ yes\ +137,\ (yes|no)\ +137,\ yes$ ]]
	if ((CAN)); then
		[[ ${lines[3]} =~ ^override\ only\ +1,\ 0\ bytes\ +1,\ no\ +1,\ no\ +1,\ no$ ]]
		[[ ${lines[4]} =~ ^override\ and\ kill\ +137,\ 0\ bytes\ +137,\ no\ +137,\ no\ +137,\ no$ ]]
	else
		((${#lines[@]} == 3))
	fi
}

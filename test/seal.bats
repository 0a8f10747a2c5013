#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: first
# The seal, attacked by root. Each attack works while nothing is sealed, so far as that
# leaves something to be tested, and fails when it is. The seal has a key, for what comes after.

load suite

setup() {
	D=$BATS_FILE_TMPDIR/$BATS_TEST_NUMBER
	cp -r "$BATS_FILE_TMPDIR/new" "$D"
	export MOUNTED=()
	KEY=$BATS_FILE_TMPDIR/key
	[[ -e $KEY ]] || head -c 32 /dev/urandom >"$KEY"
	"$ROOT/build/helpers/seal" is || as_loaded
}

teardown_file() {
	! "$ROOT/build/helpers/seal" is || "$S/unseal" --key "$BATS_FILE_TMPDIR/key"
	suite_teardown
}

teardown() {
	rm -rf "$D" 2>/dev/null || true
}

# sealed: be it, with a rule for $BATS_FILE_TMPDIR/bad.
sealed() {
	"$ROOT/build/helpers/seal" is && return
	cp "$PROGS/hello" "$BATS_FILE_TMPDIR/bad"
	deny "$BATS_FILE_TMPDIR/bad" >/dev/null
	"$S/seal" --key "$KEY"
}

# stands: the seal, with all that it keeps.
stands() {
	"$ROOT/build/helpers/seal" holds || fail "the seal is broken"
	dies "$BATS_FILE_TMPDIR/bad"
	runs "$D/good"
}

# refused COMMAND...: it fails, and says so in the kernel's words.
refused() {
	run "$@"
	[[ $status != 0 ]] || fail "it worked: $*"
	[[ $output == *[Nn]'ot permitted'* || $output == *denied* || $output == *'must be superuser'* ]] ||
		fail "want EPERM, got $status, '$output': $*"
}

# unsigned_module: make $D/signed.ko and $D/unsigned.ko, where this kernel has modules
unsigned_module() {
	local module
	module=$(find "/usr/lib/modules/$(uname -r)" -name 'dummy.ko*' 2>/dev/null | head -n 1)
	[[ -n $module ]] || return 0
	case $module in
	*.xz) xz -dc "$module" ;;
	*) cat "$module" ;;
	esac >"$D/signed.ko"
	# without the mark at its end its signature is none
	head -c -28 "$D/signed.ko" >"$D/unsigned.ko"
}

# attempts NAME: how often it was refused
attempts() {
	"$ROOT/build/helpers/seal" state | jq --arg n "$1" '.attempts[$n].count // 0'
}

@test "what would be sealed is said, and nothing is" {
	run -0 "$S/seal" --dry-run
	said "would seal links"
	run ! "$ROOT/build/helpers/seal" is
}

@test "a key that is none is refused before anything is done" {
	echo short >"$D/short"
	run -1 "$S/seal" --key "$D/short"
	said "no key: want a file of 16 bytes"
	run -1 "$S/seal" --key "$D/missing"
	[[ ! -d $PIN/seal ]]
	run -2 "$S/seal" --nonsense
	run -2 "$S/unseal"
	run -1 "$S/unseal" --key "$KEY"
	said "unseal: not sealed"
	deny "$D/bad"
	dies "$D/bad"
	forget
}

@test "who holds a map of ours is named, for it would outlive the seal" {
	local pid
	: >"$D/until"
	"$PROGS/attack" hold "$PIN/maps/hot" "$D/until" >"$D/said" 3>&- &
	pid=$!
	until [[ -s $D/said ]]; do sleep 0.1; done
	run -1 "$S/seal" --key "$KEY"
	said "process $pid: has a map of ours open"
	rm "$D/until"
	wait "$pid"
}

@test "unsealed, status finds a foreign program that can answer in the place of ours" {
	run "$S/status" --json
	well "$output" '.foreign == []'
	bpftool prog loadall "$PROGS/positive.bpf.o" /sys/fs/bpf/foreign autoattach
	run -1 "$S/status"
	rm -r /sys/fs/bpf/foreign
	said "(positive_bpf) is foreign and can answer in the place of ours"
	until "$S/status" --json | jq -e '.foreign == []'; do sleep 0.1; done
}

@test "what was loaded or open before the seal is no way around it" {
	bpftool prog loadall "$PROGS/positive.bpf.o" /sys/fs/bpf/foreign
	"$PROGS/attack" attach /sys/fs/bpf/foreign/positive_bpf
	unsigned_module
	if [[ -e $D/unsigned.ko ]]; then
		insmod "$D/unsigned.ko"
		rmmod dummy
	fi
	exec 7>/proc/sys/kernel/ftrace_enabled
	sealed
	! echo 0 >&7 || fail "ftrace was switched off through a descriptor"
	exec 7>&-
	refused "$PROGS/attack" attach /sys/fs/bpf/foreign/positive_bpf
	rm -r /sys/fs/bpf/foreign
	[[ $(</proc/sys/kernel/ftrace_enabled) == 1 ]]
	stands
}

@test "sealed, hooks are not switched off and helpers are not named" {
	local file before=$D/before
	sealed
	for file in /proc/sys/kernel/{ftrace_enabled,core_pattern,modprobe,poweroff_cmd} \
		/proc/sys/kernel/usermodehelper/bset /sys/kernel/uevent_helper /sys/kernel/debug/kprobes/enabled; do
		[[ -e $file ]] || continue
		# the same value: it is the writing that is refused
		cp "$file" "$before" 2>/dev/null || echo 0 >"$before"
		refused dd if="$before" of="$file" conv=notrunc status=none
	done
	echo 1 >/proc/sys/kernel/panic_on_oops
	(($(attempts switch) >= 4))
	stands
}

@test "sealed, a rule holds and what only reads goes on" {
	sealed
	stands
	run "$S/status"
	said "sealed    until unseal with the key"
	said "links     2 of 2 attached"
	run -0 "$S/list"
	said "$BATS_FILE_TMPDIR/bad"
	run "$S/status" --json
	well "$output" '.seal.sealed and .seal.key and .seal.holds'
}

@test "sealed, no verb changes anything, and each says why" {
	local verb
	sealed
	for verb in "deny $D/good" "allow --all" load unload "seal --key $KEY"; do
		# shellcheck disable=SC2086 # words
		run -4 "$S"/$verb
		said "sealed: nothing can be changed: scripts/unseal --key FILE opens it"
	done
	stands
}

@test "sealed, pins and their folders are neither removed nor renamed" {
	sealed
	refused rm "$PIN/exec/$BACKEND/exec_bprm_check"
	refused rm -r "$PIN"
	refused mv "$PIN" /sys/fs/bpf/elsewhere
	refused mv "$PIN/exec" "$PIN/other"
	refused mkdir "$PIN/mine"
	refused bpftool map create "$PIN/mine" type array key 4 value 4 entries 1 name mine
	mkdir /sys/fs/bpf/neighbour
	rmdir /sys/fs/bpf/neighbour
	(($(attempts pin) > 3))
	[[ -e $PIN/exec/$BACKEND/exec_bprm_check ]]
	stands
}

@test "sealed, the BPF file system is not unmounted, moved or mounted over" {
	local dir
	sealed
	mkdir "$D/to"
	for dir in /sys/fs/bpf /sys; do
		refused umount -l "$dir"
		refused mount -t tmpfs none "$dir"
		refused mount --bind "$D" "$dir"
		refused mount --move "$dir" "$D/to"
		refused "$PROGS/attack" move "$dir" "$D/to"
	done
	mount -t tmpfs none "$D/to"
	umount "$D/to"
	(($(attempts mount) >= 10))
	stands
}

@test "sealed, there is no descriptor to a map to write, a program or a link of ours" {
	local got all
	sealed
	refused bpftool map update pinned "$PIN/maps/hot" key 0 0 0 0 value hex 00
	refused bpftool link show pinned "$PIN/exec/$BACKEND/exec_bprm_check"
	refused bpftool prog show pinned "$PIN/core/identify"
	# ours are all that are there, but for the program that takes the key
	[[ $("$PROGS/attack" links) == "0 of "* ]]
	read -r got _ all < <("$PROGS/attack" programs)
	((all > 3 && got <= 1 + $(foreign_programs))) || fail "got $got of $all programs"
	read -r got _ all < <("$PROGS/attack" maps)
	((all > 10 && got < all / 2)) || fail "got $got of $all maps"
	(($(attempts link) > 2 && $(attempts program) > 2 && $(attempts map) > 2))
	stands
}

# Programs that are none of ours: whatever the system had before.
foreign_programs() {
	bpftool -j prog show 2>/dev/null | jq '[.[] | select((.name // "") | test("^(exec_|seal_|identify|explain)") | not)] | length'
}

@test "sealed, no program is loaded or attached that could answer before ours" {
	sealed
	refused bpftool prog loadall "$PROGS/positive.bpf.o" /sys/fs/bpf/foreign autoattach
	refused bpftool prog loadall "$ROOT/build/fmod_ret/exec.bpf.o" /sys/fs/bpf/foreign
	[[ ! -e /sys/fs/bpf/foreign ]]
	# others are none of its business
	bpftool prog loadall "$ROOT/build/kill/exec.bpf.o" /sys/fs/bpf/other
	rm -r /sys/fs/bpf/other
	(($(attempts attach) >= 2))
	stands
}

@test "sealed, no other kernel, no unsigned module, no /dev/mem" {
	sealed
	if "$PROGS/attack" kexec 2>"$D/said" || [[ $(<"$D/said") != *"not implemented"* ]]; then
		refused "$PROGS/attack" kexec
	fi
	[[ ! -e /dev/mem ]] || refused head -c 1 /dev/mem
	unsigned_module
	if [[ -e $D/unsigned.ko ]]; then
		refused insmod "$D/unsigned.ko"
		insmod "$D/signed.ko"
		rmmod dummy
	fi
	(($(attempts kernel) > 0))
	stands
}

@test "sealed, a helper of ours is not traced" {
	local pid
	sealed
	mkfifo "$D/lines"
	"$ROOT/build/helpers/encode" deny --stdin <"$D/lines" 3>&- &
	pid=$!
	exec 7>"$D/lines"
	refused "$PROGS/attack" ptrace "$pid"
	exec 7>&-
	wait "$pid" || true
	sleep 5 3>&- &
	pid=$!
	"$PROGS/attack" ptrace "$pid"
	kill "$pid"
	(($(attempts ptrace) == 1))
	stands
}

@test "the key opens the seal, and no other; then all is as before" {
	sealed
	head -c 32 /dev/urandom >"$D/other"
	run -4 "$S/unseal" --key "$D/other"
	said "$D/other: it is not the key"
	(($(attempts key) >= 1))
	stands
	run -0 "$S/unseal" --key "$KEY"
	[[ $output == unsealed ]]
	[[ ! -e $PIN/seal ]]
	run "$S/status" --json
	well "$output" '.seal.sealed | not'
	dies "$BATS_FILE_TMPDIR/bad"
	run -0 "$S/allow" --all
	runs "$BATS_FILE_TMPDIR/bad"
	run -0 "$S/load"
	run "$S/status" --json
	well "$output"
}

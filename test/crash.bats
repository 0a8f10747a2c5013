#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 6.1 6.12-nolsm
# Reloads under attack, commands killed at any moment, and a system in which something is full,
# read-only or missing: what was in force stays in force, or what is new is, whole.

# shellcheck disable=SC2153 # BACKEND: set by setup_file

load suite

# More with these set: 100 and 300 are for a long run by hand.
RELOADS=${COTTER_RELOADS:-4}
KILLS=${COTTER_KILLS:-12}

# attackers: one that executes the forbidden program, one that writes the protected file, both
# until $D/stop exists
attackers() {
	nice "$PROGS/hammer" "$D/stop" "$D/bad" >"$D/hammered" 3>&- &
	nice "$PROGS/writer" "$D/stop" "$D/kept" >"$D/written" 3>&- &
}

# neither: not once did they succeed, and they did try
neither() {
	: >"$D/stop"
	wait
	[[ $(<"$D/hammered") =~ ^ran\ 0\ killed\ [1-9][0-9]*\ failed\ 0$ ]] || fail "exec: $(<"$D/hammered")"
	[[ $(<"$D/written") =~ ^wrote\ 0\ refused\ [1-9][0-9]*$ ]] || fail "write: $(<"$D/written")"
	[[ $(<"$D/kept") == kept ]] || fail "the protected file now holds: $(<"$D/kept")"
}

@test "an attacker on each processor never once succeeds during reloads" {
	local i
	guard
	attackers
	for ((i = 0; i < RELOADS; i++)); do
		"$S/load" >/dev/null
	done
	neither
	holds
	run -0 "$S/status"
}

@test "commands killed at any moment leave the old or the new, and the next one works" {
	local i verb delay rules
	guard
	cat >"$D/two.json" <<-EOF
		{ "version": 1, "name": "two", "mode": "enforce", "rules": [
			{ "id": "a", "op": ["exec"], "object": { "path": "$D/three" } },
			{ "id": "b", "op": ["exec"], "object": { "path": "$D/four" } } ] }
	EOF
	RANDOM=1
	for ((i = 0; i < KILLS; i++)); do
		case $((i % 6)) in
		0) verb=(load) ;;
		1) verb=(deny 'exec,write' "$D/one" "$D/two") ;;
		2) verb=(allow "$D/one" "$D/two") ;;
		3) verb=(deny --action audit read "$D/one" --unless-exe "$PROGS/hello") ;;
		4) verb=(apply "$D/two.json") ;;
		5) verb=(apply --remove two) ;;
		esac
		printf -v delay '0.%03d' $((RANDOM % (i % 6 ? 400 : 999) + 1))
		timeout -s KILL "$delay" "$S/${verb[0]}" "${verb[@]:1}" >/dev/null 2>&1 || true
		if ((i % 10 == 9)); then
			holds
			# of the two objects of a command: both or none
			rules=$("$S/list" --json | jq --arg d "$D" '[.[] | select(.action == "kill" and (.object == "\($d)/one" or .object == "\($d)/two"))] | length')
			((rules % 2 == 0)) || fail "half a command: $rules rules"
			rules=$("$S/list" --json | jq '[.[] | select(.policy == "two")] | length')
			((rules % 2 == 0)) || fail "half a policy: $rules rules"
		fi
	done
	run -0 "$S/allow" "$D/one" "$D/two"
	run -0 "$S/apply" "$D/two.json"
	run -0 "$S/apply" --remove two
	run -0 "$S/load"
	run -0 "$S/status"
	[[ $("$S/list" --json | jq length) == 2 ]]
	holds
}

@test "an unload that is killed is finished by the next" {
	local i
	for i in 02 05 10 20; do
		as_loaded
		timeout -s KILL "0.$i" "$S/unload" >/dev/null 2>&1 || true
		run -0 "$S/unload"
		[[ ! -e $PIN ]]
	done
	run -0 "$S/load"
	run -0 "$S/status"
}

@test "a seal that is killed is whole or none: the key opens it, or the next command works" {
	local i delay
	guard
	head -c 32 /dev/urandom >"$D/key"
	RANDOM=2
	for ((i = 0; i < KILLS; i += 6)); do
		printf -v delay '%d.%03d' $((RANDOM % 4)) $((RANDOM % 1000))
		timeout -s KILL "$delay" "$S/seal" --key "$D/key" >/dev/null 2>&1 || true
		holds
		if "$ROOT/build/helpers/seal" is; then
			run -4 "$S/deny" "$D/good"
			run -0 "$S/unseal" --key "$D/key"
		fi
		run -0 "$S/deny" "$D/good"
		dies "$D/good"
		run -0 "$S/allow" "$D/good"
	done
	run -0 "$S/seal" --key "$D/key"
	run -4 "$S/allow" --all
	timeout -s KILL 0.1 "$S/unseal" --key "$D/key" >/dev/null 2>&1 || true
	! "$ROOT/build/helpers/seal" is || run -0 "$S/unseal" --key "$D/key"
	run -0 "$S/load"
	run -0 "$S/status"
	holds
}

@test "with the BPF file system read-only each command fails with a message, and the rules hold" {
	local verb
	guard
	mount -o remount,ro /sys/fs/bpf
	for verb in load "deny $D/good" "deny read $D/good" unload; do
		# shellcheck disable=SC2086 # words
		run "$S"/$verb
		[[ $status == [15] && $output == *": "* && $output == *[Rr]'ead-only'* ]] ||
			{ mount -o remount,rw /sys/fs/bpf && fail "$verb: $status '$output'"; }
		holds || { mount -o remount,rw /sys/fs/bpf && fail "$verb: the rules do not hold"; }
	done
	mount -o remount,rw /sys/fs/bpf
	run -0 "$S/status"
	run -0 "$S/load"
	holds
}

@test "with /tmp and /run full everything works" {
	guard
	mounted "$D/full" -t tmpfs -o size=4k none
	head -c 8192 /dev/zero >"$D/full/fill" 2>/dev/null || true
	! echo more >>"$D/full/fill" || fail "it is not full"
	mount --bind "$D/full" /run
	MOUNTED+=(/run)
	TMPDIR=$D/full run -0 "$S/load"
	TMPDIR=$D/full run -0 "$S/deny" "$D/good"
	dies "$D/good"
	TMPDIR=$D/full run -0 "$S/allow" "$D/good"
	holds
}

@test "without a tool that it needs each command says which, and changes nothing" {
	local tool path=$D/path
	guard
	mkdir "$path"
	for tool in bpftool jq flock; do
		rm -f "$path"/*
		# every program but that one
		ln -s /usr/bin/* /usr/sbin/* "$path" 2>/dev/null || true
		rm -f "$path/$tool"
		PATH=$path run "$S/load"
		if [[ $status != 0 ]]; then
			[[ $output == *"$tool"* ]] || fail "without $tool: $status '$output'"
		fi
		PATH=$path run "$S/deny" "$D/good"
		if [[ $status != 0 ]]; then
			[[ $output == *"$tool"* ]] || fail "without $tool: $status '$output'"
			runs "$D/good"
		fi
		run -0 "$S/allow" "$D/good"
		holds
	done
	run -0 "$S/load"
	run -0 "$S/status"
}

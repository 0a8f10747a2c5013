#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 6.12
# What another version loaded is replaced by this one: under attack, cut off anywhere, and in vain.
# That both may be attached at once, crash.bats shows on the other kernels.

# shellcheck disable=SC2153 # BACKEND: set by setup_file

load suite

# More with these set: for a long run by hand.
UPGRADES=${COTTER_RELOADS:-1}
KILLS=${COTTER_KILLS:-1}
NEXT=$PIN-next

# another_version: what is loaded now has another layout. Only its own `save` could read it.
another_version() {
	local -a value
	local at
	# hot.state: which one is in force
	at=$(bpftool -j map dump pinned "$PIN/maps/hot" | jq 'first(.. | objects | select(has("trees")) | .state)')
	mapfile -t value < <(bpftool -j map lookup pinned "$PIN/maps/state" key "$at" 0 0 0 | jq -r '.value[]')
	value[0]=0xff
	bpftool map update pinned "$PIN/maps/state" key "$at" 0 0 0 value "${value[@]}"
	run -1 "$S/list"
	said "what is loaded has another layout than this"
}

# saved: so, and the rules in force are in $D/saved.
saved() {
	"$S/save" "$D/saved" >/dev/null
	another_version
}

# as_loaded and forget, see suite.bash: also after a test that failed with another version loaded
as_loaded() {
	[[ ! -d $NEXT && $(links) == "$LINKS" ]] && "$S/list" >/dev/null 2>&1 && return
	"$S/unload" >/dev/null
	load_cotter
}

forget() {
	! "$S/list" >/dev/null 2>&1 || "$S/allow" --all >/dev/null
	rm -rf /var/lib/cotter /run/cotter.saved
}

# unchanged: the other version is loaded still, and at work, and nothing else is
unchanged() {
	[[ ! -e $NEXT ]] || fail "left behind: $NEXT"
	run -1 "$S/status"
	said "what is loaded has another layout than this"
	[[ $(ours | grep -c '^exec_') == 2 ]] || fail "$(ours)"
	holds
}

# upgraded: this version is, with the rules of guard
upgraded() {
	[[ ! -e $NEXT ]] || fail "left behind: $NEXT"
	run "$S/status" --json
	well "$output" ".backend == \"$BACKEND\" and .rules.in_force == 2 and .foreign == []"
	[[ $(ours | grep -c '^exec_') == 2 ]] || fail "$(ours)"
	[[ $("$S/list" --json | jq -r '.[].reason // empty') == why ]]
	holds
}

# as_cut_off: what a SIGKILL leaves before the two versions change places
as_cut_off() {
	mkdir "$NEXT"
	# shellcheck disable=SC2016 # sh's
	COTTER_LOCK=9 unshare --mount sh -c 'mount --bind "$1" "$2" && "$3/load" --backend "$4" && "$3/apply" "$5"' sh \
		"$NEXT" "$PIN" "$S" "$BACKEND" "$D/saved" 9</sys/fs/bpf >/dev/null
}

@test "an attacker on each processor never once succeeds during upgrades, who may write is never refused" {
	local i
	guard --reason why
	cp "$PROGS/writer" "$D/exempt"
	: >"$D/log"
	deny --action deny write "$D/log" --unless-exe "$D/exempt" >/dev/null
	"$S/save" "$D/saved"
	nice "$PROGS/hammer" "$D/stop" "$D/bad" >"$D/hammered" 3>&- &
	nice "$PROGS/writer" "$D/stop" "$D/kept" >"$D/written" 3>&- &
	nice "$D/exempt" "$D/stop" "$D/log" >"$D/logged" 3>&- &
	for ((i = 0; i < UPGRADES; i++)); do
		another_version
		run -0 "$S/load" --upgrade "$D/saved"
		[[ $output == "loaded: exec: $BACKEND"$'\n'"upgraded: 1 policies of $D/saved" ]] || fail "$output"
	done
	: >"$D/stop"
	wait
	[[ $(<"$D/hammered") =~ ^ran\ 0\ killed\ [1-9][0-9]*\ failed\ 0$ ]] || fail "exec: $(<"$D/hammered")"
	[[ $(<"$D/written") =~ ^wrote\ 0\ refused\ [1-9][0-9]*$ ]] || fail "write: $(<"$D/written")"
	[[ $(<"$D/logged") =~ ^wrote\ [1-9][0-9]*\ refused\ 0$ ]] || fail "exempt: $(<"$D/logged")"
	"$S/save" "$D/again"
	diff -r "$D/saved" "$D/again"
	run -0 "$S/allow" "$D/log"
	upgraded
}

@test "without --upgrade another version is left alone, and the message says what to do" {
	guard --reason why
	saved
	run -1 "$S/load"
	[[ $output == "load: what is loaded is of another version: run \`save\` of that one, then scripts/load --upgrade" ]]
	for words in "deny $D/good" "deny read $D/good" "allow $D/good"; do
		# shellcheck disable=SC2086 # words
		run -1 "$S"/$words
		# once
		[[ $output == "${words%% *}: what is loaded has another layout than this, "*": see scripts/load --upgrade" ]] ||
			fail "$output"
	done
	unchanged
	run -0 "$S/load" --upgrade --dry-run "$D/saved"
	said "would load beside what is loaded, with 1 policies of $D/saved"
	unchanged
	for words in "$D/saved" "--keep-going" "--upgrade $D/saved $D" "--upgrade --"; do
		# shellcheck disable=SC2086 # words
		run -2 "$S/load" $words
	done
	unchanged
}

@test "saved rules that may be older than those in force are refused, unless their folder is named" {
	local older="load: what is saved in /var/lib/cotter/policies may be older than the rules in force: run \`save\` of the version that is loaded, or name that folder"
	guard --reason why
	"$S/save"
	deny "$D/more" >/dev/null
	another_version
	for words in --upgrade "--upgrade --dry-run"; do
		# shellcheck disable=SC2086 # words
		run -1 "$S/load" $words
		[[ $output == "$older" ]] || fail "$output"
	done
	unchanged
	run -0 "$S/load" --upgrade /var/lib/cotter/policies
	upgraded
	# what was restored, or an upgrade has brought, is what is saved
	another_version
	run -0 "$S/load" --upgrade
	upgraded
	deny "$D/more" >/dev/null
	run -0 "$S/restore"
	another_version
	run -0 "$S/load" --upgrade
	upgraded
	# a rule that was taken away does not come back
	"$S/save"
	"$S/allow" "$D/bad" >/dev/null
	another_version
	run -1 "$S/load" --upgrade
	[[ $output == "$older" ]] || fail "$output"
	# after a reboot nobody knows
	"$S/unload" >/dev/null
	load_cotter
	guard --reason why
	"$S/save"
	rm /run/cotter.saved
	another_version
	run -1 "$S/load" --upgrade
	[[ $output == "$older" ]] || fail "$output"
	run -0 "$S/load" --upgrade /var/lib/cotter/policies
	upgraded
}

@test "no saved rules: refused, but for an empty folder that is named" {
	guard --reason why
	another_version
	run -1 "$S/load" --upgrade
	said "load: no rules are saved in /var/lib/cotter/policies: run \`save\` of the version that is loaded"
	unchanged
	run -1 "$S/load" --upgrade "$D/no such"
	said "load: $D/no\\ such: no such folder"
	unchanged
	mkdir "$D/empty"
	run -0 "$S/load" --upgrade "$D/empty"
	said "upgraded: 0 policies of $D/empty"
	runs "$D/bad"
	run -0 "$S/status"
	said "rules     0 of"
	# what was saved without a rule says that there is none
	"$S/save"
	another_version
	run -0 "$S/load" --upgrade
	guard --reason why
	"$S/save"
	another_version
	run -0 "$S/load" --upgrade
	said "upgraded: 1 policies of /var/lib/cotter/policies"
	upgraded
}

@test "an upgrade that fails in the middle changes nothing" {
	local object
	guard --reason why
	deny --action deny read "$D/secret" --unless-exe "$D/good" >/dev/null
	saved
	mkdir -p "$D/copy/build"
	cp -r "$ROOT/scripts" "$ROOT/pins" "$D/copy"
	cp -r "$ROOT/build/helpers" "$ROOT/build/core.bpf.o" "$ROOT/build/$BACKEND" "$ROOT/build/kill" "$D/copy/build"
	# before anything is attached, before the second layer is, when the rules come
	for object in core kill/exec "$BACKEND/file_open"; do
		cp "$D/copy/build/$object.bpf.o" "$D/object"
		head -c 1000 "$D/object" >"$D/copy/build/$object.bpf.o"
		run "$D/copy/scripts/load" --upgrade "$D/saved"
		((status == 1 || status == 5)) || fail "$object: $status $output"
		unchanged
		cp "$D/object" "$D/copy/build/$object.bpf.o"
	done
	echo '{' >"$D/saved/other.json"
	run -1 "$S/load" --upgrade "$D/saved"
	said "other.json: not JSON"
	said "load: $D/saved: not all of it can be in force, and nothing has changed: see --keep-going"
	unchanged
	rm "$D/saved/other.json" "$D/good"
	run -1 "$S/load" --upgrade "$D/saved"
	said "nothing has changed"
	[[ ! -e $NEXT ]]
	run -1 "$S/load" --upgrade --keep-going "$D/saved"
	said "apply: 1 rules were left out"
	said "upgraded: 1 policies of $D/saved"
	cp "$PROGS/hello" "$D/good"
	upgraded
}

@test "what an upgrade that was cut off leaves is said by status and taken away by the next command" {
	local verb
	guard --reason why
	saved
	as_cut_off
	holds
	run -1 "$S/status"
	said "status: an upgrade was cut off: what is loaded holds; load --upgrade begins anew"
	run -1 "$S/deny" "$D/good"
	said "see scripts/load --upgrade"
	unchanged
	as_cut_off
	run -0 "$S/load" --upgrade "$D/saved"
	upgraded
	# after they have changed places what was loaded is what is left
	as_cut_off
	"$ROOT/build/helpers/pins" exchange
	run -1 "$S/status" --json
	jq -e '.foreign == [] and (.degraded | length) == 1 and (.degraded[0] | startswith("an upgrade "))' <<<"$output"
	for verb in load "deny write $D/good" "save $D/other"; do
		[[ -d $NEXT ]] || mkdir "$NEXT"
		# shellcheck disable=SC2086 # words
		run -0 "$S"/$verb
		[[ ! -e $NEXT ]]
		holds
	done
	as_cut_off
	run -0 "$S/unload"
	nothing_left
	[[ ! -e $NEXT ]]
	run -0 "$S/load"
	run -0 "$S/apply" "$D/saved"
	upgraded
	# an unload that took away but one of the two
	as_cut_off
	"$ROOT/build/helpers/pins" remove .
	run -3 "$S/status"
	said "status: $NEXT: an unload was cut off: run scripts/unload again"
	run -0 "$S/unload"
	nothing_left
	[[ ! -e $NEXT ]]
}

@test "an upgrade killed at any moment leaves the old or the new, and the next one works" {
	local i delay
	guard --reason why
	"$S/save" "$D/saved"
	RANDOM=3
	for ((i = 0; i < KILLS; i++)); do
		another_version
		printf -v delay '%d.%03d' $((RANDOM % 4)) $((RANDOM % 1000))
		timeout -s KILL "$delay" "$S/load" --upgrade "$D/saved" >/dev/null 2>&1 || true
		holds
		((i % 2)) || run -0 "$S/load" --upgrade "$D/saved"
		"$S/list" >/dev/null 2>&1 || run -0 "$S/load" --upgrade "$D/saved"
		run -0 "$S/load"
		upgraded
	done
	another_version
	timeout -s KILL 1 "$S/load" --upgrade "$D/saved" >/dev/null 2>&1 || true
	run -0 "$S/unload"
	nothing_left
	[[ ! -e $NEXT ]]
}

@test "panic, the size of the ring and backend kill outlive an upgrade; the seal forbids it" {
	guard --reason why
	run -0 "$S/load" --records 128
	"$S/panic" >/dev/null
	saved
	run -0 "$S/load" --upgrade "$D/saved"
	run -1 "$S/status" --json
	jq -e '.records.rules.capacity == 128 and (.degraded | any(startswith("panic: ")))' <<<"$output"
	runs "$D/bad"
	"$S/panic" --off >/dev/null
	upgraded
	head -c 32 /dev/urandom >"$D/key"
	run -0 "$S/seal" --key "$D/key"
	run -4 "$S/load" --upgrade "$D/saved"
	said "load: sealed: nothing can be changed"
	run -0 "$S/unseal" --key "$D/key"
	upgraded
	"$S/allow" --all >/dev/null
	deny "$D/bad" >/dev/null
	run -0 "$S/load" --backend kill
	saved
	run -0 "$S/load" --upgrade "$D/saved"
	said "loaded: exec: kill"
	dies "$D/bad"
}

@test "this version, or nothing, is loaded: --upgrade is as without it" {
	guard --reason why
	dies "$D/bad"
	"$S/list" --json >"$D/before"
	run -0 "$S/load" --upgrade
	[[ $output == "loaded: exec: $BACKEND" ]]
	"$S/list" --json >"$D/after"
	cmp "$D/before" "$D/after"
	"$S/unload"
	run -0 "$S/load" --upgrade
	run -0 "$S/status"
	said "rules     0 of"
}

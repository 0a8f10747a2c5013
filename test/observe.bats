#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 6.1
# Observation without a verdict, and what `events` says of each kind of event.

# shellcheck disable=SC2030,SC2031,SC2154 # output is set by run

load suite

observe() {
	"$S/observe" "$@"
}

teardown() {
	"$S/observe" off >/dev/null 2>&1 || true
	[[ ! -e $PIN/maps/state ]] || forget
	rm -rf "$D"
}

# seen JQ: all events, as an array, through a filter.
seen() {
	"$S/events" --json | jq -ec -s "$1" || fail "not so: $1: $("$S/events" --last 8)"
}

# observers: the programs of `observe` that the kernel holds, one a line.
observers() {
	bpftool -j prog show | jq -r '.[].name // empty | select(startswith("observe_"))'
}

# no_observers: soon, for the kernel frees them after a grace period.
no_observers() {
	local tries
	for ((tries = 0; tries < 40; tries++)); do
		[[ -n $(observers) ]] || return 0
		sleep 0.1
	done
	fail "still there: $(observers)"
}

@test "every kind of event is as docs/events.schema.json says" {
	local kinds
	observe exec,exit,open,create,delete,rename
	echo text >"$D/file"
	mv "$D/file" "$D/other"
	cat "$D/other" >/dev/null
	rm "$D/other"
	observe off
	deny "$D/bad"
	dies "$D/bad" $'\xff'
	keep read
	echo text >"$D/secret"
	deny --action audit read "$D/secret"
	cat "$D/secret" >/dev/null
	deny --action audit exec,mapexec memfd:
	deny --action audit syscall getcwd
	pwd -P >/dev/null
	/bin/pwd >/dev/null
	forget
	kinds='["create","delete","exec","exit","open","rename","rule"]'
	seen "([.[].kind] | unique) == $kinds"
	"$S/events" --json >"$D/all"
	run -0 jq -r --slurpfile schema "$ROOT/docs/events.schema.json" -f "$ROOT/test/schema.jq" "$D/all"
	[[ -z $output ]] || fail "$(head -5 <<<"$output")"
	# and each of the other formats is JSON for all of them
	for kinds in tetragon ecs; do
		"$S/events" --format "$kinds" | jq -es "length == $(wc -l <"$D/all")"
	done
}

@test "what was lost is as the schema says" {
	has_first_layer || skip "backend kill: a deny is a kill"
	keep read
	"$S/load" --records 64 --rate 1000000 >/dev/null
	echo >"$D/one"
	deny --action deny read "$D/one"
	"$S/events" --json --follow >"$D/follow" 3>&- &
	sleep 0.5
	run -0 "$PROGS/denied" count 5000 "$D/one"
	sleep 0.5
	kill $!
	wait || true
	jq -es 'any(.[]; .kind == "lost")' "$D/follow"
	run -0 jq -r --slurpfile schema "$ROOT/docs/events.schema.json" -f "$ROOT/test/schema.jq" "$D/follow"
	[[ -z $output ]] || fail "$(head -5 <<<"$output")"
	"$S/load" --records 4096 --rate 100 >/dev/null
}

@test "a rule on a system call: the event names the call, and the 32-bit entry" {
	deny syscall mkdir --action audit
	mkdir "$D/one"
	run -0 "$S/events" --last 1
	said ' mkdir '
	[[ $output != *32-bit* ]]
	seen '.[-1] | .op == ["syscall"] and .identity == "call" and .call == {name: "mkdir", number: 83, compat: false}'
	run -0 "$S/events" --last 1 --format tetragon
	jq -e '(.process_lsm // .process_kprobe) | .function_name == "__x64_sys_mkdir" and .args == [{syscall_id: {id: 83, abi: "x64"}}]' <<<"$output"
	# the number 0 is a call as well
	deny --action audit syscall read --only-uid 1000
	su user -c 'cat /dev/null' || true
	seen 'any(.[]; .call.name == "read" and .call.number == 0)'
	"$PROGS/call_by" int80 39 "s:$D/two" 0700
	seen '.[-1].call == {name: "mkdir", number: 39, compat: true}'
	run -0 "$S/events" --last 1
	said ' mkdir (32-bit) (rule'
}

@test "--until ends what is shown" {
	local between
	deny "$D/bad"
	dies "$D/bad" before
	sleep 1.1
	between=$(date +%s)
	sleep 1
	dies "$D/bad" after
	run -0 "$S/events" --json --until "@$between"
	said '"before"'
	[[ $output != *'"after"'* ]]
	run -0 "$S/events" --json --since "@$between"
	said '"after"'
	[[ $output != *'"before"'* ]]
	run -0 "$S/events" --until 1h
	[[ -z $output ]]
	run -2 "$S/events" --until noon
	said '--until noon'
	run -2 "$S/events" --until 1m --follow
	said '--until goes not with --follow'
}

@test "a second that another CPU began a moment later is not begun again" {
	local id slot at i value='' suppressed
	has_first_layer || skip "backend kill: a deny is a kill"
	keep read
	echo >"$D/one"
	deny --action deny read "$D/one"
	run -0 "$PROGS/denied" count 1 "$D/one"
	id=$(bpftool -j map dump pinned "$PIN/maps/rates" |
		jq '[.[0].value | if type == "array" then to_entries[] | (.value | ltrimstr("0x") | explode | map(if . > 96 then . - 87 else . - 48 end) | .[0] * 16 + .[1]) * pow(256; .key) else . end] | add')
	slot=$(bpftool -j map dump id "$id" | jq '[.[].value[8] != "0x00"] | index(true)')
	# it began in 0.95 seconds, and the rule has used it up
	at=$(($(awk '{ printf "%d", $1 * 100 }' /proc/uptime) * 10000000 + 950000000))
	for i in 0 8 16 24 32 40 48 56; do
		value+=" $((at >> i & 255))"
	done
	# shellcheck disable=SC2086 # words
	bpftool map update id "$id" key "$((slot & 255))" "$((slot >> 8))" 0 0 value $value 232 3 0 0 0 0 0 0 0 0 0 0 0 0 0 0
	run -0 "$PROGS/denied" count 1 "$D/one"
	suppressed=$("$S/list" --json | jq --arg o "$D/one" '[.[] | select(.object == $o).suppressed] | add')
	[[ $suppressed == 1 ]] || fail "suppressed: $suppressed"
}

@test "a process ends once, however many of its threads end at the same moment" {
	observe exit
	run -0 "$PROGS/threads" 150 6
	observe off
	seen '[.[] | select(.kind == "exit" and .exit_code == 7).process.pid] | length == 150 and (unique | length) == 150'
	seen 'all(.[] | select(.kind == "exit" and .exit_code == 7); .process.exe | endswith("/threads"))'
}

@test "observe --follow leaves nothing behind, however it ends" {
	local how status=0
	for how in INT KILL; do
		# a job of its own group, which does not ignore SIGINT
		env --default-signal=INT "$S/observe" exec,exit --follow >"$D/out" 2>"$D/err" 3>&- &
		for _ in {1..50}; do
			[[ -z $(observers) ]] || break
			sleep 0.1
		done
		# the programs are there before who prints; no grep, which would be seen with its arguments
		for _ in {1..100}; do
			/bin/true "marker$how"
			sleep 0.1
			[[ $(<"$D/out") != *"marker$how"* ]] || break
		done
		[[ $(<"$D/out") == *"marker$how"* ]] || fail "$how: $(cat "$D/out" "$D/err")"
		run -0 observe
		said 'exec --follow'
		run -0 "$S/status"
		said 'following exec, exit'
		# nothing is pinned, and other commands do not wait for it
		[[ -z $(find "$PIN"/observe_* "$PIN/new" -type f) ]]
		run -1 observe exec
		said 'somebody follows it'
		run -1 observe exec --follow
		said 'it is observed already'
		keep read
		"$S/allow" --all >/dev/null
		kill -"$how" $!
		wait $! || true
		no_observers
		run -0 observe
		[[ -z $output ]]
		run -0 "$S/status"
	done
	# one that is observed is not followed, and goes on
	observe exec
	run -1 observe exec --follow
	said 'it is observed already'
	observe off
	no_observers
}

@test "observe off ends who follows, unload does not wait for long" {
	local status=0
	"$S/observe" open --follow --only-uid 4711 >/dev/null 2>"$D/err" 3>&- &
	for _ in {1..50}; do
		[[ -z $(observers) ]] || break
		sleep 0.1
	done
	run -0 observe off
	wait $! || status=$?
	[[ $status == 0 ]]
	no_observers
	"$S/observe" open --follow --only-uid 4711 >/dev/null 2>"$D/err" 3>&- &
	for _ in {1..50}; do
		[[ -z $(observers) ]] || break
		sleep 0.1
	done
	"$S/unload" >/dev/null
	wait $! || status=$?
	[[ $status == 3 ]]
	nothing_left
}

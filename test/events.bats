#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 7.2 6.1 6.12-nolsm
# The flight recorder: what rules did, kept by the kernel, and `events`.

# shellcheck disable=SC2030,SC2031,SC2154 # output is set by run

load suite

events() {
	"$S/events" "$@"
}

# since: forget what earlier tests did: EVENTS shows what comes from now on.
since() {
	FROM=$("$S/status" --json | jq .records.rules.numbered)
}

# fresh JQ: the events since then, as an array, through a filter.
fresh() {
	events --json | jq -ec --argjson from "$FROM" -s "[.[] | select(.sequence > \$from)] | $1" ||
		fail "not so: $1: $(events --last 5)"
}

# counters OBJECT: HITS and SUPPRESSED of its rule, RECORDS numbered since FROM.
counters() {
	HITS=$("$S/list" --json | jq --arg o "$1" '[.[] | select(.object == $o).hits] | add')
	SUPPRESSED=$("$S/list" --json | jq --arg o "$1" '[.[] | select(.object == $o).suppressed] | add')
	RECORDS=$(($("$S/status" --json | jq .records.rules.numbered) - FROM))
}

@test "nothing recorded yet: no output, status 0" {
	run -0 events
	[[ -z $output ]]
	run -0 events --json --since 1h
	[[ -z $output ]]
	run -0 events --count-by exe
	[[ -z $output ]]
	run -0 events --last 3 --format tetragon
	[[ -z $output ]]
}

@test "a kill is recorded: who, what, by which rule, in each format" {
	since
	deny "$D/bad"
	# shellcheck disable=SC2016 # expanded by the inner shell
	dies bash -c 'cd /; exec "$1" "$2" "a word"' - "$D/bad" $'\xff'
	fresh 'length == 1'
	fresh ".[0] | .kind == \"rule\" and .op == [\"exec\"] and .action == \"kill\" and .signal == 9
		and .signal_sent and .object.path == \"$D/bad\" and .object.mode == 33261 and .process.cwd == \"/\"
		and .process.euid == 0 and .process.login_uid == null and .suppressed == 0 and .cut == [] and .loose == [] and .gone == []"
	fresh ".[0].object.ino == $(stat -c %i "$D/bad")"
	fresh ".[0].process | .mnt_ns == $(stat -Lc %i /proc/self/ns/mnt) and .pid_ns == $(stat -Lc %i /proc/self/ns/pid)"
	fresh '.[0].process | .args[0] != null and .args[2] == "a word" and (.args_hex | test("ff006120776f726400$"))'
	if has_first_layer; then
		fresh '.[0] | .return == -1 and .process.exe == "/usr/bin/bash" and .process.args_claimed'
	else
		fresh '.[0] | .return == 0 and (.process.args_claimed | not)'
	fi
	# its parent is this shell
	fresh ".[0].process.parent | .exe == \"/usr/bin/bash\" and .pid > 0"
	run -0 events --last 1
	said "kill  exec "
	said " root $D/bad "
	said $'\\xff'
	said "(rule "
	[[ $output != *$'\e'* ]]
	events --json | jq -c . | while IFS= read -r line; do
		run -0 jq -r --slurpfile schema "$ROOT/docs/events.schema.json" -f "$ROOT/test/schema.jq" <<<"$line"
		[[ -z $output ]] || fail "$output"
	done
	run -0 events --format tetragon --last 1
	jq -e '(.process_lsm // .process_kprobe) | .action == "KPROBE_ACTION_SIGKILL"
		and .function_name == "bprm_check_security" and (.args[0].linux_binprm_arg.path | endswith("/bad"))
		and (.process.binary | startswith("/")) and .process.pid > 0 and .process.exec_id and .parent.exec_id == .process.parent_exec_id' <<<"$output"
	jq -e '.node_name and .time' <<<"$output"
	run -0 events --format ecs --last 1
	jq -e '.event.kind == "alert" and .event.category == ["process"] and .event.action == "exec" and .process.pid > 0
		and (.file.path | endswith("/bad")) and .user.effective.id == "0" and .rule.id and .["@timestamp"]' <<<"$output"
}

@test "two rules, two users, a script, a thread that is not the leader" {
	local pid
	echo text >"$D/secret"
	chmod 644 "$D/secret"
	printf '#!/bin/sh\necho hello\n' >"$D/script"
	chmod 755 "$D/script"
	keep read
	deny "$D/script"
	deny --action deny read "$D/secret"
	since
	has_first_layer || skip "backend kill: a script is its interpreter, and a deny is a kill"
	dies "$D/script" with arguments
	run su user -c "cat $D/secret"
	run -0 "$PROGS/denied" thread "$D/secret"
	said "denied 1"
	pid=${output#thread }
	fresh ".[0] | .object.path == \"$D/script\" and .process.args == [\"$D/script\", \"with\", \"arguments\"]"
	fresh ".[1] | .process.euid == 1000 and .process.uid == 1000 and .process.comm == \"cat\" and .action == \"deny\" and .signal == null and .return == -1"
	fresh ".[2].process | .tid == ${pid%% *} and .pid != .tid and .comm == \"denied\""
	# each is gone before it is read
	fresh "all(.[]; .process.pid as \$p | $(printf '%s\n' /proc/[0-9]* | sed 's,/proc/,,' | jq -sc .) | index(\$p) | not)"
	[[ $(events --op read | wc -l) -ge 2 ]]
	run -0 events --count-by user --op read
	said "1 user"
	run -0 events --pid "${pid%% *}"
	[[ -z $output ]]
}

@test "a rename tells the name that the rule names; what is long is cut and says so" {
	local long deep
	has_first_layer || skip "backend kill: renaming may complete"
	keep rename
	echo >"$D/kept"
	deny --action deny rename "$D/kept"
	since
	run mv "$D/kept" "$D/other"
	run mv -T "$D/good" "$D/kept"
	fresh "length == 2 and all(.[]; .object.path == \"$D/kept\")"
	since
	long=$(printf '%0200d' 0)
	deep=$D/$long/$long
	mkdir -p "$deep"
	cp "$D/bad" "$deep/bad"
	deny "$deep/bad"
	dies "$deep/bad" "$(printf '%0600d' 0)"
	fresh '.[0] | .cut == ["object", "args"] and (.object.path | endswith("/bad")) and (.process.args | join("") | length) >= 400'
	since
	# a name without a place
	deny "$D/bad"
	(cd "$D" && dies ./bad)
	fresh ".[0] | .process.args[0] == \"./bad\" and .object.path == \"$D/bad\""
}

@test "the rate of one rule does not wash out another's, and all that is left out is counted" {
	local n
	has_first_layer || skip "backend kill: a deny is a kill"
	keep read
	"$S/load" --rate 5 >/dev/null
	echo >"$D/one"
	echo >"$D/two"
	deny --action deny read "$D/one" "$D/two"
	since
	run -0 "$PROGS/denied" seconds 2 "$D/one"
	[[ $output =~ ^opened\ 0\ denied\ ([0-9]+)$ ]]
	n=${BASH_REMATCH[1]}
	run cat "$D/two"
	counters "$D/one"
	[[ $HITS == "$n" ]]
	((SUPPRESSED > 0 && RECORDS < 40))
	fresh "[.[] | select(.object.path == \"$D/two\")] | length >= 1"
	counters "$D/two"
	# every hit made a record or was counted as suppressed
	[[ $("$S/status" --json | jq .records.rules.numbered) == $((FROM + n + HITS - SUPPRESSED - $("$S/list" --json | jq --arg o "$D/one" '[.[] | select(.object == $o).suppressed] | add'))) ]]
	# and the next record of the rule says how many
	sleep 1.1
	run cat "$D/one"
	fresh '[.[] | select(.suppressed > 100)] | length >= 1'
	"$S/load" --rate 100 >/dev/null
}

@test "a small buffer keeps the newest, and a reader on the way counts what it lost" {
	local n shown followed
	has_first_layer || skip "backend kill: a deny is a kill"
	keep read
	"$S/load" --records 64 --rate 1000000 >/dev/null
	echo >"$D/one"
	deny --action deny read "$D/one"
	since
	[[ -z $(events) ]]
	"$S/events" --json --follow >"$D/follow" 3>&- &
	sleep 0.5
	run -0 "$PROGS/denied" seconds 2 "$D/one"
	followed=${output##* }
	sleep 0.5
	kill %1
	wait %1 || true
	# of several writers one may be interrupted until the others are a lap ahead: then its slot is
	# left out. One alone writes each.
	run -0 "$PROGS/denied" count 64 "$D/one"
	n=$((followed + 64))
	counters "$D/one"
	[[ $HITS == "$n" && $SUPPRESSED == 0 && $RECORDS == "$n" ]]
	run -0 events --json
	[[ $(wc -l <<<"$output") == 64 ]]
	jq -es --argjson last $((FROM + n)) '[.[].sequence] == [range($last - 63; $last + 1)]' <<<"$output"
	"$S/status" --json | jq -e --argjson n "$n" '.records.rules | .capacity == 64 and .overwritten == .numbered - 64'
	# what was shown and what was lost are all
	shown=$(jq -s '[.[] | if .kind == "lost" then .count else 1 end] | add' "$D/follow")
	((shown == followed)) || fail "shown and lost: $shown of $followed"
	jq -es 'any(.[]; .kind == "lost")' "$D/follow"
	run -0 events --last 3
	[[ $(wc -l <<<"$output") == 3 ]]
	run -0 events --since @1
	[[ $(wc -l <<<"$output") == 64 ]]
	run -0 events --since @9999999999
	[[ -z $output ]]
	run -0 events --rule 4000000
	[[ -z $output ]]
	run -0 events --count-by op --json
	[[ $output == '{"op":"read","count":64}' ]]
	"$S/load" --records 4096 --rate 100 >/dev/null
	[[ -z $(events) ]]
}

@test "--follow shows an event within 100 ms, to several readers; one that dies disturbs nobody" {
	local line at seen reader i took least=''
	deny "$D/bad"
	coproc READER { exec "$S/events" --json --follow 2>/dev/null; }
	reader=$READER_PID
	"$S/events" --json --follow >"$D/other" 3>&- &
	sleep 0.5
	# the least of eight: whatever else runs on the machine only ever adds to it
	for i in 1 2 3 4 5 6 7 8; do
		dies "$D/bad" "marker$i"
		while IFS= read -r -t 5 line <&"${READER[0]}" && [[ $line != *"marker$i"* ]]; do :; done
		seen=$(date +%s%N)
		at=$(date -d "$(jq -r .time <<<"$line")" +%s%N)
		took=$((seen - at))
		[[ -n $least ]] && ((least <= took)) || least=$took
	done
	# the loop and date take their time as well
	((least < 300000000)) || fail "after $((least / 1000000)) ms"
	kill -9 "$reader"
	dies "$D/bad" second
	sleep 0.3
	[[ $(grep -c marker "$D/other") == 8 && $(grep -c second "$D/other") == 1 ]]
	kill %2 2>/dev/null || kill %1
	wait || true
}

@test "loading again keeps what was recorded, and unload ends a reader with status 3" {
	local status=0 n
	n=$(events | wc -l)
	"$S/load" --backend "${COTTER_BACKEND:-auto}" >/dev/null
	[[ $(events | wc -l) == "$n" ]]
	"$S/events" --follow >/dev/null 2>"$D/said" 3>&- &
	sleep 0.5
	"$S/unload" >/dev/null
	wait $! || status=$?
	[[ $status == 3 ]] || fail "$status: $(<"$D/said")"
	grep -q '^events: unloaded' "$D/said"
	run -3 events
	said "not loaded"
}

@test "records of another version are refused with the remedy" {
	local next version=09
	bpftool -j map lookup pinned "$PIN/maps/recorder" key 0 0 0 0 >"$D/was"
	next=$(jq -r '.value[0:8] | map(ltrimstr("0x")) | join(" ")' "$D/was")
	# shellcheck disable=SC2086 # words
	bpftool map update pinned "$PIN/maps/recorder" key hex 00 00 00 00 value hex $next $version 00 00 00 00 06 00 00
	run -1 events
	said "records of version 9, this is 1: run scripts/unload, then scripts/load"
	"$S/unload" >/dev/null
}

@test "what is wrong is refused" {
	local bad
	for bad in '--records 100' '--records 0' '--records x' '--records 32' '--records 2097152' '--rate -1' '--rate x' '--rate 1000001'; do
		# shellcheck disable=SC2086 # words
		run -2 "$S/load" $bad
		said "want a"
	done
	for bad in '--op fly' '--count-by nothing' '--rule 0' '--rule x' '--pid -1' '--last 0' '--since yesterdayish' '--format xml' '--count-by op --follow' word; do
		# shellcheck disable=SC2086 # words
		run -2 events $bad
	done
	run -0 events -h
}

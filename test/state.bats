#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 7.2 6.1
# The rules as a database: growth, commands at once, commands that are cut off.

# shellcheck disable=SC2030,SC2031 # output is set by run

load suite

# paths PREFIX COUNT: names of files that need not exist, one a line.
paths() {
	seq -f "$1%05.0f" "$2"
}

hammer_on() {
	"$PROGS/hammer" "$D/stop" "$D/bad" >"$D/hammer" 3>&- &
}

hammer_off() {
	: >"$D/stop"
	wait
	[[ $(<"$D/hammer") =~ ^ran\ 0\ killed\ [1-9][0-9]*\ failed\ 0$ ]] || fail "$(<"$D/hammer")"
}

rules() {
	"$S/list" --json | jq length
}

@test "ten rules take at most 2 MiB of kernel memory" {
	paths "$D/n" 10 | deny --stdin
	run -0 "$S/status" --json
	well "$output" '.rules.in_force == 10 and .memory <= 2097152'
}

# bits: that are set in the sketch
bits() {
	bpftool -j map dump pinned "$PIN/maps/sketch" | jq 'first(.. | objects | select(has("bits")) | .bits)'
}

@test "the sketch has a bit for each key of a rule, and forgets when there was none" {
	local n
	paths "$D/n" 100 | deny --stdin
	n=$(bits)
	# names, and no inodes: by chance two in some have one bit
	((n > 90 && n <= 101)) || fail "$n bits"
	"$S/allow" --stdin < <(paths "$D/n" 100) >/dev/null
	deny "$D/bad"
	n=$(bits)
	((n >= 2 && n <= 3)) || fail "$n bits"
	dies "$D/bad"
	runs "$D/good"
}

@test "where the sketch cannot be written, no rule is made" {
	deny "$D/bad"
	mv "$PIN/core/sketch_add" "$PIN/core/elsewhere"
	run -1 deny "$D/good"
	said "deny: the sketch cannot be written: No such file or directory"
	runs "$D/good"
	dies "$D/bad"
	[[ $(rules) == 1 ]]
	mv "$PIN/core/elsewhere" "$PIN/core/sketch_add"
	deny "$D/good"
	dies "$D/good"
}

# More than the word of `hot` has bits, and of inodes that have the same number.
@test "each of 100 trees on two file systems holds, and what lies beside it runs" {
	local n dir status
	local -a trees=() beside=()
	for dir in "$D/trees" /mnt/ext4/trees; do
		rm -rf "$dir"
		mkdir -p "$dir"/{1..50}{,.not}/deep
		for n in {1..50}; do
			trees+=("$dir/$n/")
			beside+=("$dir/$n.not/")
		done
		printf '%s\0' "$dir"/*/deep | xargs -0 -n 1 cp "$D/good"
	done
	printf '%s\n' "${trees[@]}" | deny --stdin
	for dir in "${trees[@]}"; do
		status=0
		"${dir}deep/good" 2>/dev/null || status=$?
		((status == 137)) || fail "$dir: $status"
	done
	for dir in "${beside[@]}"; do
		"${dir}deep/good" || fail "$dir"
	done
	# of one that is allowed the bits may stay
	"$S/allow" "${trees[0]}" "${trees[70]}"
	runs "${trees[0]}deep/good"
	runs "${trees[70]}deep/good"
	dies "${trees[1]}deep/good"
	rm -r /mnt/ext4/trees
}

# Enough that each map grows: two identities and two texts a rule, three segments.
@test "3000 rules come and go, and an earlier rule holds at every moment" {
	local n
	mkdir "$D/many"
	deny "$D/bad"
	hammer_on
	run -0 deny --reason many --stdin < <(paths "$D/many/n" 3000)
	[[ $output == "3000 rules" ]]
	"$S/list" --json >"$D/json"
	jq -e --arg d "$D/many/n" 'length == 3001 and ([.[1:][].object] | unique | length) == 3000
		and all(.[1:][].object; startswith($d))' "$D/json"
	for n in 00001 01023 01024 01025 02047 02048 02999 03000; do
		cp "$D/good" "$D/many/n$n"
		dies "$D/many/n$n"
	done
	cp "$D/good" "$D/many/n03001"
	runs "$D/many/n03001"
	run "$S/status" --json
	well "$output" '.rules.in_force == 3001 and .objects.capacity >= 6003 and .texts.capacity >= 6001 and .rules.segments == 3'
	run -0 "$S/allow" --stdin < <(paths "$D/many/n" 3000)
	[[ $output == "3000 rules removed" ]]
	hammer_off
	[[ $(rules) == 1 ]]
	for n in 00001 01024 03000; do
		runs "$D/many/n$n"
	done
	dies "$D/bad"
	run "$S/status" --json
	well "$output" '.objects.used == 3 and .texts.used == 1'
}

@test "20 commands at once lose no rule" {
	local i
	for ((i = 0; i < 20; i++)); do
		deny "$D/at-once$i" >"$D/said$i" 2>&1 3>&- &
	done
	wait
	cat "$D"/said* | grep -v '^rule ' || true
	"$S/list" --json >"$D/json"
	jq -e 'length == 20 and ([.[].object] | unique | length) == 20 and ([.[].id] | unique | length) == 20' "$D/json"
	for i in 0 7 19; do
		cp "$D/good" "$D/at-once$i"
		dies "$D/at-once$i"
	done
	# deny and allow at once, of different objects
	for ((i = 0; i < 10; i++)); do
		"$S/allow" "$D/at-once$i" >/dev/null 3>&- &
		deny "$D/second$i" >/dev/null 3>&- &
	done
	wait
	run "$S/status" --json
	well "$output" '.rules.in_force == 20'
}

# cut SIGNAL VERB: interrupt a command of 1000 objects at four moments of its life. Each
# time all of its rules are there or none, the others hold, and the next command works.
cut() {
	local signal=$1 verb=$2 percent at begin whole n others=1
	local -a outcomes=()
	paths "$D/c" 1000 >"$D/lines"
	deny "$D/bad" >/dev/null
	begin=$(date +%s%3N)
	deny --stdin <"$D/lines"
	[[ $verb == deny ]] || begin=$(date +%s%3N)
	[[ $verb == deny ]] || "$S/allow" --stdin <"$D/lines"
	whole=$(($(date +%s%3N) - begin))
	"$S/allow" --stdin <"$D/lines" >/dev/null
	for percent in 25 50 70 90; do
		[[ $verb == deny ]] || deny --stdin <"$D/lines" >/dev/null
		at=$((whole * percent / 100))
		# a process group of its own, which the signal goes to as from a terminal
		timeout -s "$signal" "$((at / 1000)).$(printf %03d $((at % 1000)))" \
			"$S/$verb" --stdin <"$D/lines" >/dev/null 2>&1 || true
		n=$(rules)
		outcomes+=("$at ms: $n")
		[[ $n == "$others" || $n == $((others + 1000)) ]] || fail "$signal after $at ms: $n rules"
		dies "$D/bad"
		# the next command finishes or undoes what was begun
		run -0 deny "$D/next$percent"
		"$S/allow" --stdin <"$D/lines" >/dev/null
		others=$((others + 1))
		[[ $(rules) == "$others" ]] || fail "$signal after $at ms: $n rules, then $(rules)"
	done
	echo "rules after a signal at: ${outcomes[*]}"
	runs "$D/good"
	run "$S/status" --json
	# two identities of what does not exist, one more of the file
	well "$output" ".rules.in_force == $others and .objects.used == 2 * $others + 1 and .texts.used == $others"
}

@test "deny that is interrupted makes all of its rules or none" {
	cut INT deny
}

@test "deny that is killed makes all of its rules or none" {
	cut KILL deny
}

@test "allow that is killed takes all of its rules away or none" {
	cut KILL allow
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 6.12-nolsm
# Policies: applied whole or not at all, by the kernel's clock, saved and restored.

# shellcheck disable=SC2030,SC2031 # output is set by run

load suite

teardown_file() {
	suite_teardown
}

setup() {
	D=$BATS_FILE_TMPDIR/$BATS_TEST_NUMBER
	cp -r "$BATS_FILE_TMPDIR/new" "$D"
	as_loaded
}

# forget: the suite's, and the policies
teardown() {
	local running
	running=$(jobs -p)
	# shellcheck disable=SC2086 # words
	[[ -z $running ]] || kill $running 2>/dev/null || true
	"$S/panic" --off >/dev/null
	mkdir -p "$BATS_FILE_TMPDIR/none"
	printf '{"version":1,"name":"manual","mode":"enforce","rules":[]}' >"$BATS_FILE_TMPDIR/none/manual.json"
	"$S/apply" --prune "$BATS_FILE_TMPDIR/none" >/dev/null
	rm -rf "$D"
}

# policy NAME MODE RULE...: a policy file, $D/NAME.json
policy() {
	local name=$1 mode=$2
	shift 2
	local IFS=,
	printf '{"version":1,"name":"%s","mode":"%s","reason":"of a test","rules":[%s]}\n' "$name" "$mode" "$*" >"$D/$name.json"
}

# rule ID PATH [MORE]
rule() {
	printf '{"id":"%s","op":["exec"],"object":{"path":"%s"}%s}' "$1" "$2" "${3:+,$3}"
}

# as_before: nothing has changed since the file $D/before was written
as_before() {
	"$S/list" --json >"$D/now"
	diff "$D/before" "$D/now"
}

@test "a policy is applied, and a neighbour and rules typed by hand go on" {
	policy one enforce "$(rule bad "$D/bad" '"reason":"why not"')"
	deny "$D/hand" >/dev/null
	cp "$D/good" "$D/hand"
	runs "$D/bad"
	run -0 "$S/apply" "$D/one.json"
	[[ $output == 'policy one: enforce, 1 rules: 1 new, 0 unchanged, 0 gone' ]]
	dies "$D/bad"
	dies "$D/hand"
	runs "$D/good"
	run -0 "$S/policies" --json
	jq -e 'length == 2 and .[0].name == "manual" and .[0].rules == 1
		and .[1].name == "one" and .[1].rules == 1 and .[1].hits == 1 and .[1].reason == "of a test"' <<<"$output"
	run -0 "$S/apply" --remove one
	runs "$D/bad"
	dies "$D/hand"
	run -1 "$S/apply" --remove one
	[[ $output == *'one: no such policy'* ]]
}

@test "what did not change keeps its number and hits, the rest comes and goes" {
	policy one enforce "$(rule a "$D/bad")" "$(rule b "$D/b")" "$(rule c "$D/c")"
	"$S/apply" "$D/one.json" >/dev/null
	dies "$D/bad"
	"$S/list" --json >"$D/before"
	run -0 "$S/apply" "$D/one.json"
	[[ $output == *'0 new, 3 unchanged, 0 gone' ]]
	as_before
	policy one enforce "$(rule a "$D/bad")" "$(rule b "$D/b" '"action":"audit"')" "$(rule d "$D/good")"
	run -0 "$S/apply" --diff "$D/one.json"
	[[ $output == *"- one/b: kill exec $D/b (name)"* && $output == *"+ one/b: audit exec $D/b (name)"* ]]
	[[ $output == *"- one/c: "* && $output == *"+ one/d: "* && $output != *one/a* ]]
	as_before
	run -0 "$S/apply" "$D/one.json"
	[[ $output == *'2 new, 1 unchanged, 2 gone' ]]
	"$S/list" --json >"$D/now"
	jq -e --slurpfile before "$D/before" 'length == 3
		and (.[] | select(.rule == "a") | .id == $before[0][0].id and .hits == 1)
		and any(.[]; .rule == "b" and .action == "audit") and any(.[]; .rule == "d")' "$D/now"
	dies "$D/good"
}

@test "an upgraded file is found by its policy again, and keeps number and hits" {
	policy one enforce "$(rule a "$D/bad")"
	"$S/apply" "$D/one.json" >/dev/null
	dies "$D/bad"
	cp "$D/good" "$D/other"
	mv "$D/other" "$D/bad"
	run -0 "$S/apply" "$D/one.json"
	[[ $output == *'0 new, 1 unchanged, 0 gone' ]]
	ln "$D/bad" "$D/linked"
	dies "$D/linked"
	run -0 "$S/list" --json
	jq -e 'length == 1 and .[0].hits == 2' <<<"$output"
}

@test "monitor mode counts and lets happen, enforce mode does not, each for a time" {
	policy one monitor "$(rule a "$D/bad")"
	"$S/apply" "$D/one.json" >/dev/null
	runs "$D/bad"
	run -0 "$S/list" --json
	jq -e '.[0].hits == 1' <<<"$output"
	"$S/apply" --enforce one
	dies "$D/bad"
	"$S/apply" --monitor --for 3s one
	runs "$D/bad"
	run -0 "$S/policies"
	[[ $output == *'one '*'monitor for '[123]s* ]]
	sleep 3.2
	dies "$D/bad"
	run -0 "$S/policies" --json
	jq -e '.[1].mode == "enforce" and (.[1] | has("then") | not)' <<<"$output"
	# and what the command line says is stronger than the file
	"$S/apply" --enforce --for 2s "$D/one.json"
	dies "$D/bad"
	sleep 2.2
	runs "$D/bad"
	run -0 "$S/apply" --monitor --for 7d "$D/one.json"
	runs "$D/bad"
	run -0 "$S/policies"
	[[ $output == *'one '*'monitor for 6d23h '* ]]
	run -2 "$S/apply" --monitor --for 0s one
	run -2 "$S/apply" --for 1h one
	run -1 "$S/apply" --monitor nonesuch
}

@test "rules for a time end by the kernel's clock, and the next command sweeps them" {
	policy one enforce "$(rule a "$D/bad" '"ttl":"3s"')"
	"$S/apply" "$D/one.json" >/dev/null
	deny --ttl 3 "$D/good" >/dev/null
	dies "$D/bad"
	dies "$D/good"
	run -0 "$S/list"
	[[ ${lines[0]} == *LEFT* && ${lines[1]} == *[123]s* ]]
	sleep 3.2
	runs "$D/bad"
	runs "$D/good"
	run -0 "$S/list" --json
	[[ $output == '[]' ]]
	deny "$D/next" >/dev/null
	run -0 "$S/status" --json
	jq -e '.rules.in_force == 1' <<<"$output"
	# a longer time prolongs, a shorter one does not shorten
	deny --ttl 1h "$D/bad" >/dev/null
	run -0 deny --ttl 1m "$D/bad"
	[[ $output == *'already there'* ]]
	run -0 deny --ttl 2h "$D/bad"
	[[ $output != *'already there'* ]]
	run -0 deny "$D/bad"
	[[ $output != *'already there'* ]]
	run -0 "$S/list" --json
	jq -e 'length == 2 and all(.[]; has("seconds_left") | not)' <<<"$output"
	for wrong in 0 -1 1y 1hh '' 99999999999d; do
		run -2 deny --ttl "$wrong" "$D/x"
	done
}

@test "panic has every rule only count, at once, whatever command holds the lock" {
	policy one enforce "$(rule a "$D/bad")"
	"$S/apply" "$D/one.json" >/dev/null
	deny "$D/good" >/dev/null
	exec 7</sys/fs/bpf
	flock 7
	timeout 10 "$S/panic"
	exec 7<&-
	runs "$D/bad"
	runs "$D/good"
	run -0 "$S/policies"
	[[ $output == *panic* ]]
	run "$S/status" --json
	jq -e '.degraded | any(contains("panic"))' <<<"$output"
	"$S/panic" --off
	dies "$D/bad"
	dies "$D/good"
}

# refused WHY...: the policy in $D/p.json is refused with these words, and nothing changes.
refused() {
	local why
	run -1 "$S/apply" "$D/p.json"
	for why in "$D/p.json" "$@"; do
		[[ $output == *"$why"* ]] || fail "not '$why' in: $output"
	done
	as_before
}

@test "what is wrong with a file is said with file and rule, and nothing is applied" {
	deny "$D/bad" >/dev/null
	"$S/list" --json >"$D/before"
	: >"$D/p.json" && refused 'is empty'
	printf '{"version":1,"name":"p","mode":"enforce","rules":[%s]}' "$(rule a "$D/x"$'\xff')" >"$D/p.json" && refused 'not UTF-8'
	printf '{"version":1,' >"$D/p.json" && refused 'not JSON'
	printf '[]' >"$D/p.json" && refused 'want an object'
	printf '{"name":"p","mode":"enforce","rules":[]}' >"$D/p.json" && refused 'version: is missing'
	printf '{"version":2,"name":"p","mode":"enforce","rules":[]}' >"$D/p.json" && refused 'version: 2'
	printf '{"version":1,"name":"P/","mode":"x","rules":3,"more":1}' >"$D/p.json" &&
		refused 'name: "P/"' 'mode: "x"' 'rules: want an array' 'unknown key "more"'
	policy p enforce "$(rule a "$D/x")" "$(rule a "$D/y")" && refused 'rule a: 2 rules have this id'
	policy p enforce "$(rule a "$D/x" '"ttl":0')" && refused 'rule a: ttl: 0'
	policy p enforce "$(rule a "$D/x" '"ttl":"-1h"')" && refused 'rule a: ttl: "-1h"'
	policy p enforce "$(rule a "$D/x" '"errno":"EPERM"')" && refused 'rule a: errno'
	policy p enforce "$(rule a "$D/x" '"unless":{"user":[0]}')" && refused 'rule a: unless: unknown key "user"'
	policy p enforce "$(rule a "$D/x" '"reason":"a\u0000b"')" && refused 'rule a: reason: holds a NUL'
	policy p enforce '{"id":"t","op":["exec"],"object":{"tree":"/nonesuch"}}' && refused 'rule t: /nonesuch/: no such directory'
	policy p enforce '{"id":"t","op":["fly"],"object":{"path":"/nonesuch"}}' && refused 'rule t: fly: unknown operation'
	policy p enforce "$(rule a "$D/x")" "$(rule b "$D/x" '"action":"deny"')" && refused 'rule b:' 'conflicts with rule a'
	policy p enforce "$(rule a "$D/x")" "$(rule b "$D/x")" && refused 'rule b:' 'says the same as rule a'
	policy p enforce "$(rule sh /bin/bash)" && refused 'rule sh: /bin/bash: would lock you out'
	policy p enforce "$(rule a "$D/x" '"unless":{"exe":["/nonesuch"]}')" && refused 'rule a: --unless-exe /nonesuch'
	policy schema enforce && mv "$D/schema.json" "$D/p.json" && refused 'name: "schema"'
	policy p enforce "$(rule a "$D/x" '"signal":"TERM","action":"deny"')" && refused 'rule a: signal: only action kill'
	policy p enforce "$(rule a "$D/x" '"signal":"NONESUCH"')" && refused 'rule a: --signal NONESUCH: no such signal'
	policy p enforce "$(rule a "$D/x" '"signal":0')" && refused 'rule a: signal: 0'
	policy p enforce '{"id":"c","op":["syscall"],"object":{"syscall":"flyaway"}}' && refused 'rule c: flyaway: no such system call'
	policy p enforce '{"id":"c","op":["syscall"],"object":{"path":"/x"}}' && refused 'rule c: op and object'
	policy p enforce '{"id":"c","op":["syscall"],"object":{"syscall":"mkdir","args":["7=1"]}}' && refused 'rule c: --arg 7=1'
	policy p enforce '{"id":"c","op":["syscall"],"object":{"syscall":"read"}}' && refused 'rule c: read: nothing would run'
	truncate -s 1G "$D/p.json" && refused '1073741824 bytes'
	rm "$D/p.json" && mkfifo "$D/p.json" && refused 'not a regular file'
	rm "$D/p.json"
	run -1 "$S/apply" "$D/p.json"
	[[ $output == *'no such file'* ]]
	policy p enforce "$(rule a "$D/x")"
	cp "$D/p.json" "$D/q.json"
	run -1 "$S/apply" "$D/p.json" "$D/q.json"
	[[ $output == *'policy p is also in'* ]]
	as_before
	run -4 setpriv --reuid 1000 --clear-groups "$S/apply" "$ROOT/policies/quarantine.json"
	chmod 700 "$D" && chmod 000 "$D/p.json"
	run -1 setpriv --reuid 1000 --clear-groups "$S/apply" --check "$D/p.json"
	chmod 755 "$D"
	run -1 setpriv --reuid 1000 --clear-groups "$S/apply" --check "$D/p.json"
	[[ $output == *"$D/p.json: cannot be read: permission denied"* ]]
	mkdir -m 700 "$D/dir"
	run -1 setpriv --reuid 1000 --clear-groups "$S/apply" --check "$D/dir"
	[[ $output == *"$D/dir: cannot be read: permission denied"* ]]
	run -2 "$S/apply"
	dies "$D/bad"
}

@test "a call that cannot be made to fail has no rule that denies it" {
	local name entry
	# the second has an entry of 32-bit code alone
	for name in mkdir socketcall; do
		entry=__x64_sys_$name
		[[ $name != socketcall ]] || entry=__ia32_compat_sys_$name
		deny --action audit syscall "$name" >/dev/null
		"$S/list" --json >"$D/before"
		policy p enforce '{"id":"c","op":["syscall"],"object":{"syscall":"'"$name"'"},"action":"deny"}'
		if [[ -d $PIN/$entry/kill ]]; then
			run -5 "$S/apply" "$D/p.json"
			[[ $output == *"$D/p.json: rule c: action deny: this kernel cannot make $name fail"* ]]
			as_before
		else
			run -0 "$S/apply" "$D/p.json"
			"$S/apply" --remove p
		fi
		"$S/allow" syscall "$name" >/dev/null
	done
}

@test "a path that does not exist is a rule by name" {
	policy one enforce "$(rule a "$D/later")"
	run -0 "$S/apply" "$D/one.json"
	cp "$D/good" "$D/later"
	dies "$D/later"
}

@test "--check finds rules without effect, without anything loaded and without root" {
	policy one enforce "$(rule a "$D/x")" '{"id":"all","op":["exec"],"object":{"tree":"'"$D"'"}}' \
		"$(rule old "$D/y" '"until":"2001-01-01T00:00:00Z"')"
	chmod -R a+rX "$D"
	"$S/unload"
	run -1 setpriv --reuid 1000 --clear-groups "$S/apply" --check "$D/one.json"
	[[ $output == *"rule a: $D/x: never decides: rule all"* ]]
	[[ $output == *'rule old: it was to end at a time that is past'* ]]
	run -0 "$S/apply" --check "$ROOT/policies"
}

@test "YAML is read where yq is installed, and refused with a word where not" {
	printf 'version: 1\nname: y\nmode: enforce\nrules:\n- id: a\n  op: [exec]\n  object: {path: %s}\n' "$D/bad" >"$D/y.yaml"
	if command -v yq >/dev/null; then
		run -0 "$S/apply" "$D/y.yaml"
	else
		run -1 "$S/apply" "$D/y.yaml"
		[[ $output == *'YAML needs yq'* ]]
		# a yq that does what the installed one does
		mkdir "$D/bin"
		# shellcheck disable=SC2016 # of the script
		printf '#!/bin/sh\n[ "$1" != --help ] || exit 0\ncat >/dev/null\ncat %s\n' "$D/as.json" >"$D/bin/yq"
		chmod +x "$D/bin/yq"
		policy as enforce "$(rule a "$D/bad")"
		PATH=$PATH:$D/bin run -0 "$S/apply" "$D/y.yaml"
	fi
	dies "$D/bad"
}

@test "save, unload, restore, save: the same rules in the same bytes" {
	policy one monitor "$(rule a "$D/bad" '"ttl":"1h","reason":"\"q\""')" \
		'{"id":"w","op":["modify"],"object":{"path":"'"$D"'/f"},"action":"deny","errno":13,"unless":{"exe":["/usr/bin/tee"],"uid":["nobody"]},"sticky":true}'
	deny --ttl 2h "$D/good" >/dev/null
	# what JSON has no text for
	cp "$D/good" "$D/"$'p\xff'
	deny "$D/"$'b\xff' --reason $'why\xfe' --unless-exe "$D/"$'p\xff' --unless-exe "$D/good" --only-parent "$D/"$'p\xff' >/dev/null
	"$S/list" --json | jq 'map({object_hex, only, unless, reason_hex}) | sort' >"$D/before"
	"$S/apply" "$D/one.json" >/dev/null
	"$S/apply" --enforce --for 1d one >/dev/null
	run -0 "$S/save" "$D/saved"
	"$S/unload" >/dev/null
	load_cotter
	run -0 "$S/restore" "$D/saved"
	dies "$D/bad"
	dies "$D/good"
	jq -e '.rules[] | select(.object.path_hex | strings | endswith("62ff")) | .reason_hex == "776879fe" and (has("reason") | not)
		and (.unless.exe_hex[0] | endswith("2f70ff")) and (.unless.exe | length == 1) and (.only.parent_hex | length == 1)' "$D/saved/manual.json"
	"$S/list" --json | jq 'map(select(.policy == "manual") | {object_hex, only, unless, reason_hex}) | sort' | diff "$D/before" -
	run -0 "$S/save" "$D/again"
	diff -r "$D/saved" "$D/again"
	cmp "$D/saved/one.json" "$D/again/one.json"
	# what is no more, is no more in the folder; what is not ours, is not touched
	"$S/apply" --remove one >/dev/null
	"$S/save" "$D/again" >/dev/null
	[[ $(ls "$D/again") == manual.json ]]
	run -1 "$S/save" "$D"
	[[ $output == *'not from save'* && -e $D/one.json ]]
	# a rule that cannot be made does not keep the others away
	rm "$D/saved/manual.json"
	policy manual enforce "$(rule 1 "$D/bad")" '{"id":"2","op":["exec"],"object":{"tree":"/nonesuch"}}'
	mv "$D/manual.json" "$D/saved/"
	run -1 "$S/restore" "$D/saved"
	[[ $output == *'rule 2: /nonesuch/: no such directory'* && $output == *'1 rules were left out'* ]]
	dies "$D/bad"
}

@test "save and restore keep classes, system calls, signals, and rules that look alike" {
	policy one enforce '{"id":"m","op":["exec","mapexec"],"object":{"class":"memfd"}}' \
		'{"id":"u","op":["exec"],"object":{"class":"unlinked"},"action":"deny"}' \
		'{"id":"call","op":["syscall"],"object":{"syscall":"mkdirat","args":["2=0x1c0"],"path_arg":"1='"$D"'/p*"},"only":{"exe":["'"$PROGS"'/call_by"]},"signal":"TERM","errno":13}' \
		'{"id":"fd","op":["syscall"],"object":{"syscall":"fchmod","fd_of":"'"$D"'/good"},"action":"audit"}' \
		"$(rule t "$D/bad" '"signal":15,"unless":{"container":true}')" \
		"$(rule host "$D/host" '"only":{"container":false}')"
	run -0 "$S/apply" --check "$D/one.json"
	"$S/apply" "$D/one.json"
	deny syscall ptrace --arg 0=16 --action audit >/dev/null
	deny --action deny read,write "$D/f" >/dev/null
	deny --action audit read "$D/f" >/dev/null
	run -143 "$D/bad"
	run -0 "$S/apply" "$D/one.json"
	[[ $output == *'0 new, 6 unchanged, 0 gone' ]]
	"$S/list" --json | jq -c 'map([.op, .object, .call, .signal, .action, .errno, .only, .unless, .policy, .rule]) | sort' >"$D/before"
	run -0 "$S/save" "$D/saved"
	"$S/unload" >/dev/null
	load_cotter
	run -0 "$S/restore" "$D/saved"
	"$S/list" --json | jq -c 'map([.op, .object, .call, .signal, .action, .errno, .only, .unless, .policy, .rule]) | sort' >"$D/now"
	diff "$D/before" "$D/now"
	run -0 "$S/save" "$D/again"
	diff -r "$D/saved" "$D/again"
	run -143 "$D/bad"
	cp "$PROGS/call_by" "$D/by"
	run -0 "$S/apply" --remove one
	runs "$D/bad"
	[[ ! -e $PIN/__x64_sys_mkdirat ]]
}

@test "restore goes on past a broken file, and what was in force of it stays" {
	policy one enforce "$(rule a "$D/bad")"
	policy two enforce "$(rule a "$D/good")"
	"$S/apply" "$D/one.json" "$D/two.json" >/dev/null
	"$S/save" "$D/saved" >/dev/null
	truncate -s -4 "$D/saved/one.json"
	run -1 "$S/restore" "$D/saved"
	[[ $output == *one.json*'not JSON'* && $output == *'1 files were left out'* ]]
	dies "$D/bad"
	"$S/apply" --remove one --remove two >/dev/null
	run -1 "$S/restore" "$D/saved"
	dies "$D/good"
	runs "$D/bad"
}

@test "a rule in monitor mode takes nothing from one that acts" {
	policy tried monitor '{"id":"all","op":["exec"],"object":{"tree":"'"$D"'"}}' "$(rule b "$D/y" '"action":"deny"')"
	policy one enforce "$(rule a "$D/x")" "$(rule b "$D/y")"
	run -1 "$S/apply" --check "$D/tried.json" "$D/one.json"
	[[ $output != *one.json:* ]] || fail "$output"
	policy tried enforce '{"id":"all","op":["exec"],"object":{"tree":"'"$D"'"}}'
	run -1 "$S/apply" --check "$D/tried.json" "$D/one.json"
	[[ $output == *"one.json: rule a: $D/x: never decides"* ]]
}

@test "the schema has all keys that are known, and no other" {
	local of
	# the arrays that unknown_keys() is told, and the schema's, in the same order
	for of in .definitions.subjects .definitions.rule ''; do
		jq -r "$of.properties | keys[]" "$ROOT/policies/schema.json" | paste -sd' '
	done >"$D/schema"
	grep -oE 'unknown_keys\(\["[^]]*\]' "$ROOT/scripts/policy.jq" | grep -v '"syscall"' |
		while read -r of; do
			grep -oE '"[^"]+"' <<<"$of" | tr -d '"' | LC_ALL=C sort | paste -sd' '
		done >"$D/known"
	diff "$D/schema" "$D/known"
	# of an object, by what is said of each key
	for of in $(jq -r '.definitions.rule.properties.object.properties | keys[]' "$ROOT/policies/schema.json"); do
		policy p enforce '{"id":"a","op":["exec"],"object":{"'"$of"'":7}}'
		run -1 "$S/apply" --check "$D/p.json"
		[[ $output != *"unknown key"* ]] || [[ $of =~ ^(args|fd_of|path_arg) ]] || fail "$of: $output"
	done
	# and the operations
	for of in $(jq -r '.definitions.rule.properties.op.items.enum[]' "$ROOT/policies/schema.json"); do
		policy p enforce '{"id":"a","op":["'"$of"'"],"object":{"path":"/nonesuch"}}'
		run "$S/apply" --check "$D/p.json"
		[[ $output != *unknown* ]] || fail "$of: $output"
	done
}

@test "rules of the same object in two policies: the strongest acts, and each can go" {
	policy one monitor "$(rule a "$D/bad")"
	policy two enforce "$(rule a "$D/bad")"
	"$S/apply" "$D/one.json" "$D/two.json" >/dev/null
	deny --action audit "$D/bad" >/dev/null
	dies "$D/bad"
	"$S/apply" --remove two >/dev/null
	runs "$D/bad"
	"$S/apply" --enforce one >/dev/null
	dies "$D/bad"
	run -0 "$S/allow" "$D/bad"
	[[ $output == *'no longer'* ]]
	run -0 "$S/allow" "$D/bad"
	[[ $output == *'of policy one'* ]]
	dies "$D/bad"
}

@test "--prune takes away the policies that are in no file, and no rule typed by hand" {
	policy one enforce "$(rule a "$D/bad")"
	policy two enforce "$(rule a "$D/good")"
	deny "$D/hand" >/dev/null
	"$S/apply" "$D/one.json" "$D/two.json" >/dev/null
	run -0 "$S/apply" --diff --prune "$D/two.json"
	[[ $output == *"- one/a: "* && $output != *two/a* && $output != *hand* ]]
	run -0 "$S/apply" --prune "$D/two.json"
	[[ $output == *'policy one: removed, 1 rules'* ]]
	runs "$D/bad"
	dies "$D/good"
	run -0 "$S/policies" --json
	jq -e 'map([.name, .rules]) == [["manual", 1], ["two", 1]]' <<<"$output"
}

@test "each subject of a policy, in only and in unless, is what deny makes of it" {
	local how
	local -a rules=()
	mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup
	for how in only unless; do
		deny "$D/$how-exe" "--$how-exe" /usr/bin/tee --sticky >/dev/null
		deny "$D/$how-parent" "--$how-parent" /usr/bin/env >/dev/null
		deny "$D/$how-uid" "--$how-uid" nobody >/dev/null
		deny "$D/$how-gid" "--$how-gid" tty >/dev/null
		deny "$D/$how-cgroup" "--$how-cgroup" /a/b >/dev/null
		deny "$D/$how-container" "--$how-container" >/dev/null
		rules+=("$(rule "$how-exe" "$D/$how-exe" '"sticky":true,"'$how'":{"exe":["/usr/bin/tee"]}')"
		"$(rule "$how-parent" "$D/$how-parent" '"'$how'":{"parent":["/usr/bin/env"]}')"
		"$(rule "$how-uid" "$D/$how-uid" '"'$how'":{"uid":["nobody"]}')"
		"$(rule "$how-gid" "$D/$how-gid" '"'$how'":{"gid":["tty"]}')"
		"$(rule "$how-cgroup" "$D/$how-cgroup" '"'$how'":{"cgroup":["/a/b"]}')"
		"$(rule "$how-container" "$D/$how-container" '"'$how'":{"container":true}')")
	done
	policy one enforce "${rules[@]}"
	"$S/apply" "$D/one.json" >/dev/null
	run -0 "$S/list" --json
	jq -e 'group_by(.object) | length == 12 and all(.[]; length == 2 and .[0].only == .[1].only
		and .[0].unless == .[1].unless and .[0].sticky == .[1].sticky)
		and all(.[][0]; [.only, .unless] | map(tojson) | unique | length == 2)' <<<"$output"
}

@test "memory of the rules of before is given back" {
	local i
	local -a used=()
	# shellcheck disable=SC2046 # words
	policy one enforce $(for ((i = 0; i < 300; i++)); do rule "n$i" "$D/n$i" '"reason":"a"' && echo; done)
	mv "$D/one.json" "$D/a.json"
	# shellcheck disable=SC2046 # words
	policy one enforce $(for ((i = 0; i < 300; i++)); do rule "m$i" "$D/m$i" '"reason":"b"' && echo; done)
	for i in a one a one a; do
		"$S/apply" "$D/$i.json" >/dev/null
		used+=("$("$S/status" --json | jq -c '[.memory, .objects.used, .texts.used]')")
	done
	# no generation adds to what the first two needed beside each other
	[[ ${used[1]} == "${used[3]}" && ${used[2]} == "${used[4]}" ]] || fail "${used[*]}"
	"$S/apply" --remove one >/dev/null
	run "$S/status" --json
	jq -e --argjson had "${used[4]}" '.objects.used == 0 and .texts.used == 0 and .memory < $had[0]' <<<"$output"
}

@test "apply says of calls what deny says, once for all rules of a call" {
	policy one enforce '{"id":"p","op":["syscall"],"object":{"syscall":"mkdirat","path_arg":"1='"$D"'/p*"}}' \
		'{"id":"q","op":["syscall"],"object":{"syscall":"mkdirat","path_arg":"1='"$D"'/q*"}}'
	run -0 --separate-stderr deny syscall mkdirat --path-arg "1=$D/p*"
	# what follows is in the order of deny's
	printf '%s\n' "$stderr" | sed 's/^deny: //' >"$D/denied"
	grep -q 'a second thread can change' "$D/denied"
	grep -q 'the same can be done by mkdir' "$D/denied"
	[[ ! -d $PIN/__x64_sys_mkdirat/kill ]] || grep -q '__x64_sys_mkdirat.*: cannot be made to fail here: .* may complete' "$D/denied"
	"$S/allow" syscall mkdirat --path-arg "1=$D/p*" >/dev/null
	run -0 --separate-stderr "$S/apply" "$D/one.json"
	printf '%s\n' "$stderr" | sed "s,^apply: $D/one.json: rule p: ,," | diff "$D/denied" -
	# not again of what is there already
	run -0 --separate-stderr "$S/apply" "$D/one.json"
	[[ -z $stderr ]]
	run -1 "$S/apply" --check "$D/one.json" /nonesuch
	run -0 "$S/apply" --check "$D/one.json"
	[[ $output == *'a second thread can change'* ]]
}

# mapped_by COMMAND...: run it with a bpftool that, before it makes the commit, has somebody map
# $D/file, who writes to it afterwards. It runs; what it says is left in $output.
mapped_by() {
	mkdir -p "$D/bin"
	echo 'a file of some length' >"$D/file"
	mkfifo "$D/go"
	cat >"$D/bin/bpftool" <<-EOF
		#!/bin/bash
		PATH=${PATH@Q}
		if [[ \$1 == batch && ! -e $D/ready ]]; then
			cat >$D/lines
			(
				for fd in /proc/self/fd/*; do
					((\${fd##*/} <= 2)) || eval "exec \${fd##*/}>&-"
				done
				exec "$PROGS/file_by" -w mapping $D/file <>$D/go >$D/ready 2>&1
			) >/dev/null 2>&1 &
			until [[ -s $D/ready ]]; do sleep 0.02; done
			exec bpftool batch file $D/lines
		fi
		exec bpftool "\$@"
	EOF
	chmod +x "$D/bin/bpftool"
	PATH=$D/bin:$PATH run -0 "$@"
	echo >"$D/go"
	until grep -q "done" "$D/ready" 2>/dev/null || ! pgrep -x file_by >/dev/null; do sleep 0.02; done
}

@test "deny and apply name who mapped a file before it was denied, to the last moment" {
	local way
	policy one enforce '{"id":"w","op":["write"],"object":{"path":"'"$D"'/file"}}'
	for way in "deny write $D/file" "$S/apply $D/one.json"; do
		# shellcheck disable=SC2086 # words
		mapped_by $way
		[[ $output == *"$D/file: process "*' (file_by) has it mapped writable since before'* ]] || fail "$output"
		[[ $(<"$D/file") == X* ]]
		run ! sh -c "echo no >>$D/file"
		"$S/allow" --all >/dev/null 2>&1
		rm -r "$D/go" "$D/ready" "${D:?}/bin"
		# nobody has it
		# shellcheck disable=SC2086 # words
		run -0 $way
		[[ $output != *mapped* ]]
		"$S/allow" --all >/dev/null 2>&1
	done
}

@test "a tree that another mount has programs from is refused: it would lock out" {
	mkdir -p "$D/srv/bin" "$D/other/bin"
	cp -a /usr/bin/. "$D/srv/bin/"
	# in a mount namespace of its own: what the tree forbids is not the suite's
	cat >"$D/within" <<-EOF
		mount --bind $D/srv/bin /usr/bin
		mount --bind /usr/sbin $D/other/bin
		"$S/deny" $D/other/x/ ; "$S/deny" --dry-run $D/srv/
		"$S/apply" $D/one.json
		"$S/deny" --dry-run $D/other/
	EOF
	mkdir "$D/other/x"
	policy one enforce '{"id":"t","op":["exec"],"object":{"tree":"'"$D"'/srv/"}}'
	run -0 unshare -m bash "$D/within"
	[[ $output == *"deny: $D/srv/: would lock you out of this machine (/usr/bin/"* ]]
	[[ $output == *"rule t: $D/srv/: would lock you out of this machine (/usr/bin/"* ]]
	# beneath this one is nothing that its own path would not show
	[[ $output == *"would be "*"kill exec $D/other/"* ]] || fail "$output"
	# and with nothing mounted there is nothing to say
	run -0 deny --dry-run "$D/srv/"
}

# As many as fit: COTTER_CUTS=200 does it as often.
@test "apply that is killed at any moment leaves the old policy or the new, and an attack fails throughout" {
	local i n whole begin at cuts=12 old=0 new=0
	[[ $(uname -r) != 6.12.*cloud* ]] || cuts=${COTTER_CUTS:-40}
	policy one enforce "$(rule bad "$D/bad")" "$(rule x "$D/x")"
	cp "$D/one.json" "$D/a.json"
	# shellcheck disable=SC2046 # words
	policy one enforce "$(rule bad "$D/bad" '"reason":"another"')" $(for ((i = 0; i < 60; i++)); do rule "n$i" "$D/n$i" && echo; done)
	cp "$D/one.json" "$D/b.json"
	"$S/apply" "$D/a.json" >/dev/null
	"$PROGS/hammer" "$D/stop" "$D/bad" >"$D/hammer" 3>&- &
	begin=$(date +%s%3N)
	"$S/apply" "$D/b.json" >/dev/null
	whole=$(($(date +%s%3N) - begin))
	for ((i = 0; i < cuts; i++)); do
		n=b
		((i % 2)) || n=a
		at=$((RANDOM * whole / 32768 + 1))
		timeout -s KILL "$((at / 1000)).$(printf %03d $((at % 1000)))" "$S/apply" "$D/$n.json" >/dev/null 2>&1 || true
		# which it is now: of two rules, or of 61, or not yet that of this turn
		n=$("$S/list" --json | jq -c '[length, (map(select(.rule == "bad" and .reason == "another")) | length)]')
		case $n in
		'[2,0]') old=$((old + 1)) ;;
		'[61,1]') new=$((new + 1)) ;;
		*) fail "killed after $at of $whole ms: $n" ;;
		esac
	done
	: >"$D/stop"
	wait
	echo "of $cuts: $old the one, $new the other"
	[[ $(<"$D/hammer") =~ ^ran\ 0\ killed\ [1-9][0-9]*\ failed\ 0$ ]] || fail "$(<"$D/hammer")"
	# and the next command finds all in order
	run -0 "$S/apply" "$D/a.json"
	run "$S/status" --json
	jq -e '.rules.in_force == 2 and .objects.used == 5' <<<"$output"
}

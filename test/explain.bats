#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 6.12-nolsm
# explain: the answer is what then happens, of processes, classes, missing objects and modes.

# shellcheck disable=SC2030,SC2031,SC2154 # output is set by run

load suite

teardown() {
	local running
	running=$(jobs -p)
	# shellcheck disable=SC2086 # words
	[[ -z $running ]] || kill $running 2>/dev/null || true
	"$S/panic" --off >/dev/null
	forget
	rm -rf "$D"
}

explain() {
	"$S/explain" "$@"
}

# told STATUS TEXT ARG...: what explain says.
told() {
	local status=0 want=$1 text=$2
	shift 2
	output=$(explain "$@" 2>&1) || status=$?
	[[ $status == "$want" ]] || fail "want $want, got $status: $*: $output"
	said "$text"
}

# json STATUS FILTER ARG...: is true of what explain --json says.
json() {
	local status=0 want=$1 filter=$2
	shift 2
	output=$(explain --json "$@") || status=$?
	[[ $status == "$want" ]] || fail "want $want, got $status: $*: $output"
	jq -e "$filter" <<<"$output" >/dev/null || fail "not so: $filter: $output"
}

# as ARG...: a process that sleeps, as setpriv is told; PID is its number
as() {
	setpriv "$@" sleep 1000 3>&- >/dev/null 2>&1 &
	PID=$!
	sleep 0.3
}

@test "what it says is what happens, by which layer, and why not" {
	told 0 'no rule is in force' "$D/bad"
	deny "$D/bad"
	told 1 "(kill exec $D/bad), by its inode; " "$D/bad"
	dies "$D/bad"
	told 0 'no rule names this object' "$D/good"
	runs "$D/good"
	told 0 'no rule names read' read "$D/bad"
	if has_first_layer; then
		json 1 ".verdict == \"killed\" and .layer == \"first\" and .backend == \"$BACKEND\" and .identity == \"inode\" and .rule.errno == 1 and .rule.mode == \"enforce\" and .rule.policy == \"manual\" and .assumed == []" "$D/bad"
		keep read
		deny --action deny read "$D/good"
		# the layer is that of the operation which the rule names
		json 1 '.verdict == "denied" and .layer == "first" and .rule.op == "read"' exec,read "$D/good"
		rm -r "${PIN:?}/exec/$BACKEND"
		told 1 'second layer (kill)' "$D/bad"
		json 1 '.verdict == "denied" and .layer == "first"' exec,read "$D/good"
		"$S/load" >/dev/null
	fi
	# nothing was counted for the asking
	[[ $(hits "$D/bad") == 1 ]]
}

@test "panic and a policy in monitor mode: only counted, status 0" {
	deny "$D/bad"
	"$S/panic" >/dev/null
	told 0 'audited: rule' "$D/bad"
	said '(kill exec'
	said 'only counted: panic is on'
	json 0 '.verdict == "audited" and .rule.action == "kill" and .rule.mode == "panic"' "$D/bad"
	runs "$D/bad"
	"$S/panic" --off >/dev/null
	told 1 'killed: rule' "$D/bad"
	printf '{"version":1,"name":"watch","mode":"monitor","rules":[{"id":"a","op":["exec"],"object":{"path":"%s"}}]}\n' "$D/good" >"$D/watch.json"
	"$S/apply" "$D/watch.json" >/dev/null
	told 0 'only counted: policy watch is in monitor mode' "$D/good"
	json 0 '.verdict == "audited" and .rule.action == "kill" and .rule.mode == "monitor" and .rule.policy == "watch"' "$D/good"
	runs "$D/good"
	"$S/apply" --enforce "$D/watch.json" >/dev/null
	told 1 'killed: rule' "$D/good"
}

@test "classes of objects" {
	deny exec,mapexec memfd:
	told 1 'by its class' exec memfd:
	json 1 '.rule.object == "memfd:" and .identity == "class"' mapexec memfd:
	told 0 'no rule names such objects' exec unlinked:
	deny --action audit exec unlinked:
	told 0 'audited' unlinked:
	# a memfd has no name either: the stronger of both
	told 1 'killed' memfd:
	deny --force mapexec anon:
	told 1 'by its class' mapexec anon:
	deny --action audit read blockdev:
	told 0 'audited' read blockdev:
	# a file that is of a class
	mknod "$D/disk" b 7 250
	told 0 'by its class' read "$D/disk"
	told 2 'is never asked about it' read memfd:
}

@test "an object that does not exist yet: by its name, and by what it is to be beneath" {
	deny create "$D/new"
	told 1 'by its name' create "$D/new"
	json 1 '.identity == "name" and .layer != null and .backend != null' create "$D/new"
	told 0 'no rule names this object' create "$D/other"
	mkdir "$D/tree"
	deny create "$D/tree/" --only-gid 1000
	told 1 'by its tree' create "$D/tree/a/b" --uid user
	told 0 'not about this subject' create "$D/tree/a/b"
	# a directory, and what is neither file nor directory
	told 0 'allowed: ' read "$D/tree"
	told 0 'allowed: ' read /dev/null
	told 2 'not a path' read new
	told 5 'Not a directory' read "$D/good/x"
}

@test "a user has its own groups, not those of who asks" {
	deny "$D/bad" --only-gid 0
	told 1 'killed' "$D/bad"
	dies "$D/bad"
	told 0 'not about this subject' "$D/bad" --uid user
	runs su user -c "$D/bad"
	told 5 'neither are its groups' "$D/bad" --uid 4711
	deny "$D/good" --only-gid user
	told 1 'killed' "$D/good" --uid user
	told 0 'not about this subject' "$D/good"
}

@test "of a process: its user, groups, cgroup and namespaces, not those of who asks" {
	deny "$D/bad" --only-gid 4242
	deny "$D/good" --only-cgroup /explained
	as --groups 4242
	told 1 'killed' "$D/bad" --pid "$PID"
	told 0 'not about this subject' "$D/bad"
	told 0 'not about this subject' "$D/good" --pid "$PID"
	mkdir -p /sys/fs/cgroup/explained/below
	echo "$PID" >/sys/fs/cgroup/explained/below/cgroup.procs
	told 1 'killed' "$D/good" --pid "$PID"
	json 1 '.assumed == []' "$D/good" --pid "$PID"
	# who asks is not in it, and that is said to be an assumption
	told 0 'if it is in the cgroup and the namespaces of who asks' "$D/good"
	kill "$PID"
	wait "$PID" || true
	rmdir /sys/fs/cgroup/explained/below /sys/fs/cgroup/explained
	forget
	deny "$D/bad" --only-container
	unshare --pid --fork --kill-child sleep 1000 3>&- &
	sleep 0.5
	PID=$(pgrep -P $!)
	told 1 'killed' "$D/bad" --pid "$PID"
	told 0 'not about this subject' "$D/bad" --pid $$
	deny "$D/good" --only-uid 1000
	as --reuid 1000 --clear-groups
	told 1 'killed' "$D/good" --pid "$PID"
	told 0 'not about' "$D/good" --pid "$PID" --uid 0
}

@test "of a process: the programs that it and its parent count as" {
	local parent child
	cp "$(command -v sleep)" "$D/sleep"
	cp "$(command -v bash)" "$D/sh"
	deny "$D/bad" --only-exe "$D/sleep"
	deny "$D/good" --only-parent "$D/sh"
	"$D/sh" -c "$D/sleep 1000; :" 3>&- >/dev/null 2>&1 &
	parent=$!
	sleep 0.5
	child=$(pgrep -P "$parent")
	told 1 'killed' "$D/bad" --pid "$child"
	told 1 'killed' "$D/good" --pid "$child"
	told 0 'not about this subject' "$D/bad" --pid "$parent"
	told 0 'not about this subject' "$D/good" --pid "$parent"
	told 1 'killed' "$D/bad" --exe "$D/sleep"
	told 0 'if its parent is no program that rules know' "$D/good" --exe "$D/sleep"
	kill "$child" "$parent" || true
	wait || true
	told 5 "--pid $child: no such process" "$D/bad" --pid "$child"
}

@test "what is wrong is refused" {
	told 2 'want one OBJECT'
	told 2 'want a number' "$D/bad" --pid x
	told 2 'want one of them' "$D/bad" --pid 1 --exe /bin/sh
	told 2 'unknown option' "$D/bad" --what
	told 5 'depends on its arguments' syscall mkdir
	told 5 'no such user' "$D/bad" --uid nobody-of-that-name
	told 0 'usage: explain' -h
	"$S/unload" >/dev/null
	told 3 'not loaded' "$D/bad"
}

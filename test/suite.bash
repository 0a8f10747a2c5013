# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# suite.bash: what the test files share. Each file is loaded once with the
# backend the runner chose ($COTTER_BACKEND, else auto; $BACKEND is what it came
# to) and leaves nothing loaded. Each test has a folder $D of its own with two
# static programs: $D/bad, to be forbidden, and $D/good, its neighbour. After each
# test its rules are removed; with RULES_STAY=1 they stay until the file's end.

bats_require_minimum_version 1.5.0

# bats notes before each command where it is, with a DEBUG trap that in the VM takes as long
# as starting a program: half of what exec.bats took. Where a test is when a command fails
# can be asked then as well. (Only of a bare `exit` nothing is known.)
# shellcheck disable=SC2034 # read by bats
bats_setup_tracing() {
	BATS_DEBUG_LAST_STACK_TRACE=()
	BATS_DEBUG_LASTLAST_STACK_TRACE=()
	BATS_DEBUG_LAST_STACK_TRACE_IS_VALID=
	BATS_ERROR_SUFFIX=
	exec 4<&1
	trap bats_error_trap ERR
}

# shellcheck disable=SC2034 # read by bats
bats_error_trap() {
	bats_check_status_from_trap
	bats_capture_stack_trace
	BATS_DEBUG_LAST_STACK_TRACE_IS_VALID=1
}

# of setup_file: that of a test is not set yet
trap - DEBUG

# guest-suite runs bats with C, in which it reads a file in half the time
export LC_ALL=C.UTF-8

PIN=/sys/fs/bpf/cotter
ROOT=${BATS_TEST_DIRNAME%/*}
S=$ROOT/scripts
PROGS=$ROOT/build/test

only_in_vm() {
	[[ -n ${COTTER_VM:-} ]] && return
	echo 'only in the VM: use test/run or test/vm/run' >&2
	return 1
}

# shellcheck disable=SC2120 # options of load, from the test files
load_cotter() {
	local said
	said=$("$S/load" --backend "${COTTER_BACKEND:-auto}" "$@") || return
	BACKEND=${said##*: }
	LINKS=$(links)
	export BACKEND LINKS
}

# The pins of exec, always attached: BACKEND/LINK, one a line.
links() {
	(cd "$PIN/exec" 2>/dev/null && printf '%s\n' */*)
}

# The programs and links of ours that the kernel holds, one a line.
ours() {
	bpftool -j prog show | jq -r '.[].name // empty | select(test("^(exec_|digest_|file_|path_truncate|syscall_|subject_|seal_|identify|explain|observe_)"))'
	bpftool -j link show 2>/dev/null | jq -r '.[]? | "link \(.id)"'
}

# Nothing of ours is in the kernel: at once, for that is what unload promises.
nothing_left() {
	local left
	left=$(ours)
	[[ ! -e $PIN ]] || left+=" $PIN"
	[[ ! -e /run/cotter.saved ]] || left+=' /run/cotter.saved'
	[[ -z $left ]] || fail "left behind: $left"
}

# No pin of ours is left, and soon nothing else either. For a load that failed: it says
# that it changed nothing, not that it has waited. The kernel frees what was unpinned
# from a work queue, after a grace period, which may be over only after the command.
nothing_stays() {
	local tries
	[[ ! -e $PIN ]] || fail "left behind: $PIN"
	for ((tries = 0; tries < 25; tries++)); do
		[[ -n $(ours) ]] || return 0
		sleep 0.2
	done
	nothing_left
}

setup_file() {
	suite_setup
}

suite_setup() {
	only_in_vm
	# for the ordinary user too; one copy makes the folder of a test
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/file"
	mkdir -m 755 "$BATS_FILE_TMPDIR/new"
	cp "$PROGS/hello" "$BATS_FILE_TMPDIR/new/bad"
	cp "$PROGS/hello" "$BATS_FILE_TMPDIR/new/good"
	# shellcheck disable=SC2119 # none here
	load_cotter
}

teardown_file() {
	suite_teardown
}

suite_teardown() {
	"$S/unload" >/dev/null
	nothing_left
}

setup() {
	D=$BATS_FILE_TMPDIR/$BATS_TEST_NUMBER
	cp -r "$BATS_FILE_TMPDIR/new" "$D"
	MOUNTED=()
	as_loaded
}

# as_loaded: as setup_file left it, also when the test before this one took that away, or
# failed halfway: the failure is its own.
as_loaded() {
	[[ ! -e $PIN/maps/state || $(links) != "$LINKS" ]] || return 0
	"$S/unload" >/dev/null
	load_cotter
}

teardown() {
	local i running
	# a test that failed may have left a hammer at work
	running=$(jobs -p)
	# shellcheck disable=SC2086 # words
	[[ -z $running ]] || kill $running 2>/dev/null || true
	[[ -n ${RULES_STAY:-} ]] || forget
	for ((i = ${#MOUNTED[@]} - 1; i >= 0; i--)); do
		umount "${MOUNTED[i]}"
	done
	rm -rf "$D"
}

# well JSON [FILTER]: what `status --json` said is degraded by nothing, and FILTER is true of
# it. Calls that a preemptible kernel skips in one layer (docs/threat-model.md) are no fault
# of what a test is about: they come with the load, whatever it does.
well() {
	jq -e "(${2:-true})"' and [.degraded[] | select(contains("skipped by the kernel") | not)] == []' <<<"$1" ||
		fail "$(jq -c . <<<"$1")"
}

# keep ARG...: a rule that is no test's. To attach and detach programs takes most of a
# test's time: the ones that this rule needs stay until `allow --all`.
keep() {
	deny "$@" "$BATS_FILE_TMPDIR/keep" >/dev/null
	: >"$BATS_FILE_TMPDIR/kept"
}

# Take all rules away again, but that of `keep`.
forget() {
	local -a ids
	[[ -e $PIN/maps/state ]] || return 0
	if [[ ! -e $BATS_FILE_TMPDIR/kept ]]; then
		"$S/allow" --all >/dev/null
		return
	fi
	mapfile -t ids < <("$S/list" --json |
		jq -r '.[] | select(.object | endswith("/keep") | not) | "--id", .id')
	((${#ids[@]} == 0)) || "$S/allow" "${ids[@]}" >/dev/null
}

# mounted DIR ARG...: mount, to be unmounted at the end of the test.
mounted() {
	mkdir -p "$1"
	mount "${@:2}" "$1"
	MOUNTED+=("$1")
}

deny() {
	"$S/deny" "$@"
}

fail() {
	printf '%s\n' "$*" >&2
	return 1
}

# outcome COMMAND...: STATUS and OUTPUT of a program.
outcome() {
	STATUS=0
	OUTPUT=$("$@" 2>/dev/null </dev/null) || STATUS=$?
}

# runs COMMAND...: it does, and says so.
runs() {
	outcome "$@"
	[[ $STATUS == 0 && $OUTPUT == hello ]] || fail "want a run, got $STATUS, '$OUTPUT': $*"
}

# dies COMMAND...: of SIGKILL, before it could say a word.
dies() {
	outcome "$@"
	[[ $STATUS == 137 && -z $OUTPUT ]] || fail "want 137, got $STATUS, '$OUTPUT': $*"
}

# fails N COMMAND...: with this status, before it could say a word.
fails() {
	local want=$1
	shift
	outcome "$@"
	[[ $STATUS == "$want" && -z $OUTPUT ]] || fail "want $want, got $STATUS, '$OUTPUT': $*"
}

# said TEXT: the last `run` printed it.
# shellcheck disable=SC2154 # output: set by run
said() {
	[[ $output == *"$1"* ]] || fail "want \"$1\" in: $output"
}

# hits OBJECT: of the rule that was made for this object.
hits() {
	"$S/list" --json | jq --arg o "$1" '[.[] | select(.object == $o) | .hits] | add'
}

# has_first_layer: not the kill backend.
has_first_layer() {
	[[ $BACKEND != kill ]]
}

# guard [OPTION...]: two rules, by which $D/bad (so made) may not run, nor $D/kept be written.
guard() {
	echo kept >"$D/kept"
	deny "$@" "$D/bad" >/dev/null
	deny --action deny write "$D/kept" >/dev/null
}

# holds: they do, and what is beside goes on.
holds() {
	dies "$D/bad"
	runs "$D/good"
	! echo changed 2>/dev/null >"$D/kept" || fail "the protected file was written"
	[[ $(<"$D/kept") == kept ]]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 7.2 6.1 6.12-nolsm
# Groups of programs: attached while a rule needs them, moved with the backend.

# shellcheck disable=SC2030,SC2031,SC2153 # set by run; by setup_file

load suite

# attached: the groups and where they are attached, on one line, but for exec's.
attached() {
	local at
	local -a found=()
	for at in "$PIN"/*/{lsm,fmod_ret,kill}; do
		[[ ! -d $at || $at == */exec/* ]] || found+=("${at#"$PIN"/}")
	done
	printf '%s\n' "${found[@]}" | sort | xargs
}

# programs: how many of the file groups' and of subject's the kernel holds.
programs() {
	bpftool -j prog show | jq '[.[].name // "" | select(test("^(file_|path_|subject_)"))] | length'
}

# reading FILE: print its line without another process, or fail.
reading() {
	local line
	{ IFS= read -r line <"$1"; } 2>/dev/null && printf '%s\n' "$line"
}

# first_layers: those of this kernel, the best first.
first_layers() {
	! grep -qw bpf /sys/kernel/security/lsm || echo lsm
	echo fmod_ret
}

setup() {
	D=$BATS_FILE_TMPDIR/$BATS_TEST_NUMBER
	cp -r "$BATS_FILE_TMPDIR/new" "$D"
	# shellcheck disable=SC2034 # used in suite.bash
	MOUNTED=()
	echo secret >"$D/file"
	echo open >"$D/neighbour"
}

@test "a group comes with the first rule that needs it and goes with the last" {
	[[ -z $(attached) && $(programs) == 0 ]]
	deny --action deny read "$D/file"
	[[ $(attached) == "file_io/$BACKEND file_open/$BACKEND" ]]
	run ! reading "$D/file"
	[[ $(reading "$D/neighbour") == open ]]
	deny --action deny delete "$D/file"
	[[ $(attached) == "file_dir/$BACKEND file_io/$BACKEND file_open/$BACKEND" ]]
	run -1 rm "$D/file"
	run -0 "$S/status"
	said "file_dir ($BACKEND)"
	said "degraded  no"
	"$S/allow" read "$D/file"
	[[ $(attached) == "file_dir/$BACKEND" && $(reading "$D/file") == secret ]]
	run -1 rm "$D/file"
	"$S/allow" --all
	[[ -z $(attached) && $(programs) == 0 ]]
	rm "$D/file"
}

@test "exec alone attaches nothing, all operations attach what the kernel has" {
	deny "$D/bad"
	[[ -z $(attached) ]]
	deny --action audit read,modify "$D/file"
	[[ $(attached) == *file_attr/*file_dir/*file_io/*file_open/* ]]
	[[ $(attached) == *file_trunc/* ]] ||
		! grep -qw security_file_truncate /proc/kallsyms
	run -0 "$S/status" --json
	jq -e '.degraded == [] and all(.groups[]; .attached) and (.groups | length) >= 6' <<<"$output"
	[[ $(reading "$D/file") == secret ]]
}

@test "what is refused attaches nothing, not even for a moment" {
	mkdir "$D/bin"
	printf '#!/bin/sh\necho "$*" >>%s/calls\nexec %s "$@"\n' "$D" "$(command -v bpftool)" >"$D/bin/bpftool"
	chmod 755 "$D/bin/bpftool"
	printf '%s\n' "$D/good" "$D" >"$D/list"
	PATH=$D/bin:$PATH run -1 deny write "$D/no/such/tree/"
	PATH=$D/bin:$PATH run -1 deny write "$D/good" --unless-exe "$D/missing"
	PATH=$D/bin:$PATH run -1 deny write "$D" --unless-exe "$D/good"
	PATH=$D/bin:$PATH run -1 deny write --stdin <"$D/list"
	[[ ! -e $D/calls && -z $(attached) ]]
	# and what is not, is seen there
	PATH=$D/bin:$PATH deny exec "$D/bad"
	[[ -s $D/calls ]]
}

@test "each operation attaches its own groups, and rules on executing hold while they come and go" {
	local at=/mnt/ext4/swapped
	cp "$D/good" "$at"
	"$PROGS/file_by" swap_boot "$at"
	cp "$D/good" "$at"
	deny "$D/bad"
	nice "$PROGS/hammer" "$D/stop" "$D/bad" >"$D/hammered" 3>&- &
	# a rule on writing alone is asked about what exchanges a file's blocks
	printf '%s\n' "$at" "$D/later" | deny write --stdin | grep -qx '2 rules'
	[[ $(attached) == *file_ioctl/"$BACKEND"* && $(attached) != *file_acl* && $(attached) != *file_dir* ]]
	dies "$PROGS/file_by" swap_boot "$at"
	cmp "$at" "$D/good"
	deny --action deny setattr "$D/file"
	[[ $(attached) == *file_attr/"$BACKEND"*file_ioctl/"$BACKEND"* && $(attached) != *file_dir* ]]
	run -1 chmod 600 "$D/file"
	"$S/allow" "$at" "$D/later" >/dev/null
	[[ $(attached) == *file_attr/"$BACKEND"* && $(attached) != *file_io/* && $(attached) != *file_open/* ]] ||
		fail "$(attached)"
	run -1 chmod 600 "$D/file"
	"$S/allow" "$D/file" >/dev/null
	[[ -z $(attached) ]]
	chmod 600 "$D/file"
	: >"$D/stop"
	wait $!
	[[ $(<"$D/hammered") =~ ^ran\ 0\ killed\ [1-9][0-9]*\ failed\ 0$ ]] || fail "$(<"$D/hammered")"
	rm "$at"
}

@test "deny that fails leaves no group behind, and those in use alone" {
	refused_group() {
		local want=$1
		shift
		run "-$want" deny "$@"
		[[ -z $(attached) && $(programs) == 0 ]] || fail "left: $(attached)"
	}
	refused_group 2 read,nonsense "$D/file"
	refused_group 2 --errno 0 read "$D/file"
	refused_group 1 read "$D/none/"
	refused_group 1 --only-uid nobody-of-that-name read "$D/file"
	refused_group 1 --unless-exe "$D/none" read "$D/file"
	deny --action deny read "$D/file"
	run -1 deny modify "$D/none/"
	[[ $(attached) == "file_io/$BACKEND file_open/$BACKEND" ]]
	run ! reading "$D/file"
}

@test "an operation that the kernel has no hook for is refused with status 5" {
	rmdir "$PIN/file_dir"
	run -5 deny read,delete "$D/file"
	said "deny: delete: this kernel has no hook that could stop it"
	[[ -z $(attached) ]]
	[[ $("$S/list" --json) == "[]" ]]
	"$S/load"
	deny delete "$D/file"
	[[ $(attached) == "file_dir/$BACKEND" ]]
}

@test "while ftrace is off no group is attached, and deny says so with status 5" {
	sysctl -qw kernel.ftrace_enabled=0
	run deny read "$D/file"
	sysctl -qw kernel.ftrace_enabled=1
	[[ $status == 5 && $output == "deny: kernel.ftrace_enabled is 0: "* ]]
	[[ -z $(attached) && $("$S/list" --json) == "[]" ]]
	deny --action deny read "$D/file"
	run ! reading "$D/file"
}

# reader FILE STOP: read every other millisecond until STOP exists, then say how often it succeeded.
# (Without a pause it takes half of the time that load has: the tests take twice as long.)
reader() {
	local n=0 tries=0 pause
	mkfifo "$2.pause"
	exec {pause}<>"$2.pause"
	until [[ -e $2 ]]; do
		! reading "$1" >/dev/null || n=$((n + 1))
		tries=$((tries + 1))
		read -r -t 0.002 -u "$pause" || true
	done
	echo "$n of many: $((tries > 50))"
}

@test "load moves the groups with the backend, and the rule holds at every moment" {
	local backend
	deny --action deny read "$D/file"
	reader "$D/file" "$D/stop" >"$D/said" 3>&- &
	for backend in $(first_layers | tac) "$BACKEND"; do
		run -0 "$S/load" --backend "$backend"
		[[ $(attached) == "file_io/$backend file_open/$backend" ]] || fail "$(attached)"
		well "$("$S/status" --json)"
	done
	: >"$D/stop"
	wait
	[[ $(<"$D/said") == "0 of many: 1" ]] || fail "$(<"$D/said")"
	"$S/load" --backend kill 2>/dev/null
	[[ $(attached) == "file_io/kill file_open/kill" ]]
	outcome cat "$D/file"
	[[ $STATUS == 137 ]]
	# backend kill refuses action deny, and warns that an operation may complete
	"$S/allow" --all
	run -5 deny --action deny read "$D/file"
	[[ -z $(attached) ]]
	run -0 deny read "$D/file"
	said "deny: no first layer: an operation may complete before the process dies"
	outcome cat "$D/file"
	[[ $STATUS == 137 ]]
	[[ $(cat "$D/neighbour") == open ]]
	"$S/load"
	[[ $(attached) == "file_io/$BACKEND file_open/$BACKEND" ]]
	[[ $(programs) == 5 ]] || fail "$(programs) programs"
}

@test "a load that is killed at any moment keeps the file rule" {
	local i
	deny --action deny read "$D/file"
	for i in 4 9 14 19 24; do
		timeout -s KILL "$((i / 10)).$((i % 10))" "$S/load" >/dev/null 2>&1 || true
		run ! reading "$D/file"
	done
	run -0 "$S/load"
	run -0 "$S/status"
	[[ $(attached) == "file_io/$BACKEND file_open/$BACKEND" && $(programs) == 5 ]]
	run ! reading "$D/file"
}

@test "an object of a group that cannot be loaded leaves what was there at work; a missing link is healed" {
	cp -r "$ROOT/scripts" "$ROOT/pins" "$D"
	mkdir "$D/build"
	cp -r "$ROOT/build/helpers" "$ROOT/build/core.bpf.o" "$ROOT/build/lsm" \
		"$ROOT/build/fmod_ret" "$ROOT/build/kill" "$D/build"
	head -c 1000 "$ROOT/build/$BACKEND/file_io.bpf.o" >"$D/build/$BACKEND/file_io.bpf.o"
	run -5 "$D/scripts/deny" read "$D/file"
	said "deny: file_io: backend $BACKEND: "
	[[ -z $(attached) && $(programs) == 0 && $("$S/list" --json) == "[]" ]]
	deny --action deny read "$D/file"
	run -5 "$D/scripts/load"
	said "load: file_io: backend $BACKEND: "
	run -0 "$S/status"
	run ! reading "$D/file"
	[[ $(programs) == 5 ]]
	rm "$PIN/file_open/$BACKEND/file_open"
	run -1 "$S/status"
	said "file_open: link file_open ($BACKEND) is missing: load again"
	run -0 "$S/load"
	run -0 "$S/status"
	run ! reading "$D/file"
}

@test "a process that runs before the rule is the program it runs" {
	cp "$BASH" "$D/shell"
	cp "$BASH" "$D/other"
	mkfifo "$D/go"
	# shellcheck disable=SC2016 # expanded by the shells below
	local script='read -r _ <"$1"; read -r line <"$2" && echo "$line"'
	"$D/shell" -c "$script" sh "$D/go" "$D/file" >"$D/said" 2>/dev/null 3>&- &
	deny --action deny --unless-exe "$D/shell" read "$D/file"
	[[ $(attached) == "file_io/$BACKEND file_open/$BACKEND subject/kill" ]]
	echo >"$D/go"
	wait "$!"
	[[ $(<"$D/said") == secret ]]
	: >"$D/empty" && chmod 600 "$D/empty" && echo >"$D/empty"
	[[ $("$D/shell" -c "$script" sh "$D/empty" "$D/file") == secret ]]
	run ! "$D/other" -c "$script" sh "$D/empty" "$D/file"
	run -0 "$S/status"
	said "subject (kill)"
	said "1 programs and 0 users"
	"$S/allow" --all
	[[ -z $(attached) ]]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What test/vm/run promises to those who run something in it. One guest at a time, on 6.12.

bats_require_minimum_version 1.5.0

setup() {
	RUN=$BATS_TEST_DIRNAME/../vm/run
	D=$BATS_TEST_TMPDIR
}

# The status is one of those that run has for itself: nothing of its own is said.
@test "status, output and error output are the command's, as are its arguments, -s and -b" {
	mkdir -p "$D/share/sub"
	echo shared >"$D/share/sub/a file"
	# shellcheck disable=SC2016 # expanded in the guest
	run -124 --separate-stderr "$RUN" -s "$D/share" -b 'cotter.one=1 cotter.two=2' -- \
		bash -c 'cat "/mnt/share/sub/a file"; printf "<%s>" "$@" "$(id -u)"; cat /proc/cmdline
			echo wrong >&2; printf "no newline" >&2; exit 124' bash 'two  words' '' $'a\nb' '*'
	[[ $output == $'shared\n<two  words><><a\nb><*><0>'* && $output == *' cotter.one=1 cotter.two=2'* ]]
	# shellcheck disable=SC2154 # set by run
	[[ $stderr == $'wrong\nno newline' ]]
	# what the guest writes to its copy does not come back
	[[ $(find "$D/share" -type f) == "$D/share/sub/a file" ]]
}

@test "a command that a signal kills has 128 and the signal; -i has one processor, -m memory" {
	# shellcheck disable=SC2016 # expanded in the guest
	run -137 --separate-stderr "$RUN" -i -m 1000 -- \
		bash -c 'nproc; grep MemTotal /proc/meminfo; kill -9 $$'
	[[ -z $stderr ]]
	[[ ${lines[0]} == 1 && ${lines[1]} =~ ^MemTotal:\ +([0-9]+)\ kB$ ]]
	((BASH_REMATCH[1] > 800000 && BASH_REMATCH[1] < 1024000))
}

@test "a run that takes longer than -t ends with 124 and says so" {
	run -124 --separate-stderr "$RUN" -t 10 -- sleep 1000
	[[ -z $output && $stderr == 'run: the time limit of 10 s was reached'* ]]
}

@test "a panic ends with 125 and shows the console" {
	run -125 --separate-stderr "$RUN" -- sh -c 'echo before; echo c >/proc/sysrq-trigger; echo after'
	[[ $output != *after* ]]
	[[ $stderr == 'run: the kernel did not boot or panicked'*'Kernel panic'* ]]
}

@test "an unknown kernel, a folder that is none and no command are refused before any boot" {
	run -2 "$RUN" -k 2.4 -- true
	[[ $output == *'2.4'*'6.12'* ]]
	run -2 "$RUN" -s "$D/none" -- true
	run -2 "$RUN" -t soon -- true
	run -2 "$RUN"
	[[ $output == 'usage: run '* ]]
}

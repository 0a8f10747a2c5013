#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Each of these must be seen to fail: what suite.bash changes in bats is of its inside.
# guest-suite runs them first.

load ../suite

setup_file() { :; }
teardown_file() { :; }
setup() { :; }
teardown() { :; }

@test "a command in the middle" {
	false
	true
}

@test "a condition in the middle" {
	# shellcheck disable=SC2050 # that is the point
	[[ a == b ]]
	true
}

@test "a command of a function" {
	inner() {
		false
		true
	}
	inner
	true
}

@test "a status that was not expected" {
	run -0 false
	true
}

@test "a command that may not succeed" {
	run ! true
	true
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 7.2 6.1 6.12-nolsm
# Protection while rules come and go. test/soak does it for as long as wanted.

load suite

@test "for a minute no protected byte changes and nothing else fails while rules come and go" {
	run -0 "$BATS_TEST_DIRNAME/soak" 60
	[[ ${lines[-1]} =~ ,\ [1-9][0-9]*\ changes\ of\ rules$ ]]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# The demo works on this kernel, and the README shows what it prints.

bats_require_minimum_version 1.5.0

# transcript: of the README, as this kernel would print it: the figure of memory aside, only
# the backend differs.
transcript() {
	sed -n '/^Load\. /,/^```/p' README.md | sed '$d' | same |
		if grep -qw bpf /sys/kernel/security/lsm; then
			cat
		else
			sed 's/^loaded: exec: lsm$/loaded: exec: fmod_ret/
				s/^backend   lsm /backend   fmod_ret /
				s/exec (lsm), exec (kill)/exec (fmod_ret), exec (kill)/'
		fi
}

same() {
	sed 's/^memory    [0-9]* KiB/memory    N KiB/'
}

@test "the README shows what the demo prints" {
	[[ -n ${COTTER_VM:-} ]]
	cd "$BATS_TEST_DIRNAME/.."
	transcript >"$BATS_TEST_TMPDIR/want"
	run -0 test/demo-guest
	{
		sed -n '/^Load\. /,$p' <<<"$output"
		# test/demo says it
		echo 'demo: all as expected'
	} | same >"$BATS_TEST_TMPDIR/got"
	diff -u --label README.md --label demo "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/got"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# The demo works on this kernel, and the README shows what it prints.

bats_require_minimum_version 1.5.0

# transcript: of the README, as this kernel would print it: the figure of memory aside, only
# the backend differs.
transcript() {
	local backend=lsm
	grep -qw bpf /sys/kernel/security/lsm || backend=fmod_ret
	sed -n '/^Load\. /,/^```/p' README.md | sed '$d' | same |
		sed "s/^loaded: exec: lsm$/loaded: exec: $backend/; s/^backend   lsm /backend   $backend /"
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

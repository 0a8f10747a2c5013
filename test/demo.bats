#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 6.12
# The demo works on this kernel, and the README's transcripts are what is printed.

bats_require_minimum_version 1.5.0

# transcript: of the README, as this kernel would print it: the figures of memory aside, only
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
	sed 's/^memory    [0-9]* KiB/memory    N KiB/; s/^\(records .*\), [0-9]* KiB$/\1, N KiB/'
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

# replay: the commands of a transcript on standard input, each with what it now prints.
replay() {
	local line status
	while IFS= read -r line; do
		[[ $line == '# '* ]] || continue
		status=0
		printf '%s\n' "$line"
		bash -c "${line#\# }" </dev/null 2>/dev/null || status=$?
		((status == 0)) || printf '[status %s]\n' "$status"
	done
}

accounts_setup() {
	mkdir "$BATS_TEST_TMPDIR/etc"
	cp -a /etc/passwd /etc/shadow "$BATS_TEST_TMPDIR/etc"
	mkdir -p /root/.ssh
	echo key >/root/.ssh/id
	: >/tmp/mine
	scripts/load
}

teardown() {
	[[ ! -d $BATS_TEST_TMPDIR/etc ]] || {
		scripts/unload
		cp -a "$BATS_TEST_TMPDIR"/etc/* /etc
		rm -r /root/.ssh/id /tmp/mine
	}
}

@test "the README shows what protecting files prints" {
	[[ -n ${COTTER_VM:-} ]]
	cd "$BATS_TEST_DIRNAME/.."
	# shellcheck disable=SC2016 # the fences of a block
	sed -n '/^## Protect files/,/^## /{ /^```/,/^```/{ /^```/!p } }' README.md >"$BATS_TEST_TMPDIR/want"
	[[ -s $BATS_TEST_TMPDIR/want ]]
	accounts_setup
	replay <"$BATS_TEST_TMPDIR/want" >"$BATS_TEST_TMPDIR/got"
	diff -u --label README.md --label now "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/got"
}

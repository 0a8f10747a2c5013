#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What test/bench/run does with what it cannot do; no kernel is booted.

bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	BENCH=$PWD/test/bench/run
}

@test "bench refuses a workload that it does not know, and names those it knows" {
	run -2 "$BENCH" -w juggle
	[[ $output == *'juggle: no such workload'*spawn*tar* ]]
}

@test "bench refuses a configuration that it does not know" {
	local config
	for config in juggle exec-10 exec-0-lsm tree-0-lsm exec-10-magic peer-juggle empty-tree-lsm; do
		run -2 "$BENCH" -c "$config"
		[[ $output == *"$config: no such configuration"* ]]
	done
}

@test "bench refuses too few rules and operands" {
	run -2 "$BENCH" -n 5
	run -2 "$BENCH" -n many
	run -2 "$BENCH" exec
}

@test "a run that is cut off leaves the table as it was" {
	local copy=$BATS_TEST_TMPDIR/copy
	mkdir -p "$copy/test/vm" "$copy/build"
	cp -r test/bench "$copy/test/"
	printf '#!/bin/sh\necho "{\\"configuration\\":\\"nothing\\",\\"floor\\":\\"nothing\\",\\"workload\\":\\"open\\","\nexit 130\n' >"$copy/test/vm/run"
	chmod +x "$copy/test/vm/run"
	echo before >"$copy/build/bench-table.json"
	echo before >"$copy/build/bench-table.txt"
	run -1 "$copy/test/bench/run" -c nothing -w open
	[[ $output == *'the table cannot be had'* ]]
	[[ $(cat "$copy/build/bench-table.json" "$copy/build/bench-table.txt") == $'before\nbefore' ]]
}

@test "the table says what is over nothing and what is over the floor" {
	local row='{"configuration":"%s","floor":"%s","workload":"open","instructions":%d,"memory":0}\n'
	# shellcheck disable=SC2059
	run -0 --separate-stderr jq -sc -f test/bench/table.jq < <(
		printf "$row" nothing nothing 1000 empty-read-lsm nothing 1100 read-10-lsm empty-read-lsm 1200
	)
	[[ $(jq -c '.[2] | [.over_nothing, .over_floor, .ratio_to_nothing]' <<<"$output") == '[200,100,1.2]' ]]
	[[ $(jq -f test/bench/figures.jq <<<"$output" | jq .open_read_10_lsm_over_floor) == 100 ]]
}

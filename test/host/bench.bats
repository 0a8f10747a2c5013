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
	for config in juggle exec-10 exec-0-lsm tree-0-lsm trees-0-lsm audited-lsm audited-x-lsm exec-10-magic peer-juggle \
		empty-tree-lsm; do
		run -2 "$BENCH" -c "$config"
		[[ $output == *"$config: no such configuration"* ]]
	done
}

@test "bench refuses too few rules and operands" {
	run -2 "$BENCH" -n 5
	run -2 "$BENCH" -n many
	run -2 "$BENCH" exec
}

# copy SCRIPT: of the bench, with SCRIPT in the place of the VM; test/bench/costs' arguments are its last two
copy() {
	COPY=$BATS_TEST_TMPDIR/copy
	mkdir -p "$COPY"/{test/vm,scripts,docs/bench} "$COPY"/build/{helpers,test,lsm,fmod_ret,kill} "$COPY"/build/bench/{lsm,fmod_ret,kill}
	cp -r test/bench "$COPY/test/"
	touch "$COPY/build/core.bpf.o" "$COPY/build/test/measure"
	printf '#!/bin/bash\n%s\n' "$1" >"$COPY/test/vm/run"
	printf '#!/bin/bash\n' >"$COPY/test/vm/image"
	chmod +x "$COPY"/test/vm/*
}

@test "a run that is cut off leaves the table as it was" {
	copy 'echo "{\"configuration\":\"nothing\",\"floor\":\"nothing\",\"workload\":\"open\","; exit 130'
	echo before >"$COPY/build/bench-table.json"
	echo before >"$COPY/build/bench-table.txt"
	run -1 "$COPY/test/bench/run" -c nothing -w open
	[[ $output == *'the table cannot be had'* ]]
	[[ $(cat "$COPY/build/bench-table.json" "$COPY/build/bench-table.txt") == $'before\nbefore' ]]
}

@test "the whole table, cut off, leaves what was published, and goes on where it was" {
	# shellcheck disable=SC2016 # the copy's
	copy '[[ "$*" != *peer-* ]] || exit 130
		echo ran >>"${0%/*}/ran"
		for w in ${!#}; do echo "{\"configuration\":\"nothing\",\"floor\":\"nothing\",\"workload\":\"$w\",\"instructions\":9}"; done'
	echo before >"$COPY/docs/bench/results.json"
	run -1 "$COPY/test/bench/run"
	[[ $output == *'rules: measuring'*'peers cannot be had'* ]]
	run -1 "$COPY/test/bench/run"
	[[ $output == *'rules: measured before'*'peers cannot be had'* ]]
	[[ $(<"$COPY/test/vm/ran") == ran ]]
	# not what was measured of something else
	echo changed >"$COPY/build/core.bpf.o"
	run -1 "$COPY/test/bench/run"
	[[ $output == *'rules: measuring'* ]]
	[[ $(
		ls "$COPY/docs/bench"
		cat "$COPY/docs/bench/results.json" "$COPY/test/vm/ran"
	) == $'results.json\nbefore\nran\nran' ]]
}

@test "a peer that is missing is named in the table, the others are measured" {
	copy 'printf "%s\n" "{\"configuration\":\"nothing\",\"floor\":\"nothing\",\"workload\":\"open\",\"instructions\":9,\"memory\":0}" \
		"{\"configuration\":\"peer-audit\",\"left_out\":\"auditctl is not installed\"}" \
		"{\"configuration\":\"peer-seccomp\",\"floor\":\"nothing\",\"workload\":\"open\",\"instructions\":19,\"memory\":0}"'
	printf '#!/bin/bash\nexit 1\n' >"$COPY/test/vm/image" # a package is gone from the archive
	run -0 "$COPY/test/bench/run" -c peer-audit -c peer-seccomp -w open
	[[ $output == *'apparmor auditd fapolicyd can be had'* ]]
	[[ $output == *$'left out\n\npeer-audit: auditctl is not installed'* && $output =~ peer-seccomp\ +10 ]]
}

@test "wall time is the median of the turns, with the least and the most" {
	local row='{"configuration":"%s","floor":"%s","workload":"open","instructions":%d,"memory":0}\n'
	# shellcheck disable=SC2059
	run -0 --separate-stderr jq -sc -f test/bench/seconds.jq < <(
		printf "$row" nothing nothing 100 read-10-lsm empty 330 nothing nothing 90 read-10-lsm empty 300 \
			nothing nothing 110 read-10-lsm empty 310
	)
	[[ $(jq -c '.[1] | [.median, .least, .most, .runs, .over_nothing, .ratio_to_nothing]' <<<"$output") == '[310,300,330,3,210,3.1]' ]]
}

@test "both plots are drawn of the results" {
	local name
	jq -n '{rows: [("exec", "read", "modify", "trees") as $kind | ("exec", "open", "openw", "write") as $w | (10, 1000) as $n
		| {configuration: "\($kind)-\($n)-lsm", floor: "empty", workload: $w, over_floor: $n, over_nothing: ($n + 5)}]}' \
		>"$BATS_TEST_TMPDIR/results.json"
	run -0 test/bench/plot "$BATS_TEST_TMPDIR/results.json" "$BATS_TEST_TMPDIR"
	[[ -z $output ]]
	for name in 'execve, exec rules' '1-byte write, modify rules'; do
		grep -q "$name" "$BATS_TEST_TMPDIR/rules.svg"
	done
	grep -q 'modify-10-lsm' "$BATS_TEST_TMPDIR/configurations.svg"
	run -1 grep -q 'modify-1000-lsm' "$BATS_TEST_TMPDIR/configurations.svg"
	run -2 test/bench/plot "$BATS_TEST_TMPDIR/none.json" "$BATS_TEST_TMPDIR"
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

@test "what our own commands cost has names for budgets, and is compared with nothing" {
	local row='{"configuration":"%s","floor":"%s","workload":"%s","instructions":%d,"peak":%d}\n'
	# shellcheck disable=SC2059
	run -0 --separate-stderr jq -sc -f test/bench/table.jq < <(
		printf "$row" nothing nothing open 1000 0 exec-10-lsm nothing open 1000 0 exec-10-lsm '' list 5000 4000
	)
	[[ $(jq -c '.[2] | [.instructions, has("over_nothing")]' <<<"$output") == '[5000,false]' ]]
	[[ $(jq -f test/bench/figures.jq <<<"$output" |
		jq -c '[.list_exec_10_lsm_instructions, .list_exec_10_lsm_per_rule, .list_exec_10_lsm_peak_per_rule]') == '[5000,500,400]' ]]
}

@test "the tables of the README and of the page on performance are those of the last whole run" {
	run -0 test/bench/embed --check docs/bench/results.txt README.md
	run -0 test/bench/embed --check docs/bench/results.txt docs/performance.md
	cp docs/performance.md "$BATS_TEST_TMPDIR/page"
	sed -i 's/^\(nothing .*\)0$/\17/; t; s/^\(exec-10-lsm .*\)[0-9]/\1X/' "$BATS_TEST_TMPDIR/page"
	run -1 test/bench/embed --check docs/bench/results.txt "$BATS_TEST_TMPDIR/page"
	test/bench/embed docs/bench/results.txt "$BATS_TEST_TMPDIR/page"
	cmp docs/performance.md "$BATS_TEST_TMPDIR/page"
	echo '<!-- results: of nothing -->' >>"$BATS_TEST_TMPDIR/page"
	run -1 test/bench/embed docs/bench/results.txt "$BATS_TEST_TMPDIR/page"
	[[ $output == *'no table "of nothing"'* ]]
}

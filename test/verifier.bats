#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 7.2 6.1 6.12 override
# Each object passes this kernel's verifier, as docs/verifier.md says. Nothing is attached.

load suite

setup_file() {
	only_in_vm
	"$ROOT/test/verifier-guest" >"$BATS_FILE_TMPDIR/said"
}

teardown_file() {
	nothing_left
}

setup() {
	:
}

teardown() {
	:
}

# cell OBJECT: what the page's first table says of it on this kernel
cell() {
	awk -F ' *[|] *' -v object="$1" -v kernel="$COTTER_KERNEL" '
		$2 == "object" && !column { for (i = 3; i < NF; i++) if ($i == kernel) column = i }
		column && $2 == object { print $column; exit }' "$ROOT/docs/verifier.md"
}

@test "every object that this kernel has the hooks of is loaded" {
	local objects
	objects=$(cd "$ROOT/build" && printf '%s\n' core.bpf.o {lsm,fmod_ret,override,kill}/*.bpf.o | wc -l)
	[[ $(wc -l <"$BATS_FILE_TMPDIR/said") == "$objects" ]]
	run ! grep refused "$BATS_FILE_TMPDIR/said"
	# what is not there is what its manifest says that it needs, no more
	(($(grep -c ' - needs ' "$BATS_FILE_TMPDIR/said") < objects / 2))
}

@test "docs/verifier.md names every object with what it took" {
	local object programs instructions stack said want
	while read -r _ object programs instructions stack _; do
		said=$(cell "$object")
		[[ -n $said ]] || fail "$object: not in docs/verifier.md: run make verifier"
		if [[ $programs == - ]]; then
			[[ $said == - ]] || fail "$object: is not for this kernel, and docs/verifier.md has: $said"
			continue
		fi
		want=${said%%,*}
		((instructions > 0 && stack > 0 && programs > 0)) ||
			fail "$object: $programs $instructions $stack"
		((instructions <= 2 * want)) ||
			fail "$object: $instructions instructions, docs/verifier.md has $want: run make verifier"
	done <"$BATS_FILE_TMPDIR/said"
}

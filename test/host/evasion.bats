#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# docs/evasion.md is whole, and what it calls open is explained.

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# file_rows: those of the second table, name and cells
file_rows() {
	sed -n '/^## Changing/,$p' "$ROOT/docs/evasion.md" | grep '^| `'
}

@test "every way to use a file has its row" {
	local way
	while read -r way _; do
		file_rows | grep -qF "| \`$way\`: " || {
			echo "$way: no row: run make evasion"
			false
		}
	done < <("$ROOT/build/test/file_by" -l)
}

@test "every row that is open is named in the threat model, and says why or by what it is held" {
	local row name n=0
	while read -r row; do
		name=${row#*'`'}
		name=${name%%'`'*}
		n=$((n + 1))
		grep -qF "\`$name\`" "$ROOT/docs/threat-model.md" && [[ $row != *'|  |' ]] || {
			echo "$name: open and not explained"
			false
		}
	done < <(file_rows | grep -F '**open**')
	((n > 5))
}

# SPDX-License-Identifier: GPL-2.0-only
# A list of paths and of digests, `sha256:` and 64 digits, maybe `:` and the
# size, one a line, as the policy `quarantine`: none of the paths can be executed or read, and no file that holds what was digested can be executed.
#
#   jq -Rnf policies/quarantine.jq <list.txt >quarantine.json && scripts/apply quarantine.json
[inputs] as $lines
| {
	version: 1,
	name: "quarantine",
	mode: "enforce",
	reason: "files under investigation",
	rules: (([$lines[] | select(startswith("/"))] | unique | to_entries | map({
		id: "path-\(.key + 1)",
		op: ["exec", "read"],
		object: (.value | if endswith("/") then {tree: .} else {path: .} end),
		action: "kill"
	})) + ([$lines[] | select(test("^sha256:[0-9a-fA-F]{64}(:[1-9][0-9]{0,17})?$")) | ascii_downcase] | unique | to_entries | map({
		id: "digest-\(.key + 1)",
		op: ["exec"],
		object: {digest: .value},
		action: "kill"
	})))
}

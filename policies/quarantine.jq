# SPDX-License-Identifier: GPL-2.0-only
# A list of paths, one a line, as the policy `quarantine`: none of them can be executed or read.
#
#   jq -Rnf policies/quarantine.jq <paths.txt >quarantine.json && scripts/apply quarantine.json
{
	version: 1,
	name: "quarantine",
	mode: "enforce",
	reason: "files under investigation",
	rules: ([inputs | select(startswith("/"))] | unique | to_entries | map({
		id: "path-\(.key + 1)",
		op: ["exec", "read"],
		object: (.value | if endswith("/") then {tree: .} else {path: .} end),
		action: "kill"
	}))
}

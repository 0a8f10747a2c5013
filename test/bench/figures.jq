# SPDX-License-Identifier: GPL-2.0-only
# The rows of table.jq as figures with names, which budgets.json refers to.
def name: gsub("-"; "_");
def rules: .configuration | split("-")[1] | tonumber;
def round4: . * 10000 | round / 10000;
map(select(.left_out | not))
| [.[] | select(.floor == "")] as $verbs
| map(select(.floor != ""))
| (map(. as $row | "over_nothing", "over_floor", "ratio_to_nothing", "ratio_to_floor"
	| {("\($row.workload)_\($row.configuration | name)_\(.)"): $row[.]})
	| add)
+ ($verbs | map("\(.workload)_\(.configuration | name)" as $name
	| {("\($name)_instructions"): .instructions, ("\($name)_peak"): .peak}
	+ if .workload == "list" then {
		("\($name)_per_rule"): (.instructions / rules | round4),
		("\($name)_peak_per_rule"): (.peak / rules | round4)} else {} end) | add)
+ ([group_by([.workload, (.configuration | test("^tree-"))])[]
	| select(length > 1 and (.[0].configuration | test("^tree-")))
	| map({depth: rules, instructions, workload})
	| sort_by(.depth)
	| {("\(.[0].workload)_tree_per_level"):
		((.[-1].instructions - .[0].instructions) / (.[-1].depth - .[0].depth))}] | add)
+ ([.[] as $few | .[] as $many
	| ($few.configuration | split("-")) as $f | ($many.configuration | split("-")) as $m
	| select($few.workload == $many.workload and $f[0] == $m[0] and $f[2] == $m[2]
		and $f[1] == "10" and ($f[0] | IN("exec", "read", "modify")) and $m[1] != "10")
	| {("\($few.workload)_\($f[0])_\($m[1])_\($f[2])_over_10"):
		($many.instructions / $few.instructions | round4)}] | add)

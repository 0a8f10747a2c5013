# SPDX-License-Identifier: GPL-2.0-only
# docs/bench/results.json as lines of cells between tabs; a line that begins with `#` is a title.
def in_order: reduce .[] as $x ([]; if index([$x]) then . else . + [$x] end);
def bytes: if . > 0 then "\(. / 1024 | floor)K" else "-" end;
def thousands: if . > 0 then "\(. / 1000 | round)k" else "-" end;
# what the README shows of a whole run
def in_short: ["nothing", "exec-100000-lsm", "read-100000-lsm", "modify-100000-lsm", "empty-modify-lsm", "peer-landlock", "peer-seccomp",
	"peer-apparmor", "peer-apparmor1000", "peer-fapolicyd", "peer-audit"];
def some($configurations; $workloads): map(select(IN(.configuration; $configurations[]) and IN(.workload; $workloads[])));
# a row for each configuration that has one, a cell for each workload
def table($rows; f; $more; g):
	($rows | map(.workload) | in_order) as $names
	| (["configuration"] + $names + $more),
	($rows | map(.configuration) | in_order[] as $c
		| [$rows[] | select(.configuration == $c)] as $these
		| [$c] + [$names[] as $w | [$these[] | select(.workload == $w) | f] | first // "-"] + ($these[0] | g));
def of_row: [(.memory | bytes), (.resident // 0 | bytes), (.enforced // 0 | thousands)];
. as $all
| [.rows[] | select(.floor != "")] as $costs
| [.rows[] | select(.floor == "")] as $verbs
| (if $costs == [] then empty else
	(["instructions", "guest instructions of one operation"],
	["over_nothing", "over nothing loaded"],
	["over_floor", "over the floor: empty programs on the same hooks (of these: over nothing)"],
	["ratio_to_nothing", "ratio to nothing loaded"]) as [$field, $title]
	| ["# \($title)"], table($costs; .[$field]; ["kernel", "daemon", "enforced"]; of_row)
	end),
(if $verbs == [] then empty else
	["# our own commands: thousands of guest instructions"], table($verbs; .instructions | thousands; []; []),
	["# our own commands: the most that the largest process has resident"], table($verbs; .peak | bytes; []; [])
	end),
(if any($costs[]; .configuration == "exec-100000-lsm") then
	($verbs | some(["exec-10-lsm", "exec-100000-lsm"]; ["load", "deny", "list", "status"])) as $own |
	["# in short, over nothing loaded; nothing itself as it is"],
	table($costs | some(in_short; ["spawn", "exec", "open", "openw", "write", "read"]);
		if .configuration == "nothing" then .instructions else .over_nothing end; ["kernel", "daemon", "enforced"]; of_row),
	["# in short, our own commands: thousands of guest instructions"],
	table($own; .instructions | thousands; []; []),
	["# in short, our own commands: the most that the largest process has resident"],
	table($own; .peak | bytes; []; [])
	else empty end),
(if .left_out == [] then empty else
	["# left out"], (.left_out[] | ["\(.configuration): \(.left_out)"])
	end),
(if .seconds == [] or .seconds == null then empty else
	["# seconds, not instructions: nanoseconds of the machine's clock, median [least..most] of \(.seconds[0].runs) turns, on \(.processor)"],
	table(.seconds; "\(.median) [\(.least)..\(.most)]"; []; []),
	["# the same, ratio of the medians to nothing loaded"], table(.seconds; .ratio_to_nothing; []; [])
	end)
| @tsv

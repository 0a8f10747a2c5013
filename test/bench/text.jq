# SPDX-License-Identifier: GPL-2.0-only
# docs/bench/results.json as lines of cells between tabs; a line that begins with `#` is a title.
def in_order: reduce .[] as $x ([]; if index([$x]) then . else . + [$x] end);
def bytes: if . > 0 then "\(. / 1024 | floor)K" else "-" end;
def thousands: if . > 0 then "\(. / 1000 | round)k" else "-" end;
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
(if .left_out == [] then empty else
	["# left out"], (.left_out[] | ["\(.configuration): \(.left_out)"])
	end),
(if .seconds == [] or .seconds == null then empty else
	["# seconds, not instructions: nanoseconds of the machine's clock, median [least..most] of \(.seconds[0].runs) turns, on \(.processor)"],
	table(.seconds; "\(.median) [\(.least)..\(.most)]"; []; []),
	["# the same, ratio of the medians to nothing loaded"], table(.seconds; .ratio_to_nothing; []; [])
	end)
| @tsv

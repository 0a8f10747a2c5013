# SPDX-License-Identifier: GPL-2.0-only
# What `dump policies --json` and `dump list --json` print, one after the other, as policy
# files: a line @NAME, then the text of NAME.json. A rule is one line, keys and lists are in
# a fixed order: the same rules are the same bytes.

def compact: with_entries(select(.value != null and .value != "" and .value != false and .value != [] and .value != {}));

# Paths of one sort: those that are UTF-8, and the others in digits. The kernel's list has null in
# `hexes` for the former.
def paths($name):
	(.["\($name)_hex"] // []) as $hexes
	| {($name): [.[$name] // [] | to_entries[] | select($hexes[.key] == null) | .value] | sort,
		"\($name)_hex": $hexes | map(strings) | sort};

def subjects:
	paths("exe") + paths("parent") + paths("cgroup")
		+ {uid: (.uid | sort), gid: (.gid // [] | sort), container} | compact;

# The object of a rule about system calls.
def call:
	.call | ((.path_hex // .prefix_hex) as $hex | "\(.path_arg)=\(.path // .prefix)\(if .prefix then "*" else "" end)" as $word
		| {syscall: .name, args, fd_of: (if .fd_of_hex then null else .fd_of end), fd_of_hex,
			path_arg: (if .path_arg == null or $hex then null else $word end),
			path_arg_hex: (if $hex then "3\(.path_arg)3d\($hex)\(if .prefix_hex then "2a" else "" end)" else null end)} | compact);

# A rule typed by hand has no id: its number in the file is put there at last.
def rule:
	{
		id: (.rule // "0"),
		op,
		object: (
			(if .kinds | any(. == "tree") then "tree" else "path" end) as $what
			| if .call then call
			elif .kinds == ["class"] then {class: .object[:-1]}
			elif .kinds == ["digest"] then {digest: .object}
			elif .object_hex then {"\($what)_hex": .object_hex} else {($what): .object} end),
		action,
		only: (.only | subjects),
		unless: (.unless | subjects),
		sticky,
		scripts,
		errno: (if .errno == 1 then null else .errno end),
		signal: (if .signal == 9 then null else .signal end),
		until,
		reason: (if .reason_hex then null else .reason end),
		reason_hex
	} | compact;

# Rules that differ in their numbers alone, as of files that had the same name one after the
# other, are one.
def once: reduce .[] as $r ({seen: {}, rules: []}; ($r | tojson) as $k | if .seen[$k] then . else .seen[$k] = true | .rules += [$r] end) | .rules;

input as $policies
| input as $rules
| $policies[] | . as $policy
| "@\(.name)",
	({version: 1, name, mode, until, reason} | compact | tojson | .[:-1] + ",\"rules\":["),
	([$rules[] | select(.policy == $policy.name) | rule] | once | to_entries
		| (length as $n | .[] | .key as $i | .value
			| (if $policy.name == "manual" then .id = "\($i + 1)" else . end) | tojson + (if $i + 1 < $n then "," else "" end))),
	"]}"

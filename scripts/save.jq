# SPDX-License-Identifier: GPL-2.0-only
# What `dump policies --json` and `dump list --json` print, one after the other, as policy
# files: a line @NAME, then the text of NAME.json. A rule is one line, keys and lists are in
# a fixed order: the same rules are the same bytes.

def compact: with_entries(select(.value != null and .value != "" and .value != false and .value != [] and .value != {}));

def subjects:
	{exe: (.exe | sort), parent: (.parent // [] | sort), uid: (.uid | sort), gid: (.gid // [] | sort),
		cgroup: (.cgroup // [] | sort), container} | compact;

# $number: of a rule typed by hand, which has no id
def rule($number):
	{
		id: (.rule // ($number | tostring)),
		op,
		object: (
			(if .kinds | any(. == "tree") then "tree" else "path" end) as $what
			| if .object_hex then {"\($what)_hex": .object_hex} else {($what): .object} end),
		action,
		only: (.only | subjects),
		unless: (.unless | subjects),
		sticky,
		scripts,
		errno: (if .errno == 1 then null else .errno end),
		until,
		reason
	} | compact;

input as $policies
| input as $rules
| $policies[] | . as $policy
| "@\(.name)",
	({version: 1, name, mode, until, reason} | compact | tojson | .[:-1] + ",\"rules\":["),
	([$rules[] | select(.policy == $policy.name)] | to_entries
		| (length as $n | .[] | .key as $i | .value | rule($i + 1) | tojson + (if $i + 1 < $n then "," else "" end))),
	"]}"

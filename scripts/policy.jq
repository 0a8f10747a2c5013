# SPDX-License-Identifier: GPL-2.0-only
# A policy file as the words that `encode apply` reads (helpers/encode/apply.c), or as
# what is wrong with it. Given: $file, its name; $cotter, the folder that $COTTER/ in front of a
# path stands for. policies/schema.json says the same.

#
# Files hold 10,000 rules and more, so what is asked of each rule is cheap: no regular expression
# for what is usual, and no list looked through entry by entry.

# Stream of what is wrong with an object's keys.
def unknown_keys($known): keys - $known | .[] | "unknown key \(tojson)";

# What is wrong with a text, if it is there. NUL ends a word.
def text($what; $max):
	if . == null then empty
	elif type != "string" then "\($what): want a text"
	elif split("\u0000") | length > 1 then "\($what): holds a NUL byte"
	elif utf8bytelength > $max then "\($what): longer than \($max) bytes"
	else empty end;

def boolean($what):
	if . == null or type == "boolean" then empty else "\($what): want true or false" end;

def texts($what):
	if type != "array" then "\($what): want an array" else .[] | if . == null then "\($what): want a text" else text($what; 4095) end end;

def numbers_or_names($what):
	if type != "array" then "\($what): want an array"
	else .[] | if type == "number" then (if . >= 0 and . == floor and . < 4294967295 then empty else "\($what): \(tojson): want a number from 0 to 4294967294" end)
		else text($what; 255) end
	end;

def hex($what; $like): if . == null or (type == "string" and test($like) and (test("^(..)*00") | not)) then empty else "\($what): want two hexadecimal digits a byte" end;

def subjects($what):
	if . == null then empty
	elif type != "object" then "\($what): want an object"
	else unknown_keys(["exe", "exe_hex", "parent", "parent_hex", "uid", "gid", "cgroup", "cgroup_hex", "container"]) | "\($what): \(.)"
	end,
	if type != "object" then empty
	else
		to_entries[] | "\($what).\(.key)" as $name
		| if .key == "exe" or .key == "parent" or .key == "cgroup" then .value | texts($name)
		elif IN(.key; "exe_hex", "parent_hex", "cgroup_hex") then .value | if type != "array" then "\($name): want an array" else .[] | . // "" | hex($name; "^2f([0-9a-f]{2})*$") end
		elif .key == "uid" or .key == "gid" then .value | numbers_or_names($name)
		elif .key == "container" then .value | boolean($name)
		else empty end
	end;

def time($what):
	if . == null then empty
	elif type == "number" then (if . >= 1 and . == floor then empty else "\($what): \(tojson): want a time above 0, such as \"12h\"" end)
	elif type == "string" then (if test("^[1-9][0-9]*[smhdw]?$") then empty else "\($what): \(tojson): want a time above 0, such as \"12h\"" end)
	else "\($what): want a time such as \"12h\"" end;

def point($what):
	if . == null then empty
	elif type == "string" and test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$") then empty
	else "\($what): want a time such as \"2030-12-31T23:59:59Z\"" end;

def place: if startswith("$COTTER/") then $cotter + .[7:] else . end;

# What is wrong with an object that is system calls.
def call:
	(unknown_keys(["syscall", "args", "fd_of", "fd_of_hex", "path_arg", "path_arg_hex"]) | "object: \(.)"),
	(.syscall | if type == "string" and test("^[a-z0-9_]+$") then empty else "object.syscall: \(tojson): want the name of a system call" end),
	(.args | if . == null then empty else texts("object.args") end),
	(.fd_of | text("object.fd_of"; 4095)), (.path_arg | text("object.path_arg"; 4095)),
	(.fd_of_hex | hex("object.fd_of_hex"; "^2f([0-9a-f]{2})*$")), (.path_arg_hex | hex("object.path_arg_hex"; "^3[0-5]3d([0-9a-f]{2})+$"));

def object:
	if type != "object" then "object: want one of {\"path\": ...}, {\"tree\": ...}, {\"class\": ...}, {\"digest\": ...}, {\"syscall\": ...}"
	elif has("syscall") then call
	elif length != 1 then "object: want exactly one of path, tree, class, digest and syscall"
	elif has("path") then .path | if type == "string" and (place | startswith("/") and (endswith("/") | not)) then text("object.path"; 4095) else "object.path: \(tojson): want a full path, without a / behind it" end
	elif has("tree") then .tree | if type == "string" and (place | startswith("/")) then text("object.tree"; 4095) else "object.tree: \(tojson): want the full path of a directory" end
	elif has("class") then .class | if IN("memfd", "unlinked", "anon", "blockdev") then empty else "object.class: \(tojson): want memfd, unlinked, anon or blockdev" end
	elif has("digest") then .digest | if type == "string" and test("^sha256:[0-9a-fA-F]{64}(:[1-9][0-9]{0,17})?$") then empty else "object.digest: \(tojson): want sha256: and 64 hexadecimal digits, maybe : and a size" end
	elif has("path_hex") or has("tree_hex") then .[] | if type == "string" and test("^2f([0-9a-f]{2})*$") and (test("^(..)*00") | not) then empty else "object: want a full path, two hexadecimal digits a byte" end
	else unknown_keys([]) | "object: \(.)" end;

# Of a rule that has more than these three keys, or not these.
def more_errors:
	if keys == ["id", "object", "op"] then empty
	else
		unknown_keys(["id", "op", "object", "action", "unless", "only", "sticky", "scripts", "errno", "signal", "ttl", "until", "reason", "reason_hex", "optional"]),
		(.action | if . == null or IN("audit", "deny", "kill") then empty else "action: \(tojson): want audit, deny or kill" end),
		(.only | subjects("only")),
		(.unless | subjects("unless")),
		(.sticky | boolean("sticky")),
		(.scripts | boolean("scripts")),
		(.optional | boolean("optional")),
		(.errno | if . == null or (type == "number" and . >= 1 and . <= 4095 and . == floor) then empty else "errno: \(tojson): want a number from 1 to 4095" end),
		(.signal | if . == null or (type == "number" and . >= 1 and . <= 64 and . == floor) or (type == "string" and test("^[A-Z0-9]+$")) then empty else "signal: \(tojson): want a name such as \"TERM\", or a number from 1 to 64" end),
		(if .signal != null and .action != null and .action != "kill" then "signal: only action kill sends one" else empty end),
		(.ttl | time("ttl")),
		(.until | point("until")),
		(if .ttl != null and .until != null then "ttl and until: want one of them" else empty end),
		(.reason | text("reason"; 255)),
		(.reason_hex | hex("reason_hex"; "^([0-9a-f]{2}){1,255}$")),
		(if .reason != null and .reason_hex != null then "reason and reason_hex: want one of them" else empty end)
	end;

# What is wrong with operations beside an object.
def op($object):
	if type != "array" or . == [] then "op: want an array of operations"
	elif . - ["exec", "read", "write", "create", "delete", "rename", "link", "setattr", "mapexec", "modify"] == [] then
		if $object | type == "object" and has("syscall") then "op and object: syscall is both, or neither" else empty end
	elif all(.[]; type == "string" and test("^[a-z_]+$")) | not then "op: want an array of operations"
	elif (index(["syscall"]) != null) != ($object | type == "object" and has("syscall")) then "op and object: syscall is both, or neither"
	elif index(["syscall"]) != null and . != ["syscall"] then "op: syscall is a rule of its own, not one with other operations"
	else empty end;

def rule_errors:
	if type != "object" then "want an object"
	else
		more_errors,
		(.id | if type == "string" and . != "" then text("id"; 127) else "id: want a text" end),
		(.object as $object | .op | op($object)),
		(.object | object)
	end;

def policy_errors:
	if type != "object" then "want an object"
	elif .version == null then "version: is missing: want 1"
	elif .version != 1 then "version: \(.version | tojson): this tool knows version 1"
	else
		unknown_keys(["$schema", "version", "name", "mode", "until", "reason", "rules"]),
		(if .name == "schema" then "name: \"schema\": this is the name of a file that is no policy" else empty end),
		(.name | if type == "string" and test("^[a-z0-9][a-z0-9_-]{0,62}$") then empty else "name: \(tojson): want at most 63 of a-z, 0-9, _ and -" end),
		(.mode | if IN("enforce", "monitor") then empty else "mode: \(tojson): want enforce or monitor" end),
		(.until | point("until")),
		(.reason | text("reason"; 255)),
		(.rules | if type == "array" then empty else "rules: want an array" end),
		(if (.rules | type) == "array" then
			(.rules | range(length) as $i | .[$i] | rule_errors as $why
				| (if type == "object" and (.id | type) == "string" then "rule \(.id | tojson | .[1:-1])" else "rule number \($i + 1)" end) + ": " + $why),
			([.rules[] | .id?] | if (unique | length) == length then empty else
				map(strings) | group_by(.)[] | select(length > 1) | "rule \(.[0] | tojson | .[1:-1]): \(length) rules have this id" end)
		else empty end)
	end;

# Who is in no container is on the host: only the one is unless the other.
def subject_words($how; $other):
	if . == null then empty
	else
		(.exe[]? | "--\($how)-exe=\(place)"), (.exe_hex[]? | "--\($how)-exe-hex=\(.)"),
		(.parent[]? | "--\($how)-parent=\(place)"), (.parent_hex[]? | "--\($how)-parent-hex=\(.)"),
		(.uid[]? | "--\($how)-uid=\(.)"),
		(.gid[]? | "--\($how)-gid=\(.)"),
		(.cgroup[]? | "--\($how)-cgroup=\(.)"), (.cgroup_hex[]? | "--\($how)-cgroup-hex=\(.)"),
		(if .container then "--\($how)-container" elif .container == false then "--\($other)-container" else empty end)
	end;

def object_words:
	if .syscall then
		(.args[]? | "--arg=\(.)"),
		(.fd_of // empty | "--fd-of=\(place)"), (.fd_of_hex // empty | "--fd-of-hex=\(.)"),
		(.path_arg // empty | "--path-arg=\(.)"), (.path_arg_hex // empty | "--path-arg-hex=\(.)"),
		"--", .syscall
	elif .path then "--", (.path | place)
	elif .class then "--", "\(.class):"
	elif .digest then "--", .digest
	elif .tree then "--", (.tree | place | if endswith("/") then . else . + "/" end)
	elif .path_hex then "--hex", "--", .path_hex
	else "--hex", "--", (if .tree_hex | endswith("2f") then .tree_hex else .tree_hex + "2f" end) end;

# All but what each rule has.
def more_words:
	(if .action then "--action=\(.action)" else empty end),
	(if .errno then "--errno=\(.errno)" else empty end),
	(if .reason then "--reason=\(.reason)" elif .reason_hex then "--reason-hex=\(.reason_hex)" else empty end),
	(if .signal then "--signal=\(.signal)" else empty end),
	(.only | subject_words("only"; "unless")),
	(.unless | subject_words("unless"; "only")),
	(if .sticky then "--sticky" else empty end),
	(if .scripts then "--scripts" else empty end),
	(if .ttl then "--ttl=\(.ttl)" else empty end),
	(if .until then "--until=\(.until)" else empty end),
	(if .optional then "--optional" else empty end);

def rule_words:
	"rule", "--rule=\(.id)", "--ops=\(.op | join(","))",
	(if length > 3 then more_words else empty end),
	(.object | object_words);

def policy_words:
	["policy", "--file=\($file)", "--name=\(.name)",
		(if .mode == "monitor" then "--monitor" else empty end),
		(if .until then "--until=\(.until)" else empty end),
		(if .reason then "--reason=\(.reason)" else empty end)],
	(.rules[] | [rule_words]);

def shown: if test("^[[:alnum:]/._+:@%,=-]+$") then . else tojson end;

[inputs] as $all
| (if ($all | length) == 1 then $all[0] | [policy_errors]
	elif $all == [] then ["is empty"]
	else ["want one JSON object"] end) as $errors
| (if $errors == [] then $all[0] | policy_words
	else ($errors[:50][] | ["error", "\($file | shown): \(. | gsub("[\u0000-\u001f\u007f-\u009f]"; "?"))"]),
		(if ($errors | length) > 50 then ["error", "\($file | shown): and \($errors[50:] | length) more"] else empty end)
	end)
| join("\u0000") + "\u0000\u0000"

# Check objects against $schema[0], as far as docs/ uses JSON Schema: type, enum, required,
# properties, items, allOf, if. What is not in the schema is a fault as well, but for NAME_hex.
# Prints the faults.
def faults($s; $at; $all):
	. as $v
	| (if $v == null then "null" else ($v | type) end) as $t
	| (if $t == "number" and ($v | floor) == $v then "integer" else $t end) as $t
	| (if $s.type and ([$s.type] | flatten | index($t) | not) then "\($at): is \($t)" else empty end),
	(if $s.enum and ($s.enum | index([$v]) | not) and ($s.enum | any(. == $v) | not) then "\($at): \($v)" else empty end),
	(if $t == "object" then
		(($s.required // [])[] | select(. as $k | $v | has($k) | not) | "\($at).\(.): is missing"),
		($v | to_entries[] | . as $e
			| ($s.properties // {})[$e.key] as $p
			| if $p then ($e.value | faults($p; "\($at).\($e.key)"; $all))
			elif ($all | not) or ($e.key | endswith("_hex")) then empty
			else "\($at).\($e.key): is not in the schema" end)
	elif $t == "array" and $s.items then
		(range($v | length) as $i | $v[$i] | faults($s.items; "\($at)[\($i)]"; $all))
	else empty end),
	(($s.allOf // [])[] as $part | $v | faults($part; $at; false)),
	(if $s.if then
		(if [$v | faults($s.if; ""; false)] == [] then $s.then else $s.else end) as $part
		| if $part then ($v | faults($part; $at; false)) else empty end
	else empty end);
faults($schema[0]; ""; true)

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 6.1
# What the commands say and what they refuse, with which status.

load suite

# refused N TEXT COMMAND...: with this status and message, and no rule was made.
refused() {
	local want=$1 text=$2
	shift 2
	run -"$want" "$@"
	said "$text"
}

rules() {
	"$S/list" --json | jq length
}

@test "-h prints the usage of each verb and exits 0, for anybody" {
	local verb
	for verb in load unload deny allow list status doctor; do
		run -0 "$S/$verb" -h
		[[ $output == "usage: $verb"* ]] || fail "$verb: $output"
	done
	run -0 su user -c "$S/deny --help"
	said "usage: deny"
}

@test "an ordinary user is told that root is needed, with status 4" {
	local verb
	for verb in load unload "deny $D/bad" "allow $D/bad" list status doctor; do
		refused 4 "${verb%% *}: no permission: run as root" su user -c "$S/$verb"
	done
	[[ $(rules) == 0 ]]
}

@test "an unknown option, operation, action or number is a usage error, status 2" {
	refused 2 "deny: --frobnicate: unknown option: see deny -h" deny --frobnicate "$D/bad"
	refused 2 "deny: no OBJECT: see deny -h" deny
	refused 2 "deny: flying: unknown operation" deny flying "$D/bad"
	refused 2 "deny: --action maim: want audit, deny or kill" deny --action maim "$D/bad"
	refused 2 "deny: --errno: 9999: want a name as EACCES, or a number from 1 to 4095" deny --errno 9999 "$D/bad"
	refused 2 "deny: --reason lacks its value: see deny -h" deny "$D/bad" --reason
	refused 2 "deny: --stdin takes no OBJECT beside it" deny --stdin "$D/bad"
	refused 2 "allow: --frobnicate: unknown option: see allow -h" "$S/allow" --frobnicate
	refused 2 "allow: --id: x: want a number" "$S/allow" --id x
	refused 2 "allow: no OBJECT: see allow -h" "$S/allow"
	refused 2 "list: --frobnicate: unknown option: see list -h" "$S/list" --frobnicate
	refused 2 "status: extra: unknown option: see status -h" "$S/status" extra
	refused 2 "doctor: extra: unknown option: see doctor -h" "$S/doctor" extra
	refused 2 "unload: extra: unknown option: see unload -h" "$S/unload" extra
	refused 2 "load: --backend magic: want lsm, fmod_ret, kill or auto" "$S/load" --backend magic
	refused 2 "load: --max-rules 0: want a number from 1 to 1048576" "$S/load" --max-rules 0
	refused 2 "load: an option lacks its value: see load -h" "$S/load" --backend
	runs "$D/bad"
}

@test "what is no file or directory is refused, and no rule of the same command is made" {
	mkdir "$D/dir"
	ln -s nowhere "$D/dangling"
	ln -s loop "$D/loop"
	mkfifo "$D/fifo"
	refused 1 "deny: bad: not a path: write ./NAME or the full path" deny bad
	refused 1 "deny: $D/dir: a directory: write $D/dir/ for all that is beneath it" deny "$D/dir"
	refused 1 "deny: $D/none/: no such directory" deny "$D/none/"
	refused 1 "deny: $D/bad/: not a directory: leave out the last \`/\`" deny "$D/bad/"
	refused 1 "deny: $D/dangling: a symbolic link to nothing: name what it should lead to" deny "$D/dangling"
	refused 1 "deny: $D/loop: " deny "$D/loop"
	refused 1 "deny: $D/fifo: neither a file nor a directory" deny "$D/fifo"
	refused 1 "deny: $D/no/../x: \`..\` behind a directory that does not exist" deny "$D/no/../x"
	refused 1 "deny: $D/bad/x: " deny "$D/bad/x"
	refused 1 "component is longer than 255 bytes" deny "$D/no/$(printf '%256s' '' | tr ' ' a)"
	refused 1 "longer than can be compared" deny "/$(printf 'aaaaaaa/%.0s' {1..600})b"
	refused 1 "deny: $D/none/: no such directory" deny "$D/bad" "$D/none/"
	refused 1 "allow: bad: not a path: write ./NAME or the full path" "$S/allow" bad
	[[ $(rules) == 0 ]]
	runs "$D/bad"
}

@test "--dry-run says what would be done and changes nothing" {
	run -0 deny --dry-run "$D/bad" "$D/later"
	[[ ${lines[0]} == *"kill exec $D/bad (name, inode)" ]]
	[[ ${lines[0]} == "would be "* && ${lines[1]} == "would be "* ]]
	[[ $(rules) == 0 ]]
	runs "$D/bad"
	run -1 deny --dry-run "$D/none/"
	deny "$D/bad"
	run -0 "$S/allow" --dry-run "$D/bad"
	said "would be rule"
	run -0 "$S/allow" --dry-run --all
	said "$D/bad"
	run -0 "$S/load" --dry-run --backend kill
	said "would attach exec with backend kill"
	run -0 "$S/unload" --dry-run
	said "would remove $PIN/maps/state"
	[[ $(rules) == 1 ]]
	dies "$D/bad"
	run -0 "$S/status" --json
	jq -e --arg b "$BACKEND" '.backend == $b' <<<"$output"
}

@test "what would lock the operator out is refused, but may be audited" {
	local object
	cp "$(readlink -f /bin/bash)" "$D/shell"
	ln -s /bin/sh "$D/link"
	for object in /bin/sh /usr/sbin/bpftool /usr/bin/jq "$S/deny" "$ROOT/build/helpers/encode" / /usr/ \
		/proc/1/exe "$D/link"; do
		refused 1 "would lock you out of this machine" deny "$object"
		said "--force if you mean it"
	done
	# the shell that runs this command, wherever it is
	# shellcheck disable=SC2016 # expanded by the inner shell
	run -1 "$D/shell" -c '"$1" "$2"; exit $?' sh "$S/deny" "$D/shell"
	said "would lock you out of this machine ($D/shell)"
	# by another path of a directory that holds it
	mounted "$D/bind" --bind /usr
	ln -s /usr "$D/usr"
	for object in "$D/bind/" "$D/usr/" "$D/bind/bin/"; do
		refused 1 "would lock you out of this machine" deny "$object"
	done
	# as what the operator is himself, but not as others
	for object in --only-exe=/bin/bash --only-parent=/bin/bash --only-exe=/proc/self/exe --only-uid=0 --only-gid=0; do
		refused 1 "would lock you out of this machine" deny exec /usr/bin/jq "$object"
	done
	run -0 deny --dry-run exec /usr/bin/jq --only-exe "$D/good"
	run -0 deny --dry-run exec /usr/bin/jq --only-uid 1000
	[[ $(rules) == 0 ]]
	run -0 deny --action audit /bin/sh
	run -0 sh -c 'echo hello'
	[[ $(hits "$(readlink -f /bin/sh)") -ge 1 ]]
	# shellcheck disable=SC2016 # expanded by the inner shell
	run -0 "$D/shell" -c '"$1" --force "$2"; exit $?' sh "$S/deny" "$D/shell"
	dies "$D/shell" -c 'echo hello'
}

@test "names with spaces, quotes, globs, newlines and other bytes simply work" {
	local name
	# shellcheck disable=SC2016 # nothing in these names is meant
	local -a names=("two words" "it's" 'a"b' '*' '$(id)' $'new\nline' $'tab\there' 'back\slash'
		-rf --all $'\xff\xfe' $'\xc3\xa4' $'esc\x1b[31m' ';' '[a]')
	mkdir "$D/odd"
	cd "$D/odd"
	for name in "${names[@]}"; do
		cp "$D/good" "./$name"
	done
	cp "$D/good" ./neighbour
	deny -- "${names[@]/#/./}"
	for name in "${names[@]}"; do
		dies "./$name"
	done
	runs ./neighbour
	# each is one line, shown so that bash reads it back
	run -0 "$S/list"
	[[ ${#lines[@]} == $((${#names[@]} + 1)) ]]
	said "'$D/odd/two words'"
	said "\$'$D/odd/new\\nline'"
	said "\$'$D/odd/\\xff\\xfe'"
	said "\$'$D/odd/esc\\x1b[31m'"
	"$S/list" --json >"$D/json"
	jq -e --argjson n "${#names[@]}" 'length == $n' "$D/json"
	jq -e --arg o "$D/odd/new
line" 'any(.object == $o)' "$D/json"
	jq -e --arg h "$(printf '%s' "$D/odd/"$'\xff\xfe' | od -An -tx1 | tr -d ' \n')" \
		'[.[] | select(.object_hex)] | length == 1 and .[0].object_hex == $h' "$D/json"
	# away again: all but the last, then that
	"$S/allow" -- "${names[@]/#/./}"
	[[ $(rules) == 0 ]]
	for name in "${names[@]}"; do
		runs "./$name"
	done
}

@test "a name with a leading dash is an object behind --" {
	mkdir -- "$D/-x"
	cp "$D/good" "$D/-x/-y"
	cd "$D"
	refused 2 "-x/-y: unknown option" deny -x/-y
	run -0 deny -- -x/-y
	dies "$D/-x/-y"
	run -0 "$S/allow" -- -x/-y
	runs "$D/-x/-y"
}

@test "--stdin reads one object a line, --null one up to each NUL" {
	printf '%s\n' "$D/bad" '' "$D/later" >"$D/lines"
	run -0 deny --stdin <"$D/lines"
	[[ $output == "2 rules" ]]
	dies "$D/bad"
	runs "$D/good"
	run -0 "$S/allow" --stdin <"$D/lines"
	[[ $output == "2 rules removed" ]]
	runs "$D/bad"
	cp "$D/good" "$D/new"$'\n'"line"
	printf '%s\0' "$D/bad" "$D/new"$'\n'"line" >"$D/nulls"
	run -0 deny --stdin --null <"$D/nulls"
	[[ $output == "2 rules" ]]
	dies "$D/bad"
	dies "$D/new"$'\n'"line"
	run -0 "$S/allow" --stdin --null exec <"$D/nulls"
	[[ $(rules) == 0 ]]
}

@test "--stdin makes no rule when one line is bad or there is none" {
	refused 1 "deny: bad: not a path" deny --stdin <<<"$D/bad"$'\nbad'
	printf '%s\0\n' "$D/bad" >"$D/nul"
	refused 1 "deny: line 1 of the input holds a NUL byte" deny --stdin <"$D/nul"
	run -0 deny --stdin </dev/null
	[[ $output == "0 rules" ]]
	[[ $(rules) == 0 ]]
	runs "$D/bad"
}

@test "denying twice keeps the rule, another action replaces it" {
	run -0 deny --reason first "$D/bad"
	dies "$D/bad"
	run -0 deny "$D/bad"
	said "already there"
	[[ $(rules) == 1 && $(hits "$D/bad") == 1 ]]
	run -0 deny "$D/bad" "$D/bad"
	[[ $(rules) == 1 ]]
	run -0 deny --action audit "$D/bad"
	[[ $(rules) == 1 ]]
	runs "$D/bad"
	run -0 deny "$D/bad"
	[[ $(rules) == 1 ]]
	dies "$D/bad"
}

@test "an object named twice in one command is one rule" {
	run -0 deny "$D/bad" "$D/./bad" "$D/later" "$D/later"
	[[ $(rules) == 2 ]]
	run -0 "$S/allow" "$D/bad" "$D/bad" "$D/later"
	[[ $(rules) == 0 ]]
	runs "$D/bad"
}

@test "a name rule learns the inode when the file has come" {
	run -0 deny "$D/later"
	cp "$D/good" "$D/later"
	run -0 deny "$D/later"
	[[ $("$S/list" --json | jq -c '[.[].kinds]') == '[["name","inode","fspath"]]' ]]
	mv "$D/later" "$D/moved"
	dies "$D/moved"
}

@test "the object of a rule, its reason and its action are listed" {
	run -0 deny --reason "no; 'tis not \"allowed\"" --action audit "$D/bad"
	run -0 "$S/list"
	[[ ${lines[0]} == "ID "*OP*ACTION*HITS*IDENTITY*OBJECT*REASON ]]
	[[ ${lines[1]} == *exec*audit*name,inode*"$D/bad"*"no; \\'tis not \"allowed\""* ]]
	"$S/list" --json | jq -e --arg o "$D/bad" 'length == 1 and (.[0] |
		(.id | type) == "number" and .op == ["exec"] and .object == $o and .kinds == ["name", "inode", "fspath"]
		and .action == "audit" and .errno == 1 and .hits == 0
		and .reason == "no; '"'"'tis not \"allowed\"" and (.created | fromdate) > 0)'
	refused 2 "deny: --reason is longer than 255 bytes" deny --reason "$(printf '%300s' x)" "$D/good"
}

@test "allow takes a rule by object or id, and says when there is none" {
	local id
	deny "$D/bad" "$D/later" "$D/third"
	run -0 "$S/allow" "$D/good"
	said "no rule names $D/good"
	id=$("$S/list" --json | jq --arg o "$D/bad" '.[] | select(.object == $o) | .id')
	refused 1 "allow: no rule has that id: nothing was changed: see list" "$S/allow" --id 999999
	refused 1 "nothing was changed" "$S/allow" --id "$id" --id 999999
	dies "$D/bad"
	run -0 "$S/allow" --id "$id"
	said "rule $id: no longer exec $D/bad"
	runs "$D/bad"
	run -0 "$S/allow" exec "$D/later"
	[[ $(rules) == 1 ]]
	run -0 "$S/allow" --all
	[[ $(rules) == 0 ]]
	run -0 "$S/allow" --all
}

@test "allowing one hard link of a file leaves the rule of the other" {
	ln "$D/bad" "$D/link"
	deny "$D/bad"
	run -0 "$S/allow" "$D/link"
	said "still denied by rule"
	dies "$D/link"
	run -0 "$S/allow" "$D/bad"
	runs "$D/link"
}

@test "more rules of one inode than there is room for are made by name alone" {
	local i
	local -a links=()
	for ((i = 1; i <= 8; i++)); do
		ln "$D/bad" "$D/link$i"
		links+=("$D/link$i")
	done
	run -0 deny "${links[@]}"
	said "$D/link8: 7 rules name its inode already: denied by name alone"
	for i in 1 8; do
		dies "$D/link$i"
	done
	"$S/allow" "${links[@]:0:7}"
	dies "$D/link8"
	runs "$D/link1"
}

@test "list and status of no rules are empty and well" {
	run -0 "$S/list"
	[[ ${#lines[@]} == 1 ]]
	run -0 "$S/list" --json
	[[ $output == "[]" ]]
	run -0 "$S/status"
	said "rules     0 of at most 1048576"
	said "degraded  no"
}

@test "status --json has all that is attached, used and counted" {
	deny "$D/bad"
	dies "$D/bad"
	run -0 "$S/status" --json
	jq -e --arg b "$BACKEND" '.loaded and .backend == $b and .layers == {first: true, second: true}
		and ([.links[] | .attached] == [true, true]) and ([.links[].group] | unique) == ["exec"]
		and .rules.in_force == 1 and .rules.limit == 1048576 and .objects.used == 3
		and .texts.used >= 1 and .memory > 0 and .memory <= 2097152
		and .counters.calls[$b] > 0 and .counters.calls.kill > 0 and .counters.torn == 0
		and .operations.exec.killed >= 1 and .degraded == []' <<<"$output" || fail "$(jq -c . <<<"$output")"
}

@test "doctor says what the kernel offers, in words and in JSON" {
	run -0 "$S/doctor"
	[[ ${lines[0]} == "kernel $(uname -r)" ]]
	run -0 "$S/doctor" --json
	jq -e --arg k "$(uname -r)" '.kernel == $k and
		([.checks[].name] | contains(["btf", "bpffs", "lsm", "fmod_ret", "tracepoint", "ftrace_enabled", "kprobe_override", "no_lockdown"]))
		and all(.checks[]; .state == "yes" or ((.state == "no" or .state == "unknown") and (.consequence | length > 0) and (.remedy | length > 0)))
		and all(.checks[] | select(.name == "btf" or .name == "bpffs" or .name == "fmod_ret" or .name == "tracepoint"); .state == "yes")' <<<"$output"
	jq -e --argjson has "$(grep -qw bpf /sys/kernel/security/lsm && echo true || echo false)" \
		'.checks[] | select(.name == "lsm") | (.state == "yes") == $has' <<<"$output"
	sysctl -qw kernel.ftrace_enabled=0
	run "$S/doctor"
	sysctl -qw kernel.ftrace_enabled=1
	said "remedy: sysctl kernel.ftrace_enabled=1"
	[[ $(find /sys/fs/bpf -maxdepth 1 -name 'cotter_doctor*' | wc -l) == 0 ]]
}

@test "without a BPF file system load and doctor say so, with status 5" {
	# shellcheck disable=SC2016 # expanded by the inner shell
	local without='umount /sys/fs/bpf && exec "$@"'
	run -5 unshare -m sh -c "$without" sh "$S/load"
	said "load: /sys/fs/bpf: no BPF file system: mount -t bpf bpf /sys/fs/bpf"
	run -5 unshare -m sh -c "$without" sh "$S/doctor"
	said "remedy: mount -t bpf bpf /sys/fs/bpf"
}

@test "without BTF load and doctor say so, with status 5" {
	# shellcheck disable=SC2016 # expanded by the inner shell
	local without='mount -t tmpfs none /sys/kernel/btf && exec "$@"'
	run -5 unshare -m sh -c "$without" sh "$S/load"
	said "load: this kernel has no BTF: it needs CONFIG_DEBUG_INFO_BTF"
	run -5 unshare -m sh -c "$without" sh "$S/doctor"
	said "remedy: a kernel with CONFIG_DEBUG_INFO_BTF"
}

@test "what is not loaded is said with status 3, and unload of it is no error" {
	local verb
	"$S/unload"
	for verb in "deny $D/bad" "allow --all" list status "list --json" "deny --dry-run $D/bad"; do
		# shellcheck disable=SC2086 # words
		refused 3 "${verb%% *}: not loaded: run scripts/load first" "$S/"$verb
	done
	run -3 --separate-stderr "$S/status" --json
	[[ $output == '{"loaded":false}' ]]
	run -0 "$S/unload"
	run -0 "$S/doctor"
	nothing_left
}

# Last: what is loaded stays limited.
@test "a full table refuses the rule, and the earlier ones hold" {
	"$S/unload"
	load_cotter --max-rules 3
	deny "$D/bad" "$D/two" "$D/three"
	refused 1 "deny: the limit of 3 rules is reached, nothing was changed: see load --max-rules" deny "$D/good"
	dies "$D/bad"
	runs "$D/good"
	run -0 "$S/status"
	said "rules     3 of at most 3"
	"$S/allow" "$D/two"
	refused 1 "limit of 3 rules" deny "$D/good" "$D/four"
	runs "$D/good"
	run -0 deny "$D/good"
	dies "$D/good"
	# another limit for what is loaded, which is never below what is in force
	refused 1 "load: --max-rules 2: 3 rules are in force" "$S/load" --max-rules 2
	run -0 "$S/load"
	refused 1 "limit of 3 rules" deny "$D/four"
	run -0 "$S/load" --max-rules 4
	run -0 deny "$D/four"
	refused 1 "limit of 4 rules" deny "$D/five"
	dies "$D/bad"
}

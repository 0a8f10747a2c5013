#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What `deny exec` stops, by which names it cannot be evaded, and what it leaves alone.

load suite
# Each test has files of its own, and the rules of the others must not matter to it.
# shellcheck disable=SC2034 # read by teardown
RULES_STAY=1

@test "a denied program dies with 137 and its neighbour runs" {
	runs "$D/bad"
	deny "$D/bad"
	dies "$D/bad"
	runs "$D/good"
	forget
	runs "$D/bad"
}

@test "a relative path, a symlink and a path with dots lead to the same file" {
	mkdir "$D/sub"
	ln -s ../bad "$D/sub/link"
	deny "$D/bad"
	cd "$D/sub"
	dies ../bad
	dies ./link
	dies "$D/./sub/../bad"
	runs ../good
}

@test "a rule made through a symlink or a relative path is a rule for its file" {
	ln -s bad "$D/link"
	cd "$D"
	run -0 deny ./link
	said "exec $D/bad (name, inode)"
	dies "$D/bad"
	runs "$D/good"
}

@test "hard links made before and after do not evade it" {
	ln "$D/bad" "$D/before"
	deny "$D/bad"
	ln "$D/bad" "$D/after"
	dies "$D/before"
	dies "$D/after"
	runs "$D/good"
}

@test "renaming the file or its directory does not evade it" {
	mkdir "$D/dir"
	cp "$D/bad" "$D/dir/bad"
	deny "$D/bad" "$D/dir/bad"
	mv "$D/bad" "$D/other"
	mv "$D/dir" "$D/dir2"
	dies "$D/other"
	dies "$D/dir2/bad"
	runs "$D/good"
}

@test "another file put in its place is denied by name, the old one by inode" {
	deny "$D/bad"
	mv "$D/bad" "$D/old"
	cp "$D/good" "$D/new"
	runs "$D/new"
	mv "$D/new" "$D/bad"
	dies "$D/bad"
	dies "$D/old"
	cp "$D/good" "$D/over"
	mv "$D/over" "$D/old"
	runs "$D/old"
}

@test "a file that does not exist yet is denied by name" {
	run -0 deny "$D/later" "$D/no/such/dir/later"
	said "exec $D/later (name)"
	cp "$D/good" "$D/later"
	dies "$D/later"
	mkdir -p "$D/no/such/dir"
	cp "$D/good" "$D/no/such/dir/later"
	dies "$D/no/such/dir/later"
	mv "$D/later" "$D/elsewhere"
	runs "$D/elsewhere"
}

@test "bind mounts and other mount namespaces do not evade it" {
	cp "$D/good" "$D/hole"
	deny "$D/bad"
	dies unshare -m "$D/bad"
	runs unshare -m "$D/good"
	# shellcheck disable=SC2016 # expanded by the inner shell
	local bind='mount --bind "$1" "$2" && exec "$3"'
	dies unshare -m sh -c "$bind" sh "$D/bad" "$D/hole" "$D/hole"
	runs unshare -m sh -c "$bind" sh "$D/good" "$D/hole" "$D/hole"
	mkdir "$D/dir"
	dies unshare -m sh -c "$bind" sh "$D" "$D/dir" "$D/dir/bad"
}

@test "chroot and pivot_root do not evade it" {
	mkdir -p "$D/root/old"
	cp "$D/bad" "$D/root/bad"
	cp "$D/good" "$D/root/good"
	runs chroot "$D/root" /bad
	deny "$D/root/bad" "$D/root/later"
	cp "$D/good" "$D/root/later"
	dies chroot "$D/root" /bad
	dies chroot "$D/root" /later
	runs chroot "$D/root" /good
	# shellcheck disable=SC2016 # expanded by the inner shell
	local pivot='mount --bind "$1" "$1" && cd "$1" && pivot_root . old && exec "$2"'
	dies unshare -m sh -c "$pivot" sh "$D/root" /bad
	runs unshare -m sh -c "$pivot" sh "$D/root" /good
}

@test "execveat, descriptors and /proc lead to the same file" {
	local how
	for how in opath at procfd; do
		runs "$PROGS/exec_by" "$how" "$D/bad"
	done
	deny "$D/bad"
	for how in opath at procfd; do
		dies "$PROGS/exec_by" "$how" "$D/bad"
		runs "$PROGS/exec_by" "$how" "$D/good"
	done
	dies "/proc/self/root$D/bad"
	runs "/proc/self/root$D/good"
}

@test "a copy in memory or on disk is another file, and runs" {
	deny "$D/bad"
	cp "$D/bad" "$D/copy"
	runs "$D/copy"
	runs "$PROGS/exec_by" memfd "$D/bad"
}

@test "a thread that is not the leader takes its whole process along" {
	runs "$PROGS/exec_by" thread "$D/bad"
	deny "$D/bad"
	dies "$PROGS/exec_by" thread "$D/bad"
	runs "$PROGS/exec_by" thread "$D/good"
}

@test "a child of vfork or posix_spawn dies and its parent lives" {
	deny "$D/bad"
	local how
	# shellcheck disable=SC2153 # STATUS: set by outcome
	for how in vfork spawn; do
		outcome "$PROGS/exec_by" "$how" "$D/bad"
		[[ $STATUS == 137 && $OUTPUT == "parent lives" ]] || fail "$how: $STATUS $OUTPUT"
		outcome "$PROGS/exec_by" "$how" "$D/good"
		[[ $STATUS == 0 && $OUTPUT == $'hello\nparent lives' ]] || fail "$how: $STATUS $OUTPUT"
	done
}

@test "an ordinary user is stopped, in a user namespace as well" {
	local -a user=(setpriv --reuid=1000 --regid=1000 --clear-groups)
	runs "${user[@]}" "$D/bad"
	deny "$D/bad"
	dies "${user[@]}" "$D/bad"
	runs "${user[@]}" "$D/good"
	dies "${user[@]}" unshare -Ur "$D/bad"
	runs "${user[@]}" unshare -Ur "$D/good"
	dies "${user[@]}" unshare -Urm "$D/bad"
}

@test "a tree is everything beneath a directory, however deep" {
	local deep
	deep=$D/tree/$(printf 'd/%.0s' {1..200})
	mkdir -p "$deep"
	cp "$D/bad" "$D/tree/bad"
	cp "$D/bad" "$deep/bad"
	cp "$D/good" "$D/treeless"
	runs "$deep/bad"
	run -0 deny "$D/tree/"
	said "exec $D/tree/ (tree)"
	dies "$D/tree/bad"
	dies "$deep/bad"
	cp "$D/good" "$D/tree/new"
	dies "$D/tree/new"
	mv "$D/tree/new" "$D/out"
	runs "$D/out"
	runs "$D/treeless"
	mv "$D/tree" "$D/moved"
	dies "$D/moved/bad"
	mkdir "$D/tree"
	cp "$D/good" "$D/tree/good"
	runs "$D/tree/good"
}

@test "a file system mounted beneath a tree belongs to it" {
	mkdir "$D/tree"
	mounted "$D/tree/mount" -t tmpfs none
	cp "$D/bad" "$D/tree/mount/bad"
	runs "$D/tree/mount/bad"
	deny "$D/tree/"
	dies "$D/tree/mount/bad"
	runs "$D/good"
}

@test "a bind mount of a tree or of a part of it does not evade the tree" {
	mkdir -p "$D/tree/sub/sub" "$D/elsewhere" "$D/part"
	cp "$D/bad" "$D/tree/bad"
	cp "$D/bad" "$D/tree/sub/sub/bad"
	mounted "$D/elsewhere" --bind "$D/tree"
	mounted "$D/part" --bind "$D/tree/sub/sub"
	runs "$D/part/bad"
	deny "$D/tree/"
	dies "$D/elsewhere/bad"
	dies "$D/part/bad"
	runs "$D/good"
}

@test "a script is denied as a file, which backend kill cannot see" {
	printf '#!/bin/sh\necho hello\n' >"$D/script"
	printf '#!%s\n' "$D/script" >"$D/second"
	cp "$D/script" "$D/other"
	chmod 755 "$D/script" "$D/second" "$D/other"
	runs "$D/second"
	deny "$D/script"
	if has_first_layer; then
		dies "$D/script"
		dies "$D/second"
	else
		runs "$D/script"
		runs "$D/second"
	fi
	runs "$D/other"
}

@test "a denied interpreter stops its scripts, through another interpreter too" {
	cp /bin/busybox "$D/sh"
	printf '#!%s\necho hello\n' "$D/sh" >"$D/script"
	printf '#!%s\n' "$D/script" >"$D/second"
	chmod 755 "$D/script" "$D/second"
	runs "$D/second"
	deny "$D/sh"
	dies "$D/script"
	dies "$D/second"
	runs "$D/good"
}

@test "names of every length are told apart by their last byte" {
	local n name
	local -a names=()
	for n in 1 31 32 33 63 64 65 254 255; do
		name=$(printf "%*s" "$n" '' | tr ' ' a)
		names+=("$D/l/$name")
	done
	mkdir "$D/l"
	deny "${names[@]}"
	for name in "${names[@]}"; do
		cp "$D/good" "$name"
		dies "$name"
		mv "$name" "${name%a}b"
		runs "${name%a}b"
	done
}

@test "a name 200 directories deep is denied" {
	local deep
	deep=$D/$(printf 'dir/%.0s' {1..200})
	mkdir -p "$deep"
	deny "${deep}later"
	cp "$D/good" "${deep}later"
	cp "$D/good" "${deep}good"
	dies "${deep}later"
	runs "${deep}good"
}

@test "a file deeper than a path can say is denied by its inode alone" {
	local part i
	part=$(printf '%255s' '' | tr ' ' p)
	cd "$D"
	for ((i = 0; i < 20; i++)); do
		mkdir "$part"
		cd "$part" 2>/dev/null
	done
	cp "$D/bad" "$D/good" .
	runs ./bad
	run -0 deny ./bad
	said "deny: ./bad: its path is longer than can be compared: denied by inode alone"
	dies ./bad
	runs ./good
}

@test "action deny fails the exec with the error asked for and kills nobody" {
	if ! has_first_layer; then
		run -5 deny --action deny "$D/bad"
		said "deny: --action deny: backend kill has only the signal: use --action kill"
		runs "$D/bad"
		return
	fi
	cp "$D/good" "$D/enoent"
	deny --action deny "$D/bad"
	deny --action deny --errno 2 "$D/enoent"
	fails 126 "$D/bad"
	fails 127 "$D/enoent"
	runs "$D/good"
	run -1 sh -c "exec 2>&1; ! perl -e 'exec shift or print \$! . qq(\\n)' $D/bad"
	said "Operation not permitted"
	[[ $(hits "$D/bad") == 2 ]]
}

@test "action audit lets it run and counts it" {
	deny --action audit "$D/bad"
	runs "$D/bad"
	runs "$D/bad"
	runs "$D/good"
	[[ $(hits "$D/bad") == 2 ]]
	run -0 "$S/list"
	[[ $output =~ exec\ +audit\ +2\ +name,inode\ +$D/bad ]]
}

@test "each execution is one hit, from two processes at once" {
	local ran=0 killed=0 one two output
	cp "$D/bad" "$D/unused"
	deny "$D/bad" "$D/unused"
	"$PROGS/hammer" 100 "$D/bad" >"$D/one" 3>&- &
	"$PROGS/hammer" 100 "$D/bad" >"$D/two"
	wait
	while read -r _ one _ two _ output; do
		((ran += one, killed += two, output == 0)) || fail "failed: $output"
	done < <(cat "$D/one" "$D/two")
	# From 7.x on a tracepoint's program may be skipped, which is counted: docs/threat-model.md.
	if ((ran)); then
		output=$("$S/status" --json) || true
		[[ $BACKEND == kill && $(uname -r) != [1-6].* ]] && jq -e --argjson ran "$ran" '.counters.skipped >= $ran' <<<"$output" >/dev/null ||
			fail "$ran ran"
	fi
	((ran + killed == 200))
	[[ $(hits "$D/bad") == "$killed" ]]
	[[ $(hits "$D/unused") == 0 ]]
}

@test "with the first layer switched off the second kills, and status says so" {
	deny "$D/bad"
	if has_first_layer; then
		sysctl -qw kernel.ftrace_enabled=0
	fi
	outcome "$D/bad"
	run "$S/status"
	sysctl -qw kernel.ftrace_enabled=1
	[[ $STATUS == 137 && -z $OUTPUT ]]
	[[ $status == 1 ]]
	if has_first_layer; then
		said "the first layer is attached but not called: kernel.ftrace_enabled is 0"
		run "$S/status" --json
		well "$output"
	else
		said "no first layer: an operation may complete before the process dies"
	fi
	dies "$D/bad"
	runs "$D/good"
}

@test "on ext4 name and inode hold" {
	local e=/mnt/ext4/exec
	mkdir -p "$e"
	cp "$D/bad" "$D/good" "$e"
	runs "$e/bad"
	deny "$e/bad" "$e/later"
	dies "$e/bad"
	mv "$e/bad" "$e/other"
	dies "$e/other"
	cp "$D/good" "$e/later"
	dies "$e/later"
	runs "$e/good"
	rm -rf "$e"
}

@test "on ext4 a new file with the inode number of a deleted one runs" {
	local e=/mnt/ext4/reuse ino i
	mkdir -p "$e"
	cp "$D/bad" "$e/bad"
	ino=$(stat -c %i "$e/bad")
	deny "$e/bad"
	dies "$e/bad"
	rm "$e/bad"
	for ((i = 0; i < 500; i++)); do
		: >"$e/new$i"
		[[ $(stat -c %i "$e/new$i") != "$ino" ]] || break
	done
	((i < 500)) || fail "inode $ino was never used again"
	cat "$D/good" >"$e/new$i"
	chmod 755 "$e/new$i"
	runs "$e/new$i"
	cp "$D/good" "$e/bad"
	dies "$e/bad"
	rm -rf "$e"
}

@test "on overlayfs name and inode hold, over copy-up and remount" {
	local o=$D/o
	modprobe overlay
	mkdir -p "$o/lower" "$o/upper" "$o/work"
	cp "$D/bad" "$D/good" "$o/lower"
	mounted "$o/merged" -t overlay overlay -o "lowerdir=$o/lower,upperdir=$o/upper,workdir=$o/work"
	runs "$o/merged/bad"
	deny "$o/merged/bad" "$o/merged/later"
	dies "$o/merged/bad"
	runs "$o/merged/good"
	touch "$o/merged/bad"
	dies "$o/merged/bad"
	mv "$o/merged/bad" "$o/merged/other"
	dies "$o/merged/other"
	cp "$D/good" "$o/merged/later"
	dies "$o/merged/later"
	umount "$o/merged"
	mount -t overlay overlay -o "lowerdir=$o/lower,upperdir=$o/upper,workdir=$o/work" "$o/merged"
	dies "$o/merged/later"
	runs "$o/merged/good"
	# what is executed is the layer's file, however it came there
	forget
	runs "$o/merged/later"
	deny "$o/lower/good"
	dies "$o/merged/good"
	runs "$o/merged/later"
	deny "$o/upper/"
	dies "$o/merged/later"
	[[ $(hits "$o/upper/") == 1 ]]
	forget
	runs "$o/merged/good"
}

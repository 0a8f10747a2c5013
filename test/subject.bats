#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 7.2 6.1 6.12-nolsm
# kill: 6.12-nolsm
# Who a rule is about: --only-exe, --only-uid, --only-gid, --only-cgroup, --only-container and
# --only-parent, the same with --unless-, --sticky and --scripts.
# $D/exempt is a program that can write in many ways (test/progs/file_by.c), $BY the same, elsewhere.

# shellcheck disable=SC2030,SC2031,SC2034 # each test is a subshell; what suite.bash reads
load suite

BY=$PROGS/file_by

setup_file() {
	suite_setup
	keep modify --only-exe /bin/true
}

setup() {
	D=$BATS_FILE_TMPDIR/$BATS_TEST_NUMBER
	mkdir -m 755 "$D"
	MOUNTED=() # read by teardown
	cp "$BY" "$D/exempt"
	printf 'before\n' >"$D/file"
	cp "$D/file" "$D/other"
	chmod 666 "$D/file" "$D/other"
}

USER=(setpriv --reuid=1000 --regid=1000 --clear-groups)
# What the shell of a program is told: a write that nothing but its label could allow.
# shellcheck disable=SC2016 # expanded by that shell
WRITES=': >>"$F"'

# untouched: $D/file; without a first layer an operation may complete before the process dies
untouched() {
	! has_first_layer || [[ $(<"$D/file") == before ]]
}

@test "unless-exe: the program writes, in threads, children and workers too, and no other does" {
	local way
	deny modify "$D/file" --unless-exe "$D/exempt"
	for way in open_write truncate; do
		dies "$BY" "$way" "$D/file"
	done
	dies sh -c "F=$D/file; $WRITES"
	! has_first_layer || dies mv "$D/file" "$D/moved"
	untouched
	"$BY" open_write "$D/other"
	for way in open_write pwrite thread fork mmap aio uring_write uring_write_async uring_write_polled chmod; do
		"$D/exempt" "$way" "$D/file" || fail "$way"
	done
	[[ $(head -c 1 "$D/file") == X ]]
}

@test "only-exe: the program is stopped, in threads, children and workers too, and no other is" {
	local way
	deny modify "$D/file" --only-exe "$D/exempt"
	for way in open_write pwrite thread fork aio uring_write uring_write_async uring_write_polled chmod; do
		dies "$D/exempt" "$way" "$D/file"
	done
	untouched
	"$D/exempt" open_write "$D/other"
	"$BY" open_write "$D/file"
	sh -c "F=$D/file; $WRITES"
}

@test "a program is known by path and inode: a link is it, a copy is not, its successor is" {
	ln "$D/exempt" "$D/link"
	ln -s exempt "$D/symlink"
	cp "$D/exempt" "$D/copy"
	deny write "$D/file" --unless-exe "$D/exempt"
	"$D/link" open_write "$D/file"
	"$D/symlink" open_write "$D/file"
	dies "$D/copy" open_write "$D/file"
	mv "$D/copy" "$D/exempt"
	"$D/exempt" open_write "$D/file"
}

@test "another program mounted where the exempt one is does not become it" {
	mkdir -p "$D/evil" "$D/bin"
	cp "$BY" "$D/evil/exempt"
	mv "$D/exempt" "$D/bin"
	deny write "$D/file" --unless-exe "$D/bin/exempt"
	# shellcheck disable=SC2016 # expanded by the inner shell
	local bind='mount --bind "$1" "$2" && exec "$3" open_write "$4"'
	dies unshare -m sh -c "$bind" sh "$D/evil" "$D/bin" "$D/bin/exempt" "$D/file"
	dies unshare -m sh -c "$bind" sh "$D/evil/exempt" "$D/bin/exempt" "$D/bin/exempt" "$D/file"
	dies "${USER[@]}" unshare -Urm sh -c "$bind" sh "$D/evil" "$D/bin" "$D/bin/exempt" "$D/file"
	untouched
	"$D/bin/exempt" open_write "$D/file"
}

@test "another program at the same path within a chroot does not become the exempt one" {
	mkdir -p "$D/root$D"
	cp "$BY" "$D/root$D/exempt"
	cp "$D/file" "$D/root$D/file"
	deny write "$D/root$D/file" --unless-exe "$D/exempt"
	dies chroot "$D/root" "$D/exempt" open_write "$D/file"
	if has_first_layer; then
		[[ $(<"$D/root$D/file") == before ]]
	fi
	"$D/exempt" open_write "$D/root$D/file"
}

@test "what an exempt program executes is not exempt, unless sticky" {
	export F="$D/file" # for $WRITES
	deny write "$D/file" --unless-exe "$D/exempt"
	"$D/exempt" open_write "$D/file"
	run -1 "$D/exempt" open_write "$D/other" "$WRITES"
	said "the command failed"
	forget
	deny write "$D/file" --unless-exe "$D/exempt" --sticky
	"$D/exempt" open_write "$D/other" "$WRITES"
	"$D/exempt" open_write "$D/other" "sh -c '$WRITES'"
	"$D/exempt" open_write "$D/other" "setsid sh -c '($WRITES) & wait'"
	dies sh -c "$WRITES"
	dies "$BY" open_write "$D/file"
}

@test "sticky the other way: a child of a forbidden program is forbidden" {
	export F="$D/file" # for $WRITES
	deny write "$D/file" --only-exe "$D/exempt"
	"$D/exempt" open_write "$D/other" "$WRITES"
	forget
	deny write "$D/file" --only-exe "$D/exempt" --sticky
	run -1 "$D/exempt" open_write "$D/other" "sh -c '$WRITES'"
	run -1 "$D/exempt" open_write "$D/other" "setsid sh -c '$WRITES'"
	sh -c "$WRITES"
}

@test "a script that an exempt program interprets is not exempt, unless asked for" {
	local script=$D/script
	# the kernel makes of it: exempt open_write $script
	printf '#!%s open_write\nrest\n' "$D/exempt" >"$script"
	chmod 755 "$script"
	deny write "$script" --unless-exe "$D/exempt"
	dies "$script"
	[[ $(head -c 2 "$script") == '#!' ]] || ! has_first_layer
	"$D/exempt" open_write "$script"
	forget
	printf '#!%s open_write\nrest\n' "$D/exempt" >"$script"
	deny write "$script" --unless-exe "$D/exempt" --scripts
	"$script"
	[[ $(head -c 2 "$script") == 'X!' ]]
	dies "$BY" open_write "$script"
}

@test "a script can be the program that is exempt or meant, when the kernel runs it as one" {
	export F="$D/file" # for $WRITES
	local name
	for name in script other-script; do
		printf '#!/bin/sh\n%s\n' "$WRITES" >"$D/$name"
		chmod 755 "$D/$name"
	done
	# shellcheck disable=SC2016 # expanded by that script
	printf '#!/bin/sh\nsh -c "$1" || exit 9\n' >"$D/runs"
	chmod 755 "$D/runs"
	ln -s script "$D/symlink"
	printf '#!%s\n%s\n' "$D/later" "$WRITES" >"$D/broken"
	chmod 755 "$D/broken"
	deny write "$D/file" --unless-exe "$D/script" --unless-exe "$D/runs" --unless-exe "$D/broken"
	dies sh "$D/script"
	dies sh -c "$WRITES"
	dies "$D/other-script"
	dies env "$D/other-script"
	run -9 "$D/runs" "$WRITES"
	# an exec that fails, for want of the interpreter, leaves nothing for the next one
	# shellcheck disable=SC2016 # expanded by the inner shell
	dies bash -c 'shopt -s execfail; exec "$0" 2>/dev/null; exec "$1"' "$D/broken" "$D/other-script"
	untouched
	"$D/script"
	"$D/symlink"
	env "$D/script"
	forget
	deny write "$D/file" --only-exe "$D/script"
	dies "$D/script"
	dies "$D/symlink"
	sh "$D/script"
	"$D/other-script"
	forget
	deny write "$D/file" --unless-exe "$D/runs" --sticky
	"$D/runs" "$WRITES"
	dies sh -c "$WRITES"
}

# held PROGRAM NAME: start a program that opens $D/file now and writes when told on descriptor GO
held() {
	mkfifo "$D/$2.go"
	"$1" -w pwrite "$D/file" <"$D/$2.go" >"$D/$2.said" 2>&1 3>&- &
	HELD=$!
	exec {GO}>"$D/$2.go"
	until grep -q ready "$D/$2.said"; do
		sleep 0.1
	done
}

# ended PID N: it ends with this status. Not by run: of a subshell it is no child.
ended() {
	local status=0
	wait "$1" 2>/dev/null || status=$?
	[[ $status == "$2" ]] || fail "want status $2, got $status"
}

@test "processes that run already when the rule comes are known" {
	local exempt other to_exempt to_other
	held "$D/exempt" exempt
	exempt=$HELD to_exempt=$GO
	held "$BY" other
	other=$HELD to_other=$GO
	deny write "$D/file" --unless-exe "$D/exempt"
	echo go >&"$to_other"
	ended "$other" 137
	untouched
	echo go >&"$to_exempt"
	ended "$exempt" 0
	exec {to_exempt}>&- {to_other}>&-
	[[ $(<"$D/file") == Xefore ]]
}

@test "objects of standard input, of a program that has no label yet, which runs already" {
	local pid
	held "$D/exempt" exempt
	pid=$HELD
	run -0 deny write --only-exe "$D/exempt" --stdin <<<"$D/file"$'\n'"$D/none"
	said '2 rules'
	[[ $("$S/list" --json | jq length) == 3 ]]
	echo go >&"$GO"
	exec {GO}>&-
	ended "$pid" 137
	untouched
	"$BY" open_write "$D/file"
}

@test "only-uid and unless-uid: by the effective user, whatever program" {
	deny write "$D/file" --only-uid user
	dies "${USER[@]}" "$BY" open_write "$D/file"
	dies "${USER[@]}" unshare -Ur "$BY" open_write "$D/file"
	untouched
	"$BY" open_write "$D/file"
	setpriv --reuid=1001 --clear-groups "$BY" open_write "$D/file"
	forget
	printf 'before\n' >"$D/file"
	deny write "$D/file" --unless-uid 1000 --unless-uid root
	"$BY" open_write "$D/file"
	"${USER[@]}" "$BY" open_write "$D/file"
	dies setpriv --reuid=1001 --clear-groups "$BY" open_write "$D/file"
}

@test "a program and a user together: only both at once are exempt or meant" {
	deny write "$D/file" --only-exe "$D/exempt" --only-uid 1000
	dies "${USER[@]}" "$D/exempt" open_write "$D/file"
	"$D/exempt" open_write "$D/file"
	"${USER[@]}" "$BY" open_write "$D/file"
}

@test "only-gid and unless-gid: effective or supplementary, however it came about" {
	local in_55=(setpriv --regid=55 --clear-groups) beside_55=(setpriv "--groups=1,2,55,77")
	deny write "$D/file" --only-gid 55
	dies "${in_55[@]}" "$BY" open_write "$D/file"
	dies "${beside_55[@]}" "$BY" open_write "$D/file"
	# another effective group does not leave the one that is supplementary
	dies "${beside_55[@]}" setpriv --regid=56 --keep-groups "$BY" open_write "$D/file"
	# nor does being root of a namespace of one's own, where the group has another number
	dies setpriv --reuid=1000 --regid=55 --clear-groups unshare -Ur "$BY" open_write "$D/file"
	untouched
	setpriv --groups=1,2,56,77 "$BY" open_write "$D/file"
	"$BY" open_write "$D/file"
	forget
	printf 'before\n' >"$D/file"
	deny write "$D/file" --unless-gid daemon --unless-gid 55
	dies "$BY" open_write "$D/file"
	dies "${USER[@]}" unshare -Ur "$BY" open_write "$D/file"
	untouched
	"${in_55[@]}" "$BY" open_write "$D/file"
	setpriv --groups=1 "$BY" open_write "$D/file"
}

# within CGROUP COMMAND...: run it in this cgroup, which is made
within() {
	mkdir -p "/sys/fs/cgroup/$1"
	# shellcheck disable=SC2016 # expanded by the inner shell
	sh -c 'echo $$ >"/sys/fs/cgroup/$1/cgroup.procs"; shift; exec "$@"' sh "$@"
}

@test "only-cgroup and unless-cgroup: by path, and all that is beneath" {
	local long
	long=x/$(printf 'n%.0s' {1..255})/$(printf 'm%.0s' {1..32})
	deny write "$D/file" --only-cgroup /sys/fs/cgroup/a/b
	dies within a/b "$BY" open_write "$D/file"
	dies within a/b/c/d/e "$BY" open_write "$D/file"
	dies within a/b unshare -C "$BY" open_write "$D/file"
	untouched
	within a "$BY" open_write "$D/file"
	within z/a/b "$BY" open_write "$D/file"
	within a/bb "$BY" open_write "$D/file"
	# one of the same name that comes later is the same
	rmdir /sys/fs/cgroup/a/b/c/d/e /sys/fs/cgroup/a/b/c/d /sys/fs/cgroup/a/b/c /sys/fs/cgroup/a/b
	dies within a/b "$BY" open_write "$D/file"
	# who moves leaves it, who is moved enters it
	within a/b sh -c "echo \$\$ >/sys/fs/cgroup/a/cgroup.procs; exec $BY open_write $D/file"
	dies within a sh -c "echo \$\$ >/sys/fs/cgroup/a/b/cgroup.procs; exec $BY open_write $D/file"
	forget
	printf 'before\n' >"$D/file"
	mkdir -p /sys/fs/cgroup/z
	deny write "$D/file" --unless-cgroup /sys/fs/cgroup/z/ --unless-cgroup "/$long"
	dies "$BY" open_write "$D/file"
	dies within a/z "$BY" open_write "$D/file"
	# a namespace in which one's own cgroup is called like it
	dies within a unshare -C sh -c "mkdir -p /sys/fs/cgroup/a/z; echo \$\$ >/sys/fs/cgroup/a/z/cgroup.procs; exec $BY open_write $D/file"
	untouched
	within z "$BY" open_write "$D/file"
	within z/y "$BY" open_write "$D/file"
	within "$long" "$BY" open_write "$D/file"
	dies within "${long%?}" "$BY" open_write "$D/file"
}

@test "a cgroup that cannot be one is refused, one that is not there yet is said" {
	local deep
	deep=$(printf '/d%.0s' {1..33})
	run -1 deny write "$D/file" --only-cgroup none
	said "want a full path"
	run -1 deny write "$D/file" --only-cgroup "$D"
	said "no cgroup of version 2"
	run -1 deny write "$D/file" --only-cgroup "/no/../such"
	run -1 deny write "$D/file" --only-cgroup "/sys/fs/cgroup/no/../such"
	run -1 deny write "$D/file" --unless-cgroup "$deep"
	said "too deep"
	run -5 unshare -C "$S/deny" write "$D/file" --only-cgroup /a
	said "cgroup namespace"
	run -1 deny write "$D/file" --only-gid nobody-of-that-name
	said "no such group"
	"$BY" open_write "$D/file"
	run -0 deny write "$D/file" --only-cgroup "${deep#/d}"
	said "there is no such cgroup now"
	within "${deep#/d}" true
	dies within "${deep#/d}" "$BY" open_write "$D/file"
	dies within "$deep/more" "$BY" open_write "$D/file"
	# what would lock the operator out
	run -1 deny write / --only-cgroup /
	run -1 deny modify /tmp/ --only-cgroup /
	said "lock you out"
	run -1 deny modify /tmp/ --only-gid 0
	said "lock you out"
}

@test "only-container is any namespace, unless-container none that a user could make" {
	deny write "$D/file" --only-container
	dies unshare -pf "$BY" open_write "$D/file"
	dies unshare -C "$BY" open_write "$D/file"
	dies "${USER[@]}" unshare -Urpf "$BY" open_write "$D/file"
	dies unshare -pf unshare -pf sh -c "(: >>$D/file; echo) & wait \$!"
	untouched
	"$BY" open_write "$D/file"
	unshare -mn "$BY" open_write "$D/file"
	forget
	printf 'before\n' >"$D/file"
	deny write "$D/file" --unless-container
	dies "$BY" open_write "$D/file"
	dies unshare -mn "$BY" open_write "$D/file"
	dies "${USER[@]}" unshare -Urpf "$BY" open_write "$D/file"
	dies "${USER[@]}" unshare -UrC "$BY" open_write "$D/file"
	untouched
	unshare -pf "$BY" open_write "$D/file"
	unshare -C "${USER[@]}" "$BY" open_write "$D/file"
}

@test "only-parent and unless-parent: by what the parent ran when it forked" {
	export F="$D/file" # for $WRITES
	deny write "$D/file" --unless-parent "$D/exempt"
	dies "$BY" open_write "$D/file"
	dies "$D/exempt" open_write "$D/file"
	run -1 "$D/exempt" open_write "$D/other" "sh -c '$WRITES' || exit 9"
	untouched
	"$D/exempt" open_write "$D/other" "$WRITES"
	"$D/exempt" open_write "$D/other" "exec $BY thread $D/file"
	# in its threads and workers too
	"$D/exempt" open_write "$D/other" "exec $BY uring_write_async $D/file"
	forget
	deny write "$D/file" --only-parent "$D/exempt"
	run -1 "$D/exempt" open_write "$D/other" "$WRITES"
	"$D/exempt" open_write "$D/other" "sh -c '$WRITES' || exit 9"
	"$D/exempt" open_write "$D/file"
	"$BY" open_write "$D/file"
}

# Writes to $F once $D/go is there, and says how it went and whose child it is then.
# shellcheck disable=SC2016,SC2089 # expanded by that shell
ORPHAN='until [ -e "$D/go" ]; do sleep 0.05; done; read -r a b c parent d </proc/self/stat
	echo "$parent" >"$D/parent"; : >>"$F"; echo written >"$D/result"'

# orphaned: run $ORPHAN as a child of $D/exempt that loses it, and leave in RESULT how it went
orphaned() {
	local pid
	rm -f "$D/go" "$D/result" "$D/parent"
	export D F="$D/file"
	"$D/exempt" open_write "$D/other" "exec 3>&-; $ORPHAN" 3>&- &
	pid=$!
	sleep 0.2
	kill -9 "$pid"
	wait "$pid" || true
	: >"$D/go"
	until [[ -s $D/parent ]]; do
		sleep 0.05
	done
	sleep 0.3
	RESULT=$(cat "$D/result" 2>/dev/null) || RESULT=killed
	[[ $(<"$D/parent") != "$$" ]]
}

@test "who loses its parent stays its child, who is adopted does not become one" {
	deny write "$D/file" --only-parent "$D/exempt"
	orphaned
	[[ $RESULT != written ]]
	untouched
	forget
	deny write "$D/file" --unless-parent "$D/exempt"
	orphaned
	[[ $RESULT == written ]] || fail "$RESULT"
	# shellcheck disable=SC2016 # expanded by that shell
	"$D/exempt" open_write "$D/other" 'echo before >"$D/file"'
	# $D/exempt is the first process of a namespace, and adopts the orphans there
	rm -f "$D/go" "$D/result" "$D/parent"
	# shellcheck disable=SC2090
	export ORPHAN
	# shellcheck disable=SC2016 # expanded by the inner shells
	run -0 unshare -pf --mount-proc "$D/exempt" open_write "$D/other" \
		'sh -c "sh -c \"\$ORPHAN\" & :"; : >"$D/go"; until [ -e "$D/parent" ]; do sleep 0.05; done; sleep 0.3'
	[[ $(<"$D/parent") == 1 ]]
	untouched
	[[ ! -e $D/result ]]
}

@test "a child that runs already when the rule comes is known by what its parent runs" {
	mkfifo "$D/go"
	"$D/exempt" open_write "$D/other" "read -r line <$D/go; : >>$D/file" 3>&- &
	local pid=$!
	exec {GO}>"$D/go"
	deny write "$D/file" --only-parent "$D/exempt"
	echo go >&"$GO"
	exec {GO}>&-
	ended "$pid" 1
	untouched
	"$BY" open_write "$D/file"
}

@test "labels that come later leave those of running processes and scripts alone" {
	export F="$D/file" # for $WRITES
	local pid
	printf '#!%s open_write\nread -r line <%s\n%s\n' /bin/sh "$D/go" "$WRITES" >"$D/script"
	sed -i '1s/ .*//' "$D/script"
	chmod 755 "$D/script"
	mkfifo "$D/go"
	deny write "$D/file" --unless-exe /bin/sh
	"$D/script" 3>&- &
	pid=$!
	exec {GO}>"$D/go"
	# a scan for another program does not make the script its interpreter
	deny write "$D/other" --unless-exe "$D/exempt"
	echo go >&"$GO"
	exec {GO}>&-
	ended "$pid" 137
	untouched
	sh -c "$WRITES"
}

@test "rules about several sorts of subjects at once hold for who agrees with each" {
	deny write "$D/file" --only-uid 1000 --only-gid 55 --only-cgroup /a --unless-container
	local user=(setpriv --reuid=1000 --regid=55 --clear-groups)
	dies within a "${user[@]}" "$BY" open_write "$D/file"
	untouched
	within a "$BY" open_write "$D/file"
	within z "${user[@]}" "$BY" open_write "$D/file"
	within a "${USER[@]}" "$BY" open_write "$D/file"
	within a unshare -pf "${user[@]}" "$BY" open_write "$D/file"
	run -0 "$S/list"
	said "only uid 1000, gid 55, cgroup /a; unless container"
	run -0 "$S/list" --json
	[[ $(jq -c '.[1].only' <<<"$output") == '{"exe":[],"uid":[1000],"gid":[55],"cgroup":["/a"],"parent":[],"container":false}' ]]
	[[ $(jq -c '.[1].unless.container' <<<"$output") == true ]]
	# what is weaker for all does not keep it from being asked
	deny --action audit write "$D/file"
	dies within a "${user[@]}" "$BY" open_write "$D/file"
	"$BY" open_write "$D/file"
}

@test "subjects hold for executing and for trees as well" {
	mkdir "$D/tree"
	cp "$D/file" "$D/tree/file"
	cp "$PROGS/hello" "$D/hello"
	deny modify "$D/tree/" --unless-exe "$D/exempt"
	deny "$D/hello" --only-uid 1000
	"$D/exempt" open_write "$D/tree/file"
	"$D/exempt" creat "$D/tree/new"
	dies "$BY" open_write "$D/tree/file"
	runs "$D/hello"
	dies "${USER[@]}" "$D/hello"
}

@test "two rules with other subjects do not mix" {
	cp "$BY" "$D/second"
	deny write "$D/file" --unless-exe "$D/exempt"
	deny write "$D/other" --unless-exe "$D/second"
	"$D/exempt" open_write "$D/file"
	"$D/second" open_write "$D/other"
	dies "$D/exempt" open_write "$D/other"
	dies "$D/second" open_write "$D/file"
}

@test "a program that is missing, a directory or no full path is refused" {
	run -1 deny write "$D/file" --unless-exe "$D/missing"
	said "$D/missing"
	run -1 deny write "$D/file" --unless-exe "$D"
	said "directory"
	run -1 deny write "$D/file" --only-uid nobody-of-that-name
	said "no such user"
	run -2 deny write "$D/file" --unless-exe
	run -0 "$S/list" --json
	[[ $(jq length <<<"$output") == 1 ]] # that of setup_file
	sh -c "F=$D/file; $WRITES"
}

@test "64 programs at once can be subjects, not one more, and the places are free again" {
	local i
	local -a programs=()
	# one is that of setup_file
	for ((i = 0; i < 63; i++)); do
		printf '#!/bin/true\n' >"$D/p$i"
		programs+=(--unless-exe "$D/p$i")
	done
	run -1 deny write "$D/file" "${programs[@]}" --unless-exe "$D/exempt"
	said "64"
	sh -c "F=$D/file; $WRITES"
	deny write "$D/file" "${programs[@]}"
	run -1 deny write "$D/other" --unless-exe "$D/exempt"
	dies "$D/exempt" open_write "$D/file"
	forget
	deny write "$D/file" --unless-exe "$D/exempt"
	"$D/exempt" open_write "$D/file"
	dies "$BY" open_write "$D/file"
}

@test "usermod, useradd, passwd and chage go on while nothing else changes the accounts" {
	local -a accounts=(/etc/passwd /etc/shadow /etc/group /etc/gshadow)
	cp -a /etc "$D/etc"
	deny modify "${accounts[@]}" --unless-exe /usr/sbin/usermod --unless-exe /usr/sbin/useradd \
		--unless-exe /usr/sbin/userdel --unless-exe /usr/bin/passwd
	dies sh -c ': >>/etc/passwd'
	if has_first_layer; then
		dies sh -c 'echo evil::0:0::/:/bin/sh >>/etc/passwd'
		dies sed -i s/root/toor/ /etc/passwd
		dies rm -f /etc/shadow
		dies mv /etc/shadow /etc/shadow.old
		dies chmod 666 /etc/shadow
		dies ln /etc/shadow /etc/shadow.link
		dies chage -M 1 user
		cmp /etc/passwd "$D/etc/passwd"
		cmp /etc/shadow "$D/etc/shadow"
	fi
	usermod -c changed user
	[[ $(getent passwd user) == *:changed:* ]]
	useradd --uid 1500 second
	passwd -q -l second
	[[ $(getent shadow second) == second:!* ]]
	# files of theirs that replaced the old ones are protected too, wherever they are mounted
	dies sh -c ': >>/etc/passwd'
	dies sh -c ': >>/etc/shadow'
	mounted "$D/mount" --bind /etc
	dies sh -c ": >>'$D/mount/passwd'"
	dies unshare -m sh -c 'mount --bind /etc /mnt/share && : >>/mnt/share/shadow'
	userdel second
	usermod -c '' user
	run -1 grep evil /etc/passwd /etc/shadow
	forget
	sh -c ': >>/etc/passwd'
	cp -a "$D/etc/passwd" "$D/etc/shadow" /etc
}

@test "sed -i goes on replacing the file, and each new file is protected" {
	cp /bin/sed "$D/sed"
	deny modify "$D/file" --unless-exe "$D/sed"
	! has_first_layer || dies sed -i s/before/evil/ "$D/file"
	untouched
	"$D/sed" -i s/before/second/ "$D/file"
	[[ $(<"$D/file") == second ]]
	dies "$BY" open_append "$D/file"
	"$D/sed" -i s/second/third/ "$D/file"
	[[ $(head -n 1 "$D/file") == third ]]
	dies "$BY" chmod "$D/file"
	dies "$BY" unlink "$D/file"
}

@test "a link that was made to the new file before it took the name does not lead around the rule" {
	cp /bin/mv "$D/mv"
	cp /bin/ln "$D/ln"
	deny modify "$D/file" "$D/later" --unless-exe "$D/mv" --unless-exe "$D/ln"
	local i
	for i in 1 2; do
		printf 'new\n' >"$D/new$i"
		ln "$D/new$i" "$D/link$i"
		: >>"$D/link$i"
		"$D/mv" "$D/new$i" "$D/file"
		dies "$BY" open_append "$D/link$i"
		dies "$BY" chmod "$D/link$i"
	done
	printf 'new\n' >"$D/new"
	"$D/ln" "$D/new" "$D/later"
	dies "$BY" open_append "$D/new"
	# an exchange, with the name as the first or as the second
	printf 'new\n' >"$D/one"
	ln "$D/one" "$D/link3"
	if "$D/mv" --help | grep -q exchange; then
		"$D/mv" --exchange "$D/file" "$D/one"
		dies "$BY" open_append "$D/link3"
	fi
	[[ $(cat "$D/file" "$D/link1" "$D/link2" "$D/new" "$D/link3" | sort -u) == new ]] || ! has_first_layer
	: >>"$D/other"
	forget
	: >>"$D/link1"
	: >>"$D/new"
}

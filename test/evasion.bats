#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The evasion suite: every way of test/progs/exec_ways.h to have a denied file's code executed, with
# nothing loaded (it works) and with rules, as root and as an ordinary user. What is not held is a
# row like the others: should it come to be held, or the reverse, a test fails. Each row is printed
# for the table that `make evasion` makes; the rows of files are file.bats'.

load suite
# shellcheck disable=SC2034 # read by teardown
RULES_STAY=1

# WAY RULE FIRST SECOND TECHNIQUE, what comes of it with the first layer, and with backend kill
# alone. RULE is a stage, see rules().
ROWS='
path          exec  held  killed  its absolute path
relative      exec  held  killed  a relative path
symlink       exec  held  killed  a symbolic link
hardlink      exec  held  killed  a hard link made after the rule
rename        exec  held  killed  another name, by rename
rename_dir    exec  held  killed  its directory renamed
procroot      exec  held  killed  /proc/self/root/...
procfd        exec  held  killed  /proc/self/fd/N
opath         exec  held  killed  O_PATH, then execveat
fd            exec  held  killed  execveat with AT_EMPTY_PATH
at            exec  held  killed  execveat beneath a directory
deleted       exec  held  killed  opened, deleted, then executed
deep          exec  held  killed  a link 1,000 directories deep
long          exec  held  killed  a path beyond 4,096 bytes
namespace     exec  held  killed  a new mount namespace
bind          exec  held  killed  a bind mount of the file
bind_dir      exec  held  killed  a bind mount of its directory
chroot        exec  held  killed  chroot
pivot_root    exec  held  killed  pivot_root
overlay       exec  open  open    overlayfs over its directory
thread        exec  held  killed  a thread that is not the leader
vfork         exec  held  killed  vfork
spawn         exec  held  killed  posix_spawn
storm         exec  held  killed  64 processes at once
int80         exec  held  killed  the system call of a 32-bit caller
race          exec  held  killed  a thread exchanges its name with another
link_race     exec  held  killed  a thread changes a symbolic link to it
core_pattern  exec  held  killed  started by the kernel: core_pattern
binfmt        exec  held  killed  started by the kernel: binfmt_misc
script        exec  held  open    a script
chain         exec  held  open    a script as the interpreter of another
sh            exec  open  open    sh SCRIPT
copy          exec  open  open    a copy
memfd         exec  open  open    a copy in a memfd
unlinked      exec  open  open    a copy, deleted before it is executed
tmpfile       exec  open  open    a copy in O_TMPFILE
longer        exec  open  open    a copy with one byte more
ldso          exec  open  open    ld.so FILE
ldso_copy     exec  open  open    a copy of ld.so, FILE
preload       exec  open  open    LD_PRELOAD
dlopen        exec  open  open    dlopen
mmap          exec  open  open    mapped to be executed, by hand
mmap_shared   exec  open  open    the same, shared
mprotect      exec  open  open    mapped, made executable by mprotect
personality   exec  open  open    mapped to be read under READ_IMPLIES_EXEC
memory        exec  open  open    read into executable memory
memory_later  exec  open  open    read into memory, made executable later
mmap_memfd    exec  open  open    a copy in a memfd, mapped
modified      exec  open  open    code written over a private mapping
writable      exec  open  open    a mapping both writable and executable
shared_memory exec  open  open    code in shared memory
shmat         exec  open  open    code in System V shared memory
vm_writev     exec  open  open    process_vm_writev into another process
procmem       exec  open  open    code written to /proc/self/mem
ptrace        exec  open  open    ptrace into another process
sh            read  held  killed  sh SCRIPT
'

# The stages, each with the rules of those before, and the ways that are gone in it.
STAGES=(exec read)

# rules STAGE PLACE: make its rules
rules() {
	case $1 in
	exec) deny exec "$2"/{bad,dynamic,raw,lib.so,script} ;;
	read) deny read "$2/script" ;;
	esac >/dev/null
}

# rows STAGE: its rows
rows() {
	awk -v stage="$1" '$2 == stage' <<<"$ROWS"
}

# place DIR UID: what is executed, and what executes it
place() {
	mkdir -p "$1"
	cp "$PROGS/hello" "$1/bad"
	cp "$PROGS"/{dynamic,raw,lib.so,host} "$1"
	printf '#!/bin/sh\necho hello\n' >"$1/script"
	chmod 755 "$1"/*
	chown -R "$2:$2" "${1%/*}"
}

setup_file() {
	only_in_vm
	local at=$BATS_FILE_TMPDIR control=/run/cotter-evasion-control stage ways
	local -a places
	modprobe -a overlay binfmt_misc 2>/dev/null || true
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/file" "$at"
	place "$at/root/place" 0
	place "$at/user/place" 1000
	place "$at/free/place" 0
	places=("$at/root/place" -u 1000 "$at/user/place")
	# without rules: once for all backends
	[[ -e $control ]] || "$PROGS/exec_by" -t "${places[@]}" | sed "s,^$at/,control ," >"$control"
	cp "$control" "$at/results"
	suite_setup
	for stage in "${STAGES[@]}"; do
		rules "$stage" "$at/root/place"
		rules "$stage" "$at/user/place"
		ways=$(rows "$stage" | awk '{ printf "%s%s", c, $1; c = "," }')
		"$PROGS/exec_by" -t -w "$ways" "$at/free/place" "${places[@]}" |
			sed "s,^$at/,$stage ,"
	done >>"$at/results"
}

teardown_file() {
	"$S/allow" --all >/dev/null
	suite_teardown
}

# judge STAGE: hold the results of a stage to its rows, and print these for the table
judge() {
	local layer=first
	has_first_layer || layer=second
	awk -v stage="$1" -v layer="$layer" -v rows="$ROWS" '
	BEGIN {
		n = split(rows, line, "\n")
		for (i = 1; i <= n; i++) {
			if (split(line[i], word, " ") < 5 || word[2] != stage) continue
			want[word[1]] = layer == "first" ? word[3] : word[4]
		}
	}
	$1 == stage {
		seen[$3]++
		open = $2 == "free/place" || want[$3] == "open"
		if (open != ($4 == "ran")) print "wrong: " $0
	}
	END { for (way in want) if (seen[way] < 2) print "wrong: " way ": not gone" }
	' "$BATS_FILE_TMPDIR/results" >"$D/wrong"
	[[ ! -s $D/wrong ]] || fail "$(<"$D/wrong")"
	rows "$1" | awk -v layer="$layer" '{
		verdict = layer == "first" ? $3 : $4
		way = $1; rule = $2
		sub(/^[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +/, "")
		printf "# evasion|exec|%s|%s|%s|%s\n", way, rule, verdict, $0
	}' >&3
}

@test "with nothing loaded every way works, as root and as an ordinary user" {
	local wrong
	wrong=$(grep ^control "$BATS_FILE_TMPDIR/results" | grep -v ' ran$') || true
	[[ -z $wrong ]] || fail "$wrong"
	# each way is a row, and the other way round
	diff <("$PROGS/exec_by" -l | cut -d' ' -f1 | sort) <(rows exec | awk '{ print $1 }' | sort)
}

@test "denied by exec: every way to execute the file, and what is no exec of it" {
	judge exec
}

@test "denied by read as well: what only reads the file" {
	judge read
}

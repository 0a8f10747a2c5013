#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# boots: 7.2 6.1 6.12-nolsm 6.12
# The evasion suite: every way of test/progs/exec_ways.h to have a denied file's code executed, with
# nothing loaded (it works) and with rules, as root and as an ordinary user. What is not held is a
# row like the others: should it come to be held, or the reverse, a test fails. Each row is printed
# for docs/evasion.md, which test/evasion makes.

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
overlay       exec  held  killed  an overlay with its directory as a layer
overlays      exec  held  killed  an overlay on such an overlay
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
overlay_mmap  exec  open  open    mapped through an overlay
overlay_mprotect exec open open   the same, by mprotect
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
copy          digest held refused a copy
memfd         digest held refused a copy in a memfd
unlinked      digest held refused a copy, deleted before it is executed
tmpfile       digest held refused a copy in O_TMPFILE
hardlink      digest held refused a hard link made after the rule
overlay       digest held refused an overlay with its directory as a layer
longer        digest open refused a copy with one byte more
sh            read  held  killed  sh SCRIPT
ldso          mapexec held killed  ld.so FILE
ldso_copy     mapexec held killed  a copy of ld.so, FILE
preload       mapexec held killed  LD_PRELOAD
dlopen        mapexec held killed  dlopen
mmap          mapexec held killed  mapped to be executed, by hand
mmap_shared   mapexec held killed  the same, shared
mprotect      mapexec held killed  mapped, made executable by mprotect
personality   mapexec held killed  mapped to be read under READ_IMPLIES_EXEC
overlay_mmap  mapexec held killed  mapped through an overlay
overlay_mprotect mapexec held killed the same, by mprotect
memfd         class held  killed  a copy in a memfd
unlinked      class held  killed  a copy, deleted before it is executed
tmpfile       class held  killed  a copy in O_TMPFILE
mmap_memfd    class held  killed  a copy in a memfd, mapped
memory        anon  held  killed  read into executable memory
memory_later  anon  held  killed  read into memory, made executable later
modified      anon  held  killed  code written over a private mapping
writable      anon  held  killed  a mapping both writable and executable
shared_memory anon  held  killed  code in shared memory
shmat         anon  held  killed  code in System V shared memory
vm_writev     anon  held  killed  process_vm_writev into another process
procmem       proc  held  killed  code written to /proc/self/mem
'

# WAY REASON, of what no other rule holds, or not always
# shellcheck disable=SC2016 # a backquote is Markdown's
WHY='
script   the kernel tells this backend the last interpreter only
chain    the kernel tells this backend the last interpreter only
longer   another file, with other bytes
ptrace   no memory changes its protection: `kernel.yama.ptrace_scope`, `deny syscall ptrace`
storm    the kernel skips a program that its CPU is in already
'

# The stages, each with the rules of those before, and the ways that are gone in it.
STAGES=(exec digest read mapexec class anon proc)

# rules STAGE PLACE: make its rules. Those of the last three are not about the place.
rules() {
	case $1 in
	exec) deny exec "$2"/{bad,dynamic,raw,lib.so,script} ;;
	digest) ! measures || deny --digest exec "$2/bad" ;;
	read) deny read "$2/script" ;;
	mapexec) deny mapexec "$2"/{dynamic,raw,lib.so} ;;
	class) deny exec,mapexec memfd: unlinked: ;;
	anon) deny mapexec anon: --only-exe "$PROGS/exec_by" ;;
	proc) deny write /proc/ --only-exe "$PROGS/exec_by" ;;
	esac >/dev/null
}

# What the table calls the rules of a stage.
rules_text() {
	case $1 in
	exec | read | mapexec) printf '%s FILE' "$1" ;;
	digest) printf 'exec --digest FILE' ;;
	class) printf 'exec,mapexec memfd: unlinked:' ;;
	anon) printf 'mapexec anon: --only-exe P' ;;
	proc) printf 'write /proc/ --only-exe P' ;;
	esac
}

# neighbours STAGE: what goes on beside its rules: the same with files of no rule, where the
# rules are about files or programs; with those about classes, what is of none.
neighbours() {
	local free=$BATS_FILE_TMPDIR/free/place
	case $1 in
	class) "$PROGS/exec_by" -t -w path,copy,ldso,mmap,memory "$free" ;;
	# shared memory never had a name: the class before is about it, whoever uses it
	anon | proc) "$BATS_FILE_TMPDIR/other_by" -t -w "$(ways "$1" | sed 's/,shared_memory,shmat//')" "$free" ;;
	*) "$PROGS/exec_by" -t -w "$(ways "$1")" "$free" ;;
	esac
}

# kernel to be compared with: 6.1 is 6001
VERSION=$(uname -r | awk -F'[.-]' '{ print $1 * 1000 + $2 }')

# What this kernel refuses by itself, with nothing loaded: writing over code by /proc/PID/mem.
absent() {
	((VERSION < 6017)) || printf 'procmem'
}

# What is held, but not always: docs/threat-model.md. A task that is preempted inside our
# program has the kernel skip that program for the next task on that CPU.
mostly() {
	[[ $BACKEND == lsm ]] || ((VERSION < 6017)) || printf 'storm'
}

# measures: can the backend tell what a file holds?
measures() {
	[[ $BACKEND == lsm ]]
}

# ways STAGE: its ways, parted by commas
ways() {
	rows "$1" | awk '{ printf "%s%s", c, $1; c = "," }'
}

# rows STAGE: its rows
rows() {
	awk -v stage="$1" '$2 == stage' <<<"$ROWS"
}

# place DIR UID: what is executed, and what executes it
place() {
	mkdir -p "$1"
	cp "$PROGS/hello" "$1/bad"
	# a rule on what it holds is not about that of another place
	printf '%s' "$1" >>"$1/bad"
	cp "$PROGS"/{dynamic,raw,lib.so,host} "$1"
	printf '#!/bin/sh\necho hello\n' >"$1/script"
	chmod 755 "$1"/*
	chown -R "$2:$2" "${1%/*}"
}

setup_file() {
	only_in_vm
	local at=$BATS_FILE_TMPDIR control=/run/cotter-evasion-control stage
	local -a places
	modprobe -a overlay binfmt_misc 2>/dev/null || true
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/file" "$at"
	place "$at/root/place" 0
	place "$at/user/place" 1000
	place "$at/free/place" 0
	cp "$PROGS/exec_by" "$at/other_by"
	places=("$at/root/place" -u 1000 "$at/user/place")
	# without rules: once for all backends
	[[ -e $control ]] || "$PROGS/exec_by" -t "${places[@]}" | sed "s,^$at/,control ," >"$control"
	cp "$control" "$at/results"
	suite_setup
	for stage in "${STAGES[@]}"; do
		rules "$stage" "$at/root/place"
		rules "$stage" "$at/user/place"
		{
			neighbours "$stage"
			"$PROGS/exec_by" -t -w "$(ways "$stage")" "${places[@]}"
		} | sed "s,^$at/,$stage ,"
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
	[[ $1 != digest ]] || measures || layer=second
	rows "$1" | awk -v layer="$layer" -v absent="$(absent)" -v mostly="$(mostly)" '{
		verdict = layer == "first" ? $3 : $4
		if ($1 == absent) verdict = "absent"
		if ($1 == mostly) verdict = "mostly"
		technique = $0
		sub(/^[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +/, "", technique)
		print $1 "|" verdict "|" technique
	}' >"$D/rows"
	awk -v stage="$1" -v absent="$(absent)" '
	FILENAME == ARGV[1] { split($0, part, "|"); want[part[1]] = part[2]; next }
	$1 != stage { next }
	$2 == "free/place" {
		free++
		if (($3 == absent) == ($4 == "ran")) print "wrong: " $0
		next
	}
	{
		seen[$3]++
		if (want[$3] ~ /mostly|refused/) next
		if ((want[$3] == "open") != ($4 == "ran")) print "wrong: " $0
	}
	END {
		for (way in want) if (!seen[way]) print "wrong: " way ": not gone"
		if (!free) print "wrong: no neighbour"
	}
	' "$D/rows" "$BATS_FILE_TMPDIR/results" >"$D/wrong"
	[[ ! -s $D/wrong ]] || fail "$(<"$D/wrong")"
	awk -F '|' -v rule="$(rules_text "$1")" -v reasons="$WHY" '
	BEGIN {
		count = split(reasons, line, "\n")
		for (i = 1; i <= count; i++)
			if (match(line[i], / +/)) why[substr(line[i], 1, RSTART - 1)] = substr(line[i], RSTART + RLENGTH)
	}
	{ print "# evasion|exec|" $1 "|" rule "|" $2 "|" $3 "|" ($2 ~ /open|mostly/ ? why[$1] : "") }
	' "$D/rows" >&3
}

@test "with nothing loaded every way works, as root and as an ordinary user" {
	local wrong
	wrong=$(awk -v absent="$(absent)" '$1 == "control" && ($3 == absent) == ($4 == "ran")' \
		"$BATS_FILE_TMPDIR/results")
	[[ -z $wrong ]] || fail "$wrong"
	# each way is a row, and the other way round
	diff <("$PROGS/exec_by" -l | cut -d' ' -f1 | sort) <(rows exec | awk '{ print $1 }' | sort)
}

@test "deny exec: every way to execute the file is held, and what is no exec of it is not" {
	judge exec
}

@test "deny --digest: a copy of the file is held wherever it lies, where the backend can measure" {
	judge digest
}

@test "deny read: a script cannot be read by its interpreter either" {
	judge read
}

@test "deny mapexec: ld.so, dlopen, LD_PRELOAD and mmap do not get its code" {
	judge mapexec
}

@test "deny exec,mapexec memfd: unlinked: files without a name are not executed" {
	judge class
}

@test "deny mapexec anon: a program does not execute what it has written" {
	judge anon
}

@test "deny write /proc/: a program does not write over its code" {
	judge proc
}

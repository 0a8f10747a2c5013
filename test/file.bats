#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# boots: 7.2 6.1 6.12-nolsm 6.12
# What `deny read|write|create|delete|rename|link|setattr|modify` stops. Each way of test/progs/
# file_ways.h is gone on each file system, as root and as an ordinary user: without a rule it works,
# with one nothing changes, and beside the protected file it goes on working.

load suite

# What a file system has not, or not before some kernel: WAY FILE-SYSTEM BEFORE ERRNO. All else works.
LACKS='
clone           tmpfs,ext4,overlay -    EOPNOTSUPP
clone_range     tmpfs,ext4,overlay -    EOPNOTSUPP
clone_out       tmpfs,ext4,overlay -    EOPNOTSUPP
collapse        tmpfs,btrfs        -    EOPNOTSUPP
insert          tmpfs,btrfs        -    EOPNOTSUPP
zero_range      tmpfs              -    EOPNOTSUPP
rename_whiteout overlay            -    EINVAL
setversion      tmpfs,overlay,btrfs -   ENOTTY
move_extents    tmpfs,overlay,btrfs -   ENOTTY
swap_boot       tmpfs,overlay,btrfs -   ENOTTY
userfaultfd     ext4,overlay,btrfs -    EINVAL
dedupe          tmpfs,ext4         -    EOPNOTSUPP
dedupe          overlay            -    EINVAL
dedupe_oracle   tmpfs,ext4         -    EOPNOTSUPP
dedupe_oracle   overlay            -    EINVAL
subvolume_delete tmpfs,ext4,overlay -   ENOTTY
snapshot        tmpfs,ext4,overlay -    ENOTTY
verity          tmpfs,overlay      -    ENOTTY
uring_pages     ext4,overlay,btrfs -    EFAULT
uring_pages     ext4,overlay,btrfs 6.5  EOPNOTSUPP
mount_beneath   all                6.5  EINVAL
overlay_        overlay            -    EINVAL
setxattr        tmpfs-user         6.6  EOPNOTSUPP
lsetxattr       tmpfs-user         6.6  EOPNOTSUPP
fsetxattr       tmpfs-user         6.6  EOPNOTSUPP
removexattr     tmpfs-user         6.6  EOPNOTSUPP
uring_setxattr  tmpfs-user         6.6  EOPNOTSUPP
uring_fsetxattr tmpfs-user         6.6  EOPNOTSUPP
tmpfile         overlay            6.3  EOPNOTSUPP
tmpfile_over    overlay            6.3  EOPNOTSUPP
fchmodat2       all                6.6  ENOSYS
uring_ftruncate all                6.9  EINVAL
setxattrat      all                6.13 ENOSYS
file_setattr    all                6.17 ENOSYS
'

# kernel to be compared with those above: 6.1 is 6001
VERSION=$(uname -r | awk -F'[.-]' '{ print $1 * 1000 + $2 }')
# Where the ways are gone: with neighbours beside, without, and with action deny.
WITH_NEIGHBOURS=(tmpfs-root ext4-root overlay-root tmpfs-user)
ALONE=(btrfs-root ext4-user overlay-user)
DENIED=(tmpfs-root overlay-root ext4-user)
# Sets of operations that have no way in common, the one with read first. (No commas: they are
# in paths that overlayfs is told.)
OPS=(read+delete write+link create+setattr rename)

# FOLDER: where the places on each file system are
folders() {
	local at=$BATS_FILE_TMPDIR
	declare -gA FOLDER=([tmpfs]=$at/tmpfs [ext4]=$at/ext4 [btrfs]=$at/btrfs [overlay]=$at/overlay)
}

mount_all() {
	local at=$BATS_FILE_TMPDIR
	mkdir -m 755 "${FOLDER[@]}"
	modprobe -a loop overlay btrfs
	truncate -s 160M "$at/ext4.img" "$at/btrfs.img"
	# not metadata_csum: with it FS_IOC_SETVERSION is refused
	mke2fs -q -t ext4 -b 4096 -O ^metadata_csum,verity "$at/ext4.img"
	mkfs.btrfs -q "$at/btrfs.img"
	mount -o loop "$at/ext4.img" "$at/ext4"
	mount -o loop "$at/btrfs.img" "$at/btrfs"
	mkdir -m 755 "$at"/ext4/{lower,upper,work}
	chmod 755 "$at"/{ext4,btrfs}
}

# With the options that let directories be renamed and files be opened by handle.
mount_overlay() {
	local on=${FOLDER[ext4]}
	mount -t overlay overlay "${FOLDER[overlay]}" -o redirect_dir=on,index=on,nfs_export=on \
		-o "lowerdir=$on/lower,upperdir=$on/upper,workdir=$on/work"
}

# words KIND WHERE...: what file_by is told of the places of a run
words() {
	local where uid
	for where in "${@:2}"; do
		uid=0
		[[ $where != *-user ]] || uid=1000
		printf '%s\n' -u "$uid" "${FOLDER[${where%-*}]}/$where-$1"
	done
}

# make_places WORD...: those on the overlay in its lower layer, before it is mounted
make_places() {
	"$PROGS/file_by" -m "${@/#"${FOLDER[overlay]}"/"${FOLDER[ext4]}/lower"}"
}

# rules OPS CONDITION OPTION... -- WORD...: a rule for each target whose way is denied by
# operations of which the awk CONDITION holds
rules() {
	local ops=$1 condition=$2
	local -a options=()
	shift 2
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	"$PROGS/file_by" -o "${@:2}" | awk "$condition { print \$2 }" |
		deny "${options[@]}" "$ops" --stdin >/dev/null
}

# Everything at once, so that each rule is made once and the programs that hold open files
# hold them before. The tests look at what came of it.
setup_file() {
	only_in_vm
	local at=$BATS_FILE_TMPDIR op runner
	local -a free kill alone tree denied=() ops=() reading=()
	folders
	mount_all
	mapfile -t free < <(words free "${WITH_NEIGHBOURS[@]}" "${ALONE[@]}")
	mapfile -t kill < <(words kill "${WITH_NEIGHBOURS[@]}")
	mapfile -t alone < <(words kill "${ALONE[@]}")
	mapfile -t tree < <(words tree tmpfs-root ext4-root overlay-root)
	mkfifo "$at/go"
	# without rules: once for all backends
	local control=/run/cotter-file-control
	[[ -e $control ]] || make_places -p "${free[@]}"
	make_places "${kill[@]}" -p "${alone[@]}" "${tree[@]}"
	suite_setup
	if has_first_layer; then
		mapfile -t denied < <(words deny "${DENIED[@]}")
		mapfile -t ops < <(for op in "${OPS[@]:1}"; do words "$op" tmpfs-root; done)
		mapfile -t reading < <(words "${OPS[0]}" tmpfs-root)
		make_places -p "${denied[@]}" "${ops[@]}" "${reading[@]}"
	fi
	mount_overlay
	[[ -e $control ]] || "$PROGS/file_by" -t -p "${free[@]}" >"$control"
	cp "$control" "$at/control"
	"$PROGS/file_by" -l >"$at/ways"

	"$PROGS/file_by" -t -w "${kill[@]}" -p "${alone[@]}" "${tree[@]}" "${denied[@]}" "${ops[@]}" \
		-b "${reading[@]}" <"$at/go" >"$at/results" 3>&- &
	runner=$!
	exec {GO}>"$at/go"
	until grep -q ready "$at/results"; do
		sleep 0.2
	done
	keep read,modify
	# shellcheck disable=SC2016 # awk's
	{
		rules modify '$1 != "read"' -- "${kill[@]}" "${alone[@]}"
		rules read '$1 == "read"' -- "${kill[@]}" "${alone[@]}"
		printf '%s/protected/\n' "${tree[@]}" | grep ^/ | deny modify --stdin >/dev/null
		if has_first_layer; then
			rules modify '$1 != "read"' --action deny -- "${denied[@]}"
			rules read '$1 == "read"' --action deny -- "${denied[@]}"
			for op in "${OPS[@]}"; do
				mapfile -t ops < <(words "$op" tmpfs-root)
				rules "${op//+/,}" 1 --action deny -- "${ops[@]}"
			done
		fi
	}
	echo go >&"$GO"
	exec {GO}>&-
	wait "$runner"
	"$S/list" --json | jq -r '.[] | "\(.object) \(.hits)"' >"$at/hits"
	# not with --all: what keep attached would go and come again
	forget
}

teardown_file() {
	suite_teardown
	umount "$BATS_FILE_TMPDIR"/{overlay,ext4,btrfs}
}

# What is not held: WAY FILE-SYSTEM BEFORE WHY, by the kernel below which it is so. docs/threat-model.md has a line for
# each, docs/evasion.md a row.
# shellcheck disable=SC2016 # a backquote is Markdown's
OPEN='
parent_into_place all        -   `create` of the parent as well
move_extents      ext4       -   only the memory of the caller names the donor: `syscall ioctl --arg 1=0xc028660f`
mapping           all        -   nobody is asked when memory is written; `deny` names who has a mapping
uring_pages       tmpfs      -   the kernel holds the pages; no mapping is left to be named
read_mapping      all        -   nobody is asked when memory is read
read_pipe         all        -   read before the rule: the pages are in the pipe
subvolume_delete  btrfs      -   only the memory of the caller names it: `syscall ioctl --arg 1=0x5000940f`
dedupe_oracle     btrfs      -   who may write: `write` as well
overlay_write     tmpfs,ext4 6.5 of the layer only the inode is seen
overlay_create    tmpfs,ext4 6.5 of the layer only the inode is seen
overlay_pwrite    tmpfs,ext4 6.5 of the layer only the inode is seen
'

# open_here: those of this kernel, WAY:FS each
open_here() {
	awk -v version="$VERSION" '
	!NF { next }
	{
		split($3, v, ".")
		if ($3 != "-" && version >= v[1] * 1000 + v[2]) next
		count = split($2 == "all" ? "tmpfs,ext4,overlay,btrfs" : $2, fs, ",")
		for (i = 1; i <= count; i++) printf " %s:%s", $1, fs[i]
	}' <<<"$OPEN"
}

# judge KIND OPS RESULT WHERE...: print what is wrong: with rules for OPS, the ways that these deny had RESULT and no
# effect; the others, and those beside, what they had without a rule
judge() {
	local where
	for where in "${@:4}"; do
		awk -v label="$where-$1" -v ops="$2" -v want="$3" -v completes="$([[ $BACKEND != kill ]] || echo 1)" -v open="$(open_here)" '
		FILENAME == ARGV[1] { named[$1] = $3; flags[$1] = $4; next }
		FILENAME == ARGV[2] {
			sub(/-free$/, "", $1)
			if (index(label, $1 "-") == 1) { free[$2] = $4; effect[$2] = $5; n++ }
			next
		}
		$1 != label { next }
		{ seen++ }
		flags[$2] ~ /maybe/ && (ops ~ /delete/ || named[$2] ~ /write/) && ops !~ /rename/ { next }
		{
			count = split(named[$2], part, ",")
			denied = 0
			for (i = 1; i <= count; i++)
				if (index("," ops ",", "," part[i] ",")) denied = 1
			# the mount may write what belongs to it into the directory
			if (!denied && flags[$2] ~ /trees/ && $4 == want) next
			fs = $1; sub(/-.*/, "", fs)
			if (denied && index(" " open " ", " " $2 ":" fs " ")) {
				known[$2 ":" fs] += $4 == "done"
				stale[$2 ":" fs] += $4 != "done" && free[$2] == "done"
				if ($4 == "done") next
			}
			if ($3 != "protected" || label ~ /-tree$/ && flags[$2] ~ /files/) denied = 0
			# what was made before it could not be opened stays
			made = completes || named[$2] ~ /create/ && "," ops "," !~ /,create,/
			if (denied && free[$2] == "done") {
				if ($4 != want || !made && $5 == "changed") print
			} else if (denied) {
				if ($4 != want && $4 != free[$2] || !completes && $5 == "changed" && effect[$2] != $5) print
			} else if ($4 != free[$2] || $5 != effect[$2] && $5 != "unseen")
				print $0, "(free: " free[$2] " " effect[$2] ")"
		}
		END {
			if (!n || seen % n) print label ": " n " ways, but " seen " results"
			# what is closed now is not to be listed as open; a tree has other holes than a file
			if (label ~ /-kill$/)
				for (way in stale) if (stale[way] && !known[way]) print label ": " way " is not open"
		}
		' "$BATS_FILE_TMPDIR"/{ways,control,results}
	done
}

# none TEXT: there is none
none() {
	[[ -z $1 ]] || fail "$1"
}

# In backend kill there is no error to be asked for.
no_error() {
	run -5 deny --action deny write "$D/bad"
	said "backend kill has only the signal"
}

# table: what came of each way with action kill, wherever it works without a rule, for docs/evasion.md.
table() {
	awk -v held="$(has_first_layer && echo held || echo killed)" -v reasons="$OPEN" '
	BEGIN {
		count = split(reasons, line, "\n")
		for (i = 1; i <= count; i++)
			if (match(line[i], /^[^ ]+ +[^ ]+ +[^ ]+ +/)) {
				split(line[i], part, " ")
				why[part[1]] = substr(line[i], RLENGTH + 1)
			}
	}
	FILENAME == ARGV[1] {
		order[++n] = $1; ops[$1] = $3
		sub(/^[^ ]+ [^ ]+ [^ ]+ [^ ]+ /, "")
		text[order[n]] = $0
		next
	}
	FILENAME == ARGV[2] { sub(/-free$/, "", $1); free[$1, $2] = $4; next }
	$1 !~ /-kill$/ || $3 != "protected" { next }
	{
		place = $1
		sub(/-kill$/, "", place)
		if (free[place, $2] != "done") next
		sub(/-.*/, "", place)
		seen[$2]++
		if ($4 != "done") stopped[$2]++
		else if (!index(open[$2] ",", " " place ",")) open[$2] = open[$2] (open[$2] ? ", " : " ") place
	}
	END {
		for (i = 1; i <= n; i++) {
			way = order[i]
			verdict = !seen[way] ? "absent" : !open[way] ? held : "open" (stopped[way] ? ":" open[way] : "")
			printf "# evasion|file|%s|%s FILE|%s|`%s`: %s|%s\n", way, ops[way] == "read" ? "read" : "modify",
				verdict, way, text[way], why[way]
		}
	}
	' "$BATS_FILE_TMPDIR"/{ways,control,results}
}

MODIFY_READ=read,write,create,delete,rename,link,setattr

@test "without a rule every way works, but for what the file system has not" {
	none "$(awk -v version="$VERSION" '
	FILENAME == ARGV[1] { flags[$1] = $4; next }
	FILENAME == ARGV[2] && !NF { next }
	FILENAME == ARGV[2] {
		split($3, v, ".")
		if ($3 != "-" && version >= v[1] * 1000 + v[2]) next
		count = split($2, fs, ",")
		for (i = 1; i <= count; i++) lacks[$1, fs[i]] = $4
		next
	}
	{
		split($1, l, "-")
		group = $2 ~ /^overlay_/ ? "overlay_" : $2
		e = lacks[group, l[1]] lacks[group, "all"] lacks[group, l[1] "-" l[2]]
		if (group != $2) e = e lacks[$2, l[1]]
		n++
		if (e != "") { if ($4 != e || $5 == "changed") print $0, "(want " e ")" }
		else if ($4 != "done" || (flags[$2] ~ /unseen/) == ($5 == "changed")) print
	}
	END { if (n < 900) print n " results only" }
	' "$BATS_FILE_TMPDIR/ways" <(printf '%s' "$LACKS") "$BATS_FILE_TMPDIR/control")"
}

@test "action kill: root dies of every way and changes nothing, on each file system" {
	none "$(judge kill $MODIFY_READ killed tmpfs-root ext4-root overlay-root btrfs-root)"
	table >&3
}

@test "action kill: an ordinary user dies of every way and changes nothing" {
	none "$(judge kill $MODIFY_READ killed tmpfs-user ext4-user overlay-user)"
}

@test "a tree is protected from every way, as a file is" {
	none "$(judge tree ${MODIFY_READ#read,} killed tmpfs-root ext4-root overlay-root)"
}

@test "action deny: every way fails with EPERM and changes nothing" {
	has_first_layer || {
		no_error
		return
	}
	none "$(judge deny $MODIFY_READ EPERM "${DENIED[@]}")"
}

@test "a rule on one operation leaves all others alone" {
	has_first_layer || {
		no_error
		return
	}
	none "$(for op in "${OPS[@]}"; do
		judge "$op" "${op//+/,}" EPERM tmpfs-root
	done)"
}

@test "every denial is a hit of the rule that was meant" {
	# ways that worked without a rule, by the object that a rule was made for
	awk -v at="$BATS_FILE_TMPDIR" '
	FILENAME == ARGV[1] { ops[$1] = $3; target[$1] = $2; next }
	FILENAME == ARGV[2] { hits[$1] += $2; next }
	$1 !~ /-(kill|deny)$/ || $3 != "protected" || ops[$2] == "-" { next }
	$4 == "killed" || $4 == "EPERM" {
		split($1, l, "-")
		object = at "/" l[1] "/" $1 "/protected/" $2 "/" target[$2]
		if (target[$2] == "d") object = object "/"
		n++
		if (!hits[object]) print object
	}
	END { if (n < 700) print n " denials only" }
	' "$BATS_FILE_TMPDIR"/{ways,hits,results} >"$D/wrong"
	none "$(<"$D/wrong")"
}

@test "allow gives everything back" {
	local -a again
	folders
	mapfile -t again < <(words again tmpfs-root tmpfs-user)
	deny modify "${FOLDER[tmpfs]}/"
	dies makes "${FOLDER[tmpfs]}/new"
	forget
	"$PROGS/file_by" -m -p "${again[@]}"
	"$PROGS/file_by" -t -p "${again[@]}" >>"$BATS_FILE_TMPDIR/results"
	none "$(judge again '' '' tmpfs-root tmpfs-user)"
}

# Programs that open a file, to append to it or to make it.
# shellcheck disable=SC2016 # expanded by the inner shell
{
	appends() { sh -c ': >>"$1"' sh "$1"; }
	makes() { sh -c ': >"$1"' sh "$1"; }
}

# over FILE OFFSET WORD: write there, and nothing else
over() {
	printf '%s' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# beneath WAY WORD: change $T without opening it
beneath() {
	local device
	case $1 in
	disk) over "$DISK" "$OFFSET" "$2" ;;
	disk_node) over /dev/cotter "$OFFSET" "$2" ;;
	disk_loop) over "$LOOP" "$OFFSET" "$2" ;;
	loop_before) over "$ATTACHED" 0 "$2" ;;
	image) over "$D/disk.img" "$OFFSET" "$2" ;;
	image_mount)
		device=$(losetup -f --show "$D/disk.img") || return
		mount "$device" "$D/again"
		over "$D/again/victim" 0 "$2"
		umount "$D/again"
		losetup -d "$device"
		;;
	esac
}

# tells WORD: that is what $T begins with, on the disk
tells() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	[[ $(head -c ${#1} "$T") == "$1" ]]
}

# row WAY RULE VERDICT WHY: for docs/evasion.md
row() {
	local text
	text=$(sed -n "s/^$1 \+//p" <<<'
disk        the block device beneath its file system
disk_node   another node of that device, made by mknod
disk_loop   a loop device on that device
loop_before a loop device on the file itself, from before the rule
image       the file that its file system is in
image_mount that file mounted a second time')
	echo "# evasion|file|$1|$2|$3|\`$1\`: $text|$4" >&3
}

# stopped WAY WORD: it is denied, and with a first layer nothing has changed
stopped() {
	dies beneath "$1" "$2"
	! has_first_layer || ! tells "$2"
}

@test "beneath the file system: a rule on the file does not reach its disk, one on disks does" {
	local way verdict T=$D/mnt/victim DISK LOOP ATTACHED OFFSET
	verdict=$(has_first_layer && echo held || echo killed)
	truncate -s 8M "$D/disk.img"
	mke2fs -q -t ext4 -b 4096 -O ^has_journal "$D/disk.img"
	DISK=$(losetup -f --show "$D/disk.img")
	mounted "$D/mnt" "$DISK"
	mkdir "$D/again"
	head -c 8192 /dev/zero >"$T"
	sync
	OFFSET=$(($(filefrag -v "$T" | awk '$1 == "0:" { print $4 + 0 }') * 4096))
	LOOP=$(losetup -f --show "$DISK")
	ATTACHED=$(losetup -f --show --direct-io=on "$T")
	# where devices may be used
	mknod /dev/cotter b $((16#$(stat -c %t "$DISK"))) $((16#$(stat -c %T "$DISK")))
	for way in disk disk_node disk_loop loop_before image image_mount; do
		beneath "$way" "free-$way"
		tells "free-$way"
	done
	deny modify "$T"
	for way in disk disk_node disk_loop loop_before image image_mount; do
		beneath "$way" "open-$way"
		tells "open-$way"
		row "$way" 'modify FILE' open ''
	done
	dies over "$T" 0 denied
	deny write blockdev:
	for way in disk disk_node disk_loop loop_before; do
		stopped "$way" "late-$way"
		row "$way" 'write blockdev:' "$verdict" ''
	done
	over "$D/again/neighbour" 0 good
	deny modify "$D/disk.img"
	for way in image image_mount; do
		stopped "$way" "late-$way"
		row "$way" 'modify IMAGE' "$verdict" ''
	done
	forget
	rm /dev/cotter
	losetup -d "$LOOP" "$ATTACHED" "$DISK" # the last when it is unmounted
}

@test "write: it can be read, renamed and linked, and nothing more be written, by any name" {
	deny write "$D/bad"
	dies appends "$D/bad"
	appends "$D/good"
	cmp "$D/bad" "$PROGS/hello"
	mv "$D/bad" "$D/other"
	ln "$D/other" "$D/third"
	chmod 700 "$D/other"
	dies appends "$D/other"
	dies appends "$D/third"
	cmp "$D/other" "$PROGS/hello"
	# and what comes to have the name
	if has_first_layer; then
		dies cp "$D/good" "$D/bad"
		[[ ! -s $D/bad ]]
	fi
	forget
	cp "$D/good" "$D/bad"
	appends "$D/third"
}

@test "read: nobody sees the bytes, writing goes on, its neighbours are read" {
	echo secret >"$D/secret"
	deny read "$D/secret"
	dies cat "$D/secret"
	dies setpriv --reuid=1000 --regid=1000 --clear-groups cat "$D/secret"
	cat "$D/good" >/dev/null
	if has_first_layer; then
		echo more >>"$D/secret"
	fi
	forget
	[[ $(head -n 1 "$D/secret") == secret ]]
}

@test "read: a tree cannot be listed or read, and stands in its listing above" {
	mkdir -p "$D/tree/sub"
	echo secret >"$D/tree/sub/file"
	deny read "$D/tree/"
	dies ls "$D/tree"
	dies ls "$D/tree/sub"
	dies cat "$D/tree/sub/file"
	[[ $(ls "$D") == *tree* ]]
	forget
	[[ $(cat "$D/tree/sub/file") == secret ]]
}

@test "a program that must not be read is executed, and one that must not be executed is read" {
	deny read "$D/good"
	deny exec "$D/bad"
	runs "$D/good"
	dies cat "$D/good"
	cmp "$D/bad" "$PROGS/hello"
	dies "$D/bad"
}

@test "audit lets everything through, and counts it" {
	deny --action audit modify "$D/bad"
	appends "$D/bad"
	chmod 700 "$D/bad"
	mv "$D/bad" "$D/other"
	mv "$D/other" "$D/bad"
	rm "$D/bad"
	appends "$D/good"
	[[ $(hits "$D/bad") == 5 ]] || fail "$(hits "$D/bad") hits"
	run -0 "$S/list"
	[[ $output =~ modify\ +audit\ +5 ]] || fail "$output"
}

@test "each denial is one hit" {
	deny write "$D/bad"
	dies appends "$D/bad"
	dies appends "$D/bad"
	appends "$D/good"
	[[ $(hits "$D/bad") == 2 ]]
}

@test "action deny fails with the error that was asked for" {
	if ! has_first_layer; then
		no_error
		return
	fi
	deny --action deny --errno 30 modify "$D/bad"
	run -1 rm -f "$D/bad"
	said "Read-only file system"
	run -1 "$PROGS/file_by" open_write "$D/bad"
	[[ $output == "open_write: EROFS" ]]
	"$PROGS/file_by" open_write "$D/good"
	[[ -e $D/bad ]]
}

@test "of two rules the stronger acts, each on its own operations" {
	deny --action audit modify "$D/bad"
	deny write "$D/bad"
	dies appends "$D/bad"
	chmod 700 "$D/bad"
	[[ $(hits "$D/bad") == 2 ]]
}

@test "a tree is everything beneath a directory, 200 directories deep" {
	local deep
	deep=$D/tree/$(printf 'd/%.0s' {1..200})
	mkdir -p "$deep"
	cp "$D/bad" "$deep/bad"
	deny modify "$D/tree/"
	dies appends "$deep/bad"
	dies rm -f "$deep/bad"
	dies mkdir "$deep/new"
	dies mv "$D/tree" "$D/moved"
	if has_first_layer; then
		dies rmdir "$D/tree"
		cmp "$deep/bad" "$PROGS/hello"
		[[ ! -e $deep/new ]]
	fi
	appends "$D/treeless"
}

@test "what is moved out of a tree before is free, what is moved in is protected" {
	mkdir "$D/tree" "$D/dir"
	deny write "$D/tree/"
	mv "$D/bad" "$D/tree/in"
	dies appends "$D/tree/in"
	mv "$D/tree/in" "$D/out"
	appends "$D/out"
	mv "$D/dir" "$D/tree/dir"
	dies makes "$D/tree/dir/new"
}

@test "bind mounts and new mount namespaces do not evade file or tree" {
	mkdir -p "$D/tree/sub" "$D/hole" "$D/part"
	cp "$D/bad" "$D/tree/sub/bad"
	cp "$D/bad" "$D/tree/sub/good"
	deny modify "$D/tree/sub/bad" "$D/tree/sub/later"
	# shellcheck disable=SC2016 # expanded by the inner shell
	local bind='mount --bind "$1" "$2" && : >>"$3"'
	dies unshare -m sh -c "$bind" sh "$D/tree/sub" "$D/hole" "$D/hole/bad"
	unshare -m sh -c "$bind" sh "$D/tree/sub" "$D/hole" "$D/hole/good"
	dies unshare -m sh -c "$bind" sh "$D/tree/sub" "$D/hole" "$D/hole/later"
	mounted "$D/part" --bind "$D/tree/sub"
	dies rm -f "$D/part/bad"
	forget
	rm -f "$D/tree/sub/later"
	deny modify "$D/tree/"
	dies appends "$D/part/good"
	dies makes "$D/part/new"
	dies unshare -m sh -c "$bind" sh "$D/tree/sub" "$D/hole" "$D/hole/good"
	appends "$D/good"
}

@test "no directory above a protected file can be renamed, removed or mounted over" {
	mkdir -p "$D/a/b/c" "$D/a/b/d" "$D/x"
	cp "$D/bad" "$D/a/b/c/bad"
	deny modify "$D/a/b/c/bad"
	dies mv "$D/a" "$D/z"
	if has_first_layer; then
		dies mv "$D/a/b" "$D/z"
		dies mv "$D/a/b/c" "$D/a/b/z"
		dies mount -t tmpfs none "$D/a/b"
		dies mount --bind "$D/x" "$D/a"
		cmp "$D/a/b/c/bad" "$PROGS/hello"
	else
		mkdir -p "$D/a/b/d"
	fi
	mv "$D/a/b/d" "$D/a/b/e"
	rmdir "$D/a/b/e"
	mv "$D/x" "$D/y"
	forget
	if has_first_layer; then
		mv "$D/a" "$D/z"
		rm -r "$D/z"
	fi
}

@test "a name that does not exist, nor its directories, cannot be made" {
	deny create "$D/later" "$D/no/such/later"
	dies makes "$D/later"
	if has_first_layer; then
		dies mkdir "$D/later"
		dies ln -s bad "$D/later"
		dies ln "$D/bad" "$D/later"
		dies mv "$D/bad" "$D/later"
		dies mknod "$D/later" p
		[[ ! -e $D/later && ! -L $D/later ]]
	fi
	mkdir -p "$D/no/such"
	dies makes "$D/no/such/later"
	: >"$D/no/such/other"
	forget
	: >"$D/later"
}

@test "bad input is refused and changes nothing" {
	run -2 deny frobnicate "$D/bad"
	said "deny: frobnicate: unknown operation"
	run -2 deny write,frobnicate "$D/bad"
	said "unknown operation"
	run -1 deny write "$D/bad/"
	said "not a directory"
	run -1 deny write "$D/no/such/tree/"
	run -1 deny write
	said "deny: write: not a path"
	run -2 deny --action frobnicate write "$D/bad"
	run -2 deny --errno 0 write "$D/bad"
	run -0 "$S/list" --json
	[[ $(jq length <<<"$output") == 1 ]] # see keep
	appends "$D/bad"
}

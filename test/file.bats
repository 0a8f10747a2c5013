#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
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
overlay_        overlay            -    EINVAL
setxattr        tmpfs-user         6.6  EOPNOTSUPP
lsetxattr       tmpfs-user         6.6  EOPNOTSUPP
fsetxattr       tmpfs-user         6.6  EOPNOTSUPP
removexattr     tmpfs-user         6.6  EOPNOTSUPP
uring_setxattr  tmpfs-user         6.6  EOPNOTSUPP
uring_fsetxattr tmpfs-user         6.6  EOPNOTSUPP
overlay_write_user tmpfs           6.6  EOPNOTSUPP
tmpfile         overlay            6.3  EOPNOTSUPP
fchmodat2       all                6.6  ENOSYS
uring_ftruncate all                6.9  EINVAL
setxattrat      all                6.13 ENOSYS
file_setattr    all                6.17 ENOSYS
'

# kernel to be compared with those above: 6.1 is 6001
VERSION=$(uname -r | awk -F'[.-]' '{ print $1 * 1000 + $2 }')
# Where a table is run: all without a rule and with `kill`, the others on some.
EVERYWHERE=(tmpfs-root ext4-root overlay-root btrfs-root tmpfs-user ext4-user overlay-user)
OPS=(read write create delete rename link setattr)

# mount_all: the file systems; FOLDER says where the places of each are
mount_all() {
	local at=$BATS_FILE_TMPDIR
	declare -gA FOLDER=([tmpfs]=$at/tmpfs [ext4]=$at/ext4 [btrfs]=$at/btrfs [overlay]=$at/overlay)
	mkdir -m 755 "${FOLDER[@]}"
	modprobe -a loop overlay btrfs
	truncate -s 160M "$at/ext4.img" "$at/btrfs.img"
	# not metadata_csum: with it FS_IOC_SETVERSION is refused
	mke2fs -q -t ext4 -O ^metadata_csum "$at/ext4.img"
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
	local -a free kill tree=() denied=() ops=() reading=()
	mount_all
	mapfile -t free < <(words free "${EVERYWHERE[@]}")
	mapfile -t kill < <(words kill "${EVERYWHERE[@]}")
	mapfile -t tree < <(words tree tmpfs-root ext4-root overlay-root)
	mkfifo "$at/go"
	# without rules: once for all backends
	local control=/run/cotter-file-control
	[[ -e $control ]] || make_places -p "${free[@]}"
	make_places "${kill[@]}" -p "${tree[@]}"
	suite_setup
	if has_first_layer; then
		mapfile -t denied < <(words deny tmpfs-root ext4-root overlay-root tmpfs-user)
		mapfile -t ops < <(for op in "${OPS[@]:1}"; do words "$op" tmpfs-root; done)
		mapfile -t reading < <(words read tmpfs-root)
		make_places -p "${denied[@]}" "${ops[@]}" "${reading[@]}"
	fi
	mount_overlay
	[[ -e $control ]] || "$PROGS/file_by" -t -p "${free[@]}" >"$control"
	cp "$control" "$at/control"
	"$PROGS/file_by" -l >"$at/ways"

	"$PROGS/file_by" -t -w "${kill[@]}" -p "${tree[@]}" "${denied[@]}" "${ops[@]}" \
		-b "${reading[@]}" <"$at/go" >"$at/results" 3>&- &
	runner=$!
	exec {GO}>"$at/go"
	until grep -q ready "$at/results"; do
		sleep 0.2
	done
	# shellcheck disable=SC2016 # awk's
	{
		rules modify '$1 != "read"' -- "${kill[@]}"
		rules read '$1 == "read"' -- "${kill[@]}"
		printf '%s/protected/\n' "${tree[@]}" | grep ^/ | deny modify --stdin >/dev/null
		if has_first_layer; then
			rules modify '$1 != "read"' --action deny -- "${denied[@]}"
			rules read '$1 == "read"' --action deny -- "${denied[@]}"
			for op in "${OPS[@]}"; do
				mapfile -t ops < <(words "$op" tmpfs-root)
				rules "$op" 1 --action deny -- "${ops[@]}"
			done
		fi
	}
	echo go >&"$GO"
	exec {GO}>&-
	wait "$runner"
	"$S/list" --json | jq -r '.[] | "\(.object) \(.hits)"' >"$at/hits"
	ls "$PIN" >"$at/groups"
	forget
}

teardown_file() {
	suite_teardown
	umount "$BATS_FILE_TMPDIR"/{overlay,ext4,btrfs}
}

# judge KIND OPS RESULT WHERE...: print what is wrong: with rules for OPS, the ways that these deny had RESULT and no
# effect; the others, and those beside, what they had without a rule
judge() {
	local where
	for where in "${@:4}"; do
		awk -v label="$where-$1" -v ops="$2" -v want="$3" -v completes="$([[ $BACKEND != kill ]] || echo 1)" '
		FILENAME == ARGV[1] { named[$1] = $3; flags[$1] = $4; next }
		FILENAME == ARGV[2] {
			sub(/-free$/, "", $1)
			if (index(label, $1 "-") == 1) { free[$2] = $4; effect[$2] = $5; n++ }
			next
		}
		$1 != label { next }
		{
			seen++
			count = split(named[$2], part, ",")
			denied = 0
			for (i = 1; i <= count; i++)
				if (index("," ops ",", "," part[i] ",")) denied = 1
			if (label ~ /-tree$/ && flags[$2] ~ /trees/) denied = 1
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
		END { if (!n || seen % n) print label ": " n " ways, but " seen " results" }
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
	none "$(judge deny $MODIFY_READ EPERM tmpfs-root ext4-root overlay-root tmpfs-user)"
}

@test "a rule on one operation leaves all others alone" {
	has_first_layer || {
		no_error
		return
	}
	none "$(for op in "${OPS[@]}"; do
		judge "$op" "$op" EPERM tmpfs-root
	done)"
}

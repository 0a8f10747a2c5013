# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# lib.sh: what the verbs share. Sourcing it has no effect but definitions.
#
# Exit statuses, the same for every verb:
#   0 done   1 failed   2 usage   3 not loaded   4 no permission
#   5 the kernel cannot do it
# The helper `encode` says more to scripts/deny and deny.sh: 6 help is asked for, 7 it takes deny.sh.

export LC_ALL=C
umask 077

readonly EX_FAILED=1 EX_USE=2 EX_NOT_LOADED=3 EX_NO_PERMISSION=4 EX_CANNOT=5 EX_HELP=6
VERB=${0##*/}
readonly VERB=${VERB%.sh} # deny.sh is a part of deny
readonly BPFFS=/sys/fs/bpf
readonly PIN=$BPFFS/cotter
# What can be removed at any moment: see `load --upgrade`.
readonly NEXT=$PIN-next
COTTER=${BASH_SOURCE[0]%/*}
[[ $COTTER == /* ]] || COTTER=$PWD/$COTTER
# no process for the usual case
if [[ $COTTER == */scripts ]]; then
	COTTER=${COTTER%/scripts}
else
	COTTER=$(cd "$COTTER/.." && pwd -P)
fi
readonly COTTER BUILD=$COTTER/build MANIFESTS=$COTTER/pins
readonly ENCODE=$BUILD/helpers/encode DUMP=$BUILD/helpers/dump PINS=$BUILD/helpers/pins CALL=$BUILD/helpers/call
readonly SEAL=$BUILD/helpers/seal
# Where `save` writes to and `restore` reads from.
readonly SAVED=/var/lib/cotter/policies
# What rules_stamp said when that was what is in force. Of this boot, as the stamp is.
readonly SAVED_STAMP=/run/cotter.saved
# Says that a folder is from `save`: what else is in it may be removed.
readonly MARK=.saved-by-cotter
# Where a first layer can be attached, the best first.
readonly FIRST_LAYERS=(lsm fmod_ret)

# die STATUS MESSAGE...
die() {
	local status=$1
	shift
	printf '%s: %s\n' "$VERB" "$*" >&2
	exit "$status"
}

warn() {
	printf '%s: %s\n' "$VERB" "$*" >&2
}

# usage_error MESSAGE
usage_error() {
	die "$EX_USE" "$1: see $VERB -h"
}

need_root() {
	[[ $EUID == 0 ]] || die "$EX_NO_PERMISSION" "no permission: run as root"
}

need_built() {
	[[ -x $ENCODE && -x $DUMP && -x $PINS && -x $CALL && -x $SEAL && -e $BUILD/core.bpf.o ]] ||
		die "$EX_FAILED" "$BUILD: not built: run make first"
}

need_bpffs() {
	[[ $(stat -f -c %T "$BPFFS" 2>/dev/null) == bpf_fs ]] ||
		die "$EX_CANNOT" "$BPFFS: no BPF file system: mount -t bpf bpf $BPFFS"
}

is_loaded() {
	[[ -e $PIN/maps/state ]]
}

need_loaded() {
	is_loaded || die "$EX_NOT_LOADED" "not loaded: run scripts/load first"
}

# What the kernel would refuse in the middle is refused here, with a reason.
refuse_sealed() {
	if [[ -d $PIN/seal && -x $SEAL ]] && "$SEAL" is; then
		die "$EX_NO_PERMISSION" "sealed: nothing can be changed: $(how_opened)"
	fi
}

# how_opened: print what opens the seal.
how_opened() {
	if [[ $("$SEAL" state) == *'"key":true'* ]]; then
		printf 'scripts/unseal --key FILE opens it\n'
	else
		printf 'only a reboot opens it\n'
	fi
}

# One command that changes something at a time. The lock is on the mount point
# itself: no file is needed, and it is gone with the process that holds it.
lock() {
	open_lock
	flock "$COTTER_LOCK" || die "$EX_FAILED" "$BPFFS: the lock cannot be had"
}

# open_lock: what locks it; transaction() does.
open_lock() {
	# A part of `load --upgrade` has been given the descriptor, and so the lock.
	[[ ! $PIN -ef $NEXT ]] || return 0
	refuse_sealed
	exec {COTTER_LOCK}<"$BPFFS"
	[[ ! -d $NEXT || ! -x $PINS ]] || {
		flock "$COTTER_LOCK" && drop_next
	} || die "$EX_FAILED" "$NEXT: what an upgrade left cannot be removed"
}

# drop_next: detach and remove the generation that is not in its place. What something else
# holds is detached all the same, and has been said.
drop_next() {
	"$PINS" --next remove . || [[ ! -d $NEXT ]]
}

# Leave in BACKEND which first layer is attached, `kill` when there is only the second.
find_backend() {
	for BACKEND in "${FIRST_LAYERS[@]}"; do
		[[ ! -d $PIN/exec/$BACKEND ]] || return 0
	done
	BACKEND='kill'
}

# ftrace_enabled: print kernel.ftrace_enabled, null where it cannot be read.
ftrace_enabled() {
	local value=null
	! { read -r value </proc/sys/kernel/ftrace_enabled; } 2>/dev/null || true
	printf '%s\n' "$value"
}

# Can functions be hooked? A kernel without the switch has it on.
ftrace_on() {
	[[ $(ftrace_enabled) != 0 ]]
}

# batch COMMAND...: run the lines that COMMAND prints through `bpftool batch`.
# Each line of bpftool's is said as a message of ours. Status: COMMAND's, or 1.
batch() {
	local -a codes
	"$@" | bpftool batch file - 2>&1 >/dev/null | relay
	codes=("${PIPESTATUS[@]}")
	((codes[0] == 0 || codes[0] == 141)) || return "${codes[0]}"
	((codes[1] == 0)) || return "$EX_FAILED"
}

relay() {
	local line
	while IFS= read -r line; do
		warn "bpftool: ${line#Error: }"
	done
}

# The pins of a batch's new maps are needed only while it runs, those of programs
# only until they are in their place. The folder stays.
drop_new() {
	local -a left=("$PIN"/new/*)
	[[ ! -e ${left[0]} ]] || rm -rf -- "${left[@]}"
}

# After a command that failed or was interrupted: see groups.sh.
clean_up() {
	drop_new
	! ((ATTACHING)) || settle || true
}
ATTACHING=0

# Finish or undo what an earlier command, cut off, left. Takes the lock, after open_lock().
recover() {
	"$ENCODE" recover --run --lock "$COTTER_LOCK" -- "$VERB"
}

# begin: what comes before the first change of a command that attaches programs, or the
# first of several. A single transaction() does the same.
begin() {
	open_lock
	recover || exit "$EX_FAILED"
	drop_new
	[[ -d $PIN/new ]] || mkdir "$PIN/new"
	trap clean_up EXIT
}

# transaction ARG...: run the helper `encode`, and what it says, as one change, under the lock.
# Its report is left in REPORT; in SLOTS, if asked for by --slots, where new rules on writing are.
# After begin() or open_lock().
transaction() {
	local status=0
	SLOTS=
	REPORT=$("$ENCODE" "$1" --run --lock "$COTTER_LOCK" "${@:2}" 3>&1 >/dev/null) || status=$?
	if [[ $'\n'$REPORT == *$'\n'slots\ * ]]; then
		SLOTS=${REPORT##*slots }
		REPORT=${REPORT%slots *}
		REPORT=${REPORT%$'\n'}
	fi
	((status == 0)) && return
	# the rest of it, if it was cut off; why it failed has been said
	[[ $status != "$EX_FAILED" ]] || recover 2>/dev/null || true
	exit "$status"
}

# say_mapped: warn of files that new rules deny to write, and that somebody can write to all the same.
say_mapped() {
	# shellcheck disable=SC2086 # two numbers
	[[ -z $SLOTS ]] || "$ENCODE" mapped -- "$VERB" $SLOTS || warn "the mappings of processes cannot be looked at"
}

# rules_stamp: print what is another after each command that changed a rule, whichever version is loaded:
# `hot` has the number of the last one. A digest, for it has the secret of the hash as well.
rules_stamp() {
	local hot
	hot=$(bpftool -j map lookup pinned "$PIN/maps/hot" key 0 0 0 0 2>/dev/null | jq -ec .value) || return
	sha256sum <<<"$hot"
}

# saved_now: $SAVED has what is in force. Where that cannot be noted, it is taken for older.
saved_now() {
	! { rules_stamp >"$SAVED_STAMP"; } 2>/dev/null || return 0
	rm -f "$SAVED_STAMP" 2>/dev/null || true
	warn "$SAVED_STAMP: cannot be written: \`load --upgrade\` will want the folder named"
}

# saved_since: has no command changed a rule since?
saved_since() {
	local now
	now=$(rules_stamp) && [[ -s $SAVED_STAMP && $(<"$SAVED_STAMP") == "$now" ]]
}

# policies_in FOLDER: leave in POLICIES the files there that are policies. The schema of policies, which
# lies beside those that are shipped, is none.
policies_in() {
	local file
	POLICIES=()
	shopt -s nullglob
	for file in "${1%/}"/*.{json,yaml,yml}; do
		[[ $file == */schema.json ]] || POLICIES+=("$file")
	done
	shopt -u nullglob
}

# Is a group attached that comes and goes with the rules? Every other but exec.
groups_come_and_go() {
	local at
	for at in "$PIN"/*/{lsm,fmod_ret,override,kill}; do
		[[ ! -d $at || $at == "$PIN"/exec/* ]] || return 0
	done
	return 1
}

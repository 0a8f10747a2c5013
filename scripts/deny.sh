#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# deny.sh: what `deny` runs when a rule needs more than one run of the helper: programs that
# are attached before, labels of processes that run already; or a message about why
# nothing can be denied now. Its arguments are those of deny.

set -euo pipefail
SELF=${BASH_SOURCE[0]}
[[ $SELF == */* && ! -L $SELF ]] || SELF=$(readlink -f -- "$SELF")
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${SELF%/*}/lib.sh"
# shellcheck source-path=SCRIPTDIR source=groups.sh
. "$COTTER/scripts/groups.sh"

# read_needs SAID: what the helper says of the words that were typed, into OPS, CALLS, ACTION,
# PROGRAMS, DIGEST, FROM_STDIN and DRY_RUN.
read_needs() {
	local word rest
	OPS='' CALLS=() ACTION='' PROGRAMS=0 DIGEST=0 FROM_STDIN=0 DRY_RUN=0
	while read -r word rest; do
		case $word in
		ops) OPS=$rest ;;
		calls) read -ra CALLS <<<"$rest" ;;
		action) ACTION=$rest ;;
		programs) PROGRAMS=1 ;;
		digest) DIGEST=1 ;;
		stdin) FROM_STDIN=1 ;;
		dry-run) DRY_RUN=1 ;;
		esac
	done <<<"$1"
}

# check: have everything refused that the helper would refuse, before a program is
# attached or a label made for it. FRESH is how many labels are to be made. Of standard
# input a copy is read, so that it is there again.
check() {
	local copy again said
	if ((FROM_STDIN)); then
		copy=$(mktemp) || die "$EX_FAILED" "a copy of the input cannot be made"
		cat >"$copy"
		exec <"$copy" {again}<"$copy"
		rm -f -- "$copy"
	fi
	said=$("$ENCODE" deny --check "${OPTIONS[@]}" -- "$@" 3>&1 >/dev/null) || exit
	FRESH=${said#labels }
	((!FROM_STDIN)) || exec <&"$again" {again}<&-
}

# label WORD...: make labels for the programs that are subjects, and let the running processes
# have them. The scan before takes away what is left of labels now used anew.
label() {
	local scan=$PIN/subject/kill/subject_scan
	((FRESH)) || return 0
	cat "$scan" >/dev/null || die "$EX_FAILED" "$scan: the processes cannot be scanned"
	transaction label "${OPTIONS[@]}" -- "$@"
	cat "$scan" >/dev/null || die "$EX_FAILED" "$scan: the processes cannot be scanned"
}

# find_signalled: as signalled(), of what is in ATTACHED and STAGED. Dies when an error is
# asked for and a call cannot be made to fail. Else the helper says what follows.
find_signalled() {
	SIGNALLED=()
	[[ $OPS == syscall ]] || return 0
	signalled "${ATTACHED[@]}" "${STAGED[@]}"
	[[ $ACTION != deny || -z $UNFAILING ]] ||
		die "$EX_CANNOT" "--action deny: this kernel cannot make ${UNFAILING#__*_sys_} fail, see doctor: use --action kill, and the call may complete before the process dies"
	OPTIONS+=("${SIGNALLED[@]/#/--signal-entry=}")
}

# find_missing: leave in MISSING the groups that the rule needs and that are not attached.
find_missing() {
	local words=$OPS
	((!PROGRAMS)) || words+=' subject'
	if ((DIGEST)); then
		words+=' digest'
		[[ $BACKEND == lsm ]] ||
			die "$EX_CANNOT" "--digest: backend $BACKEND cannot measure files, only lsm can: see doctor"
		can_measure ||
			die "$EX_CANNOT" "--digest: this kernel has no IMA, which measures files: see doctor"
	fi
	# shellcheck disable=SC2086 # words
	missing_groups $words
	if [[ $OPS == syscall ]]; then
		missing_calls "${CALLS[@]}"
		((${#LACKING[@]} == 0)) || die "$EX_CANNOT" "${LACKING[0]}: this kernel has no such system call"
	fi
}

main() {
	local said status=0
	OPTIONS=(--typed --ready --own "$COTTER") ATTACHED=() STAGED=() SIGNALLED=() MISSING=()

	need_built
	said=$("$ENCODE" deny --typed --needs -- "$@" 3>&1 >/dev/null) || status=$?
	((status != EX_HELP)) || exec "$COTTER/scripts/deny" --help
	((status == 0)) || exit "$status"
	read_needs "$said"
	[[ $OPS != syscall || ${CALLS[*]} != '?' ]] || exec "$CALL" list
	need_root
	need_loaded
	find_backend
	[[ $BACKEND != kill ]] || OPTIONS+=(--signal-only)
	((DRY_RUN)) || begin
	find_missing
	if ((DRY_RUN)); then
		find_signalled
		"$ENCODE" deny "${OPTIONS[@]}" -- "$@" 3>&1 >/dev/null
		exit
	fi
	((!PROGRAMS && ${#MISSING[@]} == 0)) || check "$@"
	((${#MISSING[@]} == 0)) || attach_missing
	((!DIGEST)) || measures ||
		die "$EX_CANNOT" "--digest: this kernel measures no file by SHA-256: see doctor"
	find_signalled
	((!PROGRAMS)) || label "$@"
	transaction deny --slots "${OPTIONS[@]}" -- "$@"
	say_mapped
	[[ -z $REPORT ]] || printf '%s\n' "$REPORT"
}

main "$@"

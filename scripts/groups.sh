# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# groups.sh: attach programs, a group at a time, and detach those that no rule
# needs. Sourced after lib.sh; everything here is to be run under lock().
#
# A group is attached when the folder $PIN/GROUP/OBJECT is there, with its links
# pinned in it; $PIN/GROUP alone says that this kernel has the group's hooks. What
# there is to attach for a backend is in $BUILD/BACKEND/groups, made from pins/.
#
# A kernel function that a system call is entered by, as __x64_sys_mkdir, is such a
# group as well. Its object is made of $BUILD/BACKEND/syscall.bpf.o when it is attached,
# its folder comes and goes with it.

# The command line that loads objects onto the pinned maps.
map_arguments() {
	local map name
	MAP_ARGUMENTS=()
	for map in "$PIN"/maps/*; do
		name=${map##*/}
		case $name in # see bpf/lib/maps.h
		hot) name=.data.hot ;;
		sketch) name=.bss.sketch ;;
		esac
		MAP_ARGUMENTS+=(map name "$name" pinned "$map")
	done
}

# stage GROUP OBJECT LINK...: attach one object, pinned in the folder for what is
# not yet in its place. autoattach pins a program that it could not attach and says
# nothing: so the links are looked at. PLACES gets what `pins place` is to be told;
# what was said about a failure is in SAID. After map_arguments().
stage() {
	local group=$1 object=$2 at=new/$1_$2 file=$BUILD/$2/$1.bpf.o made=''
	local -a own=()
	shift 2
	[[ $group != observe_* ]] || own=(map name observed pinned "$PIN/observe/observed")
	if is_entry "$group"; then
		file=$(mktemp) made=$file
		"$CALL" object "$BUILD/$object/syscall.bpf.o" "$group" >"$file" || exit
	fi
	SAID=$(bpftool prog loadall "$file" "$PIN/$at" \
		"${MAP_ARGUMENTS[@]}" "${own[@]}" autoattach 2>&1 || killed $?) &&
		SAID=$("$PINS" linked "${@/#/$at/}" 2>&1) &&
		PLACES+=("$at" "$group/$object") && made_of "$made" && return
	made_of "$made"
	[[ $SAID != *"got: 'autoattach'"* ]] ||
		die "$EX_FAILED" "bpftool has no autoattach: run scripts/deps run"
	"$PINS" remove "$at"
	return 1
}

# is_entry GROUP: is it the entry of a system call?
is_entry() {
	[[ $1 == __* ]]
}

# made_of FILE: away with the object that was made, if there is one.
made_of() {
	[[ -z $1 ]] || rm -f -- "$1"
}

# killed STATUS: is what bpftool, when a signal ended it, could not say itself.
killed() {
	(($1 <= 128)) || echo Killed
	return "$1"
}

# why: print what went wrong, from SAID.
why() {
	local line said=''
	[[ $SAID != *Killed* ]] || said='bpftool was killed: does a rule forbid what it does?'
	while IFS= read -r line; do
		[[ $line =~ ^(Error:|pins:|attached)|unknown\ func|not\ modifiable|failed\ to|command\ not\ found ]] || continue
		said=${line#Error: }
		said=${said#pins: new/}
		[[ $line == Error:* ]] || break
	done <<<"$SAID"
	printf '%s\n' "${said:-no reason given}"
}

# possible_groups: leave in POSSIBLE, a word each with spaces around, the groups whose
# kernel functions this kernel has. Its type information names them, and is read
# in half the time of /proc/kallsyms.
possible_groups() {
	local group needs have pattern=''
	while read -r group _ needs _; do
		[[ $needs == - ]] || pattern+="${pattern:+|}$needs"
	done <"$BUILD/kill/groups"
	have=$'\n-\n'
	[[ -z $pattern ]] || have+=$(grep -aowE "$pattern" /sys/kernel/btf/vmlinux || true)$'\n'
	POSSIBLE=' '
	while read -r group _ needs _; do
		[[ $have != *$'\n'"$needs"$'\n'* ]] || POSSIBLE+="$group "
	done <"$BUILD/kill/groups"
}

# is_needed OPS NEEDS: is one of OPS, comma-separated, among the lines NEEDS?
is_needed() {
	local op
	for op in ${1//,/ }; do
		[[ $'\n'$2$'\n' != *$'\n'"$op"$'\n'* ]] || return 0
	done
	return 1
}

# missing_groups OP...: leave in MISSING the lines of groups that these operations
# need and that are not attached. Dies when this kernel has no hook at all for one;
# words that are no operations are left to others. After find_backend().
missing_groups() {
	local group object needs ops links op asked=" $* " known=' ' covered=' ' hit
	MISSING=()
	while read -r group object needs ops links; do
		hit=0
		for op in ${ops//,/ }; do
			[[ $asked == *" $op "* ]] || continue
			hit=1
			known+="$op "
			[[ ! -d $PIN/$group ]] || covered+="$op "
		done
		if ((hit)) && [[ -d $PIN/$group && ! -d $PIN/$group/$object ]]; then
			MISSING+=("$group $object $links")
		fi
	done <"$BUILD/$BACKEND/groups"
	for op; do
		[[ $known != *" $op "* || $covered == *" $op "* ]] ||
			die "$EX_CANNOT" "$op: this kernel has no hook that could stop it"
	done
}

# kernel_entries FUNCTION...: leave in ENTRIES those that this kernel has, each with the
# backends that could act on it, the best first: `NAME fmod_ret override kill`. Of a
# backend with a return value a kernel says only on loading whether it takes it.
# /proc/kallsyms names them all, the type information not those without arguments.
kernel_entries() {
	local function have types='' found seen=' '
	ENTRIES=()
	(($#)) || return 0
	have=$'\n'$(grep -E " ($(
		IFS='|'
		printf '%s' "$*"
	)|bpf_override_return)\$" /proc/kallsyms || true)$'\n'
	if [[ $BACKEND != kill ]]; then
		types=$'\n'$(grep -aowE "$(
			IFS='|'
			printf '%s' "$*"
		)" /sys/kernel/btf/vmlinux || true)$'\n'
	fi
	for function; do
		found=$'\n([0-9a-f]+) . '$function$'\n'
		[[ $have =~ $found ]] || continue
		# Of a call without arguments both entries are one function, which acts once.
		found=${BASH_REMATCH[1]}:${function#__*_sys_}
		[[ $seen != *" $found "* ]] || continue
		[[ $found =~ ^0+: ]] || seen+="$found "
		ENTRIES+=("$function")
		[[ $types != *$'\n'"$function"$'\n'* ]] || ENTRIES[-1]+=' fmod_ret'
		[[ $BACKEND == kill || $have != *' bpf_override_return'$'\n'* ]] || ENTRIES[-1]+=' override'
		ENTRIES[-1]+=' kill'
	done
}

# stage_entry FUNCTION BACKEND...: the first of these that the kernel takes.
stage_entry() {
	local group=$1 object
	shift
	for object; do
		if stage "$group" "$object" syscall_enter; then
			[[ -d $PIN/$group ]] || mkdir "$PIN/$group"
			STAGED+=("$group $object")
			return
		fi
	done
	die "$EX_CANNOT" "$group: backend $object: $(why)"
}

# missing_calls NAME...: add to MISSING what these system calls are entered by and what
# is not attached, to ATTACHED what is, to LACKING those calls that this kernel lacks. Dies
# when there is no such call at all.
missing_calls() {
	local name entry at functions
	local -a all
	ATTACHED=() LACKING=()
	for name; do
		functions=$("$CALL" functions "$name") || exit
		mapfile -t all <<<"$functions"
		kernel_entries "${all[@]}"
		((${#ENTRIES[@]})) || LACKING+=("$name")
		for entry in "${ENTRIES[@]}"; do
			at=$(cd "$PIN/${entry%% *}" 2>/dev/null && echo *) || at=''
			if [[ -n $at && $at != '*' ]]; then
				ATTACHED+=("${entry%% *} $at")
			elif [[ " ${MISSING[*]} " != *" $entry "* ]]; then
				MISSING+=("$entry")
			fi
		done
	done
}

# signalled "FUNCTION BACKEND"...: leave in SIGNALLED the entries that cannot be made to fail,
# in UNFAILING one of them for which the call is not: the native one, or any if all are such.
signalled() {
	local entry failing=0
	SIGNALLED=() UNFAILING=''
	for entry; do
		if [[ $entry == *' kill' ]]; then
			SIGNALLED+=("${entry% *}")
		else
			failing=1
		fi
	done
	for entry in "${SIGNALLED[@]}"; do
		if ((!failing)) || [[ $entry == __x64_sys_* || $entry == __arm64_sys_* ]]; then
			UNFAILING=$entry
			return
		fi
	done
}

# attach_missing: attach the groups in MISSING. All or none: clean_up() detaches
# what no rule came to need. With ftrace off it must not be tried: see load.
attach_missing() {
	local row group object links
	PLACES=() STAGED=()
	ATTACHING=1
	[[ $BACKEND == kill ]] || ftrace_on ||
		die "$EX_CANNOT" "kernel.ftrace_enabled is 0: no program can be attached"
	map_arguments
	for row in "${MISSING[@]}"; do
		read -r group object links <<<"$row"
		if is_entry "$group"; then
			# shellcheck disable=SC2086 # words
			stage_entry "$group" "$object" $links
			continue
		fi
		# shellcheck disable=SC2086 # words
		stage "$group" "$object" $links ||
			die "$EX_CANNOT" "$group: backend $object: $(why)"
	done
	"$PINS" place "${PLACES[@]}" || exit
}

# can_measure: could rules on content be enforced? After find_backend().
can_measure() {
	[[ $BACKEND == lsm && -d $PIN/digest ]]
}

# measures: does the kernel measure what is executed? Seen of an exec made for it: neither an IMA
# that is off nor one that hashes otherwise shows before.
measures() {
	[[ $'\n'$("$DUMP" called)$'\n' == *$'\n'digest$'\n'* ]]
}

# settle: detach the groups that no rule in force needs, and what a load that was
# cut off left of another backend beside the right one.
settle() {
	local at group object ops needs kept=' '
	local -a found=() gone=()
	for at in "$PIN"/*/{lsm,fmod_ret,override,kill}; do
		[[ ! -d $at || $at == "$PIN"/exec/* ]] || found+=("${at#"$PIN"/}")
	done
	((${#found[@]})) || return 0
	needs=$("$DUMP" needs) || return
	find_backend
	while read -r group object _ ops _; do
		is_needed "$ops" "$needs" || continue
		[[ -d $PIN/$group/$object ]] || object=''
		kept+="$group/$object "
	done <"$BUILD/$BACKEND/groups"
	for at in "${found[@]}"; do
		is_entry "$at" || continue
		# of a call that no rule names the folder goes as well
		if is_needed "${at%/*}" "$needs"; then
			kept+="$at "
		elif [[ " ${gone[*]} " != *" ${at%/*} "* ]]; then
			gone+=("${at%/*}")
			kept+="$at "
		fi
	done
	for at in "${found[@]}"; do
		[[ $kept == *" $at "* || $kept == *" ${at%/*}/ "* ]] || gone+=("$at")
	done
	((${#gone[@]} == 0)) || "$PINS" remove "${gone[@]}"
}

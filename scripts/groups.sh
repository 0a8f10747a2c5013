# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# groups.sh: attach programs, a group at a time, and detach those that no rule
# needs. Sourced after lib.sh; everything here is to be run under lock().
#
# A group is attached when the folder $PIN/GROUP/OBJECT is there, with its links
# pinned in it; $PIN/GROUP alone says that this kernel has the group's hooks. What
# there is to attach for a backend is in $BUILD/BACKEND/groups, made from pins/.

# The command line that loads objects onto the pinned maps.
map_arguments() {
	local map
	MAP_ARGUMENTS=()
	for map in "$PIN"/maps/*; do
		MAP_ARGUMENTS+=(map name "${map##*/}" pinned "$map")
	done
}

# stage GROUP OBJECT LINK...: attach one object, pinned in the folder for what is
# not yet in its place. autoattach pins a program that it could not attach and says
# nothing: so the links are looked at. PLACES gets what `pins place` is to be told;
# what was said about a failure is in SAID. After map_arguments().
stage() {
	local group=$1 object=$2 at=new/$1_$2
	local -a own=()
	shift 2
	[[ $group != observe_* ]] || own=(map name observed pinned "$PIN/observe/observed")
	SAID=$(bpftool prog loadall "$BUILD/$object/$group.bpf.o" "$PIN/$at" \
		"${MAP_ARGUMENTS[@]}" "${own[@]}" autoattach 2>&1) &&
		SAID=$("$PINS" linked "${@/#/$at/}" 2>&1) &&
		PLACES+=("$at" "$group/$object") && return
	[[ $SAID != *"got: 'autoattach'"* ]] ||
		die "$EX_FAILED" "bpftool has no autoattach: run scripts/deps run"
	"$PINS" remove "$at"
	return 1
}

# why: print what went wrong, from SAID.
why() {
	local line said=''
	while IFS= read -r line; do
		[[ $line =~ ^(Error:|pins:|attached)|unknown\ func|not\ modifiable|failed\ to ]] || continue
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

# attach_missing: attach the groups in MISSING. All or none: clean_up() detaches
# what no rule came to need. With ftrace off it must not be tried: see load.
attach_missing() {
	local row group object links
	PLACES=()
	ATTACHING=1
	[[ $BACKEND == kill ]] || ftrace_on ||
		die "$EX_CANNOT" "kernel.ftrace_enabled is 0: no program can be attached"
	map_arguments
	for row in "${MISSING[@]}"; do
		read -r group object links <<<"$row"
		# shellcheck disable=SC2086 # words
		stage "$group" "$object" $links ||
			die "$EX_CANNOT" "$group: backend $object: $(why)"
	done
	"$PINS" place "${PLACES[@]}" || exit
}

# settle: detach the groups that no rule in force needs, and what a load that was
# cut off left of another backend beside the right one.
settle() {
	local at group object ops needs kept=' '
	local -a found=() gone=()
	for at in "$PIN"/*/{lsm,fmod_ret,kill}; do
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
		[[ $kept == *" $at "* || $kept == *" ${at%/*}/ "* ]] || gone+=("$at")
	done
	((${#gone[@]} == 0)) || "$PINS" remove "${gone[@]}"
}

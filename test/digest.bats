#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: first
# boots: 7.2 6.1 6.12
# deny --digest: a file is held by what it holds, wherever a copy of it lies, and only by that.

load suite
# Each test's $D/bad holds what no other does, and the programs are attached once.
# shellcheck disable=SC2034 # read by teardown
RULES_STAY=1

# shellcheck disable=SC2034 # MOUNTED: read by teardown
setup() {
	D=$BATS_FILE_TMPDIR/$BATS_TEST_NUMBER
	cp -r "$BATS_FILE_TMPDIR/new" "$D"
	MOUNTED=()
	printf '%s' "$BATS_TEST_NUMBER" >>"$D/bad"
	as_loaded
	if [[ $BACKEND != lsm && $BATS_TEST_DESCRIPTION != 'where '* ]]; then
		skip 'the kernel lets lsm programs alone measure files'
	fi
}

# digest FILE: as list shows it
digest() {
	local said
	said=$(sha256sum <"$1")
	printf 'sha256:%s:%s\n' "${said%% *}" "$(stat -c %s "$1")"
}

@test "a copy is denied under another name, as a link, in a memfd; a neighbour runs" {
	cp "$D/bad" "$D/copy"
	ln "$D/bad" "$D/link"
	runs "$D/copy"
	run -0 deny --digest "$D/bad"
	said "kill exec $(digest "$D/bad") (digest)"
	dies "$D/bad"
	dies "$D/copy"
	dies "$D/link"
	cp "$D/copy" "$D/later"
	rm "$D/bad"
	dies "$D/later"
	# each of these is another file, or none, with the same bytes
	mkdir "$D/place"
	cp "$D/copy" "$D/place/bad"
	run -0 "$PROGS/exec_by" -t -w copy,memfd,unlinked,tmpfile,fd,opath,overlay,namespace "$D/place"
	[[ $(awk '{ print $3 }' <<<"$output" | sort -u) == killed && ${#lines[@]} == 8 ]] || fail "$output"
	runs "$D/good"
	run -0 "$PROGS/exec_by" -t -w longer "$D/place"
	said 'longer ran'
}

@test "an ordinary user's copy is denied as well" {
	local -a user=(setpriv --reuid=1000 --regid=1000 --clear-groups)
	deny --digest "$D/bad"
	mkdir -m 777 "$D/his"
	"${user[@]}" cp "$D/bad" "$D/his/copy"
	dies "${user[@]}" "$D/his/copy"
	runs "${user[@]}" "$D/good"
}

@test "a copy is denied on tmpfs, ext4 and overlayfs" {
	local at
	modprobe overlay
	mkdir -p "$D/lower" "$D/upper" "$D/work"
	cp "$D/bad" "$D/good" "$D/lower"
	mounted "$D/t" -t tmpfs none
	mounted "$D/o" -t overlay overlay -o "lowerdir=$D/lower,upperdir=$D/upper,workdir=$D/work"
	cp "$D/bad" "$D/o/upper"
	deny --digest "$D/bad"
	mkdir -p /mnt/ext4/digest
	for at in "$D/t" /mnt/ext4/digest; do
		cp "$D/bad" "$D/good" "$at"
		dies "$at/bad"
		runs "$at/good"
	done
	dies "$D/o/bad"
	dies "$D/o/upper"
	runs "$D/o/good"
	rm -rf /mnt/ext4/digest
}

@test "what a file holds now counts, not what it held when it was executed before" {
	local at
	deny --digest "$D/bad"
	mkdir -p /mnt/ext4/digest
	for at in "$D" /mnt/ext4/digest; do
		cp "$D/bad" "$at/file"
		dies "$at/file"
		# in place: the same inode, the same size, and the old time
		touch -r "$at/file" "$D/time"
		printf x | dd of="$at/file" bs=1 seek=$(($(stat -c %s "$at/file") - 1)) conv=notrunc status=none
		touch -r "$D/time" "$at/file"
		runs "$at/file"
		dd if="$D/bad" of="$at/file" conv=notrunc status=none
		dies "$at/file"
		cat "$D/good" >"$at/file"
		runs "$at/file"
	done
	rm -rf /mnt/ext4/digest
}

@test "of a script, and of what interprets it, the content is asked about" {
	local n=$BATS_TEST_NUMBER
	printf '#!%s/interp\n%s\n' "$D" "$n" >"$D/script"
	printf '#!%s/interp\n%s \n' "$D" "$n" >"$D/script2"
	cp "$D/bad" "$D/interp"
	chmod 755 "$D"/script*
	deny --digest "$D/script"
	cp "$D/script" "$D/copy"
	dies "$D/copy"
	runs "$D/script2"
	deny --digest "$D/bad"
	dies "$D/script2"
}

@test "actions, subjects and ends hold as for other rules" {
	local id
	deny --digest --action audit "$D/bad"
	runs "$D/bad"
	[[ $(hits "$(digest "$D/bad")") == 1 ]]
	deny --digest --action deny --errno EACCES --only-uid 1000 --reason why "$D/bad"
	fails 126 setpriv --reuid=1000 --clear-groups "$D/bad"
	run -0 "$S/list" --json
	jq -e --arg o "$(digest "$D/bad")" '[.[] | select(.object == $o)] | length == 2
		and any(.reason == "why" and .kinds == ["digest"] and .op == ["exec"] and .errno == 13 and .hits == 1)' <<<"$output"
	cp "$D/good" "$D/other"
	printf ttl >>"$D/other"
	deny --digest --ttl 1s "$D/other"
	dies "$D/other"
	sleep 1.2
	runs "$D/other"
	cp "$PROGS/exec_by" "$D/by"
	deny --digest --only-exe "$D/by" "$D/good"
	fails 137 "$D/by" path "$D/good"
	runs "$D/good"
	id=$("$S/list" --json | jq -r --arg o "$(digest "$D/good")" '.[] | select(.object == $o).id')
	"$S/allow" --id "$id" >/dev/null
}

@test "of rules by name and by content the strongest acts, also after a load, and is recorded" {
	local turn
	deny --digest --action kill "$D/bad"
	deny --action deny "$D/bad"
	cp "$D/good" "$D/other"
	printf '%s' "$BATS_TEST_NUMBER.2" >>"$D/other"
	deny --digest --action deny "$D/other"
	deny --action kill "$D/other"
	for turn in 'as attached' loaded; do
		dies "$D/bad" || fail "$turn"
		dies "$D/other" || fail "$turn"
		"$S/load" >/dev/null
	done
	run -0 "$S/events" --json
	jq -es --arg o "$D/bad" '[.[] | select(.object.path == $o)] | length == 2 and all(.identity == "digest" and .action == "kill")' <<<"$output" ||
		fail "$output"
	[[ $(hits "$(digest "$D/bad")") == 2 && $(hits "$D/bad") == 0 && $(hits "$D/other") == 2 ]]
}

@test "what is listed, saved, explained and allowed is the content" {
	local hex object
	# a size of its own: the rules of other tests stay, and what they have read is looked up by all
	printf ' has another size' >>"$D/bad"
	object=$(digest "$D/bad")
	hex=${object#sha256:} hex=${hex%:*}
	# of another size: files of that are read, and this is not
	run -0 deny --digest "sha256:$hex:1"
	runs "$D/bad"
	"$S/allow" "sha256:$hex:1" >/dev/null
	# without a size, in capitals
	run -0 deny --digest "sha256:${hex^^}"
	said "kill exec sha256:$hex (digest)"
	object=sha256:$hex
	dies "$D/bad"
	run -0 deny --digest "$D/bad"
	said 'already there'
	run -1 "$S/explain" "$D/bad"
	said "(kill exec $object), by its content; first layer (lsm)"
	run -0 "$S/explain" "$D/good"
	run -0 "$S/save" "$D/saved"
	jq -e --arg o "$object" 'any(.rules[]; .object == {digest: $o} and .op == ["exec"])' "$D/saved/manual.json"
	"$S/allow" "$object" >/dev/null
	runs "$D/bad"
	"$S/restore" "$D/saved" >/dev/null
	dies "$D/bad"
	mv "$D/bad" "$D/gone"
	run -0 "$S/allow" --digest "$D/gone"
	said "no longer exec $object"
	runs "$D/gone"
	printf 2 >>"$D/good"
	run -0 deny --digest --stdin < <(printf '%s\n' "$object" "$D/good")
	said '2 rules'
	dies "$D/gone"
	dies "$D/good"
	"$S/allow" "$(digest "$D/good")" >/dev/null
	[[ $("$S/status" --json | jq '.rules.by_content') -gt 0 ]]
}

@test "a policy says a content; what quarantine.jq makes of a list is one" {
	printf '%s\n' "$(digest "$D/bad")" "$D/none" >"$D/list"
	jq -Rnf "$ROOT/policies/quarantine.jq" <"$D/list" >"$D/q.json"
	run -0 "$S/apply" "$D/q.json"
	said '2 rules: 2 new'
	cp "$D/bad" "$D/copy"
	dies "$D/copy"
	run -0 "$S/apply" "$D/q.json"
	said '0 new, 2 unchanged'
	"$S/apply" --monitor quarantine >/dev/null
	runs "$D/copy"
	"$S/apply" --remove quarantine >/dev/null
	runs "$D/copy"
	printf '{"version":1,"name":"q","mode":"enforce","rules":[{"id":"a","op":["read"],"object":{"digest":"%s"}}]}' \
		"$(digest "$D/bad")" >"$D/q.json"
	run -2 "$S/apply" "$D/q.json"
	said 'read: is never asked about it: want exec'
	sed -i 's/sha256:../sha256:/' "$D/q.json"
	run -1 "$S/apply" --check "$D/q.json"
	said 'object.digest: '
}

@test "what would lock out is refused, by file and by digest; so is what is no content" {
	local object word want
	run -1 deny --digest /bin/sh
	said 'would lock you out of this machine'
	object=$(digest "$(command -v bpftool)")
	run -1 deny --digest "$object"
	said 'would lock you out of this machine'
	run -1 deny --digest "${object%:*}"
	said 'would lock you out of this machine'
	: >"$D/empty"
	mkfifo "$D/fifo"
	while read -r word want; do
		run -1 deny --digest "$word"
		said "$want"
	done <<-END
		sha256:$(printf '%064d' 0): want sha256: and 64 hexadecimal digits
		sha256:$(printf '%064d' 0):0 want sha256: and 64 hexadecimal digits
		sha256:$(printf '%064d' 0):1x want sha256: and 64 hexadecimal digits
		sha256:12 want sha256: and 64 hexadecimal digits
		sha256:$(printf '%064d' 0)0 want sha256: and 64 hexadecimal digits
		sha256:$(printf '%063d' 0)g want sha256: and 64 hexadecimal digits
		$D not a regular file
		$D/fifo not a regular file
		$D/empty empty
		$D/none No such file
		bad neither a path nor sha256:
		memfd: neither a path nor sha256:
	END
	run -1 deny "$(digest "$D/bad")"
	said 'say --digest'
	run -2 deny --digest exec,mapexec "$D/bad"
	said 'mapexec: is never asked about it: want exec'
	run -4 setpriv --reuid 1000 --clear-groups "$S/deny" --digest "$D/bad"
	runs "$D/bad"
}

@test "without such a rule no program measures; a load without lsm is refused while there is one" {
	deny --digest "$D/bad"
	[[ -e $PIN/digest/lsm/digest_bprm_check ]]
	well "$("$S/status" --json)" '.counters.unmeasured == 0 and any(.groups[]; .group == "digest" and .attached)'
	run -5 "$S/load" --backend fmod_ret
	said 'rules on content are in force'
	dies "$D/bad"
	forget
	[[ ! -e $PIN/digest/lsm ]]
	runs "$D/bad"
	well "$("$S/status" --json)" 'all(.groups[]; .group != "digest")'
}

@test "a file that cannot be read to its end runs, is counted, and status is degraded" {
	local size last
	modprobe loop
	truncate -s 8M "$D/disk"
	mkfs.ext4 -q -b 4096 -O ^has_journal "$D/disk"
	truncate -s +1M "$D/bad"
	deny --digest "$D/bad"
	mounted "$D/e" -o loop "$D/disk"
	cp "$D/bad" "$D/e/bad"
	dies "$D/e/bad"
	size=$(stat -c %b "$D/e/bad")
	umount "$D/e"
	# the last of its blocks is gone from the disk
	last=$(debugfs -R 'blocks /bad' "$D/disk" 2>/dev/null | tr ' ' '\n' | sort -n | tail -n 1)
	((size > 0 && last > 0))
	mount -o loop "$D/disk" "$D/e"
	truncate -s $((last * 4096)) "$D/disk"
	! cat "$D/e/bad" >/dev/null 2>&1 || skip 'the loop device of this kernel has zeros where its file has ended'
	runs "$D/e/bad"
	run -1 "$S/status" --json
	jq -e '.counters.unmeasured > 0 and any(.degraded[]; contains("could not be measured"))' <<<"$output"
}

@test "where the backend cannot measure it is refused, and nothing is attached" {
	[[ $BACKEND != lsm ]] || skip 'this one can'
	run -5 deny --digest "$D/bad"
	said "--digest: backend $BACKEND cannot measure files, only lsm can: see doctor"
	printf '{"version":1,"name":"q","mode":"enforce","rules":[{"id":"a","op":["exec"],"object":{"digest":"%s"}},{"id":"b","op":["exec"],"object":{"path":"%s"}}]}' \
		"$(digest "$D/bad")" "$D/good" >"$D/q.json"
	run -5 "$S/apply" "$D/q.json"
	said 'no program here can measure files by SHA-256: see doctor'
	runs "$D/good"
	# with the rules of another machine the others are in force
	mkdir "$D/saved"
	cp "$D/q.json" "$D/saved/q.json"
	run -1 "$S/restore" "$D/saved"
	said '1 rules were left out'
	dies "$D/good"
	runs "$D/bad"
	"$S/apply" --remove q >/dev/null
	[[ ! -e $PIN/digest/lsm ]]
}

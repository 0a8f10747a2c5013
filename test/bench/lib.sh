# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lib.sh: what run, costs and guest share.

# fill_rules OPTION...: deny the paths of standard input, as `deny --stdin` does with these options of its helper. The
# batch is run by build/test/fill, since bpftool takes a quarter of a million instructions for each line.
fill_rules() {
	mkdir -p /sys/fs/bpf/cotter/new
	build/helpers/encode deny "$@" --stdin 3>/dev/null | build/test/fill
	rm -f /sys/fs/bpf/cotter/new/*
}

# floor_of CONFIGURATION: what it is compared with
floor_of() {
	local backend=${1##*-}
	case $1 in
	exec-* | digest-*) echo "empty-exec-$backend" ;;
	read-* | tree-* | trees-*) echo "empty-read-$backend" ;;
	modify-* | audited-*) echo "empty-modify-$backend" ;;
	subject-* | exempt-*) echo "empty-subject-$backend" ;;
	*) echo nothing ;;
	esac
}

readonly EMPTY=/sys/fs/bpf/empty

# empty GROUP BACKEND: attach what does nothing. A kernel may lack the hooks of a group, as
# Cotter's own then is not attached; any other must be.
empty() {
	bpftool prog loadall "build/bench/$2/$1.bpf.o" "$EMPTY/$1-$2" autoattach >/dev/null 2>&1 && return
	rm -rf "${EMPTY:?}/$1-$2"
	case $1 in
	file_acl | file_fsattr | file_trunc) ;;
	*) printf 'bench: empty %s for %s does not load\n' "$1" "$2" >&2 && return 1 ;;
	esac
}

# least: of the numbers on standard input, one a line
least() {
	sort -n | sed -n 1p
}

# median: of the numbers on standard input, one a line
median() {
	sort -n | awk '{ at[NR] = $1 } END { print at[int((NR + 1) / 2)] }'
}

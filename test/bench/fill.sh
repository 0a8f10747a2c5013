# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash

# fill_rules OPTION...: deny the paths of standard input, as `deny --stdin` does with these options of its helper. The
# batch is run by build/test/fill, since bpftool takes a quarter of a million instructions for each line.
fill_rules() {
	mkdir -p /sys/fs/bpf/cotter/new
	build/helpers/encode deny "$@" --stdin 3>/dev/null | build/test/fill
	rm -f /sys/fs/bpf/cotter/new/*
}

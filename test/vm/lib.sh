# SPDX-License-Identifier: GPL-2.0-only
# Common to the scripts of test/vm; sourced, does nothing by itself.
# shellcheck shell=bash disable=SC2034 # the constants are for those who source it

VM_DIR=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
TOP=$(realpath "$VM_DIR/../..")
CACHE=${COTTER_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/cotter}
# an ordinary user's search path may lack mke2fs and depmod
PATH=$PATH:/usr/sbin:/sbin
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

EX_USAGE=2
EX_KERNEL=123
EX_TIMEOUT=124
EX_BOOT=125

note() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# die STATUS MESSAGE...
die() {
	local status=$1
	shift
	note "$@"
	exit "$status"
}

need() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null ||
			die 1 "$tool is missing: run scripts/deps"
	done
}

# lock FILE: held until the script ends, so that two runs do not fill the cache twice
lock() {
	exec 9>"$1"
	flock -n 9 || {
		note "waiting for another run that is filling the cache"
		flock 9
	}
}

# mirror_of SUITE: the address that serves it, nothing for a security suite that this machine
# does not know. It is the one that this machine's apt uses for Debian, else (Ubuntu, Fedora)
# the default of Debian's own mmdebstrap.
mirror_of() {
	local suite=$1 uri configured main='' security=''
	if [[ -n ${COTTER_MIRROR:-} ]]; then
		[[ $suite == *-security ]] || printf '%s\n' "$COTTER_MIRROR"
		return
	fi
	# says what is configured even before the first update, in either format of sources
	while read -r uri configured; do
		case $configured in
		bookworm | trixie | forky | sid | oldstable | stable | testing | unstable) main=${main:-$uri} ;;
		bookworm-security | trixie-security | forky-security | *stable-security) security=${security:-$uri} ;;
		esac
	done < <(apt-get --print-uris update 2>/dev/null |
		sed -n "s|^'\(.*\)/dists/\(.*\)/InRelease'.*|\1 \2|p")
	if [[ $suite == *-security ]]; then
		printf '%s' "${security:+$security$'\n'}"
	elif [[ -n $main ]]; then
		printf '%s\n' "$main"
	else
		note "apt knows no Debian mirror: using mmdebstrap's default (COTTER_MIRROR overrides)"
		grep -om1 "http://[^'\"]*/debian" "$(command -v mmdebstrap)"
	fi
}

# apt_acquire: how this machine's apt fetches (proxies and such), as lines of an apt.conf
apt_acquire() {
	apt-config dump | grep -E '^Acquire::(http|https|Check-|Retries)' || true
}

# apt_setup DIR SUITE...: an apt of its own in DIR, which knows these suites and no installed
# package. The machine's apt.conf (proxy and such) stays in force. Fills the array APT_OPTIONS.
apt_setup() {
	local dir=$1 suite uri
	shift
	[[ -r $KEYRING ]] || die 1 "$KEYRING is missing: run scripts/deps vm"
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	: >"$dir/status"
	for suite in "$@"; do
		uri=$(mirror_of "$suite")
		[[ -z $uri ]] || printf 'deb [signed-by=%s] %s %s main\n' "$KEYRING" "$uri" "$suite"
	done >"$dir/sources.list"
	APT_OPTIONS=(
		-o "Dir::State=$dir"
		-o "Dir::State::status=$dir/status"
		-o "Dir::Cache=$dir/cache"
		-o "Dir::Etc::sourcelist=$dir/sources.list"
		-o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::preferencesparts=/dev/null
		-o APT::Architecture=amd64
		-o APT::Architectures=amd64
		-o APT::Sandbox::User=root
		-o Acquire::Languages=none
		-o Acquire::Retries=2
		-o APT::Update::Error-Mode=any
		-o Acquire::http::Timeout=20
	)
	apt-get -qq "${APT_OPTIONS[@]}" update >&2
}

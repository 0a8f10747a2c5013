# SPDX-License-Identifier: GPL-2.0-only
# What people would use instead, set up inside the VM; sourced by test/bench/costs.
# shellcheck shell=bash disable=SC2034 # test/bench/costs reads what is set here
#
#   peer_NAME       set it up, and prove that it refuses; fails, with the reason in $WHY
#   peer_NAME_off   take it away
#
# WRAP is what the workloads are to be started by. MEMORY is what the kernel takes for it, as far as it is
# not given back on demand; RESIDENT what a daemon does; ENFORCED the time from the command to the enforcement.

FORBIDDEN=/tmp/forbidden-bin
ALLOWED=/tmp/allowed-bin
WRAP=()
WHY=

# has PROGRAM: of a package that may be missing
has() {
	PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null && return
	WHY="$1 is not installed"
	return 1
}

# proves COMMAND...: it runs the neighbour, and not the forbidden program
proves() {
	WHY='the neighbour of what is forbidden does not run'
	"$@" "$ALLOWED" >/dev/null 2>&1 || return
	WHY='does not refuse the forbidden program'
	! "$@" "$FORBIDDEN" >/dev/null 2>&1
}

# kernel_memory: what it has taken for itself
kernel_memory() {
	awk '/^(SUnreclaim|VmallocUsed|Percpu|KernelStack|PageTables):/ { sum += $2 } END { print sum * 1024 }' /proc/meminfo
}

# resident PID
resident() {
	awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$1/status"
}

# profiles N: AppArmor's for the measuring program and what it starts, with N files denied
profiles() {
	local i
	printf 'abi <abi/4.0>,\nprofile bench %s flags=(attach_disconnected) {\n' "$PWD/build/test/*"
	printf '  file, capability, network, unix, signal, ptrace, mount, umount, dbus, userns,\n'
	printf '  deny %s x,\n' "$FORBIDDEN"
	for ((i = 1; i < $1; i++)); do
		printf '  deny /opt/none/bin-%d x,\n' "$i"
	done
	printf '}\n'
}

# apparmor N
apparmor() {
	has apparmor_parser || return
	WHY='the kernel has no AppArmor'
	[[ -d /sys/kernel/security/apparmor ]] || return
	profiles "$1" >/tmp/profile
	WHY='apparmor_parser refuses the profile'
	# once for nothing: what waits for a disk is in no figure
	apparmor_parser -Q -K /tmp/profile || return
	MEMORY=$(kernel_memory)
	clock apparmor_parser -r -K /tmp/profile || return
	ENFORCED=$TOOK
	MEMORY=$(($(kernel_memory) - MEMORY))
	# in the profile, because of the path that it is attached to
	proves "$PWD/build/test/confine" none
}

peer_apparmor() {
	apparmor 1
}

peer_apparmor1000() {
	apparmor 1000
}

peer_apparmor_off() {
	apparmor_parser -R -K /tmp/profile
}

peer_apparmor1000_off() {
	peer_apparmor_off
}

# It cannot see which file: it refuses calls.
peer_seccomp() {
	WRAP=("$PWD/build/test/confine" seccomp)
	WHY='does not refuse the calls'
	"${WRAP[@]}" true && unshare true && ! "${WRAP[@]}" unshare true 2>/dev/null
}

# Nobody can name what is forbidden, only what is not.
peer_landlock() {
	WRAP=("$PWD/build/test/confine" landlock)
	ALLOWED=/bin/true proves "${WRAP[@]}"
}

# It refuses nothing: it writes down, into the file of its daemon. Without the daemon the kernel would print at most
# ten lines in five seconds, and auditctl alone makes more.
peer_audit() {
	local turn
	has auditctl && has auditd || return
	mkdir -p /var/log/audit
	WHY='the daemon does not start'
	auditd -n >/tmp/auditd.log 2>&1 &
	DAEMON=$!
	for ((turn = 0; turn < 100; turn++)); do
		! auditctl -s 2>/dev/null | grep -q "^pid $DAEMON$" || break
		sleep 0.1
	done
	((turn < 100)) || return
	WHY='auditctl cannot add the rule'
	auditctl -e 1 >/dev/null && auditctl -b 8192 >/dev/null || return
	MEMORY=$(kernel_memory)
	clock auditctl -a always,exit -F arch=b64 -S execve,openat -k bench || return
	ENFORCED=$TOOK
	WHY='records nothing'
	"$ALLOWED" >/dev/null
	sleep 1 # it is the daemon's turn
	grep "exe=\"$ALLOWED\"" /var/log/audit/audit.log | grep -q 'key="bench"' || return
	MEMORY=$(($(kernel_memory) - MEMORY)) RESIDENT=$(resident "$DAEMON")
}

peer_audit_off() {
	auditctl -D >/dev/null
	auditctl -e 0 >/dev/null
	kill "$DAEMON"
	wait "$DAEMON" || true
}

peer_fapolicyd() {
	local file start
	has fapolicyd || return
	mkdir -p /run/fapolicyd /var/lib/fapolicyd /etc/fapolicyd/rules.d
	getent passwd fapolicyd >/dev/null || useradd -r fapolicyd
	rm -f /etc/fapolicyd/rules.d/*
	{
		printf 'deny_audit perm=execute all : path=%s\nallow perm=any all : all\n' "$FORBIDDEN"
	} | tee /etc/fapolicyd/compiled.rules >/etc/fapolicyd/rules.d/10-bench.rules
	sed -i 's/^trust *=.*/trust = file/; s/^watch_fs *=.*/watch_fs = ext4,tmpfs/' /etc/fapolicyd/fapolicyd.conf
	for file in "$FORBIDDEN" "$ALLOWED"; do
		printf '%s %s %s\n' "$file" "$(stat -c %s "$file")" "$(sha256sum <"$file" | cut -d' ' -f1)"
	done >/etc/fapolicyd/fapolicyd.trust
	chown -R fapolicyd: /run/fapolicyd /var/lib/fapolicyd
	chown -R root:fapolicyd /etc/fapolicyd
	MEMORY=$(kernel_memory)
	start=${EPOCHREALTIME/./}
	start_fapolicyd
	ENFORCED=$(((${EPOCHREALTIME/./} - start) * 1000))
	RESIDENT=$(resident "$DAEMON") || {
		WHY="does not start: $(tail -n 1 /tmp/fapolicyd.log)"
		return 1
	}
	proves || return
	MEMORY=$(($(kernel_memory) - MEMORY))
}

# Its rules are read when it starts.
start_fapolicyd() {
	local turn
	fapolicyd --debug-deny >/tmp/fapolicyd.log 2>&1 &
	DAEMON=$!
	for ((turn = 0; turn < 300; turn++)); do
		! grep -q 'Starting to listen' /tmp/fapolicyd.log || break
		sleep 0.1
	done
}

peer_fapolicyd_off() {
	kill "$DAEMON"
	wait "$DAEMON" || true
}

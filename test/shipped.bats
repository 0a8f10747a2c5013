#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# backends: once
# boots: 7.2 6.12-nolsm
# The policies that are shipped: each is attacked, and ordinary work goes on beside it.

# shellcheck disable=SC2030,SC2031 # output is set by run

load suite

setup_file() {
	suite_setup
	# what the guest lacks of a usual machine
	mkdir -p /root/.ssh /boot /var/quarantine /etc/sudoers.d /var/lib/cotter /opt/shipped
	cp "$PROGS/hello" /opt/shipped/good
	[[ -e /etc/ssh/ssh_host_rsa_key ]] || ssh-keygen -q -t rsa -b 1024 -N '' -f /etc/ssh/ssh_host_rsa_key
	[[ -e /root/.ssh/id ]] || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id
	: >/boot/vmlinuz
	cp "$PROGS/hello" /var/quarantine/held
	cp "$PROGS/hello" /tmp/bad
	cp "$PROGS/hello" /dev/shm/bad
	[[ -e /usr/bin/systemd-sysusers ]] || cp /usr/bin/tee /usr/bin/systemd-sysusers
	# a service, played by what attacks itself
	cp "$PROGS/exec_by" /usr/sbin/cron
	"$S/apply" "$ROOT/policies"
}

teardown_file() {
	rm -rf /opt/shipped /tmp/bad /dev/shm/bad /var/quarantine /usr/sbin/cron
	suite_teardown
}

setup() {
	D=/opt/shipped/$BATS_TEST_NUMBER
	mkdir -p "$D"
}

teardown() {
	rm -rf "$D"
}

# unchanged FILE COMMAND...: the command fails, and the file is what it was.
unchanged() {
	local file=$1 before after
	shift
	before=$(stat -c '%i %s %Y %a' "$file")
	! "$@" 2>/dev/null || fail "succeeded: $*"
	after=$(stat -c '%i %s %Y %a' "$file")
	[[ $before == "$after" ]] || fail "$file: was changed by: $*"
}

@test "all are in force, and say what they break" {
	run -0 "$S/policies" --json
	jq -e 'length == 10 and all(.[1:][]; .mode == "enforce" and .rules > 0 and (.reason | startswith("Breaks ")))' <<<"$output"
}

@test "no-exec-from-writable: nothing runs from temporary folders, other programs do" {
	dies /tmp/bad
	dies /dev/shm/bad
	ln -f /tmp/bad /tmp/worse
	dies /tmp/worse
	rm /tmp/worse
	runs /opt/shipped/good
}

@test "protect-accounts: accounts change by their tools alone" {
	local file
	for file in /etc/passwd /etc/shadow /etc/group; do
		unchanged "$file" sh -c "echo evil >>$file"
		unchanged "$file" chmod 666 "$file"
		unchanged "$file" mv "$file" "$file.old"
		unchanged "$file" sed -i s/root/toor/ "$file"
	done
	run ! sh -c 'echo "user ALL=(ALL) ALL" >/etc/sudoers.d/evil'
	[[ ! -e /etc/sudoers.d/evil ]]
	cp /etc/passwd "$D/passwd"
	# as systemd-sysusers does it; here it is tee, when there is no systemd
	if cmp /usr/bin/tee /usr/bin/systemd-sysusers; then
		systemd-sysusers -a /etc/passwd <<<'made:x:999:999::/:/bin/false' >/dev/null
	else
		systemd-sysusers --inline 'u made 999'
	fi
	getent passwd made
	useradd shipped
	echo 'shipped:secret1' | chpasswd -e
	usermod -c 'of a test' shipped
	groupadd shippers
	usermod -aG shippers shipped
	[[ $(getent passwd shipped) == *'of a test'* ]]
	userdel shipped
	groupdel shippers
	run ! getent passwd shipped
}

@test "protect-ssh-keys: keys are read by ssh's programs alone" {
	run ! cat /root/.ssh/id
	run ! cat /etc/ssh/ssh_host_rsa_key
	run ! sh -c 'echo key >>/root/.ssh/authorized_keys'
	[[ ! -e /root/.ssh/authorized_keys ]]
	run -0 ssh-keygen -y -f /root/.ssh/id
	[[ $output == ssh-ed25519* ]]
	run -0 ssh-keygen -l -f /etc/ssh/ssh_host_rsa_key
}

@test "protect-boot: the kernel's files change by packages alone" {
	unchanged /boot/vmlinuz sh -c 'echo x >>/boot/vmlinuz'
	unchanged /boot/vmlinuz rm /boot/vmlinuz
	run ! sh -c 'echo x >/boot/initrd.img'
	cat /boot/vmlinuz
}

@test "protect-cotter: its files and the switch of ftrace stay" {
	unchanged "$S/deny" sh -c "echo x >>$S/deny"
	unchanged "$S/deny" mv "$S/deny" "$S/deny.old"
	run ! sh -c 'echo 0 >/proc/sys/kernel/ftrace_enabled'
	[[ $(</proc/sys/kernel/ftrace_enabled) == 1 ]]
	run -0 "$S/deny" "$D/x"
	run -0 "$S/allow" "$D/x"
	run ! sh -c 'echo x >/var/lib/cotter/x'
	run -0 "$S/save"
	[[ -s /var/lib/cotter/policies/manual.json ]]
	unchanged /var/lib/cotter/policies/manual.json sh -c 'echo x >/var/lib/cotter/policies/manual.json'
}

@test "no-unprivileged-userns: users have no unshare, root has" {
	run ! setpriv --reuid 1000 --regid 1000 --clear-groups unshare -U true
	run -0 unshare -m true
	run -0 setpriv --reuid 1000 --regid 1000 --clear-groups true
}

@test "no-shell-from-service: www-data has no shell, others have" {
	run -137 setpriv --reuid 33 --regid 33 --clear-groups sh -c true
	run -137 setpriv --reuid 33 --regid 33 --clear-groups bash -c true
	run -0 setpriv --reuid 33 --regid 33 --clear-groups true
	run -0 setpriv --reuid 1000 --regid 1000 --clear-groups sh -c true
}

@test "quarantine: what is held does not run; a list of paths becomes a policy" {
	run ! /var/quarantine/held
	run ! cat /var/quarantine/held
	cp "$PROGS/hello" "$D/a"
	printf '%s\n' "$D/a" "$D/not-yet" '# no path' >"$D/list"
	jq -Rnf "$ROOT/policies/quarantine.jq" <"$D/list" >"$D/q.json"
	"$S/apply" "$D/q.json" >/dev/null
	dies "$D/a"
	cp "$PROGS/hello" "$D/not-yet"
	dies "$D/not-yet"
	runs /opt/shipped/good
	"$S/apply" "$ROOT/policies/quarantine.json" >/dev/null
	runs "$D/a"
}

@test "hardening: no code without a file of its name, and disks are written by their tools alone" {
	mkdir "$D/place"
	cp "$PROGS/hello" "$D/place/bad"
	cp "$PROGS/raw" "$D/place"
	run -0 "$PROGS/exec_by" -t -w path,memfd,unlinked,tmpfile,mmap_memfd,modified,mmap "$D/place"
	[[ $(awk '{ print $2 " " $3 }' <<<"$output" | paste -sd,) == 'path ran,memfd killed,unlinked killed,tmpfile killed,mmap ran,mmap_memfd killed,modified ran' ]] || fail "$output"
	# the services that are named make no code
	run -0 /usr/sbin/cron -t -w path,mmap,memory,memory_later,modified,writable "$D/place"
	[[ $(awk '{ print $2 " " $3 }' <<<"$output" | paste -sd,) == 'path ran,mmap ran,memory killed,memory_later killed,modified killed,writable killed' ]] || fail "$output"
	modprobe loop 2>/dev/null || true
	truncate -s 2M "$D/disk"
	losetup /dev/loop7 "$D/disk"
	run ! dd if="$D/place/raw" of=/dev/loop7 status=none
	cmp -n 2097152 "$D/disk" /dev/zero
	mke2fs -q /dev/loop7
	dd if=/dev/loop7 of="$D/read" status=none
	cmp "$D/disk" "$D/read"
	losetup -d /dev/loop7
}

@test "ordinary work goes on under all of them: a package, gcc, a job of root's" {
	mkdir -p "$D/p/DEBIAN" "$D/p/usr/share/shipped" "$D/p/boot"
	printf 'Package: shipped\nVersion: 1\nArchitecture: all\nMaintainer: t <t@example.org>\nDescription: t\n' >"$D/p/DEBIAN/control"
	printf '#!/bin/sh\nset -e\nuseradd -r shippedsys\necho made >/boot/made\n' >"$D/p/DEBIAN/postinst"
	printf '#!/bin/sh\nset -e\nuserdel shippedsys\nrm -f /boot/made\n' >"$D/p/DEBIAN/prerm"
	chmod 755 "$D/p/DEBIAN/postinst" "$D/p/DEBIAN/prerm"
	echo data >"$D/p/usr/share/shipped/data"
	echo image >"$D/p/boot/shipped-image"
	dpkg-deb --root-owner-group -b "$D/p" "$D/p.deb"
	dpkg -i "$D/p.deb"
	[[ $(</usr/share/shipped/data) == data && $(</boot/shipped-image) == image && $(</boot/made) == made ]]
	getent passwd shippedsys
	dpkg -r shipped
	[[ ! -e /boot/shipped-image && ! -e /boot/made ]]
	printf 'int main(void) { return 0; }\n' >"$D/c.c"
	gcc -o "$D/c" "$D/c.c"
	"$D/c"
	setsid sh -c "cd /; date >'$D/job'; find /etc -name passwd >>'$D/job'" </dev/null
	[[ $(wc -l <"$D/job") -ge 2 ]]
}

@test "no-exec-from-writable: a memfd does not run" {
	[[ -x $PROGS/exec_by ]]
	run ! "$PROGS/exec_by" memfd /opt/shipped/good
	"$PROGS/exec_by" path /opt/shipped/good
}

@test "ordinary work goes on under all of them: passwords, keys of ssh, a job of a user's" {
	local agent
	useradd -m -s /bin/bash shipped
	printf 'a-Pass-4711\na-Pass-4711\n' | passwd shipped
	[[ $(getent shadow shipped) == 'shipped:$'* ]]
	usermod -L shipped
	chage -M 90 shipped
	# a job as cron runs it: a session of its own, the user's home, a shell
	mkdir -p /etc/cron.shipped
	# shellcheck disable=SC2016 # of the scripts
	printf '#!/bin/sh\ndate >"$HOME/job"\nfind /etc -name passwd -exec cat {} + >>"$HOME/job"\n' >/etc/cron.shipped/job
	chmod 755 /etc/cron.shipped/job
	# shellcheck disable=SC2016
	(cd /home/shipped && HOME=/home/shipped setsid setpriv --reuid shipped --regid shipped --init-groups \
		sh -c 'for job in /etc/cron.shipped/*; do "$job"; done' </dev/null)
	grep -q ^root: /home/shipped/job
	rm -r /etc/cron.shipped
	userdel -r shipped
	run ! getent passwd shipped
	# root's key, by ssh's own programs, and from an agent
	echo text >"$D/text"
	ssh-keygen -q -Y sign -f /root/.ssh/id -n file "$D/text"
	printf 'root %s\n' "$(ssh-keygen -y -f /root/.ssh/id)" >"$D/signers"
	ssh-keygen -Y verify -f "$D/signers" -I root -n file -s "$D/text.sig" <"$D/text"
	agent=$D/agent
	ssh-agent -D -a "$agent" 3>&- &
	until [[ -S $agent ]]; do sleep 0.05; done
	SSH_AUTH_SOCK=$agent ssh-add -q /root/.ssh/id
	run -0 env SSH_AUTH_SOCK="$agent" ssh-add -l
	[[ $output == *ED25519* ]]
	kill %1
	ssh -G localhost >/dev/null
}

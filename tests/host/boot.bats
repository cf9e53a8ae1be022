#!/usr/bin/env bats
#
# A Debian 12 machine with a LUKS2 root file system, opened by dm-xcrypt in an
# initramfs of initramfs-tools, and a second volume in /etc/crypttab, opened by
# systemd. Takes minutes: for the long run.

# shellcheck shell=bash

setup_file()
{
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export TOP
	[ -n "${XCRYPT_LONG:-}" ] || return 0
	cd "$TOP" || return
	packaging/deb "$BATS_FILE_TMPDIR/deb"
	machine_files "$BATS_FILE_TMPDIR"
	boot "$BATS_FILE_TMPDIR"
}

setup()
{
	[ -n "${XCRYPT_LONG:-}" ] || skip "minutes: XCRYPT_LONG=1"
	report=$BATS_FILE_TMPDIR/report
}

# volume DISK IMAGE UUID KEY-FILE: create a LUKS2 volume with cryptsetup and OpenSSL
volume()
{
	head -c 64 /dev/urandom >"$1.key"
	truncate -s "$(($(stat -c %s "$2") + (16 << 20)))" "$1"
	cryptsetup --batch-mode --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
		--cipher aes-xts-plain64 --key-size 512 --sector-size 512 --offset 32768 \
		--volume-key-file "$1.key" --uuid "$3" --key-file "$4" luksFormat "$1"
	"$BATS_FILE_TMPDIR/xts-volume" "$1.key" <"$2" |
		dd of="$1" bs=1M seek=16 iflag=fullblock conv=notrunc status=none
	rm "$2" "$1.key"
}

# machine_files FOLDER: kernel, initramfs and disks of the machine
machine_files()
{
	local root_uuid data_uuid

	gcc -O2 -Wall -Wextra -Werror -o "$1/xts-volume" tests/host/xts-volume.c -lcrypto
	root_uuid=$(cat /proc/sys/kernel/random/uuid)
	data_uuid=$(cat /proc/sys/kernel/random/uuid)
	printf 'correct horse' >"$1/passphrase"
	head -c 64 /dev/urandom >"$1/data.key"
	scripts/debian --share "$TOP" --share "$1" bookworm \
		"$TOP/tests/host/debian/root" "$1/deb" "$1" "$root_uuid" "$data_uuid"
	volume "$1/root.disk" "$1/root.img" "$root_uuid" "$1/passphrase"

	mkdir "$1/data"
	echo "what was there" >"$1/data/file"
	truncate -s 16M "$1/data.img"
	mke2fs -q -t ext4 -d "$1/data" "$1/data.img"
	volume "$1/data.disk" "$1/data.img" "$data_uuid" "$1/data.key"
}

# boot FOLDER: boot it, and type the passphrase when asked; the machine's report is in
# FOLDER/report, its whole output in FOLDER/console
boot()
{
	local machine

	source scripts/machine.d/qemu.sh
	mkfifo "$1/keyboard"
	exec 7<>"$1/keyboard"
	timeout -s KILL 900 setpriv --pdeathsig KILL \
		qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
		-machine q35 -accel "$(accelerator)" -cpu max -smp 2 -m 1024 \
		-kernel "$1/vmlinuz" -initrd "$1/initrd" \
		-append "root=/dev/mapper/croot ro console=ttyS0 panic=-1 loglevel=5 no_timer_check mitigations=off watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120 module_blacklist=kvm,kvm_amd,kvm_intel" \
		-drive "if=virtio,format=raw,cache=unsafe,file=$1/root.disk" \
		-drive "if=virtio,format=raw,cache=unsafe,file=$1/data.disk" \
		-serial stdio <"$1/keyboard" >"$1/console" 2>&1 3>&- &
	machine=$!
	until grep -q 'Please unlock disk croot' "$1/console"; do
		kill -0 "$machine" || break
		sleep 1
	done
	printf '%s\n' "$(cat "$1/passphrase")" >&7
	wait "$machine" || echo "qemu: status $?"
	tr -d '\r' <"$1/console" | sed -n 's/^report: //p' >"$1/report"
	cat "$1/console"
	grep -qx "switch off" "$1/report"
}

# reported REGEX
reported() { cat "$report"; grep -qE "^$1$" "$report"; }

@test "the root file system is on croot, and only dm-xcrypt serves it" {
	reported "root /dev/mapper/croot"
	reported "modules dm_xcrypt"
	reported "croot table 0 [0-9]+ crypt aes-xts-plain64 .*"
	reported "croot status .* key:valid .*"
	reported "croot uuid CRYPT-LUKS2-.*-croot"
}

@test "systemd has opened data, as /etc/crypttab says, and mounted it" {
	reported "unit active"
	reported "data /dev/mapper/data"
	reported "data table 0 [0-9]+ crypt aes-xts-plain64 .*"
	reported "data status .* key:valid .*"
	reported "file what was there"
}

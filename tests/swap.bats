#!/usr/bin/env bats
#
# machine: -m 256 -d 512M --timeout 900
# kernels: fast-newest newest
#
# Swap on an encrypted device, in a machine with little memory: swapping out must not
# need memory that only swapping out can free.

# shellcheck shell=bash
load lib-io

needs()
{
	read -r disk _ <<<"$XCRYPT_DISKS"
	load_prog=$(c_tool swap-load.c)
	[ -e /proc/swaps ] || skip "this kernel has no swap"
}

teardown()
{
	swapoff -a || true
	io_clean_up
}

# swapped SECONDS OPTION...: run under memory pressure for that long
swapped()
{
	local seconds=$1 total free before after
	shift
	encrypt xc xts "$disk" "$@" || return
	mkswap /dev/mapper/xc >/dev/null && swapon /dev/mapper/xc || return
	# A quarter more than the machine has.
	total=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
	free=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
	before=$(awk '$1 == "pswpout" { print $2 }' /proc/vmstat)
	"$load_prog" $((free + total / 4)) "$seconds" "$XCRYPT_SEED" ||
		die "memory leaked, or a process was killed" || return
	after=$(awk '$1 == "pswpout" { print $2 }' /proc/vmstat)
	say "$* $((after - before)) pages written to swap in $seconds s and the end"
	[ $((after - before)) -gt 2000 ] || die "hardly anything was swapped" || return
	swapoff /dev/mapper/xc && unmap xc
}

@test "swapping" {
	swapped "${XCRYPT_LONG:+4}20"
}

@test "swapping, wherever the cipher runs" {
	! slow_machine || skip "takes long under emulation: XCRYPT_LONG=1"
	while read -r words; do
		# shellcheck disable=SC2086 # words
		swapped 10 $words
	done < <(printf '%s\n' offload:inline "offload:spread verify_writes" | some 1)
}

@test "swapping to a file on an encrypted file system" {
	[ -n "${XCRYPT_LONG:-}" ] || skip "takes more than two minutes: XCRYPT_LONG=1"
	modules ext4
	grep -qw ext4 /proc/filesystems || skip "this kernel has no ext4"
	encrypt xc xts "$disk" sector_size:4096
	mkfs.ext4 -q /dev/mapper/xc
	mkdir -p /tmp/xc.swap
	mount /dev/mapper/xc /tmp/xc.swap
	dd if=/dev/zero of=/tmp/xc.swap/file bs=1M count=300 status=none
	chmod 600 /tmp/xc.swap/file
	mkswap /tmp/xc.swap/file
	swapon /tmp/xc.swap/file
	free=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
	before=$(awk '$1 == "pswpout" { print $2 }' /proc/vmstat)
	# while pages of the same file system are written
	rm -f /tmp/stop
	(while [ ! -e /tmp/stop ]; do
		dd if=/dev/zero of=/tmp/xc.swap/other bs=256k count=200 status=none
	done) 3>&- &
	writer=$!
	"$load_prog" $((free + 100)) 20 "$XCRYPT_SEED"
	touch /tmp/stop
	wait $writer
	[ $(($(awk '$1 == "pswpout" { print $2 }' /proc/vmstat) - before)) -gt 2000 ]
	swapoff /tmp/xc.swap/file
	umount /tmp/xc.swap
}

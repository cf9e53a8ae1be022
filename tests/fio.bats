#!/usr/bin/env bats
#
# machine: -m 1536 -d 128M,logical=4096 -d 128M --timeout 900
# kernels: newest
# tests: 2
#
# fio writes and reads blocks of mixed sizes at many depths and verifies each, over
# several kinds of underlying device and with every option that changes where the
# cipher runs.

# shellcheck shell=bash
load lib-io

needs()
{
	read -r -a disks <<<"$XCRYPT_DISKS"
	[ "$(limit "${disks[0]}" logical_block_size)" = 4096 ] || disks[0]=''
}

# Sizes for a device whose blocks are 4096 bytes.
LARGE="--bssplit=4k/40:20k/20:64k/20:256k/10:1m/10"

# each offloads|ways DEVICE OPTION... -- FIO OPTION...: run fio with each of these in turn
each()
{
	local list=$1 device=$2 words
	local -a common=()
	shift 2
	while [ "$1" != -- ]; do
		common+=("$1")
		shift
	done
	shift
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts "$device" "${common[@]}" $words || return
		fio_verify /dev/mapper/xc "$@" ||
			die "on $device with: ${common[*]} $words" || return
		unmap xc || return
	done < <($list)
}

@test "over a RAM disk, every option, 512 B to 1 MiB, two jobs" {
	ram_disks 1 64
	each offloads /dev/ram0 -- --numjobs=2 --size=4M --offset_increment=16M
}

@test "over a RAM disk with 4096-byte encryption sectors" {
	ram_disks 1 64
	each ways /dev/ram0 sector_size:4096 iv_large_sectors -- \
		"$LARGE" --numjobs=2 --size=4M --offset_increment=16M
}

@test "buffered, with fsyncs between" {
	ram_disks 1 64
	for words in "" "offload:spread verify_writes"; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/ram0 $words
		fio_verify /dev/mapper/xc --direct=0 --ioengine=psync --numjobs=2 \
			--size=4M --offset_increment=16M --fsync=16 --invalidate=1
		unmap xc
	done
}

@test "over a loop device on a file" {
	truncate -s 64M "$BATS_TEST_TMPDIR/file"
	disk=$(loop_disk "$BATS_TEST_TMPDIR/file")
	for words in "" "no_read_workqueue no_write_workqueue"; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts "$disk" $words
		fio_verify /dev/mapper/xc --numjobs=2 --size=4M --offset_increment=16M
		unmap xc
	done
}

@test "over a loop device with 4096-byte blocks and direct I/O" {
	# on a disk, because not every kernel's tmpfs supports direct I/O
	mkfs.ext4 -q "${disks[1]}"
	modules ext4
	mkdir /tmp/xc.file
	mount "${disks[1]}" /tmp/xc.file
	truncate -s 64M /tmp/xc.file/file
	disk=$(loop_disk /tmp/xc.file/file --sector-size 4096 --direct-io=on)
	for words in "" offload:spread; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts "$disk" sector_size:4096 $words
		fio_verify /dev/mapper/xc "$LARGE" --numjobs=2 --size=4M --offset_increment=16M
		unmap xc
	done
}

@test "over a disk with 4096-byte logical blocks" {
	[ "${disks[0]}" ] || skip "this machine's disks have only 512-byte blocks"
	each ways "${disks[0]}" sector_size:4096 -- \
		"$LARGE" --numjobs=2 --size=4M --offset_increment=16M
	# 512-byte encryption sectors in 4096-byte blocks
	each ways "${disks[0]}" -- "$LARGE" --size=4M
}

@test "other ciphers: cbc-essiv, lmk, tcw, elephant, AEAD" {
	ram_disks 1 96
	for name in $(printf '%s\n' essiv lmk tcw elephant | some 2); do
		encrypt xc "$name" /dev/ram0
		fio_verify /dev/mapper/xc --numjobs=2 --size=4M --offset_increment=16M
		unmap xc
	done
	for name in $(printf '%s\n' gcm authenc | some 1); do
		integrity_disk tags /dev/ram0 "${TAG_SIZES[$name]}"
		encrypt xc "$name" /dev/mapper/tags
		# A sector that was never written has no valid tag.
		dd if=/dev/zero of=/dev/mapper/xc bs=1M count=32 oflag=direct status=none
		fio_verify /dev/mapper/xc --numjobs=2 --size=4M --offset_increment=16M
		unmap xc tags
	done
}

@test "many jobs, deep queues" {
	ram_disks 1 128
	for words in offload:inline offload:spread; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/ram0 $words
		fio_verify /dev/mapper/xc --numjobs=6 --iodepth=64 --size=2M \
			--offset_increment=16M
		unmap xc
	done
}

@test "this test detects a wrong byte" {
	ram_disks 1 16
	encrypt xc xts /dev/ram0
	fio_verify /dev/mapper/xc --rw=write --bs=4k --size=1M
	head -c 512 /dev/urandom | raw_write /dev/ram0 1001
	run fio_verify /dev/mapper/xc --rw=read --bs=4k --size=1M
	[ "$status" -ne 0 ]
}

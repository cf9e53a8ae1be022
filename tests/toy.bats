#!/usr/bin/env bats
#
# machine: -m 1024 --timeout 600
# kernels: newest
# tests: 2
#
# Ciphers that misbehave (tests/modules/xcrypt_toy.c): verify_writes detects one that
# computes wrongly, one that fails makes the bio fail, and one that completes later,
# in softirq context, with a full queue, changes nothing.

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io

SIZE=1024	# sectors

needs()
{
	ram_disks 1 8
	insmod "$XCRYPT_KO/xcrypt_toy.ko"
}

teardown()
{
	io_clean_up
	rmmod xcrypt_toy
}

toy()
{
	echo "$2" >"/sys/module/xcrypt_toy/parameters/$1"
}

# toy_volume [OPTION...]: create /dev/mapper/toy
toy_volume()
{
	map toy <<<"0 $SIZE $TARGET capi:xcrypt-toy-plain64 $(hex_key 16) 0 /dev/ram0 0${1:+ $# $*}"
}

# status WORD: print its value in the status
status()
{
	dmsetup status toy | tr ' ' '\n' | sed -n "s/^$1://p"
}

@test "a cipher that computes wrongly: verify_writes fails the write, and nothing wrong is stored" {
	not_for_crypt
	for offload in auto inline spread; do
		toy corrupt 0
		toy_volume verify_writes "offload:$offload"
		fill /dev/mapper/toy
		[ "$(status mismatches)" = 0 ]
		sum=$(raw /dev/ram0 | sha256sum)

		toy corrupt 100
		log_mark
		run ! dd if=/dev/zero of=/dev/mapper/toy bs=64k count=4 oflag=direct
		[[ $output == *"Input/output error"* ]]
		log_since | grep -q 'verify_writes: sectors 0 to 127 do not decrypt'
		[ "$(status mismatches)" = 1 ]
		[ "$(status errors)" = 1 ]
		toy corrupt 0
		[ "$(raw /dev/ram0 | sha256sum)" = "$sum" ]
		check_fill /dev/mapper/toy
		unmap toy
	done
}

@test "without verify_writes, it is not detected on write" {
	toy_volume
	toy corrupt 100
	fill /dev/mapper/toy
	toy corrupt 0
	run ! check_fill /dev/mapper/toy
}

@test "a cipher that fails: EIO for the bio, the next one passes" {
	for offload in auto inline spread; do
		toy_volume "offload:$offload"
		fill /dev/mapper/toy
		toy fail 5
		run ! dd if=/dev/zero of=/dev/mapper/toy bs=64k count=1 oflag=direct
		[[ $output == *"Input/output error"* ]]
		run ! dd if=/dev/mapper/toy of=/dev/null bs=64k count=1 iflag=direct
		[[ $output == *"Input/output error"* ]]
		toy fail 0
		[ "$(status errors)" -ge 2 ]
		check_fill /dev/mapper/toy
		unmap toy
	done
}

@test "a cipher that completes in softirq context, with a full queue" {
	toy_volume
	fill /dev/mapper/toy
	sum=$(raw /dev/ram0 | sha256sum)
	unmap toy

	toy async 1
	before=$(cat /sys/module/xcrypt_toy/parameters/backlogged)
	while read -r words; do
		# shellcheck disable=SC2086 # words
		toy_volume $words
		check_fill /dev/mapper/toy
		random_bytes $((SIZE * 512)) other | raw_write /dev/ram0
		fill /dev/mapper/toy
		[ "$(raw /dev/ram0 | sha256sum)" = "$sum" ]
		[ "$(status errors)" = 0 ]
		unmap toy
	done < <(ways)
	[ "$(cat /sys/module/xcrypt_toy/parameters/backlogged)" -gt "$before" ]
	toy async 0
}

@test "asynchronous errors" {
	toy_volume
	toy async 1
	toy fail 7
	for _ in 1 2 3; do
		run ! dd if=/dev/zero of=/dev/mapper/toy bs=256k count=2 oflag=direct
		run ! dd if=/dev/mapper/toy of=/dev/null bs=256k count=2 iflag=direct
	done
	toy fail 0
	fill /dev/mapper/toy
	check_fill /dev/mapper/toy
	toy async 0
}

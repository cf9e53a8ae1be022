#!/usr/bin/env bats
#
# machine: -m 1024 -d 64M,logical=4096 --timeout 600
# kernels: newest
# tests: 3
#
# Stacks below and above a volume: disks with physical or logical blocks of 4096
# bytes, thin pools and their snapshots, RAID1 that loses a leg, loop devices.

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io

setup_file()
{
	load_target
	load_reference
	modules dm-thin-pool dm-flakey dm-dust raid1 ext4 loop
	echo 100000 >/proc/sys/dev/raid/speed_limit_min
	bios_module
	seed_init
}

setup()
{
	read -r DISK_4KN _ <<<"$XCRYPT_DISKS"
	RANDOM=$XCRYPT_SEED
}

teardown()
{
	for dir in /tmp/xc.*; do ! mountpoint -q "$dir" || umount "$dir"; done
	unmap_all || true
	[ ! -e /dev/md0 ] || mdadm --quiet --stop /dev/md0
	io_clean_up
}

# --- blocks of 4096 bytes ----------------------------------------------------

@test "512e, physical blocks of 4096 bytes: dm-crypt's limits, and single sectors" {
	ram_disks 1 8
	[ "$(limit /dev/ram0 logical_block_size)/$(limit /dev/ram0 physical_block_size)" = 512/4096 ]
	for words in "" sector_size:4096; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/ram0 $words
		# shellcheck disable=SC2086 # words
		reference ref xts /dev/ram0 $words
		for limit in logical_block_size physical_block_size minimum_io_size optimal_io_size; do
			[ "$(limit /dev/mapper/xc $limit)" = "$(limit /dev/mapper/ref $limit)" ]
		done
		unmap ref xc
	done
	# Sectors that share such a block are still independent.
	encrypt xc xts /dev/ram0
	bios "dev=/dev/mapper/xc op=write sectors=2048 data=1"
	bios "dev=/dev/mapper/xc op=write start=1027 sectors=1 max=512 data=2"
	bios "dev=/dev/mapper/xc op=read start=1024 sectors=3 data=1"
	bios "dev=/dev/mapper/xc op=read start=1027 sectors=1 max=512 data=2"
	bios "dev=/dev/mapper/xc op=read start=1028 sectors=1020 data=1"
}

@test "4Kn, only blocks of 4096 bytes: no smaller I/O is offered, and a copy of a 512-byte disk reads" {
	[ "$(limit "$DISK_4KN" logical_block_size)" = 4096 ]
	ram_disks 1 8
	for words in "" sector_size:4096 "sector_size:4096 iv_large_sectors"; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/ram0 $words
		bios "dev=/dev/mapper/xc op=write sectors=16384 unit=4096"
		unmap xc
		raw /dev/ram0 | raw_write "$DISK_4KN"
		# shellcheck disable=SC2086 # words
		encrypt xc xts "$DISK_4KN" $words
		[ "$(limit /dev/mapper/xc logical_block_size)" = 4096 ]
		bios "dev=/dev/mapper/xc op=read sectors=16384 unit=4096"
		fails dd if=/dev/mapper/xc of=/dev/null bs=512 count=1 iflag=direct status=none 2>/dev/null
		bios "dev=/dev/mapper/xc op=write sectors=16384 unit=4096 layout=mixed align=512 data=2 shuffle=1"
		unmap xc
		# and back again, to dm-crypt
		raw "$DISK_4KN" 0 16384 | raw_write /dev/ram0
		# shellcheck disable=SC2086 # words
		reference ref xts /dev/ram0 $words
		bios "dev=/dev/mapper/ref op=read sectors=16384 unit=4096 data=2"
		unmap ref
	done
	# no volume begins or ends within a block
	fails map xc 2>/dev/null <<<"$(line "$TARGET" xts "$DISK_4KN" 8192:4)"
	fails map xc 2>/dev/null <<<"$(line crypt xts "$DISK_4KN" 8192:4)"
}

# --- thin pools --------------------------------------------------------------

# thin_pool MIB: create a pool of that size, and a thin device of 16 MiB
thin_pool()
{
	ram_disks 2 16
	dd if=/dev/zero of=/dev/ram1 bs=4096 count=1 oflag=direct status=none
	map pool <<<"0 $(($1 * 2048)) thin-pool /dev/ram1 /dev/ram0 128 0 1 error_if_no_space"
	dmsetup message pool 0 create_thin 0
	map thin <<<"0 32768 thin /dev/mapper/pool 0"
}

# pool_used: print the used blocks of 64 KiB
pool_used()
{
	dmsetup status pool | sed -E 's/.* ([0-9]+)\/[0-9]+ - .*/\1/'
}

@test "on a thin device: a snapshot decrypts as it was, while the volume continues" {
	thin_pool 16
	encrypt xc xts /dev/mapper/thin
	bios "dev=/dev/mapper/xc op=write sectors=8192 data=1"
	# As LVM does: suspend first, which completes I/O in flight.
	dmsetup suspend xc
	dmsetup suspend thin
	dmsetup message pool 0 "create_snap 1 0"
	dmsetup resume --noudevsync thin
	dmsetup resume --noudevsync xc
	bios "dev=/dev/mapper/xc op=write sectors=8192 data=2 layout=mixed align=512 shuffle=1"
	map snap <<<"0 32768 thin /dev/mapper/pool 1"
	encrypt old xts /dev/mapper/snap
	bios "dev=/dev/mapper/old op=read sectors=8192 data=1"
	bios "dev=/dev/mapper/xc op=read sectors=8192 data=2"
	# It is a separate volume, which dm-crypt reads too.
	bios "dev=/dev/mapper/old op=write start=1024 sectors=1024 data=3"
	bios "dev=/dev/mapper/xc op=read sectors=8192 data=2"
	unmap old
	reference old xts /dev/mapper/snap
	bios "dev=/dev/mapper/old op=read sectors=1024 data=1"
	bios "dev=/dev/mapper/old op=read start=1024 sectors=1024 data=3"
}

@test "on a thin device: discards free space, and a full pool fails only writes" {
	thin_pool 8
	encrypt xc xts /dev/mapper/thin allow_discards
	bios "dev=/dev/mapper/xc op=write sectors=8192"
	used=$(pool_used)
	blkdiscard -o 1M -l 2M /dev/mapper/xc
	[ "$(pool_used)" = $((used - 32)) ] || die "$(pool_used) blocks used, not $used - 32"
	bios "dev=/dev/mapper/xc op=read sectors=2048"
	bios "dev=/dev/mapper/xc op=read start=6144 sectors=2048"
	# 8 MiB of 16 are too much
	fails dd if=/dev/zero of=/dev/mapper/xc bs=1M seek=4 oflag=direct status=none 2>/dev/null
	bios "dev=/dev/mapper/xc op=read sectors=2048"
	bios "dev=/dev/mapper/xc op=write start=6144 sectors=2048 data=2"
	bios "dev=/dev/mapper/xc op=read start=6144 sectors=2048 data=2"
}

# --- mirrors -----------------------------------------------------------------

# mirror DEVICE DEVICE: create /dev/md0 over the two
mirror()
{
	mdadm --quiet --create /dev/md0 --run --level=1 --raid-devices=2 --metadata=1.2 \
		--assume-clean --bitmap=none "$@" </dev/null
}

# no_errors: the volume must have seen none
no_errors()
{
	[ "$TARGET" = crypt ] || [[ "$(dmsetup status xc) " == *" errors:0 "* ]] ||
		die "$(dmsetup status xc)"
}

md_is()
{
	[[ $(cat "$(queue /dev/md0)/../md/$1") == "$2" ]]
}

@test "on RAID1: a leg fails in the middle of writes, and is added again" {
	ram_disks 2 8
	map leg <<<"0 16384 flakey /dev/ram0 0 3600 0"
	mirror /dev/mapper/leg /dev/ram1
	encrypt xc xts /dev/md0
	area="dev=/dev/mapper/xc sectors=8192 layout=mixed align=512 depth=32"
	bios "$area op=write data=1"
	for round in {2..9}; do
		bios "$area op=write data=$round" && bios "$area op=read data=$round" || exit
	done 3>&- &
	sleep 0.3
	remap leg <<<"0 16384 flakey /dev/ram0 0 0 3600"
	wait $!
	md_is degraded 1 || die "the RAID did not degrade"
	bios "$area op=read data=9"

	remap leg <<<"0 16384 flakey /dev/ram0 0 3600 0"
	mdadm --quiet /dev/md0 --remove /dev/mapper/leg
	mdadm --quiet /dev/md0 --add /dev/mapper/leg
	# in use while it recovers
	bios "$area op=write data=10"
	wait_for 60 md_is degraded 0
	bios "$area op=read data=10"
	no_errors
	unmap xc
	# The leg that was added again has the same data.
	mdadm --quiet /dev/md0 --fail /dev/ram1 --remove /dev/ram1
	reference xc xts /dev/md0
	bios "$area op=read data=10"
}

@test "on RAID1: bad sectors of one leg are read from the other, and repaired" {
	target_needed dust
	ram_disks 2 8
	map leg <<<"0 16384 dust /dev/ram0 0 512"
	mirror /dev/mapper/leg /dev/ram1
	encrypt xc xts /dev/md0
	bios "dev=/dev/mapper/xc op=write sectors=2048"
	start=$(($(cat "$(queue /dev/md0)/../md/rd0/offset")))
	for sector in {0..2047..128}; do
		dmsetup message leg 0 addbadblock $((start + sector))
	done
	dmsetup message leg 0 enable
	for round in {1..3}; do
		bios "dev=/dev/mapper/xc op=read layout=mixed align=512 sectors=2048 max=16384 shuffle=1"
	done
	no_errors
	left=$(dmsetup message leg 0 countbadblocks | tr -dc 0-9)
	[ "$left" -lt 16 ] || die "the bad sectors were never read"
}

# --- files as disks ----------------------------------------------------------

@test "a volume in a file on a volume" {
	ram_disks 1 64
	encrypt outer xts /dev/ram0
	mkfs.ext4 -q /dev/mapper/outer
	mkdir -p /tmp/xc.outer /tmp/xc.inner
	mount /dev/mapper/outer /tmp/xc.outer
	truncate -s 32M /tmp/xc.outer/file
	for io in off on; do
		words=()
		[ $io = off ] || words=(sector_size:4096 offload:spread verify_writes)
		disk=$(loop_disk /tmp/xc.outer/file --direct-io=$io)
		encrypt inner essiv "$disk" "${words[@]}"
		fio_verify /dev/mapper/inner --size=4M --bssplit=4k/50:64k/30:256k/20
		mkfs.ext4 -q /dev/mapper/inner
		mount /dev/mapper/inner /tmp/xc.inner
		"$(c_tool fs-load.c)" /tmp/xc.inner 1 "$XCRYPT_SEED"
		umount /tmp/xc.inner
		e2fsck -fn /dev/mapper/inner
		unmap inner
		losetup -d "$disk"
	done
	umount /tmp/xc.outer
	e2fsck -fn /dev/mapper/outer
}

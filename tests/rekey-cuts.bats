#!/usr/bin/env bats
# machine: -m 768 -c 2 --timeout 900
# kernels: newest
# tests: 2
#
# Cut power during a conversion. Data and state are on one device with a volatile cache
# (tests/modules/xcrypt_cache.c), which loses a part of what was not flushed, chosen by the
# seed. What was flushed must be there afterwards. LONG=1 cuts fifty times.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-rekey

CUTS=${XCRYPT_LONG:+50}
CUTS=${CUTS:-5}

setup_file()
{
	rekey_set_up 330
	insmod "$XCRYPT_KO/xcrypt_cache.ko"
}

setup()
{
	new_keys
	DATA=/dev/mapper/data
	STATE=/dev/mapper/state
}

teardown()
{
	local dir
	for dir in /tmp/xc.*; do umount "$dir" 2>/dev/null || true; done
	[ ! -e /dev/mapper/cache ] || message cache heal
	unmap_all
	rm -f /tmp/versions
}

teardown_file()
{
	clean_up
	rmmod xcrypt_cache
	unload_target
}

# chosen N LABEL: print a number below N, by the seed
chosen() { echo $((0x$(random_bytes 4 "$BATS_TEST_NUMBER/$2" | xxd -p) % $1)); }

# batches SECTORS: make them this short, so that there are many, and one is always active
batches() { echo "$1" >/sys/kernel/debug/fail_xcrypt/rekey_batch_sectors; }

# power_on: the device, and on it state and data of SIZE sectors
power_on()
{
	map cache <<<"0 $((SIZE + 8192)) xcrypt-cache /dev/ram0 0"
	slice state /dev/mapper/cache 0 4096
	slice data /dev/mapper/cache 8192 "$SIZE"
}

# power_off: after the power was cut, or bios failed
power_off() { unmap one data state cache; }

# cut_power LABEL: none, some or all of what was not flushed is lost
cut_power()
{
	local percent
	percent=$(($(chosen 3 "$1/percent") * 50))
	say "$(rekey_status one), $(dmsetup status cache | cut -d' ' -f4) sectors in the cache, $percent % kept"
	message cache cut $percent "$(chosen 1000000 "$1/seed")"
}

# doze LABEL: up to half a second
doze() { sleep "0.$(chosen 5 "$1")$(chosen 9 "$1/2")"; }

# flushed_survives [OPTION...]: of a conversion with these options
flushed_survives()
{
	local i flushed writer
	flushed=$(c_tool flushed.c)
	SIZE=65536
	batches 8
	power_on
	begin one rekey_paused "$@"
	for i in $(seq "$CUTS"); do
		message one rekey resume
		"$flushed" write /dev/mapper/one /tmp/versions "$(chosen 1000000 "writes/$i")" >/tmp/said 3>&- &
		writer=$!
		sleep 0.3
		doze "$i"
		if [ $((i % 2)) = 0 ]; then
			# A warm crash: the memory is lost, the cache is not. Then power is lost too.
			message cache fail
			wait $writer
			unmap one
			message cache heal
			rekey_line rekey_paused | map one
			message one rekey resume
			doze "$i/warm"
			cut_power "$i"
		else
			cut_power "$i"
			wait $writer
		fi
		power_off
		power_on
		rekey_line rekey_paused | map one
		"$flushed" check /dev/mapper/one /tmp/versions
	done
	message one rekey resume
	wait_rekey one 'done'
	"$flushed" check /dev/mapper/one /tmp/versions
	unmap one
	plain_line crypt "$NEW" | map plain
	"$flushed" check /dev/mapper/plain /tmp/versions
}

@test "what was flushed survives power cuts, cold and warm, and the conversion goes on" {
	flushed_survives
}

@test "with a journal too" {
	flushed_survives rekey_resilience:journal
}

# file_system TYPE SECTORS: files that were synced are there after each cut
file_system()
{
	local i n
	SIZE=$2
	batches 8
	modprobe -q "$1" || true
	power_on
	begin one rekey_paused
	mkfs."$1" -q /dev/mapper/one >/dev/null
	mkdir -p /tmp/xc.fs
	: >/tmp/sums
	for i in $(seq "$CUTS"); do
		mount /dev/mapper/one /tmp/xc.fs
		message one rekey speed 3000
		message one rekey resume
		for n in 1 2 3 4; do
			random_bytes $((n * 30000)) "$i/$n" >"/tmp/xc.fs/$i.$n"
			sync "/tmp/xc.fs/$i.$n"
			md5sum "/tmp/xc.fs/$i.$n" >>/tmp/sums
		done
		random_bytes 500000 "$i" >/tmp/xc.fs/unsynced 3>&- &
		doze "$i"
		cut_power "$i"
		wait
		umount /tmp/xc.fs
		power_off
		power_on
		rekey_line rekey_paused | map one
		mount /dev/mapper/one /tmp/xc.fs
		md5sum --quiet -c /tmp/sums
		umount /tmp/xc.fs
		case $1 in
		ext4) fsck.ext4 -fn /dev/mapper/one ;;
		xfs) xfs_repair -n /dev/mapper/one ;;
		btrfs) btrfs check /dev/mapper/one ;;
		esac >/tmp/fsck 2>&1 || die "$(cat /tmp/fsck)"
	done
	message one rekey speed 0
	message one rekey resume
	wait_rekey one 'done'
	mount /dev/mapper/one /tmp/xc.fs
	md5sum --quiet -c /tmp/sums
	umount /tmp/xc.fs
}

@test "ext4 survives power cuts during a conversion" {
	file_system ext4 65536
}

# (These want more space than can be converted in a minute.)
@test "xfs survives power cuts during a conversion" {
	[ -n "$XCRYPT_LONG" ] || skip "takes long: XCRYPT_LONG=1"
	file_system xfs 655360
}

@test "btrfs survives power cuts during a conversion" {
	[ -n "$XCRYPT_LONG" ] || skip "takes long: XCRYPT_LONG=1"
	file_system btrfs 262144
}

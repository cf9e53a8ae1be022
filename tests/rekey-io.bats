#!/usr/bin/env bats
# machine: -m 512 -c 2 -d 512M --timeout 900
# kernels: newest
# tests: 3
#
# Bios during a conversion: on both sides of the boundary, held and released, discards,
# read-ahead, large bios, swap; and a half-converted volume under dm-crypt.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-rekey

setup_file() { rekey_set_up 8; }
setup() { new_keys; }
teardown() { swapoff -a || true; unmap_all; }

teardown_file()
{
	clean_up
	unload_target
}

# half LABEL [OPTION...]: a volume of fill LABEL, paused in mid-conversion at BOUNDARY,
# which is no multiple of 4 KiB
half()
{
	fill_old "$1"
	BOUNDARY=0
	begin one rekey_paused "${@:2}"
	message one rekey speed 500
	message one rekey resume
	wait_for 30 moved one
	message one rekey pause
	read -r _ BOUNDARY _ <<<"$(rekey_status one)"
	[ "$BOUNDARY" -lt "$(sectors_of "$DATA")" ]
}

# by_crypt NAME: the half-converted volume as dm-crypt serves it
by_crypt()
{
	local rest=$(($(sectors_of "$DATA") - BOUNDARY))
	map "$1" <<-END
		0 $BOUNDARY crypt $SPEC $NEW 0 $DATA 0
		$BOUNDARY $rest crypt $SPEC $OLD $BOUNDARY $DATA $BOUNDARY
	END
}

# same_by_crypt: dm-crypt and the volume read the same
same_by_crypt()
{
	by_crypt plain
	same_content /dev/mapper/one /dev/mapper/plain
	unmap plain
}

# across SECTORS_BEFORE SECTORS_AFTER LABEL: write and read around the boundary
across()
{
	local count=$(($1 + $2)) from=$((BOUNDARY - $1))
	random_bytes $((count * 512)) "$3" >/tmp/across
	dd if=/tmp/across of=/dev/mapper/one bs=$((count * 512)) seek=$((from * 512)) \
		oflag=direct,seek_bytes conv=notrunc status=none
	cmp /tmp/across <(dd if=/dev/mapper/one bs=$((count * 512)) count=1 \
		skip=$((from * 512)) iflag=direct,skip_bytes status=none)
}

@test "a half-converted volume is two segments for dm-crypt" {
	half one
	check_fill /dev/mapper/one one
	by_crypt plain
	check_fill /dev/mapper/plain one
	unmap plain
}

@test "bios across the boundary have both keys, however they are encrypted" {
	local words
	half two
	while read -r words; do
		# shellcheck disable=SC2086 # words
		rekey_line rekey_paused $words | remap one
		across 1 1 "$words 1"
		across 7 9 "$words 2"
		across 100 3 "$words 3"
		across 5 400 "$words 4"
		across 500 700 "$words 5"
		same_by_crypt
	done <<-END

		engine:api
		offload:spread
		engine:api offload:spread
		verify_writes
		no_read_workqueue no_write_workqueue
	END
}

@test "a key in use, and what was read, are right while the boundary moves" {
	local pid
	fill_old three
	begin_slowly one 700
	fio --name=load --filename=/dev/mapper/one --rw=randrw --bsrange=512-1m --direct=1 \
		--ioengine=psync --numjobs=3 --size=100% --offset_increment=33% --verify=crc32c \
		--randseed="$XCRYPT_SEED" --time_based --runtime=6 --minimal >/dev/null &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		message one rekey speed $((RANDOM % 3 * 400 + 300))
		sleep 0.2
		message one rekey pause
		message one rekey resume
		sleep 0.3
	done
	wait $pid
	finish one
}

@test "discards pass the gate, and damage nothing beside them" {
	local i size part
	fill_old four
	size=$(sectors_of "$DATA") part=$((size / 10))
	begin_slowly one 1500 allow_discards
	for i in 1 2 3 4 5 6 7 8; do
		blkdiscard -o $((i * part * 512)) -l $((8 * 4096)) /dev/mapper/one
	done
	message one rekey speed 0
	wait_rekey one 'done'
	random_bytes $((size * 512)) four >/tmp/expected
	for i in 1 2 3 4 5 6 7 8; do
		dd if=/dev/mapper/one of=/tmp/expected bs=512 skip=$((i * part)) \
			seek=$((i * part)) count=64 conv=notrunc status=none
	done
	cmp /tmp/expected /dev/mapper/one
	[ "$(dmsetup status one | sed 's/.*errors:\([0-9]*\).*/\1/')" = 0 ]
}

@test "a discard of the whole volume does not wait until the whole volume is converted" {
	local discard DATA=/dev/mapper/nothing
	map nothing <<<"0 $((64 << 21)) zero"
	begin one rekey_paused allow_discards
	message one rekey speed 0
	message one rekey resume
	wait_for 30 moved one
	blkdiscard /dev/mapper/one 3>&- &
	discard=$!
	sleep 5
	rekey_is one running
	# it would end then
	[ ! -e "/proc/$discard" ] || { message one rekey pause; die "it waits"; }
	wait "$discard"
	unmap one nothing
}

@test "two segments are converted at the same time" {
	local half=$(($(sectors_of "$DATA") / 2))
	fill_old five
	slice first "$STATE" 0 4096
	slice second "$STATE" 4096 4096
	dd if=/dev/zero of="$STATE" bs=1M oflag=direct status=none 2>/dev/null || true
	map one <<-END
		0 $half xcrypt $SPEC :64:logon:xc:old 0 $DATA 0 3 rekey_state:/dev/mapper/first rekey_key::64:logon:xc:new rekey_start
		$half $half xcrypt $SPEC :64:logon:xc:old $half $DATA $half 3 rekey_state:/dev/mapper/second rekey_key::64:logon:xc:new rekey_start
	END
	wait_for 60 both_done
	check_fill /dev/mapper/one five
	unmap one
	new_key_only five
}

both_done() { [ "$(dmsetup status one | grep -c rekey:done)" = 2 ]; }

@test "swap on the volume works during a conversion" {
	local disk total free before after
	read -r disk _ <<<"$XCRYPT_DISKS"
	DATA=$disk
	begin_slowly one 20000
	mkswap /dev/mapper/one >/dev/null
	swapon /dev/mapper/one
	total=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
	free=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
	before=$(awk '$1 == "pswpout" { print $2 }' /proc/vmstat)
	"$(c_tool swap-load.c)" $((free + total / 5)) 10 "$XCRYPT_SEED"
	after=$(awk '$1 == "pswpout" { print $2 }' /proc/vmstat)
	say "$((after - before)) pages written to swap, $(rekey_status one)"
	[ $((after - before)) -gt 2000 ]
	swapoff /dev/mapper/one
}

@test "the state device sets no limits, and its users are known" {
	local limit
	half seven
	for limit in logical_block_size max_hw_sectors_kb discard_max_bytes; do
		[ "$(cat "/sys/block/$(basename "$(readlink -f /dev/mapper/one)")/queue/$limit")" = \
			"$(plain_line xcrypt "$OLD" | sed 's/ram0/ram2/' | map other &&
				cat "/sys/block/$(basename "$(readlink -f /dev/mapper/other)")/queue/$limit"
				unmap other)" ]
	done
	dmsetup deps -o devname one | grep -q ram1
}

#!/usr/bin/env bats
#
# machine: -m 1280 -d 256M --timeout 900
# kernels: newest
# tests: 2
#
# A mapping is suspended, resumed, reloaded, resized and removed under verified
# writes.

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io

# busy DEVICE [FIO OPTION...]: fio in the background until it is told to stop;
# sets BUSY to its process
busy()
{
	local device=$1
	shift
	fio_verify "$device" --numjobs=2 --size=4M --offset_increment=8M \
		--time_based --runtime=600 --verify_backlog=32 \
		--thinktime=20ms --thinktime_blocks=24 "$@" >/tmp/xc-busy.log 2>&1 3>&- &
	BUSY=$!
	wait_for 60 eval "gone $BUSY || bios_done $device 50"
	still_busy
}

# bios_done DEVICE COUNT: has it completed so many?
bios_done()
{
	awk -v count="$2" '{ exit $1 + $5 < count }' "$(queue "$1")/../stat"
}

# hold DEVICE: keep it open, as fio closes it now and then. Sets HOLDER
hold()
{
	# shellcheck disable=SC2217 # an open file is all that is wanted
	sleep 600 <"$1" 3>&- &
	HOLDER=$!
}

let_go()
{
	kill "$HOLDER"
	wait "$HOLDER" || true
}

still_busy()
{
	! gone "$BUSY" || {
		cat /tmp/xc-busy.log
		die "fio ended early"
	}
}

# calm: end fio; it must not have found an error
calm()
{
	local pid
	still_busy || return
	# one of them may have ended by itself
	for pid in $(pgrep -P "$BUSY" -x fio); do kill -INT "$pid" || true; done
	wait "$BUSY" && return
	# An interrupted fio exits with an error of its own (128), or fails to reopen a
	# device that was removed; only errors of I/O count.
	grep -Eq 'verify: bad|verify failed|io_u error' /tmp/xc-busy.log || return 0
	cat /tmp/xc-busy.log
	die "fio found errors"
}

# load NAME TARGET SECTORS OPTION...: load a new table, without resuming on it
load_table()
{
	local name=$1 target=$2 sectors=$3
	shift 3
	line "$target" xts /dev/ram0 "$sectors" "$@" | dmsetup load "$name"
}

@test "rounds of suspending, other options, and dm-crypt and back" {
	ram_disks 1 64
	encrypt xc xts /dev/ram0
	busy /dev/mapper/xc
	mapfile -t ways < <(offloads)
	for ((round = 1; round <= ${XCRYPT_LONG:+10}15; round++)); do
		# shellcheck disable=SC2153 # set by lib.bash
		kind=$TARGET
		[ $((round % 4)) != 0 ] || kind=crypt
		read -r -a words <<<"${ways[round % ${#ways[@]}]}"
		# Every third round keeps its table.
		[ $((round % 3)) = 0 ] || load_table xc "$kind" 131072 "${words[@]}"
		case $((round % 5)) in
		0) dmsetup suspend --noflush xc ;;
		1) dmsetup suspend --nolockfs xc ;;
		*) dmsetup suspend xc ;;
		esac
		[ $((round % 6)) != 0 ] || sleep 0.3
		dmsetup resume --noudevsync xc
		[ $((round % 3)) = 0 ] ||
			[ "$(dmsetup status xc | cut -d' ' -f3)" = "$kind" ]
	done
	calm
}

@test "it grows under I/O, and shrinks back" {
	ram_disks 1 64
	map xc <<<"$(line "$TARGET" xts /dev/ram0 65536)"
	busy /dev/mapper/xc
	for sectors in 98304 131072 65536; do
		load_table xc "$TARGET" $sectors
		dmsetup suspend xc
		dmsetup resume --noudevsync xc
		[ "$(sectors_of /dev/mapper/xc)" = $sectors ]
		still_busy
	done
	calm
	# The new part continues with the following IVs.
	load_table xc "$TARGET" 131072
	dmsetup suspend xc
	dmsetup resume --noudevsync xc
	fill /dev/mapper/xc grown
	unmap xc
	reference ref xts /dev/ram0
	check_fill /dev/mapper/ref grown
}

@test "removal is deferred while it is open" {
	ram_disks 1 32
	encrypt xc xts /dev/ram0
	busy /dev/mapper/xc
	hold /dev/mapper/xc
	run ! dmsetup remove --noudevsync xc
	dmsetup remove --noudevsync --deferred xc
	dmsetup info xc
	calm
	dmsetup info xc
	let_go
	wait_for 10 eval '! dmsetup info xc'
}

@test "forced removal: I/O fails, nothing hangs" {
	ram_disks 1 32
	for round in 1 2 3; do
		encrypt xc xts /dev/ram0
		busy /dev/mapper/xc
		hold /dev/mapper/xc
		# It stays, with an error table, until it is closed.
		run ! dmsetup remove --noudevsync --force xc
		wait_for 60 gone "$BUSY"
		let_go
		run ! wait "$BUSY"
		grep -q "Input/output error" /tmp/xc-busy.log || die "$(cat /tmp/xc-busy.log)"
		fails grep -E "verify: bad|verify failed" /tmp/xc-busy.log
		unmap xc
	done
}

@test "eight volumes are created and removed concurrently" {
	ram_disks 1 128
	come_and_go 8 4
	[ "$(dmsetup ls)" = "No devices found" ]
}

@test "one mapping of several parts, each with a key of its own" {
	ram_disks 2 32
	part()
	{
		XCRYPT_SEED=$((XCRYPT_SEED + $2)) line "$1" xts "$3" 16384:$(($2 * 16384))
	}
	table()
	{
		local n
		for n in 0 1 2 3; do part "$1" $n "$2" | sed "s/^0 /$((n * 16384)) /"; done
	}
	map xc <<<"$(table "$TARGET" /dev/ram0)"
	map ref <<<"$(table crypt /dev/ram1)"
	fio_verify /dev/mapper/xc --size=16M --io_size=4M
	# I/O across two parts too
	fill /dev/mapper/xc parts
	fill /dev/mapper/ref parts
	same_content /dev/ram0 /dev/ram1
	check_fill /dev/mapper/xc parts
}

@test "the module cannot be unloaded while in use, and can be afterwards" {
	ram_disks 1 16
	module=$(target_module)
	encrypt xc xts /dev/ram0
	run rmmod "$module"
	[ "$status" -ne 0 ]
	[[ $output == *"in use"* ]]
	dmsetup suspend xc
	run ! rmmod "$module"
	dmsetup resume --noudevsync xc
	# a table that is only loaded keeps it in use too
	unmap xc
	dmsetup create --noudevsync --notable held
	line "$TARGET" xts /dev/ram0 16384 | dmsetup load held
	run ! rmmod "$module"
	dmsetup clear held
	rmmod "$module"
	unmap held
	for round in 1 2; do
		load_target
		encrypt xc xts /dev/ram0
		fio_verify /dev/mapper/xc --size=1M
		unmap xc
		rmmod "$module"
	done
}

@test "its workqueues are in sysfs, named after the device" {
	not_for_crypt
	ram_disks 1 16
	encrypt xc xts /dev/ram0
	number=$(lsblk -dno MAJ:MIN /dev/mapper/xc | tr -d ' ')
	found=$(find /sys/devices/virtual/workqueue -maxdepth 1 -name "*$number*" | wc -l)
	[ "$found" -gt 0 ] || {
		ls /sys/devices/virtual/workqueue
		die "no workqueue is named after $number"
	}
	# with a mask to set
	for queue in /sys/devices/virtual/workqueue/*"$number"*; do
		[ ! -e "$queue/cpumask" ] || echo 1 >"$queue/cpumask"
	done
	fio_verify /dev/mapper/xc --size=2M
	unmap xc
	[ "$(find /sys/devices/virtual/workqueue -maxdepth 1 -name "*$number*" | wc -l)" = 0 ]
}

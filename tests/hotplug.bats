#!/usr/bin/env bats
#
# machine: -m 768 --timeout 600
# kernels: 6.1
#
# CPU hotplug in the middle of I/O. User-mode Linux does not support it, so this runs
# in QEMU.

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io

CPU=/sys/devices/system/cpu/cpu1/online
TIMES=4
[ -z "$XCRYPT_LONG" ] || TIMES=300

needs()
{
	[ -e $CPU ] || skip "this machine has no CPU hotplug"
	bios_module
	ram_disks 1 32
}

# Options that decide which CPU does the work
WAYS=("" offload:inline offload:spread same_cpu_crypt
	"submit_from_crypt_cpus high_priority" "offload:spread verify_writes")

# keep_busy DEVICE: write and verify its 1024 sectors until told to stop, at least twice;
# prints how often
keep_busy()
{
	local area="dev=$1 sectors=1024 depth=24 max=131072" round=0
	while [ ! -e "$BATS_TEST_TMPDIR/stop" ] || [ $round -lt 2 ]; do
		bios "$area layout=mixed align=512 op=write data=$((++round))" &&
			bios "$area op=read data=$round shuffle=1" || return
	done
	echo "$round"
}

# word NAME KEY: print the value of key:value in the status
word()
{
	dmsetup status "$1" | tr ' ' '\n' | sed -n "s/^$2://p"
}

@test "CPU hotplug under I/O, wherever the cipher runs" {
	pids=()
	for i in "${!WAYS[@]}"; do
		# shellcheck disable=SC2086 # words
		make_line "$TARGET" xts /dev/ram0 2048:$((i * 2048)) ${WAYS[i]}
		map "xc$i" <<<"$LINE"
		keep_busy "/dev/mapper/xc$i" >"$BATS_TEST_TMPDIR/busy$i" 3>&- &
		pids+=($!)
	done
	for ((n = 0; n < TIMES; n++)); do
		echo 0 >$CPU
		sleep 0.4
		echo 1 >$CPU
		sleep 0.4
	done
	touch "$BATS_TEST_TMPDIR/stop"
	for pid in "${pids[@]}"; do wait "$pid"; done
	echo 0 >$CPU
	for i in "${!WAYS[@]}"; do
		read -r rounds <"$BATS_TEST_TMPDIR/busy$i"
		# The counters of the offline CPU are not lost.
		[ "$TARGET" = crypt ] || {
			[[ $(word "xc$i" read) == */$((rounds * 1024)) ]]
			[[ $(word "xc$i" write) == */$((rounds * 1024)) ]]
			[ "$(word "xc$i" errors)" = 0 ]
		}
		say "${WAYS[i]:-no options}: $rounds rounds"
	done
	echo 1 >$CPU
}

@test "volumes are created and removed while a CPU is offline" {
	echo 0 >$CPU
	for words in "${WAYS[@]}"; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/ram0 $words
		bios "dev=/dev/mapper/xc op=write sectors=2048"
		echo 1 >$CPU
		bios "dev=/dev/mapper/xc op=read sectors=2048 depth=32"
		echo 0 >$CPU
		unmap xc
	done
	echo 1 >$CPU
}

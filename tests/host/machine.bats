#!/usr/bin/env bats
# kernels: 6.1 newest
# machine: --timeout 1500
#
# Tests of the test machine itself, in QEMU and in user-mode Linux.  Common code is
# tested only in the latter, which boots in a fifth of the time.

# shellcheck disable=SC2016 # expanded in the machine

# shellcheck shell=bash
bats_require_minimum_version 1.5.0
load ../lib

machine() { "$BATS_TEST_DIRNAME/../../scripts/machine" "$@"; }
export -f machine

setup_file()
{
	seed_init
}

setup()
{
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	cd "$top" || return
	newest=$(scripts/kernel name newest)
}

# kernels: print one kernel of the two kinds, selected by the seed; both in the long run
kernels()
{
	printf "%s\t$BATS_TEST_NUMBER\n" 6.1 "$newest" | some 1 | cut -f 1
}

@test "output and exit status are passed on" {
	for kernel in $(kernels); do
		run --separate-stderr machine -k "$kernel" -- \
			bash -c 'seq 100000; echo "err $XCRYPT_KERNEL" >&2; exit 7'
		[ "$status" = 7 ]
		[ "$output" = "$(seq 100000)" ]
		[[ $stderr == *"err $kernel"* ]]
	done
}

@test "arguments and current folder are passed unchanged" {
	for kernel in $(kernels); do
		run machine -k "$kernel" -- bash -c 'printf "%s|" "$PWD" "$@"' - 'a b' "c'd" '$e' ''
		echo "$output"
		[ "$status" = 0 ]
		[ "$output" = "$PWD|a b|c'd|\$e||" ]
	done
}

@test "a warning fails the run even if the command passed" {
	for kernel in $(kernels); do
		run machine -k "$kernel" -- sh -c 'insmod $XCRYPT_KO/splat.ko'
		echo "$output"
		[ "$status" = 121 ]
		[[ $output == *"splat: as asked"* ]]
	done
}

@test "an expected warning does not fail the run, a different one does" {
	run machine -k newest --expect-splat 'splat: as asked' -- sh -c 'insmod $XCRYPT_KO/splat.ko'
	echo "$output"
	[ "$status" = 0 ]
	run machine -k newest --expect-splat 'something else' -- sh -c 'insmod $XCRYPT_KO/splat.ko'
	[ "$status" = 121 ]
}

@test "an oops and a panic end the machine at once, with the log" {
	declare -A ways=([6.1]=oops [$newest]=panic)
	[ -z "${XCRYPT_LONG:-}" ] || ways=([6.1]="oops panic" [$newest]="oops panic")

	for kernel in $(kernels); do
		for how in ${ways[$kernel]}; do
			SECONDS=0
			run machine -k "$kernel" -- sh -c "insmod \$XCRYPT_KO/splat.ko how=$how; sleep 1000"
			echo "$output"
			[ "$status" = 121 ]
			[ "$SECONDS" -lt 500 ]
		done
	done
}

@test "a leak is detected" {
	run machine -k newest -- sh -c 'insmod $XCRYPT_KO/splat.ko how=leak'
	echo "$output"
	[ "$status" = 121 ]
	[[ $output == *"unreferenced object"* ]]
}

@test "a machine that hangs is killed at its timeout, and its output is passed on" {
	declare -A limits=([6.1]=90 [$newest]=30)

	for kernel in $(kernels); do
		run machine -k "$kernel" --timeout "${limits[$kernel]}" -- sh -c "echo begun; sleep 1000"
		echo "$output"
		[ "$status" = 124 ]
		[[ $output == *begun* ]]
	done
}

@test "a machine ends with the script that started it" {
	for signal in TERM KILL; do
		machine --append "mark=$signal.$$" -- sleep 1000 &
		wait_for 60 pgrep -f "qemu.*mark=$signal.$$"
		kill -"$signal" "$(pgrep -f "bash.*scripts/machine.*mark=$signal.$$")"
		wait_for 60 eval '! pgrep -f "qemu.*mark=$signal.$$"'
	done
}

@test "a disk that is a file is kept" {
	for kernel in $(kernels); do
		rm -f "$BATS_TEST_TMPDIR/disk"
		truncate -s 4M "$BATS_TEST_TMPDIR/disk"
		machine -k "$kernel" -d "$BATS_TEST_TMPDIR/disk" -- \
			sh -c 'echo kept | dd of=$XCRYPT_DISKS conv=notrunc status=none'
		grep -q kept "$BATS_TEST_TMPDIR/disk"
	done
}

# A boot takes long: test as much as possible in one machine.
@test "disks, a shared folder, and a command's environment" {
	for kernel in $(kernels); do
		rm -f "$BATS_TEST_TMPDIR/result"
		run machine -k "$kernel" -d 8M -d 16M,logical=4096 -d 4M --share "$BATS_TEST_TMPDIR" -- bash -ec '
			# in order, with the given sizes and sectors, empty
			for disk in $XCRYPT_DISKS; do
				blockdev --getsize64 --getss "$disk" | xargs
				cmp -n 4194304 "$disk" /dev/zero
				dd if=/dev/urandom of="$disk" bs=4096 count=1 oflag=direct status=none
			done

			# writable, unlike the rest of the host
			echo "$XCRYPT_KERNEL" >"$1/result"
			echo x >/etc/xcrypt-was-here
			echo x >"$2/not-shared"

			modprobe dm-crypt
			truncate -s 8M /tmp/file
			loop=$(losetup --show -f /tmp/file)
			dmsetup create zero --table "0 8 linear $loop 0"
			test -b /dev/mapper/zero
			dmsetup remove zero
			mountpoint -q /sys/kernel/debug
			mountpoint -q /sys/kernel/config
			keyctl add user name value @u >/dev/null
			test "$(cat <(echo substitution))" = substitution
			echo again >/dev/stdout
			head -c 32 /dev/random | wc -c' - "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR"
		echo "$output"
		[ "$status" = 0 ]
		[ "$output" = $'8388608 512\n16777216 4096\n4194304 512\nagain\n32' ]
		[ "$(cat "$BATS_TEST_TMPDIR/result")" = "$kernel" ]
		[ ! -e /etc/xcrypt-was-here ]
		[ ! -e "$BATS_RUN_TMPDIR/not-shared" ]
	done
}

@test "two machines reach each other" {
	[ -n "${XCRYPT_LONG:-}" ] || skip "no suite needs a network yet: XCRYPT_LONG=1"
	machine -n "test$$:1" -- bash -c 'set -- $XCRYPT_NET
		for i in $(seq 60); do ping -c 1 -W 1 "$2" && exit; sleep 1; done; exit 1' >"$BATS_TEST_TMPDIR/1" 2>&1 &
	first=$!
	run machine -n "test$$:2" -- bash -c 'set -- $XCRYPT_NET
		for i in $(seq 60); do ping -c 1 -W 1 "$2" && break; sleep 1; done; sleep 5'
	echo "$output"
	[ "$status" = 0 ]
	wait "$first"
}

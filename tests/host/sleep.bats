#!/usr/bin/env bats
# kernels: 6.1
# machine: --timeout 1200
#
# Conversions that hibernate, and two machines with one disk. Nothing in a machine but its
# disk survives that; so the machines of these tests have all that they run in memory
# (tests/host/sleep).

# shellcheck shell=bash
load ../lib

top=$BATS_TEST_DIRNAME/../..
kernel=6.1

SWAP=$((32768 << 9))	# its place on the disk, in bytes, and its header's size
HEADER=4096

setup_file()
{
	local i

	seed_init
	export shared=$BATS_FILE_TMPDIR/shared
	mkdir -p "$shared/data"
	make -s -C "$top/tests"
	random_bytes 64 old >"$shared/old"
	random_bytes 64 new >"$shared/new"
	for i in 0 1 2 3; do random_bytes 65536 "data/$i" >"$shared/data/$i"; done
	"$BATS_TEST_DIRNAME/sleep/initramfs" "$kernel" "$shared"

	disks "$BATS_FILE_TMPDIR/hibernated"
	boot "$BATS_FILE_TMPDIR/hibernated" one hibernate
	ends one
}

setup() { dir=$BATS_TEST_TMPDIR; }

teardown() { stop_machines; }

# disks FOLDER: a volume and its state
disks()
{
	mkdir -p "$1"
	truncate -s 96M "$1/data"
	truncate -s 2M "$1/state"
}

# boot FOLDER NAME STEP: start a machine with these disks; its output is in
# FOLDER/NAME.log
declare -gA machines=() logs=() keyboards=()
boot()
{
	local disk drives=() keyboard=$1/$2.keyboard fd

	source "$top/scripts/machine.d/qemu.sh"
	for disk in data state; do
		drives+=(-drive "if=virtio,format=raw,cache=unsafe,file.locking=off,file=$1/$disk")
	done
	mkfifo "$keyboard"
	exec {fd}<>"$keyboard"
	keyboards[$2]=$fd
	logs[$2]=$1/$2.log
	: >"${logs[$2]}"
	timeout -s KILL 500 setpriv --pdeathsig KILL \
		qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
		-machine q35 -accel "$(accelerator)" -cpu max -smp 2 -m 384 \
		-kernel "$("$top/scripts/kernel" image "$kernel")" -initrd "$shared/initrd" \
		-append "console=ttyS0 rootfstype=ramfs loglevel=7 panic=-1 oops=panic no_timer_check mitigations=off watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120 step=$3" \
		"${drives[@]}" -serial stdio <"$keyboard" >"${logs[$2]}" 2>&1 3>&- &
	machines[$2]=$!
}

stop_machines()
{
	[ ${#machines[@]} = 0 ] || kill "${machines[@]}" 2>/dev/null || true
}

# reported NAME TEXT: has it?
reported() { tr -d '\r' <"${logs[$1]}" | grep -qE "report: $2\$"; }

runs() { kill -0 "${machines[$1]}" 2>/dev/null; }

# until_reported NAME TEXT
until_reported()
{
	until reported "$1" "$2"; do
		runs "$1" || reported "$1" "$2" || die "$(cat "${logs[$1]}")"
		sleep 0.2
	done
}

# tell NAME: it goes on
tell() { echo >&"${keyboards[$1]}"; }

# ends NAME: wait for the end of a machine; its kernel must not have complained
ends()
{
	wait "${machines[$1]}" || die "$(cat "${logs[$1]}")"
	"$top/scripts/machine.d/complaints" "${logs[$1]}" || die "the kernel complained"
}

# says NAME TEXT...: it must have reported each
says()
{
	local text

	for text in "${@:2}"; do
		reported "$1" "$text" || die "$1 did not report: $text
$(cat "${logs[$1]}")"
	done
}

hibernated()
{
	cp --sparse=always "$BATS_FILE_TMPDIR/hibernated/data" "$dir/data"
	cp "$BATS_FILE_TMPDIR/hibernated/state" "$dir/state"
	logs[one]=$BATS_FILE_TMPDIR/hibernated/one.log
}

@test "converters do not run while the system sleeps, and go on then" {
	# in five seconds, at 512 sectors a second
	local little="([0-9]{1,3}|1[0-7][0-9]{2})"
	hibernated
	says one "freezer converted $little" "devices converted $little" "hibernates"
}

@test "a system that hibernated to a volume in mid-conversion goes on" {
	hibernated
	cp "$dir/state" "$dir/state.before"
	boot "$dir" two resume
	until_reported two "waits"
	# rekey_paused has written nothing
	cmp "$BATS_FILE_TMPDIR/hibernated/data" "$dir/data"
	cmp "$dir/state.before" "$dir/state"
	tell two
	ends two
	says two "goes on" "data right" "state done" "dm-crypt reads it with the new key"
}

@test "if the kernel that reads the image converts on, all I/O of the image fails, and it writes nothing" {
	hibernated
	boot "$dir" two behind
	until_reported two "waits"
	cp --sparse=always "$dir/data" "$dir/data.before"
	cp "$dir/state" "$dir/state.before"
	tell two
	ends two
	says two "goes on" "all I/O fails, state failed"
	grep -F "the state was written during hibernation: all I/O fails" "$dir/two.log"
	cmp "$dir/state.before" "$dir/state"
	# the kernel that reads the image marks it as read
	cmp -n "$SWAP" "$dir/data.before" "$dir/data"
	cmp -i $((SWAP + HEADER)) "$dir/data.before" "$dir/data"
}

@test "two machines, one disk: a paused conversion moves, and the one that stays behind fails all I/O and writes nothing" {
	disks "$dir"
	boot "$dir" one migrate
	until_reported one "waits"
	boot "$dir" two second
	until_reported two "waits"
	tell one
	ends one
	says one "data right" "state done" "dm-crypt reads it with the new key"

	sha256sum "$dir/data" "$dir/state" >"$dir/sums"
	tell two
	ends two
	says two "data right" "all I/O fails, state failed"
	grep -F "another host has written the state: all I/O fails" "$dir/two.log"
	sha256sum -c "$dir/sums"
}

#!/usr/bin/env bats
#
# machine: -m 768 -c 2 --timeout 600
# kernels: newest
# tests: 2
#
# Bios at the gate of a conversion that is stopped at known points: a delay of writes to the
# state keeps it before the first commit, one of writes to the data while it writes a chunk.
# Tracepoints and the count of delayed writes tell where it is, and which bios it holds.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io
load lib-rekey

TAP=/sys/kernel/debug/xcrypt_tap/log
BATCH=64	# sectors, in four chunks
STATE_LOWER=/dev/ram1

setup_file() { rekey_set_up 2; }

setup()
{
	[ -d "$DEBUGFS/fail_xcrypt" ] || die "this build of dm-xcrypt has no short batches"
	new_keys
	modules dm-delay
	bios_module
	mountpoint -q "$TRACING" || mount -t tracefs none "$TRACING"
	slice state $STATE_LOWER 0 4096
	STATE=/dev/mapper/state
	echo $BATCH >"$DEBUGFS/fail_xcrypt/rekey_batch_sectors"
	echo >"$TRACING/trace"
	for event in queue rekey_hold rekey_commit; do
		echo 1 >"$TRACING/events/xcrypt/xcrypt_$event/enable"
	done
}

teardown()
{
	echo 0 >"$TRACING/events/xcrypt/enable"
	echo 0 >"$DEBUGFS/fail_xcrypt/rekey_batch_sectors"
	[ ! -e /dev/mapper/state ] || writes_go_on state $STATE_LOWER
	[ ! -e /dev/mapper/data ] || writes_go_on data "$LOWER"
	unmap_all
	modules_gone scsi_debug
}

teardown_file()
{
	clean_up
	unload_target
}

# --- points --------------------------------------------------------------------

# delayed_data DEVICE: DATA is the device, whose writes can be delayed
delayed_data()
{
	LOWER=$1
	slice data "$LOWER" 0 "$(sectors_of "$LOWER")"
	DATA=/dev/mapper/data
}

# delayed: are there writes to the data that wait?
delayed()
{
	local writes
	read -r _ _ _ _ writes _ <<<"$(dmsetup status data)"
	[ "$writes" -gt 0 ]
}

# traced EVENT PATTERN: has it been traced?
traced() { grep -q "xcrypt_$1: .*$2" "$TRACING/trace"; }

# held SECTOR COUNT: was such a bio held at the gate?
held() { traced queue " $1 + $2 gate$"; }

# before_commit NAME: start a conversion, which cannot make its first batch active: writes
# of that are held, reads are not
before_commit()
{
	begin "$1" rekey_paused
	writes_wait state $STATE_LOWER
	message "$1" rekey resume
	wait_for 30 traced rekey_hold " 0 + $BATCH "
}

# while_written: let it write the first chunk, whose reads are held then
while_written()
{
	writes_wait data "$LOWER"
	writes_go_on state $STATE_LOWER
	wait_for 30 traced rekey_commit " 0 + $BATCH "
	wait_for 30 delayed
}

# --- bios -----------------------------------------------------------------------

# write_at SECTOR COUNT LABEL: one write, past the page cache, where reads would wait for it
write_at()
{
	random_bytes $(($2 * 512)) "$3" | dd of=/dev/mapper/one bs=$(($2 * 512)) seek=$(($1 * 512)) \
		iflag=fullblock oflag=direct,seek_bytes conv=notrunc status=none
}

# reads_as SECTOR COUNT LABEL [FIRST]: does it read as bytes of the label from sector FIRST?
reads_as()
{
	cmp <(raw /dev/mapper/one "$1" "$2") \
		<(random_bytes $(((${4:-0} + $2) * 512)) "$3" | tail -c $(($2 * 512)))
}

# waits PID SECTOR COUNT: its bio is held, and it waits
waits()
{
	wait_for 30 held "$2" "$3"
	kill -0 "$1" || die "the bio of $3 sectors at $2 did not wait"
}

@test "a write to a batch waits until its chunk is written; reads wait while it is being written" {
	local writer reader
	delayed_data /dev/ram0
	fill_old one
	before_commit one

	write_at 8 8 written 3>&- &
	writer=$!
	waits $writer 8 8
	reads_as 0 16 one
	write_at 1000 8 outside
	reads_as 1000 8 outside

	while_written
	kill -0 $writer || die "the write did not wait for its chunk"
	reads_as 0 8 one 3>&- &
	reader=$!
	waits $reader 0 8
	reads_as 1000 8 outside
	# this write is delayed below, not held: it is outside of the batch
	[ "$(rekey_status one)" = "running 0 $(sectors_of $DATA)" ]

	message one rekey pause 3>&- &
	writes_go_on data "$LOWER"
	wait $writer
	wait $reader
	wait $!
	reads_as 8 8 written
	reads_as 0 8 one
	message one rekey resume
	finish one
}

@test "read-ahead is refused where a read is held, and only there" {
	local pid
	delayed_data /dev/ram0
	fill_old two
	before_commit one
	bios "dev=/dev/mapper/one op=read start=0 sectors=16 unit=4096 flags=rahead any=1"
	while_written
	bios "dev=/dev/mapper/one op=read start=0 sectors=16 unit=4096 flags=rahead any=1 fail=1" 3>&- &
	pid=$!
	wait_for 20 gone $pid
	wait $pid
	fails traced queue " 0 + [0-9]* gate$"
	bios "dev=/dev/mapper/one op=read start=1000 sectors=16 unit=4096 flags=rahead any=1"
	writes_go_on data "$LOWER"
	finish one
}

# atomic OFFSET BYTES: write atomically; the offset determines the data
atomic()
{
	[ "$(random_bytes "$2" "atomic $1" | "$(c_tool atomic-write.c)" /dev/mapper/one "$@")" = written ]
}

# arrived SECTORS: the tap has seen one atomic write of that length, and no other of it
arrived()
{
	[ "$(grep -c "^W [0-9]* $1 flags=.*ATOMIC" $TAP) $(grep -c ATOMIC $TAP)" = "1 1" ] ||
		die "expected one atomic write of $1 sectors: $(grep ^W $TAP | head -n 20)"
}

# atomic_data LABEL: DATA is a disk that supports atomic writes, below a tap
atomic_data()
{
	kernel_at_least 6.16 || skip "this kernel's device mapper does not support atomic writes"
	tap_module
	scsi_disk 2 ndelay=20000 atomic_wr=1 atomic_wr_max_length=8192 \
		atomic_wr_gran=8 atomic_wr_align=8
	map tap <<<"0 2048 xcrypt-tap $SCSI 0"
	DATA=/dev/mapper/tap
	fill_old "$1"
}

@test "an atomic write to held and other sectors waits, and stays whole" {
	local writer
	atomic_data three
	before_commit one
	echo >$TAP
	atomic 0 65536 3>&- &
	writer=$!
	waits $writer 0 128
	fails grep -q ATOMIC $TAP
	writes_go_on state $STATE_LOWER
	wait $writer
	arrived 128
	reads_as 0 128 "atomic 0"
	finish one
}

@test "an atomic write across the boundary stays whole" {
	local boundary half
	atomic_data four
	# (batches of eight sectors)
	begin_slowly one 16
	wait_for 30 moved one
	message one rekey pause
	rekey_is one paused
	read -r _ boundary _ <<<"$(rekey_status one)"
	# a write of this length may begin that much before the boundary
	half=$((boundary & -boundary))
	echo >$TAP
	atomic $(((boundary - half) * 512)) $((half * 1024))
	arrived $((half * 2))
	reads_as $((boundary - half)) $((half * 2)) "atomic $(((boundary - half) * 512))"
	message one rekey resume
	finish one
}

#!/usr/bin/env bats
#
# machine: -m 768
# kernels: newest
#
# Polled I/O on a disk with poll queues: the caller polls for completions instead of
# waiting for an interrupt. A volume must complete polled bios, and must send its own
# bios down unpolled, because no task polls for them.

# shellcheck shell=bash
load lib-io

TAP=/sys/kernel/debug/xcrypt_tap/log

needs()
{
	tap_module
	null_disk polled 16 poll_queues=1
	[ "$(limit /dev/polled io_poll)" = 1 ] || die "/dev/polled has no poll queue"
}

teardown()
{
	# (a task that polls for a lost bio cannot be killed)
	if [ -n "$BATS_TEST_COMPLETED" ]; then
		io_clean_up
	fi
}

# polling DEVICE [OPTION...]: run fio like fio_verify, with polled I/O
polling()
{
	# (fio would wait for a lost bio until the machine's timeout)
	timeout -s KILL 120 fio --name=polling --filename="$1" --direct=1 \
		--ioengine=io_uring --hipri=1 --iodepth=16 --rw=randrw --size=4M \
		--bssplit=512/20:4k/40:20k/10:64k/15:256k/15 \
		--verify=crc32c --verify_fatal=1 --do_verify=1 \
		--randseed="$XCRYPT_SEED" --allrandrepeat=1 "${@:2}" \
		>"$BATS_TEST_TMPDIR/fio" 2>&1 3>&- || {
		cat "$BATS_TEST_TMPDIR/fio"
		die "polled fio on $*: status $?"
	}
}

# blocks WORDS: print fio's option for block sizes if the volume has larger sectors
blocks()
{
	[[ $1 != *sector_size:4096* ]] || echo --bssplit=4k/50:20k/20:64k/15:256k/15
}

# seen LETTER: print how many polled reads (R), writes (W) or bios of any kind (.) the tap
# has logged
seen()
{
	grep -c "^$1 .*[=,]POLLED[, ]" $TAP
}

@test "io_poll is that of dm-crypt and dm-linear, and 0 on a disk without poll queues" {
	encrypt xc xts /dev/polled
	reference ref xts /dev/polled
	slice lin /dev/polled 0 2048
	[ "$(limit /dev/mapper/xc io_poll)" = "$(limit /dev/mapper/ref io_poll)" ]
	[ "$(limit /dev/mapper/xc io_poll)" = "$(limit /dev/mapper/lin io_poll)" ]
	unmap xc ref lin
	ram_disks 1 1
	encrypt xc xts /dev/ram0
	[ "$(limit /dev/mapper/xc io_poll)" = 0 ]
}

@test "polled bios complete, one or many at a time; the volume sends no polled bio down" {
	while read -r words; do
		# (the disk completes a polled bio then, for which nobody polls)
		map below <<<"0 $(sectors_of /dev/polled) xcrypt-tap /dev/polled 0 unpolled"
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/mapper/below $words
		for options in --iodepth=16 "--ioengine=pvsync2 --iodepth=1 --size=1M"; do
			status=0
			# (device mapper itself keeps a polled write below: fio waits for it)
			# shellcheck disable=SC2046,SC2086 # options
			(polling /dev/mapper/xc $options $(blocks "$words")) || status=$?
			[ "$(seen .)" = 0 ] ||
				die "$words: $(seen R) polled reads and $(seen W) polled writes below"
			[ $status = 0 ]
		done
		[ "$(grep -c . $TAP)" -gt 100 ]
		unmap xc

		# a tap above the volume shows that the bios are polled
		echo >$TAP
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/polled $words
		map above <<<"0 $(sectors_of /dev/polled) xcrypt-tap /dev/mapper/xc 0"
		# shellcheck disable=SC2046 # options
		polling /dev/mapper/above $(blocks "$words")
		[ "$(seen R)" -gt 10 ] && [ "$(seen W)" -gt 10 ] ||
			die "$words: $(seen R) polled reads and $(seen W) polled writes above"
		unmap above xc below
		echo >$TAP
	done <<-END

		offload:inline
		offload:spread
		sector_size:4096 verify_writes
	END
}

@test "dm-crypt reads data written by polled I/O" {
	encrypt xc xts /dev/polled
	random_bytes 512 poll >"$BATS_TEST_TMPDIR/data"
	timeout -s KILL 60 fio --name=write --filename=/dev/mapper/xc --direct=1 --ioengine=io_uring \
		--hipri=1 --iodepth=8 --rw=write --bs=32k --size=1M --buffer_pattern="'$BATS_TEST_TMPDIR/data'" \
		>"$BATS_TEST_TMPDIR/fio" 2>&1 3>&- || die "$(cat "$BATS_TEST_TMPDIR/fio")"
	raw /dev/mapper/xc 0 2048 >"$BATS_TEST_TMPDIR/ours"
	unmap xc
	reference xc xts /dev/polled
	cmp <(raw /dev/mapper/xc 0 2048) "$BATS_TEST_TMPDIR/ours"
	# (fio repeats the pattern)
	cd "$BATS_TEST_TMPDIR"
	for _ in {1..11}; do
		cat data data >twice
		mv twice data
	done
	cmp ours data
}

@test "polled I/O reports errors of the disk; afterwards it succeeds beside other I/O" {
	modules dm-flakey
	map flaky <<<"0 $(sectors_of /dev/polled) flakey /dev/polled 0 3600 0"
	encrypt xc xts /dev/mapper/flaky
	polling /dev/mapper/xc
	dmsetup load flaky <<<"0 $(sectors_of /dev/polled) flakey /dev/polled 0 0 3600"
	dmsetup suspend flaky
	dmsetup resume --noudevsync flaky
	for rw in read write; do
		fails timeout -s KILL 60 fio --name=bad --filename=/dev/mapper/xc --direct=1 \
			--ioengine=io_uring --hipri=1 --iodepth=4 --rw=$rw --bs=64k --size=1M \
			>"$BATS_TEST_TMPDIR/fio" 2>&1 3>&-
		grep -q 'Input/output error' "$BATS_TEST_TMPDIR/fio" ||
			die "$(cat "$BATS_TEST_TMPDIR/fio")"
	done
	dmsetup load flaky <<<"0 $(sectors_of /dev/polled) flakey /dev/polled 0 3600 0"
	dmsetup suspend flaky
	dmsetup resume --noudevsync flaky
	fio_verify /dev/mapper/xc --size=4M 3>&- &
	polling /dev/mapper/xc --offset=8M
	wait $!
}

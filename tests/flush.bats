#!/usr/bin/env bats
#
# machine: -m 1024 --timeout 900
# kernels: newest
# tests: 3
#
# Flushes and FUA writes. The log of dm-log-writes as underlying device shows what
# became durable in which order.

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io

needs()
{
	modules dm-log-writes dm-delay
	bios_module
	log_writes=$(c_tool log-writes.c)
}

# logged OPTION...: map xcrypt over dm-log-writes over /dev/ram0; log in /dev/ram1
logged()
{
	map log <<<"0 $(sectors_of /dev/ram0) log-writes /dev/ram0 /dev/ram1" &&
		encrypt xc xts /dev/mapper/log "$@"
}

# logged_done: remove them, and write the log, one entry per line, to /tmp/xc-log
logged_done()
{
	unmap xc log && "$log_writes" list /dev/ram1 >/tmp/xc-log
}

# say_log TEXT...: fail, and print the end of the log
say_log()
{
	tail -n 40 /tmp/xc-log
	die "$*"
}

@test "every flush reaches the underlying device after the writes that completed before it" {
	ram_disks 2 32
	while read -r words; do
		# shellcheck disable=SC2086 # words
		logged $words
		for round in {1..8}; do
			bios "dev=/dev/mapper/xc op=write layout=mixed align=512 depth=8" \
				"shuffle=1 start=$((round * 64)) sectors=64 max=8192"
			sync /dev/mapper/xc
			dmsetup message log 0 mark "round-$round"
		done
		logged_done
		awk -v rounds=8 '
			function wrong(what) {
				print "round " round ", entry " $1 ": " what
				exit failed = 1
			}
			BEGIN { round = 1 }
			$4 == "-" && flushed { wrong("a write after the flush") }
			$4 == "-" && ($2 < round * 64 || $2 + $3 > (round + 1) * 64) {
				wrong("a write of another round")
			}
			$4 == "-" { sectors += $3 }
			$4 ~ /FLUSH/ && sectors != 64 { wrong(sectors " sectors before the flush") }
			$4 ~ /FLUSH/ { flushed = 1 }
			$4 ~ /MARK/ && round <= rounds && !flushed { wrong("no flush") }
			$4 ~ /MARK/ { round++; sectors = flushed = 0 }
			END { if (!failed && round <= rounds) wrong("is missing"); exit failed }
		' /tmp/xc-log || say_log "with: ${words:-no options}"
	done < <(ways)
}

@test "a flush that carries data comes before its data" {
	ram_disks 2 32
	while read -r words; do
		# shellcheck disable=SC2086 # words
		logged $words
		bios "dev=/dev/mapper/xc op=write flags=preflush unit=8192 max=8192" \
			"depth=1 sectors=320"
		logged_done
		# 20 bios of 16 sectors: when flush number n arrives, n - 1 have completed.
		awk '
			$4 ~ /FLUSH/ && sectors != 16 * flushes++ { exit failed = 1 }
			{ sectors += $3 }
			END { exit failed || flushes < 20 || sectors != 320 }
		' /tmp/xc-log || say_log "with: ${words:-no options}"
	done < <(ways)
}

# bats test_tags=quick
@test "FUA stays on the write that carried it" {
	ram_disks 2 32
	while read -r words; do
		# shellcheck disable=SC2086 # words
		logged $words
		bios "dev=/dev/mapper/xc op=write layout=mixed align=512 shuffle=1" \
			"flags=fua sectors=2048 max=262144"
		bios "dev=/dev/mapper/xc op=write layout=mixed align=512 shuffle=1" \
			"start=2048 sectors=1024 max=65536"
		bios "dev=/dev/mapper/xc op=write layout=mixed align=512" \
			"flags=fua,preflush start=4096 sectors=512 max=8192"
		logged_done
		awk '
			$4 ~ /MARK/ || !$3 { next }
			($4 ~ /FUA/) != ($2 < 2048 || $2 >= 4096) { exit failed = 1 }
			$4 ~ /FUA/ { fua += $3 }
			END { exit failed || fua != 2048 + 512 }
		' /tmp/xc-log || say_log "with: ${words:-no options}"
	done < <(ways)
}

# Each round fills an area of its own, and ends with a flush.
@test "flushed data survive a power cut at any later write" {
	local every=8 flushed round cuts
	[ -z "$XCRYPT_LONG" ] || every=1
	ram_disks 3 16
	for words in "" offload:spread; do
		# shellcheck disable=SC2086 # words
		logged $words
		for round in {0..7}; do
			bios "dev=/dev/mapper/xc op=write layout=mixed align=512 depth=8" \
				"shuffle=1 start=$((round * 512)) sectors=512 max=16384"
			sync /dev/mapper/xc
		done
		logged_done
		flushed=0 cuts=0
		while read -r entry _ _ flags _; do
			case $flags in *FLUSH*) flushed=$((flushed + 1)) ;; esac
			[ $flushed -gt 0 ] && [ $((entry % every)) = 0 ] || continue
			"$log_writes" replay /dev/ram1 $((entry + 1)) /dev/ram2
			reference ref xts /dev/ram2
			bios "dev=/dev/mapper/ref op=read sectors=$((flushed * 512))"
			unmap ref
			cuts=$((cuts + 1))
		done </tmp/xc-log
		say "$cuts cuts"
		[ $flushed = 8 ] || say_log "$flushed flushes of 8"
		[ $cuts -ge 10 ]
	done
}

# back: print how often the log of writes goes back to an earlier sector
back()
{
	awk '$3 { if ($2 < last) n++; last = $2 } END { print n + 0 }' /tmp/xc-log
}

@test "writes to a rotating disk are batched and sorted, those to other disks are not" {
	not_for_crypt
	local rotating times=()
	ram_disks 2 16
	# It accepts one at a time, so that the others queue up.
	null_disk slow 16 irqmode=2 completion_nsec=1000000 hw_queue_depth=1
	for rotating in 0 1; do
		echo $rotating >/sys/block/slow/queue/rotational
		map log <<<"0 32768 log-writes /dev/slow /dev/ram1"
		encrypt xc xts /dev/mapper/log
		bios "dev=/dev/mapper/xc op=write sectors=2048 max=4096 unit=4096 depth=256 shuffle=1"
		bios "dev=/dev/mapper/xc op=read sectors=2048"
		logged_done
		times+=("$(back)")
	done
	say "back ${times[0]} times, sorted ${times[1]} times"
	[ $((times[1] * 4)) -lt "${times[0]}" ]
}

# bats test_tags=quick
@test "no plaintext reaches the underlying device" {
	ram_disks 2 32
	canary=CANARY-$XCRYPT_SEED-CANARY
	while read -r words; do
		# shellcheck disable=SC2086 # words
		logged $words
		yes "$canary" | dd of=/dev/mapper/xc bs=64k count=16 iflag=fullblock \
			oflag=direct status=none
		yes "$canary" | dd of=/dev/mapper/xc bs=512 seek=4096 count=64 \
			iflag=fullblock conv=fsync status=none
		# The search itself finds plaintext.
		[ "$(raw /dev/mapper/xc 0 2048 | grep -c "$canary")" -gt 1000 ]
		logged_done
		[ "$("$log_writes" find /dev/ram1 "$canary")" = 0 ]
		run ! grep -q "$canary" /dev/ram0
		run ! grep -q "$canary" /dev/ram1
	done < <(ways)
	# and so does the search of the log
	map log <<<"0 $(sectors_of /dev/ram0) log-writes /dev/ram0 /dev/ram1"
	yes "$canary" | dd of=/dev/mapper/log bs=64k count=1 iflag=fullblock oflag=direct status=none
	unmap log
	[ "$("$log_writes" find /dev/ram1 "$canary")" -ge 127 ]
}

@test "a flush does not complete before the underlying device has completed it" {
	# null_blk with a write cache, whose flushes take half a second
	null_disk cached 16 cache_size=1
	map slow <<<"0 $(sectors_of /dev/cached) delay /dev/cached 0 0 /dev/cached 0 0 /dev/cached 0 500"
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/mapper/slow $words
		milliseconds sync /dev/mapper/xc
		[ "$MS" -ge 500 ] || die "an empty flush completed after $MS ms"
		milliseconds bios "dev=/dev/mapper/xc op=write sectors=16 max=8192 unit=8192 flags=preflush"
		[ "$MS" -ge 500 ] || die "a flush with data completed after $MS ms"
		# A write without flush is not delayed: it was the flush.
		milliseconds bios "dev=/dev/mapper/xc op=write sectors=16"
		[ "$MS" -lt 500 ] || say "a write without flush took $MS ms, as long as a flush"
		unmap xc
	done < <(ways)
}

#!/usr/bin/env bats
#
# machine: -m 1024 --timeout 900
# kernels: newest
# tests: 4
#
# Observability of a volume: histograms, tracepoints, dmstats, xcrypt top. None of it
# contains a key.

# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell, and means to be

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io

TRACING=/sys/kernel/tracing
SIZE=8192	# sectors
BIOS=1024	# of 4 KiB, the whole volume

setup()
{
	not_for_crypt
	XCRYPT=$XC_TESTS/../scripts/xcrypt
	load_target
	bios_module
	ram_disks 1 4
	KEY=$(hex_key 64 stats)
	log_mark
}

# No output of any test may contain a key
teardown()
{
	[ ! -e $TRACING/events/xcrypt ] || echo 0 >$TRACING/events/xcrypt/enable
	dmsetup remove "y:1 2" 2>/dev/null || true
	io_clean_up
	rmmod xcrypt_toy 2>/dev/null || true
	if [ -n "${KEY:-}" ]; then
		fails grep -iqF -e "${KEY:8:16}" -e "${KEY: -16}" \
			<<<"${output:-} ${STATS:-} $(log_since)"
	fi
}

# volume [OPTION...]: create /dev/mapper/x over $LOWER, or /dev/ram0
volume()
{
	map x <<<"0 $SIZE $TARGET aes-xts-plain64 $KEY 0 ${LOWER:-/dev/ram0} 0${1:+ $# $*}"
}

# rush read|write [WORD...]: submit $BIOS bios of 4 KiB to the volume
rush()
{
	local op=$1
	shift
	bios "dev=/dev/mapper/x op=$op sectors=$SIZE unit=4096 max=4096 depth=16 any=1" "$@"
	[ "$(bios_count bios)" = $BIOS ] || die "not $BIOS bios"
}

# take_stats: set STATS to the result of the message
take_stats()
{
	STATS=$(dmsetup message x 0 stats)
}

# stat_of DIRECTION PHASE [FIELD]: print the count (1) or total ns (2) from STATS
stat_of()
{
	grep "^$1 $2 " <<<"$STATS" | cut -d' ' -f$((${3:-1} + 2))
}

# starts DIRECTION PHASE: print the starts of the buckets
starts()
{
	grep "^$1 $2 " <<<"$STATS" | cut -d' ' -f5- | tr ' ' '\n' | cut -d: -f1
}

# sampled COUNT: is it one in 32 of $BIOS?  Five standard deviations are 28.
sampled()
{
	if [ "$1" -lt $((BIOS / 32 - 28)) ] || [ "$1" -gt $((BIOS / 32 + 28)) ]; then
		die "$1 of $BIOS bios: $STATS"
	fi
}

# --- histograms ----------------------------------------------------------------

@test "each line has the documented format" {
	volume
	rush write
	rush read
	take_stats
	[ "$(head -n 1 <<<"$STATS")" = sampled:32 ]
	[ "$(sed 1d <<<"$STATS" | cut -d' ' -f1,2 | xargs)" = \
		"read wait read cipher read device write wait write cipher write device" ]
	# buckets are in order and add up to the count, and the sum is between those of
	# their starts and of their ends
	sed 1d <<<"$STATS" | awk '{
		n = least = most = 0
		last = -1
		for (i = 5; i <= NF; i++) {
			split($i, w, ":")
			if (w[1] + 0 <= last || w[2] < 1)
				exit 1
			last = w[1] + 0
			n += w[2]
			least += w[1] * w[2]
			most += (w[1] < 2 ? w[1] + 1 : w[1] * 1.5) * w[2]
		}
		if (n != $3 || $4 < least || $4 > most)
			exit 1
	}' || die "$STATS"
}

@test "inline, one bio in 32 is timed, in the cipher and in the device, and never waits" {
	volume offload:inline
	rush write
	rush read
	[[ $(dmsetup status x) == *" read:$BIOS/$SIZE write:$BIOS/$SIZE inline:$((BIOS * 2)) spread:0 "* ]]
	take_stats
	local dir
	for dir in read write; do
		sampled "$(stat_of $dir cipher)"
		[ "$(stat_of $dir cipher)" = "$(stat_of $dir device)" ]
		[ "$(stat_of $dir cipher 2)" -gt 0 ]
		[ "$(stat_of $dir wait)" = 0 ]
		[ "$(stat_of $dir wait 2)" = 0 ]
	done
}

@test "in a workqueue every timed bio waits once" {
	volume offload:spread
	rush write
	rush read
	take_stats
	local dir
	for dir in read write; do
		sampled "$(stat_of $dir wait)"
		[ "$(stat_of $dir wait)" = "$(stat_of $dir cipher)" ]
		[ "$(stat_of $dir wait)" = "$(stat_of $dir device)" ]
		[ "$(stat_of $dir wait 2)" -gt 0 ]
	done
}

@test "with an asynchronous cipher all three phases are seen" {
	insmod "$XCRYPT_KO/xcrypt_toy.ko" async=1
	map x <<<"0 $SIZE $TARGET capi:xcrypt-toy-plain64 ${KEY:0:32} 0 /dev/ram0 0 1 offload:inline"
	bios "dev=/dev/mapper/x op=write sectors=$SIZE unit=4096 max=4096 depth=16 any=1"
	bios "dev=/dev/mapper/x op=read sectors=$SIZE unit=4096 max=4096 depth=16 any=1"
	take_stats
	local dir n
	for dir in read write; do
		n=$(stat_of $dir device)
		[ "$n" -gt 0 ]
		[ "$n" -lt $((BIOS / 4)) ]
		# queued again once or more if the driver's queue is full
		[ "$(stat_of $dir cipher)" -ge "$n" ]
	done
	# a write continues in a workqueue when it is encrypted
	[ "$(stat_of write wait)" -ge "$(stat_of write device)" ]
}

@test "50 ms of a slow device are the device's, not the cipher's" {
	modules dm-delay
	map slow <<<"0 $SIZE delay /dev/ram0 0 50"
	LOWER=/dev/mapper/slow
	volume
	bios "dev=/dev/mapper/x op=write sectors=4096 unit=4096 max=4096 depth=64"
	bios "dev=/dev/mapper/x op=read sectors=4096 unit=4096 max=4096 depth=64"
	take_stats
	local dir first
	for dir in read write; do
		first=$(starts $dir device | head -n 1)
		# the half octave with 50 ms begins at 2^25 ns
		[ "$first" -ge 33554432 ] || die "$STATS"
		[ $(($(stat_of $dir device 2) / $(stat_of $dir device))) -ge 50000000 ]
		[ $(($(stat_of $dir cipher 2) / $(stat_of $dir cipher))) -lt 50000000 ]
	done
}

@test "stats does not need a suspended device, and accepts no more words" {
	volume
	take_stats
	[ "$(dmsetup message x 0 STATS)" = "$STATS" ]
	local words
	for words in "stats reset" "stats 0" "stats stats stats" statistics stat \
		"stats $KEY" "reset stats"; do
		# shellcheck disable=SC2086 # words
		run ! dmsetup message x 0 $words
	done
	log_since | grep -qF 'message refused: not "stats", "key set <key>", "key wipe" or "rekey ..."'
	dmsetup suspend x
	[ "$(dmsetup message x 0 stats)" = "$STATS" ]
	dmsetup message x 0 key wipe
	[ "$(dmsetup message x 0 stats)" = "$STATS" ]
}

# --- dmstats -------------------------------------------------------------------

@test "dmstats counts I/O" {
	volume
	dmstats create x >/dev/null
	rush write
	run -0 dmstats print --allregions x
	# range, reads, merged, sectors, ns, writes, merged, sectors
	# (printed twice by this dmstats)
	[ "$(cut -d' ' -f2,4,6,8 <<<"$output" | sort -u)" = "0 0 $BIOS $SIZE" ] ||
		die "$output"
	dmstats delete --allregions x
}

# --- tracepoints ---------------------------------------------------------------

# trace_on: enable the events, with an empty buffer
trace_on()
{
	mountpoint -q $TRACING || mount -t tracefs none $TRACING
	echo >$TRACING/trace
	echo 1 >$TRACING/events/xcrypt/enable
}

# trace_off: disable them, and set TRACE to the events: name and text, without the device
# number, which must be that of x
trace_off()
{
	local number
	echo 0 >$TRACING/events/xcrypt/enable
	number=$(dmsetup info -c --noheadings -o major,minor --separator , x)
	TRACE=$(sed -nE "s/^.*: xcrypt_([a-z_]*): $number /\1 /p" $TRACING/trace)
	[ "$(wc -l <<<"$TRACE")" = "$(grep -c ': xcrypt_' $TRACING/trace)" ] ||
		die "$(cat $TRACING/trace)"
	fails grep -iqF -e "${KEY:8:16}" -e "${KEY: -16}" $TRACING/trace
}

# traced LINE...: TRACE must have these events, in this order
traced()
{
	diff <(printf '%s\n' "$@") <(echo "$TRACE")
}

@test "tracepoints show the path of a bio, inline and queued" {
	volume offload:inline
	trace_on
	dd if=/dev/zero of=/dev/mapper/x bs=4k count=1 seek=16 oflag=direct status=none
	trace_off
	traced "map W 128 + 8" "cipher_begin W 128 + 8" "cipher_end W 128 + 8" \
		"lower_submit W 128 + 8" "lower_done W 128 + 8" "end W 128 + 8 [0]"
	trace_on
	dd if=/dev/mapper/x of=/dev/null bs=512 count=1 skip=3 iflag=direct status=none
	trace_off
	traced "map R 3 + 1" "lower_submit R 3 + 1" "lower_done R 3 + 1" \
		"cipher_begin R 3 + 1" "cipher_end R 3 + 1" "end R 3 + 1 [0]"
	unmap x

	volume offload:spread
	trace_on
	dd if=/dev/zero of=/dev/mapper/x bs=4k count=1 oflag=direct status=none
	trace_off
	traced "map W 0 + 8" "queue W 0 + 8 crypt" "dequeue W 0 + 8" \
		"cipher_begin W 0 + 8" "cipher_end W 0 + 8" \
		"lower_submit W 0 + 8" "lower_done W 0 + 8" "end W 0 + 8 [0]"
}

@test "tracepoints show errors and key changes, but no key" {
	map bad <<<"0 $SIZE error"
	LOWER=/dev/mapper/bad
	volume offload:inline
	trace_on
	run ! dd if=/dev/mapper/x of=/dev/null bs=4k count=1 iflag=direct
	dmsetup suspend x
	dmsetup message x 0 key wipe
	run ! dmsetup message x 0 key set "z${KEY:1}"
	dmsetup message x 0 key set "$KEY"
	trace_off
	traced "map R 0 + 8" "lower_submit R 0 + 8" "lower_done R 0 + 8" \
		"end R 0 + 8 [-5]" "key_wipe [0]" "key_set [-22]" "key_set [0]"
}

@test "events can be filtered by their fields" {
	volume offload:inline
	mountpoint -q $TRACING || mount -t tracefs none $TRACING
	echo 'rw == 82 && sector >= 8 && sectors == 8' >$TRACING/events/xcrypt/filter
	trace_on
	dd if=/dev/zero of=/dev/mapper/x bs=4k count=4 oflag=direct status=none
	dd if=/dev/mapper/x of=/dev/null bs=4k count=2 iflag=direct status=none
	trace_off
	echo 0 >$TRACING/events/xcrypt/filter
	[ "$(grep -c '^map' <<<"$TRACE")" = 1 ]
	fails grep -v ' R 8 + 8' <<<"$TRACE"
}

# --- xcrypt top ----------------------------------------------------------------

# field N NAME: print it from that volume's line in the last report of $output
field()
{
	awk -v name="$2" -v n="$1" '$1 == name { f = $n } END { print f }' <<<"$output"
}

# keep_busy: submit bios to x, in the background, until stopped
keep_busy()
{
	while [ ! -e /tmp/stop ]; do
		rush write
	done >/dev/null 2>&1 3>&- &
}

@test "top shows the throughput and latency of a volume" {
	rm -f /tmp/stop
	volume offload:spread
	map "y:1 2" <<<"0 $SIZE $TARGET aes-xts-plain64 $KEY 0 /dev/ram0 0"
	keep_busy
	run -0 "$XCRYPT" top -n 2 --batch
	touch /tmp/stop
	wait
	say "$output"
	[ "$(grep -c '^VOLUME' <<<"$output")" = 2 ]
	# no reads, many writes, in bios of 8 sectors
	[ "$(field 2 x) $(field 3 x)" = "0.0 0" ]
	[ "$(field 5 x)" -gt 0 ]
	awk -v mb="$(field 4 x)" -v iops="$(field 5 x)" 'BEGIN {
		exit !(mb * 1e6 > iops * 4096 - 6e4 && mb * 1e6 < iops * 4096 + 6e4)
	}'
	local shares=$(($(field 6 x) + $(field 9 x) + $(field 12 x))) f
	[ $shares -ge 99 ]
	[ $shares -le 101 ]
	for f in 7 8 10 11 13 14; do
		[[ $(field $f x) =~ ^[0-9.]+(n|u|m|)s$ ]]
	done
	# the idle one beside it
	grep -qE '^y:1\\x202 +0\.0 +0 +0\.0 +0( +- +- +-){3}$' <<<"$output"
	# no escape codes
	fails grep -q $'\e' <<<"$output"
}

@test "top shows new volumes, and drops removed ones" {
	local top status=0
	"$XCRYPT" top >/tmp/report 3>&- &
	top=$!
	wait_for 60 grep -qF "(no volume)" /tmp/report
	volume
	wait_for 60 grep -qE "^x +\(new\)" /tmp/report
	wait_for 60 grep -qE "^x +0\.0" /tmp/report
	unmap x
	wait_for 60 eval 'tail -n 1 /tmp/report | grep -qF "(no volume)"'
	kill -TERM $top
	wait $top || status=$?
	[ $status = 143 ]
}

@test "top shows volumes of the target crypt" {
	unload_target
	load_target crypt_alias=1
	map x <<<"0 $SIZE crypt aes-xts-plain64 $KEY 0 /dev/ram0 0"
	run -0 "$XCRYPT" top -n 1
	grep -q '^x ' <<<"$output"
	unmap x
	unload_target
}

# on_terminal KEY TEXT: run xcrypt top on a terminal, and type KEY when it shows TEXT; sets
# SCREEN to its output, between two `stty -g`
on_terminal()
{
	rm -f /tmp/screen /tmp/keys
	touch /tmp/screen
	mkfifo /tmp/keys
	# script(1) may stop reading the output at the end of its input
	exec 5<>/tmp/keys
	{
		wait_for 60 grep -q "$2" /tmp/screen
		echo -n "$1" >&5
	} 3>&- &
	script -qfc "stty -g; '$XCRYPT' top; stty -g" /tmp/screen >/dev/null <&5
	exec 5>&-
	wait
	SCREEN=$(tr -d '\r' </tmp/screen | sed '/^Script /d')
}

@test "top ends with q or Ctrl-C, and leaves the terminal as it was" {
	local keys
	volume
	for keys in "q VOLUME" $'\003 VOLUME' $'\003 first'; do
		# shellcheck disable=SC2086 # two words
		on_terminal $keys
		# the alternate screen, and back
		[[ $SCREEN == *$'\e[?1049h'*"${keys#* }"*$'\e[?25h\e[?1049l'* ]] ||
			die "$SCREEN"
		[ "$(head -n 1 <<<"$SCREEN")" = \
			"$(sed -n '$ s/.*\x1b\[?1049l//p' <<<"$SCREEN")" ] || die "$SCREEN"
	done
}

@test "xcrypt prints an error, with cryptsetup's exit statuses" {
	local words
	for words in "" nosuch --nosuch "top -n" "top -n 0" "top -n x" "top -d 0" \
		"top --nosuch" "top x" ../xcrypt top.awk; do
		# shellcheck disable=SC2086 # words
		run -1 "$XCRYPT" $words
		[[ $output == "xcrypt: "*"--help)" ]] || die "$words: $output"
	done
	run -0 "$XCRYPT" --help
	[[ $output == "Usage: xcrypt "*"  top	"* ]]
	run -0 "$XCRYPT" top --help
	[[ $output == "Usage: xcrypt top "* ]]
	run -0 "$XCRYPT" --version
	[[ $output == "xcrypt "[0-9]* ]]

	# world-readable
	mkdir -p /tmp/bin
	cp -r "$XCRYPT" "$XCRYPT.d" /tmp/bin
	run -2 setpriv --reuid 65534 --clear-groups /tmp/bin/xcrypt top -n 1
	[[ $output == *root* ]]
	unload_target
	run -4 "$XCRYPT" top -n 1
	[[ $output == *"modprobe dm-xcrypt"* ]]
}

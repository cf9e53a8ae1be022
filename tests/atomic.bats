#!/usr/bin/env bats
#
# machine: -m 768 --timeout 900
# kernels: newest
# tests: 3
#
# Atomic writes (RWF_ATOMIC) on an underlying device that supports them. Each arrives
# there as one write, or is refused before it starts. The limits are compared with
# those of dm-crypt and of the underlying device.

# shellcheck shell=bash
load lib-io

TAP=/sys/kernel/debug/xcrypt_tap/log
LIMITS="atomic_write_unit_min_bytes atomic_write_unit_max_bytes
	atomic_write_max_bytes atomic_write_boundary_bytes"

needs()
{
	kernel_at_least 6.16 || skip "this kernel's device mapper does not support atomic writes"
	tap_module
}

teardown()
{
	[ ! -d "$DEBUGFS/fail_xcrypt" ] || echo 0 >"$DEBUGFS/fail_xcrypt/probability"
	io_clean_up
}

# volumes: print the options of the tested volumes, one volume per line; the first has
# none
volumes()
{
	cat <<-END

		offload:spread
		engine:api offload:inline
		verify_writes
		verify_writes offload:spread
		sector_size:4096
		sector_size:4096 verify_writes
	END
}

# atomic_disk [PARAMETER=VALUE...]: set SCSI to a disk that supports atomic writes, by
# default of any multiple of 4096 bytes
atomic_disk()
{
	scsi_disk 16 ndelay=20000 atomic_wr=1 atomic_wr_max_length=8192 \
		atomic_wr_gran=8 atomic_wr_align=8 "$@"
	[ "$(limit "$SCSI" atomic_write_unit_max_bytes)" -gt 0 ] ||
		die "this kernel's scsi_debug does not support atomic writes"
}

# tapped OPTION...: create /dev/mapper/xc over a tap over the disk; set MIN, MAX and
# BLOCK to its smallest and largest atomic write and its logical block size
tapped()
{
	[ -e /dev/mapper/tap ] || map tap <<<"0 $(sectors_of "$SCSI") xcrypt-tap $SCSI 0"
	encrypt xc xts /dev/mapper/tap "$@"
	echo >$TAP
	MAX=$(limit /dev/mapper/xc atomic_write_unit_max_bytes)
	MIN=$(limit /dev/mapper/xc atomic_write_unit_min_bytes)
	BLOCK=$(limit /dev/mapper/xc logical_block_size)
	[ "$MIN" -ge "$BLOCK" ] || MIN=$BLOCK
}

# atomic DEVICE OFFSET BYTES [SHIFT [COUNT]]: write atomically, and set SAID to the output
# of atomic-write.c; the offset determines the data
atomic()
{
	SAID=$(random_bytes "$3" "$2" | "$(c_tool atomic-write.c)" "$@")
}

# written DEVICE OFFSET BYTES: check that it contains the data of `atomic`
written()
{
	cmp <(raw "$1" $(($2 / 512)) $(($3 / 512))) <(random_bytes "$3" "$2")
}

# write_counts: set WRITES to the disk's counters of writes, merges and written sectors
write_counts()
{
	read -r _ _ _ _ WRITES <"$(queue "$SCSI")/../stat"
	read -r -a WRITES <<<"$WRITES"
	WRITES=("${WRITES[@]:0:3}")
}

# arrive COUNT BYTES COMMAND...: run the command; check that the tap gets COUNT atomic
# writes of BYTES and no other write, and that the disk neither splits nor merges them
arrive()
{
	local count=$1 sectors=$(($2 / 512)) before got
	shift 2
	write_counts
	before=("${WRITES[@]}")
	echo >$TAP
	"$@"
	got=$(grep -c "^W [0-9]* $sectors flags=.*ATOMIC" $TAP)
	if [ "$got" != "$count" ] || [ "$(grep -c '^W' $TAP)" != "$count" ]; then
		grep ^W $TAP | head -n 20
		die "expected $count atomic writes of $sectors sectors, and no others"
	fi
	write_counts
	[ "$((WRITES[0] - before[0])) $((WRITES[1] - before[1])) $((WRITES[2] - before[2]))" = \
		"$count 0 $((count * sectors))" ] ||
		die "the disk's counters after $count writes of $sectors sectors: ${before[*]} to ${WRITES[*]}"
}

# atomic_arrives OFFSET BYTES [SHIFT]: write atomically; check that one write arrives, and
# read it back
atomic_arrives()
{
	arrive 1 "$2" atomic /dev/mapper/xc "$@"
	[ "$SAID" = written ] || die "$2 bytes at $1: $SAID"
	written /dev/mapper/xc "$1" "$2"
}

# expected ATTRIBUTE OPTION...: set EXPECTED to this limit of a volume with these options:
# the disk's, but no more than the volume's buffers hold
expected()
{
	local whole=$((256 * $(getconf PAGESIZE)))
	# (the three buffers of a bio share 256 pages; the size of each is a power of 2)
	[[ "$TARGET $*" != "xcrypt "*verify_writes* ]] || whole=$((whole / 4))
	EXPECTED=$(limit "$SCSI" "$1")
	[[ $1 != *max_bytes ]] || [ "$EXPECTED" -le $whole ] || EXPECTED=$whole
}

@test "limits of atomic writes: the disk's, at most 1 MiB, or 256 KiB with verify_writes" {
	local attribute words ours theirs
	atomic_disk
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts "$SCSI" $words
		# shellcheck disable=SC2086 # words
		reference ref xts "$SCSI" $words
		for attribute in $LIMITS; do
			ours=$(limit /dev/mapper/xc "$attribute")
			theirs=$(limit /dev/mapper/ref "$attribute")
			# shellcheck disable=SC2086 # words
			expected "$attribute" $words
			[ "$ours" = "$EXPECTED" ] ||
				die "$attribute with $words: $ours, expected $EXPECTED; dm-crypt: $theirs"
			case $words:$attribute in
			*verify_writes*) ;;
			# dm-crypt offers more than the disk supports
			sector_size:4096:atomic_write_unit_max_bytes) [ "$theirs" -ge "$ours" ] ;;
			*) [ "$ours" = "$theirs" ] || die "$attribute with $words: $ours, dm-crypt: $theirs" ;;
			esac
		done
		unmap xc ref
	done < <(volumes)
}

@test "an atomic write of each size, page-aligned or not, arrives as one write; dm-crypt reads it" {
	local words size at
	atomic_disk
	while read -r words; do
		# shellcheck disable=SC2086 # words
		tapped $words
		for ((size = MIN; size <= MAX; size *= 2)); do
			atomic_arrives $((3 * size)) "$size"
			atomic_arrives $((4 * size)) "$size" 512
		done
		[ "$size" -gt 65536 ] || die "the largest size is only $((size / 2))"
		unmap xc
		# shellcheck disable=SC2086 # words
		reference xc xts /dev/mapper/tap $words
		for ((at = MIN; at <= MAX; at *= 2)); do
			# (the next size was written at 6 times this one)
			written /dev/mapper/xc $((3 * at)) "$at"
		done
		unmap xc
	done < <(echo; volumes | tail -n +2 | some 1)
}

@test "an atomic write of an invalid size or alignment fails with EINVAL and writes nothing" {
	local words device
	atomic_disk
	for words in "" verify_writes "sector_size:4096 offload:spread"; do
		# shellcheck disable=SC2086 # words
		tapped $words
		# shellcheck disable=SC2086 # words
		reference ref xts "$SCSI" $words
		for device in /dev/mapper/xc /dev/mapper/ref "$SCSI"; do
			max=$(limit "$device" atomic_write_unit_max_bytes)
			write_counts
			seen=${WRITES[*]}
			while read -r offset bytes; do
				atomic "$device" "$offset" "$bytes"
				[ "$SAID" = EINVAL ] || die "$device, $bytes bytes at $offset: $SAID, expected EINVAL"
			done <<-END
				0 $((max * 2))
				0 $((max * 4))
				$((MIN / 2)) $MIN
				$MIN $((MIN * 2))
				0 $((MIN * 3))
				0 $((MIN / 2))
			END
			write_counts
			[ "${WRITES[*]}" = "$seen" ] || die "$device: the disk's counters: $seen to ${WRITES[*]}"
			# A valid write succeeds. (dm-crypt may offer more than works.)
			[ "$device" != /dev/mapper/ref ] || max=$MAX
			atomic "$device" "$max" "$max"
			[ "$SAID" = written ] || die "$device, $max bytes at $max: $SAID"
		done
		unmap xc ref
	done
}

@test "concurrent atomic writes, with and without failed allocations: none is split, none fails" {
	not_for_crypt
	[ -d "$DEBUGFS/fail_xcrypt" ] || skip "this kernel has no fault injection"
	local words percent
	atomic_disk
	# writers COUNT SHIFT: run four writers, each COUNT times at its own offset.  (The
	# block layer may merge adjacent atomic writes, up to the disk's limit.)
	writers()
	{
		local i pid pids=()
		for i in 4 6 8 10; do
			{
				atomic /dev/mapper/xc $((i * MAX)) "$MAX" "$2" "$1"
				[ "$SAID" = written ] || die "writer $i: $SAID"
			} 3>&- &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do wait "$pid" || return; done
	}
	while read -r words; do
		# shellcheck disable=SC2086 # words
		tapped $words
		for percent in 0 50 100; do
			echo -1 >"$DEBUGFS/fail_xcrypt/times"
			echo 0 >"$DEBUGFS/fail_xcrypt/verbose"
			echo $percent >"$DEBUGFS/fail_xcrypt/probability"
			arrive 32 "$MAX" writers 8 $((percent == 50 ? 512 : 0))
			echo 0 >"$DEBUGFS/fail_xcrypt/probability"
			for i in 4 6 8 10; do written /dev/mapper/xc $((i * MAX)) "$MAX"; done
		done
		[[ "$(dmsetup status xc) " == *" errors:0 "* ]] || die "$(dmsetup status xc)"
		unmap xc
	done < <(volumes | some 2)
}

@test "atomic writes beside other writes are neither merged nor split" {
	local words
	atomic_disk
	for words in "" "verify_writes offload:spread"; do
		# shellcheck disable=SC2086 # words
		tapped $words
		fio_verify /dev/mapper/xc --offset=8M --size=8M 3>&- &
		for ((i = 0; i < 8; i++)); do
			atomic /dev/mapper/xc $((i * MAX)) "$MAX" 0 8
			[ "$SAID" = written ] || die "$words: $SAID"
		done
		wait $!
		for ((i = 0; i < 8; i++)); do written /dev/mapper/xc $((i * MAX)) "$MAX"; done
		[ "$(grep -c "^W [0-9]* $((MAX / 512)) flags=.*ATOMIC" $TAP) $(grep -c ATOMIC $TAP)" = "64 64" ] ||
			die "$words: $(grep -c . $TAP) bios, of which atomic: $(grep ATOMIC $TAP | cut -d' ' -f1,3 | sort | uniq -c)"
		unmap xc
	done
}

@test "no atomic writes with verify_writes if the disk's smallest does not fit its buffers" {
	local attribute
	# The disk supports only multiples of 512 KiB
	atomic_disk atomic_wr_gran=1024 atomic_wr_align=1024
	[ "$(limit "$SCSI" atomic_write_unit_min_bytes)" = 524288 ]
	encrypt xc xts "$SCSI"
	[ "$(limit /dev/mapper/xc atomic_write_unit_max_bytes)" = 524288 ]
	atomic /dev/mapper/xc 0 524288
	[ "$SAID" = written ] || die "$SAID"
	unmap xc
	not_for_crypt
	log_mark
	encrypt xc xts "$SCSI" verify_writes
	for attribute in $LIMITS; do
		[ "$(limit /dev/mapper/xc "$attribute")" = 0 ] ||
			die "$attribute: $(limit /dev/mapper/xc "$attribute")"
	done
	atomic /dev/mapper/xc 0 524288
	[ "$SAID" = EOPNOTSUPP ] || die "$SAID"
	# and the block layer does not warn about the limits
	fails grep -F WARNING <<<"$(log_since)"
}

@test "an atomic write to a file on ext4 is one atomic write to the underlying device" {
	local mnt=/tmp/xc.atomic file=/tmp/xc.atomic/file
	atomic_disk
	modules ext4
	tapped verify_writes
	mkfs.ext4 -q -b 4096 /dev/mapper/xc
	mkdir -p $mnt
	mount /dev/mapper/xc $mnt
	random_bytes 65536 >$file
	sync
	echo >$TAP
	atomic $file 8192 4096
	[ "$SAID" = written ] || die "$SAID"
	[ "$(grep -c '^W [0-9]* 8 flags=.*ATOMIC' $TAP)" = 1 ] || die "$(cat $TAP)"
	cmp <(dd if=$file bs=4096 skip=2 count=1 iflag=direct status=none) <(random_bytes 4096 8192)
	umount $mnt
	e2fsck -fn /dev/mapper/xc
}

#!/usr/bin/env bats
#
# machine: -m 1024 --timeout 900
# kernels: newest
# tests: 3
#
# Failed allocations, and an underlying device that fails. A task's own allocations
# fail one after the other (tests/fail-nth.c); those of workers and completions fail
# by the module's own injection point (debug/inject.c) and by the kernel's.

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io
load lib-alloc

SECTORS=8192	# of /dev/ram0
MNT=/tmp/xc.alloc

needs()
{
	not_for_crypt
	faults_needed
	ram_disks 1 $((SECTORS / 2048))
	BELOW=/dev/ram0
}

teardown()
{
	[ ! -d "$DEBUGFS/failslab" ] || faults_off
	io_clean_up
	rmmod xcrypt_toy 2>/dev/null || true
}

# small_volume CIPHER [OPTION...]: create /dev/mapper/xc over the beginning of
# /dev/ram0, or of dm-integrity on it (BELOW), and fill it
small_volume()
{
	[ -z "${TAG_SIZES[$1]:-}" ] || {
		integrity_disk tags /dev/ram0 "${TAG_SIZES[$1]}"
		BELOW=/dev/mapper/tags
	}
	make_line "$TARGET" "$1" "$BELOW" "$SWEPT_SECTORS" "${@:2}"
	map xc <<<"$LINE"
	fill /dev/mapper/xc
}

# check_small_volume: verify it, and remove it
check_small_volume()
{
	check_fill /dev/mapper/xc
	unmap xc
	[ "$BELOW" = /dev/ram0 ] || unmap tags
	BELOW=/dev/ram0
}

# --- the task's own allocations ------------------------------------------------

@test "a failed table load leaves the live table" {
	while read -r -a words; do
		small_volume "${words[@]}"
		XCRYPT_SEED=$((XCRYPT_SEED + 1)) \
			make_line "$TARGET" "${words[0]}" "$BELOW" "$SWEPT_SECTORS" "${words[@]:1}"
		say "${words[*]}"
		sweep -g "$GAP" load xc "$TARGET" "$SWEPT_SECTORS" <<<"${LINE#* "$TARGET" }"
		check_small_volume
	done < <(some 3 <<-END
		xts engine:api
		xts engine:batch
		essiv
		lmk
		tcw
		eboiv
		elephant
		gcm
		authenc
	END
	)
}

@test "the same with a key in the keyring" {
	keyctl new_session >/dev/null
	hex_key 64 ring | xxd -r -p | keyctl padd logon xc:k @s >/dev/null
	small_volume xts
	sweep -g "$GAP" load xc "$TARGET" "$SWEPT_SECTORS" \
		<<<"aes-xts-plain64 :64:logon:xc:k 0 /dev/ram0 0"
	check_small_volume
	keyctl clear @s
}

@test "suspend, resume, another table's resume, and removal" {
	small_volume xts
	# They can do without all of their allocations, or have none.
	survive suspend xc
	survive resume xc
	survive -g $((GAP / 4 + 1)) swap xc "$TARGET" "$SWEPT_SECTORS" <<<"${LINE#* "$TARGET" }"
	check_small_volume
	survive -g $((GAP / 4 + 1)) remove gone "$TARGET" "$SWEPT_SECTORS" <<<"${LINE#* "$TARGET" }"
}

@test "a failed key set leaves the old key, or none" {
	for cipher in xts lmk elephant authenc \
		${XCRYPT_LONG:+tcw eboiv essiv gcm}; do
		small_volume "$cipher"
		read -r _ bytes <<<"${CIPHERS[$cipher]}"
		say "$cipher"
		key=$(hex_key "$bytes" "$cipher")
		sweep set xc <<<"$key"$'\n'"$(hex_key "$bytes" other)"
		sweep wipe xc <<<"$key"
		check_small_volume
	done
}

@test "the message stats" {
	small_volume xts
	sweep message xc <<<"stats"
	check_small_volume
}

# --- what workers and completions allocate --------------------------------------

# volume CIPHER [OPTION...]: create /dev/mapper/xc over all of it
volume()
{
	[ -z "${TAG_SIZES[$1]:-}" ] || {
		integrity_disk tags /dev/ram0 "${TAG_SIZES[$1]}"
		BELOW=/dev/mapper/tags
	}
	encrypt xc "$1" "$BELOW" "${@:2}"
	[ "$BELOW" = /dev/ram0 ] || fill /dev/mapper/xc
}

volume_gone()
{
	unmap xc
	[ "$BELOW" = /dev/ram0 ] || unmap tags
	BELOW=/dev/ram0
}

# undisturbed PERCENT: no operation fails although PERCENT of allocations do
undisturbed()
{
	acked fail_xcrypt="$1"
	[ "$FAILED" = 0 ] || die "$FAILED operations failed"
	[ "$(status errors)" = 0 ] || die "bios failed: $(dmsetup status xc)"
}

@test "bios wait for memory" {
	while read -r -a words; do
		say "${words[*]}"
		volume "${words[@]}"
		for percent in 10 ${XCRYPT_LONG:+50} 100; do undisturbed "$percent"; done
		volume_gone
	done < <(some 4 <<-END
		xts engine:batch
		xts engine:batch offload:spread
		xts engine:api offload:inline
		xts engine:api verify_writes
		lmk offload:spread
		gcm
	END
	)
}

@test "the same with bios of any layout, and with an asynchronous driver" {
	bios_module
	insmod "$XCRYPT_KO/xcrypt_toy.ko"
	echo 1 >/sys/module/xcrypt_toy/parameters/async
	map xc <<<"0 $SECTORS $TARGET capi:xcrypt-toy-plain64 $(hex_key 16) 0 /dev/ram0 0"
	for percent in 50 100; do undisturbed "$percent"; done
	unmap xc

	while read -r -a words; do
		encrypt xc xts /dev/ram0 "${words[@]}"
		for percent in 50 100; do
			set_fault fail_xcrypt times=1000000 probability=$percent
			for op in write read; do
				bios "dev=/dev/mapper/xc op=$op layout=mixed unit=4096 sectors=1024 depth=32"
			done
			set_fault fail_xcrypt probability=0
			[ "$(cat "$DEBUGFS/fail_xcrypt/times")" -lt 1000000 ]
		done
		[ "$(status errors)" = 0 ]
		unmap xc
	done < <(some 1 <<-END
		offload:spread
		sector_size:4096 verify_writes
	END
	)
}

@test "the same on a zoned device, where writes keep their order" {
	bios_module
	null_disk zoned 32 zoned=1 zone_size=4 zone_nr_conv=2
	encrypt xc xts /dev/zoned
	for percent in 20 100; do
		set_fault fail_xcrypt times=1000000 probability=$percent
		bios "dev=/dev/mapper/xc op=write start=24576 sectors=4096 depth=16"
		bios "dev=/dev/mapper/xc op=read start=24576 sectors=4096 depth=16"
		set_fault fail_xcrypt probability=0
		[ "$(cat "$DEBUGFS/fail_xcrypt/times")" -lt 1000000 ]
		blkzone reset /dev/mapper/xc -o 24576 -c 1
	done
	[ "$(status errors)" = 0 ]
}

@test "a file system where every second allocation fails" {
	modules ext4
	ram_disks 1 24
	encrypt xc xts /dev/ram0
	set_fault fail_xcrypt times=1000000 probability=50
	mkfs.ext4 -q /dev/mapper/xc
	mkdir -p $MNT
	mount /dev/mapper/xc $MNT
	for i in {1..24}; do
		random_bytes $((i * 1999)) "file $i" >"$MNT/$i"
		[ $((i % 8)) != 0 ] || sync "$MNT/$i"
	done
	random_bytes $((2 << 20)) file | dd of=$MNT/large bs=64k iflag=fullblock conv=fsync status=none
	umount $MNT
	e2fsck -fn /dev/mapper/xc
	mount /dev/mapper/xc $MNT
	for i in {1..24}; do
		cmp "$MNT/$i" <(random_bytes $((i * 1999)) "file $i")
	done
	cmp $MNT/large <(random_bytes $((2 << 20)) file)
	umount $MNT
	set_fault fail_xcrypt probability=0
	[ "$(cat "$DEBUGFS/fail_xcrypt/times")" -lt 1000000 ]
	[ "$(status errors)" = 0 ]
}

# --- the underlying device, and all allocations of the kernel ---------------------

# make_it_fail DEVICE 0|1: does fail_make_request apply to it?
make_it_fail()
{
	echo "$2" >"$(queue "$1")/../make-it-fail"
}

@test "a device that fails at random: EIO, counted, and nothing acknowledged is lost" {
	while read -r -a words; do
		say "${words[*]}"
		volume "${words[@]}"
		make_it_fail "$BELOW" 1
		for percent in 15 50; do
			before=$(status errors)
			acked fail_make_request=$percent
			[ "$FAILED" -gt 0 ] || die "no operation failed"
			[ $(($(status errors) - before)) -ge "$FAILED" ] ||
				die "$FAILED operations failed, before $before, now: $(dmsetup status xc)"
		done
		make_it_fail "$BELOW" 0
		volume_gone
	done < <(some 2 <<-END
		xts engine:batch
		xts engine:api offload:spread verify_writes
		gcm
	END
	)
}

@test "failed allocations of tags, which have no pool: EIO, counted, and nothing acknowledged is lost" {
	for words in "" verify_writes; do
		# shellcheck disable=SC2086 # a word or none
		volume gcm $words
		# every bio is retried in a worker, and that must fail too
		set_fault fail_xcrypt times=-1 probability=50
		acked fail_xcrypt_tags=60
		set_fault fail_xcrypt probability=0
		[ "$FAILED" -gt 0 ] || die "no operation failed"
		[ "$(status errors)" -ge "$FAILED" ] ||
			die "$FAILED operations failed: $(dmsetup status xc)"
		volume_gone
	done
}

@test "allocations fail everywhere: acknowledged data are right" {
	while read -r -a words; do
		say "${words[*]}"
		volume "${words[@]}"
		# Device mapper of Linux 7.3 assumes that a bio with
		# metadata can be cloned (alloc_io(), which dm-integrity's gets).
		[ "${words[0]}" = gcm ] || acked failslab=3 fail_page_alloc=6
		# only allocations that may not wait, but often
		set_fault failslab ignore-gfp-wait=Y
		set_fault fail_page_alloc ignore-gfp-wait=Y
		before=$(status errors)
		acked failslab=40 fail_page_alloc=40
		# The module waits for its own allocations.
		[ "${words[0]}" = gcm ] || [ "$(status errors)" = "$before" ] ||
			die "bios failed: $(dmsetup status xc)"
		faults_off
		volume_gone
	done < <(some 2 <<-END
		xts engine:batch
		xts engine:api verify_writes
		gcm
	END
	)
}

@test "nothing has leaked" {
	no_leaks
}

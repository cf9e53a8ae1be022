#!/usr/bin/env bats
#
# machine: -m 1024 --timeout 900
# kernels: newest
# tests: 3
#
# The underlying device fails, is slow, or lies; the key is wiped; operations that an
# encrypted device cannot support are not offered.

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io

needs()
{
	modules dm-flakey dm-delay
	bios_module
}

# word NAME KEY: print the value of key:value in the status
word()
{
	dmsetup status "$1" | tr ' ' '\n' | sed -n "s/^$2://p"
}

# with_hole SECTORS AT COUNT: create mapping bad over /dev/ram0, with bad sectors
with_hole()
{
	map bad <<-END
		0 $2 linear /dev/ram0 0
		$2 $3 error
		$(($2 + $3)) $(($1 - $2 - $3)) linear /dev/ram0 $(($2 + $3))
	END
}

@test "bad sectors: exactly those fail, and are counted" {
	ram_disks 1 16
	while read -r words; do
		with_hole 32768 1000 8
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/mapper/bad $words
		rw="dev=/dev/mapper/xc unit=512 max=512 depth=8 shuffle=1"
		for op in write read; do
			bios "$rw op=$op start=900 sectors=100"
			bios "$rw op=$op start=1000 sectors=8 fail=1"
			bios "$rw op=$op start=1008 sectors=100"
		done
		[ "$TARGET" = crypt ] || [ "$(word xc errors)" = 16 ] ||
			die "16 bios failed, status counts: $(dmsetup status xc)"
		# A bio that has both good and bad sectors fails; none hangs.
		bios "dev=/dev/mapper/xc op=read start=992 sectors=16 unit=8192 max=8192 fail=1"
		bios "dev=/dev/mapper/xc op=write start=768 sectors=512 unit=262144 max=262144 fail=1"
		bios "$rw op=write start=2000 sectors=64 flags=random"
		unmap xc bad
	done < <(ways)
}

@test "bad sectors under 4096-byte encryption sectors" {
	ram_disks 1 16
	with_hole 32768 1003 1
	encrypt xc xts /dev/mapper/bad sector_size:4096
	rw="dev=/dev/mapper/xc unit=4096 max=4096"
	for op in write read; do
		bios "$rw op=$op start=960 sectors=40"
		bios "$rw op=$op start=1000 sectors=8 fail=1"
		bios "$rw op=$op start=1008 sectors=40"
	done
}

@test "a device that fails everything, and comes back" {
	ram_disks 1 16
	while read -r words; do
		map flaky <<<"0 32768 flakey /dev/ram0 0 3600 0"
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/mapper/flaky $words
		bios "dev=/dev/mapper/xc op=write sectors=2048"
		remap flaky <<<"0 32768 flakey /dev/ram0 0 0 3600"
		bios "dev=/dev/mapper/xc op=read layout=mixed align=512 sectors=2048 fail=1 depth=64"
		bios "dev=/dev/mapper/xc op=write layout=mixed align=512 start=4096 sectors=2048 fail=1 depth=64"
		remap flaky <<<"0 32768 flakey /dev/ram0 0 3600 0"
		bios "dev=/dev/mapper/xc op=read layout=mixed align=512 sectors=2048"
		unmap xc flaky
	done < <(ways)
}

@test "a flush that fails on the underlying device fails on the volume" {
	null_disk cached 16 cache_size=1
	map flaky <<<"0 32768 flakey /dev/cached 0 3600 0"
	encrypt xc xts /dev/mapper/flaky
	sync /dev/mapper/xc
	remap flaky <<<"0 32768 flakey /dev/cached 0 0 3600"
	[ "$TARGET" = crypt ] || [ "$(word xc errors)" = 0 ]
	run ! sync /dev/mapper/xc
	[ "$TARGET" = crypt ] || [ "$(word xc errors)" = 1 ] ||
		die "a flush failed, status counts: $(dmsetup status xc)"
	bios "dev=/dev/mapper/xc op=write sectors=16 flags=preflush fail=1"
	remap flaky <<<"0 32768 flakey /dev/cached 0 3600 0"
	sync /dev/mapper/xc
}

# spoils DEVICE BYTE: print a table over it that corrupts that byte of every read bio;
# once in 256 times it is right by chance
spoils()
{
	echo "0 65536 flakey $1 0 0 3600 5 corrupt_bio_byte $2 r 165 0"
}

@test "a device that returns wrong bytes: an AEAD detects it" {
	ram_disks 1 32
	map below <<<"0 65536 linear /dev/ram0 0"
	map flaky <<<"0 65536 linear /dev/mapper/below 0"
	integrity_disk tags /dev/mapper/flaky "${TAG_SIZES[gcm]}"
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc gcm /dev/mapper/tags $words
		bios "dev=/dev/mapper/xc op=write sectors=1024"
		bios "dev=/dev/mapper/xc op=read sectors=1024"
		# two bytes are hardly both right by chance
		remap below <<<"$(spoils /dev/ram0 64)"
		remap flaky <<<"$(spoils /dev/mapper/below 128)"
		bios "dev=/dev/mapper/xc op=read sectors=1024 fail=1"
		remap flaky <<<"0 65536 linear /dev/mapper/below 0"
		remap below <<<"0 65536 linear /dev/ram0 0"
		bios "dev=/dev/mapper/xc op=read sectors=1024"
		unmap xc
	done < <(ways)
}

# in_flight NAME: does it have bios in flight?
in_flight()
{
	awk '{ exit !($1 + $2) }' "$(queue "/dev/mapper/$1")/../inflight"
}

@test "a slow device: suspend waits for its I/O" {
	ram_disks 1 16
	map slow <<<"0 32768 delay /dev/ram0 0 300 /dev/ram0 0 2000"
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/mapper/slow $words
		milliseconds bios "dev=/dev/mapper/xc op=write sectors=256 depth=64"
		[ "$MS" -ge 2000 ] || die "written in $MS ms"
		milliseconds bios "dev=/dev/mapper/xc op=read sectors=256 depth=64"
		[ "$MS" -ge 300 ] || die "read in $MS ms"
		bios "dev=/dev/mapper/xc op=write sectors=256 depth=64" 3>&- &
		wait_for 60 in_flight xc
		milliseconds dmsetup suspend xc
		wait $!
		[ "$MS" -ge 200 ] || die "suspended after $MS ms, with a write in flight"
		dmsetup resume --noudevsync xc
		bios "dev=/dev/mapper/xc op=read sectors=256 depth=64"
		unmap xc
	done < <(ways)
}

@test "a wiped key: I/O waits, resume is refused, and a new key ends it" {
	ram_disks 2 16
	for name in xts lmk gcm ${XCRYPT_LONG:+essiv tcw elephant}; do
		below=/dev/ram0
		if [ "${TAG_SIZES[$name]:-}" ]; then
			integrity_disk tags /dev/ram0 "${TAG_SIZES[$name]}"
			below=/dev/mapper/tags
		fi
		encrypt xc "$name" $below
		bios "dev=/dev/mapper/xc op=write sectors=512"
		read -r _ bytes <<<"${CIPHERS[$name]}"
		key=$(hex_key "$bytes" "$name")
		# Not while it is active.
		run ! dmsetup message xc 0 key wipe
		run ! dmsetup message xc 0 key set "$key"
		[ "$TARGET" = crypt ] || [ "$(word xc key)" = valid ]

		dmsetup suspend xc
		dmsetup message xc 0 key wipe
		[ "$TARGET" = crypt ] || [ "$(word xc key)" = wiped ]
		bios "dev=/dev/mapper/xc op=read sectors=512" 3>&- &
		reader=$!
		still_running 1 $reader
		run ! dmsetup resume --noudevsync xc
		# only a key of the right size
		run ! dmsetup message xc 0 key set "${key}00"
		run ! dmsetup message xc 0 key set "${key%??}"
		run ! dmsetup message xc 0 key set -
		run ! dmsetup resume --noudevsync xc
		still_running 1 $reader
		dmsetup message xc 0 key set "$key"
		dmsetup resume --noudevsync xc
		wait $reader
		[ "$TARGET" = crypt ] || [ "$(word xc key)" = valid ]

		# A different key gives different data.
		dmsetup suspend xc
		dmsetup message xc 0 key set "$(hex_key "$bytes" other)"
		dmsetup resume --noudevsync xc
		run ! bios "dev=/dev/mapper/xc op=read sectors=512"
		unmap xc
		[ "$below" = /dev/ram0 ] || unmap tags
	done
}

@test "removal with a wiped key" {
	ram_disks 1 16
	encrypt xc xts /dev/ram0
	dmsetup suspend xc
	dmsetup message xc 0 key wipe
	dmsetup remove --noudevsync xc
	run ! dmsetup info xc
}

@test "discards: only if allowed, and passed down unchanged" {
	null_disk lower 8 discard=1
	[ "$(limit /dev/lower discard_max_bytes)" -gt 0 ]
	encrypt xc xts /dev/lower
	[ "$(limit /dev/mapper/xc discard_max_bytes)" = 0 ]
	fill /dev/mapper/xc
	run ! blkdiscard /dev/mapper/xc
	check_fill /dev/mapper/xc
	unmap xc

	encrypt xc xts /dev/lower allow_discards
	[ "$(limit /dev/mapper/xc discard_max_bytes)" -gt 0 ]
	blkdiscard -o 1M -l 2M /dev/mapper/xc
	zeroes=$(head -c 2M /dev/zero | sha256sum)
	[ "$(raw /dev/lower 2048 4096 | sha256sum)" = "$zeroes" ]
	# and nowhere else
	cmp <(raw /dev/mapper/xc 0 2048) <(random_bytes $((8 << 20)) | head -c 1M)
	cmp <(raw /dev/mapper/xc 6144) <(random_bytes $((8 << 20)) | tail -c +$((3 * 1048576 + 1)))
	unmap xc

	# none smaller than sector_size
	encrypt xc xts /dev/lower allow_discards sector_size:4096
	blkdiscard -o 4096 -l 4096 /dev/mapper/xc
	run ! blkdiscard -o 4096 -l 512 /dev/mapper/xc
}

@test "write-zeroes and secure erase are not offered" {
	null_disk lower 16 discard=1
	for words in "" allow_discards; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/lower $words
		[ "$(limit /dev/mapper/xc write_zeroes_max_bytes)" = 0 ]
		run ! blkdiscard -s /dev/mapper/xc
		fill /dev/mapper/xc
		# The kernel then writes zeroes, which are encrypted.
		blkdiscard -z -l 1M /dev/mapper/xc
		zeroes=$(head -c 1M /dev/zero | sha256sum)
		[ "$(raw /dev/mapper/xc 0 2048 | sha256sum)" = "$zeroes" ]
		[ "$(raw /dev/lower 0 2048 | sha256sum)" != "$zeroes" ]
		unmap xc
	done
}

# limits FOLDER: print them, except those that xcrypt chooses itself
limits()
{
	(cd "$1" && grep -s '' -- *) |
		grep -vE '^(dma_alignment|max_segment_size|max_segments):'
}

@test "queue limits are dm-crypt's, except dma_alignment" {
	null_disk lower 16 discard=1
	null_disk large 16 discard=1 blocksize=4096
	for below in /dev/lower /dev/large; do
		for words in "" allow_discards sector_size:4096 \
			"sector_size:4096 iv_large_sectors allow_discards"; do
			# shellcheck disable=SC2086 # words
			encrypt xc xts $below $words
			# shellcheck disable=SC2086 # words
			reference ref xts $below $words
			xc=$(queue /dev/mapper/xc)
			ref=$(queue /dev/mapper/ref)
			diff <(limits "$xc") <(limits "$ref") ||
				die "over $below with $words (< xcrypt, > dm-crypt)"
			# Device mapper itself does not go below 511.
			want=$(limit $below dma_alignment)
			[ "$want" -ge 511 ] || want=511
			[ "$TARGET" = crypt ] ||
				[ "$(cat "$xc/dma_alignment")" = "$want" ] ||
				die "over $below, $words: dma_alignment is $(cat "$xc/dma_alignment")"
			unmap ref xc
		done
	done
}

#!/usr/bin/env bats
#
# machine: -m 768 --timeout 900
# kernels: newest
# tests: 1
#
# Disks that store and check protection information with each sector (T10 DIF and
# DIX). The block layer generates it for the ciphertext that is written, and verifies it
# for the ciphertext that is read. The volume itself has none.

# shellcheck shell=bash
load lib-io

needs()
{
	bios_module
}

# kinds: print the tested kinds of protection, one per line: type, guard (0 CRC, 1 IP
# checksum), sector size of the disk
kinds()
{
	cat <<-END
		1 0 512
		3 1 512
		1 1 4096
		2 0 512
	END
}

# protected_disk TYPE GUARD BYTES: set SCSI to a disk with this kind of protection
protected_disk()
{
	scsi_disk 16 dif="$1" dix=1 guard="$2" sector_size="$3" ndelay=20000
	[[ $(profile "$SCSI") == "T10-DIF-TYPE$(($1 == 2 ? 1 : $1))-"* ]] ||
		die "unexpected protection of the disk: $(profile "$SCSI")"
	[ "$(cat "$(queue "$SCSI")/../integrity/write_generate")" = 1 ]
	[ "$(cat "$(queue "$SCSI")/../integrity/read_verify")" = 1 ]
}

# profile DEVICE: print the format and attributes of its protection, or none
profile()
{
	local dir
	dir=$(queue "$1")/../integrity
	[ -d "$dir" ] || {
		echo none
		return
	}
	# (only the values; a kernel may lack some of the files)
	echo "$(cat "$dir/format") $(grep -s . "$dir"/{tag_size,protection_interval_bytes,read_verify,write_generate,device_is_integrity_capable} |
		sed 's/.*://' | xargs)"
}

# transfers: set TRANSFERS to the number of reads and writes with protection information
# that reached the disk, and ERRORS to the number that failed its check. Without
# /proc/scsi, set TRANSFERS to larger numbers at each call, and ERRORS to 0.
transfers()
{
	local said
	[ -d /proc/scsi/scsi_debug ] || {
		TURN=$((${TURN:-0} + 1))
		TRANSFERS="$TURN $TURN" ERRORS=0
		return
	}
	said=$(cat /proc/scsi/scsi_debug/*)
	TRANSFERS=$(sed -nE 's/.*dix_reads=([0-9]+), dix_writes=([0-9]+), .*/\1 \2/p' <<<"$said")
	ERRORS=$(sed -n 's/.*dif_errors=//p' <<<"$said")
	[ -n "$TRANSFERS" ] || die "scsi_debug prints no counters: $said"
}

# no_complaint: check that neither the disk nor the kernel's log since log_mark reports an
# error
no_complaint()
{
	transfers
	[ "$ERRORS" = 0 ] || die "the disk found $ERRORS errors of protection information"
	fails grep -iE '(guard|ref|app) tag|protection error|I/O error|Illegal|Aborted|sense key' <<<"$(log_since)"
}

@test "a volume has no protection information, like a dm-crypt volume" {
	local type guard bytes
	while read -r type guard bytes; do
		protected_disk "$type" "$guard" "$bytes"
		for words in "" sector_size:4096; do
			# shellcheck disable=SC2086 # words
			encrypt xc xts "$SCSI" $words
			# shellcheck disable=SC2086 # words
			reference ref xts "$SCSI" $words
			slice lin "$SCSI" 0 "$(sectors_of "$SCSI")"
			[ "$(profile /dev/mapper/xc)" = "$(profile /dev/mapper/ref)" ] ||
				die "$(profile /dev/mapper/xc), dm-crypt: $(profile /dev/mapper/ref)"
			[[ "$(profile /dev/mapper/xc)" == none* ]]
			# a linear mapping of the same disk has it
			[ "$(profile /dev/mapper/lin)" != "$(profile /dev/mapper/xc)" ]
			unmap xc ref lin
		done
	done < <(kinds)
}

@test "bios of any layout: data and protection information are correct, also through dm-crypt" {
	local type guard bytes before unit align
	while read -r type guard bytes; do
		protected_disk "$type" "$guard" "$bytes"
		while read -r words; do
			log_mark
			# shellcheck disable=SC2086 # words
			encrypt xc xts "$SCSI" $words
			unit=$(limit /dev/mapper/xc logical_block_size)
			# (protected sectors may not cross vectors)
			align=$(($(limit /dev/mapper/xc dma_alignment) + 1))
			transfers
			before=$TRANSFERS
			area="dev=/dev/mapper/xc sectors=4096 unit=$unit depth=16"
			bios "$area op=write layout=mixed align=$align shuffle=1 data=1"
			bios "$area op=read layout=multi align=$align data=1"
			bios "$area op=write layout=fragments align=$unit split=1 data=2"
			transfers
			[ "${TRANSFERS% *}" -gt "${before% *}" ] && [ "${TRANSFERS#* }" -gt "${before#* }" ] ||
				die "no transfers with protection information: $before, then $TRANSFERS"
			# dm-crypt reads the data, and the volume reads dm-crypt's
			unmap xc
			# shellcheck disable=SC2086 # words
			reference xc xts "$SCSI" $words
			bios "$area op=read align=$unit layout=plain data=2"
			bios "$area op=write align=$unit layout=plain data=3"
			unmap xc
			# shellcheck disable=SC2086 # words
			encrypt xc xts "$SCSI" $words
			bios "$area op=read layout=mixed align=$align split=1 data=3"
			unmap xc
			no_complaint
		done <<-END

			offload:inline
			offload:spread verify_writes
			sector_size:4096
		END
	done < <(kinds)
}

@test "fio on a disk with protection information" {
	protected_disk 1 0 512
	log_mark
	encrypt xc xts "$SCSI"
	fio_verify /dev/mapper/xc --size=8M --iodepth=32
	no_complaint
}

@test "an AEAD works over dm-integrity on such a disk, and is refused on the disk itself" {
	protected_disk 1 0 512
	log_mark
	integrity_disk tags "$SCSI" "${TAG_SIZES[gcm]}"
	encrypt xc gcm /dev/mapper/tags
	bios "dev=/dev/mapper/xc op=write sectors=4096 layout=mixed align=512"
	bios "dev=/dev/mapper/xc op=read sectors=4096 layout=mixed align=512"
	no_complaint
	# and the disk itself is refused as the underlying device
	unmap xc tags
	log_mark
	fails encrypt xc gcm "$SCSI" 2>/dev/null
	[ "$TARGET" = crypt ] || log_since | grep -q 'stores no metadata with sectors'
}

# bad_sectors DEVICE: read it in units of 4096 bytes; print the sector and error of each
# unit that fails
bad_sectors()
{
	"$(c_tool bad-sectors.c)" "$1" 4096
}

@test "wrong protection information: EILSEQ as on dm-crypt, and no error afterwards" {
	local opts want got kind
	protected_disk 1 0 512
	for kind in "$TARGET" crypt; do
		TARGET=$kind
		make_line "$TARGET" xts "$SCSI" 64
		map xc <<<"$LINE"
		fill /dev/mapper/xc
		raw /dev/mapper/xc 0 8 >"$BATS_TEST_TMPDIR/first"
		want=$(for i in {0..7}; do echo "$((i * 8)) EILSEQ"; done)
		# detected by the disk (32) and by the host adapter (64)
		for opts in 32 64; do
			echo 1 >/sys/bus/pseudo/drivers/scsi_debug/every_nth
			echo $opts >/sys/bus/pseudo/drivers/scsi_debug/opts
			got=$(bad_sectors /dev/mapper/xc)
			# (the disk stores the data nevertheless)
			fails dd if="$BATS_TEST_TMPDIR/first" of=/dev/mapper/xc bs=4096 oflag=direct \
				status=none 2>/dev/null
			echo 0 >/sys/bus/pseudo/drivers/scsi_debug/opts
			echo 0 >/sys/bus/pseudo/drivers/scsi_debug/every_nth
			[ "$got" = "$want" ] || die "$kind, opts=$opts: $got"
			check_fill /dev/mapper/xc
		done
		unmap xc
	done
}

#!/usr/bin/env bats
# machine: -m 1024 -c 1 --timeout 1500
# kernels: fast-newest
# tests: 2
#
# Authenticated encryption over dm-integrity, set up as cryptsetup does: each target
# reads what the other wrote, both store the same bytes unless IVs are random, and a
# damaged sector gives an error for that sector only.

# shellcheck shell=bash
load lib

setup_file()
{
	load_target
	load_reference
	ram_disks 2 8
	seed_init
	echo on >/proc/sys/kernel/printk_devkmsg
}

teardown_file()
{
	clean_up
	[ "$TARGET" = crypt ] || unload_target
}

teardown()
{
	unmap_all
}

# Cipher, bytes of key, bytes of tag including a stored IV, and whether it is random
MODES="\
capi:gcm(aes)-random 32 28 random
capi:gcm(aes)-random 16 28 random
capi:gcm(aes)-plain64 32 16 -
capi:gcm(serpent)-random 32 28 random
capi:rfc7539(chacha20,poly1305)-random 32 28 random
capi:rfc7539(chacha20,poly1305)-plain64 32 16 -
capi:aegis128-random 16 32 random
capi:aegis128-plain64be 16 16 -
capi:authenc(hmac(sha256),xts(aes))-random 96 48 random
capi:authenc(hmac(sha256),xts(aes))-plain64 96 32 -
capi:authenc(hmac(sha256),xts(aes))-plain64be 64 32 -
capi:authenc(hmac(sha512),xts(aes))-random 128 80 random
capi:authenc(hmac(sha512),xts(aes))-plain 128 64 -
capi:authenc(hmac(sha1),cbc(aes))-plain64 36 20 -
capi:authenc(hmac(sha256),cbc(aes))-essiv:sha256 64 32 -
capi:authenc(hmac(sha256),cbc(aes))-essiv:sha256 48 32 -
capi:authenc(hmac(sha256),cbc(aes))-random 64 48 random
capi:authenc(hmac(sha256),cbc(serpent))-plain64 64 32 -
capi:authenc(hmac(sha256),cbc(aes))-null 64 32 -
capi:authenc(hmac(sha256),ctr(aes))-plain64 64 32 -"

# OPTIONS by turns, some of them xcrypt's own
OPTIONS=("" "no_read_workqueue no_write_workqueue" "same_cpu_crypt | offload:auto"
	"iv_large_sectors" "submit_from_crypt_cpus | offload:spread"
	"no_read_workqueue | offload:inline" "| verify_writes" "| engine:api")

# tags KIND: the sizes that occur
tags()
{
	grep -e " $1$" <<<"$MODES" | cut -d' ' -f3 | sort -nu
}

# layouts KIND: print a choice of tag and sector sizes, in bytes
layouts()
{
	local size
	for size in 512 4096; do tags "$1" | sed "s/\$/ $size/"; done | some 3
}

# lines KIND TAG SECTOR_SIZE: print table lines for matrix
lines()
{
	local cipher key tag kind n=$((16#$(random_bytes 2 lines | xxd -p)))
	while read -r cipher key tag kind; do
		[ "$kind/$tag" = "$1/$2" ] || continue
		n=$((n + 1))
		echo "$cipher hex:$(hex_key "$key" "$cipher") $((n % 3 * 8)) 0" \
			"integrity:$tag:aead sector_size:$3" \
			"${OPTIONS[n % ${#OPTIONS[@]}]}"
	done <<<"$MODES"
}

# compare KIND TAG SECTOR_SIZE MODE: run matrix on two integrity devices
compare()
{
	local options=()
	[ "$1" = - ] || options=(-c)
	# The devices are compared at the end, including sectors that were never written
	dd if=/dev/zero of=/dev/ram0 bs=1M oflag=direct status=none 2>/dev/null || true
	dd if=/dev/zero of=/dev/ram1 bs=1M oflag=direct status=none 2>/dev/null || true
	integrity_disk ia /dev/ram0 "$2" "$3" "$4"
	integrity_disk ib /dev/ram1 "$2" "$3" "$4"
	lines "$1" "$2" "$3" >"$BATS_TEST_TMPDIR/lines"
	run "$(c_tool matrix/matrix.c)" "${options[@]}" "$TARGET" \
		/dev/mapper/ia /dev/mapper/ib "$XCRYPT_SEED" <"$BATS_TEST_TMPDIR/lines"
	unmap ia ib
	[ "$status" = 0 ] || die "tag $2, sectors of $3, mode $4: $output"
	[[ "$output" == *" 0 refused by both"* ]] || die "$output $(dmesg | tail -n 20)"
	COMPARED=$((COMPARED + $(sed -n 's/ combinations.*//p' <<<"$output")))
	# Tags as well: all of dm-integrity's data. (A journal has more.)
	if [ "$1/$4" = -/D ]; then
		same_content /dev/ram0 /dev/ram1 || die "tags differ: $(cat "$BATS_TEST_TMPDIR/lines")"
	fi
}

@test "random IVs: each reads what the other wrote" {
	local COMPARED=0 size tag
	while read -r tag size; do
		compare random "$tag" "$size" D
	done < <(layouts random)
	say "$COMPARED combinations"
}

@test "other IVs: the same ciphertext and the same tags" {
	local COMPARED=0 size tag
	while read -r tag size; do
		compare - "$tag" "$size" D
	done < <(layouts -)
	say "$COMPARED combinations"
}

@test "dm-integrity with a journal" {
	local COMPARED=0
	compare random 28 512 J
	compare - 32 4096 J
	say "$COMPARED combinations"
}

# aead CIPHER KEY_BYTES TAG SECTOR_SIZE [OPTION...]: create mapping x of the target over
# an integrity device ia
aead()
{
	local cipher=$1 key tag=$3 size=$4
	key=$(hex_key "$2" aead)
	shift 4
	integrity_disk ia /dev/ram0 "$tag" "$size"
	map x <<<"0 2048 $TARGET $cipher $key 0 /dev/mapper/ia 0 $((2 + $#)) integrity:$tag:aead sector_size:$size $*"
}

# damage SECTOR [UNIT]: change the ciphertext of that unit, bypassing the target
damage()
{
	raw /dev/mapper/ia "$1" $((${2:-512} / 512)) |
		tr '\000-\377' '\001-\377\000' >"$BATS_TEST_TMPDIR/damaged"
	raw_write /dev/mapper/ia "$1" <"$BATS_TEST_TMPDIR/damaged"
}

# bad_sectors UNIT: read x unit by unit, and print those that fail; each must with EILSEQ
bad_sectors()
{
	"$(c_tool bad-sectors.c)" /dev/mapper/x "$1"
}

@test "a damaged sector gives an error, and no other sector does" {
	local size mode
	while read -r size mode; do
		# shellcheck disable=SC2086 # words
		aead $mode "$size"
		fill /dev/mapper/x
		check_fill /dev/mapper/x
		[ "$(bad_sectors "$size")" = "" ]

		log_mark
		damage 24 "$size"
		damage 1000 "$size"
		[ "$(bad_sectors "$size")" = "24 EILSEQ
1000 EILSEQ" ] || die "$mode: $(bad_sectors "$size")"
		# and the error is logged
		log_since | grep -q "INTEGRITY AEAD ERROR, sector 24"
		log_since | grep -q "INTEGRITY AEAD ERROR, sector 1000"
		# a large read that contains it fails
		run dd if=/dev/mapper/x of=/dev/null bs=64k count=1 iflag=direct
		[[ "$status" = 1 && "$output" == *"Invalid or incomplete multibyte"* ]]

		# Writing it repairs it
		fill /dev/mapper/x again
		check_fill /dev/mapper/x again
		unmap x ia
	done < <(some 3 <<-'EOT'
		512 capi:gcm(aes)-random 32 28
		512 capi:authenc(hmac(sha256),xts(aes))-plain64 96 32
		512 capi:rfc7539(chacha20,poly1305)-random 32 28
		512 capi:authenc(hmac(sha256),cbc(aes))-essiv:sha256 64 32
		4096 capi:gcm(aes)-random 32 28
		4096 capi:authenc(hmac(sha256),xts(aes))-plain64 96 32
		4096 capi:rfc7539(chacha20,poly1305)-random 32 28
		4096 capi:authenc(hmac(sha256),cbc(aes))-essiv:sha256 64 32
	EOT
	)
}

@test "a sector that was moved, or never written, is an error" {
	aead "capi:gcm(aes)-plain64" 32 16 512
	[ "$(bad_sectors 512 | wc -l)" = 2048 ]
	fill /dev/mapper/x
	raw /dev/mapper/ia 8 1 | raw_write /dev/mapper/ia 16
	[ "$(bad_sectors 512)" = "16 EILSEQ" ]
}

@test "a wrong key reads nothing" {
	aead "capi:gcm(aes)-random" 32 28 4096
	fill /dev/mapper/x
	dmsetup suspend x
	dmsetup message x 0 key set "$(hex_key 32 other)"
	dmsetup resume --noudevsync x
	[ "$(bad_sectors 4096 | wc -l)" = 256 ]
	dmsetup suspend x
	dmsetup message x 0 key set "$(hex_key 32 aead)"
	dmsetup resume --noudevsync x
	check_fill /dev/mapper/x
}

@test "status counts integrity errors" {
	not_for_crypt
	aead "capi:gcm(aes)-random" 32 28 512
	fill /dev/mapper/x
	damage 3
	[ "$(bad_sectors 512)" = "3 EILSEQ" ]
	[[ "$(dmsetup status x)" == *" errors:1"* ]] || die "$(dmsetup status x)"
}

@test "integrity_key_size" {
	local key
	key=$(hex_key 96 aead)
	if [ "$TARGET" = crypt ] && ! kernel_at_least 6.11; then
		skip "dm-crypt of this kernel has no integrity_key_size"
	fi
	# The hash's own size is the same as none
	aead "capi:authenc(hmac(sha256),xts(aes))-plain64" 96 32 512 integrity_key_size:32
	fill /dev/mapper/x
	[[ "$(dmsetup table --showkeys x)" == *integrity_key_size:32* ]]
	unmap x
	map x <<<"0 2048 crypt capi:authenc(hmac(sha256),xts(aes))-plain64 $key 0 /dev/mapper/ia 0 1 integrity:32:aead"
	check_fill /dev/mapper/x
	unmap x ia

	# A different size: as this kernel's dm-crypt does, if it supports the option
	aead "capi:authenc(hmac(sha256),xts(aes))-plain64" 80 32 512 integrity_key_size:16
	fill /dev/mapper/x
	check_fill /dev/mapper/x
	unmap x
	kernel_at_least 6.11 || return 0
	key=$(hex_key 80 aead)
	map x <<<"0 2048 crypt capi:authenc(hmac(sha256),xts(aes))-plain64 $key 0 /dev/mapper/ia 0 2 integrity:32:aead integrity_key_size:16"
	check_fill /dev/mapper/x
}

@test "integrity that does not match the underlying device is refused by both targets" {
	local words
	integrity_disk ia /dev/ram0 28 4096
	while read -r words; do
		fails map x 2>/dev/null <<<"0 2048 $TARGET $words"
		fails map c 2>/dev/null <<<"0 2048 crypt $words"
	done <<-EOT
		capi:gcm(aes)-random $(hex_key 32) 0 /dev/mapper/ia 0 1 integrity:28:aead
		capi:gcm(aes)-random $(hex_key 32) 0 /dev/mapper/ia 0 2 integrity:28:aead sector_size:2048
		capi:gcm(aes)-random $(hex_key 32) 0 /dev/mapper/ia 0 2 integrity:44:aead sector_size:4096
		capi:gcm(aes)-random $(hex_key 32) 0 /dev/mapper/ia 0 2 integrity:12:aead sector_size:4096
		capi:gcm(aes)-random $(hex_key 32) 0 /dev/ram1 0 2 integrity:28:aead sector_size:4096
		aes-xts-random $(hex_key 64) 0 /dev/ram1 0 1 integrity:16:none
		aes-xts-random $(hex_key 64) 0 /dev/mapper/ia 0 2 integrity:48:none sector_size:4096
	EOT
}

@test "FLUSH, FUA and discard over integrity" {
	aead "capi:gcm(aes)-random" 32 28 512 allow_discards
	fill /dev/mapper/x
	dd if=/dev/mapper/x of=/dev/mapper/x bs=4096 count=4 iflag=direct oflag=direct,dsync \
		conv=notrunc,fsync status=none
	check_fill /dev/mapper/x
	# dm-integrity without a hash of its own supports no discards
	fails blkdiscard /dev/mapper/x 2>/dev/null
	check_fill /dev/mapper/x
}

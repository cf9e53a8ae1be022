#!/usr/bin/env bats
# machine: -m 512 -c 2 --timeout 900
# kernels: newest
# tests: 2
#
# Conversions between sides that differ: cipher, IV, IV offset, sector size, no key on one
# side; with a checksum and with a journal. Raw bytes are compared with dm-crypt's.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-rekey

setup_file() { rekey_set_up 8; }
setup() { DATA=/dev/ram0; }
teardown() { unmap_all; }

teardown_file()
{
	clean_up
	unload_target
}

# begin_sides LABEL: fill the old side, and begin, paused
begin_sides()
{
	side "$OLD" "${OLD_SIDE[@]}" | map plain
	fill /dev/mapper/plain "$1"
	unmap plain
	blank_state
	sides_line rekey_start rekey_paused | map one
}

# end_sides LABEL: the same is there, for dm-crypt too, and the areas are erased
end_sides()
{
	wait_rekey one 'done'
	check_fill /dev/mapper/one "$1"
	unmap one
	side "$NEW" "${NEW_SIDE[@]}" | map plain
	check_fill /dev/mapper/plain "$1" || die "dm-crypt reads something else"
	unmap plain
	cmp <(raw "$STATE" 16) <(head -c $((($(sectors_of "$STATE") - 16) * 512)) /dev/zero)
}


# converts OLD NEW [WORD...]: half of it, then the rest by the line that is printed
converts()
{
	sides "$@"
	begin_sides "$1"
	message one rekey speed 300
	message one rekey resume
	wait_for 30 moved one
	message one rekey pause
	rekey_is one paused
	check_fill /dev/mapper/one "$1"
	dmsetup table --showkeys one | remap one
	[[ $(dmsetup table one) == *" rekey_paused"* ]]
	message one rekey resume
	end_sides "$1"
}

# big_blocks: the underlying device has logical blocks of 4096 bytes
big_blocks()
{
	map big <<<"0 $(sectors_of /dev/ram0) crypt cipher_null-ecb - 0 /dev/ram0 0 1 sector_size:4096"
	DATA=/dev/mapper/big
}

@test "another cipher, mode, IV and key size" {
	converts "aes-xts-plain64 64 0" "serpent-cbc-essiv:sha256 32 4096"
	converts "aes-cbc-essiv:sha256 16 8" "aes-xts-plain64 32 8" rekey_resilience:journal
	converts "aes:64-cbc-lmk 1040 0" "capi:xts(camellia)-plain64be 64 0"
}

@test "with a journal, under load" {
	sides "aes-xts-plain64 64 0" "aes-xts-plain64 64 0" rekey_resilience:journal
	begin_sides journal
	message one rekey speed 200
	message one rekey resume
	fio --name=load --filename=/dev/mapper/one --rw=randrw --bsrange=512-256k --direct=1 --ioengine=psync --size=100% --verify=crc32c --verify_backlog=16 \
		--do_verify=1 --randseed="$XCRYPT_SEED" --time_based --runtime=4 --minimal >/dev/null
	rekey_is one running
	fill /dev/mapper/one journal
	message one rekey speed 0
	end_sides journal
}

@test "larger and smaller encryption sectors" {
	big_blocks
	converts "aes-xts-plain64 64 0" "aes-xts-plain64 64 0 sector_size:4096"
	converts "aes-xts-plain64 64 8 sector_size:4096 iv_large_sectors" "aes-xts-plain64 64 16 sector_size:512"
	converts "aes-xts-plain64 64 0 sector_size:1024" "aes-cbc-eboiv 32 0 sector_size:2048 iv_large_sectors" rekey_resilience:checksum
}

@test "a smaller encryption sector needs no logical block of that size, but keeps it" {
	sides "aes-xts-plain64 64 0 sector_size:4096" "aes-xts-plain64 64 0 sector_size:512"
	begin_sides smaller
	[ "$(blockdev --getss /dev/mapper/one)" = 4096 ]
	message one rekey resume
	end_sides smaller
}

@test "encrypting and decrypting in place" {
	converts "cipher_null-ecb 0 0" "aes-xts-plain64 64 0"
	sides "aes-xts-plain64 64 0" "cipher_null-ecb 0 0"
	begin_sides plaintext
	message one rekey resume
	end_sides plaintext
	fill /dev/ram2 plaintext
	same_content "$DATA" /dev/ram2
}

@test "keys of both sides are wiped and set again" {
	sides "cipher_null-ecb 0 0" "aes-xts-plain64 64 0"
	begin_sides wiped
	dmsetup suspend one
	message one key wipe
	refused "not resumed without a key" dmsetup resume --noudevsync one
	message one key set -
	message one rekey key set "$NEW"
	dmsetup resume --noudevsync one
	message one rekey resume
	end_sides wiped
}

@test "what cannot be is refused" {
	sides "aes-xts-plain64 64 0" "aes-xts-plain64 64 0 sector_size:4096"
	blank_state
	refused "larger than the volume's logical block" map one <<<"$(sides_line rekey_start)"
	sides "aes-xts-plain64 64 0" "cipher_null-ecb 0 0" rekey_resilience:checksum
	refused "must be journal" map one <<<"$(sides_line rekey_start)"
	sides "cipher_null-ecb 0 0" "cipher_null-ecb 0 0"
	refused "no key on either side" map one <<<"$(sides_line rekey_start)"
	sides "aes-xts-plain64 64 0" "nosuch-xts-plain64 64 0"
	refused "rekey_cipher: refused" map one <<<"$(sides_line rekey_start)"
	sides "aes-xts-plain64 64 0" "aes-xts-plain64 64 0"
	begin_sides refused
	unmap one
	refused "not the one that the conversion began with" map one <<<"$(sides_line rekey_resilience:journal)"
	refused "to another cipher" map one <<<"$(sides_line rekey_iv_offset:8)"
	sides_line rekey_resilience:checksum | map one
	unmap one
}

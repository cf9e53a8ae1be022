#!/usr/bin/env bats
# machine: -m 1024 -c 1 --timeout 2400
# kernels: all
#
# Bit for bit against dm-crypt: the same data written through both gives the same
# bytes on the underlying device, and each reads what the other wrote. matrix/lines.c
# generates the table lines, matrix/matrix.c compares. XCRYPT_LONG=1 runs the full
# product instead of a pairwise choice (an hour and more). Each kernel runs a part of
# the pairwise choice, selected by the seed.

# shellcheck shell=bash
load lib

CIPHERS=(aes serpent twofish camellia blowfish cast5 des3_ede cipher_null)

setup_file()
{
	load_target
	load_reference
	ram_disks 2 8
	seed_init
	# Every line is announced in the kernel's log; disable its rate limit.
	echo on >/proc/sys/kernel/printk_devkmsg
}

teardown_file()
{
	clean_up
	unload_target
}

# Load every implementation of every cipher beforehand. dm-crypt takes its request size
# from the first cipher handle. While the modules are loaded one by one, the next handle
# may belong to a driver that needs more, and dm-crypt of 6.1 then writes past the end of
# its request.
settle_ciphers()
{
	local c
	for c in "${CIPHERS[@]}"; do modprobe -qa "crypto-$c" || true; done
}

# Sets SHARE: this kernel tries one line in SHARE.
share()
{
	case $XCRYPT_KERNEL:${XCRYPT_LONG:-}${XCRYPT_QUICK:+quick} in
	*:1) SHARE=1 ;;
	*:quick) SHARE=30 ;;
	6.1:*) SHARE=4 ;;
	6.12:*) SHARE=6 ;;
	*) SHARE=7 ;;
	esac
}

# one_in N: print about one in N of the lines of stdin, by the seed. Not every N-th:
# neighbours are variants of one line, and a stride would meet the same variant each time.
one_in()
{
	local lines
	mapfile -t lines
	printf '%s\n' "${lines[@]}" | some $(((${#lines[@]} + $1 - 1) / $1))
}

# matrix RUN... -- [OPTION...]: compare the lines of that run, one in SHARE
matrix()
{
	local run=()
	while [ "$1" != -- ]; do run+=("$1"); shift; done
	shift
	"$(c_tool matrix/lines.c)" "$XCRYPT_SEED" "${run[@]}" |
		one_in "${SHARE:-1}" |
		"$(c_tool matrix/matrix.c)" "$@" "$TARGET" \
			"${A:-/dev/ram0}" "${B:-/dev/ram1}" "$XCRYPT_SEED"
}

# compared: print how many combinations of $output both accepted
compared()
{
	sed -n 's/.*combinations: \([0-9]*\) compared.*/\1/p' <<<"$output"
}

report()
{
	say "$(tail -n1 <<<"$output")"
	[ "$status" = 0 ] || die "$output"
}

@test "several keys, while cipher drivers are loaded one after the other" {
	# This must be the first use of the cipher: see settle_ciphers.
	[ "$TARGET" != crypt ] || skip "dm-crypt of 6.1 corrupts memory here"
	map first <<<"0 2048 $TARGET twofish:64-cbc-plain64 $(hex_key 1024) 0 /dev/ram0 0"
	fill /dev/mapper/first
	check_fill /dev/mapper/first
	unmap first
}

# bats test_tags=quick
@test "cipher x mode x IV x keys x sector size x options: the same bytes as dm-crypt" {
	settle_ciphers
	share
	run matrix pairwise --
	report
	[ "$(compared)" -ge $((180 / SHARE)) ]
}

@test "lines at the limits: accepted or refused as by dm-crypt" {
	settle_ciphers
	share
	run matrix odd --
	report
	[ "$(compared)" -ge $((20 / SHARE)) ]
}

# segments [OPTION...]: compare a larger share of these few lines
segments()
{
	share
	SHARE=$(((SHARE + 1) / 2)) matrix segments -- "$@"
}

@test "several segments with a key and cipher each" {
	settle_ciphers
	run segments
	report
	[ "$(compared)" -ge 1 ]
}

@test "random IVs, stored beside the sectors: each reads the other's" {
	local size tag
	settle_ciphers
	share
	for size in $(printf '%s\n' 512 1024 2048 4096 | some 2); do
		for tag in $(printf '%s\n' 8 16 32 | some 1); do
			integrity_disk ia /dev/ram0 "$tag" "$size"
			integrity_disk ib /dev/ram1 "$tag" "$size"
			A=/dev/mapper/ia B=/dev/mapper/ib SHARE=1 \
				run matrix random "$size" "$tag" -- -c
			report
			[ "$(compared)" -ge 3 ]
			unmap ia ib
		done
	done
}

@test "the comparison detects one flipped bit on the underlying device" {
	settle_ciphers
	run segments -f
	[ "$status" -eq 1 ]
	[[ "$output" == *"the raw devices differ, first at byte"* ]]
	# each line that both accept
	[ "$(compared)" -ge 1 ]
	[[ "$output" == *" $(compared) failed" ]]
}

@test "the full product" {
	[ "${XCRYPT_LONG:-}" = 1 ] || skip "takes more than an hour: XCRYPT_LONG=1"
	settle_ciphers
	run matrix long --
	report
	[ "$(compared)" -ge 50000 ]
}

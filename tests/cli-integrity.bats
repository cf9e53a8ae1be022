#!/usr/bin/env bats
#
# machine: -m 768 -c 1
# kernels: fast-newest
#
# scripts/xcrypt and volumes with integrity protection.

# shellcheck shell=bash
load lib-cli

D=/dev/ram0

# format_integrity: $D, LUKS2 with integrity protection
format_integrity()
{
	local restrict
	modprobe -q af_alg || true
	for restrict in /proc/sys/*/af_alg_restrict; do
		[ ! -e "$restrict" ] || echo 0 >"$restrict"
	done
	modprobe -q dm-integrity || true
	printf %s "$PASS" | cryptsetup luksFormat --batch-mode --type luks2 --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 --luks2-metadata-size 16k --luks2-keyslots-size 512k \
		--integrity hmac-sha256 --cipher aes-xts-plain64 --key-size 512 --integrity-no-wipe \
		--key-file - $D
}

@test "LUKS2 with integrity is refused, and the error names the way that works" {
	format_integrity
	says 1 "integrity protection (hmac(sha256))" xcrypt open $D x
	[[ $output == *"crypt_alias=1"* ]]
	reference_open $D v
	says 1 "v has integrity protection, and its key cannot be recovered" xcrypt switch v xcrypt
	[[ $(dmsetup table v) == *" crypt "* && -z $(dmsetup table --inactive v) ]]
	cryptsetup close v
}

@test "LUKS2 with integrity and its key in the table is switched, and closed with its dm-integrity device" {
	format_integrity
	reference_open --disable-keyring $D v
	fill /dev/mapper/v
	"$XCRYPT" switch v xcrypt
	[[ $(dmsetup table v) == *" xcrypt "* ]]
	check_fill /dev/mapper/v
	fill /dev/mapper/v again
	"$XCRYPT" switch v crypt
	check_fill /dev/mapper/v again
	"$XCRYPT" switch v xcrypt
	"$XCRYPT" close v
	[ "$(dmsetup ls)" = "No devices found" ]
}

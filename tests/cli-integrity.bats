#!/usr/bin/env bats
#
# machine: -m 768 -c 1
# kernels: fast-7.3
#
# scripts/xcrypt and volumes with integrity protection.

# shellcheck shell=bash
load lib-cli

D=/dev/ram0

@test "LUKS2 with integrity is refused, with the way that works" {
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
	says 1 "integrity protection (hmac(sha256))" xcrypt open $D x
	[[ $output == *"crypt_alias=1"* ]]
	reference_open $D v
	says 1 "v has integrity protection, which is not switched" xcrypt switch v xcrypt
	[[ $(dmsetup table v) == *" crypt "* && -z $(dmsetup table --inactive v) ]]
	cryptsetup close v
}

#!/usr/bin/env bats
#
# machine: -m 768 --timeout 900
# kernels: fast-newest
# tests: 2
#
# xcrypt rekey: a mounted LUKS2 volume gets another key, cipher or sector size; stock
# cryptsetup opens it before and after with the same passphrases, and refuses it meanwhile.

# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-cli

D=/dev/ram0
ROOM=(--luks2-keyslots-size 4m --cipher aes-xts-plain64)

DISK_MIB=20	# 5 of them header

# header_of DEVICE: print its JSON
header_of() { cryptsetup luksDump --dump-json-metadata "$1"; }

# key_of DEVICE: print its volume key in hex
key_of()
{
	printf %s "$PASS" | cryptsetup luksDump --batch-mode --dump-volume-key --key-file - "$1" |
		awk '/^[A-Z]/ { on = 0 } sub(/^MK dump:/, "") { on = 1 } on' | tr -d ' \t\n'
}

# finished NAME: is the conversion over, header included?
finished() { [[ $(dmsetup table "$1") != *rekey_state* ]] && [ -z "$(header_of $D | jq -r '.config.requirements.mandatory[]?')" ]; }

@test "a mounted volume gets a new key, and stock cryptsetup opens it with the same passphrase" {
	local before table
	format luks2 $D "${ROOM[@]}"
	before=$(key_of $D)
	xcrypt open $D x
	mkfs.ext4 -q /dev/mapper/x
	mkdir -p /tmp/xc.mnt
	mount /dev/mapper/x /tmp/xc.mnt
	random_bytes 300000 data >/tmp/xc.mnt/data
	run -0 xcrypt rekey start x
	wait_for 60 finished x
	cmp /tmp/xc.mnt/data <(random_bytes 300000 data)
	umount /tmp/xc.mnt
	table=$(dmsetup table x)
	run -0 "$XCRYPT" close x
	[ -z "$(dmsetup ls --target linear | grep x_rekey)" ]
	[ "$(key_of $D)" != "$before" ] || die "the key is the old one"
	reference_open $D x
	[ "$(dmsetup table x | cut -d' ' -f5 | cut -d: -f2-4)" = "$(cut -d' ' -f5 <<<"$table" | cut -d: -f2-4)" ]
	mount /dev/mapper/x /tmp/xc.mnt
	cmp /tmp/xc.mnt/data <(random_bytes 300000 data)
	umount /tmp/xc.mnt
	cryptsetup close x
}

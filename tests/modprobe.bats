#!/usr/bin/env bats
# machine: -m 512 -c 1
# kernels: newest
# tests: 3
#
# packaging/modprobe.d/dm-xcrypt.conf: the kernel's request for dm-crypt loads
# dm-xcrypt if it is installed, else dm-crypt.

# shellcheck shell=bash
load lib

D=/dev/ram0
MODULES=/lib/modules/$(uname -r)

setup_file()
{
	in_machine
	modules dm-mod
	ram_disks 1 32
	cp "$XC_TESTS/../packaging/modprobe.d/dm-xcrypt.conf" /etc/modprobe.d/
}

teardown_file()
{
	clean_up
	rm -rf /etc/modprobe.d/dm-xcrypt.conf "$MODULES/updates"
	depmod
}

setup()
{
	mkdir -p "$MODULES/updates/dkms"
	cp "$XCRYPT_KO/dm-xcrypt.ko" "$MODULES/updates/dkms/"
	depmod
}

teardown()
{
	unmap_all
	rmmod dm-xcrypt dm-crypt 2>/dev/null || true
}

# crypt_table: make the kernel request the module, as dmsetup and cryptsetup do
crypt_table()
{
	map c <<<"0 2048 crypt aes-xts-plain64 $(hex_key 32) 0 $D 0"
	fill /dev/mapper/c
	check_fill /dev/mapper/c
}

@test "a table with the target crypt loads dm-xcrypt, under that name, and not dm-crypt" {
	crypt_table
	has_module dm_xcrypt
	fails has_module dm_crypt
	dmsetup targets | grep -qE '^crypt +v1\.29\.0$'
	[[ "$(dmsetup status c)" == *key:valid* ]]
}

@test "so does cryptsetup" {
	printf pass | cryptsetup --key-file - --batch-mode --type luks2 --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 luksFormat "$D"
	printf pass | cryptsetup --key-file - open "$D" c
	cryptsetup status c
	has_module dm_xcrypt
	fails has_module dm_crypt
	cryptsetup close c
}

@test "so does modprobe, whichever of the two is named" {
	for name in dm-crypt dm_crypt dm-xcrypt; do
		modprobe "$name"
		[ "$(cat /sys/module/dm_xcrypt/parameters/crypt_alias)" = Y ]
		fails has_module dm_crypt
		rmmod dm-xcrypt
	done
}

@test "if dm-xcrypt is not installed, dm-crypt serves" {
	rm "$MODULES/updates/dkms/dm-xcrypt.ko"
	depmod
	crypt_table
	has_module dm_crypt
	fails has_module dm_xcrypt
}

@test "if dm-xcrypt does not load, dm-crypt serves" {
	printf 'not a module' >"$MODULES/updates/dkms/dm-xcrypt.ko"
	crypt_table
	has_module dm_crypt
	fails has_module dm_xcrypt
}

@test "if dm-xcrypt was loaded without crypt_alias, dm-crypt serves beside it" {
	modprobe dm-xcrypt crypt_alias=0
	has_module dm_xcrypt
	crypt_table
	has_module dm_crypt
}

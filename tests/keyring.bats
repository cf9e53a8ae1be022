#!/usr/bin/env bats
#
# machine: -m 512 -c 1
# kernels: 6.12 newest
#
# A volume does not keep its creator's keyrings, and the keys in them, alive.

# shellcheck shell=bash
load lib

setup_file()
{
	load_target
	load_reference
	ram_disks 2 1
	seed_init
}

teardown_file()
{
	clean_up
	unload_target
}

# in_session NAME COMMAND...: run it in a session keyring of its own with a key for
# aes-xts-plain64, xcrypt-test:NAME
in_session()
{
	# shellcheck disable=SC2016 # for the shell in there
	hex_key 64 "$1" | xxd -r -p | keyctl session - bash -c '
		keyctl padd logon "xcrypt-test:$0" @s && exec "$@"' "$@"
}

# kept NAME: does its key still exist after its session has ended?
kept() { ! within 10 released "$1"; }

released() { ! grep -qF "xcrypt-test:$1:" /proc/keys; }

# line TARGET NAME DISK: print a table line with that key
line() { echo "0 512 $1 aes-xts-plain64 :64:logon:xcrypt-test:$2 0 /dev/ram$3 0"; }

@test "the key lives as long as its session" {
	in_session alive sh -c 'grep -F "xcrypt-test:alive:" /proc/keys'
	fails kept alive
}

@test "a volume does not keep the key" {
	in_session made dmsetup create x --noudevsync --table "$(line "$TARGET" made 0)"
	fails kept made
	dmsetup remove --retry x
}

@test "nor does a volume with a new table, on another disk" {
	in_session first dmsetup create x --noudevsync --table "$(line "$TARGET" first 0)"
	in_session loaded dmsetup load x --table "$(line "$TARGET" loaded 1)"
	fails kept loaded
	dmsetup suspend x
	dmsetup resume --noudevsync x
	in_session set sh -c "dmsetup suspend x && dmsetup message x 0 key set :64:logon:xcrypt-test:set"
	dmsetup resume --noudevsync x
	fails kept set
	fails kept first
	dmsetup remove --retry x
}

@test "nor does a volume whose construction failed" {
	fails in_session refused dmsetup create x --noudevsync --table "$(line "$TARGET" refused 0) 1 nonsense"
	fails kept refused
}

@test "reported: whether a dm-crypt volume keeps it" {
	in_session reference dmsetup create c --noudevsync --table "$(line crypt reference 1)"
	if kept reference; then
		say "dm-crypt on $(uname -r): kept"
	else
		say "dm-crypt on $(uname -r): not kept"
	fi
	dmsetup remove --retry c
	fails kept reference
}

# --- the device path -----------------------------------------------------------

# as_nobody COMMAND...: run it as user 65534 with only CAP_SYS_ADMIN: device mapper
# requires it, and it does not override file permissions
as_nobody()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		--inh-caps -all,+sys_admin --ambient-caps -all,+sys_admin "$@"
}

# load_by_nobody TARGET DEVICE: load a table as this user, and set SAID to dmsetup's output
load_by_nobody()
{
	# (load, not create: libdevmapper would create a node)
	SAID=$(as_nobody dmsetup load x --table \
		"0 512 $1 aes-xts-plain64 $(hex_key 64 path) 0 $2 0" 2>&1)
}

@test "a device path is resolved with the caller's permissions, as on dm-crypt" {
	local hidden=/dev/xc.hidden number kind device
	number=$(stat -Lc %Hr:%Lr /dev/ram0)
	mkdir -m 700 $hidden
	mknod -m 666 $hidden/disk b "${number%:*}" "${number#*:}"
	ln -s $hidden/disk /dev/xc.link
	chmod 666 /dev/mapper/control
	dmsetup create x --noudevsync --notable
	for kind in crypt "$TARGET"; do
		# The user can load tables on a device within reach
		for device in /dev/ram0 "$number"; do
			load_by_nobody "$kind" "$device" || die "$kind, $device: $SAID"
			dmsetup clear x
		done
		for device in $hidden/disk /dev/xc.link; do
			fails load_by_nobody "$kind" "$device"
			[[ $SAID == *"Permission denied"* ]] || die "$kind, $device: $SAID"
		done
	done
	dmsetup remove --retry x
	chmod 600 /dev/mapper/control
	rm -r $hidden /dev/xc.link
}

#!/usr/bin/env bats
# machine: -m 512 -c 2 --timeout 600
# kernels: newest
#
# Sectors that cannot be read while the key is changed: rekey resume skip. dm-dust fails
# reads of a sector until it is written, as disks do; the error target fails both for good.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-rekey

setup_file()
{
	rekey_set_up 8
	modules dm-dust
	target_needed dust
}

setup()
{
	new_keys
	DATA=/dev/ram0 STATE=/dev/ram1
	SECTORS=$(sectors_of $DATA)
	LOST=()
	fill_old "$BATS_TEST_NUMBER"
	plain_line crypt "$OLD" | map plain
	cat /dev/mapper/plain >/tmp/expected
	unmap plain
	map dust <<<"0 $SECTORS dust /dev/ram0 0 512"
	message dust enable >/dev/null
	DATA=/dev/mapper/dust
}

teardown() { unmap_all; }

teardown_file()
{
	clean_up
	rm -f /tmp/expected /tmp/above
	unload_target
}

# bad SECTOR...: these cannot be read until they are written
bad()
{
	local sector
	for sector; do message dust addbadblock "$sector" >/dev/null; done
}

# lost SECTOR...: zeros are expected there
lost()
{
	local sector
	for sector; do dd if=/dev/zero of=/tmp/expected seek="$sector" count=1 conv=notrunc status=none; done
}

# stops_at SECTOR: the conversion fails there, and says so
stops_at()
{
	wait_rekey one failed
	log_since | grep -qF "sector $1 cannot be read (\"rekey resume skip\" skips it)" ||
		die "$(log_since), not sector $1"
}

# skipped: print how many sectors are listed
skipped() { dmsetup status one | sed 's/.* rekey_skipped://; s/ .*//'; }

reads() { dd if=/dev/mapper/one of=/dev/null skip="$1" count="${2:-1}" iflag=direct status=none 2>/dev/null; }

# a_sector LABEL
a_sector() { random_bytes 512 "$1"; }

# write_sector SECTOR
write_sector()
{
	a_sector "$1" | dd of=/dev/mapper/one oflag=direct iflag=fullblock seek="$1" conv=notrunc status=none
	dd if=<(a_sector "$1") of=/tmp/expected seek="$1" count=1 iflag=fullblock conv=notrunc status=none
}

# ends: it is converted to the end, and dm-crypt reads what is expected with the new key
ends()
{
	message one rekey speed 0
	wait_rekey one 'done'
	[ "$(skipped)" = 0 ]
	cmp /tmp/expected /dev/mapper/one
	unmap one
	plain_line crypt "$NEW" | map plain
	cmp /tmp/expected /dev/mapper/plain || die "dm-crypt reads something else"
	unmap plain
}

# skips [OPTION...]: three ranges, of which one is written again
skips()
{
	bad 5000 5001 7777 7778 7779 12000
	log_mark
	begin one "$@"
	stops_at 5000
	log_mark
	message one rekey resume
	stops_at 5000
	message one rekey speed 200
	message one rekey resume skip
	wait_for 30 has_skipped 2
	message one rekey pause
	fails reads 5000
	fails reads 4999 2
	reads 4999
	reads 5002
	write_sector 5001
	reads 5001
	fails reads 5000
	# Another table, and a state that is read again, have the list.
	rekey_line rekey_paused | remap one
	[ "$(skipped)" = 1 ]
	fails reads 5000
	reads 5001
	lost 5000 7777 7778 7779 12000
	log_mark
	message one rekey resume skip
	ends
	log_since | grep -qF "5 skipped sectors were not written since, and are zeros now"
	log_since | grep -qF "lost: sectors 5000 to 5000"
	log_since | grep -qF "lost: sectors 7777 to 7779"
	log_since | grep -qF "lost: sectors 12000 to 12000"
}

has_skipped() { [ "$(skipped)" -ge "$1" ]; }

@test "a bad sector stops it, with its number, and rekey resume skip goes on: checksum" {
	skips rekey_resilience:checksum
}

@test "a bad sector stops it, with its number, and rekey resume skip goes on: journal" {
	skips rekey_resilience:journal
}

# dead START SECTORS: these can neither be read nor written
dead()
{
	remap_data "0 $1 linear /dev/mapper/dust 0" "$1 $2 error" \
		"$(($1 + $2)) $((SECTORS - $1 - $2)) linear /dev/mapper/dust $(($1 + $2))"
	DATA=/dev/mapper/holes
}

# remap_data LINE...: the data device has this table
remap_data()
{
	if [ -e /dev/mapper/holes ]; then
		printf '%s\n' "$@" | remap holes
	else
		printf '%s\n' "$@" | map holes
	fi
}

@test "one message skips 1 MiB, and the next one goes on" {
	dead 4096 2050
	log_mark
	begin one rekey_paused
	message one rekey speed 0
	message one rekey resume skip
	stops_at 6144
	[ "$(skipped)" -gt 0 ]
	[ "$(skipped)" -le 2048 ]
	log_mark
	message one rekey resume
	stops_at $((4096 + $(skipped)))
	message one rekey resume skip
	# They cannot be written either: it fails at the end, until they can.
	wait_for 60 rekey_at "$SECTORS"
	wait_rekey one failed
	[ "$(skipped)" = 2050 ]
	reads 4095
	fails reads 4096
	dd if=/dev/zero of=/tmp/expected seek=4096 count=2050 conv=notrunc status=none
	remap_data "0 $SECTORS linear /dev/mapper/dust 0"
	write_sector 5000
	[ "$(skipped)" = 2049 ]
	reads 5000
	message one rekey resume
	ends
}

# rekey_at SECTOR: so many are converted
rekey_at() { [[ $(rekey_status one) == *" $1 "* ]]; }

@test "with larger sectors and a state with larger blocks, what can be read is there" {
	map big <<<"0 $SECTORS crypt cipher_null-ecb - 0 /dev/mapper/dust 0 1 sector_size:4096"
	DATA=/dev/mapper/big
	map state <<<"0 $(sectors_of "$STATE") crypt cipher_null-ecb - 0 $STATE 0 1 sector_size:4096"
	STATE=/dev/mapper/state
	bad 6003
	log_mark
	begin_slowly one 200 rekey_sector_size:4096 rekey_resilience:checksum
	stops_at 6000
	message one rekey resume skip
	wait_for 60 has_skipped 8
	message one rekey pause
	rekey_line rekey_paused rekey_sector_size:4096 | remap one
	[ "$(skipped)" = 8 ]
	fails dd if=/dev/mapper/one of=/dev/null bs=4096 skip=750 count=1 iflag=direct status=none 2>/dev/null
	dd if=/dev/zero of=/tmp/expected seek=6000 count=8 conv=notrunc status=none
	message one rekey speed 0
	message one rekey resume
	wait_rekey one 'done'
	unmap one
	echo "0 $SECTORS crypt $SPEC $NEW 0 $DATA 0 1 sector_size:4096" | map plain
	cmp /tmp/expected /dev/mapper/plain
	unmap plain
}

# recovers_without [OPTION...]: a batch is active, as its writes fail; then a sector of it
# cannot be read
recovers_without()
{
	modules dm-flakey
	remap_data "0 7936 linear /dev/mapper/dust 0" \
		"7936 512 flakey /dev/mapper/dust 7936 0 600 1 error_writes" \
		"8448 $((SECTORS - 8448)) linear /dev/mapper/dust 8448"
	DATA=/dev/mapper/holes
	begin one "$@"
	wait_rekey one failed
	unmap one
	remap_data "0 $SECTORS linear /dev/mapper/dust 0"
	bad 8000
	rekey_line rekey_paused "$@" | map one
}

@test "recovery stops at a bad sector, and rekey resume skip goes on: checksum" {
	log_mark
	recovers_without rekey_resilience:checksum
	stops_at 8000
	fails reads 8000
	message one rekey resume skip
	lost 8000
	ends
}

@test "recovery with a journal needs no sector of the data" {
	recovers_without rekey_resilience:journal
	wait_rekey one paused
	reads 8000
	message one rekey resume
	ends
}

#!/usr/bin/env bats
# machine: -m 512 -c 2 -d 512M
# kernels: newest
#
# A state that somebody else changes: it is wiped while it is in use, as luksErase does; or
# another host opens the volume. Two hosts are two mappings, each with linear devices of
# its own over the same disks, so that this kernel does not see that they are the same.

# shellcheck shell=bash
load lib-rekey

setup_file() { rekey_set_up 8; }
setup() { new_keys; }
teardown() { unmap_all; }

teardown_file()
{
	clean_up
	unload_target
}

# by NAME [OPTION...]: load the line of the host NAME, with devices of its own
by()
{
	slice "$1-data" "$DATA" 0 "$(sectors_of "$DATA")"
	slice "$1-state" "$STATE" 0 "$(sectors_of "$STATE")"
	rekey_line "${@:2}" | sed "s|$DATA|/dev/mapper/$1-data|; s|$STATE|/dev/mapper/$1-state|" | map "$1"
}

# convert_some NAME
convert_some()
{
	local before
	before=$(rekey_status "$1")
	message "$1" rekey speed 1000
	message "$1" rekey resume
	wait_for 30 moved_from "$before" "$1"
	message "$1" rekey pause
	rekey_is "$1" paused
}

# moved_from STATUS NAME
moved_from()
{
	local before after
	read -r _ before _ <<<"$1"
	read -r _ after _ <<<"$(rekey_status "$2")"
	[ "$after" -gt "$before" ]
}

# reads NAME: read the first sector and the last
reads()
{
	dd if="/dev/mapper/$1" of=/dev/null bs=4k count=1 iflag=direct status=none &&
		dd if="/dev/mapper/$1" of=/dev/null bs=4k count=1 iflag=direct,skip_bytes \
			skip=$(($(sectors_of "$DATA") * 512 - 4096)) status=none
}

# wiped LABEL RESILIENCE: the state is wiped in mid-conversion
wiped()
{
	fill_old "$1"
	begin_slowly one 2000 rekey_resilience:"$2"
	wait_for 30 moved one
	log_mark
	dd if=/dev/zero of="$STATE" bs=1M oflag=direct status=none || true
	wait_rekey one failed
	log_since | grep -qF "the state was overwritten" || die "$(log_since)"
	reads one
	message one rekey resume
	message one rekey speed 0
	wait_rekey one 'done'
	unmap one
	new_key_only "$1"
}

@test "a state that is wiped in use is written anew by rekey resume: checksum" {
	wiped one checksum
}

@test "a state that is wiped in use is written anew by rekey resume: journal" {
	wiped two journal
}

@test "a state that is wiped in use is written anew when the volume is resumed" {
	fill_old three
	begin_slowly one 2000
	wait_for 30 moved one
	dd if=/dev/zero of="$STATE" bs=8k count=1 oflag=direct status=none
	wait_rekey one failed
	dmsetup suspend one
	dmsetup resume one
	message one rekey speed 0
	wait_rekey one 'done'
	unmap one
	new_key_only three
}

@test "what another host has converted is found before the next commit, and all I/O fails" {
	fill_old four
	blank_state
	by first rekey_start rekey_paused
	convert_some first
	by second rekey_paused
	convert_some second

	log_mark
	message first rekey resume
	wait_rekey first failed
	log_since | grep -qF "another host has written the state" || die "$(log_since)"
	fails dd if=/dev/mapper/first of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null
	fails dd if=/dev/zero of=/dev/mapper/first bs=4k count=1 oflag=direct 2>/dev/null
	message first rekey resume
	sleep 1
	rekey_is first failed
	# nor does it begin again by being suspended
	dmsetup suspend first
	dmsetup resume first
	wait_rekey first failed
	fails dd if=/dev/mapper/first of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null
	fails dd if=/dev/zero of=/dev/mapper/first bs=4k count=1 oflag=direct 2>/dev/null
	unmap first

	# and nothing was written
	message second rekey resume
	message second rekey speed 0
	wait_rekey second 'done'
	unmap second
	new_key_only four
}

@test "a paused conversion moves to another host, and back" {
	fill_old five
	blank_state
	by first rekey_start rekey_paused
	convert_some first
	dmsetup suspend first
	by second rekey_paused
	convert_some second
	unmap second
	dmsetup resume first
	message first rekey speed 0
	message first rekey resume
	wait_rekey first 'done'
	unmap first
	new_key_only five
}

#!/usr/bin/env bats
# machine: -m 512 -c 2 -d 512M
# kernels: newest
#
# Keys that are wiped or set at the wrong moment of a conversion's beginning.

# shellcheck shell=bash
load lib-rekey

setup_file() { rekey_set_up 8; }
setup() { new_keys; }

teardown()
{
	unmap_all
	no_key_logged
}

teardown_file()
{
	clean_up
	unload_target
}

# half_line STATE START: a conversion of the half of the volume from sector START on
half_line()
{
	local half=$(($(sectors_of "$DATA") / 2))
	echo "$2 $half xcrypt $SPEC :64:logon:xc:old $2 $DATA $2 4 rekey_start rekey_paused" \
		"rekey_state:$1 rekey_key::64:logon:xc:new"
}

# wiped_meanwhile: the first half's keys are gone, but it was about to be resumed
wiped_meanwhile() { [[ $(dmsetup status one | head -n 1) == *" key:wiped "* ]]; }

# failed_first: the conversion of the first half has failed
failed_first() { [[ $(dmsetup status one | head -n 1) == *" rekey:failed:"* ]]; }

# both_done
both_done() { [ "$(dmsetup status one | grep -c " rekey:done:")" = 2 ]; }

@test "without keys nothing is converted, if they are wiped while the volume is being resumed" {
	local half=$(($(sectors_of "$DATA") / 2)) resume
	fill_old one
	blank_state
	dd if=/dev/zero of=/dev/ram2 bs=8k count=1 oflag=direct status=none
	slice slow /dev/ram2 0 "$(sectors_of /dev/ram2)"
	{ half_line "$STATE" 0; half_line /dev/mapper/slow "$half"; } | map one
	dmsetup suspend one
	message one rekey resume
	# the second half's state takes its time, after the first half's keys were checked
	remap slow <<<"0 $(sectors_of /dev/ram2) delay /dev/ram2 0 3000"
	dmsetup resume --noudevsync one 3>&- &
	resume=$!
	sleep 1
	message one key wipe
	wiped_meanwhile
	wait "$resume"

	remap slow <<<"0 $(sectors_of /dev/ram2) linear /dev/ram2 0"
	wait_for 20 failed_first
	fails dd if=/dev/mapper/one of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null
	dmsetup suspend one
	message one key set "$OLD"
	message one rekey key set "$NEW"
	dmsetup resume --noudevsync one
	dmsetup message one "$half" rekey resume
	wait_for 60 both_done
	unmap one slow
	new_key_only one
}

@test "a key that is set again before a conversion has begun is the one that it records" {
	fill_old two
	slice state "$STATE" 0 "$(sectors_of "$STATE")"
	blank_state
	dmsetup create --noudevsync --notable one
	rekey_line rekey_start | sed "s|$STATE|/dev/mapper/state|" | dmsetup load one
	remap state <<<"0 $(sectors_of "$STATE") error"
	refused "rekey_state: the device cannot be read" dmsetup resume --noudevsync one
	message one key set "$OLD"
	message one rekey key set "$NEW"
	remap state <<<"0 $(sectors_of "$STATE") linear $STATE 0"
	dmsetup resume --noudevsync one
	wait_rekey one 'done'
	unmap one state
	new_key_only two
}

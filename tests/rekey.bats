#!/usr/bin/env bats
# machine: -m 1024 -c 2 --timeout 900
# kernels: newest 6.1
# tests: 2
#
# Changing the key of a volume in use: start, progress, pause, suspend, reload, removal,
# and the end. Raw bytes are compared with dm-crypt's.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

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

@test "a volume is converted, and dm-crypt reads it with the new key" {
	fill_old one
	begin one
	wait_rekey one 'done'
	check_fill /dev/mapper/one one
	[ "$(rekey_status one)" = "done $(sectors_of "$DATA") $(sectors_of "$DATA")" ]
	unmap one
	new_key_only one
}

@test "while it is converted, everything is read and written" {
	fill_old two
	begin_slowly one 300
	fio --name=load --filename=/dev/mapper/one --rw=randrw --bsrange=512-256k --direct=1 --ioengine=psync --numjobs=1 --size=100% --verify=crc32c --verify_backlog=16 \
		--do_verify=1 --randseed="$XCRYPT_SEED" --time_based --runtime=4 --minimal >/dev/null
	rekey_is one running
	finish one
}

@test "a pause stops it, and it continues where it was" {
	local mode was
	fill_old three
	begin_slowly one 2048
	sleep 0.5
	message one rekey pause
	read -r mode was _ <<<"$(rekey_status one)"
	[ "$mode" = paused ]
	[ "$was" -gt 0 ] && [ "$was" -lt "$(sectors_of "$DATA")" ]
	check_fill /dev/mapper/one three
	sleep 0.5
	[ "$(rekey_status one)" = "paused $was $(sectors_of "$DATA")" ]
	message one rekey speed 0
	message one rekey resume
	wait_rekey one 'done'
	check_fill /dev/mapper/one three
	unmap one
	new_key_only three
}

@test "rekey_paused converts nothing, and writes nothing" {
	fill_old four
	begin one rekey_paused
	raw "$STATE" >/tmp/state.1
	raw "$DATA" >/tmp/data.1
	unmap one
	rekey_line rekey_paused | map one
	check_fill /dev/mapper/one four
	rekey_is one paused
	cmp /tmp/state.1 <(raw "$STATE")
	cmp /tmp/data.1 <(raw "$DATA")
	message one rekey resume
	wait_rekey one 'done'
	unmap one
	new_key_only four
}

@test "suspended, reloaded and removed halfway, it continues" {
	fill_old five
	begin_slowly one 150
	for _ in 1 2 3; do
		sleep 0.3
		dmsetup suspend one
		dmsetup resume --noudevsync one
		rekey_is one running
		sleep 0.3
		rekey_line rekey_paused | remap one
		rekey_is one paused
		message one rekey speed 150
		message one rekey resume
		sleep 0.3
		unmap one
		rekey_line rekey_paused | map one
		message one rekey speed 150
		message one rekey resume
	done
	rekey_is one running
	message one rekey speed 0
	wait_rekey one 'done'
	check_fill /dev/mapper/one five
	unmap one
	new_key_only five
}

@test "after the end the volume goes on, and a line with = takes the new key" {
	fill_old six
	begin one
	wait_rekey one 'done'
	dmsetup table --showkeys one | grep -q " :64:logon:xc:old 0 .* rekey_key::64:logon:xc:new" ||
		dmsetup table --showkeys one | grep -q " 0000000000.* rekey_key::64:logon:xc:new"
	plain_line xcrypt '=' | remap one
	check_fill /dev/mapper/one six
	[[ $(dmsetup table --showkeys one) == *" :64:logon:xc:new "* ]]
	unmap one
	# The digests are gone.
	cmp <(raw "$STATE" 16) <(head -c $((($(sectors_of "$STATE") - 16) * 512)) /dev/zero)
	new_key_only six
}

@test "loaded again when done, it stays done" {
	fill_old seven
	begin one
	wait_rekey one 'done'
	unmap one
	rekey_line | map one
	wait_rekey one 'done'
	check_fill /dev/mapper/one seven
	rekey_line | remap one
	wait_rekey one 'done'
	unmap one
	new_key_only seven
}

@test "keys are wiped and set again, and only the right ones" {
	fill_old eight
	begin_slowly one 2048
	dmsetup suspend one
	message one key wipe
	[[ $(dmsetup status one) == *key:wiped* ]]
	refused "not resumed without a key" dmsetup resume --noudevsync one
	refused "not the one that the conversion began with" message one key set "$NEW"
	message one key set "$OLD"
	refused "not resumed without a key" dmsetup resume --noudevsync one
	refused "not the one that the conversion began with" message one rekey key set "$OLD"
	message one rekey key set :64:logon:xc:new
	dmsetup resume --noudevsync one
	message one rekey speed 0
	wait_rekey one 'done'
	check_fill /dev/mapper/one eight
	unmap one
	new_key_only eight
}

@test "4096-byte sectors are converted, with a checksum if the administrator says so" {
	local options=(sector_size:4096 iv_large_sectors)
	plain_line crypt "$OLD" 2 "${options[@]}" | map plain
	fill /dev/mapper/plain ten
	unmap plain
	begin one "${options[@]}" rekey_resilience:checksum
	wait_rekey one 'done'
	check_fill /dev/mapper/one ten
	unmap one
	plain_line crypt "$NEW" 2 "${options[@]}" | map plain
	check_fill /dev/mapper/plain ten
	unmap plain
}

# sized SECTORS [OPTION...]: the line of a conversion, of this length
sized() { rekey_line "${@:2}" | sed "s/^0 [0-9]*/0 $1/"; }

# is_new SECTORS LABEL: up to there dm-crypt reads with the new key what fill LABEL wrote
is_new()
{
	map plain <<<"0 $1 crypt $SPEC $NEW 0 $DATA 0"
	check_fill /dev/mapper/plain "$2" || die "dm-crypt does not read it with the new key"
	unmap plain
}

# total NAME: print how many sectors there are to convert
total() { rekey_status "$1" | cut -d' ' -f3; }

@test "grown and shrunk in mid-conversion, it converts what is there then" {
	local all tail
	all=$(sectors_of "$DATA")
	fill_old eleven
	tail=$(raw "$DATA" $((all - 2048)) | md5sum)
	blank_state
	sized $((all - 4096)) rekey_start rekey_paused | map one
	message one rekey speed 150
	message one rekey resume
	wait_for 30 moved one
	sized "$all" rekey_paused | remap one
	[ "$(total one)" = "$all" ]
	check_fill /dev/mapper/one eleven
	message one rekey speed 150
	message one rekey resume
	sleep 0.5
	sized $((all - 2048)) rekey_paused | remap one
	[ "$(total one)" = $((all - 2048)) ]
	rekey_is one paused
	unmap one
	sized $((all - 2048)) | map one
	wait_rekey one 'done'
	check_fill /dev/mapper/one eleven
	unmap one
	is_new $((all - 2048)) eleven
	[ "$(raw "$DATA" $((all - 2048)) | md5sum)" = "$tail" ]
}

@test "under load, it grows and shrinks" {
	local all loader n
	all=$(sectors_of "$DATA")
	fill_old twelve
	begin_slowly one 200
	fio --name=load --filename=/dev/mapper/one --rw=randrw --bsrange=512-256k --direct=1 --ioengine=psync --size=4m --offset=1m --verify=crc32c --verify_backlog=16 \
		--do_verify=1 --randseed="$XCRYPT_SEED" --time_based --runtime=6 --minimal >/dev/null 3>&- &
	loader=$!
	for n in 2048 0 4096 0; do
		sleep 1
		sized $((all - n)) rekey_paused | remap one
		[ "$(total one)" = $((all - n)) ]
		message one rekey speed 200
		message one rekey resume
	done
	wait $loader
	rekey_is one running
	finish one
}

@test "a volume that is done grows with the new key" {
	local all sum
	all=$(sectors_of "$DATA")
	fill_old thirteen
	blank_state
	sized $((all - 2048)) rekey_start | map one
	wait_rekey one 'done'
	sized "$all" | remap one
	wait_rekey one 'done'
	[ "$(rekey_status one)" = "done $all $all" ]
	fill /dev/mapper/one fourteen
	unmap one
	sum=$(raw "$STATE" | md5sum)
	refused "all is converted of a longer volume" map one <<<"$(sized $((all - 8)))"
	[ "$(raw "$STATE" | md5sum)" = "$sum" ]
	sized "$all" | map one
	wait_rekey one 'done'
	check_fill /dev/mapper/one fourteen
	unmap one
	new_key_only fourteen
}

@test "shrunk to what is converted, it is done; to less, it is refused" {
	local sum was
	fill_old fifteen
	begin_slowly one 100
	wait_for 30 moved one
	message one rekey pause
	was=$(rekey_status one | cut -d' ' -f2)
	sum=$(raw "$STATE" | md5sum)
	refused "shorter than what is converted" dmsetup load one <<<"$(sized $((was - 8)))"
	refused "shorter than what is converted" dmsetup load one <<<"$(sized 8)"
	unmap one
	refused "shorter than what is converted" map one <<<"$(sized $((was - 8)))"
	# The constructor only looks.
	dmsetup create --notable one
	dmsetup load one <<<"$(sized "$was" rekey_paused)"
	[ "$(raw "$STATE" | md5sum)" = "$sum" ]
	dmsetup resume --noudevsync one
	wait_rekey one 'done'
	[ "$(rekey_status one)" = "done $was $was" ]
	check_fill /dev/mapper/one fifteen
	# It may be replaced now.
	remap one <<<"0 $was xcrypt $SPEC = 0 $DATA 0"
	check_fill /dev/mapper/one fifteen
	unmap one
	is_new "$was" fifteen
}

@test "what does not fit is refused, with nothing written" {
	local sum
	fill_old nine
	blank_state
	refused "holds no state" map one <<<"$(rekey_line)"
	begin one rekey_paused
	refused "in use by another volume" map two \
		<<<"0 64 xcrypt $SPEC :64:logon:xc:old 0 /dev/ram2 0 2 rekey_state:$STATE rekey_key::64:logon:xc:new"
	refused "must stay until the conversion is done" dmsetup load one <<<"$(plain_line xcrypt "$OLD")"
	refused "must stay until the conversion is done" dmsetup load one <<<"$(rekey_line rekey_start | sed 's/ram1/ram2/')"
	unmap one
	sum=$(raw "$STATE" | md5sum)
	refused "there is a state already" map one <<<"$(rekey_line rekey_start)"
	refused "not the one that the conversion began with" map one \
		<<<"$(rekey_line | sed 's/:xc:old/:xc:new/')"
	refused "not the one that the conversion began with" map one \
		<<<"$(rekey_line | sed 's/:xc:new/:xc:old/')"
	refused "another cipher" map one <<<"$(rekey_line | sed 's/plain64/plain/')"
	refused "overlaps" map one <<<"$(rekey_line | sed 's/rekey_state:.dev.ram1/rekey_state:\/dev\/ram0/')"
	[ "$(raw "$STATE" | md5sum)" = "$sum" ]
	# One superblock damaged, then the other's version.
	rekey_line | map one
	wait_rekey one 'done'
	unmap one
	printf 'x' | dd of="$STATE" bs=1 seek=300 conv=notrunc status=none
	refused "damaged" map one <<<"$(rekey_line)"
	dd if=/dev/urandom of="$STATE" bs=8k count=1 status=none
	refused "something else" map one <<<"$(rekey_line)"
	refused "not zero" map one <<<"$(rekey_line rekey_start)"
}

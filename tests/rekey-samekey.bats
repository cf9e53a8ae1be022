#!/usr/bin/env bats
# machine: -m 1024 -c 2 --timeout 900
# kernels: newest
# tests: 4
#
# The key "=" in lines of a conversion: its table is loaded without a key, and takes both
# from the table in use. At the end dm-crypt must read the same with the new key.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-rekey

setup_file() { rekey_set_up 8; }

setup()
{
	DATA=/dev/ram0
	STATE=/dev/ram1
	new_keys
	log_mark
}

teardown()
{
	unmap_all
	keyctl clear @s
	no_key_logged
}

teardown_file()
{
	clean_up
	unload_target
}

# line OLD-KEY NEW-KEY [OPTION...]: a table line of a conversion, with these key arguments
line()
{
	echo "0 $(sectors_of "$DATA") xcrypt $SPEC $1 0 $DATA 0 $(($#))" \
		"rekey_state:$STATE rekey_key:$2 ${*:3}"
}

# both [OPTION...]: one with both keys in use
both() { line '=' '=' "$@"; }

# shown NAME [DMSETUP OPTION...]: print the key arguments of its table, the old and the new
shown()
{
	dmsetup table --showkeys "${@:2}" "$1" | sed -nE 's|^\S+ \S+ xcrypt \S+ (\S+) .* rekey_key:(\S+).*|\1 \2|p'
}

NAMES=":64:logon:xc:old :64:logon:xc:new"

zeros() { printf "%0$1d" 0; }

# halfway LABEL [OPTION...]: begin a conversion of what fill LABEL writes, and stop it in the middle
halfway()
{
	fill_old "$1"
	begin_slowly one 300 "${@:2}"
	wait_for 20 moved one
	message one rekey pause
	AT=$(rekey_status one)
	[[ $AT == "paused "* ]]
}

# cannot REASON [NAME] <TABLE: it must not be loaded, for this reason
cannot()
{
	log_mark
	fails dmsetup load "${2:-one}" 2>/dev/null
	log_since | grep -qF "xcrypt: $1" || die "$(log_since), not: $1"
	fails grep -q INACTIVE < <(dmsetup info "${2:-one}")
}

# put_into_use NAME: the loaded table
put_into_use()
{
	dmsetup suspend "$1"
	dmsetup resume --noudevsync "$1"
}

# none_loaded: is no table loaded?
none_loaded() { ! dmsetup info one | grep -q INACTIVE; }

# --- reloads -------------------------------------------------------------------

@test "paused: other options, while the keys are in no keyring any more" {
	local options
	halfway other
	keyctl clear @s
	cannot "key: not found" <<<"$(rekey_line rekey_paused)"
	for options in "engine:api rekey_paused" "offload:inline verify_writes rekey_paused" rekey_paused; do
		# shellcheck disable=SC2086 # words
		both $options | remap one
		[ "$(rekey_status one)" = "$AT" ]
		[ "$(shown one)" = "$NAMES" ]
		[ "$(dmsetup table one | grep -ow "${options%% *}")" = "${options%% *}" ]
		check_fill /dev/mapper/one other
	done
	message one rekey resume
	wait_rekey one 'done'
	check_fill /dev/mapper/one other
	unmap one
	new_key_only other
}

@test "running: reloaded under load" {
	local load
	fill_old load
	begin_slowly one 300
	keyctl clear @s
	fio --name=load --filename=/dev/mapper/one --rw=randrw --bsrange=512-256k --direct=1 --ioengine=psync --numjobs=1 --size=100% --verify=crc32c --verify_backlog=16 \
		--do_verify=1 --randseed="$XCRYPT_SEED" --time_based --runtime=5 --minimal >/dev/null 3>&- &
	load=$!
	for _ in 1 2 3 4; do
		sleep 0.5
		rekey_is one running
		both rekey_paused | remap one
		message one rekey speed 300
		message one rekey resume
	done
	wait "$load"
	rekey_is one running
	[ "$(shown one)" = "$NAMES" ]
	finish one
}

@test "one of both keys has a name" {
	halfway name
	line '=' :64:logon:xc:new rekey_paused | remap one
	[ "$(shown one)" = "$NAMES" ]
	line :64:logon:xc:old '=' rekey_paused | remap one
	[ "$(shown one)" = "$NAMES" ]
	line "$OLD" '=' rekey_paused | remap one
	both rekey_paused | remap one
	[ "$(shown one)" = "$OLD :64:logon:xc:new" ]
	[ "$(rekey_status one)" = "$AT" ]
	check_fill /dev/mapper/one name
	message one rekey resume
	finish one
}

# no_key_on LABEL OLD-CIPHER OLD-ARGUMENT NEW-CIPHER NEW-ARGUMENT: a conversion of which a
# side has none
no_key_on()
{
	local SPEC=$2
	blank_state
	line "$3" "$5" rekey_start rekey_paused "rekey_cipher:$4" | map one
	fill /dev/mapper/one "$1"
	line '=' '=' "rekey_cipher:$4" rekey_paused | remap one
	[ "$(shown one)" = "$3 $5" ]
	check_fill /dev/mapper/one "$1"
	line '=' '=' "rekey_cipher:$4" | remap one
	wait_rekey one 'done'
	check_fill /dev/mapper/one "$1"
	line '=' '=' "rekey_cipher:$4" engine:api | remap one
	wait_rekey one 'done'
	check_fill /dev/mapper/one "$1"
	unmap one
}

@test "no key on a side is one, too" {
	no_key_on in cipher_null-ecb - aes-xts-plain64 :64:logon:xc:new
	new_key_only in
	no_key_on out aes-xts-plain64 :64:logon:xc:old cipher_null-ecb -
	check_fill "$DATA" out
}

@test "several segments: each has the keys of its place" {
	local half=8192 i
	all_done() { [ "$(dmsetup status one | grep -c " rekey:done:")" = 2 ]; }
	segments()
	{
		for i in 0 1; do
			echo "$((i * half)) $half xcrypt $SPEC $1 $((i * half)) $DATA $((i * half))" \
				"$((4 + ($# > 2))) rekey_state:/dev/ram$((i + 1)) rekey_key:${2/N/$i} rekey_paused engine:api ${*:3}"
		done
	}
	fill_old segments
	for STATE in /dev/ram1 /dev/ram2; do blank_state; done
	for i in 0 1; do add_key "n$i" "$(hex_key 64 "$i")"; done
	segments :64:logon:xc:old :64:logon:xc:nN rekey_start | map one
	segments '=' '=' | dmsetup load one
	keyctl clear @s
	dmsetup suspend one
	dmsetup message one "$half" key wipe
	[ "$(shown one --inactive)" = ":64:logon:xc:old :64:logon:xc:n0"$'\n'"$(zeros 128) :64:wiped" ]
	fails dmsetup message one "$half" rekey key set :64:logon:xc:n1 2>/dev/null
	add_key n1 "$(hex_key 64 1)"
	dmsetup message one "$half" rekey key set :64:logon:xc:n1
	dmsetup message one "$half" key set "$OLD"
	dmsetup resume --noudevsync one
	check_fill /dev/mapper/one segments
	[ "$(shown one)" = ":64:logon:xc:old :64:logon:xc:n0"$'\n'"$OLD :64:logon:xc:n1" ]
	segments '=' '=' | dmsetup load one
	for i in 0 1; do dmsetup message one $((i * half)) rekey resume; done
	wait_for 60 all_done
	put_into_use one
	wait_for 60 all_done
	check_fill /dev/mapper/one segments
	unmap one
	for i in 0 1; do
		echo "$((i * half)) $half crypt $SPEC $(hex_key 64 "$i") $((i * half)) $DATA $((i * half))"
	done | map plain
	check_fill /dev/mapper/plain segments
}

# --- changes of the keys meanwhile ---------------------------------------------

@test "wiped and set again before the resume" {
	halfway again
	add_key other "$NEW"
	both rekey_paused engine:api | dmsetup load one
	dmsetup suspend one
	message one key wipe
	[ "$(shown one --inactive)" = "$(zeros 128) :64:wiped" ]
	[[ $(dmsetup status --inactive one) == *" key:wiped "* ]]
	message one key set "$OLD"
	[ "$(shown one --inactive)" = "$OLD :64:wiped" ]
	message one rekey key set :64:logon:xc:other
	[ "$(shown one --inactive)" = "$OLD :64:logon:xc:other" ]
	[[ $(dmsetup status --inactive one) == *" key:valid "* ]]
	dmsetup resume --noudevsync one
	[ "$(shown one)" = "$OLD :64:logon:xc:other" ]
	dmsetup table one | grep -q engine:api
	[ "$(rekey_status one)" = "$AT" ]
	check_fill /dev/mapper/one again
	message one rekey resume
	finish one
}

@test "wiped, it does not resume before it has both keys" {
	halfway wiped
	both rekey_paused engine:api | dmsetup load one
	dmsetup suspend one
	message one key wipe
	refused "not resumed without a key" dmsetup resume --noudevsync one
	# it has replaced the other
	dmsetup table one | grep -q engine:api
	both | cannot "key: = cannot be taken, no xcrypt table in use"
	message one key set :64:logon:xc:old
	refused "not resumed without a key" dmsetup resume --noudevsync one
	message one rekey key set :64:logon:xc:new
	dmsetup resume --noudevsync one
	[ "$(rekey_status one)" = "$AT" ]
	check_fill /dev/mapper/one wiped
	# ... and is in use
	both | remap one
	finish one
}

@test "a key that the loaded line has itself is not changed" {
	halfway itself
	line '=' :64:logon:xc:new rekey_paused | dmsetup load one
	dmsetup suspend one
	message one key wipe
	[ "$(shown one --inactive)" = "$(zeros 128) :64:logon:xc:new" ]
	message one key set :64:logon:xc:old
	dmsetup resume --noudevsync one

	line :64:logon:xc:old '=' rekey_paused | dmsetup load one
	dmsetup suspend one
	message one key wipe
	[ "$(shown one --inactive)" = ":64:logon:xc:old :64:wiped" ]
	message one rekey key set :64:logon:xc:new
	dmsetup resume --noudevsync one
	[ "$(shown one)" = "$NAMES" ]
	check_fill /dev/mapper/one itself
	message one rekey resume
	finish one
}

@test "a refused key changes neither table" {
	halfway refused
	add_key wrong "$(hex_key 64 wrong)"
	both rekey_paused | dmsetup load one
	dmsetup suspend one
	refused "not the one that the conversion began with" message one rekey key set :64:logon:xc:wrong
	refused "key: " message one rekey key set '='
	[ "$(shown one)" = "$NAMES" ]
	[ "$(shown one --inactive)" = "$NAMES" ]
	dmsetup resume --noudevsync one
	message one rekey resume
	finish one
}

@test "loads and clears race with wipes: the data are never wrong" {
	local loader until=$((SECONDS + 8))
	halfway race
	while :; do
		both rekey_paused engine:api | dmsetup load one || true
		dmsetup clear one || true
		both rekey_paused | dmsetup load one || true
	done >/dev/null 2>&1 3>&- &
	loader=$!
	while [ $SECONDS -lt $until ]; do
		dmsetup suspend one
		message one key wipe
		message one rekey key set :64:logon:xc:new
		message one key set :64:logon:xc:old
		dmsetup resume --noudevsync one
		[ "$(shown one)" = "$NAMES" ]
		check_fill /dev/mapper/one race
	done
	kill "$loader"
	wait "$loader" || true
	message one rekey resume
	finish one
}

# --- the end -------------------------------------------------------------------

# end_meanwhile [OPTION...]: the conversion in use is done before a table with these options
# is put into use
end_meanwhile()
{
	both "$@" | dmsetup load one
	message one rekey speed 0
	message one rekey resume
	wait_rekey one 'done'
	[ "$(shown one --inactive)" = "$(zeros 128) ${NAMES#* }" ]
	[[ $(dmsetup status --inactive one) == *" key:valid "* ]]
	put_into_use one
	wait_rekey one 'done'
	[ "$(shown one)" = "$(zeros 128) ${NAMES#* }" ]
}

@test "done before the resume" {
	halfway early
	end_meanwhile engine:api
	check_fill /dev/mapper/one early
	unmap one
	new_key_only early
}

@test "done before the resume, with another cipher" {
	local options=(rekey_cipher:aes-cbc-essiv:sha256)
	NEW=$(hex_key 32 cbc)
	add_key new "$NEW"
	NAMES=":64:logon:xc:old :32:logon:xc:new"
	fill_old cbc
	blank_state
	line ":64:logon:xc:old" ":32:logon:xc:new" "${options[@]}" rekey_start rekey_paused | map one
	end_meanwhile "${options[@]}"
	check_fill /dev/mapper/one cbc
	end_meanwhile "${options[@]}" rekey_paused
	check_fill /dev/mapper/one cbc
	unmap one
	SPEC=aes-cbc-essiv:sha256
	new_key_only cbc
}

@test "done while the resume waits for its last batch" {
	local suspender
	DATA=/dev/mapper/low
	map low <<<"0 8192 linear /dev/ram0 0"
	halfway waits
	both | dmsetup load one
	dmsetup suspend low
	# all that is left is one batch
	message one rekey speed 100000
	message one rekey resume
	wait_rekey one running
	sleep 0.5
	dmsetup suspend one 3>&- &
	suspender=$!
	sleep 0.5
	[ "$(shown one --inactive)" = "$NAMES" ]
	dmsetup resume --noudevsync low
	wait "$suspender"
	[ "$(shown one --inactive)" = "$(zeros 128) ${NAMES#* }" ]
	dmsetup resume --noudevsync one
	finish one
}

@test "loaded over one that is done, it stays done" {
	local options
	halfway stays
	message one rekey resume
	message one rekey speed 0
	wait_rekey one 'done'
	raw "$DATA" >/tmp/data.1
	keyctl clear @s
	for options in engine:api rekey_paused ""; do
		# shellcheck disable=SC2086 # words
		both $options | remap one
		wait_rekey one 'done'
		[ "$(shown one)" = "$(zeros 128) ${NAMES#* }" ]
		check_fill /dev/mapper/one stays
	done
	cmp /tmp/data.1 <(raw "$DATA")
	# A wipe takes the new key, and the old one is not needed.
	both | dmsetup load one
	dmsetup suspend one
	message one key wipe
	refused "not resumed without a key" dmsetup resume --noudevsync one
	add_key new "$NEW"
	message one rekey key set :64:logon:xc:new
	dmsetup resume --noudevsync one
	wait_rekey one 'done'
	# The printed line is one, too; but not every key is one that was wiped.
	dmsetup table --showkeys one | remap one
	wait_rekey one 'done'
	cannot "key: not the one that the conversion began with" <<<"$(line :64:logon:xc:new '=')"
	plain_line xcrypt '=' | remap one
	check_fill /dev/mapper/one stays
	[[ $(dmsetup table --showkeys one) == *" $SPEC :64:logon:xc:new "* ]]
	unmap one
	new_key_only stays
}

@test "the next conversion begins with = for the key that was new" {
	halfway next
	message one rekey resume
	message one rekey speed 0
	wait_rekey one 'done'
	STATE=/dev/ram2
	blank_state
	add_key next "$(hex_key 64 next)"
	line '=' :64:logon:xc:next rekey_start rekey_paused | remap one
	[ "$(shown one)" = ":64:logon:xc:new :64:logon:xc:next" ]
	check_fill /dev/mapper/one next
	both | remap one
	wait_rekey one 'done'
	check_fill /dev/mapper/one next
	unmap one
	NEW=$(hex_key 64 next)
	new_key_only next
}

# --- refusals ------------------------------------------------------------------

@test "refused without a conversion in use at this place" {
	# none at all, one that is loaded only
	dmsetup create one --noudevsync --notable
	line "$OLD" '=' | cannot "rekey_key: = cannot be taken, no xcrypt table in use begins at this sector"
	blank_state
	rekey_line rekey_start rekey_paused | dmsetup load one
	refused "rekey_key: = cannot be taken, no xcrypt table in use" dmsetup load one <<<"$(line "$OLD" '=')"
	fails none_loaded
	dmsetup clear one
	# one without a conversion
	plain_line xcrypt "$OLD" | remap one
	line "$OLD" '=' | cannot "rekey_key: = cannot be taken, the table in use has no conversion"
	both | cannot "rekey_key: = cannot be taken, the table in use has no conversion"
	# one of another device
	unmap one
	begin one rekey_paused
	map two <<<"0 64 linear /dev/ram2 0"
	line "$OLD" '=' | cannot "rekey_key: = cannot be taken, no xcrypt table in use" two
	# one that was in use before
	unmap one
	map one <<<"0 64 linear /dev/ram2 0"
	line "$OLD" '=' | cannot "rekey_key: = cannot be taken, no xcrypt table in use"
}

@test "refused with other ciphers, with rekey_start, after a wipe; and the conversion goes on" {
	local i
	halfway wrong
	both rekey_start | cannot "rekey_key: = only continues a conversion, not with rekey_start"
	both rekey_cipher:serpent-xts-plain64 |
		cannot "rekey_key: = cannot be taken, the table in use converts to another cipher"
	SPEC=aes-xts-plain both rekey_cipher:aes-xts-plain64 |
		cannot "key: = cannot be taken, the table in use has another cipher"
	both rekey_sector_size:512 rekey_iv_offset:8 | cannot "rekey_state: of a conversion to another"
	plain_line xcrypt '=' | cannot "rekey_state: must stay until the conversion is done"
	STATE=/dev/ram2 both | cannot "rekey_state: "
	both | sed "s| $DATA | /dev/nosuch |" | cannot "device: no such block device"

	dmsetup suspend one
	message one key wipe
	line "$OLD" '=' | cannot "rekey_key: = cannot be taken, that of the table in use was wiped"
	line '=' :64:logon:xc:new | cannot "key: = cannot be taken, that of the table in use was wiped"
	message one key set :64:logon:xc:old
	line "$OLD" '=' | cannot "rekey_key: = cannot be taken, that of the table in use was wiped"
	message one rekey key set :64:logon:xc:new
	both rekey_paused | dmsetup load one
	dmsetup resume --noudevsync one

	# What was refused, cleared or replaced does not follow.
	for i in {1..10}; do
		both engine:nosuch | cannot "engine: "
		both rekey_resilience:journal | cannot "rekey_resilience: "
		both rekey_paused | dmsetup load one
		both rekey_paused verify_writes | dmsetup load one
		dmsetup clear one
	done
	dmsetup suspend one
	message one key wipe
	message one key set :64:logon:xc:old
	message one rekey key set :64:logon:xc:new
	dmsetup resume --noudevsync one
	[ "$(rekey_status one)" = "$AT" ]
	check_fill /dev/mapper/one wrong
	message one rekey resume
	finish one
}

# reading: is a read in flight?
reading() { awk '$1 > 0 { found = 1 } END { exit !found }' /sys/block/dm-*/inflight; }

@test "loaded while a plain table is being resumed, it loses the new key" {
	local reader resumer
	DATA=/dev/mapper/low
	map low <<<"0 8192 linear /dev/ram0 0"
	halfway plain
	message one rekey resume
	message one rekey speed 0
	wait_rekey one 'done'
	plain_line xcrypt '=' | dmsetup load one
	dmsetup suspend low
	raw /dev/mapper/one 0 8 >/dev/null 3>&- &
	reader=$!
	wait_for 10 reading
	dmsetup resume --noudevsync one 3>&- &
	resumer=$!
	wait_for 10 none_loaded
	both | dmsetup load one
	[ "$(shown one --inactive)" = "$(zeros 128) ${NAMES#* }" ]
	dmsetup resume --noudevsync low
	wait "$reader" "$resumer"
	[ "$(shown one --inactive)" = ":64:logon:xc:new :64:wiped" ]
	log_since | grep -q "loaded table has no key now: rekey_key: = cannot be taken, .* no conversion"
	dmsetup suspend one
	refused "not resumed without a key" dmsetup resume --noudevsync one
}

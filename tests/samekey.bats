#!/usr/bin/env bats
# machine: -m 1024 -c 2 --timeout 900
# kernels: newest
# tests: 5
#
# The key "=": a table is loaded without its key, which it takes from the table in use.
# Data and keys are compared with dm-crypt's.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-keys

SIZE=1024
X=/dev/ram0
SPEC=aes-xts-plain64

setup_file()
{
	in_machine
	not_for_crypt
	load_target
	load_reference
	ram_disks 1 8
	seed_init
	keyctl new_session >/dev/null
}

# add_key NAME HEX: add a logon key
add_key() { xxd -r -p <<<"$2" | keyctl padd logon "$1" @s >/dev/null; }

# line KEY [OPTION...]: print a table line
line()
{
	echo "0 $SIZE xcrypt $SPEC $1 0 $X 0${2:+ $((${#} - 1)) ${*:2}}"
}

# same [OPTION...]: print one with the key in use
same() { line '=' "$@"; }

# shown NAME [DMSETUP OPTION...]: print the key arguments of its table
shown() { dmsetup table --showkeys "${@:2}" "$1" | cut -d' ' -f5; }

# refused REASON NAME <TABLE: it must not be loaded, for this reason
refused()
{
	log_mark
	fails dmsetup load "$2" 2>/dev/null
	log_since | grep -q "xcrypt: .*key: = cannot be taken, $1" ||
		die "$(log_since), not $1"
	fails grep -q INACTIVE < <(dmsetup info "$2")
}

# read_by_crypt KEY LABEL [IV_OFFSET [OPTION...]]: dm-crypt must read what fill LABEL wrote
read_by_crypt()
{
	local options=("${@:4}")
	map check <<<"0 $SIZE crypt $SPEC $1 ${3:-0} $X 0 ${#options[@]} ${options[*]}"
	check_fill /dev/mapper/check "$2" || die "dm-crypt does not read it with that key"
	unmap check
}

zeros() { printf "%0$1d" 0; }

# --- reloads -------------------------------------------------------------------

@test "other options: the key need not be in the keyring any more" {
	local options
	add_key xc:k "$KEY"
	line :32:logon:xc:k | map x
	fill /dev/mapper/x
	keyctl clear @s
	fails dmsetup load x 2>/dev/null <<<"$(line :32:logon:xc:k)"
	for options in engine:api "offload:inline engine:api verify_writes" allow_discards ""; do
		# shellcheck disable=SC2086 # words
		same $options | remap x
		check_fill /dev/mapper/x
		# shellcheck disable=SC2086 # words
		[ "$(dmsetup table --showkeys x)" = \
			"$(line :32:logon:xc:k $options | sed "s|$X|1:0|")" ]
	done
	unmap x
	read_by_crypt "$KEY"
}

@test "a hex key is printed as such, also while the table is only loaded" {
	line "$KEY" | map x
	fill /dev/mapper/x
	same engine:api | dmsetup load x
	[ "$(shown x --inactive)" = "$KEY" ]
	dmsetup suspend x
	dmsetup resume --noudevsync x
	[ "$(shown x)" = "$KEY" ]
	check_fill /dev/mapper/x
}

@test "no key at all is one, too" {
	SPEC=cipher_null-ecb
	line - | map x
	same allow_discards | remap x
	[ "$(shown x)" = - ]
}

@test "another sector size, another IV offset" {
	line "$KEY" | map x
	remap x <<<"0 $SIZE xcrypt $SPEC = 8 $X 0 2 sector_size:4096 iv_large_sectors"
	fill /dev/mapper/x
	remap x <<<"0 $SIZE xcrypt $SPEC = 8 $X 0 3 sector_size:4096 iv_large_sectors engine:api"
	check_fill /dev/mapper/x
	unmap x
	read_by_crypt "$KEY" "" 8 sector_size:4096 iv_large_sectors
}

@test "every kind of cipher, IV and engine" {
	local size key
	while read -r SPEC size; do
		key=$(hex_key "$size" "$SPEC")
		add_key xc:k "$key"
		line "$key" | map x
		fill /dev/mapper/x
		same engine:api | remap x
		check_fill /dev/mapper/x
		same | remap x
		unmap x
		read_by_crypt "$key"

		line ":$size:logon:xc:k" | map x
		same | remap x
		check_fill /dev/mapper/x
		dmsetup suspend x
		same verify_writes | dmsetup load x
		dmsetup message x 0 key wipe
		dmsetup message x 0 key set "$key"
		dmsetup resume --noudevsync x
		check_fill /dev/mapper/x
		unmap x
	done < <(some 2 <<-END
		aes-xts-plain64 64
		aes-cbc-essiv:sha256 32
		aes:64-cbc-lmk 1040
		aes-cbc-tcw 64
		aes-cbc-elephant 64
		aes-cbc-eboiv 32
		aes:4-xts-plain64 256
		aes-lrw-benbi 48
	END
	)
}

@test "tags" {
	local spec bytes size key tail
	while read -r spec bytes size; do
		integrity_disk tags "$X" "$bytes"
		key=$(hex_key "$size" tags)
		tail="0 /dev/mapper/tags 0 1 integrity:$bytes:aead"
		map x <<<"0 $SIZE xcrypt $spec $key $tail"
		fill /dev/mapper/x
		remap x <<<"0 $SIZE xcrypt $spec = $tail"
		check_fill /dev/mapper/x
		fill /dev/mapper/x again
		unmap x
		map x <<<"0 $SIZE crypt $spec $key $tail"
		check_fill /dev/mapper/x again
		unmap x tags
	done <<-END
		capi:gcm(aes)-random 28 32
		capi:authenc(hmac(sha256),xts(aes))-random 48 96
	END
}

@test "longer and shorter" {
	line "$KEY" | map x
	fill /dev/mapper/x
	SIZE=2048
	same | remap x
	[ "$(sectors_of /dev/mapper/x)" = 2048 ]
	fill /dev/mapper/x longer
	SIZE=512
	same | remap x
	[ "$(sectors_of /dev/mapper/x)" = 512 ]
	SIZE=2048
	read_by_crypt "$KEY" longer
	same | remap x
	check_fill /dev/mapper/x longer
}

# segments KEY KEY [OPTION]: print a table of two segments
segments()
{
	echo "0 512 xcrypt $SPEC $1 0 $X 0 ${3:+1 $3}"
	echo "512 512 xcrypt $SPEC $2 512 $X 512 ${3:+1 $3}"
}

@test "several segments: each has the key of its place" {
	segments "$KEY" "$OTHER" | map x
	fill /dev/mapper/x
	segments '=' '=' engine:api | remap x
	check_fill /dev/mapper/x
	[ "$(shown x)" = "$KEY"$'\n'"$OTHER" ]

	# A key for one place only
	segments '=' "$KEY" | remap x
	[ "$(shown x)" = "$KEY"$'\n'"$KEY" ]
	segments '=' "$OTHER" | remap x
	check_fill /dev/mapper/x

	# A message reaches the loaded segment at its own place
	segments '=' '=' verify_writes | dmsetup load x
	dmsetup suspend x
	dmsetup message x 512 key wipe
	[ "$(shown x --inactive)" = "$KEY"$'\n'"$(zeros 64)" ]
	dmsetup message x 512 key set "$OTHER"
	dmsetup resume --noudevsync x
	check_fill /dev/mapper/x
	[ "$(dmsetup table x | grep -c verify_writes)" = 2 ]

	# No volume begins at 256; the segment before it is given up
	refused "no xcrypt table in use" x <<-END
		0 256 xcrypt $SPEC = 0 $X 0
		256 768 xcrypt $SPEC = 256 $X 256
	END
	check_fill /dev/mapper/x
}

@test "one of several segments cannot resume: the other keeps its key" {
	segments "$KEY" "$OTHER" | map x
	fill /dev/mapper/x
	segments '=' '=' engine:api | dmsetup load x
	dmsetup suspend x
	dmsetup message x 512 key wipe
	fails dmsetup resume --noudevsync x 2>/dev/null
	[ "$(shown x)" = "$KEY"$'\n'"$(zeros 64)" ]
	dmsetup message x 512 key set "$OTHER"
	dmsetup resume --noudevsync x
	check_fill /dev/mapper/x
}

# --- refusals ------------------------------------------------------------------

@test "refused without a table of xcrypt in use at this place" {
	# none at all, one that is loaded only
	dmsetup create x --noudevsync --notable
	same | refused "no xcrypt table in use" x
	line "$KEY" | dmsetup load x
	log_mark
	fails dmsetup load x 2>/dev/null <<<"$(same)"
	log_since | grep -q "key: = cannot be taken, no xcrypt table in use"
	dmsetup resume --noudevsync x
	# one of another device
	map y <<<"0 $SIZE linear $X $SIZE"
	same | refused "no xcrypt table in use" y
	# one that was in use before
	remap x <<<"0 $SIZE linear $X 0"
	same | refused "no xcrypt table in use" x
	# dm-crypt's
	remap x <<<"0 $SIZE crypt $SPEC $KEY 0 $X 0"
	same | refused "no xcrypt table in use" x
}

@test "refused with another cipher" {
	line "$KEY" | map x
	fill /dev/mapper/x
	for SPEC in aes-xts-plain serpent-xts-plain64 "capi:xts(aes)-plain64" cipher_null-ecb; do
		same | refused "the table in use has another cipher" x
	done
	check_fill /dev/mapper/x
}

@test "refused after a wipe, until there is a key" {
	line "$KEY" | map x
	fill /dev/mapper/x
	dmsetup suspend x
	dmsetup message x 0 key wipe
	same | refused "that of the table in use was wiped" x
	dmsetup message x 0 key set "$KEY"
	same engine:api | dmsetup load x
	dmsetup resume --noudevsync x
	check_fill /dev/mapper/x
}

@test "a line that is wrong elsewhere, and lines without end, leave nothing" {
	local i
	line "$KEY" | map x
	fill /dev/mapper/x
	for i in {1..20}; do
		fails dmsetup load x 2>/dev/null <<<"0 $SIZE xcrypt $SPEC = 0 /dev/nosuch 0"
		fails dmsetup load x 2>/dev/null <<<"0 $SIZE xcrypt $SPEC = 0 $X 0 1 engine:nosuch"
		same | dmsetup load x
	done
	dmsetup suspend x
	dmsetup message x 0 key set "$OTHER"
	dmsetup message x 0 key set "$KEY"
	dmsetup resume --noudevsync x
	check_fill /dev/mapper/x
}

@test "a message takes no such key" {
	line "$KEY" | map x
	dmsetup suspend x
	fails dmsetup message x 0 key set '=' 2>/dev/null
	[ "$(shown x)" = "$KEY" ]
}

# --- changes of the key meanwhile ----------------------------------------------

@test "a new key reaches a loaded table" {
	add_key xc:o "$OTHER"
	line "$KEY" | map x
	same engine:api | dmsetup load x
	dmsetup suspend x
	dmsetup message x 0 key set :32:logon:xc:o
	[ "$(shown x --inactive)" = :32:logon:xc:o ]
	dmsetup resume --noudevsync x
	[ "$(shown x)" = :32:logon:xc:o ]
	fill /dev/mapper/x
	unmap x
	read_by_crypt "$OTHER"
}

@test "but not one that has a key of its own" {
	line "$KEY" | map x
	fill /dev/mapper/x
	line "$KEY" engine:api | dmsetup load x
	dmsetup suspend x
	dmsetup message x 0 key set "$OTHER"
	dmsetup message x 0 key wipe
	[ "$(shown x --inactive)" = "$KEY" ]
	dmsetup resume --noudevsync x
	check_fill /dev/mapper/x
}

@test "nor one of another device" {
	line "$KEY" | map x
	map y <<<"0 $SIZE xcrypt $SPEC $KEY 0 $X $SIZE"
	dmsetup load y <<<"0 $SIZE xcrypt $SPEC = 0 $X $SIZE"
	dmsetup suspend x
	dmsetup message x 0 key wipe
	[ "$(shown y --inactive)" = "$KEY" ]
	dmsetup message x 0 key set "$KEY"
	dmsetup resume --noudevsync x
}

@test "a wipe reaches a loaded table, which does not resume before it has a key" {
	add_key xc:k "$KEY"
	line :32:logon:xc:k | map x
	fill /dev/mapper/x
	same engine:api | dmsetup load x
	dmsetup suspend x
	dmsetup message x 0 key wipe
	[ "$(shown x --inactive)" = "$(zeros 64)" ]
	fails dmsetup resume --noudevsync x 2>/dev/null
	log_since | grep -q "not resumed without a key"
	# The new table has replaced the old one, and waits for its key
	dmsetup table x | grep -q engine:api
	dmsetup info x | grep -q SUSPENDED
	same | refused "no xcrypt table in use" x
	dmsetup message x 0 key set :32:logon:xc:k
	dmsetup resume --noudevsync x
	check_fill /dev/mapper/x
	# ... and is in use now
	same | remap x
	check_fill /dev/mapper/x
}

@test "a refused key set changes neither table" {
	line "$KEY" | map x
	same | dmsetup load x
	fails dmsetup message x 0 key set "$OTHER" 2>/dev/null
	dmsetup suspend x
	fails dmsetup message x 0 key set "z${OTHER:1}" 2>/dev/null
	[ "$(shown x)/$(shown x --inactive)" = "$KEY/$KEY" ]
}

@test "loaded twice, renamed, cleared, removed" {
	line "$KEY" | map x
	fill /dev/mapper/x
	same verify_writes | dmsetup load x
	same engine:api | dmsetup load x
	dmsetup rename --noudevsync x y
	dmsetup suspend y
	dmsetup message y 0 key set "$OTHER"
	dmsetup message y 0 key set "$KEY"
	dmsetup resume --noudevsync y
	[[ "$(dmsetup table y)" == *" 1 engine:api" ]]
	check_fill /dev/mapper/y
	same | dmsetup load y
	dmsetup clear y
	dmsetup suspend y
	dmsetup message y 0 key wipe
	dmsetup message y 0 key set "$KEY"
	same | dmsetup load y
	unmap y
	# The next device may be where it was
	dmsetup create x --noudevsync --notable
	same | refused "no xcrypt table in use" x
}

# reading: is a read in flight?
reading() { awk '$1 > 0 { found = 1 } END { exit !found }' /sys/block/dm-*/inflight; }

no_table_loaded() { ! dmsetup info x | grep -q INACTIVE; }

# resumed_while_loading KEY [CIPHER]: with KEY in use, load a table with another key; while
# it is being resumed, which waits for a read, load one with the key in use
resumed_while_loading()
{
	local reader resumer X=/dev/mapper/low
	map low <<<"0 $SIZE linear /dev/ram0 0"
	line "$KEY" | map x
	SPEC=${2:-$SPEC} line "$1" | dmsetup load x
	dmsetup suspend low
	raw /dev/mapper/x 0 8 >/dev/null 3>&- &
	reader=$!
	wait_for 10 reading
	dmsetup resume --noudevsync x 3>&- &
	resumer=$!
	wait_for 10 no_table_loaded
	same engine:api | dmsetup load x
	[ "$(shown x --inactive)" = "$KEY" ]
	dmsetup resume --noudevsync low
	wait "$reader"
	wait "$resumer"
	[ "$(shown x)" = "$1" ]
}

@test "a table loaded while another is being resumed has the key of that one" {
	resumed_while_loading "$OTHER"
	[ "$(shown x --inactive)" = "$OTHER" ]
	dmsetup suspend x
	dmsetup resume --noudevsync x
	fill /dev/mapper/x
	unmap x
	read_by_crypt "$OTHER"
}

@test "... or none, if the size of that key is another" {
	resumed_while_loading "$KEY$OTHER"
	[ "$(shown x --inactive)" = "$(zeros 64)" ]
	log_since | grep -q "loaded table has no key now: key: = cannot be taken, .* replaced"
	fails dmsetup resume --noudevsync x 2>/dev/null
}

@test "... or its cipher" {
	resumed_while_loading "$KEY" serpent-xts-plain64
	[ "$(shown x --inactive)" = "$(zeros 64)" ]
	log_since | grep -q "loaded table has no key now: key: = cannot be taken, .* another cipher"
}

# --- races ---------------------------------------------------------------------

# race [OPTION]: run tests/same-race.c, for 15 or 115 seconds
race()
{
	"$(c_tool same-race.c)" "$@" x "${XCRYPT_LONG:+1}15" "$SIZE" "$SPEC" "$X" \
		"$KEY" "$OTHER" || die "$(log_since | tail -n 20)"
}

@test "loads race with changes of the key: the data are never wrong" {
	line "$KEY" | map x
	say "$(race)"
}

@test "creation, loads, resumes, wipes and removals race" {
	race -a
	# what is left can be used, or removed
	dmsetup remove --noudevsync --retry x 2>/dev/null || true
	line "$KEY" | map x
	same | remap x
	fill /dev/mapper/x
	check_fill /dev/mapper/x
}

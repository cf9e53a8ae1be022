#!/usr/bin/env bats
# machine: -m 768 -c 2 --timeout 900
# kernels: newest
# tests: 2
#
# xcrypt rekey rescue: dm-crypt serves a volume in mid-conversion, in each kind of state that
# the conversion leaves behind. Everything is read, and written anew; then dm-xcrypt
# converts the rest, and dm-crypt must read all of it with the new key. A tap below
# (tests/modules/xcrypt_tap.c) ends conversions in the middle of a batch.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-io
load lib-rekey

LENGTH=2048	# sectors of the volume
BATCH=64	# of a batch, in four chunks
EXPECTED=/tmp/expected

setup_file()
{
	rekey_set_up 4
	tap_module
	modules loop dm-dust
	mkdir -p /run/cryptsetup
}

setup()
{
	XCRYPT=$XC_TESTS/../scripts/xcrypt
	START=128
	DATA=/dev/mapper/data
	STATE=/dev/mapper/state
	batches $BATCH
	map data <<<"0 $((START + LENGTH)) xcrypt-tap /dev/ram0 0 flushed"
	map state <<<"0 2048 xcrypt-tap /dev/ram1 0 flushed"
	keyctl clear @s
	log_mark
}

teardown()
{
	local name
	batches 0
	for name in data state; do
		[ ! -e /dev/mapper/$name ] || message $name heal || true
	done
	unmap_all
	losetup -D
	rm -f /tmp/old /tmp/new /tmp/*.img $EXPECTED
}

teardown_file()
{
	clean_up
	rmmod xcrypt_tap
	unload_target
}

batches() { echo "$1" >"$DEBUGFS/fail_xcrypt/rekey_batch_sectors"; }

# --- conversions that end early -----------------------------------------------------

XTS="aes-xts-plain64 64"

# fresh OLD NEW [WORD...]: a volume with data under the old key, paused before its conversion
fresh()
{
	sides "$@"
	xxd -r -p <<<"${OLD#-}" >/tmp/old
	xxd -r -p <<<"${NEW#-}" >/tmp/new
	random_bytes $(($(side_sectors) * 512)) "$BATS_TEST_NUMBER" >$EXPECTED
	side "$OLD" "${OLD_SIDE[@]}" | map plain
	raw_write /dev/mapper/plain <$EXPECTED
	unmap plain
	blank_state
	sides_line rekey_start rekey_paused | map one
	message one rekey speed 0
}

# breaks DEVICE OPS FIRST: the conversion ends when these fail
breaks()
{
	message "$1" fail "$2" "$3" 0
	message one rekey resume
	wait_rekey one failed
	unmap one
	message "$1" heal
}

# pauses_at SECTORS: the conversion is paused when so many are converted
pauses_at()
{
	message one rekey speed 500
	message one rekey resume
	wait_for 30 converted "$1"
	message one rekey pause
	unmap one
}

# converted SECTORS: are so many, or more?
converted()
{
	local sectors
	read -r _ sectors _ < <(rekey_status one)
	[ "$sectors" -ge "$1" ]
}

# --- the rescue -----------------------------------------------------------------------

rescue()
{
	"$XCRYPT" rekey rescue --type plain --state "$STATE" --key-file /tmp/old --new-key-file /tmp/new "$@"
}

# secrets: print parts of the keys
secrets() { printf '%s\n' "${OLD:8:16}" "${NEW:8:16}" | grep .; }

# sum_of: print a checksum of data and state
sum_of() { { raw "$DATA"; raw "$STATE"; } | sha256sum; }

# active_sectors: print how many the active batch has
active_sectors()
{
	local slot
	for slot in 0 8; do
		raw "$STATE" $slot 8 | od -An -v -tu8 -j 16 -N 8 | tr '\n' ' '
		raw "$STATE" $slot 8 | od -An -v -tu4 -j 112 -N 4
	done | sort -n | tail -n 1 | awk '{ print $2 }'
}

# serves: all blocks of the volume are right, when read and when written
serves()
{
	local failed word
	for word in '' "$XCRYPT_SEED" ''; do
		# shellcheck disable=SC2086 # a word or none
		"$(c_tool served.c)" /dev/mapper/vol $EXPECTED $word >/tmp/served || die "wrong"
		read -r _ failed _ </tmp/served
		[ "$failed" = 0 ] || die "$(cat /tmp/served)"
	done
}

# rescued [REPAIRED]: it opens; so many sectors were repaired
rescued()
{
	local output targets repaired=${1:-0}
	[ "$(active_sectors)" = "$repaired" ] || die "$(active_sectors) sectors are active, not $repaired"
	output=$(rescue "$DATA" vol) || die "rescue failed: $output"
	say "$output" "$(dmsetup table vol | wc -l)"
	[[ $repaired == 0 || $output == *"repaired"* ]] || die "$output"
	[ "$(active_sectors)" = 0 ] || die "the batch is still active"
	targets=$(dmsetup table vol | cut -d' ' -f3 | sort -u)
	[[ $targets == crypt || $targets == $'crypt\nerror' ]] || die "$targets"
	fails grep -qF -f <(secrets) < <(log_since; printf %s "$output")
}

# refused_rescue TEXT: it fails, says why, and leaves no mapping
refused_rescue()
{
	fails rescue "$DATA" vol >/tmp/why 2>&1
	grep -qF "$1" /tmp/why || die "not $1: $(cat /tmp/why)"
	fails dmsetup info vol >/dev/null 2>&1
}

# no_key: has the rescue left none?
no_key() { ! grep -q xcrypt: /proc/keys; }

# goes_on: dm-xcrypt converts the rest, and dm-crypt reads everything with the new key
goes_on()
{
	"$XCRYPT" close vol
	within 10 no_key || die "left in a keyring: $(grep xcrypt: /proc/keys)"
	sides_line | map one
	message one rekey speed 0
	wait_rekey one 'done'
	cmp $EXPECTED /dev/mapper/one
	unmap one
	side "$NEW" "${NEW_SIDE[@]}" | map plain
	cmp $EXPECTED /dev/mapper/plain || die "dm-crypt reads something else with the new key"
	unmap plain
}

# survives [REPAIRED]: all of it
survives()
{
	rescued "$@"
	serves
	goes_on
}

@test "paused, without an active batch" {
	fresh "$XTS 8" "$XTS 8"
	pauses_at 512
	survives
}

@test "wrong keys, and a state that is none, are refused; nothing is written" {
	local before
	fresh "$XTS 0" "$XTS 0"
	breaks data W 31
	before=$(sum_of)
	mv /tmp/old /tmp/other
	cp /tmp/new /tmp/old
	refused_rescue "the old key is not the one that the conversion began with"
	mv /tmp/other /tmp/old
	head -c 64 /dev/urandom >/tmp/new
	refused_rescue "the new key is not the one that the conversion began with"
	[ "$(sum_of)" = "$before" ] || die "data or state have changed"
	raw "$STATE" 16 1 | raw_write "$STATE" 0
	raw "$STATE" 16 1 | raw_write "$STATE" 8
	refused_rescue "the state of the conversion on "
	blank_state
	refused_rescue "the state of the conversion on "
}

# half_written RESILIENCE: batches of which no chunk, some or all are written
half_written()
{
	local chunks
	for chunks in 0 1 3; do
		fresh "$XTS 0" "$XTS 0" rekey_resilience:"$1"
		breaks data W $((4 * 7 + chunks + 1))
		survives $BATCH
	done
	fresh "$XTS 0" "$XTS 0" rekey_resilience:"$1"
	breaks state U 5
	survives $BATCH
}

@test "an active batch, with none, some or all of it written: checksum" {
	half_written checksum
}

@test "an active batch, with none, some or all of it written: journal" {
	half_written journal
}

@test "a journal whose writes were torn" {
	fresh "$XTS 0" "$XTS 0" rekey_resilience:journal
	breaks data W $((4 * 7 + 3))
	random_bytes $((BATCH * 512)) torn | raw_write "$DATA" $((START + 7 * BATCH))
	survives $BATCH
}

@test "other ciphers, sector sizes and IVs, and none" {
	fresh "aes-cbc-essiv:sha256 32 16" "serpent-xts-plain64 64 4096"
	breaks data W 42
	survives $BATCH
	fresh "capi:xts(camellia)-plain64be 64 0" "aes:64-cbc-lmk 1040 0"
	breaks data W 43
	survives $BATCH
	fresh "cipher_null-ecb 0 0" "$XTS 0"
	breaks data W 43
	survives $BATCH
	fresh "$XTS 0" "cipher_null-ecb 0 0"
	breaks data W 43
	survives $BATCH
}

# big_blocks: data and state are on devices with logical blocks of 4096 bytes
big_blocks()
{
	map bigdata <<<"0 $(sectors_of /dev/ram0) crypt cipher_null-ecb - 0 /dev/ram0 0 1 sector_size:4096"
	map bigstate <<<"0 $(sectors_of /dev/ram1) crypt cipher_null-ecb - 0 /dev/ram1 0 1 sector_size:4096"
	remap data <<<"0 $((START + LENGTH)) xcrypt-tap /dev/mapper/bigdata 0 flushed"
	remap state <<<"0 2048 xcrypt-tap /dev/mapper/bigstate 0 flushed"
}

@test "larger encryption sectors" {
	big_blocks
	fresh "$XTS 0" "$XTS 8 sector_size:4096 iv_large_sectors" rekey_resilience:checksum
	breaks data W 42
	survives $BATCH
	fresh "$XTS 8 sector_size:4096 iv_large_sectors" "aes-xts-plain64 32 0 sector_size:512" rekey_resilience:journal
	breaks data W 42
	survives $BATCH
}

@test "long batches, and a short one at the end" {
	local sectors
	LENGTH=7000
	remap data <<<"0 $((START + LENGTH)) xcrypt-tap /dev/ram0 0 flushed"
	batches 0
	fresh "$XTS 0" "$XTS 0"
	breaks data W 8
	sectors=$(active_sectors)
	[ "$sectors" -ge 1024 ] || die "$sectors sectors are active"
	survives "$sectors"
	batches 1024
	fresh "$XTS 0" "$XTS 0" rekey_resilience:journal
	# (an area has room for 1016 sectors, in four chunks)
	breaks data W 26
	sectors=$(active_sectors)
	[[ $sectors -gt 0 && $sectors -lt 1016 ]] || die "$sectors sectors are active"
	survives "$sectors"
}

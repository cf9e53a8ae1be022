#!/usr/bin/env bats
#
# machine: -m 1024 --timeout 900
# kernels: newest
# tests: 3
#
# Failed allocations during the life of a conversion: load, beginning, continuation,
# recovery, messages, I/O. A request fails cleanly or succeeds; the volume and its data are
# unchanged.

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io
load lib-alloc
load lib-rekey

BATCH=512	# sectors, where there is to be an active one

setup_file()
{
	rekey_set_up 4
	# brd allocates what was never written
	raw_write "$STATE" </dev/zero 2>/dev/null || true
}

setup()
{
	faults_needed
	new_keys
	# fewer pages: they are allocated alike
	echo 1024 >"$DEBUGFS/fail_xcrypt/rekey_batch_sectors"
}

teardown()
{
	faults_off
	echo 0 >"$DEBUGFS/fail_xcrypt/rekey_batch_sectors"
	unmap_all
	rm -f /tmp/xc.*.image
}

teardown_file()
{
	clean_up
	unload_target
}

# conversion WORD...: set LINE to the parameters of a conversion of a small volume
conversion()
{
	LINE="$SPEC :64:logon:xc:old 0 $DATA 0 $((2 + $#)) rekey_state:$STATE rekey_key::64:logon:xc:new $*"
}

# small NAME WORD...: create one
small()
{
	conversion "${@:2}"
	map "$1" <<<"0 $SWEPT_SECTORS $TARGET $LINE"
}

# small_old LABEL: its data, with the old key
small_old()
{
	map plain <<<"0 $SWEPT_SECTORS crypt $SPEC $OLD 0 $DATA 0"
	fill /dev/mapper/plain "$1"
	unmap plain
}

# small_new LABEL: convert the rest; the data are LABEL's with the new key
small_new()
{
	message xc rekey speed 0
	message xc rekey resume
	wait_rekey xc 'done'
	check_fill /dev/mapper/xc "$1"
	unmap xc
	map plain <<<"0 $SWEPT_SECTORS crypt $SPEC $NEW 0 $DATA 0"
	check_fill /dev/mapper/plain "$1" || die "dm-crypt does not read it with the new key"
	unmap plain
}

# half LABEL: a small volume, paused in mid-conversion
half()
{
	small_old "$1"
	blank_state
	small xc rekey_start rekey_paused
	message xc rekey speed 10
	message xc rekey resume
	wait_for 30 moved
	message xc rekey pause
	rekey_is xc paused
	conversion rekey_paused
}

moved() { [[ $(rekey_status xc) != *" 0 "* ]]; }

@test "a failed load begins nothing" {
	small_old load
	blank_state
	map xc <<<"0 $SWEPT_SECTORS $TARGET $SPEC :64:logon:xc:old 0 $DATA 0"
	conversion rekey_start
	# (most of them are pages)
	sweep -g $((GAP / 4 + 1)) load xc "$TARGET" "$SWEPT_SECTORS" <<<"${LINE/:64:logon:xc:old/=}"
	cmp <(raw "$STATE" 0 16) <(head -c 8192 /dev/zero)
	check_fill /dev/mapper/xc load
	remap xc <<<"0 $SWEPT_SECTORS $TARGET $LINE"
	small_new load
}

@test "a failed resume that begins a conversion can be repeated" {
	small_old begin
	blank_state
	head -c 8192 /dev/zero >/tmp/xc.blank.image
	small xc rekey_start rekey_paused
	survive -r "/tmp/xc.blank.image:$STATE" create xc "$TARGET" "$SWEPT_SECTORS" <<<"$LINE"
	small_new begin
}

@test "suspend, resume, another table and its resume in mid-conversion" {
	local same
	half middle
	same=${LINE/:64:logon:xc:old/=}
	sweep -g $((GAP / 4 + 1)) load xc "$TARGET" "$SWEPT_SECTORS" \
		<<<"${same/rekey_key::64:logon:xc:new/rekey_key:=}"
	survive suspend xc
	survive resume xc
	survive -g $((GAP / 4 + 1)) swap xc "$TARGET" "$SWEPT_SECTORS" <<<"$LINE"
	small_new middle
}

@test "a failed resume with an active batch can be repeated, and the batch is recovered" {
	small_old recover
	blank_state
	# Half of the first batch, of four chunks, is written; the rest fails.
	echo $BATCH >"$DEBUGFS/fail_xcrypt/rekey_batch_sectors"
	modules dm-flakey
	map broken <<-END
		0 $((BATCH / 2)) linear $DATA 0
		$((BATCH / 2)) $SWEPT_SECTORS flakey $DATA $((BATCH / 2)) 0 3600 1 error_writes
	END
	DATA=/dev/mapper/broken small xc rekey_start
	wait_rekey xc failed
	[ "$(rekey_status xc)" = "failed $((BATCH / 2)) $SWEPT_SECTORS" ]
	unmap xc broken
	raw "$STATE" >/tmp/xc.state.image
	raw "$DATA" 0 "$SWEPT_SECTORS" >/tmp/xc.data.image

	small xc rekey_paused
	survive -r "/tmp/xc.state.image:$STATE" -r "/tmp/xc.data.image:$DATA" \
		create xc "$TARGET" "$SWEPT_SECTORS" <<<"$LINE"
	wait_rekey xc paused
	[ "$(rekey_status xc)" = "paused $BATCH $SWEPT_SECTORS" ]
	small_new recover
}

@test "messages that pause and continue" {
	half messages
	message xc rekey speed 10
	for words in "rekey resume" "rekey pause" "rekey speed 11"; do
		sweep message xc <<<"$words"
	done
	small_new messages
}

@test "a failed key wipe or key set leaves both keys, or none of that side" {
	half keys
	sweep rekey-wipe xc <<<":64:logon:xc:old"$'\n'":64:logon:xc:new"
	sweep rekey-set xc <<<":64:logon:xc:old"$'\n'":64:logon:xc:new"
	small_new keys
}

# loaded INJECTOR=PERCENT...: I/O under failing allocations while sectors are converted:
# none fails, nor does the conversion
loaded()
{
	acked "$@"
	rekey_is xc running || die "too early, or failed: $(dmsetup status xc)"
	[ "$FAILED" = 0 ] || die "$FAILED operations failed"
	[ "$(status errors)" = 0 ] || die "bios failed: $(dmsetup status xc)"
}

@test "bios on both sides of the boundary wait for memory" {
	fill_old io
	begin_slowly xc 50
	loaded fail_xcrypt=10
	loaded fail_xcrypt=100
	finish xc
}

@test "a conversion goes on where allocations that may not wait fail everywhere" {
	fill_old everywhere
	begin_slowly xc 50
	set_fault failslab ignore-gfp-wait=Y
	set_fault fail_page_alloc ignore-gfp-wait=Y
	loaded failslab=40 fail_page_alloc=40
	faults_off
	finish xc
}

@test "nothing has leaked" {
	no_leaks
}

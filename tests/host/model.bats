#!/usr/bin/env bats
# machine: --timeout 1800
#
# The model of changing a key while the volume is in use, tests/model/rekey.pml, keeps its
# promises, and not without any of its cures.

# shellcheck shell=bash

model() { "$BATS_TEST_DIRNAME/../model/run" "$@"; }

# holds PROPERTY [CURE]: in a number of states that is not trivial
holds()
{
	run model verify "$@"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output =~ ^"$1: holds in "([0-9]+)" states"$ ]]
	[ "${BASH_REMATCH[1]}" -gt 100000 ]
}

# long: more crashes in the long runs
long() { [ -z "${XCRYPT_LONG:-}" ] || export CRASHES=3; }

# fails CURE...: without them, and the steps lead to a broken promise
fails()
{
	run model mutant "$@"
	echo "$output"
	[ "$status" = 0 ]
	[ "${lines[-1]}" = broken ]
}

@test "every cure is removed here" {
	for cure in $(model cures); do
		echo "$cure"
		grep -qE "^	(PROPERTY=reads )?fails ([a-z_]+ )?$cure\>" "$BATS_TEST_FILENAME"
	done
}

@test "flushed data are never lost" {
	long
	holds flushed
}

@test "a read never sees garbage" {
	long
	holds reads
}

@test "the conversion always finishes" {
	WRITES=1 holds finishes
}

@test "the conversion may not finish if reads are not held" {
	WRITES=0 CRASHES=0 run model verify finishes reads_held
	echo "$output"
	[ "$status" = 1 ]
	grep -qx cycle <<<"$output"
}

@test "fails unless writes to a prepared batch are held" {
	fails writes_held
}

@test "fails unless writes are drained before a batch is prepared" {
	fails writes_drained
}

@test "fails unless reads of a chunk are held while it is written" {
	fails reads_held
}

@test "fails unless reads of a chunk are drained before it is written" {
	fails reads_drained
}

@test "fails unless a batch is prepared again after a pause" {
	fails prepared_again
}

@test "fails unless data are flushed before their digests are committed" {
	fails flush_before_digests
}

@test "fails unless data are flushed before their batch is retired" {
	fails flush_before_retiring
}

@test "fails unless an area is flushed before it is committed" {
	fails flush_of_area
}

@test "fails unless a commit is durable before the batch is converted" {
	fails commit_fua
}

@test "fails if an area is used again before the commit that retires its batch" {
	fails two_areas
}

@test "fails unless the state device is flushed on opening: beginning, and converting" {
	fails opening_flushes_state
	PROPERTY=reads fails opening_flushes_state
}

@test "fails unless data are flushed on opening or by every recovery" {
	fails opening_flushes_data recovery_flushes_always
}

@test "one of these two flushes is enough" {
	WRITES=1 holds any opening_flushes_data
	WRITES=1 holds any recovery_flushes_always
}

@test "fails unless a recovery that wrote flushes the data device" {
	fails recovery_flushes
}

@test "fails unless the batch is gated during its recovery" {
	fails recovery_gated
}

@test "fails unless the first superblock is durable when the resume returns" {
	fails start_fua
}

@test "fails unless a blank state is refused without rekey_start" {
	fails blank_refused
}

@test "fails unless a valid state is refused with rekey_start" {
	fails valid_refused
}

@test "fails unless the older superblock is refused if the newer is damaged" {
	fails damage_refused
}
